using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Lists the profiles in the tables of environments, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoProfile")]
[OutputType(typeof(SsoProfile))]
public sealed class GetSsoProfileCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The profiles, by name or wildcards, in which case counts; without it every profile.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[]? ProfileName { get; set; }

    private protected override string[]? Named => Environment;

    private protected override string[]? NamedProfiles => ProfileName;

    private protected override PipedKinds Takes => PipedKinds.Whole | PipedKinds.Part;

    private protected override string TakesText => PartsText;

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName);

    private protected override void RunAll() => WriteObject(MeantProfiles(Environments()), enumerateCollection: true);
}
