# What keeps the sources readable. Rust's own part is a test of cargo's.

BeforeDiscovery {
    $root = Split-Path $PSScriptRoot
    # What a generator writes is for no reader.
    $csharp = Get-ChildItem "$root/module" -Recurse -Filter *.cs |
        Where-Object { $_.Name -notlike '*.g.cs' -and $_.FullName -notmatch '[\\/](bin|obj)[\\/]' } |
        ForEach-Object { @{ Name = [IO.Path]::GetRelativePath($root, $_.FullName); Path = $_.FullName } }
    $powershell = @(Get-Item "$root/build.ps1") + @(Get-ChildItem "$root/build" -Filter *.ps1) |
        ForEach-Object { @{ Name = [IO.Path]::GetRelativePath($root, $_.FullName); Path = $_.FullName } }
}

Describe 'The C# file <Name>' -ForEach $csharp {
    BeforeAll {
        $lines = [IO.File]::ReadAllLines($Path)
    }

    It 'has at most 500 lines' {
        $lines.Count | Should -BeLessOrEqual 500
    }

    It 'has no line over 140 columns' {
        $long = for ($index = 0; $index -lt $lines.Count; $index++) { if ($lines[$index].Length -gt 140) { "line $($index + 1) has $($lines[$index].Length)" } }
        $long | Should -BeNullOrEmpty
    }

    It 'has no method over 60 lines' {
        # Each brace is on a line of its own (dotnet format sees to that), so a block ends with the first one that is indented like its start.
        $long = for ($index = 1; $index -lt $lines.Count; $index++) {
            if ($lines[$index] -notmatch '^( {4,8})\{$' -or $lines[$index - 1] -match '\b(class|enum|struct|interface)\b') { continue }
            $end = [Array]::IndexOf($lines, $Matches[1] + '}', $index)
            if ($end - $index - 1 -gt 60) { "$($lines[$index - 1].Trim()) has $($end - $index - 1)" }
        }
        $long | Should -BeNullOrEmpty
    }
}

Describe 'The PowerShell file <Name>' -ForEach $powershell {
    It 'has at most 500 lines' {
        [IO.File]::ReadAllLines($Path).Count | Should -BeLessOrEqual 500
    }
}
