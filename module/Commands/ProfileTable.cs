using System.Collections.Generic;
using System.Linq;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What is wanted of the table of one environment: the roles that are to have a profile, and how those are named.</summary>
internal sealed class ProfileTable(string environment, IEnumerable<SsoRole> roles)
{
    private readonly SsoRole[] roles = roles.ToArray();

    /// <summary>The template of the profiles' names; null means that of the environment, and empty the usual one.</summary>
    internal string? NameTemplate { get; set; }

    /// <summary>Text before each name; null means that of the environment.</summary>
    internal string? Prefix { get; set; }

    /// <summary>The region that AWS tools use with the profiles; null means that of the environment.</summary>
    internal string? Region { get; set; }

    /// <summary>The output format of the AWS CLI with the profiles; null means that of the environment.</summary>
    internal string? Output { get; set; }

    /// <summary>The question what would be added.</summary>
    internal AddProfileWork Check() => Work(roles, checkOnly: true);

    /// <summary>Adds profiles that <see cref="Check"/> has given, under the names that it gave them.</summary>
    internal AddProfileWork Add(IEnumerable<SsoProfile> profiles)
    {
        var agreed = profiles.Select(profile => new SsoRole
        {
            Environment = environment,
            AccountId = profile.AccountId,
            RoleName = profile.RoleName,
            ProfileName = profile.ProfileName,
        });
        return Work([.. agreed], checkOnly: false);
    }

    private AddProfileWork Work(SsoRole[] wanted, bool checkOnly) => new()
    {
        Environment = environment,
        Roles = wanted,
        NameTemplate = NameTemplate,
        Prefix = Prefix,
        ProfileRegion = Region,
        ProfileOutput = Output,
        CheckOnly = checkOnly,
    };
}
