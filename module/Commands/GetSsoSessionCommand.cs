using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Shows how sessions stand, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoSession")]
[OutputType(typeof(SsoSession))]
public sealed class GetSsoSessionCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    private protected override string[]? Named => Environment;

    private protected override void RunAll() => WriteObject(Sessions(), enumerateCollection: true);
}
