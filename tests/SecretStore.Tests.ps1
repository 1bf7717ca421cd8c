# What a user gets who keeps sessions in the secret store, and credentials out of files: with GNOME Keyring on a session bus of the tests' own.

BeforeDiscovery {
    Import-Module (Join-Path $PSScriptRoot 'SessionBus.psm1') -Force
    $missing = Get-MissingKeyring
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    Import-Module (Join-Path $PSScriptRoot 'SessionBus.psm1') -Force

    # Every token, client secret and key that the stand-in issues begins like this, as those of AWS do, and so does the value in the store.
    $secretPattern = 'ao[ar]AAAAA|eyJhY2Nlc3NUb2tlbiI6|eyJraWQiOiJrZXkifQ\.|IQoJb3JpZ2luX2VjE|ASIA[A-Z2-7]{16}'
    $hasTools = [bool] (Get-Command secret-tool -CommandType Application -ErrorAction Ignore)

    # The files below a folder that have a secret, whatever their encoding.
    function Find-Secret([string] $Folder, [string[]] $Known = @()) {
        $pattern = (@($secretPattern) + @($Known | Where-Object { $_ } | ForEach-Object { [regex]::Escape($_) })) -join '|'
        foreach ($file in Get-ChildItem $Folder -Recurse -File -Force | Where-Object UnixMode -NotLike 's*') {
            $text = [Text.Encoding]::Latin1.GetString([IO.File]::ReadAllBytes($file.FullName)).Replace("`0", '')
            if ($text -cmatch $pattern) { [IO.Path]::GetRelativePath($Folder, $file.FullName) }
        }
    }

    # A home folder with the environment Acme, and these lines among its settings.
    function New-AcmeHome([object] $StandIn, [string[]] $Setting = @(), [int] $Count = 2) {
        $path = New-UserHome
        Add-Environment $path $StandIn -Count $Count
        Add-Setting $path $Setting
        $path
    }

    # Adds settings of Acme to its file, as an editor does.
    function Add-Setting([string] $UserHome, [string[]] $Setting) {
        $file = Get-AwsPath $UserHome sso-environments
        $text = [IO.File]::ReadAllText($file)
        foreach ($line in $Setting) { $text = $text.Replace("sso_region = us-west-2`n", "sso_region = us-west-2`n$line`n") }
        [IO.File]::WriteAllText($file, $text)
    }

    # The name that the session of a home folder has in the store.
    function Get-SessionName([string] $UserHome) {
        Split-Path -LeafBase (Get-ChildItem (Get-AwsPath $UserHome sso/stored/*.json)).FullName
    }

    # The record of the session that is in the store.
    function Get-Record([string] $UserHome) {
        Get-Content -Raw (Get-AwsPath $UserHome sso/stored/*.json) | ConvertFrom-Json -AsHashtable
    }

    # The files of the AWS CLI's cache.
    function Get-CacheName([string] $UserHome) {
        @(Get-ChildItem (Get-AwsPath $UserHome sso/cache/*.json) -ErrorAction Ignore).Name
    }

    # What the store has for a session: the value, and the secrets in it.
    function Get-StoredSecret([object] $Bus, [string] $Session) {
        $value = Get-StoredValue $Bus $Session
        $token = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($value)) | ConvertFrom-Json -AsHashtable
        [pscustomobject] @{ Value = $value; Token = $token; Known = @($value, $token.accessToken, $token.refreshToken, $token.clientSecret) }
    }

    # Requests of the stand-in that a command made: all, or those of an operation.
    function Get-Made([hashtable] $Before, [object] $StandIn) {
        $after = Get-Request $StandIn
        $made = @{}
        foreach ($name in $after.Keys) { if ($after[$name] - $Before[$name]) { $made[$name] = $after[$name] - $Before[$name] } }
        $made
    }
    function Get-Request([object] $StandIn) {
        $all = @{}
        (Get-StandInStats $StandIn).requests.PSObject.Properties | ForEach-Object { $all[$_.Name] = $_.Value }
        $all
    }

    # Exactly one error, which says what is wrong in one sentence of its own and what to do.
    function Assert-OneError([object] $Run, [string] $Id, [string] $Message, [string] $Action) {
        $Run.Errors.Count | Should -Be 1
        $Run.Errors[0].Id | Should -BeLike "$Id,*"
        $Run.Errors[0].Message | Should -BeLike "$Message"
        $Run.Errors[0].Action | Should -BeLike "$Action"
    }

    $connect = 'Connect-SsoSession Acme -NoBrowser -NoQrCode 6>$null'
    $system = @{ AWS_SSO_TOKEN_CACHE = 'System' }
    if (-not (Get-MissingKeyring)) {
        $service = Start-StandIn '--accounts', '6', '--approve-after-polls', '0', '--interval', '1'
        $bus = Start-SessionBus -Keyring
        # A session in the store, as after a login; nothing is fetched yet.
        $loggedIn = New-AcmeHome $service
        $first = Invoke-UserPowerShell $loggedIn $service @'
            Start-Transcript ./transcript | Out-Null
            Connect-SsoSession Acme -NoBrowser -NoQrCode -PassThru -Verbose *>&1 | ForEach-Object { "$_" }
            Stop-Transcript | Out-Null
'@ ($bus.Variable + $system)
    }

    # A session that a test may end: a service, a home folder and a keyring of its own.
    function New-Login {
        $own = [pscustomobject] @{ Service = Start-StandIn '--accounts', '2', '--approve-after-polls', '0', '--interval', '1'; Home = $null; Bus = Start-SessionBus -Keyring }
        $own.Home = New-AcmeHome $own.Service
        $run = Invoke-UserRunspace $own.Home $own.Service $connect ($own.Bus.Variable + $system)
        if ($run.Errors) { throw $run.Errors[0].Message }
        $own
    }

    # The session of all tests in a keyring of a test's own.
    function New-Bus([hashtable] $Service = @{}) {
        $own = Start-SessionBus -From $bus.Folder -Service $Service
        Start-Keyring $own
        $own
    }
}

AfterAll {
    Clear-StandIn
    Clear-SessionBus
}

Describe 'A session in the secret store' -Skip:([bool] $missing) {
    It 'comes from one login, and no file, stream, or transcript has anything secret of it' {
        $first.Errors | Should -BeNullOrEmpty
        $first.Output[-1] | Should -Be 'Acme'
        Get-RequestCount $service CreateToken | Should -Be 1
        Get-AwsPath $loggedIn sso/stored | Should -Exist
        Get-AwsPath $loggedIn sso/cache | Should -Not -Exist
        "$loggedIn/transcript" | Should -Exist
        Find-Secret $loggedIn | Should -BeNullOrEmpty
        "$($first.Text) $($first.ErrorText) $($first.Output)" | Should -Not -Match $secretPattern
        # The test would see it.
        $seen = New-LoggedInHome $service
        Find-Secret $seen | Should -Not -BeNullOrEmpty
    }

    It 'is what the store has, in one item, under the name of the session, with its refresh token and client secret' {
        if (-not $hasTools) { Set-ItResult -Skipped -Because 'secret-tool is not installed'; return }
        Get-StoredCount $bus | Should -Be 1
        $stored = Get-StoredSecret $bus (Get-SessionName $loggedIn)
        $stored.Known.Count | Should -Be 4
        $stored.Known | ForEach-Object { $_ | Should -Not -BeNullOrEmpty }
        Find-Secret $loggedIn $stored.Known | Should -BeNullOrEmpty
        Find-Secret $bus.Folder $stored.Known | Should -BeNullOrEmpty
    }

    It 'is found by the next PowerShell without the variable, is renewed there, and the new token replaces the old one' {
        $login = New-Login
        $own, $ownBus = $login.Home, $login.Bus
        $before, $record = (Get-Request $login.Service), (Get-Record $own)
        $run = Invoke-UserPowerShell $own $login.Service @'
            Update-SsoCredential Acme -NoLogin -PassThru -Quiet | ForEach-Object { "$($_.Status)" }
            $null = Invoke-RestMethod "$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body '{"expire_tokens":true}'
            Update-SsoCredential Acme -NoLogin -Force -PassThru -Quiet | ForEach-Object { "$($_.Status)" }
'@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created', 'Refreshed', 'Refreshed'
        $made = Get-Made $before $login.Service
        $made.CreateToken | Should -Be 1
        $made.ContainsKey('RegisterClient') | Should -BeFalse
        (Get-Record $own).token | Should -Not -Be $record.token
        Find-Secret $own | Should -Be '.aws/credentials'
        $next = Invoke-UserPowerShell $own $login.Service 'Update-SsoCredential Acme -NoLogin -Force -PassThru -Quiet | ForEach-Object { "$($_.Status)" }' $ownBus.Variable
        $next.Errors | Should -BeNullOrEmpty
        $next.Output | Should -Be 'Refreshed', 'Refreshed'
        (Get-Made $before $login.Service).CreateToken | Should -Be 1
        if ($hasTools) { Get-StoredCount $ownBus | Should -Be 1 }
    }

    It 'needs a login after the service ended it, which the next PowerShell knows, and the login replaces it' {
        $ending = Start-StandIn '--accounts', '2', '--approve-after-polls', '0', '--interval', '1'
        $own, $ownBus = (New-AcmeHome $ending), (Start-SessionBus -Keyring)
        $run = Invoke-UserPowerShell $own $ending "$connect; `$null = Invoke-RestMethod `$standInUrl/_control -Method Post -NoProxy -ContentType application/json -Body '{`"end_sessions`":true}'; Update-SsoCredential Acme -NoLogin -Quiet" ($ownBus.Variable + $system)
        $run.Errors.Id | Should -BeLike 'LoginRequired,*'
        $before = Get-Request $ending
        $run = Invoke-UserPowerShell $own $ending @'
            (Get-SsoSession).Refreshable
            Update-SsoCredential Acme -NoBrowser -NoQrCode -Quiet -PassThru 6>$null | ForEach-Object { "$($_.Status)" }
            (Get-SsoSession).Refreshable
'@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be $false, 'Created', 'Created', $true
        (Get-Made $before $ending).StartDeviceAuthorization | Should -Be 1
        Find-Secret $own | Should -Be '.aws/credentials'
        if ($hasTools) { Get-StoredCount $ownBus | Should -Be 1 }
    }
}

Describe 'The place of a session' -Skip:([bool] $missing) {
    It 'is what the parameter says, or else the environment, or else the variable, or else where it is' {
        $own = New-UserHome $loggedIn
        $run = Invoke-UserRunspace $own $service @'
            function Get-Place([string] $How) { "${How}: $((Get-SsoSession Acme).TokenCache)" }
            Get-Place record
            $env:AWS_SSO_TOKEN_CACHE = 'AwsCli'
            Get-Place 'variable and record'
            $env:AWS_SSO_TOKEN_CACHE = ' memory '
            Get-Place 'variable in another case'
            $env:AWS_SSO_TOKEN_CACHE = ''
            Get-Place 'empty variable'
            $env:AWS_SSO_TOKEN_CACHE = 'Memory'
            Set-SsoEnvironment Acme -TokenCache AwsCli
            Get-Place environment
            (Get-SsoEnvironment Acme).TokenCache
            Set-SsoEnvironment Acme -TokenCache System
            (Connect-SsoSession Acme -NoBrowser -NoQrCode -TokenCache Memory -PassThru 6>$null).TokenCache
            Get-Place 'environment again'
'@ $bus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | ForEach-Object { "$_" } | Should -Be 'record: System', 'variable and record: AwsCli', 'variable in another case: Memory', 'empty variable: System', 'environment: AwsCli', 'AwsCli', 'Memory', 'environment again: System'
    }

    It 'is named as wrong before any request where the variable or the setting is no place' {
        $own, $other = (New-AcmeHome $service), (New-AcmeHome $service 'token_cache = Vault')
        $before = Get-RequestCount $service
        foreach ($command in $connect, 'Update-SsoCredential Acme', 'Get-SsoSession Acme', 'Disconnect-SsoSession Acme') {
            $run = Invoke-UserRunspace $own $service $command ($bus.Variable + @{ AWS_SSO_TOKEN_CACHE = 'Vault' })
            Assert-OneError $run EnvironmentInvalid "*AWS_SSO_TOKEN_CACHE is 'Vault', which is not a place*" '*AwsCli*Memory*System*'
        }
        $run = Invoke-UserRunspace $other $service $connect $bus.Variable
        Assert-OneError $run EnvironmentInvalid '*token_cache must be *' '*'
        Get-RequestCount $service | Should -Be $before
    }
}

Describe 'Without a secret store that can be used' -Skip:([bool] $missing) {
    BeforeAll {
        # A prompt that nobody answers: the bus starts a program that leaves a mark, and never becomes the prompter.
        $asked = "$(New-TestFolder)/asked"
        $prompter = @{ 'org.gnome.keyring.SystemPrompter' = "/bin/sh -c 'echo asked >>$asked; exec sleep 100'" }
        $noProvider = Start-SessionBus
        $noKeyring = Start-SessionBus
        Start-Keyring $noKeyring -Missing
        $locked = New-Bus $prompter
        Lock-Keyring $locked
        $faults = @{
            'no session bus' = @{ Variable = @{}; Id = 'SecretStoreUnavailable'; Message = 'There is no secret store here: no D-Bus session bus is running.'; Action = '*desktop session*-TokenCache Memory.' }
            'no program that provides it' = @{ Variable = $noProvider.Variable; Id = 'SecretStoreUnavailable'; Message = 'There is no secret store here: no program provides the Secret Service.'; Action = 'Install*-TokenCache Memory.' }
            'no default keyring' = @{ Variable = $noKeyring.Variable; Id = 'SecretStoreUnavailable'; Message = 'The Secret Service has no default keyring.'; Action = 'Create*-TokenCache Memory.' }
            'a locked keyring and nobody to ask' = @{ Variable = $locked.Variable; Id = 'SecretStoreLocked'; Message = 'The Secret Service is locked.'; Action = 'Unlock it, or run Connect-SsoSession*' }
        }
    }

    BeforeEach { Remove-Item $asked -ErrorAction Ignore }

    It 'says so before the browser opens, asks the service for nothing, and writes no file: <_>' -TestCases 'no session bus', 'no program that provides it', 'no default keyring' {
        $fault, $own = $faults[$_], (New-AcmeHome $service)
        $before = Get-RequestCount $service
        foreach ($command in $connect, 'Update-SsoCredential Acme -NoBrowser -NoQrCode') {
            $run = Invoke-UserRunspace $own $service $command ($fault.Variable + $system)
            Assert-OneError $run $fault.Id "*$($fault.Message)" $fault.Action
            $run.Errors.Message | Should -BeLike 'Acme uses the secret store for its session *'
        }
        Get-RequestCount $service | Should -Be $before
        Get-CacheName $own | Should -BeNullOrEmpty
        Find-Secret $own | Should -BeNullOrEmpty
    }

    It 'says so in one sentence where a session is there, never asks, and goes on with another place: <_>' -TestCases 'no session bus', 'no program that provides it', 'no default keyring', 'a locked keyring and nobody to ask' {
        $fault, $own = $faults[$_], (New-UserHome $loggedIn)
        $before = Get-RequestCount $service
        foreach ($command in 'Update-SsoCredential Acme -NoLogin', 'Connect-SsoSession Acme -NoLogin', 'Get-SsoCredential -ProfileName Account1 -AsCredentialProcess', 'Invoke-SsoCommand -ProfileName Account1 -NoLogin -AsEnvironmentVariable { 1 }') {
            $run = Invoke-UserRunspace $own $service $command $fault.Variable
            Assert-OneError $run $fault.Id "Acme uses the secret store for its session (-TokenCache System). $($fault.Message)" $fault.Action
        }
        $run = Invoke-UserRunspace $own $service 'Get-SsoSession; Get-SsoCredential | ForEach-Object { "$($_.State)" }' $fault.Variable
        $run.Errors | Should -BeNullOrEmpty
        "$($run.Output[0].State) $($run.Output[0].TokenCache)" | Should -Be 'Active System'
        $run.Output[0].IsStoreLocked | Should -Be $(if ($_ -like 'a locked*') { $true })
        $run.Output[1..2] | Should -Be 'Missing', 'Missing'
        Get-RequestCount $service | Should -Be $before
        $asked | Should -Not -Exist
        $run = Invoke-UserRunspace $own $service 'Connect-SsoSession Acme -TokenCache Memory -NoBrowser -NoQrCode 6>$null; Update-SsoCredential Acme -TokenCache Memory -NoLogin -PassThru -Quiet | ForEach-Object { "$($_.Status)" }' $fault.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created'
        Find-Secret $own | Should -Be '.aws/credentials'
    }

    It 'tells the helper program and the next command why nothing is refreshed, and asks nobody from the background' {
        $own = New-UserHome $loggedIn
        $helper = (Get-ChildItem (Join-Path (Split-Path $manifest) "bin/linux-$architecture/sso-credential-process")).FullName
        $run = Wait-UserProgram (Start-UserProgram @($helper, '--environment', 'Acme', '--profile', 'Account1') (Get-UserVariable $own $service $locked.Variable))
        $run.ExitCode | Should -Not -Be 0
        $run.ErrorText | Should -Match 'Acme uses the secret store for its session \(-TokenCache System\)\. The Secret Service is locked\.'
        $run.Text | Should -BeNullOrEmpty
        $quick = Start-StandIn '--accounts', '1', '--approve-after-polls', '0', '--credential-lifetime', '9'
        $quickBus, $quickHome = (New-Bus $prompter), (New-AcmeHome $quick 'token_cache = System' 1)
        $run = Invoke-UserPowerShell $quickHome $quick "$connect; Update-SsoCredential Acme -NoLogin -Quiet" $quickBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        Lock-Keyring $quickBus
        $run = Invoke-UserPowerShell $quickHome $quick @'
            Start-SsoCredentialRefresh Acme
            $watch = [Diagnostics.Stopwatch]::StartNew()
            do { Start-Sleep -Milliseconds 200; $seen = Get-SsoCredentialRefresh -WarningAction SilentlyContinue } until ($seen.LastError -or $watch.Elapsed.TotalSeconds -gt 60)
            "$($seen.State)"; "$($seen | Format-List | Out-String -Width 400)"
'@ $quickBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[1] | Should -Match 'Acme uses the secret store for its session \(-TokenCache System\)\. The Secret Service is locked\.'
        $asked | Should -Not -Exist
    }

    It 'ends the wait for a prompt that nobody answers at Ctrl+C, and the next command works: <_>' -TestCases 'Update-SsoCredential Acme', 'Connect-SsoSession Acme -TokenCache System -NoBrowser', 'Invoke-SsoCommand -ProfileName Account1 { 1 }' {
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus $prompter)
        Lock-Keyring $ownBus
        $run = Invoke-UserRunspace $own $service @"
            `$shell = [powershell]::Create()
            `$shell.Runspace = [runspacefactory]::CreateRunspace(`$Host)
            `$shell.Runspace.Open()
            `$null = `$shell.AddScript("Import-Module '`$manifest'; $_")
            `$null = `$shell.BeginInvoke()
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            while (-not (Test-Path '$asked') -and `$watch.Elapsed.TotalSeconds -lt 30) { Start-Sleep -Milliseconds 20 }
            Test-Path '$asked'
            `$watch = [Diagnostics.Stopwatch]::StartNew()
            `$shell.Stop()
            # A prompt that stays open would end the command after a minute.
            "`$(`$shell.InvocationStateInfo.State) `$(`$watch.Elapsed.TotalSeconds -lt 20)"
"@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be $true, 'Stopped True'
        # GNOME Keyring 46 ends when a prompt is closed whose program is still being started.
        Stop-Keyring $ownBus
        Start-Keyring $ownBus
        $run = Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -NoLogin -PassThru -Quiet | ForEach-Object { "$($_.Status)" }' $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created'
    }
}

Describe 'Connect-SsoSession -Move' -Skip:([bool] $missing) {
    It 'takes a session of the AWS CLI over with nothing left in its folder, and back, and nobody logs in' {
        $own, $ownBus = (New-LoggedInHome $service), (Start-SessionBus -Keyring)
        $before, $tokens = (Get-Request $service), @(Get-Secret $own)
        # Another session's client, as `aws sso login` keeps it.
        Add-AwsText $own 'sso/cache/botocore-client-id-us-west-2.json' '{"clientId": "other", "clientSecret": "other", "expiresAt": "2099-01-01T00:00:00Z"}'
        $run = Invoke-UserPowerShell $own $service @'
            Connect-SsoSession Acme -TokenCache System -Move -PassThru -Verbose 4>&1 6>$null | ForEach-Object { if ($_ -is [Management.Automation.VerboseRecord]) { "$_" } else { "$($_.State) $($_.TokenCache)" } }
            (Get-SsoSession Acme).TokenCache
'@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[-1] | Should -Be 'System'
        $run.Output[-2] | Should -Be 'Active System'
        $run.Output -join "`n" | Should -Match 'the session was taken over from .*cache'
        Get-CacheName $own | Should -Be 'botocore-client-id-us-west-2.json'
        Find-Secret $own $tokens | Should -BeNullOrEmpty
        $run = Invoke-UserPowerShell $own $service @'
            Connect-SsoSession Acme -TokenCache AwsCli -Move -PassThru 6>$null | ForEach-Object { "$($_.State) $($_.TokenCache)" }
            (Get-SsoSession Acme).TokenCache
            Update-SsoCredential Acme -NoLogin -Quiet -PassThru | ForEach-Object { "$($_.Status)" }
'@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | ForEach-Object { "$_" } | Should -Be 'Active AwsCli', 'AwsCli', 'Created', 'Created'
        Get-AwsPath $own sso/stored/*.json | Should -Not -Exist
        @(Get-Secret $own) | Where-Object { $_ -in $tokens } | Should -HaveCount 3
        if ($hasTools) { Get-StoredCount $ownBus | Should -Be 0 }
        (Get-Made $before $service).Keys | Should -Be 'GetRoleCredentials'
    }

    It 'follows the setting of the environment, and the file stays without it, which a warning says with the command' {
        $own, $ownBus = (New-LoggedInHome $service), (Start-SessionBus -Keyring)
        $run = Invoke-UserPowerShell $own $service @'
            Set-SsoEnvironment Acme -TokenCache System
            Connect-SsoSession Acme -WarningVariable warned -WarningAction SilentlyContinue 6>$null
            "$warned"
            Connect-SsoSession Acme -WarningVariable again -WarningAction SilentlyContinue 6>$null
            "$again"
            @(Get-ChildItem ~/.aws/sso/cache).Count
            Invoke-Expression ("$warned" -replace '^.* run (.*)\.$', '$1') 6>$null
            @(Get-ChildItem ~/.aws/sso/cache).Count
            (Get-SsoSession).TokenCache
            Set-SsoEnvironment Acme -TokenCache AwsCli
            (Get-SsoSession).State
            Connect-SsoSession Acme -Move 6>$null
            "$((Get-SsoSession).State)"
'@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | ForEach-Object { "$_" } | Should -Be "The session of Acme is still in $own/.aws/sso/cache, too. To remove it there, run Connect-SsoSession Acme -Move.", '', 1, 0, 'System', 'None', 'Active'
        Get-AwsPath $own sso/stored/*.json | Should -Not -Exist
    }

    It 'leaves one session where both places have one, and no file where what it had has ended: <_>' -TestCases 'both have a session', 'the file has an ended session', 'the file has only a client' {
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus)
        Add-Session $own $service
        $file = "$own/.aws/sso/cache/$(Get-CacheName $own)"
        # One that has ended still has a client secret, and a token that was one.
        if ($_ -like '*ended*') { [IO.File]::WriteAllText($file, ([IO.File]::ReadAllText($file) -replace '"(expiresAt|registrationExpiresAt)": "\d{4}', '"$1": "2020')) }
        if ($_ -like '*client') {
            Remove-Item $file
            $null = Invoke-UserPowerShell $own $service 'Connect-SsoSession Acme -TokenCache AwsCli -NoBrowser -NoQrCode 6>$null; $env:AWS_SSO_TOKEN_CACHE = "AwsCli"; Get-ChildItem ~/.aws/sso/stored -Filter *.json | Rename-Item -NewName { "$($_.Name).kept" }; Disconnect-SsoSession Acme; Get-ChildItem ~/.aws/sso/stored | Rename-Item -NewName { $_.Name -replace "\.kept$" }' $ownBus.Variable
            Find-Secret $own | Should -Not -BeNullOrEmpty
        }
        $record = Get-Record $own
        $run = Invoke-UserPowerShell $own $service 'Connect-SsoSession Acme -TokenCache System -Move -PassThru -NoLogin 6>$null | ForEach-Object { "$($_.State) $($_.TokenCache)" }' $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Active System'
        Find-Secret $own | Should -BeNullOrEmpty
        (Get-Record $own).token | Should -Be $record.token
    }

    It 'removes the file of an ended session also where a login has to follow' {
        $own, $ownBus = (New-LoggedInHome $service), (Start-SessionBus -Keyring)
        $file = "$own/.aws/sso/cache/$(Get-CacheName $own)"
        [IO.File]::WriteAllText($file, ([IO.File]::ReadAllText($file) -replace '"(expiresAt|registrationExpiresAt)": "\d{4}', '"$1": "2020'))
        $run = Invoke-UserPowerShell $own $service 'Connect-SsoSession Acme -TokenCache System -Move -NoBrowser -NoQrCode -PassThru 6>$null | ForEach-Object { "$($_.State) $($_.TokenCache)" }' $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Active System'
        Find-Secret $own | Should -BeNullOrEmpty
    }

    It 'finds the session under another spelling of the start URL' {
        $own, $ownBus = (New-UserHome), (Start-SessionBus -Keyring)
        Add-Environment $own ([pscustomobject] @{ StartUrl = "$($service.StartUrl.TrimEnd('/'))/#/?tab=accounts" }) Acme -Count 1
        Add-Environment $own $service Beta -Count 1 -First 2
        Add-Session $own $service
        $run = Invoke-UserPowerShell $own $service @'
            Connect-SsoSession Acme -TokenCache System -Move -NoLogin 6>$null
            $env:AWS_SSO_TOKEN_CACHE = 'System'
            Update-SsoCredential -NoLogin -Quiet -PassThru | ForEach-Object { "$($_.Status)" }
'@ $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created'
        Find-Secret $own | Should -Be '.aws/credentials'
    }

    It 'is what makes profiles with an sso_session possible, which would not find the session in the store' {
        $own = New-UserHome $loggedIn
        $run = Invoke-UserRunspace $own $service 'Export-SsoProfile Acme -As SsoSession' $bus.Variable
        Assert-OneError $run EnvironmentInvalid 'The profiles of Acme cannot be exported with an sso_session: its session is kept in the Secret Service, where AWS tools do not find it.' '*-As CredentialProcess*-TokenCache AwsCli -Move.'
        Get-AwsPath $own config | Should -Not -Exist
        $ownBus = New-Bus
        $run = Invoke-UserRunspace $own $service 'Connect-SsoSession Acme -TokenCache AwsCli -Move 6>$null; Export-SsoProfile Acme -As SsoSession -Quiet; (Get-SsoSession).State' $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Active'
    }

    It 'keeps the file where the store cannot take the session' {
        $own = New-LoggedInHome $service
        $before = Get-CacheName $own
        $run = Invoke-UserRunspace $own $service 'Connect-SsoSession Acme -TokenCache System -Move'
        Assert-OneError $run SecretStoreUnavailable '*no D-Bus session bus is running.' '*'
        Get-CacheName $own | Should -Be $before
        (Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -NoLogin -Quiet -PassThru | ForEach-Object { "$($_.Status)" }').Output | Should -Be 'Created', 'Created'
    }
}

Describe 'Disconnect-SsoSession' -Skip:([bool] $missing) {
    BeforeAll {
        # Sessions in the store and in a file; the script adds one in memory.
        function New-FullLogin {
            $own = New-Login
            Add-Session $own.Home $own.Service
            $own
        }
        $inMemory = 'Connect-SsoSession Acme -TokenCache Memory -NoBrowser -NoQrCode 6>$null; '
    }

    It 'ends the sessions of all three places, at the service too: <_>' -TestCases '', 'AwsCli', 'Memory', 'System' {
        $login = New-FullLogin
        $own, $ownBus = $login.Home, $login.Bus
        $before = Get-Request $login.Service
        $run = Invoke-UserRunspace $own $login.Service ($inMemory + 'Disconnect-SsoSession Acme; "$((Get-SsoSession).State)"; $env:AWS_SSO_TOKEN_CACHE = "Memory"; "$((Get-SsoSession).State)"') ($ownBus.Variable + @{ AWS_SSO_TOKEN_CACHE = $_ })
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'None', 'None'
        (Get-Made $before $login.Service).Logout | Should -Be 3
        Get-CacheName $own | Should -BeNullOrEmpty
        Get-AwsPath $own sso/stored/*.json | Should -Not -Exist
        if ($hasTools) { Get-StoredCount $ownBus | Should -Be 0 }
    }

    It 'clears the other places where the store is locked, with one error for it, and the rest once it is unlocked' {
        $login = New-FullLogin
        $own, $ownBus = $login.Home, $login.Bus
        Lock-Keyring $ownBus
        foreach ($variable in '', 'System') {
            $run = Invoke-UserRunspace $own $login.Service ($inMemory + 'Disconnect-SsoSession Acme; $env:AWS_SSO_TOKEN_CACHE = "Memory"; "$((Get-SsoSession).State)"') ($ownBus.Variable + @{ AWS_SSO_TOKEN_CACHE = $variable })
            $run.Errors.Id | Should -BeLike 'SecretStoreLocked,*'
            $run.Output | Should -Be 'None'
            Get-CacheName $own | Should -BeNullOrEmpty
            Get-AwsPath $own sso/stored/*.json | Should -Exist
            Add-Session $own $login.Service
        }
        Stop-Keyring $ownBus
        Start-Keyring $ownBus
        $run = Invoke-UserRunspace $own $login.Service 'Disconnect-SsoSession Acme' $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        Find-Secret $own | Should -BeNullOrEmpty
        Get-AwsPath $own sso/stored/*.json | Should -Not -Exist
        if ($hasTools) { Get-StoredCount $ownBus | Should -Be 0 }
    }
}

Describe 'Get-SsoSession' -Skip:([bool] $missing) {
    It 'says where a session is and whether the store is locked, and does not read the secret' {
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus)
        $look = 'Get-SsoSession | ForEach-Object { "$($_.State) $($_.TokenCache) $($_.IsStoreLocked) $($_.Path)" }; (Get-SsoSession | Out-String).Trim()'
        $run = Invoke-UserRunspace $own $service $look $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be 'Active System False '
        $run.Output[1] | Should -Match ' System\s*$'
        # Even one that cannot be read stays where it is.
        if ($hasTools) {
            Set-StoredValue $ownBus (Get-SessionName $own) 'broken'
            $run = Invoke-UserRunspace $own $service $look $ownBus.Variable
            $run.Output[0] | Should -Be 'Active System False '
            Get-StoredValue $ownBus (Get-SessionName $own) | Should -Be 'broken'
        }
        Lock-Keyring $ownBus
        $run = Invoke-UserRunspace $own $service $look $ownBus.Variable
        $run.Output[0] | Should -Be 'Active System True '
        $run.Output[1] | Should -Match ' System \(locked\)\s*$'
    }
}

Describe 'What the store returns' -Skip:([bool] $missing) {
    BeforeAll {
        $one = 'Update-SsoCredential Acme -NoBrowser -NoQrCode -Quiet -PassThru -WarningVariable +warned -WarningAction SilentlyContinue 6>$null | ForEach-Object { "$($_.Status)" }; "$warned"'
        $unreadable = 'The session that the Secret Service has stored cannot be read. It was set aside.'
    }

    It 'is set aside and reported once where it is no session, and leads to one login: <How>' -TestCases @(
        @{ How = 'other text'; Value = 'broken' }
        @{ How = 'no text'; Value = "" }
        @{ How = 'other JSON'; Value = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes('{"accessToken": 5}')) }
        @{ How = 'half of a value'; Value = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes('{"accessToken": "aoa", "expiresAt": "2099')) }
    ) {
        if (-not $hasTools) { Set-ItResult -Skipped -Because 'secret-tool is not installed'; return }
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus)
        Set-StoredValue $ownBus (Get-SessionName $own) ([regex]::Unescape($Value))
        $before = Get-Request $service
        $run = Invoke-UserRunspace $own $service 'Update-SsoCredential Acme -NoLogin' $ownBus.Variable
        $run.Errors.Id | Should -BeLike 'LoginRequired,*'
        $run = Invoke-UserRunspace $own $service "$one; $one" $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created', '', 'StillValid', 'StillValid', ''
        (Get-Made $before $service).StartDeviceAuthorization | Should -Be 1
        # The new one, and what was set aside.
        Get-StoredCount $ownBus | Should -Be 2
    }

    It 'warns once about a value that cannot be read, with what to do' {
        if (-not $hasTools) { Set-ItResult -Skipped -Because 'secret-tool is not installed'; return }
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus)
        Set-StoredValue $ownBus (Get-SessionName $own) 'broken'
        $run = Invoke-UserRunspace $own $service "`$env:AWS_SSO_TOKEN_CACHE = 'System'; $one; $one" $ownBus.Variable
        $run.Output | Should -Be 'Created', 'Created', $unreadable, 'StillValid', 'StillValid', $unreadable
    }

    It 'is not touched where it belongs to another program, or to a newer version of this module' {
        if (-not $hasTools) { Set-ItResult -Skipped -Because 'secret-tool is not installed'; return }
        $login = New-Login
        $own, $ownBus = $login.Home, $login.Bus
        $session = Get-SessionName $own
        $others = @('application', 'Other', 'sso_session', $session, 'version', '1'), @('application', 'Set-AwsCliSsoCredentials', 'sso_session', $session, 'version', '2'), @('application', 'Set-AwsCliSsoCredentials', 'sso_session', 'other', 'version', '1')
        foreach ($attributes in $others) { $null = Invoke-SecretTool $ownBus (@('store', '--label=other') + $attributes) 'theirs' }
        $run = Invoke-UserRunspace $own $login.Service 'Update-SsoCredential Acme -NoLogin -Quiet -PassThru | ForEach-Object { "$($_.Status)" }; Disconnect-SsoSession Acme; "$((Get-SsoSession).State)"' $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created', 'None'
        foreach ($attributes in $others) { Invoke-SecretTool $ownBus (@('lookup') + $attributes) | Should -Be 'theirs' }
        Get-StoredValue $ownBus $session | Should -BeNullOrEmpty
    }

    It 'is an error with what to do where a newer version of this module has recorded the session, and nothing is changed' {
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus)
        $file = (Get-ChildItem (Get-AwsPath $own sso/stored/*.json)).FullName
        [IO.File]::WriteAllText($file, '{"version":2,"expiresAt":"2099-01-01T00:00:00Z","token":"new","kind":"of things"}')
        $before = Get-RequestCount $service
        foreach ($command in 'Update-SsoCredential Acme', $connect, 'Get-SsoSession', 'Disconnect-SsoSession Acme') {
            $run = Invoke-UserRunspace $own $service $command $ownBus.Variable
            Assert-OneError $run SecretStoreFailed 'A newer version of this module*' 'Update the module*'
        }
        Get-RequestCount $service | Should -Be $before
        (Get-Record $own).version | Should -Be 2
    }

    It 'leads to a login where the record is broken or the value is gone: <_>' -TestCases 'broken record', 'empty record', 'no value' {
        $own, $ownBus = (New-UserHome $loggedIn), (New-Bus)
        $file = (Get-ChildItem (Get-AwsPath $own sso/stored/*.json)).FullName
        if ($_ -eq 'no value') {
            if (-not $hasTools) { Set-ItResult -Skipped -Because 'secret-tool is not installed'; return }
            $null = Invoke-SecretTool $ownBus (@('clear') + (Get-ItemAttribute (Get-SessionName $own)))
        }
        else { [IO.File]::WriteAllText($file, $(if ($_ -like 'broken*') { '{"version":1' } else { '' })) }
        $run = Invoke-UserRunspace $own $service "$one; `"`$((Get-SsoSession).State)`"" $ownBus.Variable
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created', '', 'Active'
        if ($hasTools) { Get-StoredCount $ownBus | Should -Be 1 }
    }
}

Describe 'A keyring that ends and comes back' -Skip:([bool] $missing) {
    It 'is used again by the same PowerShell and by the next, and a session that this one knows goes on meanwhile' {
        $login = New-Login
        $own, $ownBus = $login.Home, $login.Bus
        $go = New-TestFolder
        $started = Start-UserPowerShell $own $login.Service @"
            `$update = { Update-SsoCredential Acme -NoLogin -Force -Quiet -PassThru | ForEach-Object { "`$(`$_.Status)" } }
            function Wait-Go(`$Name) { Write-Host `$Name; while (-not (Test-Path "$go/`$Name")) { Start-Sleep -Milliseconds 20 } }
            & `$update
            Wait-Go killed
            & `$update
            `$null = Invoke-RestMethod "`$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body '{"expire_tokens":true}'
            Wait-Go restarted
            & `$update
"@ $ownBus.Variable
        $null = Wait-Line $started killed
        Stop-Keyring $ownBus
        $next = Invoke-UserPowerShell $own $login.Service 'Update-SsoCredential Acme -NoLogin -Force' $ownBus.Variable
        Assert-OneError $next SecretStoreUnavailable '*no program provides the Secret Service.' '*'
        $null = New-Item "$go/killed"
        $null = Wait-Line $started restarted
        Start-Keyring $ownBus
        $null = New-Item "$go/restarted"
        $run = Wait-UserProgram $started
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be 'Created', 'Created', 'Refreshed', 'Refreshed', 'Refreshed', 'Refreshed'
        $next = Invoke-UserPowerShell $own $login.Service 'Update-SsoCredential Acme -NoLogin -Force -Quiet -PassThru | ForEach-Object { "$($_.Status)" }' $ownBus.Variable
        $next.Errors | Should -BeNullOrEmpty
        $next.Output | Should -Be 'Refreshed', 'Refreshed'
    }

    It 'costs a login nothing but a warning if it ends before the session is stored, and no file gets the session' {
        $slow = Start-StandIn '--accounts', '1', '--interval', '1'
        $own, $ownBus = (New-AcmeHome $slow @() 1), (Start-SessionBus -Keyring)
        $started = Start-UserPowerShell $own $slow 'Update-SsoCredential Acme -NoBrowser -NoQrCode -Quiet -PassThru -WarningVariable warned -WarningAction SilentlyContinue 6>$null | ForEach-Object { "$($_.Status)" }; "$warned"' ($ownBus.Variable + $system)
        Wait-StandIn $slow { $_.device_authorizations -eq 1 }
        Stop-Keyring $ownBus
        Set-StandIn $slow @{ approve = '*' }
        $run = Wait-UserProgram $started
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be 'Created'
        $run.Output[1] | Should -BeLike 'The session is kept only in this PowerShell: *'
        Find-Secret $own | Should -Be '.aws/credentials'
    }
}

Describe 'Many shells at once' -Skip:([bool] $missing) {
    BeforeAll {
        $many = Start-StandIn '--accounts', '1', '--approve-after-polls', '0', '--interval', '1'
        $crowd, $crowdBus = (New-AcmeHome $many 'token_cache = System' 1), (Start-SessionBus -Keyring)
        $null = Invoke-UserRunspace $crowd $many $connect $crowdBus.Variable
        # A PowerShell is a second of work.
        $count = if ($env:SSO_TEST_FULL) { 20 } else { 6 }
        $helper = Join-Path (Split-Path $manifest) "bin/linux-$architecture/sso-credential-process"
    }

    It 'log in once where the session has ended, and share it in the store' {
        Set-StandIn $many @{ end_sessions = $true }
        $before = Get-Request $many
        $script = 'Update-SsoCredential Acme -NoBrowser -NoQrCode -Quiet -PassThru 6>$null | ForEach-Object { "$($_.Status)" }'
        $results = 1..$count | ForEach-Object { Start-UserPowerShell $crowd $many $script $crowdBus.Variable } | ForEach-Object { Wait-UserProgram $_ }
        $results.Errors | Should -BeNullOrEmpty
        $results.Output | Should -HaveCount $count
        $results.Output | ForEach-Object { $_ | Should -BeIn 'Created', 'Refreshed', 'StillValid' }
        (Get-Made $before $many).StartDeviceAuthorization | Should -Be 1
        # The one refresh that was refused, and the login.
        (Get-Made $before $many).CreateToken | Should -Be 2
        if ($hasTools) { Get-StoredCount $crowdBus | Should -Be 1 }
        Find-Secret $crowd | Should -Be '.aws/credentials'
    }

    It 'refresh once where the token has expired: twenty programs of the AWS CLI that need keys' {
        Remove-Item (Get-AwsPath $crowd credentials)
        Set-StandIn $many @{ expire_tokens = $true }
        $before = Get-Request $many
        $variables = Get-UserVariable $crowd $many $crowdBus.Variable
        # Twenty at once have made GNOME Keyring end.
        $count = if ($env:SSO_TEST_FULL) { 20 } else { 8 }
        $results = 1..$count | ForEach-Object { Start-UserProgram @($helper, '--environment', 'Acme', 'Account1') $variables } | ForEach-Object { Wait-UserProgram $_ }
        $results.ErrorText -join '' | Should -BeNullOrEmpty
        $results.ExitCode | Should -Be (@(0) * $count)
        $results.Text | ForEach-Object { ($_ | ConvertFrom-Json).Version | Should -Be 1 }
        (Get-Made $before $many).CreateToken | Should -Be 1
        # The keys follow the token: none is kept in a file.
        Find-Secret $crowd | Should -BeNullOrEmpty
        Get-AwsPath $crowd sso/role-credentials | Should -Not -Exist
    }
}

Describe 'Set-SsoEnvironment -CredentialsFile Never' -Skip:([bool] $missing) {
    BeforeAll {
        # Acme keeps its keys out of the file; Beta does not. Both have a session in the store.
        $both = New-UserHome $loggedIn
        Add-Setting $both 'credentials_file = Never'
        Add-Environment $both $service Beta -Count 1 -First 3
        $refused = 'The credentials of Acme are not kept in the credentials file, because its CredentialsFile setting is Never.'
        function Invoke-Both([string[]] $Line, [string] $Own = (New-UserHome $both)) {
            foreach ($name in $bus.Variable.Keys) { $Line = @("`$env:$name = '$($bus.Variable[$name])'") + $Line }
            @(Invoke-UserLine $Own $service $Line) | Select-Object -Skip 1
        }
    }

    It 'names the profiles whose credentials are already in the file, and -RemoveCredentials removes them and no others' {
        $own = New-UserHome $loggedIn
        Add-Environment $own $service Beta -Count 1 -First 3
        Add-AwsText $own credentials "[mine]`naws_access_key_id = AKIAMINE`naws_secret_access_key = mine`n"
        $run = Invoke-Both @(
            'Update-SsoCredential -NoLogin -Quiet'
            'Set-SsoEnvironment Acme -CredentialsFile Never -WhatIf'
            '"$((Get-SsoEnvironment Acme).CredentialsFile)"'
            'Set-SsoEnvironment Acme -CredentialsFile Never'
            'Set-SsoEnvironment Acme -RemoveCredentials -WhatIf'
            'Get-SsoCredential | ForEach-Object { "$($_.State)" }'
            'Set-SsoEnvironment Acme -RemoveCredentials'
            'Get-SsoCredential | ForEach-Object { "$($_.State)" }'
            'Set-SsoEnvironment Acme -CredentialsFile Never -PassThru | ForEach-Object { "$($_.CredentialsFile)" }'
            'Set-SsoEnvironment Acme -CredentialsFile Always; Update-SsoCredential Acme -NoLogin -Quiet -PassThru | ForEach-Object { "$($_.Status)" }'
        ) $own
        $run.Sentences | Should -BeNullOrEmpty
        $run[1].Said | Should -BeNullOrEmpty
        $run[2].Written | Should -Be 'Always'
        $run[3].Said | Should -Be 'The credentials file still has credentials of Acme, in Account1, Account2. To remove them, run Set-SsoEnvironment Acme -RemoveCredentials.'
        $run[5].Written | Should -Be 'Valid', 'Valid', 'Valid'
        $run[6].Said | Should -BeNullOrEmpty
        $run[7].Written | Should -Be 'NotStored', 'NotStored', 'Valid'
        $run[8].Said | Should -BeNullOrEmpty
        $run[8].Written | Should -Be 'Never'
        $run[9].Written | Should -Be 'Created', 'Created'
        (Get-Credential $own).Keys | Sort-Object | Should -Be 'Account1', 'Account2', 'Account3', 'mine'
    }

    It 'is skipped by an update of several environments and at startup, which only -Verbose says' {
        $own = New-UserHome $both
        $run = Invoke-Both @(
            'Update-SsoCredential -NoLogin -PassThru -Quiet | ForEach-Object ProfileName'
            'Update-SsoCredential Acme, Beta -NoLogin -Force -PassThru -Quiet | ForEach-Object ProfileName'
            'Get-SsoEnvironment | Update-SsoCredential -NoLogin -Force -PassThru -Quiet | ForEach-Object ProfileName'
            'Get-SsoProfile | Update-SsoCredential -NoLogin -Force -PassThru -Quiet | ForEach-Object ProfileName'
            'Update-SsoCredential -AtStartup'
            'Update-SsoCredential Acme -AtStartup'
            'Update-SsoCredential -NoLogin -Verbose | Out-Null'
            'Start-SsoCredentialRefresh; (Get-SsoCredentialRefresh).ProfileName; Stop-SsoCredentialRefresh'
            'Remove-SsoEnvironment Beta -Confirm:$false; Update-SsoCredential; Start-SsoCredentialRefresh; Get-SsoCredentialRefresh'
        ) $own
        $run.Sentences | Should -BeNullOrEmpty
        0..3 | ForEach-Object { $run[$_].Written | Should -Be 'Account3' }
        0..5 | ForEach-Object { $run[$_].Said | Should -Not -Match 'Acme' }
        $run[6].Said | Should -Match 'Acme: skipped, because its credentials are not kept in the credentials file'
        $run[7].Written | Should -Be 'Account3'
        $run[8].Written | Should -BeNullOrEmpty
        (Get-Credential $own).Keys | Should -Be 'Account3'
    }

    It 'says what to use where it is named alone, before any request: <_>' -TestCases @(
        'Update-SsoCredential Acme', 'Update-SsoCredential acme -ProfileName Account1', "'Acme' | Update-SsoCredential", 'Get-SsoEnvironment Acme | Update-SsoCredential'
        'Get-SsoProfile Acme | Update-SsoCredential', 'Update-SsoCredential A*', 'Start-SsoCredentialRefresh Acme', 'Use-SsoCredential Account1 -AsDefault', 'Use-SsoCredential Account1 -AsDefault -WhatIf'
    ) {
        $own = New-UserHome $both
        $before = Get-RequestCount $service
        $run = Invoke-Both $_ $own
        $run.Ids | Should -Be 'CredentialsFileUnused'
        $run.Sentences | Should -BeLike "$refused Use Use-SsoCredential <profile> -Environment Acme or Invoke-SsoCommand.*Export-SsoProfile."
        Get-RequestCount $service | Should -Be $before
        Get-AwsPath $own credentials | Should -Not -Exist
    }

    It 'leads AWS tools to an endpoint, and gives no key to the file: <How>' -TestCases @(
        @{ How = 'Use-SsoCredential'; Line = 'Use-SsoCredential Account1 -Quiet; Get-Key' }
        @{ How = 'Use-SsoCredential with the environment'; Line = 'Use-SsoCredential Account1 -Environment Acme -Quiet; Get-Key' }
        @{ How = 'a profile in the pipeline'; Line = 'Get-SsoProfile Acme Account1 | Use-SsoCredential -Quiet; Get-Key' }
        @{ How = 'credentials in the pipeline'; Line = 'Get-SsoCredential Acme -ProfileName Account1 | Use-SsoCredential -Quiet; Get-Key' }
        @{ How = 'Invoke-SsoCommand'; Line = 'Invoke-SsoCommand -ProfileName Account1 { Get-Key }' }
        @{ How = 'profiles piped to Invoke-SsoCommand'; Line = 'Get-SsoProfile Acme Account1 | Invoke-SsoCommand { Get-Key }' }
        @{ How = 'an environment of Invoke-SsoCommand'; Line = 'Invoke-SsoCommand -Environment Acme -ProfileName Account1 -ScriptBlock { Get-Key }' }
        @{ How = 'profiles that were in a file'; Line = '$file = New-TemporaryFile; Get-SsoProfile Acme Account1 | Export-Clixml $file; Import-Clixml $file | Invoke-SsoCommand { Get-Key }; Remove-Item $file' }
        @{ How = 'a copy of a profile'; Line = 'Get-SsoProfile Acme Account1 | Select-Object Environment, ProfileName | Invoke-SsoCommand { Get-Key }' }
        @{ How = 'keys in variables'; Line = 'Use-SsoCredential Account1 -AsEnvironmentVariable -Quiet; "key $($env:AWS_ACCESS_KEY_ID.Length)"' }
        @{ How = 'keys in variables of a command'; Line = 'Get-SsoProfile Acme Account1 | Invoke-SsoCommand -AsEnvironmentVariable { "key $($env:AWS_ACCESS_KEY_ID.Length)" }' }
    ) {
        $own = New-UserHome $both
        $get = 'function Get-Key { $keys = Invoke-RestMethod $env:AWS_CONTAINER_CREDENTIALS_FULL_URI -Headers @{ Authorization = $env:AWS_CONTAINER_AUTHORIZATION_TOKEN } -NoProxy; "key $($keys.AccessKeyId.Length)" }; '
        $run = Invoke-Both ($get + $Line) $own
        $run.Sentences | Should -BeNullOrEmpty
        $run.Written[-1] | Should -Be 'key 20'
        Get-AwsPath $own credentials | Should -Not -Exist
        Find-Secret $own | Should -BeNullOrEmpty
    }

    It 'runs a command under profiles of both kinds, one after another' {
        $own = New-UserHome $both
        $run = Invoke-Both 'Get-SsoProfile | Invoke-SsoCommand { "$([bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI) $env:AWS_PROFILE" }; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI' $own
        $run.Sentences | Should -BeNullOrEmpty
        $run.Written -notlike '==*' | ForEach-Object { "$_" } | Should -Be 'True sso-endpoint-Account1', 'True sso-endpoint-Account2', 'False Account3', 'False'
        (Get-Credential $own).Keys | Should -Be 'Account3'
    }

    It 'uses the keys of the profile that is meant where another environment has one of the same name' {
        $own = New-UserHome $both
        Add-AwsText $own sso-environments "[environment Beta profile Account1]`nsso_account_id = $(Get-AccountId 4)`n"
        $run = Invoke-Both @(
            'Use-SsoCredential Account1 -Environment Acme -Quiet; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI; Use-SsoCredential -Clear'
            'Use-SsoCredential Account1 -Environment Beta -Quiet; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI; $env:AWS_PROFILE; Use-SsoCredential -Clear'
            'Get-SsoProfile Acme Account1 | Use-SsoCredential -Quiet; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI; Use-SsoCredential -Clear'
            'Get-SsoProfile Beta Account1 | Use-SsoCredential -Quiet; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI; $env:AWS_PROFILE; Use-SsoCredential -Clear'
            'Get-SsoProfile Acme Account1 | Invoke-SsoCommand { (Invoke-RestMethod $env:AWS_CONTAINER_CREDENTIALS_FULL_URI -Headers @{ Authorization = $env:AWS_CONTAINER_AUTHORIZATION_TOKEN } -NoProxy).AccountId }'
        ) $own
        $run.Sentences | Should -BeNullOrEmpty
        $run[0].Written | Should -Be $true
        $run[1].Written | Should -Be $false, 'Account1'
        $run[2].Written | Should -Be $true
        $run[3].Written | Should -Be $false, 'Account1'
        $run[4].Written[-1] | Should -Be (Get-AccountId 1)
    }

    It 'gets no key into the file by -WhatIf, a job, or any command that changes profiles' {
        $own = New-UserHome $both
        $run = Invoke-Both @(
            'Use-SsoCredential Account1 -WhatIf; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI'
            'Sync-SsoProfile Acme -NoLogin'
            'Rename-SsoProfile Account1 first; Remove-SsoProfile Acme Account2 -Confirm:$false; (Get-SsoProfile Acme).ProfileName -contains "first"'
            '(Start-ThreadJob { param($manifest) Import-Module $manifest; Update-SsoCredential -NoLogin -Quiet -PassThru | ForEach-Object ProfileName; Invoke-SsoCommand -ProfileName first -NoLogin { [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI } } -ArgumentList $manifest | Receive-Job -Wait -AutoRemoveJob)'
        ) $own
        $run.Sentences | Should -BeNullOrEmpty
        $run[0].Written | Should -Be $false
        $run[1].Said | Should -Match 'Next: Use-SsoCredential -Environment Acme$'
        $run[2].Written | Should -Be $true
        $run[3].Written | Should -Be 'Account3', $true
        (Get-Credential $own).Keys | Should -Be 'Account3'
    }

    It 'gives tools that need several profiles the helper program, which keeps no key in a file' {
        $own = New-UserHome $both
        $helper = Join-Path (Split-Path $manifest) "bin/linux-$architecture/sso-credential-process"
        $run = Invoke-Both 'Export-SsoProfile Acme -As CredentialProcess -Quiet', 'Get-SsoCredential Acme | ForEach-Object { "$($_.State)" }', 'Use-SsoCredential Account1 -Quiet; "$env:AWS_PROFILE"; [bool] $env:AWS_CONTAINER_CREDENTIALS_FULL_URI' $own
        $run.Sentences | Should -BeNullOrEmpty
        $run[1].Written | Should -Be 'CredentialProcess', 'CredentialProcess'
        $line = [regex]::Match((Get-Content -Raw "$own/.aws/config"), 'credential_process = (.+)').Groups[1].Value
        $line | Should -BeLike '*sso-credential-process*'
        $result = Wait-UserProgram (Start-UserProgram @('sh', '-c', $line) (Get-UserVariable $own $service $bus.Variable))
        $result.ErrorText | Should -BeNullOrEmpty
        ($result.Text | ConvertFrom-Json).AccessKeyId | Should -Match '^ASIA'
        Find-Secret $own | Should -BeNullOrEmpty
        Get-AwsPath $own sso/role-credentials | Should -Not -Exist
    }
}

Describe 'A whole day' -Skip:([bool] $missing) {
    It 'leaves no token and no key in any file, and writes none to one' {
        if (-not (Get-Command strace -CommandType Application -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'strace is not installed'; return }
        $day = Start-StandIn '--accounts', '3', '--approve-after-polls', '0', '--interval', '1'
        $own, $ownBus = (New-AcmeHome $day 'token_cache = System', 'credentials_file = Never'), (Start-SessionBus -Keyring)
        $trace = Join-Path (New-TestFolder) trace
        $helper = Join-Path (Split-Path $manifest) "bin/linux-$architecture/sso-credential-process"
        # What the test knows in the end goes to it by standard output, which is no file here.
        $run = Invoke-UserPowerShell $own $day @"
            `$control = { param(`$change) `$null = Invoke-RestMethod "`$standInUrl/_control" -Method Post -NoProxy -ContentType application/json -Body `$change }
            function Get-Key { `$keys = Invoke-RestMethod `$env:AWS_CONTAINER_CREDENTIALS_FULL_URI -Headers @{ Authorization = `$env:AWS_CONTAINER_AUTHORIZATION_TOKEN } -NoProxy; `$keys.SecretAccessKey, `$keys.Token | ForEach-Object { Write-Host "known `$_" } }
            Connect-SsoSession Acme -NoBrowser -NoQrCode
            Update-SsoCredential
            Sync-SsoProfile Acme -Quiet
            Get-SsoSession | Out-Null
            Get-SsoCredential | Out-Null
            Use-SsoCredential Account1 -Quiet
            Get-Key
            & '$helper' --environment Acme Account2 | ConvertFrom-Json | ForEach-Object { `$_.SecretAccessKey, `$_.SessionToken } | ForEach-Object { Write-Host "known `$_" }
            & `$control '{"expire_tokens": true}'
            'Account1', 'Account2' | ForEach-Object { Invoke-SsoCommand -ProfileName `$_ { Get-Key } }
            Invoke-SsoCommand -ProfileName Account1 -AsEnvironmentVariable { Write-Host "known `$env:AWS_SECRET_ACCESS_KEY" }
            & `$control '{"end_sessions": true}'
            Invoke-SsoCommand -ProfileName Account2 -NoBrowser -NoQrCode { Get-Key }
            Disconnect-SsoSession Acme
            [IO.File]::WriteAllText("`$HOME/seen", 'the test would see IQoJb3JpZ2luX2VjE')
            Remove-Item "`$HOME/seen"
"@ $ownBus.Variable -Through 'strace', '-f', '--seccomp-bpf', '-y', '-qq', '-s', '1000000', '-e', 'trace=write,pwrite64,writev,pwritev,copy_file_range,sendfile,open,openat,rename', '-o', $trace
        $run.Errors | Should -BeNullOrEmpty
        $known = @($run.Text -split "`n" -match '^known ' -replace '^known ')
        $known | Should -HaveCount 11
        $known | ForEach-Object { $_.Length | Should -BeGreaterThan 30 }
        Find-Secret $own $known | Should -BeNullOrEmpty
        Find-Secret $ownBus.Folder $known | Should -BeNullOrEmpty
        $pattern = (@($secretPattern) + @($known | ForEach-Object { [regex]::Escape($_) })) -join '|'
        # Writes to pipes and sockets are not to files; the answer of a test is.
        $writes = Get-Content $trace | Where-Object { $_ -match '(write|pwrite64|writev|pwritev)\(\d+<(/[^>]*)>' -and $Matches[2] -notmatch '^/(dev|proc|sys)/' }
        $writes | Where-Object { $_ -cmatch $pattern } | Should -Match 'the test would see'
        Get-AwsPath $own credentials | Should -Not -Exist
    }
}
