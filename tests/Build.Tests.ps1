Describe 'build.ps1' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        function Start-Build([string[]] $Argument) {
            $output = & pwsh -NoProfile -File "$root/build.ps1" @Argument 2>&1 | Out-String
            @{ Output = $output; ExitCode = $LASTEXITCODE }
        }
    }

    It 'has help with a synopsis, a description and an example for the tasks that there are' {
        $help = Get-Help "$root/build.ps1" -Full
        $help.Synopsis | Should -Match 'Builds, tests and shows'
        $examples = $help.examples.example | Out-String
        foreach ($task in 'Test', 'Demo', 'Generate') { $examples | Should -Match "build.ps1 $task" }
        foreach ($task in 'Build', 'Test', 'Demo', 'Generate', 'Bench', 'Pack') { ($help.description | Out-String) | Should -Match "(?m)^\s*$task " }
    }

    It 'says in one sentence that <_> is not there yet, and fails' -ForEach 'Bench', 'Pack' {
        $run = Start-Build $_
        $run.ExitCode | Should -Be 1
        $run.Output.Trim() | Should -Be "build.ps1: $_ is not there yet."
    }

    It 'says in one sentence that cargo is missing' -Skip:$IsWindows {
        $path = $env:PATH
        try {
            $env:PATH = ($path -split ':' | Where-Object { -not (Test-Path "$_/cargo") }) -join ':'
            if (-not (Get-Command pwsh -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'cargo and PowerShell are in one folder here' }
            $output = (Start-Build Generate).Output
        }
        finally { $env:PATH = $path }
        $output.Trim() | Should -Be 'build.ps1: cargo was not found on the PATH: install Rust from https://rustup.rs.'
    }

    It 'adds up the tests of every crate' {
        . "$root/build.ps1"
        $lines = 'test result: ok. 41 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 2.44s', 'other',
        'test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s'
        Format-Count (Measure-CargoTest $lines) | Should -Be '46 passed, 2 failed, 1 skipped'
        Format-Count @{ Passed = 3; Failed = 0; Skipped = 0 } | Should -Be '3 passed, 0 failed'
    }
}

Describe 'build.sh on a machine without PowerShell' -Skip:$IsWindows {
    BeforeAll {
        # A checkout by itself, and a PATH with the tools of POSIX, a cargo that only prints, and nothing else.
        $checkout = (New-Item -ItemType Directory "$TestDrive/machine/checkout").FullName
        Copy-Item "$PSScriptRoot/../build.sh" $checkout
        $null = New-Item -ItemType Directory "$checkout/tests"
        "It 'one' {}", "    It 'two' {}" | Set-Content "$checkout/tests/X.Tests.ps1"
        $tools = (New-Item -ItemType Directory "$TestDrive/tools").FullName
        foreach ($tool in 'sh', 'dirname', 'cat', 'grep', 'awk', 'tee', 'rm', 'mktemp', 'mkdir') {
            $null = New-Item -ItemType SymbolicLink -Path "$tools/$tool" -Target (Get-Command $tool -CommandType Application)[0].Source
        }
        function Set-Cargo([string] $Body) {
            Set-Content "$tools/cargo" "#!/bin/sh`n$Body"
            & chmod +x "$tools/cargo"
        }
        function Start-Build([string] $Task, [string] $CI = '') {
            # env -i: no variable of this process may help.
            $output = & env -i "PATH=$tools" "HOME=$TestDrive" "CI=$CI" "$tools/sh" "$checkout/build.sh" $Task 2>&1 | ForEach-Object { "$_" }
            @{ Output = $output; ExitCode = $LASTEXITCODE }
        }
    }

    It 'runs the native tests, says so, and counts the rest as skipped in the last line' {
        Set-Cargo 'echo "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured"; echo "test result: ok. 4 passed; 0 failed; 0 ignored"'
        $run = Start-Build Test
        $run.Output[-1] | Should -Be '7 passed, 0 failed, 3 skipped'
        ($run.Output -join "`n") | Should -Match 'only the native half is done'
        $run.ExitCode | Should -Be 0
    }

    It 'fails where CI is set, since half of the tests is not all of them' {
        Set-Cargo 'echo "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured"'
        $run = Start-Build Test 'true'
        $run.Output[-1] | Should -Be '3 passed, 0 failed, 2 skipped'
        $run.ExitCode | Should -Be 1
    }

    It 'fails where <_.Why>' -ForEach @(
        @{ Why = 'a test fails'; Body = 'echo "test result: FAILED. 12 passed; 10 failed; 0 ignored"; exit 1' }
        @{ Why = 'nothing compiles'; Body = 'echo "error: could not compile"; exit 1' }
        @{ Why = 'no test ran'; Body = 'exit 0' }
    ) {
        Set-Cargo $_.Body
        (Start-Build Test).ExitCode | Should -Be 1
    }

    It 'shows the native demo' {
        Set-Cargo 'echo "cargo $*"'
        (Start-Build Demo).Output[-1] | Should -Be 'cargo run --quiet --locked -p sso-core --example demo'
    }

    It 'says in one sentence that cargo is missing' {
        Remove-Item "$tools/cargo"
        $run = Start-Build Build
        $run.Output | Should -Be 'build.sh: cargo was not found on the PATH: install Rust from https://rustup.rs.'
        $run.ExitCode | Should -Be 1
    }
}
