# The line that the README recommends for $PROFILE, in every kind of shell that reads a $PROFILE.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Credential

    # The line as the README has it, with this module.
    $readme = Get-Content -Raw (Join-Path $PSScriptRoot '../README.md')
    $recommended = [regex]::Match($readme, '(?m)^Import-Module Set-AwsCliSsoCredentials; Update-SsoCredential .*-AtStartup.*$').Value.Trim()
    $line = $recommended.Replace('Import-Module Set-AwsCliSsoCredentials', "Import-Module '$manifest'")

    # A home folder whose $PROFILE has that line: with keys that are due, with a session or without one.
    function New-ShellHome([switch] $WithSession, [string] $Text = $line) {
        $own = if ($WithSession) { New-UserHome -From $loggedIn } else { New-UserHome }
        if (-not $WithSession) { Add-Environment $own $service -Count 2 }
        Remove-Item (Get-AwsPath $own credentials) -ErrorAction Ignore
        foreach ($folder in '.config/powershell', 'Documents/PowerShell') {
            $null = New-Item -ItemType Directory (Join-Path $own $folder) -Force
            Set-Content (Join-Path $own $folder 'profile.ps1') $Text
        }
        $own
    }

    # The line, with a note in the home folder of how long it took: what PowerShell itself needs to start depends on the machine.
    $timed = "`$watch = [Diagnostics.Stopwatch]::StartNew(); $line; Set-Content ~/seconds `$watch.Elapsed.TotalSeconds"
    function Get-Second([string] $UserHome) { [double] (Get-Content (Join-Path $UserHome seconds)) }
    # It is given 5 s. By itself a request, a lock or a connection is given up after 30 s or later.
    $late = 25

    # Runs pwsh with its $PROFILE as from another shell, its input closed and its output captured.
    function Invoke-Shell([string] $UserHome, [string[]] $Word, [hashtable] $Variable = @{}, [string[]] $Through = @()) {
        Wait-UserProgram (Start-UserProgram ($Through + @(Get-PowerShell) + $Word) (Get-UserVariable $UserHome $service $Variable)) -Seconds 60
    }

    # Sets the session's token to have ended, so that it is refreshed first.
    function Set-SessionEnded([string] $UserHome) {
        foreach ($file in Get-ChildItem (Get-AwsPath $UserHome sso/cache/*.json)) {
            $text = Get-Content -Raw $file
            Set-Content $file ($text -replace '"expiresAt": ?"[^"]*"', '"expiresAt": "2020-01-01T00:00:00Z"') -NoNewline
        }
    }

    # A place that takes connections and never says a word.
    $silent = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
    $silent.Start()
    $silentUrl = "http://$($silent.LocalEndpoint)"

    # Runs a command in a terminal, and gives what it shows there.
    function Invoke-InTerminal([string] $UserHome, [string] $Command, [hashtable] $Variable = @{}) {
        $through = (@(Get-PowerShell) | ForEach-Object { "'$_'" }) -join ' '
        $words = 'script', '-qec', $Command.Replace('pwsh', $through), '/dev/null'
        Wait-UserProgram (Start-UserProgram $words (Get-UserVariable $UserHome $service ($Variable + @{ TERM = 'xterm'; COLUMNS = '400' }))) -Seconds 90
    }

    $hasTerminal = [bool] (Get-Command script -CommandType Application -ErrorAction Ignore) -and $IsLinux
}

AfterAll {
    $silent.Stop()
    Clear-StandIn
}

# On Windows, $PROFILE is in the Documents folder of the account, and not of a home folder that a test makes.
Describe 'The line for $PROFILE' -Skip:$IsWindows {
    It 'is in the README' {
        $recommended | Should -Be 'Import-Module Set-AwsCliSsoCredentials; Update-SsoCredential -Environment Acme -AtStartup'
    }

    It 'does not delay a shell without a session and adds nothing to its output: pwsh <_>' -ForEach '-Command', '-NonInteractive -Command' {
        $own = New-ShellHome
        $before = Get-RequestCount $service
        $run = Invoke-Shell $own ($_.Split() + '"hello"')
        $run.Text, $run.ErrorText, $run.ExitCode | Should -Be 'hello', '', 0
        Get-RequestCount $service | Should -Be $before
    }

    It 'fetches credentials in a shell with a session and adds nothing to its output' {
        $own = New-ShellHome -WithSession
        $run = Invoke-Shell $own '-Command', '"hello"'
        $run.Text, $run.ErrorText | Should -Be 'hello', ''
        (Get-Credential $own).Keys | Should -Be 'Account1', 'Account2'
    }

    It 'adds nothing to output that another shell captures, even if errors go to a terminal' {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }
        $own = New-ShellHome -Text "$line; Update-SsoCredential Nowhere, Acme -AtStartup"
        (Invoke-InTerminal $own 'x=$(pwsh -Command ''"hello"'' </dev/null); printf "<%s>" "$x"').Text | Should -Match '<hello>'
    }

    It 'does not delay a shell for long whatever the network does: <Name>' -ForEach @(
        @{ Name = 'nothing answers'; Ended = $false; Change = { @{ AWS_ENDPOINT_URL_SSO = $silentUrl; AWS_ENDPOINT_URL_SSO_OIDC = $silentUrl } } }
        @{ Name = 'a refresh is not answered'; Ended = $true; Change = { @{ AWS_ENDPOINT_URL_SSO = $silentUrl; AWS_ENDPOINT_URL_SSO_OIDC = $silentUrl } } }
        @{ Name = 'no route'; Ended = $false; Change = { @{ AWS_ENDPOINT_URL_SSO = 'https://192.0.2.1'; AWS_ENDPOINT_URL_SSO_OIDC = 'https://192.0.2.1' } } }
        @{ Name = 'connections are refused'; Ended = $true; Change = { @{ AWS_ENDPOINT_URL_SSO = 'http://127.0.0.1:9'; AWS_ENDPOINT_URL_SSO_OIDC = 'http://127.0.0.1:9' } } }
        @{ Name = 'TLS is not answered'; Ended = $false; Change = { @{ AWS_ENDPOINT_URL_SSO = $silentUrl.Replace('http', 'https'); AWS_ENDPOINT_URL_SSO_OIDC = $silentUrl.Replace('http', 'https') } } }
        @{ Name = 'a proxy does not answer'; Ended = $true; Change = { @{ AWS_ENDPOINT_URL_SSO = ''; AWS_ENDPOINT_URL_SSO_OIDC = ''; HTTPS_PROXY = $silentUrl } } }
        @{ Name = 'no such name'; Ended = $false; Change = { @{ AWS_ENDPOINT_URL_SSO = 'https://sso.nowhere.invalid'; AWS_ENDPOINT_URL_SSO_OIDC = 'https://sso.nowhere.invalid' } } }
    ) {
        $own = New-ShellHome -WithSession -Text $timed
        if ($Ended) { Set-SessionEnded $own }
        $run = Invoke-Shell $own '-Command', '"hello"' (& $Change)
        Get-Second $own | Should -BeLessThan $late
        $run.Text, $run.ErrorText, $run.ExitCode | Should -Be 'hello', '', 0
        (Get-Credential $own).Count | Should -Be 0
    }

    It 'does not delay a shell for long if the lookup of a name never ends' {
        if (-not $IsLinux -or -not (Get-Command gcc -CommandType Application -ErrorAction Ignore)) {
            Set-ItResult -Skipped -Because 'a resolver that hangs is made with gcc, for Linux'
            return
        }
        $folder = New-TestFolder
        Set-Content "$folder/resolver.c" '#include <unistd.h>', 'int getaddrinfo(const char *n, const char *s, const void *h, void *r) { for (;;) sleep(60); }'
        gcc -shared -fPIC -o "$folder/resolver.so" "$folder/resolver.c"
        $own = New-ShellHome -WithSession -Text $timed
        $run = Invoke-Shell $own '-Command', '"hello"' @{ AWS_ENDPOINT_URL_SSO = 'https://example.com'; AWS_ENDPOINT_URL_SSO_OIDC = 'https://example.com'; LD_PRELOAD = "$folder/resolver.so" }
        Get-Second $own | Should -BeLessThan $late
        $run.Text, $run.ErrorText, $run.ExitCode | Should -Be 'hello', '', 0
    }

    It 'does not delay a shell for long if another process holds a lock: <Name>' -ForEach @(
        @{ Name = 'that of the session, as while somebody logs in elsewhere'; Ended = $true; Lock = { Get-SessionLock $own $service } }
        @{ Name = 'that of the credentials file'; Ended = $false; Lock = { Get-AwsPath $own credentials.lock } }
    ) {
        $own = New-ShellHome -WithSession -Text $timed
        if ($Ended) { Set-SessionEnded $own }
        $path = & $Lock
        $null = New-Item -ItemType Directory -Force (Split-Path $path)
        $held = [IO.File]::Open($path, 'OpenOrCreate', 'ReadWrite', 'None')
        try {
            $run = Invoke-Shell $own '-Command', '"hello"'
            Get-Second $own | Should -BeLessThan $late
            $run.Text, $run.ErrorText, $run.ExitCode | Should -Be 'hello', '', 0
        }
        finally { $held.Dispose() }
    }

    It 'does not stop a shell whatever is wrong with its files: <Name>' -ForEach @(
        @{ Name = 'the credentials file'; Break = { Add-AwsText $own credentials "[Account1]`n[Account1]`n" } }
        @{ Name = 'the environments'; Break = { Add-AwsText $own sso-environments "[what]`n" } }
        @{ Name = 'no environment'; Break = { Remove-Item (Get-AwsPath $own sso-environments) } }
    ) {
        $own = New-ShellHome -WithSession -Text "`$ErrorActionPreference = 'Stop'; $line"
        & $Break
        $run = Invoke-Shell $own '-Command', '"hello"'
        $run.Text, $run.ErrorText, $run.ExitCode | Should -Be 'hello', '', 0
    }

    It 'says in one line in a terminal what to do if a login is needed: <Name>' -ForEach @(
        @{ Name = 'a terminal'; Variable = @{} }
        @{ Name = 'that of VS Code'; Variable = @{ TERM_PROGRAM = 'vscode'; VSCODE_INJECTION = '1' } }
    ) {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }
        $run = Invoke-InTerminal (New-ShellHome) 'pwsh -NoLogo -Command ''"hello"'' </dev/null' $Variable
        $text = $run.Text -replace '\e\[[\d;?]*[a-zA-Z=]|\e=', ''
        $text | Should -Match 'WARNING: Acme needs a login. Run Connect-SsoSession Acme.'
        $text | Should -Not -Match 'approve|Log in to'
        $text | Should -Match '(?m)^hello'
    }

    It 'says in one line in a terminal that the network failed' {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }
        $run = Invoke-InTerminal (New-ShellHome -WithSession) 'pwsh -NoLogo -Command ''"hello"'' </dev/null' @{ AWS_ENDPOINT_URL_SSO = 'http://127.0.0.1:9' }
        $text = $run.Text -replace '\e\[[\d;?]*[a-zA-Z=]|\e=', ''
        $text | Should -Match 'WARNING: Not all credentials of Acme were refreshed \(NetworkError\). Run Update-SsoCredential Acme to see why.'
    }
}

Describe 'Update-SsoCredential -AtStartup' {
    It 'names each environment that needs a login, quoted for a command' {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }
        $own = New-ShellHome -Text "Import-Module '$manifest'; Update-SsoCredential -AtStartup"
        Add-Environment $own $service 'R&D' -Count 1 -First 3
        $run = Invoke-InTerminal $own 'pwsh -NoLogo -Command ''"hello"'' </dev/null'
        ($run.Text -replace '\e\[[\d;?]*[a-zA-Z=]|\e=', '').Split("`n") -match 'login' | Should -Match "^WARNING: Acme, 'R&D' need a login. Run Connect-SsoSession Acme, 'R&D'.\s*$"
    }

    It 'shows a hint, and no error, for a piped profile that does not exist' {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }
        $own = New-ShellHome -Text "Import-Module '$manifest'; [pscustomobject] @{ Environment = 'Acme'; ProfileName = 'Nobody' } | Update-SsoCredential -AtStartup"
        $run = Invoke-InTerminal $own 'pwsh -NoLogo -Command ''"errors: $($Error.Count)"'' </dev/null'
        $text = $run.Text -replace '\e\[[\d;?]*[a-zA-Z=]|\e=', ''
        $text | Should -Match 'WARNING: Not all credentials of Acme were refreshed \(ProfileNotFound\)\. Run Update-SsoCredential Acme to see why\.'
        $text | Should -Not -Match 'No profile of Acme'
        $text | Should -Match 'errors: 0'
    }

    It 'adds no error and writes to no stream if its output is captured' {
        $own = New-UserHome
        Add-Environment $own $service -Count 1
        $run = Invoke-UserPowerShell $own $service 'Update-SsoCredential Acme -AtStartup *>&1; Update-SsoCredential Nowhere -AtStartup -Verbose *>&1'
        @($run.Output) + @($run.Errors) | Should -BeNullOrEmpty
        $run.Text, $run.ErrorText | Should -Be '', ''
    }

    It 'returns objects with -PassThru' {
        $run = Invoke-UserPowerShell (New-UserHome -From $loggedIn) $service 'Update-SsoCredential Acme -AtStartup -Force -PassThru'
        $run.Output.Status | Should -Be 'Refreshed', 'Refreshed'
    }

    It 'takes its time limit from -Timeout' {
        $own = New-UserHome -From $loggedIn
        # Twice the 5 s that it takes without -Timeout.
        $run = Invoke-UserPowerShell $own $service '(Measure-Command { Update-SsoCredential Acme -AtStartup -Force -Timeout 10 }).TotalSeconds' @{ AWS_ENDPOINT_URL_SSO = $silentUrl }
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0] | Should -BeGreaterOrEqual 7
        $run.Output[0] | Should -BeLessThan $late
    }
}

Describe 'The line without -AtStartup' {
    It 'logs in, in a terminal' {
        if (-not $hasTerminal) {
            Set-ItResult -Skipped -Because 'there is no program script for a terminal'
            return
        }
        $own = New-ShellHome -Text "Import-Module '$manifest'; Update-SsoCredential -Environment Acme"
        $run = Invoke-InTerminal $own 'pwsh -NoLogo -Command ''"hello"'' </dev/null' @{ AWS_SSO_BROWSER = '/bin/true' }
        $run.Text | Should -Match 'Log in to Acme'
        (Get-Credential $own).Keys | Should -Be 'Account1', 'Account2'
    }
}
