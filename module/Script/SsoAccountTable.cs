using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;

namespace AwsSso;

/// <summary>
/// A table of accounts as users write it: hashtables or objects with Profile, AccountId and, where they differ, RoleName, ProfileRegion and
/// ProfileOutput.
/// </summary>
internal static class SsoAccountTable
{
    /// <summary>Reads the rows; other fields of a row are reported to <paramref name="note"/>.</summary>
    internal static SsoAccountRow[] Read(IEnumerable<object> table, string environment, Action<string> note) =>
        table.Select((row, index) => Read(row, index + 1, environment, note)).ToArray();

    /// <summary>The fields of a row.</summary>
    internal static IEnumerable<KeyValuePair<string, object?>> Fields(object row)
    {
        var wrapped = PSObject.AsPSObject(row);
        return wrapped.BaseObject is IDictionary table
            ? table.Cast<DictionaryEntry>().Select(entry => new KeyValuePair<string, object?>(entry.Key.ToString(), entry.Value))
            : wrapped.Properties.Select(property => new KeyValuePair<string, object?>(property.Name, property.Value));
    }

    /// <summary>
    /// A value as text, a number with its own digits; null where there is none. An account id without its leading zeros is for the library
    /// to refuse.
    /// </summary>
    internal static string? Text(object? value)
    {
        var text = (value is PSObject wrapped ? wrapped.BaseObject : value) switch
        {
            null => "",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            var other => other.ToString(),
        };
        return string.IsNullOrEmpty(text) ? null : text;
    }

    private static SsoAccountRow Read(object row, int number, string environment, Action<string> note)
    {
        string? profile = null;
        string? accountId = null;
        string? roleName = null;
        string? region = null;
        string? output = null;
        foreach (var field in Fields(row))
        {
            switch (field.Key.ToUpperInvariant())
            {
                case "PROFILE" or "PROFILENAME":
                    profile ??= Text(field.Value);
                    break;
                case "ACCOUNTID":
                    accountId ??= Text(field.Value);
                    break;
                case "ROLENAME":
                    roleName ??= Text(field.Value);
                    break;
                case "PROFILEREGION":
                    region ??= Text(field.Value);
                    break;
                case "PROFILEOUTPUT":
                    output ??= Text(field.Value);
                    break;
                case "CREDSEXPIRATION":
                    // The old script keeps the end of the credentials here; the credentials file has it now.
                    break;
                default:
                    note($"Row {number} of -Account: '{field.Key}' is not used.");
                    break;
            }
        }

        if (profile is null || accountId is null)
        {
            var missing = profile is not null ? $"(Profile '{profile}') has no AccountId"
                : accountId is not null ? "has no Profile"
                : "has no Profile and no AccountId";
            throw SsoErrors.RowInvalid(environment, number, missing);
        }

        return new SsoAccountRow
        {
            Profile = profile,
            AccountId = accountId,
            RoleName = roleName,
            ProfileRegion = region,
            ProfileOutput = output,
        };
    }
}
