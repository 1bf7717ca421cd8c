using System;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Shows how the keys in the credentials file stand, without any network call.</summary>
[Cmdlet(VerbsCommon.Get, "SsoCredential")]
[OutputType(typeof(SsoCredential))]
public sealed class GetSsoCredentialCommand : EnvironmentCmdlet
{
    /// <summary>The environments, by name or wildcards; without it every stored one.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName", "Name")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string[]? Environment { get; set; }

    /// <summary>The profiles, by name or wildcards, in which case counts; without it every profile.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ProfileCompleter))]
    public string[]? ProfileName { get; set; }

    /// <summary>Credentials are due when less than this is left of them.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration(AllowZero = true)]
    public TimeSpan MinimumRemaining { get; set; } = TimeSpan.FromMinutes(15);

    private protected override string[]? Named => Environment;

    private protected override void RunAll()
    {
        var credentials = Ask(
            names => new SsoWork { GetCredential = new GetCredentialWork { Environments = names, MinimumRemaining = MinimumRemaining.WholeSeconds() } },
            happened => happened.Credential,
            credential => credential.Environment);
        if (ProfileName is not null)
        {
            var isMeant = MeantProfiles(ProfileName, credentials.Select(credential => credential.ProfileName).ToArray());
            credentials.RemoveAll(credential => !isMeant(credential.ProfileName));
        }

        WriteObject(credentials, enumerateCollection: true);
    }
}
