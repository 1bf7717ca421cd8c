# The programs that the module is compared with: what is installed, and how each is started.

# PyPI's and npm's packages for the comparison, in .tools/bench of this checkout.
$peerFolder = Join-Path $PSScriptRoot ../.tools/bench

# Installs packages again only if the list of them has changed.
function Install-Peer([string] $Folder, [string] $List, [scriptblock] $Install) {
    $mark = Join-Path $Folder (Split-Path -Leaf $List)
    if ((Test-Path $mark) -and (Get-FileHash $mark).Hash -eq (Get-FileHash $List).Hash) { return $true }
    Remove-Item $Folder -Recurse -Force -ErrorAction Ignore
    $null = New-Item -ItemType Directory $Folder -Force
    $null = & $Install 2>&1
    if ($LASTEXITCODE -ne 0) { return $false }
    Copy-Item $List $mark
    $true
}

$peerPython = $null

# A Python with boto3, yawsso and the AWS CLI. Returns its path, the folder of its programs and its versions, or what is missing.
function Get-PeerPython {
    $script:peerPython ??= Find-PeerPython
    $script:peerPython
}

function Find-PeerPython {
    $missing = { param($why) [pscustomobject] @{ Missing = $why } }
    $python = Get-Command python3, python -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if (-not $python) { return & $missing 'Python 3 is not installed' }
    $folder, $list = (Join-Path $peerFolder python), (Join-Path $PSScriptRoot peers/requirements.txt)
    $programs = Join-Path $folder $(if ($IsWindows) { 'Scripts' } else { 'bin' })
    $own = Join-Path $programs "python$(if ($IsWindows) { '.exe' })"
    $installed = Install-Peer $folder $list {
        & $python -m venv $folder
        if ($LASTEXITCODE -eq 0) { & $own -m pip install --quiet --disable-pip-version-check --timeout 15 --retries 1 --require-hashes -r $list }
    }
    if (-not $installed) { return & $missing 'pip could not install the packages of bench/peers/requirements.txt (is the network reachable?)' }
    $version = @{}
    Get-Content $list | Select-String '^(\S+)==(\S+)' | ForEach-Object { $version[$_.Matches[0].Groups[1].Value] = $_.Matches[0].Groups[2].Value }
    [pscustomobject] @{ Program = $own; Folder = $programs; Version = $version; Missing = $null }
}

$peerNode = $null

# Node.js and the folder with the AWS SDK for JavaScript, or what is missing.
function Get-PeerNode {
    $script:peerNode ??= Find-PeerNode
    $script:peerNode
}

function Find-PeerNode {
    $missing = { param($why) [pscustomobject] @{ Missing = $why } }
    $node, $npm = 'node', 'npm' | ForEach-Object { Get-Command $_ -CommandType Application -ErrorAction Ignore | Select-Object -First 1 }
    if (-not $node -or -not $npm) { return & $missing 'Node.js is not installed' }
    $folder, $list = (Join-Path $peerFolder node), (Join-Path $PSScriptRoot peers/package-lock.json)
    $installed = Install-Peer $folder $list {
        Copy-Item (Join-Path $PSScriptRoot peers/package.json), $list $folder
        # Packages of npm run no code when they are installed.
        & $npm ci --prefix $folder --ignore-scripts --no-audit --no-fund
    }
    if (-not $installed) { return & $missing 'npm could not install the packages of bench/peers (is the network reachable?)' }
    $version = (Get-Content -Raw (Join-Path $PSScriptRoot peers/package.json) | ConvertFrom-Json).dependencies.'@aws-sdk/client-sso'
    [pscustomobject] @{ Program = $node.Source; Folder = $folder; Version = $version; Missing = $null }
}

$peerCli2 = $null

# A folder with the program aws of the AWS CLI 2, without which yawsso does not start, and its version. Or what is missing.
function Get-PeerCli2 {
    $script:peerCli2 ??= Find-PeerCli2
    $script:peerCli2
}

function Find-PeerCli2 {
    if ($IsWindows) { return [pscustomobject] @{ Missing = 'the comparison starts it with a shell script' } }
    foreach ($command in @('aws'), @('/usr/bin/python3', '-m', 'awscli')) {
        $program = Get-Command $command[0] -CommandType Application -ErrorAction Ignore | Select-Object -First 1
        if (-not $program) { continue }
        $words = @($program.Source) + @($command | Select-Object -Skip 1)
        $said = & $words[0] @($words | Select-Object -Skip 1) --version 2>&1 | Out-String
        if ($said -notmatch '^aws-cli/(2\.[\d.]+)') { continue }
        $version = $Matches[1]
        $folder = New-TestFolder
        # Versions before 2.13 do not know the variable of the endpoint.
        [IO.File]::WriteAllText("$folder/aws", "#!/bin/sh`nexec $($words -join ' ') --endpoint-url `"`$AWS_ENDPOINT_URL_SSO`" `"`$@`"`n")
        chmod +x "$folder/aws"
        return [pscustomobject] @{ Folder = $folder; Version = $version; Missing = $null }
    }
    [pscustomobject] @{ Missing = 'the AWS CLI 2 is not installed' }
}

# A profile as `aws configure sso` wrote it before there were sessions, which all tools read: its name, and the number of its account.
function Get-LegacyProfile([string] $Name, [int] $Number) {
    "[profile $Name]`nsso_start_url = $($standIn.StartUrl)`nsso_region = us-west-2`nsso_account_id = $(Get-AccountId $Number)`nsso_role_name = AWSAdministratorAccess`nregion = us-west-2`n`n"
}
