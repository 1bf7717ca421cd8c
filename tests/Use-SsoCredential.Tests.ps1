# What a user gets from Use-SsoCredential, Open-SsoConsole and Get-SsoCredential -AsCredentialProcess.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0', '--refuse', '100000000003'
    $loggedIn = New-LoggedInHome $service -Count 4

    # Runs pwsh as an AWS tool runs a credential_process.
    function Invoke-Process([string] $UserHome, [object] $StandIn, [string] $Command) {
        Invoke-Pwsh $UserHome $StandIn '-NoProfile', '-Command', "Import-Module '$($manifest.Replace("'", "''"))'; $Command"
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Use-SsoCredential' {
    BeforeEach {
        $userHome = New-UserHome $loggedIn
    }

    It 'fetches what is due and sets AWS_PROFILE for what is started from this PowerShell' {
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1
            $env:AWS_PROFILE
            if ($IsWindows) { cmd /c 'echo %AWS_PROFILE%' } else { sh -c 'echo $AWS_PROFILE' }
            Use-SsoCredential -ProfileName Account2 -Quiet
            $env:AWS_PROFILE
            Use-SsoCredential -Clear
            Test-Path Env:AWS_PROFILE
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'Account1', 'Account1', 'Account2', $false
        $result.Text | Should -Match 'Account1: AWS_PROFILE is set \(AWSAdministratorAccess in account 100000000000\), credentials last until (\d{4}-\d\d-\d\d )?\d\d:\d\d'
        $result.Text | Should -Not -Match 'Account2: AWS_PROFILE'
        (Get-Credential $userHome).Keys | Sort-Object | Should -Be 'Account1', 'Account2'
    }

    It 'puts back what was there before, and leaves what somebody has changed since' {
        $result = Invoke-UserRunspace $userHome $service @'
            $env:AWS_PROFILE = 'mine'
            Use-SsoCredential Account1 -Quiet
            Use-SsoCredential Account2 -Quiet
            Use-SsoCredential -Clear
            $env:AWS_PROFILE
            Use-SsoCredential Account1 -Quiet
            $env:AWS_PROFILE = 'other'
            Use-SsoCredential -Clear
            $env:AWS_PROFILE
'@
        $result.Output | Should -Be 'mine', 'other'
    }

    It 'sets the variables of the keys with -AsEnvironmentVariable and writes no file' {
        $result = Invoke-UserRunspace $userHome $service @'
            Use-SsoCredential Account1 -AsEnvironmentVariable
            @(Get-ChildItem Env:AWS_* | Where-Object Name -In AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN | ForEach-Object { [bool] $_.Value }).Count
            ([DateTimeOffset] $env:AWS_CREDENTIAL_EXPIRATION) -gt [DateTimeOffset]::Now
            Use-SsoCredential Account2
            Test-Path Env:AWS_SECRET_ACCESS_KEY
            $env:AWS_PROFILE
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 3, $true, $false, 'Account2'
        $result.Text | Should -Match 'Account1: the variables of its keys are set'
        $result.Text | Should -Not -Match 'WARNING'
        (Get-Credential $userHome).Keys | Should -Be 'Account2'
    }

    It 'warns where a stronger variable is set by somebody else' {
        $result = Invoke-UserRunspace $userHome $service 'Use-SsoCredential Account1' @{ AWS_ACCESS_KEY_ID = 'AKIAEXAMPLE' }
        $result.Text | Should -Match 'WARNING: AWS_ACCESS_KEY_ID is set, and AWS tools use it instead of AWS_PROFILE'
    }

    It 'leaves the variables as they are where the keys cannot be had: <What>' -TestCases @(
        @{ What = 'a role that is refused'; Command = 'Use-SsoCredential Account4'; Code = 'RoleNotAssigned' }
        @{ What = 'a role that is refused, as variables'; Command = 'Use-SsoCredential Account4 -AsEnvironmentVariable'; Code = 'RoleNotAssigned' }
        @{ What = 'a name in other letters'; Command = 'Use-SsoCredential account1'; Code = 'ProfileNotFound' }
        @{ What = 'two profiles'; Command = 'Get-SsoProfile | Use-SsoCredential'; Code = 'ProfileNotFound' }
        @{ What = 'an environment that there is not'; Command = 'Use-SsoCredential Account1 -Environment Nowhere'; Code = 'EnvironmentNotFound' }
    ) {
        $result = Invoke-UserRunspace $userHome $service "`$env:AWS_PROFILE = 'mine'; $Command; `$env:AWS_PROFILE; Test-Path Env:AWS_ACCESS_KEY_ID"
        $result.Errors.Id | Should -Be "$Code,AwsSso.Commands.UseSsoCredentialCommand"
        $result.Output | Should -Be 'mine', $false
    }

    It 'takes a profile from the pipeline, and does nothing with -WhatIf' {
        $result = Invoke-UserRunspace $userHome $service @'
            Get-SsoProfile -ProfileName Account2 | Use-SsoCredential -WhatIf
            Test-Path Env:AWS_PROFILE
            Get-SsoProfile -ProfileName Account2 | Use-SsoCredential -Quiet
            $env:AWS_PROFILE
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be $false, 'Account2'
    }
}

Describe 'Open-SsoConsole' {
    It 'opens the shortcut link in the browser, and writes it where that is wanted' -Skip:(-not $IsLinux) {
        $browser = Join-Path (New-TestFolder) 'browser'
        Set-Content $browser "#!/bin/sh`nprintf '%s\n' `"`$1`" >> '$browser.log'"
        & chmod +x $browser
        $before = Get-RequestCount $service
        $result = Invoke-UserRunspace $loggedIn $service 'Open-SsoConsole Account1; Open-SsoConsole Account2 -Service s3 -Region eu-west-1 -PassThru' @{ BROWSER = $browser }
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'https://d-12345abcde.awsapps.com/start/#/console?account_id=100000000001&role_name=AWSAdministratorAccess&destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Deu-west-1'
        $result.Text | Should -BeNullOrEmpty
        Get-Content "$browser.log" | Should -Be 'https://d-12345abcde.awsapps.com/start/#/console?account_id=100000000000&role_name=AWSAdministratorAccess', $result.Output[0]
        Get-RequestCount $service | Should -Be $before
    }

    It 'shows the link where there is no browser, and one error for what there is not' {
        $result = Invoke-UserRunspace $loggedIn $service "Open-SsoConsole Account1 -NoBrowser; Open-SsoConsole Nobody; Open-SsoConsole Account1 -Service 's3?x' -NoBrowser"
        $result.Output | Should -BeNullOrEmpty
        $result.Text | Should -Match 'Account1: open https://d-12345abcde'
        $result.Errors.Id | Sort-Object | Should -Be 'EnvironmentInvalid,AwsSso.Commands.OpenSsoConsoleCommand', 'ProfileNotFound,AwsSso.Commands.OpenSsoConsoleCommand'
    }
}

Describe 'Get-SsoCredential -AsCredentialProcess' {
    It 'writes the JSON text and nothing else, even with -Verbose' {
        $run = Invoke-Process $loggedIn $service 'Get-SsoCredential -AsCredentialProcess -ProfileName Account1 -Verbose'
        $run.ExitCode | Should -Be 0
        $run.ErrorText | Should -BeNullOrEmpty
        ($run.Text -split "`n").Count | Should -Be 1
        $answer = $run.Text | ConvertFrom-Json -DateKind String
        $answer.PSObject.Properties.Name | Should -Be 'Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration', 'AccountId'
        $answer.AccountId | Should -Be (Get-AccountId 1)
        $answer.Version | Should -Be 1
        $answer.Expiration | Should -Match '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$'
        $answer.PSObject.Properties | Where-Object { -not $_.Value } | Should -BeNullOrEmpty
        Get-AwsPath $loggedIn credentials | Should -Not -Exist
    }

    It 'gives the keys to a tool that runs the documented line <How>' -ForEach @(
        @{ How = 'in a shell, as Go, JavaScript and .NET do'; Start = { param($line) if ($IsWindows) { 'cmd.exe', '/C', $line } else { '/bin/sh', '-c', $line } } }
        @{ How = 'as a program with arguments, as Python does'; Start = { param($line) $line -split ' ' } }
    ) {
        $documented = [regex]::Match((Get-Content -Raw "$PSScriptRoot/../docs/automation.md"), '(?m)^credential_process = (pwsh .+)\r?$').Groups[1].Value
        $documented | Should -Not -Match "[`"'``$%\\]" -Because 'not every tool passes them on'
        $modules, $programs = (New-ModuleFolder), (New-TestFolder)
        $powershell = @(Get-PowerShell)
        if ($IsWindows) { $programs = Split-Path $powershell[0] } else { New-PwshProgram $programs }
        $separator = [IO.Path]::PathSeparator
        $variables = Get-UserVariable $loggedIn $service @{ PSModulePath = "$modules$separator$env:PSModulePath"; PATH = "$programs$separator$env:PATH" }
        $words = @(& $Start $documented.Replace('Account1-AWSReadOnlyAccess', 'Account1'))
        if ($words[0] -eq 'pwsh') { $words[0] = if ($IsWindows) { $powershell[0] } else { "$programs/pwsh" } }
        $run = Wait-UserProgram (Start-UserProgram $words $variables)
        $run.ErrorText | Should -BeNullOrEmpty
        ($run.Text | ConvertFrom-Json).AccountId | Should -Be (Get-AccountId 1)
    }

    It 'leaves no secret in a transcript where the output goes to the tool that called it: <Name>' -TestCases @(
        @{ Name = 'as the README has it'; Command = 'Get-SsoCredential -AsCredentialProcess -ProfileName Account1' }
        @{ Name = 'with a parameter of the pipeline'; Command = "'Acme' | Get-SsoCredential -AsCredentialProcess -ProfileName Account1" }
        @{ Name = 'in a try block'; Command = 'try { Get-SsoCredential -AsCredentialProcess -ProfileName Account1 2>$null } catch { exit 1 }' }
    ) {
        $transcript = Join-Path (New-TestFolder) transcript.txt
        $run = Invoke-Process $loggedIn $service "`$null = Start-Transcript '$transcript' -IncludeInvocationHeader; $Command; 'the end'"
        $run.ExitCode | Should -Be 0 -Because $run.ErrorText
        $lines = $run.Text -split "`n"
        $lines.Count | Should -Be 2
        $answer = $lines[0] | ConvertFrom-Json -DateKind String
        $kept = Get-Content -Raw $transcript
        $kept | Should -Match 'the end'
        foreach ($secret in $answer.SecretAccessKey, $answer.SessionToken) {
            $secret | Should -Not -BeNullOrEmpty
            $kept.Contains($secret) | Should -BeFalse
        }
    }

    It 'gives the text to whatever takes it in the same PowerShell' {
        # One line for each; a text that went past PowerShell would be a line more.
        $lines = @(
            '$x = Get-Answer; "$(($x | ConvertFrom-Json).AccountId) to a variable"'
            'Get-Answer | ConvertFrom-Json | ForEach-Object { "$($_.AccountId) to the next command" }'
            '"$((Get-Answer | ConvertFrom-Json).AccountId) to a pipeline in a text"'
            '"$(Get-Answer)" -replace ".*AccountId...(\d+).*", "`$1 to a text"'
            '$x = (Get-Answer).Trim(); "$(($x | ConvertFrom-Json).AccountId) to a method"'
            '$x = @(Get-Answer); "$(($x[0] | ConvertFrom-Json).AccountId) to an array"'
            '$x = if ($true) { Get-Answer }; "$(($x | ConvertFrom-Json).AccountId) to the value of a statement"'
            'function f { Get-Answer }; $x = f; "$(($x | ConvertFrom-Json).AccountId) to a function"'
            '$x = & { Get-Answer }; "$(($x | ConvertFrom-Json).AccountId) to a script block"'
            '$x = Invoke-Expression "Get-Answer"; "$(($x | ConvertFrom-Json).AccountId) to Invoke-Expression"'
            '$x = 1 | ForEach-Object { Get-Answer }; "$(($x | ConvertFrom-Json).AccountId) to ForEach-Object"'
            'Get-Answer > answer.json; "$((Get-Content answer.json | ConvertFrom-Json).AccountId) to a file"'
            '$null = Get-Answer -OutVariable x; "$(($x | ConvertFrom-Json).AccountId) to a variable of the output"'
            '$r = [runspacefactory]::CreateRunspace($Host); $r.Open(); $p = [powershell]::Create(); $p.Runspace = $r; $x = $p.AddScript("Import-Module ''$path''; Get-Answer").Invoke(); "$(($x | ConvertFrom-Json).AccountId) to a runspace with the same host"'
            '$x = Start-Job { Import-Module $using:path; Get-Answer } | Receive-Job -Wait; "$(($x | ConvertFrom-Json).AccountId) to a job"'
            '$x = & $pwsh[0] @($pwsh | Select-Object -Skip 1) -NoProfile { param($path) Import-Module $path; Get-Answer } -args $path; "$(($x | ConvertFrom-Json).AccountId) to another PowerShell"'
        )
        $powershell = (@(Get-PowerShell) | ForEach-Object { "'$_'" }) -join ', '
        $script = "`$path = '$manifest'; `$pwsh = @($powershell); $($lines -join '; ')".Replace('Get-Answer', 'Get-SsoCredential -AsCredentialProcess -ProfileName Account1')
        $run = Invoke-Process (New-UserHome $loggedIn) $service $script
        $run.Text -split "`n" | Should -Be @($lines | ForEach-Object { "$(Get-AccountId 1) to " + [regex]::Match($_, ' to ([^"]+)"( }$|$)').Groups[1].Value }) -Because $run.ErrorText
    }

    It 'ends with an error and no output where it has no answer: <Code>' -TestCases @(
        @{ Code = 'LoginRequired'; Arguments = 'Account1'; NoSession = $true }
        @{ Code = 'RoleNotAssigned'; Arguments = 'Account4'; NoSession = $false }
        @{ Code = 'ProfileNotFound'; Arguments = 'Nobody'; NoSession = $false }
        @{ Code = 'ProfileNotFound'; Arguments = 'Account*'; NoSession = $false }
    ) {
        $userHome = New-UserHome $loggedIn
        if ($NoSession) { Remove-Item -Recurse (Get-AwsPath $userHome sso/cache) }
        $before = (Get-StandInStats $service).device_authorizations
        $run = Invoke-Process $userHome $service "try { Get-SsoCredential -AsCredentialProcess -ProfileName '$Arguments' } catch { [Console]::Error.WriteLine(`$_.FullyQualifiedErrorId); throw }"
        $run.ExitCode | Should -Be 1
        $run.Text | Should -BeNullOrEmpty
        $run.ErrorText | Should -Match "^$Code,"
        (Get-StandInStats $service).device_authorizations | Should -Be $before
    }

    It 'keeps keys out of every message and out of $Error' {
        $result = Invoke-UserRunspace $loggedIn $service @'
            $answer = Get-SsoCredential -AsCredentialProcess -ProfileName Account1 | ConvertFrom-Json
            Use-SsoCredential Account1 -AsEnvironmentVariable -Verbose 4>&1 6>&1 | Out-String | Write-Host
            $text = ($Error | Format-List * -Force | Out-String)
            $text -match [regex]::Escape($answer.SecretAccessKey)
            $env:AWS_SECRET_ACCESS_KEY
'@
        $result.Output[0] | Should -BeFalse
        $result.Text | Should -Not -Match ([regex]::Escape($result.Output[1]))
    }

    It 'gives the real AWS CLI its keys, and the update leaves that profile alone' {
        $cli = Get-AwsCli
        if ($cli.Missing) {
            Set-ItResult -Skipped -Because $cli.Missing
            return
        }

        $userHome = New-UserHome $loggedIn
        $powershell = (@(Get-PowerShell) | ForEach-Object { "`"$_`"" }) -join ' '
        Add-AwsText $userHome config "[profile Account2]`nregion = us-west-2`ncredential_process = $powershell -NoProfile -Command `"Import-Module '$manifest'; Get-SsoCredential -AsCredentialProcess -ProfileName Account2`"`n"
        $variables = Get-UserVariable $userHome $service @{ AWS_EC2_METADATA_DISABLED = 'true' }
        $command = $cli.Command + @('configure', 'list', '--profile', 'Account2')
        $before = Get-RequestCount $service GetRoleCredentials
        $run = Wait-UserProgram (Start-UserProgram $command $variables)
        $run.ExitCode | Should -Be 0 -Because $run.ErrorText
        $run.Text | Should -Match 'access_key[ :]+\*+\w{4}[ :]+custom-process'
        Get-RequestCount $service GetRoleCredentials | Should -Be ($before + 1)
        $result = Invoke-UserRunspace $userHome $service 'Update-SsoCredential Acme -Force -ProfileName Account2, Account1 -Verbose 4>&1 | Out-String; (Get-SsoCredential Acme -ProfileName Account2).State'
        $result.Output[0] | Should -Match 'Account2 is skipped: its credential_process in .* calls this module'
        $result.Output[1] | Should -Be 'CredentialProcess'
        (Get-Credential $userHome).Keys | Should -Be 'Account1'
    }
}
