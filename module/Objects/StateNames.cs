using System;
using System.Linq;
using System.Management.Automation.Runspaces;

namespace AwsSso;

/// <summary>
/// Keeps the names of states where PowerShell writes objects as XML for another PowerShell, which would get numbers for enums. A types file
/// would do it in every session, but PowerShell refuses a second one for the same types, as after an update of the module.
/// </summary>
internal static class StateNames
{
    private static readonly Type[] States =
    [
        typeof(SsoCredentialState), typeof(SsoExportStatus), typeof(SsoProfileStatus), typeof(SsoRefreshState), typeof(SsoSessionState),
        typeof(SsoTokenCache), typeof(SsoCredentialsFileUse),
    ];

    private static readonly OncePerSession Kept = new();

    /// <summary>Prepares this session, once.</summary>
    internal static void Keep()
    {
        if (Kept.IsFirst(out _))
        {
            UtilityCmdlet.UpdateTypeData(States.Select(state => new TypeData(state) { SerializationMethod = "String" }).ToArray());
        }
    }
}
