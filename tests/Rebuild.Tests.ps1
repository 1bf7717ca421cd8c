# What a build does with a file that a running program has loaded.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $root = Split-Path $PSScriptRoot
    . "$root/build.ps1"

    # The new file of a build: the old one and one more byte.
    function New-Build([string] $Of) {
        $path = Join-Path (New-TestFolder) (Split-Path -Leaf $Of)
        Copy-Item $Of $path
        Add-Content $path ([byte] 0) -AsByteStream
        $path
    }

    # Replaces a file as a build does, and gives what the user sees.
    function Copy-Build([string] $From, [string] $To) {
        Copy-Whole $From $To 6>&1 | ForEach-Object { "$_" }
        (Get-FileHash $To).Hash | Should -Be (Get-FileHash $From).Hash
    }

    function Get-Name([string] $Folder) {
        Get-ChildItem $Folder -File | ForEach-Object Name | Sort-Object
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'A build' {
    BeforeEach {
        $folder = New-TestFolder
        $old, $new = "$folder/aws_sso.dll", (Join-Path (New-TestFolder) aws_sso.dll)
        Set-Content $old 'old'
        Set-Content $new 'new'
    }

    It 'leaves nothing else beside a file that no program has loaded, and says nothing' {
        Copy-Build $new $old | Should -BeNullOrEmpty
        Get-Name $folder | Should -Be 'aws_sso.dll'
    }

    It 'replaces a file in a folder with any characters in its name, which is not the folder of the process' {
        $place = New-Item -ItemType Directory "$folder/Größe [1]"
        Push-Location -LiteralPath $place
        try {
            1..2 | ForEach-Object {
                Set-Content -LiteralPath $new "build $_"
                Copy-Build $new 'bin/win-x64/aws_sso.dll' | Should -BeNullOrEmpty
            }
        }
        finally { Pop-Location }
        Get-ChildItem -LiteralPath $place -Recurse -File | ForEach-Object Name | Should -Be 'aws_sso.dll'
    }

    # What Windows does while a program has the file loaded: it can be renamed, but neither replaced nor removed.
    Context 'on a system that keeps loaded files' {
        BeforeAll {
            Mock Move-Over {
                if (Test-Path $To) { throw [UnauthorizedAccessException]::new('Access is denied.') }
                Move-Item $From $To
            }
            function Copy-HeldBuild {
                Mock Remove-Item { Write-Error 'Access is denied.' }
                Copy-Build $new $old
            }
        }

        It 'renames the loaded file, puts the new one in its place, and says in one line what to restart' {
            Copy-HeldBuild | Should -Be "A running program has loaded $old; restart it to use the new build."
            Get-Name $folder | Should -Be 'aws_sso.dll', 'aws_sso.dll.1.old'
            Get-Content "$old.1.old" | Should -Be 'old'
        }

        It 'does so as often as there are builds while programs have the earlier ones loaded' {
            foreach ($text in 'second', 'third') {
                Set-Content $new $text
                $null = Copy-HeldBuild
            }
            Get-Content $old, "$old.1.old", "$old.2.old" | Should -Be 'third', 'old', 'second'
        }

        It 'keeps a renamed file that a program still has loaded, and says nothing more' {
            $null = Copy-HeldBuild
            Copy-HeldBuild | Should -BeNullOrEmpty
            Get-Name $folder | Should -Be 'aws_sso.dll', 'aws_sso.dll.1.old'
        }

        It 'removes all renamed files that no program has loaded, even if nothing changed' {
            'aws_sso.dll.1.old', 'aws_sso.dll.12.old', 'AwsSso.dll.1.old' | ForEach-Object { Set-Content "$folder/$_" 'earlier' }
            Copy-Build $old $old | Should -BeNullOrEmpty
            Get-Name $folder | Should -Be ('aws_sso.dll', 'AwsSso.dll.1.old' | Sort-Object)
        }
    }

    It 'fails with the reason of the system where the file can be neither replaced nor renamed' {
        Mock Move-Over { throw [UnauthorizedAccessException]::new('Access is denied.') }
        Mock Move-Aside { throw [UnauthorizedAccessException]::new('Access to the folder is denied.') }
        { Copy-Whole $new $old } | Should -Throw 'Access to the folder is denied.'
        Get-Content $old | Should -Be 'old'
    }
}

Describe 'A build while a PowerShell has the module loaded' {
    It 'replaces the library and the assembly; that PowerShell keeps the old ones, and a new one gets the new ones' {
        $service = Start-StandIn '--accounts', '1', '--approve-after-polls', '0'
        $userHome = New-LoggedInHome $service -Count 1
        $copy = "$(New-ModuleFolder)/Set-AwsCliSsoCredentials"
        if (-not $IsWindows) {
            # A folder of its own in place of the link.
            $from = (Get-Item $copy).Target
            Remove-Item $copy
            $null = New-Item -ItemType Directory "$copy/module"
            Copy-Item "$from/Set-AwsCliSsoCredentials.psd1", "$from/bin", "$from/en-US" $copy -Recurse
            Copy-Item "$from/module/*.ps1xml" "$copy/module"
        }
        $files = "$copy/bin/AwsSso.dll", "$copy/$(Get-Library (Get-Platform).Folder)"
        $go = "$userHome/go"
        $update = 'Update-SsoCredential Acme -Force -NoLogin'
        $shell = Start-UserPowerShell $userHome $service "$update; while (-not (Test-Path '$go')) { Start-Sleep -Milliseconds 50 }; $update" -Manifest "$copy/Set-AwsCliSsoCredentials.psd1"
        $null = Wait-Line $shell '^Acme: '

        foreach ($build in 1..2) {
            foreach ($file in $files) {
                $said = Copy-Build (New-Build $file) $file
                # Only Windows keeps a loaded file from being replaced, and the second build replaces one that nobody has loaded.
                $said | Should -Be $(if ($IsWindows -and $build -eq 1) { "A running program has loaded $file; restart it to use the new build." })
            }
        }
        $left = Get-ChildItem "$copy/bin" -Recurse -File -Filter *.old | ForEach-Object Name | Sort-Object
        $left | Should -Be $(if ($IsWindows) { 'aws_sso.dll.1.old', 'AwsSso.dll.1.old' | Sort-Object })

        $after = Invoke-UserPowerShell $userHome $service $update -Manifest "$copy/Set-AwsCliSsoCredentials.psd1"
        $after.Errors | Should -BeNullOrEmpty
        $null = New-Item $go
        $end = Wait-UserProgram $shell
        $end.Errors | Should -BeNullOrEmpty
        $end.Text | Should -Match '(?s)Acme: 1 profile.*Acme: 1 profile'

        # No program holds them now.
        foreach ($file in $files) { Copy-Build $file $file | Should -BeNullOrEmpty }
        Get-ChildItem "$copy/bin" -Recurse -File -Filter *.old | Should -BeNullOrEmpty
    }
}
