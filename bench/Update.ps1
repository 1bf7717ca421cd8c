# (a), (b) and (c): updates of many profiles, beside the script, and against a service that limits the requests.

# The runs that are compared with the script.
$compared = @(
    @{ Profiles = 20; Delay = 50 }, @{ Profiles = 100; Delay = 50; Target = 12 }, @{ Profiles = 200; Delay = 50 }, @{ Profiles = 200; Delay = 100; Target = 15 }
) | Where-Object { $_.Profiles -in $ProfileCount }

$script = Join-Path $Baseline 'Measure-Baseline.ps1'
$hasScript = Test-Path $script
$engine = if ($hasScript) { 'script' } else { 'one by one' }

# Runs of the script in this round, which two parts need.
$scriptRuns = @{}

# The script's first and second run in one PowerShell.
function Measure-Script([int] $Count, [int] $Milliseconds) {
    $key = "$Count, $Milliseconds"
    if (-not $scriptRuns.ContainsKey($key)) {
        Set-StandIn $standIn @{ delay = $Milliseconds }
        $ended = Invoke-Pwsh (New-UserHome) $standIn @(
            '-NoProfile', '-NonInteractive', '-File', $script, '-EndpointUrl', $standIn.Url, '-Count', "$Count", '-FirstAccount', '100000000000', '-RoleName', 'AWSAdministratorAccess'
        )
        $figures = ($ended.Text -split "`n")[-1] | ConvertFrom-Json
        if ($figures.profiles -ne $Count) { throw "The script wrote $($figures.profiles) of $Count profiles." }
        $scriptRuns[$key] = $figures
    }
    $scriptRuns[$key]
}

# Whether a run of one request after another was measured already, and takes too long for each round. Its time differs by little.
function Test-Enough([int] $Count, [string] $Figure) {
    $Count -ge 200 -and $seen.Contains($Figure)
}

# The seconds of the script without its login, its first request, and .NET's compilation.
function Measure-ScriptAlone([int] $Count, [int] $Milliseconds) {
    ((Measure-Script $Count $Milliseconds).first_ms - (Measure-Script 1 $Milliseconds).first_ms) / 1000
}

# The text of a script that measures forced updates, for each delay of an answer.
function Get-UpdateScript([int] $Count, [int[]] $Milliseconds, [string] $Argument = '') {
    @"
    function Set-Delay([int] `$to) { `$null = Invoke-RestMethod "`$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body "{``"delay``": `$to}" }
    Set-Delay 0
    `$null = & `$update -Force
    foreach (`$delay in $($Milliseconds -join ',')) {
        Set-Delay `$delay
        `$watch = [Diagnostics.Stopwatch]::StartNew()
        `$fetched = & `$update -Force $Argument
        `$watch.Stop()
        if (@(`$fetched | Where-Object Status -EQ Refreshed).Count -ne $Count) { throw "Not all of the $Count profiles were fetched." }
        "$Count profiles `$delay ms"; `$watch.Elapsed.TotalSeconds
    }
"@
}

# (a) and (b)
function Measure-Update {
    foreach ($count in $ProfileCount) {
        $delays = @($Delay) + @($compared | Where-Object Profiles -EQ $count | ForEach-Object Delay) | Sort-Object -Unique
        Add-FigurePair (Measure-InPowerShell (Get-Home $count) (Get-UpdateScript $count $delays))
    }
    foreach ($run in $compared) {
        if (Test-Enough $run.Profiles "$engine, $($run.Profiles) profiles $($run.Delay) ms") { continue }
        if (-not $hasScript) {
            Add-FigurePair (Measure-InPowerShell (Get-Home $run.Profiles) (Get-UpdateScript $run.Profiles $run.Delay '-ThrottleLimit 1')) 'one by one, '
            continue
        }
        $figures = Measure-Script $run.Profiles $run.Delay
        Add-Figure "script, $($run.Profiles) profiles $($run.Delay) ms" (Measure-ScriptAlone $run.Profiles $run.Delay)
        Add-Figure 'script, nothing due' $figures.second_ms
        Add-Figure 'script, import' $figures.import_ms
    }
}

function Get-UpdateResult {
    $update = @(foreach ($count in $ProfileCount) {
        foreach ($milliseconds in $seen.Keys -match "^$count profiles (\d+) ms$" | ForEach-Object { [int] ($_ -replace '.*profiles (\d+).*', '$1') } | Sort-Object) {
            [ordered] @{ engine = 'module'; profiles = $count; delay_ms = $milliseconds; seconds = Get-Figure "$count profiles $milliseconds ms" }
        }
    })
    $against = foreach ($run in $compared) {
        $name = "$($run.Profiles) profiles $($run.Delay) ms"
        $update += [ordered] @{ engine = $engine; profiles = $run.Profiles; delay_ms = $run.Delay; seconds = Get-Figure "$engine, $name" }
        $ratio = Get-Rounded ((Get-Figure "$engine, $name").median / (Get-Figure $name).median)
        $result = [ordered] @{ profiles = $run.Profiles; delay_ms = $run.Delay; against = $engine; times_as_fast = $ratio }
        if ($run.ContainsKey('Target')) { $result.target = Get-Target "at least $($run.Target)" ($ratio -ge $run.Target) }
        $result
    }
    $growth = if (200 -in $ProfileCount -and 1000 -in $ProfileCount) {
        foreach ($milliseconds in $Delay) {
            $ratio = (Get-Figure "1000 profiles $milliseconds ms").median / (Get-Figure "200 profiles $milliseconds ms").median
            # 16 requests at once, then twice as many with each answer, up to 64: 200 profiles take 5 round trips, 1,000 take 17. The tolerance is 5 %.
            [ordered] @{ delay_ms = $milliseconds; times_from_200_to_1000 = Get-Rounded $ratio; target = Get-Target 'at most 3.4' ($ratio -le 3.4 * 1.05) }
        }
    }
    @{ update = @($update); against_the_script = @($against); growth = @($growth) }
}

function Get-UpdateTable([Collections.IDictionary] $Result) {
    foreach ($run in $Result.update | Where-Object engine -NE module) {
        $against = $Result.against_the_script | Where-Object { $_.profiles -eq $run.profiles -and $_.delay_ms -eq $run.delay_ms }
        $target = if ($against.Contains('target')) { $against.target }
        Get-Row a "the $($run.engine -replace '^one by one$', 'module one by one'), $($run.profiles) profiles, answers after $($run.delay_ms) ms" $run.seconds s "module $($against.times_as_fast) x as fast" $target
    }
    foreach ($run in $Result.update | Where-Object engine -EQ module) {
        Get-Row b "$($run.profiles) profiles, answers after $($run.delay_ms) ms" $run.seconds s "$(Format-Number ($run.seconds.median / $run.profiles * 1000)) ms each"
    }
    foreach ($run in $Result.growth) { Get-Row b "1000 profiles beside 200, answers after $($run.delay_ms) ms" $run.times_from_200_to_1000 x '' $run.target }
}

# (c)
function Measure-Throttled {
    $limit = @{ rate = $rate; burst = $burst; delay = $throttledDelay }
    foreach ($count in $ThrottledCount) {
        $userHome = Get-Home $count
        $before = (Get-StandInStats $standIn).throttled
        # A new process, because what one has learned about the rate must not help the next.
        Add-FigurePair (Measure-InPowerShell $userHome @"
            `$null = & `$update
            `$null = Invoke-RestMethod "`$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body '$(ConvertTo-Json -Compress $limit)'
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            `$fetched = & `$update -Force
            'throttled, $count'; `$watch.Elapsed.TotalSeconds
            'failed, $count'; @(`$fetched | Where-Object Status -NE Refreshed).Count + $count - `$fetched.Count
"@)
        Add-Figure "refused, $count" ((Get-StandInStats $standIn).throttled - $before)
        Set-StandIn $standIn @{ clear = $true }
        if ($hasScript -and $count -eq 100) {
            Set-StandIn $standIn $limit
            $scriptRuns.Remove("$count, $throttledDelay")
            Add-Figure "script throttled, $count" ((Measure-Script $count $throttledDelay).first_ms / 1000)
            $scriptRuns.Remove("$count, $throttledDelay")
            Set-StandIn $standIn @{ clear = $true }
        }
    }
}

function Get-ThrottledResult {
    $throttled = foreach ($count in $ThrottledCount) {
        $floor = ($count - $burst) / $rate
        $ratio = (Get-Figure "throttled, $count").median / $floor
        $refused = Get-Figure "refused, $count"
        $most = 40
        $result = [ordered] @{
            profiles = $count; requests_per_second = $rate; burst = $burst; delay_ms = $throttledDelay
            seconds = Get-Figure "throttled, $count"; floor_seconds = $floor; times_the_floor = Get-Rounded $ratio
            refused = $refused; failed = Get-Figure "failed, $count"
        }
        if ($count -ge 100) { $result.target = Get-Target "at most 1.10 times the floor, $most refused" ($ratio -le 1.1 -and $refused.median -le $most) }
        if ($seen.Contains("script throttled, $count")) { $result.script_seconds = Get-Figure "script throttled, $count" }
        $result
    }
    @{ throttled = @($throttled) }
}

function Get-ThrottledTable([Collections.IDictionary] $Result) {
    foreach ($run in $Result.throttled) {
        $target = if ($run.Contains('target')) { $run.target }
        Get-Row c "$($run.profiles) profiles, $($run.requests_per_second) requests a second" $run.seconds s "$($run.times_the_floor) x the floor $($run.floor_seconds) s" $target
        Get-Row c '  requests refused (429)' $run.refused ''
        Get-Row c '  profiles failed' $run.failed ''
        if ($run.Contains('script_seconds')) { Get-Row c '  the script, with its login' $run.script_seconds s }
    }
}
