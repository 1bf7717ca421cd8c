namespace AwsSso;

/// <content>Its text.</content>
public sealed partial class SsoCredentialRefresh
{
    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;
}
