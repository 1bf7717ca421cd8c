Describe 'build.ps1' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        function Start-Build([string[]] $Argument) {
            $output = & pwsh -NoProfile -File "$root/build.ps1" @Argument 2>&1 | Out-String
            @{ Output = $output; ExitCode = $LASTEXITCODE }
        }
    }

    It 'has help with a description and an example of each task' {
        $help = Get-Help "$root/build.ps1" -Full
        $help.Synopsis | Should -Match 'Builds, tests, measures and shows'
        $examples = $help.examples.example | Out-String
        foreach ($task in 'Test', 'Demo', 'Bench', 'Generate', 'Pack', 'Publish') { $examples | Should -Match "build.ps1 $task" }
        foreach ($task in 'Build', 'Test', 'Demo', 'Generate', 'Bench', 'Pack', 'Publish') { ($help.description | Out-String) | Should -Match "(?m)^\s*$task " }
    }

    It 'reports a missing cargo in one sentence' -Skip:$IsWindows {
        $path = $env:PATH
        try {
            $env:PATH = ($path -split ':' | Where-Object { -not (Test-Path "$_/cargo") }) -join ':'
            if (-not (Get-Command pwsh -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'cargo and PowerShell are in one folder here' }
            $output = (Start-Build Generate).Output
        }
        finally { $env:PATH = $path }
        $output.Trim() | Should -Be 'build.ps1: cargo was not found on the PATH: install Rust from https://rustup.rs.'
    }

    It 'adds up the tests of all crates' {
        . "$root/build.ps1"
        $lines = 'test result: ok. 41 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 2.44s', 'other',
        'test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s'
        Format-Count (Measure-CargoTest $lines) | Should -Be '46 passed, 2 failed, 1 skipped'
        Format-Count @{ Passed = 3; Failed = 0; Skipped = 0 } | Should -Be '3 passed, 0 failed'
    }
}

Describe 'The library' {
    It 'is no larger than 6.1 MB, of which the secret store has 0.5 MB' {
        foreach ($library in Get-Item "$PSScriptRoot/../bin/*-*/aws_sso.*") { $library.Length | Should -BeLessOrEqual 6.1e6 }
    }
}

Describe 'build.sh on a machine without PowerShell' -Skip:$IsWindows {
    BeforeAll {
        # A checkout, and a PATH with only POSIX tools and a cargo that prints its arguments.
        $checkout = (New-Item -ItemType Directory "$TestDrive/machine/checkout").FullName
        Copy-Item "$PSScriptRoot/../build.sh" $checkout
        $null = New-Item -ItemType Directory "$checkout/tests"
        "It 'one' {}", "    It 'two' {}" | Set-Content "$checkout/tests/X.Tests.ps1"
        $tools = (New-Item -ItemType Directory "$TestDrive/tools").FullName
        foreach ($tool in 'sh', 'dirname', 'cat', 'grep', 'awk', 'rm', 'mkdir') {
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

    It 'runs the native tests, says so, and counts the Pester tests as skipped in the last line' {
        Set-Cargo 'echo "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured"; echo "test result: ok. 4 passed; 0 failed; 0 ignored"'
        $run = Start-Build Test
        $run.Output[-1] | Should -Be '7 passed, 0 failed, 3 skipped'
        ($run.Output -join "`n") | Should -Match 'only the native half runs'
        $run.ExitCode | Should -Be 0
    }

    It 'fails in CI, since half of the tests is not enough there' {
        Set-Cargo 'echo "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured"'
        $run = Start-Build Test 'true'
        $run.Output[-1] | Should -Be '3 passed, 0 failed, 2 skipped'
        $run.ExitCode | Should -Be 1
    }

    It 'fails if <_.Why>' -ForEach @(
        @{ Why = 'a test fails'; Body = 'echo "test result: FAILED. 12 passed; 10 failed; 0 ignored"; exit 1' }
        @{ Why = 'nothing compiles'; Body = 'echo "error: could not compile"; exit 1' }
        @{ Why = 'no test ran'; Body = 'exit 0' }
    ) {
        Set-Cargo $_.Body
        (Start-Build Test).ExitCode | Should -Be 1
    }

    It 'shows the native demo' {
        Set-Cargo 'echo "cargo $*"'
        (Start-Build Demo).Output[-1] | Should -Be 'cargo run --quiet --locked --example demo'
    }

    Context 'with the real cargo' {
        BeforeAll {
            # Only cargo gets this machine's variables, and it runs in this checkout. A few tests are enough to count.
            $root = Split-Path $PSScriptRoot
            $variables = Get-ChildItem env:HOME, env:PATH, env:CARGO_*, env:RUSTUP_* | Where-Object Name -NotLike CARGO_ENCODED* | ForEach-Object { "export $($_.Name)='$($_.Value)'" }
            $real = (Get-Command cargo -CommandType Application)[0].Source
            Set-Cargo "$($variables -join "`n")`ncd '$root' || exit 1`nif [ `"`$1`" = test ]; then set -- `"`$@`" --lib options; fi`nexec '$real' `"`$@`""
        }

        It 'runs the native demo' {
            $run = Start-Build Demo
            $run.ExitCode | Should -Be 0 -Because "$($run.Output)"
            $run.Output -join "`n" | Should -Match '(?s)only the native half runs.*Acme'
        }

        It 'runs the native tests, and the last line counts them' {
            $run = Start-Build Test
            $run.ExitCode | Should -Be 0 -Because "$($run.Output)"
            $run.Output[-1] | Should -Match '^[1-9]\d* passed, 0 failed, [1-9]\d* skipped$'
        }
    }

    It 'reports a missing cargo in one sentence' {
        Remove-Item "$tools/cargo"
        $run = Start-Build Build
        $run.Output | Should -Be 'build.sh: cargo was not found on the PATH: install Rust from https://rustup.rs.'
        $run.ExitCode | Should -Be 1
    }
}

# Complete runs in a checkout with stubs of cargo and dotnet: these tests are about the scripts, not the compilers.
Describe 'A build' -Skip:$IsWindows {
    BeforeAll {
        $root = Split-Path $PSScriptRoot

        # An executable shell script.
        function Set-Program([string] $Path, [string] $Text) {
            [IO.File]::WriteAllText($Path, "#!/bin/sh`n$($Text.Replace("`r", ''))`n")
            chmod +x $Path
        }

        # Runs a program of the copy with nothing on the PATH but the named folders, and without CI unless it is given.
        function Invoke-Copy([string[]] $Line, [string[]] $Path, [hashtable] $Variables = @{}) {
            $program = $Path | ForEach-Object { Join-Path $TestDrive $_ $Line[0] } | Where-Object { Test-Path $_ } | Select-Object -First 1
            $start = [Diagnostics.ProcessStartInfo]::new($program)
            $Line | Select-Object -Skip 1 | ForEach-Object { $start.ArgumentList.Add($_) }
            $start.WorkingDirectory = $copy
            $start.RedirectStandardOutput = $start.RedirectStandardError = $true
            $null = $start.Environment.Remove('CI')
            $start.Environment['PATH'] = ($Path | ForEach-Object { Join-Path $TestDrive $_ }) -join [IO.Path]::PathSeparator
            $Variables.GetEnumerator() | ForEach-Object { $start.Environment[$_.Key] = $_.Value }
            $process = [Diagnostics.Process]::Start($start)
            $errors = $process.StandardError.ReadToEndAsync()
            $output = $process.StandardOutput.ReadToEnd()
            $process.WaitForExit()
            @{ Output = $output.TrimEnd() -split "`n"; Errors = $errors.Result.TrimEnd() -split "`n"; ExitCode = $process.ExitCode }
        }

        $copy = Join-Path $TestDrive 'main'
        $null = New-Item -ItemType Directory "$copy/tests", "$copy/module", "$copy/build", "$copy/.ci", "$TestDrive/system", "$TestDrive/pwsh", "$TestDrive/cargo", "$TestDrive/dotnet"
        Copy-Item "$root/build.ps1", "$root/build.sh", "$root/Set-AwsCliSsoCredentials.psd1", "$root/LICENSE", "$root/THIRD-PARTY-NOTICES.txt" $copy
        Copy-Item "$root/.ci/run" "$copy/.ci"
        Copy-Item "$root/tests/StandIn.psm1" "$copy/tests"
        Copy-Item "$root/build/*.ps1" "$copy/build"
        Copy-Item "$root/PSScriptAnalyzerSettings.psd1" $copy
        # There is no assembly to write help from.
        Set-Content "$copy/build/Write-Help.ps1" 'param($Assembly, $Destination)'
        foreach ($program in 'sh', 'bash', 'awk', 'cat', 'chmod', 'dirname', 'cp', 'env', 'grep', 'mkdir', 'rm') {
            $null = New-Item -ItemType SymbolicLink "$TestDrive/system/$program" -Target (Get-Command $program -CommandType Application | Select-Object -First 1).Source
        }
        Import-Module "$root/tests/StandIn.psm1"
        New-PwshProgram "$TestDrive/pwsh"

        # Two test programs of cargo's, or what the variables say.
        Set-Program "$TestDrive/cargo/cargo" @'
case $1 in
    build | rustc)
        case $* in *--release*) folder=target/release ;; *) folder=target/debug ;; esac
        mkdir -p target/release $folder
        for name in libaws_sso.so libaws_sso.dylib sso-stand-in sso-credential-process; do echo "${STUB_LIBRARY:-library}" >$folder/$name; done ;;
    fmt) exit "${STUB_FORMAT:-0}" ;;
    run) echo "cargo $*" ;;
    test)
        case $* in *--no-run*) if [ "${STUB_COMPILE:-0}" != 0 ]; then echo 'error: could not compile' >&2; exit 101; fi; exit 0 ;; esac
        echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s'
        if [ "${STUB_TEST:-0}" != 0 ]; then echo 'error: test failed (signal: 6)' >&2; exit "$STUB_TEST"; fi
        echo 'test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s' ;;
esac
'@
        Set-Program "$TestDrive/dotnet/dotnet" 'if [ "$1" = build ]; then mkdir -p target/module; echo "${STUB_LIBRARY:-library}" >target/module/AwsSso.dll; fi'

        Set-Content "$copy/tests/Some.Tests.ps1" @'
Describe 'Some' {
    It 'sees no CI' { $env:CI | Should -BeNullOrEmpty }
    It 'sees -Full' { $env:SSO_TEST_FULL | Should -Be $env:STUB_FULL }
    It 'is not for this machine' -Skip { }
}
'@
        foreach ($group in 'Bench', 'Package') { Set-Content "$copy/tests/$group.Tests.ps1" "Describe '$group' { It 'takes minutes' { } }" }
        $withAll = 'system', 'pwsh', 'cargo', 'dotnet'
        $version = (Import-PowerShellDataFile "$root/Set-AwsCliSsoCredentials.psd1").ModuleVersion
    }

    Context 'with PowerShell' {
        It 'does not change the current folder of the shell' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-Command', "Set-Location '$TestDrive'; & '$copy/build.ps1'; `$PWD.Path" $withAll
            $run.Output[-1] | Should -Be $TestDrive
        }

        It 'replaces the library and the module only if they changed, and a shell that has them loaded keeps the old ones' {
            $build = { (Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1' $withAll @{ STUB_LIBRARY = $args[0] }).ExitCode | Should -Be 0 }
            & $build 'first'
            $files = Get-Item "$copy/bin/*/aws_sso.*", "$copy/bin/AwsSso.dll"
            $readers = $files | ForEach-Object { [IO.StreamReader]::new([IO.File]::Open($_, 'Open', 'Read', 'ReadWrite, Delete')) }
            try {
                & $build 'second'
                Get-Content $files | Should -Be 'second', 'second'
                $readers | ForEach-Object { $_.ReadToEnd().Trim() } | Should -Be 'first', 'first'
            }
            finally { $readers | ForEach-Object Dispose }
            $written = (Get-Item $files).LastWriteTimeUtc
            & $build 'second'
            (Get-Item $files).LastWriteTimeUtc | Should -Be $written
            Get-ChildItem "$copy/bin" -Recurse -File | Should -HaveCount 3
        }

        It 'uses the debug library and stand-in with -Configuration Debug' {
            (Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1' $withAll @{ STUB_LIBRARY = 'released' }).ExitCode | Should -Be 0
            (Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', '-Configuration', 'Debug' $withAll @{ STUB_LIBRARY = 'debug' }).ExitCode | Should -Be 0
            Get-Content "$copy/bin/*/aws_sso.*", "$copy/target/release/sso-stand-in" | Should -Be 'debug', 'debug'
            Get-Content "$copy/target/release/libaws_sso.*" | Sort-Object -Unique | Should -Be 'released'
        }

        It 'counts the tests of cargo and Pester in the last line, and hides CI from Pester' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test', '-Full' $withAll @{ CI = 'true'; STUB_FULL = '1' }
            $run.Output[-1] | Should -Be '11 passed, 0 failed, 2 skipped'
            $run.ExitCode | Should -Be 0
        }

        It 'runs one group of long tests with -On, and nothing else' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test', '-On', 'Bench' $withAll
            $run.Output[-1] | Should -Be '1 passed, 0 failed'
            $run.ExitCode | Should -Be 0
        }

        It 'counts a failed check, a crashed test program and a failed Pester test as one failure each' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test' $withAll @{ STUB_FORMAT = '1'; STUB_TEST = '101'; STUB_FULL = 'no' }
            $run.Output[-1] | Should -Be '4 passed, 3 failed, 2 skipped'
            $run.ExitCode | Should -Be 1
        }

        It 'counts what PSScriptAnalyzer finds as one failure, with file, line and rule, where it is installed' {
            $analyzer = New-Item -ItemType Directory "$TestDrive/modules/PSScriptAnalyzer" -Force
            Set-Content "$analyzer/PSScriptAnalyzer.psm1" @'
function Invoke-ScriptAnalyzer([string] $Path, [string] $Settings) {
    if ($Path -eq 'build' -and (Import-PowerShellDataFile $Settings).IncludeRules) { [pscustomobject] @{ ScriptName = 'Native.ps1'; Line = 3; RuleName = 'PSSome'; Message = 'Not so.' } }
}
'@
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test' $withAll @{ PSModulePath = "$TestDrive/modules$([IO.Path]::PathSeparator)$env:PSModulePath" }
            $run.Output | Should -Contain 'Native.ps1:3: PSSome: Not so.'
            $run.Output[-1] | Should -Be '9 passed, 1 failed, 2 skipped'
        }

        It 'counts tests that do not compile as one failure, still runs the Pester tests, and names the long ones that did not run' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test' $withAll @{ STUB_COMPILE = '1' }
            $run.Output[-1] | Should -Be '2 passed, 1 failed, 1 skipped'
            $run.ExitCode | Should -Be 1
            foreach ($group in 'Bench', 'Package') { ($run.Output -match "^Not run: .*Test -On $group\b").Count | Should -Be 1 }
        }

        It 'counts a Pester file that dies as one failure, and shows the output of each file in one piece' {
            Set-Content "$copy/tests/Dying.Tests.ps1" "Describe 'Dying' { It 'ends its process' { Write-Host 'before the end'; [Environment]::Exit(3) } }"
            Set-Content "$copy/tests/Talking.Tests.ps1" "Describe 'Talking' { It 'takes its time' { 1..5 | ForEach-Object { Write-Host `"talks `$_`"; Start-Sleep -Milliseconds 200 } } }"
            try { $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test' $withAll }
            finally { Remove-Item "$copy/tests/Dying.Tests.ps1", "$copy/tests/Talking.Tests.ps1" }
            $run.Output[-1] | Should -Be '10 passed, 1 failed, 2 skipped'
            $run.ExitCode | Should -Be 1
            $text = $run.Output -join "`n"
            $text | Should -Match "before the end\nDying\.Tests\.ps1 did not reach its end \(exit code 3\)"
            $text | Should -Match "(talks \d\n){5}"
        }

        It 'ends the tests that run when it is stopped with Ctrl+C' {
            Set-Content "$copy/tests/Long.Tests.ps1" "Describe 'Long' { It 'waits' { Set-Content '$TestDrive/long' `$PID; Start-Sleep 300 } }"
            try {
                $start = [Diagnostics.ProcessStartInfo]::new("$TestDrive/pwsh/pwsh")
                '-NoProfile', '-File', "$copy/build.ps1", 'Test' | ForEach-Object { $start.ArgumentList.Add($_) }
                $start.RedirectStandardOutput = $start.RedirectStandardError = $true
                $start.Environment['PATH'] = ($withAll | ForEach-Object { Join-Path $TestDrive $_ }) -join [IO.Path]::PathSeparator
                $process = [Diagnostics.Process]::Start($start)
                $output = $process.StandardOutput.ReadToEndAsync(), $process.StandardError.ReadToEndAsync()
                # The file is there a moment before its content is.
                while (-not ($id = Get-Content "$TestDrive/long" -ErrorAction Ignore) -and -not $process.HasExited) { Start-Sleep -Milliseconds 50 }
                $child = Get-Process -Id $id
                # The signal goes to build.ps1 alone, and not to the group as a terminal sends it.
                & kill -INT $process.Id
                $process.WaitForExit(60000) | Should -BeTrue -Because $output[0].Result
                $child.WaitForExit(10000) | Should -BeTrue
            }
            finally { Remove-Item "$copy/tests/Long.Tests.ps1" }
        }

        It 'reports a missing <_> in one sentence and counts it as one failure' -ForEach 'cargo', 'dotnet' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test' ($withAll -ne $_)
            $run.Errors | Should -BeLike "build.ps1: $_ was not found on the PATH: install *"
            $run.Output[-1] | Should -Be '0 passed, 1 failed'
            $run.ExitCode | Should -Be 1
        }

        It 'takes the same arguments through build.sh' {
            $run = Invoke-Copy 'sh', 'build.sh', 'Publish' $withAll
            $run.Errors | Should -Be "build.ps1: The package out/Set-AwsCliSsoCredentials.$version.nupkg does not exist. Create it with ./build.ps1 Pack -Full."
            $run.ExitCode | Should -Be 1
        }

        It 'reports in one sentence that <_> is not a package' -ForEach 'nowhere', 'build.ps1', 'tests' {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Test', '-Package', $_ $withAll
            $run.Errors | Should -BeLike "build.ps1: $_ is not a package. Specify a *"
            $run.Output[-1] | Should -Be '0 passed, 1 failed'
        }

        It 'refuses to pack a library that only this machine''s glibc can load' -Skip:(-not $IsLinux) {
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-File', 'build.ps1', 'Pack' $withAll
            $run.Errors | Should -BeLike 'build.ps1: cargo-zigbuild was not found on the PATH. * Run pip install cargo-zigbuild.'
            "$copy/out" | Should -Not -Exist
        }
    }

    Context 'that packs' -Skip:(-not $IsLinux) {
        BeforeAll {
            # What zig's linker makes lies in a folder of the target's.
            Set-Program "$TestDrive/cargo/cargo-zigbuild" @'
for word; do
    if [ "$before" = --target ]; then target=${word%.2.17}; fi
    before=$word
done
mkdir -p "target/$target/release"
cd "target/$target/release"
if [ "$target" = host ]; then echo library; else echo "linked for $target"; fi >libaws_sso.so
cp libaws_sso.so aws_sso.dll
echo program >sso-stand-in
echo program >sso-credential-process
cp sso-credential-process sso-credential-process.exe
'@
            # Rust's standard library for a target is here if a folder has its name.
            Set-Program "$TestDrive/cargo/rustc" "echo '$TestDrive/std'/`"`$4`""
            Set-Program "$TestDrive/cargo/git" 'if [ "$1" = tag ]; then echo "$STUB_TAG"; else echo 1700000000; fi'
            $null = New-Item -ItemType Directory "$copy/en-US", "$TestDrive/home", "$TestDrive/gallery"
            Set-Content "$copy/en-US/about_Some.help.txt" 'help'
            $cargo = "$TestDrive/cargo/cargo"
            Set-Program $cargo ("if [ `"`$1`" = -vV ]; then echo 'host: host'; fi`n" + ((Get-Content $cargo | Select-Object -Skip 1) -join "`n"))
            $others = 'linux-arm64', 'linux-x64', 'osx-arm64', 'osx-x64', 'win-arm64', 'win-x64' -ne "linux-$architecture"
            # The libraries of the package, each with its text.
            function Read-Library {
                $zip = [IO.Compression.ZipFile]::OpenRead("$copy/out/Set-AwsCliSsoCredentials.$version.nupkg")
                $zip.Entries | Where-Object FullName -Like 'bin/*/aws_sso.*' | Sort-Object FullName | ForEach-Object { "$($_.FullName) $([IO.StreamReader]::new($_.Open()).ReadToEnd().Trim())" }
                $zip.Dispose()
            }
            function Invoke-Task([string[]] $Word, [hashtable] $Variables = @{}) {
                Invoke-Copy (@('pwsh', '-NoProfile', '-File', 'build.ps1') + $Word) $withAll ($Variables + @{ HOME = "$TestDrive/home" })
            }
        }

        It 'names each platform without a library with -Full, and creates no package' {
            $run = Invoke-Task 'Pack', '-Full'
            $run.Errors | Should -BeLike "build.ps1: The library is missing for $($others -join ', '). *"
            "$copy/out" | Should -Not -Exist
        }

        It 'shows the packed files with their sizes, and the missing platforms' {
            $run = Invoke-Task 'Pack'
            $run.ExitCode | Should -Be 0 -Because "$($run.Errors)"
            $text = $run.Output -join "`n"
            $text | Should -Match '(?m)^ +8  bin/linux-\S+/aws_sso\.so$'
            $text | Should -Match "(?m)^ +[\d,]+  out/Set-AwsCliSsoCredentials\.$version\.nupkg  sha256 [0-9a-f]{64}$"
            $run.Output | Should -Contain "The package has no library for $($others -join ', ')."
            $run.Output -match 'Linked on this machine' | Should -BeNullOrEmpty
        }

        It 'links what zig and the installed targets of Rust can, and says what was linked, what is missing, and what would add more' {
            $targets = if ($architecture -eq 'x64') { 'aarch64-unknown-linux-gnu', 'x86_64-pc-windows-gnu' } else { 'x86_64-unknown-linux-gnu', 'x86_64-pc-windows-gnu' }
            $null = $targets | ForEach-Object { New-Item -ItemType Directory "$TestDrive/std/$_" }
            $linked = @($others -like 'linux-*') + 'win-x64'
            try { $run = Invoke-Task 'Pack' }
            finally { Remove-Item "$TestDrive/std" -Recurse }
            $run.ExitCode | Should -Be 0 -Because "$($run.Errors)"
            $run.Output[-3] | Should -BeLike "Linked on this machine, and not tested: $($linked -join ', '). *"
            $run.Output[-2] | Should -Be "The package has no library for osx-arm64, osx-x64, win-arm64."
            $run.Output[-1] | Should -Be 'To link more of them here, run rustup target add aarch64-pc-windows-gnullvm.'
            Read-Library | Should -Be (@("bin/$($linked[0])/aws_sso.so linked for $($targets[0])", "bin/linux-$architecture/aws_sso.so library") + "bin/win-x64/aws_sso.dll linked for $($targets[1])" | Sort-Object)
            # Where the next commit would take it for its own.
            Get-ChildItem "$copy/bin" -Directory | ForEach-Object Name | Should -Be "linux-$architecture"
        }

        It 'packs the libraries and programs of all platforms, and no other file of their folders' {
            foreach ($platform in $others) {
                $null = New-Item -ItemType Directory "$copy/bin/$platform"
                Set-Content "$copy/bin/$platform/aws_sso$(if ($platform -like 'win-*') { '.dll' } elseif ($platform -like 'osx-*') { '.dylib' } else { '.so' })" $platform
                Set-Content "$copy/bin/$platform/sso-credential-process$(if ($platform -like 'win-*') { '.exe' })" 'program'
                Set-Content "$copy/bin/$platform/aws_sso.pdb" 'symbols'
            }
            # With Rust's standard library for it, too.
            $null = New-Item -ItemType Directory "$TestDrive/std/x86_64-pc-windows-gnu"
            try { $run = Invoke-Task 'Pack', '-Full' }
            finally { Remove-Item "$TestDrive/std" -Recurse }
            $run.ExitCode | Should -Be 0 -Because "$($run.Errors)"
            $run.Output[-1] | Should -Match 'sha256'
            Read-Library | Should -Contain 'bin/win-x64/aws_sso.dll win-x64'
            $zip = [IO.Compression.ZipFile]::OpenRead("$copy/out/Set-AwsCliSsoCredentials.$version.nupkg")
            @($zip.Entries.FullName -like 'bin/*').Count | Should -Be 13
            $zip.Entries.LastWriteTime.UtcDateTime | Sort-Object -Unique | Should -Be ([DateTime] '2023-11-14 22:13:20')
            $zip.Dispose()
        }

        It 'publishes only the package of a tag' {
            $run = Invoke-Task 'Publish' @{ STUB_TAG = 'v0.0.1' }
            $run.Errors | Should -Be "build.ps1: The tag v$version is not checked out. A version can only be published from its tag."
            $register = Invoke-Copy 'pwsh', '-NoProfile', '-Command', "Register-PSResourceRepository Here '$TestDrive/gallery' -Trusted" $withAll @{ HOME = "$TestDrive/home" }
            $register.ExitCode | Should -Be 0
            $run = Invoke-Task 'Publish', '-Repository', 'Here' @{ STUB_TAG = "v$version"; PSGALLERY_API_KEY = 'a-secret-key' }
            $run.ExitCode | Should -Be 0 -Because "$($run.Errors)"
            "$($run.Output) $($run.Errors)" | Should -Not -Match 'a-secret-key'
            # A folder asks for no key.
            Remove-Item "$TestDrive/gallery/*.nupkg"
            $run = Invoke-Task 'Publish', '-Repository', 'Here' @{ STUB_TAG = "v$version"; PSGALLERY_API_KEY = '' }
            $run.ExitCode | Should -Be 0 -Because "$($run.Errors)"
            Get-FileHash "$TestDrive/gallery/*.nupkg" | ForEach-Object Hash | Should -Be (Get-FileHash "$copy/out/*.nupkg").Hash
        }

        It 'packs the address of the repository that PROJECT_URI gives, which an installed module shows' {
            (Invoke-Task 'Pack' @{ PROJECT_URI = 'https://git.example.com/acme/module' }).ExitCode | Should -Be 0
            $null = New-Item -ItemType Directory "$TestDrive/release"
            Copy-Item "$copy/out/*.nupkg" "$TestDrive/release"
            $words = "Register-PSResourceRepository There '$TestDrive/release' -Trusted; Install-PSResource Set-AwsCliSsoCredentials -Repository There; " +
            'Get-InstalledPSResource Set-AwsCliSsoCredentials | Select-Object Name, Author, Description, LicenseUri, ProjectUri, ReleaseNotes, Tags | ConvertTo-Json'
            $run = Invoke-Copy 'pwsh', '-NoProfile', '-Command', "`$ProgressPreference = 'SilentlyContinue'; $words" $withAll @{ HOME = "$TestDrive/home" }
            $shown = $run.Output -join "`n" | ConvertFrom-Json
            $shown.ProjectUri | Should -Be 'https://git.example.com/acme/module' -Because "$($run.Errors)"
            $shown.LicenseUri | Should -Match '^https://'
            $shown.Author | Should -Be 'The Set-AwsCliSsoCredentials contributors'
            $shown.Description | Should -Match 'IAM Identity Center'
            $shown.ReleaseNotes | Should -Match "^$([regex]::Escape($version)): "
            foreach ($tag in 'AWS', 'SSO', 'IdentityCenter', 'PSEdition_Core', 'PSEdition_Desktop', 'Windows', 'Linux', 'MacOS') { $shown.Tags | Should -Contain $tag }
        }

        It 'packs no address where none is given' {
            (Invoke-Task 'Pack').ExitCode | Should -Be 0
            [IO.Compression.ZipFile]::ExtractToDirectory("$copy/out/Set-AwsCliSsoCredentials.$version.nupkg", "$TestDrive/plain")
            (Import-PowerShellDataFile "$TestDrive/plain/Set-AwsCliSsoCredentials.psd1").PrivateData.PSData.Keys | Should -Not -Contain 'ProjectUri'
            Get-FileHash "$TestDrive/plain/Set-AwsCliSsoCredentials.psd1" | ForEach-Object Hash | Should -Be (Get-FileHash "$root/Set-AwsCliSsoCredentials.psd1").Hash
        }

        It 'refuses an address that is not an https URL: <_>' -ForEach 'git.example.com/acme', 'http://git.example.com/acme', "https://git.example.com/'; exit" {
            $run = Invoke-Task 'Pack' @{ PROJECT_URI = $_ }
            $run.Errors | Should -Be "build.ps1: PROJECT_URI is not an https URL: $_."
            $run.ExitCode | Should -Be 1
        }
    }

    Context 'without any PowerShell' {
        It 'also runs the native tests if the .NET tool cannot be restored' {
            $null = New-Item -ItemType Directory "$TestDrive/broken" -Force
            Set-Program "$TestDrive/broken/dotnet" 'exit 1'
            $run = Invoke-Copy 'sh', 'build.sh', 'Test' 'system', 'cargo', 'broken'
            $run.Errors | Should -BeLike 'build.sh: PowerShell was not found *'
            $run.Output[-1] | Should -Be '7 passed, 0 failed, 4 skipped'
        }

        It 'counts tests that did not compile as a failure' {
            $run = Invoke-Copy 'sh', 'build.sh', 'Test' ('system', 'cargo') @{ STUB_TEST = '101' }
            $run.Output[-1] | Should -Be '3 passed, 1 failed, 4 skipped'
            $run.ExitCode | Should -Be 1
        }

        It 'reports that a build needs PowerShell' {
            $run = Invoke-Copy 'sh', 'build.sh' 'system', 'cargo'
            $run.Errors | Should -BeLike '*PowerShell was not found *, and Build needs it.'
            $run.ExitCode | Should -Be 1
        }

        It 'reports a missing cargo in one sentence' {
            $run = Invoke-Copy 'sh', 'build.sh', 'Test' 'system'
            $run.Errors | Should -Be 'build.sh: cargo was not found on the PATH: install Rust from https://rustup.rs.'
            $run.Output | Should -Be '0 passed, 1 failed'
            $run.ExitCode | Should -Be 1
        }
    }

    It 'runs PowerShell as a .NET tool if only the SDK is installed, and puts pwsh on the PATH' {
        $null = New-Item -ItemType Directory "$TestDrive/sdk" -Force
        Set-Program "$TestDrive/sdk/dotnet" 'case $1 in tool) [ "$2" = restore ] || echo /tool ;; *) command -v pwsh; echo "$*" ;; esac'
        $run = Invoke-Copy 'sh', 'build.sh', 'Demo' 'system', 'cargo', 'sdk'
        $run.Output[0] | Should -Be (Join-Path $copy '.tools/bin/pwsh')
        $run.Output[1] | Should -Be '/tool/pwsh.dll -NoProfile -File ./build.ps1 Demo'
    }

    Context 'without an SDK' -Skip:(-not $IsLinux) {
        BeforeAll {
            $null = New-Item -ItemType Directory "$TestDrive/network" -Force
            foreach ($program in 'cut', 'sha512sum', 'uname') {
                $null = New-Item -ItemType SymbolicLink "$TestDrive/network/$program" -Target (Get-Command $program -CommandType Application | Select-Object -First 1).Source
            }
            # A server that has one archive for everybody, and a tar that finds an SDK in it.
            Set-Program "$TestDrive/network/curl" 'for last; do :; done; while [ "$1" != -o ]; do shift; done; echo archive >"$2"; echo "$last" >url'
            Set-Program "$TestDrive/network/tar" @'
echo '#!/bin/sh
case $1 in tool) [ "$2" = restore ] || echo /tool ;; *) echo "$*" ;; esac' >.tools/dotnet/dotnet
chmod +x .tools/dotnet/dotnet
'@
            $published = Get-Content -Raw "$root/build.sh"
            $checksum = (Get-FileHash -Algorithm SHA512 -InputStream ([IO.MemoryStream]::new([Text.Encoding]::UTF8.GetBytes("archive`n")))).Hash.ToLowerInvariant()
        }

        BeforeEach { Remove-Item "$copy/.tools", "$copy/url" -Recurse -Force -ErrorAction Ignore }
        AfterEach { [IO.File]::WriteAllText("$copy/build.sh", $published) }

        It 'neither unpacks nor runs a download with another checksum' {
            $run = Invoke-Copy 'sh', 'build.sh', 'Demo' 'system', 'cargo', 'network'
            $run.Errors[0] | Should -Match '^build\.sh: the downloaded \.NET SDK [\d.]+ is not used: its SHA-512 is not the published one\.'
            $run.Errors[-1] | Should -BeLike 'build.sh: PowerShell was not found *'
            Get-ChildItem "$copy/.tools" -Recurse -File -Force | Should -BeNullOrEmpty
        }

        It 'downloads the pinned SDK and runs PowerShell from it' {
            [IO.File]::WriteAllText("$copy/build.sh", ($published -replace '(?<=\) echo )[0-9a-f]{128}', $checksum))
            $run = Invoke-Copy 'sh', 'build.sh', 'Demo' 'system', 'cargo', 'network'
            $run.Output[-1] | Should -Be '/tool/pwsh.dll -NoProfile -File ./build.ps1 Demo' -Because "$($run.Errors)"
            Get-Content "$copy/url" | Should -Match "^https://builds\.dotnet\.microsoft\.com/dotnet/Sdk/(\d+\.\d+\.\d+)/dotnet-sdk-\1-linux-$architecture\.tar\.gz$"
        }
    }

    It 'is tested by .ci/run with the same arguments and exit code' {
        Set-Program "$copy/build.sh" 'echo "build.sh $*"; exit 3'
        foreach ($program in 'strace', 'tmux', 'gcc') { Set-Program "$TestDrive/cargo/$program" 'exit 0' }
        $run = Invoke-Copy 'bash', '.ci/run' 'system', 'cargo'
        $run.Output | Should -Be 'build.sh Test'
        $run.ExitCode | Should -Be 3
    }

    It 'is tested by .ci/run without the programs from PyPI if their hashes do not match, with a message' {
        $null = New-Item -ItemType Directory "$TestDrive/python" -Force
        Set-Program "$TestDrive/python/python3" 'mkdir -p .tools/python/bin; cp "$(dirname "$0")/pip" .tools/python/bin'
        Set-Program "$TestDrive/python/pip" 'echo "$*" >pip-words; exit 1'
        $null = New-Item -ItemType SymbolicLink "$TestDrive/python/cp" -Target (Get-Command cp -CommandType Application | Select-Object -First 1).Source
        Set-Program "$copy/build.sh" 'echo "build.sh $*"; exit 3'
        $run = Invoke-Copy 'bash', '.ci/run' 'system', 'cargo', 'python'
        Get-Content "$copy/pip-words" | Should -Match '^install .*--require-hashes -r \.ci/requirements\.txt$'
        $run.Errors | Should -Contain '.ci/run: could not install the programs of .ci/requirements.txt; the tests that need them are skipped.'
        $run.Output | Should -Be 'build.sh Test'
    }
}
