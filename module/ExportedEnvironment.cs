using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;

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

    [DataMember(Order = 5)]
    internal ExportedRow[]? Account { get; private set; }

    /// <summary>Reads a file with one environment or a list of them.</summary>
    internal static List<SsoEnvironment> Read(string path)
    {
        try
        {
            var text = File.ReadAllText(path).TrimStart();
            var json = text.StartsWith("[", StringComparison.Ordinal) ? text : $"[{text}]";
            using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json), writable: false);
            var found = (ExportedEnvironment[]?)new DataContractJsonSerializer(typeof(ExportedEnvironment[])).ReadObject(stream) ?? [];
            return [.. found.Select(environment => environment.At(path))];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw SsoErrors.ReadFailed(path, fault);
        }
        catch (Exception fault) when (fault is SerializationException or FormatException or ArgumentException or InvalidCastException or System.Xml.XmlException)
        {
            throw SsoErrors.NotExported(path, fault);
        }
    }

    /// <summary>Writes environments as JSON, one member on a line, so that a change of it reads well.</summary>
    internal static string Json(IEnumerable<SsoEnvironment> environments)
    {
        using var stream = new MemoryStream();
        using (var writer = JsonReaderWriterFactory.CreateJsonWriter(stream, Encoding.UTF8, ownsStream: false, indent: true, indentChars: "  "))
        {
            new DataContractJsonSerializer(typeof(ExportedEnvironment[])).WriteObject(writer, environments.Select(Of).ToArray());
        }

        // The writer escapes a slash, which JSON allows and nobody wants to read.
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
            foreach (var row in environment.Account)
            {
                Section($"environment {environment.Name} profile {row.Profile}");
                Line("sso_account_id", row.AccountId);
                Line("sso_role_name", row.RoleName == environment.DefaultRoleName ? null : row.RoleName);
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
        Account = environment.Account.Select(row => ExportedRow.Of(row, environment.DefaultRoleName)).ToArray(),
    };

    private SsoEnvironment At(string path) =>
        new(Name, StartUrl, Region, DefaultRoleName, (Account ?? []).Select(row => new SsoAccountRow(row.Profile, row.AccountId, row.RoleName)).ToArray(), path);

    /// <summary>A row; the role only where it is not the default.</summary>
    [DataContract]
    internal sealed class ExportedRow
    {
        [DataMember(Order = 1, IsRequired = true)]
        internal string Profile { get; private set; } = "";

        [DataMember(Order = 2, IsRequired = true)]
        internal string AccountId { get; private set; } = "";

        [DataMember(Order = 3, EmitDefaultValue = false)]
        internal string? RoleName { get; private set; }

        internal static ExportedRow Of(SsoAccountRow row, string? defaultRoleName) =>
            new() { Profile = row.Profile, AccountId = row.AccountId, RoleName = row.RoleName == defaultRoleName ? null : row.RoleName };
    }
}
