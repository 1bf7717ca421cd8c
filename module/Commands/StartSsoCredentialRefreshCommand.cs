using System;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Keeps credentials in the credentials file fresh while this PowerShell lives. The library does the work; nobody is asked to log in.
/// </summary>
[Cmdlet(VerbsLifecycle.Start, "SsoCredentialRefresh", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StartSsoCredentialRefreshCommand : RefreshCmdlet
{
    /// <summary>How long the refresh goes on after the last command of the module.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration]
    public TimeSpan Duration { get; set; } = TimeSpan.FromHours(12);

    private protected override void RunAll()
    {
        if (Shell.WhyNobodyCanLogIn() is { } nobody)
        {
            WriteVerbose($"Nothing is refreshed in the background, since {nobody}.");
            return;
        }

        var targets = Agreed(Targets(), "Keep credentials fresh");
        if (targets.Length > 0)
        {
            RefreshOwner.Add();
            Run(new StartRefreshWork
            {
                Targets = targets,
                IsNamed = Named is not null || MyInvocation.ExpectingInput,
                Duration = Duration.WholeSeconds(),
            });
        }
    }
}
