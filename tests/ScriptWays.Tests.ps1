# Whoever had the published script finds what they relied on: its parameters, its table in a variable, and the variables that it left.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '20', '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Credential
    $table = "@{ Profile = 'Dev'; AccountId = '100000000000'; RoleName = 'AWSReadOnlyAccess' }, @{ Profile = 'Prod'; AccountId = '100000000001' }"
    $given = "-StartUrl '$($service.StartUrl)' -Region us-west-2 -DefaultRoleName AWSAdministratorAccess"
    $baseline = Join-Path $PSScriptRoot '../../shared/baseline/Measure-Baseline.ps1'
    $original = Join-Path $PSScriptRoot '../../shared/original/Set-AwsCliSsoCredentials.ps1'

    # Runs a script in a home folder with a session and nothing stored.
    function Invoke-Bare([string] $Script) {
        $own = New-UserHome -From $loggedIn
        Remove-Item (Get-AwsPath $own sso-environments), (Get-AwsPath $own credentials)
        $run = Invoke-UserRunspace $own $service $Script
        $run | Add-Member UserHome $own -PassThru
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Update-SsoCredential with the parameters of the script' {
    It 'needs nothing stored, and stores nothing' {
        $run = Invoke-Bare "Set-AwsCliSsoCredentials -EnvironmentName Adhoc $given -Account $table -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | ForEach-Object { "$($_.Environment) $($_.ProfileName) $($_.RoleName) $($_.Status)" } | Should -Be 'Adhoc Dev AWSReadOnlyAccess Created', 'Adhoc Prod AWSAdministratorAccess Created'
        (Get-Credential $run.UserHome).Keys | Should -Be 'Dev', 'Prod'
        Test-Path (Get-AwsPath $run.UserHome sso-environments) | Should -BeFalse
    }

    It 'names an environment that has no name by its start URL' {
        $run = Invoke-Bare "Update-SsoCredential $given -Account $table -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Environment | Should -Be 'd-12345abcde', 'd-12345abcde'
    }

    It 'puts them in place of what is stored, for this run' {
        $own = New-UserHome -From $loggedIn
        $before = Get-Content -Raw (Get-AwsPath $own sso-environments)
        $run = Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -DefaultRoleName AWSReadOnlyAccess -PassThru; Update-SsoCredential Acme -PassThru'
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.RoleName | Should -Be 'AWSReadOnlyAccess', 'AWSReadOnlyAccess', 'AWSAdministratorAccess', 'AWSAdministratorAccess'
        Get-Content -Raw (Get-AwsPath $own sso-environments) | Should -Be $before
    }

    It 'says what is missing: <Name>' -ForEach @(
        @{ Name = 'the start URL and the region'; Words = "-EnvironmentName Adhoc -Account @{ Profile = 'A'; AccountId = '100000000000'; RoleName = 'R' }"; Says = 'The environment Adhoc is not stored, so -StartUrl and -Region must be specified.' }
        @{ Name = 'the start URL'; Words = "-EnvironmentName Adhoc -Region us-west-2 -Account @{ Profile = 'A'; AccountId = '100000000000'; RoleName = 'R' }"; Says = 'The environment Adhoc is not stored, so -StartUrl must be specified.' }
        @{ Name = 'a name'; Words = '-DefaultRoleName R'; Says = '*apply to one environment*' }
        @{ Name = 'one name of two'; Words = 'Acme, Beta -DefaultRoleName R'; Says = '*apply to one environment*' }
        @{ Name = 'an account'; Words = "Adhoc -StartUrl https://example.com/start -Region us-west-2 -DefaultRoleName R -Account @{ Profile = 'A' }"; Says = "Row 1 of -Account (Profile 'A') has no AccountId." }
    ) {
        $before = Get-RequestCount $service
        $run = Invoke-Bare "Update-SsoCredential $Words"
        $run.Errors.Id | Should -Be 'EnvironmentInvalid,AwsSso.Commands.UpdateSsoCredentialCommand'
        $run.Errors[0].Message | Should -BeLike $Says
        Get-RequestCount $service | Should -Be $before
    }
}

Describe 'A table that its user keeps in a variable' {
    It 'counts where nothing is stored, again and again, and is brought up to date' {
        $run = Invoke-Bare @"
            `$global:AdhocSsoAwsAccounts = @($table)
            `$mine = `$AdhocSsoAwsAccounts
            Update-SsoCredential Adhoc $given -PassThru
            Update-SsoCredential Adhoc $given -PassThru
            [object]::ReferenceEquals(`$mine, `$AdhocSsoAwsAccounts)
            `$AdhocSsoAwsAccounts[1].CredsExpiration -gt [DateTimeOffset]::UtcNow.AddMinutes(50).ToUnixTimeMilliseconds()
"@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0..3].Status | Should -Be 'Created', 'Created', 'StillValid', 'StillValid'
        $run.Output[4, 5] | Should -Be $true, $true
    }

    It 'gives way to a stored one' {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service "`$global:AcmeSsoAwsAccounts = @($table); Update-SsoCredential Acme -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.ProfileName | Should -Be 'Account1', 'Account2'
    }

    It 'may be of objects, and is left aside with a warning where a row has no account' {
        $run = Invoke-Bare @"
            `$global:AdhocSsoAwsAccounts = [pscustomobject] @{ Profile = 'Dev'; AccountId = '100000000000' }, [pscustomobject] @{ Profile = 'Test'; AccountId = '100000000002' }
            Update-SsoCredential Adhoc $given -PassThru
            `$AdhocSsoAwsAccounts[1].CredsExpiration -gt 0
            `$global:WrongSsoAwsAccounts = @(@{ AccountId = '100000000000' })
            Update-SsoCredential Wrong $given
"@
        $run.Output[0, 1].ProfileName | Should -Be 'Dev', 'Test'
        $run.Output[2] | Should -BeTrue
        $run.Text | Should -Match 'The variable \$WrongSsoAwsAccounts is not used: Row 1'
    }
}

Describe 'The variables that a run leaves' {
    It 'are the table with the end of all keys in epoch milliseconds, and the end of the session' {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service @'
            Update-SsoCredential Acme -Force -ProfileName Account2
            $AcmeSsoAwsAccounts.Count
            Update-SsoCredential Acme
            $AcmeSsoAwsAccounts | ForEach-Object { "$($_.GetType().Name) $($_.Profile) $($_.AccountId) $($_.RoleName) $($_.CredsExpiration.GetType().Name)" }
            $left = ([DateTimeOffset]::FromUnixTimeMilliseconds($AcmeSsoAwsAccounts[1].CredsExpiration) - [DateTimeOffset]::UtcNow).TotalMinutes
            $left -gt 50 -and $left -le 60
            ($AcmeSSOTokenExpire - (Get-Date)).TotalHours -gt 7
            (Get-Variable *SSOToken -Scope Global -ErrorAction Ignore).Count
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be 1
        $run.Output[1, 2] | Sort-Object | Should -Be 'Hashtable Account1 100000000000 AWSAdministratorAccess Int64', 'Hashtable Account2 100000000001 AWSAdministratorAccess Int64'
        $run.Output[3, 4] | Should -Be $true, $true
        $run.Output[5] | Should -Be 0
    }

    It 'never become the table of a run: what was stored and is gone is gone' {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service 'Update-SsoCredential Acme; Remove-SsoEnvironment Acme -Confirm:$false; Update-SsoCredential Acme'
        $run.Errors.Id | Should -Be 'EnvironmentNotFound,AwsSso.Commands.UpdateSsoCredentialCommand'
    }

    It 'hold no secret' {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service 'Update-SsoCredential Acme -Force; Get-Variable -Scope Global | Where-Object Name -Like Acme* | Out-String; $AcmeSsoAwsAccounts | ConvertTo-Json'
        foreach ($secret in Get-Secret $loggedIn) { "$($run.Output)" | Should -Not -Match ([regex]::Escape($secret)) }
        "$($run.Output)" | Should -Match 'AcmeSsoAwsAccounts'
    }
}

Describe 'A session of the AWS CLI' {
    It 'is an environment without any set-up, and its list says where each comes from' {
        $own = New-UserHome -From $loggedIn
        Add-AwsText $own config "[sso-session my-sso]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`n`n[profile Dev]`nsso_session = my-sso`nsso_account_id = 100000000007`nsso_role_name = AWSReadOnlyAccess`n"
        $run = Invoke-UserRunspace $own $service 'Update-SsoCredential -Environment my-sso -NoBrowser -PassThru; Get-SsoEnvironment | Out-String -Width 160'
        $run.Errors | Should -BeNullOrEmpty
        "$($run.Output[0].Environment) $($run.Output[0].ProfileName) $($run.Output[0].RoleName) $($run.Output[0].Status)" | Should -Be 'my-sso Dev AWSReadOnlyAccess Created'
        $run.Output[1] | Should -Match '(?m)^Acme +2 +us-west-2 +https://\S+ +sso-environments *\r?$'
        $run.Output[1] | Should -Match '(?m)^my-sso +1 +us-west-2 +https://\S+ +config *\r?$'
    }
}

Describe 'The access token' {
    BeforeAll {
        $cached = (Get-ChildItem (Get-AwsPath $loggedIn sso/cache/*.json) | Get-Content -Raw | ConvertFrom-Json -AsHashtable).accessToken | Where-Object { $_ }

        # The variables of the script, with a session that ends in so many hours.
        function Get-Left([int] $Hour) {
            "`$global:AcmeSSOToken = [pscustomobject] @{ AccessToken = '$cached'; ExpiresIn = 28800 }; `$global:AcmeSSOTokenExpire = (Get-Date).AddHours($Hour)"
        }

        # A home folder with the environment and no session.
        function New-BareHome {
            $own = New-UserHome
            Add-Environment $own $service -Count 2
            $own
        }
    }

    It 'of the script is taken over rather than a second login' {
        $before = (Get-StandInStats $service).logins
        $run = Invoke-UserRunspace (New-BareHome) $service "$(Get-Left 8); Update-SsoCredential Acme -NoLogin -PassThru; Update-SsoCredential Acme -NoLogin -Force -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Status | Should -Be 'Created', 'Created', 'Refreshed', 'Refreshed'
        (Get-StandInStats $service).logins | Should -Be $before
        "$($run.Text)" | Should -Not -Match ([regex]::Escape($cached))
    }

    It 'of the script that has ended is not' {
        $run = Invoke-UserRunspace (New-BareHome) $service "$(Get-Left -1); Update-SsoCredential Acme -NoLogin"
        $run.Errors.Id | Should -Be 'LoginRequired,AwsSso.Commands.UpdateSsoCredentialCommand'
        "$($run.Text)$($run.Errors.Message)" | Should -Not -Match ([regex]::Escape($cached))
    }

    It 'is left in its variable with -ExposeToken only' {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service @'
            Update-SsoCredential Acme -Force -Verbose 4> $null
            $null -eq $AcmeSSOToken
            Update-SsoCredential Acme -ExposeToken
            $AcmeSSOToken.AccessToken
            $AcmeSSOToken.ExpiresIn -gt 0
            ($AcmeSSOTokenExpire - (Get-Date)).TotalHours -gt 7
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be $true, $cached, $true, $true
        $run.Text | Should -Not -Match ([regex]::Escape($cached))
    }
}

Describe 'The published script itself' -Skip:(-not (Test-Path (Join-Path $PSScriptRoot '../../shared/baseline/Measure-Baseline.ps1'))) {
    BeforeAll {
        # The copy as its steps say: the placeholders of both rows filled in.
        $copy = Join-Path (New-TestFolder) 'Set-AwsCliSsoCredentials.ps1'
        $text = (Get-Content -Raw $original).Replace('<Account1>', 'Account1').Replace('<Account2>', 'Account2').Replace('<012345678901 >', '100000000000 ').Replace('<123456789012>', '100000000001').Replace('<AWSReadOnlyAccess>', 'AWSReadOnlyAccess')
        [IO.File]::WriteAllText($copy, $text)
        $look = @'
            $AcmeSsoAwsAccounts | ForEach-Object { "$($_.Profile) $($_.AccountId) $($_.RoleName) $($_.CredsExpiration.GetType().Name) $([Math]::Round(($_.CredsExpiration - [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds()) / 60000))" } | Sort-Object
            "$($AcmeSSOTokenExpire.GetType().Name) $([Math]::Round(($AcmeSSOTokenExpire - (Get-Date)).TotalHours))"
'@
        $theirs = New-UserHome
        $tools = Join-Path (Split-Path $baseline) AwsToolsShim.psm1
        $bin = New-TestFolder
        [IO.File]::WriteAllText("$bin/xdg-open", "#!/bin/sh`nexit 0")
        & chmod +x "$bin/xdg-open"
        # The script means a number where an account id has a blank behind it; the service would refuse that.
        $runnable = Join-Path (Split-Path $copy) Runnable.ps1
        [IO.File]::WriteAllText($runnable, $text.Replace('100000000000 ', '100000000000'))
        $script = Invoke-UserRunspace $theirs $service "Import-Module '$tools'; & '$runnable' 6> `$null > `$null; $look" @{ PATH = "$bin$([IO.Path]::PathSeparator)$env:PATH" }
        $ours = New-UserHome
        $module = Invoke-UserRunspace $ours $service "Import-SsoEnvironment '$copy' 3> `$null; Update-SsoCredential Acme -NoBrowser; $look"
    }

    It 'and the module write the same profiles, with keys in all of them' {
        $script.Output.Count | Should -Be 3 -Because "$($script.Text) $($script.ErrorText)"
        $module.Errors | Should -BeNullOrEmpty
        (Get-Credential $ours).Keys | Sort-Object | Should -Be ((Get-Credential $theirs).Keys | Sort-Object)
        foreach ($section in (Get-Credential $ours).Values) {
            $section['aws_access_key_id'] | Should -Match '^ASIA'
            $section['aws_session_token'] | Should -Not -BeNullOrEmpty
        }
    }

    It 'and the module leave the same variables' {
        $module.Output | Should -Be $script.Output
    }
}
