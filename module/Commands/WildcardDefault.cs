using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace AwsSso.Commands;

/// <summary>
/// Tells a default of <c>$PSDefaultParameterValues</c> for many commands, such as <c>*:Region</c>, from a value that is meant for this one.
/// </summary>
internal static class WildcardDefault
{
    /// <summary>PowerShell's form of a key, with or without quotes round each part.</summary>
    private static readonly Regex Key = new(
        "^\\s*(?<q>['\"]?)(?<command>[^:]+?)\\k<q>\\s*:\\s*(?<r>['\"]?)(?<parameter>.+?)\\k<r>\\s*$",
        RegexOptions.CultureInvariant);

    /// <summary>Whether <paramref name="value"/>, which the parameter has, comes from such a default and from nowhere else.</summary>
    internal static bool IsSourceOf(object? value, string parameter, InvocationInfo invocation, object? defaults)
    {
        if (value is null || Plain(defaults) is not IDictionary { Count: > 0 } table || IsDisabled(table))
        {
            return false;
        }

        var command = new[] { invocation.MyCommand.Name, invocation.InvocationName };
        var aliases = invocation.MyCommand.Parameters.TryGetValue(parameter, out var metadata) ? metadata.Aliases : [];
        string[] names = [parameter, .. aliases];
        var candidates = table.Cast<DictionaryEntry>()
            .Select(entry => (Match: Key.Match(entry.Key?.ToString() ?? ""), Value: Plain(entry.Value)))
            .Where(entry => entry.Match.Success)
            .Where(entry => Matches(entry.Match.Groups["command"].Value, command) && Matches(entry.Match.Groups["parameter"].Value, names))
            .ToArray();

        // One for this command alone is meant for it.
        return candidates.Length > 0
            && candidates.All(entry => WildcardPattern.ContainsWildcardCharacters(entry.Match.Groups["command"].Value))
            && candidates.Any(entry =>
                IsSame(entry.Value, value) || (entry.Value is not (string or IEnumerable) && !IsWritten(names, invocation)));
    }

    private static bool IsDisabled(IDictionary table) =>
        table.Keys.Cast<object>().Any(key =>
            string.Equals(key.ToString(), "Disabled", StringComparison.OrdinalIgnoreCase) && LanguagePrimitives.IsTrue(table[key]));

    private static bool Matches(string pattern, IEnumerable<string> names)
    {
        var wildcard = new WildcardPattern(pattern, WildcardOptions.IgnoreCase);
        return names.Any(wildcard.IsMatch);
    }

    /// <summary>
    /// Whether the value is the default itself: PowerShell hands the very object on, so that equal text that was typed is another one.
    /// </summary>
    private static bool IsSame(object? standard, object value) => standard switch
    {
        null => false,
        string text => ReferenceEquals(text, value) || (value is string[] { Length: 1 } one && ReferenceEquals(text, one[0])),
        IEnumerable items => value is string[] texts && texts.SequenceEqual(Texts(items), ReferenceComparer.Instance),
        _ => false,
    };

    private static IEnumerable<string> Texts(IEnumerable items) => items.Cast<object?>().Select(item => Plain(item)?.ToString() ?? "");

    /// <summary>Whether the command line has the parameter; a value that a script block gives cannot be compared with it.</summary>
    private static bool IsWritten(string[] names, InvocationInfo invocation)
    {
        // From the command on, to the next one.
        var line = invocation.Line ?? "";
        var start = Math.Min(Math.Max(invocation.OffsetInLine - 1, 0), line.Length);
        line = line.Substring(start).Split(';', '|')[0];
        var written = Regex.Matches(line, @"(?<![\w-])-(\w+)", RegexOptions.CultureInvariant)
            .Cast<Match>()
            .Select(match => match.Groups[1].Value);
        return Regex.IsMatch(line, @"\s@\w", RegexOptions.CultureInvariant)
            || written.Any(word => names.Any(name => name.StartsWith(word, StringComparison.OrdinalIgnoreCase)));
    }

    private static object? Plain(object? value) => value is PSObject wrapped ? wrapped.BaseObject : value;

    private sealed class ReferenceComparer : IEqualityComparer<string>
    {
        internal static readonly ReferenceComparer Instance = new();

        public bool Equals(string? one, string? other) => ReferenceEquals(one, other);

        public int GetHashCode(string text) => 0;
    }
}
