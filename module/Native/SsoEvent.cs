using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Xml;

namespace AwsSso.Native;

/// <summary>
/// What the library tells of a run. The member that is not null is the event; where all are null it is one that a newer library
/// knows, and of no concern here. The members are those of <c>Event</c> in native/core/src/protocol.rs.
/// </summary>
[DataContract]
internal sealed class SsoEvent
{
    private static readonly Lazy<DataContractJsonSerializer> Reader = new(() => new DataContractJsonSerializer(typeof(SsoEvent)));

    [DataMember(Name = "planned")]
    internal PlannedEvent? Planned { get; private set; }

    [DataMember(Name = "verification")]
    internal VerificationEvent? Verification { get; private set; }

    [DataMember(Name = "waiting")]
    internal WaitingEvent? Waiting { get; private set; }

    [DataMember(Name = "progress")]
    internal ProgressEvent? Progress { get; private set; }

    [DataMember(Name = "note")]
    internal NoteEvent? Note { get; private set; }

    [DataMember(Name = "profile")]
    internal SsoProfileResult? Profile { get; private set; }

    [DataMember(Name = "failed")]
    internal FailedEvent? Failed { get; private set; }

    [DataMember(Name = "completed")]
    internal CompletedEvent? Completed { get; private set; }

    [DataMember(Name = "environment")]
    internal SsoEnvironment? Environment { get; private set; }

    [DataMember(Name = "session")]
    internal SsoSession? Session { get; private set; }

    [DataMember(Name = "credential")]
    internal SsoCredential? Credential { get; private set; }

    [DataMember(Name = "token")]
    internal TokenEvent? Token { get; private set; }

    [DataMember(Name = "account")]
    internal SsoAccount? Account { get; private set; }

    [DataMember(Name = "role")]
    internal SsoRole? Role { get; private set; }

    [DataMember(Name = "added")]
    internal SsoProfile? Added { get; private set; }

    [DataMember(Name = "removed")]
    internal RemovedEvent? Removed { get; private set; }

    [DataMember(Name = "keys")]
    internal KeysEvent? Keys { get; private set; }

    [DataMember(Name = "console")]
    internal ConsoleEvent? Console { get; private set; }

    /// <summary>Reads an event from its JSON text.</summary>
    internal static SsoEvent Read(byte[] text)
    {
        try
        {
            using var stream = new MemoryStream(text, writable: false);
            return (SsoEvent?)Reader.Value.ReadObject(stream) ?? throw new SerializationException("The event is null.");
        }
        catch (Exception fault) when (fault is SerializationException or XmlException or FormatException or ArgumentException or InvalidCastException)
        {
            // The text is not quoted: no message may ever carry what a fault put into it.
            throw SsoErrors.BadEvent(fault);
        }
    }
}

[DataContract]
internal sealed class PlannedEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "profiles", IsRequired = true)]
    internal PlannedProfile[] Profiles { get; private set; } = [];

    /// <summary>The same environment with some of its profiles.</summary>
    internal PlannedEvent With(IEnumerable<PlannedProfile> profiles) => new() { Environment = Environment, Profiles = profiles.ToArray() };
}

[DataContract]
internal sealed class PlannedProfile
{
    [DataMember(Name = "profile_name", IsRequired = true)]
    internal string ProfileName { get; private set; } = "";

    [DataMember(Name = "due", IsRequired = true)]
    internal bool Due { get; private set; }

    /// <summary>Why an update would leave it alone; null where it would not.</summary>
    [DataMember(Name = "obstacle")]
    internal string? Obstacle { get; private set; }
}

[DataContract]
internal sealed class VerificationEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    /// <summary>The host of the start URL: whom the user logs in to.</summary>
    [DataMember(Name = "host", IsRequired = true)]
    internal string Host { get; private set; } = "";

    [DataMember(Name = "url", IsRequired = true)]
    internal string Url { get; private set; } = "";

    /// <summary>Null where the browser comes back to this machine by itself.</summary>
    [DataMember(Name = "user_code")]
    internal string? UserCode { get; private set; }

    internal DateTime? Expires { get; private set; }

    [DataMember(Name = "browser_opened", IsRequired = true)]
    internal bool BrowserOpened { get; private set; }

    /// <summary>The lines of a QR code, for white text on a black ground; null where there is none.</summary>
    [DataMember(Name = "qr_code")]
    internal string[]? QrCode { get; private set; }

    [DataMember(Name = "expires", IsRequired = true)]
    private string? ExpiresText
    {
        get => Timestamp.Write(Expires);
        set => Expires = Timestamp.Read(value);
    }
}

[DataContract]
internal sealed class WaitingEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "text", IsRequired = true)]
    internal string Text { get; private set; } = "";

    [DataMember(Name = "seconds_left")]
    internal long? SecondsLeft { get; private set; }
}

[DataContract]
internal sealed class ProgressEvent
{
    [DataMember(Name = "done", IsRequired = true)]
    internal long Done { get; private set; }

    [DataMember(Name = "total", IsRequired = true)]
    internal long Total { get; private set; }

    /// <summary>What is done, as a title.</summary>
    [DataMember(Name = "activity", IsRequired = true)]
    internal string Activity { get; private set; } = "";

    /// <summary>The profile or account that was answered last.</summary>
    [DataMember(Name = "name")]
    internal string? Name { get; private set; }
}

[DataContract]
internal sealed class NoteEvent
{
    [DataMember(Name = "level", IsRequired = true)]
    internal string Level { get; private set; } = "";

    [DataMember(Name = "text", IsRequired = true)]
    internal string Text { get; private set; } = "";

    internal bool IsWarning => Level == "warning";
}

[DataContract]
internal sealed class FailedEvent
{
    [DataMember(Name = "code", IsRequired = true)]
    internal string Code { get; private set; } = "";

    [DataMember(Name = "message", IsRequired = true)]
    internal string Message { get; private set; } = "";

    [DataMember(Name = "action")]
    internal string? Action { get; private set; }

    [DataMember(Name = "target")]
    internal string? Target { get; private set; }

    [DataMember(Name = "request_id")]
    internal string? RequestId { get; private set; }

    [DataMember(Name = "terminating", IsRequired = true)]
    internal bool Terminating { get; private set; }
}

[DataContract]
internal sealed class CompletedEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "profile_names", IsRequired = true)]
    internal string[] ProfileNames { get; private set; } = [];

    [DataMember(Name = "refreshed", IsRequired = true)]
    internal long Refreshed { get; private set; }

    [DataMember(Name = "still_valid", IsRequired = true)]
    internal long StillValid { get; private set; }

    [DataMember(Name = "failed", IsRequired = true)]
    internal long Failed { get; private set; }

    internal DateTime? SessionExpires { get; private set; }

    internal DateTime? CredentialsExpire { get; private set; }

    [DataMember(Name = "cancelled", IsRequired = true)]
    internal bool Cancelled { get; private set; }

    [DataMember(Name = "session_expires")]
    private string? SessionExpiresText
    {
        get => Timestamp.Write(SessionExpires);
        set => SessionExpires = Timestamp.Read(value);
    }

    [DataMember(Name = "credentials_expire")]
    private string? CredentialsExpireText
    {
        get => Timestamp.Write(CredentialsExpire);
        set => CredentialsExpire = Timestamp.Read(value);
    }
}

/// <summary>The one event with a secret, which only -ExposeToken asks for.</summary>
[DataContract]
internal sealed class TokenEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "access_token", IsRequired = true)]
    internal string AccessToken { get; private set; } = "";

    /// <summary>In seconds.</summary>
    [DataMember(Name = "expires_in", IsRequired = true)]
    internal long ExpiresIn { get; private set; }

    /// <summary>Gives no secret.</summary>
    /// <returns>What every type with a secret prints.</returns>
    public override string ToString() => "** redacted **";
}

[DataContract]
internal sealed class KeysEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "profile_name", IsRequired = true)]
    internal string ProfileName { get; private set; } = "";

    [DataMember(Name = "account_id", IsRequired = true)]
    internal string AccountId { get; private set; } = "";

    [DataMember(Name = "access_key_id", IsRequired = true)]
    internal string AccessKeyId { get; private set; } = "";

    [DataMember(Name = "secret_access_key", IsRequired = true)]
    internal string SecretAccessKey { get; private set; } = "";

    [DataMember(Name = "session_token", IsRequired = true)]
    internal string SessionToken { get; private set; } = "";

    /// <summary>RFC 3339, as AWS tools read it.</summary>
    [DataMember(Name = "expiration", IsRequired = true)]
    internal string Expiration { get; private set; } = "";

    /// <summary>Gives no secret.</summary>
    /// <returns>What every type with a secret prints.</returns>
    public override string ToString() => "** redacted **";
}

/// <summary>A profile whose keys were taken out of the credentials file, or would be.</summary>
[DataContract]
internal sealed class RemovedEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "profile_name", IsRequired = true)]
    internal string ProfileName { get; private set; } = "";
}

[DataContract]
internal sealed class ConsoleEvent
{
    [DataMember(Name = "environment", IsRequired = true)]
    internal string Environment { get; private set; } = "";

    [DataMember(Name = "profile_name", IsRequired = true)]
    internal string ProfileName { get; private set; } = "";

    [DataMember(Name = "url", IsRequired = true)]
    internal string Url { get; private set; } = "";

    [DataMember(Name = "browser_opened", IsRequired = true)]
    internal bool BrowserOpened { get; private set; }
}

/// <summary>Times are RFC 3339 in the text and local time for the user; the serializer itself knows only a format of Microsoft's.</summary>
internal static class Timestamp
{
    internal static DateTime? Read(string? text) =>
        text is null ? null : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).LocalDateTime;

    internal static string? Write(DateTime? time) => time?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>The serializer reads enums as numbers only, and the text has words.</summary>
internal static class Word
{
    internal static T Read<T>(string word)
        where T : struct, Enum =>
        Enum.TryParse<T>(word, out var value) ? value : throw new FormatException($"An unknown {typeof(T).Name}.");
}
