# What `build.ps1 Bench` shows and writes. `build.ps1 Test` runs this with -Full or -On Bench.

Describe 'The benchmark' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        $results = "$TestDrive/results.json"
        # As small as it can be, and without the script: the figures are not what is tested.
        $few = '-Round 1 -ProfileCount 20, 100 -Delay 1 -ThrottledCount 40 -FileSize 10 -SyncAccount 20 -LoopProfile 1 -ListedProfile 20 -CompletedAccount 50'
        function Invoke-Bench([string] $Words, [string] $Before = '') {
            $text = & pwsh -NoProfile -NonInteractive -Command "$Before; try { & '$root/bench/Bench.ps1' $few $Words } catch { `$_; exit 1 }" 2>&1 | Out-String
            [pscustomobject] @{ Text = $text; ExitCode = $LASTEXITCODE }
        }
        $run = Invoke-Bench "-Out '$results' -Baseline '$TestDrive/none'"
        $table, $exitCode = $run.Text, $run.ExitCode
        $figures = Get-Content -Raw $results -ErrorAction Ignore | ConvertFrom-Json
    }

    It 'shows a table of all measurements with their targets' {
        $exitCode | Should -Be 0 -Because $table
        foreach ($part in 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k') { $table | Should -Match "(?m)^$part\s+\S" }
        foreach ($target in 'at least 12', 'at most 3 ms', 'at most 40 MB more', 'at most 5.5 MB', 'under 15 ms', 'at most 80 ms over 1\+1', '1 handshake') { $table | Should -Match "${target}: (met|missed)" }
    }

    It 'compares with the module itself if the script is not available' {
        $table | Should -Match 'the module one by one, 100 profiles'
        $figures.against_the_script.times_as_fast | Should -Not -BeNullOrEmpty
    }

    It 'compares with other programs, and says why one is left out' {
        ($figures.compared | Where-Object way -EQ module).profiles | Should -Be 20, 100
        $labels = @($figures.compared.label) + @($figures.not_compared.PSObject.Properties.Name)
        foreach ($label in 'boto3', 'JavaScript', 'yawsso', 'aws sso get-role-credentials', 'sso-credential-process', 'the script') { ($labels -match $label).Count | Should -BeGreaterThan 0 -Because $label }
        $figures.not_compared.'the script, in a new pwsh' | Should -Be 'the folder of -Baseline has no Measure-Baseline.ps1'
        $table | Should -Match 'Left out: the script'
    }

    It 'opens one connection for all profiles over TLS' {
        $module = $figures.tls | Where-Object way -EQ module
        $module.protocol | Should -Be 'HTTP/2'
        $module.handshakes.max | Should -Be 1
    }

    It 'goes on without the tools of others, and names each with the reason' {
        $run = Invoke-Bench "-Out '$TestDrive/alone.json' -Part Compare, Tls, Write" "`$env:PATH = '$TestDrive/none'"
        $run.ExitCode | Should -Be 0 -Because $run.Text
        foreach ($reason in 'boto3.*Python 3 is not installed', 'JavaScript.*Node.js is not installed', 'floor of a write.*rustc is not installed') { $run.Text | Should -Match "Left out: .*$reason" }
        (Get-Content -Raw "$TestDrive/alone.json" | ConvertFrom-Json).compared.way | Should -Be 'module', 'module', 'helper'
    }

    It 'measures a part alone and leaves the figures of the others as they are' {
        Copy-Item $results "$TestDrive/part.json"
        $run = Invoke-Bench "-Out '$TestDrive/part.json' -Part Tls"
        $run.ExitCode | Should -Be 0 -Because $run.Text
        $run.Text | Should -Not -Match '(?m)^[a-i]\s+\S'
        $after = Get-Content -Raw "$TestDrive/part.json" | ConvertFrom-Json
        ConvertTo-Json $after.update -Depth 5 | Should -Be (ConvertTo-Json $figures.update -Depth 5)
        $after.part_seconds.PSObject.Properties.Name | Should -Be 'Tls'
    }

    It 'measures the other parts if one fails, names it, and ends with an error' {
        $null = New-Item -ItemType Directory "$TestDrive/broken" -Force
        Set-Content "$TestDrive/broken/Measure-Baseline.ps1" 'exit 1'
        $run = Invoke-Bench "-Out '$TestDrive/broken.json' -Part Update, Write -Baseline '$TestDrive/broken'"
        $run.ExitCode | Should -Be 1
        $run.Text | Should -Match '(?m)^FAILED: Update: \S'
        $run.Text | Should -Match '(?m)^f\s+one profile'
        $kept = Get-Content -Raw "$TestDrive/broken.json" | ConvertFrom-Json
        $kept.write | Should -Not -BeNullOrEmpty
        $kept.failed.Update | Should -Not -BeNullOrEmpty
        $kept.PSObject.Properties.Name | Should -Not -Contain 'update'
    }

    It 'saves each figure with its minimum and maximum, and of the machine only its kind' {
        foreach ($figure in @($figures.update.seconds) + $figures.throttled.seconds + $figures.start.import_ms + $figures.memory_mb.empty_pwsh + $figures.write.update_of_one_ms + $figures.compared.cold_seconds + $figures.tls.cold_seconds + $figures.start.profile_line.line_ms + $figures.large.list.first_ms + $figures.tools.helper_start_ms + $figures.tools.helper_warm_ms + $figures.tools.helper_cold_ms + $figures.tools.endpoint_requests_per_second) {
            $figure.min | Should -BeLessOrEqual $figure.median
            $figure.max | Should -BeGreaterOrEqual $figure.median
            $figure.min | Should -BeGreaterThan 0
        }
        $figures.throttled.failed.max | Should -Be 0
        $figures.machine.PSObject.Properties.Name | Should -Be 'os', 'architecture', 'cores', 'powershell'
        Get-Content -Raw $results | Should -Not -Match ([regex]::Escape([Environment]::MachineName))
    }

    It 'fills the tables of the README and of docs/size-and-speed.md, and nothing else there' {
        foreach ($document in @{ Path = 'README.md'; Words = @{ } }, @{ Path = 'docs/size-and-speed.md'; Words = @{ Detail = $true } }) {
            $copy, $words = "$TestDrive/document.md", $document.Words
            Copy-Item "$root/$($document.Path)" $copy
            & "$root/bench/Show-Comparison.ps1" -From $results -Into $copy @words
            $table = & "$root/bench/Show-Comparison.ps1" -From $results @words
            $after = Get-Content $copy
            $at = [array]::IndexOf($after, $table[0])
            $after[$at..($at + $table.Count - 1)] | Should -Be $table
            $after[$at + $table.Count] | Should -Be ''
            $other = { param($lines) $lines | Where-Object { $_ -notmatch '^\|' } }
            & $other $after | Should -Be (& $other (Get-Content "$root/$($document.Path)"))
            $table -match '^\| This module, in a new `pwsh` \|.* \d' | Should -Not -BeNullOrEmpty
        }
    }

    It 'draws a plot' {
        & cargo run --quiet --locked --manifest-path "$root/Cargo.toml" -p sso-bench -- $results "$TestDrive/plot.svg"
        $LASTEXITCODE | Should -Be 0
        [xml] (Get-Content -Raw "$TestDrive/plot.svg") | ForEach-Object { $_.svg.text.InnerText -join ' ' } | Should -Match '(?s)answers after 50 ms.*profiles .*this module'
    }
}
