using System;
using System.Collections.Generic;
using System.Linq;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What the cmdlets that look at stored environments have in common: which environments are meant, and which of their profiles.</summary>
public abstract class EnvironmentCmdlet : SsoCmdlet
{
    private readonly List<NamePattern> wanted = [];

    private protected EnvironmentCmdlet()
    {
    }

    /// <summary>The environments of this moment's input, by name or wildcards; null where none is given.</summary>
    private protected abstract string[]? Named { get; }

    /// <summary>Takes what else this moment's input has.</summary>
    private protected virtual void TakeInput()
    {
    }

    /// <summary>Whether there is anything to do; a pipeline that brought nothing is not a wish for every environment.</summary>
    private protected virtual bool IsAsked => wanted.Count > 0 || !MyInvocation.ExpectingInput;

    /// <summary>Collects names: all of the input is one run.</summary>
    protected sealed override void ProcessRecord()
    {
        wanted.AddRange((Named ?? []).Select(name => new NamePattern(name, ignoreCase: true)));
        TakeInput();
    }

    /// <summary>Does the work, once for all of the input.</summary>
    protected sealed override void EndProcessing()
    {
        if (IsAsked)
        {
            RunAll();
        }
    }

    /// <summary>The names without wildcards that are meant.</summary>
    private protected IEnumerable<string> LiteralNames => wanted.Where(name => name.IsLiteral).Select(name => name.Literal);

    /// <summary>Does the work for the environments that <see cref="Ask"/> tells of.</summary>
    private protected abstract void RunAll();

    /// <summary>
    /// Asks the library about the environments that are meant, and gives its answers. The names go into the question, so that an unknown one
    /// is an error; for wildcards, or where nothing was named, every stored environment is asked about.
    /// </summary>
    private protected List<T> Ask<T>(Func<string[], SsoWork> question, Func<SsoEvent, T?> answerOf, Func<T, string> environmentOf)
        where T : class
    {
        var answers = new List<T>();
        var literals = wanted.Where(name => name.IsLiteral).Select(name => name.Literal).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var patterns = wanted.Where(name => !name.IsLiteral).ToArray();
        if (literals.Length > 0)
        {
            Collect(literals, _ => true);
        }

        if (patterns.Length > 0 || wanted.Count == 0)
        {
            var known = new HashSet<string>(answers.Select(environmentOf), StringComparer.OrdinalIgnoreCase);
            Collect([], name => !known.Contains(name) && (wanted.Count == 0 || patterns.Any(pattern => pattern.Matches(name))));
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

    /// <summary>Gives what tells whether a profile is meant by -ProfileName; a name without wildcards that no profile has is an error.</summary>
    private protected Func<string, bool> MeantProfiles(string[] names, string[] existing)
    {
        var patterns = new NamePatterns(names, ignoreCase: false);
        var meant = new HashSet<string>(existing.Where(name => patterns.Match(name)), StringComparer.Ordinal);
        foreach (var missing in patterns.Missing)
        {
            Report(SsoErrors.ProfileNotFound(missing, existing));
        }

        return meant.Contains;
    }

    /// <summary>The one profile that is named; several, or wildcards, are an error.</summary>
    private protected string OneProfile(string[] names)
    {
        var patterns = NamePattern.All(names, ignoreCase: false);
        if (patterns.Length != 1 || !patterns[0].IsLiteral)
        {
            ThrowTerminatingError(SsoErrors.OneProfileOnly(string.Join(", ", names)).ToRecord());
        }

        return patterns[0].Literal;
    }
}
