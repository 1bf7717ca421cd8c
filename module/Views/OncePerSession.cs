using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace AwsSso;

/// <summary>Tells what each PowerShell session needs once; a process can have many.</summary>
internal sealed class OncePerSession
{
    private readonly ConditionalWeakTable<Runspace, object> seen = new();

    /// <summary>Whether this is the first call in the session, which is the one of this thread.</summary>
    internal bool IsFirst(out Runspace session)
    {
        session = Runspace.DefaultRunspace;
        if (session is null || seen.TryGetValue(session, out _))
        {
            return false;
        }

        seen.Add(session, this);
        return true;
    }
}
