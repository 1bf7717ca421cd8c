using System.Globalization;
using System.Text;

namespace AwsSso.Commands;

/// <summary>How many cells of a terminal a text takes, by the widths that terminals have in common (Unicode's East Asian Width).</summary>
internal static class CellWidth
{
    private const string Ellipsis = "…";

    private const char Unseen = '\ufffd';

    /// <summary>The first and the last code point of each range with two cells.</summary>
    private static readonly int[] Wide =
    [
        0x1100, 0x115F, 0x231A, 0x231B, 0x2329, 0x232A, 0x23E9, 0x23EC, 0x23F0, 0x23F0, 0x23F3, 0x23F3, 0x25FD, 0x25FE, 0x2614, 0x2615,
        0x2648, 0x2653, 0x267F, 0x267F, 0x2693, 0x2693, 0x26A1, 0x26A1, 0x26AA, 0x26AB, 0x26BD, 0x26BE, 0x26C4, 0x26C5, 0x26CE, 0x26CE,
        0x26D4, 0x26D4, 0x26EA, 0x26EA, 0x26F2, 0x26F3, 0x26F5, 0x26F5, 0x26FA, 0x26FA, 0x26FD, 0x26FD, 0x2705, 0x2705, 0x270A, 0x270B,
        0x2728, 0x2728, 0x274C, 0x274C, 0x274E, 0x274E, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x27B0, 0x27B0, 0x27BF, 0x27BF,
        0x2B1B, 0x2B1C, 0x2B50, 0x2B50, 0x2B55, 0x2B55, 0x2E80, 0x303E, 0x3041, 0xA4CF, 0xA960, 0xA97C, 0xAC00, 0xD7A3, 0xF900, 0xFAFF,
        0xFE10, 0xFE19, 0xFE30, 0xFE6F, 0xFF01, 0xFF60, 0xFFE0, 0xFFE6, 0x16FE0, 0x18DFF, 0x1AFF0, 0x1B2FF, 0x1F004, 0x1F004,
        0x1F0CF, 0x1F0CF, 0x1F18E, 0x1F18E, 0x1F191, 0x1F19A, 0x1F200, 0x1F265, 0x1F300, 0x1F64F, 0x1F680, 0x1F6FF, 0x1F7E0, 0x1F7EB,
        0x1F900, 0x1F9FF, 0x1FA70, 0x1FAFF, 0x20000, 0x3FFFD,
    ];

    /// <summary>The text without what a terminal acts on, has no width, or is half a character.</summary>
    internal static string Clean(string text)
    {
        var shown = new StringBuilder(ShownText.Of(text));
        for (var place = 0; place < shown.Length; place++)
        {
            if (char.IsHighSurrogate(shown[place]) && place + 1 < shown.Length && char.IsLowSurrogate(shown[place + 1]))
            {
                place++;
            }
            else if (char.IsSurrogate(shown[place]))
            {
                shown[place] = Unseen;
            }
        }

        return shown.ToString();
    }

    /// <summary>The cells of a clean text.</summary>
    internal static int Of(string text)
    {
        var cells = 0;
        for (var place = 0; place < text.Length; place += Length(text, place))
        {
            cells += At(text, place);
        }

        return cells;
    }

    /// <summary>A clean text of exactly this many cells: cut with an ellipsis, or with blanks at its end.</summary>
    internal static string Fit(string text, int cells)
    {
        if (cells <= 0)
        {
            return "";
        }

        var missing = cells - Of(text);
        if (missing >= 0)
        {
            return text + new string(' ', missing);
        }

        var place = 0;
        var taken = 0;
        while (taken + At(text, place) < cells)
        {
            taken += At(text, place);
            place += Length(text, place);
        }

        return text.Substring(0, place) + Ellipsis + new string(' ', cells - taken - 1);
    }

    private static int Length(string text, int place) => char.IsSurrogatePair(text, place) ? 2 : 1;

    private static int At(string text, int place)
    {
        var code = Length(text, place) == 2 ? char.ConvertToUtf32(text, place) : text[place];
        if (code < 0x300)
        {
            return 1;
        }

        if (code is >= 0x1160 and <= 0x11FF
            || CharUnicodeInfo.GetUnicodeCategory(text, place) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark)
        {
            return 0;
        }

        for (var range = 0; range < Wide.Length && code >= Wide[range]; range += 2)
        {
            if (code <= Wide[range + 1])
            {
                return 2;
            }
        }

        return 1;
    }
}
