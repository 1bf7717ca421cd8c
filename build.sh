#!/bin/sh
# Finds or downloads PowerShell, then calls build.ps1 with the same arguments.
set -eu
cd "$(dirname "$0")"
task=${1:-Build}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 POWERSHELL_TELEMETRY_OPTOUT=1

say() { printf 'build.sh: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

# The .NET SDK for a machine without one, and the SHA-512 of its archives that Microsoft publishes with the release.
sdk=10.0.401
sdk_checksum() {
    case $1 in
        linux-x64) echo 51c8b999af9e8dd9998c9edc5944e19a90788862068acd38694e098889054ce8c23d4f0c5cccfa16bf187d044562359e5ee69a9f8ad0bbe913ba90311fbce25b ;;
        linux-arm64) echo 58ace73ced6b4360754689a686bdfb8a317f4da6cb8bb416dbc7d0ba9f47e43e3c09f5eb1f1a1cfaacbd10df9558da4882bf2a5e195d6ab56a02c1f9f76102ed ;;
        osx-x64) echo 33401b4a2da8554e3306db6072ea8569d9fcc608509c271e0aa4b39e7cc432da3631f14e7e1e2445d67d72550d18ce44a8bbd2382a756867ad2edab6b1c963c0 ;;
        osx-arm64) echo 69f64eb00dc045398755c440b152225d544301a345a146a16e86a56a0c52b7c94b2c331520e976dbb821f18d31930aafbd25bb85961e3517e0665414ce0cbcff ;;
        *) return 1 ;;
    esac
}

sha512() {
    if have sha512sum; then sha512sum "$1"; else shasum -a 512 "$1"; fi | cut -d ' ' -f 1
}

# Puts the SDK into .tools/dotnet. Nothing is unpacked from an archive with another checksum.
download_sdk() {
    have curl && have uname || return 1
    case $(uname -s) in Linux) system=linux ;; Darwin) system=osx ;; *) return 1 ;; esac
    case $(uname -m) in x86_64) processor=x64 ;; aarch64 | arm64) processor=arm64 ;; *) return 1 ;; esac
    platform=$system-$processor
    expected=$(sdk_checksum "$platform") || return 1
    archive=.tools/dotnet-sdk.tar.gz
    curl -fsSL --proto '=https' --connect-timeout 15 -o "$archive" \
        "https://builds.dotnet.microsoft.com/dotnet/Sdk/$sdk/dotnet-sdk-$sdk-$platform.tar.gz" 2>/dev/null || return 1
    if [ "$(sha512 "$archive")" != "$expected" ]; then
        rm -f "$archive"
        say "the downloaded .NET SDK $sdk is not used: its SHA-512 is not the published one. Install the SDK from https://dot.net."
        return 1
    fi
    mkdir -p .tools/dotnet
    tar -xzf "$archive" -C .tools/dotnet || return 1
    rm -f "$archive"
}

# Puts pwsh on the PATH, from the first place that has it; fails where there is none.
find_powershell() {
    if [ -f ../shared/toolchain/setup.sh ]; then
        sh ../shared/toolchain/setup.sh >&2 || say 'the toolchain beside the checkout could not be set up.'
        PATH=$PATH:$HOME/.local/bin
    fi
    if have pwsh; then return; fi
    PATH=$PATH:$PWD/.tools/bin:$PWD/.tools/dotnet
    mkdir -p .tools/bin
    if ! have dotnet; then
        download_sdk || return 1
    fi
    dotnet tool restore >/dev/null 2>&1 || return 1
    # A tool of this folder has no name elsewhere, but the tests start pwsh by its name from folders of their own.
    # shellcheck disable=SC2016 # PSHOME is PowerShell's
    folder=$(dotnet tool run pwsh -- -NoProfile -NonInteractive -Command '$PSHOME') || return 1
    printf '#!/bin/sh\nexec "%s" "%s/pwsh.dll" "$@"\n' "$(command -v dotnet)" "$folder" >.tools/bin/pwsh
    chmod +x .tools/bin/pwsh
}

# Runs cargo's tests and adds up their summary lines. Pester's tests count as skipped, and tests that did not compile as one failure.
native_test() {
    skipped=$(cat tests/*.Tests.ps1 | grep -c "^ *It '" || true)
    { cargo test --workspace --locked --no-fail-fast 2>&1 || echo 'cargo test failed.'; } | awk -v skipped="$skipped" '
        { print; fflush(); last = $0 }
        /^test result:/ { passed += $4; failed += $6; skipped += $8 }
        END {
            if (last == "cargo test failed." && !failed) failed = 1
            printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
            exit failed > 0 || passed == 0
        }'
}

# What a machine with Rust and without PowerShell can do. In CI that is a failure, since half of the tests is not all of them.
native_half() {
    missing='PowerShell was not found and could not be downloaded (is the network reachable?)'
    case $task in
        Demo | Test) say "$missing, so only the native half runs." ;;
        *) say "$missing, and $task needs it."; return 1 ;;
    esac
    if [ "$task" = Test ]; then native_test; else cargo run --quiet --locked --example demo; fi
    [ "${CI:-}" != true ]
}

if ! have cargo; then
    say 'cargo was not found on the PATH: install Rust from https://rustup.rs.'
    if [ "$task" = Test ]; then echo '0 passed, 1 failed'; fi
    exit 1
fi
find_powershell || { native_half; exit; }

if [ "$task" = Test ]; then
    export PSModulePath="$PWD/.tools/modules${PSModulePath:+:$PSModulePath}"
    # shellcheck disable=SC2016 # the text is PowerShell's
    pwsh -NoProfile -NonInteractive -Command '
        $ProgressPreference = "SilentlyContinue"
        if (Get-Module Pester -ListAvailable | Where-Object Version -ge 5.5) { exit 0 }
        try {
            $null = New-Item -ItemType Directory -Force .tools/modules
            $version = (Get-Content -Raw .config/pester.json | ConvertFrom-Json).version
            Save-PSResource Pester -Version $version -Path .tools/modules -TrustRepository -ErrorAction Stop
        }
        catch { exit 1 }' ||
        say 'Pester 5.5 or later is missing and could not be downloaded; install it with Install-PSResource Pester.'
fi
exec pwsh -NoProfile -File ./build.ps1 "$@"
