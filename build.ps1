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
    Pack      the package for the PowerShell gallery and a zip, into out/, with the libraries of all platforms that are in bin/
    Publish   the package in out/, to a repository that PowerShell knows; the variable PSGALLERY_API_KEY has the key
.PARAMETER Task
    What to do; Build where nothing is said.
.PARAMETER Full
    With Test: all of the counts of the long tests, where the ordinary run takes a tenth. With Pack: an error where the library of a platform is missing.
.PARAMETER Package
    With Test: the package, or the folder that it is in, whose module is tested in place of the one that this folder would build. Nothing but Pester's tests runs.
.PARAMETER Repository
    With Publish: the repository, as Get-PSResourceRepository shows it.
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
    Renews what is generated, after a change of the boundary or of Cargo.lock.
.EXAMPLE
    ./build.ps1 Pack
    Builds the module and packs it. Packs of one commit are equal to the byte.
.EXAMPLE
    ./build.ps1 Test -Package out/Set-AwsCliSsoCredentials.0.1.0.nupkg
    Tests what users will install.
.EXAMPLE
    ./build.ps1 Publish -Repository PSGallery
    Publishes the package of the checked-out tag.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Demo', 'Bench', 'Generate', 'Pack', 'Publish')]
    [string] $Task = 'Build',

    [switch] $Full,

    [string] $Package,

    [string] $Repository = 'PSGallery'
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

# This machine's platform, as PowerShell calls the folder of its library, and the names that cargo gives the library and programs.
function Get-Platform {
    $architecture = [Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant()
    if ($IsWindows) { @{ Folder = "win-$architecture"; Built = 'aws_sso.dll'; Program = '.exe' } }
    elseif ($IsMacOS) { @{ Folder = "osx-$architecture"; Built = 'libaws_sso.dylib'; Program = '' } }
    else { @{ Folder = "linux-$architecture"; Built = 'libaws_sso.so'; Program = '' } }
}

# Where PowerShell looks for the library of a platform.
function Get-Library([string] $Platform) {
    "bin/$Platform/aws_sso$(if ($Platform -like 'win-*') { '.dll' } elseif ($Platform -like 'osx-*') { '.dylib' } else { '.so' })"
}

# Every platform that a released package has a library for.
$platforms = 'linux-arm64', 'linux-x64', 'osx-arm64', 'osx-x64', 'win-arm64', 'win-x64'

# The oldest glibc that the library of a released package works with; Rust's own library needs this one.
$glibc = '2.17'

function Get-HostTarget {
    cargo -vV | Select-String '^host: (.+)' | ForEach-Object { $_.Matches[0].Groups[1].Value }
}

function Test-Zig {
    $IsLinux -and (Get-Command cargo-zigbuild -CommandType Application -ErrorAction Ignore)
}

# Runs cargo for a release, and gives the folder that it builds into. What is built is the same in every folder and on every machine of a kind,
# and tells no path of a user's. On Linux, zig's linker takes an old glibc's symbols where it is there; without it this machine's glibc is the oldest.
function Invoke-Release([string] $Title, [string] $Build, [string[]] $Word) {
    $cargoHome = $env:CARGO_HOME ?? (Join-Path $HOME '.cargo')
    $flags = @("--remap-path-prefix=$cargoHome=/cargo", "--remap-path-prefix=$PSScriptRoot=/src")
    # A Windows without Microsoft's C++ run-time has its libraries, too, and no time goes into the file.
    if ($IsWindows) { $flags += '-Ctarget-feature=+crt-static', '-Clink-arg=/Brepro' }
    $program, $words, $folder = 'cargo', @($Build), 'target/release'
    if (Test-Zig) {
        $target = Get-HostTarget
        $program, $folder = 'cargo-zigbuild', "target/$target/release"
        $words = @($Build -replace '^build$', 'zigbuild'), '--target', "$target.$glibc"
    }
    # Not RUSTFLAGS, which is split at blanks.
    $env:CARGO_ENCODED_RUSTFLAGS = $flags -join [char] 0x1f
    try { Invoke-Step $Title { & $program @words --release --locked @Word } }
    finally { $env:CARGO_ENCODED_RUSTFLAGS = $null }
    $folder
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

function Invoke-StandInBuild {
    $program = "sso-stand-in$((Get-Platform).Program)"
    $built = Invoke-Release 'Stand-in' build '-p', 'sso-stand-in'
    if ($built -ne 'target/release') { Copy-Whole "$built/$program" "target/release/$program" }
}

function Invoke-Build {
    Assert-BuildTool
    # The dynamic library alone: with the rlib that its tests need, cargo would leave out link-time optimisation.
    $platform = Get-Platform
    $built = Invoke-Release 'Native library' rustc '-p', 'sso-ffi', '--lib', '--crate-type', 'cdylib'
    Copy-Whole "$built/$($platform.Built)" (Get-Library $platform.Folder)
    Invoke-StandInBuild
    Invoke-Step 'PowerShell module' { dotnet build module/AwsSso.csproj -c Release -v quiet -warnaserror -o target/module }
    # Not built right into bin/: a running shell has the assembly mapped, and the compiler would write into that very file.
    Copy-Whole target/module/AwsSso.dll bin/AwsSso.dll
    # In a PowerShell of its own, since this one would never let go of the assembly.
    Import-Module "$PSScriptRoot/tests/StandIn.psm1"
    $powershell = @(Get-PowerShell) + '-NoProfile', '-NonInteractive', '-File', "$PSScriptRoot/build/Write-Help.ps1", 'target/module/AwsSso.dll', 'en-US'
    Invoke-Step 'Help' { & $powershell[0] @($powershell | Select-Object -Skip 1) }
}

function Invoke-Generate {
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    Invoke-Step 'C header and C# declarations' { cargo run --quiet --locked -p sso-ffi --example generate }
    if (Get-Command cargo-about -CommandType Application -ErrorAction Ignore) {
        Invoke-Step 'Third-party notices' {
            # With what is in the packages alone, so that it is the same at any time.
            cargo about --color never generate --locked --offline --fail --manifest-path native/ffi/Cargo.toml --config about.toml --output-file THIRD-PARTY-NOTICES.txt about.hbs
        }
    }
    else {
        Write-Warning 'THIRD-PARTY-NOTICES.txt stays as it is: cargo-about, which makes it, was not found (cargo install --locked cargo-about --features cli).'
    }
}

# Writes a zip whose bytes depend on its entries and the time only: sorted, with the rights of plain files.
function Write-Zip([string] $Path, [hashtable] $Entry, [DateTimeOffset] $Time) {
    $names = [string[]] $Entry.Keys
    [Array]::Sort($names, [StringComparer]::Ordinal)
    $zip = [IO.Compression.ZipArchive]::new([IO.File]::Create($Path), 'Create')
    try {
        foreach ($name in $names) {
            $item = $zip.CreateEntry($name, 'SmallestSize')
            $item.LastWriteTime = $Time
            $item.ExternalAttributes = 0x81A4 -shl 16
            $stream = $item.Open()
            $stream.Write($Entry[$name])
            $stream.Dispose()
        }
    }
    finally { $zip.Dispose() }
}

# A gallery package's entries, less what its maker put in of the moment and of the machine: a name by chance, the order of a folder, a system.
function Read-Package([string] $Path) {
    $entries = @{}
    $zip = [IO.Compression.ZipFile]::OpenRead($Path)
    try {
        foreach ($item in $zip.Entries) {
            $bytes = [IO.MemoryStream]::new()
            $stream = $item.Open()
            $stream.CopyTo($bytes)
            $stream.Dispose()
            $entries[$item.FullName] = $bytes.ToArray()
        }
    }
    finally { $zip.Dispose() }
    $utf8 = [Text.UTF8Encoding]::new($false)
    $chosen = "$($entries.Keys | Where-Object { $_ -like '*.psmdcp' })"
    $fixed = 'package/services/metadata/core-properties/properties.psmdcp'
    $properties = $utf8.GetString($entries[$chosen]) -replace '(?<=<lastModifiedBy>)[^<]*', 'Compress-PSResource'
    $entries.Remove($chosen)
    $entries[$fixed] = $utf8.GetBytes($properties)
    $relationships = $utf8.GetString($entries['_rels/.rels']).Replace($chosen, $fixed) -replace "(?<=$fixed`" Id=`")[^`"]*", 'R1'
    $entries['_rels/.rels'] = $utf8.GetBytes($relationships)
    # The kinds of files, in the order in which a folder gave them.
    $types = '[Content_Types].xml'
    $kinds = [regex] '(?m)^ *<(Default|Override) .*/>\r?\n'
    $text = $utf8.GetString($entries[$types])
    $sorted = [string[]] $kinds.Matches($text).Value
    [Array]::Sort($sorted, [StringComparer]::Ordinal)
    $entries[$types] = $utf8.GetBytes($kinds.Replace($text, '').Replace('</Types>', "$(-join $sorted)</Types>"))
    $entries
}

# When the commit was made, since packages of one commit are to be equal.
function Get-CommitTime {
    $seconds = $env:SOURCE_DATE_EPOCH
    if (-not $seconds -and (Get-Command git -CommandType Application -ErrorAction Ignore)) { $seconds = git log -1 --format=%ct 2>$null }
    # A zip knows no time before 1980.
    [DateTimeOffset]::FromUnixTimeSeconds([Math]::Max([long] $seconds, 315532800))
}

# The manifest is the one place for it.
function Get-Version {
    (Import-PowerShellDataFile "$PSScriptRoot/Set-AwsCliSsoCredentials.psd1").ModuleVersion
}

function Get-PackagePath {
    "out/Set-AwsCliSsoCredentials.$(Get-Version).nupkg"
}

function Invoke-Pack {
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    if (-not (Get-Command Compress-PSResource -ErrorAction Ignore)) {
        throw 'Compress-PSResource was not found: use PowerShell 7.5 or later, or run Install-PSResource Microsoft.PowerShell.PSResourceGet.'
    }
    if ($IsLinux -and -not (Test-Zig)) {
        throw "cargo-zigbuild was not found on the PATH: it makes the library for glibc $glibc and later, not only for this machine's; run pip install cargo-zigbuild."
    }
    Invoke-Build
    $missing = $platforms | Where-Object { -not (Test-Path (Get-Library $_)) }
    if ($Full -and $missing) {
        throw "There is no library for $($missing -join ', '): run ./build.ps1 on each of them, and bring its folder in bin/ here."
    }
    $stage = 'target/pack/Set-AwsCliSsoCredentials'
    Remove-Item target/pack -Recurse -Force -ErrorAction Ignore
    $files = @('Set-AwsCliSsoCredentials.psd1', 'LICENSE', 'THIRD-PARTY-NOTICES.txt', 'module/AwsSso.Format.ps1xml', 'bin/AwsSso.dll') +
        @(Get-ChildItem en-US -File | ForEach-Object { "en-US/$($_.Name)" }) + @($platforms | Where-Object { $_ -notin $missing } | ForEach-Object { Get-Library $_ })
    foreach ($file in $files) { Copy-Whole $file "$stage/$file" }
    $package, $version, $time = (Get-PackagePath), (Get-Version), (Get-CommitTime)
    $zip = $package -replace 'nupkg$', 'zip'
    $null = New-Item -ItemType Directory -Force out
    Compress-PSResource -Path (Convert-Path $stage) -DestinationPath (Convert-Path target/pack)
    Write-Zip "$PWD/$package" (Read-Package "$PWD/target/pack/$(Split-Path -Leaf $package)") $time
    $entries = @{}
    # So that it can be unpacked right into a folder of modules.
    foreach ($file in $files) { $entries["Set-AwsCliSsoCredentials/$version/$file"] = [IO.File]::ReadAllBytes("$PWD/$stage/$file") }
    Write-Zip "$PWD/$zip" $entries $time
    foreach ($file in $files | Sort-Object) { Write-Host ('{0,12:n0}  {1}' -f (Get-Item $file).Length, $file) }
    foreach ($made in $package, $zip) { Write-Host ('{0,12:n0}  {1}  sha256 {2}' -f (Get-Item $made).Length, $made, (Get-FileHash $made).Hash.ToLowerInvariant()) }
    if ($missing) { Write-Host "Without a library for $($missing -join ', ')." }
}

function Invoke-Publish {
    $package = Get-PackagePath
    if (-not (Test-Path $package)) { throw "There is no ${package}: make it with ./build.ps1 Pack -Full." }
    Assert-Tool git 'the package of a tag is published, and git knows whether this is one.'
    $tag = "v$(Get-Version)"
    if ($tag -notin @(git tag --points-at HEAD)) { throw "What is checked out is not the tag ${tag}: a version is published from its tag." }
    Publish-PSResource -NupkgPath (Convert-Path $package) -Repository $Repository -ApiKey $env:PSGALLERY_API_KEY
}

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

function Invoke-Pester([hashtable] $Count, [string] $Except = '') {
    Import-Module "$PSScriptRoot/tests/StandIn.psm1"
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
        & $powershell[0] @($powershell | Select-Object -Skip 1) -NoProfile -NonInteractive -Command "& { $script } '$PSScriptRoot' '$result' '$Except'" | Write-Host
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
function Invoke-PackageTest([hashtable] $Count) {
    $file = @(Get-Item $Package -ErrorAction Ignore | ForEach-Object { if ($_.PSIsContainer) { Get-Item "$_/*.nupkg" } else { $_ } })
    if ($file.Count -ne 1 -or $file[0].Name -notmatch '^Set-AwsCliSsoCredentials\.(\d+\.\d+\.\d+)\.nupkg$') {
        throw "$Package is no package: give a Set-AwsCliSsoCredentials.<version>.nupkg, as ./build.ps1 Pack makes it, or the folder that it alone is in."
    }
    Invoke-StandInBuild
    $folder = "$PSScriptRoot/target/package/Set-AwsCliSsoCredentials/$($Matches[1])"
    Remove-Item $folder -Recurse -Force -ErrorAction Ignore
    [IO.Compression.ZipFile]::ExtractToDirectory($file[0], $folder)
    $env:SSO_TEST_PACKAGE, $env:SSO_TEST_MANIFEST = $file[0].FullName, "$folder/Set-AwsCliSsoCredentials.psd1"
    try { Invoke-Pester $Count Build.Tests.ps1 }
    finally { $env:SSO_TEST_PACKAGE = $env:SSO_TEST_MANIFEST = $null }
}

# All gates, cargo's tests and Pester's.
function Invoke-WholeTest([hashtable] $Count) {
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
    Invoke-Pester $Count
}

function Invoke-Test {
    $count = @{ Passed = 0; Failed = 0; Skipped = 0 }
    $env:SSO_TEST_FULL = if ($Full) { '1' } else { $null }
    # The tests' own logins wait most of the time, so more of them than there are cores run at once.
    if (-not $env:RUST_TEST_THREADS) { $env:RUST_TEST_THREADS = [string] ([Environment]::ProcessorCount * 4) }
    try {
        Assert-BuildTool
        if ($Package) { Invoke-PackageTest $count } else { Invoke-WholeTest $count }
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
        'Pack' { Invoke-Pack }
        'Publish' { Invoke-Publish }
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
