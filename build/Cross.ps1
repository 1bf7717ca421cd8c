# Runs the tests for other systems: Windows under Wine, Linux on arm64 under qemu.

# The targets, each by its name for the tool.
$crossTargets = @{ 'windows' = 'windows'; 'linux-arm64' = 'arm64' }

# Files of Pester tests about programs that Windows under Wine does not have: cargo, tmux, mono, Python's packages, Node.js, workflows.
$notUnderWine = 'AwsCli', 'Bench', 'Build', 'Dependencies', 'Documents', 'NetFramework', 'Package', 'Sources', 'Workflows', 'ImportFuzz', 'Interop', 'Sdk'

# Runs the tool that the variable SSO_CROSS names: a script that gets the project, a folder for its work, and a target or 'pwsh' with its arguments.
function Invoke-CrossTool([string] $Work, [string[]] $Word) {
    if (-not $env:SSO_CROSS -or -not (Test-Path $env:SSO_CROSS -PathType Leaf)) {
        throw 'Tests for other systems need a tool that runs them. Set SSO_CROSS to its path; CONTRIBUTING.md has what it must do.'
    }
    & bash $env:SSO_CROSS $root $Work @Word
}

# The native tests of a target.
function Invoke-CrossCargo([hashtable] $Count, [string] $Work, [string] $Target) {
    Invoke-CrossTool $Work $Target | Write-Host
    $log = Get-Content "$Work/$Target.log"
    $counted = Measure-CargoTest $log
    if ($counted.Passed -eq 0) { $counted.Failed++ }
    $log -match '^test .* FAILED$' | Write-Host
    Add-Count $Count $counted
}

# A copy of the project that the tests in Windows may write to, with the library for Windows.
function New-WineCopy([string] $Work) {
    $copy, $built = "$Work/project", "$Work/target/x86_64-pc-windows-gnu/debug"
    Remove-Item $copy -Recurse -Force -ErrorAction Ignore
    $null = New-Item -ItemType Directory "$copy/bin/win-x64", "$copy/target/release"
    Copy-Item "$root/*.ps1", "$root/*.psd1", "$root/*.md", "$root/build", "$root/docs", "$root/en-US", "$root/module", "$root/native", "$root/tests" $copy -Recurse
    Copy-Item "$root/bin/AwsSso.dll" "$copy/bin"
    Copy-Item "$built/aws_sso.dll" "$copy/bin/win-x64"
    # Only a tool that builds the whole workspace has made the program for credential_process lines.
    Copy-Item "$built/sso-credential-process.exe" "$copy/bin/win-x64" -ErrorAction Ignore
    Copy-Item "$built/sso-stand-in.exe" "$copy/target/release"
}

# The Pester tests in PowerShell for Windows.
function Invoke-WinePester([hashtable] $Count, [string] $Work) {
    New-WineCopy $Work
    foreach ($file in Get-ChildItem "$root/tests/*.Tests.ps1" | Where-Object { $notUnderWine -notcontains ($_.Name -replace '\.Tests\.ps1$') }) {
        $command = "Import-Module Pester; `$PSStyle.OutputRendering = 'PlainText'; Invoke-Pester 'Z:\w\project\tests\$($file.Name)' -Output Normal"
        $output = @(Invoke-CrossTool $Work 'pwsh', '-Command', $command 2>&1 | ForEach-Object { "$_" })
        $output | Where-Object { $_.Trim() } | Write-Host
        $total = $output -match '^Tests Passed: ' | Select-Object -Last 1
        if ($total -match 'Passed: (?<Passed>\d+), Failed: (?<Failed>\d+), Skipped: (?<Skipped>\d+), Inconclusive: \d+, NotRun: (?<NotRun>\d+)') {
            Add-Count $Count $Matches
            $Count.Skipped += [int] $Matches.NotRun
        }
        else {
            Write-Host "$($file.Name) did not reach its end."
            $Count.Failed++
        }
        # A block or a file that could not run is not among the failed tests.
        $Count.Failed += @($output -match '^(Container|BeforeAll \\ AfterAll) failed: ').Count
    }
}

# Runs all tests that a target can run.
function Invoke-CrossTest([hashtable] $Count, [string] $Target) {
    $work = $env:SSO_CROSS_WORK ?? "$root/target/cross"
    Invoke-CrossCargo $Count $work $crossTargets[$Target]
    if ($Target -eq 'windows') { Invoke-WinePester $Count $work }
}
