# What endpoint_keys.py does, with the AWS SDK for .NET.
param([string] $Folder, [int] $Wanted, [int] $Clients)

$ErrorActionPreference = 'Stop'
Add-Type -Path (Join-Path $Folder AWSSDK.Core.dll)
$seen = [Collections.Generic.HashSet[string]]::new()
$problems = [Collections.Generic.HashSet[string]]::new()

# The SDK calls keys expired a minute before they are.
$early = [TimeSpan]::FromMinutes(1)

# The ID of keys that are good. They had expired when they came only if they had before they were asked for.
function Get-Id([object] $Credentials, [object] $Keys, [DateTime] $Start) {
    if (-not $Keys.AccessKey.StartsWith('ASIA')) { $null = $problems.Add('the keys are from a file') }
    elseif ($Credentials.Expiration.ToUniversalTime() + $early -le $Start) { $null = $problems.Add('the keys had expired') }
    else { $Keys.AccessKey }
}

try {
    $one = [Amazon.Runtime.Credentials.DefaultAWSCredentialsIdentityResolver]::GetCredentials()
    while ($seen.Count -lt $Wanted -and -not $problems.Count) {
        $start = [DateTime]::UtcNow
        Get-Id $one $one.GetCredentials() $start | ForEach-Object { $null = $seen.Add($_) }
        Start-Sleep -Milliseconds 200
    }
}
catch { $null = $problems.Add("$_") }

# The resolver shares one object among all that ask; each of these is a client of its own.
$start = [DateTime]::UtcNow
$all = @(1..$Clients | ForEach-Object { [Amazon.Runtime.GenericContainerCredentials]::new() })
$tasks = @($all | ForEach-Object { $_.GetCredentialsAsync() })
$together = for ($index = 0; $index -lt $Clients; $index++) {
    try { Get-Id $all[$index] $tasks[$index].GetAwaiter().GetResult() $start }
    catch { $null = $problems.Add("$_") }
}
ConvertTo-Json -Compress @{ Seen = $seen.Count; Together = @($together).Count; Problems = @($problems) }
