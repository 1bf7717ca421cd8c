using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Ends what Start-SsoCredentialRefresh began in this runspace.</summary>
[Cmdlet(VerbsLifecycle.Stop, "SsoCredentialRefresh", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopSsoCredentialRefreshCommand : RefreshCmdlet
{
    private const string Action = "Stop keeping credentials fresh";

    private protected override void RunAll()
    {
        if (!IsPartial && Asked().Length == 0)
        {
            if (ShouldProcess("everything that this runspace keeps fresh", Action))
            {
                Run(new StopRefreshWork());
            }

            return;
        }

        // A name is passed on as it is: its environment may be gone, and then it has no profiles.
        var targets = Agreed(IsPartial ? Targets() : Names().Select(name => new UpdateTarget { Environment = name }), Action);
        if (targets.Length > 0)
        {
            Run(new StopRefreshWork { Targets = targets });
        }
    }

    private IEnumerable<string> Names() => LiteralNames
        .Concat(Asked().All(name => name.IsLiteral) ? [] : Rows().Select(row => row.Environment))
        .Distinct(StringComparer.OrdinalIgnoreCase);
}
