# What a user of Export-SsoProfile gets: profiles in ~/.aws/config from which AWS tools get keys by themselves.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '6', '--approve-after-polls', '0'

    # The package is made for the system's Python and for no other.
    $python = '/usr/bin/python3'
    $missing = if ($IsWindows -or -not (Test-Path $python)) { "$python is not installed" } else {
        $null = & $python -c 'import awscli.botocore.session' 2>&1
        if ($LASTEXITCODE -ne 0) { "the package awscli is not installed for $python" }
    }

    # Gets the keys of profiles with the AWS CLI's own code, and prints their IDs, which are no secrets. It is too old for AWS_ENDPOINT_URL_SSO.
    $reader = @'
import json, os, sys
from awscli.botocore.session import Session

create_client = Session.create_client
Session.create_client = lambda self, *words, **more: create_client(self, *words, **{**more, 'endpoint_url': os.environ['AWS_ENDPOINT_URL_SSO']})
found = {}
for name in sys.argv[1:]:
    session = Session(profile=name)
    credentials = session.get_credentials()
    found[name] = [credentials.get_frozen_credentials().access_key, credentials.method, session.get_config_variable('region')]
print(json.dumps(found))
'@

    function Read-WithBotocore([string] $UserHome, [string[]] $Name) {
        $variables = Get-UserVariable $UserHome $service @{ AWS_EC2_METADATA_DISABLED = 'true'; PYTHONDONTWRITEBYTECODE = '1' }
        $run = Wait-UserProgram (Start-UserProgram (@($python, '-c', $reader) + $Name) $variables)
        if ($run.ExitCode -ne 0) { throw "The AWS CLI's code ended with $($run.ExitCode): $($run.ErrorText)" }
        $run.Text | ConvertFrom-Json -AsHashtable
    }

    $node = Get-NodeSdk
    $dotnet = Get-DotNetSdk
    $programs = @{
        JavaScript = @{ Missing = $node.Missing; Command = $node.Program, (Join-Path $PSScriptRoot sdk/profile_keys.mjs), $node.Folder }
        '.NET'     = @{ Missing = $dotnet.Missing; Command = @(Get-PowerShell) + '-NoProfile', '-File', (Join-Path $PSScriptRoot sdk/ProfileKeys.ps1), $dotnet.Folder }
    }

    # The ID of each profile's keys, or what the SDK says instead.
    function Read-WithSdk([string] $Sdk, [string] $UserHome, [string[]] $Name) {
        $variables = Get-UserVariable $UserHome $service @{ AWS_EC2_METADATA_DISABLED = 'true'; AWS_REGION = 'us-west-2' }
        $run = Wait-UserProgram (Start-UserProgram ($programs[$Sdk].Command + $Name) $variables)
        if ($run.ExitCode -ne 0) { throw "The program of the SDK ended with $($run.ExitCode): $($run.ErrorText)" }
        $run.Text | ConvertFrom-Json -AsHashtable
    }

    function Get-Config([string] $UserHome) {
        Get-Content -Raw (Get-AwsPath $UserHome config)
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Export-SsoProfile' {
    It 'lets the AWS CLI get keys with -As <_>, without a login and without keys in the credentials file' -ForEach 'CredentialProcess', 'SsoSession' {
        if ($missing) { Set-ItResult -Skipped -Because $missing; return }
        $userHome = New-LoggedInHome $service -Count 2
        Add-AwsText $userHome sso-environments "`n[environment Acme profile two words]`nsso_account_id = $(Get-AccountId 3)`nregion = eu-west-1`n"
        $before = (Get-StandInStats $service).logins
        $run = Invoke-UserRunspace $userHome $service "Update-SsoCredential Acme -NoLogin -Quiet; Export-SsoProfile Acme -As $_ -PassThru -WarningAction SilentlyContinue | Select-Object ProfileName, CredentialsRemoved, @{ n = 'Status'; e = { `"`$(`$_.Status)`" } }"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.ProfileName | Should -Be 'Account1', 'Account2', 'two words'
        $run.Output.Status | Should -Be 'Added', 'Added', 'Added'
        $run.Output.CredentialsRemoved | Should -Be $true, $true, $true
        (Get-Credential $userHome).Count | Should -Be 0
        $found = Read-WithBotocore $userHome 'Account1', 'Account2', 'two words'
        foreach ($name in 'Account1', 'Account2', 'two words') {
            $found[$name][0] | Should -Match '^ASIA'
            $found[$name][1] | Should -Be @{ CredentialProcess = 'custom-process'; SsoSession = 'sso' }[$_]
        }
        $found['two words'][2] | Should -Be 'eu-west-1'
        (Get-StandInStats $service).logins | Should -Be $before
    }

    It 'lets the AWS SDK for <Sdk> get keys with -As <As>, and warns of each name that the SDK does not find' -ForEach @(
        foreach ($sdk in 'JavaScript', '.NET') { foreach ($as in 'CredentialProcess', 'SsoSession') { @{ Sdk = $sdk; As = $as } } }
    ) {
        if ($programs[$Sdk].Missing) { Set-ItResult -Skipped -Because $programs[$Sdk].Missing; return }
        $plain = 'Account1', 'a/b.c@d+e:1', 'under_score-2'
        $special = 'two words', 'a#b', 'a #b', 'a;b', "Z$([char] 0xfc)rich", '50%PATH%', 'a"b', "o'neil", 'a\b', '-dash'
        $userHome = New-LoggedInHome $service -Count 1
        foreach ($name in @($plain | Select-Object -Skip 1) + $special) { Add-AwsText $userHome sso-environments "`n[environment Acme profile $name]`nsso_account_id = $(Get-AccountId 3)`n" }
        $before = (Get-StandInStats $service).logins
        $run = Invoke-UserPowerShell $userHome $service "Export-SsoProfile Acme -As $As -Quiet -WarningVariable warned -WarningAction SilentlyContinue; `"`$warned`""
        $run.Errors | Should -BeNullOrEmpty
        $found = Read-WithSdk $Sdk $userHome ($plain + $special)
        $found.Count | Should -Be ($plain + $special).Count
        foreach ($name in $plain) { $found[$name] | Should -Match '^ASIA' -Because $name }
        $warned = ($run.Output[0] -replace '^.*characters: |\. Their.*$|\.$') -split ', '
        $special | Where-Object { $found[$_] -notmatch '^ASIA' -and $_ -cnotin $warned } | Should -BeNullOrEmpty
        $plain | Where-Object { $_ -cin $warned } | Should -BeNullOrEmpty
        (Get-StandInStats $service).logins | Should -Be $before
    }

    It 'changes nothing the second time, and Update-SsoCredential and Get-SsoCredential know' {
        $userHome = New-LoggedInHome $service -Count 2
        $run = Invoke-UserRunspace $userHome $service @'
            Export-SsoProfile Acme Account1 -As SsoSession
            Export-SsoProfile Acme Account2 -As CredentialProcess -Quiet
            Get-SsoProfile Acme Account1 | Export-SsoProfile -As SsoSession -PassThru -Quiet | ForEach-Object { "$($_.Status)" }
            Update-SsoCredential Acme -Force -PassThru -NoLogin
            Get-SsoCredential Acme | ForEach-Object { "$($_.State)" }
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Unchanged', 'SsoSession', 'CredentialProcess'
        Test-Path (Get-AwsPath $userHome credentials) | Should -BeFalse
    }

    It 'shows with -WhatIf what would be added, changed and removed, and writes nothing' {
        $userHome = New-LoggedInHome $service -Count 2
        Add-AwsText $userHome config "[profile Account2]`r`n# mine`r`nregion = x`r`n[profile gone]`r`nsso_session = y`r`nx_sso_environment = Acme`r`n"
        $text = Get-Config $userHome
        $run = Invoke-UserPowerShell $userHome $service 'Export-SsoProfile Acme -As SsoSession -Prune -WhatIf'
        $run.Text | Should -Match 'Add to the AWS config file.*Acme: Account1'
        $run.Text | Should -Match 'Change sso_session, sso_account_id, sso_role_name, x_sso_environment in the AWS config file.*Acme: Account2'
        $run.Text | Should -Match 'Remove from the AWS config file.*Acme: gone'
        Get-Config $userHome | Should -BeExactly $text
        Test-Path (Get-AwsPath $userHome sso/bin) | Should -BeFalse
    }

    It 'names each profile with other credentials in an error and exports the rest' {
        $userHome = New-LoggedInHome $service -Count 3
        Add-AwsText $userHome config "[profile Account1]`nrole_arn = x`nsource_profile = y`n"
        Add-AwsText $userHome credentials "[Account2]`naws_access_key_id = AKIAIOSFODNN7EXAMPLE`naws_secret_access_key = x`n"
        $run = Invoke-UserRunspace $userHome $service 'Export-SsoProfile Acme -As CredentialProcess -PassThru'
        $run.Output.ProfileName | Should -Be 'Account3'
        $run.Errors.Id | Should -Be (@('ProfileHasOtherKeys,AwsSso.Commands.ExportSsoProfileCommand') * 2)
        $run.Errors.Message -join ' ' | Should -Match 'Account2.*AKIA.*Account1.*role_arn|Account1.*role_arn.*Account2.*AKIA'
    }

    It 'is refused for an environment that is not stored, or whose token is in memory only' {
        $userHome = New-LoggedInHome $service -Count 1
        Add-AwsText $userHome config "[sso-session my]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`n"
        $run = Invoke-UserRunspace $userHome $service 'Export-SsoProfile my -As SsoSession; Set-SsoEnvironment Acme -TokenCache Memory; Export-SsoProfile Acme -As SsoSession'
        $run.Errors.Message -join ' ' | Should -Match 'kept in memory'
        Get-Config $userHome | Should -Not -Match 'Account1'
    }
}
