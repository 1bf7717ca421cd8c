using System;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Turns the AWS tools of this PowerShell to one profile, with fresh credentials.</summary>
[Cmdlet(VerbsOther.Use, "SsoCredential", DefaultParameterSetName = ByProfile, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class UseSsoCredentialCommand : LoginCmdlet
{
    private const string ByProfile = "ProfileName";
    private const string Back = "Clear";

    /// <summary>What AWS tools take before AWS_PROFILE.</summary>
    private static readonly string[] Stronger = ["AWS_ACCESS_KEY_ID", "AWS_DEFAULT_PROFILE"];

    /// <summary>The profile; case counts.</summary>
    [Parameter(Position = 0, ParameterSetName = ByProfile, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string ProfileName { get; set; } = "";

    /// <summary>The environment to look in; without it every stored one, then those of the AWS config file.</summary>
    [Parameter(ParameterSetName = ByProfile, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string? Environment { get; set; }

    /// <summary>Sets the variables of the keys in place of AWS_PROFILE, for tools that read no files.</summary>
    [Parameter(ParameterSetName = ByProfile)]
    public SwitchParameter AsEnvironmentVariable { get; set; }

    /// <summary>Takes back what was set.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Back)]
    public SwitchParameter Clear { get; set; }

    /// <summary>Credentials are renewed when less than this is left of them.</summary>
    [Parameter(ParameterSetName = ByProfile)]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Leaves out the closing line.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    private protected override string[]? Named => Environment is null ? null : [WildcardPattern.Escape(Environment)];

    private protected override string[]? NamedProfiles => string.IsNullOrEmpty(ProfileName) ? null : [WildcardPattern.Escape(ProfileName)];

    private protected override PipedKinds Takes => NamesProfiles ? PipedKinds.Whole : PipedKinds.Part;

    private protected override string TakesText => NamesProfiles ? WholeText : "profiles and their names, and accounts and roles that have one profile";

    private protected override string? NeedsInput => Clear || NamesProfiles ? null : "the name of a profile";

    private protected override bool IsTextProfile => true;

    private protected override bool IsAsked => Clear || base.IsAsked;

    private protected override string Instead(PipedKinds kind, string environment) =>
        $"Name one of its profiles: {MyInvocation.MyCommand.Name} <profile> -Environment {environment}.";

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName) ?? "";

    private protected override void RunAll()
    {
        if (Clear)
        {
            if (ShouldProcess("AWS_PROFILE and the variables of keys", "Take back what Use-SsoCredential has set"))
            {
                SessionVariables.Replace();
            }

            return;
        }

        if (OneProfile(out var environments) is not { } name || !ShouldProcess(name, AsEnvironmentVariable ? "Set the variables of keys" : "Set AWS_PROFILE"))
        {
            return;
        }

        if (AsEnvironmentVariable)
        {
            SetKeys(name, environments);
        }
        else
        {
            SetProfile(name);
        }
    }

    private void SetProfile(string name)
    {
        var failures = Failures;
        if (Find(name) is not { } profile)
        {
            return;
        }

        CompletedEvent? completed = null;
        var work = new UpdateWork
        {
            Targets = [new UpdateTarget(profile.Environment, [name])],
            MinimumRemaining = MinimumRemaining.WholeSeconds(),
            ThrottleLimit = 1,
            Session = Terms(),
        };
        Run(new SsoWork { Update = work }, happened => completed ??= happened.Completed);
        if (Failures > failures)
        {
            // The error is told. A shell that points at a profile without good keys would only fail later.
            return;
        }

        SessionVariables.Replace(("AWS_PROFILE", name));
        foreach (var variable in Stronger.Where(variable => !string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable(variable))))
        {
            WriteWarning($"{variable} is set, and AWS tools take it before AWS_PROFILE; remove it with Remove-Item Env:{variable}.");
        }

        Tell(profile, "AWS_PROFILE is set", completed?.CredentialsExpire);
    }

    private void SetKeys(string name, string[] environments)
    {
        var work = new GetKeysWork
        {
            Profile = name,
            Environments = environments,
            MinimumRemaining = MinimumRemaining.WholeSeconds(),
            Session = Terms(),
        };
        KeysEvent? found = null;
        Run(new SsoWork { GetKeys = work }, happened => found ??= happened.Keys);
        if (found is { } keys && Find(name) is { } profile)
        {
            SessionVariables.Replace(
                ("AWS_ACCESS_KEY_ID", keys.AccessKeyId),
                ("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey),
                ("AWS_SESSION_TOKEN", keys.SessionToken),
                ("AWS_CREDENTIAL_EXPIRATION", keys.Expiration));
            Tell(profile, "the variables of its keys are set", Timestamp.Read(keys.Expiration));
        }
    }

    /// <summary>The profile of this name; null where the environment that is named is none, which is told by then.</summary>
    private SsoProfile? Find(string name)
    {
        var failures = Failures;
        // What cannot be used of other environments matters only where the profile is not found.
        var profiles = Environments(usableOnly: true).SelectMany(ProfilesOf).ToArray();
        if (profiles.FirstOrDefault(profile => profile.ProfileName == name) is { } found)
        {
            return found;
        }

        if (Failures == failures)
        {
            _ = Environments();
            ThrowTerminatingError(SsoErrors.ProfileNotFound(name, null, profiles.Select(profile => profile.ProfileName).ToArray()).ToRecord());
        }

        return null;
    }

    private void Tell(SsoProfile profile, string what, DateTime? end)
    {
        if (!Quiet)
        {
            var until = end is { } time ? $", credentials last until {SsoTime.Clock(time)}" : "";
            WriteHost($"{profile.ProfileName}: {what} ({profile.RoleName} in account {profile.AccountId}){until}");
        }
    }
}
