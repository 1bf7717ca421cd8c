using System.Linq;
using System.Management.Automation.Runspaces;

namespace AwsSso;

/// <summary>
/// Gives a session the tables of the module's objects. That takes as long as a tenth of the import, so it waits for the session's first
/// object.
/// </summary>
internal static class SessionViews
{
    private static readonly OncePerSession Given = new();

    /// <summary>The runspaces of a pool have one list of views, which PowerShell empties and fills again for each of them.</summary>
    private static readonly object Gate = new();

    /// <summary>Gives the tables to this session, once.</summary>
    internal static void Give()
    {
        // A program can keep its session from new views, or have it share those of another one.
        if (!Given.IsFirst(out var session) || session.InitialSessionState is not { DisableFormatUpdates: false, Formats: { } views })
        {
            return;
        }

        lock (Gate)
        {
            if (!views.Any(view => view.Formattable is not null))
            {
                Give(views);
            }
        }
    }

    private static void Give(InitialSessionStateEntryCollection<SessionStateFormatEntry> views)
    {
        // Another runspace of a pool may have added them, or another version of the module.
        if (!views.Any(view => view.FormatData?.TypeName == typeof(SsoProfileResult).FullName))
        {
            views.Add(TableViews.All().Select(view => new SessionStateFormatEntry(view)));
        }

        var all = views.ToArray();
        try
        {
            UtilityCmdlet.UpdateFormatData();
        }
        finally
        {
            // Where PowerShell cannot read another view, it shows all objects as before, but forgets where their views came from.
            if (views.Count < all.Length)
            {
                views.Clear();
                views.Add(all);
            }
        }
    }
}
