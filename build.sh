#!/bin/sh
# For a machine without PowerShell: brings it, then calls build.ps1 with the same words.
set -eu
cd "$(dirname "$0")"
task=${1:-Build}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 POWERSHELL_TELEMETRY_OPTOUT=1

say() { printf 'build.sh: %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }

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
        curl -fsSL --connect-timeout 15 https://dot.net/v1/dotnet-install.sh -o .tools/dotnet-install.sh 2>/dev/null || return 1
        bash .tools/dotnet-install.sh --channel 10.0 --install-dir .tools/dotnet >/dev/null 2>&1 || return 1
    fi
    dotnet tool restore >/dev/null 2>&1 || return 1
    # A tool of this folder has no name elsewhere, but the tests start pwsh by its name from folders of their own.
    # shellcheck disable=SC2016 # PSHOME is PowerShell's
    folder=$(dotnet tool run pwsh -- -NoProfile -NonInteractive -Command '$PSHOME') || return 1
    printf '#!/bin/sh\nexec "%s" "%s/pwsh.dll" "$@"\n' "$(command -v dotnet)" "$folder" >.tools/bin/pwsh
    chmod +x .tools/bin/pwsh
}

# What can be done without PowerShell, with the rest counted as skipped.
native_half() {
    missing='PowerShell is not here and could not be downloaded (is the network reachable?)'
    case $task in
        Demo)
            say "$missing, so only the native half is done."
            cargo run --quiet --locked -p sso-core --example demo
            [ "${CI:-}" != true ]
            ;;
        Test)
            say "$missing, so only the native half is done."
            log=$(mktemp)
            { cargo test --workspace --locked --no-fail-fast 2>&1 || echo 'cargo test failed.'; } | tee "$log"
            skipped=$(cat tests/*.Tests.ps1 | grep -c "^ *It '" || true)
            # What did not compile has tests that nobody counted.
            status=0
            awk -v skipped="$skipped" '/^test result:/ { passed += $4; failed += $6; skipped += $8 } { last = $0 }
                END {
                    if (last == "cargo test failed." && !failed) failed = 1
                    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
                    exit failed > 0 || passed == 0
                }' "$log" || status=1
            rm -f "$log"
            [ "$status" = 0 ] && [ "${CI:-}" != true ]
            ;;
        *)
            say "$missing, and $task needs it."
            return 1
            ;;
    esac
}

if ! have cargo; then
    say 'cargo was not found on the PATH: install Rust from https://rustup.rs.'
    if [ "$task" = Test ]; then echo '0 passed, 1 failed'; fi
    exit 1
fi
if ! find_powershell; then
    native_half
    exit
fi

if [ "$task" = Test ]; then
    export PSModulePath="$PWD/.tools/modules${PSModulePath:+:$PSModulePath}"
    # shellcheck disable=SC2016 # the text is PowerShell's
    pwsh -NoProfile -NonInteractive -Command '
        $ProgressPreference = "SilentlyContinue"
        if (Get-Module Pester -ListAvailable | Where-Object Version -ge 5.5) { exit 0 }
        try {
            $null = New-Item -ItemType Directory -Force .tools/modules
            Save-PSResource Pester -Path .tools/modules -TrustRepository -ErrorAction Stop
        }
        catch { exit 1 }' ||
        say 'Pester 5.5 or later is missing and could not be downloaded; install it with Install-PSResource Pester.'
fi
exec pwsh -NoProfile -File ./build.ps1 "$@"
