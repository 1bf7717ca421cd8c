using System.Runtime.Serialization;
using AwsSso.Native;

namespace AwsSso;

/// <summary>Where the access token of an environment is kept between runs.</summary>
public enum SsoTokenCache
{
    /// <summary>In the AWS CLI's own cache folder, shared with it and with the SDKs.</summary>
    AwsCli,

    /// <summary>In this process only.</summary>
    Memory,
}

/// <summary>One Identity Center instance with the profiles that are kept for it.</summary>
[DataContract]
public sealed class SsoEnvironment
{
    private SsoEnvironment()
    {
    }

    internal SsoEnvironment(string name, string startUrl, string region, string? defaultRoleName, SsoAccountRow[] account, string source)
    {
        Name = name;
        StartUrl = startUrl;
        Region = region;
        DefaultRoleName = defaultRoleName;
        Account = account;
        Source = source;
    }

    /// <summary>The name, compared without case.</summary>
    [DataMember(Name = "name", IsRequired = true)]
    public string Name { get; private set; } = "";

    /// <summary>The access portal's start URL.</summary>
    [DataMember(Name = "start_url", IsRequired = true)]
    public string StartUrl { get; private set; } = "";

    /// <summary>The region of the Identity Center instance.</summary>
    [DataMember(Name = "region", IsRequired = true)]
    public string Region { get; private set; } = "";

    /// <summary>The role of every profile that names none.</summary>
    [DataMember(Name = "default_role_name")]
    public string? DefaultRoleName { get; private set; }

    /// <summary>Where the tokens of this environment are kept.</summary>
    public SsoTokenCache TokenCache { get; private set; }

    /// <summary>The file that the environment stands in.</summary>
    [DataMember(Name = "source", IsRequired = true)]
    public string Source { get; private set; } = "";

    /// <summary>The profiles, each with the role that counts.</summary>
    [DataMember(Name = "accounts", IsRequired = true)]
    public SsoAccountRow[] Account { get; private set; } = [];

    [DataMember(Name = "token_cache", IsRequired = true)]
    private string TokenCacheWord
    {
        get => TokenCache.ToString();
        set => TokenCache = Word.Read<SsoTokenCache>(value);
    }

    /// <summary>Gives the name.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;
}

/// <summary>One profile of an environment.</summary>
[DataContract]
public sealed class SsoAccountRow
{
    internal SsoAccountRow(string profile, string accountId, string? roleName)
    {
        Profile = profile;
        AccountId = accountId;
        RoleName = roleName;
    }

    /// <summary>The profile's name in the credentials file; case counts.</summary>
    [DataMember(Name = "profile", IsRequired = true)]
    public string Profile { get; private set; }

    /// <summary>The account's id, 12 digits.</summary>
    [DataMember(Name = "account_id", IsRequired = true)]
    public string AccountId { get; private set; }

    /// <summary>The permission set role.</summary>
    [DataMember(Name = "role_name", EmitDefaultValue = false)]
    public string? RoleName { get; private set; }

    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => Profile;
}
