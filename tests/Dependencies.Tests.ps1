# What goes into a package: crates, their licenses and reasons, and the workflows that make it.

Describe 'What goes into a package' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        . "$root/build.ps1"
    }

    It 'lists exactly the crates of all platforms'' libraries and programs in the third-party notices' {
        $notices = Select-String -Path "$root/THIRD-PARTY-NOTICES.txt" '^  (\S+) (\d+\.\d+\.\d+\S*)(  http\S+)?$' | ForEach-Object { "$($_.Matches[0].Groups[1]) $($_.Matches[0].Groups[2])" } | Sort-Object -Unique
        $targets = Select-String -Path "$root/about.toml" '^    "(\S+)",$' | ForEach-Object { $_.Matches[0].Groups[1].Value }
        $targets.Count | Should -Be $platforms.Count
        $crates = foreach ($target in $targets) {
            cargo tree --manifest-path "$root/Cargo.toml" -p sso-ffi -p sso-credential-process --locked --edges normal --target $target --prefix none --format '{p}'
        }
        $crates = $crates | Where-Object { $_ -notmatch '^sso-' } | ForEach-Object { $_ -replace '^(\S+) v(\S+).*', '$1 $2' } | Sort-Object -Unique
        $crates | Where-Object { $_ -notin $notices } | Should -BeNullOrEmpty -Because 'build.ps1 Generate renews the notices'
        $locked = [regex]::Matches((Get-Content -Raw "$root/Cargo.lock"), 'name = "(\S+)"\r?\nversion = "(\S+)"') | ForEach-Object { "$($_.Groups[1]) $($_.Groups[2])" }
        $notices | Where-Object { $_ -notin $locked } | Should -BeNullOrEmpty -Because 'build.ps1 Generate renews the notices'
    }

    It 'contains only crates from crates.io, under licenses that deny.toml allows' {
        if (-not (Get-Command cargo-deny -CommandType Application -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'cargo-deny is not installed'; return }
        # cargo-deny reads the crates of all platforms, and a build fetches those of its own.
        $null = cargo fetch --manifest-path "$root/Cargo.toml" --locked 2>&1
        if ($LASTEXITCODE -ne 0) { Set-ItResult -Skipped -Because 'the crates of other platforms could not be downloaded'; return }
        $output = cargo deny --manifest-path "$root/Cargo.toml" --locked --offline check licenses bans sources 2>&1 | Out-String
        $LASTEXITCODE | Should -Be 0 -Because $output
        $output | Should -Match 'bans ok, licenses ok, sources ok'
    }

    It 'has a reason for each crate in docs/dependencies.md' {
        $table = Get-Content -Raw "$root/docs/dependencies.md"
        $asked = cargo metadata --manifest-path "$root/Cargo.toml" --locked --no-deps --format-version 1 | ConvertFrom-Json
        $missing = $asked.packages.dependencies.name | Sort-Object -Unique | Where-Object { $_ -notmatch '^sso-' -and $table -notmatch "(?m)^\|[^|]*(?<![\w-])$_(?![\w-])[^|]*\|" }
        $missing | Should -BeNullOrEmpty
    }

    It 'comes from workflows without an error that actionlint finds' {
        if (-not (Get-Command actionlint -CommandType Application -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'actionlint is not installed'; return }
        $output = actionlint (Get-Item "$root/.github/workflows/*.yml") 2>&1 | Out-String
        $LASTEXITCODE | Should -Be 0 -Because $output
    }
}
