using System;
using System.Runtime.Serialization;
using AwsSso.Native;

namespace AwsSso;

/// <summary>How the session of one environment stands; no token is in it.</summary>
[DataContract]
public sealed class SsoSession
{
    private SsoSession()
    {
    }

    /// <summary>The environment's name.</summary>
    [DataMember(Name = "environment", IsRequired = true)]
    public string Environment { get; private set; } = "";

    /// <summary>The access portal's start URL.</summary>
    [DataMember(Name = "start_url", IsRequired = true)]
    public string StartUrl { get; private set; } = "";

    /// <summary>The region of the Identity Center instance.</summary>
    [DataMember(Name = "region", IsRequired = true)]
    public string Region { get; private set; } = "";

    /// <summary><c>Active</c>, <c>Refreshable</c> (the token has ended, and can be renewed without a login), <c>Ended</c> or <c>None</c>.</summary>
    [DataMember(Name = "state", IsRequired = true)]
    public string State { get; private set; } = "";

    /// <summary>When the access token ends, in local time; null where there is none.</summary>
    public DateTime? TokenExpires { get; private set; }

    /// <summary>Whether the token can be renewed without a login.</summary>
    [DataMember(Name = "refreshable", IsRequired = true)]
    public bool Refreshable { get; private set; }

    /// <summary>When the client registration that the token came with ends, in local time; null where none is known.</summary>
    public DateTime? RegistrationExpires { get; private set; }

    /// <summary>Where the token is kept.</summary>
    public SsoTokenCache TokenCache { get; private set; }

    /// <summary>The token's file; null where there is none.</summary>
    [DataMember(Name = "path")]
    public string? Path { get; private set; }

    [DataMember(Name = "token_expires")]
    private string? TokenExpiresText
    {
        get => Timestamp.Write(TokenExpires);
        set => TokenExpires = Timestamp.Read(value);
    }

    [DataMember(Name = "registration_expires")]
    private string? RegistrationExpiresText
    {
        get => Timestamp.Write(RegistrationExpires);
        set => RegistrationExpires = Timestamp.Read(value);
    }

    [DataMember(Name = "token_cache", IsRequired = true)]
    private string TokenCacheWord
    {
        get => TokenCache.ToString();
        set => TokenCache = Word.Read<SsoTokenCache>(value);
    }

    /// <summary>Gives the environment's name.</summary>
    /// <returns>The environment's name.</returns>
    public override string ToString() => Environment;
}
