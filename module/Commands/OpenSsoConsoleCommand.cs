using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Opens the AWS console of a profile's account and role, through the access portal.</summary>
[Cmdlet(VerbsCommon.Open, "SsoConsole")]
[OutputType(typeof(string))]
public sealed class OpenSsoConsoleCommand : SsoCmdlet
{
    /// <summary>The profile; case counts.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string ProfileName { get; set; } = "";

    /// <summary>The environment to look in; without it every stored one, then those of the AWS config file.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string? Environment { get; set; }

    /// <summary>The service whose page is opened, as it stands in the addresses of the console.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string? Service { get; set; }

    /// <summary>The region in which the console opens.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? Region { get; set; }

    /// <summary>Shows the address, but opens no browser.</summary>
    [Parameter]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Writes the address.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Opens one console.</summary>
    protected override void ProcessRecord()
    {
        var work = new OpenConsoleWork
        {
            Profile = ProfileName,
            Environments = Environment is null ? [] : [Environment],
            Service = Service,
            Region = Region,
            Browser = !NoBrowser,
        };
        Run(new SsoWork { OpenConsole = work }, happened =>
        {
            if (happened.Console is not { } console)
            {
                return;
            }

            if (PassThru)
            {
                WriteObject(console.Url);
            }
            else if (!console.BrowserOpened)
            {
                WriteHost($"{console.ProfileName}: open {console.Url}");
            }
        });
    }
}
