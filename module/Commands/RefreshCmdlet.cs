using System.Collections.Generic;
using System.Linq;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets for the refresh in the background.</summary>
public abstract class RefreshCmdlet : ProfileCmdlet
{
    private protected RefreshCmdlet()
    {
    }

    /// <summary>The environments that are meant, and the profiles where these are only some.</summary>
    private protected UpdateTarget[] Targets()
    {
        var environments = Environments(storedOnly: !NamesEnvironments);
        var meant = IsPartial ? MeantProfiles(environments).ToLookup(profile => profile.Environment, profile => profile.ProfileName) : null;
        return environments
            .Select(environment => environment.Name)
            .Select(name => new UpdateTarget { Environment = name, Profiles = meant is null || IsWhole(name) ? null : [.. meant[name]] })
            .Where(target => target.Profiles is not { Length: 0 })
            .ToArray();
    }

    /// <summary>Those of the targets that the user agrees to.</summary>
    private protected UpdateTarget[] Agreed(IEnumerable<UpdateTarget> targets, string action) =>
        targets.Where(target => ShouldProcess(Text(target), action)).ToArray();

    /// <summary>What is kept fresh in the environments that are meant.</summary>
    private protected List<SsoCredentialRefresh> Rows() => Ask(
        names => new GetRefreshWork { Environments = names },
        happened => happened.Refresh,
        row => row.Environment);

    private static string Text(UpdateTarget target) =>
        target.Profiles is { } profiles ? $"{target.Environment}: {string.Join(", ", profiles)}" : target.Environment;
}
