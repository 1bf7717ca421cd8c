using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Writes profiles to the AWS config file, so that AWS tools get their credentials by themselves.</summary>
[Cmdlet(VerbsData.Export, "SsoProfile", SupportsShouldProcess = true)]
[OutputType(typeof(SsoExportedProfile))]
public sealed class ExportSsoProfileCommand : ProfileCmdlet
{
    /// <summary>How AWS tools get the credentials.</summary>
    [Parameter(Mandatory = true)]
    public SsoExportKind As { get; set; }

    /// <summary>Removes the exported profiles that the environment no longer has.</summary>
    [Parameter]
    public SwitchParameter Prune { get; set; }

    /// <summary>Returns what was done with each profile.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Writes no line about the result.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    private protected override void RunAll()
    {
        var environments = Environments(storedOnly: true);
        var meant = MeantProfiles(environments).ToLookup(profile => profile.Environment, profile => profile.ProfileName);
        var names = environments.Select(environment => environment.Name).Where(name => Prune || meant[name].Any()).ToArray();
        ForEach(names, name => Export(name, [.. meant[name]]));
    }

    private void Export(string environment, string[] profiles)
    {
        var work = new ExportProfileWork
        {
            Environment = environment,
            Profiles = profiles,
            Kind = As,
            Programs = SsoLibrary.PlatformFolder,
            Prune = Prune,
            CheckOnly = true,
        };
        var planned = Run(work, happened => happened.Exported);
        var (agreed, refused) = Split(planned);
        if (IsWhatIf || agreed.Length == 0)
        {
            return;
        }

        work.Profiles = [.. Names(agreed.Where(profile => profile.Status != SsoExportStatus.Removed))];
        work.Kept = [.. Names(refused.Where(profile => profile.Status == SsoExportStatus.Removed))];
        work.CheckOnly = false;
        var exported = Run(work, happened => happened.Exported);
        if (!Quiet)
        {
            WriteHost($"{environment}: {Summary(exported)}");
        }

        if (PassThru)
        {
            WriteObject(exported, enumerateCollection: true);
        }
    }

    /// <summary>The profiles that the user agrees to, and the others. One that stays as it is needs no agreement.</summary>
    private (SsoExportedProfile[] Agreed, SsoExportedProfile[] Refused) Split(List<SsoExportedProfile> planned)
    {
        var isAgreed = planned.ToLookup(profile => profile.IsUnchanged
            || ShouldProcess($"{profile.Environment}: {profile.ProfileName}", profile.Action));
        return ([.. isAgreed[true]], [.. isAgreed[false]]);
    }

    private static IEnumerable<string> Names(IEnumerable<SsoExportedProfile> profiles) => profiles.Select(profile => profile.ProfileName);

    private static string Summary(List<SsoExportedProfile> exported)
    {
        var counts = exported
            .GroupBy(profile => profile.Status)
            .OrderBy(group => group.Key)
            .Select(group => $"{group.Count()} {group.Key.ToString().ToLowerInvariant()}");
        return $"{Counted(exported.Count)} in the AWS config file: {string.Join(", ", counts)}";
    }
}
