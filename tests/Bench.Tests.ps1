# What `build.ps1 Bench` shows and writes. `build.ps1 Test` runs this with -Full or -On Bench.

Describe 'The benchmark' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        $results = "$TestDrive/results.json"
        # As small as it can be, and without the script: the figures are not what is tested.
        $few = '-Round 1 -ProfileCount 20, 100 -Delay 1 -ThrottledCount 40 -FileSize 10 -SyncAccount 20'
        $table = & pwsh -NoProfile -NonInteractive -Command "& '$root/bench/Bench.ps1' -Out '$results' $few -Baseline '$TestDrive/none'; exit [int] (-not `$?)" 2>&1 | Out-String
        $exitCode = $LASTEXITCODE
        $figures = Get-Content -Raw $results -ErrorAction Ignore | ConvertFrom-Json
    }

    It 'shows a table of all measurements with their targets' {
        $exitCode | Should -Be 0 -Because $table
        foreach ($part in 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h') { $table | Should -Match "(?m)^$part\s+\S" }
        foreach ($target in 'at least 12', 'at most 3 ms', 'at most 40 MB more', 'at most 5.5 MB', 'under 15 ms') { $table | Should -Match "${target}: (met|missed)" }
    }

    It 'compares with the module itself if the script is not available' {
        $table | Should -Match 'the module one by one, 100 profiles'
        $figures.against_the_script.times_as_fast | Should -Not -BeNullOrEmpty
    }

    It 'saves each figure with its minimum and maximum, and of the machine only its kind' {
        foreach ($figure in @($figures.update.seconds) + $figures.throttled.seconds + $figures.start.import_ms + $figures.memory_mb.empty_pwsh + $figures.write.update_of_one_ms + $figures.tools.helper_start_ms + $figures.tools.helper_warm_ms + $figures.tools.helper_cold_ms + $figures.tools.endpoint_requests_per_second) {
            $figure.min | Should -BeLessOrEqual $figure.median
            $figure.max | Should -BeGreaterOrEqual $figure.median
            $figure.min | Should -BeGreaterThan 0
        }
        $figures.throttled.failed.max | Should -Be 0
        $figures.machine.PSObject.Properties.Name | Should -Be 'os', 'architecture', 'cores', 'powershell'
        Get-Content -Raw $results | Should -Not -Match ([regex]::Escape([Environment]::MachineName))
    }

    It 'draws a plot' {
        & cargo run --quiet --locked --manifest-path "$root/Cargo.toml" -p sso-bench -- $results "$TestDrive/plot.svg"
        $LASTEXITCODE | Should -Be 0
        [xml] (Get-Content -Raw "$TestDrive/plot.svg") | ForEach-Object { $_.svg.text.InnerText -join ' ' } | Should -Match '(?s)profiles .*one by one, answers after 50 ms'
    }
}
