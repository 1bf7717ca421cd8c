# What the parts share: home folders, and programs that run in them.

# Number of profiles -> a home folder with a session and that many profiles, which have keys.
$homes = @{}

function Get-Home([int] $Count) {
    if (-not $homes.ContainsKey($Count)) {
        $made = New-UserHome
        Add-Environment $made $standIn -Count $Count
        Set-StandIn $standIn @{ clear = $true; delay = 0 }
        # The login and the first keys.
        $null = Measure-InPowerShell $made '$null = & $update'
        $homes[$Count] = $made
    }
    $homes[$Count]
}

# The module's manifest in the text of a script.
$quotedManifest = "'$($manifest.Replace("'", "''"))'"

# Runs a script in a new PowerShell with the module imported. The output is name and value by turns.
function Measure-InPowerShell([object] $UserHome, [string] $Script) {
    $result = Invoke-UserPowerShell $UserHome $standIn ("`$update = { Update-SsoCredential Acme -NoBrowser -PassThru @args 6>`$null }`n" + $Script)
    if ($result.Errors) { throw "A run that is measured failed: $($result.Errors[0].Message)" }
    $result.Output
}

# Runs a program to its end: Milliseconds, and what it wrote.
function Measure-Program([string[]] $Command, [hashtable] $Variables) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $ended = Wait-UserProgram (Start-UserProgram $Command $Variables) 300
    $watch.Stop()
    if ($ended.ExitCode -ne 0) { throw "$(Split-Path -Leaf $Command[0]) ended with $($ended.ExitCode): $($ended.Text) $($ended.ErrorText)" }
    [pscustomobject] @{ Milliseconds = $watch.Elapsed.TotalMilliseconds; Text = $ended.Text }
}

# Starts a PowerShell in a home folder and returns the milliseconds until it ends.
function Measure-Process([string] $UserHome, [string] $Command) {
    (Measure-Program (@(Get-PowerShell) + '-NoProfile', '-NonInteractive', '-Command', $Command) (Get-UserVariable $UserHome $standIn)).Milliseconds
}

# The program for credential_process lines.
function Get-HelperProgram { (Get-Item (Join-Path (Split-Path $manifest) 'bin/*-*/sso-credential-process*')).FullName }
