# What the README, docs/ and the other documents promise about this repository.

BeforeAll {
    $root = Split-Path $PSScriptRoot
    $documents = Get-Item "$root/*.md", "$root/docs/*.md"
}

Describe 'The documents' {
    It 'link to files that exist' {
        $links = foreach ($document in $documents) {
            foreach ($match in [regex]::Matches((Get-Content -Raw $document), '\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)')) {
                [pscustomobject] @{ Document = $document.Name; Target = $match.Groups[1].Value; Path = Join-Path $document.DirectoryName $match.Groups[1].Value }
            }
        }
        $links.Count | Should -BeGreaterThan 20
        $links | Where-Object { -not (Test-Path $_.Path) } | ForEach-Object { "$($_.Document): $($_.Target)" } | Should -BeNullOrEmpty
    }

    It 'are all linked from the README, or from a document that is' {
        $seen = [Collections.Generic.HashSet[string]]::new()
        $next = [Collections.Generic.Queue[string]]::new([string[]] @("$root/README.md"))
        while ($next.Count) {
            $path = $next.Dequeue()
            if (-not $seen.Add([IO.Path]::GetFullPath($path))) { continue }
            foreach ($match in [regex]::Matches((Get-Content -Raw $path), '\]\((?!https?:)([^)#]+\.md)(?:#[^)]*)?\)')) { $next.Enqueue((Join-Path (Split-Path $path) $match.Groups[1].Value)) }
        }
        $documents.FullName | Where-Object { $_ -notin $seen } | Should -BeNullOrEmpty
    }

    It 'are short where everybody reads them: the README and ARCHITECTURE.md' {
        (Get-Content "$root/README.md").Count | Should -BeLessOrEqual 120
        (Get-Content "$root/ARCHITECTURE.md").Count | Should -BeLessOrEqual 90
    }

    It 'say what to do for every error ID that there is, and for no other' {
        $rust = Get-Content -Raw (Get-ChildItem "$root/native/core/src" -Recurse -Filter error.rs)
        $ids = [regex]::Matches([regex]::Match($rust, '(?s)pub enum Code \{(.*?)\n\}').Groups[1].Value, '(?m)^    (\w+),') | ForEach-Object { $_.Groups[1].Value }
        $csharp = Get-Content -Raw (Get-ChildItem "$root/module" -Recurse -Filter SsoErrors.cs)
        $ids += [regex]::Matches([regex]::Match($csharp, '(?s)CategoryOf\(string code\).*').Value, '"(\w+)"') | ForEach-Object { $_.Groups[1].Value }
        $table = Get-Content "$root/docs/troubleshooting.md" | Where-Object { $_ -match '^\| `' } | ForEach-Object { $_.Split('|')[1] }
        $documented = [regex]::Matches("$table", '`(\w+)`') | ForEach-Object { $_.Groups[1].Value } | Sort-Object
        $documented.Count | Should -BeGreaterThan 20
        $documented | Should -Be ($ids | Sort-Object -Unique)
    }
}
