# What a user gets from Connect-SsoSession, Disconnect-SsoSession, Get-SsoSession and Get-SsoCredential. Each PowerShell has a home folder
# of its own, and a stand-in on the loopback is the service. A login costs a second, so most tests start from a home folder with a session.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '8', '--approve-after-polls', '0'

    # The files of the token and of the client registration in the AWS CLI's cache.
    function Get-CacheFile([string] $UserHome, [string] $Key) {
        @(Get-ChildItem (Get-AwsPath $UserHome sso/cache/*.json) -ErrorAction Ignore | Where-Object {
            $kept = Get-Content -Raw $_ | ConvertFrom-Json -AsHashtable
            if ($Key -eq 'Token') { $kept.ContainsKey('accessToken') } else { -not $kept.ContainsKey('accessToken') }
        })
    }

    # Every file below ~/.aws with its content.
    function Get-Snapshot([string] $UserHome) {
        Get-ChildItem (Get-AwsPath $UserHome '') -Recurse -File -Force | Sort-Object FullName | ForEach-Object { "$($_.FullName) $((Get-FileHash $_).Hash)" }
    }

    # What the stand-in has had since an earlier look at it.
    function Get-Difference([object] $Before, [object] $StandIn = $service) {
        $after = Get-StandInStats $StandIn
        $count = @{ Logins = $after.device_authorizations - $Before.device_authorizations }
        foreach ($operation in $after.requests.PSObject.Properties) {
            $earlier = $Before.requests.PSObject.Properties[$operation.Name]
            $count[$operation.Name] = $operation.Value - $(if ($earlier) { $earlier.Value } else { 0 })
        }
        $count
    }

    # A home folder with two environments: Acme has three profiles, and Beta has two.
    function New-Home {
        $path = New-UserHome
        Add-Environment $path $service Acme -Count 3
        Add-Environment $path $service Beta -Count 2 -First 4
        $path
    }

    # One with a session; nothing is fetched yet.
    $loggedIn = New-Home
    $before = Get-StandInStats $service
    $first = Invoke-UserRunspace $loggedIn $service @'
        @{ Earlier = @(Get-SsoSession) }
        @{ Missing = @(Get-SsoCredential) }
        @{ Connected = @(Connect-SsoSession Acme -NoBrowser -NoQrCode -PassThru -InformationVariable said); Said = @($said | ForEach-Object { "$_" }) }
'@
    $firstDifference = Get-Difference $before
}

AfterAll {
    Clear-StandIn
}

Describe 'Connect-SsoSession' {
    Context 'in a home folder without a session' {
        It 'logs in once and fetches nothing' {
            $first.Errors | Should -BeNullOrEmpty
            $firstDifference.Logins | Should -Be 1
            $firstDifference.CreateToken | Should -Be 1
            $firstDifference.ContainsKey('GetRoleCredentials') | Should -BeFalse
            Get-AwsPath $loggedIn credentials | Should -Not -Exist
        }

        It 'shows the address and the code of the login, and then how long the session lasts' {
            $lines = $first.Text -split "`n"
            $lines.Count | Should -Be 4
            $lines[0] | Should -Be 'Log in to Acme (d-12345abcde.awsapps.com): open'
            $lines[1] | Should -Match "^  $([regex]::Escape($service.Url))/device\?user_code=\S+$"
            $lines[3] | Should -Match '^Acme: logged in, renews until \d{4}-\d\d-\d\d \d\d:\d\d at most$'
            $first.Output[2].Said -join "`n" | Should -Be $first.Text
        }

        It 'writes an object with -PassThru: the session as it is now' {
            $session = $first.Output[2].Connected
            $session.Count | Should -Be 1
            $session[0].PSTypeNames[0] | Should -Be 'Deserialized.AwsSso.SsoSession'
            "$($session[0].Environment) $($session[0].State)" | Should -Be 'Acme Active'
        }
    }

    Context 'in a new PowerShell with the session of the last one' {
        BeforeAll {
            $own = New-UserHome -From $loggedIn
            $before = Get-StandInStats $service
            $run = Invoke-UserRunspace $own $service @'
                Connect-SsoSession Acme
                @{ Update = @(Update-SsoCredential Acme -NoLogin -PassThru 6>$null) }
                @{ Objects = @('acme', 'B*' | Connect-SsoSession -PassThru 6>$null) }
                @{ Piped = @(Get-SsoSession | Connect-SsoSession -NoLogin -PassThru 6>$null) }
                @{ Environments = @(Get-SsoEnvironment Beta | Connect-SsoSession -PassThru 6>$null) }
                @{ All = @(Connect-SsoSession -PassThru 6>$null) }
                @{ Nothing = @(@() | Connect-SsoSession -PassThru) + @(Connect-SsoSession 'z*' -PassThru 3>$null) }
'@
            $difference = Get-Difference $before
        }

        It 'asks nobody again, and says how long the session lasts without an object' {
            $run.Errors | Should -BeNullOrEmpty
            $run.Text | Should -Match '^Acme: logged in, renews until \d{4}-\d\d-\d\d \d\d:\d\d at most$'
            $run.Output.Count | Should -Be 6
            $difference.Logins | Should -Be 0
            $difference.CreateToken | Should -Be 0
        }

        It 'leaves an update nothing to log in to' {
            $run.Output[0].Update.Status | Should -Be 'Created', 'Created', 'Created'
            $difference.GetRoleCredentials | Should -Be 3
        }

        It 'takes names in any case, wildcards, sessions and environments from the pipeline' {
            $run.Output[1].Objects.Environment | Should -Be 'Acme', 'Beta'
            $run.Output[2].Piped.Environment | Should -Be 'Acme', 'Beta'
            $run.Output[3].Environments.Environment | Should -Be 'Beta'
        }

        It 'takes every stored environment where none is named, and none where the pipeline or a wildcard brings none' {
            $run.Output[4].All.Environment | Should -Be 'Acme', 'Beta'
            $run.Output[5].Nothing | Should -BeNullOrEmpty
        }
    }

    Context 'where nobody can or wants to log in' {
        It 'fails with LoginRequired and says what to do, with -NoLogin' {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 1
            $before = Get-RequestCount $service
            $run = Invoke-UserRunspace $own $service 'try { Connect-SsoSession Acme -NoLogin } catch { "ended" }; try { Update-SsoCredential Acme -NoLogin } catch { "ended" }'
            $run.Output | Should -Be 'ended', 'ended'
            $run.Errors.Id | Should -Be 'LoginRequired,AwsSso.Commands.UpdateSsoCredentialCommand', 'LoginRequired,AwsSso.Commands.ConnectSsoSessionCommand'
            $run.Errors.Action | Should -Match 'Connect-SsoSession -Environment Acme'
            Get-RequestCount $service | Should -Be $before
        }

        It 'ends after -Timeout where nobody approves' {
            $slow = Start-StandIn
            $own = New-UserHome
            Add-Environment $own $slow Acme -Count 1
            $run = Invoke-UserRunspace $own $slow 'Connect-SsoSession Acme -NoBrowser -Timeout 1 -PassThru'
            $run.Errors.Id | Should -Be 'LoginTimedOut,AwsSso.Commands.ConnectSsoSessionCommand'
            $run.Output | Should -BeNullOrEmpty
        }
    }
}

Describe 'Disconnect-SsoSession' {
    Context 'with a session and keys' {
        BeforeAll {
            # Not the shared session, which the other tests need.
            $own = New-Home
            $updated = Invoke-UserRunspace $own $service 'Connect-SsoSession Acme -NoBrowser; Update-SsoCredential Acme'
            $tokens = Get-CacheFile $own Token
            $registrations = Get-CacheFile $own Registration
            $registration = Get-FileHash $registrations[0]
            $credentials = [IO.File]::ReadAllText((Get-AwsPath $own credentials))
            $before = Get-StandInStats $service
            $run = Invoke-UserRunspace $own $service 'Disconnect-SsoSession acme'
            $difference = Get-Difference $before
            $again = Invoke-UserRunspace $own $service 'Disconnect-SsoSession Acme -PassThru; Disconnect-SsoSession Acme -Verbose 4>&1 | ForEach-Object { "$_" }'
            $secondDifference = Get-Difference $before
            $credentialsAfter = [IO.File]::ReadAllText((Get-AwsPath $own credentials))
            $tokensAfter = Get-CacheFile $own Token
            $registrationAfter = Get-FileHash (Get-CacheFile $own Registration)[0]
            $beforeUpdate = Get-StandInStats $service
            $update = Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -Force -NoBrowser -PassThru'
            $updateDifference = Get-Difference $beforeUpdate
        }

        It 'ends the session at the service, without a word on the screen' {
            $updated.Errors | Should -BeNullOrEmpty
            $run.Errors | Should -BeNullOrEmpty
            $run.Text | Should -BeNullOrEmpty
            $difference.Logout | Should -Be 1
        }

        It 'removes the token from the cache, and leaves the client registration' {
            $tokens.Count | Should -Be 1
            $registrations.Count | Should -Be 1
            $tokensAfter | Should -BeNullOrEmpty
            $registrationAfter.Hash | Should -Be $registration.Hash
        }

        It 'leaves the credentials file as it is' {
            $credentialsAfter | Should -Be $credentials
        }

        It 'finds nothing to end a second time and says so; an object comes with -PassThru' {
            $again.Errors | Should -BeNullOrEmpty
            "$($again.Output[0].Environment) $($again.Output[0].State)" | Should -Be 'Acme None'
            $again.Text | Should -Match 'Acme: there was no session to end'
            $secondDifference.Logout | Should -Be 1
        }

        It 'makes the next update log in anew, with the same registration' {
            $update.Errors | Should -BeNullOrEmpty
            $update.Output.Status | Should -Be 'Refreshed', 'Refreshed', 'Refreshed'
            $updateDifference.Logins | Should -Be 1
            $updateDifference.RegisterClient | Should -Be 0
        }
    }

    Context 'with -RemoveCredentials' {
        BeforeAll {
            $own = New-Home
            $file = Get-AwsPath $own credentials
            $null = Invoke-UserRunspace $own $service 'Update-SsoCredential -NoBrowser'
            $beta = [regex]::Match([IO.File]::ReadAllText($file), '(?s)\[Account4\].*').Value
            $mine = "# my own`r`n[default]`r`naws_access_key_id = AKIAEXAMPLE`r`n  s3 =`r`n    max = 5`r`n`r`n"
            $text = $mine + [IO.File]::ReadAllText($file).Replace("[Account2]`n", "; of account 2`n[Account2]`nregion = eu-west-1`n# stays`n") + "`n; the end"
            [IO.File]::WriteAllText($file, $text)
            $run = Invoke-UserRunspace $own $service 'Disconnect-SsoSession Acme -RemoveCredentials'
            $sections = Get-Credential $own
        }

        It 'takes the keys of this module out of the profiles of the environment, and a profile with nothing else as a whole' {
            $run.Errors | Should -BeNullOrEmpty
            $sections.Keys | Should -Be 'default', 'Account2', 'Account4', 'Account5'
            $sections['Account2'].Keys | Should -Be 'region'
        }

        It 'leaves other profiles and comments to the byte' {
            [IO.File]::ReadAllText($file) | Should -BeExactly ($mine + "; of account 2`n[Account2]`nregion = eu-west-1`n# stays`n`n" + $beta + "`n; the end")
        }

        It 'makes no file where there is none' {
            $other = New-UserHome
            Add-Environment $other $service Acme -Count 1
            $nothing = Invoke-UserRunspace $other $service 'Disconnect-SsoSession -RemoveCredentials'
            $nothing.Errors | Should -BeNullOrEmpty
            Get-AwsPath $other credentials | Should -Not -Exist
        }
    }

    Context 'at a service that is down' {
        BeforeAll {
            $down = Start-StandIn '--approve-after-polls', '0'
            $own = New-LoggedInHome $down -Count 1
            $tokens = Get-CacheFile $own Token
            $down.Process.StandardInput.Close()
            $down.Process.WaitForExit()
            $run = Invoke-UserRunspace $own $down 'Disconnect-SsoSession Acme -PassThru -WarningVariable warned 3>$null; "$warned"'
        }

        It 'warns that the session was not ended there' {
            $run.Errors | Should -BeNullOrEmpty
            $run.Output[1] | Should -Match "^The session of Acme was removed from this computer, but the service did not end it: $([regex]::Escape($down.Url)) could not be reached"
        }

        It 'removes the session from this machine all the same' {
            $tokens.Count | Should -Be 1
            $run.Output[0].State | Should -Be 'None'
            Get-CacheFile $own Token | Should -BeNullOrEmpty
        }
    }

    Context 'where the service has ended the session by itself' {
        It 'removes what is left of it without a warning' {
            $ending = Start-StandIn '--approve-after-polls', '0'
            $own = New-LoggedInHome $ending -Count 1
            Set-StandIn $ending @{ end_sessions = $true }
            $run = Invoke-UserRunspace $own $ending 'Disconnect-SsoSession Acme'
            $run.Errors | Should -BeNullOrEmpty
            $run.Text | Should -BeNullOrEmpty
            Get-CacheFile $own Token | Should -BeNullOrEmpty
        }
    }
}

Describe 'Sessions in memory' {
    BeforeAll {
        $own = New-UserHome
        Add-Environment $own $service Acme -Count 2
        $before = Get-StandInStats $service
        $run = Invoke-UserRunspace $own $service @'
            $null = Set-SsoEnvironment Acme -TokenCache Memory
            @{ Connected = @(Connect-SsoSession Acme -NoBrowser -PassThru) }
            @{ Got = @(Get-SsoSession | ForEach-Object { "$($_.State) $($_.TokenCache) $($_.Path)" }) }
            @{ Update = @(Update-SsoCredential Acme -NoLogin -PassThru) }
            @{ Ended = @(Disconnect-SsoSession Acme -PassThru) }
            try { Update-SsoCredential Acme -Force -NoLogin } catch { "$($_.FullyQualifiedErrorId)" }
'@
        $difference = Get-Difference $before
    }

    It 'are shown as what they are, and serve an update in the same PowerShell' {
        $run.Output[0].Connected.State | Should -Be 'Active'
        $run.Output[1].Got | Should -Be 'Active Memory '
        $run.Output[2].Update.Status | Should -Be 'Created', 'Created'
        $difference.Logins | Should -Be 1
    }

    It 'are ended at the service and forgotten by Disconnect-SsoSession' {
        $difference.Logout | Should -Be 1
        $run.Output[3].Ended.State | Should -Be 'None'
        $run.Output[4] | Should -Be 'LoginRequired,AwsSso.Commands.UpdateSsoCredentialCommand'
    }

    It 'leave no token in a file' {
        Get-CacheFile $own Token | Should -BeNullOrEmpty
    }
}

Describe 'With -WhatIf' {
    It 'Connect-SsoSession and Disconnect-SsoSession say what they would do, and change nothing' {
        $own = New-UserHome -From $loggedIn
        $null = Invoke-UserRunspace $own $service 'Update-SsoCredential -NoLogin'
        $snapshot = Get-Snapshot $own
        $before = Get-RequestCount $service
        $run = Invoke-UserRunspace $own $service @'
            Connect-SsoSession Acme -WhatIf -PassThru
            Disconnect-SsoSession -WhatIf -PassThru
            $WhatIfPreference = $true
            Disconnect-SsoSession Beta -RemoveCredentials
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -BeNullOrEmpty
        $run.Text -split "`n" | Should -Be @(
            'What if: Performing the operation "Connect SSO session" on target "Acme".'
            'What if: Performing the operation "Disconnect SSO session" on target "Acme".'
            'What if: Performing the operation "Disconnect SSO session" on target "Beta".'
            'What if: Performing the operation "Disconnect SSO session and remove credentials" on target "Beta".'
        )
        Get-Snapshot $own | Should -Be $snapshot
        Get-RequestCount $service | Should -Be $before
    }
}

Describe 'Get-SsoSession' {
    BeforeAll {
        $own = New-UserHome -From $loggedIn
        $before = Get-RequestCount $service
        $run = Invoke-UserRunspace $own $service @'
            @{ All = @(Get-SsoSession) }
            @{ Kept = @(Get-SsoSession | ForEach-Object { "$($_.TokenCache)" }) }
            @{ Named = @(Get-SsoSession 'b*', 'acme', 'ACME' | ForEach-Object Environment) }
            Get-SsoSession | Out-String -Width 120
            Get-SsoSession | Format-List * | Out-String -Width 1000
            Get-SsoSession | ConvertTo-Json -Depth 9
'@
        $sent = (Get-RequestCount $service) - $before
        $secrets = @(Get-Secret $own)
    }

    It 'shows that there is no session yet' {
        $earlier = $first.Output[0].Earlier
        $earlier.Environment | Should -Be 'Acme', 'Beta'
        $earlier.State | Should -Be 'None', 'None'
        $earlier | ForEach-Object { "$($_.TokenExpires)$($_.RegistrationExpires)$($_.Path)" } | Should -Be '', ''
        $earlier.Refreshable | Should -Be $false, $false
    }

    It 'shows a session with its ends, and where it is kept' {
        $run.Errors | Should -BeNullOrEmpty
        $acme = $run.Output[0].All[0]
        "$($acme.Environment) $($acme.StartUrl) $($acme.Region) $($acme.State)" | Should -Be "Acme $($service.StartUrl) us-west-2 Active"
        $run.Output[1].Kept | Should -Be 'AwsCli', 'AwsCli'
        $acme.Refreshable | Should -BeTrue
        $acme.Path | Should -Be (Get-CacheFile $own Token).FullName
        $kept = Get-Content -Raw $acme.Path | ConvertFrom-Json -DateKind String
        $acme.TokenExpires.Kind | Should -Be 'Local'
        $acme.TokenExpires.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ') | Should -Be $kept.expiresAt
        $acme.RegistrationExpires.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ') | Should -Be $kept.registrationExpiresAt
    }

    It 'shows the one session of two environments with the same start URL for both' {
        $run.Output[0].All.State | Should -Be 'Active', 'Active'
    }

    It 'takes names and wildcards, each environment once' {
        $run.Output[2].Named | Should -Be 'acme', 'Beta'
    }

    It 'shows them as a table with what is left' {
        $run.Output[3] | Should -Match '(?m)^Environment +State +Renews +Region +TokenCache *\r?$'
        $run.Output[3] | Should -Match '(?m)^Acme +Active +until 20\d\d-\d\d-\d\d \d\d:\d\d at most +us-west-2 +AwsCli'
    }

    It 'shows no secret, and sends nothing' {
        $secrets.Count | Should -BeGreaterThan 2
        foreach ($secret in $secrets) { "$($run.Output[3..5])".Contains($secret) | Should -BeFalse }
        $sent | Should -Be 0
    }

    It 'shows a session that has ended, and whether it can be renewed without a login' {
        $other = New-UserHome -From $loggedIn
        $file = (Get-CacheFile $other Token).FullName
        $ended = (Get-Content -Raw $file) -replace '"expiresAt": *"[^"]+"', '"expiresAt": "2020-01-01T00:00:00Z"'
        [IO.File]::WriteAllText($file, $ended)
        $states = Invoke-UserRunspace $other $service @"
            Get-SsoSession Acme
            Get-SsoSession Acme | Out-String -Width 120
            `$token = Get-Content -Raw '$file' | ConvertFrom-Json -AsHashtable -DateKind String
            `$token.Remove('refreshToken')
            Set-Content '$file' (ConvertTo-Json `$token)
            Get-SsoSession Acme
"@
        $states.Errors | Should -BeNullOrEmpty
        $states.Output[0].State | Should -Be 'Refreshable'
        $states.Output[1] | Should -Match 'Refreshable +until 20\d\d-\d\d-\d\d \d\d:\d\d at most'
        $states.Output[2].State | Should -Be 'Ended'
    }
}

Describe 'A session that the service refuses to refresh' {
    BeforeAll {
        $refusing = Start-StandIn '--accounts', '2', '--approve-after-polls', '0'
        $own = New-UserHome
        Add-Environment $own $refusing Acme -Count 2
        $null = Invoke-UserRunspace $own $refusing 'Connect-SsoSession Acme -NoBrowser'
        $file = (Get-CacheFile $own Token).FullName
        [IO.File]::WriteAllText($file, ((Get-Content -Raw $file) -replace '"expiresAt": *"[^"]+"', '"expiresAt": "2020-01-01T00:00:00Z"'))
        Set-StandIn $refusing @{ fail = @('CreateToken:1:400:InvalidRequestException') }
        $first = Invoke-UserRunspace $own $refusing @'
            (Get-SsoSession Acme).State
            Connect-SsoSession Acme -NoLogin
            "$((Get-SsoSession Acme).State) $((Get-SsoSession Acme).Refreshable)"
'@
        $second = Invoke-UserRunspace $own $refusing '"$((Get-SsoSession Acme).State) $((Get-SsoSession Acme).Refreshable)"'
        Set-StandIn $refusing @{ fail = @('CreateToken:1:400:InvalidRequestException') }
        $third = Invoke-UserRunspace $own $refusing 'Connect-SsoSession Acme -NoBrowser; "$((Get-SsoSession Acme).State) $((Get-SsoSession Acme).Refreshable)"'
    }

    It 'is not shown as refreshable by this PowerShell or by another one' {
        $first.Output | Should -Be 'Refreshable', 'Ended False'
        $first.Errors.Id | Should -Be 'LoginRequired,AwsSso.Commands.ConnectSsoSessionCommand'
        $second.Output | Should -Be 'Ended False'
    }

    It 'is replaced by Connect-SsoSession, with a login' {
        $third.Errors | Should -BeNullOrEmpty
        $third.Output | Should -Be 'Active True'
        (Get-StandInStats $refusing).logins | Should -Be 2
    }
}

Describe 'Get-SsoCredential' {
    BeforeAll {
        $own = New-UserHome -From $loggedIn
        $null = Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -NoLogin'
        $file = Get-AwsPath $own credentials
        $keys = Get-Credential $own
        $secrets = @(Get-Secret $own)
        # Account3 has ended.
        $end = $keys['Account3']['x_security_token_expires']
        $at = [IO.File]::ReadAllText($file).LastIndexOf($end)
        [IO.File]::WriteAllText($file, [IO.File]::ReadAllText($file).Remove($at, $end.Length).Insert($at, '2020-01-01T00:00:00Z'))
        # The keys of the others are those of a role that lasts for months.
        [IO.File]::WriteAllText($file, ([IO.File]::ReadAllText($file) -replace '(?<=x_security_token_issued = ).*', '2026-01-01T00:00:00Z'))
        $before = Get-RequestCount $service
        $run = Invoke-UserRunspace $own $service @'
            @{ All = @(Get-SsoCredential) }
            @{ Later = @(Get-SsoCredential acme -ProfileName Account1 -MinimumRemaining 7200); Never = @(Get-SsoCredential Acme -ProfileName Account1 -MinimumRemaining 0) }
            @{ Some = @(Get-SsoCredential -ProfileName '*[14]', Account2 | ForEach-Object { "$($_.Environment)/$_" }) }
            Get-SsoCredential Acme | Out-String -Width 120
            Get-SsoCredential | Format-List * | Out-String -Width 1000
            Get-SsoCredential | ConvertTo-Json -Depth 9
            Get-SsoCredential Acme | Where-Object State -EQ Expired | Update-SsoCredential -WhatIf
'@
        $sent = (Get-RequestCount $service) - $before
    }

    It 'shows that the profiles are missing yet' {
        $missing = $first.Output[1].Missing
        $missing | ForEach-Object { "$($_.Environment)/$($_.ProfileName)/$($_.State)" } | Should -Be @(
            'Acme/Account1/Missing', 'Acme/Account2/Missing', 'Acme/Account3/Missing', 'Beta/Account4/Missing', 'Beta/Account5/Missing'
        )
        $missing | ForEach-Object { "$($_.Expiration)$($_.Remaining)$($_.Reason)" } | Should -Be (@('') * 5)
    }

    It 'shows what is valid, with account, role, end and what is left' {
        $run.Errors | Should -BeNullOrEmpty
        $one = $run.Output[0].All[0]
        $one.PSTypeNames[0] | Should -Be 'Deserialized.AwsSso.SsoCredential'
        "$($one.Environment) $($one.ProfileName) $($one.AccountId) $($one.RoleName) $($one.State)" | Should -Be "Acme Account1 $(Get-AccountId 1) AWSAdministratorAccess Valid"
        $one.Reason | Should -BeNullOrEmpty
        $one.Expiration.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ') | Should -Be $keys['Account1']['x_security_token_expires']
        $one.Remaining.TotalMinutes | Should -BeGreaterThan 50
        $one.Remaining.TotalMinutes | Should -BeLessOrEqual 60
    }

    It 'shows what has expired, and that nothing is left' {
        $ended = $run.Output[0].All[2]
        "$($ended.ProfileName) $($ended.State) $($ended.Reason) $($ended.Remaining)" | Should -Be 'Account3 Expired its keys have expired 00:00:00'
    }

    It 'shows with -MinimumRemaining what would be due then, and why' {
        $later = $run.Output[1].Later
        "$($later.ProfileName) $($later.State) $($later.Reason)" | Should -Be 'Account1 Due its keys expire soon'
        $run.Output[1].Never.State | Should -Be 'Valid'
    }

    It 'takes names and wildcards of profiles over all environments' {
        $run.Output[2].Some | Should -Be 'Acme/Account1', 'Acme/Account2', 'Beta/Account4'
    }

    It 'shows them as a table with what is left' {
        $run.Output[3] | Should -Match '(?m)^ *Environment: Acme *\r?$'
        $run.Output[3] | Should -Match '(?m)^ProfileName +State +Expires +AccountId +RoleName *\r?$'
        $run.Output[3] | Should -Match '(?m)^Account1 +Valid +.*\d\d:\d\d \(0:5\d left\) +100000000000 +AWSAdministratorAccess *\r?$'
        $run.Output[3] | Should -Match '(?m)^Account3 +Expired +20\d\d-\d\d-\d\d \d\d:\d\d \(expired\) '
    }

    It 'shows no secret, and sends nothing' {
        $secrets.Count | Should -BeGreaterThan 6
        foreach ($secret in $secrets) { "$($run.Output[3..5])".Contains($secret) | Should -BeFalse }
        $sent | Should -Be 0
    }

    It 'can be piped to Update-SsoCredential, which takes the profiles of it' {
        $run.Text | Should -Be 'What if: Performing the operation "Update credentials" on target "Acme: Account3".'
    }

    It 'names the profile that does not exist, and those that are nearest to it' {
        $missing = Invoke-UserRunspace $own $service 'Get-SsoCredential Acme -ProfileName Account1, account2 | ForEach-Object ProfileName'
        $missing.Output | Should -Be 'Account1'
        $missing.Errors.Id | Should -Be 'ProfileNotFound,AwsSso.Commands.GetSsoCredentialCommand'
        $missing.Errors[0].Target | Should -Be 'account2'
        $missing.Errors[0].Action | Should -Be 'Did you mean Account2, Account1 or Account3? Profile names are case-sensitive; Get-SsoProfile lists them.'
    }
}

Describe 'An environment that there is not' {
    BeforeAll {
        $own = New-UserHome -From $loggedIn
        $run = Invoke-UserRunspace $own $service @'
            foreach ($command in 'Connect-SsoSession', 'Disconnect-SsoSession', 'Get-SsoSession', 'Get-SsoCredential') {
                try { & $command Nowhere; 'went on' } catch { "$($_.FullyQualifiedErrorId) $($_.TargetObject)" }
            }
            @(Get-SsoSession Nowhere, Acme -ErrorAction SilentlyContinue).Environment
            try { Disconnect-SsoSession Nowhere -WhatIf; 'went on' } catch { "$($_.FullyQualifiedErrorId)" }
'@
    }

    It 'is EnvironmentNotFound for each of the commands' {
        $run.Output[0..3] | Should -Be ('ConnectSsoSession', 'DisconnectSsoSession', 'GetSsoSession', 'GetSsoCredential' |
            ForEach-Object { "EnvironmentNotFound,AwsSso.Commands.${_}Command Nowhere" })
        $run.Output[5] | Should -Be 'EnvironmentNotFound,AwsSso.Commands.DisconnectSsoSessionCommand'
    }

    It 'does not keep the others from being shown' {
        $run.Output[4] | Should -Be 'Acme'
    }
}

Describe 'The rules of the protocol' {
    It 'were broken in none of these tests' {
        $stats = Get-StandInStats $service
        $stats.violations | Should -BeNullOrEmpty
        $stats.early_polls | Should -Be 0
    }
}
