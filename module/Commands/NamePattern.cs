using System;
using System.Collections.Generic;
using System.Linq;
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
        Written = written;
        Literal = WildcardPattern.Unescape(written);
        if (WildcardPattern.ContainsWildcardCharacters(written))
        {
            pattern = new WildcardPattern(written, ignoreCase ? WildcardOptions.IgnoreCase : WildcardOptions.None);
        }
    }

    private NamePattern(bool ignoreCase, string name)
    {
        this.ignoreCase = ignoreCase;
        Literal = Written = name;
    }

    /// <summary>A name that is literal whatever characters it has, as those of objects are.</summary>
    internal static NamePattern Exactly(string name, bool ignoreCase) => new(ignoreCase, name);

    /// <summary>Each of the names once, in their order.</summary>
    internal static NamePattern[] All(IEnumerable<string>? written, bool ignoreCase) =>
        (written ?? [])
            .Distinct(ignoreCase ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal)
            .Select(name => new NamePattern(name, ignoreCase))
            .ToArray();

    /// <summary>The name or pattern as it was written.</summary>
    internal string Written { get; }

    /// <summary>The name where there are no wildcards, without their escapes.</summary>
    internal string Literal { get; }

    /// <summary>Whether there are no wildcards.</summary>
    internal bool IsLiteral => pattern is null;

    internal bool Matches(string name) =>
        pattern?.IsMatch(name) ?? string.Equals(name, Literal, ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);
}

/// <summary>Names as a user gives them, and which of them were met; without any, everything is meant.</summary>
internal sealed class NamePatterns
{
    private readonly NamePattern[] patterns;
    private readonly HashSet<NamePattern> met = [];

    internal NamePatterns(IEnumerable<string>? written, bool ignoreCase) => patterns = NamePattern.All(written, ignoreCase);

    /// <summary>Whether something is meant that has these names.</summary>
    internal bool Match(params string?[] names)
    {
        var matching = patterns.Where(pattern => names.Any(name => pattern.Matches(name ?? ""))).ToArray();
        met.UnionWith(matching);
        return patterns.Length == 0 || matching.Length > 0;
    }

    /// <summary>Whether there are none, so that everything is meant.</summary>
    internal bool IsEmpty => patterns.Length == 0;

    /// <summary>The names and patterns that nothing had by now.</summary>
    internal IEnumerable<NamePattern> Missing => patterns.Where(pattern => !met.Contains(pattern));
}
