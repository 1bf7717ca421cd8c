using System.Linq;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Lists the profiles in the tables of environments, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoProfile")]
[OutputType(typeof(SsoProfile))]
public sealed class GetSsoProfileCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The profiles, by name or wildcards, in which case counts; without it every profile.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[]? ProfileName { get; set; }

    private protected override string[]? Named => Environment;

    private protected override void RunAll()
    {
        var profiles = Environments().SelectMany(environment => environment.Account.Select(row => new SsoProfile(environment, row))).ToList();
        if (ProfileName is not null)
        {
            var isMeant = MeantProfiles(ProfileName, profiles.Select(profile => profile.ProfileName).ToArray());
            profiles.RemoveAll(profile => !isMeant(profile.ProfileName));
        }

        WriteObject(profiles, enumerateCollection: true);
    }
}
