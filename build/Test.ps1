# Runs the tests, the demo and the benchmark.

# The boundary's own tests with every access to memory checked. The flag is one of nightly's, which the stable compiler takes when told so.
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

function Invoke-PesterRun([hashtable] $Count, [string] $Except = '') {
    Import-Module "$root/tests/StandIn.psm1"
    $result = [IO.Path]::GetTempFileName()
    $script = {
        param($folder, $result, $except)
        Import-Module Pester -MinimumVersion 5.5 -ErrorAction Stop
        $configuration = [PesterConfiguration] @{
            Run = @{ Path = "$folder/tests"; PassThru = $true; ExcludePath = @($except | Where-Object { $_ } | ForEach-Object { "$folder/tests/$_" }) }
            Output = @{ Verbosity = 'Normal'; RenderMode = 'Plaintext' }
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
        & $powershell[0] @($powershell | Select-Object -Skip 1) -NoProfile -NonInteractive -Command "& { $script } '$root' '$result' '$Except'" | Write-Host
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

# Unpacks a package as an installer does, and tests that in place of what this folder has built.
function Invoke-PackageTest([hashtable] $Count, [string] $Package) {
    $file = @(Get-Item $Package -ErrorAction Ignore | ForEach-Object { if ($_.PSIsContainer) { Get-Item "$_/*.nupkg" } else { $_ } })
    if ($file.Count -ne 1 -or $file[0].Name -notmatch '^Set-AwsCliSsoCredentials\.(\d+\.\d+\.\d+)\.nupkg$') {
        throw "$Package is no package: give a Set-AwsCliSsoCredentials.<version>.nupkg, as ./build.ps1 Pack makes it, or the folder that it alone is in."
    }
    Invoke-StandInBuild
    $folder = "$root/target/package/Set-AwsCliSsoCredentials/$($Matches[1])"
    Remove-Item $folder -Recurse -Force -ErrorAction Ignore
    [IO.Compression.ZipFile]::ExtractToDirectory($file[0], $folder)
    $env:SSO_TEST_PACKAGE, $env:SSO_TEST_MANIFEST = $file[0].FullName, "$folder/Set-AwsCliSsoCredentials.psd1"
    try { Invoke-PesterRun $Count Build.Tests.ps1 }
    finally { $env:SSO_TEST_PACKAGE = $env:SSO_TEST_MANIFEST = $null }
}

# All gates, cargo's tests and Pester's.
function Invoke-WholeTest([hashtable] $Count, [switch] $Full) {
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
            $Count.Failed++
        }
    }
    $output = [Collections.Generic.List[string]]::new()
    $all = if ($Full) { '--', '--include-ignored' }
    cargo test --workspace --locked --no-fail-fast @all 2>&1 | ForEach-Object { $output.Add("$_"); Write-Host "$_" }
    $cargoFailed = $LASTEXITCODE -ne 0
    $cargo = Measure-CargoTest $output
    foreach ($kind in 'Passed', 'Failed', 'Skipped') { $Count[$kind] += $cargo[$kind] }
    # What did not compile has tests that nobody counted.
    if ($cargoFailed -and $cargo.Failed -eq 0) { $Count.Failed++ }
    Invoke-PesterRun $Count
}

function Invoke-Test([switch] $Full, [string] $Package) {
    $count = @{ Passed = 0; Failed = 0; Skipped = 0 }
    $env:SSO_TEST_FULL = if ($Full) { '1' } else { $null }
    # The tests' own logins wait most of the time, so more of them than there are cores run at once.
    if (-not $env:RUST_TEST_THREADS) { $env:RUST_TEST_THREADS = [string] ([Environment]::ProcessorCount * 4) }
    try {
        Assert-BuildTool
        if ($Package) { Invoke-PackageTest $count $Package } else { Invoke-WholeTest $count -Full:$Full }
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
    Import-Module "$root/tests/StandIn.psm1"
    $child = $null
    try {
        $standIn = Start-StandIn '--accounts', '20', '--approve-after-polls', '2'
        $powershell = @(Get-PowerShell)
        $start = [Diagnostics.ProcessStartInfo]::new($powershell[0])
        foreach ($word in @($powershell | Select-Object -Skip 1) + '-NoProfile', '-File', "$root/tests/Demo.ps1", $root, $standIn.StartUrl) { $start.ArgumentList.Add($word) }
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
    & "$root/bench/Bench.ps1" -Out "$root/bench/results.json"
    Invoke-Step 'Plot' { cargo run --release --locked --quiet -p sso-bench -- bench/results.json bench/plot.svg }
}
