using System;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Logs in where that is needed, and fetches no credentials.</summary>
[Cmdlet(VerbsCommunications.Connect, "SsoSession", SupportsShouldProcess = true)]
[OutputType(typeof(SsoSession))]
public sealed class ConnectSsoSessionCommand : SessionCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Environment { get; set; }

    /// <summary>Shows the address of a login, but opens no browser.</summary>
    [Parameter]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Fails where a login would be needed.</summary>
    [Parameter]
    public SwitchParameter NoLogin { get; set; }

    /// <summary>How long each login may take; without it, until its code ends.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Where access tokens are kept in this run, whatever the environment says.</summary>
    [Parameter]
    public SsoTokenCache TokenCache { get; set; }

    /// <summary>Writes an object for each session.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string[]? Named => Environment;

    private protected override void RunAll()
    {
        var agreed = Agreed("Connect SSO session");
        if (agreed.Length == 0)
        {
            return;
        }

        var nobody = WhyNobodyCanLogIn();
        var work = new ConnectSessionWork
        {
            Environments = agreed,
            Browser = !NoBrowser,
            Login = !NoLogin && nobody is null,
            NoLoginReason = NoLogin ? null : nobody,
            Timeout = Timeout?.WholeSeconds(),
            TokenCache = MyInvocation.BoundParameters.ContainsKey(nameof(TokenCache)) ? TokenCache.ToString() : null,
        };
        Run(new SsoWork { ConnectSession = work }, happened =>
        {
            if (happened.Session is not { } session)
            {
                return;
            }

            if (session.TokenExpires is { } end)
            {
                WriteHost($"{session.Environment}: session lasts until {SsoTime.Clock(end)}");
            }

            if (PassThru)
            {
                WriteObject(session);
            }
        });
    }
}
