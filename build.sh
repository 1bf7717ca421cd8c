#!/bin/sh
# For a machine without PowerShell: brings it, then calls build.ps1 with the same words.
set -eu
cd "$(dirname "$0")"
task=${1:-Build}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 POWERSHELL_TELEMETRY_OPTOUT=1

say() { printf 'build.sh: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

have cargo || { say 'cargo was not found on the PATH: install Rust from https://rustup.rs.'; exit 1; }

# Gives the command that starts PowerShell, or nothing.
find_powershell() {
    if [ -f ../shared/toolchain/setup.sh ]; then sh ../shared/toolchain/setup.sh >&2 || say 'the toolchain beside the checkout could not be set up.'; fi
    if have pwsh; then echo pwsh; return; fi
    if ! have dotnet; then
        mkdir -p .tools
        curl -fsSL https://dot.net/v1/dotnet-install.sh -o .tools/dotnet-install.sh 2>/dev/null && sh -c 'bash .tools/dotnet-install.sh --channel LTS --install-dir .tools/dotnet >/dev/null 2>&1' || return 0
    fi
    [ -x .tools/dotnet/dotnet ] && PATH=$PWD/.tools/dotnet:$PATH
    have dotnet && dotnet tool restore >/dev/null 2>&1 && echo 'dotnet tool run pwsh --'
}

# What can be done without PowerShell, with the rest counted as skipped.
native_half() {
    say 'PowerShell is not here and could not be downloaded (is the network reachable?), so only the native half is done.'
    case $task in
        Demo) cargo run --quiet --locked -p sso-core --example demo ;;
        Test)
            log=$(mktemp)
            cargo test --workspace --locked --no-fail-fast 2>&1 | tee "$log" || true
            skipped=$(cat tests/*.Tests.ps1 | grep -c "^ *It '" || true)
            counts=$(awk -v skipped="$skipped" '/^test result:/ { passed += $4; failed += $6; skipped += $8 }
                END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log")
            broken=$(grep -c '^error' "$log" || true)
            rm -f "$log"
            echo "$counts"
            case $counts in 0\ passed* | *passed,\ [1-9]*) exit 1 ;; esac
            [ "$broken" -eq 0 ] && [ "${CI:-}" != true ] ;;
        *) say "$task needs PowerShell."; exit 1 ;;
    esac
}

powershell=$(find_powershell)
[ -d .tools/dotnet ] && PATH=$PWD/.tools/dotnet:$PATH && export PATH
if [ -z "$powershell" ]; then native_half; exit; fi

if [ "$task" = Test ]; then
    PSModulePath=$PWD/.tools/modules${PSModulePath:+:$PSModulePath} && export PSModulePath
    # shellcheck disable=SC2086 # the command is more than one word
    $powershell -NoProfile -NonInteractive -Command '
        if (Get-Module Pester -ListAvailable | Where-Object Version -ge 5.5) { exit 0 }
        try { $null = New-Item -ItemType Directory -Force .tools/modules; Save-PSResource Pester -Path .tools/modules -TrustRepository -ErrorAction Stop } catch { exit 1 }' ||
        { say 'Pester 5.5 or later is missing and could not be downloaded; install it with Install-PSResource Pester.'; exit 1; }
fi
# shellcheck disable=SC2086 # the command is more than one word
exec $powershell -NoProfile -File ./build.ps1 "$@"
