using System;
using System.Linq;
using System.Text;

namespace AwsSso;

/// <summary>
/// Which encoding the text of a file has: Notepad, Excel and Windows PowerShell write more than UTF-8. The library has the same rules for
/// the files that it reads.
/// </summary>
internal static class TextEncoding
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Decodes a text without replacing any character.</summary>
    /// <param name="bytes">The bytes of the file.</param>
    /// <returns>The text without a byte order mark, or null and what the file is, as the end of a sentence.</returns>
    internal static (string? Text, string? Fault) Decode(byte[] bytes)
    {
        if (StartsWith(bytes, 0xFF, 0xFE, 0, 0) || StartsWith(bytes, 0, 0, 0xFE, 0xFF))
        {
            return (null, "UTF-32 text");
        }

        if (StartsWith(bytes, 0xFF, 0xFE) || StartsWith(bytes, 0xFE, 0xFF))
        {
            return DecodeUtf16(bytes, isBigEndian: bytes[0] == 0xFE);
        }

        if (Array.IndexOf(bytes, (byte)0) >= 0)
        {
            return (null, "UTF-16 text without a byte order mark, or no text");
        }

        var start = StartsWith(bytes, 0xEF, 0xBB, 0xBF) ? 3 : 0;
        try
        {
            return (Utf8.GetString(bytes, start, bytes.Length - start), null);
        }
        catch (DecoderFallbackException)
        {
            // In most cases the ANSI code page of a Windows, which differs from country to country.
            return (null, $"not UTF-8 text (line {FirstBadLine(bytes)})");
        }
    }

    private static (string? Text, string? Fault) DecodeUtf16(byte[] bytes, bool isBigEndian)
    {
        try
        {
            var encoding = new UnicodeEncoding(isBigEndian, byteOrderMark: false, throwOnInvalidBytes: true);
            var text = encoding.GetString(bytes, 2, bytes.Length - 2);
            return text.IndexOf('\0') < 0 ? (text, null) : (null, "no text");
        }
        catch (ArgumentException)
        {
            // Half of a character.
            return (null, "damaged UTF-16 text");
        }
    }

    /// <summary>The first line that is not UTF-8, counted from 1. No byte of a longer character is a line end.</summary>
    private static int FirstBadLine(byte[] bytes)
    {
        var (line, start) = (1, 0);
        for (var at = 0; at < bytes.Length; at++)
        {
            var isEnd = bytes[at] == '\n' || (bytes[at] == '\r' && (at + 1 == bytes.Length || bytes[at + 1] != '\n'));
            if (!isEnd)
            {
                continue;
            }

            if (!IsUtf8(bytes, start, at - start))
            {
                return line;
            }

            line++;
            start = at + 1;
        }

        return line;
    }

    private static bool IsUtf8(byte[] bytes, int start, int count)
    {
        try
        {
            Utf8.GetCharCount(bytes, start, count);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static bool StartsWith(byte[] bytes, params byte[] mark) => bytes.Take(mark.Length).SequenceEqual(mark);
}
