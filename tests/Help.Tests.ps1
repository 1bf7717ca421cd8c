# Each example of the help and of the README runs without an error in a home folder that has what it needs.

BeforeDiscovery {
    $root = Split-Path $PSScriptRoot
    $sources = @(Get-ChildItem "$root/module/Help/*-*.md") + (Get-Item "$root/README.md")
    $examples = foreach ($source in $sources) {
        $text = Get-Content -Raw $source
        # Blocks of PowerShell, and in the README the commands of its tables.
        $codes = @([regex]::Matches($text, '(?ms)^```powershell\r?\n(.*?)^```') | ForEach-Object { $_.Groups[1].Value.Trim() })
        if ($source.Name -eq 'README.md') {
            $rows = [regex]::Matches($text, '(?ms)^\| to do \| command \|\r?\n(.*?)\r?\n\r?\n') | ForEach-Object { $_.Groups[1].Value -split '\r?\n' } | Where-Object { $_ -notlike '|---*' }
            $codes += @($rows | ForEach-Object { [regex]::Matches(($_ -split '(?<!\\)\|')[2], '`([^`]+)`') } | ForEach-Object { $_.Groups[1].Value.Replace('\|', '|') } | Where-Object { $_ -match '^[A-Z$]' -and $_ -cnotmatch '^CI$' })
        }
        $number = 0
        $codes | ForEach-Object { $number++; @{ Name = "$($source.BaseName) $number"; Code = $_ } }
    }
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '12', '--approve-after-polls', '0'
    $other = Start-StandIn '--accounts', '12', '--approve-after-polls', '0'

    # The module has to be found by its name.
    $modules = New-TestFolder
    $null = New-Item -ItemType SymbolicLink -Path (Join-Path $modules Set-AwsCliSsoCredentials) -Target (Split-Path $PSScriptRoot)

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
'@) @{ PSModulePath = $modules + [IO.Path]::PathSeparator + $env:PSModulePath })
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
    Clear-StandIn
}

Describe 'The examples' -ForEach @{ Examples = $examples } {
    BeforeAll {
        $errors = Invoke-Example @(foreach ($example in $Examples) {
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
        $errors.Keys | Should -Contain $Name
        $errors[$Name] | Should -BeNullOrEmpty
    }
}
