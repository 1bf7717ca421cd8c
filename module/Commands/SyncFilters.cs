using System.Collections.Generic;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>
/// What a synchronization looks at and how it names profiles: what the user gives, and for the rest what is stored with the environment.
/// </summary>
internal sealed class SyncFilters
{
    private SyncFilters(SsoSyncSettings settings, bool isChanged)
    {
        Settings = settings;
        IsChanged = isChanged;
    }

    /// <summary>The values that apply.</summary>
    internal SsoSyncSettings Settings { get; }

    /// <summary>Whether they are others than those that are stored.</summary>
    internal bool IsChanged { get; }

    /// <summary>The roles in order of preference; null means all of them.</summary>
    internal string[]? Roles => Settings.Roles.Length > 0 ? Settings.Roles : null;

    /// <summary>The values that apply; a parameter that is null was not given, and an empty one removes what is stored.</summary>
    internal static SyncFilters Of(
        SsoSyncSettings? stored,
        string[]? role,
        string[]? account,
        string[]? exclude,
        string? template,
        string? prefix)
    {
        var before = stored ?? new SsoSyncSettings();
        var settings = new SsoSyncSettings
        {
            Roles = Filled(role) ?? before.Roles,
            Accounts = Filled(account) ?? before.Accounts,
            Exclude = Filled(exclude) ?? before.Exclude,
            NameTemplate = template is null ? before.NameTemplate : NullIfEmpty(template),
            NamePrefix = prefix is null ? before.NamePrefix : NullIfEmpty(prefix),
        };
        return Of(stored, settings);

        static string[]? Filled(string[]? values) => values?.Where(value => !string.IsNullOrWhiteSpace(value)).ToArray();

        static string? NullIfEmpty(string value) => value.Length == 0 ? null : value;
    }

    /// <summary>These values, compared to those that are stored.</summary>
    internal static SyncFilters Of(SsoSyncSettings? stored, SsoSyncSettings settings) =>
        new(settings, Arguments(settings) != Arguments(stored ?? new SsoSyncSettings()));

    /// <summary>The values as parameters; empty where there are none.</summary>
    internal string Arguments() => Arguments(Settings);

    private static string Arguments(SsoSyncSettings settings)
    {
        var words = new List<string>();
        Add("-Role", settings.Roles);
        Add("-Account", settings.Accounts);
        Add("-Exclude", settings.Exclude);
        Add("-NameTemplate", settings.NameTemplate is { } template ? [template] : []);
        Add("-Prefix", settings.NamePrefix is { } prefix ? [prefix] : []);
        return string.Join(" ", words);

        void Add(string parameter, string[] values)
        {
            if (values.Length > 0)
            {
                words.Add($"{parameter} {string.Join(", ", values.Select(ShownText.Argument))}");
            }
        }
    }
}
