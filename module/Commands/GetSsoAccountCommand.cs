using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Lists the accounts in which the user has a role.</summary>
[Cmdlet(VerbsCommon.Get, "SsoAccount")]
[OutputType(typeof(SsoAccount))]
public sealed class GetSsoAccountCommand : LoginCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one. Here <c>-Name</c> is that of an account.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public override string[]? Environment { get; set; }

    /// <summary>The accounts, by name, id or wildcards; without it every account.</summary>
    [Parameter(Position = 1)]
    [Alias("Account", "AccountName", "AccountId")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Name { get; set; }

    private protected override void RunAll() => ForEach(EnvironmentNames(), environment =>
        ListAccounts(environment, new NamePatterns(Name, ignoreCase: true), (account, isMeant) =>
        {
            if (isMeant)
            {
                WriteObject(account);
            }
        }));
}
