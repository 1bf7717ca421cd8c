# Builds the native library, the module and its help, and the generated files.

# The folder of the repository.
$root = Split-Path $PSScriptRoot

# Reports a missing program in one sentence, before it causes other errors.
function Assert-Tool([string] $Name, [string] $Advice) {
    if (-not (Get-Command $Name -CommandType Application -ErrorAction Ignore)) {
        throw "$Name was not found on the PATH: $Advice"
    }
}

# Runs a program and shows its output only if it fails, or with -Verbose.
function Invoke-Step([string] $Title, [scriptblock] $Command) {
    # The first build takes minutes, so the title appears first.
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

# The folder of this machine's library, as PowerShell names it, and the file names that cargo gives to the library and to programs.
function Get-Platform {
    $architecture = [Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant()
    if ($IsWindows) { @{ Folder = "win-$architecture"; Built = 'aws_sso.dll'; Program = '.exe' } }
    elseif ($IsMacOS) { @{ Folder = "osx-$architecture"; Built = 'libaws_sso.dylib'; Program = '' } }
    else { @{ Folder = "linux-$architecture"; Built = 'libaws_sso.so'; Program = '' } }
}

# The path where PowerShell looks for the library of a platform.
function Get-Library([string] $Platform) {
    "bin/$Platform/aws_sso$(if ($Platform -like 'win-*') { '.dll' } elseif ($Platform -like 'osx-*') { '.dylib' } else { '.so' })"
}

# The path of the program for credential_process lines of a platform, beside its library.
function Get-Helper([string] $Platform) {
    "bin/$Platform/sso-credential-process$(if ($Platform -like 'win-*') { '.exe' })"
}

# The oldest glibc that a released library supports. Rust's standard library needs this version.
$glibc = '2.17'

function Get-HostTarget {
    cargo -vV | Select-String '^host: (.+)' | ForEach-Object { $_.Matches[0].Groups[1].Value }
}

function Test-Zig {
    $IsLinux -and (Get-Command cargo-zigbuild -CommandType Application -ErrorAction Ignore)
}

# Runs cargo for a release, for this machine or a target of Rust, and returns its output folder. The output is the same in every folder and on every
# machine of a platform, and contains no local path. On Linux, zig's linker, if it is installed, links an old glibc, and for other targets. Without it,
# the library needs this machine's glibc or a later one.
function Invoke-Release([string] $Title, [string] $Build, [string[]] $Word, [string] $Target) {
    $cargoHome = $env:CARGO_HOME ?? (Join-Path $HOME '.cargo')
    $flags = @("--remap-path-prefix=$cargoHome=/cargo", "--remap-path-prefix=$root=/src")
    # The library also runs on a Windows without Microsoft's C++ runtime, and contains no timestamp.
    if ($IsWindows) { $flags += '-Ctarget-feature=+crt-static', '-Clink-arg=/Brepro' }
    # With frame pointers, the tables for unwinding are a quarter smaller on x64, and the code is not larger. Windows has tables of another kind.
    if (-not $IsWindows -and $Target -notlike '*-windows-*') { $flags += '-Cforce-frame-pointers=yes' }
    $program, $words, $folder = 'cargo', @($Build), 'target/release'
    if (Test-Zig) {
        if (-not $Target) { $Target = Get-HostTarget }
        $version = if ($Target -like '*-linux-gnu') { ".$glibc" }
        $program, $folder = 'cargo-zigbuild', "target/$Target/release"
        $words = @($Build -replace '^build$', 'zigbuild'), '--target', "$Target$version"
    }
    # Not RUSTFLAGS, which cargo splits at spaces. zig writes the epoch into a Windows library in place of the time; it is the same for every commit,
    # because a commit without changes for the library does not link it again.
    $env:CARGO_ENCODED_RUSTFLAGS, $epoch, $env:SOURCE_DATE_EPOCH = ($flags -join [char] 0x1f), $env:SOURCE_DATE_EPOCH, '315532800'
    try { Invoke-Step $Title { & $program @words --release --locked @Word } }
    finally { $env:CARGO_ENCODED_RUSTFLAGS, $env:SOURCE_DATE_EPOCH = $null, $epoch }
    $folder
}

# The full path of a file, for what does not know PowerShell's current folder.
function Get-FullPath([string] $Path) {
    [IO.Path]::GetFullPath($Path, $PWD.ProviderPath)
}

# Renames a file over another one. Windows refuses that while a program has the other one loaded.
function Move-Over([string] $From, [string] $To) {
    [IO.File]::Move((Get-FullPath $From), (Get-FullPath $To), $true)
}

# Renames a file, which Windows allows while a program has it loaded.
function Move-Aside([string] $Path) {
    $number = 1
    while (Test-Path "$Path.$number.old") { $number++ }
    [IO.File]::Move((Get-FullPath $Path), (Get-FullPath "$Path.$number.old"))
}

# Removes the files that Move-Aside renamed, unless a program still has them loaded.
function Remove-Aside([string] $Path) {
    Get-Item "$Path.*.old" -ErrorAction Ignore | Remove-Item -ErrorAction Ignore
}

# Replaces a file by renaming the new one: a program that has the old one loaded keeps it.
function Copy-Whole([string] $From, [string] $To) {
    Remove-Aside $To
    if ((Test-Path $To) -and (Get-FileHash $From).Hash -eq (Get-FileHash $To).Hash) { return }
    $null = New-Item -ItemType Directory -Force (Split-Path $To)
    Copy-Item $From "$To.new"
    try { Move-Over "$To.new" $To }
    catch [IO.IOException], [UnauthorizedAccessException] {
        Move-Aside $To
        Move-Over "$To.new" $To
        Write-Host "A running program has loaded $To; restart it to use the new build."
    }
}

function Assert-BuildTool {
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    Assert-Tool dotnet 'install the .NET SDK from https://dot.net, or run ./build.sh, which downloads it.'
}

function Invoke-StandInBuild {
    $program = "sso-stand-in$((Get-Platform).Program)"
    $built = Invoke-Release 'Stand-in' build '-p', 'sso-stand-in'
    if ($built -ne 'target/release') { Copy-Whole "$built/$program" "target/release/$program" }
}

# Builds the native library for a release, and returns its folder.
function Invoke-LibraryBuild([string] $Title, [string] $Target) {
    # Only the dynamic library: with the rlib that its tests need, cargo would skip link-time optimization.
    Invoke-Release $Title rustc '-p', 'sso-ffi', '--lib', '--crate-type', 'cdylib' $Target
}

# Builds the program for credential_process lines for a release, and returns its folder.
function Invoke-HelperBuild([string] $Title, [string] $Target) {
    Invoke-Release $Title rustc '-p', 'sso-credential-process' $Target
}

# Builds the native library and the programs for a release, and returns the path of the library.
function Invoke-ReleaseBuild([hashtable] $Platform) {
    $built = Invoke-LibraryBuild 'Native library'
    $null = Invoke-HelperBuild 'credential_process program'
    Copy-Whole "$built/sso-credential-process$($Platform.Program)" (Get-Helper $Platform.Folder)
    Invoke-StandInBuild
    "$built/$($Platform.Built)"
}

# Builds both without optimization: seconds after a change, where a release takes minutes.
function Invoke-DebugBuild([hashtable] $Platform) {
    Invoke-Step 'Native library and programs (debug)' { cargo build --locked -p sso-ffi -p sso-stand-in -p sso-credential-process }
    Copy-Whole "target/debug/sso-credential-process$($Platform.Program)" (Get-Helper $Platform.Folder)
    # The tests start it from there.
    Copy-Whole "target/debug/sso-stand-in$($Platform.Program)" "target/release/sso-stand-in$($Platform.Program)"
    "target/debug/$($Platform.Built)"
}

function Invoke-Build([string] $Configuration = 'Release') {
    Assert-BuildTool
    $platform = Get-Platform
    $library = if ($Configuration -eq 'Debug') { Invoke-DebugBuild $platform } else { Invoke-ReleaseBuild $platform }
    Copy-Whole $library (Get-Library $platform.Folder)
    Invoke-Step 'PowerShell module' { dotnet build module/AwsSso.csproj -c Release -v quiet -warnaserror -o target/module }
    # Not built into bin/ itself: a running shell has the assembly mapped, and the compiler would write into that file.
    Copy-Whole target/module/AwsSso.dll bin/AwsSso.dll
    # In another PowerShell, since this one would keep the assembly loaded.
    Import-Module "$root/tests/StandIn.psm1"
    $powershell = @(Get-PowerShell) + '-NoProfile', '-NonInteractive', '-File', "$root/build/Write-Help.ps1", 'target/module/AwsSso.dll', 'en-US'
    Invoke-Step 'Help' { & $powershell[0] @($powershell | Select-Object -Skip 1) }
}

function Invoke-Generate {
    Assert-Tool cargo 'install Rust from https://rustup.rs.'
    Invoke-Step 'C header and C# declarations' { cargo run --quiet --locked -p sso-ffi --example generate }
    if (Get-Command cargo-about -CommandType Application -ErrorAction Ignore) {
        Invoke-Step 'Third-party notices' {
            # Only from the files of the packages, so that the result does not change over time.
            cargo about --color never generate --locked --offline --fail --manifest-path native/ffi/Cargo.toml --config about.toml --output-file THIRD-PARTY-NOTICES.txt about.hbs
        }
    }
    else {
        Write-Warning 'THIRD-PARTY-NOTICES.txt was not updated: cargo-about was not found. Run cargo install --locked cargo-about --features cli.'
    }
}
