using System.Runtime.Serialization;

namespace AwsSso;

/// <summary>A profile in the table of an environment.</summary>
[DataContract]
public sealed class SsoProfile
{
    private SsoProfile()
    {
    }

    internal SsoProfile(string environment, string profileName, string accountId, string roleName)
    {
        Environment = environment;
        ProfileName = profileName;
        AccountId = accountId;
        RoleName = roleName;
    }

    internal SsoProfile(SsoEnvironment environment, SsoAccountRow row)
    {
        Environment = environment.Name;
        ProfileName = row.Profile;
        AccountId = row.AccountId;
        RoleName = row.RoleName ?? environment.DefaultRoleName ?? "";
    }

    /// <summary>The environment's name.</summary>
    [DataMember(Name = "environment", IsRequired = true)]
    public string Environment { get; private set; } = "";

    /// <summary>The profile's name in the credentials file; case counts.</summary>
    [DataMember(Name = "profile_name", IsRequired = true)]
    public string ProfileName { get; private set; } = "";

    /// <summary>The account's id, 12 digits.</summary>
    [DataMember(Name = "account_id", IsRequired = true)]
    public string AccountId { get; private set; } = "";

    /// <summary>The permission set role.</summary>
    [DataMember(Name = "role_name", IsRequired = true)]
    public string RoleName { get; private set; } = "";

    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;
}
