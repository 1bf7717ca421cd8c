using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Reflection;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Completes an argument from what is stored on this machine: the environments, and what was listed last of accounts and roles. Nothing is
/// sent while a user types, and what cannot be read completes nothing.
/// </summary>
public abstract class StoredCompleter : IArgumentCompleter
{
    private protected StoredCompleter()
    {
    }

    /// <summary>Gives what the word can become: what starts with it, or else what has it inside.</summary>
    /// <param name="commandName">The cmdlet.</param>
    /// <param name="parameterName">The parameter.</param>
    /// <param name="wordToComplete">What is typed by now, maybe with a quote before it.</param>
    /// <param name="commandAst">The command.</param>
    /// <param name="fakeBoundParameters">The other arguments, as far as they are known.</param>
    /// <returns>The completions, in the order of what is stored.</returns>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var typed = new TypedWord(wordToComplete);
        var isPattern = TakesWildcards(commandName, parameterName);
        try
        {
            var values = Values(new Known(fakeBoundParameters))
                .GroupBy(value => value.Text, StringComparer.Ordinal)
                .Select(group => group.First())
                .ToArray();
            var matching = values.Where(value => value.StartsWith(typed.Text)).ToArray();
            return (matching.Length > 0 ? matching : values.Where(value => value.Contains(typed.Text)))
                .Select(value => value.Completion(typed, isPattern))
                .ToArray();
        }
        catch (Exception fault) when (fault is SsoException or RuntimeException)
        {
            return [];
        }
    }

    /// <summary>All that could be completed.</summary>
    private protected abstract IEnumerable<Value> Values(Known known);

    private static bool TakesWildcards(string commandName, string parameterName)
    {
        // By the name of its class, since looking at the attributes of all classes takes as long as reading what is stored.
        var name = $"{typeof(StoredCompleter).Namespace}.{commandName.Replace("-", "")}Command";
        var cmdlet = typeof(StoredCompleter).Assembly.GetType(name, throwOnError: false, ignoreCase: true);

        // The one alias of a cmdlet takes wildcards wherever a name is completed.
        return cmdlet is null || cmdlet.GetProperty(parameterName)?.GetCustomAttribute<SupportsWildcardsAttribute>() is not null;
    }

    /// <summary>
    /// The word that is typed by now, and the quote before it. PowerShell gives a typographic quote as it was typed or as a plain one.
    /// </summary>
    private protected sealed class TypedWord
    {
        private readonly bool isQuoted;

        internal TypedWord(string word)
        {
            string[] kinds = [QuoteMarks.Single, QuoteMarks.Double];
            var quotes = Array.Find(kinds, kind => word.Length > 0 && kind.IndexOf(word[0]) >= 0) ?? "";
            isQuoted = quotes.Length > 0;
            var end = isQuoted && word.Length > 1 && quotes.IndexOf(word[word.Length - 1]) >= 0 ? word.Length - 1 : word.Length;
            Text = isQuoted ? word.Substring(1, end - 1) : word;
        }

        /// <summary>The word without its quotes.</summary>
        internal string Text { get; }

        /// <summary>
        /// The argument as one string that PowerShell expands nothing in. It takes the place of the typed word and its quote, so a double
        /// quote becomes a single one.
        /// </summary>
        internal string Quoted(string argument) =>
            !isQuoted && IsBare(argument) ? argument : $"'{CodeGeneration.EscapeSingleQuotedStringContent(argument)}'";
    }

    /// <summary>
    /// Whether an argument needs no quotes. It lists what is harmless, since a list of what is not could miss a character.
    /// </summary>
    private static bool IsBare(string argument) =>
        argument.Length > 0 && IsLetter(argument[0]) && argument.All(c => IsLetter(c) || c is >= '0' and <= '9' or '.' or '_' or '-');

    private static bool IsLetter(char c) => c is >= 'A' and <= 'Z' or >= 'a' and <= 'z';

    /// <summary>One thing that an argument can be, another word under which it may be looked for, and what is shown of it.</summary>
    private protected sealed class Value(string text, string toolTip, string? otherName = null)
    {
        internal string Text { get; } = text;

        internal bool StartsWith(string word) => Of(word, (name, part) => name.StartsWith(part, StringComparison.OrdinalIgnoreCase));

        internal bool Contains(string word) => Of(word, (name, part) => name.IndexOf(part, StringComparison.OrdinalIgnoreCase) >= 0);

        internal CompletionResult Completion(TypedWord typed, bool isPattern)
        {
            // Who types the other name has looked for it.
            var isOther = otherName is not null && typed.Text.Length > 0 && !Begins(Text, typed.Text) && Begins(otherName, typed.Text);
            var chosen = isOther ? otherName! : Text;
            var argument = isPattern ? WildcardPattern.Escape(chosen) : chosen;
            var shownTip = ShownText.Of(toolTip.Length > 0 ? toolTip : chosen);
            return new CompletionResult(typed.Quoted(argument), ShownText.Of(chosen), CompletionResultType.ParameterValue, shownTip);
        }

        private static bool Begins(string name, string word) => name.StartsWith(word, StringComparison.OrdinalIgnoreCase);

        private bool Of(string word, Func<string, string, bool> test) =>
            test(Text, word) || (otherName is not null && test(otherName, word));
    }

    /// <summary>What is stored, read when it is asked for, and once.</summary>
    private protected sealed class Known(IDictionary arguments)
    {
        private readonly NamePattern[] environments = Names(arguments["Environment"]);
        private readonly NamePattern[] accounts = Names(arguments["Account"] ?? arguments["AccountId"]);
        private string? directory;
        private SsoEnvironment[]? all;

        /// <summary>The environments that the command names, or all.</summary>
        internal SsoEnvironment[] Environments() =>
            AllEnvironments().Where(environment => IsMeant(environments, environment.Name)).ToArray();

        internal SsoEnvironment[] AllEnvironments() =>
            all ??= Ask(new GetEnvironmentWork { UsableOnly = true }, happened => happened.Environment);

        internal IEnumerable<SsoAccount> Accounts() => Environments().SelectMany(environment =>
            Ask(new GetAccountWork { Environment = environment.Name, Known = true }, happened => happened.Account));

        /// <summary>The roles in the accounts that the command names, or all.</summary>
        internal IEnumerable<SsoRole> Roles() => Environments()
            .SelectMany(environment => Ask(new GetRoleWork { Environment = environment.Name, Known = true }, happened => happened.Role))
            .Where(role => IsMeant(accounts, role.AccountId) || IsMeant(accounts, role.AccountName ?? ""));

        private static bool IsMeant(NamePattern[] patterns, string name) =>
            patterns.Length == 0 || patterns.Any(pattern => pattern.Matches(name));

        private static NamePattern[] Names(object? argument) =>
            argument is not null && LanguagePrimitives.TryConvertTo<string[]>(argument, out var names)
                ? NamePattern.All(names.Where(name => !string.IsNullOrEmpty(name)), ignoreCase: true)
                : [];

        private static string CurrentDirectory() =>
            ScriptBlock.Create("$ExecutionContext.SessionState.Path.CurrentFileSystemLocation.ProviderPath")
                .Invoke()
                .FirstOrDefault()?
                .ToString() ?? "";

        private T[] Ask<T>(SsoWork work, Func<SsoEvent, T?> answerOf)
            where T : class
        {
            directory ??= CurrentDirectory();
            var answers = new List<T>();
            using var operation = SsoOperation.Start(new SsoRequest(work, directory, verbose: false));
            while (operation.Next() is { } happened)
            {
                if (answerOf(happened) is { } answer)
                {
                    answers.Add(answer);
                }
            }

            return [.. answers];
        }
    }
}

/// <summary>Completes the names of environments.</summary>
public sealed class EnvironmentCompleter : StoredCompleter
{
    private protected override IEnumerable<Value> Values(Known known) =>
        known.AllEnvironments().Select(environment =>
            new Value(environment.Name, $"{environment.StartUrl} in {environment.Region}, {environment.Profiles.Length} profiles"));
}

/// <summary>Completes the names of profiles, of the environments that the command names or of all.</summary>
public sealed class ProfileCompleter : StoredCompleter
{
    private protected override IEnumerable<Value> Values(Known known) => known.Environments().SelectMany(environment =>
        environment.Profiles.Select(row => new Value(row.Profile, $"{environment.Name}: {row.RoleName} in account {row.AccountId}")));
}

/// <summary>Completes accounts by their names or, where digits are typed or an account has no name, by their ids.</summary>
public sealed class AccountCompleter : StoredCompleter
{
    private protected override IEnumerable<Value> Values(Known known) => known.Accounts().Select(account =>
        new Value(
            account.AccountName ?? account.AccountId,
            $"{account.Environment}: account {account.AccountId} {account.EmailAddress}".TrimEnd(),
            account.AccountId));
}

/// <summary>Completes the ids of accounts, which may be looked for by their names.</summary>
public sealed class AccountIdCompleter : StoredCompleter
{
    private protected override IEnumerable<Value> Values(Known known) => known.Accounts().Select(account =>
        new Value(
            account.AccountId,
            $"{account.Environment}: {account.AccountName ?? "an account without a name"} {account.EmailAddress}".TrimEnd()));
}

/// <summary>Completes roles: those that were listed, and those that profiles have.</summary>
public sealed class RoleCompleter : StoredCompleter
{
    private protected override IEnumerable<Value> Values(Known known)
    {
        var listed = known.Roles().GroupBy(role => role.RoleName).Select(group => new Value(group.Key, Accounts([.. group])));
        var used = known.Environments()
            .SelectMany(environment => environment.Profiles)
            .GroupBy(row => row.RoleName ?? "")
            .Where(group => group.Key.Length > 0);
        return listed.Concat(used.Select(group => new Value(group.Key, $"in {group.Count()} profiles")));
    }

    private static string Accounts(SsoRole[] roles) =>
        roles.Length == 1 ? $"in account {roles[0].AccountName ?? roles[0].AccountId}" : $"in {roles.Length} accounts";
}

/// <summary>Completes the output formats of the AWS CLI.</summary>
public sealed class OutputCompleter : StoredCompleter
{
    /// <summary>Those in native/core/src/names/profile.rs; a test compares them.</summary>
    private static readonly string[] Outputs = ["json", "yaml", "yaml-stream", "text", "table", "off"];

    private protected override IEnumerable<Value> Values(Known known) => Outputs.Select(output => new Value(output, ""));
}

/// <summary>Completes regions: those of the environments, then the others.</summary>
public sealed class RegionCompleter : StoredCompleter
{
    /// <summary>Those in native/core/src/environments/regions.rs, without those of the ISO partitions; a test compares them.</summary>
    private static readonly string[] Others =
    [
        "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "ca-west-1", "mx-central-1", "sa-east-1",
        "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3",
        "af-south-1", "il-central-1", "me-central-1", "me-south-1",
        "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
        "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7",
        "us-gov-east-1", "us-gov-west-1", "cn-north-1", "cn-northwest-1", "eusc-de-east-1",
    ];

    private protected override IEnumerable<Value> Values(Known known) => known.AllEnvironments()
        .GroupBy(environment => environment.Region)
        .Select(group => new Value(group.Key, $"the region of {string.Join(", ", group.Select(environment => environment.Name))}"))
        .Concat(Others.Select(region => new Value(region, "")));
}
