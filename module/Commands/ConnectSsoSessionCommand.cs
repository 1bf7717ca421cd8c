using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Logs in where that is needed, and fetches no credentials.</summary>
[Cmdlet(VerbsCommunications.Connect, "SsoSession", SupportsShouldProcess = true)]
[OutputType(typeof(SsoSession))]
public sealed class ConnectSsoSessionCommand : LoginCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

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

        var work = new ConnectSessionWork { Environments = agreed, Session = Terms() };
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
