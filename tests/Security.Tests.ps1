# docs/threat-tests.md names tests for each threat that SECURITY.md says is stopped. A test that was renamed or removed would leave an empty promise there.
Describe 'The threats in SECURITY.md' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        # The rows of a table whose first column is a number; their cells have no | of their own.
        function Read-Row([string] $Path) {
            Get-Content $Path | Where-Object { $_ -match '^\| \d+ \|' } | ForEach-Object { , $_.Trim('|').Split('|').Trim() }
        }
        $rows = Read-Row "$root/SECURITY.md" | ForEach-Object { [pscustomobject] @{ Number = $_[0]; Who = $_[1]; Stopped = $_[3]; Width = $_.Count } }
        $tests = Read-Row "$root/docs/threat-tests.md" | ForEach-Object {
            [pscustomobject] @{ Number = $_[0]; Names = @([regex]::Matches($_[1], '`([^`]+)`') | ForEach-Object { $_.Groups[1].Value }) }
        }
        $rust = (Get-ChildItem "$root/native" -Recurse -File -Filter *.rs | Get-Content -Raw) -join "`n"

        # Whether a test is there: a function of Rust, or "File.Tests.ps1: name".
        function Test-Named([string] $Name) {
            if ($Name -notmatch '^(\w[\w-]*\.Tests\.ps1): (.+)$') { return $rust -match "(?m)^\s*(async )?fn $([regex]::Escape($Name))\(" }
            $file = "$root/tests/$($Matches[1])"
            (Test-Path $file) -and (Get-Content -Raw $file) -match "(?m)^\s*(Describe|Context|It) '$([regex]::Escape($Matches[2].Replace("'", "''")))'"
        }
    }

    It 'are in one table, each with what stops it' {
        $rows.Count | Should -BeGreaterThan 15
        $rows | Where-Object { $_.Width -ne 4 -or -not $_.Stopped } | Should -BeNullOrEmpty
        $rows.Number | Should -Be (1..$rows.Count)
    }

    It 'have a test, unless nothing stops them' {
        $stopped = ($rows | Where-Object Stopped -NotLike 'nothing*').Number
        $stopped.Count | Should -BeGreaterThan 15
        ($tests | Where-Object Names).Number | Should -Be $stopped
    }

    It 'name existing tests' {
        $tests.Names | Where-Object { -not (Test-Named $_) } | Should -BeNullOrEmpty
        Test-Named 'a_test_that_nobody_wrote' | Should -BeFalse
        Test-Named 'Errors.Tests.ps1: a test that nobody wrote' | Should -BeFalse
    }
}

Describe 'A folder of somebody else' {
    It 'is left as it is, and nothing of it is read or run, when it is the current one' {
        Import-Module "$PSScriptRoot/StandIn.psm1"
        try {
            $service = Start-StandIn '--approve-after-polls', '0', '--interval', '1'
            $own = New-UserHome
            Add-Environment $own $service -Count 1
            # Whatever the module, .NET and the AWS CLI call their files, and the programs that open a browser.
            $folder = New-TestFolder
            $ran = Join-Path $folder ran
            $environment = "[environment Evil]`nsso_start_url = https://evil.example/start`nsso_region = us-east-1`ndefault_role_name = Admin`n[environment Evil profile stolen]`nsso_account_id = 000000000001`n"
            foreach ($file in 'sso-environments', '.aws/sso-environments', 'bin/sso-environments') { $null = New-Item -Force "$folder/$file" -Value $environment }
            foreach ($file in 'config', '.aws/config') { $null = New-Item -Force "$folder/$file" -Value "[sso-session evil]`nsso_start_url = https://evil.example/start`nsso_region = us-east-1`n[default]`nca_bundle = evil.pem`n" }
            $null = New-Item -Force "$folder/.aws/credentials" -Value "[Account1]`naws_access_key_id = AKIAEVIL`naws_secret_access_key = evil`n"
            foreach ($library in 'aws_sso.dll', 'libaws_sso.so', 'aws_sso.so', 'linux-x64/aws_sso.so', 'bin/linux-x64/aws_sso.so', 'AwsSso.dll', 'bin/AwsSso.dll') { $null = New-Item -Force "$folder/$library" -Value 'not a library' }
            foreach ($program in 'xdg-open', 'open', 'wslview', 'x-www-browser', 'Set-AwsCliSsoCredentials.ps1', 'Set-AwsCliSsoCredentials.psd1') { $null = New-Item -Force "$folder/$program" -Value "#!/bin/sh`necho >'$ran'`n" }
            if (-not $IsWindows) { Get-ChildItem $folder -File | ForEach-Object { chmod +x $_.FullName } }
            function Get-State { Get-ChildItem $folder -Recurse -Force | Sort-Object FullName | ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks) $($_.Length)" } }
            $before = Get-State

            $run = Invoke-UserPowerShell $own $service "Set-Location '$folder'; Update-SsoCredential -Environment Acme -PassThru; (Get-SsoEnvironment).Name"
            $run.Errors | Should -BeNullOrEmpty
            $run.Output[0].Status | Should -Be 'Created'
            $run.Output[1] | Should -Be 'Acme'
            (Get-Credential $own).Keys | Should -Be 'Account1'
            Get-State | Should -Be $before
            $ran | Should -Not -Exist
        }
        finally { Clear-StandIn }
    }
}
