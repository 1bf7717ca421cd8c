# What the Tab key completes, from local files and never from the network.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0', '--account-name', "Acme's `"Prod`" / EU", '--account-name', 'Dev [old] *', '--account-name', ''
    $userHome = New-UserHome
    $prepared = Invoke-UserRunspace $userHome $service @'
        Set-SsoEnvironment Acme -StartUrl https://d-12345abcde.awsapps.com/start/ -Region eu-south-2
        Set-SsoEnvironment Beta -StartUrl https://beta.awsapps.com/start/ -Region us-west-2
        Sync-SsoProfile Acme -NoBrowser -Quiet
        Add-SsoProfile Beta -AccountId 999999999999 -RoleName Janitor -ProfileName 'sand box $1'
        Add-SsoProfile Beta -AccountId 999999999998 -RoleName Janitor -ProfileName 012
'@

    # What Tab makes of lines that a user typed, all in one PowerShell: text, what the list shows and its tool tip.
    function Get-Completion([string[]] $Line, [object] $StandIn = $service) {
        $script = $Line | ForEach-Object {
            "`$line = @'`n$_`n'@; , @((TabExpansion2 `$line `$line.Length).CompletionMatches | ForEach-Object { [pscustomobject] @{ Text = `$_.CompletionText; List = `$_.ListItemText; Tip = `$_.ToolTip } })"
        }
        $result = Invoke-UserRunspace $userHome $StandIn ($script -join "`n")
        $result.Errors | Should -BeNullOrEmpty
        , $result.Output
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'The Tab key' {
    It 'has a home folder with all accounts and roles' {
        $prepared.Errors | Should -BeNullOrEmpty
    }

    It 'completes environments, with a description as the tooltip' {
        $answers = Get-Completion 'Update-SsoCredential -Environment ', 'Get-SsoEnvironment be', 'Sync-SsoProfile -Environment acm', 'Get-SsoRole Nowhere'
        $answers[0].Text | Should -Be 'Acme', 'Beta'
        $answers[0].Tip[0] | Should -Be 'https://d-12345abcde.awsapps.com/start/ in eu-south-2, 8 profiles'
        $answers[1].Text | Should -Be 'Beta'
        $answers[2].Text | Should -Be 'Acme'
        $answers[3] | Where-Object Tip -Match 'profiles' | Should -BeNullOrEmpty
    }

    It 'completes the profiles of the named environment, or of all, with quotes if needed' {
        $answers = Get-Completion 'Update-SsoCredential Beta -ProfileName ', 'Get-SsoCredential -ProfileName Account4', 'Remove-SsoProfile Beta "sand', 'Get-SsoProfile Acme -ProfileName Acme', 'Invoke-SsoCommand { aws s3 ls } -Environment Acme -ProfileName Account4'
        $answers[0].Text | Should -Be "'sand box `$1'", "'012'"
        $answers[0].List | Should -Be 'sand box $1', '012'
        $answers[0].Tip[0] | Should -Be 'Beta: Janitor in account 999999999999'
        $answers[1].Text | Should -Be 'Account4-AWSAdministratorAccess', 'Account4-AWSReadOnlyAccess'
        $answers[2].Text | Should -Be "'sand box `$1'"
        $answers[3].Text | Should -Be 'Acme-s-Prod-EU-AWSAdministratorAccess', 'Acme-s-Prod-EU-AWSReadOnlyAccess'
        $answers[4].Text | Should -Be $answers[1].Text
    }

    It 'completes accounts by name, or by ID after digits or without a name' {
        $answers = Get-Completion 'Get-SsoAccount Acme -Name ', 'Get-SsoRole Acme -Account 10000000000', 'Add-SsoProfile Acme -AccountId '
        $answers[0].Text | Should -Be "'Acme''s `"Prod`" / EU'", "'Dev ``[old``] ``*'", "'100000000002'", 'Account4'
        $answers[0].Tip[3] | Should -Match '^Acme: account 100000000003 \S+@\S+$'
        $answers[1].Text | Should -Be @(0..3 | ForEach-Object { "'10000000000$_'" })
        $answers[2].Text | Should -Be $answers[1].Text
    }

    It 'gives arguments that find what was completed' {
        $names = (Get-Completion 'Get-SsoAccount Acme -Name ')[0].Text
        $result = Invoke-UserRunspace $userHome $service ($names | ForEach-Object { "(Get-SsoAccount Acme -Name $_).AccountId" } | Out-String)
        $result.Errors | Should -BeNullOrEmpty
        $result.Output | Should -Be @(0..3 | ForEach-Object { "10000000000$_" })
    }

    It 'completes the roles that were listed and the roles of profiles' {
        $before = Get-RequestCount $service
        $answers = Get-Completion 'Sync-SsoProfile Acme -Role ', 'Get-SsoRole Acme -Account Account4 -Role AWSR', 'Set-SsoEnvironment Beta -DefaultRoleName jan'
        $answers[0].Text | Should -Be 'AWSAdministratorAccess', 'AWSReadOnlyAccess'
        $answers[0].Tip[0] | Should -Be 'in 4 accounts'
        $answers[1].Tip | Should -Be 'in account Account4'
        $answers[2].Text | Should -Be 'Janitor'
        Get-RequestCount $service | Should -Be $before
    }

    It 'completes the states of sessions and credentials in a condition' {
        $states = Get-Completion 'Get-SsoSession | Where-Object State -eq ', 'Get-SsoCredential | Where-Object State -eq '
        $states[0].Text | Should -Be 'Active', 'Refreshable', 'Ended', 'None'
        $states[1].Text | Should -Be 'Valid', 'Due', 'Expired', 'Missing', 'NotStored', 'OtherKeys', 'Blocked', 'CredentialProcess', 'SsoSession'
    }

    It 'completes what Export-SsoProfile takes: environments, their profiles, and the ways to get keys' {
        $answers = Get-Completion 'Export-SsoProfile ', 'Export-SsoProfile Beta ', 'Export-SsoProfile Acme -As ', 'Export-SsoProfile Acme -As cred', 'Get-SsoProfile Acme | Export-SsoProfile -ProfileName Account4-AWSR'
        $answers[0].Text | Should -Be 'Acme', 'Beta'
        $answers[1].Text | Should -Be "'sand box `$1'", "'012'"
        $answers[2].Text | Should -Be 'CredentialProcess', 'SsoSession'
        $answers[3].Text | Should -Be 'CredentialProcess'
        $answers[4].Text | Should -Be 'Account4-AWSReadOnlyAccess'
    }

    It 'completes regions, with those in use first' {
        $answers = Get-Completion 'Set-SsoEnvironment Gamma -Region ', 'Update-SsoCredential -Region eu-c'
        $answers[0].Text[0..2] | Should -Be 'eu-south-2', 'us-west-2', 'us-east-1'
        $answers[0].Tip[0] | Should -Be 'the region of Acme'
        $answers[1].Text | Should -Be 'eu-central-1', 'eu-central-2'
    }

    It 'completes names that contain the text if none starts with it' {
        (Get-Completion 'Get-SsoProfile Acme -ProfileName Account4-', 'Get-SsoProfile -ProfileName readonly')[1].Count | Should -Be 4
    }

    It 'sends no request' {
        $before = Get-RequestCount $service
        $null = Get-Completion 'Get-SsoAccount Acme -Name ', 'Get-SsoRole Acme -Role ', 'Update-SsoCredential '
        Get-RequestCount $service | Should -Be $before
    }

    # Names as a shared file may have them: what PowerShell takes for a quote, what it expands, and what ends a command.
    It 'completes to the one argument that is meant, whatever is in a name and whatever quote was typed' {
        $hostile = New-UserHome
        $quotes = @("'", '"') + @(0x2018..0x201f + 0x2039, 0x203a, 0xab, 0xbb, 0x300c, 0x300d, 0x301d, 0xff02, 0xff07, 0xb4, 0x2032, 0x2033 | ForEach-Object { [string] [char] $_ })
        $others = @('`', '$', ';', '|', '&', '(', ')', '{', '}', '@', '#', ',', '<', '>', '%', '?', '*', '!', '=', '+', '~', '^', '\', '/', ':', '-', ' ', '.', '_') +
            @(0x2013, 0x2014, 0x2015, 0xa0, 0x3000, 0xfc, 0x4e2d | ForEach-Object { [string] [char] $_ })
        $names = @(
            foreach ($mark in $quotes + $others) { "prod${mark}a"; "prod$mark$mark; New-Item ran; echo ${mark}z"; "${mark}x" }
            foreach ($quote in $quotes) { "prod$quote`$(New-Item ran)${quote}y"; "prod`$(New-Item ran)`${x}@{a=1}${quote}y" }
            'prod $(New-Item ran)', 'prod`$(New-Item ran)', '--%', 'prod --%', '@prod', '$prod', '1', '0x1', '1kb', '~', '2>prod', 'prod`u{27}x', '-Force', '$null', '$true'
        ) | Where-Object { $_.Trim() -eq $_ } | Select-Object -Unique
        $text = "[environment Acme]`nsso_start_url = https://example.com/start`nsso_region = us-west-2`ndefault_role_name = R`n"
        foreach ($name in $names) { $text += "[environment Acme profile $name]`nsso_account_id = 100000000000`n" }
        Add-AwsText $hostile sso-environments $text

        $run = Invoke-UserRunspace $hostile $null @'
            $typographic = 0x2018, 0x2019, 0x201a, 0x201b, 0x201c, 0x201d, 0x201e | ForEach-Object { [string] [char] $_ }
            foreach ($start in 'Update-SsoCredential -ProfileName ', 'Use-SsoCredential ') {
                foreach ($quote in @('', "'", '"') + $typographic) {
                    foreach ($typed in '', 'prod') {
                        $line = "$start$quote$typed"
                        $answer = TabExpansion2 $line $line.Length
                        foreach ($match in $answer.CompletionMatches) {
                            $completed = $line.Remove($answer.ReplacementIndex, $answer.ReplacementLength).Insert($answer.ReplacementIndex, $match.CompletionText)
                            $errors = $null
                            $parsed = [Management.Automation.Language.Parser]::ParseInput($completed, [ref] $null, [ref] $errors)
                            $words = @($parsed.Find({ param($ast) $ast -is [Management.Automation.Language.CommandAst] }, $true).CommandElements)
                            # The same script with another constant in place of the argument: nothing else may be in it.
                            $isOne = $errors.Count -eq 0 -and $words[-1] -is [Management.Automation.Language.StringConstantExpressionAst] -and
                                $words[-1].Extent.Text -ceq $match.CompletionText -and $completed -ceq $start + $match.CompletionText -and $words.Count -eq @(-split $start).Count + 1
                            [pscustomobject] @{ Line = $completed; IsOne = $isOne; Argument = $words[-1].Value; State = "$start$quote"; Typed = $typed }
                        }
                    }
                }
            }
            @{ Known = @(Get-SsoProfile).ProfileName }
'@
        $run.Errors | Should -BeNullOrEmpty
        $known = ($run.Output | Where-Object { $_ -is [hashtable] }).Known
        $known | Should -HaveCount $names.Count
        $answers = @($run.Output | Where-Object { $_ -isnot [hashtable] })
        $answers | Where-Object { -not $_.IsOne } | ForEach-Object Line | Should -BeNullOrEmpty
        # One cmdlet takes wildcards, the other a name as it is. Each has all names to offer in every quoting state.
        foreach ($state in $answers | Where-Object Typed -EQ '' | Group-Object State) {
            $meant = $state.Group.Argument | ForEach-Object { if ($state.Name -like 'Update*') { [WildcardPattern]::Unescape($_) } else { $_ } }
            Compare-Object ($meant | Sort-Object -CaseSensitive) ($known | Sort-Object -CaseSensitive) -CaseSensitive | Should -BeNullOrEmpty -Because $state.Name
        }

        @($answers | Where-Object Typed -EQ '' | Group-Object State) | Should -HaveCount 20
    }

    It 'completes nothing and reports no error if a file cannot be read' {
        $userHome = New-UserHome
        Add-AwsText $userHome sso-environments "[environment Acme]`nsso_start_url = https://d-12345abcde.awsapps.com/start/`nsso_region = us-west-2`n"
        @((Get-Completion 'Update-SsoCredential -Environment ')[0]).Tip | Should -BeLike 'https://d-12345abcde.awsapps.com/start/ *'
        Add-AwsText $userHome sso-environments "[environment`n"
        $answers = Get-Completion 'Update-SsoCredential -Environment ', 'Get-SsoAccount -Name '
        $answers | ForEach-Object { $_ } | Where-Object { $_.Text -eq 'Acme' -or $_.Tip -match 'awsapps|environment' } | Should -BeNullOrEmpty
    }
}
