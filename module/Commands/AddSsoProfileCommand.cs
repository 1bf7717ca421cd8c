using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;

namespace AwsSso.Commands;

/// <summary>Adds profiles for roles to the table of an environment. Existing profiles are not changed.</summary>
[Cmdlet(VerbsCommon.Add, "SsoProfile", SupportsShouldProcess = true)]
[OutputType(typeof(SsoProfile))]
public sealed class AddSsoProfileCommand : SsoCmdlet
{
    private readonly List<SsoRole> roles = [];

    /// <summary>The stored environment's name.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("EnvironmentName")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentCompleter))]
    public string Environment { get; set; } = "";

    /// <summary>The account's id, 12 digits.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(AccountIdCompleter))]
    public string AccountId { get; set; } = "";

    /// <summary>The permission set role.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Role")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RoleCompleter))]
    public string RoleName { get; set; } = "";

    /// <summary>The account's name, for the template.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowEmptyString]
    [AllowNull]
    public string? AccountName { get; set; }

    /// <summary>The account's email address, for the template.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Email")]
    [AllowEmptyString]
    [AllowNull]
    public string? EmailAddress { get; set; }

    /// <summary>The profile's name, instead of the one from the template.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? ProfileName { get; set; }

    /// <summary>
    /// How profiles are named: text with the fields <c>{AccountName}</c>, <c>{AccountId}</c>, <c>{RoleName}</c>, <c>{Email}</c> and
    /// <c>{Environment}</c>.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? NameTemplate { get; set; }

    /// <summary>Text before each name from the template.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Prefix { get; set; }

    /// <summary>The region that AWS tools use with the new profiles, where it is not that of the environment.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegionCompleter))]
    public string? ProfileRegion { get; set; }

    /// <summary>The output format of the AWS CLI with the new profiles, where it is not that of the environment.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(OutputCompleter))]
    public string? ProfileOutput { get; set; }

    /// <summary>Returns each profile that was added.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Drops a default that is meant for the profiles of other commands.</summary>
    protected override void BeginProcessing() => ProfileName = UnlessWildcardDefault(nameof(ProfileName), ProfileName);

    /// <summary>Collects roles: all of the input is one change, or none.</summary>
    protected override void ProcessRecord() => roles.Add(new SsoRole
    {
        Environment = Environment,
        AccountId = AccountId,
        RoleName = RoleName,
        AccountName = string.IsNullOrEmpty(AccountName) ? null : AccountName,
        EmailAddress = string.IsNullOrEmpty(EmailAddress) ? null : EmailAddress,
        ProfileName = ProfileName,
    });

    /// <summary>Adds what is new.</summary>
    protected override void EndProcessing() => OrTerminate(() =>
    {
        foreach (var group in roles.GroupBy(role => role.Environment, System.StringComparer.OrdinalIgnoreCase))
        {
            var table = new ProfileTable(group.Key, group)
            {
                NameTemplate = NameTemplate,
                Prefix = Prefix,
                Region = ProfileRegion,
                Output = ProfileOutput,
            };
            var missing = Run(table.Check(), happened => happened.Added);
            if (missing.Count == 0)
            {
                WriteHost($"{group.Key}: no changes, since each of these roles has a profile");
            }

            var agreed = missing.Where(profile => ShouldProcess(profile.Description, "Add SSO profile")).ToArray();
            if (agreed.Length > 0)
            {
                var added = Run(table.Add(agreed), happened => happened.Added);
                if (PassThru)
                {
                    WriteObjects(added);
                }
            }
        }
    });
}
