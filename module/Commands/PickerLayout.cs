using System;
using System.Collections.Generic;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>The lines of a picker. They have no escape sequences, and none is longer than the screen is wide.</summary>
/// <param name="rows">All rows, since the columns do not move while a user types.</param>
internal sealed class PickerLayout(IReadOnlyList<PickerRow> rows)
{
    /// <summary>The lines above the rows: the filter and what the keys do.</summary>
    internal const int Above = 2;

    private const string Title = "Profile: ";
    private const string Keys = "Type to filter, Up and Down to select, Enter to use, Esc to cancel.";
    private const int Gap = 2;

    /// <summary>
    /// What loses room first, down to how many cells: the columns after the name, then the name, and so on where that is not enough.
    /// </summary>
    private static readonly (bool IsName, int Least)[] Losers = [(false, 8), (true, 20), (false, 4), (true, 4)];

    /// <summary>The cells that each column needs.</summary>
    private readonly int[] columns = rows.Count == 0 ? []
        : Enumerable.Range(0, rows[0].Cells.Length).Select(column => rows.Max(row => CellWidth.Of(row.Cells[column]))).ToArray();

    /// <summary>The line with the filter. Of a filter that is too long, the end is shown.</summary>
    internal string FilterLine(PickerModel model, int width)
    {
        var filter = CellWidth.Clean(model.Filter);
        while (filter.Length > 0 && Title.Length + CellWidth.Of(filter) >= width)
        {
            filter = filter.Substring(char.IsSurrogatePair(filter + " ", 0) ? 2 : 1);
        }

        return CellWidth.Fit(Title + filter, Math.Min(width, Title.Length + CellWidth.Of(filter)));
    }

    /// <summary>The line with the number of rows, and what the keys do.</summary>
    internal string HelpLine(PickerModel model, int width) =>
        CellWidth.Fit($"{model.Matching.Count} of {model.Total}. {Keys}", width - 1).TrimEnd();

    /// <summary>The line of a row: its cells in columns; if they are too wide for the screen, the name loses least.</summary>
    internal string RowLine(PickerRow row, bool isSelected, int width)
    {
        var cells = row.Cells.Zip(Columns(width - 1 - Gap), CellWidth.Fit).Where(cell => cell.Length > 0);
        return CellWidth.Fit((isSelected ? "> " : "  ") + string.Join(new string(' ', Gap), cells), width - 1).TrimEnd();
    }

    /// <summary>The cells of each column where there are so many; a column without any text, or without room, has none.</summary>
    private int[] Columns(int room)
    {
        var given = columns.ToArray();
        var excess = given.Sum() + (Gap * Math.Max(0, given.Count(cells => cells > 0) - 1)) - room;
        foreach (var (isName, least) in Losers)
        {
            var losing = Enumerable.Range(0, given.Length).Where(column => (column == 0) == isName).ToArray();
            while (excess > 0 && losing.Any(column => given[column] > least))
            {
                given[losing.OrderByDescending(column => given[column]).First()]--;
                excess--;
            }
        }

        return given;
    }
}
