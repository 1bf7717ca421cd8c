# What a user gets from Update-SsoCredential. Each PowerShell has a home folder of its own, and a stand-in on the loopback is the service.
# A login costs a second, since the stand-in wants so much between two polls; so most tests start from a home folder with a session.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '24', '--approve-after-polls', '0'

    # A home folder with a session, three environments and no credentials yet: Acme has Account1 to Account20, Beta and Gamma have two each.
    $loggedIn = New-UserHome
    Add-Environment $loggedIn $service Acme -Count 20
    Add-Environment $loggedIn $service Beta -Count 2 -First 21
    Add-Environment $loggedIn $service Gamma -Count 2 -First 23
    $first = Invoke-UserRunspace $loggedIn $service @'
        $objects = Update-SsoCredential -Environment Acme -NoBrowser -NoQrCode -PassThru -InformationVariable said
        @{ Objects = $objects; Said = @($said | ForEach-Object { "$_" }) }
        $objects | Select-Object -First 3 | Out-String -Width 160
        @(Update-SsoCredential Acme 6>&1 | ForEach-Object { "$($_.GetType().Name) $_" })
        Update-SsoCredential Acme -PassThru 6>$null
'@
    $afterFirst = Get-StandInStats $service
    $firstCredentials = Get-Credential $loggedIn
}

AfterAll {
    Clear-StandIn
}

Describe 'Update-SsoCredential' {
    Context 'in a home folder without credentials' {
        It 'gives 20 profiles keys in the credentials file after one login' {
            $first.Errors | Should -BeNullOrEmpty
            $firstCredentials.Keys | Should -Be (1..20 | ForEach-Object { "Account$_" })
            foreach ($number in 1..20) {
                $section = $firstCredentials["Account$number"]
                $section.Keys | Should -Be 'aws_access_key_id', 'aws_secret_access_key', 'aws_session_token', 'aws_account_id', 'x_security_token_expires', 'x_sso_role_name', 'x_sso_environment', 'x_security_token_issued'
                $section['aws_access_key_id'] | Should -Match '^ASIA[A-Z2-7]{16}$'
                ($section['aws_secret_access_key'].Length -eq 40) | Should -BeTrue
                ($section['aws_session_token'].Length -gt 600) | Should -BeTrue
                $section['aws_account_id'] | Should -Be (Get-AccountId $number)
                $section['x_sso_role_name'] | Should -Be 'AWSAdministratorAccess'
            }
            @($firstCredentials.Values | ForEach-Object { $_['aws_access_key_id'] } | Sort-Object -Unique).Count | Should -Be 20
        }

        It 'keeps the file and the tokens from other users' -Skip:$IsWindows {
            $files = @(Get-Item (Get-AwsPath $loggedIn credentials)) + @(Get-ChildItem (Get-AwsPath $loggedIn sso/cache/*.json))
            $files.Count | Should -Be 3
            $files | ForEach-Object { [Convert]::ToString([int] $_.UnixFileMode, 8) } | Should -Be '600', '600', '600'
        }

        It 'writes an object for each profile with -PassThru, in the order of the table' {
            $objects = $first.Output[0].Objects
            $objects.Count | Should -Be 20
            $objects[0].PSTypeNames[0] | Should -Be 'Deserialized.AwsSso.SsoProfileResult'
            $objects.ProfileName | Should -Be (1..20 | ForEach-Object { "Account$_" })
            $objects.AccountId | Should -Be (1..20 | ForEach-Object { Get-AccountId $_ })
            $objects | ForEach-Object { "$($_.Environment) $($_.RoleName) $($_.Status)" } | Sort-Object -Unique | Should -Be 'Acme AWSAdministratorAccess Created'
            foreach ($object in $objects) {
                $inFile = [DateTimeOffset]::Parse($firstCredentials[$object.ProfileName]['x_security_token_expires'], [cultureinfo]::InvariantCulture)
                $object.Expiration.ToUniversalTime() | Should -Be $inFile.UtcDateTime
            }
        }

        It 'shows the objects as a table' {
            $first.Output[1] | Should -Match '(?m)^ *Environment: Acme *\r?$'
            $first.Output[1] | Should -Match '(?m)^ProfileName +Status +Expires +AccountId +RoleName *\r?$'
            $first.Output[1] | Should -Match '(?m)^Account1 +Created +.*\d\d:\d\d \(0:5\d left\) +100000000000 +AWSAdministratorAccess *\r?$'
        }

        It 'shows the address and the code of the login, and one summary line, where the output is assigned to a variable' {
            $address = [regex]::Escape($service.Url) + '/device\?user_code='
            $lines = $first.Text -split "`n"
            $lines.Count | Should -Be 4
            $lines[0] | Should -Be 'Log in to Acme (d-12345abcde.awsapps.com): open'
            $lines[1] | Should -Match "^  $address[A-Z]{4}-[A-Z]{4}$"
            $code = $lines[1].Substring($lines[1].Length - 9)
            $lines[2] | Should -Match "^Check that the page shows $code, then allow it\. Valid until \d\d:\d\d; Ctrl\+C cancels\.$"
            $lines[3] | Should -Match '^Acme: 20 profiles fresh until (20\d\d-\d\d-\d\d )?\d\d:\d\d$'
        }

        It 'lets -InformationVariable have the same lines' {
            $first.Output[0].Said -join "`n" | Should -Be $first.Text
        }

        It 'lets 6>&1 have the summary, and writes no object without -PassThru' {
            $first.Output[2] | Should -Match '^InformationRecord Acme: 20 profiles, all fresh until '
        }

        It 'finds nothing due in a second run and sends nothing' {
            $first.Output.Count | Should -Be 23
            $first.Output[3..22].Status | Sort-Object -Unique | Should -Be 'StillValid'
            $afterFirst.requests.GetRoleCredentials | Should -Be 20
            $afterFirst.requests.CreateToken | Should -Be 1
            $afterFirst.requests.StartDeviceAuthorization | Should -Be 1
        }
    }

    Context 'in a new PowerShell with the session of the last one' {
        BeforeAll {
            $before = Get-StandInStats $service
            $home1 = New-UserHome -From $loggedIn
            $run = Invoke-UserRunspace $home1 $service @'
                $null = Update-SsoCredential Acme -PassThru -OutVariable quiet
                @{ Quiet = @($quiet.Status) }
                @{ Verbose = @(Update-SsoCredential Acme -Force -NoLogin -Verbose 4>&1 | ForEach-Object { "$_" }) }
                @{ Forced = @(Update-SsoCredential acme -Force -NoLogin -PassThru) }
                # As if half of their hour were over.
                $end = [DateTime]::UtcNow.AddMinutes(30).ToString('yyyy-MM-ddTHH:mm:ssZ')
                $text = [IO.File]::ReadAllText("$HOME/.aws/credentials") -replace '(?<=x_security_token_expires = ).*', $end -replace '(?<=x_security_token_issued = ).*', '2026-01-01T00:00:00Z'
                [IO.File]::WriteAllText("$HOME/.aws/credentials", $text)
                $null = Update-SsoCredential Acme -MinimumRemaining 00:25:00 -PassThru -OutVariable shorter
                $null = Update-SsoCredential Acme -MinimumRemaining 2700 -PassThru -OutVariable longer
                $null = Update-SsoCredential Acme -MinimumRemaining 7200 -PassThru -OutVariable tooLong
                @{ Shorter = @($shorter.Status | Sort-Object -Unique); Longer = @($longer.Status | Sort-Object -Unique); TooLong = @($tooLong.Status | Sort-Object -Unique) }
'@
            $after = Get-StandInStats $service
        }

        It 'does not log in again' {
            $run.Errors | Should -BeNullOrEmpty
            $run.Output[0].Quiet.Count | Should -Be 20
            $run.Output[0].Quiet | Sort-Object -Unique | Should -Be 'StillValid'
            $after.device_authorizations | Should -Be $before.device_authorizations
            $run.Text | Should -Not -Match 'approve|Log in to'
        }

        It 'fetches with -Force what is still good, without a login' {
            $run.Output[2].Forced.Status | Sort-Object -Unique | Should -Be 'Refreshed'
            (Get-Credential $home1)['Account1']['aws_access_key_id'] | Should -Not -Be $firstCredentials['Account1']['aws_access_key_id']
        }

        It 'tells with -Verbose what it does, with the request id of each answer' {
            $ids = $run.Output[1].Verbose | Select-String '^(Account\d+) was fetched \(request id ([0-9a-f-]{36})\)\.$' | ForEach-Object { $_.Matches[0].Groups[2].Value }
            @($ids | Sort-Object -Unique).Count | Should -Be 20
            $run.Output[1].Verbose -match '^20 profiles were written to .*credentials\.$' | Should -HaveCount 1
        }

        It 'fetches what has less left than -MinimumRemaining, in a time span or in seconds' {
            $run.Output[3].Shorter | Should -Be 'StillValid'
            $run.Output[3].Longer | Should -Be 'Refreshed'
        }

        It 'does not fetch again and again what never lasts as long as -MinimumRemaining' {
            $run.Output[3].TooLong | Should -Be 'StillValid'
        }

        It 'asked for each profile once in each run' {
            $after.requests.GetRoleCredentials - $before.requests.GetRoleCredentials | Should -Be 60
        }
    }

    Context 'with the names of profiles and environments' {
        BeforeAll {
            $home2 = New-UserHome -From $loggedIn
            $mine = "# my own`r`n[default]`r`nregion = us-west-2`r`n`r`n"
            $file = Get-AwsPath $home2 credentials
            [IO.File]::WriteAllText($file, $mine + [IO.File]::ReadAllText($file) + "`n; the end")
            if (-not $IsWindows) { chmod 0644 $file }
            $run = Invoke-UserRunspace $home2 $service @'
                function Get-Names { ($input | ForEach-Object { "$($_.Environment)/$($_.ProfileName)/$($_.Status)" }) -join ' ' }
                Update-SsoCredential Acme -ProfileName 'Account1[0-2]', Account7 -Force -PassThru 6>$null | Get-Names
                Update-SsoCredential Acme -ProfileName 'account*' -Force -PassThru 6>$null | Get-Names
                Update-SsoCredential 'G*', 'beta' -PassThru 6>$null | Get-Names
                Update-SsoCredential -EnvironmentName Gamma -PassThru 6>$null | Get-Names
                Update-SsoCredential 'z*' -PassThru 6>$null | Get-Names
                @() | Update-SsoCredential -PassThru 6>$null | Get-Names
                @(Update-SsoCredential -PassThru 6>$null).Count
                'Beta', 'Beta', 'BETA' | Update-SsoCredential -Force -PassThru 6>$null | Get-Names
                Get-SsoEnvironment Beta, Gamma | Update-SsoCredential -ProfileName '*[13]' -Force -PassThru 6>$null | Get-Names
'@
        }

        It 'takes names and wildcards of profiles' {
            $run.Output[0] | Should -Be 'Acme/Account7/Refreshed Acme/Account10/Refreshed Acme/Account11/Refreshed Acme/Account12/Refreshed'
        }

        It 'minds the case of profile names, as AWS does' {
            $run.Output[1] | Should -BeNullOrEmpty
        }

        It 'takes names and wildcards of environments without case' {
            ($run.Output[2] -split ' ' | Sort-Object) | Should -Be 'Beta/Account21/Created', 'Beta/Account22/Created', 'Gamma/Account23/Created', 'Gamma/Account24/Created'
            $run.Output[3] | Should -Be 'Gamma/Account23/StillValid Gamma/Account24/StillValid'
            $run.Output[4] | Should -BeNullOrEmpty
        }

        It 'takes every stored environment where none is named, and none where the pipeline brings none' {
            $run.Output[5] | Should -BeNullOrEmpty
            $run.Output[6] | Should -Be 24
        }

        It 'takes names from the pipeline, each once' {
            $run.Output[7] | Should -Be 'Beta/Account21/Refreshed Beta/Account22/Refreshed'
        }

        It 'takes what Get-SsoEnvironment gives' {
            $run.Output[8] | Should -Be 'Beta/Account21/Refreshed Gamma/Account23/Refreshed'
        }

        It 'leaves all else in the file to the byte' {
            $now = [IO.File]::ReadAllText($file)
            $now.StartsWith($mine) | Should -BeTrue
            $now.Contains("`n; the end") | Should -BeTrue
        }

        It 'takes the file away from other users, and warns of it once' -Skip:$IsWindows {
            @($run.Text -split "`n" -match '^WARNING: Other users could read .*credentials\. Now only you can\.').Count | Should -Be 1
            [Convert]::ToString([int] (Get-Item $file).UnixFileMode, 8) | Should -Be '600'
        }

        It 'meets no error in any of this' {
            $run.Errors | Should -BeNullOrEmpty
        }
    }

    Context 'with nothing due' {
        It 'starts no thread for the network' -Skip:(-not $IsLinux) {
            $run = Invoke-UserPowerShell (New-UserHome -From $loggedIn) $service @'
                $threads = { @(Get-Content /proc/self/task/*/comm -ErrorAction Ignore) -eq 'aws-sso' }
                Update-SsoCredential Acme
                (& $threads).Count
                Update-SsoCredential Acme -Force -ProfileName Account1
                (& $threads).Count
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -Be 0, 2
        }

        It 'reads no file again that has not changed, and opens no socket' {
            if (-not (Get-Command strace -CommandType Application -ErrorAction Ignore)) {
                Set-ItResult -Skipped -Because 'strace is not installed'
                return
            }

            $own = New-UserHome -From $loggedIn
            $trace = Join-Path (New-TestFolder) trace
            $run = Invoke-UserPowerShell $own $service @'
                Update-SsoCredential Acme
                $null = [IO.File]::ReadAllText($manifest)
                1..3 | ForEach-Object { Update-SsoCredential Acme }
                $null = [IO.File]::ReadAllText($manifest)
                [IO.File]::SetLastWriteTimeUtc("$HOME/.aws/credentials", [DateTime]::UtcNow)
                Update-SsoCredential Acme
'@ -Through 'strace', '-f', '--seccomp-bpf', '-qq', '-s', '4096', '-e', 'trace=open,openat,socket,connect', '-o', $trace
            $run.Errors | Should -BeNullOrEmpty
            @($run.Text -split "`n" -match '^Acme: \d+ profiles, all fresh until').Count | Should -Be 5
            $lines = Get-Content $trace
            $marks = @(0..($lines.Count - 1) | Where-Object { $lines[$_] -match 'Set-AwsCliSsoCredentials\.psd1' })
            $between = $lines[$marks[-2]..$marks[-1]]
            $between -match '/\.aws/|socket\(|connect\(' | Should -BeNullOrEmpty
            # The same test sees it where something is read.
            $lines[$marks[-1]..($lines.Count - 1)] -match '/\.aws/credentials"' | Should -Not -BeNullOrEmpty
        }

        It 'says as much of each profile with -Verbose or its preference, and nothing without' {
            $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service @'
                @(Update-SsoCredential Acme 4>&1).Count
                @(Update-SsoCredential Acme -Verbose 4>&1 | Where-Object { $_ -match '^Account\d+ is valid until' }).Count
                $VerbosePreference = 'Continue'
                @(Update-SsoCredential Acme 4>&1 | Where-Object { $_ -match '^Account\d+ is valid until' }).Count
                @(Update-SsoCredential Acme -Verbose:$false 4>&1).Count
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output[0, 3] | Should -Be 0, 0
            $run.Output[1] | Should -BeGreaterThan 0
            $run.Output[2] | Should -Be $run.Output[1]
        }
    }

    Context 'where the input of a pipeline is one run' {
        It 'logs in once and writes the file once for three environments' {
            if (-not (Get-Command strace -CommandType Application -ErrorAction Ignore)) {
                Set-ItResult -Skipped -Because 'strace is not installed'
                return
            }

            $own = New-UserHome -From $loggedIn
            Remove-Item (Get-AwsPath $own credentials), (Get-AwsPath $own sso) -Recurse
            $before = Get-StandInStats $service
            $trace = Join-Path (New-TestFolder) trace
            $run = Invoke-UserPowerShell $own $service "'Acme', 'Beta', 'Gamma' | Update-SsoCredential" -Through 'strace', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=rename,renameat,renameat2,link,linkat', '-o', $trace
            $after = Get-StandInStats $service
            $run.Errors | Should -BeNullOrEmpty
            @($run.Text -split "`n" -match '^Log in to ').Count | Should -Be 1
            @($run.Text -split "`n" -match '^(Acme|Beta|Gamma): .* fresh until').Count | Should -Be 3
            $after.device_authorizations - $before.device_authorizations | Should -Be 1
            (Get-Credential $own).Count | Should -Be 24
            @(Get-Content $trace | Where-Object { $_ -match '/credentials"' -and $_ -match '= 0$' }).Count | Should -Be 1
        }
    }

    Context 'before it does anything' {
        BeforeAll {
            $before = Get-RequestCount $service
            $own = New-UserHome -From $loggedIn
            Remove-Item (Get-AwsPath $own credentials)
            $whatIf = Invoke-UserRunspace $own $service "Update-SsoCredential Acme, Beta -WhatIf -PassThru -ProfileName 'Account1', 'Account2?'; `$WhatIfPreference = `$true; Update-SsoCredential Gamma; Update-SsoCredential Acme -WhatIf:`$false -ProfileName Account3"
            $wasThere = Test-Path (Get-AwsPath $own credentials)
            $fetched = (Get-RequestCount $service) - $before
            $good = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service 'Update-SsoCredential Acme -WhatIf'
            $unchanged = (Get-RequestCount $service) - $before
            $confirmed = Invoke-UserRunspace $own $service "`$ConfirmPreference = 'Low'; Update-SsoCredential Acme -ProfileName Account4 -Confirm:`$false -PassThru"
        }

        It 'names the due profiles of each environment with -WhatIf' {
            $whatIf.Errors | Should -BeNullOrEmpty
            $lines = $whatIf.Text -split "`n"
            $lines[0] | Should -Be 'What if: Performing the operation "Update credentials" on target "Acme: Account1, Account20".'
            $lines[1] | Should -Be 'What if: Performing the operation "Update credentials" on target "Beta: Account21, Account22".'
            $lines[2] | Should -Be 'What if: Performing the operation "Update credentials" on target "Gamma: Account23, Account24".'
        }

        It 'sends and writes nothing with -WhatIf or $WhatIfPreference, and works with -WhatIf:$false' {
            $whatIf.Output | Should -BeNullOrEmpty
            $whatIf.Text | Should -Match 'Acme: 1 profile fresh until'
            $fetched | Should -Be 1
            (Get-Credential $own).Keys | Should -Be 'Account3', 'Account4'
        }

        It 'says with -WhatIf that nothing is due' {
            $good.Text | Should -Be 'Acme: nothing due'
            $unchanged | Should -Be 1
        }

        It 'asks nothing with -Confirm:$false' {
            $confirmed.Errors | Should -BeNullOrEmpty
            $confirmed.Output.Status | Should -Be 'Created'
        }
    }

    Context 'with the session in memory' {
        BeforeAll {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 3
            $before = Get-StandInStats $service
            $run = Invoke-UserPowerShell $own $service 'Update-SsoCredential Acme -TokenCache Memory -NoBrowser; Update-SsoCredential Acme -TokenCache Memory -Force -NoLogin -PassThru'
            $after = Get-StandInStats $service
        }

        It 'leaves no token cache behind' {
            $run.Errors | Should -BeNullOrEmpty
            (Get-Credential $own).Count | Should -Be 3
            Get-AwsPath $own sso | Should -Not -Exist
        }

        It 'logs in once as long as PowerShell runs' {
            $run.Output.Status | Should -Be 'Refreshed', 'Refreshed', 'Refreshed'
            $after.device_authorizations - $before.device_authorizations | Should -Be 1
        }
    }

    Context 'where variables are set in the running PowerShell, after the module was used' {
        It 'takes endpoints, files and home folder of the moment' {
            $own = New-UserHome
            $other = New-UserHome
            Add-Environment $other $service Home -Count 1
            $work = New-TestFolder
            Add-Environment $work $service Acme -Count 2 -First 3
            Copy-Item (Get-AwsPath $loggedIn sso) (Get-AwsPath $other '') -Recurse
            $run = Invoke-UserRunspace $own $null @"
                Get-SsoEnvironment
                Update-SsoCredential Acme
                Set-Location '$work'
                `$env:AWS_ENDPOINT_URL_SSO = `$env:AWS_ENDPOINT_URL_SSO_OIDC = '$($service.Url)'
                `$env:AWS_SSO_ENVIRONMENTS_FILE = '.aws/sso-environments'
                `$env:AWS_SHARED_CREDENTIALS_FILE = 'mine/keys'
                Update-SsoCredential Acme
                `$env:AWS_SSO_ENVIRONMENTS_FILE = `$env:AWS_SHARED_CREDENTIALS_FILE = `$null
                `$env:HOME = `$env:USERPROFILE = '$other'
                Update-SsoCredential Home -NoLogin
"@
            # The first two found no environment.
            $run.Errors.Id | Sort-Object -Unique | Should -Be 'EnvironmentNotFound,AwsSso.Commands.UpdateSsoCredentialCommand'
            (Get-Credential -Path (Join-Path $work mine/keys)).Keys | Should -Be 'Account3', 'Account4'
            (Get-Credential $other).Keys | Should -Be 'Account1'
            Get-AwsPath $own credentials | Should -Not -Exist
            # The token went where $HOME was then.
            @(Get-ChildItem (Get-AwsPath $own sso/cache/*.json)).Count | Should -Be 2
        }

        It 'trusts the certificates of $env:AWS_CA_BUNDLE, and names those in force where it cannot connect' {
            if ($IsWindows -and (Test-Path HKCU:\Software\Wine)) {
                Set-ItResult -Skipped -Because 'Wine cannot create certificates (0x80090029, NTE_NOT_SUPPORTED)'
                return
            }
            $folder = New-TestFolder
            New-Certificate $folder
            $secure = Start-StandIn '--approve-after-polls', '0', '--tls-cert', "$folder/certificate.pem", '--tls-key', "$folder/key.pem"
            $own = New-UserHome
            Add-Environment $own $secure Acme -Count 1
            $run = Invoke-UserRunspace $own $secure @"
                Update-SsoCredential Acme -NoBrowser -Timeout 5
                `$env:AWS_CA_BUNDLE = '$folder/certificate.pem'
                Update-SsoCredential Acme -NoBrowser -PassThru
"@
            $run.Output.Status | Should -Be 'Created'
            $run.Errors.Id | Should -Be 'NetworkError,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Message | Should -Match "^$([regex]::Escape($secure.Url)) could not be reached: .*UnknownIssuer.*\(Proxy: none\. CA certificates: system\.\)"
        }

        It 'says that the system has no CA certificates, and what to install' -Skip:(-not $IsLinux) {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 1
            # The library looks for the system's certificates where these variables say, as OpenSSL does.
            $folder = New-TestFolder
            $empty = New-Item "$folder/certificates.pem"
            $none = @{ SSL_CERT_FILE = $empty.FullName; SSL_CERT_DIR = $folder }
            $run = Invoke-UserPowerShell $own $null 'Update-SsoCredential Acme -NoBrowser -Timeout 5' $none
            $run.Errors.Id | Should -Be 'NetworkError,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Message | Should -Be 'The system has no CA certificates, so no server can be trusted.'
            $run.Errors[0].Action | Should -Match 'ca-certificates.*AWS_CA_BUNDLE'
        }

        It 'goes through the proxy of $env:HTTPS_PROXY, and names the host, the proxy without its password and the cause where that fails' {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 1
            # Nobody listens on port 1, so that nothing leaves this machine.
            $run = Invoke-UserRunspace $own $null '$env:HTTPS_PROXY = "http://user:word@127.0.0.1:1"; Update-SsoCredential Acme -NoBrowser -Timeout 5'
            $run.Errors.Id | Should -Be 'NetworkError,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Message | Should -Match 'could not be reached: .*refused.*the proxy 127\.0\.0\.1:1 of HTTPS_PROXY'
            $run.Errors[0].Message | Should -Not -Match 'word'
            $run.Errors[0].Message | Should -Match 'oidc\.us-west-2\.amazonaws\.com'
        }

        It 'names the token as the session of $env:AWS_CONFIG_FILE does' {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 1
            Set-Content (Join-Path $own config) '[sso-session my-sso]', "sso_start_url = $($service.StartUrl)", 'sso_region = us-west-2', 'sso_registration_scopes = sso:account:access'
            $run = Invoke-UserRunspace $own $service '$env:AWS_CONFIG_FILE = "~/config"; Update-SsoCredential Acme -NoBrowser'
            $run.Errors | Should -BeNullOrEmpty
            # The SHA-1 of my-sso.
            Get-AwsPath $own sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json | Should -Exist
        }

        It 'opens the browser of $env:BROWSER with the address of the login, and none with -NoBrowser' -Skip:$IsWindows {
            $folder = New-TestFolder
            $browser = Join-Path $folder browser
            Set-Content $browser "#!/bin/sh`necho `"`$@`" >>'$folder/opened'"
            chmod +x $browser
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 1
            $run = Invoke-UserRunspace $own $service @"
                `$env:BROWSER = '$browser'
                Update-SsoCredential Acme -TokenCache Memory -NoBrowser
                Remove-Item '$own/.aws/credentials'
                Update-SsoCredential Acme
"@
            $run.Errors | Should -BeNullOrEmpty
            $logins = @($run.Text -split "`n" -match '^Log in to ')
            $logins[0] | Should -Match '^Log in to Acme \(\S+\): open$'
            $logins[1] | Should -Match '^Log in to Acme \(\S+\): your browser opens now\. If it does not, open$'
            $lines = @($run.Text -split "`n" -match '^  http')
            $lines.Count | Should -Be 2
            $opened = @(Get-Content "$folder/opened")
            $opened.Count | Should -Be 1
            $opened[0] | Should -Match '^http://127\.0\.0\.1:\d+/device\?user_code=[A-Z]{4}-[A-Z]{4}$'
            $lines[1] | Should -Match ([regex]::Escape($opened[0]))
        }
    }

    Context 'as another shell sees it' {
        BeforeAll {
            $own = New-UserHome -From $loggedIn
            function Invoke-Line([string] $Line) {
                Invoke-Pwsh $own $service '-NoProfile', '-Command', "Import-Module '$manifest'; $Line"
            }
        }

        It 'ends with 0 where all went well, with nothing but the summary on the screen: no progress, no object' {
            $run = Invoke-Line 'Update-SsoCredential -Environment Acme -Force'
            $run.ExitCode | Should -Be 0
            # Wine lets everybody read a file that a program makes.
            $text = if ($IsWindows) { $run.Text -replace '^WARNING: Other users could read .*\n' } else { $run.Text }
            $text | Should -Match '^Acme: 20 profiles fresh until (20\d\d-\d\d-\d\d )?\d\d:\d\d$'
            $run.ErrorText | Should -BeNullOrEmpty
        }

        It 'ends with 1 where the environment is not known' {
            $run = Invoke-Line 'Update-SsoCredential -Environment Nowhere'
            $run.ExitCode | Should -Be 1
            $run.Text | Should -BeNullOrEmpty
            $run.ErrorText | Should -Match 'No environment is named Nowhere\. The environments are: Acme, Beta, Gamma\.'
        }
    }

    Context 'while it waits for the approval' {
        It 'goes on by itself when the login is approved on the device page' {
            $slow = Start-StandIn
            $own = New-UserHome
            Add-Environment $own $slow Acme -Count 2
            $started = Start-UserPowerShell $own $slow 'Update-SsoCredential Acme -NoBrowser -PassThru'
            $line = Wait-Line $started '^  http'
            $null = $line -match '(?<url>http\S+user_code=(?<code>\S+))'
            $page = Invoke-WebRequest $Matches.url -NoProxy
            $page.Content | Should -Match "<strong id=`"code`">$($Matches.code)</strong>"
            $started.Process.HasExited | Should -BeFalse
            $approved = Invoke-WebRequest "$($slow.Url)/device" -Method Post -NoProxy -Body @{ user_code = $Matches.code; action = 'approve' }
            $approved.Content | Should -Match 'Request approved'
            $run = Wait-UserProgram $started
            $run.Errors | Should -BeNullOrEmpty
            $run.Output.Status | Should -Be 'Created', 'Created'
            (Get-StandInStats $slow).early_polls | Should -Be 0
        }
    }

    Context 'with 100 profiles at 50 ms each' {
        BeforeAll {
            $many = Start-StandIn '--accounts', '100', '--delay', '50', '--approve-after-polls', '0'
            $own = New-UserHome
            Add-Environment $own $many Acme -Count 100
            $hasStrace = [bool] (Get-Command strace -CommandType Application -ErrorAction Ignore)
            $trace = Join-Path (New-TestFolder) trace
            $through = if ($hasStrace) { 'strace', '-f', '--seccomp-bpf', '-qq', '-e', 'trace=rename,renameat,renameat2,link,linkat', '-o', $trace } else { @() }
            $run = Invoke-UserPowerShell $own $many 'Update-SsoCredential Acme -NoBrowser -PassThru' -Through $through
            $stats = Get-StandInStats $many
        }

        It 'fetches more and more at a time, up to 64, each once' {
            $run.Errors | Should -BeNullOrEmpty
            $run.Output.Count | Should -Be 100
            $stats.peak_concurrency | Should -BeGreaterThan 16
            $stats.peak_concurrency | Should -BeLessOrEqual 64
            $stats.requests.GetRoleCredentials | Should -Be 100
        }

        It 'keeps to -ThrottleLimit' {
            $few = Start-StandIn '--delay', '20', '--approve-after-polls', '0'
            $other = New-UserHome
            Add-Environment $other $few Acme
            $limited = Invoke-UserRunspace $other $few 'Update-SsoCredential Acme -NoBrowser -ThrottleLimit 3'
            $limited.Errors | Should -BeNullOrEmpty
            (Get-StandInStats $few).peak_concurrency | Should -Be 3
        }

        It 'writes the file once' {
            (Get-Credential $own).Count | Should -Be 100
            if (-not $hasStrace) { Set-ItResult -Skipped -Because 'strace is not installed' }
            @(Get-Content $trace | Where-Object { $_ -match '/credentials"' -and $_ -match '= 0$' }).Count | Should -Be 1
        }

        It 'breaks no rule of the protocol and polls never too early' {
            $stats.violations | Should -BeNullOrEmpty
            $stats.early_polls | Should -Be 0
        }
    }

    It 'broke no rule of the protocol in any of these tests' {
        $stats = Get-StandInStats $service
        $stats.violations | Should -BeNullOrEmpty
        $stats.early_polls | Should -Be 0
    }
}

Describe 'The progress of a long run' {
    It 'says how many of how many, and how fast' {
        $slow = Start-StandIn '--accounts', '8', '--approve-after-polls', '0', '--delay', '300'
        $userHome = New-UserHome
        Add-Environment $userHome $slow Acme -Count 8
        $result = Invoke-UserRunspace $userHome $slow @'
            $null = Connect-SsoSession Acme -NoBrowser 6>$null
            $shell = [powershell]::Create().AddScript("Import-Module '$manifest'; Update-SsoCredential Acme -NoBrowser -ThrottleLimit 2; Get-SsoRole Acme -ThrottleLimit 2")
            $null = $shell.Invoke()
            $shell.Streams.Progress | Where-Object RecordType -EQ Processing | ForEach-Object { "$($_.Activity): $($_.StatusDescription)" }
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Contain 'Fetching credentials: 0 of 8'
        $result.Output -match '^Fetching credentials: 8 of 8, \d+ a (second|minute)$' | Should -Not -BeNullOrEmpty
        $result.Output -match '^Listing roles: 8 of 8, \d+ a (second|minute)$' | Should -Not -BeNullOrEmpty
    }
}

Describe 'Times that are shown' {
    BeforeAll {
        # Two hours, so that it is the same all through the hour at which the test starts and at the beginning of the next.
        $lasting = Start-StandIn '--accounts', '1', '--approve-after-polls', '0', '--credential-lifetime', '7200'

        # A time zone in which it is so many hours now.
        function Get-TimeZoneAt([int] $Hour) {
            $east = ($Hour - [DateTime]::UtcNow.Hour + 36) % 24 - 12
            # The names of these zones count to the west.
            'Etc/GMT{0:+0;-0;+0}' -f -$east
        }
    }

    It 'have <With> at <Hour> o''clock, in every command that shows one' -Skip:$IsWindows -TestCases @(
        @{ Hour = 12; With = 'no date'; Clock = '14:\d\d' }
        @{ Hour = 22; With = 'the date where they are tomorrow and nothing says what is left'; Clock = '20\d\d-\d\d-\d\d 00:\d\d' }
    ) {
        $own = New-UserHome
        Add-Environment $own $lasting Acme -Count 1
        $run = Invoke-UserPowerShell $own $lasting @'
            Update-SsoCredential Acme -NoBrowser
            Update-SsoCredential Acme
            Use-SsoCredential Account1
            Get-SsoCredential | Out-String -Width 200
'@ @{ TZ = Get-TimeZoneAt $Hour }
        $run.Errors | Should -BeNullOrEmpty
        # The next hour may have begun by now.
        $clock = "($Clock|$($Clock.Replace('14', '15').Replace('00:', '01:')))"
        $run.Text | Should -Match "(?m)^Acme: 1 profile fresh until $clock$"
        $run.Text | Should -Match "(?m)^Account1: AWS_PROFILE is set .*, credentials last until $clock$"
        $run.Output[0] | Should -Match "(?m)^Account1 +Valid +$($clock -replace '20.d.d-.d.d-.d.d ') \([12]:\d\d left\) "
    }
}
