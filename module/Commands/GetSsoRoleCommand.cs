using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Lists the roles that the user has in accounts.</summary>
[Cmdlet(VerbsCommon.Get, "SsoRole", DefaultParameterSetName = ByName)]
[OutputType(typeof(SsoRole))]
public sealed class GetSsoRoleCommand : AssignmentCmdlet
{
    private const string ByName = "Environment";
    private const string ByAccount = "InputObject";

    private readonly List<SsoAccount> given = [];

    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ParameterSetName = ByName, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The accounts, by name, id or wildcards; without it every account.</summary>
    [Parameter(Position = 1, ParameterSetName = ByName)]
    [Alias("AccountName", "AccountId")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Account { get; set; }

    /// <summary>Accounts as Get-SsoAccount gives them.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByAccount, ValueFromPipeline = true)]
    [ValidateNotNull]
    public SsoAccount[] InputObject { get; set; } = [];

    /// <summary>The roles, by name or wildcards; without it every role.</summary>
    [Parameter]
    [Alias("RoleName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(RoleCompleter))]
    public string[]? Role { get; set; }

    /// <summary>How many requests may be under way at once.</summary>
    [Parameter]
    [ValidateRange(1, 256)]
    public int ThrottleLimit { get; set; } = 16;

    private protected override string[]? Named => Environment;

    private protected override bool IsAsked => given.Count > 0 || base.IsAsked;

    private protected override void TakeInput() => given.AddRange(InputObject);

    private protected override void RunAll()
    {
        var roles = new NamePatterns(Role, ignoreCase: true);
        var isWhole = true;
        if (given.Count > 0)
        {
            var groups = given.GroupBy(account => account.Environment, StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => group.ToArray());
            ForEach(groups.Keys, environment => List(environment, groups[environment]));
        }
        else
        {
            ForEach(EnvironmentNames(), environment =>
            {
                var accounts = new List<SsoAccount>();
                isWhole &= ListAccounts(environment, new NamePatterns(Account, ignoreCase: true), (account, isMeant) => accounts.AddRange(isMeant ? [account] : []));
                List(environment, [.. accounts]);
            });
        }

        foreach (var missing in isWhole ? roles.Missing : [])
        {
            WriteError(SsoErrors.RoleNotFound(missing).ToRecord());
        }

        void List(string environment, SsoAccount[] accounts) => ListRoles(environment, accounts, ThrottleLimit, role =>
        {
            if (roles.Match(role.RoleName))
            {
                WriteObject(role);
            }
        });
    }
}
