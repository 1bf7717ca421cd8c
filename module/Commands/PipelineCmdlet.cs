using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// The base of the cmdlets that act on environments or profiles: which ones are meant. Names in parameters take wildcards; what is piped is
/// taken literally, and where something is piped, nothing else is acted on.
/// </summary>
public abstract class PipelineCmdlet : SsoCmdlet
{
    private readonly List<PipedTarget> piped = [];
    private readonly HashSet<string> reported = new(StringComparer.Ordinal);
    private NamePattern[] named = [];
    private string[]? namedProfiles;
    private bool isInputExpected;

    private protected PipelineCmdlet()
    {
    }

    /// <summary>Objects of the module's cmdlets or names, usually from a pipeline: only what they mean is acted on.</summary>
    [Parameter(ValueFromPipeline = true)]
    public PSObject[]? InputObject { get; set; }

    /// <summary>The value of the parameter for environments; null if it was not given.</summary>
    private protected abstract string[]? Named { get; }

    /// <summary>The value of the parameter for profiles; null if it was not given, or if the cmdlet has no such parameter.</summary>
    private protected virtual string[]? NamedProfiles => null;

    /// <summary>What the cmdlet takes from the pipeline.</summary>
    private protected virtual PipelineInput Accepts => PipelineInput.Environments;

    /// <summary>Whether there is anything to do; an empty pipeline does not mean every environment.</summary>
    private protected virtual bool IsAsked => piped.Count > 0 || !isInputExpected;

    /// <summary>What a user can run instead, where the object that was piped belongs to this environment.</summary>
    private protected virtual string Instead(PipedKinds kind, string environment) =>
        $"To act on the whole environment, name it: {MyInvocation.MyCommand.Name} {environment}.";

    /// <summary>Prepares the cmdlet, once its parameters of the command line are known.</summary>
    private protected virtual void Begin()
    {
    }

    /// <summary>Does the work, once for all of the input.</summary>
    private protected abstract void RunAll();

    /// <summary>Takes the names of the command line: those of the pipeline come later.</summary>
    protected sealed override void BeginProcessing()
    {
        if (Shell.IsRemote || DirectOutput.IsSerialized())
        {
            StateNames.Keep();
        }

        Begin();
        isInputExpected = MyInvocation.ExpectingInput || MyInvocation.BoundParameters.ContainsKey(nameof(InputObject));
        named = NamePattern.All(Named, ignoreCase: true);
        namedProfiles = NamedProfiles;
        if (Accepts.Needed is { } missing && !isInputExpected)
        {
            ThrowTerminatingError(SsoErrors.NameNeeded(MyInvocation.MyCommand.Name, missing).ToRecord());
        }
    }

    /// <summary>Collects what is piped: all of the input is one run.</summary>
    protected sealed override void ProcessRecord()
    {
        var reader = new PipelineReader(MyInvocation.MyCommand.Name, Accepts, named, NamesProfiles, Instead, Refuse);
        foreach (var item in PipedObject.All(InputObject ?? []))
        {
            // A script block as the value of a parameter gives the names of this object.
            piped.AddRange(reader.Targets(item, named.Length > 0 ? null : Named, namedProfiles is null ? NamedProfiles : null));
        }
    }

    /// <summary>Runs the cmdlet.</summary>
    protected sealed override void EndProcessing()
    {
        if (IsAsked)
        {
            OrTerminate(RunAll);
        }
    }

    /// <summary>Acts on this profile as if it had been piped.</summary>
    private protected void Choose(SsoProfile profile)
    {
        isInputExpected = true;
        piped.Add(PipedTarget.Of(profile));
    }

    /// <summary>The names of environments without wildcards that are meant.</summary>
    private protected IEnumerable<string> LiteralNames => Asked().Where(name => name.IsLiteral).Select(name => name.Literal);

    /// <summary>Whether the command line names profiles.</summary>
    private protected bool NamesProfiles => namedProfiles is not null;

    /// <summary>Whether the command line names environments.</summary>
    private protected bool NamesEnvironments => named.Length > 0;

    /// <summary>What is piped; empty where nothing is.</summary>
    private protected IReadOnlyList<PipedTarget> Piped => piped;

    /// <summary>Whether some profiles of an environment may be meant, and not all of them.</summary>
    private protected bool IsPartial => namedProfiles is not null || piped.Any(target => !target.IsWhole);

    /// <summary>Whether a profile can be meant by its account or role, so that its name is not enough to tell.</summary>
    private protected bool IsByAccount => piped.Any(target => target.ProfileName is null && target.AccountId is not null);

    /// <summary>Whether every profile of the environment is meant.</summary>
    private protected bool IsWhole(string environment) =>
        namedProfiles is null && (!isInputExpected || piped.Any(target => target.IsWhole && target.Matches(environment)));

    /// <summary>The names and patterns of environments that are asked about; none where every one is.</summary>
    private protected NamePattern[] Asked() => !isInputExpected
        ? named
        : piped.SelectMany(target => target.Environment is { } environment ? [environment] : named).Distinct().ToArray();

    /// <summary>
    /// Asks the library about the environments that are meant, and gives its answers. The names are in the question, so that an unknown one
    /// is an error; for wildcards, or where nothing was named, every stored environment is asked about.
    /// </summary>
    private protected List<T> Ask<T>(Func<string[], SsoWork> question, Func<SsoEvent, T?> answerOf, Func<T, string> environmentOf)
        where T : class
    {
        var answers = new List<T>();
        var literals = LiteralNames.Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var patterns = Asked().Where(name => !name.IsLiteral).ToArray();
        var isEveryOne = named.Length == 0 && (!isInputExpected || piped.Any(target => target.Environment is null));
        if (literals.Length > 0)
        {
            answers.AddRange(Run(question(literals), answerOf));
        }

        if (patterns.Length > 0 || isEveryOne)
        {
            var known = new HashSet<string>(answers.Select(environmentOf), StringComparer.OrdinalIgnoreCase);
            answers.AddRange(Run(question([]), answerOf).Where(answer => IsMeant(environmentOf(answer), known)));
        }

        foreach (var pattern in patterns.Where(pattern => !answers.Any(answer => pattern.Matches(environmentOf(answer)))))
        {
            WarnOfNoMatch("environment", pattern.Written);
        }

        return answers;

        bool IsMeant(string name, HashSet<string> known) =>
            !known.Contains(name) && (isEveryOne || patterns.Any(pattern => pattern.Matches(name)));
    }

    /// <summary>The sessions of the environments that are meant. Nothing is sent for it.</summary>
    private protected List<SsoSession> Sessions() => Ask(
        names => new GetSessionWork { Environments = names },
        happened => happened.Session,
        session => session.Environment);

    /// <summary>The environments that are meant.</summary>
    /// <param name="storedOnly">Whether those of the AWS config file are left out unless they are named.</param>
    /// <param name="usableOnly">Whether those that cannot be used are left out without an error.</param>
    private protected List<SsoEnvironment> Environments(bool storedOnly = false, bool usableOnly = false) => Ask(
        names => new GetEnvironmentWork { Names = names, StoredOnly = storedOnly, UsableOnly = usableOnly },
        happened => happened.Environment,
        environment => environment.Name);

    /// <summary>
    /// The environments that are meant and that the user agrees to. If the list is empty, run nothing: to the library, no name means all.
    /// </summary>
    private protected string[] Agreed(string action) =>
        Sessions().Select(session => session.Environment).Where(name => ShouldProcess(name, action)).ToArray();

    /// <summary>The profiles of these environments that are meant; what is named or piped and does not exist is reported.</summary>
    private protected List<SsoProfile> MeantProfiles(List<SsoEnvironment> environments) => Meant(
        environments.Select(environment => environment.Name),
        environments.SelectMany(environment => environment.AsProfiles()).ToList(),
        profile => profile);

    /// <summary>
    /// The rows whose profile is meant. <paramref name="rows"/> are all rows of the environments that answered; what is named or piped and
    /// is not among them is reported.
    /// </summary>
    private protected List<T> Meant<T>(IEnumerable<string> environments, List<T> rows, Func<T, SsoProfile> profileOf)
    {
        var answered = new HashSet<string>(environments, StringComparer.OrdinalIgnoreCase);
        if (answered.Count == 0 && (Failures > 0 || reported.Count > 0))
        {
            // The environments themselves were reported.
            return [];
        }

        var all = rows.Select(profileOf).ToArray();
        var isPiped = MatchPiped(all, answered);
        var patterns = new NamePatterns(namedProfiles, ignoreCase: false);
        var meant = rows.Where((_, row) => isPiped[row] && patterns.Match(all[row].ProfileName)).ToList();
        var existing = all.Where((_, row) => isPiped[row]).Select(profile => profile.ProfileName).ToArray();
        ReportMissing(patterns, "profile", name => SsoErrors.ProfileNotFound(name, null, existing));
        return meant;
    }

    /// <summary>
    /// The profiles that are named or piped, for cmdlets that take each by its exact name; accounts and roles are looked up.
    /// </summary>
    private protected List<PipedTarget> NamedTargets()
    {
        if (namedProfiles is not null)
        {
            return NamePattern.All(namedProfiles, ignoreCase: false)
                .Select(name => new PipedTarget { ProfileName = name.IsLiteral ? name.Literal : null })
                .ToList();
        }

        var byAccount = piped.Where(target => target.ProfileName is null).ToArray();
        var found = byAccount.Length == 0
            ? []
            : MeantProfiles(Environments()).Where(profile => byAccount.Any(target => target.Matches(profile)));
        return piped
            .Where(target => target.ProfileName is not null)
            .Concat(found.Select(PipedTarget.Of))
            .GroupBy(target => target.Key)
            .Select(group => group.First())
            .ToList();
    }

    /// <summary>
    /// The one profile that is named or piped; null where nothing was found, which is reported. Several, or wildcards, are an error.
    /// </summary>
    private protected string? OneProfile(out string[] environments)
    {
        var before = reported.Count;
        var targets = NamedTargets();
        environments = [];
        if (targets.Count == 0 && reported.Count > before)
        {
            return null;
        }

        if (targets.Count != 1 || targets[0].ProfileName is null)
        {
            throw SsoErrors.OneProfileOnly(string.Join(", ", namedProfiles ?? targets.Select(target => target.ProfileName!).ToArray()));
        }

        environments = targets[0].Environment is { } environment ? [environment.Literal]
            : Asked().Any(name => !name.IsLiteral) ? Environments().Select(found => found.Name).ToArray()
            : LiteralNames.Distinct(StringComparer.OrdinalIgnoreCase).ToArray();

        // A pattern that matches no environment was reported, and no name would mean every environment.
        return environments.Length == 0 && Asked().Length > 0 ? null : targets[0].ProfileName;
    }

    /// <summary>Reports a pattern that matches nothing, once. It is no error, as nowhere in PowerShell.</summary>
    private protected void WarnOfNoMatch(string what, string pattern)
    {
        var text = $"No {what} matches '{pattern}'.";
        if (IsSilent)
        {
            // A warning would be in the way of the answer.
            Terminate(SsoErrors.NoMatch(text, pattern));
            return;
        }

        if (reported.Add(text))
        {
            Warn(text);
        }
    }

    /// <summary>Reports the names and patterns that matched nothing; returns true if all of them matched.</summary>
    private protected bool ReportMissing(NamePatterns patterns, string what, Func<string, SsoException> notFound)
    {
        var missing = patterns.Missing.ToArray();
        foreach (var name in missing)
        {
            if (name.IsLiteral)
            {
                Report(notFound(name.Literal));
            }
            else
            {
                WarnOfNoMatch(what, name.Written);
            }
        }

        return missing.Length == 0;
    }

    /// <summary>Does the work for each environment; where there are several, one that fails does not keep the others from theirs.</summary>
    private protected void ForEach(IReadOnlyCollection<string> environments, Action<string> work)
    {
        foreach (var environment in environments)
        {
            try
            {
                work(environment);
            }
            catch (SsoException error) when (environments.Count > 1)
            {
                Report(error);
            }
        }
    }

    /// <summary>Writes an error for one object of the pipeline; the same error once.</summary>
    private void Refuse(string message, string action, string? target)
    {
        if (reported.Add(message))
        {
            Report(SsoErrors.InputNotAccepted(message, action, target));
        }
    }

    /// <summary>
    /// Whether each profile is piped, or nothing is; a target that has no profile in the environments that answered is reported.
    /// </summary>
    private bool[] MatchPiped(SsoProfile[] profiles, HashSet<string> answered)
    {
        if (!isInputExpected)
        {
            return profiles.Select(_ => true).ToArray();
        }

        var match = new PipedMatch(piped, profiles);
        var missing = match.Missing(answered).ToArray();
        foreach (var target in missing.Where(target => target.ProfileName is not null))
        {
            var existing = profiles.Where(profile => target.Matches(profile.Environment)).Select(profile => profile.ProfileName).ToArray();
            Report(SsoErrors.ProfileNotFound(target.ProfileName!, target.Environment?.Literal, existing));
        }

        var ofAccounts = missing.Where(target => target.ProfileName is null);
        foreach (var group in ofAccounts.GroupBy(target => target.Environment!.Literal, StringComparer.OrdinalIgnoreCase))
        {
            var accounts = group.Select(target => target.Account).Distinct(StringComparer.Ordinal).ToArray();
            var error = SsoErrors.NoProfileFor(group.Key, accounts);
            reported.Add(error.Message);
            if (!IsSilent && MyInvocation.MyCommand is CmdletInfo { Verb: VerbsCommon.Get })
            {
                // A list of what is there can be empty; work that was wanted and cannot be done is an error.
                WriteWarning(error.Message);
            }
            else
            {
                Report(error);
            }
        }

        return match.IsPiped;
    }
}
