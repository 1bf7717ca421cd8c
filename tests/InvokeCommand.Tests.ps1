# What a user gets from Invoke-SsoCommand: a command under another profile, and no trace of it afterward.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '6', '--approve-after-polls', '0', '--refuse', '100000000003'
    $loggedIn = New-LoggedInHome $service -Count 6

    # All AWS variables as one text, and a value for each of them that leads AWS tools to keys. The list is the module's own.
    $assembly = Join-Path (Split-Path $manifest) bin/AwsSso.dll
    $start = @(Get-PowerShell)
    $names = & $start[0] @($start | Select-Object -Skip 1) -NoProfile -Command @"
        `$type = [Reflection.Assembly]::LoadFrom('$assembly').GetType('AwsSso.CredentialVariables')
        `$type.GetField('Names', [Reflection.BindingFlags] 'Static, NonPublic').GetValue(`$null)
"@
    $prelude = @'
        function Get-AllVariable { (Get-ChildItem Env: | Where-Object Name -Match '^(AWS|AMAZON)_|PROXY' | Sort-Object Name | ForEach-Object { "$($_.Name)=$($_.Value)" }) -join ';' }
'@
    function Invoke-Line([string[]] $Line, [string] $Own = (New-UserHome $loggedIn)) {
        Invoke-UserLine $Own $service $Line
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'A script block under one profile' {
    It 'gets fresh keys and the profile, and leaves everything as it was' {
        $userHome = New-UserHome $loggedIn
        $result = Invoke-UserRunspace $userHome $service ($prelude + @'
            $before = Get-AllVariable
            Invoke-SsoCommand -ProfileName Account1 { $env:AWS_PROFILE; if ($IsWindows) { cmd /c 'echo %AWS_PROFILE%' } else { sh -c 'echo $AWS_PROFILE' } }
            (Get-AllVariable) -ceq $before
            Test-Path Env:AWS_PROFILE
'@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'Account1', 'Account1', $true, $false
        $result.Text | Should -BeNullOrEmpty
        (Get-Credential $userHome).Keys | Should -Be 'Account1'
    }

    It 'has none of the variables that lead AWS tools to other keys, and all of them are back afterward' {
        $names.Count | Should -BeGreaterThan 15
        $result = Invoke-UserRunspace (New-UserHome $loggedIn) $service ($prelude + @"
            foreach (`$name in '$($names -join "', '")') { Set-Item "Env:`$name" "value of `$name" }
            `$env:AWS_REGION = 'eu-west-1'
            `$before = Get-AllVariable
            Invoke-SsoCommand -ProfileName Account2 { Get-ChildItem Env: | Where-Object Value -Like 'value of *' | ForEach-Object Name; "`$env:AWS_PROFILE `$env:AWS_REGION" }
            (Get-AllVariable) -ceq `$before
"@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'Account2 eu-west-1', $true
    }

    It 'has no trace of what Use-SsoCredential set, which stays in effect afterward and is undone by -Clear: <How>' -TestCases @(
        @{ How = 'AWS_PROFILE'; Use = 'Use-SsoCredential Account1 -Quiet' }
        @{ How = 'keys in variables'; Use = 'Use-SsoCredential Account1 -Quiet -AsEnvironmentVariable' }
        @{ How = 'an endpoint'; Use = 'Use-SsoCredential Account1 -Quiet -AsEndpoint' }
    ) {
        $userHome = New-UserHome $loggedIn
        $null = Invoke-UserRunspace $userHome $service 'Add-SsoProfile -Environment Acme -ProfileName West -AccountId 100000000005 -RoleName AWSReadOnlyAccess -ProfileRegion us-west-1 -ErrorAction Ignore'
        $result = Invoke-UserRunspace $userHome $service ($prelude + @"
            `$env:AWS_REGION = 'eu-north-1'
            `$env:HTTP_PROXY = ''
            `$original = Get-AllVariable
            $Use
            `$before = Get-AllVariable
            Invoke-SsoCommand -ProfileName Account2 { @(Get-ChildItem Env: | Where-Object Name -Match '^AWS_(ACCESS|SECRET|SESSION|CONTAINER|CREDENTIAL)').Count; "`$env:AWS_PROFILE `$env:AWS_REGION" }
            (Get-AllVariable) -ceq `$before
            Invoke-SsoCommand -ProfileName Account2 { Use-SsoCredential Account5 -Quiet; `$env:AWS_PROFILE }
            (Get-AllVariable) -ceq `$before
            Use-SsoCredential -Clear
            (Get-AllVariable) -ceq `$original
"@)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 0, 'Account2 eu-north-1', $true, 'Account5', $true, $true
    }

    It 'uses the Region of the profile, and not that of another profile in use' {
        $userHome = New-UserHome $loggedIn
        $lines = Invoke-Line -Own $userHome @(
            "Set-SsoEnvironment Acme -Account @(@{ Profile = 'West'; AccountId = '100000000000'; ProfileRegion = 'us-west-1' }, @{ Profile = 'Plain'; AccountId = '100000000001' })"
            'Use-SsoCredential West -Quiet; Invoke-SsoCommand -ProfileName Plain { "[$env:AWS_REGION$env:AWS_DEFAULT_REGION]" }; $env:AWS_REGION; Use-SsoCredential -Clear'
            'Invoke-SsoCommand -ProfileName West { "$env:AWS_REGION $env:AWS_DEFAULT_REGION" }; Test-Path Env:AWS_REGION'
        )
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[1].Written | Should -Be '[]', 'us-west-1'
        $lines[2].Written | Should -Be 'us-west-1 us-west-1', $false
    }

    It 'nests, each level with its own profile' {
        $lines = Invoke-Line @(
            'Invoke-SsoCommand -ProfileName Account1 { $env:AWS_PROFILE; Invoke-SsoCommand -ProfileName Account2 { $env:AWS_PROFILE; Invoke-SsoCommand -ProfileName Account1 -AsEnvironmentVariable { "$env:AWS_PROFILE$([bool] $env:AWS_ACCESS_KEY_ID)" }; $env:AWS_PROFILE }; $env:AWS_PROFILE }; Test-Path Env:AWS_PROFILE'
        )
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[0].Written | Should -Be 'Account1', 'Account2', 'True', 'Account2', 'Account1', $false
    }

    It 'gets keys in variables with -AsEnvironmentVariable, and writes no file' {
        $userHome = New-UserHome $loggedIn
        $lines = Invoke-Line -Own $userHome 'Invoke-SsoCommand -ProfileName Account1 -AsEnvironmentVariable { $env:AWS_ACCESS_KEY_ID, $env:AWS_SECRET_ACCESS_KEY, $env:AWS_SESSION_TOKEN, $env:AWS_CREDENTIAL_EXPIRATION | ForEach-Object { [bool] $_ } }; Test-Path Env:AWS_ACCESS_KEY_ID'
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[0].Written | Should -Be $true, $true, $true, $true, $false
        Get-AwsPath $userHome credentials | Should -Not -Exist
    }

    It 'restores the variables when the block <What>' -TestCases @(
        @{ What = 'throws'; Block = 'throw "broken"'; Id = 'broken' }
        @{ What = 'has an error that stops it'; Block = 'Get-Item ./nothing -ErrorAction Stop'; Id = 'PathNotFound' }
        @{ What = 'changes the variables itself'; Block = '$env:AWS_PROFILE = "x"; $env:AWS_ACCESS_KEY_ID = "AKIAX"; $env:AWS_REGION = "r"; Remove-Item Env:AWS_PAGER; $env:AWS_OTHER = 1'; Id = $null }
        @{ What = 'uses Use-SsoCredential'; Block = 'Use-SsoCredential Account2 -AsEnvironmentVariable -Quiet'; Id = $null }
        @{ What = 'continues a loop outside'; Block = 'continue'; Id = $null }
        @{ What = 'is ended by the next command'; Block = '1..3 } | Select-Object -First 1; & {'; Id = $null }
    ) {
        $lines = Invoke-Line @(
            $prelude.Trim().Replace('function Get-', 'function global:Get-')
            "`$env:AWS_PAGER = 'less'; `$env:AWS_SESSION_TOKEN = 'mine'; `$before = Get-AllVariable; try { foreach (`$once in 1) { `$null = Invoke-SsoCommand -ProfileName Account1 { $Block } } } finally { (Get-AllVariable) -ceq `$before }"
        )
        $lines[1].Written | Should -Be $true
        $lines[1].Ids | Select-Object -First 1 | Should -Be $Id
    }

    It 'ends a script with the exit code of exit, and the variables are restored before that' {
        $userHome = New-UserHome $loggedIn
        $script = Join-Path $userHome leave.ps1
        Set-Content $script 'Invoke-SsoCommand -ProfileName Account1 { exit 7 }; "not reached"'
        $result = Invoke-UserRunspace $userHome $service "& '$script'; `$LASTEXITCODE; Test-Path Env:AWS_PROFILE; Invoke-SsoCommand -ProfileName Account2 { `$env:AWS_PROFILE }"
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 7, $false, 'Account2'
    }

    It 'passes objects and errors on as they are, and keeps $LASTEXITCODE' {
        $lines = Invoke-Line @(
            '(Invoke-SsoCommand -ProfileName Account1 { [version] "1.2"; @{ a = 1 } }) | ForEach-Object { $_.GetType().Name; [bool] $_.PSObject.Properties["SsoProfileName"] }'
            'Invoke-SsoCommand -ProfileName Account1 { Get-Item ./nothing; "after" }'
            'Invoke-SsoCommand -ProfileName Account1 { begin { "begin" } process { "process" } end { "end" } }'
            '$word = "mine"; Invoke-SsoCommand -ProfileName Account1 { "$word $(& { $MyInvocation.MyCommand.CommandType })" }'
            'Invoke-SsoCommand -ProfileName Account1 { if ($IsWindows) { cmd /c exit 3 } else { sh -c "exit 3" } }; $LASTEXITCODE'
        )
        $lines[0].Written | Should -Be 'Version', $false, 'Hashtable', $false
        $lines[1].Written | Should -Be 'after'
        $lines[1].Ids | Should -Be 'PathNotFound'
        $lines[2].Written | Should -Be 'begin', 'process', 'end'
        $lines[3].Written | Should -Be 'mine Script'
        $lines[4].Written | Should -Be 3
        $lines[4].Ids | Should -BeNullOrEmpty
    }

    It 'does not run where the keys cannot be had, the name is wrong, or nothing is named: <What>' -TestCases @(
        @{ What = 'a role that is refused'; Arguments = '-ProfileName Account4'; Code = 'RoleNotAssigned' }
        @{ What = 'a role that is refused, as variables'; Arguments = '-ProfileName Account4 -AsEnvironmentVariable'; Code = 'RoleNotAssigned' }
        @{ What = 'a name in other letters'; Arguments = '-ProfileName account1'; Code = 'ProfileNotFound' }
        @{ What = 'a pattern'; Arguments = '-ProfileName Account*'; Code = 'ProfileNotFound' }
        @{ What = 'an environment that there is not'; Arguments = '-ProfileName Account1 -Environment Nowhere'; Code = 'EnvironmentNotFound' }
        @{ What = 'no profile'; Arguments = ''; Code = 'InputNotAccepted' }
    ) {
        $lines = Invoke-Line "Invoke-SsoCommand $Arguments { 'it ran' }", 'Test-Path Env:AWS_PROFILE'
        $lines[0].Written | Should -BeNullOrEmpty
        $lines[0].Ids | Should -Be $Code
        $lines[1].Written | Should -Be $false
    }

    It 'does nothing with -WhatIf' {
        $userHome = New-UserHome $loggedIn
        $before = Get-RequestCount $service
        $lines = Invoke-Line -Own $userHome 'Invoke-SsoCommand -ProfileName Account1 { "it ran" } -WhatIf', 'Get-SsoProfile Acme | Invoke-SsoCommand -FilePath pwsh -WhatIf'
        $lines.Written | Should -BeNullOrEmpty
        $lines.Sentences | Should -BeNullOrEmpty
        Get-RequestCount $service | Should -Be $before
    }
}

Describe 'Another runspace' {
    It 'is refused while a block runs, whatever it runs, and is pointed to -FilePath: <What>' -TestCases @(
        @{ What = 'a block'; Command = 'Invoke-SsoCommand -ProfileName Account2 { "it ran" }' }
        @{ What = 'Use-SsoCredential'; Command = 'Use-SsoCredential Account2 -Quiet; "it ran"' }
        @{ What = 'Use-SsoCredential with keys'; Command = 'Use-SsoCredential Account2 -AsEnvironmentVariable -Quiet; "it ran"' }
        @{ What = 'Use-SsoCredential -Clear'; Command = 'Use-SsoCredential -Clear; "it ran"' }
    ) {
        $userHome = New-UserHome $loggedIn
        $before = Get-RequestCount $service
        $result = Invoke-UserRunspace $userHome $service @"
            Invoke-SsoCommand -ProfileName Account1 {
                1..4 | ForEach-Object -Parallel { Import-Module `$using:manifest; try { $Command } catch { "`$_ `$(`$_.ErrorDetails.RecommendedAction)" } }
                `$env:AWS_PROFILE
            }
"@
        $result.Output.Count | Should -Be 5
        $result.Output[0..3] | ForEach-Object { $_ | Should -Match 'another runspace .*-FilePath' }
        $result.Output[4] | Should -Be 'Account1'
        # The keys of Account1, and nothing for the others.
        (Get-RequestCount $service) - $before | Should -Be 1
    }

    It 'never runs a command under the profile of another one, and never leaves one behind' {
        $result = Invoke-UserRunspace (New-UserHome $loggedIn) $service @'
            $all = 1..40 | ForEach-Object -ThrottleLimit 8 -Parallel {
                Import-Module $using:manifest
                $name = "Account$(1 + $_ % 3)"
                try { Invoke-SsoCommand -ProfileName $name { 1..20 | ForEach-Object { if ($env:AWS_PROFILE -cne $name) { "$name ran in $env:AWS_PROFILE" } }; 'ran' } } catch { $_.FullyQualifiedErrorId }
            }
            $all | Group-Object -NoElement | ForEach-Object Name
            $all.Count
            Test-Path Env:AWS_PROFILE
'@
        $result.Output | Select-Object -SkipLast 2 | Should -BeIn 'ran', 'VariablesInUse,AwsSso.Commands.InvokeSsoCommandCommand'
        $result.Output | Should -Contain 'ran'
        $result.Output[-2..-1] | Should -Be 40, $false
    }

    It 'may run programs with -FilePath meanwhile, with the variables that were set before the block' -Skip:$IsWindows {
        $result = Invoke-UserRunspace (New-UserHome $loggedIn) $service @'
            $env:AWS_REGION = 'eu-west-1'
            Invoke-SsoCommand -ProfileName Account1 {
                $env:AWS_REGION = 'of the block'
                2 | ForEach-Object -Parallel { Import-Module $using:manifest; Invoke-SsoCommand -ProfileName "Account$_" -FilePath sh -ArgumentList '-c', 'echo $AWS_PROFILE $AWS_REGION' }
            }
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 'Account2 eu-west-1'
    }
}

Describe 'A script block for each profile of a pipeline' {
    It 'labels objects with a property and text with a line' {
        $lines = Invoke-Line @(
            'Get-SsoProfile Acme -ProfileName Account[12] | Invoke-SsoCommand { [version] "1.2"; "text of $env:AWS_PROFILE"; "more" } | ForEach-Object { "$_|$($_.SsoProfileName)" }'
            'Get-SsoProfile Acme Account2 | Invoke-SsoCommand { [pscustomobject] @{ A = 1 } } | ForEach-Object { "$($_.A) $($_.SsoProfileName)" }'
            '"Account2", "Account1" | Invoke-SsoCommand { $env:AWS_PROFILE }'
            'Get-SsoProfile Acme -ProfileName Account[12] | Invoke-SsoCommand { begin { } process { [long] $_.AccountId } end { [long] $input.AccountId } } | ForEach-Object { "$_" } | Where-Object { $_ -ne 0 }'
            'Get-SsoProfile Acme Account1 | Invoke-SsoCommand { 1 | Select-Object @{ n = "A"; e = { "cell" } } | Format-Table } | Out-String'
        )
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[3].Written | Should -Be (Get-AccountId 1), (Get-AccountId 2)
        $lines[0].Written | Should -Be @(foreach ($name in 'Account1', 'Account2') { "1.2|$name", "== $name ==|$name", "text of $name|$name", "more|$name" })
        $lines[1].Written | Should -Be '1 Account2'
        $lines[2].Written | Should -Be '== Account2 ==', 'Account2', '== Account1 ==', 'Account1'
        $lines[4].Written | Should -Match '(?m)^cell'
    }

    It 'goes on after a profile that fails: <What>' -TestCases @(
        @{ What = 'a throw'; Block = 'if ($env:AWS_PROFILE -eq "Account2") { throw "broken" }'; Says = 'Account2: broken\.' }
        @{ What = 'an error that stops'; Block = 'if ($env:AWS_PROFILE -eq "Account2") { Get-Item ./nothing -ErrorAction Stop }'; Says = 'Account2: .*nothing' }
        @{ What = 'an exit code'; Block = 'if ($env:AWS_PROFILE -eq "Account2") { pwsh-or-sh }'; Says = 'exit code 3 for Account2\.' }
        @{ What = 'a program that there is not'; Block = 'if ($env:AWS_PROFILE -eq "Account2") { no-such-program }'; Says = 'Account2: .*no-such-program' }
    ) {
        $Block = $Block.Replace('pwsh-or-sh', $(if ($IsWindows) { 'cmd /c exit 3' } else { 'sh -c "exit 3"' }))
        $lines = Invoke-Line "'Account1', 'Account2', 'Account3' | Invoke-SsoCommand { $Block; `$env:AWS_PROFILE }", 'Test-Path Env:AWS_PROFILE'
        $lines[0].Written | Where-Object { $_ -notlike '==*' } | Should -Contain 'Account1'
        $lines[0].Written | Should -Contain 'Account3'
        $lines[0].Ids | Where-Object { $_ -eq 'CommandFailed' } | Should -Be 'CommandFailed'
        $lines[0].Sentences -match $Says | Should -Not -BeNullOrEmpty
        $lines[1].Written | Should -Be $false
    }

    It 'reports a profile whose keys cannot be had or that there is not, and runs the others' {
        $lines = Invoke-Line '"Account1", "Account4", "Nobody", "Account2" | Invoke-SsoCommand { [pscustomobject] @{ In = $env:AWS_PROFILE } } | ForEach-Object In'
        $lines[0].Written | Should -Be 'Account1', 'Account2'
        $lines[0].Ids | Sort-Object | Should -Be 'ProfileNotFound', 'RoleNotAssigned'
    }

    It 'reports a profile that goes while another one runs, and does not run it' {
        $lines = Invoke-Line 'Get-SsoProfile Acme -ProfileName Account[123] | Invoke-SsoCommand { Remove-SsoProfile Acme Account2 -ErrorAction Ignore; [pscustomobject] @{ In = $env:AWS_PROFILE } } | ForEach-Object In'
        $lines[0].Written | Should -Be 'Account1', 'Account3'
        $lines[0].Sentences | Should -Match "^No profile of Acme is named 'Account2'\."
    }

    It 'takes an exit code for that of a program in the block only, and ends with -ErrorAction Stop' {
        $fail = if ($IsWindows) { 'cmd /c exit 3' } else { 'sh -c "exit 3"' }
        $lines = Invoke-Line @(
            "$fail; 'Account1' | Invoke-SsoCommand { 1 }; `$LASTEXITCODE"
            "'Account1', 'Account2' | Invoke-SsoCommand { `$env:AWS_PROFILE; $fail } -ErrorAction Stop"
        )
        $lines[0].Ids | Should -BeNullOrEmpty
        $lines[0].Written | Should -Be 1, 3
        $lines[1].Written | Should -Be '== Account1 ==', 'Account1'
    }

    It 'does nothing for an empty pipeline, with -FilePath neither' {
        $lines = Invoke-Line '@() | Invoke-SsoCommand { "it ran" }', 'Get-SsoProfile Acme | Where-Object ProfileName -eq Nobody | Invoke-SsoCommand { "it ran" }', '@() | Invoke-SsoCommand -FilePath pwsh -ArgumentList no'
        $lines.Written | Should -BeNullOrEmpty
        $lines.Sentences | Should -BeNullOrEmpty
    }

    It 'uses the keys of each where two environments have a profile of one name' {
        $userHome = New-UserHome $loggedIn
        Add-AwsText $userHome sso-environments "[environment Odd]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`ndefault_role_name = AWSReadOnlyAccess`n`n[environment Odd profile Account1]`nsso_account_id = $(Get-AccountId 5)`n`n"
        $lines = Invoke-Line -Own $userHome @(
            'Get-SsoProfile Acme, Odd Account1 | Invoke-SsoCommand { [pscustomobject] @{ Key = $env:AWS_ACCESS_KEY_ID } } | ForEach-Object Key | Select-Object -Unique | Measure-Object | ForEach-Object Count'
            'Invoke-SsoCommand -ProfileName Account1 -Environment Odd { (Get-Content ~/.aws/credentials | Select-String x_sso_environment) -replace ".*= " }'
            'Get-SsoProfile Acme Account1 | Invoke-SsoCommand { [pscustomobject] @{ In = (Get-Content ~/.aws/credentials | Select-String x_sso_environment) -replace ".*= " } } | ForEach-Object In'
        )
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[0].Written | Should -Be 2
        $lines[1].Written | Should -Be 'Odd'
        $lines[2].Written | Should -Be 'Acme'
    }
}

Describe 'Programs side by side' -Skip:$IsWindows {
    It 'have variables of their own, and output that stays together' {
        $userHome = New-UserHome $loggedIn
        # Each waits for the other, so both have to run at the same time.
        $meet = 'touch met-$AWS_PROFILE; until [ -e met-Account1 ] && [ -e met-Account2 ]; do sleep 0.05; done; for i in 1 2 3; do echo $AWS_PROFILE $i; sleep 0.05; done; [ -z "$AWS_ACCESS_KEY_ID$AWS_SESSION_TOKEN" ]'
        $lines = Invoke-Line -Own $userHome @(
            '$env:AWS_ACCESS_KEY_ID = "AKIAX"; $env:AWS_SESSION_TOKEN = "mine"'
            "Set-Location '$userHome'; Get-SsoProfile Acme -ProfileName Account[12] | Invoke-SsoCommand -FilePath sh -ArgumentList '-c', '$meet' | ForEach-Object { `"`$_|`$(`$_.SsoProfileName)`" }"
            '$env:AWS_ACCESS_KEY_ID; Test-Path Env:AWS_PROFILE'
        )
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[1].Written | Should -Be @(foreach ($name in 'Account1', 'Account2') { "== $name ==|$name"; 1..3 | ForEach-Object { "$name $_|$name" } })
        $lines[2].Written | Should -Be 'AKIAX', $false
    }

    It 'are never more than -ThrottleLimit' {
        $userHome = New-UserHome $loggedIn
        $count = 'touch on-$AWS_PROFILE; ls | grep -c "^on-"; sleep 0.2; rm on-$AWS_PROFILE'
        $lines = Invoke-Line -Own $userHome "Set-Location '$userHome'; '1', '2', '3', '5', '6' | ForEach-Object { `"Account`$_`" } | Invoke-SsoCommand -FilePath sh -ArgumentList '-c', '$count' -ThrottleLimit 2 | Where-Object { `$_ -notlike '==*' }"
        $lines[0].Sentences | Should -BeNullOrEmpty
        $lines[0].Written.Count | Should -Be 5
        $lines[0].Written | ForEach-Object { [int] $_ | Should -BeLessOrEqual 2 }
    }

    It 'get each argument as it is' {
        $lines = Invoke-Line @'
$words = '', 'a b', "tab`tline`nend", '&', '%PATH%', '$HOME', 'c:\dir\', 'say "hi"', '\"', "it's", '*', 'é日'; $got = @(Invoke-SsoCommand -ProfileName Account1 -FilePath sh -ArgumentList (@('-c', 'for w in "$@"; do printf "%s\0" "$w"; done', 'sh') + $words)) -join "`n" -split "`0" | Select-Object -SkipLast 1; $got.Count; @(0..11 | Where-Object { $got[$_] -cne $words[$_] }).Count
'@
        $lines[0].Sentences | Should -BeNullOrEmpty
        $lines[0].Written | Should -Be 12, 0
    }

    It 'get no input, and write errors to the host, without a label for one named profile' {
        $lines = Invoke-Line @(
            'Invoke-SsoCommand -ProfileName Account1 -FilePath sh -ArgumentList "-c", "cat; echo out; echo err >&2"'
            'Invoke-SsoCommand -ProfileName Account1 -FilePath sh -ArgumentList "-c", "printf no-newline"'
            '$null = New-Item -ItemType Directory ~/tools -Force; Set-Location ~/tools; Set-Content tool "#!/bin/sh`nbasename `"`$PWD`""; chmod +x tool; Invoke-SsoCommand -ProfileName Account1 -FilePath ./tool'
            'Invoke-SsoCommand -ProfileName Account1 -FilePath sh -ArgumentList "-c", "yes | head -n 100000" | Measure-Object | ForEach-Object Count'
        )
        $lines.Sentences | Should -BeNullOrEmpty
        $lines[0].Written | Should -Be 'out'
        $lines[1].Written | Should -Be 'no-newline'
        $lines[2].Written | Should -Be 'tools'
        $lines[3].Written | Should -Be 100000
    }

    It 'report an exit code for each profile, a program that is not found, and a script: one sentence' {
        $userHome = New-UserHome $loggedIn
        Set-Content "$userHome/own.ps1" '1'
        $lines = Invoke-Line -Own $userHome @(
            '"Account1", "Account2", "Account3" | Invoke-SsoCommand -FilePath sh -ArgumentList "-c", "echo in; [ `$AWS_PROFILE != Account2 ]"'
            'Invoke-SsoCommand -ProfileName Account1 -FilePath no-such-program'
            'Invoke-SsoCommand -ProfileName Account1 -FilePath Get-ChildItem'
            "Invoke-SsoCommand -ProfileName Account1 -FilePath '$userHome/own.ps1'"
        )
        $lines[0].Written | Should -Be '== Account1 ==', 'in', '== Account2 ==', 'in', '== Account3 ==', 'in'
        $lines[0].Ids | Should -Be 'CommandFailed'
        $lines[0].Sentences | Should -Match 'sh ended with exit code 1 for Account2\.'
        $lines[1..3].Ids | Should -Be 'ProgramNotFound', 'ProgramNotFound', 'ProgramNotFound'
        $lines[1].Sentences | Should -Match "^No program named 'no-such-program' was found\. "
        $lines[3].Sentences | Should -Match 'is a PowerShell script'
    }
}

Describe 'The line of cmd.exe for a batch file on Windows' {
    BeforeAll {
        function Get-BatchLine([string[]] $Word) {
            $lines = Invoke-UserRunspace $loggedIn $null @"
                `$type = (Get-Command Invoke-SsoCommand).ImplementingType.Assembly.GetType('AwsSso.Commands.ProgramFile')
                `$words = '$([Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes(($Word -join "`0"))))'
                `$method = `$type.GetMethod('BatchLine', [Reflection.BindingFlags] 'Static, NonPublic')
                try { `$method.Invoke(`$null, @('C:\npm files\cdk.cmd', [string[]] ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String(`$words)) -split "``0"))) }
                catch { `$_.Exception.InnerException.Message }
"@
            $lines.Output[0]
        }
    }

    It 'has every character that cmd.exe acts on in quotation marks: <Word>' -TestCases @(
        @{ Word = 'deploy'; Line = 'deploy' }
        @{ Word = 'two words'; Line = '"two words"' }
        @{ Word = ''; Line = '""' }
        @{ Word = 'a&calc'; Line = '"a&calc"' }
        @{ Word = 'a|b>c<d^e(f)!'; Line = '"a|b>c<d^e(f)!"' }
        @{ Word = '%PATH%'; Line = '"%%cd:~,%PATH%%cd:~,%"' }
        @{ Word = 'c:\dir\'; Line = '"c:\dir\\"' }
        @{ Word = '--a=b,c;d'; Line = '"--a=b,c;d"' }
    ) {
        Get-BatchLine $Word | Should -BeExactly "/e:ON /v:OFF /d /c `"`"C:\npm files\cdk.cmd`" $Line`""
    }

    It 'is refused where an argument cannot be literal: <What>' -TestCases @(
        @{ What = 'a quotation mark'; Word = 'a" & calc' }
        @{ What = 'a line break'; Word = "a`ncalc" }
        @{ What = 'a carriage return'; Word = "a`rcalc" }
        @{ What = 'a line that is too long'; Word = 'x' * 8200 }
    ) {
        Get-BatchLine $Word | Should -Match 'cannot get its arguments unchanged: a batch file takes no '
    }
}

Describe 'Ctrl+C' {
    It 'restores the variables while a block runs' {
        $run = Invoke-UserPowerShell (New-UserHome $loggedIn) $service @'
            $shell = [powershell]::Create()
            $null = $shell.AddScript("Import-Module '$manifest'; Invoke-SsoCommand -ProfileName Account1 { `$global:started = `$env:AWS_PROFILE; Start-Sleep 600 }; 'not reached'")
            $env:AWS_SESSION_TOKEN = 'mine'
            $output = [Management.Automation.PSDataCollection[psobject]]::new()
            $running = $shell.BeginInvoke([Management.Automation.PSDataCollection[psobject]]::new(), $output)
            while ($env:AWS_PROFILE -ne 'Account1') { Start-Sleep -Milliseconds 20 }
            $shell.Stop()
            "$($shell.InvocationStateInfo.State) $($output.Count) [$env:AWS_PROFILE] $env:AWS_SESSION_TOKEN"
            # Nobody has the variables any more.
            Invoke-SsoCommand -ProfileName Account2 { $env:AWS_PROFILE }
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Stopped 0 [] mine', 'Account2'
    }

    It 'ends programs and all that they have started' -Skip:(-not $IsLinux) {
        $userHome = New-UserHome $loggedIn
        $run = Invoke-UserPowerShell $userHome $service @'
            Set-Content tree.sh 'trap "" INT; sleep 987 & echo $! > child-$AWS_PROFILE; (sh -c "trap \"\" INT; sleep 986 & echo \$! > orphan-$AWS_PROFILE") ; wait'
            $shell = [powershell]::Create()
            $null = $shell.AddScript("Set-Location '$PWD'; Import-Module '$manifest'; 'Account1', 'Account2' | Invoke-SsoCommand -FilePath sh -ArgumentList tree.sh; 'not reached'")
            $running = $shell.BeginInvoke()
            $files = 'child-Account1', 'child-Account2', 'orphan-Account1', 'orphan-Account2'
            while (@($files | Where-Object { (Test-Path $_) -and (Get-Content $_) }).Count -lt 4) { Start-Sleep -Milliseconds 20 }
            $ids = $files | ForEach-Object { [int] (Get-Content $_) }
            @($ids | Where-Object { Test-Path "/proc/$_" }).Count
            $shell.Stop()
            "$($shell.InvocationStateInfo.State)"
            $deadline = [DateTime]::Now.AddSeconds(30)
            while (($left = @($ids | Where-Object { (Test-Path "/proc/$_/stat") -and (Get-Content "/proc/$_/stat") -notmatch '\) Z ' })) -and [DateTime]::Now -lt $deadline) { Start-Sleep -Milliseconds 20 }
            @($left).Count
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 4, 'Stopped', 0
    }

    It 'typed in a terminal returns the prompt with the variables as they were, and programs had the terminal' {
        if (-not (Get-Command tmux -CommandType Application -ErrorAction Ignore)) {
            Set-ItResult -Skipped -Because 'tmux is not installed'
            return
        }

        $terminal = New-Terminal (New-UserHome $loggedIn) $service
        try {
            Send-TerminalLine $terminal 'Import-Module $env:MODULE; $env:AWS_PROFILE = "mine"; "ready-$(1 + 1)"'
            $null = Wait-Terminal $terminal '(?m)^ready-2'
            Send-TerminalLine $terminal 'Invoke-SsoCommand -ProfileName Account1 { sh -c ''test -t 0 && test -t 1 && echo "terminal-of-$AWS_PROFILE"; sleep 600'' }; "not reached"'
            $null = Wait-Terminal $terminal '(?m)^terminal-of-Account1'
            Send-TerminalKey $terminal 'C-c'
            $null = Wait-Terminal $terminal '(?m)^PS .*> *$'
            Send-TerminalLine $terminal '"now $env:AWS_PROFILE-$(40 + 2)"'
            $screen = Wait-Terminal $terminal '(?m)^now mine-42'
            # A process that ignores Ctrl+C, and whose parent is ended by it.
            Set-Content "$($terminal.Variables.HOME)/tree.sh" '(trap "" INT; sleep 600 & echo $! > child); echo started; sleep 600'
            Send-TerminalLine $terminal 'Clear-Host; Invoke-SsoCommand -ProfileName Account1 -FilePath sh -ArgumentList tree.sh; "not reached"'
            $null = Wait-Terminal $terminal '(?m)^started'
            Send-TerminalKey $terminal C-c
            $null = Wait-Terminal $terminal '(?m)^PS .*> *$'
            Send-TerminalLine $terminal '"back-$(40 + 2)"'
            $screen += Wait-Terminal $terminal '(?m)^back-42'
            if ($IsLinux) { Get-Content "/proc/$(Get-Content "$($terminal.Variables.HOME)/child")/stat" -ErrorAction Ignore | Where-Object { $_ -notmatch '\) Z ' } | Should -BeNullOrEmpty }
            $screen | Should -Not -Match '(?m)^not reached'
        }
        finally {
            Stop-Terminal $terminal
        }
    }
}
