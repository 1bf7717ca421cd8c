# What a user gets from Use-SsoCredential -AsEndpoint: AWS tools that get their keys from this PowerShell, which renews them. Sdk.Tests.ps1 has the tools.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0', '--refuse', '100000000003'
    $loggedIn = New-LoggedInHome $service -Count 4
    # What a client gets from the endpoint of the variables: the status and the body.
    $ask = @'
        function Get-Answer([string] $Uri = $env:AWS_CONTAINER_CREDENTIALS_FULL_URI, [string] $Token = $env:AWS_CONTAINER_AUTHORIZATION_TOKEN) {
            Invoke-RestMethod $Uri -Headers @{ Authorization = $Token } -NoProxy -SkipHttpErrorCheck -TimeoutSec 5
        }

'@
    # The variables of AWS tools and proxies as text, so that a removed one differs from an empty one.
    $list = "(Get-ChildItem Env: | Where-Object Name -Match '^(AWS_(?!ENDPOINT_URL)|AMAZON_|NO_PROXY`$|HTTP_PROXY`$)' | Sort-Object Name -CaseSensitive | ForEach-Object { `$_.Name + '=' + `$_.Value }) -join ' '`n"
}

AfterAll {
    Clear-StandIn
}

Describe 'Use-SsoCredential -AsEndpoint' {
    BeforeEach {
        $userHome = New-UserHome $loggedIn
    }

    It 'serves the keys of the profile, writes no key to a file, and puts none in a variable' {
        $result = Invoke-UserPowerShell $userHome $service ($ask + @'
            Use-SsoCredential Account1 -AsEndpoint
            $env:AWS_CONTAINER_CREDENTIALS_FULL_URI
            $env:AWS_PROFILE
            $answer = Get-Answer
            $answer.PSObject.Properties.Name -join ' '
            $answer.AccountId
            @(Get-ChildItem Env: | Where-Object Value -In $answer.AccessKeyId, $answer.SecretAccessKey, $answer.Token).Count
            (Get-Answer -Token wrong).code
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0] | Should -Match '^http://127\.0\.0\.1:\d+/sso-endpoint/[\w-]{43}$'
        $result.Output[1..5] | Should -Be 'sso-endpoint-Account1', 'AccessKeyId SecretAccessKey Token Expiration AccountId', '100000000000', 0, 'AccessDenied'
        $result.Text | Should -Match 'Account1: AWS tools get its credentials from this PowerShell, which renews them \(AWSAdministratorAccess in account 100000000000\)'
        Test-Path (Get-AwsPath $userHome credentials) | Should -BeFalse
        Get-Content (Get-AwsPath $userHome config) | Should -Be '[profile sso-endpoint-Account1]', 'x_sso_environment = Acme'
    }

    It 'has one path and token for each profile, and a profile of its own for each in the config file' {
        $result = Invoke-UserPowerShell $userHome $service ($ask + @'
            $places = 'Account1', 'Account2', 'Account1' | ForEach-Object {
                Use-SsoCredential $_ -AsEndpoint -Quiet
                [pscustomobject] @{ Uri = $env:AWS_CONTAINER_CREDENTIALS_FULL_URI; Token = $env:AWS_CONTAINER_AUTHORIZATION_TOKEN; Profile = $env:AWS_PROFILE }
            }
            $places.Profile -join ' '
            $places[0].Uri -ne $places[1].Uri -and $places[0].Token -ne $places[1].Token
            $places[0].Uri -eq $places[2].Uri -and $places[0].Token -eq $places[2].Token
            (Get-Answer $places[0].Uri $places[0].Token).AccountId
            (Get-Answer $places[1].Uri $places[1].Token).AccountId
            (Get-Answer $places[0].Uri $places[1].Token).code
            (Get-SsoProfile).Count
            (Get-SsoEnvironment).Count
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'sso-endpoint-Account1 sso-endpoint-Account2 sso-endpoint-Account1', $true, $true, '100000000000', '100000000001', 'AccessDenied', 4, 1
        $result.Text | Should -BeNullOrEmpty
    }

    It 'removes what AWS tools would use instead, and restores everything exactly: what was not set stays unset' {
        $result = Invoke-UserPowerShell $userHome $service ($list + @'
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            (Get-ChildItem Env: | Where-Object Name -Match '^AWS_(?!ENDPOINT_URL)' | Sort-Object Name).Name -join ' '
            Use-SsoCredential Account2 -AsEndpoint -Quiet
            Use-SsoCredential -Clear

'@ + $list) @{
            AWS_ACCESS_KEY_ID = 'AKIAMINE'; AWS_SECRET_ACCESS_KEY = 'mine'; AWS_DEFAULT_PROFILE = 'mine'; AWS_WEB_IDENTITY_TOKEN_FILE = '/nowhere'
            AWS_ROLE_ARN = 'arn:aws:iam::1:role/r'; AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = '/nowhere'; AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = '/x'
        }
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0] | Should -Match 'AWS_ROLE_ARN=arn'
        $result.Output[1] | Should -Be 'AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_PROFILE'
        $result.Output[2] | Should -BeExactly $result.Output[0]
    }

    It 'keeps requests to the endpoint away from a proxy, and restores NO_PROXY' -Skip:$IsWindows {
        $result = Invoke-UserPowerShell $userHome $service @'
            $env:HTTP_PROXY = 'http://proxy.example.com:8080'
            $env:no_proxy = 'localhost,127.0.0.1,example.com'
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            "$env:NO_PROXY $env:no_proxy"
            $env:no_proxy = 'example.com'
            Use-SsoCredential Account1 -AsEndpoint -Quiet -NoLogin -ErrorAction SilentlyContinue
            "$env:NO_PROXY $env:no_proxy"
            Use-SsoCredential -Clear
            Test-Path Env:NO_PROXY
            $env:no_proxy
'@
        $result.Output[0] | Should -Be 'localhost,127.0.0.1,example.com localhost,127.0.0.1,example.com'
        $result.Output[2..3] | Should -Be $false, 'example.com'
    }

    It 'sets the Region of the profile in both variables and in the config file' {
        Add-AwsText $userHome config "[default]`nregion = us-east-2`n"
        $result = Invoke-UserPowerShell $userHome $service @'
            Set-SsoEnvironment Acme -ProfileRegion eu-west-1
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            "$env:AWS_REGION $env:AWS_DEFAULT_REGION"
            Use-SsoCredential -Clear
            Test-Path Env:AWS_REGION
'@
        $result.Output | Should -Be 'eu-west-1 eu-west-1', $false
        Get-Content (Get-AwsPath $userHome config) | Should -Be '[default]', 'region = us-east-2', '', '[profile sso-endpoint-Account1]', 'region = eu-west-1', 'x_sso_environment = Acme'
    }

    It 'goes on after -Clear for programs that have its address, and ends with -StopEndpoint' {
        $result = Invoke-UserPowerShell $userHome $service ($ask + @'
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            $uri, $token = $env:AWS_CONTAINER_CREDENTIALS_FULL_URI, $env:AWS_CONTAINER_AUTHORIZATION_TOKEN
            Use-SsoCredential -Clear
            (Get-Answer $uri $token).AccountId
            Use-SsoCredential -Clear -StopEndpoint
            try { Get-Answer $uri $token } catch { 'refused' }
            Test-Path Env:AWS_CONTAINER_CREDENTIALS_FULL_URI
'@)
        $result.Output | Should -Be '100000000000', 'refused', $false
    }

    It 'tells the owner once, with the next command, that keys could not be renewed and what to do' {
        $short = Start-StandIn '--accounts', '1', '--approve-after-polls', '0', '--credential-lifetime', '9'
        $userHome = New-LoggedInHome $short -Count 1
        $result = Invoke-UserPowerShell $userHome $short ($ask + @'
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            $null = Get-SsoProfile -WarningVariable early 3> $null
            $early.Count
            $null = Invoke-RestMethod "$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body '{"end_sessions": true}'
            # Until the keys have expired, and the reason is known.
            while ((Get-Answer).code -ne 'LoginRequired') { Start-Sleep -Milliseconds 200 }
            # Neither the Tab key nor a tool that calls the module shows warnings.
            $null = TabExpansion2 'Get-SsoProfile ' 15
            $null = Get-SsoCredential Account1 -AsCredentialProcess -ErrorAction Ignore
            $null = Get-SsoProfile -WarningVariable first 3> $null
            "$first"
            $null = Get-SsoProfile -WarningVariable second 3> $null
            $second.Count
'@)
        $result.Output[0] | Should -Be 0
        $result.Output[1] | Should -Match '^AWS tools get no credentials of Account1 from the endpoint, because they could not be renewed: Acme needs a login\. Run Connect-SsoSession -Environment Acme\.$'
        $result.Output[2] | Should -Be 0
    }

    It 'leaves the variables as they are where the keys cannot be had, and starts no endpoint: <What>' -TestCases @(
        @{ What = 'a role that is refused'; Name = 'Account4'; Code = 'RoleNotAssigned' }
        @{ What = 'a name in other letters'; Name = 'account1'; Code = 'ProfileNotFound' }
    ) {
        $result = Invoke-UserPowerShell $userHome $service "`$env:AWS_PROFILE = 'mine'; Use-SsoCredential $Name -AsEndpoint; `$env:AWS_PROFILE; Test-Path Env:AWS_CONTAINER_CREDENTIALS_FULL_URI"
        $result.Errors.Id | Should -Be "$Code,AwsSso.Commands.UseSsoCredentialCommand"
        $result.Output | Should -Be 'mine', $false
        Test-Path (Get-AwsPath $userHome config) | Should -BeFalse
    }

    It 'finds a config file that cannot be written before it asks for a login' {
        $userHome = New-UserHome
        Add-Environment $userHome $service -Count 2
        $null = New-Item -ItemType Directory (Get-AwsPath $userHome config)
        $before = Get-RequestCount $service
        $result = Invoke-UserPowerShell $userHome $service 'Use-SsoCredential Account1 -AsEndpoint'
        $result.Errors.Count | Should -Be 1
        $result.Errors[0].Id | Should -Match '^(Read|Write)Failed,'
        Get-RequestCount $service | Should -Be $before
    }

    It 'tells a shell that inherited the endpoint of an ended PowerShell once, and -Clear removes it' {
        $ended = Invoke-UserPowerShell $userHome $service @'
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            $env:AWS_CONTAINER_CREDENTIALS_FULL_URI
            $env:AWS_CONTAINER_AUTHORIZATION_TOKEN
'@
        $result = Invoke-UserPowerShell $userHome $service ($list + @'
            Use-SsoCredential Account1 -Quiet
            Use-SsoCredential Account2 -Quiet
            Use-SsoCredential -Clear

'@ + $list) @{ AWS_CONTAINER_CREDENTIALS_FULL_URI = $ended.Output[0]; AWS_CONTAINER_AUTHORIZATION_TOKEN = $ended.Output[1]; AWS_PROFILE = 'sso-endpoint-Account1' }
        $result.Errors | Should -BeNullOrEmpty
        @([regex]::Matches($result.Text, 'leads to the endpoint of a PowerShell that has ended; remove it with Use-SsoCredential -Clear')).Count | Should -Be 1
        $result.Output[0] | Should -Match 'FULL_URI'
        $result.Output[1] | Should -BeNullOrEmpty
    }

    It 'leaves the endpoint of a PowerShell that still runs, and one of another program' {
        $result = Invoke-UserPowerShell $userHome $service @'
            Use-SsoCredential Account1 -AsEndpoint -Quiet
            $module = (Get-Module Set-AwsCliSsoCredentials).Path
            & (Get-Command pwsh).Source -NoProfile -Command "Import-Module '$module'; Use-SsoCredential -Clear; [bool] `$env:AWS_CONTAINER_CREDENTIALS_FULL_URI"
            Use-SsoCredential -Clear
            $env:AWS_CONTAINER_CREDENTIALS_FULL_URI = 'http://127.0.0.1:1/other'
            Use-SsoCredential -Clear
            $env:AWS_CONTAINER_CREDENTIALS_FULL_URI
'@
        $result.Output | Should -Be 'True', 'http://127.0.0.1:1/other'
    }
}
