using System.Linq;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;

namespace AwsSso;

/// <summary>Text with names from a file or from the service, as it is shown.</summary>
internal static class ShownText
{
    /// <summary>What a terminal acts on, has no width, or changes the direction of a text.</summary>
    private static readonly Regex Hidden = new(@"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]", RegexOptions.CultureInvariant);

    /// <summary>The text with a replacement character for each that would not be seen.</summary>
    internal static string Of(string text) => Hidden.Replace(text, "\ufffd");

    /// <summary>A name as it is written in a command, in quotation marks if it needs them.</summary>
    internal static string Argument(string name) => name.Length > 0 && name.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.')
        ? name
        : $"'{CodeGeneration.EscapeSingleQuotedStringContent(name)}'";
}
