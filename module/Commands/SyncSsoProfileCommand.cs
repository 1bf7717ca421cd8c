using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Brings the table of an environment to what is assigned to the user: adds what is new and, with -Prune, removes what is gone.
/// </summary>
[Cmdlet(VerbsData.Sync, "SsoProfile", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(SsoProfile))]
public sealed class SyncSsoProfileCommand : ParallelCmdlet
{
    /// <summary>More names than this would hide the rest of a line.</summary>
    private const int MostNames = 10;

    /// <summary>
    /// The roles in order of preference, by name or wildcards: each account gets one profile, for the first that it has; without it, one
    /// for each role. This parameter and the next four are stored with the environment; empty removes what is stored.
    /// </summary>
    [Parameter(Position = 1)]
    [Alias("RoleName")]
    [ValidateNotNull]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RoleCompleter))]
    public string[]? Role { get; set; }

    /// <summary>The accounts, by name, id or wildcards; without it every account.</summary>
    [Parameter]
    [Alias("AccountName", "AccountId")]
    [ValidateNotNull]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Account { get; set; }

    /// <summary>The accounts and roles to leave out, by the account's name or id, the role's name or wildcards.</summary>
    [Parameter]
    [ValidateNotNull]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Exclude { get; set; }

    /// <summary>
    /// How profiles are named: text with the fields <c>{AccountName}</c>, <c>{AccountId}</c>, <c>{RoleName}</c>, <c>{Email}</c> and
    /// <c>{Environment}</c>.
    /// </summary>
    [Parameter]
    [AllowEmptyString]
    public string? NameTemplate { get; set; }

    /// <summary>Text before each name from the template.</summary>
    [Parameter]
    [AllowEmptyString]
    public string? Prefix { get; set; }

    /// <summary>The region that AWS tools use with the new profiles, where it is not that of the environment.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? ProfileRegion { get; set; }

    /// <summary>The output format of the AWS CLI with the new profiles, where it is not that of the environment.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(OutputCompleter))]
    public string? ProfileOutput { get; set; }

    /// <summary>Removes profiles whose role is no longer assigned to the user.</summary>
    [Parameter]
    public SwitchParameter Prune { get; set; }

    /// <summary>
    /// With -Prune, removes the credentials of those profiles from the credentials file, too, and others of the environment that no longer
    /// have a profile.
    /// </summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    /// <summary>Returns each profile that was added.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Leaves out the closing line of each environment.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    private protected override string Instead(PipedKinds kind, string environment) => kind switch
    {
        PipedKinds.Profile =>
            $"Refresh profiles with Update-SsoCredential; to compare the whole environment, run Sync-SsoProfile {environment}.",
        PipedKinds.Account => $"Name the accounts: Sync-SsoProfile {environment} -Account <name or id>.",
        _ => $"Add profiles for roles with Add-SsoProfile; to compare the whole environment, run Sync-SsoProfile {environment}.",
    };

    private protected override void Begin()
    {
        if (RemoveCredentials && !Prune)
        {
            ThrowTerminatingError(SsoErrors.NeedsPrune().ToRecord());
        }
    }

    private protected override void RunAll()
    {
        // The module does not change the AWS config file, so its environments are left out unless a user names them.
        var environments = Environments(storedOnly: true);
        ForEach(
            environments.Select(environment => environment.Name).ToArray(),
            name => Sync(environments.First(environment => environment.Name == name)));
    }

    private void Sync(SsoEnvironment environment)
    {
        var filters = SyncFilters.Of(environment.Sync, Role, Account, Exclude, NameTemplate, Prefix);
        WriteVerbose($"{environment.Name}: Sync-SsoProfile {ShownText.Argument(environment.Name)} {filters.Arguments()}".TrimEnd());
        var wanted = new NamePatterns(filters.Settings.Accounts, ignoreCase: true);
        var excluded = NamePattern.All(filters.Settings.Exclude, ignoreCase: true);
        var meant = new List<SsoAccount>();
        var others = new List<SsoAccount>();
        var failures = Failures;
        var isFound = ListAccounts(
            environment.Name,
            wanted,
            (account, isMeant) => (isMeant && !IsExcluded(account.AccountId, account.AccountName) ? meant : others).Add(account));

        var asked = new HashSet<string>(meant.Select(account => account.AccountId));
        var passedOver = new HashSet<string>(others.Select(account => account.AccountId));
        var roles = new List<SsoRole>();
        var listFailures = Failures;
        ListRoles(environment.Name, [.. meant], roles.Add);
        var isWhole = Failures == listFailures;
        var included = roles.Where(role => !IsExcluded(role.RoleName)).ToList();
        var added = Add(environment.Name, Preferred(environment.Name, meant, included, isWhole, filters.Roles), filters.Settings);
        var isDone = isFound && Failures == failures;
        var removed = Prune ? RemoveGone(environment, profile => IsLookedAt(profile.AccountId), roles, isWhole, wanted.IsEmpty) : 0;
        if (!Quiet && !IsWhatIf)
        {
            WriteHost(Summary(environment, added.Count, removed));
        }

        if (isDone)
        {
            Remember(environment.Name, filters);
        }

        if (PassThru)
        {
            WriteObjects(added);
        }

        bool IsExcluded(params string?[] names) => excluded.Any(pattern => names.Any(name => pattern.Matches(name ?? "")));

        // An account that no longer exists is known by its id only.
        bool IsLookedAt(string id) => asked.Contains(id) || (!passedOver.Contains(id) && wanted.Match(id) && !IsExcluded(id));
    }

    /// <summary>Stores the filters with the environment, so that the next run needs none.</summary>
    private void Remember(string environment, SyncFilters filters)
    {
        if (!filters.IsChanged || IsWhatIf)
        {
            return;
        }

        Run(new SetEnvironmentWork { Name = environment, Sync = filters.Settings });
        if (!Quiet)
        {
            var command = $"Sync-SsoProfile {ShownText.Argument(environment)}";
            WriteHost(filters.Arguments() is { Length: > 0 } stored
                ? $"{environment}: {command} without filters now means {stored}"
                : $"{environment}: {command} now has no stored filters");
        }
    }

    /// <summary>What changed in the table, and what to run next.</summary>
    private static string Summary(SsoEnvironment environment, int added, int removed)
    {
        var total = environment.Profiles.Length + added - removed;
        var change = (added, removed) switch
        {
            (0, 0) => $"no changes ({Counted(total)})",
            (0, _) => $"{Counted(removed)} removed ({total} in all)",
            (_, 0) => $"{Counted(added)} added ({total} in all)",
            _ => $"{Counted(added)} added, {removed} removed ({total} in all)",
        };
        var name = ShownText.Argument(environment.Name);
        var next = added == 0 ? ""
            : environment.CredentialsFile == SsoCredentialsFileUse.Never ? $". Next: Use-SsoCredential -Environment {name}"
            : $". Next: Update-SsoCredential {name}";
        return $"{environment.Name}: {change}{next}";
    }

    /// <summary>Adds the profiles that are new and that the user agrees to.</summary>
    private List<SsoProfile> Add(string environment, List<SsoRole> roles, SsoSyncSettings settings)
    {
        var table = new ProfileTable(environment, roles)
        {
            NameTemplate = settings.NameTemplate ?? "",
            Prefix = settings.NamePrefix ?? "",
            Region = ProfileRegion,
            Output = ProfileOutput,
        };
        var agreed = Run(table.Check(), happened => happened.Added)
            .Where(profile => IsAgreed(profile.Description, "Add SSO profile", isGrave: false))
            .ToArray();
        return agreed.Length > 0 ? Run(table.Add(agreed), happened => happened.Added) : [];
    }

    /// <summary>One role for each account, the first that is preferred, or all of them where no order is given.</summary>
    private List<SsoRole> Preferred(string environment, List<SsoAccount> accounts, List<SsoRole> roles, bool isWhole, string[]? wanted)
    {
        if (wanted is null)
        {
            return roles;
        }

        var order = NamePattern.All(wanted, ignoreCase: true);
        var ofAccount = roles.ToLookup(role => role.AccountId);
        var preferred = new List<SsoRole>();
        var without = new List<SsoAccount>();
        foreach (var account in accounts)
        {
            var candidates =
                from pattern in order
                from role in ofAccount[account.AccountId]
                where pattern.Matches(role.RoleName)
                select role;
            if (candidates.FirstOrDefault() is { } first)
            {
                preferred.Add(first);
            }
            else if (isWhole || ofAccount.Contains(account.AccountId))
            {
                without.Add(account);
            }
        }

        if (without.Count > 0)
        {
            var rest = without.Count > MostNames ? $" and {without.Count - MostNames} more" : "";
            var names = string.Join(", ", without.Take(MostNames)) + rest;
            var roleNames = string.Join(", ", wanted);
            WriteWarning($"{environment}: none of the roles {roleNames} is assigned to you in {names}; no profile was added there.");
        }

        return preferred;
    }

    /// <summary>Removes the profiles whose account or role is gone. A list with a hole in it says of none that it is.</summary>
    private int RemoveGone(SsoEnvironment environment, Func<SsoProfile, bool> isLookedAt, List<SsoRole> roles, bool isWhole, bool isEvery)
    {
        if (!isWhole)
        {
            WriteWarning($"{environment.Name}: nothing was removed, since not all roles could be listed.");
            return 0;
        }

        var assigned = new HashSet<(string, string)>(roles.Select(role => (role.AccountId, role.RoleName)));
        var gone = environment.AsProfiles()
            .Where(profile => isLookedAt(profile) && !assigned.Contains((profile.AccountId, profile.RoleName)))
            .Where(IsAgreedToRemove)
            .Select(profile => profile.ProfileName)
            .ToArray();
        if (gone.Length > 0)
        {
            Run(new RemoveProfileWork { Environment = environment.Name, Profiles = gone });
        }

        if (RemoveCredentials)
        {
            RemoveCredentialsOf(environment.Name, gone, isEvery);
        }

        return gone.Length;

        bool IsAgreedToRemove(SsoProfile profile) => ShouldProcess(
            $"{environment.Name}: {profile.ProfileName} ({profile.RoleName} in account {profile.AccountId} is no longer assigned to you)",
            "Remove SSO profile");
    }

    /// <summary>
    /// Removes the credentials of profiles that are gone, and of those that left the table before, which only the mark in the file tells.
    /// </summary>
    private void RemoveCredentialsOf(string environment, string[] gone, bool isEvery)
    {
        var check = new RemoveCredentialWork { Environment = environment, Profiles = [], Unlisted = true, CheckOnly = true };
        var left = isEvery ? Look(check, happened => happened.Removed) : [];
        var agreed = left
            .Select(removed => removed.ProfileName)
            .Where(name => !gone.Contains(name, StringComparer.Ordinal))
            .Where(name => ShouldProcess($"{environment}: {name} (no longer a profile of the environment)", "Remove credentials"));
        var profiles = gone.Concat(agreed).ToArray();
        if (profiles.Length > 0)
        {
            Run(new RemoveCredentialWork { Environment = environment, Profiles = profiles });
        }
    }
}
