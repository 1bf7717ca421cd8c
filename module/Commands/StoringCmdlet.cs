using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets that store an environment: they show to which portal its users log in from now on.</summary>
public abstract class StoringCmdlet : SsoCmdlet
{
    private protected StoringCmdlet()
    {
    }

    /// <summary>Returns the environment as it is stored.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>The environment of a name as it is now; null where it does not exist or cannot be used.</summary>
    private protected SsoEnvironment? Find(string name, bool storedOnly) =>
        Environments(new GetEnvironmentWork { StoredOnly = storedOnly, UsableOnly = true }, null)
            .Find(environment => string.Equals(environment.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The environments of this file; without one, those of the user.</summary>
    private protected List<SsoEnvironment> Environments(GetEnvironmentWork work, string? file) =>
        Run(work, happened => happened.Environment, file);

    /// <summary>Stores an environment, and gives it as it is then; null where the work was only to be checked.</summary>
    /// <param name="work">What to store.</param>
    /// <param name="isShown">Whether the portal is shown also where it is the same as before.</param>
    private protected SsoEnvironment? Store(SetEnvironmentWork work, bool isShown)
    {
        var before = Find(work.Name, storedOnly: false);
        var stored = Run(work, happened => happened.Environment).LastOrDefault();
        if (work.CheckOnly || stored is null)
        {
            return null;
        }

        if (before is not null && (before.StartUrl != stored.StartUrl || before.Region != stored.Region))
        {
            WriteHost($"{stored.Name} now uses {Portal(stored)} instead of {Portal(before)}.");
        }
        else if (isShown)
        {
            WriteHost($"{stored.Name}: {Counted(stored.Profiles.Length)}, start URL {Portal(stored)}.");
        }

        return stored;
    }

    private static string Portal(SsoEnvironment environment) => $"{environment.StartUrl} in {environment.Region}";
}
