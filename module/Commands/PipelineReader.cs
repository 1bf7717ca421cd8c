using System;
using System.Collections.Generic;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>Reads what is piped to a cmdlet. What the cmdlet does not take is refused, with what to run instead.</summary>
/// <param name="command">The cmdlet's name.</param>
/// <param name="accepts">What it takes.</param>
/// <param name="named">The environments that its parameters name.</param>
/// <param name="namesProfiles">Whether its parameters name profiles.</param>
/// <param name="instead">What a user can run instead.</param>
/// <param name="refuse">Reports an object that is not taken: what happened, what to do, and to what it happened.</param>
internal sealed class PipelineReader(
    string command,
    PipelineInput accepts,
    NamePattern[] named,
    bool namesProfiles,
    Func<PipedKinds, string, string> instead,
    Action<string, string, string?> refuse)
{
    /// <summary>What an object of the pipeline means; nothing where it is refused, which is reported.</summary>
    /// <param name="item">The object.</param>
    /// <param name="environments">The environments from a script block parameter; null if the user gave no script block.</param>
    /// <param name="profiles">The profiles from a script block parameter; null if the user gave no script block.</param>
    internal IEnumerable<PipedTarget> Targets(PipedObject item, string[]? environments, string[]? profiles)
    {
        if (item.Text is { } text && environments is null && profiles is null)
        {
            return TextTargets(text);
        }

        var ofObject = item.Text is null ? item.Environments : [];
        var environmentNames = (environments ?? ofObject).Select(name => NamePattern.Exactly(name, ignoreCase: true)).ToArray();
        var names = profiles ?? item.Profiles;

        // Names that a script block gives are those of the object, whatever it is.
        var kind = profiles is not null ? PipedKinds.Profile
            : environments is not null && item.Kind is PipedKinds.Name or PipedKinds.None ? PipedKinds.Name
            : item.Kind;
        var isMeant = IsTaken(item, kind, environmentNames)
            && IsComplete(item, kind, environmentNames, names)
            && IsOfNamed(item, environmentNames);
        var places = environmentNames.Length == 0 ? [null] : environmentNames.Cast<NamePattern?>();
        return isMeant ? places.SelectMany(environment => TargetsIn(environment, item, kind, names)) : [];
    }

    private static IEnumerable<PipedTarget> TargetsIn(NamePattern? environment, PipedObject item, PipedKinds kind, string[] profiles)
    {
        PipedTarget Target(string? profile) => new()
        {
            Environment = environment,
            ProfileName = profile,
            AccountId = item.AccountId,
            RoleName = kind == PipedKinds.Account ? null : item.RoleName,
            AccountName = item.AccountName,
            EmailAddress = item.EmailAddress,
        };

        return kind switch
        {
            PipedKinds.Profile => profiles.Select(Target),
            PipedKinds.Account or PipedKinds.Role => [Target(null)],
            _ => [new PipedTarget { Environment = environment }],
        };
    }

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text.Substring(1);

    private static string Missing(PipedKinds kind) => kind switch
    {
        PipedKinds.Profile => "a ProfileName",
        PipedKinds.Account or PipedKinds.Role => "an Environment and an AccountId",
        _ => "the name of an environment",
    };

    private bool IsTaken(PipedObject item, PipedKinds kind, NamePattern[] environments)
    {
        if ((accepts.Kinds & kind) != 0)
        {
            return true;
        }

        var environment = environments.FirstOrDefault()?.Literal;
        refuse(
            $"{Sentence(item.Description)} was piped to {command}, which takes {accepts.Description}. Nothing was done for it.",
            instead(kind, environment ?? "<name>"),
            environment);
        return false;
    }

    private bool IsComplete(PipedObject item, PipedKinds kind, NamePattern[] environments, string[] profiles)
    {
        var isComplete = kind switch
        {
            PipedKinds.Profile => profiles.Length > 0,
            PipedKinds.Account or PipedKinds.Role => item.AccountId is not null && environments.Length > 0,
            _ => environments.Length > 0,
        };
        if (!isComplete)
        {
            refuse(
                $"{Sentence(item.Description)} without {Missing(kind)} was piped to {command}. Nothing was done for it.",
                $"Pipe the object as it is, without Select-Object; {command} takes {accepts.Description}.",
                null);
        }

        return isComplete;
    }

    /// <summary>Whether the object is of an environment that the parameters name, where they name any.</summary>
    private bool IsOfNamed(PipedObject item, NamePattern[] environments)
    {
        var other = environments.FirstOrDefault(name => !named.Any(pattern => pattern.Matches(name.Literal)));
        if (named.Length == 0 || other is null)
        {
            return true;
        }

        refuse(
            $"{Sentence(item.Description)} of {other.Literal} was piped to {command}, whose parameters name another environment. "
            + "Nothing was done for it.",
            "Leave out the name of the environment, or pipe only objects of it.",
            other.Literal);
        return false;
    }

    private IEnumerable<PipedTarget> TextTargets(string text)
    {
        if (text.Length == 0)
        {
            refuse($"An empty name was piped to {command}. Nothing was done for it.", $"Pipe {accepts.Description}.", null);
            return [];
        }

        if (accepts.IsTextProfile && !namesProfiles)
        {
            return [new PipedTarget { ProfileName = text }];
        }

        if (named.Length > 0)
        {
            refuse(
                $"The name '{text}' was piped to {command}, whose parameters name an environment already. Nothing was done for it.",
                "Name profiles with -ProfileName, and environments in one way only.",
                text);
            return [];
        }

        if ((accepts.Kinds & PipedKinds.Name) == 0)
        {
            refuse(
                $"The name '{text}' was piped to {command}, which takes {accepts.Description}. Nothing was done for it.",
                instead(PipedKinds.Name, text),
                text);
            return [];
        }

        return [new PipedTarget { Environment = new NamePattern(text, ignoreCase: true) }];
    }
}
