using System;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Text;

namespace AwsSso.Commands;

/// <summary>The forms in which an environment is shared.</summary>
public enum SsoEnvironmentFormat
{
    /// <summary>The form of ~/.aws/sso-environments.</summary>
    Ini,

    /// <summary>JSON, a list of environments.</summary>
    Json,
}

/// <summary>Writes environments as text, so that a team can share them; Import-SsoEnvironment takes them back.</summary>
[Cmdlet(VerbsData.Export, "SsoEnvironment", SupportsShouldProcess = true)]
[OutputType(typeof(string))]
public sealed class ExportSsoEnvironmentCommand : EnvironmentNameCmdlet
{
    /// <summary>The file to write; without it the text goes to the output.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>The form; where it is not given, the ending of -Path decides, and else it is Ini.</summary>
    [Parameter]
    public SsoEnvironmentFormat Format { get; set; }

    /// <summary>Does not overwrite an existing file.</summary>
    [Parameter]
    public SwitchParameter NoClobber { get; set; }

    private protected override void RunAll()
    {
        var environments = Environments(storedOnly: true);
        if (environments.Count == 0)
        {
            return;
        }

        var text = IsJson ? ExportedEnvironment.Json(environments) + "\n" : ExportedEnvironment.Ini(environments);
        if (Path is null)
        {
            WriteObject(text.TrimEnd('\n'));
            return;
        }

        var path = GetUnresolvedProviderPathFromPSPath(Path);
        if (NoClobber && File.Exists(path))
        {
            ThrowTerminatingError(SsoErrors.FileExists(path).ToRecord());
        }

        if (ShouldProcess(path, $"Export {string.Join(", ", environments.Select(environment => environment.Name))}"))
        {
            try
            {
                File.WriteAllText(path, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                ThrowTerminatingError(SsoErrors.WriteFailed(path, fault).ToRecord());
            }
        }
    }

    private bool IsJson => MyInvocation.BoundParameters.ContainsKey(nameof(Format))
        ? Format == SsoEnvironmentFormat.Json
        : string.Equals(System.IO.Path.GetExtension(Path), ".json", StringComparison.OrdinalIgnoreCase);
}
