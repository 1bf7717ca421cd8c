using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Makes AWS tools in this PowerShell use one profile, with fresh credentials.</summary>
[Cmdlet(VerbsOther.Use, "SsoCredential", DefaultParameterSetName = ByProfile, SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class UseSsoCredentialCommand : LoginCmdlet
{
    private const string ByProfile = "ProfileName";
    private const string ByEndpoint = "AsEndpoint";
    private const string ByDefault = "AsDefault";
    private const string Back = "Clear";

    /// <summary>Whether the user was told of an endpoint that has ended.</summary>
    private static bool hasWarnedOfDeadEndpoint;

    private bool? mayPick;

    /// <summary>What AWS tools use instead of AWS_PROFILE.</summary>
    private static readonly string[] Stronger = ["AWS_ACCESS_KEY_ID", "AWS_DEFAULT_PROFILE"];

    /// <summary>The profile; case-sensitive.</summary>
    [Parameter(Position = 0, ParameterSetName = ByProfile, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = ByEndpoint, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = ByDefault, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string ProfileName { get; set; } = "";

    /// <summary>The environment to look in; without it every stored one, then those of the AWS config file.</summary>
    [Parameter(ParameterSetName = ByProfile, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByEndpoint, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByDefault, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    [ValidateCount(1, 1)]
    public override string[]? Environment { get; set; }

    /// <summary>Sets the variables of the keys instead of AWS_PROFILE, for tools that read no files.</summary>
    [Parameter(ParameterSetName = ByProfile)]
    public SwitchParameter AsEnvironmentVariable { get; set; }

    /// <summary>Serves the keys to AWS tools from this PowerShell, which renews them.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByEndpoint)]
    public SwitchParameter AsEndpoint { get; set; }

    /// <summary>Gives the default profile the credentials, for tools that have no setting for a profile.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByDefault)]
    public SwitchParameter AsDefault { get; set; }

    /// <summary>Restores the variables that were set, and removes the credentials of a profile from the default profile.</summary>
    [Parameter(Mandatory = true, ParameterSetName = Back)]
    public SwitchParameter Clear { get; set; }

    /// <summary>Ends the endpoint, too; programs that use it get no more keys.</summary>
    [Parameter(ParameterSetName = Back)]
    public SwitchParameter StopEndpoint { get; set; }

    /// <summary>Credentials are renewed when less than this is left of them.</summary>
    [Parameter(ParameterSetName = ByProfile)]
    [Parameter(ParameterSetName = ByDefault)]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = Duration.MinimumRemaining;

    /// <summary>Leaves out the closing line.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    private protected override string[]? Named => Environment?.Select(WildcardPattern.Escape).ToArray();

    private protected override string[]? NamedProfiles => string.IsNullOrEmpty(ProfileName) ? null : [WildcardPattern.Escape(ProfileName)];

    private protected override PipelineInput Accepts
    {
        get
        {
            var input = PipelineInput.OneProfile(NamesProfiles, "profiles and their names, and accounts and roles that have one profile");
            input.Needed = Clear || MayPick ? null : input.Needed;
            return input;
        }
    }

    /// <summary>Whether the user may pick a profile; asked once, and only where no profile is named or piped.</summary>
    private bool MayPick => mayPick ??= !NamesProfiles && !MyInvocation.ExpectingInput && Shell.MayPick;

    private protected override bool IsAsked => Clear || base.IsAsked;

    private protected override string Instead(PipedKinds kind, string environment) =>
        $"Name one of its profiles: {MyInvocation.MyCommand.Name} <profile> -Environment {environment}.";

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName) ?? "";

    private protected override void RunAll()
    {
        VariableLoan.RefuseElsewhere();
        if (Clear)
        {
            Restore();
            return;
        }

        WarnOfDeadEndpoint();
        if (!NamesProfiles && Piped.Count == 0)
        {
            if (Picked() is not { } picked)
            {
                return;
            }

            Choose(picked);
        }

        if (OneProfile(out var environments) is not { } name)
        {
            return;
        }

        var isServed = AsEndpoint || (!AsEnvironmentVariable && !AsDefault && IsServed(name, environments));
        var action = isServed ? "Start an endpoint and set its variables"
            : AsEnvironmentVariable ? "Set the variables of keys"
            : AsDefault ? "Copy its credentials to the default profile"
            : "Set AWS_PROFILE";
        if ((AsDefault && !CanBeDefault(name, environments)) || !ShouldProcess(name, action))
        {
            return;
        }

        if (isServed)
        {
            SetEndpoint(name, environments);
        }
        else if (AsEnvironmentVariable)
        {
            SetKeys(name, environments);
        }
        else if (AsDefault)
        {
            SetDefault(name, environments);
        }
        else
        {
            SetProfile(name);
        }
    }

    private void Restore()
    {
        if (!ShouldProcess("AWS_PROFILE and the variables of keys", "Restore what Use-SsoCredential has changed"))
        {
            return;
        }

        SessionVariables.Replace();
        if (Run(new ClearDefaultWork(), happened => happened.Removed).FirstOrDefault() is { } removed && !Quiet)
        {
            WriteHost($"default: the credentials of {removed.ProfileName} were removed from the credentials file");
        }

        if (StopEndpoint)
        {
            Run(new StopEndpointWork());
        }

        if (EndpointVariables.AreDead())
        {
            EndpointVariables.Remove();
        }
    }

    /// <summary>The profile that the user picks; null where the user picks none.</summary>
    private SsoProfile? Picked()
    {
        var rows = PickerRows();
        if (rows.Count == 0)
        {
            throw SsoErrors.NoProfiles();
        }

        var model = new PickerModel(rows);
        if (Shell.HasKeys)
        {
            try
            {
                return new PickerScreen(model, new PickerLayout(rows), Host.UI.RawUI, () => Stopping).Pick()?.Profile;
            }
            catch (Exception fault) when (fault is NotImplementedException or InvalidOperationException or HostException)
            {
                // The host has no keys after all.
                model.FilterBy("");
            }
        }

        return PickedFromList(model);
    }

    private SsoProfile? PickedFromList(PickerModel model)
    {
        try
        {
            return new PickerList(model, Host.UI.WriteLine, Asked).Pick()?.Profile;
        }
        catch (Exception fault) when (fault is not (PipelineStoppedException or FlowControlException))
        {
            // A host that throws has nobody to ask.
            throw SsoErrors.NameNeeded(MyInvocation.MyCommand.Name, "the name of a profile");
        }

        string? Asked(string question)
        {
            Host.UI.Write(question);
            return Host.UI.ReadLine();
        }
    }

    /// <summary>The rows of the picker: name, environment if there are several, account, role, and the time left.</summary>
    private List<PickerRow> PickerRows()
    {
        var environments = Environments(usableOnly: true);
        var names = environments.Select(environment => environment.Name).ToArray();
        if (names.Length == 0)
        {
            return [];
        }

        var work = new GetCredentialWork { Environments = names, MinimumRemaining = MinimumRemaining.WholeSeconds() };
        var left = Look(work, happened => happened.Credential)
            .GroupBy(credential => (credential.Environment, credential.ProfileName))
            .ToDictionary(group => group.Key, group => TimeLeft(group.First()));
        var accounts = names
            .SelectMany(name => Look(new GetAccountWork { Environment = name, Known = true }, happened => happened.Account))
            .Where(account => account.AccountName is not null)
            .GroupBy(account => (account.Environment, account.AccountId))
            .ToDictionary(group => group.Key, group => group.First().AccountName!);
        return environments.SelectMany(environment => environment.AsProfiles()).Select(Row).ToList();

        PickerRow Row(SsoProfile profile) => new(
            profile,
            profile.ProfileName,
            left.TryGetValue((profile.Environment, profile.ProfileName), out var time) ? time : "",
            names.Length > 1 ? profile.Environment : "",
            profile.AccountId,
            accounts.TryGetValue((profile.Environment, profile.AccountId), out var name) ? name : "",
            profile.RoleName);
    }

    private static string TimeLeft(SsoCredential credential) => credential switch
    {
        { State: SsoCredentialState.CredentialProcess or SsoCredentialState.SsoSession } => "renews itself",
        { Expiration: { } end } => SsoTime.Remaining(end),
        _ => "",
    };

    private void WarnOfDeadEndpoint()
    {
        if (!AsEndpoint && !hasWarnedOfDeadEndpoint && EndpointVariables.AreDead())
        {
            hasWarnedOfDeadEndpoint = true;
            Warn("AWS_CONTAINER_CREDENTIALS_FULL_URI leads to the endpoint of a PowerShell that has ended; "
                + "remove it with Use-SsoCredential -Clear.");
        }
    }

    private void SetEndpoint(string name, string[] environments)
    {
        if (StartEndpoint(name, environments) is { } endpoint && Find(name) is { } profile)
        {
            SessionVariables.Replace([.. EndpointVariables.For(endpoint), .. CredentialVariables.ForRegion(profile)]);
            Show(profile, "AWS tools get its credentials from this PowerShell, which renews them", null);
        }
    }

    /// <summary>Whether the default profile can follow a profile; also with -WhatIf, the reason why it cannot is reported.</summary>
    private bool CanBeDefault(string name, string[] environments)
    {
        var failures = Failures;
        Run(new SetDefaultWork { Profile = name, Environments = environments, CheckOnly = true });
        return Failures == failures;
    }

    private void SetDefault(string name, string[] environments)
    {
        var failures = Failures;
        if (Find(name) is not { } profile || !Refresh(profile, out var end))
        {
            return;
        }

        Run(new SetDefaultWork { Profile = name, Environments = environments });
        if (Failures == failures)
        {
            if (System.Environment.GetEnvironmentVariable("AWS_PROFILE") is { Length: > 0 } other)
            {
                WriteWarning($"AWS_PROFILE is {other}, and AWS tools in this PowerShell use that profile instead of default.");
            }

            Show(profile, "AWS tools use it by default", end);
        }
    }

    private void SetProfile(string name)
    {
        if (Find(name) is not { } profile || !Refresh(profile, out var end))
        {
            return;
        }

        SessionVariables.Replace(CredentialVariables.ForProfile(profile));
        foreach (var variable in Stronger.Where(variable => !string.IsNullOrEmpty(System.Environment.GetEnvironmentVariable(variable))))
        {
            WriteWarning($"{variable} is set, and AWS tools use it instead of AWS_PROFILE; remove it with Remove-Item Env:{variable}.");
        }

        Show(profile, "AWS_PROFILE is set", end);
    }

    /// <summary>
    /// Makes the credentials of a profile valid; false where there was an error, which was reported: a shell that uses a profile without
    /// valid keys would only fail later.
    /// </summary>
    private bool Refresh(SsoProfile profile, out DateTime? end)
    {
        var failures = Failures;
        var work = new UpdateWork
        {
            Targets = [new UpdateTarget { Environment = profile.Environment, Profiles = [profile.ProfileName] }],
            MinimumRemaining = MinimumRemaining.WholeSeconds(),
            ThrottleLimit = 1,
            Session = Terms(),
        };
        end = Run(work, happened => happened.Completed).FirstOrDefault()?.CredentialsExpire;
        return Failures == failures;
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
        if (Run(work, happened => happened.Keys).FirstOrDefault() is { } keys && Find(name) is { } profile)
        {
            SessionVariables.Replace(CredentialVariables.ForKeys(profile, keys));
            ProfileInUse.Remember(name, keys.AccessKeyId);
            Show(profile, "the variables of its keys are set", Timestamp.Read(keys.Expiration));
        }
    }

    /// <summary>Whether the credentials file gets no keys of a profile. One that does not exist is reported later.</summary>
    private bool IsServed(string name, string[] environments) =>
        Look(new GetEnvironmentWork { UsableOnly = true }, happened => happened.Environment)
        .Where(known => environments.Length == 0 || environments.Contains(known.Name, StringComparer.OrdinalIgnoreCase))
        .SelectMany(known => known.AsProfiles())
        .FirstOrDefault(profile => profile.ProfileName == name) is { IsServed: true };

    /// <summary>The profile of this name; null where the named environment does not exist, which was reported.</summary>
    private SsoProfile? Find(string name)
    {
        var failures = Failures;
        // What cannot be used of other environments matters only where the profile is not found.
        var profiles = Environments(usableOnly: true).SelectMany(environment => environment.AsProfiles()).ToArray();
        if (profiles.FirstOrDefault(profile => profile.ProfileName == name) is { } found)
        {
            return found;
        }

        if (Failures == failures)
        {
            _ = Environments();
            throw SsoErrors.ProfileNotFound(name, null, profiles.Select(profile => profile.ProfileName).ToArray());
        }

        return null;
    }

    private void Show(SsoProfile profile, string what, DateTime? end)
    {
        if (!Quiet)
        {
            var until = end is { } time ? $", credentials last until {SsoTime.Clock(time)}" : "";
            WriteHost($"{profile.ProfileName}: {what} ({profile.RoleName} in account {profile.AccountId}){until}");
        }
    }
}
