<#
.SYNOPSIS
    Measures the module against a loopback Identity Center, and compares it with the published script if that is available.
.DESCRIPTION
    `build.ps1 Bench` calls it. Each round measures everything once, so that a change in the machine's speed affects all figures alike. A figure is the median
    of the rounds, with the minimum and the maximum. Only wrong results make it fail, never a time.

    The module has a session, because a login takes as long as the user does, and has done one update that is not counted.
    The time of a run of the script with one profile is subtracted from the script's time: its login, its first request, and .NET's compilation.
.PARAMETER Out
    The file for the figures, as JSON.
.PARAMETER Round
    The number of rounds.
.PARAMETER ProfileCount
    The number of profiles in each environment that is updated.
.PARAMETER Delay
    The milliseconds until the service answers.
.PARAMETER ThrottledCount
    The number of profiles that are fetched from a service that limits the requests per second.
.PARAMETER FileSize
    The number of profiles in each file that one profile is written to.
.PARAMETER SyncAccount
    The number of accounts, with three roles each, of the synchronization that is measured once, (h). 0 leaves it out; 5,000 take more than four minutes.
.PARAMETER OnlyTools
    Measures only what AWS tools wait for, (g), and replaces these figures in the file.
.PARAMETER Baseline
    The folder with Measure-Baseline.ps1, which runs the script. Without it, this module with -ThrottleLimit 1 takes the script's place.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [string] $Out,

    [ValidateRange(1, 100)]
    [int] $Round = 5,

    [int[]] $ProfileCount = (20, 100, 200, 1000),

    [int[]] $Delay = (20, 50, 150),

    [int[]] $ThrottledCount = (40, 100, 200),

    [int[]] $FileSize = (10, 1000, 10000),

    [ValidateRange(0, 10000)]
    [int] $SyncAccount = 5000,

    [switch] $OnlyTools,

    [string] $Baseline = (Join-Path $PSScriptRoot '../../shared/baseline')
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

# The helpers of the tests: loopback Identity Centers, temporary home folders, and PowerShell processes that use them.
Import-Module (Join-Path $PSScriptRoot '../tests/StandIn.psm1') -Force

# What the service allows in (c).
$rate = 20
$burst = 20
$throttledDelay = 20

# The programs that ask the endpoint at the same time in (g).
$toolClients = 16

# The runs that are compared with the script: those in the plot, and those with a target.
$compared = @(
    @{ Profiles = 20; Delay = 50 }, @{ Profiles = 100; Delay = 50; Target = 12 }, @{ Profiles = 200; Delay = 50 }, @{ Profiles = 200; Delay = 100; Target = 15 }
) | Where-Object { $_.Profiles -in $ProfileCount }

$script = Join-Path $Baseline 'Measure-Baseline.ps1'
$hasScript = Test-Path $script
$engine = if ($hasScript) { 'script' } else { 'one by one' }

# Figure -> its values in the rounds.
$seen = [ordered] @{}

function Add-Figure([string] $Name, [double] $Value) {
    if (-not $seen.Contains($Name)) { $seen[$Name] = [Collections.Generic.List[double]]::new() }
    $seen[$Name].Add($Value)
}

# Median, minimum, and maximum of a figure, with three significant digits.
function Get-Figure([string] $Name) {
    $sorted = @($seen[$Name] | Sort-Object)
    $middle = [Math]::Floor($sorted.Count / 2)
    $median = if ($sorted.Count % 2) { $sorted[$middle] } else { ($sorted[$middle - 1] + $sorted[$middle]) / 2 }
    [ordered] @{ median = Get-Rounded $median; min = Get-Rounded $sorted[0]; max = Get-Rounded $sorted[-1] }
}

function Get-Rounded([double] $Value) {
    if ($Value -eq 0) { return 0.0 }
    [Math]::Round($Value, [Math]::Max(0, 2 - [int] [Math]::Floor([Math]::Log10([Math]::Abs($Value)))))
}

# Runs a script in a new PowerShell with the module imported. The output is name and value by turns.
function Measure-InPowerShell([object] $UserHome, [string] $Script) {
    $result = Invoke-UserPowerShell $UserHome $standIn ("`$update = { Update-SsoCredential Acme -NoBrowser -PassThru @args 6>`$null }`n" + $Script)
    if ($result.Errors) { throw "A run that is measured failed: $($result.Errors[0].Message)" }
    $result.Output
}

# Starts a PowerShell in a home folder and returns the milliseconds until it ends.
function Measure-Process([string] $UserHome, [string] $Command) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $ended = Invoke-Pwsh $UserHome $standIn '-NoProfile', '-NonInteractive', '-Command', $Command
    if ($ended.ExitCode -ne 0) { throw "pwsh failed: $($ended.Text) $($ended.ErrorText)" }
    $watch.Elapsed.TotalMilliseconds
}

function Measure-Script([int] $Count, [int] $Milliseconds) {
    Set-StandIn $standIn @{ delay = $Milliseconds }
    $ended = Invoke-Pwsh $emptyHome $standIn @(
        '-NoProfile', '-NonInteractive', '-File', $script, '-EndpointUrl', $standIn.Url, '-Count', "$Count", '-FirstAccount', '100000000000', '-RoleName', 'AWSAdministratorAccess'
    )
    $figures = ($ended.Text -split "`n")[-1] | ConvertFrom-Json
    if ($figures.profiles -ne $Count) { throw "The script wrote $($figures.profiles) of $Count profiles." }
    $figures
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

function Add-FigurePair([object[]] $Pairs, [string] $Prefix = '') {
    for ($index = 0; $index -lt $Pairs.Count; $index += 2) { Add-Figure "$Prefix$($Pairs[$index])" $Pairs[$index + 1] }
}

# (a) and (b)
function Measure-Update {
    foreach ($count in $ProfileCount) {
        $delays = @($Delay) + @($compared | Where-Object Profiles -EQ $count | ForEach-Object Delay) | Sort-Object -Unique
        Add-FigurePair (Measure-InPowerShell $homes[$count] (Get-UpdateScript $count $delays))
    }
    foreach ($run in $compared) {
        if (-not $hasScript) {
            Add-FigurePair (Measure-InPowerShell $homes[$run.Profiles] (Get-UpdateScript $run.Profiles $run.Delay '-ThrottleLimit 1')) 'one by one, '
            continue
        }
        $figures = Measure-Script $run.Profiles $run.Delay
        $alone = Measure-Script 1 $run.Delay
        Add-Figure "script, $($run.Profiles) profiles $($run.Delay) ms" (($figures.first_ms - $alone.first_ms) / 1000)
        Add-Figure 'script, nothing due' $figures.second_ms
        Add-Figure 'script, import' $figures.import_ms
    }
}

# (c)
function Measure-Throttled {
    $limit = @{ rate = $rate; burst = $burst; delay = $throttledDelay }
    foreach ($count in $ThrottledCount) {
        $before = (Get-StandInStats $standIn).throttled
        # A new process, because what one has learned about the rate must not help the next.
        Add-FigurePair (Measure-InPowerShell $homes[$count] @"
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
            Add-Figure "script throttled, $count" ((Measure-Script $count $throttledDelay).first_ms / 1000)
            Set-StandIn $standIn @{ clear = $true }
        }
    }
}

# (d) and (e)
function Measure-Start {
    $small = $homes[$ProfileCount[0]]
    foreach ($count in $ProfileCount[0], $ProfileCount[-1]) {
        Add-FigurePair (Measure-InPowerShell $homes[$count] @"
            `$update = { Update-SsoCredential Acme 6>`$null }
            1..50 | ForEach-Object { & `$update }
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            for (`$call = 0; `$call -lt 200; `$call++) { & `$update }
            'nothing due, $count'; `$watch.Elapsed.TotalMilliseconds / 200
"@)
    }
    $measured = @"
        `$watch = [Diagnostics.Stopwatch]::StartNew()
        Import-Module '$($manifest.Replace("'", "''"))'
        `$import = `$watch.Elapsed.TotalMilliseconds
        `$watch.Restart()
        Update-SsoCredential Acme 6>`$null
        "`$import `$(`$watch.Elapsed.TotalMilliseconds)"
"@
    $import, $first = (Invoke-Pwsh $small $standIn '-NoProfile', '-NonInteractive', '-Command', $measured).Text -split ' '
    Add-Figure 'import' $import
    Add-Figure 'first call' $first
    Add-Figure 'empty pwsh' (Measure-Process $small 'exit')
    Add-Figure 'whole pwsh' (Measure-Process $small "Import-Module '$($manifest.Replace("'", "''"))'; Update-SsoCredential Acme")

    $peak = '(Get-Process -Id $PID).PeakWorkingSet64 / 1MB'
    $command = "Import-Module '$($manifest.Replace("'", "''"))'; `$null = Update-SsoCredential Acme -Force 6>`$null; $peak"
    $updating = if (100 -in $ProfileCount) { 100 } else { $ProfileCount[0] }
    Add-Figure 'empty memory' (Invoke-Pwsh $small $standIn '-NoProfile', '-NonInteractive', '-Command', $peak).Text
    Add-Figure 'memory' (Invoke-Pwsh $homes[$updating] $standIn '-NoProfile', '-NonInteractive', '-Command', $command).Text
}

# (f)
function Measure-Write {
    foreach ($size in $FileSize) {
        Add-FigurePair (Measure-InPowerShell $homes[$ProfileCount[0]] @"
            `$env:AWS_SHARED_CREDENTIALS_FILE = '$($files[$size].Replace("'", "''"))'
            1..3 | ForEach-Object { `$null = & `$update -ProfileName Account1 -Force }
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            `$fetched = & `$update -ProfileName Account1 -Force
            `$watch.Stop()
            if (`$fetched.Status -ne 'Refreshed') { throw 'The profile was not fetched.' }
            'write, $size'; `$watch.Elapsed.TotalMilliseconds
"@)
    }
}

# The milliseconds that a tool waits for the program of a credential_process line.
function Measure-Helper([string] $UserHome, [string[]] $Word) {
    $program = Get-Item (Join-Path (Split-Path $manifest) 'bin/*-*/sso-credential-process*')
    $start = [Diagnostics.ProcessStartInfo]::new($program.FullName)
    foreach ($one in $Word) { $start.ArgumentList.Add($one) }
    $variables = Get-UserVariable $UserHome $standIn
    $start.Environment.Clear()
    foreach ($name in $variables.Keys) { $start.Environment[$name] = $variables[$name] }
    $start.RedirectStandardOutput = $true
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $process = [Diagnostics.Process]::Start($start)
    $text = $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
    $watch.Stop()
    if ($process.ExitCode -ne 0 -or -not $text) { throw 'The program for credential_process lines failed.' }
    $watch.Elapsed.TotalMilliseconds
}

# (g)
function Measure-Tool {
    Set-StandIn $standIn @{ delay = 0 }
    $words = '--environment', 'Acme', 'Account1'
    $kept = Get-AwsPath $toolHome sso/role-credentials
    for ($run = 0; $run -lt 10; $run++) {
        Remove-Item $kept -Recurse -ErrorAction Ignore
        Add-Figure 'helper, cold' (Measure-Helper $toolHome $words)
        Add-Figure 'helper, warm' (Measure-Helper $toolHome $words)
        Add-Figure 'helper, start' (Measure-Helper $toolHome '--version')
    }
    Add-FigurePair (Measure-InPowerShell $toolHome @"
        Use-SsoCredential Account1 -AsEndpoint -Quiet
        `$handler = [Net.Http.SocketsHttpHandler]::new()
        `$handler.UseProxy = `$false
        `$handler.MaxConnectionsPerServer = $toolClients
        `$client = [Net.Http.HttpClient]::new(`$handler)
        `$null = `$client.DefaultRequestHeaders.TryAddWithoutValidation('Authorization', `$env:AWS_CONTAINER_AUTHORIZATION_TOKEN)
        foreach (`$requests in 200, 4000) {
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            `$answers = for (`$number = 0; `$number -lt `$requests; `$number++) { `$client.GetAsync(`$env:AWS_CONTAINER_CREDENTIALS_FULL_URI) }
            [Threading.Tasks.Task]::WaitAll([Threading.Tasks.Task[]] `$answers)
            `$watch.Stop()
            if (@(`$answers.Result | Where-Object StatusCode -NE OK).Count) { throw 'The endpoint did not answer all requests.' }
        }
        'endpoint'; 4000 / `$watch.Elapsed.TotalSeconds
"@)
}

# (h), once, because it takes as long as the service makes it take.
function Measure-Sync {
    $company = Start-StandIn '--accounts', "$SyncAccount", '--roles', '3', '--rate', "$rate", '--burst', "$burst", '--approve-after-polls', '0'
    $result = Invoke-UserPowerShell (New-LoggedInHome $company -Count 0) $company @"
        `$process = Get-Process -Id `$PID
        `$cpu = `$process.TotalProcessorTime
        `$watch = [Diagnostics.Stopwatch]::StartNew()
        `$added = Sync-SsoProfile Acme -Quiet -PassThru -ThrottleLimit 64
        `$watch.Stop()
        `$process.Refresh()
        if (`$added.Count -ne 3 * $SyncAccount) { throw "`$(`$added.Count) profiles were added." }
        `$watch.Elapsed.TotalSeconds; (`$process.TotalProcessorTime - `$cpu).TotalSeconds; `$process.PeakWorkingSet64 / 1MB
"@
    if ($result.Errors) { throw "The synchronization failed: $($result.Errors[0].Message)" }
    foreach ($pair in @('sync', 0), @('sync cpu', 1), @('sync memory', 2)) { Add-Figure $pair[0] $result.Output[$pair[1]] }
    # A page has 100 accounts.
    Add-Figure 'sync floor' (($SyncAccount + [Math]::Ceiling($SyncAccount / 100) - $burst) / $rate)
    $violations = @((Get-StandInStats $company).violations)
    if ($violations) { throw "The module broke the protocol: $($violations[0])" }
}

function Get-Target([string] $Words, [bool] $IsMet) {
    [ordered] @{ words = $Words; met = $IsMet }
}

# The times of a PowerShell until the module is loaded, and with nothing due.
function Get-StartResult {
    $start = [ordered] @{}
    $start.import_ms = Get-Figure 'import'
    $start.first_call_ms = Get-Figure 'first call'
    $start.nothing_due_ms = foreach ($count in $ProfileCount[0], $ProfileCount[-1] | Select-Object -Unique) { [ordered] @{ profiles = $count; call = Get-Figure "nothing due, $count" } }
    $start.empty_pwsh_ms = Get-Figure 'empty pwsh'
    $start.pwsh_with_nothing_due_ms = Get-Figure 'whole pwsh'
    if ($hasScript) {
        $start.script_import_ms = Get-Figure 'script, import'
        $start.script_nothing_due_ms = Get-Figure 'script, nothing due'
    }
    $start
}

# What AWS tools wait for.
function Get-ToolResult {
    [ordered] @{
        helper_start_ms = Get-Figure 'helper, start'; helper_warm_ms = Get-Figure 'helper, warm'; helper_cold_ms = Get-Figure 'helper, cold'
        endpoint_requests_per_second = Get-Figure 'endpoint'
    }
}

# A synchronization of everything.
function Get-SyncResult {
    $floor = (Get-Figure 'sync floor').median
    $ratio = (Get-Figure 'sync').median / $floor
    [ordered] @{
        accounts = $SyncAccount; roles = 3; requests_per_second = $rate; burst = $burst
        seconds = Get-Figure 'sync'; floor_seconds = $floor; times_the_floor = [Math]::Round($ratio, 3)
        target = Get-Target 'at most 1.03 times the floor' ($ratio -le 1.035)
        cpu_seconds = Get-Figure 'sync cpu'; memory_mb = Get-Figure 'sync memory'
    }
}

# The figures for the file.
function Get-Result {
    $library = Get-Item (Join-Path $PSScriptRoot '../bin/*-*/aws_sso.*')
    $platform = @{ os = [Runtime.InteropServices.RuntimeInformation]::OSDescription; architecture = "$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture)" }
    $update = foreach ($count in $ProfileCount) {
        foreach ($milliseconds in $seen.Keys -match "^$count profiles (\d+) ms$" | ForEach-Object { [int] ($_ -replace '.*profiles (\d+).*', '$1') } | Sort-Object) {
            [ordered] @{ engine = 'module'; profiles = $count; delay_ms = $milliseconds; seconds = Get-Figure "$count profiles $milliseconds ms" }
        }
    }
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
    $write = foreach ($size in $FileSize) { [ordered] @{ profiles_in_file = $size; update_of_one_ms = Get-Figure "write, $size" } }
    [ordered] @{
        date = [DateTime]::UtcNow.ToString('yyyy-MM-dd')
        machine = [ordered] @{ os = $platform.os; architecture = $platform.architecture; cores = [Environment]::ProcessorCount; powershell = "$($PSVersionTable.PSVersion)" }
        module_version = "$((Import-PowerShellDataFile $manifest).ModuleVersion)"
        rounds = $Round
        update = @($update)
        against_the_script = @($against)
        growth = @($growth)
        throttled = @($throttled)
        start = Get-StartResult
        memory_mb = [ordered] @{ empty_pwsh = Get-Figure 'empty memory'; pwsh_with_update = Get-Figure 'memory' }
        library_mb = Get-Rounded ($library.Length / 1e6)
        write = @($write)
        tools = Get-ToolResult
    }
}

function Format-Number([double] $Value) { Get-Rounded $Value | ForEach-Object ToString ([Globalization.CultureInfo]::InvariantCulture) }

# One row of the table.
function Get-Row([string] $Part, [string] $Figure, [object] $Measured, [string] $Unit, [string] $Ratio = '', [object] $Target) {
    if ($Measured -isnot [Collections.IDictionary]) { $Measured = @{ median = $Measured; min = $Measured; max = $Measured } }
    [pscustomobject] @{
        Part = $Part; Figure = $Figure; Median = "$(Format-Number $Measured.median) $Unit"; Min = Format-Number $Measured.min; Max = Format-Number $Measured.max; Ratio = $Ratio
        Target = if ($Target) { "$($Target.words): $(if ($Target.met) { 'met' } else { 'missed' })" }
    }
}

function Get-ToolTable([Collections.IDictionary] $Result) {
    $tools = $Result.tools
    Get-Row g 'the program for credential_process, only started' $tools.helper_start_ms ms
    Get-Row g '  with keys at hand' $tools.helper_warm_ms ms '' (Get-Target 'under 15 ms' ($tools.helper_warm_ms.median -lt 15))
    Get-Row g '  with keys from the service, which answers at once' $tools.helper_cold_ms ms
    Get-Row g "the endpoint, requests a second of $toolClients clients" $tools.endpoint_requests_per_second ''
}

function Get-SyncTable([Collections.IDictionary] $Result) {
    if (-not $Result.Contains('sync')) { return }
    $sync = $Result.sync
    Get-Row h "Sync-SsoProfile, $($sync.accounts) accounts with 3 roles, $rate requests a second" $sync.seconds s "$($sync.times_the_floor) x the floor $($sync.floor_seconds) s" $sync.target
    Get-Row h '  CPU time' $sync.cpu_seconds s
    Get-Row h '  memory, peak' $sync.memory_mb MB
}

# The figures for the screen.
function Get-Table([Collections.IDictionary] $Result) {
    foreach ($run in $Result.update | Where-Object engine -NE module) {
        $against = $Result.against_the_script | Where-Object { $_.profiles -eq $run.profiles -and $_.delay_ms -eq $run.delay_ms }
        $target = if ($against.Contains('target')) { $against.target }
        Get-Row a "the $($run.engine -replace '^one by one$', 'module one by one'), $($run.profiles) profiles, answers after $($run.delay_ms) ms" $run.seconds s "module $($against.times_as_fast) x as fast" $target
    }
    foreach ($run in $Result.update | Where-Object engine -EQ module) {
        Get-Row b "$($run.profiles) profiles, answers after $($run.delay_ms) ms" $run.seconds s "$(Format-Number ($run.seconds.median / $run.profiles * 1000)) ms each"
    }
    foreach ($run in $Result.growth) { Get-Row b "1000 profiles beside 200, answers after $($run.delay_ms) ms" $run.times_from_200_to_1000 x '' $run.target }
    foreach ($run in $Result.throttled) {
        $target = if ($run.Contains('target')) { $run.target }
        Get-Row c "$($run.profiles) profiles, $rate requests a second" $run.seconds s "$($run.times_the_floor) x the floor $($run.floor_seconds) s" $target
        Get-Row c '  requests refused (429)' $run.refused ''
        Get-Row c '  profiles failed' $run.failed ''
        if ($run.Contains('script_seconds')) { Get-Row c '  the script, with its login' $run.script_seconds s }
    }
    $start = $Result.start
    Get-Row d 'Import-Module' $start.import_ms ms '' (Get-Target 'at most 100 ms' ($start.import_ms.median -le 100))
    if ($start.Contains('script_import_ms')) { Get-Row d '  the three assemblies of the script' $start.script_import_ms ms "module $(Format-Number ($start.script_import_ms.median / $start.import_ms.median)) x as fast" }
    Get-Row d 'first call, nothing due' $start.first_call_ms ms
    foreach ($run in $start.nothing_due_ms) {
        $most = if ($run.profiles -le 20) { 3 } else { 13 }
        Get-Row d "nothing due, $($run.profiles) profiles" $run.call ms '' (Get-Target "at most $most ms" ($run.call.median -le $most))
    }
    if ($start.Contains('script_nothing_due_ms')) { Get-Row d '  the script, nothing due' $start.script_nothing_due_ms ms }
    Get-Row d 'pwsh -NoProfile -c exit' $start.empty_pwsh_ms ms
    $more = $start.pwsh_with_nothing_due_ms.median - $start.empty_pwsh_ms.median
    Get-Row d 'pwsh -NoProfile -c "Import-Module ..; Update-SsoCredential Acme"' $start.pwsh_with_nothing_due_ms ms "$(Format-Number $more) ms more"
    $memory = $Result.memory_mb
    $more = $memory.pwsh_with_update.median - $memory.empty_pwsh.median
    Get-Row e 'memory of an empty pwsh, peak' $memory.empty_pwsh MB
    Get-Row e 'memory after an update, peak' $memory.pwsh_with_update MB "$(Format-Number $more) MB more" (Get-Target 'at most 40 MB more' ($more -le 40))
    Get-Row e 'size of the library' $Result.library_mb MB '' (Get-Target 'at most 5.5 MB' ($Result.library_mb -le 5.5))
    foreach ($run in $Result.write) {
        Get-Row f "one profile of a file of $($run.profiles_in_file)" $run.update_of_one_ms ms "$(Format-Number ($run.update_of_one_ms.median / $Result.write[0].update_of_one_ms.median)) x"
    }
    Get-ToolTable $Result
    Get-SyncTable $Result
}

try {
    $accounts = (@($ProfileCount) + $ThrottledCount | Measure-Object -Maximum).Maximum
    $standIn = Start-StandIn '--accounts', "$accounts", '--approve-after-polls', '0'
    $toolHome = New-LoggedInHome $standIn -Count 1
    if ($OnlyTools) {
        1..$Round | ForEach-Object { Measure-Tool }
        $result = Get-Content -Raw $Out | ConvertFrom-Json -AsHashtable
        $result.tools = Get-ToolResult
        ConvertTo-Json $result -Depth 6 | Set-Content $Out
        (Get-ToolTable $result | Format-Table -Wrap -AutoSize | Out-String -Width 160).TrimEnd() | Write-Host
        return
    }
    $emptyHome = New-UserHome
    $homes = @{}
    foreach ($count in @($ProfileCount) + $ThrottledCount | Sort-Object -Unique) {
        $homes[$count] = New-UserHome
        Add-Environment $homes[$count] $standIn -Count $count
        # The login and the first keys.
        $null = Measure-InPowerShell $homes[$count] '$null = & $update'
    }
    $files = @{}
    foreach ($size in $FileSize) {
        $files[$size] = Join-Path (New-TestFolder) credentials
        $text = foreach ($number in 1..$size) {
            "[Account$number]`naws_access_key_id = ASIA$('X' * 16)`naws_secret_access_key = $('s' * 40)`naws_session_token = $('t' * 500)`n" +
            "aws_account_id = $(Get-AccountId $number)`nx_security_token_expires = 2030-01-01T00:00:00Z`nx_sso_role_name = AWSAdministratorAccess`n`n"
        }
        [IO.File]::WriteAllText($files[$size], -join $text)
    }
    if (-not $hasScript) { Write-Host 'The published script is not available, so the module with one request at a time takes its place.' }
    foreach ($number in 1..$Round) {
        Write-Progress -Activity 'Bench' -Status "round $number of $Round" -PercentComplete (100 * ($number - 1) / $Round)
        Set-StandIn $standIn @{ clear = $true; delay = 0 }
        Measure-Start
        Measure-Write
        Measure-Update
        Measure-Throttled
        Measure-Tool
    }
    if ($SyncAccount) { Measure-Sync }
    Write-Progress -Activity 'Bench' -Completed
    $result = Get-Result
    if ($SyncAccount) { $result.sync = Get-SyncResult }
    $null = New-Item -ItemType Directory -Force (Split-Path $Out)
    ConvertTo-Json $result -Depth 6 | Set-Content $Out
    (Get-Table $result | Format-Table -Wrap -AutoSize | Out-String -Width 160).TrimEnd() | Write-Host
    Write-Host @"

Medians of $Round rounds on $([Environment]::ProcessorCount) cores. The module has a session. In (a), the time of a run of the script with one profile is subtracted: its login,
its first request, and .NET's compilation.
"@
    $violations = @((Get-StandInStats $standIn).violations)
    if ($violations) { throw "The module broke the protocol: $($violations[0])" }
    $failed = ($result.throttled | ForEach-Object { $_.failed.max } | Measure-Object -Sum).Sum
    if ($failed) { throw "$failed profiles failed." }
}
finally {
    Clear-StandIn
}
