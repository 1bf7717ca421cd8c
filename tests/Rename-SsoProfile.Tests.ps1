# What a user of Rename-SsoProfile gets.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0'

    function Get-Text([string] $UserHome, [string] $Name) {
        $path = Get-AwsPath $UserHome $Name
        if (Test-Path $path) { Get-Content -Raw $path }
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Rename-SsoProfile' {
    It 'renames a profile in its environment and its keys in the credentials file, and changes no other byte' {
        $userHome = New-LoggedInHome $service -Count 3 -Credential
        Add-AwsText $userHome credentials "# mine`n[other]`nregion = x`n"
        Add-AwsText $userHome sso-environments "# ours`n"
        $before = 'credentials', 'sso-environments' | ForEach-Object { Get-Text $userHome $_ }
        $requests = Get-RequestCount $service
        $result = Invoke-UserRunspace $userHome $service @'
            Rename-SsoProfile Account1 prod -PassThru
            Get-SsoCredential Acme prod | ForEach-Object State
            Update-SsoCredential Acme
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0].ProfileName | Should -Be 'prod'
        $result.Output[1] | Should -Be 'Valid'
        Get-RequestCount $service | Should -Be $requests
        Get-Text $userHome credentials | Should -BeExactly $before[0].Replace('[Account1]', '[prod]')
        Get-Text $userHome sso-environments | Should -BeExactly $before[1].Replace('profile Account1]', 'profile prod]')
    }

    It 'renames an exported profile, whose line then has the new name' -Skip:($IsWindows) {
        $userHome = New-LoggedInHome $service -Count 2
        Add-AwsText $userHome config "[profile mine]`nregion = x`n"
        $result = Invoke-UserRunspace $userHome $service @'
            Export-SsoProfile Acme -As CredentialProcess -Quiet
            Add-Content ~/.aws/config "`n[profile Account3]`nregion = eu-west-1"
            Rename-SsoProfile Account1 prod
            Rename-SsoProfile Account2 'two words' -WarningAction SilentlyContinue
            (Export-SsoProfile Acme -As CredentialProcess -PassThru -Quiet -WarningAction SilentlyContinue).Status
'@
        $result.Errors | Should -BeNullOrEmpty
        $text = Get-Text $userHome config
        $text | Should -Match '\[profile prod\]\r?\ncredential_process = \S+sso-credential-process --environment Acme prod\r?\n'
        $text | Should -Match '\[profile "two words"\]\r?\ncredential_process = \S+ --environment Acme --account \d{12} --role \S+\r?\n'
        $text | Should -Match '\[profile mine\]\r?\nregion = x'
        $text | Should -Not -Match 'Account[12]'
        $result.Output | ForEach-Object ToString | Should -Be 'Unchanged', 'Unchanged'
    }

    It 'refuses a name that is taken, and then changes nothing' {
        $userHome = New-LoggedInHome $service -Count 3 -Credential
        Add-Environment $userHome $service Beta -Count 1 -First 4
        Add-AwsText $userHome credentials "[theirs]`naws_access_key_id = AKIAEXAMPLE`naws_secret_access_key = s`n"
        Add-AwsText $userHome config "[profile configured]`nregion = x`n"
        $before = 'credentials', 'sso-environments', 'config' | ForEach-Object { Get-Text $userHome $_ }
        foreach ($case in @(
                @{ Name = 'Account2'; Id = 'ProfileNameConflict'; Says = 'The environment Acme already has a profile named Account2\.' }
                @{ Name = 'Account4'; Id = 'ProfileNameConflict'; Says = 'The environment Beta already has a profile named Account4\.' }
                @{ Name = 'theirs'; Id = 'ProfileNameConflict'; Says = 'credentials, line \d+ already has a section \[theirs\]\.' }
                @{ Name = 'configured'; Id = 'ProfileNameConflict'; Says = 'config, line \d+ already has a section for the profile configured\.' }
                @{ Name = 'Account1'; Id = 'ProfileNameConflict'; Says = 'The profile already has the name Account1\.' }
                @{ Name = 'a]b'; Id = 'EnvironmentInvalid'; Says = 'The profile Account1 cannot be renamed: ' }
                @{ Name = 'a#b'; Id = 'EnvironmentInvalid'; Says = 'The profile Account1 cannot be renamed: ' }
                @{ Name = "a`e[2Jb"; Id = 'EnvironmentInvalid'; Says = 'The profile Account1 cannot be renamed: ' })) {
            foreach ($more in '', ' -WhatIf') {
                $result = Invoke-UserRunspace $userHome $service "Rename-SsoProfile Account1 '$($case.Name)'$more"
                $result.Errors.Id | Should -Match "^$($case.Id)," -Because $case.Name
                $result.Errors.Message | Should -Match $case.Says
            }
        }
        'credentials', 'sso-environments', 'config' | ForEach-Object { Get-Text $userHome $_ } | Should -Be $before
    }

    It 'leaves keys from another source under their name, and says so' {
        $userHome = New-LoggedInHome $service -Count 1
        Add-AwsText $userHome credentials "[Account1]`naws_access_key_id = AKIAEXAMPLE`naws_secret_access_key = s`n"
        $before = Get-Text $userHome credentials
        $result = Invoke-UserRunspace $userHome $service 'Rename-SsoProfile Account1 prod; (Get-SsoProfile Acme).ProfileName'
        $result.Output | Should -Be 'prod'
        $result.Text | Should -Match 'WARNING: \[Account1\] in .*credentials was not renamed, because its keys are not from this module\.'
        Get-Text $userHome credentials | Should -BeExactly $before
    }

    It 'renames what is piped, and shows it with -WhatIf' {
        $userHome = New-LoggedInHome $service -Count 3 -Credential
        $result = Invoke-UserRunspace $userHome $service @'
            Get-SsoProfile Acme | Rename-SsoProfile -NewName { $_.ProfileName.ToLowerInvariant() } -WhatIf
            Get-SsoProfile Acme | Rename-SsoProfile -NewName { $_.ProfileName.ToLowerInvariant() }
            (Get-SsoCredential Acme).ProfileName
            Rename-SsoProfile Nobody prod
            $env:AWS_PROFILE = 'account1'
            Rename-SsoProfile account1 prod
'@
        $result.Text | Should -Match 'What if: Performing the operation "Rename SSO profile to account2" on target "Acme: Account2"\.'
        $result.Output | Should -Be 'account1', 'account2', 'account3'
        $result.Errors.Id | Should -Be 'ProfileNotFound,AwsSso.Commands.RenameSsoProfileCommand'
        $result.Text | Should -Match 'WARNING: AWS_PROFILE of this PowerShell is still account1\. Run Use-SsoCredential prod\.'
    }
}
