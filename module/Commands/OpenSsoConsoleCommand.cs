using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Opens the AWS console of a profile's account and role, through the access portal.</summary>
[Cmdlet(VerbsCommon.Open, "SsoConsole")]
[OutputType(typeof(string))]
public sealed class OpenSsoConsoleCommand : PipelineCmdlet
{
    /// <summary>The profile; case counts.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string ProfileName { get; set; } = "";

    /// <summary>The environment to look in; without it every stored one, then those of the AWS config file.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string? Environment { get; set; }

    /// <summary>The service whose page is opened, as it is named in the addresses of the console.</summary>
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

    /// <summary>Returns the address.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string[]? Named => Environment is null ? null : [WildcardPattern.Escape(Environment)];

    private protected override string[]? NamedProfiles => string.IsNullOrEmpty(ProfileName) ? null : [WildcardPattern.Escape(ProfileName)];

    private protected override PipelineInput Accepts =>
        PipelineInput.OneProfile(NamesProfiles, "profiles and their names, accounts and roles");

    private protected override string Instead(PipedKinds kind, string environment) =>
        $"Name one of its profiles: {MyInvocation.MyCommand.Name} <profile> -Environment {environment}.";

    private protected override void Begin()
    {
        ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName) ?? "";
        Region = UnlessWildcardDefault(nameof(Region), Region);
    }

    private protected override void RunAll()
    {
        foreach (var (profile, environments) in Wanted())
        {
            try
            {
                Run(WorkFor(profile, environments), happened => happened.Console, Show);
            }
            catch (SsoException error) when (Piped.Count > 1)
            {
                Report(error);
            }
        }
    }

    /// <summary>
    /// The profiles to open; of an account and a role with several profiles the first, since all of them lead to the same page.
    /// </summary>
    private IEnumerable<(string Profile, string[] Environments)> Wanted()
    {
        if (NamesProfiles)
        {
            return OneProfile(out var environments) is { } name ? [(name, environments)] : [];
        }

        return NamedTargets()
            .GroupBy(PageOf)
            .Select(group => group.First())
            .Select(target => (target.ProfileName!, target.Environment is { } place ? [place.Literal] : LiteralNames.ToArray()));
    }

    /// <summary>The same for the same page.</summary>
    private static (string, string, string) PageOf(PipedTarget target) =>
        target is { Environment: { } environment, AccountId: { } id, RoleName: { } role }
            ? (environment.Literal.ToUpperInvariant(), id, role)
            : ("", target.Environment?.Literal ?? "", target.ProfileName ?? "");

    private OpenConsoleWork WorkFor(string profile, string[] environments) => new()
    {
        Profile = profile,
        Environments = environments,
        Service = Service,
        Region = Region,
        Browser = !NoBrowser,
    };

    private void Show(ConsoleEvent console)
    {
        if (PassThru)
        {
            WriteObject(console.Url);
        }
        else if (!console.BrowserOpened)
        {
            WriteHost($"{console.ProfileName}: open {console.Url}");
        }
    }
}
