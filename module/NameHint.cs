using System;
using System.Collections.Generic;
using System.Linq;

namespace AwsSso;

/// <summary>
/// The names that a user may have meant, for a message that stays short however many names there are. The library's own messages have the
/// same rules and words, in native/core/src/names/nearest.rs.
/// </summary>
internal static class NameHint
{
    private const int Most = 5;

    /// <summary>Longer names are compared by their beginning only, so that a comparison is bounded.</summary>
    private const int LongestCompared = 64;

    /// <summary>Shorter names are inside other words by chance.</summary>
    private const int ShortestPart = 3;

    /// <summary>
    /// A sentence with the names nearest to <paramref name="written"/>, or with some of all names where none is near;
    /// <paramref name="kind"/> is what the names are of, in the plural.
    /// </summary>
    internal static string Of(string written, IReadOnlyCollection<string> names, string kind)
    {
        var near = names
            .Select(name => (Name: name, Distance: Distance(written, name)))
            .Where(candidate => candidate.Distance is not null)
            .OrderBy(candidate => candidate.Distance)
            .Select(candidate => candidate.Name)
            .Take(Most)
            .ToArray();
        if (near.Length == 0)
        {
            var rest = names.Count > Most ? $" and {names.Count - Most} more" : "";
            return $"The {kind} are: {string.Join(", ", names.Take(Most))}{rest}.";
        }

        var first = string.Join(", ", near.Take(near.Length - 1));
        return near.Length == 1 ? $"Did you mean {near[0]}?" : $"Did you mean {first} or {near[near.Length - 1]}?";
    }

    /// <summary>
    /// How far a name is from what was written: few typing errors first, then one inside the other; null for all other names.
    /// </summary>
    private static int? Distance(string written, string name)
    {
        var one = Comparable(written);
        var other = Comparable(name);
        var edits = Edits(one, other);
        if (edits * 3 <= Math.Max(one.Length, 3))
        {
            return edits;
        }

        var isPart = (one.Length > 0 && other.Contains(one)) || (other.Length >= ShortestPart && one.Contains(other));
        return isPart ? edits + LongestCompared : null;
    }

    private static string Comparable(string name) =>
        (name.Length > LongestCompared ? name.Substring(0, LongestCompared) : name).ToUpperInvariant();

    /// <summary>The edits between two texts, where two neighbors that change places are one (optimal string alignment).</summary>
    private static int Edits(string one, string other)
    {
        var edits = new int[one.Length + 1, other.Length + 1];
        for (var row = 0; row <= one.Length; row++)
        {
            for (var column = 0; column <= other.Length; column++)
            {
                edits[row, column] = row == 0 || column == 0 ? row + column : Least(row, column);
            }
        }

        return edits[one.Length, other.Length];

        int Least(int row, int column)
        {
            var replaced = edits[row - 1, column - 1] + (one[row - 1] == other[column - 1] ? 0 : 1);
            var least = Math.Min(replaced, Math.Min(edits[row - 1, column], edits[row, column - 1]) + 1);
            var isSwap = row > 1 && column > 1 && one[row - 1] == other[column - 2] && one[row - 2] == other[column - 1];
            return isSwap ? Math.Min(least, edits[row - 2, column - 2] + 1) : least;
        }
    }
}
