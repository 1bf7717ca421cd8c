# What a user gets from a region and an output format for profiles.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Count 2
}

AfterAll {
    Clear-StandIn
}

Describe 'The region and the output format of profiles' {
    It 'are all that an AWS command needs besides keys: it no longer says that a region is missing' {
        $cli = Get-AwsCli
        if ($cli.Missing) {
            Set-ItResult -Skipped -Because $cli.Missing
            return
        }
        $userHome = New-UserHome $loggedIn
        # Nobody listens on port 1, so that nothing leaves this machine.
        $command = $cli.Command + @('ec2', 'describe-instances', '--profile', 'Account1', '--endpoint-url', 'http://127.0.0.1:1', '--cli-connect-timeout', '1')
        $run = { Wait-UserProgram (Start-UserProgram $command ((Get-UserVariable $userHome $null) + @{ AWS_MAX_ATTEMPTS = '1' })) }
        $null = Invoke-UserRunspace $userHome $service 'Update-SsoCredential Acme'
        (& $run).ErrorText | Should -Match 'You must specify a region'
        (Invoke-UserRunspace $userHome $service 'Set-SsoEnvironment Acme -ProfileRegion eu-south-2; Update-SsoCredential Acme').Errors | Should -BeNullOrEmpty
        (& $run).ErrorText | Should -Match 'Could not connect to the endpoint URL'
        (Get-Credential $userHome).Account1.region | Should -Be 'eu-south-2'
    }

    It 'are shown with the environment and its profiles, and an empty string removes them' {
        $run = Invoke-UserRunspace (New-UserHome $loggedIn) $service @'
            Set-SsoEnvironment Acme -ProfileRegion eu-west-1 -ProfileOutput json -Account @{ Profile = 'A'; AccountId = '100000000000' }, @{ Profile = 'B'; AccountId = '100000000001'; ProfileRegion = 'us-east-2'; ProfileOutput = 'text' }
            $shown = { "$((Get-SsoEnvironment Acme).ProfileRegion)/$((Get-SsoEnvironment Acme).ProfileOutput)"; Get-SsoProfile Acme | ForEach-Object { "$_ $($_.ProfileRegion)/$($_.ProfileOutput)" } }
            & $shown
            Set-SsoEnvironment Acme -ProfileRegion '' -ProfileOutput ''
            & $shown
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'eu-west-1/json', 'A eu-west-1/json', 'B us-east-2/text', '/', 'A /', 'B us-east-2/text'
    }

    It 'of new profiles are parameters of Add-SsoProfile and Sync-SsoProfile' {
        $run = Invoke-UserRunspace (New-UserHome $loggedIn) $service @'
            Add-SsoProfile Acme -AccountId 100000000002 -RoleName AWSAdministratorAccess -ProfileName New -ProfileRegion ap-south-1 -PassThru | ForEach-Object { "$_ $($_.ProfileRegion)" }
            (Sync-SsoProfile Acme -Account Account3, Account4 -Role AWSReadOnlyAccess -ProfileRegion sa-east-1 -ProfileOutput table -PassThru | ForEach-Object { "$($_.ProfileRegion)/$($_.ProfileOutput)" } | Select-Object -Unique)
            (Get-SsoProfile Acme | Where-Object ProfileRegion).Count
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'New ap-south-1', 'sa-east-1/table', 3
    }

    It 'reach tools by variables with Use-SsoCredential, which restores what was set before' {
        $run = Invoke-UserRunspace (New-UserHome $loggedIn) $service @'
            Set-SsoEnvironment Acme -ProfileRegion eu-west-1
            $env:AWS_DEFAULT_REGION = 'us-west-1'
            Use-SsoCredential Account1 -Quiet
            "$env:AWS_REGION $env:AWS_DEFAULT_REGION"
            Use-SsoCredential Account2 -AsEnvironmentVariable -Quiet
            "$env:AWS_REGION $env:AWS_DEFAULT_REGION"
            Use-SsoCredential -Clear
            "$(Test-Path Env:AWS_REGION) $env:AWS_DEFAULT_REGION"
            Set-SsoEnvironment Acme -ProfileRegion ''
            Use-SsoCredential Account1 -Quiet
            "$(Test-Path Env:AWS_REGION) $env:AWS_DEFAULT_REGION"
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'eu-west-1 eu-west-1', 'eu-west-1 eu-west-1', 'False us-west-1', 'False us-west-1'
    }

    It 'are in what Export-SsoEnvironment writes, as JSON and as text, and an import brings them back' -ForEach 'team.json', 'team.ini' {
        $run = Invoke-UserRunspace (New-UserHome $loggedIn) $service @"
            Set-SsoEnvironment Acme -ProfileRegion eu-west-1 -ProfileOutput json -Account @{ Profile = 'A'; AccountId = '100000000000' }, @{ Profile = 'B'; AccountId = '100000000001'; ProfileRegion = 'us-east-2' }
            `$before = Get-Content -Raw ~/.aws/sso-environments
            Export-SsoEnvironment Acme -Path '$_'
            Remove-SsoEnvironment Acme -Force
            Import-SsoEnvironment '$_' 6> `$null
            Set-SsoEnvironment Acme -ProfileOutput text
            Import-SsoEnvironment '$_' -Force 6> `$null
            "`$((Get-SsoEnvironment Acme).ProfileRegion) `$((Get-SsoEnvironment Acme).ProfileOutput)"
            Get-SsoProfile Acme | ForEach-Object { "`$_ `$(`$_.ProfileRegion)/`$(`$_.ProfileOutput)" }
"@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'eu-west-1 json', 'A eu-west-1/json', 'B us-east-2/json'
    }

    It 'are completed by Tab' {
        $run = Invoke-UserRunspace (New-UserHome $loggedIn) $service @'
            foreach ($line in 'Set-SsoEnvironment Acme -ProfileOutput ya', 'Sync-SsoProfile Acme -ProfileRegion eu-so', 'Add-SsoProfile Acme -ProfileOutput ta') {
                ([Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)).CompletionMatches.CompletionText -join ' '
            }
'@
        $run.Output | Should -Be 'yaml yaml-stream', 'eu-south-1 eu-south-2', 'table'
    }

    It 'are refused where they are none, with the value and what is valid' -ForEach @(
        @{ Line = 'Set-SsoEnvironment Acme -ProfileRegion "US East"'; Value = '"US East" is not a valid region name' }
        @{ Line = 'Set-SsoEnvironment Acme -ProfileOutput jsn'; Value = '"jsn" is not an output format of the AWS CLI, which are json, yaml, yaml-stream, text, table, off' }
        @{ Line = 'Sync-SsoProfile Acme -ProfileOutput csv'; Value = '"csv" is not an output format' }
        @{ Line = 'Add-SsoProfile Acme -AccountId 100000000002 -RoleName R -ProfileRegion x_y'; Value = '"x_y" is not a valid region name' }
    ) {
        $userHome = New-UserHome $loggedIn
        $before = Get-FileHash (Get-AwsPath $userHome sso-environments)
        $run = Invoke-UserRunspace $userHome $service $Line
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].Message | Should -BeLike "$Value*"
        (Get-FileHash (Get-AwsPath $userHome sso-environments)).Hash | Should -Be $before.Hash
    }
}
