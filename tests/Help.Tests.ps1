# Each example of the help, of docs/ and of the README runs without an error in a home folder that has what it needs.

BeforeDiscovery {
    $root = Split-Path $PSScriptRoot
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    Import-Module (Join-Path $PSScriptRoot 'SessionBus.psm1') -Force
    $noStore = Get-MissingKeyring
    $examples = foreach ($source in Get-ChildItem "$root/module/Help/*-*.md", "$root/docs/*.md") {
        $text = Get-Content -Raw $source
        # Blocks of PowerShell, and in docs/ the commands of its tables.
        $codes = @([regex]::Matches($text, '(?ms)^```powershell\r?\n(.*?)^```') | ForEach-Object { $_.Groups[1].Value.Trim() }) + @(Read-CommandTable $text)
        $number = 0
        # What needs a secret store runs with one of the tests' own, never with the user's.
        $codes | ForEach-Object { $number++; @{ Name = "$($source.BaseName) $number"; Code = $_; Skipped = [bool] ($noStore -and $_ -match 'System') } }
    }
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    Import-Module (Join-Path $PSScriptRoot 'SessionBus.psm1') -Force
    $noStore = Get-MissingKeyring
    $store = if ($noStore) { @{} } else { (Start-SessionBus -Keyring).Variable }
    $service = Start-StandIn '--accounts', '12', '--approve-after-polls', '0'
    $other = Start-StandIn '--accounts', '12', '--approve-after-polls', '0'

    # The AWS CLI of the examples: a program that only succeeds.
    $programs = New-TestFolder
    if ($IsWindows) { Set-Content "$programs/aws.cmd" '@exit /b 0' } else { Set-Content "$programs/aws" "#!/bin/sh`nexit 0"; chmod +x "$programs/aws" }
    $path = $programs + [IO.Path]::PathSeparator + $env:PATH

    # The module has to be found by its name.
    $modules = New-ModuleFolder

    # A user's home folder: an environment with keys, a session of the AWS CLI, a copy of the script, and files of a colleague's.
    $template = New-UserHome
    Add-AwsText $template config "[sso-session my-sso]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`n`n[profile cli]`nsso_session = my-sso`nsso_account_id = $(Get-AccountId 5)`nsso_role_name = AWSReadOnlyAccess`n"
    Add-Environment $template $service Acme -Count 4
    $prepared = Invoke-UserPowerShell $template $service 'Update-SsoCredential Acme -ProfileName Account1, Account2 -NoBrowser -NoQrCode; Export-SsoEnvironment Acme -Path ./team.json'
    "Profile,AccountId,RoleName`nAccount1,$(Get-AccountId 1),AWSReadOnlyAccess" | Set-Content (Join-Path $template accounts.csv)
    $null = New-Item -ItemType Directory (Join-Path $template sso-scripts)
    foreach ($place in 'Set-AwsCliSsoCredentials.ps1', 'sso-scripts/Set-AwsCliSsoCredentials.ps1') {
        Copy-Item (Get-ChildItem "$PSScriptRoot/scripts/*.ps1" | Sort-Object Name | Select-Object -First 1) (Join-Path $template $place)
    }

    # Runs each example in a home folder and a runspace of its own, all in one PowerShell, and returns the errors of each by its name.
    function Invoke-Example([hashtable[]] $Example) {
        $list = Join-Path (New-TestFolder) examples.json
        ConvertTo-Json -InputObject $Example | Set-Content $list
        $run = Wait-UserProgram -Seconds 300 (Start-UserPowerShell (New-UserHome) $null ("`$list = '$list'`n" + @'
            foreach ($example in Get-Content -Raw $list | ConvertFrom-Json) {
                Remove-Item env:AWS_*
                $env:HOME = $env:USERPROFILE = [Environment]::CurrentDirectory = $example.Home
                $env:AWS_ENDPOINT_URL_SSO = $env:AWS_ENDPOINT_URL_SSO_OIDC = $example.Url
                $shell = [powershell]::Create()
                $shell.Runspace = [runspacefactory]::CreateRunspace($Host)
                $shell.Runspace.Open()
                $null = $shell.AddScript({
                    param([string] $code, [string] $manifest, [string] $userHome)
                    (Get-PSProvider FileSystem).Home = $userHome
                    Set-Variable HOME $userHome -Force
                    Set-Location $userHome
                    Import-Module $manifest -ErrorAction Stop
                    $Error.Clear()
                    try { $null = . ([scriptblock]::Create($code)) } catch { }
                    $Error | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { "$($_.FullyQualifiedErrorId): $_" }
                }.ToString()).AddArgument($example.Code).AddArgument($manifest).AddArgument($example.Home)
                @{ Name = $example.Name; Errors = @($shell.Invoke()) }
                $shell.Runspace.Dispose()
            }
'@) ($store + @{ PSModulePath = $modules + [IO.Path]::PathSeparator + $env:PSModulePath; PATH = $path }))
        $errors = @{}
        foreach ($example in $run.Output) { $errors[$example.Name] = $example.Errors }
        $errors
    }

    function New-Reader([string] $Code) {
        $path = New-TestFolder
        Get-ChildItem $template -Force | Copy-Item -Destination $path -Recurse -Force
        # Who imports a script does not have its environment yet.
        if ($Code -match '^Import-SsoEnvironment|\| Import-SsoEnvironment|Import-SsoEnvironment ~') { Remove-Item (Get-AwsPath $path sso-environments) }
        $path
    }
}

AfterAll {
    Clear-SessionBus
    Clear-StandIn
}

Describe 'The README' {
    It 'has commands for daily use that work as typed, one after the other, after those of its first use' {
        $readme = Get-Content -Raw (Join-Path $PSScriptRoot '../README.md')
        $first = [regex]::Match($readme, '(?ms)^## First use$.*?^```powershell\r?\n(.*?)^```').Groups[1].Value.Trim() -split '\r?\n'
        $daily = @(Read-CommandTable ([regex]::Match($readme, '(?ms)^## Daily use$.*?(?=^## )').Value))
        if ($noStore) { $daily = @($daily -notmatch '-TokenCache System') }
        $first.Count, $daily.Count | ForEach-Object { $_ | Should -BeGreaterThan 2 }
        $userHome = New-TestFolder
        $lines = Invoke-UserLine $userHome $other (@("Set-Location '$userHome'; `$env:PATH = '$path'") + $first + $daily) $store
        $lines | ForEach-Object { foreach ($sentence in $_.Sentences) { "$($_.Line): $sentence" } } | Should -BeNullOrEmpty
        # The profiles that daily use names are those that first use makes.
        $lines.Said -match 'no (environment|profile|account|role) matches' | Should -BeNullOrEmpty
    }
}

Describe 'The examples' -ForEach @{ Examples = $examples } {
    BeforeAll {
        $errors = Invoke-Example @(foreach ($example in $Examples | Where-Object { -not $_.Skipped }) {
            @{
                Name = $example.Name
                # Nobody can answer a question.
                Code = $example.Code -replace ' -Confirm\b'
                Home = New-Reader $example.Code
                # A session that is ended is ended for every example.
                Url  = ($example.Code -match 'Disconnect-SsoSession' ? $other : $service).Url
            }
        })
    }

    It 'have a home folder with what they need' {
        $prepared.Errors | Should -BeNullOrEmpty
    }

    It 'run as written: <Name>' -ForEach $examples {
        if ($Skipped) { Set-ItResult -Skipped -Because "$noStore, and it needs a secret store"; return }
        $errors.Keys | Should -Contain $Name
        $errors[$Name] | Should -BeNullOrEmpty
    }
}

Describe 'The online help' {
    BeforeAll {
        $root = Split-Path $PSScriptRoot
        $writer = (Get-Item "$root/*/Write-Help.ps1").FullName

        # The first address among the links of each cmdlet, which Get-Help -Online opens.
        function Get-OnlineUri([string] $ProjectUri) {
            $folder = New-TestFolder
            $powershell = @(Get-PowerShell)
            $null = & $powershell[0] @($powershell | Select-Object -Skip 1) -NoProfile -NonInteractive -File $writer (Join-Path (Split-Path $manifest) bin/AwsSso.dll) $folder -ProjectUri $ProjectUri
            $help = [xml] (Get-Content -Raw "$folder/AwsSso.dll-Help.xml")
            foreach ($command in $help.helpItems.command) { @{ Name = $command.details.name; Uri = $command.relatedLinks.navigationLink.uri | Where-Object { $_ } | Select-Object -First 1 } }
        }
    }

    It 'is the page of each cmdlet in the repository whose address is given, of the version of the module' {
        $version = (Import-PowerShellDataFile $manifest).ModuleVersion
        $links = @(Get-OnlineUri 'https://git.example.com/acme/module')
        $links.Count | Should -BeGreaterThan 15
        foreach ($link in $links) {
            $link.Uri | Should -Be "https://git.example.com/acme/module/blob/v$version/module/Help/$($link.Name).md"
            "$root/module/Help/$($link.Name).md" | Should -Exist
        }
    }

    It 'is not there where no address is given' {
        (Get-OnlineUri '').Uri | Should -BeNullOrEmpty
    }
}
