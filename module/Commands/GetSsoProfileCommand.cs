using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Lists the profiles in the tables of environments, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoProfile")]
[OutputType(typeof(SsoProfile))]
public sealed class GetSsoProfileCommand : ProfileCmdlet
{
    private protected override void RunAll() => WriteObjects(MeantProfiles(Environments()));
}
