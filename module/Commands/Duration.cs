using System;
using System.Globalization;
using System.Management.Automation;
using System.Numerics;
using System.Text.RegularExpressions;

namespace AwsSso.Commands;

/// <summary>
/// Takes a bare number for seconds, where PowerShell would take it for units of 100 nanoseconds, and text such as <c>55m</c>, <c>1h30m</c>
/// or <c>00:15:00</c>. Text of digits only is refused, since .NET takes it for days.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecondsAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        var input = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        try
        {
            return input switch
            {
                string text => Duration.Parse(text),

                // PowerShell reads the bare words 2d and 90s as numbers with a suffix, and keeps what was typed as the text of the object.
                not null when IsNumber(input) => Duration.ParseUnits(inputData!.ToString()) ?? Duration.OfSeconds(input),
                _ => inputData,
            };
        }
        catch (Exception fault) when (fault is OverflowException or FormatException or ArgumentException)
        {
            throw new ArgumentTransformationMetadataException(fault.Message, fault);
        }
    }

    private static bool IsNumber(object input) =>
        input is sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal or BigInteger;
}

/// <summary>Refuses a negative time span, and one of nothing unless <see cref="AllowZero"/> is set.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ValidateDurationAttribute : ValidateArgumentsAttribute
{
    /// <summary>Whether no time at all is fine.</summary>
    public bool AllowZero { get; set; }

    /// <inheritdoc/>
    protected override void Validate(object? arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is TimeSpan span && (AllowZero ? span < TimeSpan.Zero : span <= TimeSpan.Zero))
        {
            var least = AllowZero ? "zero or longer" : "longer than zero";
            throw new ValidationMetadataException($"The time span must be {least}, and {span} is not.");
        }
    }
}

/// <summary>Time spans as users write them, and as the library takes them.</summary>
internal static class Duration
{
    /// <summary>The default of every <c>-MinimumRemaining</c>.</summary>
    internal static readonly TimeSpan MinimumRemaining = TimeSpan.FromMinutes(15);

    private const string Forms = "Write a time span such as 15m, 1h30m, 90s or 00:15:00, or a number of seconds such as 900.";

    private static readonly Regex Digits = new(@"^\s*[+-]?\d+([.,]\d*)?\s*$", RegexOptions.CultureInvariant);

    private static readonly Regex Units = new(
        @"^\s*(?=\d)(?:(?<d>\d{1,9})\s*d)?\s*(?:(?<h>\d{1,9})\s*h)?\s*(?:(?<m>\d{1,9})\s*m)?\s*(?:(?<s>\d{1,9})\s*s)?\s*$",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase);

    private static readonly Regex Clock = new(
        @"^\s*(?<sign>-)?(?:(?<d>\d{1,9})[.:](?=\d+:\d+:\d))?(?<h>\d{1,9}):(?<m>[0-5]?\d)(?::(?<s>[0-5]?\d(?:\.\d{1,7})?))?\s*$",
        RegexOptions.CultureInvariant);

    /// <summary>Whole seconds, rounded up so that a short time does not become none.</summary>
    internal static long WholeSeconds(this TimeSpan span) => (long)Math.Ceiling(span.TotalSeconds);

    /// <summary>Reads text; throws <see cref="FormatException"/> with a sentence for a user where it is not a time span.</summary>
    internal static TimeSpan Parse(string text)
    {
        if (Digits.IsMatch(text))
        {
            throw new FormatException($"The text '{text}' has no unit: it could mean seconds, minutes or days. {Forms}");
        }

        return ParseUnits(text) ?? ParseClock(text) ?? throw new FormatException($"'{text}' is not a time span. {Forms}");
    }

    /// <summary>Reads text with units, such as <c>1h30m</c>; null where it has another form.</summary>
    internal static TimeSpan? ParseUnits(string text) => Units.Match(text) is { Success: true } match ? Sum(match) : null;

    /// <summary>A number of seconds of any type.</summary>
    internal static TimeSpan OfSeconds(object number)
    {
        try
        {
            return TimeSpan.FromSeconds(number is BigInteger big ? (double)big : Convert.ToDouble(number, CultureInfo.InvariantCulture));
        }
        catch (Exception fault) when (fault is OverflowException or ArgumentException)
        {
            throw new OverflowException($"{number} seconds are not a time span.", fault);
        }
    }

    /// <summary>Reads <c>hh:mm</c>, <c>hh:mm:ss</c> and <c>d.hh:mm:ss</c>; .NET itself takes 24:00 for 24 days.</summary>
    private static TimeSpan? ParseClock(string text) => Clock.Match(text) is { Success: true } match
        ? match.Groups["sign"].Success ? -Sum(match) : Sum(match)
        : null;

    private static TimeSpan Sum(Match match)
    {
        double Part(string name) =>
            match.Groups[name] is { Success: true } group ? double.Parse(group.Value, CultureInfo.InvariantCulture) : 0;

        try
        {
            return TimeSpan.FromSeconds((((((Part("d") * 24) + Part("h")) * 60) + Part("m")) * 60) + Part("s"));
        }
        catch (OverflowException fault)
        {
            throw new OverflowException($"'{match.Value.Trim()}' is longer than any time span.", fault);
        }
    }
}
