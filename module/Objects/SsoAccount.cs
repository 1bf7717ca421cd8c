using System.Runtime.Serialization;

namespace AwsSso;

/// <summary>An account in which the user has a role.</summary>
[DataContract]
public sealed class SsoAccount
{
    private SsoAccount()
    {
    }

    internal SsoAccount(string environment, string accountId, string? accountName, string? emailAddress)
    {
        Environment = environment;
        AccountId = accountId;
        AccountName = accountName;
        EmailAddress = emailAddress;
    }

    /// <summary>The environment's name.</summary>
    [DataMember(Name = "environment", IsRequired = true)]
    public string Environment { get; private set; } = "";

    /// <summary>The account's id, 12 digits.</summary>
    [DataMember(Name = "account_id", IsRequired = true)]
    public string AccountId { get; private set; } = "";

    /// <summary>The account's name; null where it has none.</summary>
    [DataMember(Name = "account_name", EmitDefaultValue = false)]
    public string? AccountName { get; private set; }

    /// <summary>The mail address of the account's root user; null where the service tells none.</summary>
    [DataMember(Name = "email_address", EmitDefaultValue = false)]
    public string? EmailAddress { get; private set; }

    /// <summary>Gives the name, or the id where there is none.</summary>
    /// <returns>The name or the id.</returns>
    public override string ToString() => AccountName ?? AccountId;
}

/// <summary>A role that the user has in an account.</summary>
[DataContract]
public sealed class SsoRole
{
    private SsoRole()
    {
    }

    /// <summary>The environment's name.</summary>
    [DataMember(Name = "environment", IsRequired = true)]
    public string Environment { get; private set; } = "";

    /// <summary>The account's id, 12 digits.</summary>
    [DataMember(Name = "account_id", IsRequired = true)]
    public string AccountId { get; private set; } = "";

    /// <summary>The account's name; null where it has none.</summary>
    [DataMember(Name = "account_name")]
    public string? AccountName { get; private set; }

    /// <summary>The mail address of the account's root user; null where the service tells none.</summary>
    [DataMember(Name = "email_address")]
    public string? EmailAddress { get; private set; }

    /// <summary>The permission set role.</summary>
    [DataMember(Name = "role_name", IsRequired = true)]
    public string RoleName { get; private set; } = "";

    /// <summary>Gives the role's name.</summary>
    /// <returns>The role's name.</returns>
    public override string ToString() => RoleName;
}
