using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Lists the roles that the user has in accounts.</summary>
[Cmdlet(VerbsCommon.Get, "SsoRole")]
[OutputType(typeof(SsoRole))]
public sealed class GetSsoRoleCommand : ParallelCmdlet
{
    /// <summary>The accounts, by name, id or wildcards; without it every account.</summary>
    [Parameter(Position = 1)]
    [Alias("AccountName", "AccountId")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Account { get; set; }

    /// <summary>The roles, by name or wildcards; without it every role.</summary>
    [Parameter]
    [Alias("RoleName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RoleCompleter))]
    public string[]? Role { get; set; }

    private protected override PipelineInput Accepts =>
        new(PipedKinds.Whole | PipedKinds.Part, "accounts, and whatever belongs to an account or an environment");

    private protected override void RunAll()
    {
        var names = new NamePatterns(Role, ignoreCase: true);
        var given = Piped
            .Where(target => !target.IsWhole)
            .ToLookup(target => target.Environment?.Literal ?? "", StringComparer.OrdinalIgnoreCase);
        var isWhole = true;
        ForEach(EnvironmentNames(), environment =>
        {
            var wanted = given[environment].ToArray();
            var isEveryAccount = wanted.Length == 0 || Piped.Any(target => target.IsWhole && target.Matches(environment));
            var accounts = new List<SsoAccount>();
            var patterns = new NamePatterns(Account, ignoreCase: true);
            if (isEveryAccount)
            {
                isWhole &= ListAccounts(environment, patterns, (account, isMeant) => accounts.AddRange(isMeant ? [account] : []));
            }
            else
            {
                accounts.AddRange(AccountsOf(environment, wanted).Where(account => patterns.Match(account.AccountId, account.AccountName)));
            }

            ListRoles(environment, [.. accounts], role =>
            {
                if ((isEveryAccount || wanted.Any(target => IsMeant(target, role))) && names.Match(role.RoleName))
                {
                    WriteObject(role);
                }
            });
        });

        if (isWhole)
        {
            ReportMissing(names, "role that is assigned to you there", SsoErrors.RoleNotFound);
        }
    }

    /// <summary>The accounts that were piped, or those that the piped profiles and roles are in; each once.</summary>
    private static IEnumerable<SsoAccount> AccountsOf(string environment, PipedTarget[] targets) => targets
        .Where(target => target.AccountId is not null)
        .GroupBy(target => target.AccountId!, StringComparer.Ordinal)
        .Select(group => group.OrderBy(target => target.AccountName is null).First())
        .Select(target => new SsoAccount
        {
            Environment = environment,
            AccountId = target.AccountId!,
            AccountName = target.AccountName,
            EmailAddress = target.EmailAddress,
        });

    /// <summary>
    /// Whether a role is meant: of a role that was piped only itself, of an account or a profile every role of the account.
    /// </summary>
    private static bool IsMeant(PipedTarget target, SsoRole role) =>
        target.AccountId == role.AccountId
        && (target.ProfileName is not null || target.RoleName is null || target.RoleName == role.RoleName);
}
