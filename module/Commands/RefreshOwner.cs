using System;
using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using AwsSso.Native;

namespace AwsSso;

/// <summary>
/// The runspaces that started a refresh in the background. They all share the library, which has no notion of a runspace that closes or
/// that removes the module.
/// </summary>
internal static class RefreshOwner
{
    /// <summary>How long a refresh goes on after the module was removed, in seconds: an import with -Force removes it first.</summary>
    private const long Grace = 60;

    private static readonly ConcurrentDictionary<Guid, bool> Started = new();

    /// <summary>The id of a runspace, as the library gets it.</summary>
    internal static string Id(Runspace? runspace) => runspace?.InstanceId.ToString() ?? "";

    /// <summary>Notes that this runspace has started a refresh, which ends with it.</summary>
    internal static void Add()
    {
        if (Runspace.DefaultRunspace is { } runspace && Started.TryAdd(runspace.InstanceId, true))
        {
            runspace.StateChanged += OnStateChanged;
        }
    }

    /// <summary>Ends the refresh of this runspace in a while, unless the module is imported again.</summary>
    internal static void Release()
    {
        if (Runspace.DefaultRunspace is { } runspace && Started.ContainsKey(runspace.InstanceId))
        {
            Tell(runspace, new StopRefreshWork { Grace = Grace });
        }
    }

    /// <summary>Goes on with the refresh of this runspace.</summary>
    internal static void Resume()
    {
        if (Runspace.DefaultRunspace is { } runspace && Started.ContainsKey(runspace.InstanceId))
        {
            // Any command of the runspace does it.
            Tell(runspace, new GetRefreshWork());
        }
    }

    private static void OnStateChanged(object? sender, RunspaceStateEventArgs change)
    {
        if (sender is Runspace runspace
            && change.RunspaceStateInfo.State is RunspaceState.Closing or RunspaceState.Closed or RunspaceState.Broken
            && Started.TryRemove(runspace.InstanceId, out _))
        {
            runspace.StateChanged -= OnStateChanged;
            Tell(runspace, new StopRefreshWork());
        }
    }

    /// <summary>Has the library do something at once. It uses no part of PowerShell, since this may be any thread.</summary>
    private static void Tell(Runspace runspace, SsoWork work)
    {
        try
        {
            var request = new SsoRequest(work, "", verbose: false) { Caller = new Caller { Runspace = Id(runspace) } };
            using var operation = SsoOperation.Start(request);
            while (operation.Next() is not null)
            {
                // Nobody reads what it says.
            }
        }
        catch (SsoException)
        {
            // The refresh ends by itself later.
        }
    }
}

/// <summary>What the module does when a session imports or removes it; public, since PowerShell calls it.</summary>
public sealed class ModuleLifetime : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    /// <summary>Goes on with a refresh of this session that an import with -Force has interrupted. Otherwise nothing is done.</summary>
    public void OnImport() => RefreshOwner.Resume();

    /// <summary>Ends the refresh of this session in a while, and of no other one.</summary>
    /// <param name="psModuleInfo">The module.</param>
    public void OnRemove(PSModuleInfo psModuleInfo) => RefreshOwner.Release();
}
