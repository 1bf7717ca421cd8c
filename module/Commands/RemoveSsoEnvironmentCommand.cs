using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Removes environments; their keys in the credentials file stay.</summary>
[Cmdlet(VerbsCommon.Remove, "SsoEnvironment", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(void))]
public sealed class RemoveSsoEnvironmentCommand : SsoCmdlet
{
    /// <summary>The environments' names, without wildcards.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Environment", "EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>Removes each environment; where that is declined, an unknown name is reported all the same.</summary>
    protected override void ProcessRecord()
    {
        foreach (var name in Name)
        {
            var work = new RemoveEnvironmentWork { Name = name, CheckOnly = !ShouldProcess(name, "Remove SSO environment") };
            Run(new SsoWork { RemoveEnvironment = work }, _ => { });
        }
    }
}
