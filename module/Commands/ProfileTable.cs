using System.Collections.Generic;
using System.Linq;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What is wanted of the table of one environment: the roles that are to have a profile, and what those are called.</summary>
internal sealed class ProfileTable(string environment, IEnumerable<RoleToAdd> roles, string? nameTemplate, string prefix)
{
    private readonly RoleToAdd[] roles = roles.ToArray();

    /// <summary>The question what would be added.</summary>
    internal SsoWork Check() => new()
    {
        AddProfile = new AddProfileWork { Environment = environment, Roles = roles, NameTemplate = nameTemplate, Prefix = prefix, CheckOnly = true },
    };

    /// <summary>Adds profiles that <see cref="Check"/> has told, under the names that it gave them.</summary>
    internal SsoWork Add(IEnumerable<SsoProfile> profiles) => new()
    {
        AddProfile = new AddProfileWork
        {
            Environment = environment,
            Roles = profiles.Select(profile => new RoleToAdd
            {
                Environment = environment,
                AccountId = profile.AccountId,
                RoleName = profile.RoleName,
                ProfileName = profile.ProfileName,
            }).ToArray(),
            NameTemplate = nameTemplate,
            Prefix = prefix,
        },
    };
}
