using System;
using System.Collections.Generic;
using System.Linq;

namespace AwsSso;

/// <summary>The names that a user may have meant, for a message that stays short however many names there are.</summary>
internal static class NearestNames
{
    private const int Most = 5;

    /// <summary>Longer names than this are compared by their beginning only, so that a comparison is bounded.</summary>
    private const int LongestCompared = 64;

    /// <summary>The names nearest to <paramref name="written"/>, at most five, in the order in which they are listed everywhere.</summary>
    internal static string[] To(string written, IEnumerable<string> names) => names
        .Distinct(StringComparer.Ordinal)
        .Select((name, place) => (Name: name, Place: place, Distance: Distance(written, name)))
        .OrderBy(candidate => candidate.Distance)
        .Take(Most)
        .OrderBy(candidate => candidate.Place)
        .Select(candidate => candidate.Name)
        .ToArray();

    /// <summary>How far apart the two are: other case is nearest, then a few typing errors, a common beginning, one inside the other, the rest.</summary>
    private static int Distance(string written, string name)
    {
        if (string.Equals(written, name, StringComparison.OrdinalIgnoreCase))
        {
            return 0;
        }

        var one = Comparable(written);
        var other = Comparable(name);
        var edits = Edits(one, other);
        var isTypo = edits * 3 <= Math.Max(one.Length, 3);
        var isPart = one.Length > 0 && (other.Contains(one) || one.Contains(other));
        var rank = isTypo ? 0 : other.StartsWith(one, StringComparison.Ordinal) ? 1 : isPart ? 2 : 3;
        return (rank * LongestCompared * 2) + edits;
    }

    private static string Comparable(string name) => (name.Length > LongestCompared ? name.Substring(0, LongestCompared) : name).ToUpperInvariant();

    /// <summary>The Levenshtein distance.</summary>
    private static int Edits(string one, string other)
    {
        var previous = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var row = 1; row <= one.Length; row++)
        {
            var current = new int[other.Length + 1];
            current[0] = row;
            for (var column = 1; column <= other.Length; column++)
            {
                var replaced = previous[column - 1] + (one[row - 1] == other[column - 1] ? 0 : 1);
                current[column] = Math.Min(replaced, Math.Min(previous[column], current[column - 1]) + 1);
            }

            previous = current;
        }

        return previous[other.Length];
    }
}
