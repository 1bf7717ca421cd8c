# Shared by the tests of the module: local Identity Centers, temporary home folders, and PowerShells that run in them.
# A run has a new PowerShell, since a native library is never unloaded and keeps sessions in memory until the process ends, or only a new runspace where
# that does not matter.

Set-StrictMode -Version Latest

$root = Split-Path $PSScriptRoot
# The module of this folder, or that of a package (`build.ps1 Test -Package`).
$manifest = if ($env:SSO_TEST_MANIFEST) { $env:SSO_TEST_MANIFEST } else { Join-Path $root 'Set-AwsCliSsoCredentials.psd1' }
# The processor in the name of a platform's folder.
$architecture = [Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant()
$standIns = [Collections.Generic.List[object]]::new()
$folders = [Collections.Generic.List[string]]::new()
$sharedPowerShell = $null

# Starts a stand-in with these options. It stops when its standard input closes, so none outlives the tests.
function Start-StandIn([string[]] $Flag = @()) {
    $start = [Diagnostics.ProcessStartInfo]::new((Join-Path $root "target/release/sso-stand-in$(if ($IsWindows) { '.exe' })"))
    foreach ($word in $Flag + '--until-stdin-closes') { $start.ArgumentList.Add($word) }
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    $process = [Diagnostics.Process]::Start($start)
    $line = $process.StandardOutput.ReadLine()
    if (-not $line) { throw 'The stand-in did not start.' }
    $ready = $line | ConvertFrom-Json
    $standIn = [pscustomobject] @{ Url = $ready.url; StartUrl = $ready.start_url; Process = $process }
    $standIns.Add($standIn)
    $standIn
}

# The counters of the stand-in.
function Get-StandInStats([object] $StandIn) {
    Invoke-RestMethod "$($StandIn.Url)/_stats" -NoProxy
}

# The number of requests of an operation, or of all operations.
function Get-RequestCount([object] $StandIn, [string] $Operation = '*') {
    $requests = (Get-StandInStats $StandIn).requests
    $sum = 0
    $requests.PSObject.Properties | Where-Object Name -Like $Operation | ForEach-Object { $sum += $_.Value }
    $sum
}

# Changes a running stand-in. native/stand-in/src/control.rs has the keys.
function Set-StandIn([object] $StandIn, [hashtable] $Change) {
    $null = Invoke-RestMethod "$($StandIn.Url)/_control" -Method Post -NoProxy -ContentType 'application/json' -Body (ConvertTo-Json $Change)
}

# Waits until the counters of the stand-in meet a condition.
function Wait-StandIn([object] $StandIn, [scriptblock] $Until, [int] $Seconds = 30) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while (-not (Get-StandInStats $StandIn | ForEach-Object $Until)) {
        if ($watch.Elapsed.TotalSeconds -gt $Seconds) { throw "The stand-in did not meet the condition within $Seconds s: $Until" }
        Start-Sleep -Milliseconds 50
    }
}

# Creates a folder that Clear-StandIn removes.
function New-TestFolder {
    $path = Join-Path ([IO.Path]::GetTempPath()) "aws-sso-test-$([Guid]::NewGuid().ToString('N'))"
    $null = New-Item -ItemType Directory $path
    $folders.Add($path)
    $path
}

# Creates a folder for $env:PSModulePath with the module in it.
function New-ModuleFolder {
    $path = New-TestFolder
    $place, $from = (Join-Path $path Set-AwsCliSsoCredentials), (Split-Path $script:manifest)
    # On Windows, most users may not create links.
    if ($IsWindows) {
        $null = New-Item -ItemType Directory $place
        Copy-Item "$from/Set-AwsCliSsoCredentials.psd1", "$from/bin", "$from/en-US" $place -Recurse
    }
    else { $null = New-Item -ItemType SymbolicLink $place -Target $from }
    $path
}

# Creates a home folder: empty, or with a copy of another one's ~/.aws.
function New-UserHome([string] $From) {
    $path = New-TestFolder
    if ($From) { Copy-Item (Join-Path $From '.aws') $path -Recurse -Force }
    $path
}

# Creates a home folder with the environment Acme and a session, as after a login. With -Credential, all profiles have keys.
function New-LoggedInHome([object] $StandIn, [int] $Count = 2, [switch] $Credential) {
    $path = New-UserHome
    Add-Environment $path $StandIn -Count $Count
    Add-Session $path $StandIn
    if ($Credential) {
        $run = Invoke-UserPowerShell $path $StandIn 'Update-SsoCredential Acme -NoLogin'
        if ($run.Errors) { throw $run.Errors[0].Message }
    }
    $path
}

# Stores a session in the cache of the AWS CLI, without the wait of a login. The tokens are those of a login in a browser.
function Add-Session([string] $UserHome, [object] $StandIn) {
    $redirect = 'http://127.0.0.1/oauth/callback'
    # The example of RFC 7636.
    $verifier, $challenge = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    $post = { param($path, $body) Invoke-RestMethod "$($StandIn.Url)/$path" -Method Post -NoProxy -ContentType 'application/json' -Body (ConvertTo-Json $body) }
    $client = & $post client/register @{
        clientName = 'tests'; clientType = 'public'; scopes = @('sso:account:access'); grantTypes = 'authorization_code', 'refresh_token'; redirectUris = @($redirect); issuerUrl = $StandIn.StartUrl
    }
    $query = "response_type=code&client_id=$($client.clientId)&redirect_uri=$([Uri]::EscapeDataString($redirect))&state=tests&code_challenge_method=S256&code_challenge=$challenge&scopes=sso:account:access"
    $answer = Invoke-WebRequest "$($StandIn.Url)/authorize?$query" -NoProxy -MaximumRedirection 0 -SkipHttpErrorCheck -ErrorAction Ignore
    $code = [regex]::Match($answer.Headers.Location, '[?&]code=([^&]+)').Groups[1].Value
    $token = & $post token @{
        clientId = $client.clientId; clientSecret = $client.clientSecret; grantType = 'authorization_code'; code = $code; redirectUri = $redirect; codeVerifier = $verifier
    }
    $cached = @{
        startUrl = $StandIn.StartUrl; region = 'us-west-2'; accessToken = $token.accessToken; expiresAt = Format-Time ([DateTimeOffset]::UtcNow.AddSeconds($token.expiresIn))
        clientId = $client.clientId; clientSecret = $client.clientSecret; registrationExpiresAt = Format-Time ([DateTimeOffset]::FromUnixTimeSeconds($client.clientSecretExpiresAt))
    }
    if ($token.refreshToken) { $cached.refreshToken = $token.refreshToken }
    Add-AwsText $UserHome "sso/cache/$(Get-Sha1 $StandIn.StartUrl).json" (ConvertTo-Json $cached)
}

function Format-Time([DateTimeOffset] $Time) {
    $Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [Globalization.CultureInfo]::InvariantCulture)
}

# The AWS CLI names the files of its cache by this hash.
function Get-Sha1([string] $Text) {
    [Convert]::ToHexString([Security.Cryptography.SHA1]::HashData([Text.Encoding]::UTF8.GetBytes($Text))).ToLowerInvariant()
}

# The file that is locked during a login or a refresh. It is named after the start URL without its last slash.
function Get-SessionLock([string] $UserHome, [object] $StandIn) {
    Get-AwsPath $UserHome "sso/locks/$(Get-Sha1 $StandIn.StartUrl.TrimEnd('/')).lock"
}

# The path of a file in the ~/.aws of a home folder.
function Get-AwsPath([string] $UserHome, [string] $Name) {
    Join-Path $UserHome '.aws' $Name
}

# Stores an environment in a home folder: profile Account1 has the stand-in's first account, and so on. $Count of them, from $First on.
function Add-Environment([string] $UserHome, [object] $StandIn, [string] $Name = 'Acme', [int] $Count = 20, [int] $First = 1) {
    $text = "[environment $Name]`nsso_start_url = $($StandIn.StartUrl)`nsso_region = us-west-2`ndefault_role_name = AWSAdministratorAccess`n"
    for ($number = $First; $number -lt $First + $Count; $number++) {
        $text += "`n[environment $Name profile Account$number]`nsso_account_id = $(Get-AccountId $number)`n"
    }
    Add-AwsText $UserHome sso-environments "$text`n"
}

# The id of the stand-in's n-th account.
function Get-AccountId([int] $Number) {
    [string] (100000000000 + $Number - 1)
}

# Appends text to a file in ~/.aws, or creates the file. Nothing but the text is written.
function Add-AwsText([string] $UserHome, [string] $Name, [string] $Text) {
    $path = Get-AwsPath $UserHome $Name
    $null = New-Item -ItemType Directory (Split-Path $path) -Force
    [IO.File]::AppendAllText($path, $Text)
}

# The credentials file as an INI reader sees it: section -> key -> value. Empty if there is no file.
function Get-Credential([string] $UserHome, [string] $Path = (Get-AwsPath $UserHome credentials)) {
    $sections = [ordered] @{}
    $section = $null
    if (-not (Test-Path $Path)) { return $sections }
    foreach ($line in [IO.File]::ReadAllLines($Path)) {
        if ($line -match '^\[(.+)\]$') { $section = $sections[$Matches[1]] = [ordered] @{} }
        elseif ($line -match '^(\S+?)\s*=\s*(.*)$') { $section[$Matches[1]] = $Matches[2] }
    }
    $sections
}

# All secrets in ~/.aws: keys and session tokens of the credentials file, tokens and client secrets of the cache.
function Get-Secret([string] $UserHome) {
    foreach ($section in (Get-Credential $UserHome).Values) {
        $section['aws_secret_access_key'], $section['aws_session_token'] | Where-Object { $_ }
    }
    foreach ($file in Get-ChildItem (Get-AwsPath $UserHome sso/cache/*.json) -ErrorAction Ignore) {
        $kept = Get-Content -Raw $file | ConvertFrom-Json -AsHashtable
        $kept['accessToken'], $kept['refreshToken'], $kept['clientSecret'] | Where-Object { $_ }
    }
}

# The command line of this PowerShell. Installed as a .NET tool, its process is dotnet with pwsh.dll.
function Get-PowerShell {
    $process = (Get-Process -Id $PID).Path
    if ((Split-Path -LeafBase $process) -eq 'dotnet') { $process, [Environment]::GetCommandLineArgs()[0] } else { , $process }
}

# Creates the program pwsh in a folder: this very PowerShell. Installed as a .NET tool, it would look for dotnet on the PATH.
function New-PwshProgram([string] $Folder) {
    $words = Get-PowerShell | ForEach-Object { "'$_'" }
    [IO.File]::WriteAllText("$Folder/pwsh", "#!/bin/sh`nexec $words `"`$@`"`n")
    chmod +x "$Folder/pwsh"
}

# The environment variables of a user: the home folder, the address of the stand-in, and no variable of this process that the module reads.
function Get-UserVariable([string] $UserHome, [object] $StandIn, [hashtable] $Variable = @{}) {
    $variables = @{}
    foreach ($entry in [Environment]::GetEnvironmentVariables().GetEnumerator()) {
        if ($entry.Key -notmatch '^(AWS_.*|CI|CODESPACES|.*_PROXY|BROWSER|DISPLAY|WAYLAND_DISPLAY|SSH_.*|WSL_.*|XDG_.*|DBUS_.*)$') { $variables[$entry.Key] = $entry.Value }
    }
    $variables.HOME = $variables.USERPROFILE = $UserHome
    $variables.POWERSHELL_TELEMETRY_OPTOUT = '1'
    $variables.POWERSHELL_UPDATECHECK = 'Off'
    $variables.NO_COLOR = '1'
    if ($StandIn) { $variables.AWS_ENDPOINT_URL_SSO = $variables.AWS_ENDPOINT_URL_SSO_OIDC = $StandIn.Url }
    foreach ($name in $Variable.Keys) { $variables[$name] = $Variable[$name] }
    $variables
}

# Starts a program with these variables. Its output goes to a file, which a test can read while the program runs.
function Start-UserProgram([string[]] $Command, [hashtable] $Variables) {
    $start = [Diagnostics.ProcessStartInfo]::new($Command[0])
    foreach ($word in $Command | Select-Object -Skip 1) { $start.ArgumentList.Add($word) }
    $start.Environment.Clear()
    foreach ($name in $Variables.Keys) { $start.Environment[$name] = $Variables[$name] }
    $start.WorkingDirectory = $Variables.HOME
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    # Without a buffer, so that the file is always up to date.
    $file = [IO.FileStream]::new((Join-Path (New-TestFolder) output), 'CreateNew', 'Write', 'ReadWrite, Delete', 0)
    [pscustomobject] @{
        Process = $process; File = $file; Reader = $process.StandardOutput.BaseStream.CopyToAsync($file); ErrorText = $process.StandardError.ReadToEndAsync(); Answer = $null
    }
}

# The lines that a program has written so far.
function Get-Line([object] $Started) {
    # The last line is complete when no more output can follow.
    $ended = $Started.Reader.IsCompleted
    $stream = [IO.FileStream]::new($Started.File.Name, 'Open', 'Read', 'ReadWrite, Delete')
    try { $text = [IO.StreamReader]::new($stream, $Started.Process.StandardOutput.CurrentEncoding).ReadToEnd() }
    finally { $stream.Dispose() }
    $lines = $text -split '\r\n|\n|\r'
    $lines | Select-Object -SkipLast ([int] (-not $ended -or -not $lines[-1]))
}

# Writes a script to a file that imports the module, lets the script run as if typed at the prompt, statement by statement, and writes its answer:
# what it wrote and its errors. The script has $manifest and $standInUrl.
function New-UserScript([object] $StandIn, [string] $Script, [string] $Manifest) {
    $folder = New-TestFolder
    $answer = Join-Path $folder 'answer.xml'
    # An error of the script is shown, as to a user, and returned in the answer. The test decides about it.
    $text = @"
`$manifest = '$($Manifest.Replace("'", "''"))'
`$standInUrl = '$(if ($StandIn) { $StandIn.Url })'
Import-Module `$manifest -ErrorAction Stop
`$Error.Clear()
`$output = @(& {
$Script
})
`$errors = @(`$Error | Where-Object { `$_ -is [Management.Automation.ErrorRecord] } | ForEach-Object {
    [pscustomobject] @{ Id = `$_.FullyQualifiedErrorId; Category = "`$(`$_.CategoryInfo.Category)"; Target = `$_.TargetObject; Message = "`$_"; Action = "`$(`$_.ErrorDetails.RecommendedAction)" }
})
# As the module does in a job, for which PowerShell writes XML, too.
foreach (`$state in 'SsoCredentialState', 'SsoProfileStatus', 'SsoSessionState', 'SsoTokenCache') { Update-TypeData -TypeName "AwsSso.`$state" -SerializationMethod String -Force }
[pscustomobject] @{ Output = `$output; Errors = `$errors } | Export-Clixml -Depth 5 '$($answer.Replace("'", "''"))'
"@
    $file = Join-Path $folder 'script.ps1'
    [IO.File]::WriteAllText($file, $text)
    [pscustomobject] @{ File = $file; Answer = $answer }
}

# Adds what a script answered to the result of its run: Output (its objects) and Errors (of $Error, newest first).
function Add-Answer([object] $Result, [string] $Answer) {
    if (-not (Test-Path $Answer)) { throw "The script did not end: $($Result | Out-String)" }
    $read = Import-Clixml $Answer
    $Result.Output = @($read.Output)
    $Result.Errors = @($read.Errors)
}

# Starts a PowerShell in a home folder, and lets it run the script.
# $Through comes before pwsh on the command line.
function Start-UserPowerShell([string] $UserHome, [object] $StandIn, [string] $Script, [hashtable] $Variable = @{}, [string[]] $Through = @(), [string] $Manifest = $script:manifest) {
    $written = New-UserScript $StandIn $Script $Manifest
    $started = Start-UserProgram ($Through + @(Get-PowerShell) + @('-NoProfile', '-OutputFormat', 'Text', '-File', $written.File)) (Get-UserVariable $UserHome $StandIn $Variable)
    $started.Answer = $written.Answer
    $started
}

# Changes the processor of a Linux library: e_machine in its ELF header.
function Set-OtherProcessor([string] $Library) {
    $bytes = [IO.File]::ReadAllBytes($Library)
    $bytes[18] = 0xF3
    [IO.File]::WriteAllBytes($Library, $bytes)
}

# Truncates a file, as an interrupted copy does.
function Set-FileLength([string] $Path, [long] $Length) {
    $file = [IO.File]::OpenWrite($Path)
    $file.SetLength($Length)
    $file.Dispose()
}

# Waits until the program writes a line that matches, after its first lines where $From says so, and returns the line.
function Wait-Line([object] $Started, [string] $Pattern, [int] $Seconds = 30, [int] $From = 0) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        $ended = $Started.Reader.IsCompleted
        foreach ($line in Get-Line $Started | Select-Object -Skip $From) { if ($line -match $Pattern) { return $line } }
        if ($ended) { throw "The program ended without a line like '$Pattern'." }
        if ($watch.Elapsed.TotalSeconds -gt $Seconds) { throw "No line like '$Pattern' came within $Seconds s." }
        Start-Sleep -Milliseconds 20
    }
}

# Waits for the end: ExitCode, Text (all that a user saw on the screen), ErrorText; of a script also Output (its objects) and Errors (of $Error, newest first).
function Wait-UserProgram([object] $Started, [int] $Seconds = 180) {
    if (-not $Started.Process.WaitForExit($Seconds * 1000)) {
        $Started.Process.Kill($true)
        throw "The program did not end within $Seconds s. It wrote: $((Get-Line $Started) -join [Environment]::NewLine)"
    }
    $Started.Process.WaitForExit()
    $null = $Started.Reader.Wait(5000)
    $Started.File.Dispose()
    $result = [pscustomobject] @{
        ExitCode = $Started.Process.ExitCode; Text = (Get-Line $Started) -join "`n"; ErrorText = $Started.ErrorText.Result; Output = @(); Errors = @()
    }
    if ($Started.Answer) { Add-Answer $result $Started.Answer }
    $result
}

# Runs a script as Start-UserPowerShell does, and waits for its end.
function Invoke-UserPowerShell([string] $UserHome, [object] $StandIn, [string] $Script, [hashtable] $Variable = @{}, [string[]] $Through = @(), [string] $Manifest = $script:manifest) {
    Wait-UserProgram (Start-UserPowerShell $UserHome $StandIn $Script $Variable $Through $Manifest)
}

# Starts the PowerShell that the scripts of Invoke-UserRunspace share.
function Start-SharedPowerShell {
    $name, $mark = 1..2 | ForEach-Object { "aws-sso-test-$([Guid]::NewGuid().ToString('N'))" }
    $pipe = [IO.Pipes.NamedPipeServerStream]::new($name, 'Out')
    $connected = $pipe.WaitForConnectionAsync()
    $words = '-NoProfile', '-OutputFormat', 'Text', '-File', (Join-Path $PSScriptRoot 'SharedPowerShell.ps1'), '-PipeName', $name, '-Mark', $mark
    $started = Start-UserProgram (@(Get-PowerShell) + $words) (Get-UserVariable (New-TestFolder))
    if (-not $connected.Wait(60000)) { throw "The shared PowerShell did not start: $(Get-Line $started)" }
    $writer = [IO.StreamWriter]::new($pipe)
    $writer.AutoFlush = $true
    @{ Started = $started; Writer = $writer; Mark = $mark; LinesRead = 0 }
}

# Runs a script as Invoke-UserPowerShell does, but in a new runspace of a PowerShell that the scripts of a file of tests share, since starting one takes a
# second of work. The result has Text, Output and Errors. Not for scripts about the process: its exit code, its input, what it remembers or says only once.
function Invoke-UserRunspace([string] $UserHome, [object] $StandIn, [string] $Script, [hashtable] $Variable = @{}) {
    $shared = $script:sharedPowerShell ??= Start-SharedPowerShell
    $written = New-UserScript $StandIn $Script $script:manifest
    $shared.Writer.WriteLine((ConvertTo-Json -Compress @{ Script = $written.File; Variables = Get-UserVariable $UserHome $StandIn $Variable }))
    $null = Wait-Line $shared.Started "^$($shared.Mark)$" 180 $shared.LinesRead
    $lines = @(Get-Line $shared.Started | Select-Object -Skip $shared.LinesRead)
    $shared.LinesRead += $lines.Count
    $result = [pscustomobject] @{ Text = ($lines | Select-Object -SkipLast 1) -join "`n"; Output = @(); Errors = @() }
    Add-Answer $result $written.Answer
    $result
}

# Ends the PowerShell of Invoke-UserRunspace.
function Stop-SharedPowerShell {
    if ($script:sharedPowerShell) {
        $script:sharedPowerShell.Writer.Dispose()
        $null = Wait-UserProgram $script:sharedPowerShell.Started
        $script:sharedPowerShell = $null
    }
}

# Creates a virtual environment of Python with a package from PyPI. Returns its Python, or why there is none.
function New-PythonEnvironment([string] $Package) {
    $missing = { param($why) [pscustomobject] @{ Python = $null; Missing = $why } }
    $python = Get-Command python3, python -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    if (-not $python) { return & $missing 'Python 3 is not installed' }
    $folder = New-TestFolder
    $null = & $python -m venv $folder 2>&1
    if ($LASTEXITCODE -ne 0) { return & $missing 'Python has no module venv' }
    $own = Join-Path $folder $(if ($IsWindows) { 'Scripts/python.exe' } else { 'bin/python' })
    $null = & $own -m pip install --quiet --disable-pip-version-check --timeout 15 --retries 1 $Package 2>&1
    if ($LASTEXITCODE -ne 0) { return & $missing "pip could not install $Package (is the network reachable?)" }
    [pscustomobject] @{ Python = $own; Missing = $null }
}

# A Python with boto3 from PyPI, or the one of Debian's AWS CLI, which has its botocore. Returns it, or why there is none.
function Get-BotoPython {
    $environment = New-PythonEnvironment boto3
    $debian = '/usr/bin/python3'
    if ($environment.Missing -and $IsLinux -and (Test-Path $debian)) {
        $null = & $debian -c 'import awscli.botocore.session' 2>&1
        if ($LASTEXITCODE -eq 0) { return [pscustomobject] @{ Python = $debian; Missing = $null } }
    }
    $environment
}

# Node.js, and the folder in which npm installed the AWS SDK for JavaScript (.ci/node). Returns both, or what is missing.
function Get-NodeSdk {
    $folder = Join-Path $root .tools/node
    $node = Get-Command node -CommandType Application -ErrorAction Ignore | Select-Object -First 1
    $missing = if (-not $node) { 'Node.js is not installed' }
    elseif (-not (Test-Path "$folder/node_modules/@aws-sdk/credential-providers")) { "the AWS SDK for JavaScript is not in $folder (npm ci --prefix)" }
    elseif ([int] ((& $node --version) -replace '^v(\d+)\..*', '$1') -lt 20) { 'Node.js is older than 20' }
    [pscustomobject] @{ Program = if ($node) { $node.Source }; Folder = $folder; Missing = $missing }
}

# The folder with the assemblies of the AWS SDK for .NET, or why there is none.
function Get-DotNetSdk {
    $folder = if ($env:SSO_TEST_DOTNET_SDK) { $env:SSO_TEST_DOTNET_SDK } else { Join-Path $root '../shared/baseline' }
    $missing = if (-not (Test-Path "$folder/AWSSDK.Core.dll")) { 'AWSSDK.Core.dll is not in the folder of SSO_TEST_DOTNET_SDK' }
    [pscustomobject] @{ Folder = $folder; Missing = $missing }
}

# The AWS CLI: Debian's if it is installed, otherwise a new one from PyPI. Returns its command line, or why there is none.
function Get-AwsCli {
    $debian = '/usr/bin/python3'
    if ($IsLinux -and (Test-Path $debian)) {
        $null = & $debian -c 'import awscli' 2>&1
        if ($LASTEXITCODE -eq 0) { return [pscustomobject] @{ Command = $debian, '-m', 'awscli'; Missing = $null } }
    }
    $environment = New-PythonEnvironment awscli
    [pscustomobject] @{ Command = $environment.Python, '-m', 'awscli'; Missing = $environment.Missing }
}

# Runs lines in one PowerShell, each by itself, and gives for each what it wrote, what it said in warnings, notes and lines to the host, and the ids
# and sentences of its errors.
function Invoke-UserLine([string] $UserHome, [object] $StandIn, [string[]] $Line, [hashtable] $Variable = @{}) {
    $script = @"
`$PSStyle.OutputRendering = 'PlainText'
foreach (`$line in @'
$($Line -join "`n")
'@ -split '\r?\n') {
    `$Error.Clear()
    `$said = @()
    `$written = @(try { . ([scriptblock]::Create(`$line)) 3>&1 4>&1 6>&1 2>`$null | ForEach-Object {
        if (`$_ -is [Management.Automation.InformationRecord] -or `$_ -is [Management.Automation.WarningRecord] -or `$_ -is [Management.Automation.VerboseRecord]) { `$said += "`$_" } else { `$_ }
    } } catch { })
    `$all = @(`$Error | Where-Object { `$_ -is [Management.Automation.ErrorRecord] })
    [pscustomobject] @{
        Line = `$line; Written = `$written; Said = `$said -join "``n"
        Ids = @(`$all | ForEach-Object { (`$_.FullyQualifiedErrorId -split ',')[0] }); Sentences = @(`$all | ForEach-Object { "`$_ `$(`$_.ErrorDetails.RecommendedAction)" })
    }
}
"@
    $run = Invoke-UserRunspace $UserHome $StandIn $script $Variable
    if ($run.Output.Count -ne $Line.Count) { throw "Not every line ran: $($run.Text)" }
    $run.Output
}

# Runs pwsh with exactly these arguments, as another shell does.
function Invoke-Pwsh([string] $UserHome, [object] $StandIn, [string[]] $Word, [string[]] $Through = @()) {
    Wait-UserProgram (Start-UserProgram ($Through + @(Get-PowerShell) + $Word) (Get-UserVariable $UserHome $StandIn))
}

# Starts PowerShell in a terminal that nobody sees: tmux with a server of its own. The module's manifest is $env:MODULE.
function New-Terminal([string] $UserHome, [object] $StandIn, [int] $Width = 120, [int] $Height = 30, [hashtable] $Variable = @{}) {
    $variables = Get-UserVariable $UserHome $StandIn (@{ TMUX = ''; TERM = 'xterm-256color'; LANG = 'C.UTF-8'; MODULE = $script:manifest } + $Variable)
    $terminal = [pscustomobject] @{ Socket = Join-Path $UserHome tmux; Variables = $variables }
    $command = (@(Get-PowerShell) + '-NoProfile' | ForEach-Object { "'$_'" }) -join ' '
    $null = Invoke-Terminal $terminal 'new-session', '-d', '-s', 'test', '-x', "$Width", '-y', "$Height", $command
    $null = Wait-Terminal $terminal '(?m)^PS .*> *$'
    $terminal
}

function Invoke-Terminal([object] $Terminal, [string[]] $Word) {
    (Wait-UserProgram (Start-UserProgram (@('tmux', '-u', '-S', $Terminal.Socket, '-f', '/dev/null') + $Word) $Terminal.Variables)).Text
}

# Waits until the screen matches, and returns it.
function Wait-Terminal([object] $Terminal, [string] $Pattern, [int] $Seconds = 60) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while (($screen = Invoke-Terminal $Terminal 'capture-pane', '-p', '-t', 'test') -notmatch $Pattern) {
        if ($watch.Elapsed.TotalSeconds -gt $Seconds) { throw "The screen did not come to show '$Pattern':`n$screen" }
        Start-Sleep -Milliseconds 50
    }
    $screen
}

function Send-TerminalText([object] $Terminal, [string] $Text) {
    $null = Invoke-Terminal $Terminal 'send-keys', '-t', 'test', '-l', $Text
}

# Presses keys, by the names that tmux has for them.
function Send-TerminalKey([object] $Terminal, [string[]] $Key) {
    $null = Invoke-Terminal $Terminal (@('send-keys', '-t', 'test') + $Key)
}

function Send-TerminalLine([object] $Terminal, [string] $Line) {
    Send-TerminalText $Terminal $Line
    Send-TerminalKey $Terminal Enter
}

function Stop-Terminal([object] $Terminal) {
    $null = Invoke-Terminal $Terminal 'kill-server'
}

# Writes a certificate for 127.0.0.1 and its key into a folder: certificate.pem and key.pem.
function New-Certificate([string] $Folder) {
    $key = [Security.Cryptography.ECDsa]::Create([Security.Cryptography.ECCurve+NamedCurves]::nistP256)
    $request = [Security.Cryptography.X509Certificates.CertificateRequest]::new('CN=stand-in', $key, 'SHA256')
    $names = [Security.Cryptography.X509Certificates.SubjectAlternativeNameBuilder]::new()
    $names.AddIpAddress('127.0.0.1')
    $request.CertificateExtensions.Add($names.Build())
    $certificate = $request.CreateSelfSigned([DateTimeOffset]::UtcNow.AddDays(-1), [DateTimeOffset]::UtcNow.AddDays(1))
    Set-Content "$Folder/certificate.pem" $certificate.ExportCertificatePem()
    Set-Content "$Folder/key.pem" $key.ExportPkcs8PrivateKeyPem()
}

# The commands of a document's tables of tasks, in their order.
function Read-CommandTable([string] $Text) {
    foreach ($table in [regex]::Matches($Text, '(?ms)^\| Task \| Command \|\r?\n\|[-|]+\r?\n(.*?)(?=\r?\n\r?\n|\z)')) {
        foreach ($row in $table.Groups[1].Value.Trim() -split '\r?\n') {
            [regex]::Matches(($row -split '(?<!\\)\|')[2], '`([^`]+)`') | ForEach-Object { $_.Groups[1].Value.Replace('\|', '|') }
        }
    }
}

# The number of repetitions of a counted test: all with `build.ps1 Test -Full`, otherwise a tenth.
function Get-TestCount([int] $Full) {
    if ($env:SSO_TEST_FULL) { $Full } else { [Math]::Max(2, [int] ($Full / 10)) }
}

# Stops all stand-ins and removes all folders that these functions created.
function Clear-StandIn {
    Stop-SharedPowerShell
    foreach ($standIn in $standIns) {
        $standIn.Process.StandardInput.Close()
        if (-not $standIn.Process.WaitForExit(2000)) { $standIn.Process.Kill() }
    }
    $standIns.Clear()
    foreach ($folder in $folders) { Remove-Item $folder -Recurse -Force -ErrorAction Ignore }
    $folders.Clear()
}

Export-ModuleMember -Function *-* -Variable manifest, architecture
