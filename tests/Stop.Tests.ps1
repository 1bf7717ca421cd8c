# Ctrl+C: the prompt returns while the service still hangs, fetched credentials are written, and no lock or temporary file remains.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force

    # A request and a lock are given up after 30 s by themselves: a command that is back before that was stopped.
    $late = 25

    # As a host does at Ctrl+C: it stops the pipeline from another thread. The script goes on when $Until, told the stand-in's counters, is true.
    $stop = @'
        # With the console's host: without one nobody could be asked to log in.
        $shell = [powershell]::Create()
        $shell.Runspace = [runspacefactory]::CreateRunspace($Host)
        $shell.Runspace.Open()
        $null = $shell.AddScript("Import-Module '$manifest'; COMMAND")
        $output = [Management.Automation.PSDataCollection[psobject]]::new()
        $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
        while (-not (Invoke-RestMethod $standInUrl/_stats -NoProxy | ForEach-Object { UNTIL })) { Start-Sleep -Milliseconds 20 }
        $watch = [Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        @{
            Seconds = $watch.Elapsed.TotalSeconds
            State = "$($shell.InvocationStateInfo.State)"
            Errors = @($shell.Streams.Error | ForEach-Object { "$_" })
            Said = @($shell.Streams.Information | ForEach-Object { "$_" })
            Output = @($output)
        }
        # The same PowerShell is good for more.
        $null = Invoke-RestMethod $standInUrl/_control -Method Post -NoProxy -Body '{"clear": true, "approve": "*"}'
        Import-Module $manifest
        NEXT
'@
    function Invoke-Stop([string] $UserHome, [object] $StandIn, [string] $Command, [string] $Until, [string] $Next) {
        Invoke-UserPowerShell $UserHome $StandIn $stop.Replace('COMMAND', $Command).Replace('UNTIL', $Until).Replace('NEXT', $Next)
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Ctrl+C' {
    Context 'while the login waits for its approval' {
        BeforeAll {
            # Two minutes between two polls: only a stop can end this soon.
            $waiting = Start-StandIn '--interval', '120'
            $own = New-UserHome
            Add-Environment $own $waiting Acme -Count 3
            $run = Invoke-Stop $own $waiting 'Update-SsoCredential Acme -NoBrowser -PassThru' '$_.device_authorizations -eq 1' 'Get-SsoEnvironment | ForEach-Object Name'
        }

        It 'returns the prompt without an error' {
            $run.Output[0].State | Should -Be 'Stopped'
            $run.Output[0].Seconds | Should -BeLessThan $late
            $run.Output[0].Errors | Should -BeNullOrEmpty
            $run.Output[0].Output | Should -BeNullOrEmpty
            $run.Output[0].Said -match 'fresh' | Should -BeNullOrEmpty
        }

        It 'writes no credentials and no token, and the next command works' {
            Get-AwsPath $own credentials | Should -Not -Exist
            @(Get-Secret $own).Count | Should -BeLessOrEqual 1
            $run.Output[1] | Should -Be 'Acme'
        }
    }

    Context 'while the service hangs in a poll' {
        It 'returns the prompt, and the next login works' {
            $hanging = Start-StandIn '--hang', 'CreateToken:1', '--approve-after-polls', '0'
            $own = New-UserHome
            Add-Environment $own $hanging Acme -Count 3
            $run = Invoke-Stop $own $hanging 'Update-SsoCredential Acme -NoBrowser' '$_.requests.CreateToken -eq 1' 'Update-SsoCredential Acme -NoBrowser -PassThru'
            $run.Output[0].State | Should -Be 'Stopped'
            $run.Output[0].Seconds | Should -BeLessThan $late
            $run.Output[0].Errors | Should -BeNullOrEmpty
            $run.Output[1..3].Status | Should -Be 'Created', 'Created', 'Created'
            (Get-StandInStats $hanging).early_polls | Should -Be 0
        }
    }

    Context 'while another PowerShell logs in' {
        # The lock of a session is named after its start URL without the slash at the end; an earlier version has its own, beside the token.
        It 'returns the prompt without a request: <Version>' -TestCases @(
            @{ Version = 'the same version'; Folder = 'sso/locks'; Trimmed = '/' }
            @{ Version = 'an earlier version'; Folder = 'sso/cache'; Trimmed = '' }
        ) {
            $idle = Start-StandIn
            $own = New-UserHome
            Add-Environment $own $idle Acme -Count 1
            $name = Get-Sha1 $(if ($Trimmed) { $idle.StartUrl.TrimEnd($Trimmed) } else { $idle.StartUrl })
            Add-AwsText $own "$Folder/$name.lock" ''
            # .NET takes the same kind of lock on a file that it opens for itself.
            $held = [IO.File]::Open((Get-AwsPath $own "$Folder/$name.lock"), 'Open', 'ReadWrite', 'None')
            try {
                $run = Invoke-Stop $own $idle 'Update-SsoCredential Acme -NoBrowser' '$shell.Streams.Progress.Count -gt 0' "@(`$shell.Streams.Progress.StatusDescription)[0]"
            }
            finally {
                $held.Dispose()
            }
            $run.Output[0].State | Should -Be 'Stopped'
            $run.Output[0].Seconds | Should -BeLessThan $late
            $run.Output[0].Errors | Should -BeNullOrEmpty
            $run.Output[1] | Should -Be 'Another process is logging in to Acme'
            Get-RequestCount $idle | Should -Be 0
        }
    }

    Context 'while the service hangs in the fetch' {
        BeforeAll {
            # One of 20 requests is never answered.
            $hanging = Start-StandIn '--approve-after-polls', '0', '--hang', 'GetRoleCredentials:1'
            $own = New-UserHome
            Add-Environment $own $hanging Acme
            $run = Invoke-Stop $own $hanging 'Update-SsoCredential Acme -NoBrowser -PassThru' '$_.requests.GetRoleCredentials -eq 20 -and $_.in_flight -eq 1' @'
                @{ Written = @(Get-Content ~/.aws/credentials | Where-Object { $_ -like '`[*' }) }
                Update-SsoCredential Acme -NoLogin -PassThru
'@
            $stats = Get-StandInStats $hanging
        }

        It 'returns the prompt without an error, an object or a summary' {
            $run.Output[0].State | Should -Be 'Stopped'
            $run.Output[0].Seconds | Should -BeLessThan $late
            $run.Output[0].Errors | Should -BeNullOrEmpty
            $run.Output[0].Output | Should -BeNullOrEmpty
            $run.Output[0].Said -match 'fresh' | Should -BeNullOrEmpty
        }

        It 'writes the 19 credentials that were fetched' {
            $run.Output[1].Written.Count | Should -Be 19
        }

        It 'lets the next command fetch the missing credentials without a login' {
            $run.Errors | Should -BeNullOrEmpty
            $run.Output[2..21].Status | Group-Object -NoElement | Sort-Object Name | ForEach-Object { "$($_.Name) $($_.Count)" } | Should -Be 'Created 1', 'StillValid 19'
            $stats.requests.GetRoleCredentials | Should -Be 21
            $stats.device_authorizations | Should -Be 1
            (Get-Credential $own).Count | Should -Be 20
        }
    }

    Context 'at any moment' {
        It 'returns the prompt while the service hangs, and leaves complete files' {
            $count = Get-TestCount 20
            $hanging = Start-StandIn '--accounts', '40', '--approve-after-polls', '0', '--delay', '30'
            $own = New-UserHome
            Add-Environment $own $hanging Acme -Count 40
            $run = Invoke-UserPowerShell $own $hanging @"
                Update-SsoCredential Acme -NoBrowser
                1..$count | ForEach-Object {
                    # One request of each run is never answered, so that none ends by itself.
                    `$null = Invoke-RestMethod `$standInUrl/_control -Method Post -NoProxy -Body '{"clear": true, "hang": ["GetRoleCredentials:1"]}'
                    `$shell = [powershell]::Create()
                    `$null = `$shell.AddScript("Import-Module '`$manifest'; Update-SsoCredential Acme -Force -NoLogin -ThrottleLimit 8")
                    `$null = `$shell.BeginInvoke()
                    Start-Sleep -Milliseconds (Get-Random -Maximum 400)
                    `$watch = [Diagnostics.Stopwatch]::StartNew()
                    `$shell.Stop()
                    @{
                        Seconds = `$watch.Elapsed.TotalSeconds
                        Errors = @(`$shell.Streams.Error | ForEach-Object { "`$_" })
                        Lines = @(Get-Content ~/.aws/credentials)
                        Beside = @((Get-ChildItem ~/.aws -File -Force).Name)
                    }
                    `$shell.Dispose()
                }
"@
            $run.Output.Count | Should -Be $count
            foreach ($stopped in $run.Output) {
                $stopped.Seconds | Should -BeLessThan $late
                $stopped.Errors | Should -BeNullOrEmpty
                # Forty sections of a header and eight keys, thirty-nine blank lines between them.
                $stopped.Lines.Count | Should -Be (40 * 9 + 39)
                @($stopped.Lines -match '^aws_session_token = \S+$').Count | Should -Be 40
                $stopped.Beside | Sort-Object | Should -Be 'credentials', 'credentials.fetch-acme.lock', 'credentials.lock', 'sso-environments'
            }
        }
    }

    Context 'typed in a terminal' {
        It 'returns the prompt while the service hangs, with fetched credentials written' {
            if (-not (Get-Command tmux -CommandType Application -ErrorAction Ignore)) {
                Set-ItResult -Skipped -Because 'tmux is not installed'
                return
            }

            $hanging = Start-StandIn '--approve-after-polls', '0', '--hang', 'GetRoleCredentials:1'
            $own = New-UserHome
            Add-Environment $own $hanging Acme
            $terminal = New-Terminal $own $hanging 200 50
            try {
                # A line that wraps would look like output.
                Send-TerminalLine $terminal 'Import-Module $env:MODULE; Update-SsoCredential Acme -NoBrowser; "not reached"'
                Wait-StandIn $hanging { $_.requests.PSObject.Properties['GetRoleCredentials'] -and $_.requests.GetRoleCredentials -eq 20 -and $_.in_flight -eq 1 }
                # While the console asks the terminal where the cursor is, for the progress bar, it takes a key for text: the user presses it again.
                foreach ($try in 1..3) {
                    Send-TerminalKey $terminal C-c
                    try {
                        $null = Wait-Terminal $terminal '(?m)^PS .*> *$' 3
                        break
                    }
                    catch { if ($try -eq 3) { throw } }
                }
                Send-TerminalLine $terminal '"back-$(40 + 2)"'
                $screen = Wait-Terminal $terminal '(?m)^back-42'
            }
            finally {
                Stop-Terminal $terminal
            }
            $screen | Should -Not -Match '(?m)^not reached'
            $screen | Should -Not -Match 'fresh'
            # Without the stop, the request that hangs would be sent again after 30 s, and the last one written.
            (Get-Credential $own).Count | Should -Be 19
        }
    }
}
