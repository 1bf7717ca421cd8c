# Files that nobody wrote: random scripts and random JSON for Import-SsoEnvironment. Each round is made from its number, so a failure can be repeated.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force

    # Imports one file after another in one PowerShell, which would end with the first that overflows its stack. $Maker gives the text of the file of a number.
    function Invoke-Fuzz([int] $Count, [string] $Extension, [string] $Maker) {
        $folder = New-TestFolder
        $last = Join-Path $folder 'last.txt'
        $started = Start-UserPowerShell (New-UserHome) $null @"
            `$make = { param([Random] `$random) $Maker }
            foreach (`$number in 1..$Count) {
                [IO.File]::WriteAllText('$last', `$number)
                [IO.File]::WriteAllText('$folder/file.$Extension', (& `$make ([Random]::new(`$number))))
                `$found = `$null
                try { Import-SsoEnvironment '$folder/file.$Extension' -WhatIf -ErrorVariable found -ErrorAction SilentlyContinue -WarningAction Ignore } catch { `$found = `$_ }
                foreach (`$one in `$found) { [pscustomobject] @{ Number = `$number; Id = `$one.FullyQualifiedErrorId -replace ',.*'; Message = "`$one" } }
            }
            `$Error.Clear()
            'at the end'
"@
        try { $run = Wait-UserProgram $started 900 } catch { throw "Number $([IO.File]::ReadAllText($last)) ended the shell: $_" }
        $run.Output[-1] | Should -Be 'at the end'
        $run.Output | Select-Object -SkipLast 1
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'Import-SsoEnvironment' {
    It 'reads or refuses every script, and ends no shell' {
        $count = Get-TestCount 1000
        $errors = Invoke-Fuzz $count 'ps1' @'
            $parts = "'", '"', '`', '$', '(', ')', '{', '}', '[', ']', '@', '#', '<#', '#>', "`n", "`r`n", ' ', 'a', '1', '+', '-', ',', ';', '|', '&', '&&', '.', '::', '=', '!', ':', '%', '?',
                '$a', '${a}', '${', '$(', '@(', '@{', '"$(', ')"', "@'`n", "`n'@", "@`"`n", "`n`"@", '""', "''", '`"', '--%', '-not ', '-join ', '-f', '--', '[int]', 'if(1)', 'switch', 'return ', "'a'+",
                "`u{201c}", "`u{201e}", "`u{2019}", "`u{2018}", "`u{2013}", "`u{a0}", '$$', '$a=', '=@', 'function a', 'param(', "@{Profile='A';AccountId='100000000000'}", 'Profile', '$t=@('
            $unit = -join (1..(1 + $random.Next(6)) | ForEach-Object { $parts[$random.Next($parts.Count)] })
            $before = -join (0..$random.Next(3) | ForEach-Object { $parts[$random.Next($parts.Count)] })
            # Once, some times, and so often that the parser's stack would end.
            $times = 1, 3, 900, [int] (100000 / $unit.Length) | Select-Object -Index $random.Next(4)
            $names = "param(`$DefaultRoleName = 'R', `$Region = 'us-west-2', `$StartUrl = 'https://example.com/start', `$EnvironmentName = 'Acme')`n"
            $row = "`n`$t = @(@{ Profile = 'A'; AccountId = '100000000000' })"
            switch ($random.Next(3)) { 0 { $names + $before + $unit * $times + $row } 1 { $before + $unit * $times } 2 { $names + '$t = @(@{ Profile = ' + $unit * $times + "; AccountId = '100000000000' })" } }
'@
        $errors.Count | Should -BeGreaterThan ($count / 2)
        $errors | Where-Object Id -NotIn 'ScriptInvalid', 'EnvironmentInvalid', 'ProfileNameConflict' | ForEach-Object { "$($_.Number): $($_.Id) $($_.Message)" } | Should -BeNullOrEmpty
    }

    It 'reads or refuses every JSON file, and the error names the file' {
        $count = Get-TestCount 5000
        $errors = Invoke-Fuzz $count 'json' @'
            $values = 'null', 'true', '0', '-1e999', '12345678901234567890', '""', '" "', '"\u0000"', '"\ud800"', '"\u202e"', '"A"', '[]', '{}', '[null]', '[[]]', '{"Profile":"A"}', '{"__type":"SsoEnvironment:#AwsSso"}',
                '"/Date(0)/"', '"https://a@b/c"', '"us-west-2"', '"100000000000"', '"https://example.com/start"', ('[' * 40 + ']' * 40), '"' + 'a' * 70000 + '"', 'x', '', '"', '{"a":1,"a":2}', 'NaN'
            $text = '[{"Name":"Acme","StartUrl":"https://example.com/start","Region":"us-west-2","DefaultRoleName":"R","Profiles":[{"Profile":"A","AccountId":"100000000000","RoleName":"R"}]}]'
            foreach ($change in 0..$random.Next(3)) {
                switch ($random.Next(4)) {
                    # A value in place of another one, a text in another place, a character less or another one.
                    0 { $found = [regex]::Matches($text, '(?<=:)("[^"]*"|\[|\{)|\[|\{[^{}]*\}'); if ($found.Count) { $one = $found[$random.Next($found.Count)]; $text = $text.Remove($one.Index, $one.Length).Insert($one.Index, $values[$random.Next($values.Count)]) } }
                    1 { $text = $text.Insert($random.Next($text.Length + 1), $values[$random.Next($values.Count)]) }
                    2 { if ($text) { $text = $text.Remove($random.Next($text.Length), 1) } }
                    3 { if ($text) { $at = $random.Next($text.Length); $text = $text.Remove($at, 1).Insert($at, [char] $random.Next(0xd7ff)) } }
                }
            }
            $text
'@
        $errors.Count | Should -BeGreaterThan ($count / 4)
        $errors | Where-Object { $_.Id -notin 'EnvironmentInvalid', 'ProfileNameConflict' -or $_.Message -notmatch 'file\.json' } | ForEach-Object { "$($_.Number): $($_.Id) $($_.Message)" } | Should -BeNullOrEmpty
    }
}
