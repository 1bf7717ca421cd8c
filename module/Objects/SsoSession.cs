namespace AwsSso;

/// <content>Its text.</content>
public sealed partial class SsoSession
{
    /// <summary>Gives the environment's name.</summary>
    /// <returns>The environment's name.</returns>
    public override string ToString() => Environment;
}
