using System;
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

    /// <summary>
    /// The accounts that are assigned to the user, each handed on with whether it is meant as soon as its page has come; gives false where
    /// a name or pattern matches none, which is reported and does not end the work.
    /// </summary>
    private protected bool ListAccounts(string environment, NamePatterns wanted, Action<SsoAccount, bool> take)
    {
        RunOrThrow(
            new SsoWork { GetAccount = new GetAccountWork { Environment = environment, Session = terms ??= Terms() } },
            happened =>
            {
                if (happened.Account is { } account)
                {
                    take(account, wanted.Match(account.AccountId, account.AccountName));
                }
            });
        return ReportMissing(wanted, $"account of {environment} that is assigned to you", name => SsoErrors.AccountNotFound(name, environment));
    }

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

    /// <summary>The names of the environments that are meant.</summary>
    private protected string[] EnvironmentNames() => Environments().Select(environment => environment.Name).ToArray();
}
