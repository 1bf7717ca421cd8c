using System;
using System.Diagnostics;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Turns counts into what PowerShell shows: how many of how many, how fast, and how long it still takes.</summary>
internal sealed class ProgressPace
{
    /// <summary>Before this a rate is no more than a guess.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(500);

    private readonly Stopwatch watch = new();

    /// <summary>A wait, with the time that is left where it is known.</summary>
    internal static ProgressRecord Of(WaitingEvent wait, int id) =>
        new(id, wait.Environment, wait.Text) { SecondsRemaining = (int)Math.Min(wait.SecondsLeft ?? -1, int.MaxValue) };

    internal ProgressRecord Of(ProgressEvent progress, int id)
    {
        if (progress.Done == 0)
        {
            watch.Restart();
        }

        var status = $"{progress.Done} of {progress.Total}";
        var left = -1;
        if (progress.Done > 0 && watch.Elapsed >= Least)
        {
            var rate = progress.Done / watch.Elapsed.TotalSeconds;
            status += rate >= 1 ? $", {rate:0} a second" : $", {rate * 60:0} a minute";
            left = (int)Math.Min(Math.Ceiling((progress.Total - progress.Done) / rate), int.MaxValue);
        }

        return new ProgressRecord(id, progress.Activity, status)
        {
            CurrentOperation = progress.Name,
            PercentComplete = progress.Total > 0 ? (int)(progress.Done * 100 / progress.Total) : -1,
            SecondsRemaining = left,
        };
    }
}
