using System.Linq;

namespace AwsSso.Commands;

/// <summary>A QR code in ASCII, for a console that has no half blocks.</summary>
internal static class PlainQrCode
{
    /// <summary>The width of the narrowest common terminal, in columns; in a wider code the lines would break.</summary>
    private const int MostColumns = 80;

    /// <summary>
    /// The same code with two characters for each module, which together are about as wide as they are high: <c>##</c> for a light module
    /// and blanks for a dark one. Null if it is wider than 80 columns.
    /// </summary>
    /// <param name="halfBlocks">The code in half blocks, each of which has two modules, one above the other.</param>
    internal static string[]? Of(string[] halfBlocks)
    {
        if (halfBlocks.Any(row => 2 * row.Length > MostColumns))
        {
            return null;
        }

        var rows = halfBlocks.SelectMany(row => new[] { Modules(row, '\u2580'), Modules(row, '\u2584') }).ToArray();

        // If the height is odd, the last line has nothing in its lower half. Every row of the code has light modules at its sides.
        return rows[rows.Length - 1].Trim().Length > 0 ? rows : [.. rows.Take(rows.Length - 1)];
    }

    /// <summary>The upper or the lower half of a row.</summary>
    private static string Modules(string row, char half) =>
        string.Concat(row.Select(block => block == '\u2588' || block == half ? "##" : "  "));
}
