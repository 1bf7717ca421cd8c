# (h): a synchronization of everything.

# Once, because it takes as long as the service makes it take.
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

function Get-SyncResult {
    $floor = (Get-Figure 'sync floor').median
    $ratio = (Get-Figure 'sync').median / $floor
    @{
        sync = [ordered] @{
            accounts = $SyncAccount; roles = 3; requests_per_second = $rate; burst = $burst
            seconds = Get-Figure 'sync'; floor_seconds = $floor; times_the_floor = [Math]::Round($ratio, 3)
            target = Get-Target 'at most 1.03 times the floor' ($ratio -le 1.035)
            cpu_seconds = Get-Figure 'sync cpu'; memory_mb = Get-Figure 'sync memory'
        }
    }
}

function Get-SyncTable([Collections.IDictionary] $Result) {
    $sync = $Result.sync
    Get-Row h "Sync-SsoProfile, $($sync.accounts) accounts with 3 roles, $($sync.requests_per_second) requests a second" $sync.seconds s "$($sync.times_the_floor) x the floor $($sync.floor_seconds) s" $sync.target
    Get-Row h '  CPU time' $sync.cpu_seconds s
    Get-Row h '  memory, peak' $sync.memory_mb MB
}
