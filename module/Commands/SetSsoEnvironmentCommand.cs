using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>Creates an environment, or changes one; what is not given stays as it is.</summary>
[Cmdlet(VerbsCommon.Set, "SsoEnvironment", SupportsShouldProcess = true)]
[OutputType(typeof(SsoEnvironment))]
public sealed class SetSsoEnvironmentCommand : StoringCmdlet
{
    /// <summary>The environment's name: no blanks, no <c>]</c>, compared without case.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [Alias("Environment", "EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string Name { get; set; } = "";

    /// <summary>The access portal's start URL; a new environment needs one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? StartUrl { get; set; }

    /// <summary>The region of the Identity Center instance; a new environment needs one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? Region { get; set; }

    /// <summary>The permission set role of every profile that names none.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RoleCompleter))]
    public string? DefaultRoleName { get; set; }

    /// <summary>The region that AWS tools use with the profiles; empty removes it.</summary>
    [Parameter]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? ProfileRegion { get; set; }

    /// <summary>The output format of the AWS CLI with the profiles; empty removes it.</summary>
    [Parameter]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(OutputCompleter))]
    public string? ProfileOutput { get; set; }

    /// <summary>
    /// The whole new table of profiles: hashtables or objects with Profile, AccountId and, where they differ, RoleName, ProfileRegion and
    /// ProfileOutput.
    /// </summary>
    [Parameter]
    [ValidateNotNull]
    public object[]? Account { get; set; }

    /// <summary>Where access tokens of this environment are kept.</summary>
    [Parameter]
    public SsoTokenCache TokenCache { get; set; }

    /// <summary>Whether the credentials file gets the keys of this environment.</summary>
    [Parameter]
    public SsoCredentialsFileUse CredentialsFile { get; set; }

    /// <summary>Removes the keys that the credentials file has for this environment.</summary>
    [Parameter]
    public SwitchParameter RemoveCredentials { get; set; }

    /// <summary>Changes the environment; where that is declined, the input is checked all the same.</summary>
    protected override void ProcessRecord()
    {
        if (Region is not null && IsWildcardDefault(nameof(Region)) && IsStored([Name]))
        {
            Region = UnlessWildcardDefault(nameof(Region), Region);
        }

        var work = new SetEnvironmentWork
        {
            Name = Name,
            StartUrl = StartUrl,
            Region = Region,
            DefaultRoleName = DefaultRoleName,
            ProfileRegion = ProfileRegion,
            ProfileOutput = ProfileOutput,
            Accounts = Rows(),
            TokenCache = MyInvocation.BoundParameters.ContainsKey(nameof(TokenCache)) ? TokenCache : null,
            CredentialsFile = MyInvocation.BoundParameters.ContainsKey(nameof(CredentialsFile)) ? CredentialsFile : null,
            RemoveCredentials = RemoveCredentials,
            CheckOnly = !ShouldProcess(Name, "Set SSO environment"),
        };
        OrTerminate(() =>
        {
            if (Store(work, isShown: false) is { } environment && PassThru)
            {
                WriteObject(environment);
            }
        });
    }

    private SsoAccountRow[]? Rows()
    {
        SsoAccountRow[]? rows = null;
        OrTerminate(() => rows = Account is null ? null : SsoAccountTable.Read(Account, Name, WriteVerbose));
        return rows;
    }
}
