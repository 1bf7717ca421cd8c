using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Gets the environments that are stored, or those that are named.</summary>
[Cmdlet(VerbsCommon.Get, "SsoEnvironment")]
[OutputType(typeof(SsoEnvironment))]
public sealed class GetSsoEnvironmentCommand : SsoCmdlet
{
    private readonly List<NamePattern> wanted = [];

    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Environment", "EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Name { get; set; }

    /// <summary>Collects names, so that each environment is written once.</summary>
    protected override void ProcessRecord() => wanted.AddRange((Name ?? []).Select(name => new NamePattern(name, ignoreCase: true)));

    /// <summary>Reads and writes the environments.</summary>
    protected override void EndProcessing()
    {
        // A pipeline that brought nothing is not a wish for every environment.
        if (wanted.Count == 0 && MyInvocation.ExpectingInput)
        {
            return;
        }

        var written = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var literals = wanted.Where(name => name.IsLiteral).Select(name => name.Literal).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var patterns = wanted.Where(name => !name.IsLiteral).ToArray();
        if (literals.Length > 0)
        {
            Get(literals, _ => true, written);
        }

        if (patterns.Length > 0 || wanted.Count == 0)
        {
            Get([], name => wanted.Count == 0 || patterns.Any(pattern => pattern.Matches(name)), written);
        }
    }

    private void Get(string[] names, Func<string, bool> isWanted, HashSet<string> written) =>
        Run(new SsoWork { GetEnvironment = new GetEnvironmentWork { Names = names } }, happened =>
        {
            if (happened.Environment is { } environment && isWanted(environment.Name) && written.Add(environment.Name))
            {
                WriteObject(environment);
            }
        });
}
