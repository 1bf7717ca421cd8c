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

    It 'does a whole update in a program of .NET Framework''s' {
        if ('mono', 'mcs', '/usr/lib/mono/4.5/Facades/netstandard.dll' | Where-Object { -not (Get-Command $_ -ErrorAction Ignore) }) {
            Set-ItResult -Skipped -Because 'Mono (mono-devel) is not installed'
            return
        }

        $service = Start-StandIn '--accounts', '5', '--approve-after-polls', '1', '--interval', '1'
        $userHome = New-UserHome
        Add-Environment $userHome $service -Count 5
        $folder = New-TestFolder
        mcs "-out:$folder/NetFramework.exe" "$PSScriptRoot/NetFramework.cs"
        $LASTEXITCODE | Should -Be 0
        # Mono does not look into the folder of a platform, and Windows' loader is not here: a map leads to the library.
        Copy-Item $assembly $folder
        $library = Get-Item "$(Split-Path $assembly)/linux-$([Runtime.InteropServices.RuntimeInformation]::ProcessArchitecture.ToString().ToLowerInvariant())/aws_sso.so"
        Set-Content "$folder/AwsSso.dll.config" "<configuration><dllmap dll=`"aws_sso`" target=`"$library`"/></configuration>"
        $null = New-Item -ItemType Directory "$folder/$($library.Directory.Name)"
        Copy-Item $library "$folder/$($library.Directory.Name)"
        # What the compiler of the module had for PowerShell's own assembly; a program that is no PowerShell needs its types only.
        $packages = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { Join-Path $HOME .nuget/packages }
        $variables = Get-UserVariable $userHome $service @{ MONO_PATH = "$packages/powershellstandard.library/5.1.1/lib/netstandard2.0" }
        $run = Wait-UserProgram (Start-UserProgram @('mono', "$folder/NetFramework.exe", "$folder/AwsSso.dll", 'Acme') $variables)
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Text -split "`n" | Should -Be (@(1..5 | ForEach-Object { "Account$_ AWSAdministratorAccess Created" }) + 'Acme: 5 fetched, 0 failed')
        @((Get-Credential $userHome).Keys) | Should -Be @(1..5 | ForEach-Object { "Account$_" })
        (Get-StandInStats $service).violations.Count | Should -Be 0
    }
}
