# What programs with a real AWS SDK get while a PowerShell serves them its keys. The SDK for Rust has its own test in native/core/tests/sdk.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    # Different keys that a program waits for, so that six of them expire; and programs that ask at the same time.
    $different, $clients = 7, 200
    $service = Start-StandIn '--accounts', '2', '--approve-after-polls', '0', '--credential-lifetime', '12'
    $userHome = New-LoggedInHome $service -Count 2
    # What a user may have, and what must not win.
    foreach ($file in 'config', 'credentials') { Add-AwsText $userHome $file "[default]`naws_access_key_id = AKIAMINE`naws_secret_access_key = mine`n" }

    # The command line of each SDK's program, or why it cannot run here.
    $python = Get-BotoPython
    $node = Get-NodeSdk
    $dotnet = Get-DotNetSdk
    $programs = @{
        Python     = @{ Missing = $python.Missing; Command = $python.Python, (Join-Path $PSScriptRoot sdk/endpoint_keys.py) }
        JavaScript = @{ Missing = $node.Missing; Command = $node.Program, (Join-Path $PSScriptRoot sdk/endpoint_keys.mjs), $node.Folder }
        '.NET'     = @{ Missing = $dotnet.Missing; Command = @(Get-PowerShell) + '-NoProfile', '-File', (Join-Path $PSScriptRoot sdk/EndpointKeys.ps1), $dotnet.Folder }
    }

    # A PowerShell that serves keys until the file `go` is there, and tells what a program gets from it as variables.
    $go, $told = (Join-Path $userHome go), (Join-Path $userHome told.json)
    $owner = Start-UserPowerShell $userHome $service @"
        Use-SsoCredential Account1 -AsEndpoint -Quiet
        `$variables = @{}
        Get-ChildItem Env: | Where-Object Name -Match '^(AWS_.*|NO_PROXY)$' | ForEach-Object { `$variables[`$_.Name] = `$_.Value }
        [IO.File]::WriteAllText('$told.new', (ConvertTo-Json `$variables))
        Move-Item '$told.new' '$told'
        while (-not (Test-Path '$go')) { Start-Sleep -Milliseconds 100 }
"@
    while (-not (Test-Path $told)) {
        if ($owner.Process.HasExited) { throw "The endpoint did not start: $((Wait-UserProgram $owner) | Out-String)" }
        Start-Sleep -Milliseconds 100
    }
    $variables = Get-UserVariable $userHome $service (Get-Content -Raw $told | ConvertFrom-Json -AsHashtable)
    $variables.PYTHONDONTWRITEBYTECODE = '1'
    # Another place to look for keys, which would make a program wait that found none.
    $variables.AWS_EC2_METADATA_DISABLED = 'true'
    $running = @{}
    foreach ($name in $programs.Keys) {
        if (-not $programs[$name].Missing) { $running[$name] = Start-UserProgram ($programs[$name].Command + "$different", "$clients") $variables }
    }
    $failed = 0
    if ($running.Count) {
        # In the middle, renewals fail until two did; the keys before are good for some seconds more.
        Wait-StandIn $service { $_.requests.GetRoleCredentials -ge 3 } 60
        Set-StandIn $service @{ fail = 'GetRoleCredentials:all:500' }
        $before = Get-RequestCount $service GetRoleCredentials
        Wait-StandIn $service { $_.requests.GetRoleCredentials -ge $before + 2 } 60
        Set-StandIn $service @{ clear = $true }
        $failed = (Get-RequestCount $service GetRoleCredentials) - $before
    }
    $ended = @{}
    foreach ($name in $running.Keys) { $ended[$name] = Wait-UserProgram $running[$name] }
    $null = New-Item $go
    $served = Wait-UserProgram $owner
}

AfterAll {
    Clear-StandIn
}

Describe 'The AWS SDK for <_>' -ForEach 'Python', 'JavaScript', '.NET' {
    It 'gets good keys from the endpoint while six expire, while a renewal fails, and for 200 programs at once, whatever [default] has' {
        if ($programs[$_].Missing) { Set-ItResult -Skipped -Because $programs[$_].Missing; return }
        $run = $ended[$_]
        $run.ExitCode | Should -Be 0 -Because $run.ErrorText
        $found = $run.Text | ConvertFrom-Json
        $found.Problems | Should -BeNullOrEmpty
        $found.Seen | Should -BeGreaterOrEqual $different
        $found.Together | Should -Be $clients
        $failed | Should -BeGreaterOrEqual 2
        $served.Errors | Should -BeNullOrEmpty
    }
}

Describe 'The AWS SDK for .NET in the PowerShell of the endpoint' {
    It 'turns to another account when the user does' {
        if ($dotnet.Missing) { Set-ItResult -Skipped -Because $dotnet.Missing; return }
        $run = Invoke-UserPowerShell $userHome $service @"
            Add-Type -Path '$($dotnet.Folder)/AWSSDK.Core.dll'
            foreach (`$name in 'Account1', 'Account2', 'Account1') {
                Use-SsoCredential `$name -AsEndpoint -Quiet
                [Amazon.Runtime.Credentials.DefaultAWSCredentialsIdentityResolver]::GetCredentials().GetCredentials().AccountId
            }
"@ @{ AWS_EC2_METADATA_DISABLED = 'true' }
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be '100000000000', '100000000001', '100000000000'
    }
}
