using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets with <c>-Environment</c> and <c>-ProfileName</c> that never log in.</summary>
public abstract class ProfileCmdlet : EnvironmentCmdlet
{
    private protected ProfileCmdlet()
    {
    }

    /// <summary>The profiles, by name or wildcards, case-sensitive; without it every profile.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public virtual string[]? ProfileName { get; set; }

    private protected override string[]? NamedProfiles => ProfileName;

    private protected override PipelineInput Accepts => PipelineInput.Everything;

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName);
}
