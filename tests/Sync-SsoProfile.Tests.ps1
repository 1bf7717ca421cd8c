# What a user gets from Get-SsoAccount, Get-SsoRole, Add-SsoProfile, Get-SsoProfile, Remove-SsoProfile and Sync-SsoProfile.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $start = 'Set-SsoEnvironment Acme -StartUrl https://d-12345abcde.awsapps.com/start/ -Region us-west-2'

    # A home folder with the empty environment Acme and a session.
    function New-LoggedInHome([object] $StandIn) {
        $path = New-UserHome
        $result = Invoke-UserRunspace $path $StandIn "$start; Connect-SsoSession Acme -NoBrowser"
        $result.Errors | Should -BeNullOrEmpty
        $path
    }

    $service = Start-StandIn '--accounts', '8', '--roles', '2', '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service
}

AfterAll {
    Clear-StandIn
}

Describe 'From an empty home folder' {
    It 'two commands lead from a start URL to the keys of 200 profiles' {
        $company = Start-StandIn '--accounts', '100', '--roles', '2', '--approve-after-polls', '0'
        $userHome = New-UserHome
        $result = Invoke-UserRunspace $userHome $company "$start -PassThru | Sync-SsoProfile -NoBrowser; Update-SsoCredential Acme"
        $result.Errors | Should -BeNullOrEmpty
        $result.Text | Should -Match 'Acme: 200 profiles added \(200 in all\)\. Next: Update-SsoCredential Acme'
        $result.Text | Should -Match 'Acme: 200 profiles fresh until '
        $credentials = Get-Credential $userHome
        $credentials.Count | Should -Be 200
        $credentials['Account17-AWSReadOnlyAccess'].aws_access_key_id | Should -Not -BeNullOrEmpty
        (Get-StandInStats $company).device_authorizations | Should -Be 1
    }
}

Describe 'Get-SsoAccount' {
    It 'lists by name, id and wildcards, and says which name no account has' {
        $result = Invoke-UserRunspace $loggedIn $service 'Get-SsoAccount -Environment acme -Name account2, 100000000003, *8, Nowhere'
        $result.Output.AccountName | Should -Be 'Account2', 'Account4', 'Account8'
        $result.Output[0].AccountId | Should -Be '100000000001'
        $result.Output[0].EmailAddress | Should -Match '@'
        $result.Errors.Id | Should -Be 'AccountNotFound,AwsSso.Commands.GetSsoAccountCommand'
        $result.Errors.Message | Should -Match "'Nowhere'"
    }

    It 'warns where no account is assigned' {
        $empty = Start-StandIn '--accounts', '0', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $empty
        $result = Invoke-UserRunspace $userHome $empty 'Get-SsoAccount Acme; Get-SsoRole Acme; Sync-SsoProfile Acme'
        $result.Output | Should -BeNullOrEmpty
        $result.Errors | Should -BeNullOrEmpty
        $result.Text | Should -Match 'WARNING: No account is assigned to you in Acme'
        $result.Text | Should -Match 'Acme: no changes \(0 profiles\)'
    }

    It 'shows accounts that have neither a name nor a mail address' {
        $odd = Start-StandIn '--accounts', '3', '--account-name', 'Acme "Prod" / EU', '--account-name', '', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $odd
        $result = Invoke-UserRunspace $userHome $odd @'
            Get-SsoAccount Acme | ForEach-Object { "$_" }
            Get-SsoRole Acme -Account 100000000001 -Role *ReadOnly* | Add-SsoProfile -PassThru -NameTemplate '{AccountName}/{Email}'
            Get-SsoRole Acme 'Acme "Prod" / EU' -Role *ReadOnly* | Add-SsoProfile -PassThru -NameTemplate '{AccountName:lower}'
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0..2] | Should -Be 'Acme "Prod" / EU', '100000000001', 'Account3'
        $result.Output[3..4].ProfileName | Should -Be '100000000001/100000000001', 'acme-prod-eu'
    }
}

Describe 'Get-SsoRole' {
    It 'lists the roles of accounts that are piped, without listing the accounts again' {
        $before = Get-RequestCount $service ListAccounts
        $result = Invoke-UserRunspace $loggedIn $service 'Get-SsoAccount Acme Account[12] | Get-SsoRole -Role *admin*'
        $result.Output | ForEach-Object { "$($_.AccountName) $($_.RoleName)" } | Should -Be 'Account1 AWSAdministratorAccess', 'Account2 AWSAdministratorAccess'
        Get-RequestCount $service ListAccounts | Should -Be ($before + 1)
    }

    It 'says which role and which account there is not' {
        $result = Invoke-UserRunspace $loggedIn $service 'Get-SsoRole Acme -Role Janitor; Get-SsoRole Acme Nowhere; Get-SsoRole Nowhere'
        $result.Errors.Id | Sort-Object | Should -Be @('AccountNotFound', 'EnvironmentNotFound', 'RoleNotAssigned' | ForEach-Object { "$_,AwsSso.Commands.GetSsoRoleCommand" })
    }

    It 'goes on with the other accounts where one is refused' {
        $broken = Start-StandIn '--accounts', '8', '--approve-after-polls', '0', '--fail', 'ListAccountRoles:1:403:ForbiddenException'
        $userHome = New-LoggedInHome $broken
        $result = Invoke-UserRunspace $userHome $broken 'Get-SsoRole Acme -ThrottleLimit 1; Sync-SsoProfile Acme -Quiet'
        $result.Output.Count | Should -Be 14
        $result.Errors.Id | Should -Be 'AccountNotFound,AwsSso.Commands.GetSsoRoleCommand'
        $result.Errors.Target | Should -Be '100000000000'
    }
}

Describe 'Add-SsoProfile' {
    BeforeEach {
        $userHome = New-UserHome $loggedIn
    }

    It 'adds what is new under the names of the template, and leaves what is there as it is' {
        $result = Invoke-UserRunspace $userHome $service @'
            Get-SsoRole Acme Account1 | Add-SsoProfile
            Get-SsoRole Acme Account[12] | Add-SsoProfile -NameTemplate '{Environment:lower}-{AccountId}-{RoleName}' -Prefix 'x-' -PassThru
            'done'
            Get-SsoProfile Acme
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0..1].ProfileName | Should -Be 'x-acme-100000000001-AWSAdministratorAccess', 'x-acme-100000000001-AWSReadOnlyAccess'
        $result.Output[3..6].ProfileName | Should -Be (@('Account1-AWSAdministratorAccess', 'Account1-AWSReadOnlyAccess') + $result.Output[0..1].ProfileName)
    }

    It 'shows both where two roles would get one name, and adds nothing' {
        $result = Invoke-UserRunspace $userHome $service 'Get-SsoRole Acme | Add-SsoProfile -NameTemplate "{RoleName}"; Get-SsoProfile Acme'
        $result.Output | Should -BeNullOrEmpty
        $result.Errors.Id | Should -Be 'ProfileNameConflict,AwsSso.Commands.AddSsoProfileCommand'
        $result.Errors.Message | Should -Match '100000000000 \(Account1\).*100000000001 \(Account2\)'
    }

    It 'says which field a template cannot have, and adds nothing' {
        $result = Invoke-UserRunspace $userHome $service 'Get-SsoRole Acme | Add-SsoProfile -NameTemplate "{AcountName}"; Get-SsoProfile Acme'
        $result.Output | Should -BeNullOrEmpty
        $result.Errors.Message | Should -Match 'contains \{AcountName\}, which is not a field'
        $result.Errors.Action | Should -Match '\{AccountName\}, \{AccountId\}'
    }

    It 'takes the rows of a table that somebody made, and asks where that is wanted' {
        $result = Invoke-UserRunspace $userHome $service @'
            $rows = [pscustomobject] @{ AccountId = '100000000000'; RoleName = 'Reader'; ProfileName = 'by-hand' }, [pscustomobject] @{ AccountId = '100000000001'; RoleName = 'Reader'; AccountName = 'Two' }
            $rows | Add-SsoProfile Acme -WhatIf
            $rows | Add-SsoProfile Acme -PassThru
            Add-SsoProfile Acme -AccountId 12 -RoleName Reader
'@
        $result.Output.ProfileName | Should -Be 'by-hand', 'Two-Reader'
        $result.Text | Should -Match 'What if: .*"by-hand \(Reader in account 100000000000\)"'
        $result.Errors.Id | Should -Be 'EnvironmentInvalid,AwsSso.Commands.AddSsoProfileCommand'
    }
}

Describe 'Remove-SsoProfile' {
    It 'takes out what is named or piped, leaves the keys, and says which name there is not' {
        $userHome = New-UserHome $loggedIn
        Add-Environment $userHome $service Beta -Count 3
        $result = Invoke-UserRunspace $userHome $service @'
            Update-SsoCredential Beta -NoBrowser
            Remove-SsoProfile Beta Account*, Nowhere -WhatIf
            Remove-SsoProfile -ProfileName Account1
            Get-SsoProfile Beta | Where-Object AccountId -eq 100000000001 | Remove-SsoProfile
            Get-SsoProfile Beta
'@
        $result.Output.ProfileName | Should -Be 'Account3'
        $result.Errors.Id | Should -Be 'ProfileNotFound,AwsSso.Commands.RemoveSsoProfileCommand'
        (Get-Credential $userHome).Keys | Sort-Object | Should -Be 'Account1', 'Account2', 'Account3'
    }
}

Describe 'Sync-SsoProfile' {
    It 'gives each account one profile, for the first role of the order, and tells of accounts with none' {
        $mixed = Start-StandIn '--accounts', '4', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $mixed
        $result = Invoke-UserRunspace $userHome $mixed @'
            Sync-SsoProfile Acme -Role Janitor, *ReadOnly* -NameTemplate '{AccountName:lower}' -PassThru
            Sync-SsoProfile Acme -Role Janitor -Account Account1
            Sync-SsoProfile Acme -Role *ReadOnly*
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output.ProfileName | Should -Be 'account1', 'account2', 'account3', 'account4'
        $result.Output.RoleName | Select-Object -Unique | Should -Be 'AWSReadOnlyAccess'
        $result.Text | Should -Match 'WARNING: Acme: none of the roles Janitor is assigned to you in Account1;'
        $result.Text | Should -Match 'Acme: no changes \(4 profiles\)'
    }

    It 'removes with -Prune what is gone, and only what the user agrees to' {
        $userHome = New-UserHome $loggedIn
        $result = Invoke-UserRunspace $userHome $service @'
            Sync-SsoProfile Acme -Role *ReadOnly* -Quiet
            Add-SsoProfile Acme -AccountId 100000000002 -RoleName Janitor -ProfileName gone-role
            Add-SsoProfile Acme -AccountId 999999999999 -RoleName Janitor -ProfileName gone-account
            Sync-SsoProfile Acme -Role *ReadOnly* -Prune -WhatIf
            Sync-SsoProfile Acme -Role *ReadOnly* -Account Account1, Account2 -Prune -Confirm:$false
            Sync-SsoProfile Acme -Account '' -Prune -Confirm:$false
            Get-SsoProfile Acme
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Text | Should -Match 'What if: .*"Acme: gone-role \(Janitor in account 100000000002 is no longer assigned to you\)"'
        $result.Text | Should -Match 'Acme: no changes \(10 profiles\)'
        $result.Text | Should -Match 'Acme: 2 profiles removed \(8 in all\)'
        $result.Output.Count | Should -Be 8
    }

    It 'asks before it removes, and not before it adds' {
        $userHome = New-UserHome $loggedIn
        $result = Invoke-UserPowerShell $userHome $service @'
            Add-SsoProfile Acme -AccountId 999999999999 -RoleName Janitor -ProfileName gone
            Sync-SsoProfile Acme -Prune
            @(Get-SsoProfile Acme).Count
'@
        # The standard input is at its end, so that nobody agrees.
        $result.Output | Should -Be 17
    }

    It 'removes nothing where a list has a hole in it' {
        $broken = Start-StandIn '--accounts', '8', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $broken
        $null = Invoke-UserRunspace $userHome $broken 'Sync-SsoProfile Acme -Quiet'
        Set-StandIn $broken @{ fail = @('ListAccountRoles:1:403:ForbiddenException') }
        $result = Invoke-UserRunspace $userHome $broken 'Sync-SsoProfile Acme -Prune -Confirm:$false; @(Get-SsoProfile Acme).Count'
        $result.Output | Should -Be 16
        $result.Text | Should -Match 'WARNING: Acme: nothing was removed, since not all roles could be listed'
        $result.Errors.Id | Should -Be 'AccountNotFound,AwsSso.Commands.SyncSsoProfileCommand'
    }

    It 'leaves the table as it is where the service is not there' {
        $userHome = New-UserHome $loggedIn
        $gone = [pscustomobject] @{ Url = 'http://127.0.0.1:9' }
        $before = Get-FileHash (Get-AwsPath $userHome sso-environments)
        $result = Invoke-UserRunspace $userHome $gone 'Sync-SsoProfile Acme -Prune -Confirm:$false -Timeout 10'
        $result.Errors.Id | Should -Be 'NetworkError,AwsSso.Commands.SyncSsoProfileCommand'
        (Get-FileHash (Get-AwsPath $userHome sso-environments)).Hash | Should -Be $before.Hash
    }
}

Describe 'The filters of Sync-SsoProfile' {
    It 'are stored when they are given, so that the next run needs none' {
        $company = Start-StandIn '--accounts', '6', '--account-name', 'Acme, Inc.', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $company
        $given = Invoke-UserRunspace $userHome $company @'
            Sync-SsoProfile Acme AWSReadOnlyAccess -Account 'Account[1-4]', 'Acme, Inc*' -Exclude Account2 -NameTemplate '{AccountName:lower}' -Prefix 'x-'
            (Get-SsoEnvironment Acme).Sync
'@
        $given.Errors | Should -BeNullOrEmpty
        $given.Text | Should -Match ([regex]::Escape("Acme: Sync-SsoProfile Acme without filters now means -Role AWSReadOnlyAccess -Account 'Account[1-4]', 'Acme, Inc*' -Exclude Account2 -NameTemplate '{AccountName:lower}' -Prefix x-"))
        $given.Output.Accounts | Should -Be 'Account[1-4]', 'Acme, Inc*'
        $next = Invoke-UserRunspace $userHome $company @'
            Remove-SsoProfile Acme x-account3
            Sync-SsoProfile Acme -PassThru
'@
        $next.Output.ProfileName | Should -Be 'x-account3'
        $next.Text | Should -Not -Match 'without filters'
        (Invoke-UserRunspace $userHome $company 'Get-SsoProfile Acme').Output.ProfileName | Should -Be 'x-acme-inc.', 'x-account4', 'x-account3'
    }

    It 'change one by one, and an empty value removes one' {
        $userHome = New-LoggedInHome $service
        $result = Invoke-UserRunspace $userHome $service @'
            Sync-SsoProfile Acme AWSReadOnlyAccess -Account Account1 -NameTemplate '{AccountName}'
            Sync-SsoProfile Acme -Account 'Account[12]'
            Sync-SsoProfile Acme -Role '' -Account '' -NameTemplate '' -Exclude 'Account[3-8]', '*Administrator*'
            Sync-SsoProfile Acme -Exclude ''
            $null -eq (Get-SsoEnvironment Acme).Sync
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Text | Should -Match "now means -Role AWSReadOnlyAccess -Account 'Account\[12\]' -NameTemplate '\{AccountName\}'"
        $result.Text | Should -Match "now means -Exclude 'Account\[3-8\]', '\*Administrator\*'"
        $result.Text | Should -Match 'Acme: Sync-SsoProfile Acme now has no stored filters'
        $result.Output[-1] | Should -BeTrue
        (Invoke-UserRunspace $userHome $service 'Get-SsoProfile Acme').Output.ProfileName | Should -Contain 'Account8-AWSAdministratorAccess'
    }

    It 'are not stored with -WhatIf, nor after an error' {
        $userHome = New-LoggedInHome $service
        $result = Invoke-UserRunspace $userHome $service @'
            Sync-SsoProfile Acme AWSReadOnlyAccess -WhatIf
            Sync-SsoProfile Acme -Account Nowhere
            Sync-SsoProfile Acme -NameTemplate '{Nothing}'
            Sync-SsoProfile Acme -NameTemplate 'same-{Environment}'
            $null -eq (Get-SsoEnvironment Acme).Sync
'@
        $result.Output[-1] | Should -BeTrue
        $result.Errors.Count | Should -Be 3
        Get-Content -Raw (Get-AwsPath $userHome sso-environments) | Should -Not -Match 'sync_|name_template'
    }

    It 'protect excluded accounts and roles from -Prune' {
        $company = Start-StandIn '--accounts', '3', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $company
        $null = Invoke-UserRunspace $userHome $company 'Sync-SsoProfile Acme -Quiet'
        $smaller = Start-StandIn '--accounts', '2', '--approve-after-polls', '0'
        $result = Invoke-UserRunspace $userHome $smaller 'Sync-SsoProfile Acme -Exclude 100000000002 -Prune -Confirm:$false -NoBrowser; (Get-SsoProfile Acme).Count'
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be 6
        $result = Invoke-UserRunspace $userHome $smaller 'Sync-SsoProfile Acme -Exclude "" -Prune -Confirm:$false; (Get-SsoProfile Acme).Count'
        $result.Output | Should -Be 4
    }

    It 'name profiles of Add-SsoProfile, too, and travel with an exported environment' {
        $userHome = New-LoggedInHome $service
        $result = Invoke-UserRunspace $userHome $service @'
            Sync-SsoProfile Acme AWSReadOnlyAccess -Account Account1 -Exclude 'a, b', 'Team #1' -NameTemplate '{AccountName}' -Prefix 'y-'
            Get-SsoRole Acme -Account Account2 -Role *ReadOnly* | Add-SsoProfile -PassThru
            foreach ($format in 'Ini', 'Json') {
                $path = if ($format -eq 'Json') { '~/team.json' } else { '~/team' }
                Export-SsoEnvironment Acme -Path $path -Format $format
                Remove-SsoEnvironment Acme -Force
                Import-SsoEnvironment $path
                (Get-SsoEnvironment Acme).Sync.Exclude
            }
'@
        $result.Errors | Should -BeNullOrEmpty
        $result.Output[0].ProfileName | Should -Be 'y-Account2'
        $result.Output[1..4] | Should -Be 'a, b', 'Team #1', 'a, b', 'Team #1'
        $result.Text | Should -Not -Match 'already stored'
    }

    It 'say which line of the file cannot be used' {
        $userHome = New-LoggedInHome $service
        $path = Get-AwsPath $userHome sso-environments
        Add-Content $path 'sync_accounts = [Prod*'
        $result = Invoke-UserRunspace $userHome $service 'Sync-SsoProfile Acme'
        $result.Errors.Message | Should -Match 'sso-environments, line 4: \[Prod\* is not a list such as \["Prod\*", "Test\*"\]'
    }
}
