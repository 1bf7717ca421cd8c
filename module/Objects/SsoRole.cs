namespace AwsSso;

/// <content>Its text.</content>
public sealed partial class SsoRole
{
    /// <summary>Gives the role's name.</summary>
    /// <returns>The role's name.</returns>
    public override string ToString() => RoleName;
}
