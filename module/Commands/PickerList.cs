using System;
using System.Globalization;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>A picker for hosts without keys: a numbered list, and a line of input.</summary>
/// <param name="model">The model.</param>
/// <param name="write">Writes a line.</param>
/// <param name="read">Writes a question and reads a line; null is the end of the input.</param>
internal sealed class PickerList(PickerModel model, Action<string> write, Func<string, string?> read)
{
    private const int Most = 50;
    private const string Gap = "  ";

    /// <summary>Lets the user pick a row; null where none was picked.</summary>
    internal PickerRow? Pick()
    {
        while (true)
        {
            Show();
            var answer = read("Number of the profile, or text to filter by (Enter to cancel): ")?.Trim();
            if (string.IsNullOrEmpty(answer))
            {
                return null;
            }

            if (int.TryParse(answer, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number >= 1
                && number <= model.Matching.Count)
            {
                return model.Matching[number - 1];
            }

            model.FilterBy(answer!);
            if (model.Matching.Count == 0)
            {
                write($"No profile matches '{CellWidth.Clean(answer!)}'.");
                model.FilterBy("");
            }
        }
    }

    private void Show()
    {
        var rows = model.Matching.Take(Most).ToArray();
        var digits = rows.Length.ToString(CultureInfo.InvariantCulture).Length;
        for (var row = 0; row < rows.Length; row++)
        {
            var number = (row + 1).ToString(CultureInfo.InvariantCulture).PadLeft(digits);
            write($"{number}{Gap}{string.Join(Gap, rows[row].Cells.Where(cell => cell.Length > 0))}");
        }

        if (model.Matching.Count > Most)
        {
            write($"and {model.Matching.Count - Most} more");
        }
    }
}
