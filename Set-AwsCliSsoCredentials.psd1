@{
    RootModule             = 'bin/AwsSso.dll'
    ModuleVersion          = '0.1.0'
    GUID                   = 'f0d7b2b6-6c0e-4a43-9c1d-8f3a5f2e7b61'
    Author                 = 'The Set-AwsCliSsoCredentials contributors'
    CompanyName            = 'Unknown'
    Copyright              = '(c) The Set-AwsCliSsoCredentials contributors. MIT license.'
    Description            = 'Brings every AWS profile of an IAM Identity Center environment to fresh credentials in the shared credentials file, with one approval in a browser at most.'
    PowerShellVersion      = '5.1'
    # For Windows PowerShell: the first that runs an assembly of .NET Standard 2.0 without files beside it.
    DotNetFrameworkVersion = '4.7.2'
    CompatiblePSEditions   = @('Desktop', 'Core')
    FormatsToProcess       = @('module/AwsSso.Format.ps1xml')
    CmdletsToExport        = @(
        'Add-SsoProfile', 'Connect-SsoSession', 'Disconnect-SsoSession', 'Export-SsoEnvironment', 'Get-SsoAccount', 'Get-SsoCredential',
        'Get-SsoEnvironment', 'Get-SsoProfile', 'Get-SsoRole', 'Get-SsoSession', 'Import-SsoEnvironment', 'Open-SsoConsole',
        'Remove-SsoEnvironment', 'Remove-SsoProfile', 'Set-SsoEnvironment', 'Sync-SsoProfile', 'Update-SsoCredential', 'Use-SsoCredential'
    )
    FunctionsToExport      = @()
    # The name of the script that this module takes the place of.
    AliasesToExport        = @('Set-AwsCliSsoCredentials')
    VariablesToExport      = @()
    PrivateData            = @{
        PSData = @{
            LicenseUri = 'https://spdx.org/licenses/MIT.html'
            Tags       = @('AWS', 'SSO', 'IdentityCenter', 'Credentials', 'PSEdition_Desktop', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
        }
    }
}
