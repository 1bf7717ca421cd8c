using System;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Shows how the keys in the credentials file stand, without any network call; or answers an AWS tool that calls it for keys.</summary>
[Cmdlet(VerbsCommon.Get, "SsoCredential", DefaultParameterSetName = Shown)]
[OutputType(typeof(SsoCredential), ParameterSetName = [Shown])]
[OutputType(typeof(string), ParameterSetName = [ForTool])]
public sealed class GetSsoCredentialCommand : EnvironmentCmdlet
{
    private const string Shown = "Environment";
    private const string ForTool = "AsCredentialProcess";

    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The profiles, by name or wildcards, in which case counts; without it every profile. An AWS tool needs exactly one.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[]? ProfileName { get; set; }

    /// <summary>Writes the JSON text that an AWS tool reads from a credential_process, and nothing else.</summary>
    [Parameter(ParameterSetName = ForTool, Mandatory = true)]
    public SwitchParameter AsCredentialProcess { get; set; }

    /// <summary>Credentials are due when less than this is left of them.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = TimeSpan.FromMinutes(15);

    private protected override string[]? Named => Environment;

    private protected override string[]? NamedProfiles => ProfileName;

    private protected override PipedKinds Takes => PipedKinds.Whole | PipedKinds.Part;

    private protected override string TakesText => PartsText;

    // Whoever reads the JSON text would stumble over any other line.
    private protected override bool IsSilent => AsCredentialProcess;

    private protected override void Begin() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName);

    private protected override void RunAll()
    {
        if (AsCredentialProcess)
        {
            Answer();
            return;
        }

        var credentials = Ask(
            names => new SsoWork { GetCredential = new GetCredentialWork { Environments = names, MinimumRemaining = MinimumRemaining.WholeSeconds() } },
            happened => happened.Credential,
            credential => credential.Environment);
        var environments = credentials.Select(credential => credential.Environment).ToList();
        WriteObject(Meant(environments, credentials, credential => credential.AsProfile()), enumerateCollection: true);
    }

    private void Answer()
    {
        if (OneProfile(out var environments) is not { } profile)
        {
            return;
        }

        var work = new GetKeysWork
        {
            Profile = profile,
            Environments = environments,
            MinimumRemaining = MinimumRemaining.WholeSeconds(),
            Session = new SessionTerms { NoLoginReason = "a credential_process has nobody to ask" },
        };
        Run(new SsoWork { GetKeys = work }, happened =>
        {
            if (happened.Keys is not { } keys)
            {
                return;
            }

            var answer = new CredentialProcessOutput(keys).Write();
            if (DirectOutput.IsOpen(MyInvocation, Host))
            {
                DirectOutput.WriteLine(answer);
            }
            else
            {
                WriteObject(answer);
            }
        });
    }
}
