# What a user of Use-SsoCredential -AsDefault gets: the default profile of AWS tools, with the credentials of another profile.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0'

    function Get-CredentialText([string] $UserHome) {
        Get-Content -Raw (Get-AwsPath $UserHome credentials)
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Use-SsoCredential -AsDefault' {
    It 'gives default the credentials of a profile, follows each update of it, and ends with -Clear' {
        $userHome = New-LoggedInHome $service -Count 2 -Credential
        Add-AwsText $userHome credentials "# mine`n[other]`nregion = x`n"
        $before = Get-CredentialText $userHome
        $set = Invoke-UserRunspace $userHome $service 'Use-SsoCredential Account1 -AsDefault; $null -eq $env:AWS_PROFILE'
        $set.Errors | Should -BeNullOrEmpty
        $set.Text | Should -Match 'Account1: AWS tools use it by default \(AWSAdministratorAccess in account \d{12}\), credentials last until '
        $set.Output | Should -BeTrue
        $first = Get-Credential $userHome
        $first.default.aws_access_key_id | Should -Be $first.Account1.aws_access_key_id
        $first.default.x_sso_source_profile | Should -Be 'Account1'

        (Invoke-UserRunspace $userHome $service 'Update-SsoCredential Acme -Force').Errors | Should -BeNullOrEmpty
        $second = Get-Credential $userHome
        $second.Account1.aws_access_key_id | Should -Not -Be $first.Account1.aws_access_key_id
        foreach ($key in 'aws_access_key_id', 'aws_secret_access_key', 'aws_session_token', 'x_security_token_expires') { $second.default[$key] | Should -Be $second.Account1[$key] }

        $requests = Get-RequestCount $service
        $clear = Invoke-UserRunspace $userHome $service 'Use-SsoCredential -Clear; Use-SsoCredential -Clear'
        $clear.Text | Should -Be 'default: the credentials of Account1 were removed from the credentials file'
        Get-RequestCount $service | Should -Be $requests
        $rest = { param($Text) $Text.TrimEnd() -split '\r?\n' -notmatch '^(aws|x)_' }
        & $rest (Get-CredentialText $userHome) | Should -Be (& $rest $before)
    }

    It 'turns to another profile, of another environment, and writes its region' {
        $userHome = New-LoggedInHome $service -Count 2 -Credential
        Add-Environment $userHome $service Beta -Count 1 -First 3
        $result = Invoke-UserRunspace $userHome $service @'
            Set-SsoEnvironment Beta -ProfileRegion eu-west-1
            Use-SsoCredential Account1 -AsDefault -Quiet
            Use-SsoCredential Account3 -AsDefault -Quiet
            Update-SsoCredential Acme -Force -Quiet
'@
        $result.Errors | Should -BeNullOrEmpty
        $found = (Get-Credential $userHome).default
        $found.x_sso_source_profile | Should -Be 'Account3'
        $found.x_sso_environment | Should -Be 'Beta'
        $found.region | Should -Be 'eu-west-1'
        $found.aws_access_key_id | Should -Be (Get-Credential $userHome).Account3.aws_access_key_id
    }

    It 'leaves what others have in default, and says so before any request' {
        foreach ($case in @(
                @{ Text = "aws_access_key_id = AKIAEXAMPLE`naws_secret_access_key = s"; Says = 'its section has long-term access keys' }
                @{ Text = "aws_access_key_id = ASIAEXAMPLE`naws_secret_access_key = s"; Says = 'its section has access keys without a session token' }
                @{ Text = 'role_arn = arn:aws:iam::012345678901:role/x'; Says = 'its section has role_arn, which this module did not write' }
                @{ Text = 'credential_process = other'; Says = 'its section has credential_process, which this module did not write' })) {
            $userHome = New-LoggedInHome $service -Count 1
            Add-AwsText $userHome credentials "[default]`n$($case.Text)`n"
            $before = Get-CredentialText $userHome
            $requests = Get-RequestCount $service
            $result = Invoke-UserRunspace $userHome $service 'Use-SsoCredential Account1 -AsDefault; Use-SsoCredential -Clear'
            $result.Errors.Id | Should -Be 'ProfileHasOtherKeys,AwsSso.Commands.UseSsoCredentialCommand'
            $result.Errors.Message | Should -Match $case.Says
            Get-CredentialText $userHome | Should -BeExactly $before
            Get-RequestCount $service | Should -Be $requests
        }
    }

    It 'keeps what a user added to default: a region, and keys that came later' {
        $userHome = New-LoggedInHome $service -Count 1 -Credential
        Add-AwsText $userHome credentials "`n[default]`nregion = ap-south-1`ncli_pager =`n"
        $null = Invoke-UserRunspace $userHome $service 'Use-SsoCredential Account1 -AsDefault -Quiet; Update-SsoCredential Acme -Force -Quiet; Use-SsoCredential -Clear'
        Get-CredentialText $userHome | Should -Match '\[default\]\r?\nregion = ap-south-1\r?\ncli_pager =\r?\n$'
        $null = Invoke-UserRunspace $userHome $service 'Use-SsoCredential Account1 -AsDefault -Quiet'
        $text = (Get-CredentialText $userHome) -replace '(?s)(\[default\].*?aws_access_key_id = )\S+', '$1AKIAEXAMPLE'
        [IO.File]::WriteAllText((Get-AwsPath $userHome credentials), $text)
        $null = Invoke-UserRunspace $userHome $service 'Update-SsoCredential Acme -Force -Quiet; Use-SsoCredential -Clear'
        $kept = (Get-Credential $userHome).default
        $kept.aws_access_key_id | Should -Be 'AKIAEXAMPLE'
        $kept.Keys | Should -Not -Contain 'x_sso_source_profile'
    }

    It 'refuses a profile that was exported, an environment with a profile named default, and an unknown profile' {
        $userHome = New-LoggedInHome $service -Count 2
        $result = Invoke-UserRunspace $userHome $service @'
            Export-SsoProfile Acme Account1 -As SsoSession -Quiet
            Use-SsoCredential Account1 -AsDefault
            Use-SsoCredential Nobody -AsDefault
            Rename-SsoProfile Account2 default
            Use-SsoCredential default -AsDefault
'@
        $result.Errors.Id -replace ',.*' | Should -Be 'ProfileNameConflict', 'ProfileNotFound', 'ProfileNameConflict'
        $result.Errors.Message -match 'cannot follow Account1' | Should -Match 'The default profile cannot follow Account1: AWS tools get its credentials from .*config\.'
        $result.Errors.Message -match 'cannot follow default' | Should -Match 'The environment Acme has a profile named default'
    }

    It 'goes with its profile: renamed, removed with its credentials, or logged out' {
        $userHome = New-LoggedInHome $service -Count 2 -Credential
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1 -AsDefault -Quiet
            Rename-SsoProfile Account1 prod
            Update-SsoCredential Acme -Force -Quiet
            Sync-SsoProfile Acme -Account Account1, Account2 -Prune -RemoveCredentials -Confirm:$false -Quiet
'@
        $result.Errors | Should -BeNullOrEmpty
        $found = Get-Credential $userHome
        $found.default.x_sso_source_profile | Should -Be 'prod'
        $found.default.aws_access_key_id | Should -Be $found.prod.aws_access_key_id
        $null = Invoke-UserRunspace $userHome $service 'Remove-SsoProfile Acme prod -RemoveCredentials'
        (Get-Credential $userHome).Keys | Should -Be 'Account2'
    }

    It 'says which variable makes AWS tools in this PowerShell use another profile, and does nothing with -WhatIf' {
        $userHome = New-LoggedInHome $service -Count 1
        $result = Invoke-UserRunspace $userHome $service '$env:AWS_PROFILE = "mine"; Use-SsoCredential Account1 -AsDefault; $env:AWS_PROFILE'
        $result.Text | Should -Match 'WARNING: AWS_PROFILE is mine, and AWS tools in this PowerShell use that profile instead of default\.'
        $result.Output | Should -Be 'mine'
        $userHome = New-LoggedInHome $service -Count 1
        $result = Invoke-UserRunspace $userHome $service 'Use-SsoCredential Account1 -AsDefault -WhatIf'
        $result.Text | Should -Match 'What if: Performing the operation "Copy its credentials to the default profile" on target "Account1"\.'
        Test-Path (Get-AwsPath $userHome credentials) | Should -BeFalse
    }
}
