# One login for two tools: the AWS CLI's own login code (Debian's package awscli) and the module share the token cache, both ways.

BeforeDiscovery {
    # How the AWS CLI finds the token: by the start URL, or by the name of a session in its config file.
    $ways = @{ Way = 'a start URL'; Name = $null }, @{ Way = 'a session of the config file'; Name = 'my-sso' }
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force

    # The package is made for the system's Python and for no other.
    $python = '/usr/bin/python3'
    $missing = if (-not ($IsLinux -and (Test-Path $python))) { "$python is not installed" } else {
        $null = & $python -c 'import awscli.botocore.utils' 2>&1
        if ($LASTEXITCODE -ne 0) { "the package awscli is not installed for $python" }
    }

    function Test-AwsCli {
        if ($missing) { Set-ItResult -Skipped -Because $missing }
        -not $missing
    }

    # A user of both tools, and a service that only they use.
    function New-BothUser([string] $SessionName, [int] $Count = 2) {
        $service = Start-StandIn '--approve-after-polls', '0'
        $userHome = New-UserHome
        if ($SessionName) {
            Add-AwsText $userHome config "[sso-session $SessionName]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`nsso_registration_scopes = sso:account:access`n"
        }
        Add-Environment $userHome $service Acme -Count $Count
        [pscustomobject] @{ Home = $userHome; Service = $service; SessionName = $SessionName }
    }

    # Does something with the AWS CLI's code: login, fetch or load.
    function Invoke-AwsCli([object] $User, [string] $Action) {
        $words = @($python, (Join-Path $PSScriptRoot 'aws_cli_login.py'), $Action, $User.Service.StartUrl)
        if ($User.SessionName) { $words += '--session-name', $User.SessionName, '--scopes', 'sso:account:access' }
        $run = Wait-UserProgram (Start-UserProgram $words (Get-UserVariable $User.Home $User.Service @{ AWS_EC2_METADATA_DISABLED = 'true'; PYTHONDONTWRITEBYTECODE = '1' }))
        if ($run.ExitCode -ne 0) { throw "The AWS CLI's code ended with $($run.ExitCode): $($run.ErrorText)" }
        $run.Text | ConvertFrom-Json
    }

    # Runs the module, which has to give both profiles keys.
    function Update-Both([object] $User, [string] $More = '') {
        $run = Invoke-UserRunspace $User.Home $User.Service "Update-SsoCredential Acme -NoBrowser -Force -PassThru $More"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Count | Should -Be 2
        $run.Output.Status | ForEach-Object { $_ -in 'Created', 'Refreshed' | Should -BeTrue }
        (Get-Credential $User.Home).Keys | Should -Be 'Account1', 'Account2'
    }

    # The token's file in the cache, whose name both tools have to find.
    function Get-TokenFile([object] $User) {
        $files = @(Get-ChildItem (Get-AwsPath $User.Home sso/cache/*.json) | Where-Object { (Get-Content -Raw $_) -match '"accessToken"' })
        $files.Count | Should -Be 1
        $files[0].FullName
    }

    # The SHA-256 of the access token in the cache, so that no failing test shows one.
    function Get-TokenHash([object] $User) {
        $token = (Get-Content -Raw (Get-TokenFile $User) | ConvertFrom-Json).accessToken
        [Convert]::ToHexString([Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes($token))).ToLowerInvariant()
    }

    # Lets the token in the cache end in five minutes, and puts a key of somebody else into its file.
    function Set-SoonOver([object] $User) {
        $file = Get-TokenFile $User
        $soon = [DateTime]::UtcNow.AddMinutes(5).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [cultureinfo]::InvariantCulture)
        $text = (Get-Content -Raw $file) -replace '(?<="expiresAt": ")[^"]+', $soon -replace '^\{', '{"theirs": {"kept": [1, null]}, '
        [IO.File]::WriteAllText($file, $text)
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'The AWS CLI and Update-SsoCredential, with <Way>' -ForEach $ways {
    It 'need one login where the AWS CLI was first' {
        if (Test-AwsCli) {
            $user = New-BothUser $Name
            $theirs = Invoke-AwsCli $user login
            $file = Get-TokenFile $user
            $before = Get-Content -Raw $file
            Update-Both $user
            # Nothing would ask where the login is not allowed, either.
            Update-Both $user -More '-NoLogin'
            $stats = Get-StandInStats $user.Service
            $stats.device_authorizations, $stats.logins, $stats.refreshes | Should -Be 1, 1, 0
            ((Get-Content -Raw $file) -ceq $before) | Should -BeTrue
            Get-TokenHash $user | Should -Be $theirs.token
        }
    }

    It 'need one login where Update-SsoCredential was first' {
        if (Test-AwsCli) {
            $user = New-BothUser $Name
            Update-Both $user
            $requests = Get-RequestCount $user.Service
            foreach ($action in 'fetch', 'load') {
                $theirs = Invoke-AwsCli $user $action
                $theirs.token | Should -Be (Get-TokenHash $user)
                $theirs.keys | Should -Be 'accessToken', 'clientId', 'clientSecret', 'expiresAt', 'refreshToken', 'region', 'registrationExpiresAt', 'startUrl'
                $theirs.asked | Should -Be 0
            }
            Get-RequestCount $user.Service | Should -Be $requests
            (Get-StandInStats $user.Service).violations | Should -BeNullOrEmpty
        }
    }

    It 'go on after a login of the AWS CLI takes the place of ours' {
        if (Test-AwsCli) {
            $user = New-BothUser $Name
            Update-Both $user
            $ours = Get-TokenHash $user
            $theirs = Invoke-AwsCli $user login
            $theirs.token | Should -Not -Be $ours
            Get-TokenHash $user | Should -Be $theirs.token
            Update-Both $user -More '-NoLogin'
            (Get-StandInStats $user.Service).logins | Should -Be 2
        }
    }
}

Describe 'A session of the AWS CLI that is soon over' {
    It 'is refreshed by Update-SsoCredential, and the AWS CLI reads what it wrote' {
        if (Test-AwsCli) {
            $user = New-BothUser my-sso
            $first = Invoke-AwsCli $user login
            $first.refreshable | Should -BeTrue
            Set-SoonOver $user
            Update-Both $user -More '-NoLogin'
            $stats = Get-StandInStats $user.Service
            $stats.device_authorizations, $stats.logins, $stats.refreshes | Should -Be 1, 1, 1
            $theirs = Invoke-AwsCli $user fetch
            $theirs.token | Should -Not -Be $first.token
            $theirs.token | Should -Be (Get-TokenHash $user)
            $theirs.asked | Should -Be 0
            $theirs.keys | Should -Contain 'theirs'
            ((Get-Content -Raw (Get-TokenFile $user)) -match '"theirs": \{"kept": \[1, null\]\}') | Should -BeTrue
            (Get-StandInStats $user.Service).device_authorizations | Should -Be 1
        }
    }

    It 'is used to its end where it cannot be refreshed, since the AWS CLI asked for no refresh token' {
        if (Test-AwsCli) {
            $user = New-BothUser
            $first = Invoke-AwsCli $user login
            $first.refreshable | Should -BeFalse
            Set-SoonOver $user
            Update-Both $user -More '-NoLogin'
            $stats = Get-StandInStats $user.Service
            $stats.logins, $stats.refreshes | Should -Be 1, 0
            Get-TokenHash $user | Should -Be $first.token
        }
    }
}

Describe 'The client registration' {
    It 'of the AWS CLI serves the login of Update-SsoCredential' {
        if (Test-AwsCli) {
            $user = New-BothUser my-sso
            $null = Invoke-AwsCli $user login
            Remove-Item (Get-TokenFile $user)
            Update-Both $user
            Get-RequestCount $user.Service RegisterClient | Should -Be 1
            (Get-StandInStats $user.Service).logins | Should -Be 2
        }
    }

    It 'of Update-SsoCredential serves the login of the AWS CLI' {
        if (Test-AwsCli) {
            $user = New-BothUser my-sso
            Update-Both $user
            $null = Invoke-AwsCli $user login
            Get-RequestCount $user.Service RegisterClient | Should -Be 1
            (Get-StandInStats $user.Service).logins | Should -Be 2
        }
    }
}
