# What a user gets from Import-Module alone, in PowerShells with a home folder that the test throws away.

BeforeDiscovery {
    $commands = 'Add-SsoProfile', 'Connect-SsoSession', 'Disconnect-SsoSession', 'Export-SsoEnvironment', 'Export-SsoProfile', 'Get-SsoAccount', 'Get-SsoCredential',
        'Get-SsoCredentialRefresh', 'Get-SsoEnvironment', 'Get-SsoProfile', 'Get-SsoPromptText', 'Get-SsoRole', 'Get-SsoSession', 'Import-SsoEnvironment',
        'Invoke-SsoCommand', 'Open-SsoConsole', 'Remove-SsoEnvironment', 'Remove-SsoProfile', 'Rename-SsoProfile', 'Set-SsoEnvironment',
        'Start-SsoCredentialRefresh', 'Stop-SsoCredentialRefresh', 'Sync-SsoProfile', 'Update-SsoCredential', 'Use-SsoCredential'
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $import = "Import-Module '$($manifest.Replace("'", "''"))' -ErrorAction Stop;"

    # Runs the script in a fresh PowerShell with nothing imported, and gives the lines that it writes. $Through comes before pwsh on the command line.
    function Invoke-Fresh([string] $Script, [string[]] $Through = @()) {
        $encoded = [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes("`$ProgressPreference = 'SilentlyContinue'; $Script"))
        (Invoke-Pwsh $userHome $null '-NoProfile', '-NonInteractive', '-EncodedCommand', $encoded -Through $Through).Text -split "`n"
    }

    $userHome = New-UserHome
    Add-AwsText $userHome credentials "[default]`naws_access_key_id = AKIAEXAMPLE`n"

    $facts = Invoke-Fresh ($import + @'
        $commands = Get-Command -Module Set-AwsCliSsoCredentials -CommandType Cmdlet
        @{
            Commands = @($commands | ForEach-Object { "$($_.CommandType) $($_.Name)" })
            Unapproved = @($commands | Where-Object Verb -NotIn (Get-Verb).Verb | ForEach-Object Name)
            Others = @(Get-Command -Module Set-AwsCliSsoCredentials | Where-Object CommandType -NE Cmdlet | ForEach-Object { "$($_.CommandType) $($_.Name) $($_.Definition)" })
            Variables = (Get-Module Set-AwsCliSsoCredentials).ExportedVariables.Count
            Version = "$((Get-Module Set-AwsCliSsoCredentials).Version)"
            AssemblyVersion = [Reflection.AssemblyName]::GetAssemblyName((Get-Command Update-SsoCredential).DLL).Version.ToString(3)
            Help = @($commands | ForEach-Object {
                $help = Get-Help $_.Name -Full
                @{
                    Name = $_.Name
                    Synopsis = $help.Synopsis
                    Description = "$($help.description.Text)"
                    Examples = @($help.examples.example | ForEach-Object { @{ Code = "$($_.code)"; Remarks = "$($_.remarks.Text)" } })
                    Parameters = @($_.Parameters.Values | Where-Object Name -NotIn ([Management.Automation.Cmdlet]::CommonParameters) | ForEach-Object {
                        $name = $_.Name
                        $described = $help.parameters.parameter | Where-Object name -EQ $name
                        @{
                            Name = $name
                            Description = "$($described.description.Text)"
                            Aliases = @($_.Aliases | Sort-Object) -join ', '
                            HelpAliases = @(($described.aliases -split ', ' -ne 'none') | Sort-Object) -join ', '
                            Type = $_.ParameterType.Name -replace '^Nullable`1$', $_.ParameterType.GenericTypeArguments.Name
                            HelpType = "$($described.type.name)"
                        }
                    })
                    Unknown = @($help.parameters.parameter.name | Where-Object { $_ -notin $commands.Where({ $_.Name -eq $help.Name }).Parameters.Keys })
                }
            })
        } | ConvertTo-Json -Depth 6
'@) | Out-String | ConvertFrom-Json
}

AfterAll {
    Clear-StandIn
}

Describe 'Import-Module' {
    It 'exports these cmdlets, an alias with the name of the script, and nothing else' -TestCases @{ Commands = $commands } {
        $facts.Commands | Should -Be @($Commands | ForEach-Object { "Cmdlet $_" })
        $facts.Others | Should -Be 'Alias Set-AwsCliSsoCredentials Update-SsoCredential'
        $facts.Variables | Should -Be 0
    }

    It 'exports only cmdlets with approved verbs' {
        $facts.Unapproved | Should -BeNullOrEmpty
    }

    It 'has the version of the manifest' {
        $facts.AssemblyVersion | Should -Be $facts.Version
    }

    It 'is refused in one sentence by a PowerShell older than 5.1' {
        (Import-PowerShellDataFile $manifest).PowerShellVersion | Should -Be '5.1'
        # This PowerShell is as old to a module that needs version 99.
        $copy = Join-Path (New-TestFolder) Set-AwsCliSsoCredentials.psd1
        (Get-Content -Raw $manifest) -replace "(?<=PowerShellVersion\s*= )'5.1'", "'99.0'" | Set-Content $copy
        $run = Invoke-Pwsh $userHome $null '-NoProfile', '-NonInteractive', '-Command', "Import-Module '$copy'"
        $run.ErrorText -replace '\s+\|?\s*', ' ' | Should -Match "The module '.*' requires a minimum PowerShell version of '99\.0'"
    }

    It 'loads no native library; the first command does' -Skip:(-not $IsLinux) {
        $count = Invoke-Fresh ($import + @'
            @(Select-String -Path /proc/self/maps -Pattern 'aws_sso\.so').Count
            $null = Get-SsoEnvironment -ErrorAction Ignore
            @(Select-String -Path /proc/self/maps -Pattern 'aws_sso\.so').Count
'@)
        [int] $count[0] | Should -Be 0
        [int] $count[1] | Should -BeGreaterThan 0
    }

    It 'opens no file in ~/.aws and no internet socket' {
        if (-not (Get-Command strace -CommandType Application -ErrorAction Ignore)) {
            Set-ItResult -Skipped -Because 'strace is not installed'
            return
        }

        function Get-Trace([string] $Script) {
            $file = Join-Path $userHome 'trace'
            $through = 'strace', '-f', '-qq', '-s', '4096', '-e', 'trace=openat,connect,socket', '-o', $file
            Invoke-Fresh "$Script 'done'" -Through $through | Should -Be 'done'
            Get-Content $file
        }

        # PowerShell itself asks the system for a socket of each kind when it starts, to see which there are.
        $alone = Get-Trace ''
        $calls = Get-Trace $import

        # The trace is one of the right process: it has the module's own file in it.
        $calls -match 'AwsSso\.dll' | Should -Not -BeNullOrEmpty
        $calls -match ([regex]::Escape((Join-Path $userHome '.aws')) + '["/]') | Should -BeNullOrEmpty
        @($calls -match 'socket\(AF_INET').Count | Should -Be @($alone -match 'socket\(AF_INET').Count
        $calls -match 'connect\(.*AF_INET' | Should -BeNullOrEmpty
    }
}

Describe 'Import-Module from a folder' {
    BeforeAll {
        # The module as it is installed, below a folder with this name.
        function Copy-Module([string] $Name) {
            $folder = Join-Path (New-TestFolder) $Name Set-AwsCliSsoCredentials
            $null = New-Item -ItemType Directory $folder -Force
            foreach ($file in 'Set-AwsCliSsoCredentials.psd1', 'bin', 'en-US') {
                Copy-Item (Join-Path (Split-Path $manifest) $file) -Destination $folder -Recurse
            }
            $folder
        }

        # Imports the module of the folder, runs a command and shows a text of the help.
        function Invoke-From([string] $Folder) {
            $path = [WildcardPattern]::Escape("$Folder/Set-AwsCliSsoCredentials.psd1".Replace('/', [IO.Path]::DirectorySeparatorChar)).Replace("'", "''")
            Invoke-Pwsh $stored $null '-NoProfile', '-NonInteractive', '-Command', "Import-Module '$path' -ErrorAction Stop; (Get-SsoEnvironment).Name; (Get-Help Update-SsoCredential).Synopsis"
        }

        $stored = New-UserHome
        Add-AwsText $stored sso-environments "[environment Acme]`nsso_start_url = https://example.com/start`nsso_region = us-west-2`n"
        $works = '^Acme\nUpdates the credentials of AWS profiles'
    }

    It 'works with <Name> in the path' -ForEach @(
        @{ Name = 'blanks'; Folder = 'My  PowerShell modules' }
        @{ Name = 'characters that mean something to PowerShell'; Folder = 'Acme''s [1] $modules & more' }
        @{ Name = 'letters of other languages'; Folder = 'Größe 模块' }
    ) {
        $run = Invoke-From (Copy-Module $Folder)
        $run.ErrorText, $run.ExitCode | Should -Be '', 0
        $run.Text | Should -Match $works
    }

    It 'works by a network path' -Skip:(-not $IsWindows) {
        $folder = Copy-Module modules
        # Wine has no share, but a path of this kind to the files of its host.
        $path = "\\localhost\$($folder[0])`$$($folder.Substring(2))", "\\?\unix$env:WINEPREFIX\drive_c$($folder.Substring(2))".Replace('/', '\') |
            Where-Object { Test-Path -LiteralPath $_ } | Select-Object -First 1
        if (-not $path) {
            Set-ItResult -Skipped -Because 'the share of the drive for administrators cannot be reached'
            return
        }
        $run = Invoke-From $path
        $run.ErrorText, $run.ExitCode | Should -Be '', 0
        $run.Text | Should -Match $works
    }
}

Describe 'Get-Help <_>' -ForEach $commands {
    BeforeAll {
        $help = $facts.Help | Where-Object Name -EQ $_
    }

    It 'describes the command' {
        $help.Synopsis | Should -Match '^[A-Z].*\.$'
        $help.Description.Length | Should -BeGreaterThan 60
    }

    It 'has at least two examples, each with an explanation' {
        $help.Examples.Count | Should -BeGreaterOrEqual 2
        $help.Examples | Where-Object { -not $_.Code -or -not $_.Remarks } | Should -BeNullOrEmpty
    }

    It 'describes exactly the parameters of the command, with types and aliases' {
        $help.Parameters | Where-Object { -not $_.Description } | ForEach-Object Name | Should -BeNullOrEmpty
        $help.Parameters | Where-Object { $_.Aliases -ne $_.HelpAliases -or $_.Type -ne $_.HelpType } | ForEach-Object Name | Should -BeNullOrEmpty
        $help.Unknown | Should -BeNullOrEmpty
    }
}

Describe 'Get-Help about_*' {
    It 'explains environments and sessions' {
        $texts = Invoke-Fresh ($import + "'SsoEnvironments', 'SsoSessions' | ForEach-Object { (Get-Help about_`$_ | Out-String) -replace '\s+', ' ' }")
        $texts[0] | Should -Match 'about_SsoEnvironments SHORT DESCRIPTION .*\{AccountName:lower\}'
        $texts[1] | Should -Match 'about_SsoSessions SHORT DESCRIPTION .*-LoginMethod Pkce'
    }
}
