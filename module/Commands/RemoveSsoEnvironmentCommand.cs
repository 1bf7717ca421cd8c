using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Removes environments; their keys in the credentials file stay unless -RemoveCredentials is given.</summary>
[Cmdlet(VerbsCommon.Remove, "SsoEnvironment", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(void))]
public sealed class RemoveSsoEnvironmentCommand : EnvironmentNameCmdlet
{
    /// <summary>Does not ask about environments that have profiles.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Removes the credentials of the environments' profiles from the credentials file, too.</summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    private protected override PipelineInput Accepts =>
        new(PipedKinds.Name | PipedKinds.Environment, "names of environments and objects from Get-SsoEnvironment")
        {
            Needed = NamesEnvironments ? null : "the name of an environment",
        };

    private protected override string Instead(PipedKinds kind, string environment) => kind switch
    {
        PipedKinds.Session => $"Log out with Disconnect-SsoSession {environment}, or name the environment to remove it.",
        _ => "Remove profiles with Remove-SsoProfile, or name the environment to remove all of it.",
    };

    private protected override void RunAll()
    {
        // What cannot be read can still be removed, so that a fault in one environment is no error here.
        var stored = Look(new GetEnvironmentWork { StoredOnly = true }, happened => happened.Environment);
        var names = new List<string>();
        foreach (var wanted in Asked())
        {
            var matching = wanted.IsLiteral
                ? [wanted.Literal]
                : stored.Select(environment => environment.Name).Where(wanted.Matches).ToArray();
            names.AddRange(matching);
            if (matching.Length == 0)
            {
                WarnOfNoMatch("environment", wanted.Written);
            }
        }

        ForEach(names.Distinct(StringComparer.OrdinalIgnoreCase).ToArray(), name =>
        {
            // An unknown name is an error before anybody is asked about it.
            Remove(name, checkOnly: true);
            var environment = stored.Find(candidate => string.Equals(candidate.Name, name, StringComparison.OrdinalIgnoreCase));
            if (IsAgreed(environment, name))
            {
                if (RemoveCredentials)
                {
                    // While the table still says which profiles there are.
                    Run(new RemoveCredentialWork { Environment = name, Unlisted = true });
                }

                Remove(name, checkOnly: false);
            }
        });
    }

    private void Remove(string name, bool checkOnly) => Run(new RemoveEnvironmentWork { Name = name, CheckOnly = checkOnly });

    private bool IsAgreed(SsoEnvironment? environment, string name)
    {
        var action = RemoveCredentials ? "Remove SSO environment and its credentials" : "Remove SSO environment";
        if (Force && !IsWhatIf && !MyInvocation.BoundParameters.ContainsKey("Confirm"))
        {
            return true;
        }

        var isEmpty = environment?.Profiles.Length == 0;
        var target = environment is null || isEmpty ? name : $"{environment.Name}, with {Counted(environment.Profiles.Length)}";
        return IsAgreed(target, action, isGrave: !isEmpty);
    }
}
