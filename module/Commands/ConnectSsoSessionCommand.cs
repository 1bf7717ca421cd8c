using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Logs in where that is needed, and fetches no credentials.</summary>
[Cmdlet(VerbsCommunications.Connect, "SsoSession", SupportsShouldProcess = true)]
[OutputType(typeof(SsoSession))]
public sealed class ConnectSsoSessionCommand : LoginCmdlet
{
    /// <summary>Removes a session that was kept elsewhere from there, after it was taken over.</summary>
    [Parameter]
    public SwitchParameter Move { get; set; }

    /// <summary>Returns each session.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override bool IsToldOfSessions => false;

    private protected override void RunAll()
    {
        var agreed = Agreed("Connect SSO session");
        if (agreed.Length > 0)
        {
            var work = new ConnectSessionWork { Environments = agreed, MoveSession = Move, Session = Terms() };
            Run(work, happened => happened.Session, Take);
        }
    }

    private void Take(SsoSession session)
    {
        WriteHost(session switch
        {
            { Refreshable: true } => $"{session.Environment}: logged in, renews {SsoTime.Renewal(session)}",
            { TokenExpires: { } end } => $"{session.Environment}: logged in until {SsoTime.Clock(end)}",
            _ => $"{session.Environment}: logged in",
        });

        if (PassThru)
        {
            WriteObject(session);
        }
    }
}
