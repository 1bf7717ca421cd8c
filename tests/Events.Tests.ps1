# Each file in events/ is what the library writes for one kind of event, and each in requests/ is what it takes for one operation (a Rust test keeps
# both current); here the C# classes read them and write them again.

BeforeDiscovery {
    $events, $requests = foreach ($folder in 'events', 'requests') {
        , @(Get-ChildItem "$PSScriptRoot/$folder/*.json" | ForEach-Object { @{ Name = $_.BaseName; Path = $_.FullName } })
    }
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $assembly = [Reflection.Assembly]::LoadFrom((Join-Path (Split-Path $manifest) 'bin/AwsSso.dll'))

    # The same text for the same content, whatever the order of the fields; a field that is null counts as absent.
    function Get-Canonical($value) {
        if ($value -is [Management.Automation.PSCustomObject]) {
            $fields = $value.PSObject.Properties | Where-Object { $null -ne $_.Value } | Sort-Object Name
            '{' + (($fields | ForEach-Object { "$($_.Name):$(Get-Canonical $_.Value)" }) -join ',') + '}'
        }
        elseif ($value -is [array]) { '[' + (($value | ForEach-Object { Get-Canonical $_ }) -join ',') + ']' }
        else { ConvertTo-Json $value -Compress }
    }

    function ConvertFrom-Example([string] $Json) { ConvertFrom-Json $Json -DateKind String }

    # The names of a class's members, as they are on the wire.
    function Get-Kind([type] $Class) {
        $members = $Class.GetProperties([Reflection.BindingFlags] 'Instance, NonPublic')
        $members.ForEach({ $_.GetCustomAttributes([Runtime.Serialization.DataMemberAttribute], $false).Name }) | Sort-Object
    }
}

Describe 'A request' {
    BeforeAll {
        $type = $assembly.GetType('AwsSso.Native.SsoRequest', $true)
        $settings = [Runtime.Serialization.Json.DataContractJsonSerializerSettings] @{ UseSimpleDictionaryFormat = $true }
        $serializer = [Runtime.Serialization.Json.DataContractJsonSerializer]::new($type, $settings)
        $write = $type.GetMethod('Write', [Reflection.BindingFlags] 'Instance, NonPublic')
    }

    It 'has an example of each operation' {
        $kinds = Get-Kind $assembly.GetType('AwsSso.Native.SsoWork', $true)
        (Get-ChildItem "$PSScriptRoot/requests/*.json").BaseName | Sort-Object | Should -Be $kinds
    }

    It 'is written with every field: <Name>' -ForEach $requests {
        $stream = [IO.MemoryStream]::new([IO.File]::ReadAllBytes($Path))
        $request = $serializer.ReadObject($stream)
        $again = [Text.Encoding]::UTF8.GetString($write.Invoke($request, @()))
        Get-Canonical (ConvertFrom-Example $again) | Should -Be (Get-Canonical (ConvertFrom-Example (Get-Content -Raw $Path)))
    }
}

Describe 'An event' {
    BeforeAll {
        $type = $assembly.GetType('AwsSso.Native.SsoEvent', $true)
        $read = $type.GetMethod('Read', [Reflection.BindingFlags] 'Static, NonPublic', $null, @([byte[]]), $null)

        # The event in a text.
        function Read-Event([string] $Text) { $read.Invoke($null, @(, [Text.Encoding]::UTF8.GetBytes($Text))) }
        $writer = [Runtime.Serialization.Json.DataContractJsonSerializer]::new($type)
    }

    It 'has an example of each kind' {
        (Get-ChildItem "$PSScriptRoot/events/*.json").BaseName | Sort-Object | Should -Be (Get-Kind $type)
    }

    It 'is read with every field: <Name>' -ForEach $events {
        $bytes = [IO.File]::ReadAllBytes($Path)
        $happened = $read.Invoke($null, @(, $bytes))
        $stream = [IO.MemoryStream]::new()
        $writer.WriteObject($stream, $happened)
        $again = [Text.Encoding]::UTF8.GetString($stream.ToArray())
        Get-Canonical (ConvertFrom-Example $again) | Should -Be (Get-Canonical (ConvertFrom-Example (Get-Content -Raw $Path)))
    }

    It 'is read whatever the text has between its parts, and without what a newer library has' {
        $note = Read-Event "`n{ `"newer`" : {`"a`":[1,{`"b`":`"]}\`"`"}],`"c`":null} , `"note`":{`"level`" : `"Warning`",`"more`":-1.5e3,`"text`":`"a\u00e9\ud83d\ude00\n\t\/\`"`"}} `r`n"
        $note.GetType().GetProperty('Note', [Reflection.BindingFlags] 'Instance, NonPublic').GetValue($note) | ForEach-Object {
            $_.GetType().GetProperty('Text', [Reflection.BindingFlags] 'Instance, NonPublic').GetValue($_) | Should -BeExactly "a`u{e9}`u{1f600}`n`t/`""
        }
    }

    It 'is an error where a part is missing, at any place, or something follows: <Name>' -ForEach $events {
        $text = (Get-Content -Raw $Path).Trim()
        for ($length = 0; $length -lt $text.Length; $length++) { { Read-Event $text.Substring(0, $length) } | Should -Throw -Because $text.Substring(0, $length) }
        { Read-Event "$text}" } | Should -Throw
        { Read-Event "$text $text" } | Should -Throw
        { Read-Event ($text -replace '^(\{"\w+":)\{.*', '$1{}}') } | Should -Throw
    }

    It 'is a clear error without the text where it cannot be read' {
        $garbage = [Text.Encoding]::UTF8.GetBytes('{"profile": "hunter2')
        $fault = { $read.Invoke($null, @(, $garbage)) } | Should -Throw -PassThru
        $inner = $fault.Exception.InnerException.InnerException ?? $fault.Exception.InnerException
        "$($fault | Format-List * -Force | Out-String)$inner" | Should -Not -Match 'hunter2'
    }
}
