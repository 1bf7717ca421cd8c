@{
    RootModule             = 'bin/AwsSso.dll'
    ModuleVersion          = '0.1.0'
    GUID                   = 'f0d7b2b6-6c0e-4a43-9c1d-8f3a5f2e7b61'
    Author                 = 'The Set-AwsCliSsoCredentials contributors'
    Copyright              = '(c) The Set-AwsCliSsoCredentials contributors. MIT license.'
    Description            = 'Refreshes the credentials of all your AWS IAM Identity Center (AWS SSO) profiles in ~/.aws/credentials with one command and at most one browser approval. Needs no AWS Tools and no AWS CLI. Works on Windows, macOS, and Linux.'
    PowerShellVersion      = '5.1'
    # For Windows PowerShell: the first version that runs a .NET Standard 2.0 assembly without additional files.
    DotNetFrameworkVersion = '4.7.2'
    CompatiblePSEditions   = @('Desktop', 'Core')
    CmdletsToExport        = @(
        'Add-SsoProfile', 'Connect-SsoSession', 'Disconnect-SsoSession', 'Export-SsoEnvironment', 'Export-SsoProfile', 'Get-SsoAccount',
        'Get-SsoCredential', 'Get-SsoCredentialRefresh', 'Get-SsoEnvironment', 'Get-SsoProfile', 'Get-SsoPromptText', 'Get-SsoRole',
        'Get-SsoSession', 'Import-SsoEnvironment', 'Invoke-SsoCommand', 'Open-SsoConsole', 'Remove-SsoEnvironment', 'Remove-SsoProfile',
        'Rename-SsoProfile', 'Set-SsoEnvironment', 'Start-SsoCredentialRefresh', 'Stop-SsoCredentialRefresh', 'Sync-SsoProfile',
        'Update-SsoCredential', 'Use-SsoCredential'
    )
    FunctionsToExport      = @()
    # The name of the script that this module replaces.
    AliasesToExport        = @('Set-AwsCliSsoCredentials')
    VariablesToExport      = @()
    PrivateData            = @{
        PSData = @{
            # build.ps1 Pack adds ProjectUri from the variable PROJECT_URI.
            LicenseUri   = 'https://spdx.org/licenses/MIT.html'
            Tags         = @(
                'AWS', 'SSO', 'IAM', 'IdentityCenter', 'Credentials', 'Profile', 'Login', 'Security',
                'PSEdition_Desktop', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS'
            )
            ReleaseNotes = @'
0.1.0: first release.
- Update-SsoCredential refreshes all profiles of your IAM Identity Center environments in ~/.aws/credentials, with at most one browser approval.
- Sync-SsoProfile creates the profiles from the accounts and roles that are assigned to you.
- Use-SsoCredential, Open-SsoConsole and Get-SsoCredential use one profile; the session is shared with the AWS CLI.
- Import-SsoEnvironment reads copies of the script Set-AwsCliSsoCredentials.ps1.
'@
        }
    }
}
