<#
.SYNOPSIS
    Builds, tests, measures and shows the module Set-AwsCliSsoCredentials.
.DESCRIPTION
    The one door to everything that is made here. It needs cargo (https://rustup.rs), the .NET SDK and PowerShell 7.4 or later;
    build.sh brings the last two where they are missing, and takes the same words.

    Build     the native library and the module, into bin/ and en-US/; afterwards this folder itself can be imported
    Test      everything: format, lints, cargo's tests, and the built module in PowerShell (Pester); its last line counts them
    Demo      a first update and a second one against a loopback Identity Center, in a home folder of its own
    Generate  the C header and the C# declarations of the boundary, from native/ffi/src/lib.rs
    Bench     what an update takes beside the script that the module replaces: a table, bench/results.json and bench/plot.svg, in about ten minutes
    Pack      not there yet
.PARAMETER Task
    What to do; Build where nothing is said.
.PARAMETER Full
    With Test: all of the counts of the long tests, where the ordinary run takes a tenth.
.EXAMPLE
    ./build.ps1
    Builds the module. Import-Module ./Set-AwsCliSsoCredentials.psd1 then works.
.EXAMPLE
    ./build.ps1 Test
    Runs all tests. The last line says how many passed and failed.
.EXAMPLE
    ./build.ps1 Demo
    Shows an update from an empty folder to fresh credentials, without AWS.
.EXAMPLE
    ./build.ps1 Bench
    Measures everything in one run. No figure makes it fail, only a wrong result.
.EXAMPLE
    ./build.ps1 Generate
    Renews what is generated, after a change of the boundary.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Demo', 'Bench', 'Generate', 'Pack')]
    [string] $Task = 'Build',

    [switch] $Full
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
Set-StrictMode -Version Latest
$env:DOTNET_CLI_TELEMETRY_OPTOUT = $env:DOTNET_NOLOGO = $env:POWERSHELL_TELEMETRY_OPTOUT = '1'

# Says in one sentence what is missing, before anything fails in twenty.
function Assert-Tool([string] $Name, [string] $Advice) {
    if (-not (Get-Command $Name -CommandType Application -ErrorAction Ignore)) {
        throw "$Name was not found on the PATH: $Advice"
    }
}

# Runs a program quietly: what it prints is shown only where it fails, or with -Verbose.
function Invoke-Step([string] $Title, [scriptblock] $Command) {
    # The first build takes minutes, so the title comes before the time.
    Write-Host -NoNewline ('{0,-40} ' -f $Title)
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $output = & $Command 2>&1 | ForEach-Object { "$_" }
    if ($LASTEXITCODE -ne 0) {
        Write-Host 'failed'
        $output | Write-Host
        throw "$Title failed (exit code $LASTEXITCODE)."
    }
    $output | Where-Object { $_ } | Write-Verbose
    Write-Host ('{0,6:n1} s' -f $watch.Elapsed.TotalSeconds)
}

# The folder in which PowerShell looks for the library of this machine, and the names that cargo and PowerShell give it.
function Get-Platform {
    $architecture = [Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant()
    if ($IsWindows) { @{ Folder = "win-$architecture"; Built = 'aws_sso.dll'; Name = 'aws_sso.dll'; Program = '.exe' } }
    elseif ($IsMacOS) { @{ Folder = "osx-$architecture"; Built = 'libaws_sso.dylib'; Name = 'aws_sso.dylib'; Program = '' } }
    else { @{ Folder = "linux-$architecture"; Built = 'libaws_sso.so'; Name = 'aws_sso.so'; Program = '' } }
}

# Replaces a file whole: a shell that has the library loaded keeps its old one.
function Copy-Whole([string] $From, [string] $To) {
    if ((Test-Path $To) -and (Get-FileHash $From).Hash -eq (Get-FileHash $To).Hash) { return }
    $null = New-Item -ItemType Directory -Force (Split-Path $To)
    Copy-Item $From "$To.new"
    Move-Item -Force "$To.new" $To
}

function Assert-BuildTool {
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    Assert-Tool dotnet 'install the .NET SDK from https://dot.net, or run ./build.sh, which brings it.'
}

function Invoke-Build {
    Assert-BuildTool
    # The dynamic library alone: with the rlib that its tests need, cargo would leave out link-time optimisation.
    Invoke-Step 'Native library' { cargo rustc --release --locked -p sso-ffi --lib --crate-type cdylib }
    Invoke-Step 'Stand-in' { cargo build --release --locked -p sso-stand-in }
    $platform = Get-Platform
    Copy-Whole "target/release/$($platform.Built)" "bin/$($platform.Folder)/$($platform.Name)"
    Invoke-Step 'PowerShell module' { dotnet build module/AwsSso.csproj -c Release -v quiet -warnaserror -o target/module }
    # Not built right into bin/: a running shell has the assembly mapped, and the compiler would write into that very file.
    Copy-Whole target/module/AwsSso.dll bin/AwsSso.dll
    # In a PowerShell of its own, since this one would never let go of the assembly.
    Import-Module "$PSScriptRoot/tests/StandIn.psm1"
    $powershell = @(Get-PowerShell) + '-NoProfile', '-NonInteractive', '-File', "$PSScriptRoot/module/Write-Help.ps1", 'target/module/AwsSso.dll', 'en-US'
    Invoke-Step 'Help' { & $powershell[0] @($powershell | Select-Object -Skip 1) }
}

function Invoke-Generate {
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    Invoke-Step 'C header and C# declarations' { cargo run --quiet --locked -p sso-ffi --example generate }
}

# The boundary's own tests with every access to memory checked. The flag is one of nightly's, which the stable compiler takes when told so.
function Invoke-Sanitizer {
    $target = cargo -vV | Select-String '^host: (.+)' | ForEach-Object { $_.Matches[0].Groups[1].Value }
    $env:RUSTC_BOOTSTRAP = '1'
    $env:RUSTFLAGS = '-Zsanitizer=address'
    try {
        Invoke-Step 'AddressSanitizer' { cargo test --quiet --locked -p sso-ffi --test pointers --target $target --target-dir target/sanitizer }
    }
    finally {
        $env:RUSTC_BOOTSTRAP = $env:RUSTFLAGS = $null
    }
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

function Invoke-Pester([hashtable] $Count) {
    Import-Module "$PSScriptRoot/tests/StandIn.psm1"
    $result = [IO.Path]::GetTempFileName()
    $script = {
        param($folder, $result)
        Import-Module Pester -MinimumVersion 5.5 -ErrorAction Stop
        $configuration = [PesterConfiguration] @{
            Run = @{ Path = "$folder/tests"; PassThru = $true }; Output = @{ Verbosity = 'Normal'; RenderMode = 'Plaintext' }
        }
        $run = Invoke-Pester -Configuration $configuration
        # A block or a file that could not run at all has tests that nobody counted.
        $failed = $run.FailedCount + $run.FailedBlocksCount + $run.FailedContainersCount
        @{ Passed = $run.PassedCount; Failed = $failed; Skipped = $run.SkippedCount + $run.NotRunCount } | ConvertTo-Json | Set-Content $result
    }
    # In a PowerShell of its own, since the tests replace what this one has loaded, and without CI, which changes what the module does.
    $ci = $env:CI
    $env:CI = $null
    try {
        $powershell = @(Get-PowerShell)
        & $powershell[0] @($powershell | Select-Object -Skip 1) -NoProfile -NonInteractive -Command "& { $script } '$PSScriptRoot' '$result'" | Write-Host
        $pester = Get-Content -Raw $result | ConvertFrom-Json
        $Count.Passed += $pester.Passed
        $Count.Failed += $pester.Failed
        $Count.Skipped += $pester.Skipped
    }
    catch {
        Write-Host "Pester did not come to its end: $_"
        $Count.Failed++
    }
    finally {
        $env:CI = $ci
        Remove-Item $result
    }
}

function Invoke-Test {
    $count = @{ Passed = 0; Failed = 0; Skipped = 0 }
    $env:SSO_TEST_FULL = if ($Full) { '1' } else { $null }
    # The tests' own logins wait most of the time, so more of them than there are cores run at once.
    if (-not $env:RUST_TEST_THREADS) { $env:RUST_TEST_THREADS = [string] ([Environment]::ProcessorCount * 4) }
    try {
        Assert-BuildTool
        # Each gate that fails is one failure, and keeps no other from being looked at.
        $gates = @(
            { Invoke-Build }
            { Invoke-Step 'cargo fmt' { cargo fmt --all --check } }
            { Invoke-Step 'cargo clippy' { cargo clippy --workspace --all-targets --locked --quiet -- -D warnings } }
            { Invoke-Step 'dotnet format' { dotnet format module/AwsSso.csproj --verify-no-changes --no-restore } }
        )
        if ($Full -and $IsLinux) { $gates += { Invoke-Sanitizer } }
        foreach ($gate in $gates) {
            try { & $gate }
            catch {
                Write-Host "$_"
                $count.Failed++
            }
        }
        $output = [Collections.Generic.List[string]]::new()
        $all = if ($Full) { '--', '--include-ignored' }
        cargo test --workspace --locked --no-fail-fast @all 2>&1 | ForEach-Object { $output.Add("$_"); Write-Host "$_" }
        $cargoFailed = $LASTEXITCODE -ne 0
        $cargo = Measure-CargoTest $output
        foreach ($kind in 'Passed', 'Failed', 'Skipped') { $count[$kind] += $cargo[$kind] }
        # What did not compile has tests that nobody counted.
        if ($cargoFailed -and $cargo.Failed -eq 0) { $count.Failed++ }
        Invoke-Pester $count
    }
    catch {
        [Console]::Error.WriteLine("build.ps1: $_")
        $count.Failed++
    }
    # The last line of all, whatever happened before.
    Write-Host (Format-Count $count)
    exit [int] ($count.Failed -gt 0 -or $count.Passed -eq 0)
}

function Invoke-Demo {
    Invoke-Build
    Import-Module "$PSScriptRoot/tests/StandIn.psm1"
    $child = $null
    try {
        $standIn = Start-StandIn '--accounts', '20', '--approve-after-polls', '2'
        $powershell = @(Get-PowerShell)
        $start = [Diagnostics.ProcessStartInfo]::new($powershell[0])
        foreach ($word in @($powershell | Select-Object -Skip 1) + '-NoProfile', '-File', "$PSScriptRoot/tests/Demo.ps1", $PSScriptRoot, $standIn.StartUrl) { $start.ArgumentList.Add($word) }
        # The user's own files and settings stay out of it.
        $variables = Get-UserVariable (New-UserHome) $standIn
        $start.Environment.Clear()
        foreach ($name in $variables.Keys) { $start.Environment[$name] = $variables[$name] }
        $child = [Diagnostics.Process]::Start($start)
        $child.WaitForExit()
        if ($child.ExitCode -ne 0) { throw 'The demo did not come to its end.' }
        $stats = Get-StandInStats $standIn
        Write-Host ("`nThe stand-in counted {0} login, {1} GetRoleCredentials, {2} protocol violations and {3} early polls." -f `
                $stats.logins, $stats.requests.GetRoleCredentials, $stats.violations.Count, $stats.early_polls)
        if ($stats.violations.Count -or $stats.early_polls) { throw 'The module broke the protocol.' }
    }
    finally {
        # After Ctrl+C, too, nothing is left behind.
        if ($child -and -not $child.WaitForExit(2000)) { $child.Kill() }
        Clear-StandIn
    }
}

function Invoke-Bench {
    Invoke-Build
    & "$PSScriptRoot/bench/Bench.ps1" -Out "$PSScriptRoot/bench/results.json"
    Invoke-Step 'Plot' { cargo run --release --locked --quiet -p sso-bench -- bench/results.json bench/plot.svg }
}

# So that a test can load the functions without running a task.
if ($MyInvocation.InvocationName -eq '.') { return }

Push-Location $PSScriptRoot
try {
    switch ($Task) {
        'Build' { Invoke-Build }
        'Test' { Invoke-Test }
        'Demo' { Invoke-Demo }
        'Generate' { Invoke-Generate }
        'Bench' { Invoke-Bench }
        default { throw "$Task is not there yet." }
    }
}
catch {
    # The sentence alone: where in this script it was thrown helps nobody.
    [Console]::Error.WriteLine("build.ps1: $_")
    exit 1
}
finally {
    Pop-Location
}
