# How a user makes, sees and removes environments. Every test has a fresh PowerShell and a home folder of its own.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force

    # Runs the script in a fresh PowerShell. It sees $new, the settings that a new environment needs, for splatting.
    function Invoke-Fresh([string] $Script) {
        Invoke-UserRunspace $userHome $null "`$new = @{ StartUrl = 'https://d-12345abcde.awsapps.com/start/'; Region = 'us-west-2' }`n$Script"
    }

    $made = @'
[environment Acme]
sso_start_url = https://d-12345abcde.awsapps.com/start/
sso_region = us-west-2
default_role_name = AWSAdministratorAccess

[environment Acme profile Account1]
sso_account_id = 012345678901

[environment Acme profile Account2]
sso_account_id = 123456789012
sso_role_name = AWSReadOnlyAccess

'@.Replace("`r`n", "`n")

    function Set-Stored([string] $Text) {
        $null = New-Item -ItemType Directory (Split-Path $stored) -Force
        [IO.File]::WriteAllText($stored, $Text)
    }

    function Get-Stored {
        [IO.File]::ReadAllText($stored)
    }
}

Describe 'Environments' {
    BeforeEach {
        $userHome = New-UserHome
        $stored = [IO.Path]::Combine($userHome, '.aws', 'sso-environments')
    }

    AfterAll {
        Clear-StandIn
    }

    Context 'A region that AWS does not have' {
        It 'is warned of once, with the nearest ones, and stored all the same' {
            $run = Invoke-Fresh @'
                Set-SsoEnvironment -Name Acme -StartUrl $new.StartUrl -Region us-west2 -WarningVariable stored 3> $null
                Set-SsoEnvironment -Name Acme -DefaultRoleName AWSReadOnlyAccess -WarningVariable unchanged 3> $null
                Set-SsoEnvironment -Name Acme -Region us-west-2 -WarningVariable right 3> $null
                Export-SsoEnvironment Acme -Path ~/team.json
                (Get-Content -Raw ~/team.json).Replace('us-west-2', 'us-east-9') | Set-Content ~/team.json
                Import-SsoEnvironment ~/team.json -Force -WarningVariable imported 3> $null
                Update-SsoCredential Acme -Region eu-central1 -WhatIf -WarningVariable adHoc 3> $null
                Update-SsoCredential Acme -Region eu-central1 -WhatIf -WarningVariable again 3> $null
                $stored, $unchanged, $right, $imported, $adHoc, $again | ForEach-Object { "<$_>" }
                (Get-SsoEnvironment Acme).Region
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output[0] | Should -Be '<The region us-west2 is not in the list of AWS regions. Did you mean us-west-2, us-west-1 or us-east-2? Ignore this warning if it is a new region.>'
            $run.Output[1..2] | Should -Be '<>', '<>'
            $run.Output[3] | Should -Match '^<The region us-east-9 is not in the list of AWS regions\. Did you mean us-east-1, us-east-2 or [^?]*\?[^?]*>$'
            $run.Output[4] | Should -Match '^<The region eu-central1 is not [^?]*eu-central-1[^?]*\?[^?]*>$'
            $run.Output[5] | Should -Be '<>'
            $run.Output[6] | Should -Be 'us-east-9'
        }
    }

    Context 'Set-SsoEnvironment' {
        It 'makes an environment in an empty home folder, readable by its owner only' {
            $run = Invoke-Fresh @'
                Set-SsoEnvironment -Name Acme @new -DefaultRoleName AWSAdministratorAccess -Account @(
                    @{ Profile = 'Account1'; AccountId = '012345678901' }
                    @{ Profile = 'Account2'; AccountId = '123456789012'; RoleName = 'AWSReadOnlyAccess' }
                )
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -BeNullOrEmpty
            (Get-Stored).TrimEnd() | Should -BeExactly $made.TrimEnd()
            if (-not $IsWindows) {
                [Convert]::ToString([int] [IO.File]::GetUnixFileMode($stored), 8) | Should -Be '600'
                [Convert]::ToString([int] [IO.File]::GetUnixFileMode((Split-Path $stored)), 8) | Should -Be '700'
            }
        }

        It 'writes the environment with -PassThru, each profile with the role that counts' {
            $run = Invoke-Fresh @'
                Set-SsoEnvironment Acme @new -DefaultRoleName Admin -TokenCache Memory -PassThru -Account @(
                    @{ Profile = 'A'; AccountId = '012345678901' }, @{ Profile = 'B'; AccountId = '123456789012'; RoleName = 'Reader' }
                ) | ForEach-Object { "$($_.Name) $($_.StartUrl) $($_.Region) $($_.DefaultRoleName) $($_.TokenCache) $($_.Source)"; $_.Profiles | ForEach-Object { "$($_.Profile) $($_.AccountId) $($_.RoleName)" } }
'@
            $run.Output | Should -Be "Acme https://d-12345abcde.awsapps.com/start/ us-west-2 Admin Memory $stored", 'A 012345678901 Admin', 'B 123456789012 Reader'
        }

        It 'changes one setting and leaves all else to the byte, comments too' {
            Set-Stored "# mine`n$made`n; the end"
            $run = Invoke-Fresh 'Set-SsoEnvironment acme -Region eu-central-1'
            $run.Errors | Should -BeNullOrEmpty
            Get-Stored | Should -BeExactly "# mine`n$($made.Replace('us-west-2', 'eu-central-1'))`n; the end"
        }

        It 'replaces the table with -Account, and empties it where the table is empty' {
            Set-Stored $made
            $run = Invoke-Fresh @'
                $first = Set-SsoEnvironment Acme -PassThru -Account @{ Profile = 'Other'; AccountId = '111111111111'; RoleName = 'R' }
                $second = Set-SsoEnvironment Acme -PassThru -Account @()
                $first.Profiles.Profile -join ', '
                $second.Profiles.Count
                $second.DefaultRoleName
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -Be 'Other', 0, 'AWSAdministratorAccess'
        }

        It 'takes rows as <Name>' -ForEach @(
            @{ Name = "the script's own table, with its CredsExpiration"; Rows = "@(@{Profile = 'A'; AccountId = '012345678901'; RoleName = 'R'; CredsExpiration = 1700000000000}, @{Profile = 'B'; AccountId = '123456789012'; RoleName = 'R'})" }
            @{ Name = 'Import-Csv reads them'; Rows = "('Profile,AccountId,RoleName', 'A,012345678901,R', 'B,123456789012,R' | ConvertFrom-Csv)" }
            @{ Name = 'objects with ProfileName, in any case'; Rows = "@([pscustomobject]@{profilename = 'A'; ACCOUNTID = '012345678901'; rolename = 'R'}, [pscustomobject]@{profileName = 'B'; accountId = '123456789012'; roleName = 'R'})" }
            @{ Name = 'dictionaries of .NET, with an account id that is a number'; Rows = "@(@{profile = 'A'; AccountId = '012345678901'; RoleName = 'R'}, [ordered]@{Profile = 'B'; AccountId = 123456789012; RoleName = 'R'})" }
            @{ Name = 'what Get-SsoEnvironment gave'; Rows = "`$(`$null = Set-SsoEnvironment Temp @new -Account @{Profile = 'A'; AccountId = '012345678901'; RoleName = 'R'}, @{Profile = 'B'; AccountId = '123456789012'; RoleName = 'R'}; (Get-SsoEnvironment Temp).Profiles; Remove-SsoEnvironment Temp -Force)" }
        ) {
            $run = Invoke-Fresh "(Set-SsoEnvironment Acme @new -PassThru -Account $Rows).Profiles | ForEach-Object { `"`$(`$_.Profile) `$(`$_.AccountId) `$(`$_.RoleName)`" }"
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -Be 'A 012345678901 R', 'B 123456789012 R'
        }

        It 'takes an empty RoleName, as of a file with that column, for the default role' {
            $run = Invoke-Fresh "(Set-SsoEnvironment Acme @new -DefaultRoleName Admin -PassThru -Account ('Profile,AccountId,RoleName', 'A,012345678901,' | ConvertFrom-Csv)).Profiles.RoleName"
            $run.Output | Should -Be 'Admin'
        }

        It 'says with -Verbose which columns it does not use' {
            $run = Invoke-Fresh "Set-SsoEnvironment Acme @new -DefaultRoleName R -Verbose -Account @{ Profile = 'A'; AccountId = '012345678901'; Email = 'a@example.com'; CredsExpiration = 1 } 4>&1 | ForEach-Object Message"
            $run.Output -match 'Email' | Should -Be "Row 1 of -Account: 'Email' is not used."
            $run.Output -match 'CredsExpiration' | Should -BeNullOrEmpty
        }

        It 'takes http for a loopback address' {
            (Invoke-Fresh 'Set-SsoEnvironment Acme -StartUrl http://127.0.0.1:8080/start -Region us-west-2').Errors | Should -BeNullOrEmpty
            (Get-Stored) | Should -Match 'sso_start_url = http://127\.0\.0\.1:8080/start'
        }

        It 'keeps the file where AWS_SSO_ENVIRONMENTS_FILE says, set in the running PowerShell and relative to its folder' {
            $run = Invoke-Fresh @'
                $null = New-Item -ItemType Directory (Join-Path $HOME 'work')
                Set-Location (Join-Path $HOME 'work')
                $env:AWS_SSO_ENVIRONMENTS_FILE = 'mine.ini'
                Set-SsoEnvironment Acme @new
                (Get-SsoEnvironment).Source
'@
            $run.Output | Should -Be ([IO.Path]::Combine($userHome, 'work', 'mine.ini'))
            $stored | Should -Not -Exist
        }

        It 'shows with -WhatIf what it would set, and writes nothing' {
            $run = Invoke-Fresh 'Set-SsoEnvironment Acme @new -WhatIf -PassThru'
            $run.Text | Should -Match 'What if: .*Acme'
            $run.Output | Should -BeNullOrEmpty
            $run.Errors | Should -BeNullOrEmpty
            $stored | Should -Not -Exist
        }
    }

    Context 'Bad input of Set-SsoEnvironment' {
        It 'is refused with its place, and nothing is written: <Name>' -ForEach @(
            @{ Name = 'an account id of 11 digits'; Arguments = "Acme -Account @{ Profile = 'A'; AccountId = '12345678901' }"; Code = 'EnvironmentInvalid'; Message = 'Row 1.*12345678901' }
            @{ Name = 'an account id with a trailing blank'; Arguments = "Acme -Account @{ Profile = 'A'; AccountId = '012345678901' }, @{ Profile = 'B'; AccountId = '012345678901 ' }"; Code = 'EnvironmentInvalid'; Message = 'Row 2.*"012345678901 "' }
            @{ Name = 'an account id that lost its zero as a number'; Arguments = "Acme -Account @{ Profile = 'A'; AccountId = 012345678901 }"; Code = 'EnvironmentInvalid'; Message = 'Row 1.*12345678901' }
            @{ Name = 'a row without AccountId'; Arguments = "Acme -Account @{ Profile = 'A'; AccountId = '012345678901' }, @{ Profile = 'B' }"; Code = 'EnvironmentInvalid'; Message = "Row 2 .*'B'.* no AccountId" }
            @{ Name = 'a row without Profile'; Arguments = "Acme -Account @{ AccountId = '012345678901' }"; Code = 'EnvironmentInvalid'; Message = 'Row 1 .* no Profile\.' }
            @{ Name = 'a text for a row'; Arguments = "Acme -Account 'A'"; Code = 'EnvironmentInvalid'; Message = 'Row 1 .* no Profile and no AccountId' }
            @{ Name = 'one profile name twice'; Arguments = "Acme -Account @{ Profile = 'A'; AccountId = '012345678901' }, @{ Profile = 'A'; AccountId = '123456789012' }"; Code = 'ProfileNameConflict'; Category = 'InvalidArgument'; Target = 'A'; Message = 'row 1 .*row 2' }
            @{ Name = 'http to a host that is not loopback'; Arguments = 'Acme -StartUrl http://example.com/start'; Code = 'EnvironmentInvalid'; Message = 'http://example\.com/start' }
            @{ Name = 'a name with a blank'; Arguments = "'Ac me' -StartUrl https://example.com/start -Region us-west-2"; Target = 'Ac me'; Code = 'EnvironmentInvalid'; Message = 'Ac me' }
            @{ Name = 'a profile of another environment'; Arguments = "New -StartUrl https://example.com/start -Region us-west-2 -DefaultRoleName R -Account @{ Profile = 'A'; AccountId = '012345678901' }, @{ Profile = 'Account1'; AccountId = '012345678901' }"; Target = 'New'; Code = 'EnvironmentInvalid'; Message = '^Row 2 of -Account: the profile Account1 already belongs to the environment Acme; ' }
            @{ Name = 'a row without a role in an environment without a default'; Arguments = "New -StartUrl https://example.com/start -Region us-west-2 -Account @{ Profile = 'A'; AccountId = '012345678901' }"; Target = 'New'; Code = 'EnvironmentInvalid'; Message = '^Row 1 of -Account: the profile A has no role' }
            @{ Name = 'a new environment with neither start URL nor region'; Arguments = 'New'; Target = 'New'; Code = 'EnvironmentInvalid'; Message = 'needs -StartUrl and -Region\.' }
            @{ Name = 'a new environment without a start URL'; Arguments = 'New -Region us-west-2'; Target = 'New'; Code = 'EnvironmentInvalid'; Message = '-StartUrl' }
            @{ Name = 'a new environment without a region'; Arguments = 'New -StartUrl https://example.com/start'; Target = 'New'; Code = 'EnvironmentInvalid'; Message = '-Region' }
        ) {
            Set-Stored $made
            $run = Invoke-Fresh "Set-SsoEnvironment $Arguments; Set-SsoEnvironment $Arguments -WhatIf"
            $run.Output | Should -BeNullOrEmpty
            # Once for the attempt, and once for -WhatIf, which checks all the same.
            $run.Errors.Count | Should -Be 2
            foreach ($fault in $run.Errors) {
                $fault.Id | Should -Be "$Code,AwsSso.Commands.SetSsoEnvironmentCommand"
                $fault.Category | Should -Be $(if ($Category) { $Category } else { 'InvalidData' })
                $fault.Target | Should -Be $(if ($Target) { $Target } else { 'Acme' })
                $fault.Message | Should -Match $Message
                $fault.Action | Should -Not -BeNullOrEmpty
            }

            Get-Stored | Should -BeExactly $made
        }

        It 'in the file itself is told with its line' {
            Set-Stored $made.Replace('sso_region', 'sso_regoin')
            $run = Invoke-Fresh 'Set-SsoEnvironment Acme -Region us-west-2'
            $run.Errors[0].Id | Should -Be 'EnvironmentInvalid,AwsSso.Commands.SetSsoEnvironmentCommand'
            $run.Errors[0].Message | Should -Match 'line 3'
            Get-Stored | Should -BeExactly $made.Replace('sso_region', 'sso_regoin')
        }
    }

    Context 'A file with an error in one block' {
        BeforeEach {
            $beta = "[environment Beta]`nsso_start_url = https://example.com/start`nsso_regoin = us-east-1`n`n[environment Beta profile B]`nsso_account_id = 100000000000`nsso_role_name = R`n`n"
            Set-Stored ($beta + $made)
        }

        It 'affects that environment only: the others are listed and updated, and its line is reported' {
            $run = Invoke-Fresh '"$(Get-SsoEnvironment)"; "$(Get-SsoProfile Acme)"; Get-SsoEnvironment Beta; Update-SsoCredential -WhatIf'
            $run.Output | Should -Be 'Acme', 'Account1 Account2'
            $run.Text | Should -Match 'What if: .*Acme: Account1, Account2'
            $run.Errors.Count | Should -Be 3
            $run.Errors.Message | Should -Match 'sso-environments, line 3: the key sso_regoin'
            $run.Errors.Action | Should -Match 'Set-SsoEnvironment -Name Beta'
        }

        It 'does not keep a shell from a profile of another environment' {
            $run = Invoke-Fresh "Open-SsoConsole Account1 -NoBrowser -PassThru; Use-SsoCredential Account1 -NoLogin"
            $run.Output | Should -Match 'account_id=012345678901'
            # There is no session, and that is all that is wrong.
            $run.Errors.Id | Should -BeLike 'LoginRequired*'
            $missing = Invoke-Fresh 'Use-SsoCredential B'
            $missing.Errors.Id | Sort-Object | Should -Be 'EnvironmentInvalid,AwsSso.Commands.UseSsoCredentialCommand', 'ProfileNotFound,AwsSso.Commands.UseSsoCredentialCommand'
        }

        It 'is corrected by Set-SsoEnvironment with all values' {
            $run = Invoke-Fresh "Set-SsoEnvironment Beta @new; Set-SsoEnvironment Beta @new -Account @{ Profile = 'C'; AccountId = '100000000001'; RoleName = 'R' }; `"`$(Get-SsoEnvironment) `$(Get-SsoProfile Beta)`""
            $run.Errors.Message | Should -Match 'line 3'
            $run.Output | Should -Be 'Acme Beta C'
            Get-Stored | Should -Match ([regex]::Escape($made))
        }

        It 'is removed by Remove-SsoEnvironment' {
            $run = Invoke-Fresh 'Remove-SsoEnvironment Beta -Confirm:$false; "$(Get-SsoEnvironment)"'
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -Be 'Acme'
            Get-Stored | Should -BeExactly $made
        }
    }

    It 'are read from a file that Windows PowerShell wrote with >' {
        $null = New-Item -ItemType Directory (Split-Path $stored)
        foreach ($encoding in 'unicode', 'bigendianunicode', 'utf8BOM') {
            $made | Out-File -Encoding $encoding $stored
            $run = Invoke-Fresh '"$(Get-SsoProfile Acme)"; Set-SsoEnvironment Acme -Region eu-west-1'
            $run.Errors | Should -BeNullOrEmpty -Because $encoding
            $run.Output | Should -Be 'Account1 Account2' -Because $encoding
            ([IO.File]::ReadAllBytes($stored))[0] | Should -Be ([byte][char]'[') -Because 'it is UTF-8 without a byte order mark now'
        }
    }

    Context 'Get-SsoEnvironment' {
        BeforeEach {
            Set-Stored ($made + "`n[environment Beta]`nsso_start_url = https://example.com/start`nsso_region = us-east-1`n")
        }

        It 'gives every environment, or those that are named in any case, once each' {
            $run = Invoke-Fresh @'
                "$(Get-SsoEnvironment)"
                "$(Get-SsoEnvironment ACME)"
                "$(Get-SsoEnvironment b*, beta, *)"
                "$('beta', 'a*' | Get-SsoEnvironment)"
                "$(Get-SsoEnvironment z*)"
                "$(@() | Get-SsoEnvironment)"
'@
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -Be 'Acme Beta', 'Acme', 'Beta Acme', 'Beta Acme', '', ''
        }

        It 'gives what there is and one error for each name that there is not, with those that exist' {
            $run = Invoke-Fresh '"$(Get-SsoEnvironment Gamma, Acme)"'
            $run.Output | Should -Be 'Acme'
            $run.Errors.Count | Should -Be 1
            $run.Errors[0].Id | Should -Be 'EnvironmentNotFound,AwsSso.Commands.GetSsoEnvironmentCommand'
            $run.Errors[0].Category | Should -Be 'ObjectNotFound'
            $run.Errors[0].Target | Should -Be 'Gamma'
            "$($run.Errors[0].Message) $($run.Errors[0].Action)" | Should -Match 'Acme, Beta.*Set-SsoEnvironment'
        }

        It 'shows a table' {
            $run = Invoke-Fresh 'Get-SsoEnvironment | Out-String -Width 160'
            $run.Output[0] | Should -Match 'Name +Profiles +Region +StartUrl +From'
            $run.Output[0] | Should -Match 'Acme +2 +us-west-2 +https://d-12345abcde\.awsapps\.com/start/ +sso-environments'
        }
    }

    Context 'Remove-SsoEnvironment' {
        BeforeEach {
            Set-Stored ("[environment Beta]`nsso_start_url = https://example.com/start`nsso_region = us-east-1`n`n" + $made)
        }

        It 'removes the environments that it is given, and the profiles of each' {
            $run = Invoke-Fresh 'Get-SsoEnvironment a* | Remove-SsoEnvironment -Force; "$(Get-SsoEnvironment)"'
            $run.Errors | Should -BeNullOrEmpty
            $run.Output | Should -Be 'Beta'
            Get-Stored | Should -Not -Match 'Acme|Account'
        }

        It 'leaves the credentials of its profiles' {
            $credentials = Join-Path (Split-Path $stored) 'credentials'
            [IO.File]::WriteAllText($credentials, "[Account1]`naws_access_key_id = AKIAEXAMPLE`n")
            (Invoke-Fresh 'Remove-SsoEnvironment Acme -Force').Errors | Should -BeNullOrEmpty
            [IO.File]::ReadAllText($credentials) | Should -BeExactly "[Account1]`naws_access_key_id = AKIAEXAMPLE`n"
        }

        It 'writes nothing with -WhatIf, and tells of a name that there is not' {
            $before = Get-Stored
            $run = Invoke-Fresh "'Acme', 'Gamma' | Remove-SsoEnvironment -WhatIf"
            $run.Text | Should -Match 'What if: .*Acme'
            $run.Errors.Id | Should -Be 'EnvironmentNotFound,AwsSso.Commands.RemoveSsoEnvironmentCommand'
            Get-Stored | Should -BeExactly $before
        }
    }
}
