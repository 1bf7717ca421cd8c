using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Gets the environments that are stored, or those that are named.</summary>
[Cmdlet(VerbsCommon.Get, "SsoEnvironment")]
[OutputType(typeof(SsoEnvironment))]
public sealed class GetSsoEnvironmentCommand : EnvironmentNameCmdlet
{
    private protected override void RunAll() => WriteObjects(Environments());
}
