# Nobody loses a key: what the module did not write stays, what it wrote can be removed again, and each section is written once.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0'

    # A home folder with a session, three profiles of Acme and no credentials.
    $loggedIn = New-LoggedInHome $service -Count 3

    $longTerm = "# mine`n[Account1]`naws_access_key_id = AKIAIOSFODNN7EXAMPLE`naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY`nregion = eu-west-1`n"
}

AfterAll {
    Clear-StandIn
}

Describe 'A profile whose section has long-term keys' {
    BeforeAll {
        $own = New-UserHome -From $loggedIn
        Add-AwsText $own credentials $longTerm
        $run = Invoke-UserPowerShell $own $service @'
            Update-SsoCredential Acme -PassThru -Force 6>$null | ForEach-Object { "$($_.ProfileName) $($_.Status)" }
            Get-SsoCredential Acme | ForEach-Object { "$($_.ProfileName) $($_.State)" }
            Update-SsoCredential Acme -WhatIf
            Disconnect-SsoSession Acme -RemoveCredentials -WarningVariable warned
            "$warned"
'@
        $text = Get-Content -Raw (Get-AwsPath $own credentials)
    }

    It 'keeps them, and the other profiles are updated' {
        $run.Output[0..2] | Should -Be 'Account1 ProfileHasOtherKeys', 'Account2 Created', 'Account3 Created'
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].Id | Should -Be 'ProfileHasOtherKeys,AwsSso.Commands.UpdateSsoCredentialCommand'
        $run.Errors[0].Target | Should -Be 'Account1'
        $run.Errors[0].Message | Should -Match 'Account1.*long-term access keys'
        $run.Errors[0].Action | Should -Match '-ReplaceKeys'
    }

    It 'is shown as what it is' {
        $run.Output[3..5] | Should -Be 'Account1 OtherKeys', 'Account2 Valid', 'Account3 Valid'
    }

    It 'is named by -WhatIf' {
        $run.Text | Should -Match 'Acme: Account1 is not updated: its section has long-term access keys'
    }

    It 'keeps them when its environment logs out and removes its credentials, which is reported' {
        $text.TrimEnd() | Should -Be $longTerm.TrimEnd()
        $run.Output[-1] | Should -Match '^Account1 in .*credentials: not removed'
    }

    It 'is not named with any part of its keys' {
        "$($run.Text) $($run.ErrorText) $($run.Errors.Message) $($run.Errors.Action)" | Should -Not -Match 'IOSFODNN7|wJalr'
    }

    It 'is taken over with -ReplaceKeys, and the rest of its section stays' {
        $other = New-UserHome -From $loggedIn
        Add-AwsText $other credentials $longTerm
        $taken = Invoke-UserRunspace $other $service 'Update-SsoCredential Acme -ReplaceKeys -WhatIf; Update-SsoCredential Acme -ReplaceKeys -PassThru -ProfileName Account1'
        $taken.Errors | Should -BeNullOrEmpty
        $taken.Text | Should -Match '"Acme: Account1, Account2, Account3"'
        $taken.Output.Status | Should -Be 'Refreshed'
        $now = Get-Content -Raw (Get-AwsPath $other credentials)
        $now | Should -Match '(?s)^# mine\n\[Account1\]\naws_access_key_id = ASIA.*region = eu-west-1\n$'
    }
}

Describe 'Credentials of profiles that are removed' {
    BeforeAll {
        $own = New-UserHome -From $loggedIn
        Add-Environment $own $service Beta -Count 2 -First 5
        Add-AwsText $own credentials "[mine]`nregion = eu-west-1`n`n"
        $run = Invoke-UserPowerShell $own $service @'
            function Show { (Select-String '^\[(.+)\]' "$HOME/.aws/credentials").Matches.ForEach{ $_.Groups[1].Value } -join ' ' }
            Update-SsoCredential Acme, Beta -Quiet
            Show
            Remove-SsoProfile Acme Account1
            Show
            Remove-SsoProfile Acme Account2 -RemoveCredentials
            Show
            Sync-SsoProfile Acme -Role AWSAdministratorAccess -Account Account3 -Prune -RemoveCredentials -Confirm:$false -Quiet
            Show
            Sync-SsoProfile Acme -Role Nothing* -Account '' -Prune -RemoveCredentials -Confirm:$false -Quiet 3>$null
            Show
            Remove-SsoEnvironment Beta -RemoveCredentials -WhatIf
            Remove-SsoEnvironment Beta -RemoveCredentials -Force
            Show
            Sync-SsoProfile Acme -RemoveCredentials
'@
    }

    It 'stay without -RemoveCredentials' {
        $run.Output[0] | Should -Be 'mine Account1 Account2 Account3 Account5 Account6'
        $run.Output[1] | Should -Be $run.Output[0]
    }

    It 'go with their profile' {
        $run.Output[2] | Should -Be 'mine Account1 Account3 Account5 Account6'
    }

    It 'are found by Sync-SsoProfile -Prune when their profile left the table before, unless it looks at some accounts only' {
        $run.Output[3] | Should -Be $run.Output[2]
        $run.Output[4] | Should -Be 'mine Account3 Account5 Account6'
    }

    It 'go with their environment, which -WhatIf says' {
        $run.Text | Should -Match '"Remove SSO environment and its credentials" on target "Beta, with 2 profiles"'
        $run.Output[5] | Should -Be 'mine Account3'
    }

    It 'are not removed by a Sync-SsoProfile that removes nothing' {
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].Message | Should -Be '-RemoveCredentials needs -Prune.'
    }
}

Describe 'A credentials file that is mounted by itself' {
    It 'is an error before anybody has to log in, with what to do' -Skip:(-not $IsLinux) {
        $mayMount = $false
        if (Get-Command unshare -CommandType Application -ErrorAction Ignore) {
            $null = & unshare -m true 2>&1
            $mayMount = $LASTEXITCODE -eq 0
        }

        if (-not $mayMount) {
            Set-ItResult -Skipped -Because 'only root can mount, and needs unshare'
            return
        }

        $own = New-UserHome
        Add-Environment $own $service Acme -Count 1
        Add-AwsText $own credentials "[mine]`nregion = x`n"
        $elsewhere = Join-Path (New-TestFolder) credentials
        [IO.File]::WriteAllText($elsewhere, "[mine]`nregion = x`n")
        $before = Get-RequestCount $service
        $run = Invoke-UserPowerShell $own $service 'Update-SsoCredential Acme -NoBrowser' -Through 'unshare', '-m', 'sh', '-c', "mount --bind '$elsewhere' '$(Get-AwsPath $own credentials)' && exec `"`$@`"", 'sh'
        $run.Errors.Id | Should -Be 'WriteFailed,AwsSso.Commands.UpdateSsoCredentialCommand'
        $run.Errors[0].Message | Should -Match 'credentials is a mount point'
        $run.Errors[0].Action | Should -Match 'folder'
        (Get-RequestCount $service) | Should -Be $before
        Get-Content -Raw $elsewhere | Should -Be "[mine]`nregion = x`n"
    }
}
