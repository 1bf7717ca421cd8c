# What a user reads: lines that say what changed, tables that fit a terminal of 80 columns, and links where a terminal has them.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '30', '--approve-after-polls', '0', '--token-lifetime', '3600', '--refuse', ((7..10 | ForEach-Object { Get-AccountId $_ }) -join ',')

    # The lines of a table in a terminal of 80 columns, without those that are empty.
    function Get-Row([string] $Table) {
        @($Table -split '\r?\n' | Where-Object { $_.Trim() })
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Tables in a terminal of 80 columns, with the names that Sync-SsoProfile gives' {
    BeforeAll {
        $own = New-LoggedInHome $service -Count 0
        $run = Invoke-UserRunspace $own $service @'
            Sync-SsoProfile Acme -Role AWSReadOnlyAccess -Account Account1, Account2 -Quiet
            Update-SsoCredential Acme -Quiet -PassThru | Out-String -Width 80
            Get-SsoCredential Acme | Out-String -Width 80
            Get-SsoSession Acme | Out-String -Width 80
            Get-SsoEnvironment Acme | Out-String -Width 80
            Get-SsoProfile Acme | Out-String -Width 80
'@
    }

    It 'have no line that a terminal would break' {
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Count | Should -Be 5
        foreach ($table in $run.Output) {
            Get-Row $table | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 80 -Because $_ }
        }
    }

    It 'show name, state and expiration of a profile first' {
        (Get-Row $run.Output[0])[1..3] -join "`n" | Should -Match '^ProfileName +Status +Expires +AccountId .*\n.*\nAccount1-AWSReadOnlyAccess +Created +.*\d\d:\d\d \(0:5\d left\) +100000000000 '
        (Get-Row $run.Output[1])[1..3] -join "`n" | Should -Match '^ProfileName +State +Expires +AccountId .*\n.*\nAccount1-AWSReadOnlyAccess +Valid +.*\d\d:\d\d \(0:5\d left\) +100000000000 '
    }

    It 'show until when a session renews itself, and never the hour of its access token as its end' {
        $rows = Get-Row $run.Output[2]
        $rows[0] | Should -Match '^Environment +State +Renews +Region +TokenCache'
        $rows[2] | Should -Match '^Acme +Active +until 20\d\d-\d\d-\d\d \d\d:\d\d at most +us-west-2 +AwsCli'
    }

    It 'show the whole start URL of an environment' {
        (Get-Row $run.Output[3])[2] | Should -Match '^Acme +2 +us-west-2 +https://d-12345abcde\.awsapps\.com/start/ '
    }
}

Describe 'A session that cannot renew itself' {
    It 'is shown with its end' {
        $once = Start-StandIn '--accounts', '2', '--approve-after-polls', '0', '--token-lifetime', '3600', '--no-refresh-token'
        $own = New-UserHome
        Add-Environment $own $once Acme -Count 1
        $run = Invoke-UserRunspace $own $once 'Connect-SsoSession Acme -NoBrowser -NoQrCode; Get-SsoSession Acme | Out-String -Width 80'
        $run.Errors | Should -BeNullOrEmpty
        $run.Text | Should -Match '(?m)^Acme: logged in until (20\d\d-\d\d-\d\d )?\d\d:\d\d$'
        $run.Output[0] | Should -Match '(?m)^Acme +Active +no, ends (20\d\d-\d\d-\d\d )?\d\d:\d\d '
    }
}

Describe 'Roles that are not assigned' {
    BeforeAll {
        $own = New-LoggedInHome $service -Count 10
        $run = Invoke-UserRunspace $own $service @'
            $all = Update-SsoCredential Acme -PassThru 2> $null
            $Error.Count
            $Error[0].Exception.Message
            "$($Error[0].FullyQualifiedErrorId) $($Error[0].TargetObject)"
            ($all | Where-Object Status -eq RoleNotAssigned).ProfileName -join ' '
            $Error.Clear()
            Update-SsoCredential Acme -ProfileName Account6, Account7, Account8 -Force 2> $null
            ($Error | ForEach-Object TargetObject | Sort-Object) -join ' '
'@
    }

    It 'are one error with a table where there are many' {
        $run.Output[0] | Should -Be 1
        $lines = $run.Output[1] -split '\r?\n'
        $lines[0] | Should -Be 'Could not update 4 profiles: their roles are not assigned to you:'
        $lines[1] | Should -Be "  Account7   $(Get-AccountId 7)  AWSAdministratorAccess"
        $lines[4] | Should -Be "  Account10  $(Get-AccountId 10)  AWSAdministratorAccess"
        $run.Output[2] | Should -Be 'RoleNotAssigned,AwsSso.Commands.UpdateSsoCredentialCommand Account7, Account8, Account9, Account10'
    }

    It 'have a status for each profile all the same' {
        $run.Output[3] | Should -Be 'Account7 Account8 Account9 Account10'
        $run.Text | Should -Match '(?m)^Acme: 6 profiles fresh until \S+( \S+)?, 4 failed$'
    }

    It 'are an error each where there are two' {
        $run.Output[4] | Should -Be 'Account7 Account8'
    }
}

Describe 'A run that changes nothing' {
    BeforeAll {
        $own = New-LoggedInHome $service -Count 2
        # Another start URL, so another session.
        Add-AwsText $own sso-environments "`n[environment Beta]`nsso_start_url = https://beta.awsapps.com/start`nsso_region = us-west-2`n"
    }

    It 'says so: <Command>' -ForEach @(
        @{ Command = 'Sync-SsoProfile Acme -Role AWSAdministratorAccess -Account Account1, Account2'; Says = '^Acme: no changes \(2 profiles\)\nAcme: Sync-SsoProfile Acme without filters now means -Role AWSAdministratorAccess -Account Account1, Account2$' }
        @{ Command = 'Get-SsoRole Acme -Account Account1 -Role AWSAdministratorAccess | Add-SsoProfile'; Says = '^Acme: no changes, since each of these roles has a profile$' }
        @{ Command = 'Update-SsoCredential Acme -ProfileName Nothing*'; Says = "^WARNING: No profile matches 'Nothing\*'\.$" }
        @{ Command = 'Remove-SsoProfile Acme -ProfileName Nothing*'; Says = "^WARNING: No profile matches 'Nothing\*'\.$" }
        @{ Command = 'Disconnect-SsoSession Beta'; Says = '^Beta: there was no session to end$' }
    ) {
        $run = Invoke-UserRunspace $own $service $Command
        $run.Errors | Should -BeNullOrEmpty
        $run.Text.Trim() | Should -Match $Says
    }
}

Describe 'The address of a login by PKCE' -Skip:(-not $IsLinux) {
    BeforeAll {
        $browser = Join-Path (New-TestFolder) 'browser'
        [IO.File]::WriteAllText($browser, "#!/bin/sh`n")
        & chmod +x $browser
        $hasTerminal = [bool] (Get-Command script -CommandType Application -ErrorAction Ignore)

        # What a terminal shows of a login that nobody approves.
        function Get-Screen([hashtable] $Variable) {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 1
            $through = (@(Get-PowerShell) | ForEach-Object { "'$_'" }) -join ' '
            $line = "Import-Module '$manifest'; Connect-SsoSession Acme -LoginMethod Pkce -Timeout 2"
            [IO.File]::WriteAllText((Join-Path $own 'login.ps1'), $line)
            $words = 'script', '-qec', "$through -NoLogo -NoProfile -File '$own/login.ps1' </dev/null", '/dev/null'
            $variables = Get-UserVariable $own $service ($Variable + @{ TERM = 'xterm-256color'; COLUMNS = '80'; AWS_SSO_BROWSER = $browser })
            if (-not $Variable.NO_COLOR) { $variables.Remove('NO_COLOR') }
            (Wait-UserProgram (Start-UserProgram $words $variables)).Text
        }

        $manifest = if ($env:SSO_TEST_MANIFEST) { $env:SSO_TEST_MANIFEST } else { Join-Path (Split-Path $PSScriptRoot) 'Set-AwsCliSsoCredentials.psd1' }
    }

    It 'is a link behind a short text where the terminal has links: <_>' -ForEach @{ WT_SESSION = '1' }, @{ TERM_PROGRAM = 'vscode' }, @{ VTE_VERSION = '7600' } {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }

        Get-Screen $_ | Should -Match '\e\]8;;http://127\.0\.0\.1:\d+/authorize\?\S+\e\\the login page of Acme\e\]8;;\e\\'
    }

    It 'has a line by itself in any other terminal, and where PowerShell shows plain text: <_>' -ForEach @{ VTE_VERSION = '4800' }, @{ WT_SESSION = '1'; NO_COLOR = '1' } {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }

        $screen = Get-Screen $_
        $screen | Should -Match '(?m)^  http://127\.0\.0\.1:\d+/authorize\?\S+\r?$'
        $screen | Should -Not -Match '\e\]8;;'
    }
}
