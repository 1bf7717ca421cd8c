using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text;

namespace AwsSso;

/// <summary>The filters of Sync-SsoProfile as a team shares them.</summary>
[DataContract]
internal sealed class ExportedSync
{
    [DataMember(Order = 1, EmitDefaultValue = false)]
    internal string?[]? Roles { get; private set; }

    [DataMember(Order = 2, EmitDefaultValue = false)]
    internal string?[]? Accounts { get; private set; }

    [DataMember(Order = 3, EmitDefaultValue = false)]
    internal string?[]? Exclude { get; private set; }

    [DataMember(Order = 4, EmitDefaultValue = false)]
    internal string? NameTemplate { get; private set; }

    [DataMember(Order = 5, EmitDefaultValue = false)]
    internal string? NamePrefix { get; private set; }

    /// <summary>The filters without those that are empty.</summary>
    internal static ExportedSync? Of(SsoSyncSettings? settings) => settings is null ? null : new()
    {
        Roles = NullIfEmpty(settings.Roles),
        Accounts = NullIfEmpty(settings.Accounts),
        Exclude = NullIfEmpty(settings.Exclude),
        NameTemplate = settings.NameTemplate,
        NamePrefix = settings.NamePrefix,
    };

    /// <summary>The keys in the form of ~/.aws/sso-environments, with null for those that are absent.</summary>
    internal static IEnumerable<(string Key, string? Value)> Lines(SsoSyncSettings? settings) => settings is null ? [] :
    [
        ("sync_roles", List(settings.Roles)),
        ("sync_accounts", List(settings.Accounts)),
        ("sync_exclude", List(settings.Exclude)),
        ("name_template", settings.NameTemplate),
        ("name_prefix", settings.NamePrefix),
    ];

    /// <summary>The filters as an object; what is null in the file counts as absent.</summary>
    internal SsoSyncSettings ToSettings() => new()
    {
        Roles = Present(Roles),
        Accounts = Present(Accounts),
        Exclude = Present(Exclude),
        NameTemplate = NameTemplate,
        NamePrefix = NamePrefix,
    };

    private static string[]? NullIfEmpty(string[] values) => values.Length > 0 ? values : null;

    private static string[] Present(string?[]? values) => [.. (values ?? []).OfType<string>()];

    private static string? List(string[] values)
    {
        if (values.Length == 0)
        {
            return null;
        }

        using var stream = new MemoryStream();
        new DataContractJsonSerializer(typeof(string[])).WriteObject(stream, values);
        return Encoding.UTF8.GetString(stream.ToArray()).Replace("\\/", "/");
    }
}
