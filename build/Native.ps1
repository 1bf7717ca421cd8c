# Builds the native library, the module and its help, and what is generated.

# The folder of the repository.
$root = Split-Path $PSScriptRoot

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
    $flags = @("--remap-path-prefix=$cargoHome=/cargo", "--remap-path-prefix=$root=/src")
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

# The native library and the stand-in as they are released; returns the path of the library.
function Invoke-ReleaseBuild([hashtable] $Platform) {
    # The dynamic library alone: with the rlib that its tests need, cargo would leave out link-time optimization.
    $built = Invoke-Release 'Native library' rustc '-p', 'sso-ffi', '--lib', '--crate-type', 'cdylib'
    Invoke-StandInBuild
    "$built/$($Platform.Built)"
}

# The same without optimization, from what `cargo test` has compiled already: seconds after a change, where a release takes minutes.
function Invoke-DebugBuild([hashtable] $Platform) {
    Invoke-Step 'Native library and stand-in (debug)' { cargo build --locked -p sso-ffi -p sso-stand-in }
    # Where the tests start it.
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
            # With what is in the packages alone, so that it is the same at any time.
            cargo about --color never generate --locked --offline --fail --manifest-path native/ffi/Cargo.toml --config about.toml --output-file THIRD-PARTY-NOTICES.txt about.hbs
        }
    }
    else {
        Write-Warning 'THIRD-PARTY-NOTICES.txt stays as it is: cargo-about, which makes it, was not found (cargo install --locked cargo-about --features cli).'
    }
}
