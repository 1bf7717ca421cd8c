# Where nobody can approve a login: scheduled tasks, pipelines, another shell that only wants the exit code.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0', '--refuse', '100000000002'
    $loggedIn = New-UserHome
    Add-Environment $loggedIn $service -Count 2
    $first = Invoke-UserPowerShell $loggedIn $service 'Update-SsoCredential Acme -NoBrowser'
    $import = "Import-Module '$($manifest.Replace("'", "''"))';"

    # Runs pwsh -c as from bash or cmd, in a home folder, and counts the logins that it started.
    function Invoke-Command([string] $UserHome, [string] $Command, [string[]] $Option = @(), [hashtable] $Variable = @{}) {
        $before = (Get-StandInStats $service).device_authorizations
        $run = Wait-UserProgram (Start-UserProgram (@(Get-PowerShell) + '-NoProfile' + $Option + '-Command' + "$import $Command") (Get-UserVariable $UserHome $service $Variable))
        $run | Add-Member Logins ((Get-StandInStats $service).device_authorizations - $before) -PassThru
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Update-SsoCredential where nobody can log in' {
    It 'says so at once, with what to do, instead of a wait: <Name>' -ForEach @(
        @{ Name = 'pwsh -NonInteractive'; Option = @('-NonInteractive'); Variable = @{}; Why = 'PowerShell runs with -NonInteractive' }
        @{ Name = 'CI is set'; Option = @(); Variable = @{ CI = 'true' }; Why = 'the variable CI is set' }
    ) {
        $own = New-UserHome
        Add-Environment $own $service -Count 2
        foreach ($command in 'Update-SsoCredential Acme', 'Connect-SsoSession Acme') {
            $run = Invoke-Command $own $command $Option $Variable
            $run.ExitCode | Should -Be 1
            $run.Logins | Should -Be 0
            # As a terminal of any width breaks it.
            "$($run.Text) $($run.ErrorText)" -replace '\s+' | Should -Match ("Acme needs a login, and nobody can log in here because $Why.".Replace(' ', '') + '.*Connect-SsoSession-EnvironmentAcmewhereyoucanlogin')
        }
    }

    It 'fetches all the same while the session lasts: <_>' -ForEach 'Update-SsoCredential Acme -Force', 'Update-SsoCredential Acme', 'Connect-SsoSession Acme' {
        $run = Invoke-Command (New-UserHome -From $loggedIn) $_ '-NonInteractive' @{ CI = 'true' }
        $run.ExitCode | Should -Be 0
        $run.Logins | Should -Be 0
        # Under Wine, everybody can read a file that a program makes, which is said first.
        $run.Text | Should -Match $(if ($IsWindows) { '(?m)^Acme: ' } else { '^Acme: ' })
    }

    It 'asks where only input and output are redirected, or CI is false' {
        $first.Errors | Should -BeNullOrEmpty
        $first.Text | Should -Match 'Log in to Acme'
        $own = New-UserHome
        Add-Environment $own $service -Count 2
        $run = Invoke-Command $own 'Update-SsoCredential Acme -NoBrowser' @() @{ CI = 'false' }
        $run.ExitCode | Should -Be 0
        $run.Logins | Should -Be 1
        $run.Text | Should -Match 'Log in to Acme'
    }
}

Describe 'The exit code of pwsh -c' {
    It 'is <Code> where <Name>' -ForEach @(
        @{ Name = 'nothing is due'; Command = 'Update-SsoCredential -Environment Acme'; Code = 0 }
        @{ Name = 'all is fetched'; Command = 'Update-SsoCredential -Environment Acme -Force'; Code = 0 }
        @{ Name = 'a role is refused'; Command = 'Set-SsoEnvironment Beta -StartUrl https://d-12345abcde.awsapps.com/start/ -Region us-west-2 -DefaultRoleName AWSAdministratorAccess -Account @{ Profile = "B"; AccountId = "100000000002" }; Update-SsoCredential Beta'; Code = 1 }
        @{ Name = 'the environment is not known'; Command = 'Update-SsoCredential -Environment Amce'; Code = 1 }
    ) {
        (Invoke-Command (New-UserHome -From $loggedIn) $Command).ExitCode | Should -Be $Code
    }
}

Describe 'In a $PROFILE' {
    It 'says one line where nothing is due, and none with -Quiet' {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service 'Update-SsoCredential -Environment Acme'
        $run.Text | Should -Match '^Acme: 2 profiles, all fresh until \S+( \S+)?$'
        (Invoke-UserRunspace $own $service 'Update-SsoCredential -Environment Acme -Quiet').Text | Should -Be ''
    }

    It 'is loud about what is wrong with -Quiet, too' {
        $own = New-UserHome -From $loggedIn
        Add-AwsText $own credentials "[Account1]`n"
        (Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -Quiet').Errors.Id | Should -Be 'CredentialsFileInvalid,AwsSso.Commands.UpdateSsoCredentialCommand'
    }

    It 'knows the name of the script that it takes the place of' {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service 'Set-AwsCliSsoCredentials -EnvironmentName Acme -PassThru'
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Status | Should -Be 'StillValid', 'StillValid'
    }
}
