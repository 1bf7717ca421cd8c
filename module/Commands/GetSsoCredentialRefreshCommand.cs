using System.Linq;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Shows what this process keeps fresh, and how that goes, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoCredentialRefresh")]
[OutputType(typeof(SsoCredentialRefresh))]
public sealed class GetSsoCredentialRefreshCommand : RefreshCmdlet
{
    private protected override void RunAll()
    {
        var rows = Rows();
        if (IsPartial)
        {
            var meant = Targets().ToDictionary(target => target.Environment, target => target.Profiles);
            rows.RemoveAll(row => !meant.TryGetValue(row.Environment, out var profiles) || profiles?.Contains(row.ProfileName) == false);
        }

        WriteObjects(rows);
    }
}
