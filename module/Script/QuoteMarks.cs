namespace AwsSso;

/// <summary>The characters that PowerShell takes for quotes: any of a kind opens a string, and any of the same kind closes it.</summary>
internal static class QuoteMarks
{
    internal const string Single = "'\u2018\u2019\u201a\u201b";

    internal const string Double = "\"\u201c\u201d\u201e";
}
