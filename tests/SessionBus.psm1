# Shared by the tests of the secret store: D-Bus session buses of a test's own, and GNOME Keyring on them. They end with the test, also if it is killed.

Set-StrictMode -Version Latest

$buses = [Collections.Generic.List[object]]::new()

# Why there can be no keyring here; nothing if there can be one.
function Get-MissingKeyring {
    if (-not $IsLinux) { return 'GNOME Keyring is a program for Linux' }
    foreach ($program in 'dbus-daemon', 'dbus-send', 'gnome-keyring-daemon') {
        if (-not (Get-Command $program -CommandType Application -ErrorAction Ignore)) { return "$program is not installed" }
    }
}

# Starts a program that ends when this process does: then its standard input closes.
function Start-BoundProgram([string] $Command, [hashtable] $Variables) {
    $start = [Diagnostics.ProcessStartInfo]::new('/bin/sh')
    # A background process of sh has no input, so what is written to this one comes from a file of its own.
    foreach ($word in '-c', "$Command & read -r _; kill -KILL `$!; wait") { $start.ArgumentList.Add($word) }
    $start.Environment.Clear()
    foreach ($name in $Variables.Keys) { $start.Environment[$name] = $Variables[$name] }
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    [Diagnostics.Process]::Start($start)
}

# Starts a bus. Its Variable has what leads a user's programs to it. With a keyring, one that has what the keyring of another bus had when that was
# copied. The bus starts the programs in $Service when somebody calls their names.
function Start-SessionBus([switch] $Keyring, [string] $From, [hashtable] $Service = @{}) {
    $folder = Join-Path ([IO.Path]::GetTempPath()) "aws-sso-bus-$([Guid]::NewGuid().ToString('N').Substring(0, 12))"
    $null = New-Item -ItemType Directory $folder, "$folder/services"
    if ($From) { Copy-Item "$From/.local" $folder -Recurse -Force }
    foreach ($name in $Service.Keys) {
        [IO.File]::WriteAllText("$folder/services/$name.service", "[D-BUS Service]`nName=$name`nExec=$($Service[$name])`n")
    }
    [IO.File]::WriteAllText("$folder/bus.conf", @"
<busconfig><type>session</type><listen>unix:path=$folder/bus</listen><auth>EXTERNAL</auth><servicedir>$folder/services</servicedir>
<policy context="default"><allow send_destination="*"/><allow own="*"/><allow receive_sender="*"/></policy>
<limit name="service_start_timeout">120000</limit></busconfig>
"@)
    $address = "unix:path=$folder/bus"
    $bus = [pscustomobject] @{
        Folder = $folder; Address = $address; Variable = @{ DBUS_SESSION_BUS_ADDRESS = $address }; Keyring = $null
        Process = Start-BoundProgram "dbus-daemon --config-file='$folder/bus.conf' --nofork --nopidfile --print-address" @{ PATH = $env:PATH; HOME = $folder }
    }
    $buses.Add($bus)
    # The line comes once the socket is there.
    if (-not $bus.Process.StandardOutput.ReadLine()) { throw "dbus-daemon did not start: $($bus.Process.StandardError.ReadToEnd())" }
    if ($Keyring) { Start-Keyring $bus }
    $bus
}

# Starts GNOME Keyring and unlocks its keyring, which it creates if there is none; or leaves it locked, or missing.
function Start-Keyring([object] $Bus, [switch] $Locked, [switch] $Missing) {
    # The copy has no file capabilities, which some containers do not allow.
    $program, $password = "$($Bus.Folder)/keyring", "$($Bus.Folder)/password"
    if (-not (Test-Path $program)) { Copy-Item (Get-Command gnome-keyring-daemon -CommandType Application)[0].Source $program }
    [IO.File]::WriteAllText($password, 'password')
    $how = if ($Locked -or $Missing) { '</dev/null' } else { "--unlock <'$password'" }
    $variables = @{ PATH = $env:PATH; HOME = $Bus.Folder; XDG_RUNTIME_DIR = $Bus.Folder; DBUS_SESSION_BUS_ADDRESS = $Bus.Address }
    $Bus.Keyring = Start-BoundProgram "'$program' --foreground --components=secrets $how >/dev/null 2>&1" $variables
    if ($Missing) { while ((Send-Keyring $Bus /org/freedesktop/secrets org.freedesktop.DBus.Peer.Ping) -notmatch '^method return') { Start-Sleep -Milliseconds 20 } }
    else { Wait-Keyring $Bus $(if ($Locked) { 'true' } else { 'false' }) }
}

# Waits until the default keyring is there and is locked, or is not.
function Wait-Keyring([object] $Bus, [string] $IsLocked) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    do {
        if ($watch.Elapsed.TotalSeconds -gt 30) { throw "The keyring did not come to have Locked = $IsLocked." }
        $answer = Send-Keyring $Bus /org/freedesktop/secrets/aliases/default org.freedesktop.DBus.Properties.Get string:org.freedesktop.Secret.Collection string:Locked
        if ("$answer" -notmatch 'boolean') { Start-Sleep -Milliseconds 20 }
    } until ("$answer" -match "boolean $IsLocked")
}

# Kills GNOME Keyring, as a crash does.
function Stop-Keyring([object] $Bus) {
    $Bus.Keyring.StandardInput.Close()
    $Bus.Keyring.WaitForExit()
    $Bus.Keyring = $null
}

# Calls a method of GNOME Keyring, and returns the lines of its answer.
function Send-Keyring([object] $Bus, [string] $Path, [string] $Method, [Parameter(ValueFromRemainingArguments)] [string[]] $Value = @()) {
    dbus-send "--bus=$($Bus.Address)" --print-reply --reply-timeout=5000 --dest=org.freedesktop.secrets $Path $Method @Value 2>&1 | ForEach-Object { "$_" }
}

# Locks the default keyring, as the screen lock of a desktop may do.
function Lock-Keyring([object] $Bus) {
    $null = Send-Keyring $Bus /org/freedesktop/secrets org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/aliases/default
    Wait-Keyring $Bus true
}

# Runs secret-tool with a value on its standard input.
function Invoke-SecretTool([object] $Bus, [string[]] $Word, [string] $Value = '') {
    $start = [Diagnostics.ProcessStartInfo]::new('secret-tool')
    foreach ($argument in $Word) { $start.ArgumentList.Add($argument) }
    $start.Environment['DBUS_SESSION_BUS_ADDRESS'] = $Bus.Address
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Write($Value)
    $process.StandardInput.Close()
    $null = $process.StandardError.ReadToEndAsync()
    $process.StandardOutput.ReadToEnd()
    $process.WaitForExit()
}

# The attributes of the module's item for a session.
function Get-ItemAttribute([string] $Session, [string] $Version = '1') {
    'application', 'Set-AwsCliSsoCredentials', 'sso_session', $Session, 'version', $Version
}

# The value that the keyring has for a session; nothing if it has none.
function Get-StoredValue([object] $Bus, [string] $Session) {
    Invoke-SecretTool $Bus (@('lookup') + (Get-ItemAttribute $Session)) | Where-Object { $_ }
}

# Puts another value in place of it.
function Set-StoredValue([object] $Bus, [string] $Session, [string] $Value) {
    $attributes = Get-ItemAttribute $Session
    $null = Invoke-SecretTool $Bus (@('clear') + $attributes)
    $null = Invoke-SecretTool $Bus (@('store', '--label=tests') + $attributes) $Value
}

# The number of the module's items in the keyring, of all versions.
function Get-StoredCount([object] $Bus) {
    @((Invoke-SecretTool $Bus 'search', '--all', 'application', 'Set-AwsCliSsoCredentials') -split "`n" -match '^\[/').Count
}

# Ends all buses and what runs on them, and removes their folders.
function Clear-SessionBus {
    foreach ($bus in $buses) {
        foreach ($process in @($bus.Keyring) + $bus.Process | Where-Object { $_ }) {
            $process.StandardInput.Close()
            if (-not $process.WaitForExit(5000)) { $process.Kill($true) }
        }
        Remove-Item $bus.Folder -Recurse -Force -ErrorAction Ignore
    }
    $buses.Clear()
}

Export-ModuleMember -Function *-*
