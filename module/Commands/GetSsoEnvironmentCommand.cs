using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Gets the environments that are stored, or those that are named.</summary>
[Cmdlet(VerbsCommon.Get, "SsoEnvironment")]
[OutputType(typeof(SsoEnvironment))]
public sealed class GetSsoEnvironmentCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Environment", "EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Name { get; set; }

    private protected override string[]? Named => Name;

    private protected override void RunAll() => WriteObject(Environments(), enumerateCollection: true);
}
