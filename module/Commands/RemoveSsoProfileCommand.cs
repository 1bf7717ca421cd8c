using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Takes profiles out of the tables of environments; their keys in the credentials file stay.</summary>
[Cmdlet(VerbsCommon.Remove, "SsoProfile", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(void))]
public sealed class RemoveSsoProfileCommand : EnvironmentCmdlet
{
    private readonly List<string> profileNames = [];

    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The profiles, by name or wildcards, in which case counts.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [Alias("Profile")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[] ProfileName { get; set; } = [];

    private protected override string[]? Named => Environment;

    private protected override bool IsAsked => profileNames.Count > 0;

    private protected override void TakeInput() => profileNames.AddRange(ProfileName);

    private protected override void RunAll()
    {
        // Those of the AWS config file are not the module's to change, unless somebody names them: then it says so.
        var environments = Environments(storedOnly: true);
        var isMeant = MeantProfiles([.. profileNames], environments.SelectMany(environment => environment.Account).Select(row => row.Profile).ToArray());
        foreach (var environment in environments)
        {
            var agreed = environment.Account.Select(row => row.Profile).Where(isMeant).Where(name => ShouldProcess($"{environment.Name}: {name}", "Remove SSO profile")).ToArray();
            if (agreed.Length > 0)
            {
                Run(new SsoWork { RemoveProfile = new RemoveProfileWork { Environment = environment.Name, Profiles = agreed } }, _ => { });
            }
        }
    }
}
