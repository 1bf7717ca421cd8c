using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using AwsSso.Native;

namespace AwsSso;

/// <summary>
/// The global variables that the published script leaves, and that its users' own scripts go by: <c>$AcmeSsoAwsAccounts</c>, the table with
/// the end of each profile's keys, and <c>$AcmeSSOTokenExpire</c>. None holds a secret but <c>$AcmeSSOToken</c>, which is left only where
/// it is asked for.
/// </summary>
internal sealed class ScriptVariables(SessionState session, bool isOfAllProfiles)
{
    /// <summary>The tables that this module created, each with whether it has all profiles; any other table is the user's.</summary>
    private static readonly ConditionalWeakTable<object, object> Made = new();

    private static readonly DateTime Epoch = new(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly Dictionary<string, List<SsoProfileResult>> results = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The name of an environment's table.</summary>
    internal static string TableName(string environment) => $"{environment}SsoAwsAccounts";

    /// <summary>The table that a user keeps for an environment; null where there is none, or only one that this module created.</summary>
    internal object[]? Table(string environment) => Value(environment) is { } table && !Made.TryGetValue(table, out _) ? Rows(table) : null;

    /// <summary>Whether the variable of an environment is there as this module left it, with all profiles.</summary>
    internal bool AreLeft(string environment) => Value(environment) is { } table && Made.TryGetValue(table, out var whole) && (bool)whole;

    /// <summary>Records the result of a profile.</summary>
    internal void Add(SsoProfileResult profile)
    {
        if (!results.TryGetValue(profile.Environment, out var profiles))
        {
            results[profile.Environment] = profiles = [];
        }

        profiles.Add(profile);
    }

    /// <summary>Leaves the variables of an environment as the script does.</summary>
    internal void Leave(CompletedEvent completed)
    {
        if (results.TryGetValue(completed.Environment, out var profiles))
        {
            if (Table(completed.Environment) is { } own)
            {
                // The user's own table stays the very object that it is, with its rows brought up to date.
                foreach (var row in own)
                {
                    var name = SsoAccountTable.Text(Field(row, "Profile"));
                    if (profiles.Find(profile => profile.ProfileName == name) is { Expiration: { } end })
                    {
                        SetExpiration(row, Milliseconds(end));
                    }
                }
            }
            else if (Value(completed.Environment) is var table && (table is null || Made.TryGetValue(table, out _)))
            {
                var before = table is null || isOfAllProfiles ? [] : Rows(table) ?? [];
                var made = Merged(before, profiles);
                Made.Add(made, isOfAllProfiles || AreLeft(completed.Environment));
                session.PSVariable.Set($"global:{TableName(completed.Environment)}", made);
            }
        }

        if (completed.SessionExpires is { } sessionEnd)
        {
            session.PSVariable.Set($"global:{completed.Environment}SSOTokenExpire", sessionEnd);
        }
    }

    /// <summary>The token that the script, or a run with -ExposeToken, has left for an environment, while it is good.</summary>
    internal GivenToken? Token(string environment)
    {
        var token = session.PSVariable.GetValue($"global:{environment}SSOToken");
        var end = session.PSVariable.GetValue($"global:{environment}SSOTokenExpire");
        return token is not null
            && PSObject.AsPSObject(token).Properties["AccessToken"]?.Value is string { Length: > 0 } text
            && (end is PSObject wrapped ? wrapped.BaseObject : end) is DateTime time
            && time.ToUniversalTime() > DateTime.UtcNow
            ? new GivenToken { AccessToken = text, ExpiresAt = Milliseconds(time) / 1000 }
            : null;
    }

    /// <summary>Leaves the token as the script does; it is a secret, so only where the user asked for it.</summary>
    internal void Leave(TokenEvent token)
    {
        var left = new PSObject();
        left.Properties.Add(new PSNoteProperty("AccessToken", token.AccessToken));
        left.Properties.Add(new PSNoteProperty("ExpiresIn", token.ExpiresIn));
        left.Properties.Add(new PSNoteProperty("TokenType", "Bearer"));
        session.PSVariable.Set($"global:{token.Environment}SSOToken", left);
        session.PSVariable.Set($"global:{token.Environment}SSOTokenExpire", DateTime.Now.AddSeconds(token.ExpiresIn));
    }

    private object? Value(string environment)
    {
        var value = session.PSVariable.GetValue($"global:{TableName(environment)}");
        return value is PSObject wrapped ? wrapped.BaseObject : value;
    }

    /// <summary>The rows of a table; null where it is something else.</summary>
    private static object[]? Rows(object table) => table switch
    {
        IDictionary row => [row],
        string => null,
        IEnumerable rows when rows.OfType<object>().ToArray() is { Length: > 0 } all && all.All(IsRow) => all,
        _ => null,
    };

    private static bool IsRow(object row) =>
        SsoAccountTable.Fields(row).Any(field => string.Equals(field.Key, "AccountId", StringComparison.OrdinalIgnoreCase));

    private static object? Field(object row, string name) =>
        SsoAccountTable.Fields(row).FirstOrDefault(field => string.Equals(field.Key, name, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>The current rows: those of this run are new, the others are as before.</summary>
    private static object[] Merged(object[] before, List<SsoProfileResult> profiles)
    {
        var rows = profiles.ToDictionary(profile => profile.ProfileName, Row, StringComparer.Ordinal);
        var kept = before
            .OfType<Hashtable>()
            .Select(row => row["Profile"] is string name && rows.TryGetValue(name, out var now) ? now : row)
            .ToList();
        var names = new HashSet<string>(kept.Select(row => (string)row["Profile"]), StringComparer.Ordinal);
        var added = profiles.Select(profile => profile.ProfileName).Where(name => !names.Contains(name)).Select(name => rows[name]);
        return kept.Concat(added).ToArray<object>();
    }

    private static Hashtable Row(SsoProfileResult profile)
    {
        var row = new Hashtable(StringComparer.OrdinalIgnoreCase)
        {
            ["Profile"] = profile.ProfileName,
            ["AccountId"] = profile.AccountId,
            ["RoleName"] = profile.RoleName,
        };
        if (profile.Expiration is { } end)
        {
            row["CredsExpiration"] = Milliseconds(end);
        }

        return row;
    }

    private static void SetExpiration(object row, long milliseconds)
    {
        const string name = "CredsExpiration";
        var wrapped = PSObject.AsPSObject(row);
        if (wrapped.BaseObject is IDictionary { IsReadOnly: false } table)
        {
            table[name] = milliseconds;
        }
        else if (wrapped.Properties[name] is { IsSettable: true } property)
        {
            property.Value = milliseconds;
        }
        else if (wrapped.Properties[name] is null)
        {
            wrapped.Properties.Add(new PSNoteProperty(name, milliseconds));
        }
    }

    private static long Milliseconds(DateTime end) => (long)(end.ToUniversalTime() - Epoch).TotalMilliseconds;
}
