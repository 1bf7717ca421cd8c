using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace AwsSso.Native;

/// <summary>What can write its members as JSON.</summary>
internal interface IJson
{
    /// <summary>Writes the members.</summary>
    void Write(JsonWriter json);
}

/// <summary>
/// Writes the requests of the boundary. .NET's own serializer finds the members by reflection, which takes 20 ms of a new PowerShell.
/// </summary>
internal sealed class JsonWriter
{
    private readonly StringBuilder text = new();

    /// <summary>Writes an object as UTF-8 text.</summary>
    internal static byte[] Write(IJson value)
    {
        var json = new JsonWriter();
        json.Add(value);
        return Encoding.UTF8.GetBytes(json.text.ToString());
    }

    /// <summary>Writes a member; null counts as absent.</summary>
    internal void Member(string name, string? value)
    {
        if (value is not null)
        {
            Name(name);
            Quote(value);
        }
    }

    /// <summary>Writes a member; null counts as absent.</summary>
    internal void Member(string name, bool? value)
    {
        if (value is { } flag)
        {
            Name(name);
            text.Append(flag ? "true" : "false");
        }
    }

    /// <summary>Writes a member; null counts as absent.</summary>
    internal void Member(string name, long? value)
    {
        if (value is { } number)
        {
            Name(name);
            text.Append(number.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Writes a member; null counts as absent.</summary>
    internal void Member(string name, IJson? value)
    {
        if (value is not null)
        {
            Name(name);
            Add(value);
        }
    }

    /// <summary>Writes a member; null counts as absent.</summary>
    internal void Member(string name, IJson[]? values) => List(name, values, Add);

    /// <summary>Writes a member; null counts as absent.</summary>
    internal void Member(string name, string[]? values) => List(name, values, Quote);

    /// <summary>Writes a member.</summary>
    internal void Member(string name, Dictionary<string, string> values)
    {
        Name(name);
        text.Append('{');
        foreach (var pair in values)
        {
            Name(pair.Key);
            Quote(pair.Value);
        }

        text.Append('}');
    }

    private void List<T>(string name, T[]? values, Action<T> add)
    {
        if (values is null)
        {
            return;
        }

        Name(name);
        text.Append('[');
        foreach (var value in values)
        {
            Separate('[');
            add(value);
        }

        text.Append(']');
    }

    private void Add(IJson value)
    {
        text.Append('{');
        value.Write(this);
        text.Append('}');
    }

    private void Name(string name)
    {
        Separate('{');
        Quote(name);
        text.Append(':');
    }

    /// <summary>Writes a comma, unless this is the first in an object or a list.</summary>
    private void Separate(char start)
    {
        if (text[text.Length - 1] != start)
        {
            text.Append(',');
        }
    }

    private void Quote(string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            if (c is '"' or '\\')
            {
                text.Append('\\').Append(c);
            }
            else if (c < ' ' || char.IsSurrogate(c))
            {
                // Half of a character stays visible to the library, which refuses it.
                text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            }
            else
            {
                text.Append(c);
            }
        }

        text.Append('"');
    }
}
