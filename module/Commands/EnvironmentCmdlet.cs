using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// What the cmdlets that look at environments have in common: which environments are meant, and which of their profiles. Names that are
/// given as parameters take wildcards; what is piped is taken as it is, and where something is piped nothing else is acted on.
/// </summary>
public abstract class EnvironmentCmdlet : SsoCmdlet
{
    /// <summary>More accounts than this would hide the rest of a message.</summary>
    private const int MostAccounts = 5;

    private protected const string WholeText = "names of environments and objects from Get-SsoEnvironment or Get-SsoSession";
    private protected const string PartsText = "profiles, accounts and roles, environments and their names, and sessions";

    private readonly List<PipedTarget> piped = [];
    private readonly HashSet<string> reported = new(StringComparer.Ordinal);
    private NamePattern[] named = [];
    private string[]? namedProfiles;
    private bool isInputExpected;

    private protected EnvironmentCmdlet()
    {
    }

    /// <summary>Objects of the module's cmdlets or names, usually from a pipeline: only what they mean is acted on.</summary>
    [Parameter(ValueFromPipeline = true)]
    public PSObject[]? InputObject { get; set; }

    /// <summary>The value of the parameter for environments; null where it was not given.</summary>
    private protected abstract string[]? Named { get; }

    /// <summary>The value of the parameter for profiles; null where it was not given or there is none.</summary>
    private protected virtual string[]? NamedProfiles => null;

    /// <summary>What may be piped to the cmdlet.</summary>
    private protected virtual PipedKinds Takes => PipedKinds.Whole;

    /// <summary>What may be piped, as a message says it.</summary>
    private protected virtual string TakesText => WholeText;

    /// <summary>Whether text in the pipeline is the name of a profile, as it is where the first parameter takes a profile.</summary>
    private protected virtual bool IsTextProfile => false;

    /// <summary>Whether there is anything to do; a pipeline that brought nothing is not a wish for every environment.</summary>
    private protected virtual bool IsAsked => piped.Count > 0 || !isInputExpected;

    /// <summary>What has to be named or piped, as a message says it; null where nothing means everything.</summary>
    private protected virtual string? NeedsInput => null;

    /// <summary>What a user can run instead, where the object that was piped belongs to this environment.</summary>
    private protected virtual string Instead(PipedKinds kind, string environment) =>
        $"To act on the whole environment, name it: {MyInvocation.MyCommand.Name} {environment}.";

    /// <summary>Prepares the cmdlet, once its parameters of the command line are known.</summary>
    private protected virtual void Begin()
    {
    }

    /// <summary>Takes the names of the command line: those of the pipeline come later.</summary>
    protected sealed override void BeginProcessing()
    {
        Begin();
        isInputExpected = MyInvocation.ExpectingInput || MyInvocation.BoundParameters.ContainsKey(nameof(InputObject));
        named = NamePattern.All(Named, ignoreCase: true);
        namedProfiles = NamedProfiles;
        if (NeedsInput is { } missing && !isInputExpected)
        {
            ThrowTerminatingError(SsoErrors.InputNotAccepted($"{MyInvocation.MyCommand.Name} needs {missing}.", "Name it as a parameter, or pipe it.").ToRecord());
        }
    }

    /// <summary>Collects what is piped: all of the input is one run.</summary>
    protected sealed override void ProcessRecord()
    {
        foreach (var item in PipedObject.All(InputObject ?? []))
        {
            // A script block as the value of a parameter gives the names of this object.
            piped.AddRange(Targets(item, named.Length > 0 ? null : Named, namedProfiles is null ? NamedProfiles : null));
        }
    }

    /// <summary>Does the work, once for all of the input.</summary>
    protected sealed override void EndProcessing()
    {
        if (IsAsked)
        {
            RunAll();
        }
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

    /// <summary>Does the work for the environments that <see cref="Ask"/> tells of.</summary>
    private protected abstract void RunAll();

    /// <summary>Whether every profile of the environment is meant.</summary>
    private protected bool IsWhole(string environment) =>
        namedProfiles is null && (!isInputExpected || piped.Any(target => target.IsWhole && target.Matches(environment)));

    /// <summary>
    /// Asks the library about the environments that are meant, and gives its answers. The names go into the question, so that an unknown one
    /// is an error; for wildcards, or where nothing was named, every stored environment is asked about.
    /// </summary>
    private protected List<T> Ask<T>(Func<string[], SsoWork> question, Func<SsoEvent, T?> answerOf, Func<T, string> environmentOf)
        where T : class
    {
        var answers = new List<T>();
        var asked = Asked();
        var literals = asked.Where(name => name.IsLiteral).Select(name => name.Literal).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var patterns = asked.Where(name => !name.IsLiteral).ToArray();
        var isEveryOne = named.Length == 0 && (!isInputExpected || piped.Any(target => target.Environment is null));
        if (literals.Length > 0)
        {
            Collect(literals, _ => true);
        }

        if (patterns.Length > 0 || isEveryOne)
        {
            var known = new HashSet<string>(answers.Select(environmentOf), StringComparer.OrdinalIgnoreCase);
            Collect([], name => !known.Contains(name) && (isEveryOne || patterns.Any(pattern => pattern.Matches(name))));
        }

        foreach (var pattern in patterns.Where(pattern => !answers.Any(answer => pattern.Matches(environmentOf(answer)))))
        {
            WarnOfNoMatch("environment", pattern.Written);
        }

        return answers;

        void Collect(string[] names, Func<string, bool> isMeant) => Run(question(names), happened =>
        {
            if (answerOf(happened) is { } answer && isMeant(environmentOf(answer)))
            {
                answers.Add(answer);
            }
        });
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

    /// <summary>Reports the names and patterns that matched nothing, and gives whether there are none.</summary>
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

    /// <summary>How the sessions of the environments stand that are meant. Nothing is sent for it.</summary>
    private protected List<SsoSession> Sessions() => Ask(
        names => new SsoWork { GetSession = new GetSessionWork { Environments = names } },
        happened => happened.Session,
        session => session.Environment);

    /// <summary>The environments that are meant; <paramref name="storedOnly"/> leaves those of the AWS config file out unless they are named, <paramref name="usableOnly"/> leaves out in silence what cannot be used.</summary>
    private protected List<SsoEnvironment> Environments(bool storedOnly = false, bool usableOnly = false) => Ask(
        names => new SsoWork { GetEnvironment = new GetEnvironmentWork { Names = names, StoredOnly = storedOnly, UsableOnly = usableOnly } },
        happened => happened.Environment,
        environment => environment.Name);

    /// <summary>The environments that are meant and that the user agrees to; where there are none, nothing is to be run, since no name means all.</summary>
    private protected string[] Agreed(string action) =>
        Sessions().Select(session => session.Environment).Where(name => ShouldProcess(name, action)).ToArray();

    /// <summary>The profiles that are meant, of these environments; what is named or piped and not there is reported.</summary>
    private protected List<SsoProfile> MeantProfiles(List<SsoEnvironment> environments) =>
        Meant(environments.Select(environment => environment.Name), environments.SelectMany(ProfilesOf).ToList(), profile => profile);

    /// <summary>
    /// Leaves the rows whose profile is meant. <paramref name="rows"/> are all rows of the environments that answered; what is named or piped
    /// and not among them is reported.
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

    /// <summary>Whether a profile can be meant by its account or role, so that its name is not enough to tell.</summary>
    private protected bool IsByAccount => piped.Any(target => target.ProfileName is null && target.AccountId is not null);

    /// <summary>Writes an error for one object of the pipeline; the same error once.</summary>
    private protected void Refuse(string message, string action, object? target = null)
    {
        if (reported.Add(message))
        {
            Report(SsoErrors.InputNotAccepted(message, action, target));
        }
    }

    /// <summary>The profiles that are named or piped, for cmdlets that take each by its exact name; accounts and roles are looked up.</summary>
    private protected List<PipedTarget> NamedTargets()
    {
        if (namedProfiles is not null)
        {
            return NamePattern.All(namedProfiles, ignoreCase: false).Select(name => new PipedTarget { ProfileName = name.IsLiteral ? name.Literal : null }).ToList();
        }

        var byAccount = piped.Where(target => target.ProfileName is null).ToArray();
        var found = byAccount.Length == 0
            ? []
            : MeantProfiles(Environments()).Where(profile => byAccount.Any(target => target.Matches(profile)));
        return piped
            .Where(target => target.ProfileName is not null)
            .Concat(found.Select(profile => new PipedTarget
            {
                Environment = NamePattern.Exactly(profile.Environment, ignoreCase: true),
                ProfileName = profile.ProfileName,
                AccountId = profile.AccountId,
                RoleName = profile.RoleName,
            }))
            .GroupBy(target => Key(target.Environment?.Literal ?? "", target.ProfileName!))
            .Select(group => group.First())
            .ToList();
    }

    /// <summary>The one profile that is named or piped, null where nothing was found, which is reported; several, or wildcards, are an error.</summary>
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
            var names = namedProfiles ?? targets.Select(target => target.ProfileName!).ToArray();
            ThrowTerminatingError(SsoErrors.OneProfileOnly(string.Join(", ", names)).ToRecord());
        }

        environments = targets[0].Environment is { } environment ? [environment.Literal]
            : Asked() is { Length: > 0 } asked && asked.Any(name => !name.IsLiteral) ? Environments().Select(found => found.Name).ToArray()
            : LiteralNames.Distinct(StringComparer.OrdinalIgnoreCase).ToArray();

        // A pattern that matches no environment was reported, and no name would mean every environment.
        return environments.Length == 0 && Asked().Length > 0 ? null : targets[0].ProfileName;
    }

    /// <summary>The profiles of an environment's table.</summary>
    private protected static IEnumerable<SsoProfile> ProfilesOf(SsoEnvironment environment) => environment.Account.Select(row => new SsoProfile(environment, row));

    private static string Key(string environment, string profile) => $"{environment.ToUpperInvariant()}\n{profile}";

    /// <summary>The names and patterns of environments that are asked about; none where every one is.</summary>
    private protected NamePattern[] Asked() => !isInputExpected
        ? named
        : piped.SelectMany(target => target.Environment is { } environment ? [environment] : named).Distinct().ToArray();

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
            catch (SsoException error)
            {
                ThrowTerminatingError(error.ToRecord());
            }
        }
    }

    /// <summary>What an object of the pipeline means; nothing where it is refused, which is reported.</summary>
    private IEnumerable<PipedTarget> Targets(PipedObject item, string[]? environments, string[]? profiles)
    {
        var isText = item.Text is not null && environments is null && profiles is null;
        var environmentNames = (environments ?? (isText ? [] : item.Environments)).Select(name => NamePattern.Exactly(name, ignoreCase: true)).ToArray();
        if (isText)
        {
            return TextTargets(item.Text!);
        }

        // Names that a script block gives are those of the object, whatever it is.
        var kind = profiles is not null ? PipedKinds.Profile : environments is not null && item.Kind is PipedKinds.Name or PipedKinds.None ? PipedKinds.Name : item.Kind;
        var names = profiles ?? item.Profiles;
        var command = MyInvocation.MyCommand.Name;
        if ((Takes & kind) == 0)
        {
            var environment = environmentNames.FirstOrDefault()?.Literal ?? "<name>";
            Refuse($"{Sentence(item.Description)} was piped to {command}, which takes {TakesText}. Nothing was done for it.", Instead(kind, environment), environmentNames.FirstOrDefault()?.Literal);
            return [];
        }

        var isIncomplete = kind switch
        {
            PipedKinds.Profile => names.Length == 0,
            PipedKinds.Account or PipedKinds.Role => item.AccountId is null || environmentNames.Length == 0,
            _ => environmentNames.Length == 0,
        };
        if (isIncomplete)
        {
            Refuse(
                $"{Sentence(item.Description)} without {Missing(kind)} was piped to {command}. Nothing was done for it.",
                $"Pipe the object as it is, without Select-Object; {command} takes {TakesText}.");
            return [];
        }

        if (named.Length > 0 && environmentNames.Where(name => !named.Any(pattern => pattern.Matches(name.Literal))).ToArray() is { Length: > 0 } others)
        {
            Refuse(
                $"{Sentence(item.Description)} of {others[0].Literal} was piped to {command}, whose parameters name another environment. Nothing was done for it.",
                "Leave out the name of the environment, or pipe only objects of it.",
                others[0].Literal);
            return [];
        }

        return (environmentNames.Length == 0 ? [null] : environmentNames.Cast<NamePattern?>()).SelectMany(environment => kind switch
        {
            PipedKinds.Profile => names.Select(name => new PipedTarget { Environment = environment, ProfileName = name, AccountId = item.AccountId, RoleName = item.RoleName, AccountName = item.AccountName }),
            PipedKinds.Account => [new PipedTarget { Environment = environment, AccountId = item.AccountId, AccountName = item.AccountName, EmailAddress = item.EmailAddress }],
            PipedKinds.Role => [new PipedTarget { Environment = environment, AccountId = item.AccountId, RoleName = item.RoleName, AccountName = item.AccountName, EmailAddress = item.EmailAddress }],
            _ => new[] { new PipedTarget { Environment = environment } },
        });
    }

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text.Substring(1);

    private static string Missing(PipedKinds kind) => kind switch
    {
        PipedKinds.Profile => "a ProfileName",
        PipedKinds.Account or PipedKinds.Role => "an Environment and an AccountId",
        _ => "the name of an environment",
    };

    private IEnumerable<PipedTarget> TextTargets(string text)
    {
        var command = MyInvocation.MyCommand.Name;
        if (text.Length == 0)
        {
            Refuse($"An empty name was piped to {command}. Nothing was done for it.", $"Pipe {TakesText}.");
            return [];
        }

        if (IsTextProfile && namedProfiles is null)
        {
            return [new PipedTarget { ProfileName = text }];
        }

        if (named.Length > 0)
        {
            Refuse(
                $"The name '{text}' was piped to {command}, whose parameters name an environment already. Nothing was done for it.",
                "Name profiles with -ProfileName, and environments in one way only.",
                text);
            return [];
        }

        if ((Takes & PipedKinds.Name) == 0)
        {
            Refuse($"The name '{text}' was piped to {command}, which takes {TakesText}. Nothing was done for it.", Instead(PipedKinds.Name, text), text);
            return [];
        }

        return [new PipedTarget { Environment = new NamePattern(text, ignoreCase: true) }];
    }

    /// <summary>Tells for each profile whether it is piped, or nothing is; a target that has no profile in the environments that answered is reported.</summary>
    private bool[] MatchPiped(SsoProfile[] profiles, HashSet<string> answered)
    {
        if (!isInputExpected)
        {
            return profiles.Select(_ => true).ToArray();
        }

        // Most targets are pairs of two names, and there can be thousands of them.
        var pairs = piped.Where(IsPair).ToLookup(target => Key(target.Environment!.Literal, target.ProfileName!));
        var others = piped.Where(target => !IsPair(target)).ToArray();
        var met = new HashSet<PipedTarget>();
        var isPiped = profiles.Select(profile =>
        {
            var matching = pairs[Key(profile.Environment, profile.ProfileName)].Concat(others.Where(target => target.Matches(profile))).ToArray();
            met.UnionWith(matching);
            return matching.Length > 0;
        }).ToArray();
        var missing = piped
            .Where(target => !target.IsWhole && !met.Contains(target))
            .Where(target => target.Environment is null || answered.Contains(target.Environment.Literal))
            .ToArray();
        foreach (var target in missing.Where(target => target.ProfileName is not null))
        {
            var existing = profiles.Where(profile => target.Matches(profile.Environment)).Select(profile => profile.ProfileName).ToArray();
            WriteError(SsoErrors.ProfileNotFound(target.ProfileName!, target.Environment?.Literal, existing).ToRecord());
        }

        foreach (var group in missing.Where(target => target.ProfileName is null).GroupBy(target => target.Environment!.Literal, StringComparer.OrdinalIgnoreCase))
        {
            var names = group.Select(NameOfAccount).Distinct(StringComparer.Ordinal).ToArray();
            var rest = names.Length > MostAccounts ? $" and {names.Length - MostAccounts} more" : "";
            var error = SsoErrors.NoProfileFor(group.Key, string.Join(", ", names.Take(MostAccounts)) + rest);
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

        return isPiped;
    }

    private static bool IsPair(PipedTarget target) => target is { ProfileName: not null, Environment: { IsLiteral: true } };

    private static string NameOfAccount(PipedTarget target)
    {
        var account = $"account {target.AccountId}{(target.AccountName is { } name ? $" ({name})" : "")}";
        return target.RoleName is { } role ? $"{role} in {account}" : account;
    }
}
