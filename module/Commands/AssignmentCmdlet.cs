using System;
using System.Collections.Generic;
using System.Linq;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What the cmdlets have in common that list accounts and roles.</summary>
public abstract class AssignmentCmdlet : LoginCmdlet
{
    private SessionTerms? terms;

    private protected AssignmentCmdlet()
    {
    }

    /// <summary>The accounts that are assigned to the user, each handed on as soon as its page has come.</summary>
    private protected void ListAccounts(string environment, Action<SsoAccount> take) => RunOrThrow(
        new SsoWork { GetAccount = new GetAccountWork { Environment = environment, Session = terms ??= Terms() } },
        happened =>
        {
            if (happened.Account is { } account)
            {
                take(account);
            }
        });

    /// <summary>The roles that the user has in the accounts, in their order; an account whose roles could not be listed is an error that does not end the work.</summary>
    private protected void ListRoles(string environment, SsoAccount[] accounts, int throttleLimit, Action<SsoRole> take)
    {
        // Without an account there is nothing to ask for, not even for a login.
        if (accounts.Length > 0)
        {
            var work = new GetRoleWork { Environment = environment, Accounts = accounts, ThrottleLimit = throttleLimit, Session = terms ??= Terms() };
            RunOrThrow(new SsoWork { GetRole = work }, happened =>
            {
                if (happened.Role is { } role)
                {
                    take(role);
                }
            });
        }
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
                WriteError(error.ToRecord());
            }
            catch (SsoException error)
            {
                ThrowTerminatingError(error.ToRecord());
            }
        }
    }

    /// <summary>The names of the environments that are meant.</summary>
    private protected string[] EnvironmentNames() => Environments().Select(environment => environment.Name).ToArray();
}

/// <summary>Accounts as a user names them: by name or id, or with wildcards.</summary>
internal sealed class AccountPatterns
{
    private readonly NamePattern[] patterns;
    private readonly HashSet<NamePattern> met = [];

    internal AccountPatterns(IEnumerable<string>? written) =>
        patterns = (written ?? []).Distinct(StringComparer.OrdinalIgnoreCase).Select(name => new NamePattern(name, ignoreCase: true)).ToArray();

    internal bool Match(SsoAccount account)
    {
        var matching = patterns.Where(pattern => pattern.Matches(account.AccountId) || pattern.Matches(account.AccountName ?? "")).ToArray();
        met.UnionWith(matching);
        return patterns.Length == 0 || matching.Length > 0;
    }

    /// <summary>Whether an account that is not there any more, of which only the id is left, was meant.</summary>
    internal bool MatchId(string id) => patterns.Length == 0 || patterns.Any(pattern => pattern.Matches(id));

    /// <summary>The names without wildcards that no account had.</summary>
    internal IEnumerable<string> Missing => patterns.Where(pattern => pattern.IsLiteral && !met.Contains(pattern)).Select(pattern => pattern.Literal);
}
