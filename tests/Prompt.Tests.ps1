# What a user sees in the prompt: the module's own text, and what starship makes of the same variables and files.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '3', '--approve-after-polls', '0'
    $starship = (Get-Command starship -CommandType Application -ErrorAction Ignore | Select-Object -First 1).Source

    # What starship's module for AWS shows for these variables in a home folder, without colors.
    function Get-Starship([string] $UserHome, [hashtable] $Variable) {
        $run = Wait-UserProgram (Start-UserProgram @($starship, 'module', 'aws') (Get-UserVariable $UserHome $service $Variable))
        ($run.Text -replace '\e\[[0-9;]*m').Trim()
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Get-SsoPromptText' {
    It 'is empty where no profile is in use, and the name alone where the module knows nothing of it' {
        $userHome = New-LoggedInHome $service -Count 1 -Credential
        $result = Invoke-UserPowerShell $userHome $service 'Get-SsoPromptText; $env:AWS_PROFILE = "Account1"; Get-SsoPromptText; $env:AWS_PROFILE = "mine"; Get-SsoPromptText; "errors: $($Error.Count)"'
        $result.Output | Should -Be '', 'Account1', 'mine', 'errors: 0'
    }

    It 'shows how long the credentials in the file last, and that they have expired' {
        $userHome = New-LoggedInHome $service -Count 1
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1
            Get-SsoPromptText
            (Get-Content ~/.aws/credentials) -replace '^(x_security_token_expires = ).*', '${1}2020-01-01T00:00:00Z' | Set-Content ~/.aws/credentials
            Get-SsoPromptText
            Start-Sleep -Milliseconds 50
            $null = Get-SsoCredential
            Get-SsoPromptText
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0] | Should -Match '^Account1 \((59m|1h00m)\)$'
        $result.Output[1] | Should -Be $result.Output[0]
        $result.Output[2] | Should -Be 'Account1 (expired)'
    }

    It 'shows keys in variables, and whose they are if it knows that' {
        $userHome = New-LoggedInHome $service -Count 1
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1 -AsEnvironmentVariable
            Get-SsoPromptText
            $env:AWS_ACCESS_KEY_ID = 'ASIAOTHER'
            Get-SsoPromptText
            Use-SsoCredential -Clear
            Remove-Item Env:AWS_ACCESS_KEY_ID
            Get-SsoPromptText
'@
        $result.Output[0] | Should -Match '^Account1 \(keys, (59m|1h00m)\)$'
        $result.Output[1] | Should -Match '^AWS_ACCESS_KEY_ID \(keys, (59m|1h00m)\)$'
        $result.Output[2] | Should -Be ''
    }

    It 'shows the profile and the time of the endpoint, and of an exported profile the program or the session' {
        $userHome = New-LoggedInHome $service -Count 3
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1 -AsEndpoint
            Get-SsoPromptText
            Use-SsoCredential -Clear -StopEndpoint
            Export-SsoProfile Acme Account2 -As SsoSession -Quiet
            Export-SsoProfile Acme Account3 -As CredentialProcess -Quiet
            $null = Get-SsoCredential; $null = Get-SsoSession
            $env:AWS_PROFILE = 'Account2'
            Get-SsoPromptText
            $env:AWS_PROFILE = 'Account3'
            Get-SsoPromptText
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0] | Should -Match '^Account1 \(endpoint, (59m|1h00m)\)$'
        $result.Output[1] | Should -Match '^Account2 \(SSO session(, \dh\d\dm)?\)$'
        $result.Output[2] | Should -Be 'Account3 (program)'
    }

    It 'sends nothing, reads no file, and shows no error, whatever the files have' {
        $userHome = New-LoggedInHome $service -Count 1 -Credential
        $requests = Get-RequestCount $service
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1 -Quiet
            'broken [' | Set-Content ~/.aws/credentials, ~/.aws/config, ~/.aws/sso-environments
            Get-SsoPromptText
            $env:AWS_CONTAINER_CREDENTIALS_FULL_URI = 'http://127.0.0.1:1/sso-endpoint/' + 'a' * 43
            $env:AWS_PROFILE = "sso-endpoint-x`e[2J"
            Get-SsoPromptText
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0] | Should -Match '^Account1 \('
        $result.Output[1] | Should -Be "x`u{FFFD}[2J (endpoint)"
        Get-RequestCount $service | Should -Be $requests
    }
}

Describe 'starship' {
    It 'shows profile and time of credentials in the file, a name for the program, and nothing for the endpoint' {
        if (-not $starship) { Set-ItResult -Skipped -Because 'starship is not installed'; return }
        $userHome = New-LoggedInHome $service -Count 3
        $result = Invoke-UserRunspace $userHome $service @'
            Update-SsoCredential Acme Account1 -Quiet
            Export-SsoProfile Acme Account2 -As CredentialProcess -Quiet
            Use-SsoCredential Account3 -AsEndpoint -Quiet
            'AWS_PROFILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN' | ForEach-Object { (Get-Item Env:$_).Value }
'@
        $result.Errors | Should -BeNullOrEmpty
        Get-Starship $userHome @{ AWS_PROFILE = 'Account1' } | Should -Match 'Account1 .*\[(59m|1h)'
        Get-Starship $userHome @{ AWS_PROFILE = 'Account2'; AWS_REGION = 'us-east-1' } | Should -Match 'Account2 \(us-east-1\)$'
        $names = 'AWS_PROFILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN'
        $variables = @{}
        0..2 | ForEach-Object { $variables[$names[$_]] = $result.Output[$_] }
        Get-Starship $userHome $variables | Should -BeNullOrEmpty
    }
}
