using System;
using System.Runtime.Serialization;
using AwsSso.Native;

namespace AwsSso;

/// <summary>How one profile stands at the end of an update.</summary>
[DataContract]
public sealed class SsoProfileResult
{
    private SsoProfileResult()
    {
    }

    /// <summary>The environment's name.</summary>
    [DataMember(Name = "environment", IsRequired = true)]
    public string Environment { get; private set; } = "";

    /// <summary>The profile's name in the credentials file.</summary>
    [DataMember(Name = "profile_name", IsRequired = true)]
    public string ProfileName { get; private set; } = "";

    /// <summary>The account's id.</summary>
    [DataMember(Name = "account_id", IsRequired = true)]
    public string AccountId { get; private set; } = "";

    /// <summary>The permission set role.</summary>
    [DataMember(Name = "role_name", IsRequired = true)]
    public string RoleName { get; private set; } = "";

    /// <summary><c>Created</c>, <c>Refreshed</c>, <c>StillValid</c>, or the code of what went wrong.</summary>
    [DataMember(Name = "status", IsRequired = true)]
    public string Status { get; private set; } = "";

    /// <summary>When the keys in the credentials file end, in local time; null where there are none.</summary>
    public DateTime? Expiration { get; private set; }

    [DataMember(Name = "expiration")]
    private string? ExpirationText
    {
        get => Timestamp.Write(Expiration);
        set => Expiration = Timestamp.Read(value);
    }

    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;
}
