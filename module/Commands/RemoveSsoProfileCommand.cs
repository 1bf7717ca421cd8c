using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Removes profiles from the tables of environments; their keys in the credentials file stay unless -RemoveCredentials is given.</summary>
[Cmdlet(VerbsCommon.Remove, "SsoProfile", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(void))]
public sealed class RemoveSsoProfileCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The profiles, by name or wildcards, in which case counts.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [Alias("Profile")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[] ProfileName { get; set; } = [];

    /// <summary>Removes the credentials of the profiles from the credentials file, too.</summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    private protected override string[]? Named => Environment;

    private protected override string[]? NamedProfiles => ProfileName is { Length: > 0 } ? ProfileName : null;

    private protected override PipedKinds Takes => NamesProfiles ? PipedKinds.Whole | PipedKinds.Part : PipedKinds.Part;

    private protected override string TakesText => NamesProfiles ? PartsText : "profiles, accounts and roles";

    private protected override string? NeedsInput => NamesProfiles ? null : "the names of profiles";

    private protected override string Instead(PipedKinds kind, string environment) =>
        $"Name the profiles with -ProfileName, or remove the whole environment with Remove-SsoEnvironment {environment}.";

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName) ?? [];

    private protected override void RunAll()
    {
        // Those of the AWS config file are not the module's to change, unless somebody names them: then it says so.
        var environments = Environments(storedOnly: true);
        foreach (var group in MeantProfiles(environments).GroupBy(profile => profile.Environment))
        {
            var agreed = group.Select(profile => profile.ProfileName).Where(name => ShouldProcess($"{group.Key}: {name}", RemoveCredentials ? "Remove SSO profile and its credentials" : "Remove SSO profile")).ToArray();
            if (agreed.Length > 0)
            {
                Run(new SsoWork { RemoveProfile = new RemoveProfileWork { Environment = group.Key, Profiles = agreed } }, _ => { });
                if (RemoveCredentials)
                {
                    Run(new SsoWork { RemoveCredential = new RemoveCredentialWork { Environment = group.Key, Profiles = agreed } }, _ => { });
                }
            }
        }
    }
}
