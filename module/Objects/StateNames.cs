using System;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace AwsSso;

/// <summary>
/// Keeps the names of states where PowerShell writes objects as XML for another PowerShell, which would get numbers for enums. A types file
/// would do it in every session, but PowerShell refuses a second one for the same types, as after an update of the module.
/// </summary>
internal static class StateNames
{
    private static readonly Type[] States =
        [typeof(SsoCredentialState), typeof(SsoProfileStatus), typeof(SsoSessionState), typeof(SsoTokenCache)];

    private static readonly ConditionalWeakTable<Runspace, object> Prepared = new();

    /// <summary>Prepares this session, once.</summary>
    internal static void Keep()
    {
        if (Runspace.DefaultRunspace is not { } runspace || Prepared.TryGetValue(runspace, out _))
        {
            return;
        }

        Prepared.Add(runspace, States);
        using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        shell
            .AddCommand("Microsoft.PowerShell.Utility\\Update-TypeData")
            .AddParameter("TypeData", States.Select(state => new TypeData(state) { SerializationMethod = "String" }).ToArray())
            .AddParameter("Force")
            .Invoke();
    }
}
