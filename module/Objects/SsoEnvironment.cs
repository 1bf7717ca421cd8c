using System.Collections.Generic;
using System.Linq;

namespace AwsSso;

/// <content>What follows from the other members.</content>
public sealed partial class SsoEnvironment
{
    /// <summary>Gives the name.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;

    /// <summary>Its profiles, each with the environment that it belongs to.</summary>
    internal IEnumerable<SsoProfile> AsProfiles() => Profiles.Select(row => new SsoProfile
    {
        Environment = Name,
        ProfileName = row.Profile,
        AccountId = row.AccountId,
        RoleName = row.RoleName ?? DefaultRoleName ?? "",
        ProfileRegion = row.ProfileRegion ?? ProfileRegion,
        ProfileOutput = row.ProfileOutput ?? ProfileOutput,
        IsServed = CredentialsFile == SsoCredentialsFileUse.Never,
    });
}
