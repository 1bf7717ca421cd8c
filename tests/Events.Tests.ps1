# Each file in events/ is what the library writes for one kind of event (a Rust test keeps them current); here the C# side reads them.

BeforeDiscovery {
    $examples = Get-ChildItem "$PSScriptRoot/events/*.json" | ForEach-Object { @{ Name = $_.BaseName; Path = $_.FullName } }
}

Describe 'What the library tells of a run' {
    BeforeAll {
        Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
        $assembly = [Reflection.Assembly]::LoadFrom((Join-Path (Split-Path $manifest) 'bin/AwsSso.dll'))
        $type = $assembly.GetType('AwsSso.Native.SsoEvent', $true)
        $read = $type.GetMethod('Read', [Reflection.BindingFlags] 'Static, NonPublic')
        $writer = [Runtime.Serialization.Json.DataContractJsonSerializer]::new($type)

        # The same text for the same content, whatever the order of the fields; a field that is null is as good as none.
        function Get-Canonical($value) {
            if ($value -is [Management.Automation.PSCustomObject]) {
                $fields = $value.PSObject.Properties | Where-Object { $null -ne $_.Value } | Sort-Object Name
                '{' + (($fields | ForEach-Object { "$($_.Name):$(Get-Canonical $_.Value)" }) -join ',') + '}'
            }
            elseif ($value -is [array]) { '[' + (($value | ForEach-Object { Get-Canonical $_ }) -join ',') + ']' }
            else { ConvertTo-Json $value -Compress }
        }
    }

    It 'has an example of each kind' {
        $kinds = $type.GetProperties([Reflection.BindingFlags] 'Instance, NonPublic').Name.ToLowerInvariant() | Sort-Object
        (Get-ChildItem "$PSScriptRoot/events/*.json").BaseName | Sort-Object | Should -Be $kinds
    }

    It 'is read with every field: <Name>' -ForEach $examples {
        $bytes = [IO.File]::ReadAllBytes($Path)
        $happened = $read.Invoke($null, @(, $bytes))
        $stream = [IO.MemoryStream]::new()
        $writer.WriteObject($stream, $happened)
        $again = [Text.Encoding]::UTF8.GetString($stream.ToArray()) | ConvertFrom-Json -DateKind String
        Get-Canonical $again | Should -Be (Get-Canonical (Get-Content -Raw $Path | ConvertFrom-Json -DateKind String))
    }

    It 'is a clear error without the text where it cannot be read' {
        $garbage = [Text.Encoding]::UTF8.GetBytes('{"profile": "hunter2')
        $fault = { $read.Invoke($null, @(, $garbage)) } | Should -Throw -PassThru
        $inner = $fault.Exception.InnerException.InnerException ?? $fault.Exception.InnerException
        "$($fault | Format-List * -Force | Out-String)$inner" | Should -Not -Match 'hunter2'
    }
}
