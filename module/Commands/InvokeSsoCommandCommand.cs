using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Runs a script block or a program under profiles, and leaves nothing of them behind.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "SsoCommand", DefaultParameterSetName = ByBlock, SupportsShouldProcess = true)]
[OutputType(typeof(object), ParameterSetName = [ByBlock])]
[OutputType(typeof(string), ParameterSetName = [ByProgram])]
public sealed class InvokeSsoCommandCommand : LoginCmdlet
{
    private const string ByBlock = "ScriptBlock";
    private const string ByProgram = "FilePath";

    /// <summary>The requests that fetch keys at the same time.</summary>
    private const int FetchLimit = 16;

    private HashSet<string> ambiguous = [];

    /// <summary>What to run in this PowerShell.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ByBlock)]
    [ValidateNotNull]
    public ScriptBlock? ScriptBlock { get; set; }

    /// <summary>The program to run, by name or path.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByProgram)]
    [ValidateNotNullOrEmpty]
    public string? FilePath { get; set; }

    /// <summary>The program's arguments; it gets each as it is.</summary>
    [Parameter(ParameterSetName = ByProgram)]
    [Alias("Args")]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[] ArgumentList { get; set; } = [];

    /// <summary>How many programs may run at the same time.</summary>
    [Parameter(ParameterSetName = ByProgram)]
    [ValidateRange(1, 256)]
    public int ThrottleLimit { get; set; } = 5;

    /// <summary>The profile; case-sensitive.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string ProfileName { get; set; } = "";

    /// <summary>The environment to look in; without it every stored one, then those of the AWS config file.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    [ValidateCount(1, 1)]
    public override string[]? Environment { get; set; }

    /// <summary>Sets the variables of the keys instead of AWS_PROFILE, for tools that read no files.</summary>
    [Parameter]
    public SwitchParameter AsEnvironmentVariable { get; set; }

    /// <summary>Credentials are renewed when less than this is left of them.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = Duration.MinimumRemaining;

    private protected override string[]? Named => Environment?.Select(WildcardPattern.Escape).ToArray();

    private protected override string[]? NamedProfiles => string.IsNullOrEmpty(ProfileName) ? null : [WildcardPattern.Escape(ProfileName)];

    private protected override PipelineInput Accepts =>
        PipelineInput.OneProfile(NamesProfiles, "profiles and their names, accounts and roles");

    private protected override string Instead(PipedKinds kind, string environment) =>
        $"Pipe its profiles: Get-SsoProfile {environment} | {MyInvocation.MyCommand.Name} {{ … }}.";

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName) ?? "";

    private protected override void RunAll()
    {
        if (ScriptBlock is { } block)
        {
            // Taken before anything else: what another runspace does meanwhile would be done under a wrong profile.
            using var loan = VariableLoan.Take();
            var run = new BlockRun(this, block, loan);
            ForEachProfile("Run the script block", (profile, variables) => run.Run(profile, variables, IsLabeled), RunOne);
        }
        else
        {
            var program = ProgramFile.Find(FilePath!, InvokeCommand, SessionState.Path.CurrentFileSystemLocation.ProviderPath);
            using var run = new ProgramRuns(program.With(ArgumentList), ThrottleLimit, Output());
            ForEachProfile($"Run {program.Name}", (profile, variables) => run.Start(profile.ProfileName, variables), (_, work) => work());
            run.Finish();
        }
    }

    /// <summary>Whether there can be several profiles, so that the output says which one it is of.</summary>
    private bool IsLabeled => !NamesProfiles;

    /// <summary>Does the work for each profile that is meant, once its keys are valid.</summary>
    private void ForEachProfile(
        string action, Action<SsoProfile, (string Name, string? Value)[]> work, Action<SsoProfile, Action> guard)
    {
        var agreed = Wanted().Where(profile => ShouldProcess(profile.ProfileName, action)).ToList();
        ambiguous = new(agreed.GroupBy(profile => profile.ProfileName).Where(group => group.Count() > 1).Select(group => group.Key));
        var isFirst = true;
        foreach (var profile in Refreshed(agreed))
        {
            // What ran before this one may have taken an hour, or removed it.
            if (isFirst || (IsStillThere(profile) && Refreshed([profile]).Count > 0))
            {
                isFirst = false;
                OrReport(agreed.Count, () =>
                {
                    if (VariablesOf(profile) is { } variables)
                    {
                        guard(profile, () => work(profile, variables));
                    }
                });
            }
        }
    }

    /// <summary>
    /// Runs the block for one profile; where its output is labeled, its error is that of the profile and does not end the rest.
    /// </summary>
    private void RunOne(SsoProfile profile, Action work)
    {
        if (!IsLabeled)
        {
            work();
            return;
        }

        SsoException? failed = null;
        var code = new LastExitCode(SessionState.PSVariable);
        try
        {
            work();
        }
        catch (RuntimeException fault) when (fault is not PipelineStoppedException && !Stopping)
        {
            failed = SsoErrors.CommandFailed(profile.ProfileName, fault);
        }

        failed ??= code.Failure is { } number ? SsoErrors.CommandEnded("The script block", profile.ProfileName, number) : null;
        if (failed is not null)
        {
            Report(failed);
        }
    }

    /// <summary>The profiles that are named or piped, in their order; what does not exist is reported.</summary>
    private List<SsoProfile> Wanted()
    {
        if (NamesProfiles && OneProfile(out _) is null)
        {
            return [];
        }

        // What cannot be used of other environments matters only where a profile is not found.
        var targets = NamedTargets();
        var failures = Failures;
        var environments = targets.Count == 0 ? [] : Environments(usableOnly: true);
        var profiles = environments.SelectMany(environment => environment.AsProfiles()).ToArray();
        var byName = profiles.ToLookup(profile => profile.ProfileName);
        var wanted = new List<SsoProfile>();
        foreach (var target in targets)
        {
            if (byName[target.ProfileName!].FirstOrDefault(profile => target.Matches(profile)) is { } found)
            {
                wanted.Add(found);
                continue;
            }

            if (Failures == failures)
            {
                OrReport(targets.Count, () => _ = Environments());
            }

            // What is wrong with an environment was reported instead.
            var others = profiles.Where(profile => target.Matches(profile.Environment)).Select(profile => profile.ProfileName).ToArray();
            if (Failures == failures || others.Length > 0)
            {
                Report(SsoErrors.ProfileNotFound(target.ProfileName!, target.Environment?.Literal, others));
            }
        }

        return wanted;
    }

    /// <summary>Whether a profile still exists; where it does not, that is reported.</summary>
    private bool IsStillThere(SsoProfile profile)
    {
        var work = new GetEnvironmentWork { Names = [profile.Environment] };
        var names = Look(work, happened => happened.Environment)
            .SelectMany(environment => environment.AsProfiles())
            .Select(known => known.ProfileName)
            .ToArray();
        if (names.Contains(profile.ProfileName))
        {
            return true;
        }

        Report(SsoErrors.ProfileNotFound(profile.ProfileName, profile.Environment, names));
        return false;
    }

    /// <summary>The profiles that have valid keys, after what is due was fetched. The others are reported.</summary>
    private List<SsoProfile> Refreshed(List<SsoProfile> profiles)
    {
        var failed = new HashSet<SsoProfile>();
        var inFile = profiles.Where(profile => !HasOwnKeys(profile) && !profile.IsServed);
        foreach (var group in inFile.GroupBy(profile => profile.Environment, StringComparer.OrdinalIgnoreCase))
        {
            var work = new UpdateWork
            {
                Targets = [new UpdateTarget { Environment = group.Key, Profiles = [.. group.Select(profile => profile.ProfileName)] }],
                MinimumRemaining = MinimumRemaining.WholeSeconds(),
                ThrottleLimit = FetchLimit,
                Session = Terms(),
                ReportProfiles = true,
            };
            var isRun = OrReport(profiles.Count, () => Run(work, happened => happened.Profile, result =>
            {
                if (result.Status > SsoProfileStatus.StillValid)
                {
                    failed.UnionWith(group.Where(profile => profile.ProfileName == result.ProfileName));
                }
            }));
            if (!isRun)
            {
                failed.UnionWith(group);
            }
        }

        return profiles.Where(profile => !failed.Contains(profile)).ToList();
    }

    /// <summary>What to set for a profile; null if its keys could not be fetched, which was reported.</summary>
    private (string Name, string? Value)[]? VariablesOf(SsoProfile profile)
    {
        if (profile.IsServed && !AsEnvironmentVariable)
        {
            return EndpointOf(profile);
        }

        if (!HasOwnKeys(profile))
        {
            return CredentialVariables.ForProfile(profile);
        }

        var work = new GetKeysWork
        {
            Profile = profile.ProfileName,
            Environments = [profile.Environment],
            MinimumRemaining = MinimumRemaining.WholeSeconds(),
            Session = Terms(),
        };
        return Run(work, happened => happened.Keys).FirstOrDefault() is { } keys ? CredentialVariables.ForKeys(profile, keys) : null;
    }

    /// <summary>What leads to an endpoint with the keys of a profile, which the credentials file does not get.</summary>
    private (string Name, string? Value)[]? EndpointOf(SsoProfile profile) =>
        StartEndpoint(profile.ProfileName, [profile.Environment]) is { } endpoint
            ? [.. EndpointVariables.For(endpoint), .. CredentialVariables.ForRegion(profile)]
            : null;

    /// <summary>
    /// Whether a profile gets its keys in variables. Where two environments have a profile of this name, the credentials file has the keys
    /// of one of them only.
    /// </summary>
    private bool HasOwnKeys(SsoProfile profile) => AsEnvironmentVariable || ambiguous.Contains(profile.ProfileName);

    /// <summary>Does the work; where there are several profiles, an error of one is reported and does not end the rest.</summary>
    /// <returns>Whether it was done.</returns>
    private bool OrReport(int profiles, Action work)
    {
        try
        {
            work();
            return true;
        }
        catch (SsoException error) when (profiles > 1)
        {
            Report(error);
            return false;
        }
    }

    private ProgramOutput Output() => new()
    {
        Write = (name, line) => WriteObject(IsLabeled ? OutputLabel.On(line, name) : line),
        WriteError = (name, line) => WriteErrorText(IsLabeled ? $"{ShownText.Of(name)}: {line}" : line),
        Begin = name =>
        {
            if (IsLabeled)
            {
                WriteObject(OutputLabel.Header(name));
            }
        },
        Report = Report,
        IsStopping = () => Stopping,
    };
}
