using System.Collections.Generic;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>Which profiles are piped, and which piped objects have no profile.</summary>
internal sealed class PipedMatch
{
    private readonly IReadOnlyList<PipedTarget> piped;
    private readonly HashSet<PipedTarget> met = [];

    internal PipedMatch(IReadOnlyList<PipedTarget> piped, SsoProfile[] profiles)
    {
        this.piped = piped;

        // Most targets are pairs of two names, and there can be thousands of them.
        var pairs = piped.Where(target => target.IsPair).ToLookup(target => target.Key);
        var others = piped.Where(target => !target.IsPair).ToArray();
        IsPiped = profiles.Select(profile =>
        {
            var matching = pairs[PipedTarget.Of(profile).Key].Concat(others.Where(target => target.Matches(profile))).ToArray();
            met.UnionWith(matching);
            return matching.Length > 0;
        }).ToArray();
    }

    /// <summary>For each profile whether it is piped.</summary>
    internal bool[] IsPiped { get; }

    /// <summary>What was piped for a profile, account or role of these environments, and has no profile there.</summary>
    internal IEnumerable<PipedTarget> Missing(HashSet<string> environments) => piped
        .Where(target => !target.IsWhole && !met.Contains(target))
        .Where(target => target.Environment is null || environments.Contains(target.Environment.Literal));
}
