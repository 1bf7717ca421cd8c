# What is piped is what is acted on: every cmdlet that gives objects, piped to every cmdlet of the module, and what a user gets.

BeforeDiscovery {
    # What each object means to each cmdlet. 'all' is the whole environment, 'one' the one profile (or its account or role) that was piped,
    # 'refused' an error of this module with a sentence, 'not bound' PowerShell's own error for input that a command does not take.
    $producers = 'Environment', 'Stored', 'Session', 'Profile', 'Synced', 'Added', 'Credential', 'Refresh', 'Result', 'Account', 'Role', 'Name'
    $profiles = @{ Profile = 'one'; Synced = 'one'; Added = 'one'; Credential = 'one'; Refresh = 'one'; Result = 'one'; Account = 'one'; Role = 'one' }
    $whole = @{ Environment = 'all'; Stored = 'all'; Session = 'all'; Name = 'all' }
    $refusedWhole = @{ Environment = 'refused'; Stored = 'refused'; Session = 'refused'; Name = 'refused' }
    $refusedProfiles = @{ Profile = 'refused'; Synced = 'refused'; Added = 'refused'; Credential = 'refused'; Refresh = 'refused'; Result = 'refused'; Account = 'refused'; Role = 'refused' }
    function Join-Row([hashtable] $One, [hashtable] $Other, [hashtable] $But = @{}) {
        $row = @{}
        foreach ($part in $One, $Other, $But) { foreach ($key in $part.Keys) { $row[$key] = $part[$key] } }
        $row
    }
    $unbound = @{}
    foreach ($name in $producers) { $unbound[$name] = 'not bound' }
    $table = @{
        'Update-SsoCredential' = Join-Row $profiles $whole
        'Get-SsoCredential' = Join-Row $profiles $whole
        'Get-SsoProfile' = Join-Row $profiles $whole
        'Start-SsoCredentialRefresh' = Join-Row $profiles $whole
        'Get-SsoCredentialRefresh' = Join-Row $profiles $whole
        'Stop-SsoCredentialRefresh' = Join-Row $profiles $whole
        'Export-SsoProfile' = Join-Row $profiles $whole
        'Remove-SsoProfile' = Join-Row $profiles $refusedWhole
        'Use-SsoCredential' = Join-Row $profiles $refusedWhole @{ Name = 'no such profile' }
        'Invoke-SsoCommand' = Join-Row $profiles $refusedWhole @{ Name = 'no such profile' }
        'Open-SsoConsole' = Join-Row $profiles $refusedWhole @{ Name = 'no such profile' }
        'Get-SsoRole' = Join-Row $profiles $whole
        'Get-SsoEnvironment' = Join-Row $refusedProfiles $whole
        'Export-SsoEnvironment' = Join-Row $refusedProfiles $whole
        'Remove-SsoEnvironment' = Join-Row $refusedProfiles $whole @{ Session = 'refused' }
        'Get-SsoSession' = Join-Row $refusedProfiles $whole
        'Connect-SsoSession' = Join-Row $refusedProfiles $whole
        'Disconnect-SsoSession' = Join-Row $refusedProfiles $whole
        'Sync-SsoProfile' = Join-Row $refusedProfiles $whole
        'Get-SsoAccount' = Join-Row $refusedProfiles $whole
        # A role is what it needs; a profile has one, with its name.
        'Add-SsoProfile' = Join-Row $unbound @{ Profile = 'one'; Synced = 'one'; Added = 'one'; Credential = 'one'; Refresh = 'one'; Result = 'one'; Role = 'one' }
        # It takes the profile of an object, and what has none is refused by PowerShell.
        'Rename-SsoProfile' = Join-Row $unbound @{ Profile = 'one'; Synced = 'one'; Added = 'one'; Credential = 'one'; Refresh = 'one'; Result = 'one' }
        'Get-SsoPromptText' = $unbound
        'Set-SsoEnvironment' = $unbound
        # It takes paths.
        'Import-SsoEnvironment' = Join-Row $unbound @{} ($producers | ForEach-Object { $all = @{} } { $all[$_] = 'no such file' } { $all })
    }
    $rows = foreach ($consumer in $table.Keys | Sort-Object) { @{ Consumer = $consumer; Row = $table[$consumer] } }
    $consumers = @($table.Keys)
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0'

    # A company with three profiles, another environment with one of the same name, and names that look like patterns.
    $template = New-UserHome
    Add-Environment $template $service Acme -Count 3
    Add-Environment $template $service Odd -Count 1 -First 4
    foreach ($name in 'Acc*', 'Account?', 'Account99') { Add-AwsText $template sso-environments "[environment Odd profile $name]`nsso_account_id = $(Get-AccountId 4)`n`n" }
    Add-AwsText $template config @"
[sso-session my]
sso_start_url = $($service.StartUrl)
sso_region = us-west-2

[profile Account1]
sso_session = my
sso_account_id = $(Get-AccountId 1)
sso_role_name = AWSReadOnlyAccess

[profile Other]
sso_session = my
sso_account_id = $(Get-AccountId 2)
sso_role_name = AWSReadOnlyAccess

"@
    $null = Invoke-UserRunspace $template $service 'Connect-SsoSession Acme -NoBrowser -NoQrCode'

    function New-User { New-UserHome $template }
}

AfterAll {
    Clear-StandIn
}

Describe 'Each object in the pipeline of each cmdlet' {
    BeforeAll {
        # One PowerShell for all pairs: what would be done is read from -WhatIf in a transcript, the rest from the objects.
        $script = @'
            $PSStyle.OutputRendering = 'PlainText'
            $made = @{
                Session = Get-SsoSession Acme
                Profile = Get-SsoProfile Acme Account1
                Credential = Get-SsoCredential Acme Account1
                Account = Get-SsoAccount Acme Account1
                Role = Get-SsoRole Acme Account1 -Role AWSAdministratorAccess
                Result = Update-SsoCredential Acme Account1 -PassThru -Quiet -Force
                Stored = Set-SsoEnvironment Acme -Region us-west-2 -PassThru
                Name = 'Acme'
            }
            Start-SsoCredentialRefresh Acme
            $made.Refresh = Get-SsoCredentialRefresh Acme Account1
            Remove-SsoProfile Acme Account1
            $made.Synced = Sync-SsoProfile Acme AWSAdministratorAccess -Account Account1 -NameTemplate '{AccountName}' -PassThru -Quiet
            Remove-SsoProfile Acme Account1
            $made.Added = $made.Role | Add-SsoProfile -NameTemplate '{AccountName}' -PassThru
            $made.Environment = Get-SsoEnvironment Acme
            $commands = @{
                'Update-SsoCredential' = { $input | Update-SsoCredential -Force -WhatIf }
                'Get-SsoCredential' = { $input | Get-SsoCredential }
                'Get-SsoProfile' = { $input | Get-SsoProfile }
                'Start-SsoCredentialRefresh' = { $input | Start-SsoCredentialRefresh -WhatIf }
                'Get-SsoCredentialRefresh' = { $input | Get-SsoCredentialRefresh }
                'Stop-SsoCredentialRefresh' = { $input | Stop-SsoCredentialRefresh -WhatIf }
                'Remove-SsoProfile' = { $input | Remove-SsoProfile -WhatIf }
                # The AWS config file of this user has another profile of that name.
                'Export-SsoProfile' = { $env:AWS_CONFIG_FILE = './none'; $input | Export-SsoProfile -As SsoSession -WhatIf; $env:AWS_CONFIG_FILE = $null }
                'Use-SsoCredential' = { $input | Use-SsoCredential -Quiet; if ($env:AWS_PROFILE) { "using $env:AWS_PROFILE"; Use-SsoCredential -Clear } }
                'Invoke-SsoCommand' = { $input | Invoke-SsoCommand { Write-Host "What is run on target `"$env:AWS_PROFILE`"" } }
                'Open-SsoConsole' = { $input | Open-SsoConsole -NoBrowser -PassThru }
                'Get-SsoEnvironment' = { $input | Get-SsoEnvironment }
                'Remove-SsoEnvironment' = { $input | Remove-SsoEnvironment -WhatIf }
                'Export-SsoEnvironment' = { $input | Export-SsoEnvironment -Path out.ini -WhatIf }
                'Connect-SsoSession' = { $input | Connect-SsoSession -WhatIf }
                'Disconnect-SsoSession' = { $input | Disconnect-SsoSession -WhatIf }
                'Get-SsoSession' = { $input | Get-SsoSession }
                # Without the filters of the first run, which are stored.
                'Sync-SsoProfile' = { $input | Sync-SsoProfile -Role '' -Account '' -NameTemplate '' -WhatIf }
                'Get-SsoAccount' = { $input | Get-SsoAccount }
                'Get-SsoRole' = { $input | Get-SsoRole }
                'Add-SsoProfile' = { $input | Add-SsoProfile -NameTemplate 'new-{AccountName}' -WhatIf -Verbose }
                'Rename-SsoProfile' = { $input | Rename-SsoProfile -NewName { "new-$($_.ProfileName)" } -WhatIf }
                'Get-SsoPromptText' = { $input | Get-SsoPromptText }
                'Set-SsoEnvironment' = { $input | Set-SsoEnvironment Acme -Region eu-west-1 -WhatIf }
                'Import-SsoEnvironment' = { $input | Import-SsoEnvironment -WhatIf }
            }
            $null = Start-Transcript ./transcript
            foreach ($consumer in $commands.Keys) {
                foreach ($producer in $made.Keys) {
                    $Error.Clear()
                    Write-Host "## $producer|$consumer"
                    $written = @(try { $made[$producer] | & $commands[$consumer] 2>$null 4>&1 } catch { })
                    $record = $Error | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | Select-Object -First 1
                    [pscustomobject] @{
                        Producer = $producer; Consumer = $consumer; Targets = @(); Written = @($written | ForEach-Object { "$($_.Environment)/$_" })
                        Id = if ($record) { ($record.FullyQualifiedErrorId -split ',')[0] }; Sentence = "$record $($record.ErrorDetails.RecommendedAction)"
                    }
                }
            }
            $null = Stop-Transcript
            [pscustomobject] @{ Given = @($made.Keys); Types = @($made.Values | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique) }
'@
        $userHome = New-User
        $run = Invoke-UserRunspace $userHome $service $script
        $seen = @{}
        foreach ($row in $run.Output | Where-Object { $_.PSObject.Properties['Consumer'] }) { $seen["$($row.Producer)|$($row.Consumer)"] = $row }
        $given = $run.Output[-1]
        foreach ($line in Get-Content (Join-Path $userHome transcript)) {
            if ($line -match '^## (.+)$') { $found = $seen[$Matches[1]] } elseif ($line -match 'on target "(.*)"') { $found.Targets += $Matches[1] }
        }

        # What the cmdlets mean by the one profile, and by the whole environment: a target or an object.
        $means = @{
            'Update-SsoCredential' = @{ one = 'Acme: Account1'; all = 'Acme: Account2, Account3, Account1', 'Acme: Account1, Account2, Account3' }
            'Remove-SsoProfile' = @{ one = 'Acme: Account1' }
            'Rename-SsoProfile' = @{ one = 'Acme: Account1' }
            'Export-SsoProfile' = @{ one = 'Acme: Account1'; all = 'Acme: Account1', 'Acme: Account2', 'Acme: Account3' }
            'Get-SsoCredential' = @{ one = 'Acme/Account1'; all = 'Acme/Account1 Acme/Account2 Acme/Account3' }
            'Start-SsoCredentialRefresh' = @{ one = 'Acme: Account1'; all = 'Acme' }
            'Get-SsoCredentialRefresh' = @{ one = 'Acme/Account1'; all = 'Acme/Account1 Acme/Account2 Acme/Account3' }
            'Stop-SsoCredentialRefresh' = @{ one = 'Acme: Account1'; all = 'Acme' }
            'Get-SsoProfile' = @{ one = 'Acme/Account1'; all = 'Acme/Account1 Acme/Account2 Acme/Account3' }
            'Use-SsoCredential' = @{ one = '/using Account1' }
            'Invoke-SsoCommand' = @{ one = 'Account1' }
            'Open-SsoConsole' = @{ one = "/https://d-12345abcde.awsapps.com/start/#/console?account_id=$(Get-AccountId 1)&role_name=AWSAdministratorAccess" }
            'Add-SsoProfile' = @{ one = '', ' (Account1)' | ForEach-Object { "/Account1 already exists for AWSAdministratorAccess in account $(Get-AccountId 1)$_." } }
            'Get-SsoEnvironment' = @{ all = '/Acme' }
            'Export-SsoEnvironment' = @{ all = 'out.ini' }
            'Remove-SsoEnvironment' = @{ all = 'Acme, with 3 profiles' }
            'Get-SsoSession' = @{ all = 'Acme/Acme' }
            'Connect-SsoSession' = @{ all = 'Acme' }
            'Disconnect-SsoSession' = @{ all = 'Acme' }
            'Get-SsoAccount' = @{ all = 'Acme/Account1 Acme/Account2 Acme/Account3 Acme/Account4' }
        }
    }

    It 'has a row for each cmdlet of the module and for each kind of object that they give' -TestCases @{ Consumers = $consumers; Producers = $producers } {
        $cmdlets = Get-Command -Module (Import-Module $manifest -PassThru).Name -CommandType Cmdlet
        $Consumers | Sort-Object | Should -Be ($cmdlets.Name | Sort-Object)
        $given.Given | Sort-Object | Should -Be ($Producers | Sort-Object)
        $types = $cmdlets | ForEach-Object { $_.OutputType.Name } | Where-Object { $_ -like 'AwsSso.*' -and $_ -ne 'AwsSso.SsoExportedProfile' } | Sort-Object -Unique
        # An exported profile is read as any object with a ProfileName; to make one would take the keys that the others need.
        $given.Types | Where-Object { $_ -ne 'System.String' } | Should -Be $types
    }

    It '<Consumer> acts on exactly what was piped, or refuses it' -TestCases $rows {
        foreach ($producer in $given.Given) {
            $pair = "$producer | $Consumer"
            $expected = $Row[$producer]
            $found = $seen["$producer|$Consumer"]
            $expected | Should -BeIn 'one', 'all', 'refused', 'not bound', 'no such profile', 'no such file' -Because $pair
            $found | Should -Not -BeNullOrEmpty -Because $pair
            if ($expected -in 'one', 'all') {
                $found.Id | Should -BeNullOrEmpty -Because "$pair gave $($found.Sentence)"
                $acted = if ($found.Targets) { $found.Targets | Split-Path -Leaf } else { ($found.Written | Sort-Object) -join ' ' }
                if ($means[$Consumer]) {
                    $acted | Should -BeIn $means[$Consumer][$expected] -Because $pair
                } elseif ($Consumer -eq 'Get-SsoRole') {
                    # The roles of the one account; of a role itself.
                    $found.Written.Count | Should -Be $(if ($expected -eq 'all') { 8 } elseif ($producer -eq 'Role') { 1 } else { 2 }) -Because $pair
                } else {
                    # Sync-SsoProfile: what the whole environment lacks.
                    $found.Targets.Count | Should -Be 5 -Because $pair
                }
            } else {
                $found.Targets | Should -BeNullOrEmpty -Because $pair
                $found.Written | Should -BeNullOrEmpty -Because $pair
                $ids = @{ refused = , 'InputNotAccepted'; 'not bound' = 'InputObjectNotBound', 'InputObjectMissingMandatory'; 'no such profile' = , 'ProfileNotFound'; 'no such file' = , 'ReadFailed' }
                $found.Id | Should -BeIn $ids[$expected] -Because $pair
                if ($expected -eq 'refused') { $found.Sentence | Should -Match "was piped to $Consumer, which takes .+\. Nothing was done for it\. \S" }
            }
        }
    }
}

Describe 'A pipeline of profiles' {
    It 'updates exactly those that were piped' {
        $userHome = New-User
        $run = Invoke-UserLine $userHome $service @(
            'Get-SsoProfile Acme -ProfileName Account[12] | Update-SsoCredential -Force -Quiet'
            'Get-SsoProfile Odd, Acme -ProfileName Account3, Account4 | Update-SsoCredential -Quiet -PassThru | ForEach-Object ProfileName'
            'Get-SsoCredential Acme | Where-Object ProfileName -eq Account2 | Update-SsoCredential -Force -PassThru -Quiet | Get-SsoCredential | ForEach-Object ProfileName'
            'Get-SsoEnvironment Odd | Update-SsoCredential -ProfileName *4 -Force -PassThru -Quiet | ForEach-Object ProfileName'
            'Get-SsoProfile Acme | Update-SsoCredential -ProfileName *3 -Force -PassThru -Quiet | ForEach-Object ProfileName'
        )
        $run.Sentences | Should -BeNullOrEmpty
        (Get-Credential $userHome).Keys | Sort-Object | Should -Be 'Account1', 'Account2', 'Account3', 'Account4'
        $run[1].Written | Sort-Object | Should -Be 'Account3', 'Account4'
        $run[2].Written | Should -Be 'Account2'
        $run[3].Written | Should -Be 'Account4'
        $run[4].Written | Should -Be 'Account3'
    }

    It 'takes rows of a table, text and objects of the module in one pipeline' {
        $userHome = New-User
        Set-Content (Join-Path $userHome rows.csv) "Environment,ProfileName,Note`nAcme,Account2,x`nOdd,Account4,y"
        Set-Content (Join-Path $userHome accounts.csv) "Environment,AccountId`nAcme,$(Get-AccountId 3)"
        $run = Invoke-UserLine $userHome $service @(
            'Import-Csv rows.csv | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
            'Import-Csv accounts.csv | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
            '& { Get-SsoProfile Acme Account1; Import-Csv accounts.csv; "Odd"; Get-SsoProfile Acme Account1 } | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
            '[pscustomobject] @{ ProfileName = "Account2" } | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
            'Get-SsoProfile Acme Account3 | ConvertTo-Json | ConvertFrom-Json | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
            '"Acme/Account1", "Odd/Account4" | Get-SsoProfile -Environment { $_.Split("/")[0] } -ProfileName { $_.Split("/")[1] } | ForEach-Object { "$($_.Environment) $_" }'
            'Get-SsoCredential -InputObject (Get-SsoProfile Acme Account2) | ForEach-Object { "$($_.Environment) $_" }'
            '[pscustomobject] @{ Environment = "Acme"; Profile = "Account1" }, (Get-SsoEnvironment Odd).Profiles[0] | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
            ', (Get-SsoProfile Acme Account1, Account3) | Get-SsoProfile | ForEach-Object { "$($_.Environment) $_" }'
        )
        $run.Sentences | Should -BeNullOrEmpty
        $run[0].Written | Should -Be 'Acme Account2', 'Odd Account4'
        $run[1].Written | Should -Be 'Acme Account3'
        $run[2].Written | Sort-Object | Should -Be ('Acme Account1', 'Acme Account3', 'Odd Acc*', 'Odd Account?', 'Odd Account4', 'Odd Account99' | Sort-Object)
        $run[3].Written | Should -Be 'Acme Account2'
        $run[4].Written | Should -Be 'Acme Account3'
        $run[5].Written | Sort-Object | Should -Be 'Acme Account1', 'Odd Account4'
        $run[6].Written | Should -Be 'Acme Account2'
        $run[7].Written | Sort-Object | Should -Be 'Acme Account1', 'Odd Account4'
        $run[8].Written | Should -Be 'Acme Account1', 'Acme Account3'
    }

    It 'means a name with wildcards literally where an object has it' {
        $run = Invoke-UserLine (New-User) $service @(
            'Get-SsoProfile Odd | Where-Object ProfileName -eq "Acc*" | Get-SsoCredential | ForEach-Object ProfileName'
            'Get-SsoProfile Odd | Where-Object ProfileName -eq "Account?" | Update-SsoCredential -Force -Quiet -PassThru | ForEach-Object ProfileName'
            '[pscustomobject] @{ Environment = "Acme"; ProfileName = "Account*" } | Update-SsoCredential -Force -Quiet -PassThru'
            '[pscustomobject] @{ Environment = "A*" } | Get-SsoProfile'
            'Get-SsoProfile Odd | Where-Object ProfileName -eq "Acc*" | Remove-SsoProfile; Get-SsoProfile Odd | ForEach-Object ProfileName'
            '"Account?" | Use-SsoCredential -Quiet; $env:AWS_PROFILE'
            'Get-SsoProfile Odd "Account*" | ForEach-Object ProfileName'
        )
        $run[0].Written | Should -Be 'Acc*'
        $run[1].Written | Should -Be 'Account?'
        $run[2].Written | Should -BeNullOrEmpty
        $run[2].Ids | Should -Be 'ProfileNotFound'
        $run[3].Ids | Should -Be 'EnvironmentNotFound'
        $run[4].Written | Sort-Object | Should -Be ('Account?', 'Account4', 'Account99' | Sort-Object)
        $run[5].Written | Should -Be 'Account?'
        $run[6].Written | Sort-Object | Should -Be ('Account?', 'Account4', 'Account99' | Sort-Object)
    }

    It 'acts in the environment that came where two have a profile of the same name' {
        $run = Invoke-UserLine (New-User) $service @(
            'Get-SsoProfile my Account1 | Get-SsoCredential | ForEach-Object { "$($_.Environment) $($_.RoleName)" }'
            'Get-SsoProfile my Account1 | Open-SsoConsole -NoBrowser -PassThru'
            'Get-SsoProfile my Account1 | Update-SsoCredential -Force -PassThru -Quiet | ForEach-Object { "$($_.Environment) $($_.RoleName)" }'
            'Get-SsoProfile Acme Account1 | Update-SsoCredential -Force -PassThru -Quiet | ForEach-Object { "$($_.Environment) $($_.RoleName)" }'
            'Get-SsoProfile my Account1 | Use-SsoCredential 6>&1'
            '(Get-SsoProfile my Account1 | Get-SsoCredential -AsCredentialProcess | ConvertFrom-Json).AccountId'
        )
        $run.Sentences | Should -BeNullOrEmpty
        $run[0].Written | Should -Be 'my AWSReadOnlyAccess'
        $run[1].Written | Should -BeLike '*AWSReadOnlyAccess'
        $run[2].Written | Should -Be 'my AWSReadOnlyAccess'
        $run[3].Written | Should -Be 'Acme AWSAdministratorAccess'
        $run[4].Said | Should -Match 'AWSReadOnlyAccess'
        $run[5].Written | Should -Be (Get-AccountId 1)
    }

    It 'does nothing where nothing came, and with an object from another process what it does with the object itself' {
        $userHome = New-User
        $run = Invoke-UserLine $userHome $service @(
            '@() | Update-SsoCredential -Force -Quiet'
            'Get-SsoProfile Acme | Where-Object ProfileName -eq Nobody | Remove-SsoProfile'
            '$null | Update-SsoCredential -Force -Quiet'
            '@() | Disconnect-SsoSession'
            '@() | Remove-SsoEnvironment -Force'
            '@() | Use-SsoCredential; @() | Open-SsoConsole -PassThru -NoBrowser; Get-SsoProfile -InputObject @(); $none = $null; Update-SsoCredential -InputObject $none -Force -Quiet -PassThru'
            'Get-SsoProfile Acme Account1 | Export-Clixml p.xml; Import-Clixml p.xml | Update-SsoCredential -Quiet -PassThru | ForEach-Object ProfileName'
            'Import-Clixml p.xml | Remove-SsoEnvironment -Force; Import-Clixml p.xml | Select-Object Environment, ProfileName | Remove-SsoEnvironment -Force'
            'Get-SsoProfile Acme Account1 | Select-Object Environment | Update-SsoCredential -Force'
            'Get-SsoProfile Acme Account1 | Select-Object Environment, ProfileName | Disconnect-SsoSession'
            '[pscustomobject] @{ Environment = "Acme"; ProfileName = $null } | Get-SsoProfile'
            '1 | Get-SsoProfile; @{ Environment = "Acme" } | Get-SsoProfile'
        )
        $run[0..5].Sentences | Should -BeNullOrEmpty
        $run[0..5].Written | Should -BeNullOrEmpty
        $run[6].Written | Should -Be 'Account1'
        (Get-Credential $userHome).Keys | Should -Be 'Account1'
        foreach ($refused in $run[7..11]) {
            $refused.Ids | Select-Object -Unique | Should -BeIn 'InputNotAccepted', 'ParameterArgumentValidationError', 'ParameterArgumentValidationErrorNullNotAllowed' -Because $refused.Line
            $refused.Written | Should -BeNullOrEmpty -Because $refused.Line
        }
        (Invoke-UserLine $userHome $service '(Get-SsoEnvironment Acme).Profiles.Count', '(Get-SsoSession Acme).State').Written | Should -Be 3, 'Active'
    }

    It 'reports what it has no profile for' {
        $run = Invoke-UserLine (New-User) $service @(
            'Get-SsoAccount Acme Account4 | Get-SsoProfile'
            'Get-SsoAccount Acme Account4 | Update-SsoCredential -Force'
            'Get-SsoRole Acme Account1 -Role AWSReadOnlyAccess | Open-SsoConsole -NoBrowser'
            'Get-SsoRole Acme Account1 -Role AWSReadOnlyAccess | Use-SsoCredential'
            'Get-SsoAccount Acme | Use-SsoCredential'
            '"Nobody" | Use-SsoCredential'
            'Get-SsoProfile Acme | Use-SsoCredential Account1'
            'Get-SsoProfile Acme | Get-SsoProfile Odd'
            '"Odd" | Get-SsoProfile Acme'
        )
        $run[0].Said | Should -Match "No profile of Acme is for account $(Get-AccountId 4) \(Account4\)"
        $run[0].Ids | Should -BeNullOrEmpty
        $run[1].Ids | Should -Be 'ProfileNotFound'
        $run[2].Sentences | Should -Match "AWSReadOnlyAccess in account $(Get-AccountId 1)"
        $run[3].Ids | Should -Be 'ProfileNotFound'
        $run[4].Ids | Should -Contain 'ProfileNotFound'
        $run[5].Ids | Should -Be 'ProfileNotFound'
        $run[6].Ids | Should -Be 'InputNotAccepted'
        $run[7].Ids | Should -Be 'InputNotAccepted'
        $run[8].Ids | Should -Be 'InputNotAccepted'
        $run.Written | Should -BeNullOrEmpty
    }
}
