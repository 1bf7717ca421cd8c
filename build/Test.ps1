# Runs the tests, the demo and the benchmark.

# The files of tests that take minutes. Test runs all of them with -Full, and one of them with -On.
$longGroups = 'Bench', 'Package'

# Runs the tests of the native interface with AddressSanitizer. RUSTC_BOOTSTRAP lets the stable compiler accept a flag of the nightly one.
function Invoke-Sanitizer {
    $target = Get-HostTarget
    $env:RUSTC_BOOTSTRAP = '1'
    $env:RUSTFLAGS = '-Zsanitizer=address'
    try {
        Invoke-Step 'AddressSanitizer' { cargo test --quiet --locked -p sso-ffi --test pointers --target $target --target-dir target/sanitizer }
    }
    finally {
        $env:RUSTC_BOOTSTRAP = $env:RUSTFLAGS = $null
    }
}

# Checks PowerShell files with the rules in PSScriptAnalyzerSettings.psd1.
function Invoke-ScriptAnalysis {
    if (-not (Get-Module PSScriptAnalyzer -ListAvailable)) {
        Write-Host "PowerShell files are not checked: PSScriptAnalyzer is not installed. Run Install-PSResource PSScriptAnalyzer."
        return
    }
    # Without subfolders: tests/scripts/ contains scripts of users.
    $found = foreach ($folder in '.', 'bench', 'build', 'docs', 'tests') {
        if (Test-Path $folder) { Invoke-ScriptAnalyzer -Path $folder -Settings ./PSScriptAnalyzerSettings.psd1 }
    }
    $found | ForEach-Object { Write-Host "$($_.ScriptName):$($_.Line): $($_.RuleName): $($_.Message)" }
    if ($found) { throw "PSScriptAnalyzer reports $(@($found).Count) problems." }
}

# Adds up the summary lines of cargo's test runs.
function Measure-CargoTest([string[]] $Line) {
    $count = @{ Passed = 0; Failed = 0; Skipped = 0 }
    foreach ($summary in $Line | Select-String '^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored') {
        $groups = $summary.Matches[0].Groups
        $count.Passed += [int] $groups[1].Value
        $count.Failed += [int] $groups[2].Value
        $count.Skipped += [int] $groups[3].Value
    }
    $count
}

function Format-Count([hashtable] $Count) {
    $line = "$($Count.Passed) passed, $($Count.Failed) failed"
    if ($Count.Skipped -gt 0) { "$line, $($Count.Skipped) skipped" } else { $line }
}

# Adds the counts of a run to those of all runs.
function Add-Count([hashtable] $Count, [object] $Counted) {
    foreach ($kind in 'Passed', 'Failed', 'Skipped') { $Count[$kind] += [int] $Counted.$kind }
}

# Starts a new PowerShell and buffers its output, so that parallel runs do not mix their lines.
function Start-TestProcess([string[]] $Word) {
    $powershell = @(Get-PowerShell)
    $start = [Diagnostics.ProcessStartInfo]::new($powershell[0])
    foreach ($one in @($powershell | Select-Object -Skip 1) + '-NoProfile', '-NonInteractive' + $Word) { $start.ArgumentList.Add($one) }
    $start.WorkingDirectory = $root
    # The module behaves differently in CI. Profile-guided optimization costs a short process more than it saves.
    $null = $start.Environment.Remove('CI')
    $start.Environment['DOTNET_TieredPGO'] = '0'
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    # The next line of each output, as a task.
    $outputs = foreach ($reader in $process.StandardOutput, $process.StandardError) { @{ Reader = $reader; Next = $reader.ReadLineAsync() } }
    @{ Process = $process; Outputs = $outputs; Lines = [Collections.Generic.List[string]]::new(); IsHeldOpen = $false }
}

# Starts a run: in an idle PowerShell that runs files of tests, in a new one, or as a command of its own.
function Start-TestRun([hashtable] $Run, [Collections.Generic.Stack[hashtable]] $Idle) {
    if ($Run.ContainsKey('Word')) {
        $child = Start-TestProcess $Run.Word
        $child.Process.StandardInput.Close()
        return $Run + @{ Child = $child; Mark = $null }
    }
    $child = if ($Idle.Count) { $Idle.Pop() } else { Start-TestProcess '-File', "$root/build/Invoke-TestFile.ps1" }
    $mark = [Guid]::NewGuid().ToString()
    try { $child.Process.StandardInput.WriteLine((ConvertTo-Json -Compress @{ Path = $Run.Path; Result = $Run.Result; Mark = $mark })) }
    catch [IO.IOException] { Write-Host "The process for $($Run.Title) ended before it began." }
    $Run + @{ Child = $child; Mark = $mark }
}

# Takes the lines that the process of a run has written. Returns whether the run ended: with its mark, or with its process.
function Receive-TestOutput([hashtable] $Run) {
    $child = $Run.Child
    $exited = $child.Process.HasExited
    foreach ($output in $child.Outputs) {
        while ($null -ne $output.Next) {
            # What a process wrote before its end is there soon, unless a program that it left running keeps the output open.
            if (-not $output.Next.IsCompleted -and -not ($exited -and $output.Next.Wait(60000))) {
                $child.IsHeldOpen = $exited
                break
            }
            $line = $output.Next.Result
            $output.Next = if ($null -ne $line) { $output.Reader.ReadLineAsync() }
            if ($Run.Mark -and $line -eq $Run.Mark) { return $true }
            if ($null -ne $line) { $child.Lines.Add($line) }
        }
    }
    $exited
}

# Shows the output of a run that ended, and adds its counts.
function Complete-TestRun([hashtable] $Run, [hashtable] $Count) {
    $output = ($Run.Child.Lines -join "`n").TrimEnd()
    $Run.Child.Lines.Clear()
    Write-Host $output
    $exitCode = if ($Run.Child.Process.HasExited) { $Run.Child.Process.ExitCode }
    try {
        if ($Run.Child.IsHeldOpen) { throw 'it left a program running that keeps its output open.' }
        $counted = & $Run.Measure $output $exitCode
    }
    catch {
        Write-Host "$($Run.Title) did not reach its end (exit code $exitCode): $_"
        $counted = @{ Passed = 0; Failed = 1; Skipped = 0 }
    }
    Add-Count $Count $counted
}

# Runs commands and files of tests in parallel, and shows the output of each when it ends. Tests often wait, so two for each core run at a time.
function Invoke-TestRun([hashtable] $Count, [hashtable[]] $Run) {
    $limit = [Environment]::ProcessorCount * 2
    $waiting = [Collections.Generic.Queue[hashtable]]::new($Run)
    $idle = [Collections.Generic.Stack[hashtable]]::new()
    $running = @()
    try {
        while ($waiting.Count -or $running) {
            while ($waiting.Count -and $running.Count -lt $limit) { $running += Start-TestRun $waiting.Dequeue() $idle }
            Start-Sleep -Milliseconds 100
            $ended, $running = $running.Where({ Receive-TestOutput $_ }, 'Split')
            foreach ($one in $ended) {
                Complete-TestRun $one $Count
                if (-not $one.Child.Process.HasExited) { $idle.Push($one.Child) }
            }
        }
    }
    finally {
        foreach ($child in $idle) { $child.Process.StandardInput.Close() }
        # Ctrl+C stops all tests.
        foreach ($one in $running) { $one.Child.Process.Kill($true) }
    }
}

# The run of one file of Pester tests.
function Get-PesterRun([IO.FileInfo] $File) {
    $result = [IO.Path]::GetTempFileName()
    @{
        Title   = $File.Name
        Path    = $File.FullName
        Result  = $result
        Measure = {
            $counted = Get-Content -Raw $result | ConvertFrom-Json
            Remove-Item $result
            if (-not $counted) { throw 'it wrote no counts.' }
            $counted
        }.GetNewClosure()
    }
}

# The runs of all other files of Pester tests. Those that take the longest come first, so that none runs alone at the end: a few, then the largest files.
function Get-AllPesterRun([string[]] $Except) {
    $slowest = 'Build.Tests.ps1', 'Startup.Tests.ps1', 'ImportFuzz.Tests.ps1', 'Hosts.Tests.ps1'
    Get-ChildItem "$root/tests/*.Tests.ps1" | Where-Object Name -NotIn $Except |
        Sort-Object { $slowest -notcontains $_.Name }, { -$_.Length } | ForEach-Object { Get-PesterRun $_ }
}

# The run of the cargo tests.
function Get-CargoRun([switch] $Full) {
    $command = "cargo test --workspace --locked --no-fail-fast $(if ($Full) { '-- --include-ignored' })"
    @{
        Title   = 'cargo test'
        Word    = '-Command', "& { $command 2>&1 | ForEach-Object { `"`$_`" } }; exit `$LASTEXITCODE"
        Measure = {
            param([string] $output, [int] $exitCode)
            $counted = Measure-CargoTest ($output -split '\r?\n')
            # The tests of a program that crashed are not counted.
            if ($exitCode -ne 0 -and $counted.Failed -eq 0) { $counted.Failed++ }
            $counted
        }
    }
}

# Unpacks a package as an installer does, and tests its module instead of the one in this folder.
function Invoke-PackageTest([hashtable] $Count, [string] $Package) {
    $file = @(Get-Item $Package -ErrorAction Ignore | ForEach-Object { if ($_.PSIsContainer) { Get-Item "$_/*.nupkg" } else { $_ } })
    if ($file.Count -ne 1 -or $file[0].Name -notmatch '^Set-AwsCliSsoCredentials\.(\d+\.\d+\.\d+)\.nupkg$') {
        throw "$Package is not a package. Specify a Set-AwsCliSsoCredentials.<version>.nupkg of ./build.ps1 Pack, or a folder that contains only one."
    }
    Invoke-StandInBuild
    $folder = "$root/target/package/Set-AwsCliSsoCredentials/$($Matches[1])"
    Remove-Item $folder -Recurse -Force -ErrorAction Ignore
    [IO.Compression.ZipFile]::ExtractToDirectory($file[0], $folder)
    $env:SSO_TEST_PACKAGE, $env:SSO_TEST_MANIFEST = $file[0].FullName, "$folder/Set-AwsCliSsoCredentials.psd1"
    try { Invoke-TestRun $Count (Get-AllPesterRun Bench.Tests.ps1, Build.Tests.ps1, Rebuild.Tests.ps1) }
    finally { $env:SSO_TEST_PACKAGE = $env:SSO_TEST_MANIFEST = $null }
}

# Runs checks one after the other. A check that fails counts as one failure and does not stop the others.
function Invoke-Gate([hashtable] $Count, [scriptblock[]] $Gate) {
    foreach ($one in $Gate) {
        try { & $one }
        catch {
            Write-Host "$_"
            $Count.Failed++
        }
    }
}

# Runs all checks, the cargo tests and the Pester tests.
function Invoke-WholeTest([hashtable] $Count, [switch] $Full) {
    Invoke-Gate $Count @(
        { Invoke-Build }
        { Invoke-Step 'cargo fmt' { cargo fmt --all --check } }
        { Invoke-Step 'cargo clippy' { cargo clippy --workspace --all-targets --locked --quiet -- -D warnings } }
        { Invoke-Step 'dotnet format' { dotnet format module/AwsSso.csproj --verify-no-changes --no-restore } }
        { Invoke-ScriptAnalysis }
        if ($Full -and $IsLinux) { { Invoke-Sanitizer } }
    )
    # Compiled first, so that no test competes with the compiler.
    $compile = @{ Failed = 0 }
    Invoke-Gate $compile { Invoke-Step 'cargo test --no-run' { cargo test --workspace --locked --no-run } }
    $Count.Failed += $compile.Failed
    $cargo = @(if (-not $compile.Failed) { Get-CargoRun -Full:$Full })
    Invoke-TestRun $Count ($cargo + @(Get-AllPesterRun ($longGroups | ForEach-Object { "$_.Tests.ps1" })))
    foreach ($group in $longGroups) {
        if ($Full) { Invoke-LongTest $Count $group }
        else { Write-Host "Not run: the long tests of $group. Run ./build.ps1 Test -On $group, or all tests with -Full." }
    }
}

# Runs one group of long tests. It builds files that other tests read, so nothing else runs at the same time.
function Invoke-LongTest([hashtable] $Count, [string] $Group) {
    Invoke-TestRun $Count (Get-PesterRun (Get-Item "$root/tests/$Group.Tests.ps1"))
}

function Invoke-Test([switch] $Full, [string] $On, [string] $Package) {
    $count = @{ Passed = 0; Failed = 0; Skipped = 0 }
    $env:SSO_TEST_FULL = if ($Full) { '1' } else { $null }
    # Tests with a login wait most of the time, so more of them than there are cores run at a time.
    if (-not $env:RUST_TEST_THREADS) { $env:RUST_TEST_THREADS = [string] ([Environment]::ProcessorCount * 4) }
    try {
        Import-Module "$root/tests/StandIn.psm1"
        Assert-BuildTool
        if ($Package) { Invoke-PackageTest $count $Package }
        elseif ($On) {
            Invoke-Gate $count { Invoke-Build }
            if ($crossTargets.ContainsKey($On)) { Invoke-CrossTest $count $On } else { Invoke-LongTest $count $On }
        }
        else { Invoke-WholeTest $count -Full:$Full }
    }
    catch {
        [Console]::Error.WriteLine("build.ps1: $_")
        $count.Failed++
    }
    # Always the last line.
    Write-Host (Format-Count $count)
    # All tests of a group may be skipped on this machine.
    $ran = $count.Passed + $(if ($On) { $count.Skipped } else { 0 })
    exit [int] ($count.Failed -gt 0 -or $ran -eq 0)
}

function Invoke-Demo {
    Invoke-Build
    Import-Module "$root/tests/StandIn.psm1"
    $child = $null
    try {
        # Tokens last an hour, as those of AWS do.
        $standIn = Start-StandIn '--accounts', '20', '--approve-after-polls', '2', '--token-lifetime', '3600'
        $powershell = @(Get-PowerShell)
        $start = [Diagnostics.ProcessStartInfo]::new($powershell[0])
        foreach ($word in @($powershell | Select-Object -Skip 1) + '-NoProfile', '-File', "$root/tests/Demo.ps1", $root, $standIn.StartUrl) { $start.ArgumentList.Add($word) }
        # Without the files and settings of the user.
        $variables = Get-UserVariable (New-UserHome) $standIn
        $start.Environment.Clear()
        foreach ($name in $variables.Keys) { $start.Environment[$name] = $variables[$name] }
        $child = [Diagnostics.Process]::Start($start)
        $child.WaitForExit()
        if ($child.ExitCode -ne 0) { throw 'The demo failed.' }
        $stats = Get-StandInStats $standIn
        Write-Host ("`nThe stand-in counted {0} login, {1} GetRoleCredentials, {2} protocol violations and {3} early polls." -f `
                $stats.logins, $stats.requests.GetRoleCredentials, $stats.violations.Count, $stats.early_polls)
        if ($stats.violations.Count -or $stats.early_polls) { throw 'The module violated the protocol.' }
    }
    finally {
        # Also after Ctrl+C.
        if ($child -and -not $child.WaitForExit(2000)) { $child.Kill() }
        Clear-StandIn
    }
}

function Invoke-Bench {
    Invoke-Build
    try { & "$root/bench/Bench.ps1" -Out "$root/bench/results.json" }
    # Also if a part failed: the figures of the others are there.
    finally {
        Invoke-Step 'Plot' { cargo run --release --locked --quiet -p sso-bench -- bench/results.json bench/plot.svg }
        & "$root/bench/Show-Comparison.ps1" -From "$root/bench/results.json" -Into "$root/README.md"
        & "$root/bench/Show-Comparison.ps1" -From "$root/bench/results.json" -Into "$root/docs/size-and-speed.md" -Detail
    }
}
