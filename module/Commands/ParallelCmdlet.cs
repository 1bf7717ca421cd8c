using System;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets that send many requests at a time.</summary>
public abstract class ParallelCmdlet : LoginCmdlet
{
    private protected ParallelCmdlet()
    {
    }

    /// <summary>How many requests may be sent at the same time.</summary>
    [Parameter]
    [ValidateRange(1, 256)]
    public int ThrottleLimit { get; set; } = 64;

    /// <summary>The roles that the user has in the accounts, in their order; an account whose roles cannot be listed is reported.</summary>
    private protected void ListRoles(string environment, SsoAccount[] accounts, Action<SsoRole> take)
    {
        // Without an account there is nothing to ask for, not even for a login.
        if (accounts.Length > 0)
        {
            Run(
                new GetRoleWork { Environment = environment, Accounts = accounts, ThrottleLimit = ThrottleLimit, Session = TermsOfLists },
                happened => happened.Role,
                take);
        }
    }
}
