using System;
using System.Globalization;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Takes a bare number for seconds, where PowerShell would take it for units of 100 nanoseconds.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SecondsAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        var input = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        try
        {
            return input is int or long or double or decimal ? TimeSpan.FromSeconds(Convert.ToDouble(input, CultureInfo.InvariantCulture)) : inputData;
        }
        catch (Exception fault) when (fault is OverflowException or ArgumentException)
        {
            throw new ArgumentTransformationMetadataException($"{input} seconds are not a time span.", fault);
        }
    }
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
            throw new ValidationMetadataException($"The time span must be {(AllowZero ? "zero or longer" : "longer than zero")}, and {span} is not.");
        }
    }
}

/// <summary>Time spans as the library takes them.</summary>
internal static class Duration
{
    /// <summary>Whole seconds, rounded up so that a short time does not become none.</summary>
    internal static long WholeSeconds(this TimeSpan span) => (long)Math.Ceiling(span.TotalSeconds);
}
