# (g): what AWS tools wait for.

# The programs that ask the endpoint at the same time.
$toolClients = 16

# The answers of the service while a program with boto3 waits for its keys.
$toolDelay = 50

# The milliseconds that a tool waits for the program of a credential_process line.
function Measure-Helper([string] $UserHome, [string[]] $Word) {
    $start = [Diagnostics.ProcessStartInfo]::new((Get-HelperProgram))
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

function Measure-Tool {
    Set-StandIn $standIn @{ clear = $true; delay = 0 }
    $toolHome = New-LoggedInHome $standIn -Count 1
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
    Measure-BotoKey $toolHome $kept
}

# What a program with boto3 waits for its keys: from its own SSO provider, from the program of a credential_process line, and from the endpoint.
function Measure-BotoKey([string] $UserHome, [string] $Kept) {
    $python = Get-PeerPython
    if ($python.Missing) {
        $leftOut['a program with boto3 and each source of keys'] = $python.Missing
        return
    }
    $config = Join-Path (New-TestFolder) config
    [IO.File]::WriteAllText($config, (Get-LegacyProfile direct 1) + "[profile helper]`ncredential_process = $(Get-HelperProgram) --environment Acme Account1`n")
    $command = $python.Program, (Join-Path $PSScriptRoot peers/keys_of_profile.py)
    $get = {
        param([string] $Name)
        $variables = @{ AWS_PROFILE = $Name; AWS_CONFIG_FILE = $config; AWS_EC2_METADATA_DISABLED = 'true' }
        (Measure-Program $command (Get-UserVariable $UserHome $standIn $variables)).Text
    }
    Set-StandIn $standIn @{ delay = $toolDelay }
    foreach ($run in 1..3) {
        Add-Figure 'boto3, direct' (& $get direct)
        Remove-Item $Kept -Recurse -ErrorAction Ignore
        # The program reads the environment there, not the profiles of this config file.
        Add-Figure 'boto3, helper cold' (& $get helper)
        Add-Figure 'boto3, helper warm' (& $get helper)
    }
    $quoted = ($command | ForEach-Object { "'$($_.Replace("'", "''"))'" }) -join ' '
    Add-FigurePair (Measure-InPowerShell $UserHome @"
        Use-SsoCredential Account1 -AsEndpoint -Quiet
        `$env:AWS_EC2_METADATA_DISABLED = 'true'
        foreach (`$run in 1..3) { 'boto3, endpoint'; & $quoted }
"@)
}

function Get-ToolResult {
    $tools = [ordered] @{
        helper_start_ms = Get-Figure 'helper, start'; helper_warm_ms = Get-Figure 'helper, warm'; helper_cold_ms = Get-Figure 'helper, cold'
        endpoint_requests_per_second = Get-Figure 'endpoint'
    }
    if ($seen.Contains('boto3, endpoint')) {
        $tools.boto3_waits_ms = [ordered] @{
            delay_ms = $toolDelay; own_request = Get-Figure 'boto3, direct'; helper_cold = Get-Figure 'boto3, helper cold'; helper_warm = Get-Figure 'boto3, helper warm'
            endpoint = Get-Figure 'boto3, endpoint'
        }
    }
    @{ tools = $tools }
}

function Get-ToolTable([Collections.IDictionary] $Result) {
    $tools = $Result.tools
    Get-Row g 'the program for credential_process, only started' $tools.helper_start_ms ms
    Get-Row g '  with keys at hand' $tools.helper_warm_ms ms '' (Get-Target 'under 15 ms' ($tools.helper_warm_ms.median -lt 15))
    Get-Row g '  with keys from the service, which answers at once' $tools.helper_cold_ms ms
    Get-Row g "the endpoint, requests a second of $toolClients clients" $tools.endpoint_requests_per_second ''
    if (-not $tools.Contains('boto3_waits_ms')) { return }
    $waits = $tools.boto3_waits_ms
    Get-Row g "boto3 until it has keys, by itself, answers after $($waits.delay_ms) ms" $waits.own_request ms
    Get-Row g '  from the program for credential_process, which fetches them' $waits.helper_cold ms
    Get-Row g '  from the program for credential_process, which has them' $waits.helper_warm ms
    Get-Row g '  from the endpoint' $waits.endpoint ms
}
