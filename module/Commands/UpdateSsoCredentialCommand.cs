using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Refreshes the credentials of all profiles of environments, with at most one login for each environment.</summary>
[Cmdlet(VerbsData.Update, "SsoCredential", SupportsShouldProcess = true)]
[Alias("Set-AwsCliSsoCredentials")]
[OutputType(typeof(SsoProfileResult))]
public sealed class UpdateSsoCredentialCommand : ParallelCmdlet
{
    /// <summary>What a run at the start of a shell may take in all.</summary>
    private static readonly TimeSpan StartupLimit = TimeSpan.FromSeconds(5);

    private readonly List<SsoException> startupErrors = [];
    private readonly RefusedRoles refused = new();
    private GivenEnvironment[]? given;
    private ScriptVariables? variables;

    /// <summary>The profiles, by name or wildcards, in which case counts; without it every profile.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[]? ProfileName { get; set; }

    /// <summary>Fetches credentials for profiles that are still valid, too.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Replaces access keys in the sections of the profiles that this module did not write, such as long-term keys of an IAM user.
    /// </summary>
    [Parameter]
    public SwitchParameter ReplaceKeys { get; set; }

    /// <summary>Credentials are renewed when less than this is left of them.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = Duration.MinimumRemaining;

    /// <summary>Returns the result of each profile.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>
    /// The access portal's start URL, instead of the stored one; with it, -Region and -Account nothing needs to be stored.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? StartUrl { get; set; }

    /// <summary>The region of the Identity Center instance, instead of the stored one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? Region { get; set; }

    /// <summary>The permission set role of every profile that names none, instead of the stored one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RoleCompleter))]
    public string? DefaultRoleName { get; set; }

    /// <summary>
    /// The table of profiles, instead of the stored one: hashtables or objects with Profile, AccountId and, where it differs, RoleName.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public object[]? Account { get; set; }

    /// <summary>
    /// Leaves the access token in a global variable, as the script did. It is a secret: whoever has it has all of the session's accounts.
    /// </summary>
    [Parameter]
    public SwitchParameter ExposeToken { get; set; }

    /// <summary>Leaves out the closing line of each environment.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <summary>
    /// For the line in a $PROFILE: nobody is asked to log in, the run ends in 5 seconds, and at most one line is shown, which no other
    /// shell captures.
    /// </summary>
    [Parameter]
    public SwitchParameter AtStartup { get; set; }

    private protected override string[]? Named => Environment ?? (IsAdHoc && !MyInvocation.ExpectingInput ? [NameOfStartUrl()] : null);

    private protected override string[]? NamedProfiles => ProfileName;

    private protected override PipelineInput Accepts => PipelineInput.Everything;

    private protected override GivenEnvironment[]? Given => given;

    private protected override bool MayLogIn => base.MayLogIn && !AtStartup;

    private protected override TimeSpan? Limit => base.Limit ?? (AtStartup ? StartupLimit : null);

    private protected override bool IsSilent => AtStartup && Shell.IsCaptured;

    private bool IsAdHoc => StartUrl is not null || Region is not null || DefaultRoleName is not null || Account is not null;

    private protected override void Terminate(SsoException error)
    {
        if (!AtStartup)
        {
            base.Terminate(error);
        }

        startupErrors.Add(error);
    }

    private protected override void Report(SsoException error)
    {
        if (AtStartup)
        {
            startupErrors.Add(error);
        }
        else if (!refused.Hold(error))
        {
            base.Report(error);
        }
    }

    private protected override void Begin()
    {
        ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName);

        // With a start URL the environment may be one that is not stored, and then the default is its only region.
        if (Region is not null
            && IsWildcardDefault(nameof(Region))
            && (StartUrl is null || IsStored(Environment ?? [NameOfStartUrl()])))
        {
            Region = UnlessWildcardDefault(nameof(Region), Region);
        }
    }

    private protected override void RunAll()
    {
        OrTerminate(UpdateAll);
        foreach (var hint in StartupHints())
        {
            Warn(hint);
        }
    }

    /// <summary>
    /// A line for all that needs a login, and one for everything else that went wrong: an error would fill the screen of each new shell.
    /// </summary>
    private IEnumerable<string> StartupHints()
    {
        var logins = startupErrors
            .Where(error => error.Code == "LoginRequired")
            .Select(error => ShownText.Argument(error.Target ?? ""))
            .Distinct()
            .ToArray();
        if (logins.Length > 0)
        {
            var names = string.Join(", ", logins);
            yield return $"{names} {(logins.Length == 1 ? "needs" : "need")} a login. Run Connect-SsoSession {names}.";
        }

        var others = startupErrors.Where(error => error.Code != "LoginRequired").Select(error => error.Code).Distinct().ToArray();
        if (others.Length > 0)
        {
            var names = string.Join(", ", LiteralNames.Select(ShownText.Argument));
            var whose = names.Length == 0 ? "" : $" of {names}";
            var command = $"Update-SsoCredential {names}".TrimEnd();
            yield return $"Not all credentials{whose} were refreshed ({string.Join(", ", others)}). Run {command} to see why.";
        }
    }

    private void UpdateAll()
    {
        given = GivenEnvironments();
        var targets = new List<UpdateTarget>();
        var isDue = false;
        foreach (var plan in Wanted(Plan()))
        {
            if (IsAgreed(plan))
            {
                isDue |= plan.Profiles.Any(profile => profile.Due);
                var profiles = IsWhole(plan.Environment) ? null : Names(plan.Profiles);
                targets.Add(new UpdateTarget { Environment = plan.Environment, Profiles = profiles });
            }
        }

        // Not even an environment with nothing due is sent under -WhatIf, since by now it may have something.
        if (targets.Count > 0 && !IsWhatIf)
        {
            variables = new ScriptVariables(SessionState, !IsPartial);

            // The script's variables need each profile only where they are written again.
            var reportProfiles = PassThru || isDue || !targets.All(target => variables.AreLeft(target.Environment));
            var work = UpdateOf(targets, Terms(mayNeedLogin: isDue), reportProfiles);
            if (isDue)
            {
                TakeTokens(targets);
            }

            RunEvents(work, Take);
        }
    }

    /// <summary>What is given for this run: by parameters, and by the tables that the script's users keep in variables.</summary>
    private GivenEnvironment[]? GivenEnvironments()
    {
        var names = LiteralNames.Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        if (IsAdHoc && names.Length != 1)
        {
            throw SsoErrors.OneEnvironmentOnly();
        }

        var tables = new ScriptVariables(SessionState, !IsPartial);
        var environments = names.Select(name =>
        {
            var environment = new GivenEnvironment
            {
                Name = name,
                StartUrl = StartUrl,
                Region = Region,
                DefaultRoleName = DefaultRoleName,
            };
            try
            {
                if (Account is not null)
                {
                    environment.Accounts = SsoAccountTable.Read(Account, name, WriteVerbose);
                }
                else if (tables.Table(name) is { } table)
                {
                    environment.AccountsWhereNotStored = true;
                    environment.Accounts = SsoAccountTable.Read(table, name, _ => { });
                }
            }
            catch (SsoException error) when (Account is null)
            {
                Warn($"The variable ${ScriptVariables.TableName(name)} is not used: {error.Message}");
            }

            return environment;
        }).Where(environment => !environment.IsEmpty).ToArray();
        return environments.Length > 0 ? environments : null;
    }

    /// <summary>Takes a token that the script has left in this PowerShell, so that the user does not have to log in again.</summary>
    private void TakeTokens(List<UpdateTarget> targets)
    {
        var environments = (given ?? []).ToList();
        foreach (var name in targets.Select(target => target.Environment))
        {
            if (variables?.Token(name) is not { } token)
            {
                continue;
            }

            var environment = environments.Find(other => string.Equals(other.Name, name, StringComparison.OrdinalIgnoreCase));
            if (environment is null)
            {
                environment = new GivenEnvironment { Name = name };
                environments.Add(environment);
            }

            environment.Token = token;
        }

        given = environments.Count > 0 ? [.. environments] : null;
    }

    /// <summary>The name of an environment that has none: the first label of its start URL.</summary>
    private string NameOfStartUrl()
    {
        if (Uri.TryCreate(StartUrl, UriKind.Absolute, out var url) && url.Host.Length > 0)
        {
            return url.Host.Split('.')[0];
        }

        ThrowTerminatingError(SsoErrors.OneEnvironmentOnly().ToRecord());
        throw new PSInvalidOperationException();
    }

    /// <summary>Asks the library which profiles are due in the environments that are meant. Nothing is sent for it.</summary>
    private List<PlannedEvent> Plan() => Ask(
        names => new PlanWork
        {
            Environments = names,
            Force = Force,
            MinimumRemaining = MinimumRemaining.WholeSeconds(),
            ReplaceKeys = ReplaceKeys,
            DueOnly = !IsPartial,
        },
        happened => happened.Planned,
        plan => plan.Environment);

    /// <summary>Leaves the profiles that are named or piped, and the environments that have any of them.</summary>
    private List<PlannedEvent> Wanted(List<PlannedEvent> plans)
    {
        if (!IsPartial || plans.Count == 0)
        {
            return plans;
        }

        var accounts = IsByAccount
            ? Environments()
                .SelectMany(environment => environment.AsProfiles())
                .ToLookup(profile => (profile.Environment, profile.ProfileName))
            : null;
        var rows = plans.SelectMany(plan => plan.Profiles.Select(profile => (plan.Environment, Profile: profile))).ToList();
        var byEnvironment = Meant(plans.Select(plan => plan.Environment), rows, row => ProfileOf(row.Environment, row.Profile.ProfileName))
            .ToLookup(row => row.Environment, row => row.Profile);
        return plans
            .Select(plan => new PlannedEvent { Environment = plan.Environment, Profiles = [.. byEnvironment[plan.Environment]] })
            .Where(plan => plan.Profiles.Length > 0 || IsWhole(plan.Environment))
            .ToList();

        SsoProfile ProfileOf(string environment, string name) =>
            accounts?[(environment, name)].FirstOrDefault() ?? new SsoProfile { Environment = environment, ProfileName = name };
    }

    /// <summary>Asks the user about an environment with something due; the others have nothing to ask about.</summary>
    private bool IsAgreed(PlannedEvent plan)
    {
        var due = Names(plan.Profiles.Where(profile => profile.Due));
        foreach (var profile in plan.Profiles.Where(profile => IsWhatIf && profile.Obstacle is not null))
        {
            WriteHost($"{plan.Environment}: {profile.ProfileName} is not updated: {profile.Obstacle}.");
        }

        if (due.Length > 0)
        {
            return ShouldProcess($"{plan.Environment}: {string.Join(", ", due)}", "Update credentials");
        }

        if (IsWhatIf)
        {
            WriteHost($"{plan.Environment}: nothing due");
        }

        return true;
    }

    private UpdateWork UpdateOf(List<UpdateTarget> targets, SessionTerms terms, bool reportProfiles) => new()
    {
        Targets = [.. targets],
        IsNamed = (Named is not null || MyInvocation.ExpectingInput) && !AtStartup,
        Force = Force,
        MinimumRemaining = MinimumRemaining.WholeSeconds(),
        ReplaceKeys = ReplaceKeys,
        Session = terms,
        ThrottleLimit = ThrottleLimit,
        ReportProfiles = reportProfiles,
        ExposeToken = ExposeToken,
    };

    private void Take(SsoEvent happened)
    {
        if (happened.Profile is { } profile)
        {
            variables?.Add(profile);
            refused.Add(profile);
            if (PassThru)
            {
                WriteObject(profile);
            }
        }

        if (happened.Token is { } token)
        {
            variables?.Leave(token);
        }

        if (happened.Completed is { } ended)
        {
            foreach (var error in refused.Release())
            {
                base.Report(error);
            }

            variables?.Leave(ended);
        }

        if (!Quiet && !IsSilent && happened.Completed is { Cancelled: false } completed)
        {
            WriteHost(RunSummary.Of(completed));
        }
    }

    private static string[] Names(IEnumerable<PlannedProfile> profiles) => profiles.Select(profile => profile.ProfileName).ToArray();
}
