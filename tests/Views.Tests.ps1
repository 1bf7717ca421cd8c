# Objects of the module are shown as tables, in every kind of session, whatever its execution policy allows it to load.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    . (Join-Path $PSScriptRoot '../build/Native.ps1')
    . (Join-Path $PSScriptRoot '../build/Package.ps1')
    $service = Start-StandIn '--accounts', '3', '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Credential
    $empty = New-UserHome

    # The beginning of each line with more than blanks.
    function Get-Row([string] $Text) {
        @($Text -split '\r?\n' | Where-Object { $_.Trim() } | ForEach-Object { $_.TrimEnd() })
    }

    # The first row of each table.
    $heads = @{
        Environment = '^Name Profiles Region    StartUrl +From$'
        Session = '^Environment State  Renews +Region    TokenCache$'
        Credential = '^ProfileName State Expires +AccountId    RoleName$'
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'The table of' {
    BeforeAll {
        $shown = (Invoke-UserRunspace $loggedIn $service @'
            $null = Update-SsoCredential Acme -Quiet
            Start-SsoCredentialRefresh Acme
            'Update-SsoCredential Acme -PassThru -Quiet', 'Get-SsoEnvironment', '(Get-SsoEnvironment).Profiles', 'Get-SsoSession', 'Get-SsoCredential',
            'Get-SsoCredentialRefresh', 'Get-SsoAccount', 'Get-SsoRole', 'Get-SsoProfile' | ForEach-Object { @{ Command = $_; Text = Invoke-Expression $_ | Out-String -Width 120 } }
'@).Output
    }

    It 'what <Command> returns has these columns' -ForEach @(
        @{ Command = 'Update-SsoCredential Acme -PassThru -Quiet'; Rows = '^   Environment: Acme$', '^ProfileName Status     Expires +AccountId    RoleName$', '^-', '^Account1    StillValid .*\d\d:\d\d \(\d:\d\d left\) 100000000000 AWSAdministratorAccess$' }
        @{ Command = 'Get-SsoEnvironment'; Rows = '^Name Profiles Region    StartUrl +From$', '^-', '^Acme        2 us-west-2 https://\S+ +sso-environments$' }
        @{ Command = '(Get-SsoEnvironment).Profiles'; Rows = '^Profile  AccountId    RoleName$', '^-', '^Account1 100000000000 AWSAdministratorAccess$' }
        @{ Command = 'Get-SsoSession'; Rows = '^Environment State  Renews +Region    TokenCache$', '^-', '^Acme        Active until \S+ \S+ at most us-west-2 AwsCli$' }
        @{ Command = 'Get-SsoCredential'; Rows = '^   Environment: Acme$', '^ProfileName State Expires +AccountId    RoleName$', '^-', '^Account1    Valid .*\d\d:\d\d \(\d:\d\d left\) 100000000000 AWSAdministratorAccess$' }
        @{ Command = 'Get-SsoCredentialRefresh'; Rows = '^   Environment: Acme$', '^ProfileName State Expires +NextAttempt +LastError$', '^-', '^Account1    Fresh .*\d\d:\d\d \(\d:\d\d left\) .*\d\d:\d\d$' }
        @{ Command = 'Get-SsoAccount'; Rows = '^   Environment: Acme$', '^AccountId    AccountName EmailAddress$', '^-', '^100000000000 Account1    account1@example\.com$' }
        @{ Command = 'Get-SsoRole'; Rows = '^   Environment: Acme$', '^AccountId    AccountName RoleName$', '^-', '^100000000000 Account1    AWSAdministratorAccess$' }
        @{ Command = 'Get-SsoProfile'; Rows = '^   Environment: Acme$', '^ProfileName AccountId    RoleName$', '^-', '^Account1    100000000000 AWSAdministratorAccess$' }
    ) {
        $lines = Get-Row ($shown | Where-Object Command -EQ $Command).Text
        for ($index = 0; $index -lt $Rows.Count; $index++) { $lines[$index] | Should -Match $Rows[$index] }
    }
}

Describe 'A session shows tables' {
    It 'wherever it meets its first object: <Name>' -ForEach @(
        @{ Name = 'at the end of a pipeline'; Script = 'Get-SsoEnvironment | Out-String -Width 120' }
        @{ Name = 'in a function whose output is formatted'; Script = 'function Show { Get-SsoEnvironment }; Show | Format-Table | Out-String -Width 120' }
        @{ Name = 'after other output'; Script = '& { 1; Get-SsoEnvironment } | Out-String -Width 120 | ForEach-Object { $_ -replace "^1\s+" }' }
        @{ Name = 'in a variable'; Script = '$kept = Get-SsoEnvironment; $kept | Out-String -Width 120' }
        @{ Name = 'in a file'; Script = 'Get-SsoEnvironment > ~/shown; [IO.File]::ReadAllText((Convert-Path ~/shown))' }
        @{ Name = 'where changes are confirmed or only shown'; Script = '$ConfirmPreference = "Low"; $WhatIfPreference = $true; Get-SsoEnvironment | Out-String -Width 120' }
    ) {
        $run = Invoke-UserRunspace (New-UserHome -From $loggedIn) $service $Script
        $run.Errors | Should -BeNullOrEmpty
        (Get-Row $run.Output[0])[0] | Should -Match $heads.Environment
    }

    It 'which Get-FormatData gives from the first object on, and not before' {
        $script = 'Get-SsoEnvironment; @(Get-FormatData AwsSso.*).Count'
        (Invoke-UserRunspace $empty $service $script).Output | Should -Be 0
        $types = (Invoke-UserRunspace $loggedIn $service '$null = Get-SsoEnvironment; (Get-FormatData AwsSso.*).TypeNames').Output
        $of = 'Account', 'AccountRow', 'Credential', 'CredentialRefresh', 'Environment', 'ExportedProfile', 'Profile', 'ProfileResult', 'Role', 'Session'
        $types | Sort-Object | Should -Be ($of | ForEach-Object { "AwsSso.Sso$_" })
    }

    It 'after <Name>, and keeps no view twice' -ForEach @(
        @{ Name = 'another import'; Again = 'Import-Module $manifest' }
        @{ Name = 'a forced import'; Again = 'Import-Module $manifest -Force' }
        @{ Name = 'Remove-Module'; Again = 'Remove-Module Set-AwsCliSsoCredentials; Import-Module $manifest' }
        @{ Name = 'the views were read again'; Again = 'Update-FormatData' }
    ) {
        $run = Invoke-UserRunspace $loggedIn $service @"
            `$null = Get-SsoEnvironment
            $Again
            Get-SsoSession | Out-String -Width 120
            @([runspace]::DefaultRunspace.InitialSessionState.Formats.FormatData.TypeName -like 'AwsSso.*').Count
"@
        $run.Errors | Should -BeNullOrEmpty
        (Get-Row $run.Output[0])[0] | Should -Match $heads.Session
        $run.Output[1] | Should -Be 10
    }

    It 'after another version of the module was imported as well' {
        $copy = New-TestFolder
        Copy-Item (Join-Path (Split-Path $manifest) bin) $copy -Recurse
        $other = Join-Path $copy Set-AwsCliSsoCredentials.psd1
        (Get-Content -Raw $manifest) -replace "(?<=ModuleVersion\s*= )'[^']+'", "'99.0.0'" | Set-Content $other
        $run = Invoke-UserPowerShell $loggedIn $service "`$null = Get-SsoEnvironment; Import-Module '$other' -ErrorAction Ignore; Get-SsoSession | Out-String -Width 120"
        (Get-Row $run.Output[0])[0] | Should -Match $heads.Session
    }

    It 'of its own in <Name>, and of what it gets from there after its first object' -ForEach @(
        @{ Name = 'Start-Job'; Start = 'Start-Job { SCRIPT } | Receive-Job -Wait' }
        @{ Name = 'Start-ThreadJob'; Start = 'Start-ThreadJob { SCRIPT } | Receive-Job -Wait' }
        @{ Name = 'ForEach-Object -Parallel'; Start = '1 | ForEach-Object -Parallel { SCRIPT }' }
    ) {
        $there = $Start.Replace('SCRIPT', 'Import-Module $using:manifest; Get-SsoCredential | Out-String -Width 120')
        $here = '& { ' + $Start.Replace('SCRIPT', 'Import-Module $using:manifest; Get-SsoCredential') + ' } | Out-String -Width 120'
        $run = Invoke-UserRunspace $loggedIn $service "$there; `$null = Get-SsoEnvironment; $here"
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Count | Should -Be 2
        foreach ($table in $run.Output) { (Get-Row $table)[1] | Should -Match $heads.Credential }
    }

    It 'where a program makes it with the module, alone or in a pool' {
        $run = Invoke-UserRunspace $loggedIn $service @'
            $state = [initialsessionstate]::CreateDefault2()
            $state.ImportPSModule($manifest)
            $pool = [runspacefactory]::CreateRunspacePool(3, 3, $state, $Host)
            $alone = [runspacefactory]::CreateRunspace($state)
            $pool.Open()
            $alone.Open()
            # The sleep makes each of them take a runspace of its own.
            $script = 'Get-SsoEnvironment | Out-String -Width 120; (Get-Process -Id $PID | Out-String) -match "ProcessName"; Start-Sleep -Milliseconds 500'
            $shells = foreach ($number in 1..4) {
                $shell = [powershell]::Create().AddScript($script)
                if ($number -eq 1) { $shell.Runspace = $alone } else { $shell.RunspacePool = $pool }
                @{ Shell = $shell; Started = $shell.BeginInvoke() }
            }
            $shells | ForEach-Object { $_.Shell.EndInvoke($_.Started) }
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Count | Should -Be 8
        0, 2, 4, 6 | ForEach-Object {
            (Get-Row $run.Output[$_])[0] | Should -Match $heads.Environment
            $run.Output[$_ + 1] | Should -BeTrue
        }
    }
}

Describe 'A session that cannot have the tables' {
    It 'shows lists, without an error: <Name>' -ForEach @(
        @{ Name = 'its views must not change'; Change = '$state.DisableFormatUpdates = $true' }
        @{ Name = 'it shares the views of a program'; Change = '$state.Formats.Clear(); $state.Formats.Add([Management.Automation.Runspaces.SessionStateFormatEntry]::new([Management.Automation.Runspaces.FormatTable]::LoadDefaultFormatFiles()))' }
    ) {
        $run = Invoke-UserRunspace $loggedIn $service @"
            `$state = [initialsessionstate]::CreateDefault2()
            $Change
            `$runspace = [runspacefactory]::CreateRunspace(`$state)
            `$runspace.Open()
            `$shell = [powershell]::Create().AddScript("Import-Module '`$manifest'; Get-SsoEnvironment | Out-String; ```$Error.Count")
            `$shell.Runspace = `$runspace
            `$shell.Invoke()
"@
        $run.Output[0] | Should -Match '(?m)^Name +: Acme'
        $run.Output[1] | Should -Be 0
    }

    It 'because the view of another module is gone shows everything else as before' {
        $run = Invoke-UserRunspace $loggedIn $service @'
            '<Configuration><ViewDefinitions><View><Name>Other</Name><ViewSelectedBy><TypeName>Other</TypeName></ViewSelectedBy><ListControl><ListEntries><ListEntry><ListItems><ListItem><PropertyName>A</PropertyName></ListItem></ListItems></ListEntry></ListEntries></ListControl></View></ViewDefinitions></Configuration>' > ~/other.ps1xml
            Update-FormatData -AppendPath ~/other.ps1xml
            Remove-Item ~/other.ps1xml
            $views = [runspace]::DefaultRunspace.InitialSessionState.Formats
            $before = $views.Count
            Get-SsoEnvironment | Out-String
            $views.Count - $before
            Get-Process -Id $PID | Out-String
'@
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0] | Should -Match '(?m)^Name +: Acme'
        $run.Output[1] | Should -Be 10
        $run.Output[2] | Should -Match 'ProcessName'
    }
}

Describe 'An execution policy' {
    # about_Signing lists the files that PowerShell checks. It does not check a manifest that it imports: that is data.
    BeforeAll {
        $checked = '.ps1', '.psm1', '.ps1xml', '.cdxml', '.xaml'
    }

    It 'has no file of the module to block' {
        Push-Location (Join-Path $PSScriptRoot '..')
        try { $files = Get-PackageFile $platforms } finally { Pop-Location }
        $files | Should -Contain 'bin/AwsSso.dll'
        $files | Where-Object { [IO.Path]::GetExtension($_) -in $checked } | Should -BeNullOrEmpty
        if ($env:SSO_TEST_MANIFEST) {
            Get-ChildItem (Split-Path $manifest) -Recurse -File | Where-Object Extension -In $checked | Should -BeNullOrEmpty
        }
    }

    It 'has nothing to block in the manifest, which loads the assembly alone' {
        $data = Import-PowerShellDataFile $manifest
        $data.RootModule | Should -Be 'bin/AwsSso.dll'
        $data.Keys | Where-Object { $_ -in 'NestedModules', 'RequiredModules', 'RequiredAssemblies', 'ScriptsToProcess', 'TypesToProcess', 'FormatsToProcess' } | Should -BeNullOrEmpty
    }

    It 'of <_> lets the module be imported, show a table and give its help, though it blocks every script' -Skip:(-not $IsWindows) -ForEach 'Restricted', 'AllSigned' {
        $script = Join-Path (New-TestFolder) script.ps1
        Set-Content $script '"not blocked"'
        $command = "try { & '$script' } catch { `$_.FullyQualifiedErrorId }; Import-Module '$manifest' -ErrorAction Stop; (Get-Help Update-SsoCredential).Synopsis; Get-SsoEnvironment | Out-String -Width 120"
        $run = Invoke-Pwsh $loggedIn $service '-NoProfile', '-NonInteractive', '-ExecutionPolicy', $_, '-Command', $command
        $run.ErrorText | Should -BeNullOrEmpty
        $run.ExitCode | Should -Be 0
        $lines = Get-Row $run.Text
        $lines[0] | Should -Be 'UnauthorizedAccess'
        $lines[1] | Should -Match '^Updates the credentials'
        $lines[2] | Should -Match $heads.Environment
    }
}
