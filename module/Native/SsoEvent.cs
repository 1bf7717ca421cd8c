using System;
using System.Globalization;

namespace AwsSso.Native;

/// <content>
/// Reads events. The member that is not null is the event; an event of a newer library leaves all of them null, and is ignored.
/// </content>
internal sealed partial class SsoEvent
{
    /// <summary>Reads an event from its JSON text.</summary>
    internal static SsoEvent Read(byte[] text)
    {
        try
        {
            var json = new JsonReader(text);
            var read = Read(json);
            json.End();
            return read;
        }
        catch (Exception fault) when (fault is FormatException or OverflowException or ArgumentException)
        {
            // The text is not quoted: no message may ever carry what a fault put into it.
            throw SsoErrors.BadEvent(fault);
        }
    }
}

/// <summary>Times are RFC 3339 in the text and local time for the user; the serializer itself knows only a format of Microsoft's.</summary>
internal static class Timestamp
{
    internal static DateTime? Read(string? text) =>
        text is null ? null
            : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.LocalDateTime
            : throw new FormatException("A time cannot be read.");

    internal static string? Write(DateTime? time) =>
        time?.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

/// <summary>The serializer reads enums as numbers only, and the text has words.</summary>
internal static class Word
{
    internal static T Read<T>(string word)
        where T : struct, Enum =>
        Enum.TryParse<T>(word, out var value) ? value : throw new FormatException($"An unknown {typeof(T).Name}.");
}
