using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Gives a profile another name, in the environment's table and in the files of AWS tools.</summary>
[Cmdlet(VerbsCommon.Rename, "SsoProfile", SupportsShouldProcess = true)]
[OutputType(typeof(SsoProfile))]
public sealed class RenameSsoProfileCommand : SsoCmdlet
{
    /// <summary>The profile; case-sensitive.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string ProfileName { get; set; } = "";

    /// <summary>The new name.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string NewName { get; set; } = "";

    /// <summary>The stored environment to look in; without it every one.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string? Environment { get; set; }

    /// <summary>Returns the profile with its new name.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Renames one profile.</summary>
    protected override void ProcessRecord() => OrTerminate(() =>
    {
        var work = new RenameProfileWork
        {
            Profile = ProfileName,
            Environments = Environment is null ? [] : [Environment],
            NewName = NewName,
            CheckOnly = true,
        };
        var checkedProfile = Run(work, happened => happened.Added).FirstOrDefault();
        if (checkedProfile is null || !ShouldProcess($"{checkedProfile.Environment}: {ProfileName}", $"Rename SSO profile to {NewName}"))
        {
            return;
        }

        work.CheckOnly = false;
        var renamed = Run(work, happened => happened.Added);
        if (renamed.Count > 0 && System.Environment.GetEnvironmentVariable("AWS_PROFILE") == ProfileName)
        {
            WriteWarning($"AWS_PROFILE of this PowerShell is still {ProfileName}. Run Use-SsoCredential {ShownText.Argument(NewName)}.");
        }

        if (PassThru)
        {
            WriteObjects(renamed);
        }
    });
}
