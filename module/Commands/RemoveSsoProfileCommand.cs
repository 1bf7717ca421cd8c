using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Removes profiles from the tables of environments; their keys stay in the credentials file unless -RemoveCredentials is given.
/// </summary>
[Cmdlet(VerbsCommon.Remove, "SsoProfile", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(void))]
public sealed class RemoveSsoProfileCommand : ProfileCmdlet
{
    /// <summary>The profiles, by name or wildcards, case-sensitive.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [Alias("Profile")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public override string[]? ProfileName { get; set; }

    /// <summary>Removes the credentials of the profiles from the credentials file, too.</summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    private protected override PipelineInput Accepts => NamesProfiles
        ? PipelineInput.Everything
        : new(PipedKinds.Part, "profiles, accounts and roles") { Needed = "the names of profiles" };

    private protected override string Instead(PipedKinds kind, string environment) =>
        $"Name the profiles with -ProfileName, or remove the whole environment with Remove-SsoEnvironment {environment}.";

    private protected override void RunAll()
    {
        var action = RemoveCredentials ? "Remove SSO profile and its credentials" : "Remove SSO profile";

        // The module does not change the AWS config file; naming an environment that is defined there is an error.
        foreach (var group in MeantProfiles(Environments(storedOnly: true)).GroupBy(profile => profile.Environment))
        {
            var agreed = group
                .Select(profile => profile.ProfileName)
                .Where(name => ShouldProcess($"{group.Key}: {name}", action))
                .ToArray();
            if (agreed.Length > 0)
            {
                Run(new RemoveProfileWork { Environment = group.Key, Profiles = agreed });
                if (RemoveCredentials)
                {
                    Run(new RemoveCredentialWork { Environment = group.Key, Profiles = agreed });
                }
            }
        }
    }
}
