# What a user gets from Start-, Get-, and Stop-SsoCredentialRefresh: keys that do not expire while a program runs. The keys here last a few seconds.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '3', '--approve-after-polls', '0', '--credential-lifetime', '9'
    $loggedIn = New-LoggedInHome $service -Count 3 -Credential

    # The access key of a profile in the file.
    $key = @'
        function Get-Key([string] $ProfileName = 'Account1') {
            $section = $false
            foreach ($line in [IO.File]::ReadAllLines("$HOME/.aws/credentials")) {
                if ($line -match '^\[(.+)\]$') { $section = $Matches[1] -eq $ProfileName } elseif ($section -and $line -match '^aws_access_key_id = (.+)') { return $Matches[1] }
            }
        }
        function Wait-For([scriptblock] $Condition) {
            $watch = [Diagnostics.Stopwatch]::StartNew()
            while (-not (& $Condition)) { if ($watch.Elapsed.TotalSeconds -gt 60) { throw "Not within 60 s: $Condition" }; Start-Sleep -Milliseconds 200 }
        }

'@
}

AfterAll {
    Clear-StandIn
}

Describe 'Start-SsoCredentialRefresh' {
    BeforeEach {
        $userHome = New-UserHome $loggedIn
    }

    It 'is silent, and renews the keys while the shell waits for a program' {
        $result = Invoke-UserPowerShell $userHome $service ($key + @'
            Start-SsoCredentialRefresh
            $before = Get-Key
            # Nothing of PowerShell runs in the meantime.
            if ($IsWindows) { ping -n 16 127.0.0.1 > $null } else { sleep 15 }
            (Get-Key) -ne $before
            (Get-SsoCredentialRefresh).State -join ' '
            ((Get-SsoCredentialRefresh)[0].Expiration - (Get-Date)).TotalSeconds -gt 0
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be $true, 'Fresh Fresh Fresh', $true
        $result.Text | Should -BeNullOrEmpty
    }

    It 'renews only what is named, and the rest of the file stays as it is' {
        Add-AwsText $userHome credentials "[mine]`naws_access_key_id = AKIAMINE`naws_secret_access_key = mine`n"
        $result = Invoke-UserPowerShell $userHome $service ($key + @'
            Start-SsoCredentialRefresh Acme -ProfileName Account2
            $before = Get-Key Account2
            $other = Get-Key Account1
            Wait-For { (Get-Key Account2) -ne $before }
            (Get-Key Account1) -eq $other
            Get-Key mine
            (Get-SsoCredentialRefresh).ProfileName
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be $true, 'AKIAMINE', 'Account2'
    }

    It 'adds no profile to the file' {
        Remove-Item (Get-AwsPath $userHome credentials)
        $result = Invoke-UserPowerShell $userHome $service @'
            Start-SsoCredentialRefresh
            Start-Sleep 5
            (Get-SsoCredentialRefresh).State -join ' '
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'NoKeys NoKeys NoKeys'
        Test-Path (Get-AwsPath $userHome credentials) | Should -BeFalse
    }

    It 'starts nothing with -WhatIf, and nothing where nobody can be asked' {
        $result = Invoke-UserPowerShell $userHome $service @'
            Start-SsoCredentialRefresh -WhatIf
            @(Get-SsoCredentialRefresh).Count
            $env:CI = 'true'
            Start-SsoCredentialRefresh
            @(Get-SsoCredentialRefresh).Count
            $env:CI = $null
            Start-SsoCredentialRefresh
            Stop-SsoCredentialRefresh -WhatIf
            @(Get-SsoCredentialRefresh).Count
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 0, 0, 3
        $result.Text | Should -Match 'Performing the operation "Keep credentials fresh" on target "Acme"'
    }

    It 'starts nothing with pwsh -NonInteractive, and says why with -Verbose' {
        $import = "Import-Module '$(Join-Path (Split-Path $PSScriptRoot) Set-AwsCliSsoCredentials.psd1)'"
        $result = Invoke-Pwsh $userHome $service '-NoProfile', '-NonInteractive', '-Command', "$import; Start-SsoCredentialRefresh -Verbose; @(Get-SsoCredentialRefresh).Count"
        $result.Text | Should -Match 'Nothing is refreshed in the background, since PowerShell runs with -NonInteractive\.\s+0$'
        $result.ErrorText | Should -BeNullOrEmpty
    }

    It 'reports each unknown name with one error, and keeps the others fresh' {
        $run = Invoke-UserLine $userHome $service @(
            'Start-SsoCredentialRefresh Nowhere'
            'Start-SsoCredentialRefresh Acme -ProfileName Account1, Nobody; (Get-SsoCredentialRefresh).ProfileName'
            'Stop-SsoCredentialRefresh Nowhere'
            'Stop-SsoCredentialRefresh Acme -ProfileName Nobody'
            'Get-SsoCredentialRefresh Nowhere'
            'Start-SsoCredentialRefresh -Duration 0'
            'Start-SsoCredentialRefresh -Duration soon'
            '(Get-SsoCredentialRefresh).ProfileName'
        )
        $run[0].Ids | Should -Be 'EnvironmentNotFound'
        $run[1].Ids | Should -Be 'ProfileNotFound'
        $run[1].Written | Should -Be 'Account1'
        $run[2].Ids | Should -Be 'EnvironmentNotFound'
        $run[3].Ids | Should -Be 'ProfileNotFound'
        $run[4].Ids | Should -Be 'EnvironmentNotFound'
        $run[5].Ids | Should -Be 'ParameterArgumentValidationError'
        $run[6].Ids | Should -Be 'ParameterArgumentTransformationError'
        $run[7].Written | Should -Be 'Account1'
    }

    It 'tells the next command once that the session ended, and goes on after a login' {
        $own = Start-StandIn '--accounts', '1', '--approve-after-polls', '0', '--credential-lifetime', '9'
        $ownHome = New-LoggedInHome $own -Count 1 -Credential
        $result = Invoke-UserPowerShell $ownHome $own ($key + @'
            Start-SsoCredentialRefresh Acme
            $null = Invoke-RestMethod "$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body '{"end_sessions":true}'
            Start-Sleep 10
            $warnings = @()
            "$((Get-SsoCredentialRefresh -WarningVariable +warnings).State)"
            $null = Get-SsoProfile -WarningVariable +warnings
            $warnings.Count
            "$warnings"
            $before = Get-Key
            Connect-SsoSession Acme -NoBrowser -NoQrCode 6> $null
            Wait-For { (Get-Key) -ne $before }
            "$((Get-SsoCredentialRefresh).State)"
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0..1] | Should -Be 'SessionEnded', 1
        $result.Output[2] | Should -BeLike 'The session of Acme has ended, so its credentials are no longer refreshed.*'
        $result.Output[3] | Should -Be 'Fresh'
    }
}

Describe 'Stop-SsoCredentialRefresh' {
    BeforeEach {
        $userHome = New-UserHome $loggedIn
    }

    It 'ends what this runspace asked for, and not what another one did' {
        $result = Invoke-UserPowerShell $userHome $service @'
            Start-SsoCredentialRefresh
            $shell = [PowerShell]::Create()
            $shell.Runspace = [RunspaceFactory]::CreateRunspace($Host)
            $shell.Runspace.Open()
            $null = $shell.AddScript("Import-Module '$manifest'; Start-SsoCredentialRefresh Acme Account2").Invoke()
            @(Get-SsoCredentialRefresh).Count
            Stop-SsoCredentialRefresh
            (Get-SsoCredentialRefresh).ProfileName
            $shell.Commands.Clear()
            $null = $shell.AddScript('Stop-SsoCredentialRefresh').Invoke()
            @(Get-SsoCredentialRefresh).Count
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 3, 'Account2', 0
    }

    It 'leaves out what is named or piped, and goes on with the rest' {
        $run = Invoke-UserLine $userHome $service @(
            'Start-SsoCredentialRefresh; Stop-SsoCredentialRefresh Acme Account1; (Get-SsoCredentialRefresh).ProfileName'
            'Get-SsoCredentialRefresh Acme Account2 | Stop-SsoCredentialRefresh; (Get-SsoCredentialRefresh).ProfileName'
            'Get-SsoProfile | Start-SsoCredentialRefresh; (Get-SsoCredentialRefresh).ProfileName'
            '@() | Stop-SsoCredentialRefresh; (Get-SsoCredentialRefresh).ProfileName'
            'Stop-SsoCredentialRefresh A*; Get-SsoCredentialRefresh'
            'Stop-SsoCredentialRefresh; Stop-SsoCredentialRefresh Acme; Get-SsoCredentialRefresh'
        )
        $run.Sentences | Should -BeNullOrEmpty
        $run[0].Written | Should -Be 'Account2', 'Account3'
        $run[1].Written | Should -Be 'Account3'
        $run[2].Written | Should -Be 'Account1', 'Account2', 'Account3'
        $run[3].Written | Should -Be 'Account1', 'Account2', 'Account3'
        $run[4].Written | Should -BeNullOrEmpty
    }
}

Describe 'A refresh and the processes around it' {
    BeforeEach {
        $userHome = New-UserHome $loggedIn
    }

    It 'goes on after an import with -Force, and Remove-Module harms nothing' {
        $result = Invoke-UserPowerShell $userHome $service ($key + @'
            Start-SsoCredentialRefresh
            Import-Module $manifest -Force
            @(Get-SsoCredentialRefresh).Count
            $before = Get-Key
            Wait-For { (Get-Key) -ne $before }
            Remove-Module Set-AwsCliSsoCredentials
            'removed'
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 3, 'removed'
    }

    It 'is the work of one process where several start at once, and one that is killed holds nothing up' {
        $own = Start-StandIn '--accounts', '1', '--approve-after-polls', '0', '--credential-lifetime', '30'
        $ownHome = New-LoggedInHome $own -Count 1 -Credential
        $before = Get-RequestCount $own GetRoleCredentials
        $script = $key + "Start-SsoCredentialRefresh; `$keys = @(Get-Key); 1..35 | ForEach-Object { Start-Sleep 1; `$keys += Get-Key }; @(`$keys | Select-Object -Unique).Count"
        $shells = 1..3 | ForEach-Object { Start-UserPowerShell $ownHome $own $script }
        $killed = Start-UserPowerShell $ownHome $own "Start-SsoCredentialRefresh; Write-Host started; Start-Sleep 60"
        $null = Wait-Line $killed started
        $killed.Process.Kill($true)
        $results = $shells | ForEach-Object { Wait-UserProgram $_ }
        $results.Errors | Should -BeNullOrEmpty
        $results.Output | ForEach-Object { $_ | Should -BeIn 2, 3 }
        (Get-RequestCount $own GetRoleCredentials) - $before | Should -BeIn 1, 2
    }
}
