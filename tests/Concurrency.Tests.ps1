# Many at once: runspaces of one PowerShell and several PowerShells on one environment log in once, and no write loses another's profiles.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
}

AfterAll {
    Clear-StandIn
}

Describe 'Update-SsoCredential many times at once' {
    Context 'in the runspaces of one PowerShell' {
        BeforeAll {
            $service = Start-StandIn '--approve-after-polls', '0', '--delay', '20'
            $own = New-UserHome
            Add-Environment $own $service Acme
            $run = Invoke-UserPowerShell $own $service @'
                1..6 | ForEach-Object -ThrottleLimit 6 -Parallel {
                    Import-Module $using:manifest
                    Update-SsoCredential Acme -NoBrowser -PassThru
                }
                1..6 | ForEach-Object -ThrottleLimit 6 -Parallel {
                    Import-Module $using:manifest
                    Update-SsoCredential Acme -ProfileName "Account$_" -Force -NoLogin -TokenCache AwsCli -PassThru
                }
'@
            $stats = Get-StandInStats $service
        }

        It 'logs in once' {
            $run.Errors | Should -BeNullOrEmpty
            $stats.device_authorizations | Should -Be 1
            $stats.logins | Should -Be 1
            @($run.Text -split "`n" -match '^Log in to ').Count | Should -Be 1
        }

        It 'gives each of them every profile' {
            $run.Output.Count | Should -Be (6 * 20 + 6)
            $run.Output.Status | Where-Object { $_ -notin 'Created', 'Refreshed', 'StillValid' } | Should -BeNullOrEmpty
            $run.Output[-6..-1].ProfileName | Sort-Object | Should -Be (1..6 | ForEach-Object { "Account$_" })
        }

        It 'leaves the file with all 20 profiles, and nothing beside it' {
            (Get-Credential $own).Count | Should -Be 20
            (Get-ChildItem (Get-AwsPath $own '') -File -Force).Name | Sort-Object | Should -Be 'credentials', 'credentials.fetch-acme.lock', 'credentials.lock', 'sso-environments'
        }

        It 'breaks no rule of the protocol' {
            $stats.violations | Should -BeNullOrEmpty
            $stats.early_polls | Should -Be 0
        }
    }

    Context 'with the session in memory, in the runspaces of one PowerShell' {
        It 'logs in once' {
            $service = Start-StandIn '--approve-after-polls', '0'
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 4
            $run = Invoke-UserPowerShell $own $service @'
                1..4 | ForEach-Object -ThrottleLimit 4 -Parallel {
                    Import-Module $using:manifest
                    Update-SsoCredential Acme -ProfileName "Account$_" -NoBrowser -TokenCache Memory -PassThru
                }
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output.Status | Should -Be 'Created', 'Created', 'Created', 'Created'
            (Get-StandInStats $service).device_authorizations | Should -Be 1
            (Get-Credential $own).Count | Should -Be 4
        }
    }

    Context 'in several PowerShells' {
        BeforeAll {
            $service = Start-StandIn '--accounts', '80', '--approve-after-polls', '0', '--delay', '20'
            # All of them are in memory and wait for this file, so that they begin together.
            function Invoke-Together([string] $UserHome, [string[]] $Script) {
                $start = Join-Path (New-TestFolder) start
                $all = foreach ($text in $Script) {
                    Start-UserPowerShell $UserHome $service "`$null = Get-SsoEnvironment; 'ready' | Out-Host; while (-not (Test-Path '$start')) { Start-Sleep -Milliseconds 10 }; $text"
                }
                foreach ($one in $all) { $null = Wait-Line $one '^ready$' }
                Set-Content $start ''
                $all | ForEach-Object { Wait-UserProgram $_ }
            }
        }

        It 'logs in once for all that want the same environment' {
            $own = New-UserHome
            Add-Environment $own $service Acme
            $runs = Invoke-Together $own (@('Update-SsoCredential Acme -NoBrowser -PassThru') * 4)
            $runs.Errors | Should -BeNullOrEmpty
            foreach ($run in $runs) { $run.Output.Count | Should -Be 20 }
            @($runs.Text -split "`n" -match '^Log in to ').Count | Should -Be 1
            $stats = Get-StandInStats $service
            $stats.device_authorizations | Should -Be 1
            $stats.logins | Should -Be 1
            (Get-Credential $own).Count | Should -Be 20
        }

        It 'keeps the profiles of all where each updates another environment' {
            $own = New-UserHome
            foreach ($number in 1..4) { Add-Environment $own $service "Team$number" -Count 20 -First (20 * $number - 19) }
            # Each fetches its own three times, so that the writes meet.
            $runs = Invoke-Together $own (1..4 | ForEach-Object { "1..3 | ForEach-Object { Update-SsoCredential Team$_ -Force -NoBrowser -PassThru }" })
            $runs.Errors | Should -BeNullOrEmpty
            $credentials = Get-Credential $own
            $credentials.Keys | Sort-Object | Should -Be (1..80 | ForEach-Object { "Account$_" } | Sort-Object)
            foreach ($number in 1..80) {
                $credentials["Account$number"]['aws_account_id'] | Should -Be (Get-AccountId $number)
                $credentials["Account$number"].Count | Should -Be 8
            }
            (Get-StandInStats $service).violations | Should -BeNullOrEmpty
        }
    }

    Context 'in many PowerShells started at once, with a session that has ended' {
        It 'asks for one approval in one browser' -Skip:$IsWindows {
            $count = Get-TestCount 20
            $service = Start-StandIn '--accounts', '20', '--approve-after-polls', '1'
            $folder = New-TestFolder
            $browser = Join-Path $folder browser
            Set-Content $browser "#!/bin/sh`necho `"`$@`" >>'$folder/opened'"
            chmod +x $browser
            $own = New-UserHome
            Add-Environment $own $service Acme
            (Invoke-UserPowerShell $own $service 'Update-SsoCredential Acme -NoBrowser').Errors | Should -BeNullOrEmpty
            # The session is over at the service, and by its file.
            Set-StandIn $service @{ expire_tokens = $true; end_sessions = $true }
            foreach ($file in Get-ChildItem (Get-AwsPath $own 'sso/cache/*.json')) {
                (Get-Content -Raw $file) -replace '("expiresAt": ")[^"]*(", "clientId")', '${1}2020-01-01T00:00:00Z$2' | Set-Content -NoNewline $file
            }
            $before = (Get-StandInStats $service).device_authorizations
            $all = 1..$count | ForEach-Object { Start-UserPowerShell $own $service 'Update-SsoCredential Acme -Force -PassThru' @{ BROWSER = $browser } }
            $runs = $all | ForEach-Object { Wait-UserProgram $_ 180 }
            $runs.Errors | Should -BeNullOrEmpty
            foreach ($run in $runs) { $run.Output.Count | Should -Be 20 }
            (Get-StandInStats $service).device_authorizations - $before | Should -Be 1
            @(Get-Content "$folder/opened").Count | Should -Be 1
        }
    }
}
