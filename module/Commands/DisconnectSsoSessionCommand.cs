using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Ends sessions: at the service, in the token cache and in memory.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "SsoSession", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(SsoSession))]
public sealed class DisconnectSsoSessionCommand : EnvironmentCmdlet
{
    /// <summary>Removes the keys of the environments' profiles from the credentials file, too.</summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    /// <summary>Returns each session, as it is afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void RunAll()
    {
        var agreed = Agreed(RemoveCredentials ? "Disconnect SSO session and remove credentials" : "Disconnect SSO session");
        if (agreed.Length > 0)
        {
            var sessions = Run(
                new DisconnectSessionWork { Environments = agreed, RemoveCredentials = RemoveCredentials },
                happened => happened.Session);
            WriteObjects(PassThru ? sessions : []);
        }
    }
}
