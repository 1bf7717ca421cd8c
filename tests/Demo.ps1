<#
.SYNOPSIS
    What `build.ps1 Demo` shows: a first update, and a second one with nothing due, in a home folder that is thrown away.
#>
param([Parameter(Mandatory)][string] $Root, [Parameter(Mandatory)][string] $StartUrl)

$ErrorActionPreference = 'Stop'

# Shows a command as at a prompt, then runs it.
function Step([string] $Line) {
    Write-Host "`nPS> $Line" -ForegroundColor Cyan
    $watch = [Diagnostics.Stopwatch]::StartNew()
    Invoke-Expression $Line | Out-Host
    Write-Host ('({0:n2} s)' -f $watch.Elapsed.TotalSeconds) -ForegroundColor DarkGray
}

Import-Module "$Root/Set-AwsCliSsoCredentials.psd1"
$accounts = 1..20 | ForEach-Object { @{ Profile = "Account$_"; AccountId = [string] (100000000000 + $_ - 1) } }
Step "Set-SsoEnvironment -Name Acme -StartUrl $StartUrl -Region us-west-2 -DefaultRoleName AWSAdministratorAccess -Account `$accounts"
Step 'Get-SsoEnvironment Acme'
Step 'Update-SsoCredential -Environment Acme -NoBrowser -PassThru'
$hidden = '(?<=^aws_access_key_id = .{4}).*|(?<=^aws_(secret_access_key|session_token) = ).*'
Step 'Get-Content ~/.aws/credentials -TotalCount 14 | ForEach-Object { $_ -replace $hidden, "****" }'
Step 'Update-SsoCredential -Environment Acme'
