namespace AwsSso;

/// <content>What follows from the other members.</content>
public sealed partial class SsoExportedProfile
{
    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;

    /// <summary>Whether nothing is to be done.</summary>
    internal bool IsUnchanged => Status == SsoExportStatus.Unchanged && !CredentialsRemoved;

    /// <summary>What is done, in words.</summary>
    internal string Action
    {
        get
        {
            const string removal = "remove its credentials from the credentials file";
            var keys = string.Join(", ", ChangedKeys);
            var change = Status switch
            {
                SsoExportStatus.Added => "Add to the AWS config file",
                SsoExportStatus.Removed => "Remove from the AWS config file",
                SsoExportStatus.Changed => $"Change {keys} in the AWS config file",
                _ => "",
            };
            return !CredentialsRemoved ? change
                : change.Length > 0 ? $"{change} and {removal}"
                : "Remove the credentials from the credentials file";
        }
    }
}
