using System;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>The line after a run.</summary>
internal static class RunSummary
{
    /// <summary>More names than this would hide the rest of the line.</summary>
    private const int MostNames = 10;

    /// <summary>What the run did with an environment.</summary>
    internal static string Of(CompletedEvent completed)
    {
        var names = completed.ProfileNames;
        var line = $"{completed.Environment}: " + names.Length switch
        {
            0 when completed.Failed == 0 => "no profiles",
            0 => "no profile registered",
            <= MostNames => $"{string.Join(", ", names)} registered",
            _ => $"{names.Length} profiles registered",
        };
        if (completed.Refreshed > 0 && completed.Refreshed < names.Length)
        {
            line += $" ({completed.Refreshed} fetched)";
        }

        if (completed.Failed > 0)
        {
            line += $", {completed.Failed} failed";
        }

        var nothingDue = names.Length > 0 && completed.Refreshed == 0 && completed.Failed == 0;
        if (nothingDue)
        {
            line += ", nothing due";
        }

        if (nothingDue && completed.CredentialsExpire is { } end)
        {
            return $"{line}, credentials last until {SsoTime.Clock(end)}";
        }

        return completed.SessionExpires - DateTime.Now is { } left && left > TimeSpan.Zero
            ? $"{line}, {Math.Floor(left.TotalHours)}:{left:mm\\:ss} left on the SSO session"
            : line;
    }
}
