using System;
using System.Collections.Generic;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace AwsSso;

/// <summary>Runs cmdlets of the module Microsoft.PowerShell.Utility, which change the session.</summary>
internal static class UtilityCmdlet
{
    private const string Library = "Microsoft.PowerShell.Commands.Utility";

    /// <summary>Makes the session show objects by its list of views. No error is shown.</summary>
    internal static void UpdateFormatData() => Run("Update-FormatData", "UpdateFormatDataCommand", []);

    /// <summary>Adds to what the session knows of these types. No error is shown.</summary>
    internal static void UpdateTypeData(IEnumerable<TypeData> types) =>
        Run("Update-TypeData", "UpdateTypeDataCommand", new() { ["TypeData"] = types, ["Force"] = true });

    /// <summary>
    /// Runs a cmdlet by its class, since PowerShell would import the whole module to find its name. Windows PowerShell may need the
    /// name: it does not look everywhere for an assembly without its full name.
    /// </summary>
    private static void Run(string name, string type, Dictionary<string, object> parameters)
    {
        using var shell = PowerShell.Create(RunspaceMode.CurrentRunspace);
        if (Type.GetType($"Microsoft.PowerShell.Commands.{type}, {Library}") is { } cmdlet)
        {
            shell.AddCommand(new CmdletInfo(name, cmdlet));
        }
        else
        {
            shell.AddCommand($"Microsoft.PowerShell.Utility\\{name}");
        }

        try
        {
            shell.AddParameters(parameters).AddParameter("ErrorAction", ActionPreference.Ignore).Invoke();
        }
        catch (RuntimeException fault) when (fault is not PipelineStoppedException)
        {
            // The session does not allow it.
        }
    }
}
