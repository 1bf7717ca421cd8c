# (d) and (e): what a PowerShell needs to start with the module, and its memory.

# How often each line for $PROFILE runs in a round.
$startRuns = 5

function Measure-Start {
    Set-StandIn $standIn @{ clear = $true; delay = 0 }
    $small = Get-Home $ProfileCount[0]
    foreach ($count in $ProfileCount[0], $ProfileCount[-1] | Select-Object -Unique) {
        Add-FigurePair (Measure-InPowerShell (Get-Home $count) @"
            `$update = { Update-SsoCredential Acme 6>`$null }
            1..50 | ForEach-Object { & `$update }
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            for (`$call = 0; `$call -lt 200; `$call++) { & `$update }
            'nothing due, $count'; `$watch.Elapsed.TotalMilliseconds / 200
"@)
    }
    $measured = @"
        `$watch = [Diagnostics.Stopwatch]::StartNew()
        Import-Module $quotedManifest
        `$import = `$watch.Elapsed.TotalMilliseconds
        `$watch.Restart()
        Update-SsoCredential Acme 6>`$null
        "`$import `$(`$watch.Elapsed.TotalMilliseconds)"
"@
    $import, $first = (Invoke-Pwsh $small $standIn '-NoProfile', '-NonInteractive', '-Command', $measured).Text -split ' '
    Add-Figure 'import' $import
    Add-Figure 'first call' $first
    Add-Figure 'empty pwsh' (Measure-Process $small 'exit')
    Add-Figure 'whole pwsh' (Measure-Process $small "Import-Module $quotedManifest; Update-SsoCredential Acme")
    Measure-ProfileLine $small

    $peak = '(Get-Process -Id $PID).PeakWorkingSet64 / 1MB'
    $command = "Import-Module $quotedManifest; `$null = Update-SsoCredential Acme -Force 6>`$null; $peak"
    $updating = if (100 -in $ProfileCount) { 100 } else { $ProfileCount[0] }
    Add-Figure 'empty memory' (Invoke-Pwsh $small $standIn '-NoProfile', '-NonInteractive', '-Command', $peak).Text
    Add-Figure 'memory' (Invoke-Pwsh (Get-Home $updating) $standIn '-NoProfile', '-NonInteractive', '-Command', $command).Text
}

# The line for $PROFILE with nothing due beside a line that does nothing and an empty module, by turns.
function Measure-ProfileLine([string] $UserHome) {
    $empty = Join-Path (New-TestFolder) Empty.psd1
    New-ModuleManifest $empty -FunctionsToExport @() -CmdletsToExport @() -AliasesToExport @() -VariablesToExport @()
    foreach ($run in 1..$startRuns) {
        Add-Figure 'line, nothing' (Measure-Process $UserHome '1+1')
        Add-Figure 'line, empty module' (Measure-Process $UserHome "Import-Module '$empty'")
        Add-Figure 'line, profile' (Measure-Process $UserHome "Import-Module $quotedManifest; Update-SsoCredential -Environment Acme -AtStartup")
    }
}

function Get-StartResult {
    $start = [ordered] @{}
    $start.import_ms = Get-Figure 'import'
    $start.first_call_ms = Get-Figure 'first call'
    $start.nothing_due_ms = @(foreach ($count in $ProfileCount[0], $ProfileCount[-1] | Select-Object -Unique) { [ordered] @{ profiles = $count; call = Get-Figure "nothing due, $count" } })
    $start.empty_pwsh_ms = Get-Figure 'empty pwsh'
    $start.pwsh_with_nothing_due_ms = Get-Figure 'whole pwsh'
    if ($seen.Contains('script, import')) {
        $start.script_import_ms = Get-Figure 'script, import'
        $start.script_nothing_due_ms = Get-Figure 'script, nothing due'
    }
    $nothing, $module, $line = 'nothing', 'empty module', 'profile' | ForEach-Object { Get-Figure "line, $_" }
    $more = $line.median - $nothing.median
    $start.profile_line = [ordered] @{
        one_plus_one_ms = $nothing; empty_module_ms = $module; line_ms = $line; times_one_plus_one = Get-Rounded ($line.median / $nothing.median)
        ms_over_one_plus_one = Get-Rounded $more; ms_over_empty_module = Get-Rounded ($line.median - $module.median); target = Get-Target 'at most 80 ms over 1+1' ($more -le 80)
    }
    $library = Get-Item (Join-Path $PSScriptRoot '../bin/*-*/aws_sso.*')
    @{
        start = $start; library_mb = Get-Rounded ($library.Length / 1e6)
        memory_mb = [ordered] @{ empty_pwsh = Get-Figure 'empty memory'; pwsh_with_update = Get-Figure 'memory' }
    }
}

function Get-StartTable([Collections.IDictionary] $Result) {
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
    $line = $start.profile_line
    Get-Row d 'pwsh -NoProfile -c "1+1"' $line.one_plus_one_ms ms
    Get-Row d 'pwsh -NoProfile -c "Import-Module Empty"' $line.empty_module_ms ms "$(Format-Number ($line.empty_module_ms.median - $line.one_plus_one_ms.median)) ms over 1+1"
    Get-Row d 'the line for $PROFILE, nothing due' $line.line_ms ms "$($line.ms_over_one_plus_one) ms over 1+1, $($line.times_one_plus_one) x" $line.target
    $memory = $Result.memory_mb
    $more = $memory.pwsh_with_update.median - $memory.empty_pwsh.median
    Get-Row e 'memory of an empty pwsh, peak' $memory.empty_pwsh MB
    Get-Row e 'memory after an update, peak' $memory.pwsh_with_update MB "$(Format-Number $more) MB more" (Get-Target 'at most 40 MB more' ($more -le 40))
    Get-Row e 'size of the library' $Result.library_mb MB '' (Get-Target 'at most 5.5 MB' ($Result.library_mb -le 5.5))
}
