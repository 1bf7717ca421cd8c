using System;
using System.Collections.Generic;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>The profiles of a run whose roles are not assigned to the user: many of them are one error with a table.</summary>
internal sealed class RefusedRoles
{
    /// <summary>Up to this many profiles get one error each.</summary>
    private const int Few = 2;

    /// <summary>More rows than this would push everything else off the screen.</summary>
    private const int MostRows = 20;

    private readonly Dictionary<string, SsoProfileResult> profiles = new(StringComparer.Ordinal);
    private readonly List<SsoException> errors = [];

    /// <summary>Remembers a profile that failed for its role.</summary>
    internal void Add(SsoProfileResult profile)
    {
        if (profile.Status is SsoProfileStatus.RoleNotAssigned or SsoProfileStatus.AccountNotFound)
        {
            profiles[profile.ProfileName] = profile;
        }
    }

    /// <summary>Holds back the error of such a profile.</summary>
    /// <returns>Whether it is one.</returns>
    internal bool Hold(SsoException error)
    {
        var isHeld = error.Target is { } name && profiles.TryGetValue(name, out var profile) && profile.Status.ToString() == error.Code;
        if (isHeld)
        {
            errors.Add(error);
        }

        return isHeld;
    }

    /// <summary>The errors that were held back, as few as a user wants to read.</summary>
    internal IEnumerable<SsoException> Release()
    {
        var groups = errors.GroupBy(error => error.Code).ToArray();
        errors.Clear();
        foreach (var group in groups)
        {
            var same = group.ToArray();
            if (same.Length <= Few)
            {
                foreach (var error in same)
                {
                    yield return error;
                }
            }
            else
            {
                yield return SsoErrors.RolesRefused(group.Key, Table([.. same.Select(error => profiles[error.Target!])]), same);
            }
        }
    }

    /// <summary>The profiles with their accounts and roles, aligned.</summary>
    private static IEnumerable<string> Table(SsoProfileResult[] rows)
    {
        var width = rows.Max(row => row.ProfileName.Length);
        var lines = rows.Take(MostRows).Select(row => $"  {row.ProfileName.PadRight(width)}  {row.AccountId}  {row.RoleName}");
        return rows.Length > MostRows ? lines.Append($"  and {rows.Length - MostRows} more") : lines;
    }
}
