using System;

namespace AwsSso;

/// <content>What follows from the other members.</content>
public sealed partial class SsoCredential
{
    /// <summary>The time that was left when this was read, at least zero; null where there are no keys.</summary>
    public TimeSpan? Remaining { get; private set; }

    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;

    /// <summary>The profile that the keys are for.</summary>
    internal SsoProfile AsProfile() => new()
    {
        Environment = Environment,
        ProfileName = ProfileName,
        AccountId = AccountId,
        RoleName = RoleName,
    };

    partial void OnRead() => Remaining = Expiration is { } end ? SsoTime.Left(end) : null;
}
