<#
.SYNOPSIS
    Measures the module against a loopback Identity Center, and compares it with what people would use instead.
.DESCRIPTION
    `build.ps1 Bench` calls it. Each round measures everything once, so that a change in the machine's speed affects all figures alike. A figure is the median
    of the rounds, with the minimum and the maximum. Only wrong results make it fail, never a time. A part that fails is named at the end; the others still run.

    The module has a session, because a login takes as long as the user does, and has done one update that is not counted.
    The time of a run of the script with one profile is subtracted from the script's time: its login, its first request, and .NET's compilation.

    The programs for the comparison, (i), are in bench/peers. Their packages from PyPI and npm are installed into .tools/bench. One that cannot be installed
    is left out, and the result says why.
.PARAMETER Out
    The file for the figures, as JSON.
.PARAMETER Part
    Measures only these parts, and replaces their figures in the file. Without it, all are measured.
.PARAMETER Round
    The number of rounds. Runs of the script with 200 profiles or more are in the first one only.
.PARAMETER Minutes
    No round begins that would probably end later than this.
.PARAMETER ProfileCount
    The number of profiles in each environment that is updated.
.PARAMETER Delay
    The milliseconds until the service answers.
.PARAMETER ThrottledCount
    The number of profiles that are fetched from a service that limits the requests per second.
.PARAMETER FileSize
    The number of profiles in each file that one profile is written to.
.PARAMETER SyncAccount
    The number of accounts, with three roles each, of the synchronization that is measured once, (h). 0 leaves it out; 500 take 25 seconds.
.PARAMETER LoopProfile
    The number of profiles for tools that start a program for each profile.
.PARAMETER ListedProfile
    The number of profiles that Get-SsoCredential lists.
.PARAMETER CompletedAccount
    The number of accounts that the Tab key completes.
.PARAMETER Baseline
    The folder with Measure-Baseline.ps1, which runs the script. Without it, this module with -ThrottleLimit 1 takes the script's place.
.EXAMPLE
    bench/Bench.ps1 -Out bench/results.json -Part Tools, Tls
    Measures only what AWS tools wait for, and the connections over TLS.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [string] $Out,

    [ValidateSet('Sync', 'Start', 'Write', 'Update', 'Throttled', 'Tools', 'Compare', 'Tls', 'Large')]
    [string[]] $Part,

    [ValidateRange(1, 100)]
    [int] $Round = 3,

    [ValidateRange(1, 1000)]
    [double] $Minutes = 12,

    [int[]] $ProfileCount = (20, 100, 200, 1000),

    [int[]] $Delay = (20, 50, 150),

    [int[]] $ThrottledCount = (40, 100, 200),

    [int[]] $FileSize = (10, 1000, 10000),

    [ValidateRange(0, 10000)]
    [int] $SyncAccount = 500,

    [ValidateRange(1, 1000)]
    [int] $LoopProfile = 5,

    [ValidateRange(1, 10000)]
    [int] $ListedProfile = 10000,

    [ValidateRange(1, 10000)]
    [int] $CompletedAccount = 5000,

    [string] $Baseline = (Join-Path $PSScriptRoot '../../shared/baseline')
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
Set-StrictMode -Version Latest

# The helpers of the tests: loopback Identity Centers, temporary home folders, and PowerShell processes that use them.
Import-Module (Join-Path $PSScriptRoot '../tests/StandIn.psm1') -Force

# What the service allows in (c) and (h).
$rate = 20
$burst = 20
$throttledDelay = 20

foreach ($file in 'Figures', 'Running', 'Sync', 'Start', 'Large', 'Update', 'Tools', 'Peers', 'Compare') { . (Join-Path $PSScriptRoot "$file.ps1") }

# The parts in the order of their measurement. Once: only in the first round.
$parts = [ordered] @{
    Sync = @{ Once = $true; Measure = { Measure-Sync }; Result = { Get-SyncResult }; Table = { Get-SyncTable $args[0] }; Key = 'sync' }
    Update = @{ Measure = { Measure-Update }; Result = { Get-UpdateResult }; Table = { Get-UpdateTable $args[0] }; Key = 'update' }
    Start = @{ Measure = { Measure-Start }; Result = { Get-StartResult }; Table = { Get-StartTable $args[0] }; Key = 'start' }
    Write = @{ Measure = { Measure-Write }; Result = { Get-WriteResult }; Table = { Get-WriteTable $args[0] }; Key = 'write' }
    Throttled = @{ Measure = { Measure-Throttled }; Result = { Get-ThrottledResult }; Table = { Get-ThrottledTable $args[0] }; Key = 'throttled' }
    Tools = @{ Measure = { Measure-Tool }; Result = { Get-ToolResult }; Table = { Get-ToolTable $args[0] }; Key = 'tools' }
    Compare = @{ Measure = { Measure-Compare }; Result = { Get-CompareResult }; Table = { Get-CompareTable $args[0] }; Key = 'compared' }
    Tls = @{ Measure = { Measure-Tls }; Result = { Get-TlsResult }; Table = { Get-TlsTable $args[0] }; Key = 'tls' }
    Large = @{ Measure = { Measure-Large }; Result = { Get-LargeResult }; Table = { Get-LargeTable $args[0] }; Key = 'large' }
}
$wanted = @($parts.Keys | Where-Object { (-not $Part -or $_ -in $Part) -and ($_ -ne 'Sync' -or $SyncAccount) })

# Part -> the sentences of its failures.
$failed = [ordered] @{}

function Add-Failure([string] $Name, [object] $Reason) {
    if (-not $failed.Contains($Name)) { $failed[$Name] = [Collections.Generic.List[string]]::new() }
    $failed[$Name].Add((Get-Reason $Reason))
    Write-Warning "The part $Name failed: $(Get-Reason $Reason)"
}

# Part -> the seconds that it took in all rounds.
$took = [ordered] @{}

function Invoke-Round([int] $Number) {
    $scriptRuns.Clear()
    foreach ($name in $wanted) {
        if ($Number -gt 1 -and $parts[$name].ContainsKey('Once')) { continue }
        Write-Progress -Activity 'Bench' -Status "round $Number of $Round, $name" -PercentComplete (100 * ($Number - 1) / $Round)
        $watch = [Diagnostics.Stopwatch]::StartNew()
        try { & $parts[$name].Measure }
        catch { Add-Failure $name $_ }
        $took[$name] = [double] $took[$name] + $watch.Elapsed.TotalSeconds
    }
}

# All rounds for which there is time. Returns how many.
function Invoke-AllRound {
    $all = [Diagnostics.Stopwatch]::StartNew()
    foreach ($number in 1..$Round) {
        $begin = $all.Elapsed
        Invoke-Round $number
        # What is measured once and what is prepared once makes the first round longer than the others.
        if ($number -lt $Round -and $all.Elapsed + ($all.Elapsed - $begin) -gt [TimeSpan]::FromMinutes($Minutes)) { break }
    }
    Write-Progress -Activity 'Bench' -Completed
    $number
}

# The figures of earlier runs stay if only some parts are measured.
function Get-Start {
    if ($Part -and (Test-Path $Out)) { return Get-Content -Raw $Out | ConvertFrom-Json -AsHashtable }
    [ordered] @{}
}

function Get-Result([int] $Rounds) {
    $result = Get-Start
    $result.date = [DateTime]::UtcNow.ToString('yyyy-MM-dd')
    $result.machine = [ordered] @{
        os = [Runtime.InteropServices.RuntimeInformation]::OSDescription; architecture = "$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)"
        cores = [Environment]::ProcessorCount; powershell = "$($PSVersionTable.PSVersion)"
    }
    $result.module_version = "$((Import-PowerShellDataFile $manifest).ModuleVersion)"
    if (-not $Part) { $result.rounds = $Rounds }
    foreach ($name in $wanted) {
        try {
            $own = & $parts[$name].Result
            foreach ($key in $own.Keys | Sort-Object) { $result[$key] = $own[$key] }
        }
        catch {
            $result.Remove($parts[$name].Key)
            if (-not $failed.Contains($name)) { Add-Failure $name $_ }
        }
    }
    $result.left_out = $leftOut
    $result.failed = $failed
    $result.part_seconds = [ordered] @{}
    foreach ($name in $took.Keys) { $result.part_seconds[$name] = [Math]::Round($took[$name]) }
    $result
}

function Write-Table([Collections.IDictionary] $Result) {
    $rows = foreach ($name in $wanted | Where-Object { $Result.Contains($parts[$_].Key) }) { & $parts[$name].Table $Result }
    ($rows | Sort-Object Part -Stable | Format-Table -Wrap -AutoSize | Out-String -Width 170).TrimEnd() | Write-Host
    Write-Host @"

Medians of $($Result['rounds'] ?? $Round) rounds on $([Environment]::ProcessorCount) cores. The module has a session. In (a), the time of a run of the script with one profile is subtracted: its login,
its first request, and .NET's compilation. In (i) and (j), all have a session and no keys, and the service answers after $wayDelay ms; a time is that of the whole
program, and a warm one that of a second update in the same program.
"@
    foreach ($label in $leftOut.Keys) { Write-Host "Left out: $label ($($leftOut[$label]))." }
    Write-Host "Seconds: $(($took.Keys | ForEach-Object { "$_ $([Math]::Round($took[$_]))" }) -join ', ')."
    foreach ($name in $failed.Keys) { Write-Host "FAILED: $name`: $($failed[$name] -join ' / ')" }
}

try {
    $accounts = (@($ProfileCount) + $ThrottledCount + $LoopProfile | Measure-Object -Maximum).Maximum
    $standIn = Start-StandIn '--accounts', "$accounts", '--approve-after-polls', '0'
    if (-not $hasScript -and 'Update' -in $wanted) { Write-Host 'The published script is not available, so the module with one request at a time takes its place.' }
    $rounds = Invoke-AllRound
    $result = Get-Result $rounds
    $null = New-Item -ItemType Directory -Force (Split-Path ([IO.Path]::GetFullPath($Out, (Get-Location).Path)))
    ConvertTo-Json $result -Depth 6 | Set-Content $Out
    Write-Table $result
    $violations = @((Get-StandInStats $standIn).violations)
    if ($violations) { throw "A program broke the protocol: $($violations[0])" }
    if ('Throttled' -in $wanted -and $result.Contains('throttled')) {
        $lost = ($result.throttled | ForEach-Object { $_.failed.max } | Measure-Object -Sum).Sum
        if ($lost) { throw "$lost profiles failed." }
    }
    if ($failed.Count) { throw "These parts failed: $($failed.Keys -join ', ')." }
}
finally {
    Clear-StandIn
}
