# The package that users install: the one that `build.ps1 Pack` creates, or the one of `build.ps1 Test -Package`.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $root = Split-Path $PSScriptRoot
    . "$root/build.ps1"

    # Why there is no package; null where there is one.
    $reason = if (-not $env:SSO_TEST_PACKAGE) {
        if (-not (Get-Command Compress-PSResource -ErrorAction Ignore)) { 'PowerShell is older than 7.5' }
        elseif ($IsLinux -and -not (Test-Zig)) { 'cargo-zigbuild is not installed' }
    }
    $package = $env:SSO_TEST_PACKAGE
    if (-not $package -and -not $reason) {
        $output = & (Get-Command pwsh).Source -NoProfile -File "$root/build.ps1" Pack 2>&1
        if ($LASTEXITCODE -ne 0) { throw "Packing failed: $($output -join "`n")" }
        $package = "$root/$(Get-PackagePath)"
    }

    # What a gallery needs besides the module.
    $ofNuGet = '[Content_Types].xml', '_rels/.rels', 'Set-AwsCliSsoCredentials.nuspec', 'package/services/metadata/core-properties/properties.psmdcp'

    # Whether the test can go on; else it counts as skipped.
    function Confirm-Package {
        if ($reason) { Set-ItResult -Skipped -Because $reason }
        -not $reason
    }

    function Expand-Package([string] $Folder) {
        [IO.Compression.ZipFile]::ExtractToDirectory($package, $Folder)
        "$Folder/Set-AwsCliSsoCredentials.psd1"
    }

    function Get-Entry([string] $Path) {
        $zip = [IO.Compression.ZipFile]::OpenRead($Path)
        $zip.Entries
        $zip.Dispose()
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'A package' {
    It 'contains only the manifest, the libraries and programs, the help, the license and the notices' {
        if (-not (Confirm-Package)) { return }
        $names = (Get-Entry $package).FullName
        $libraries = @($platforms | ForEach-Object { Get-Library $_; Get-Helper $_ } | Where-Object { $_ -in $names })
        $libraries | Should -Contain (Get-Library (Get-Platform).Folder)
        $libraries | Should -Contain (Get-Helper (Get-Platform).Folder)
        $of = 'LICENSE', 'Set-AwsCliSsoCredentials.psd1', 'THIRD-PARTY-NOTICES.txt', 'bin/AwsSso.dll', 'en-US/AwsSso.dll-Help.xml',
        'en-US/about_SsoEnvironments.help.txt', 'en-US/about_SsoSessions.help.txt'
        $names | Sort-Object | Should -Be (@($of) + $libraries + $ofNuGet | Sort-Object)
    }

    It 'is also a zip file for a folder of modules, with the same files' {
        if (-not (Confirm-Package)) { return }
        $zip = $package -replace 'nupkg$', 'zip'
        if (-not (Test-Path $zip)) { Set-ItResult -Skipped -Because 'the zip is not beside the package'; return }
        $version = (Import-PowerShellDataFile $manifest).ModuleVersion
        $inside = Get-Entry $zip | ForEach-Object { "$($_.FullName) $($_.Crc32)" }
        $wanted = Get-Entry $package | Where-Object FullName -NotIn $ofNuGet | ForEach-Object { "Set-AwsCliSsoCredentials/$version/$($_.FullName) $($_.Crc32)" }
        $inside | Sort-Object | Should -Be ($wanted | Sort-Object)
    }

    It 'is identical byte for byte when another user builds it at another time' {
        if (-not (Confirm-Package)) { return }
        if ($env:SSO_TEST_PACKAGE -or $IsWindows) { Set-ItResult -Skipped -Because 'the package was made elsewhere, or sh is not here'; return }
        $made = $package, ($package -replace 'nupkg$', 'zip')
        $first = Get-FileHash $made
        Remove-Item $made
        $output = & sh -c "umask 077; TZ=Asia/Tokyo LC_ALL=C RUSTFLAGS=-Copt-level=1 exec pwsh -NoProfile -File '$root/build.ps1' Pack" 2>&1
        $LASTEXITCODE | Should -Be 0 -Because "$output"
        (Get-FileHash $made).Hash | Should -Be $first.Hash
    }

    It 'is identical byte for byte when a clone in another folder builds it from scratch' {
        if (-not (Confirm-Package)) { return }
        if (-not $env:SSO_TEST_FULL) { Set-ItResult -Skipped -Because 'it takes minutes: runs with build.ps1 Test -Full'; return }
        if ($env:SSO_TEST_PACKAGE -or (git -C $root status --porcelain)) { Set-ItResult -Skipped -Because 'the package is not that of the last commit here'; return }
        $clone = "$(New-TestFolder)/another folder"
        git clone --quiet $root $clone
        $output = & (Get-Command pwsh).Source -NoProfile -File "$clone/build.ps1" Pack 2>&1
        $LASTEXITCODE | Should -Be 0 -Because "$output"
        (Get-FileHash "$clone/out/*.nupkg").Hash | Should -Be (Get-FileHash $package).Hash
    }

    It 'contains no path of the machine that built it' {
        if (-not (Confirm-Package)) { return }
        $folder = New-TestFolder
        $null = Expand-Package $folder
        $paths = @($root, $HOME) + @($env:CARGO_HOME | Where-Object { $_ })
        foreach ($file in Get-ChildItem $folder -Recurse -File) {
            # Byte by byte, as a text of Latin-1.
            $text = [IO.File]::ReadAllText($file, [Text.Encoding]::Latin1)
            foreach ($path in $paths) { $text.Contains("$path/") -or $text.Contains("$path\") | Should -BeFalse -Because "$file has $path in it" }
        }
    }

    It 'has Linux libraries for the glibc in the README and later versions' {
        if (-not (Confirm-Package)) { return }
        if (-not (Get-Command readelf -CommandType Application -ErrorAction Ignore)) { Set-ItResult -Skipped -Because 'readelf is not installed'; return }
        (Get-Content -Raw "$root/README.md").Contains("glibc $glibc") | Should -BeTrue -Because "the README says that glibc $glibc is needed"
        $folder = New-TestFolder
        $null = Expand-Package $folder
        foreach ($library in Get-Item "$folder/bin/linux-*/aws_sso.so") {
            $wanted = readelf --version-info --wide $library | Select-String 'Name: GLIBC_([\d.]+)' | ForEach-Object { [version] $_.Matches[0].Groups[1].Value } | Sort-Object -Unique
            $wanted | Should -Not -BeNullOrEmpty -Because $library
            $wanted[-1] | Should -BeLessOrEqual ([version] $glibc) -Because $library
        }
    }
}

Describe 'An installed module' {
    BeforeAll {
        if ($reason) { return }
        $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '1', '--interval', '1'
        # Windows takes the folder of a user's modules from the account and not from a variable, so that the module of whoever tests would be replaced.
        $reason = if ($IsWindows -and -not $env:GITHUB_ACTIONS) { 'it would be installed for the user who runs the tests' }
        if ($reason) { return }
        $gallery = New-TestFolder
        Copy-Item $package $gallery
        $userHome = New-UserHome
        Add-Environment $userHome $service -Count 3
        Add-Environment $userHome $service Beta -Count 1 -First 4
        $session = [Collections.Generic.List[string]]::new()

        # Runs lines in a PowerShell with nothing imported, as somebody would type them, and keeps both for the transcript.
        function Invoke-Line([string[]] $Line) {
            $script = ($Line | ForEach-Object { "'PS> $($_.Replace("'", "''"))'; $_" }) -join "`n"
            # With -Command progress would be written as text.
            $run = Invoke-Pwsh $userHome $service '-NoProfile', '-Command', "`$ProgressPreference = 'SilentlyContinue'`n$script"
            $session.Add("# a new PowerShell`n$("$($run.Text)`n$($run.ErrorText)".Trim())`n")
            $run
        }

        # What an AWS tool gets that starts the line of the exported profile as SDKs do: with a shell, as one argument.
        function Invoke-ExportedLine {
            $line = (Get-Content (Get-AwsPath $userHome config) | Select-String '^credential_process = (.+)$').Matches[0].Groups[1].Value
            $shell = if ($IsWindows) { 'cmd.exe', '/C' } else { 'sh', '-c' }
            Wait-UserProgram (Start-UserProgram (@($shell) + $line) (Get-UserVariable $userHome $service))
        }

        # The same module with another version.
        function New-Version([string] $Version) {
            $folder = "$(New-TestFolder)/Set-AwsCliSsoCredentials"
            $copy = Expand-Package $folder
            (Get-Content -Raw $copy) -replace "(?<=ModuleVersion\s*= )'[^']+'", "'$Version'" | Set-Content $copy
            foreach ($name in $ofNuGet) { Remove-Item -LiteralPath "$folder/$name" -Force }
            Compress-PSResource $folder $gallery
        }
        $version = (Import-PowerShellDataFile (Expand-Package (New-TestFolder))).ModuleVersion

        $installed = Invoke-Line "Register-PSResourceRepository -Name Local -Uri '$gallery' -Trusted", 'Install-PSResource Set-AwsCliSsoCredentials -Repository Local', 'Get-InstalledPSResource Set-AwsCliSsoCredentials | Format-Table Name, Version, Repository'
        $imported = Invoke-Line 'Import-Module Set-AwsCliSsoCredentials', '(Get-Module Set-AwsCliSsoCredentials).ModuleBase', '(Get-Help Update-SsoCredential).Synopsis', '(Get-SsoEnvironment).Name'
        $autoloaded = Invoke-Line 'Update-SsoCredential -Environment Acme -NoBrowser -NoQrCode', 'Update-SsoCredential -Environment Acme'
        $keys = Get-Credential $userHome
        $exported = Invoke-Line 'Export-SsoProfile Beta -As CredentialProcess'
        $lines = @{ Installed = Invoke-ExportedLine }

        # A shell that has the library loaded, and goes on when it is told.
        $go = Join-Path $userHome 'go'
        $old = Start-UserProgram (@(Get-PowerShell) + '-NoProfile', '-Command', "`$ProgressPreference = 'SilentlyContinue'; (Get-SsoEnvironment).Name; while (-not (Test-Path '$go')) { Start-Sleep -Milliseconds 50 }; Update-SsoCredential Acme -Force; `"old: `$((Get-Module Set-AwsCliSsoCredentials).Version)`"") (Get-UserVariable $userHome $service)
        $null = Wait-Line $old '^Acme$'
        $null = New-Version '99.0.0'
        $updated = Invoke-Line 'Update-PSResource Set-AwsCliSsoCredentials -Repository Local', "Update-SsoCredential Acme -ProfileName Account1 -Force", '(Get-Module Set-AwsCliSsoCredentials).Version.ToString()'
        $null = New-Item $go
        $oldEnd = Wait-UserProgram $old
        $session.Add("# the PowerShell that was there before the update`n$($oldEnd.Text)`n")
        $lines.Updated = Invoke-ExportedLine
        $exportedAgain = Invoke-Line 'Export-SsoProfile Beta -As CredentialProcess'
        $lines.ExportedAgain = Invoke-ExportedLine
        $removed = Invoke-Line 'Uninstall-PSResource Set-AwsCliSsoCredentials -Version *', 'Update-SsoCredential Acme'
        $lines.Uninstalled = Invoke-ExportedLine
        # The keys that the program kept, and the session.
        Remove-Item (Get-AwsPath $userHome sso/cache) -Recurse
        Get-ChildItem (Get-AwsPath $userHome sso) -Directory | Where-Object Name -NotIn bin, locks | Remove-Item -Recurse
        $lines.Ended = Invoke-ExportedLine
        Remove-Item (Get-AwsPath $userHome sso/bin/aws_sso.*)
        $lines.Orphaned = Invoke-ExportedLine
        $null = New-Item -ItemType Directory -Force "$root/out"
        Set-Content "$root/out/install-transcript.txt" $session
    }

    It 'installs from a repository with Install-PSResource' {
        if (-not (Confirm-Package)) { return }
        $installed.Text | Should -Match "Set-AwsCliSsoCredentials +$([regex]::Escape($version)) +Local"
        $installed.ErrorText | Should -BeNullOrEmpty
    }

    It 'imports by name, with its help and without a warning' {
        if (-not (Confirm-Package)) { return }
        $imported.Text | Should -Match "Set-AwsCliSsoCredentials.$([regex]::Escape($version))"
        $imported.Text | Should -Match 'Updates the credentials of AWS profiles'
        $imported.Text | Should -Match '(?m)^Acme$'
        "$($imported.Text) $($imported.ErrorText)" | Should -Not -Match 'WARNING|Exception'
    }

    It 'loads with the first command, which logs in once and writes the keys' {
        if (-not (Confirm-Package)) { return }
        $autoloaded.Text | Should -Match '(?m)^Log in to Acme \(\S+\): open'
        $autoloaded.Text | Should -Match '(?m)^Acme: 3 profiles fresh until '
        $autoloaded.Text | Should -Match '(?m)^Acme: 3 profiles, all fresh until '
        $autoloaded.ErrorText | Should -BeNullOrEmpty
        @($keys.Keys) | Should -Be 'Account1', 'Account2', 'Account3'
    }

    It 'can be updated while a PowerShell has the old version loaded, which keeps working' {
        if (-not (Confirm-Package)) { return }
        $updated.ErrorText | Should -BeNullOrEmpty
        $updated.Text | Should -Match '(?m)^99\.0\.0$'
        $updated.Text | Should -Match '(?m)^Acme: 1 profile fresh'
        $oldEnd.Text | Should -Match "(?m)^old: $([regex]::Escape($version))$"
        $oldEnd.Text | Should -Match '(?m)^Acme: 3 profiles(, all)? fresh'
        $oldEnd.ErrorText | Should -BeNullOrEmpty
    }

    It 'can be removed with Uninstall-PSResource, which does not change ~/.aws' {
        if (-not (Confirm-Package)) { return }
        "$($removed.Text) $($removed.ErrorText)" | Should -Match "The term 'Update-SsoCredential' is not recognized"
        Get-ChildItem $userHome -Recurse -Force -Filter AwsSso.dll | Should -BeNullOrEmpty
        @((Get-Credential $userHome).Keys) | Should -Be 'Account1', 'Account2', 'Account3'
    }

    It 'exports a credential_process line that gives keys after the module was installed, updated, used again and removed' {
        if (-not (Confirm-Package)) { return }
        $exported.ErrorText | Should -BeNullOrEmpty
        $exportedAgain.ErrorText | Should -BeNullOrEmpty
        foreach ($when in 'Installed', 'Updated', 'ExportedAgain', 'Uninstalled') {
            $lines[$when].ErrorText | Should -BeNullOrEmpty -Because $when
            ($lines[$when].Text | ConvertFrom-Json).AccountId | Should -Be (Get-AccountId 4) -Because $when
        }
    }

    It 'exports a credential_process line that says which module has the command to run, once the session or the program''s library is gone' {
        if (-not (Confirm-Package)) { return }
        foreach ($when in 'Ended', 'Orphaned') {
            $lines[$when].ExitCode | Should -Be 1
            $lines[$when].Text | Should -BeNullOrEmpty
            $lines[$when].ErrorText.Trim() | Should -Match '^sso-credential-process: .*(Connect-SsoSession|Export-SsoProfile).*PowerShell module Set-AwsCliSsoCredentials\.$'
        }
    }
}

Describe 'A module folder' {
    It 'can be read-only, with spaces and any characters in its path, and the module writes nothing to it' {
        if (-not (Confirm-Package)) { return }
        $service = Start-StandIn '--accounts', '2', '--approve-after-polls', '0'
        $userHome = New-UserHome
        Add-Environment $userHome $service -Count 2
        $folder = "$(New-TestFolder)/Größe 模块's [1]"
        $copy = Expand-Package $folder
        if (-not $IsWindows) { chmod -R a-w $folder }
        $look = { Get-ChildItem -LiteralPath $folder -Recurse -Force | ForEach-Object { "$_ $($_.LastWriteTimeUtc.Ticks)" } }
        $before = & $look
        $text = "Import-Module '$([WildcardPattern]::Escape($copy).Replace("'", "''"))' -ErrorAction Stop; (Get-Help Update-SsoCredential).Synopsis; Update-SsoCredential Acme -NoBrowser"
        $run = Invoke-Pwsh $userHome $service '-NoProfile', '-Command', $text
        if (-not $IsWindows) { chmod -R u+w $folder }
        $run.ErrorText | Should -BeNullOrEmpty
        $run.Text | Should -Match '(?m)^Acme: 2 profiles fresh'
        & $look | Should -Be $before
    }
}

Describe 'Another PowerShell' {
    It 'can be Windows PowerShell 5.1, which imports the module by name and updates' {
        if (-not (Confirm-Package)) { return }
        if (-not $IsWindows) { Set-ItResult -Skipped -Because 'Windows PowerShell is on Windows only'; return }
        $service = Start-StandIn '--accounts', '2', '--approve-after-polls', '0'
        $userHome = New-UserHome
        Add-Environment $userHome $service -Count 2
        $modules = New-TestFolder
        $null = Expand-Package "$modules/Set-AwsCliSsoCredentials"
        $variables = Get-UserVariable $userHome $service @{ PSModulePath = "$modules;$env:windir\System32\WindowsPowerShell\v1.0\Modules" }
        $text = "Import-Module Set-AwsCliSsoCredentials; `$PSVersionTable.PSVersion.ToString(2); Update-SsoCredential Acme -NoBrowser; Update-SsoCredential Acme"
        $run = Wait-UserProgram (Start-UserProgram ('powershell.exe', '-NoProfile', '-ExecutionPolicy', 'Bypass', '-Command', $text) $variables)
        $run.Text | Should -Match '(?m)^5\.1'
        $run.Text | Should -Match '(?m)^Acme: 2 profiles, all fresh'
    }
}
