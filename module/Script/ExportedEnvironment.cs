using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;
using System.Xml;

namespace AwsSso;

/// <summary>An environment as a team shares it: the same members as the object has, less what belongs to one user's machine.</summary>
[DataContract]
internal sealed class ExportedEnvironment
{
    [DataMember(Order = 1, IsRequired = true)]
    internal string Name { get; private set; } = "";

    [DataMember(Order = 2, IsRequired = true)]
    internal string StartUrl { get; private set; } = "";

    [DataMember(Order = 3, IsRequired = true)]
    internal string Region { get; private set; } = "";

    [DataMember(Order = 4, EmitDefaultValue = false)]
    internal string? DefaultRoleName { get; private set; }

    [DataMember(Order = 5, EmitDefaultValue = false)]
    internal string? ProfileRegion { get; private set; }

    [DataMember(Order = 6, EmitDefaultValue = false)]
    internal string? ProfileOutput { get; private set; }

    [DataMember(Order = 6, EmitDefaultValue = false)]
    internal ExportedSync? Sync { get; private set; }

    [DataMember(Order = 7)]
    internal ExportedRow?[]? Profiles { get; private set; }

    /// <summary>The name of the profiles in files of earlier builds; it is only read.</summary>
    [DataMember(Order = 8, EmitDefaultValue = false)]
    private ExportedRow?[]? Account { get => null; set => Profiles ??= value; }

    /// <summary>Reads a file with one environment or a list of them.</summary>
    internal static List<SsoEnvironment> Read(string path)
    {
        var text = ImportedFile.ReadText(path, "EnvironmentInvalid").TrimStart();
        var json = text.StartsWith("[", StringComparison.Ordinal) ? text : $"[{text}]";
        ExportedEnvironment?[] found;
        try
        {
            var bytes = Encoding.UTF8.GetBytes(json);
            using var reader = JsonReaderWriterFactory.CreateJsonReader(bytes, 0, bytes.Length, Encoding.UTF8, Limits, null);
            found = (ExportedEnvironment?[]?)new DataContractJsonSerializer(typeof(ExportedEnvironment[])).ReadObject(reader) ?? [];
        }
        catch (Exception fault) when (fault is SerializationException or FormatException or ArgumentException or InvalidCastException
            or XmlException)
        {
            throw SsoErrors.NotExported(path, fault);
        }

        if (found.Length > ImportedFile.MostRows || found.Sum(environment => environment?.Profiles?.Length ?? 0) > ImportedFile.MostRows)
        {
            throw SsoErrors.RecordInvalid(path, "its records", $"there are more than {ImportedFile.MostRows}");
        }

        return [.. found.Select((environment, index) => Checked(environment, $"record {index + 1}", path).At(path))];
    }

    /// <summary>What a file must not go beyond. An export has five levels.</summary>
    private static XmlDictionaryReaderQuotas Limits => new()
    {
        MaxDepth = 32,
        MaxStringContentLength = ImportedFile.LongestValue,
        MaxArrayLength = ImportedFile.MostRows,
        MaxBytesPerRead = ImportedFile.LargestFile,
        MaxNameTableCharCount = ImportedFile.LongestValue,
    };

    /// <summary>The environment, where nothing that it needs is null; JSON has null for a member that is there.</summary>
    private static ExportedEnvironment Checked(ExportedEnvironment? environment, string record, string path)
    {
        if (environment is null)
        {
            throw SsoErrors.RecordInvalid(path, record, "it is null, and not an environment");
        }

        Check(record, (nameof(Name), environment.Name), (nameof(StartUrl), environment.StartUrl), (nameof(Region), environment.Region));
        foreach (var (row, number) in (environment.Profiles ?? []).Select((row, index) => (row, index + 1)))
        {
            var place = $"record {number} of the environment {environment.Name}";
            if (row is null)
            {
                throw SsoErrors.RecordInvalid(path, place, "it is null, and not a profile");
            }

            Check(place, (nameof(ExportedRow.Profile), row.Profile), (nameof(ExportedRow.AccountId), row.AccountId));
        }

        return environment;

        void Check(string place, params (string Member, string? Value)[] needed)
        {
            if (needed.FirstOrDefault(pair => string.IsNullOrEmpty(pair.Value)).Member is { } missing)
            {
                throw SsoErrors.RecordInvalid(path, place, $"it has no {missing}");
            }
        }
    }

    /// <summary>Writes environments as JSON, one member on a line, so that a change of it reads well.</summary>
    internal static string Json(IEnumerable<SsoEnvironment> environments)
    {
        using var stream = new MemoryStream();
        using (var writer = JsonReaderWriterFactory.CreateJsonWriter(stream, Encoding.UTF8, ownsStream: false, indent: true, "  "))
        {
            new DataContractJsonSerializer(typeof(ExportedEnvironment[])).WriteObject(writer, environments.Select(Of).ToArray());
        }

        // The writer escapes slashes, which JSON allows but does not need.
        return Encoding.UTF8.GetString(stream.ToArray()).Replace("\\/", "/");
    }

    /// <summary>Writes environments in the form of ~/.aws/sso-environments.</summary>
    internal static string Ini(IEnumerable<SsoEnvironment> environments)
    {
        var text = new StringBuilder();
        foreach (var environment in environments)
        {
            Section($"environment {environment.Name}");
            Line("sso_start_url", environment.StartUrl);
            Line("sso_region", environment.Region);
            Line("default_role_name", environment.DefaultRoleName);
            Line("profile_region", environment.ProfileRegion);
            Line("profile_output", environment.ProfileOutput);
            foreach (var (key, value) in ExportedSync.Lines(environment.Sync))
            {
                Line(key, value);
            }

            foreach (var row in environment.Profiles)
            {
                Section($"environment {environment.Name} profile {row.Profile}");
                Line("sso_account_id", row.AccountId);
                Line("sso_role_name", row.RoleName.UnlessEqual(environment.DefaultRoleName));
                Line("region", row.ProfileRegion.UnlessEqual(environment.ProfileRegion));
                Line("output", row.ProfileOutput.UnlessEqual(environment.ProfileOutput));
            }
        }

        return text.ToString();

        void Section(string name) => text.Append(text.Length > 0 ? "\n" : "").Append('[').Append(name).Append("]\n");

        void Line(string key, string? value)
        {
            if (value is not null)
            {
                text.Append(key).Append(" = ").Append(value).Append('\n');
            }
        }
    }

    private static ExportedEnvironment Of(SsoEnvironment environment) => new()
    {
        Name = environment.Name,
        StartUrl = environment.StartUrl,
        Region = environment.Region,
        DefaultRoleName = environment.DefaultRoleName,
        ProfileRegion = environment.ProfileRegion,
        ProfileOutput = environment.ProfileOutput,
        Sync = ExportedSync.Of(environment.Sync),
        Profiles = environment.Profiles.Select(row => ExportedRow.Of(row, environment)).ToArray(),
    };

    private SsoEnvironment At(string path) => new()
    {
        Name = Name,
        StartUrl = StartUrl,
        Region = Region,
        DefaultRoleName = DefaultRoleName,
        ProfileRegion = ProfileRegion,
        ProfileOutput = ProfileOutput,
        Sync = Sync?.ToSettings(),
        Profiles = (Profiles ?? []).OfType<ExportedRow>().Select(row => row.ToRow()).ToArray(),
        Source = path,
    };

    /// <summary>A row; role, region and output format only where they are not the default.</summary>
    [DataContract]
    internal sealed class ExportedRow
    {
        [DataMember(Order = 1, IsRequired = true)]
        internal string Profile { get; private set; } = "";

        [DataMember(Order = 2, IsRequired = true)]
        internal string AccountId { get; private set; } = "";

        [DataMember(Order = 3, EmitDefaultValue = false)]
        internal string? RoleName { get; private set; }

        [DataMember(Order = 4, EmitDefaultValue = false)]
        internal string? ProfileRegion { get; private set; }

        [DataMember(Order = 5, EmitDefaultValue = false)]
        internal string? ProfileOutput { get; private set; }

        internal static ExportedRow Of(SsoAccountRow row, SsoEnvironment environment) => new()
        {
            Profile = row.Profile,
            AccountId = row.AccountId,
            RoleName = row.RoleName.UnlessEqual(environment.DefaultRoleName),
            ProfileRegion = row.ProfileRegion.UnlessEqual(environment.ProfileRegion),
            ProfileOutput = row.ProfileOutput.UnlessEqual(environment.ProfileOutput),
        };

        internal SsoAccountRow ToRow() => new()
        {
            Profile = Profile,
            AccountId = AccountId,
            RoleName = RoleName,
            ProfileRegion = ProfileRegion,
            ProfileOutput = ProfileOutput,
        };
    }
}

/// <summary>Values that an export leaves out.</summary>
internal static class ExportedValue
{
    /// <summary>The value; null where it is the default.</summary>
    internal static string? UnlessEqual(this string? value, string? byDefault) => value == byDefault ? null : value;
}
