# What a user gets where Update-SsoCredential cannot do its work: which error, with which id, category and target, what became of the file,
# and whether anybody was asked to log in for nothing.

BeforeDiscovery {
    $duplicate = "[default]`nregion = us-west-2`n`n[Account1]`naws_access_key_id = AKIAEXAMPLE`n`n[Account1]`nregion = eu-central-1`n"
    $broken = "[default]`nregion = us-west-2`nthis line is no setting`n"
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0'

    # A home folder with a session and no credentials.
    $loggedIn = New-LoggedInHome $service -Count 20

    # Runs the command where a caller could catch its error, and tells what became of it.
    $caught = @'
        $ok = $ended = $null
        try { $null = & { COMMAND; $script:ok = $? } } catch { $ended = $_.FullyQualifiedErrorId }
        @{ Ok = $script:ok; Ended = $ended }
'@
    function Invoke-Caught([string] $UserHome, [object] $StandIn, [string] $Command, [hashtable] $Variable = @{}) {
        Invoke-UserRunspace $UserHome $StandIn $caught.Replace('COMMAND', $Command) $Variable
    }

    # The error ended the command: it is the only one, and a caller could catch it.
    function Assert-Terminated([object] $Run, [string] $Code, [string] $Category, [string] $Target, [string] $Message) {
        $Run.Errors.Count | Should -Be 1
        $Run.Errors[0].Id | Should -Be "$Code,AwsSso.Commands.UpdateSsoCredentialCommand"
        $Run.Errors[0].Category | Should -Be $Category
        $Run.Errors[0].Target | Should -Be $Target
        $Run.Errors[0].Message | Should -Match $Message
        $Run.Errors[0].Action | Should -Not -BeNullOrEmpty
        $Run.Output[0].Ended | Should -Be $Run.Errors[0].Id
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Update-SsoCredential with something wrong' {
    Context 'in what is stored' {
        It 'names the environments that exist where one is not known, and $? is false' {
            $run = Invoke-Caught $loggedIn $service 'Update-SsoCredential Nowhere'
            Assert-Terminated $run EnvironmentNotFound ObjectNotFound Nowhere 'No environment is named Nowhere\. The environments are: Acme\.'
            $prompt = Invoke-UserRunspace $loggedIn $service 'Update-SsoCredential Nowhere; $?'
            $prompt.Output | Should -Be $false
        }

        It 'goes on with the others where one of several environments is not known' {
            $own = New-UserHome -From $loggedIn
            $run = Invoke-Caught $own $service 'Update-SsoCredential Nowhere, Acme -ProfileName Account2'
            $run.Errors.Id | Should -Be 'EnvironmentNotFound,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Target | Should -Be 'Nowhere'
            $run.Output[0].Ended | Should -BeNullOrEmpty
            (Get-Credential $own).Keys | Should -Be 'Account2'
        }

        It 'says how to make an environment where there is none' {
            $own = New-UserHome
            $run = Invoke-Caught $own $service 'Update-SsoCredential'
            Assert-Terminated $run EnvironmentNotFound ObjectNotFound (Get-AwsPath $own sso-environments) 'No environment is stored'
            $run.Errors[0].Action | Should -Match 'Set-SsoEnvironment -Name'
        }

        It 'names the profile that there is not, and fetches the others' {
            $own = New-UserHome -From $loggedIn
            $run = Invoke-Caught $own $service 'Update-SsoCredential Acme -ProfileName account2, Account3'
            $run.Errors.Id | Should -Be 'ProfileNotFound,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Category | Should -Be 'ObjectNotFound'
            $run.Errors[0].Target | Should -Be 'account2'
            $run.Errors[0].Action | Should -Match '^Did you mean Account2, Account1, Account3, '
            $run.Output[0].Ended | Should -BeNullOrEmpty
            (Get-Credential $own).Keys | Should -Be 'Account3'
        }

        It 'tells the line of <Name> in sso-environments, before anything is sent' -ForEach @(
            @{ Name = 'an account id of 11 digits'; Old = '= 100000000001'; New = '= 10000000001'; Line = 10; Message = '10000000001' }
            @{ Name = 'an account id with a letter at its end'; Old = '= 100000000001'; New = '= 100000000001x'; Line = 10; Message = '100000000001x' }
            @{ Name = 'a start URL over http to another machine'; Old = '= https://d-12345abcde'; New = '= http://d-12345abcde'; Line = 2; Message = 'http://d-12345abcde' }
            @{ Name = 'an unknown key'; Old = 'sso_region'; New = 'sso_regoin'; Line = 3; Message = 'sso_regoin' }
        ) {
            $own = New-UserHome -From $loggedIn
            $file = Get-AwsPath $own sso-environments
            [IO.File]::WriteAllText($file, [IO.File]::ReadAllText($file).Replace($Old, $New))
            $before = Get-RequestCount $service
            $run = Invoke-Caught $own $service 'Update-SsoCredential Acme'
            Assert-Terminated $run EnvironmentInvalid InvalidData $file "line $Line\b"
            $run.Errors[0].Message | Should -Match ([regex]::Escape($Message))
            Get-RequestCount $service | Should -Be $before
        }

        It 'tells the line of <Name> in the credentials file before any login, and leaves it to the byte' -ForEach @(
            @{ Name = 'a section that is there twice'; Text = $duplicate; Says = 'line 7\b' }
            @{ Name = 'a line that is no setting'; Text = $broken; Says = 'line 3\b' }
            @{ Name = 'a byte order mark'; Text = "$([char] 0xFEFF)[default]`nregion = us-west-2`n"; Says = 'is UTF-8 text with a byte order mark' }
            @{ Name = 'a key that is there twice'; Text = "[default]`nregion = a`nREGION = b`n"; Says = 'line 3\b' }
            @{ Name = 'a setting before any section'; Text = "region = a`n[default]`n"; Says = 'line 1\b' }
        ) {
            # No session, so that a login would be needed.
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 2
            $file = Get-AwsPath $own credentials
            [IO.File]::WriteAllText($file, $Text)
            $bytes = [Convert]::ToHexString([IO.File]::ReadAllBytes($file))
            $time = (Get-Item $file).LastWriteTimeUtc
            $before = Get-RequestCount $service
            Assert-Terminated (Invoke-Caught $own $service 'Update-SsoCredential Acme -NoBrowser') CredentialsFileInvalid InvalidData $file $Says
            [Convert]::ToHexString([IO.File]::ReadAllBytes($file)) | Should -Be $bytes
            (Get-Item $file).LastWriteTimeUtc | Should -Be $time
            Get-RequestCount $service | Should -Be $before
        }

        It 'says that the folder cannot be written before any login' -Skip:(-not $IsLinux) {
            $own = New-UserHome
            Add-Environment $own $service Acme -Count 2
            $folder = Get-AwsPath $own ''
            $before = Get-RequestCount $service
            # Root may write to a folder of any mode, but not to one that cannot be changed.
            $isRoot = (id -u) -eq '0'
            if ($isRoot) { chattr +i $folder 2>$null } else { chmod 0555 $folder }
            if ($LASTEXITCODE -ne 0) {
                Set-ItResult -Skipped -Because 'chattr does not work here, and nothing else refuses root'
                return
            }
            try {
                $run = Invoke-Caught $own $service 'Update-SsoCredential Acme -NoBrowser'
            }
            finally {
                if ($isRoot) { chattr -i $folder } else { chmod 0700 $folder }
            }
            Assert-Terminated $run WriteFailed WriteError $run.Errors[0].Target ([regex]::Escape((Get-AwsPath $own credentials)))
            $run.Errors[0].Target | Should -Match ([regex]::Escape((Get-AwsPath $own credentials)))
            Get-RequestCount $service | Should -Be $before
            Get-AwsPath $own credentials | Should -Not -Exist
        }
    }

    Context 'in another process' {
        It 'names the lock and how long it waited, where another process holds it' {
            $own = New-UserHome -From $loggedIn
            $path = Get-AwsPath $own credentials.lock
            # .NET takes the same kind of lock on a file that it opens for itself.
            $held = [IO.File]::Open($path, 'OpenOrCreate', 'ReadWrite', 'None')
            try {
                $run = Invoke-Caught $own $service 'Update-SsoCredential Acme -Timeout 1'
            }
            finally {
                $held.Dispose()
            }
            Assert-Terminated $run FileLocked ResourceBusy $path ([regex]::Escape($path))
            # A busy machine may wait longer, and never shorter.
            $waited = [regex]::Match($run.Errors[0].Message, '\b(\d+(\.\d+)?) s\b')
            $waited.Success | Should -BeTrue -Because $run.Errors[0].Message
            [double] $waited.Groups[1].Value | Should -BeGreaterOrEqual 1
        }
    }

    Context 'in one profile of 20' {
        BeforeAll {
            $refusing = Start-StandIn '--approve-after-polls', '0', '--refuse', (Get-AccountId 7)
            $session = New-LoggedInHome $refusing -Count 20
            $others = 1..20 -ne 7 | ForEach-Object { "Account$_" }
            $own = New-UserHome -From $session
            $run = Invoke-UserPowerShell $own $refusing '$objects = Update-SsoCredential Acme -PassThru -ErrorVariable told; $?; $told.Count; $objects'
        }

        It 'writes the other 19' {
            (Get-Credential $own).Keys | Should -Be $others
        }

        It 'writes one error with the profile as its target, and $? is false' {
            $run.Output[0] | Should -BeFalse
            $run.Output[1] | Should -Be 1
            $run.Errors.Count | Should -Be 1
            $run.Errors[0].Id | Should -Be 'RoleNotAssigned,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Category | Should -Be 'PermissionDenied'
            $run.Errors[0].Target | Should -Be 'Account7'
            $run.Errors[0].Message | Should -Match "AWSAdministratorAccess in account $(Get-AccountId 7).*\(request id [0-9a-f-]{36}\)"
            $run.Errors[0].Action | Should -Not -BeNullOrEmpty
        }

        It 'gives an object for each of the 20, and counts them in the summary' {
            $objects = $run.Output[2..21]
            ($objects | Where-Object ProfileName -EQ Account7).Status | Should -Be 'RoleNotAssigned'
            ($objects | Where-Object ProfileName -EQ Account7).Expiration | Should -BeNullOrEmpty
            ($objects | Where-Object ProfileName -NE Account7).Status | Sort-Object -Unique | Should -Be 'Created'
            $run.Text | Should -Match '^Acme: 19 profiles fresh until [\d: -]+, 1 failed'
        }

        It 'shows what to do about it' {
            # As one line, whatever the width of the screen.
            $screen = $run.ErrorText -replace '[\s|]+', ' '
            $screen | Should -Match 'Could not update profile Account7: the role AWSAdministratorAccess in account 100000000006 is not assigned to you'
            $screen | Should -Match 'Get-SsoRole -Account 100000000006 lists your roles'
        }

        It 'ends a pwsh -Command with 1' {
            $line = "Import-Module '$manifest'; Update-SsoCredential Acme -ProfileName Account6, Account7"
            $run = Invoke-Pwsh (New-UserHome -From $session) $refusing '-NoProfile', '-Command', $line
            $run.ExitCode | Should -Be 1
            $run.Text | Should -Match '^Acme: 1 profile fresh until [\d: -]+, 1 failed'
        }

        It 'has written the other 19 where -ErrorAction Stop ends the command' {
            $own = New-UserHome -From $session
            $run = Invoke-Caught $own $refusing 'Update-SsoCredential Acme -ErrorAction Stop'
            $run.Output[0].Ended | Should -Be 'RoleNotAssigned,AwsSso.Commands.UpdateSsoCredentialCommand'
            (Get-Credential $own).Keys | Should -Be $others
        }

        It 'has written the other 19 where Select-Object -First 1 ends the pipeline' {
            $own = New-UserHome -From $session
            $run = Invoke-UserRunspace $own $refusing 'Update-SsoCredential Acme -PassThru | Select-Object -First 1'
            $run.Output.ProfileName | Should -Be 'Account1'
            (Get-Credential $own).Keys | Should -Be $others
        }

        It 'says of each other fault which it is, in one PowerShell that goes on' {
            $own = New-UserHome -From $session
            $faults = @(
                @{ Change = '{"fail": "GetRoleCredentials:1:404"}'; Id = 'AccountNotFound'; Category = 'ObjectNotFound'; Message = 'IAM Identity Center has no account 100000000001 with the role AWSAdministratorAccess\. \(request id' }
                @{ Change = '{"fail": "GetRoleCredentials:all:500"}'; Id = 'ServiceError'; Category = 'ResourceUnavailable'; Message = ' returned status 500 .*request id' }
                @{ Change = '{"fail": "GetRoleCredentials:all:429"}'; Id = 'Throttled'; Category = 'LimitsExceeded'; Message = 'The service throttled the requests until the time limit\.'; Timeout = 1 }
                @{ Change = '{"broken_json": "GetRoleCredentials:all"}'; Id = 'ServiceError'; Category = 'ResourceUnavailable'; Message = 'Could not update profile Account2: .* cannot be understood: ' }
                @{ Change = '{"hang": "GetRoleCredentials:all"}'; Id = 'NetworkError'; Category = 'ConnectionError'; Message = '127\.0\.0\.1:\d+ did not respond in time\.'; Timeout = 1 }
            )
            $lines = foreach ($fault in $faults) {
                "`$null = Invoke-RestMethod `$standInUrl/_control -Method Post -NoProxy -Body '{`"clear`": true}'"
                "`$null = Invoke-RestMethod `$standInUrl/_control -Method Post -NoProxy -Body '$($fault.Change)'"
                "Update-SsoCredential Acme -ProfileName Account2 -Timeout $($fault.Timeout ?? 20); `$?"
            }
            try {
                $run = Invoke-UserRunspace $own $refusing ($lines -join "`n")
            }
            finally {
                Set-StandIn $refusing @{ clear = $true; refuse = Get-AccountId 7 }
            }
            $run.Output | Should -Be (@($false) * $faults.Count)
            $run.Errors.Count | Should -Be $faults.Count
            for ($index = 0; $index -lt $faults.Count; $index++) {
                # The newest comes first.
                $told = $run.Errors[$faults.Count - 1 - $index]
                $told.Id | Should -Be "$($faults[$index].Id),AwsSso.Commands.UpdateSsoCredentialCommand" -Because $faults[$index].Change
                $told.Category | Should -Be $faults[$index].Category
                $told.Target | Should -Be 'Account2'
                $told.Message | Should -Match $faults[$index].Message
            }
            Get-AwsPath $own credentials | Should -Not -Exist
        }

        Context 'for a reason that must not be taken for another' {
            BeforeAll {
                # Runs it for one profile while the stand-in has that fault, and gives the only error.
                function Get-Fault([hashtable] $Change, [int] $Timeout) {
                    Set-StandIn $refusing $Change
                    try {
                        $run = Invoke-UserRunspace (New-UserHome -From $session) $refusing "Update-SsoCredential Acme -ProfileName Account2 -Timeout $Timeout"
                    }
                    finally {
                        Set-StandIn $refusing @{ clear = $true; delay = 0; refuse = Get-AccountId 7 }
                    }
                    $run.Errors.Count | Should -Be 1
                    $run.Errors[0]
                }
            }

            It 'says what the service answers, where that goes on until the time is up' {
                # Two tries or three fit into the time, and the service answers each.
                $fault = Get-Fault @{ fail = 'GetRoleCredentials:all:500'; delay = 400 } -Timeout 1
                $fault.Id | Should -Be 'ServiceError,AwsSso.Commands.UpdateSsoCredentialCommand'
                $fault.Message | Should -Match '\b500\b'
            }

            It 'reports that half a response cannot be understood, and does not show its status' {
                $fault = Get-Fault @{ broken_json = 'GetRoleCredentials:all' } -Timeout 20
                $fault.Id | Should -Be 'ServiceError,AwsSso.Commands.UpdateSsoCredentialCommand'
                $fault.Message | Should -Match 'returned a response that cannot be understood: it is not the expected JSON\. \(request id'
                $fault.Message | Should -Not -Match '\b200\b'
            }

            It 'takes a connection that is cut in the middle of the answer for a fault of the network' {
                $fault = Get-Fault @{ cut = 'GetRoleCredentials:all' } -Timeout 20
                $fault.Id | Should -Be 'NetworkError,AwsSso.Commands.UpdateSsoCredentialCommand'
            }
        }
    }

    Context 'in the login' {
        BeforeAll {
            function Invoke-Login([string[]] $Flag, [string] $Command = 'Update-SsoCredential Acme -NoBrowser') {
                $other = Start-StandIn $Flag
                $own = New-UserHome
                Add-Environment $own $other Acme -Count 2
                $run = Invoke-Caught $own $other $Command
                $run | Add-Member UserHome $own
                $run | Add-Member Stats (Get-StandInStats $other) -PassThru
            }
        }

        It 'says that the user declined, and asks no more' {
            $run = Invoke-Login '--deny'
            Assert-Terminated $run LoginDeclined PermissionDenied Acme 'declined'
            $run.Stats.requests.CreateToken | Should -Be 1
            $run.Stats.requests.PSObject.Properties.Name | Should -Not -Contain 'GetRoleCredentials'
            Get-AwsPath $run.UserHome credentials | Should -Not -Exist
        }

        It 'says that nobody approved before the code expired' {
            $run = Invoke-Login '--device-code-lifetime', '2'
            Assert-Terminated $run LoginTimedOut OperationTimeout Acme 'Nobody approved'
            $run.Stats.early_polls | Should -Be 0
        }

        It 'says that nobody approved within -Timeout' {
            Assert-Terminated (Invoke-Login @() 'Update-SsoCredential Acme -NoBrowser -Timeout 1') LoginTimedOut OperationTimeout Acme 'Nobody approved'
        }

        It 'names the start URL that the service refuses, and the region' {
            $run = Invoke-Login '--reject-start-url'
            Assert-Terminated $run StartUrlRejected InvalidArgument Acme 'us-west-2 does not know the start URL https://d-12345abcde\.awsapps\.com/start/'
            $run.Text | Should -Not -Match 'approve|Log in to'
        }

        It 'asks nobody with -NoLogin, and sends nothing' {
            $run = Invoke-Login @() 'Update-SsoCredential Acme -NoLogin'
            Assert-Terminated $run LoginRequired AuthenticationError Acme 'a login was not allowed'
            @($run.Stats.requests.PSObject.Properties).Count | Should -Be 0
            $run.Text | Should -BeNullOrEmpty
        }

        It 'names the address where nobody listens' {
            # The port was free a moment ago.
            $gone = Start-StandIn
            $gone.Process.StandardInput.Close()
            $gone.Process.WaitForExit()
            $own = New-UserHome
            Add-Environment $own $gone Acme -Count 2
            $run = Invoke-Caught $own $gone 'Update-SsoCredential Acme -NoBrowser -Timeout 5'
            Assert-Terminated $run NetworkError ConnectionError Acme ([regex]::Escape(([uri] $gone.Url).Authority))
            $run.Errors[0].Message | Should -Match 'refused'
        }

        It 'goes on with the other environment where the login to one fails' {
            $own = New-UserHome -From $loggedIn
            Add-AwsText $own sso-environments "[environment Wrong]`nsso_start_url = https://d-99999abcde.awsapps.com/start/`nsso_region = us-west-2`n[environment Wrong profile Wrong1]`nsso_account_id = $(Get-AccountId 1)`nsso_role_name = R`n"
            $run = Invoke-Caught $own $service 'Update-SsoCredential Wrong, Acme -NoBrowser'
            $run.Errors.Id | Should -Be 'StartUrlRejected,AwsSso.Commands.UpdateSsoCredentialCommand'
            $run.Errors[0].Target | Should -Be 'Wrong'
            $run.Output[0].Ended | Should -BeNullOrEmpty
            $run.Output[0].Ok | Should -BeFalse
            (Get-Credential $own).Count | Should -Be 20
        }
    }

    Context 'in what is typed' {
        It 'refuses times of nothing or less, limits out of range and words that there are not' {
            $words = '-Timeout 0', '-Timeout -5', '-MinimumRemaining -1', '-ThrottleLimit 0', '-ThrottleLimit 257', '-TokenCache Disk', "-ProfileName ''", "-Environment ''"
            $lines = $words | ForEach-Object { "try { Update-SsoCredential $_; '' } catch { `$_.FullyQualifiedErrorId }" }
            $ids = (Invoke-UserRunspace $loggedIn $service ($lines -join "`n")).Output
            $ids.Count | Should -Be $words.Count
            for ($index = 0; $index -lt $words.Count; $index++) {
                $ids[$index] | Should -Match '^(ParameterArgumentValidation|CannotConvertArgument|ParameterArgumentTransformation)\w*,AwsSso\.Commands\.UpdateSsoCredentialCommand$' -Because $words[$index]
            }
        }
    }

    Context 'in the installation' {
        BeforeAll {
            # The module as it lies in a module folder, without its native library.
            function Copy-Module {
                $from = Split-Path $manifest
                $to = New-TestFolder
                foreach ($name in 'Set-AwsCliSsoCredentials.psd1', 'bin/AwsSso.dll') {
                    $null = New-Item -ItemType Directory (Split-Path (Join-Path $to $name)) -Force
                    Copy-Item (Join-Path $from $name) (Join-Path $to $name)
                }
                $to
            }

            # Runs a command with the module of the folder, whose library is what the script makes of the good one.
            function Invoke-With([string] $Folder, [scriptblock] $Change, [string] $Before = '') {
                $library = "$Folder/bin/linux-$architecture/aws_sso.so"
                $null = New-Item -ItemType Directory (Split-Path $library)
                & $Change $library "$(Split-Path $manifest)/bin/linux-$architecture/aws_sso.so"
                Invoke-UserPowerShell $loggedIn $service ($Before + $caught.Replace('COMMAND', 'Update-SsoCredential Acme')) -Manifest "$Folder/Set-AwsCliSsoCredentials.psd1"
            }
        }

        It 'names the path and the platform where the native library is missing, and the platforms that have one' -Skip:(-not $IsLinux) {
            $folder = Copy-Module
            $null = New-Item -ItemType Directory "$folder/bin/win-x64", "$folder/bin/osx-arm64"
            Set-Content "$folder/bin/win-x64/aws_sso.dll", "$folder/bin/osx-arm64/aws_sso.dylib" 'library'
            $run = Invoke-UserPowerShell $loggedIn $service $caught.Replace('COMMAND', 'Update-SsoCredential Acme') -Manifest "$folder/Set-AwsCliSsoCredentials.psd1"
            $path = "$folder/bin/linux-$architecture/aws_sso.so"
            Assert-Terminated $run LibraryUnavailable NotInstalled $path "^There is no native library for linux-$architecture at '$path', only for osx-arm64, win-x64\.$"
        }

        It 'says that the native library <_.Says>, where it <_.Is>' -Skip:(-not $IsLinux) -ForEach @(
            @{ Is = 'is text'; Says = 'is not a loadable library; it may be damaged'; Change = { param($bad) Set-Content $bad ('not a library. ' * 100) } }
            @{ Is = 'is empty'; Says = 'is not a loadable library; it may be damaged'; Change = { param($bad) $null = New-Item $bad } }
            @{ Is = 'lost its last byte'; Says = 'is incomplete: it has \d+ bytes of at least \d+'; Change = { param($bad, $good) Copy-Item $good $bad; Set-FileLength $bad ((Get-Item $good).Length - 1) } }
            # Linux would map it, and the shell would die without a word.
            @{ Is = 'was half copied'; Says = 'is incomplete: it has 2000000 bytes of at least \d+'; Change = { param($bad, $good) Copy-Item $good $bad; Set-FileLength $bad 2000000 } }
            @{ Is = 'is for another processor'; Says = 'cannot be loaded on linux-\S+: cannot open shared object file'; Change = { param($bad, $good) Copy-Item $good $bad; Set-OtherProcessor $bad } }
        ) {
            $folder = Copy-Module
            $run = Invoke-With $folder $_.Change
            $path = "$folder/bin/linux-$architecture/aws_sso.so"
            Assert-Terminated $run LibraryUnavailable NotInstalled $path "^The native library '$path' $($_.Says)[^.]*\.$"
        }

        It 'says that the native library is blocked, where programs may not run from its folder' -Skip:(-not $IsLinux) {
            $folder = New-TestFolder
            mount -t tmpfs -o noexec none $folder 2>$null
            if ($LASTEXITCODE -ne 0) {
                Set-ItResult -Skipped -Because 'only root may mount a file system'
                return
            }

            try {
                Copy-Item "$(Copy-Module)/*" $folder -Recurse
                $run = Invoke-With $folder { param($bad, $good) Copy-Item $good $bad }
                $path = "$folder/bin/linux-$architecture/aws_sso.so"
                Assert-Terminated $run LibraryUnavailable NotInstalled $path "^The native library '$path' is blocked on linux-$architecture`: failed to map segment"
                $run.Errors[0].Action | Should -Match 'noexec'
            }
            finally { umount $folder }
        }

        It 'says that a Linux with musl is none that the library is for' -Skip:(-not $IsLinux) {
            # No musl is here; what gives it away is its loader in the map of the process.
            $folder = Copy-Module
            $loader = "$folder/ld-musl-x86_64.so.1"
            Set-Content $loader 'loader'
            $run = Invoke-With $folder { param($bad, $good) Copy-Item $good $bad; Set-OtherProcessor $bad } @"
                `$map = [IO.MemoryMappedFiles.MemoryMappedFile]::CreateFromFile('$loader')
                `$view = `$map.CreateViewAccessor()

"@
            $path = "$folder/bin/linux-$architecture/aws_sso.so"
            Assert-Terminated $run LibraryUnavailable NotInstalled $path "^The native library '$path' needs a Linux with glibc, and this one uses musl, as Alpine does\.$"
        }

        It 'names both versions where the library is another one' -Skip:(-not $IsLinux) {
            if (-not (Get-Command gcc -CommandType Application -ErrorAction Ignore)) {
                Set-ItResult -Skipped -Because 'gcc is not installed'
                return
            }

            $folder = Copy-Module
            $library = "$folder/bin/linux-$architecture/aws_sso.so"
            $null = New-Item -ItemType Directory (Split-Path $library)
            Set-Content "$folder/other.c" '#include <stdint.h>', 'uint32_t sso_abi_version(void) { return 99; }'
            gcc -shared -fPIC -o $library "$folder/other.c"
            $LASTEXITCODE | Should -Be 0
            $run = Invoke-UserPowerShell $loggedIn $service $caught.Replace('COMMAND', 'Update-SsoCredential Acme') -Manifest "$folder/Set-AwsCliSsoCredentials.psd1"
            Assert-Terminated $run LibraryVersionMismatch InvalidResult $library 'has version 99 .* needs version \d+'
        }
    }
}

Describe 'Secrets' {
    BeforeAll {
        # Half of an answer with keys or tokens is what would slip most easily into a message.
        $leaky = Start-StandIn '--approve-after-polls', '0', '--refuse', (Get-AccountId 7), '--broken-json', 'GetRoleCredentials:2'
        $own = New-UserHome
        Add-Environment $own $leaky Acme
        $transcript = Join-Path $own transcript
        $run = Invoke-UserRunspace $own $leaky @"
            `$null = Start-Transcript '$transcript' -IncludeInvocationHeader
            `$DebugPreference = 'Continue'
            # One by one, so that the broken answers are those of the first two, and not the refusal of the seventh.
            Update-SsoCredential Acme -NoBrowser -ThrottleLimit 1 -PassThru -Verbose -InformationVariable said | Format-List * -Force
            Invoke-RestMethod "`$standInUrl/_control" -Method Post -Body '{"expire_tokens": true, "broken_json": ["CreateToken:1"]}' | Out-Null
            Update-SsoCredential Acme -Force -Verbose -Debug -NoBrowser
            Invoke-RestMethod "`$standInUrl/_control" -Method Post -Body '{"expire_tokens": true}' | Out-Null
            # With an ended session the refresh token and the client secret would be in the request, too.
            'AWS_ENDPOINT_URL_SSO', 'AWS_ENDPOINT_URL_SSO_OIDC' | ForEach-Object {
                `$before = [Environment]::GetEnvironmentVariable(`$_)
                foreach (`$url in 'https:/portal.example.com', 'https:portal.example.com', 'https://portal.example.com?token=hunter2', 'https://acme:hunter2@portal.example.com') {
                    Set-Item "env:`$_" `$url
                    Update-SsoCredential Acme -Force -Verbose -Debug -NoBrowser
                }
                Set-Item "env:`$_" `$before
            }
            `$said | Format-List * -Force
            Get-SsoEnvironment | Format-List * -Force
            `$Error | Format-List * -Force
            `$Error | ForEach-Object { `$_.Exception.ToString(); `$_ | ConvertTo-Json -Depth 4 -WarningAction Ignore }
            `$null = Stop-Transcript
"@
        $shown = ($run.Output | Out-String -Width 4096), $run.Text, $run.ErrorText, ($run.Errors | Out-String -Width 4096), (Get-Content -Raw $transcript) -join "`n"
        # Line breaks of a narrow screen must not hide anything.
        $shown = $shown -replace '\s'
        $secrets = @(Get-Secret $own)
    }

    It 'are where they belong' {
        $secrets.Count | Should -BeGreaterOrEqual (2 * 17 + 3)
    }

    It 'are never in what is shown, in $Error, in verbose notes or in a transcript' {
        $shown.Length | Should -BeGreaterThan 5000
        $shown | Should -Match 'RoleNotAssigned'
        $shown | Should -Match 'ServiceError'
        $shown | Should -Match 'EnvironmentInvalid'
        # What is written in the command itself is in the transcript; the rest of what is shown must not have it.
        ($run.Text + $run.ErrorText) | Should -Not -Match 'hunter2@|token=hunter2'
        $shown | Should -Match 'wasfetched\(requestid'
        # A truth value, since a message with the text itself would show the secret.
        @($secrets | Where-Object { $shown.Contains($_) }).Count | Should -Be 0
        @($secrets | Where-Object { $shown.Contains($_.Substring(0, 20)) }).Count | Should -Be 0
    }

    It 'of answers that were thrown away are not shown either' {
        # As the stand-in makes session tokens, access tokens, refresh tokens and client secrets.
        ($shown -match 'IQoJb3JpZ2luX2VjE|aoaAAAAA|aorAAAAA|eyJraWQiOi') | Should -BeFalse
    }

    It 'are in the arguments or variables of no process that is started: <_>' -Skip:(-not $IsLinux) -ForEach 'a browser' {
        $folder = New-TestFolder
        $browser = Join-Path $folder browser
        Set-Content $browser "#!/bin/sh`ntr '\0' '\n' <`"/proc/`$`$/cmdline`" >>'$folder/seen'; env >>'$folder/seen'"
        chmod +x $browser
        $run = Invoke-UserPowerShell $own $leaky 'Update-SsoCredential Acme -Force -TokenCache Memory' @{ BROWSER = $browser }
        $run.Text | Should -Match 'your browser opens now\.'
        $seen = Get-Content -Raw "$folder/seen"
        $seen | Should -Match 'user_code='
        @(Get-Secret $own | Where-Object { $seen.Contains($_) }).Count | Should -Be 0
    }

    It 'lie in files that only their owner can read' -Skip:$IsWindows {
        Get-ChildItem (Get-AwsPath $own '') -Recurse -File -Force | Where-Object { $_.UnixFileMode -band [IO.UnixFileMode] 'GroupRead, OtherRead, GroupWrite, OtherWrite' } |
            ForEach-Object Name | Where-Object { $_ -ne 'sso-environments' } | Should -BeNullOrEmpty
    }
}
