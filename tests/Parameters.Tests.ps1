# What a user gets for names, patterns, times and defaults as people write them.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '12', '--approve-after-polls', '0'
    $template = New-LoggedInHome $service -Count 12
    Add-AwsText $template sso-environments "[environment Empty]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`n`n"

    function Invoke-Line([string[]] $Line) { Invoke-UserLine (New-UserHome $template) $service $Line }
}

AfterAll {
    Clear-StandIn
}

Describe 'A time span' {
    It 'is what a person means by it' {
        $times = [ordered] @{
            '900' = 900; '55m' = 3300; '1h' = 3600; '1h30m' = 5400; "'1H 30M'" = 5400; '90s' = 90; '40000s' = 40000; '2d12h' = 216000; '1kb' = 1024; '0.5' = 0.5; '15l' = 15
            '0:15' = 900; '00:15:00' = 900; "'24:00'" = 86400; "'36:00:00'" = 129600; "'1.02:03:04'" = 93784; "'1:02:03:04'" = 93784; '(New-TimeSpan -Minutes 5)' = 300
            '(900)' = 900; '([long] 900)' = 900; '([double] 1.5)' = 1.5; '$([timespan] "0:10")' = 600
        }
        # The transformation of the parameter itself, without a run for each.
        $run = Invoke-Line @($times.Keys | ForEach-Object {
            "`$attribute = (Get-Command Update-SsoCredential).Parameters.MinimumRemaining.Attributes | Where-Object { `$_.GetType().Name -eq 'SecondsAttribute' }; function Get-Argument([object] `$Value) { `$attribute.Transform(`$ExecutionContext, `$PSBoundParameters.Value).TotalSeconds }; Get-Argument $_"
        })
        $run.Sentences | Should -BeNullOrEmpty
        $run.Written | Should -Be @($times.Values)
    }

    It 'is refused where it could mean anything' {
        $values = "'15'", "'15.5'", "' 900 '", "'-15'", "'soon'", "'15 apples'", "'1:60'", "''", "'m'", "'30m1h'"
        $commands = 'Update-SsoCredential Acme -NoLogin -MinimumRemaining', 'Get-SsoCredential Acme -MinimumRemaining', 'Use-SsoCredential Account1 -MinimumRemaining', 'Connect-SsoSession Acme -Timeout'
        foreach ($refused in Invoke-Line @(foreach ($value in $values) { foreach ($command in $commands) { "$command $value" } })) {
            $refused.Ids | Should -Match '^ParameterArgumentTransformationError' -Because $refused.Line
            $refused.Sentences | Should -Match 'Write a time span such as 15m, 1h30m, 90s or 00:15:00, or a number of seconds such as 900\.' -Because $refused.Line
            $refused.Written | Should -BeNullOrEmpty -Because $refused.Line
        }
    }

    It 'decides what is due' {
        $run = Invoke-Line @(
            'Update-SsoCredential Acme Account1 -Quiet'
            'Get-SsoCredential Acme Account1 -MinimumRemaining 55m | ForEach-Object State'
            # Without the time at which they were issued, nobody knows that they never last a day.
            '(Get-Content ~/.aws/credentials) -notmatch "issued" | Set-Content ~/.aws/credentials'
            'Get-SsoCredential Acme Account1 -MinimumRemaining 1d | ForEach-Object State'
            'Get-SsoCredential Acme Account1 -MinimumRemaining "-1:00"'
        )
        $run[1].Written | Should -Be 'Valid'
        $run[3].Written | Should -Be 'Due'
        $run[4].Ids | Should -Match '^ParameterArgumentValidationError'
    }
}

Describe 'A name or pattern' {
    It 'has its place behind that of the environment' {
        foreach ($command in Get-Command -Module (Import-Module $manifest -PassThru).Name -CommandType Cmdlet) {
            $position = @{}
            foreach ($name in 'Environment', 'ProfileName') {
                if ($command.Parameters[$name]) { $position[$name] = $command.Parameters[$name].ParameterSets.Values.Position | Select-Object -First 1 }
            }
            if ($position.Count -eq 2 -and $position.Environment -eq 0 -and $command.Name -ne 'Add-SsoProfile') { $position.ProfileName | Should -Be 1 -Because $command.Name }
        }
        (Invoke-Line 'Get-SsoCredential Acme Account1[01] | ForEach-Object ProfileName').Written | Should -Be 'Account10', 'Account11'
    }

    It 'that matches nothing is a warning, and nothing is done' {
        $lines = 'Get-SsoProfile Acme x*', 'Get-SsoCredential Acme x*', 'Get-SsoEnvironment x*', 'Get-SsoProfile x*', 'Get-SsoCredential x*', 'Get-SsoSession x*', 'Get-SsoAccount x*', 'Get-SsoAccount Acme x*', 'Get-SsoRole Acme -Role x*', 'Get-SsoRole Acme x*',
            'Update-SsoCredential Acme x*', 'Update-SsoCredential x*', 'Remove-SsoProfile Acme x*', 'Remove-SsoProfile x* Account1', 'Remove-SsoEnvironment x*', 'Connect-SsoSession x*', 'Disconnect-SsoSession x*', 'Export-SsoEnvironment x*', 'Sync-SsoProfile x*',
            'Sync-SsoProfile Acme -Account x* -Quiet', 'Get-SsoProfile Acme | Update-SsoCredential -ProfileName x*'
        foreach ($line in Invoke-Line $lines) {
            $line.Said | Should -Match "^No \w+ .*matches 'x\*'\.$" -Because $line.Line
            $line.Ids | Should -BeNullOrEmpty -Because $line.Line
            $line.Written | Should -BeNullOrEmpty -Because $line.Line
        }
        (Invoke-Line 'Get-SsoCredential x* Account1 -AsCredentialProcess').Ids | Should -Be 'EnvironmentNotFound'
        (Invoke-Line 'Get-SsoProfile x*, Acme, y* Account1, z*').Said -split "`n" | Should -Be "No environment matches 'x*'.", "No environment matches 'y*'.", "No profile matches 'z*'."
    }

    It 'that does not exist gets the nearest five, or five of all with the count of the rest' {
        $run = Invoke-Line 'Get-SsoProfile Acme Acount1', 'Get-SsoProfile Acme account2', 'Update-SsoCredential Acme Nobody', 'Get-SsoEnvironment Acmee', 'Use-SsoCredential Acount7', 'Open-SsoConsole ACCOUNT7', 'Get-SsoEnvironment Nowhere', 'Get-SsoCredential -AsCredentialProcess -ProfileName Acount12'
        $run[0].Sentences | Should -Match "^No profile is named 'Acount1'\. Did you mean Account1(, Account\d+){3} or Account\d+\? Profile names are case-sensitive; Get-SsoProfile lists them\.$"
        $run[1].Sentences | Should -Match "^No profile is named 'account2'\. Did you mean Account2, .*\? Profile names are case-sensitive; "
        $run[2].Sentences | Should -Match '^No profile is named ''Nobody''\. The profiles are: (Account\d+, ){4}Account\d+ and 7 more\.'
        $run[3].Sentences | Should -Match '^No environment is named Acmee\. Did you mean Acme\? '
        $run[4].Sentences | Should -Match 'Account7[ ,]'
        $run[5].Sentences | Should -Match 'Did you mean Account7[ ,?]'
        $run[6].Sentences | Should -Match '^No environment is named Nowhere\. The environments are: Acme, Empty\. '
        $run[7].Sentences | Should -Match 'Did you mean Account12'
        $run.Ids | Select-Object -Unique | Should -Be 'ProfileNotFound', 'EnvironmentNotFound'
    }

    It 'is needed where nothing would mean everything' {
        foreach ($line in Invoke-Line 'Use-SsoCredential', 'Open-SsoConsole', 'Remove-SsoProfile Acme', 'Remove-SsoEnvironment', 'Get-SsoCredential Acme -AsCredentialProcess') {
            $line.Ids | Should -BeIn 'InputNotAccepted', 'ProfileNotFound' -Because $line.Line
            $line.Sentences | Should -Match 'need' -Because $line.Line
        }
    }
}

Describe 'A default for many commands' {
    It 'of AWS Tools changes no region and no set of profiles of what is stored, and -Verbose says so' {
        $run = Invoke-Line @(
            '$PSDefaultParameterValues["*:Region"] = "eu-west-1"; $PSDefaultParameterValues["*:ProfileName"] = "Account3"'
            'Update-SsoCredential Acme -Quiet -PassThru -Verbose | ForEach-Object ProfileName'
            'Update-SsoCredential Acme -Force -Quiet -PassThru -ProfileName Account1 | ForEach-Object ProfileName'
            'Get-SsoProfile Acme | ForEach-Object ProfileName'
            'Get-SsoCredential Acme | ForEach-Object ProfileName'
            'Get-SsoProfile Acme Account2 | Use-SsoCredential -Quiet; $env:AWS_PROFILE; Use-SsoCredential -Clear'
            '"Account4" | Use-SsoCredential -Quiet; $env:AWS_PROFILE; Use-SsoCredential -Clear'
            'Open-SsoConsole Account1 -NoBrowser -PassThru'
            'Set-SsoEnvironment Acme -DefaultRoleName AWSReadOnlyAccess; (Get-SsoEnvironment Acme).Region'
            'Set-SsoEnvironment New -StartUrl https://d-12345abcde.awsapps.com/start/; (Get-SsoEnvironment New).Region'
            'Get-SsoProfile Acme Account1 | Remove-SsoProfile -Verbose; (Get-SsoEnvironment Acme).Profiles.Count'
            'Remove-SsoProfile Acme'
            'Set-SsoEnvironment Acme -Region eu-west-1; (Get-SsoEnvironment Acme).Region'
            '$rest = @{ Region = "us-west-2" }; Set-SsoEnvironment Acme @rest; (Get-SsoEnvironment Acme).Region'
            'Get-SsoProfile Acme Account3 | ForEach-Object ProfileName'
            '$names = "Account3"; Get-SsoProfile Acme $names | ForEach-Object ProfileName'
            '$rest = @{ ProfileName = "Account3" }; Get-SsoProfile Acme @rest | ForEach-Object ProfileName'
            'Set-AwsCliSsoCredentials Acme -WhatIf -Verbose'
        )
        $run.Sentences | Where-Object { $_ -notmatch 'Remove-SsoProfile needs' } | Should -BeNullOrEmpty
        $run[1].Written.Count | Should -Be 12
        $run[1].Said | Should -Match '-Region is not used: .*PSDefaultParameterValues' 
        $run[1].Said | Should -Match '-ProfileName is not used: .*PSDefaultParameterValues' 
        $run[2].Written | Should -Be 'Account1'
        $run[3].Written.Count | Should -Be 12
        $run[4].Written.Count | Should -Be 12
        $run[5].Written | Should -Be 'Account2'
        $run[6].Written | Should -Be 'Account4'
        $run[7].Written | Should -Not -Match 'region|destination'
        $run[8].Written | Should -Be 'us-west-2'
        $run[9].Written | Should -Be 'eu-west-1'
        $run[10].Written | Should -Be 11
        $run[11].Ids | Should -Be 'InputNotAccepted'
        $run[12].Written | Should -Be 'eu-west-1'
        $run[13].Written | Should -Be 'us-west-2'
        $run[14..16].Written | Should -Be 'Account3', 'Account3', 'Account3'
        $run[17].Said | Should -Match '-Region is not used'
    }

    It 'counts where it is for the command alone, and is only said where it is for many' {
        $cases = @(
            @{ Name = 'a list and another form of wildcards'; Default = '@{ "*-Sso*:ProfileName" = "Account3", "Account4" }'; Count = 12; Says = $true }
            @{ Name = 'a part of the name'; Default = '@{ "Get-*:Prof*" = "Account3" }'; Count = 12; Says = $true }
            @{ Name = 'a script block'; Default = '@{ "*:ProfileName" = { "Account3" } }'; Count = 12; Says = $true }
            @{ Name = 'the command alone'; Default = '@{ "Get-SsoProfile:ProfileName" = "Account3" }'; Count = 1; Says = $false }
            @{ Name = 'both'; Default = '@{ "*:ProfileName" = ($name = "Account3"); "Get-SsoProfile:ProfileName" = $name }'; Count = 1; Says = $false }
            @{ Name = 'switched off'; Default = '@{ "*:ProfileName" = "Account3"; Disabled = $true }'; Count = 12; Says = $false }
            @{ Name = 'none'; Default = '@{}'; Count = 12; Says = $false }
        )
        $run = Invoke-Line @($cases | ForEach-Object { "`$PSDefaultParameterValues = $($_.Default); Get-SsoProfile Acme -Verbose" })
        $run.Sentences | Should -BeNullOrEmpty
        for ($number = 0; $number -lt $cases.Count; $number++) {
            @($run[$number].Written).Count | Should -Be $cases[$number].Count -Because $cases[$number].Name
            $run[$number].Said -match 'is not used' | Should -Be $cases[$number].Says -Because $cases[$number].Name
        }
    }
}

Describe 'Remove-SsoEnvironment' {
    It 'asks about an environment with profiles, and a shell that cannot ask leaves it' {
        $userHome = New-UserHome $template
        $command = "Import-Module '$($manifest.Replace("'", "''"))'; Remove-SsoEnvironment *; (Get-SsoEnvironment).Name"
        $run = Invoke-Pwsh $userHome $service '-NoProfile', '-NonInteractive', '-Command', $command
        $run.ErrorText + $run.Text | Should -Match "needs your confirmation for 'Remove SSO environment' on Acme, with 12 profiles, and PowerShell cannot ask for it here: .*NonInteractive"
        $asked = Invoke-UserPowerShell (New-UserHome $template) $service 'Remove-SsoEnvironment Acme'
        $asked.Errors.Id | Should -Be 'ConfirmationRequired,AwsSso.Commands.RemoveSsoEnvironmentCommand'
        $run = Invoke-UserLine $userHome $service 'Remove-SsoEnvironment Empty; (Get-SsoEnvironment).Name', '(Get-SsoEnvironment).Name', 'Remove-SsoEnvironment A* -WhatIf; (Get-SsoEnvironment).Name', 'Remove-SsoEnvironment A* -Force; Get-SsoEnvironment', 'Remove-SsoEnvironment Nowhere -Force'
        $run[1].Written | Should -Be 'Acme'
        $run[2].Written | Should -Be 'Acme'
        $run[3].Ids | Should -BeNullOrEmpty
        $run[3].Written | Should -BeNullOrEmpty
        $run[4].Ids | Should -Be 'EnvironmentNotFound'
    }

    It 'asks about none with -Confirm:$false, and about the empty one only where that is wanted' {
        $run = Invoke-Line 'Remove-SsoEnvironment Acme, Empty -Confirm:$false; Get-SsoEnvironment'
        $run.Ids | Should -BeNullOrEmpty
        $run.Written | Should -BeNullOrEmpty
        $run = Invoke-Line '$ConfirmPreference = "None"; Remove-SsoEnvironment Acme; (Get-SsoEnvironment).Name'
        $run.Written | Should -Be 'Empty'
    }
}
