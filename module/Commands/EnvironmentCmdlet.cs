using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets with <c>-Environment</c>.</summary>
public abstract class EnvironmentCmdlet : PipelineCmdlet
{
    private protected EnvironmentCmdlet()
    {
    }

    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public virtual string[]? Environment { get; set; }

    private protected override string[]? Named => Environment;
}
