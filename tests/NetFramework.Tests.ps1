# Windows PowerShell 5.1 runs on .NET Framework, which is on Windows only; Mono is what comes nearest to it elsewhere.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force

    # The assembly may use what Windows PowerShell 5.1 has, and nothing else.
    $allowed = 'netstandard', 'System.Management.Automation'
    $assembly = Join-Path (Split-Path $manifest) 'bin/AwsSso.dll'
}

AfterAll {
    Clear-StandIn
}

Describe 'The assembly' {
    It 'needs .NET Standard and PowerShell 5.1''s own assembly, and nothing else' {
        $stream = [IO.File]::OpenRead($assembly)
        $file = [Reflection.PortableExecutable.PEReader]::new($stream)
        try {
            $metadata = [Reflection.Metadata.PEReaderExtensions]::GetMetadataReader($file)
            $references = $metadata.AssemblyReferences | ForEach-Object { $metadata.GetAssemblyReference($_) } | ForEach-Object { @{ Name = $metadata.GetString($_.Name); Version = $_.Version } }
            $references.Name | Sort-Object | Should -Be $allowed
            # PowerShellStandard's number, which every PowerShell since 5.1 takes for its own.
            ($references | Where-Object Name -EQ 'System.Management.Automation').Version | Should -BeLessOrEqual ([version] '3.0.0.0')
        }
        finally {
            $file.Dispose()
            $stream.Dispose()
        }
    }

    Context 'in a program of .NET Framework''s' {
        BeforeAll {
            $missing = 'mono', 'mcs', 'gcc', '/usr/lib/mono/4.5/Facades/netstandard.dll' | Where-Object { -not (Get-Command $_ -ErrorAction Ignore) }
            # Whether the test can go on; else it counts as skipped.
            function Confirm-Mono {
                if ($missing) { Set-ItResult -Skipped -Because "$missing is not installed (mono-devel, gcc)" }
                -not $missing
            }
            if ($missing) { return }
            $service = Start-StandIn '--accounts', '5', '--approve-after-polls', '1', '--interval', '1'
            $folder = "$(New-TestFolder)/Größe 模块"
            $platform = "linux-$architecture"
            $null = New-Item -ItemType Directory "$folder/$platform"
            Copy-Item $assembly $folder
            Copy-Item "$(Split-Path $assembly)/$platform/aws_sso.so" "$folder/$platform"
            mcs "-out:$folder/NetFramework.exe" "$PSScriptRoot/NetFramework.cs"
            gcc -shared -fPIC -o "$folder/kernel32.so" "$PSScriptRoot/kernel32.c" -ldl
            # As on Windows, the library is known by its bare name once kernel32 has loaded it.
            Set-Content "$folder/AwsSso.dll.config" @"
<configuration><dllmap dll="kernel32" target="$folder/kernel32.so"/><dllmap dll="aws_sso" target="$folder/kernel32.so"/></configuration>
"@
            $packages = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { Join-Path $HOME .nuget/packages }

            function Invoke-NetFramework([string] $UserHome) {
                # What the compiler of the module had for PowerShell's own assembly; a program that is no PowerShell needs its types only.
                $variables = Get-UserVariable $UserHome $service @{ MONO_PATH = "$packages/powershellstandard.library/5.1.1/lib/netstandard2.0" }
                Wait-UserProgram (Start-UserProgram @('mono', "$folder/NetFramework.exe", "$folder/AwsSso.dll", 'Acme') $variables)
            }
        }

        It 'loads its library by the full path and does a whole update' {
            if (-not (Confirm-Mono)) { return }
            $userHome = New-UserHome
            Add-Environment $userHome $service -Count 5
            $run = Invoke-NetFramework $userHome
            $run.ErrorText.Trim() | Should -Be "LoadLibraryExW $folder/$platform/aws_sso.so 8"
            $run.Text -split "`n" | Should -Be (@(1..5 | ForEach-Object { "Account$_ AWSAdministratorAccess Created" }) + 'Acme: 5 fetched, 0 failed')
            @((Get-Credential $userHome).Keys) | Should -Be @(1..5 | ForEach-Object { "Account$_" })
            (Get-StandInStats $service).violations.Count | Should -Be 0
        }

        It 'says in one sentence what it says in PowerShell 7, where the library is <Is>' -TestCases @(
            @{ Is = 'for another processor'; Says = 'cannot be loaded on'; Change = { param($path) Set-OtherProcessor $path } }
            @{ Is = 'cut off'; Says = 'is incomplete'; Change = { param($path) Set-FileLength $path 100000 } }
            @{ Is = 'missing'; Says = 'There is no native library for'; Change = { param($path) Remove-Item $path } }
        ) {
            if (-not (Confirm-Mono)) { return }
            $library = "$folder/$platform/aws_sso.so"
            $good = [IO.File]::ReadAllBytes($library)
            try {
                & $Change $library
                $run = Invoke-NetFramework (New-UserHome)
                $run.Text | Should -BeLike "LibraryUnavailable: *$Says*"
                $run.Text | Should -BeLike "*'$library'*"
            }
            finally { [IO.File]::WriteAllBytes($library, $good) }
        }
    }
}
