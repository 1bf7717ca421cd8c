using System;
using System.Runtime.Serialization;
using AwsSso.Native;

namespace AwsSso;

/// <summary>How the keys of one profile stand in the credentials file; no key is in it.</summary>
[DataContract]
public sealed class SsoCredential
{
    private SsoCredential()
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

    /// <summary><c>Valid</c>, <c>Due</c> (an update would fetch it), <c>Expired</c>, <c>Missing</c>, or <c>CredentialProcess</c> (AWS tools call this module for them).</summary>
    [DataMember(Name = "state", IsRequired = true)]
    public string State { get; private set; } = "";

    /// <summary>Why an update would fetch it; null where it would not, or where the profile is missing.</summary>
    [DataMember(Name = "reason")]
    public string? Reason { get; private set; }

    /// <summary>When the keys in the credentials file end, in local time; null where there are none.</summary>
    public DateTime? Expiration { get; private set; }

    /// <summary>What was left of the keys when this was read, at least nothing; null where there are none.</summary>
    public TimeSpan? Remaining { get; private set; }

    [DataMember(Name = "expiration")]
    private string? ExpirationText
    {
        get => Timestamp.Write(Expiration);
        set
        {
            Expiration = Timestamp.Read(value);
            Remaining = Expiration is { } end ? SsoTime.Left(end) : null;
        }
    }

    /// <summary>The profile that the keys are for.</summary>
    internal SsoProfile AsProfile() => new(Environment, ProfileName, AccountId, RoleName);

    /// <summary>Gives the profile's name.</summary>
    /// <returns>The profile's name.</returns>
    public override string ToString() => ProfileName;
}
