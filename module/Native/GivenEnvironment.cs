namespace AwsSso.Native;

/// <content>What a cmdlet asks of it.</content>
internal sealed partial class GivenEnvironment
{
    /// <summary>Whether it has nothing but its name.</summary>
    internal bool IsEmpty => StartUrl is null && Region is null && DefaultRoleName is null && Accounts is null && Token is null;
}
