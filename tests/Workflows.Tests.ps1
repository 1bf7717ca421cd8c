# The workflows, and the versions of the programs that build, test and sign a release. What GitHub does with them is not tested.
Describe 'The workflows' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        $files = Get-ChildItem "$root/.github/workflows", "$root/.github/actions" -Recurse -File -Include *.yml, *.yaml
        $text = ($files | Get-Content -Raw) -join "`n"

        # The actions that a text uses and that somebody could change without a commit here.
        function Find-UnpinnedAction([string] $Text) {
            [regex]::Matches($Text, '(?m)^[ -]*uses: *(.*?) *\r?$') | ForEach-Object { $_.Groups[1].Value } |
                Where-Object { $_ -notmatch '^\./' -and $_ -cnotmatch '^[\w-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$' }
        }

        # The commands of a text that install the version of the day.
        function Find-UnpinnedInstall([string] $Text) {
            [regex]::Matches($Text, '(?m)^[ -]*(?:run: *)?(.*(?:\bcargo install|\bdotnet tool install|\bpip3? (?:install|download)|\b(?:Install|Save)-(?:PSResource|Module)|\brustup (?:toolchain install|update|default)|\bnpm (?:install|i)\b|\bbrew install).*?)\r?$') |
                ForEach-Object { $_.Groups[1].Value } |
                Where-Object { $_ -notmatch '@\d+\.\d+\.\d+|--version \$version|-Version \(|--require-hashes|toolchain install "\$RUST"' }
        }

        # The jobs of a workflow: a name and the lines.
        function Get-Job([string] $Path) {
            $jobs = (Get-Content -Raw $Path) -replace '(?s)^.*?\njobs:\r?\n'
            [regex]::Matches($jobs, '(?ms)^  (\w+):\r?\n(.*?)(?=^  \w+:\r?\n|\z)') | ForEach-Object {
                [pscustomobject] @{
                    Workflow    = Split-Path -LeafBase $Path
                    Name        = $_.Groups[1].Value
                    Text        = $_.Groups[2].Value
                    Permissions = [regex]::Match($_.Groups[2].Value, '(?ms)^    permissions:\r?\n((?:^      \S.*?\n)+)').Groups[1].Value -split '\r?\n' | ForEach-Object Trim | Where-Object { $_ }
                    Actions     = [regex]::Matches($_.Groups[2].Value, 'uses: *([^@\s]+)') | ForEach-Object { $_.Groups[1].Value }
                    Commands    = [regex]::Matches($_.Groups[2].Value, '(?m)^[ -]*run: *(.*?)\r?$') | ForEach-Object { $_.Groups[1].Value }
                }
            }
        }
        $jobs = Get-ChildItem "$root/.github/workflows" -File | ForEach-Object { Get-Job $_.FullName }
        $tools = Get-Content -Raw "$root/.github/actions/tools/action.yml"
    }

    It 'are read whole by these tests' {
        "$($jobs | ForEach-Object { "$($_.Workflow)/$($_.Name)" })" |
            Should -Be 'ci/test ci/dependencies release/build release/pack release/test release/sign release/publish release/announce'
        $jobs | Where-Object { -not $_.Actions -and -not $_.Commands } | Should -BeNullOrEmpty
    }

    It 'use each action by its commit, with the version beside it, so that a moved tag changes nothing here' {
        [regex]::Matches($text, 'uses:').Count | Should -BeGreaterThan 10
        Find-UnpinnedAction $text | Should -BeNullOrEmpty
        # Two commits of one action would be one forgotten.
        $pins = [regex]::Matches($text, '([\w./-]+)@[0-9a-f]{40} # v[\d.]+') | Group-Object { $_.Groups[1].Value }
        foreach ($pin in $pins) { @($pin.Group.Value | Sort-Object -Unique) | Should -HaveCount 1 }
    }

    It 'would be refused with <_>' -ForEach @(
        'uses: actions/checkout@v7'
        '- uses: actions/checkout@main'
        'uses: actions/checkout'
        'uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1'
        'uses: actions/checkout@3d3c42e # v7.0.1'
        'uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7'
        'uses: docker://alpine:3'
    ) {
        Find-UnpinnedAction "    steps:`n      $_`n" | Should -HaveCount 1
    }

    It 'would be refused with the command <_>' -ForEach @(
        'run: cargo install --locked cargo-deny'
        'run: .tools/python/bin/pip install -r .ci/requirements.txt'
        'run: pip install botocore==1.44.8'
        'run: rustup update stable'
        '  Install-PSResource Pester -TrustRepository'
        '  Install-PSResource PSScriptAnalyzer -Version "[1.24,2.0)" -TrustRepository'
        '  dotnet tool install PowerShell --version "$env:VERSION.*" --tool-path .tools/powershell'
    ) {
        Find-UnpinnedInstall "        $_`n" | Should -HaveCount 1
    }

    It 'are renewed by Dependabot, as are crates, wheels and the tools of .NET' {
        $dependabot = Get-Content -Raw "$root/.github/dependabot.yml"
        foreach ($ecosystem in 'github-actions', 'cargo', 'pip', 'nuget') { $dependabot | Should -Match "(?m)^  - package-ecosystem: $ecosystem\r?$" }
        # Of the actions it looks into the workflows by itself, and into no folder of a composite action that is not named.
        foreach ($action in Get-ChildItem "$root/.github/actions" -Directory) { $dependabot | Should -Match "directories: \[/, [^\]]*/\.github/actions/$($action.Name)\b" }
    }

    It 'begin with no permission; each job names what it needs' {
        foreach ($file in Get-ChildItem "$root/.github/workflows" -File) { Get-Content -Raw $file | Should -Match '(?m)^permissions: \{\}\r?$' }
        $jobs | Where-Object { -not $_.Permissions } | Should -BeNullOrEmpty
        $jobs | Where-Object { $_.Workflow -eq 'ci' -and "$($_.Permissions)" -ne 'contents: read' } | Should -BeNullOrEmpty
        $text | Should -Not -Match 'write-all|pull_request_target|workflow_run'
    }

    It 'let one job prove who it is, and that job runs nothing but the signing' {
        $signing = @($jobs | Where-Object { $_.Permissions -match '^(id-token|attestations):' })
        $signing.Name | Should -Be 'sign'
        $signing.Actions | Should -BeIn 'actions/download-artifact', 'actions/attest', 'sigstore/cosign-installer', 'actions/upload-artifact'
        # One line of its own, whose one program is cosign.
        $signing.Commands | Should -HaveCount 1
        $signing.Commands | Should -Match '^for file in out/\*\.nupkg out/\*\.zip; do cosign sign-blob [^;|&]*; done$'
    }

    It 'let one job write to the repository, and that job runs nothing but gh' {
        $writing = @($jobs | Where-Object { $_.Permissions -contains 'contents: write' })
        $writing.Name | Should -Be 'announce'
        $writing.Actions | Should -BeIn 'actions/checkout', 'actions/download-artifact'
        $writing.Commands | Should -Match '^gh release create [^;|&]*$'
    }

    It 'let no job write anything else' {
        $jobs.Permissions | Where-Object { $_ -match 'write' } | Sort-Object | Should -Be 'attestations: write', 'contents: write', 'id-token: write'
    }

    It 'give the key of the gallery to the one step that publishes' {
        $text | Select-String 'secrets\.' -AllMatches | ForEach-Object Matches | Should -HaveCount 1
        ($jobs | Where-Object Name -eq 'publish').Text | Should -Match '(?m)build\.ps1 Publish[^\n]*\n        env:\r?\n          PSGALLERY_API_KEY: \$\{\{ secrets\.PSGALLERY_API_KEY \}\}'
    }

    It 'publish what was tested and signed: no job that follows the packing builds a package' {
        foreach ($pair in @{ test = 'pack'; sign = 'test'; publish = 'sign'; announce = 'publish' }.GetEnumerator()) {
            $job = $jobs | Where-Object { $_.Workflow -eq 'release' -and $_.Name -eq $pair.Key }
            $job.Text | Should -Match "(?m)^    needs: $($pair.Value)\r?$"
            $job.Commands | Should -Not -Match 'build\.ps1 (Build|Pack)'
            $job.Actions | Should -Contain 'actions/download-artifact'
        }
    }

    It 'pack the address of the repository that they run in' {
        ($jobs | Where-Object Name -eq 'pack').Text |
            Should -Match '(?m)build\.ps1 Pack -Full\r?\n        env:\r?\n(?: +#.*\n)*          PROJECT_URI: \$\{\{ github\.server_url \}\}/\$\{\{ github\.repository \}\}'
    }

    It 'leave no token in the folder of a checkout' {
        $checkouts = [regex]::Matches($text, '(?m)^( *)- uses: actions/checkout@.*\r?\n(?:\1  .*\r?\n)*')
        $checkouts.Count | Should -BeGreaterThan 5
        $checkouts.Value | Where-Object { $_ -notmatch '(?m)^ +persist-credentials: false\r?$' } | Should -BeNullOrEmpty
    }

    It 'put no expression into a script, where the text of a branch or a pull request would be code' {
        $scripts = [regex]::Matches($text, '(?m)^( *)(?:- )?run: (?:\|\r?\n(?:(?:\1 +.*)?\r?\n)+|.*)').Value
        $scripts.Count | Should -BeGreaterThan 5
        $scripts | Where-Object { $_ -match '\$\{\{' } | Should -BeNullOrEmpty
    }

    It 'install exact versions of the programs that build and test' {
        Find-UnpinnedInstall $text | Should -BeNullOrEmpty
        $tools | Should -Match '(?m)^        RUST: \d+\.\d+\.\d+\r?$'
        $text | Should -Not -Match 'runs-on: \S+-latest'
        # cosign-installer would take the version of its own day.
        $text | Should -Match 'cosign-release: v\d+\.\d+\.\d+'
    }

    It 'install the module that checks PowerShell files, in one exact version' {
        $tools | Should -Match '(?m)^        Install-PSResource PSScriptAnalyzer -Version \(Get-Content -Raw \.config/psscriptanalyzer\.json '
        (Get-Content -Raw "$root/.config/psscriptanalyzer.json" | ConvertFrom-Json).version | Should -Match '^\d+\.\d+\.\d+$'
    }

    It 'use the Rust that Cargo.toml asks for or a later one' {
        $asked = [regex]::Match((Get-Content -Raw "$root/Cargo.toml"), 'rust-version = "([\d.]+)"').Groups[1].Value
        [version] [regex]::Match($tools, 'RUST: ([\d.]+)').Groups[1].Value | Should -BeGreaterOrEqual ([version] $asked)
    }

    It 'use the .NET SDK that build.sh downloads' {
        $sdk = [regex]::Match((Get-Content -Raw "$root/build.sh"), '(?m)^sdk=(\S+)').Groups[1].Value
        $sdk | Should -Match '^\d+\.\d+\.\d+$'
        $versions = [regex]::Match($tools, '(?ms)dotnet-version: \|\r?\n((?: {10}\S+\r?\n)+)').Groups[1].Value -split '\s+' | Where-Object { $_ }
        $versions | Should -Contain $sdk
        $versions | Should -Match '^\d+\.\d+\.\d+$'
    }

    It 'test with exact versions of PowerShell, the newest of which is the one of .config/dotnet-tools.json' {
        $newest = (Get-Content -Raw "$root/.config/dotnet-tools.json" | ConvertFrom-Json).tools.powershell.version
        $matrices = [regex]::Matches($text, "powershell: \[([^\]]+)\]")
        $matrices | Should -HaveCount 2
        foreach ($matrix in $matrices) {
            $versions = $matrix.Groups[1].Value -replace "'" -split ', '
            $versions | Should -Match '^\d+\.\d+\.\d+$'
            $versions[-1] | Should -Be $newest -Because 'ci.yml and release.yml follow .config/dotnet-tools.json'
        }
    }

    It 'run the long tests with each change' {
        $commands = ($jobs | Where-Object { $_.Workflow -eq 'ci' -and $_.Name -eq 'test' }).Commands
        $groups = [regex]::Match((Get-Content -Raw "$root/build.ps1"), "ValidateSet\(([^)]+)\)\]\r?\n    \[string\] \`$On").Groups[1].Value -replace "'" -split ', '
        # The workflow has a machine for each system, and needs neither Wine nor qemu.
        $groups = @($groups | Where-Object { $_ -notin 'windows', 'linux-arm64' })
        $groups | Should -Not -BeNullOrEmpty
        foreach ($group in $groups) { $commands | Should -Contain "pwsh -NoProfile -File build.ps1 Test -On $group" }
    }

    It 'look for known vulnerabilities of the crates, with each change and each week' {
        Get-Content -Raw "$root/.github/workflows/ci.yml" | Should -Match '(?m)^    - cron: '
        $commands = ($jobs | Where-Object Name -eq 'dependencies').Commands
        # Without a list of checks, cargo-deny makes all, the advisories among them.
        $commands | Should -Contain 'cargo deny --locked check'
        # One version of it, here and for .ci/run.
        $asked = "$commands $(Get-Content -Raw "$root/.ci/run")" | Select-String 'cargo-deny@(\S+)' -AllMatches
        $asked.Matches.Value | Sort-Object -Unique | Should -HaveCount 1
    }
}

Describe 'The programs from PyPI in <_>' -ForEach '.ci', 'bench/peers' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        # One entry for each package: name, version and the rest of its lines.
        $locked = [regex]::Matches((Get-Content -Raw "$root/$_/requirements.txt"), '(?m)^([A-Za-z][\w.-]*)(==\S+)?((?:.*\\\r?\n)*.*)')
    }

    It 'are each one version, with the SHA-256 of the files that are that version' {
        $locked.Count | Should -BeGreaterThan 4
        foreach ($package in $locked) {
            $package.Groups[2].Value | Should -Match '^==\d+(\.\w+)+$'
            $package.Groups[3].Value | Should -Match '--hash=sha256:[0-9a-f]{64}\b'
            $package.Groups[3].Value | Should -Not -Match '--hash=(?!sha256:[0-9a-f]{64}(\s|\\|$))'
        }
    }

    It 'are those of requirements.in, with what they need' {
        $asked = Get-Content "$root/$_/requirements.in" | Where-Object { $_ -match '^[a-z]' }
        $asked | Should -Not -BeNullOrEmpty
        $found = $locked | ForEach-Object { "$($_.Groups[1])$($_.Groups[2])" }
        $asked | Where-Object { $_ -notin $found } | Should -BeNullOrEmpty -Because 'pip-compile renews requirements.txt'
        # What botocore reads dates with needs six; without the whole tree pip would refuse to install any of it.
        foreach ($needed in 'jmespath', 'python-dateutil', 'six', 'urllib3') { $locked.ForEach({ $_.Groups[1].Value }) | Should -Contain $needed }
    }

    It 'are installed only with these hashes, and as wheels, which run no code while they are installed' {
        Get-Content -Raw "$root/$_/requirements.txt" | Should -Match '(?m)^--only-binary :all:\r?$'
        $files, $list = if ($_ -eq '.ci') { @('.ci/run', '.github/actions/tools/action.yml', 'CONTRIBUTING.md'), '\.ci/requirements\.txt' } else { @('bench/Peers.ps1'), '\$list' }
        foreach ($file in $files) {
            $commands = Select-String -Path "$root/$file" 'pip install .*' | ForEach-Object { $_.Matches.Value }
            $commands | Should -Not -BeNullOrEmpty
            $commands | Should -Match "--require-hashes -r $list"
        }
    }
}
