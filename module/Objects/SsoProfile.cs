namespace AwsSso;

/// <content>Its text.</content>
public sealed partial class SsoProfile
{
    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;

    /// <summary>Whether AWS tools get its keys from an endpoint, since the credentials file gets none.</summary>
    internal bool IsServed { get; set; }

    /// <summary>The profile with its role and account, as a prompt shows it.</summary>
    internal string Description => $"{ProfileName} ({RoleName} in account {AccountId})";
}
