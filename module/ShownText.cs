using System.Text.RegularExpressions;

namespace AwsSso;

/// <summary>Text with names from a file or from the service, as it is shown.</summary>
internal static class ShownText
{
    /// <summary>What a terminal acts on, has no width, or changes the direction of a text.</summary>
    private static readonly Regex Hidden = new(@"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]", RegexOptions.CultureInvariant);

    /// <summary>The text with a replacement character for each that would not be seen.</summary>
    internal static string Of(string text) => Hidden.Replace(text, "\ufffd");
}
