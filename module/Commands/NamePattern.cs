using System;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>A name as a user gives it: literal, or with wildcards.</summary>
internal sealed class NamePattern
{
    private readonly WildcardPattern? pattern;
    private readonly bool ignoreCase;

    internal NamePattern(string written, bool ignoreCase)
    {
        this.ignoreCase = ignoreCase;
        Literal = WildcardPattern.Unescape(written);
        if (WildcardPattern.ContainsWildcardCharacters(written))
        {
            pattern = new WildcardPattern(written, ignoreCase ? WildcardOptions.IgnoreCase : WildcardOptions.None);
        }
    }

    /// <summary>The name where there are no wildcards, with their escapes taken away.</summary>
    internal string Literal { get; }

    /// <summary>Whether there are no wildcards.</summary>
    internal bool IsLiteral => pattern is null;

    internal bool Matches(string name) =>
        pattern?.IsMatch(name) ?? string.Equals(name, Literal, ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
}
