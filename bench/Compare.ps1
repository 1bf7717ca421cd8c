# (i) and (j): the module beside what people would use instead, as whole programs and in a program that already runs, also over TLS.

# The milliseconds until the service answers, the same for all.
$wayDelay = 50

# The profiles over TLS.
$tlsProfiles = 100

# The programs that are compared, in the order of the table. Those without Warm start a new program for each profile, so nothing of them can be warm.
$ways = [ordered] @{
    module = @{ Label = 'this module, in a new pwsh'; Warm = $true }
    boto3 = @{ Label = 'boto3, a pool of 16 threads'; Warm = $true }
    javascript = @{ Label = 'AWS SDK for JavaScript, batches of 16'; Warm = $true }
    script = @{ Label = 'the script, in a new pwsh' }
    yawsso = @{ Label = 'yawsso' }
    cli = @{ Label = 'a loop over aws sso get-role-credentials' }
    helper = @{ Label = 'a loop over sso-credential-process' }
}

# Those that take half a second or so for each profile are measured with fewer.
$fewProfiles = 'yawsso', 'cli', 'helper'

# A home folder with a session and no keys, and what programs need to know of it. $Variable are those of the certificate.
function New-Place([object] $Service, [int] $Count, [hashtable] $Variable = @{}) {
    $made = New-UserHome
    Add-Environment $made $Service -Count $Count
    $login = Invoke-UserPowerShell $made $Service 'Connect-SsoSession Acme -NoBrowser' $Variable
    if ($login.Errors) { throw "The login failed: $($login.Errors[0].Message)" }
    $profiles = Join-Path $made profiles.txt
    [IO.File]::WriteAllText($profiles, -join (1..$Count | ForEach-Object { "Account$_ $(Get-AccountId $_) AWSAdministratorAccess`n" }))
    $variables = Get-UserVariable $made $Service (@{ AWS_EC2_METADATA_DISABLED = 'true'; AWS_REGION = 'us-west-2' } + $Variable)
    [pscustomobject] @{
        Home = $made; Count = $Count; Profiles = $profiles; Credentials = Get-AwsPath $made credentials; Variables = $variables
        Token = Get-AwsPath $made "sso/cache/$(Get-Sha1 $Service.StartUrl).json"
    }
}

# What the module runs: so many updates of everything. The figures are those that the other programs print; ConvertTo-Json would load a module for them.
function Get-ModuleCommand([int] $Passes) {
    $text = @"
        Import-Module $quotedManifest
        `$seconds = foreach (`$pass in 1..$Passes) {
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            Update-SsoCredential Acme -Force 6>`$null
            `$watch.Elapsed.TotalSeconds
        }
        `$process = [Diagnostics.Process]::GetCurrentProcess()
        `$figures = @(`$seconds -join ','; `$process.TotalProcessorTime.TotalSeconds; `$process.PeakWorkingSet64 / 1MB)
        [string]::Format([cultureinfo]::InvariantCulture, '{{"seconds":[{0}],"cpu":{1},"memory":{2}}}', `$figures)
"@
    @(Get-PowerShell) + '-NoProfile', '-NonInteractive', '-Command', $text
}

# The reason why a way is left out, or nothing.
function Get-Missing([string] $Way) {
    if ($Way -in 'cli', 'yawsso', 'helper' -and $IsWindows) { return 'the comparison starts it with a shell script' }
    switch ($Way) {
        { $_ -in 'boto3', 'cli' } { (Get-PeerPython).Missing }
        'javascript' { (Get-PeerNode).Missing }
        'script' { if (-not $hasScript) { 'the folder of -Baseline has no Measure-Baseline.ps1' } }
        'yawsso' { (Get-PeerPython).Missing ?? (Get-PeerCli2).Missing }
    }
}

# Which version of it is compared.
function Get-WayVersion([string] $Way) {
    switch ($Way) {
        'module' { "$((Import-PowerShellDataFile $manifest).ModuleVersion), PowerShell $($PSVersionTable.PSVersion)" }
        'boto3' { (Get-PeerPython).Version.boto3 }
        'javascript' { (Get-PeerNode).Version }
        'yawsso' { "$((Get-PeerPython).Version.yawsso), AWS CLI $((Get-PeerCli2).Version)" }
        'cli' { (Get-PeerPython).Version.awscli }
    }
}

# The command line of a way, and the folder that comes first on its PATH.
function Get-WayCommand([string] $Way, [object] $Place, [int] $Passes) {
    $peers = Join-Path $PSScriptRoot peers
    $own = $Place.Token, $Place.Profiles, $Place.Credentials
    switch ($Way) {
        'module' { @{ Words = Get-ModuleCommand $Passes } }
        'boto3' { @{ Words = @((Get-PeerPython).Program, "$peers/boto3_pool.py") + $own + "$Passes" } }
        'javascript' { @{ Words = @((Get-PeerNode).Program, "$peers/sdk_batches.mjs", (Get-PeerNode).Folder) + $own + "$Passes" } }
        'cli' { @{ Words = @('/bin/sh', "$peers/cli_loop.sh") + $own; Folder = (Get-PeerPython).Folder } }
        'yawsso' { @{ Words = @(Join-Path (Get-PeerPython).Folder yawsso); Folder = (Get-PeerCli2).Folder } }
        'helper' { @{ Words = '/bin/sh', "$peers/helper_loop.sh", (Get-HelperProgram), $Place.Profiles } }
    }
}

# Runs it once, from no keys to all. Returns its seconds as a whole program, and what it printed about itself.
function Measure-Way([string] $Way, [object] $Place, [int] $Passes = 1) {
    Remove-Item $Place.Credentials, (Get-AwsPath $Place.Home sso/role-credentials) -Recurse -ErrorAction Ignore
    $command = Get-WayCommand $Way $Place $Passes
    $variables = $Place.Variables.Clone()
    if ($command.ContainsKey('Folder')) { $variables.PATH = $command.Folder + [IO.Path]::PathSeparator + $variables.PATH }
    $ended = Measure-Program $command.Words $variables
    # Each program of the loop over helpers ends with an error if it has no keys.
    $written = if ($Way -eq 'helper') { $Place.Count } else { @(Select-String '^\[' $Place.Credentials -ErrorAction Ignore).Count }
    if ($written -ne $Place.Count) { throw "$($ways[$Way].Label) wrote $written of $($Place.Count) profiles: $($ended.Text)" }
    [pscustomobject] @{ Seconds = $ended.Milliseconds / 1000; Own = if ($ways[$Way].ContainsKey('Warm')) { ($ended.Text -split "`n")[-1] | ConvertFrom-Json } }
}

# Number of profiles -> the place where all ways run.
$places = @{}

function Get-Place([int] $Count) {
    $places[$Count] ??= New-Place $standIn $Count
    $places[$Count]
}

# yawsso reads the profiles of ~/.aws/config, which would be environments to the module.
$yawssoPlace = $null

function Get-YawssoPlace {
    if (-not $script:yawssoPlace) {
        $script:yawssoPlace = New-Place $standIn $LoopProfile
        Add-AwsText $script:yawssoPlace.Home config (-join (1..$LoopProfile | ForEach-Object { Get-LegacyProfile "Account$_" $_ }))
    }
    $script:yawssoPlace
}

# (i)
function Measure-Compare {
    Set-StandIn $standIn @{ clear = $true; delay = 0 }
    Add-Figure 'compare, pwsh' ((Measure-Process (New-UserHome) 'exit') / 1000)
    foreach ($way in $ways.Keys) {
        if ($missing = Get-Missing $way) {
            $leftOut[$ways[$way].Label] = $missing
            continue
        }
        # One that fails is left out; the others go on.
        try { Measure-AllOf $way }
        catch { $leftOut[$ways[$way].Label] = Get-Reason $_ }
    }
}

function Measure-AllOf([string] $Way) {
    if ($Way -eq 'script') {
        foreach ($count in $compared | Where-Object Delay -EQ $wayDelay | ForEach-Object Profiles) {
            if (Test-Enough $count "script warm $count") { continue }
            $figures = Measure-Script $count $wayDelay
            Add-Figure "script cold $count" ($seen['compare, pwsh'][-1] + ($figures.import_ms + $figures.first_ms) / 1000)
            Add-Figure "script warm $count" (Measure-ScriptAlone $count $wayDelay)
        }
        return
    }
    foreach ($count in $Way -in $fewProfiles ? $LoopProfile : $ProfileCount) {
        $place = if ($Way -eq 'yawsso') { Get-YawssoPlace } else { Get-Place $count }
        Set-StandIn $standIn @{ clear = $true; delay = $wayDelay }
        $cold = Measure-Way $Way $place
        Add-Figure "$Way cold $count" $cold.Seconds
        if (-not $cold.Own) { continue }
        Add-Figure "$Way cpu $count" $cold.Own.cpu
        Add-Figure "$Way memory $count" $cold.Own.memory
        Add-Figure "$Way warm $count" (Measure-Way $Way $place 2).Own.seconds[1]
    }
}

function Get-CompareResult {
    $rows = foreach ($way in $ways.Keys) {
        $counts = $seen.Keys -match "^$way cold \d+$" | ForEach-Object { [int] ($_ -split ' ')[-1] } | Sort-Object
        foreach ($count in $counts) {
            $row = [ordered] @{ way = $way; label = $ways[$way].Label; version = Get-WayVersion $way; profiles = $count; delay_ms = $wayDelay; cold_seconds = Get-Figure "$way cold $count" }
            foreach ($pair in @('warm', 'seconds'), @('cpu', 'seconds'), @('memory', 'mb')) {
                if ($seen.Contains("$way $($pair[0]) $count")) { $row["$($pair[0])_$($pair[1])"] = Get-Figure "$way $($pair[0]) $count" }
            }
            if ($way -eq 'module' -and $count -eq 100 -and $seen.Contains("boto3 cold $count")) {
                $row.target = Get-Target 'ahead of boto3' ($row.cold_seconds.median -lt (Get-Figure "boto3 cold $count").median)
            }
            if ($way -eq 'script') { $row.note = 'With its login, since it keeps no session. Warm: a run of it with one profile is subtracted.' }
            if ($way -in $fewProfiles) { $row.note = "Only $count profiles, one after another." }
            $row
        }
    }
    if (-not $rows) { throw 'Nothing could be compared.' }
    $reasons = [ordered] @{}
    foreach ($label in $ways.Values | ForEach-Object Label | Where-Object { $leftOut.Contains($_) }) { $reasons[$label] = $leftOut[$label] }
    @{ compared = @($rows); not_compared = $reasons }
}

function Get-CompareTable([Collections.IDictionary] $Result) {
    foreach ($row in $Result.compared) {
        $version = if ($row.version -and $row.way -ne 'module') { " $($row.version)" }
        $target = if ($row.Contains('target')) { $row.target }
        Get-Row i "$($row.label)$version, $($row.profiles) profiles" $row.cold_seconds s "$(Format-Number ($row.cold_seconds.median / $row.profiles * 1000)) ms each" $target
        if ($row.Contains('warm_seconds')) { Get-Row i '  warm' $row.warm_seconds s }
        if ($row.Contains('cpu_seconds') -and $row.profiles -ge 1000) {
            Get-Row i '  CPU time' $row.cpu_seconds s
            Get-Row i '  memory, peak' $row.memory_mb MB
        }
    }
}

# (j)
$securePlace = $null

# A stand-in with TLS, whose certificate the programs get by variables.
function Get-SecurePlace {
    if (-not $script:securePlace) {
        $folder = New-TestFolder
        New-Certificate $folder
        $secure = Start-StandIn '--accounts', "$tlsProfiles", '--approve-after-polls', '0', '--delay', "$wayDelay", '--tls-cert', "$folder/certificate.pem", '--tls-key', "$folder/key.pem"
        $place = New-Place $secure $tlsProfiles @{ AWS_CA_BUNDLE = "$folder/certificate.pem"; NODE_EXTRA_CA_CERTS = "$folder/certificate.pem" }
        $script:securePlace = $place | Add-Member Service $secure -PassThru
    }
    $script:securePlace
}

function Measure-Tls {
    $place = Get-SecurePlace
    $count = { Invoke-RestMethod "$($place.Service.Url)/_stats" -NoProxy -SkipCertificateCheck }
    foreach ($way in 'module', 'boto3', 'javascript') {
        if (Get-Missing $way) { continue }
        $before = & $count
        Add-Figure "tls, $way" (Measure-Way $way $place).Seconds
        $after = & $count
        # The second of these requests for the counts opened a connection, too.
        Add-Figure "tls connections, $way" ($after.connections - $before.connections - 1)
        Add-Figure "tls resumed, $way" ($after.resumed - $before.resumed)
        Add-Figure "tls http2, $way" ($after.http2 - $before.http2)
        if ($after.violations -and $way -eq 'module') { throw "The module broke the protocol: $($after.violations[0])" }
    }
}

function Get-TlsResult {
    $rows = foreach ($way in $seen.Keys -match '^tls, ' -replace '^tls, ') {
        $http2 = Get-Figure "tls http2, $way"
        $row = [ordered] @{
            way = $way; profiles = $tlsProfiles; delay_ms = $wayDelay; protocol = if ($http2.min -ge $tlsProfiles) { 'HTTP/2' } else { 'HTTP/1.1' }
            cold_seconds = Get-Figure "tls, $way"; handshakes = Get-Figure "tls connections, $way"; of_these_resumed = Get-Figure "tls resumed, $way"
        }
        if ($way -eq 'module') { $row.target = Get-Target '1 handshake' ($row.handshakes.max -eq 1) }
        $row
    }
    @{ tls = @($rows) }
}

function Get-TlsTable([Collections.IDictionary] $Result) {
    foreach ($row in $Result.tls) {
        Get-Row j "$($ways[$row.way].Label), $($row.profiles) profiles over TLS, $($row.protocol)" $row.cold_seconds s
        $target = if ($row.Contains('target')) { $row.target }
        Get-Row j '  TLS handshakes' $row.handshakes '' "$(Format-Number $row.of_these_resumed.median) of them resumed" $target
    }
}
