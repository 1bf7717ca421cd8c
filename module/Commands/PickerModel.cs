using System;
using System.Collections.Generic;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>One row that can be picked.</summary>
internal sealed class PickerRow
{
    private readonly string searched;

    /// <summary>Makes a row of cells, the most important one first.</summary>
    /// <param name="profile">What is picked with it.</param>
    /// <param name="cells">What is shown of it; characters that would not be seen, or that a terminal acts on, are replaced.</param>
    internal PickerRow(SsoProfile profile, params string[] cells)
    {
        Profile = profile;
        Cells = cells.Select(CellWidth.Clean).ToArray();
        searched = string.Join("\n", cells);
    }

    internal SsoProfile Profile { get; }

    /// <summary>The cells, as they are shown.</summary>
    internal string[] Cells { get; }

    /// <summary>Whether each word is in one of the cells, in upper or lower case.</summary>
    internal bool Has(string[] words) => Array.TrueForAll(words, word => searched.IndexOf(word, StringComparison.OrdinalIgnoreCase) >= 0);
}

/// <summary>
/// What a picker knows: the filter, the rows that match it, the selected one, and the part of them that is on the screen.
/// </summary>
internal sealed class PickerModel
{
    private static readonly char[] Blank = [' '];

    private readonly IReadOnlyList<PickerRow> rows;
    private PickerRow[] matching;
    private int height = 1;

    internal PickerModel(IReadOnlyList<PickerRow> rows)
    {
        this.rows = rows;
        matching = [.. rows];
    }

    /// <summary>The text that rows are filtered by: they have all of its words.</summary>
    internal string Filter { get; private set; } = "";

    /// <summary>How many rows there are, matching or not.</summary>
    internal int Total => rows.Count;

    /// <summary>The rows that match.</summary>
    internal IReadOnlyList<PickerRow> Matching => matching;

    /// <summary>The index of the selected row among those that match; zero where none does.</summary>
    internal int Selected { get; private set; }

    /// <summary>The selected row; null where none matches.</summary>
    internal PickerRow? Choice => matching.Length == 0 ? null : matching[Selected];

    /// <summary>The index of the first row on the screen.</summary>
    internal int Top { get; private set; }

    /// <summary>How many rows the screen has, at least one.</summary>
    internal int Height
    {
        get => height;
        set
        {
            height = Math.Max(1, value);
            Scroll();
        }
    }

    /// <summary>The rows on the screen.</summary>
    internal IEnumerable<PickerRow> Shown => matching.Skip(Top).Take(height);

    /// <summary>Filters by another text. The selected row stays selected if it matches; else the first one is.</summary>
    internal void FilterBy(string text)
    {
        var before = Choice;
        var words = text.Split(Blank, StringSplitOptions.RemoveEmptyEntries);
        matching = rows.Where(row => row.Has(words)).ToArray();
        Filter = text;
        Selected = Math.Max(0, before is null ? 0 : Array.IndexOf(matching, before));
        Scroll();
    }

    /// <summary>Adds text to the filter.</summary>
    internal void Type(string text) => FilterBy(Filter + text);

    /// <summary>Removes the last character of the filter.</summary>
    internal void Erase()
    {
        var length = Filter.Length;
        var isPair = length > 1 && char.IsSurrogatePair(Filter, length - 2);
        FilterBy(Filter.Substring(0, Math.Max(0, length - (isPair ? 2 : 1))));
    }

    /// <summary>Moves the selection by so many rows, up where it is negative, and no further than the first and the last one.</summary>
    internal void Move(int by)
    {
        Selected = (int)Math.Max(0, Math.Min(matching.Length - 1, (long)Selected + by));
        Scroll();
    }

    /// <summary>Keeps the selected row on the screen, and the screen full.</summary>
    private void Scroll()
    {
        Top = Math.Min(Top, Math.Max(0, matching.Length - height));
        Top = Selected < Top ? Selected : Selected >= Top + height ? Selected - height + 1 : Top;
    }
}
