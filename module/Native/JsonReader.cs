using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace AwsSso.Native;

/// <summary>
/// Reads the events of the boundary. .NET's own serializer finds the members by reflection, which takes 13 ms of a new PowerShell.
/// </summary>
internal sealed class JsonReader
{
    private readonly string text;
    private int place;

    internal JsonReader(byte[] text) => this.text = Encoding.UTF8.GetString(text);

    /// <summary>Begins an object.</summary>
    internal void Open() => Expect('{');

    /// <summary>The next member that is not null, whose value comes next; null at the end of the object.</summary>
    internal string? Next()
    {
        while (true)
        {
            if (IsNext('}'))
            {
                return null;
            }

            IsNext(',');
            var name = Text();
            Expect(':');
            if (!IsNextWord("null"))
            {
                return name;
            }
        }
    }

    /// <summary>Checks that all members that an object needs were there: one bit for each.</summary>
    internal static void Require(int seen, int needed)
    {
        if ((seen & needed) != needed)
        {
            throw new FormatException("A member is missing.");
        }
    }

    /// <summary>Checks that nothing follows.</summary>
    internal void End()
    {
        SkipSpace();
        if (place != text.Length)
        {
            throw Fault();
        }
    }

    /// <summary>Reads a string.</summary>
    internal string Text()
    {
        Expect('"');
        var end = text.IndexOfAny(['"', '\\'], place);
        if (end < 0)
        {
            throw Fault();
        }

        if (text[end] == '"')
        {
            var plain = text.Substring(place, end - place);
            place = end + 1;
            return plain;
        }

        var value = new StringBuilder();
        while (Take() is var c and not '"')
        {
            value.Append(c == '\\' ? Escaped() : c);
        }

        return value.ToString();
    }

    /// <summary>Reads true or false.</summary>
    internal bool Flag() => IsNextWord("true") || (IsNextWord("false") ? false : throw Fault());

    /// <summary>Reads a whole number.</summary>
    internal long Number()
    {
        SkipSpace();
        var start = place;
        while (place < text.Length && text[place] is '-' or >= '0' and <= '9')
        {
            place++;
        }

        var digits = text.Substring(start, place - start);
        return long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Fault();
    }

    /// <summary>Reads a list.</summary>
    internal T[] List<T>(Func<JsonReader, T> read)
    {
        var list = new List<T>();
        Expect('[');
        while (!IsNext(']'))
        {
            IsNext(',');
            list.Add(read(this));
        }

        return list.ToArray();
    }

    /// <summary>Reads a list of strings.</summary>
    internal string[] Texts() => List(json => json.Text());

    /// <summary>Passes over a value of a member that a newer library has.</summary>
    internal void Skip()
    {
        var depth = 0;
        do
        {
            SkipSpace();
            if (place == text.Length)
            {
                throw Fault();
            }

            if (text[place] == '"')
            {
                Text();
                continue;
            }

            var c = Take();
            depth += c is '{' or '[' ? 1 : c is '}' or ']' ? -1 : 0;
            if (depth == 0 && c is not ('}' or ']'))
            {
                while (place < text.Length && text[place] is not (',' or '}' or ']'))
                {
                    place++;
                }
            }
        }
        while (depth > 0);
    }

    private char Take() => place < text.Length ? text[place++] : throw Fault();

    private char Escaped()
    {
        switch (Take())
        {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'b': return '\b';
            case 'f': return '\f';
            case 'u' when place + 4 <= text.Length:
                place += 4;
                var digits = text.Substring(place - 4, 4);
                return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
                    ? (char)code : throw Fault();
            case var c and ('"' or '\\' or '/'): return c;
            default: throw Fault();
        }
    }

    private void Expect(char c)
    {
        if (!IsNext(c))
        {
            throw Fault();
        }
    }

    private bool IsNext(char c)
    {
        SkipSpace();
        var isNext = place < text.Length && text[place] == c;
        place += isNext ? 1 : 0;
        return isNext;
    }

    private bool IsNextWord(string word)
    {
        SkipSpace();
        var isNext = string.CompareOrdinal(text, place, word, 0, word.Length) == 0;
        place += isNext ? word.Length : 0;
        return isNext;
    }

    private void SkipSpace()
    {
        while (place < text.Length && text[place] is ' ' or '\n' or '\r' or '\t')
        {
            place++;
        }
    }

    /// <summary>A text that is no JSON. It is not quoted: it may have a secret.</summary>
    private static FormatException Fault() => new("The text is not JSON.");
}
