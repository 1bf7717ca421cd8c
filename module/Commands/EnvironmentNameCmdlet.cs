using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets for environments themselves, whose parameter for them is <c>-Name</c>.</summary>
public abstract class EnvironmentNameCmdlet : PipelineCmdlet
{
    private protected EnvironmentNameCmdlet()
    {
    }

    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Environment", "EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Name { get; set; }

    private protected override string[]? Named => Name;
}
