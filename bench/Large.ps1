# (f) and (k): one profile in a large file, and commands over thousands of profiles.

# The most that a write may take, as a multiple of its floor.
$mostFloors = 1.3

# Number of profiles -> a credentials file with that many.
$files = @{}

function Get-File([int] $Size) {
    if (-not $files.ContainsKey($Size)) {
        $files[$Size] = Join-Path (New-TestFolder) credentials
        $text = foreach ($number in 1..$Size) {
            "[Account$number]`naws_access_key_id = ASIA$('X' * 16)`naws_secret_access_key = $('s' * 40)`naws_session_token = $('t' * 500)`n" +
            "aws_account_id = $(Get-AccountId $number)`nx_security_token_expires = 2030-01-01T00:00:00Z`nx_sso_role_name = AWSAdministratorAccess`n`n"
        }
        [IO.File]::WriteAllText($files[$Size], -join $text)
    }
    $files[$Size]
}

# The program floor.rs, compiled once. It has no dependencies.
$floorProgram = $null

function Get-FloorProgram {
    if (-not $script:floorProgram) {
        $rustc = Get-Command rustc -CommandType Application -ErrorAction Ignore | Select-Object -First 1
        if (-not $rustc) { return }
        $program = Join-Path (New-TestFolder) "floor$(if ($IsWindows) { '.exe' })"
        $said = & $rustc --edition 2024 -C opt-level=3 -o $program (Join-Path $PSScriptRoot floor.rs) 2>&1
        if ($LASTEXITCODE -ne 0) { throw "floor.rs could not be compiled: $said" }
        $script:floorProgram = $program
    }
    $script:floorProgram
}

# (f)
function Measure-Write {
    Set-StandIn $standIn @{ clear = $true; delay = 0 }
    $floor = Get-FloorProgram
    if (-not $floor) { $leftOut['the floor of a write'] = 'rustc is not installed' }
    foreach ($size in $FileSize) {
        $file = Get-File $size
        if ($floor) {
            $all = (Measure-Program @($floor, $file, '9') (Get-UserVariable (Split-Path $file))).Text -split "`n" | ForEach-Object { [double]::Parse($_, [Globalization.CultureInfo]::InvariantCulture) }
            # Without the first rounds, which warm up, as with the update.
            $all | Select-Object -Skip 3 | ForEach-Object { Add-Figure "floor, $size" $_ }
        }
        Add-FigurePair (Measure-InPowerShell (Get-Home $ProfileCount[0]) @"
            `$env:AWS_SHARED_CREDENTIALS_FILE = '$($file.Replace("'", "''"))'
            1..3 | ForEach-Object { `$null = & `$update -ProfileName Account1 -Force }
            foreach (`$run in 1..5) {
                `$watch = [Diagnostics.Stopwatch]::StartNew()
                `$fetched = & `$update -ProfileName Account1 -Force
                `$watch.Stop()
                if (`$fetched.Status -ne 'Refreshed') { throw 'The profile was not fetched.' }
                'write, $size'; `$watch.Elapsed.TotalMilliseconds
            }
"@)
    }
}

function Get-WriteResult {
    $write = foreach ($size in $FileSize) {
        $result = [ordered] @{ profiles_in_file = $size; update_of_one_ms = Get-Figure "write, $size" }
        if ($seen.Contains("floor, $size")) {
            $result.floor_ms = Get-Figure "floor, $size"
            $result.times_the_floor = Get-Rounded ($result.update_of_one_ms.median / $result.floor_ms.median)
            # With fewer, the request and PowerShell are most of it.
            if ($size -ge 10000) { $result.target = Get-Target "at most $mostFloors times the floor" ($result.times_the_floor -le $mostFloors) }
        }
        $result
    }
    @{ write = @($write) }
}

function Get-WriteTable([Collections.IDictionary] $Result) {
    foreach ($run in $Result.write) {
        $ratio = if ($run.Contains('floor_ms')) { "$($run.times_the_floor) x the floor $(Format-Number $run.floor_ms.median) ms" } else { '' }
        $target = if ($run.Contains('target')) { $run.target }
        Get-Row f "one profile of a file of $($run.profiles_in_file)" $run.update_of_one_ms ms $ratio $target
    }
}

# A command that PowerShell has loaded from the start and that completes names, too. Most others first load their module.
$builtIn = 'Get-Module -Name Set'

# (k)
$largeHomes = @{}

# A home folder with an environment of so many profiles, all with keys in the credentials file.
function Get-LargeHome([int] $Count) {
    if (-not $largeHomes.ContainsKey($Count)) {
        $made = New-UserHome
        Add-Environment $made $standIn -Count $Count
        Copy-Item (Get-File $Count) (Get-AwsPath $made credentials)
        $largeHomes[$Count] = $made
    }
    $largeHomes[$Count]
}

$completionHome = $null

# A home folder after a synchronization of so many accounts. Their names are completed from what it stored.
function Get-CompletionHome {
    if (-not $script:completionHome) {
        $company = Start-StandIn '--accounts', "$CompletedAccount", '--roles', '1', '--approve-after-polls', '0'
        $made = New-LoggedInHome $company -Count 0
        $run = Invoke-UserPowerShell $made $company '(Sync-SsoProfile Acme -Quiet -PassThru -ThrottleLimit 64).Count'
        if ($run.Errors) { throw "The synchronization failed: $($run.Errors[0].Message)" }
        if ($run.Output[0] -ne $CompletedAccount) { throw "$($run.Output[0]) profiles were added." }
        $script:completionHome = $made
    }
    $script:completionHome
}

function Measure-Large {
    Add-FigurePair (Measure-InPowerShell (Get-LargeHome $ListedProfile) @"
        foreach (`$name in 'list, first', 'list', 'list', 'list') {
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            `$listed = Get-SsoCredential
            `$watch.Stop()
            if (`$listed.Count -ne $ListedProfile) { throw "`$(`$listed.Count) profiles were listed." }
            `$name; `$watch.Elapsed.TotalMilliseconds
        }
        'list memory'; (Get-Process -Id `$PID).PeakWorkingSet64 / 1MB
"@)
    $completing = Get-CompletionHome
    $lines = [ordered] @{ 'plain' = 'Set-StrictMode -Version '; 'built-in' = $builtIn; 'profile' = 'Get-SsoCredential -ProfileName Account'; 'account' = 'Get-SsoRole Acme -Account Account' }
    foreach ($run in 1..3) {
        foreach ($name in $lines.Keys) {
            # In a new PowerShell each, since the first Tab of all is what is slow.
            Add-FigurePair (Measure-InPowerShell $completing @"
                `$line = '$($lines[$name])'
                foreach (`$which in 'first', 'second') {
                    `$watch = [Diagnostics.Stopwatch]::StartNew()
                    `$found = (TabExpansion2 `$line `$line.Length).CompletionMatches
                    `$watch.Stop()
                    if (-not `$found.Count) { throw "Nothing completes '`$line'." }
                    "tab, $name, `$which"; `$watch.Elapsed.TotalMilliseconds
                }
"@)
        }
    }
}

function Get-LargeResult {
    $large = [ordered] @{
        list = [ordered] @{ profiles = $ListedProfile; first_ms = Get-Figure 'list, first'; later_ms = Get-Figure 'list'; memory_mb = Get-Figure 'list memory' }
        tab = [ordered] @{ accounts = $CompletedAccount; fixed_values_first_ms = Get-Figure 'tab, plain, first'; built_in = $builtIn; built_in_first_ms = Get-Figure 'tab, built-in, first'; built_in_second_ms = Get-Figure 'tab, built-in, second' }
    }
    foreach ($name in 'profile', 'account') {
        $first = Get-Figure "tab, $name, first"
        $more = $first.median - $large.tab.built_in_first_ms.median
        $large.tab[$name] = [ordered] @{
            first_ms = $first; second_ms = Get-Figure "tab, $name, second"; ms_over_built_in = Get-Rounded $more; target = Get-Target 'at most 30 ms over it' ($more -le 30)
        }
    }
    @{ large = $large }
}

function Get-LargeTable([Collections.IDictionary] $Result) {
    $list, $tab = $Result.large.list, $Result.large.tab
    Get-Row k "Get-SsoCredential over $($list.profiles) profiles, first call" $list.first_ms ms
    Get-Row k '  later calls' $list.later_ms ms
    Get-Row k '  memory, peak' $list.memory_mb MB
    Get-Row k 'first Tab, a built-in parameter with fixed values' $tab.fixed_values_first_ms ms
    Get-Row k "  $($tab.built_in)" $tab.built_in_first_ms ms
    foreach ($name in 'profile', 'account') {
        Get-Row k "  $($name)s, with $($tab.accounts) accounts" $tab[$name].first_ms ms "$($tab[$name].ms_over_built_in) ms over $($tab.built_in)" $tab[$name].target
        Get-Row k '    second Tab' $tab[$name].second_ms ms
    }
}
