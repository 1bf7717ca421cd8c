using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Shows the state of sessions, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoSession")]
[OutputType(typeof(SsoSession))]
public sealed class GetSsoSessionCommand : EnvironmentCmdlet
{
    private protected override void RunAll() => WriteObjects(Sessions());
}
