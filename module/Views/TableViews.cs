using System.Management.Automation;

namespace AwsSso;

/// <summary>
/// The tables that the module's objects are shown as. They are not in a .ps1xml file, since the execution policies Restricted and AllSigned
/// block such a file without a signature.
/// </summary>
internal static class TableViews
{
    private const string Expires = "[AwsSso.SsoTime]::Until($_.Expiration)";

    /// <summary>The tables, one for each type, in PowerShell's form.</summary>
    internal static ExtendedTypeDefinition[] All() =>
    [
        new TableView<SsoProfileResult>(autoSize: true)
            .GroupBy("Environment")
            .Column("ProfileName")
            .Column("Status")
            .Column("Expires", Expires)
            .Column("AccountId")
            .Column("RoleName")
            .Build(),

        new TableView<SsoEnvironment>(autoSize: true)
            .Column("Name")
            .Column("Profiles", "$_.Profiles.Count", Alignment.Right)
            .Column("Region")
            .Column("StartUrl")
            .Column("From", "Split-Path -Leaf $_.Source")
            .Build(),

        new TableView<SsoAccountRow>(autoSize: true)
            .Column("Profile")
            .Column("AccountId")
            .Column("RoleName")
            .Build(),

        new TableView<SsoSession>(autoSize: true)
            .Column("Environment")
            .Column("State")
            .Column("Renews", "[AwsSso.SsoTime]::Renewal($_)")
            .Column("Region")
            .Column("TokenCache", "if ($_.IsStoreLocked) { \"$($_.TokenCache) (locked)\" } else { $_.TokenCache }")
            .Build(),

        new TableView<SsoCredential>(autoSize: true)
            .GroupBy("Environment")
            .Column("ProfileName")
            .Column("State")
            .Column("Expires", Expires)
            .Column("AccountId")
            .Column("RoleName")
            .Build(),

        new TableView<SsoCredentialRefresh>(autoSize: true)
            .GroupBy("Environment")
            .Column("ProfileName")
            .Column("State")
            .Column("Expires", Expires)
            .Column("NextAttempt", "[AwsSso.SsoTime]::Next($_.NextAttempt)")
            .Column("LastError")
            .Build(),

        new TableView<SsoAccount>(autoSize: false)
            .GroupBy("Environment")
            .Column("AccountId")
            .Column("AccountName")
            .Column("EmailAddress")
            .Build(),

        new TableView<SsoRole>(autoSize: false)
            .GroupBy("Environment")
            .Column("AccountId")
            .Column("AccountName")
            .Column("RoleName")
            .Build(),

        new TableView<SsoExportedProfile>(autoSize: false)
            .GroupBy("Environment")
            .Column("ProfileName")
            .Column("Status")
            .Column("ChangedKeys")
            .Build(),

        new TableView<SsoProfile>(autoSize: false)
            .GroupBy("Environment")
            .Column("ProfileName")
            .Column("AccountId")
            .Column("RoleName")
            .Build(),
    ];
}
