# Copies of the published script become environments; scripts/ has real-looking ones.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $scripts = Join-Path $PSScriptRoot 'scripts'

    # Runs a script in a new home folder, or in one that is there, and gives what it wrote, with what is stored then.
    function Invoke-Import([string] $Script, [string] $UserHome = (New-UserHome)) {
        $run = Invoke-UserRunspace $UserHome $null "Set-Location '$($scripts.Replace("'", "''"))'`n$Script"
        $path = Get-AwsPath $UserHome sso-environments
        $run | Add-Member Stored $(if (Test-Path $path) { [IO.File]::ReadAllText($path) } else { '' }) -PassThru
    }

    # The rows of an environment as text, each with the role that counts.
    function Get-Row([object] $Environment) { $Environment.Profiles | ForEach-Object { "$($_.Profile)=$($_.AccountId)=$($_.RoleName)" } }
}

AfterAll {
    Clear-StandIn
}

Describe 'Import-SsoEnvironment' {
    It 'stores the environment of a script as it is published, and never runs it' {
        $run = Invoke-Import 'Import-SsoEnvironment Acme.ps1 -PassThru'
        $run.Errors | Should -BeNullOrEmpty
        $acme = $run.Output[0]
        "$($acme.Name) $($acme.StartUrl) $($acme.Region) $($acme.DefaultRoleName)" | Should -Be 'Acme https://d-12345abcde.awsapps.com/start/ us-west-2 AWSAdministratorAccess'
        Get-Row $acme | Should -Be 'Account1=100000000000=AWSAdministratorAccess', 'Account2=100000000001=AWSReadOnlyAccess'
        $run.Stored | Should -Match '\[environment Acme profile Account2\]'
        @($run.Text -split "`n" -match 'Acme\.ps1, line 6: the blanks around the account id 100000000000 were removed').Count | Should -Be 1
    }

    It 'reads <Name>' -ForEach @(
        @{ Name = 'objects in place of hashtables, without commas'; File = 'CustomObjects'; Rows = 'Dev=100000000000=AWSAdministratorAccess', 'Test=100000000001=AWSReadOnlyAccess', 'Prod=100000000002=AWSAdministratorAccess' }
        @{ Name = 'a table that is added to row by row'; File = 'AddedRows'; Rows = 'First=100000000000=AWSAdministratorAccess', 'Second=100000000001=AWSAdministratorAccess', 'Third=100000000002=AWSAdministratorAccess' }
        @{ Name = 'several rows on a line, keys in small letters, a role for one only'; File = 'OneLine'; Rows = 'A=100000000000=AWSAdministratorAccess', 'B=100000000001=AWSAdministratorAccess', 'C c=100000000002=AWSReadOnlyAccess' }
        @{ Name = 'values without quotes, and leading zeros'; File = 'NoQuotes'; Rows = 'Account1=012345678901=AWSReadOnlyAccess', 'Account2=123456789012=AWSAdministratorAccess' }
        @{ Name = 'constant variables, alone and within text'; File = 'Variables'; Rows = 'acme-dev=100000000000=AWSReadOnlyAccess', "acme-it's=100000000001=AWSAdministratorAccess", 'acme-prod=100000000002=AWSReadOnlyAccess' }
    ) {
        $run = Invoke-Import "Import-SsoEnvironment $File.ps1 -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        Get-Row $run.Output[0] | Should -Be $Rows
    }

    It 'refuses <Name>, says where, and stores nothing' -ForEach @(
        @{ Name = 'what is not constant'; File = 'NotConstant.ps1'; Says = "NotConstant.ps1, line 4, column 42: '(Get-Content accounts.txt)?1?' is not constant*" }
        @{ Name = 'placeholders that are left in'; File = 'Placeholders.ps1'; Says = "*line 4, column *: it still has placeholders in angle brackets: '<Account2>' (line 4), '<123456789012 >' (line 4), '<AWSReadOnlyAccess>' (line 4)." }
        @{ Name = 'two tables'; File = 'TwoTables.ps1'; Says = '*TwoTables.ps1, line 3, column 1: a second table, $Others, begins there*' }
        @{ Name = 'errors of syntax'; File = 'Broken.ps1'; Says = '*Broken.ps1, line *, column *: PowerShell cannot read it: *' }
        @{ Name = 'a file without a table'; File = 'NoTable.ps1'; Says = '*NoTable.ps1 has no table of accounts*' }
        @{ Name = 'two megabytes of other PowerShell'; File = 'Large.ps1'; Says = '*Large.ps1 has no table of accounts*' }
        @{ Name = 'a file that is no text'; File = 'Binary.ps1'; Says = '*Binary.ps1 is UTF-16 text without a byte order mark, or no text, which cannot be read.' }
        @{ Name = 'a file that is not there'; File = 'Missing.ps1'; Says = '*Missing.ps1* could not be read: *'; Id = 'ReadFailed' }
        @{ Name = 'an account id that is none'; File = 'WrongId.ps1'; Says = '*12 digits*'; Id = 'EnvironmentInvalid' }
        @{ Name = 'a row without an account'; File = 'NoAccount.ps1'; Says = '*NoAccount.ps1, line 2, column *: the row there has no AccountId.' }
        @{ Name = 'a table without a start URL'; File = 'NoStartUrl.ps1'; Says = '*NoStartUrl.ps1 has a table but no start URL.' }
    ) {
        $folder = New-TestFolder
        Copy-Item (Join-Path $scripts *.ps1) $folder
        [IO.File]::WriteAllText("$folder/Large.ps1", "`$x = @{ Name = 'a'; Value = 1 }; Get-Item `$x.Name`n" * 40000)
        [IO.File]::WriteAllBytes("$folder/Binary.ps1", [byte[]] (0..255))
        $parameters = "param(`$DefaultRoleName = 'R', `$Region = 'us-west-2', `$StartUrl = 'https://d-12345abcde.awsapps.com/start/', `$EnvironmentName = 'Acme')`n"
        [IO.File]::WriteAllText("$folder/WrongId.ps1", "$parameters`$t = @(@{ Profile = 'A'; AccountId = '1234' })")
        [IO.File]::WriteAllText("$folder/NoAccount.ps1", "$parameters`$t = @(@{ Profile = 'A'; RoleName = 'R' })")
        [IO.File]::WriteAllText("$folder/NoStartUrl.ps1", "`$EnvironmentName = 'A'; `$Region = 'us-west-2'`n`$t = @(@{ Profile = 'A'; AccountId = '100000000000'; RoleName = 'R' })")
        $run = Invoke-Import "Import-SsoEnvironment '$folder/$File' -Force"
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].Id | Should -Be "$($_['Id'] ?? 'ScriptInvalid'),AwsSso.Commands.ImportSsoEnvironmentCommand"
        $run.Errors[0].Message | Should -BeLike "*$Says"
        $run.Errors[0].Action | Should -Not -BeNullOrEmpty
        $run.Stored | Should -Be ''
    }

    Context 'with an environment that is stored already' {
        BeforeAll {
            $own = New-UserHome
            $first = Invoke-Import 'Import-SsoEnvironment Acme.ps1 3> $null' $own
            $again = Invoke-Import 'Import-SsoEnvironment Acme.ps1 -PassThru 3> $null' $own
            $changed = Join-Path (New-TestFolder) Changed.ps1
            $text = [IO.File]::ReadAllText((Join-Path $scripts Acme.ps1))
            [IO.File]::WriteAllText($changed, $text.Replace('us-west-2', 'eu-central-1').Replace('"Account1"', '"Account9"').Replace('100000000001', '100000000005'))
            $refused = Invoke-Import "Import-SsoEnvironment '$changed' 3> `$null" $own
            $shown = Invoke-Import "Import-SsoEnvironment '$changed' -WhatIf 3> `$null" $own
            $renamed = Invoke-Import "Import-SsoEnvironment CustomObjects.ps1 -Name Beta -PassThru" $own
            $forced = Invoke-Import "Import-SsoEnvironment '$changed' -Force -PassThru 3> `$null" $own
        }

        It 'has nothing to do where it is the same' {
            $again.Errors | Should -BeNullOrEmpty
            $again.Output[0].Name | Should -Be 'Acme'
            $again.Stored | Should -Be $first.Stored
        }

        It 'refuses one that differs without -Force, with the difference' {
            $refused.Errors.Id | Should -Be 'EnvironmentExists,AwsSso.Commands.ImportSsoEnvironmentCommand'
            $refused.Errors[0].Message | Should -BeLike '*region eu-central-1 instead of us-west-2; new: Account9; gone: Account1; account of Account2 100000000005 instead of 100000000001.'
            $refused.Errors[0].Action | Should -Match '-Force'
            $refused.Stored | Should -Be $first.Stored
        }

        It 'shows the difference with -WhatIf, and changes nothing' {
            $shown.Errors | Should -BeNullOrEmpty
            $shown.Text | Should -Match 'What if: .*Replace SSO environment.*Acme: region eu-central-1 instead of us-west-2; new: Account9'
            $shown.Stored | Should -Be $first.Stored
        }

        It 'takes another name with -Name' {
            $renamed.Errors | Should -BeNullOrEmpty
            $renamed.Output[0].Name | Should -Be 'Beta'
        }

        It 'replaces it with -Force' {
            $forced.Errors | Should -BeNullOrEmpty
            $forced.Output[0].Region | Should -Be 'eu-central-1'
            Get-Row $forced.Output[0] | Should -Be 'Account2=100000000005=AWSReadOnlyAccess', 'Account9=100000000000=AWSAdministratorAccess'
            $forced.Stored | Should -Match '\[environment Beta\]'
        }
    }

    It 'takes folders, wildcards and the pipeline, and one bad file keeps no other from it' {
        foreach ($words in "Import-SsoEnvironment . -PassThru", "Import-SsoEnvironment *.ps1 -PassThru", "Get-ChildItem *.ps1 | Import-SsoEnvironment -PassThru", "(Get-ChildItem *.ps1).FullName | Import-SsoEnvironment -PassThru") {
            $run = Invoke-Import "$words 3> `$null"
            # Profiles of one name belong to one environment only, so what comes later in the alphabet is refused.
            $run.Output.Name | Should -Be 'Acme', 'Added', 'Objects', 'Line', 'Variables' -Because $words
            $run.Errors.Id | ForEach-Object { $_ -replace ',.*' } | Sort-Object -Unique | Should -Be 'EnvironmentInvalid', 'ScriptInvalid' -Because $words
        }
    }

    It 'names the file and the record of what cannot be stored, and the line of a bad block beside which the others are imported' {
        $folder = New-TestFolder
        [IO.File]::WriteAllText("$folder/team.json", '[{"Name":"One","StartUrl":"https://example.com/start","Region":"us-west-2","Profiles":[{"Profile":"A","AccountId":"100000000000","RoleName":"R"}]},{"Name":"Two","StartUrl":"https://example.com/start","Region":"us-west-2","Profiles":[{"Profile":"B","AccountId":"100000000001","RoleName":"R"},{"Profile":"A","AccountId":"100000000000","RoleName":"R"}]}]')
        "[environment Bad]`nsso_start_url = https://example.com/start`n[environment Good]`nsso_start_url = https://example.com/start`nsso_region = us-west-2`n" | Out-File -Encoding unicode "$folder/team.ini"
        $run = Invoke-Import "Import-SsoEnvironment '$folder/team.json', '$folder/team.ini' -PassThru"
        $run.Output.Name | Should -Be 'One', 'Good'
        $run.Errors.Count | Should -Be 2
        $run.Errors.Message -like '*team.json, record 2 of the environment Two: the profile A already belongs to the environment One; *' | Should -HaveCount 1
        $run.Errors.Message -like '*team.ini, line 1: the environment Bad needs sso_region.' | Should -HaveCount 1
    }

    It 'reads a <Kind> in every encoding that programs of Windows write, or names the encoding, and loses no letter' -ForEach @(
        @{ Kind = 'script'; File = 'team.ps1'; Text = "param(`$DefaultRoleName = 'R', `$Region = 'us-west-2', `$StartUrl = 'https://example.com/start', `$EnvironmentName = 'Acme')`r`n# Z\u{fc}rich`r`n`$t = @(@{ Profile = 'Z\u{fc}rich'; AccountId = '100000000000' })`r`n" }
        @{ Kind = 'JSON file'; File = 'team.json'; Text = "{`"Name`":`"Acme`",`"StartUrl`":`"https://example.com/start`",`"Region`":`"us-west-2`",`r`n`"Profiles`":[`r`n{`"Profile`":`"Z\u{fc}rich`",`"AccountId`":`"100000000000`",`"RoleName`":`"R`"}]}" }
        @{ Kind = 'file of environments'; File = 'team.ini'; Text = "[environment Acme]`r`nsso_start_url = https://example.com/start`r`nsso_region = us-west-2`r`n[environment Acme profile Z\u{fc}rich]`r`nsso_account_id = 100000000000`r`nsso_role_name = R`r`n" }
    ) {
        $content = $Text.Replace('\u{fc}', [string] [char] 0xfc)
        $line = @($content.Substring(0, $content.IndexOf([char] 0xfc)) -split "`n").Count
        $folder = New-TestFolder
        $encodings = @(
            @{ Name = 'utf8'; Encoding = [Text.UTF8Encoding]::new($false); Says = $null }
            @{ Name = 'utf8 with a mark'; Encoding = [Text.UTF8Encoding]::new($true); Says = $null }
            @{ Name = 'utf16'; Encoding = [Text.UnicodeEncoding]::new($false, $true); Says = $null }
            @{ Name = 'utf16 big endian'; Encoding = [Text.UnicodeEncoding]::new($true, $true); Says = $null }
            @{ Name = 'utf16 without a mark'; Encoding = [Text.UnicodeEncoding]::new($false, $false); Says = 'UTF-16 text without a byte order mark, or no text' }
            @{ Name = 'utf16 big endian without a mark'; Encoding = [Text.UnicodeEncoding]::new($true, $false); Says = 'UTF-16 text without a byte order mark, or no text' }
            @{ Name = 'utf32'; Encoding = [Text.UTF32Encoding]::new($false, $true); Says = 'UTF-32 text' }
            @{ Name = 'ansi'; Encoding = [Text.Encoding]::Latin1; Says = "not UTF-8 text (line $line)" }
        )
        foreach ($one in $encodings) {
            $null = New-Item -ItemType Directory "$folder/$($one.Name)"
            [IO.File]::WriteAllText("$folder/$($one.Name)/$File", $content, $one.Encoding)
        }

        $run = Invoke-Import "Get-Item '$folder/*/$File' | ForEach-Object { `$Error.Clear(); `$found = Import-SsoEnvironment `$_ -Force -PassThru -ErrorAction SilentlyContinue; [pscustomobject] @{ Name = `$_.Directory.Name; Profile = `$found.Profiles.Profile; Message = `"`$(`$Error[0])`"; Advice = `"`$(`$Error[0].ErrorDetails.RecommendedAction)`" } }"
        foreach ($one in $encodings) {
            $imported = $run.Output | Where-Object Name -EQ $one.Name
            if ($one.Says) {
                $imported.Profile | Should -BeNullOrEmpty -Because $one.Name
                $imported.Message | Should -BeLike "*$File is $($one.Says), which cannot be read." -Because $one.Name
                $imported.Advice | Should -Be 'Save the file as UTF-8, then run the command again.' -Because $one.Name
            }
            else {
                $imported.Profile | Should -Be "Z$([char] 0xfc)rich" -Because "$($one.Name): $($imported.Message)"
            }
        }

        $run.Stored | Should -Not -Match ([char] 0xfffd)
    }

    It 'names a half of a character in UTF-16' {
        $folder = New-TestFolder
        [IO.File]::WriteAllBytes("$folder/odd.ps1", [byte[]] (0xff, 0xfe, 0x24, 0, 0x61))
        [IO.File]::WriteAllBytes("$folder/half.json", [byte[]] (0xff, 0xfe, 0x3d, 0xd8, 0x20, 0))
        $run = Invoke-Import "Import-SsoEnvironment '$folder/odd.ps1'; Import-SsoEnvironment '$folder/half.json'"
        $run.Errors.Message | Should -HaveCount 2
        $run.Errors.Message | Should -Match 'is damaged UTF-16 text, which cannot be read\.$'
    }

    It 'replaces a stored environment with an error in the file only with -Force' {
        $userHome = New-UserHome
        $path = Get-AwsPath $userHome sso-environments
        $null = New-Item -ItemType Directory (Split-Path $path) -Force
        [IO.File]::WriteAllText($path, "[environment Objects]`nsso_start_url = https://example.com/start`n")
        $run = Invoke-Import "Import-SsoEnvironment CustomObjects.ps1; Import-SsoEnvironment CustomObjects.ps1 -Force -PassThru" $userHome
        $run.Errors.Count | Should -Be 1
        $run.Errors[0].Message | Should -BeLike '*sso-environments, line 1: the environment Objects needs sso_region.'
        $run.Errors[0].Action | Should -Match '-Force'
        $run.Output[0].Name | Should -Be 'Objects'
    }

    It 'gives -Name to one file only' {
        $run = Invoke-Import 'Import-SsoEnvironment CustomObjects.ps1, AddedRows.ps1 -Name Only -Force -PassThru'
        $run.Output.Name | Should -Be 'Only'
        $run.Errors.Id | Should -Be 'EnvironmentExists,AwsSso.Commands.ImportSsoEnvironmentCommand'
    }
}

Describe 'A file of somebody else' {
    BeforeAll {
        $folder = New-TestFolder
        $parameters = "param(`$DefaultRoleName = 'R', `$Region = 'us-west-2', `$StartUrl = 'https://example.com/start', `$EnvironmentName = 'Acme')`n"
        $table = "`n`$t = @(@{ Profile = 'A'; AccountId = '100000000000' })"
        $doubled = (1..40 | ForEach-Object { "`$v$_ = `"`$v$($_ - 1)`$v$($_ - 1)`"" }) -join "`n"
        $lists = (1..40 | ForEach-Object { "`$v$_ = `$v$($_ - 1) + `$v$($_ - 1)" }) -join "`n"

        # Imports files by name, all in one PowerShell, each into the same empty home folder, and gives what became of each.
        function Import-All([Collections.IDictionary] $Text, [string] $More = '') {
            $place = New-TestFolder
            foreach ($name in $Text.Keys) { [IO.File]::WriteAllText("$place/$name", $Text[$name]) }
            $run = Invoke-Import @"
                foreach (`$name in '$($Text.Keys -join "', '")') {
                    `$found = `$null
                    `$null = Import-SsoEnvironment ('$place/' + `$name) -WhatIf -ErrorVariable found -ErrorAction SilentlyContinue
                    [pscustomobject] @{ Name = `$name; Id = "`$(`$found.FullyQualifiedErrorId)" -replace ',.*'; Message = "`$found" }
                }
                $More
"@
            $run.Stored | Should -Be ''
            $run.Output
        }

        # An environment as Export-SsoEnvironment writes it, with one thing changed.
        function Get-Json([string] $Old = 'none', [string] $New) {
            '{"Name":"Acme","StartUrl":"https://example.com/start","Region":"us-west-2","Profiles":[{"Profile":"A","AccountId":"100000000000","RoleName":"R"}]}'.Replace($Old, $New)
        }
    }

    It 'cannot end the shell with a script that PowerShell itself could not read' {
        $many = 200000
        $hostile = [ordered] @{
            'sum.ps1' = "`$x = " + "'a'+" * $many + "'a'"
            'lines.ps1' = "`$x = " + "'a' +`n" * $many + "'a'"
            'words.ps1' = "`$x = " + "'a' -join " * $many + "'a'"
            'commas.ps1' = "`$x = " + ',' * $many + '1'
            'signs.ps1' = "`$x = " + '- ' * $many + '1'
            'nots.ps1' = "`$x = " + '!' * $many + '1'
            'casts.ps1' = "`$x = " + '[int]' * $many + '1'
            'members.ps1' = "`$x = `$y" + '.a' * $many
            'indexes.ps1' = "`$x = `$y" + '[0]' * $many
            'calls.ps1' = "`$x = `$y" + '.a()' * $many
            'sets.ps1' = '$a=' * $many + '1'
            'chains.ps1' = 'a' + ' && a' * $many
            'brackets.ps1' = "`$x = " + '(' * $many + '1' + ')' * $many
            'open.ps1' = "`$x = " + '@(' * $many
            'blocks.ps1' = "`$x = " + '{' * $many + '}' * $many
            'tables.ps1' = "`$x = " + '@{a=' * $many + '1' + '}' * $many
            'strings.ps1' = "`$x = " + '"$(' * $many + '1' + ')"' * $many
            'hidden.ps1' = "`$x = 'a' # it's`n`$x = " + "'a'+" * $many + "'a'"
            'quotes.ps1' = "`$x = `u{2018}a`u{2019}`n`$x = `u{201c}a`u{201d} + " + "`u{201e}a`u{201c} + " * $many + "'a'"
            'here.ps1' = "`$x = @'`n' + `n'@`n`$x = " + "'a'+" * $many + "'a'"
            'comment.ps1' = "<# ' #> `$x = " + "'a'+" * $many + "'a' <# ' #>"
            'braced.ps1' = "`$x = `${a'b}; " + "`$x = " + "'a'+" * $many + "'a'"
            'used.ps1' = "`$t = @(@{ Profile = " + "'a'+" * 18000 + "'a'; AccountId = '100000000000' })"
        }
        foreach ($name in @($hostile.Keys)) { $hostile[$name] = $parameters + $hostile[$name] + $table }
        $answers = Import-All $hostile
        $answers | Should -HaveCount $hostile.Count
        foreach ($answer in $answers) {
            $answer.Id | Should -Be 'ScriptInvalid' -Because $answer.Name
            $answer.Message | Should -Match ', line \d+, column \d+: ' -Because $answer.Name
        }

        ($answers | Where-Object Name -EQ 'sum.ps1').Message | Should -BeLike '*sum.ps1, line 2, column *: it has more than 1000 nested brackets, or operators in one statement.'
    }

    It 'is read only as far as the table and the parameters need, and no value, table or file grows beyond its limit' {
        $answers = Import-All ([ordered] @{
            'unused.ps1' = "$parameters`$v0 = '0123456789'`n$doubled$table"
            'unusedList.ps1' = "$parameters`$v0 = @(1, 2)`n$lists$table"
            'value.ps1' = "$parameters`$v0 = '0123456789'`n$doubled`n`$t = @(@{ Profile = `"`$v40`"; AccountId = '100000000000' })"
            'written.ps1' = "$parameters`$t = @(@{ Profile = '$('a' * 70000)'; AccountId = '100000000000' })"
            'parameter.ps1' = $parameters.Replace("'us-west-2'", "'$('a' * 70000)'") + $table
            'rows.ps1' = "$parameters`$t = @($(1..10001 | ForEach-Object { "@{ Profile = 'A$_'; AccountId = '100000000000' }`n" }))"
            'added.ps1' = "$parameters`$t = @()`n" + (1..10001 | ForEach-Object { "`$t += @{ Profile = 'A$_'; AccountId = '100000000000' }`n" })
            'list.ps1' = "$parameters`$v0 = @('a', 'b')`n$lists`n`$t = @(@{ Profile = 'A'; AccountId = '100000000000' }) + `$v40"
            'texts.ps1' = "$parameters`$v = '$('a' * 60000)'`n`$t = @(" + (1..500 | ForEach-Object { '@{ Profile = "$v-' + $_ + "`"; AccountId = '100000000000' }`n" }) + ')'
            'self.ps1' = "$parameters`$v = 'a'`n" + "`$v = `"`$v`"`n" * 100000 + "`$t = @(@{ Profile = `$v; AccountId = '100000000000' })"
            'file.ps1' = "$parameters$table`n" + '#' * 5MB
            'file.json' = (Get-Json) + ' ' * 5MB
            'file.ini' = "[environment Acme]`nsso_start_url = https://example.com/start`nsso_region = us-west-2`n" + "#`n" * 3MB
            'deep.json' = Get-Json '"Profiles"' ('"X":' + '[' * 500000 + ']' * 500000 + ',"Profiles"')
            'value.json' = Get-Json 'us-west-2' ('a' * 70000)
            'rows.json' = Get-Json '{"Profile":"A"' ('{"Profile":"B","AccountId":"100000000000"},' * 10001 + '{"Profile":"A"')
        })
        $answers | Where-Object { -not $_.Id } | ForEach-Object Name | Should -Be 'unused.ps1', 'unusedList.ps1'
        $said = @{}
        $answers | ForEach-Object { $said[$_.Name] = $_.Message }
        foreach ($name in 'value.ps1', 'written.ps1', 'parameter.ps1') { $said[$name] | Should -BeLike '*, line *: a value is longer than 64 KB.' }
        foreach ($name in 'rows.ps1', 'added.ps1', 'list.ps1') { $said[$name] | Should -BeLike '*, line *: the table has more than 10000 rows.' }
        $said['texts.ps1'] | Should -BeLike '*, line *: its values are too large to be put together.'
        $said['self.ps1'] | Should -BeLike '*, line *: a value has more than 200 others within it.'
        foreach ($name in 'file.ps1', 'file.json', 'file.ini') { $said[$name] | Should -BeLike "*$name is larger than 4 MB." }
        foreach ($name in 'deep.json', 'value.json') { $said[$name] | Should -BeLike "*$name is not JSON as Export-SsoEnvironment writes it*" }
        $said['rows.json'] | Should -BeLike '*rows.json*more than 10000*'
    }

    It 'with null or another kind of value in JSON is an error that names the file and the record' {
        $answers = Import-All ([ordered] @{
            'row.json' = Get-Json '{"Profile"' 'null,{"Profile"'
            'second.json' = Get-Json '}]}' '},null]}'
            'name.json' = Get-Json '"Acme"' 'null'
            'url.json' = Get-Json '"https://example.com/start"' 'null'
            'region.json' = Get-Json '"us-west-2"' 'null'
            'profile.json' = Get-Json '"A"' 'null'
            'account.json' = Get-Json '"100000000000"' 'null'
            'environment.json' = "[$(Get-Json), null]"
            'none.json' = 'null'
            'text.json' = Get-Json '[{"Profile":"A","AccountId":"100000000000","RoleName":"R"}]' '"A"'
            'object.json' = Get-Json '"Acme"' '{"a":1}'
        })
        $answers.Id | Sort-Object -Unique | Should -Be 'EnvironmentInvalid'
        $answers.Message -replace '.*[\\/](?=\w+\.json)' | Select-Object -First 9 | Should -Be @(
            'row.json, record 1 of the environment Acme: it is null, and not a profile.'
            'second.json, record 2 of the environment Acme: it is null, and not a profile.'
            'name.json, record 1: it has no Name.'
            'url.json, record 1: it has no StartUrl.'
            'region.json, record 1: it has no Region.'
            'profile.json, record 1 of the environment Acme: it has no Profile.'
            'account.json, record 1 of the environment Acme: it has no AccountId.'
            'environment.json, record 2: it is null, and not an environment.'
            'none.json, record 1: it is null, and not an environment.'
        )
        $answers.Message[9..10] | Should -BeLike '*.json is not JSON as Export-SsoEnvironment writes it*'
    }

    It 'is refused where it is no file: a pipe, a device, a socket, a folder without scripts, or a link to one' -Skip:$IsWindows {
        foreach ($name in 'pipe.ps1', 'pipe.json', 'pipe.ini') { mkfifo "$folder/$name" }
        foreach ($name in 'zero.ps1', 'zero.json', 'zero.ini', 'zero') { $null = New-Item -ItemType SymbolicLink "$folder/$name" -Value /dev/zero }
        $null = New-Item -ItemType SymbolicLink "$folder/link.json" -Value "$folder/pipe.json"
        $null = New-Item -ItemType SymbolicLink "$folder/second.json" -Value "$folder/link.json"
        $null = New-Item -ItemType Directory "$folder/folder.json", "$folder/scripts"
        mkfifo "$folder/scripts/pipe.ps1"
        [IO.File]::WriteAllText("$folder/good.json", (Get-Json))
        $null = New-Item -ItemType SymbolicLink "$folder/good.link.json" -Value "$folder/good.json"
        $names = 'pipe.ps1', 'pipe.json', 'pipe.ini', 'zero.ps1', 'zero.json', 'zero.ini', 'zero', 'link.json', 'second.json', 'folder.json', 'scripts', '/dev/zero'
        $paths = ($names | ForEach-Object { "'$([IO.Path]::Combine($folder, $_))'" }) -join ', '
        $run = Invoke-Import "foreach (`$path in $paths) { Import-SsoEnvironment -LiteralPath `$path; Import-SsoEnvironment `$path }; Import-SsoEnvironment '$folder/good.link.json' -PassThru"
        $run.Output.Name | Should -Be 'Acme'
        $run.Errors.Count | Should -Be (2 * $names.Count)
        $run.Errors.Id | Sort-Object -Unique | Should -Be 'ReadFailed,AwsSso.Commands.ImportSsoEnvironmentCommand'
        $said = $run.Errors.Message -join "`n"
        $said | Should -BeLike "*$folder/pipe.ps1 is a named pipe, and only a file can be imported.*"
        $said | Should -BeLike '*/dev/zero is a device, and only a file can be imported.*'
        $said | Should -BeLike "*The folder $folder/folder.json has no *.ps1 file.*"
    }

    It 'is refused with a start URL that leads to another host than it shows, and with names that show something else than they are' {
        $hidden = 0x1b, 0xad, 0x200b, 0x200d, 0x202e, 0x2066, 0xfeff | ForEach-Object { [string] [char] $_ }
        $files = [ordered] @{}
        $urls = 'https://acme.awsapps.com@evil.example/start', 'https://acme.awsapps.com:443@evil.example', 'https://@evil.example/start', 'https:/acme.awsapps.com@evil.example/start'
        foreach ($url in $urls) {
            $files["url$($files.Count).json"] = Get-Json 'https://example.com/start' $url
            $files["url$($files.Count).ps1"] = $parameters.Replace('https://example.com/start', $url) + $table
            $files["url$($files.Count).ini"] = "[environment Acme]`nsso_start_url = $url`nsso_region = us-west-2`n"
        }

        foreach ($mark in $hidden) {
            $files["name$($files.Count).json"] = Get-Json '"Acme"' (ConvertTo-Json "Ac${mark}me")
            $files["name$($files.Count).json"] = Get-Json '"A"' (ConvertTo-Json "pr${mark}od")
            $files["name$($files.Count).ps1"] = $parameters.Replace("'Acme'", "'Ac${mark}me'") + $table
            $files["name$($files.Count).ps1"] = $parameters + $table.Replace("'A'", "'pr${mark}od'")
            $files["name$($files.Count).ini"] = "[environment Acme]`nsso_start_url = https://example.com/start`nsso_region = us-west-2`n[environment Acme profile pr${mark}od]`nsso_account_id = 100000000000`nsso_role_name = R`n"
        }

        $answers = Import-All $files
        $answers | Should -HaveCount $files.Count
        foreach ($answer in $answers) {
            $answer.Id | Should -Be 'EnvironmentInvalid' -Because $answer.Name
            $answer.Message | Should -Match $(if ($answer.Name -like 'url*') { 'leads to the host evil\.example' } else { '[<{\\](U\+|u\{)[0-9a-fA-F]+' }) -Because $answer.Name
            foreach ($mark in $hidden) { $answer.Message.Contains($mark) | Should -BeFalse -Because $answer.Name }
        }
    }

    It 'is imported with a line that says whose portal it is, and what -Force or Set-SsoEnvironment changes of that' {
        $place = New-TestFolder
        [IO.File]::WriteAllText("$place/team.json", (Get-Json))
        [IO.File]::WriteAllText("$place/other.json", (Get-Json 'https://example.com/start' 'https://other.example.com/start'))
        [IO.File]::WriteAllText("$place/role.json", (Get-Json '"RoleName":"R"' '"RoleName":"S"'))
        $run = Invoke-Import @"
            @{ Lines = @(
                Import-SsoEnvironment '$place/team.json' -WhatIf 6>&1
                Import-SsoEnvironment '$place/team.json' 6>&1
                Import-SsoEnvironment '$place/other.json' -Force -WhatIf 6>&1
                Import-SsoEnvironment '$place/other.json' -Force 6>&1
                Set-SsoEnvironment Acme -Region us-west-2 -DefaultRoleName R 6>&1
                Set-SsoEnvironment Acme -Region eu-west-1 -WhatIf 6>&1
                Set-SsoEnvironment Acme -Region eu-west-1 6>&1
                Set-SsoEnvironment Acme -StartUrl https://example.com/start -Region us-west-2 6>&1
                Import-SsoEnvironment '$place/role.json' -Force 6>&1
                Set-SsoEnvironment New -StartUrl https://example.com/start -Region us-west-2 6>&1
            ) | ForEach-Object { "`$_" } }
            Import-SsoEnvironment '$place/role.json' -Name Again -PassThru
"@
        $run.Output[0].Lines | Should -Be @(
            'Acme: 1 profile, start URL https://example.com/start in us-west-2.'
            'Acme now uses https://other.example.com/start in us-west-2 instead of https://example.com/start in us-west-2.'
            'Acme now uses https://other.example.com/start in eu-west-1 instead of https://other.example.com/start in us-west-2.'
            'Acme now uses https://example.com/start in us-west-2 instead of https://other.example.com/start in eu-west-1.'
            'Acme: 1 profile, start URL https://example.com/start in us-west-2.'
        )
        # A profile is in one environment only.
        $run.Errors.Count | Should -Be 1
    }
}

Describe 'Export-SsoEnvironment' {
    BeforeAll {
        $from = New-UserHome
        $null = Invoke-Import 'Import-SsoEnvironment Acme.ps1, CustomObjects.ps1 3> $null' $from
    }

    It 'writes what Import-SsoEnvironment takes back whole: <_>' -ForEach 'team.json', 'team.ini', 'sso-environments' {
        $file = Join-Path (New-TestFolder) $_
        $exported = Invoke-Import "Export-SsoEnvironment -Path '$file'; Get-SsoEnvironment" $from
        $exported.Errors | Should -BeNullOrEmpty
        $imported = Invoke-Import "Import-SsoEnvironment '$file' -PassThru"
        $imported.Errors | Should -BeNullOrEmpty
        $imported.Output.Name | Should -Be 'Acme', 'Objects'
        foreach ($number in 0, 1) {
            Get-Row $imported.Output[$number] | Should -Be (Get-Row $exported.Output[$number])
            $imported.Output[$number].StartUrl | Should -Be $exported.Output[$number].StartUrl
            $imported.Output[$number].Region | Should -Be $exported.Output[$number].Region
            $imported.Output[$number].DefaultRoleName | Should -Be $exported.Output[$number].DefaultRoleName
        }
    }

    It 'writes to the output where no file is named, as the form that is asked for' {
        $run = Invoke-Import 'Export-SsoEnvironment Acme; Export-SsoEnvironment Obj* -Format Json; Get-SsoEnvironment Acme | Export-SsoEnvironment' $from
        $run.Errors | Should -BeNullOrEmpty
        $run.Output[0] | Should -Be (@(
                '[environment Acme]', 'sso_start_url = https://d-12345abcde.awsapps.com/start/', 'sso_region = us-west-2', 'default_role_name = AWSAdministratorAccess', '',
                '[environment Acme profile Account1]', 'sso_account_id = 100000000000', '',
                '[environment Acme profile Account2]', 'sso_account_id = 100000000001', 'sso_role_name = AWSReadOnlyAccess'
            ) -join "`n")
        $objects = $run.Output[1] | ConvertFrom-Json
        "$($objects.Name) $($objects.StartUrl) $($objects.Profiles.Count) $($objects.Profiles[1].RoleName)" | Should -Be 'Objects https://d-12345abcde.awsapps.com/start 3 AWSReadOnlyAccess'
        $objects.Profiles[0].PSObject.Properties.Name | Should -Be 'Profile', 'AccountId'
        $run.Output[2] | Should -Be $run.Output[0]
    }

    It 'is read with the profiles as Account too, as earlier builds wrote them' {
        $file = Join-Path (New-TestFolder) team.json
        Set-Content $file '{"Name":"Acme","StartUrl":"https://example.com/start","Region":"us-west-2","Account":[{"Profile":"A","AccountId":"100000000000","RoleName":"R"}]}'
        $run = Invoke-Import "Import-SsoEnvironment '$file' -PassThru"
        $run.Errors | Should -BeNullOrEmpty
        Get-Row $run.Output[0] | Should -Be 'A=100000000000=R'
    }

    It 'writes no file with -WhatIf, none that is there with -NoClobber, and none for a name that is not stored' {
        $folder = New-TestFolder
        Set-Content "$folder/there.ini" 'mine'
        $run = Invoke-Import "Export-SsoEnvironment -Path '$folder/new.ini' -WhatIf; Export-SsoEnvironment Amce -Path '$folder/new.ini'; Export-SsoEnvironment -Path '$folder/there.ini' -NoClobber" $from
        $run.Errors.Id | Should -Be 'WriteFailed,AwsSso.Commands.ExportSsoEnvironmentCommand', 'EnvironmentNotFound,AwsSso.Commands.ExportSsoEnvironmentCommand'
        Get-ChildItem $folder | ForEach-Object Name | Should -Be 'there.ini'
        Get-Content "$folder/there.ini" | Should -Be 'mine'
        (Invoke-Import "Export-SsoEnvironment -Path '$folder/none/new.ini'" $from).Errors.Id | Should -Be 'WriteFailed,AwsSso.Commands.ExportSsoEnvironmentCommand'
    }

    It 'is not read back where it is not what was written' {
        $folder = New-TestFolder
        Set-Content "$folder/wrong.json" '{"Name": "Acme"}'
        Set-Content "$folder/broken.json" '[{"Name": "Acme",'
        Set-Content "$folder/wrong.ini" "[profile a]`nregion = us-west-2"
        foreach ($file in 'wrong.json', 'broken.json', 'wrong.ini') {
            $run = Invoke-Import "Import-SsoEnvironment '$folder/$file'"
            $run.Errors.Id | Should -Be 'EnvironmentInvalid,AwsSso.Commands.ImportSsoEnvironmentCommand' -Because $file
            $run.Errors[0].Message | Should -BeLike "$(Join-Path $folder $file)*"
            $run.Stored | Should -Be ''
        }
    }
}
