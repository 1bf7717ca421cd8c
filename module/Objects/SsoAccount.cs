namespace AwsSso;

/// <content>Its text.</content>
public sealed partial class SsoAccount
{
    /// <summary>Gives the account's name, or its id where it has no name.</summary>
    /// <returns>The name or the id.</returns>
    public override string ToString() => AccountName ?? AccountId;
}
