using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Ends sessions: at the service, in the token cache and in memory.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "SsoSession", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(SsoSession))]
public sealed class DisconnectSsoSessionCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>Takes the keys of the environments' profiles out of the credentials file, too.</summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    /// <summary>Writes an object for each session, as it stands afterwards.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string[]? Named => Environment;

    private protected override void RunAll()
    {
        var agreed = Agreed(RemoveCredentials ? "Disconnect SSO session and remove credentials" : "Disconnect SSO session");
        if (agreed.Length == 0)
        {
            return;
        }

        var work = new DisconnectSessionWork { Environments = agreed, RemoveCredentials = RemoveCredentials };
        Run(new SsoWork { DisconnectSession = work }, happened =>
        {
            if (PassThru && happened.Session is { } session)
            {
                WriteObject(session);
            }
        });
    }
}
