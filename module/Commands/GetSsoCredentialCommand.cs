using System;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Shows the keys' state in the credentials file, without any network call; or answers an AWS tool that calls it for keys.
/// </summary>
[Cmdlet(VerbsCommon.Get, "SsoCredential", DefaultParameterSetName = Shown)]
[OutputType(typeof(SsoCredential), ParameterSetName = [Shown])]
[OutputType(typeof(string), ParameterSetName = [ForTool])]
public sealed class GetSsoCredentialCommand : ProfileCmdlet
{
    private const string Shown = "Environment";
    private const string ForTool = "AsCredentialProcess";

    /// <summary>Writes the JSON text that an AWS tool reads from a credential_process, and nothing else.</summary>
    [Parameter(ParameterSetName = ForTool, Mandatory = true)]
    public SwitchParameter AsCredentialProcess { get; set; }

    /// <summary>Credentials are due when less than this is left of them.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = Duration.MinimumRemaining;

    // Whoever reads the JSON text would stumble over any other line.
    private protected override bool IsSilent => AsCredentialProcess;

    private protected override void RunAll()
    {
        if (AsCredentialProcess)
        {
            Answer();
            return;
        }

        var credentials = Ask(
            names => new GetCredentialWork { Environments = names, MinimumRemaining = MinimumRemaining.WholeSeconds() },
            happened => happened.Credential,
            credential => credential.Environment);
        var environments = credentials.Select(credential => credential.Environment).ToList();
        WriteObjects(Meant(environments, credentials, credential => credential.AsProfile()));
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
        Run(work, happened => happened.Keys, Write);
    }

    private void Write(KeysEvent keys)
    {
        var answer = new CredentialProcessOutput(keys).Write();
        if (DirectOutput.IsOpen(MyInvocation, Host))
        {
            DirectOutput.WriteLine(answer);
        }
        else
        {
            WriteObject(answer);
        }
    }
}
