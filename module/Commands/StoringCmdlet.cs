using System;
using System.Collections.Generic;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What the cmdlets that store an environment have in common: they show to which portal its users log in from now on.</summary>
public abstract class StoringCmdlet : SsoCmdlet
{
    private protected StoringCmdlet()
    {
    }

    /// <summary>The environment of a name as it is now; null where there is none, or none that can be used.</summary>
    private protected SsoEnvironment? Find(string name, bool storedOnly) =>
        Environments(new GetEnvironmentWork { StoredOnly = storedOnly, UsableOnly = true }, null).Find(environment => string.Equals(environment.Name, name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The environments of this file; without one, those of the user.</summary>
    private protected List<SsoEnvironment> Environments(GetEnvironmentWork work, string? file)
    {
        var environments = new List<SsoEnvironment>();
        RunOrThrow(
            new SsoWork { GetEnvironment = work },
            happened =>
            {
                if (happened.Environment is { } environment)
                {
                    environments.Add(environment);
                }
            },
            file);
        return environments;
    }

    /// <summary>Stores an environment, and gives it as it is then; null where the work was only to be checked.</summary>
    /// <param name="work">What to store.</param>
    /// <param name="isShown">Whether the portal is shown also where it is the same as before.</param>
    private protected SsoEnvironment? Store(SetEnvironmentWork work, bool isShown)
    {
        var before = Find(work.Name, storedOnly: false);
        SsoEnvironment? stored = null;
        RunOrThrow(new SsoWork { SetEnvironment = work }, happened => stored = happened.Environment ?? stored);
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
            WriteHost($"{stored.Name}: {Counted(stored.Account.Length)}, start URL {Portal(stored)}.");
        }

        return stored;
    }

    private static string Portal(SsoEnvironment environment) => $"{environment.StartUrl} in {environment.Region}";
}
