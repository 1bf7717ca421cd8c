using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>The line after a run: until when the credentials last, which is what a user needs to know.</summary>
internal static class RunSummary
{
    /// <summary>What the run did with an environment.</summary>
    internal static string Of(CompletedEvent completed)
    {
        var fresh = completed.ProfileNames.Length;
        var line = $"{completed.Environment}: ";
        if (fresh == 0)
        {
            return line + (completed.Failed == 0 ? "no profiles" : $"{SsoCmdlet.Counted(completed.Failed)} failed");
        }

        line += SsoCmdlet.Counted(fresh);
        if (completed.Refreshed == 0 && completed.Failed == 0 && fresh > 1)
        {
            line += ", all";
        }

        line += " fresh";
        if (completed.CredentialsExpire is { } end)
        {
            line += $" until {SsoTime.Clock(end)}";
        }

        if (completed.Refreshed > 0 && completed.Refreshed < fresh)
        {
            line += $" ({completed.Refreshed} refreshed)";
        }

        return completed.Failed == 0 ? line : $"{line}, {completed.Failed} failed";
    }
}
