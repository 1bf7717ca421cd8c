<#
.SYNOPSIS
    Builds, tests, measures and shows the module Set-AwsCliSsoCredentials.
.DESCRIPTION
    This script is the entry point for all development tasks. It needs cargo (https://rustup.rs), the .NET SDK, and PowerShell 7.4 or later.
    build.sh takes the same arguments and downloads the .NET SDK and PowerShell if they are missing.

    Build     Builds the native library and the module into bin/ and en-US/. You can then import this folder as a module.
    Test      Checks formatting and lints, and runs the tests of cargo and Pester. The last line counts them.
    Demo      Shows a first and a second update with a local Identity Center, in a temporary home folder.
    Generate  Generates the C header, the C# declarations and classes, the examples of requests and events, and the third-party notices.
    Bench     Compares the module with boto3, the AWS SDK for JavaScript, yawsso, the AWS CLI, and the script that it replaces, and measures its parts.
              It takes about twelve minutes and writes bench/results.json, bench/plot.svg, and the tables of the README and docs/size-and-speed.md.
    Pack      Creates the package for the PowerShell Gallery and a zip file in out/, with the libraries of all platforms that are in bin/
              and, on Linux, those that zig can link (docs/package.md). The variable PROJECT_URI contains the address of the repository.
    Publish   Publishes the package in out/ to a registered repository. The variable PSGALLERY_API_KEY contains the key.
.PARAMETER Task
    The task to run. The default is Build.
.PARAMETER Configuration
    With Build: Debug compiles the native library without optimization, in seconds instead of minutes, to test a change. The default is Release.
.PARAMETER Full
    With Test: runs the long tests, too, and repeats the counted tests ten times as often. With Pack: fails if the library of a platform is missing.
.PARAMETER On
    With Test: runs one group of long tests and nothing else. Bench runs the smallest benchmark. Package packs, installs, updates and removes the module.
    windows and linux-arm64 run the tests for these systems under Wine and qemu, with the tool in the variable SSO_CROSS.
.PARAMETER Package
    With Test: the package to test, or the folder that contains it. Only the Pester tests run, with the module of the package.
.PARAMETER Repository
    With Publish: the name of the repository, as Get-PSResourceRepository shows it. The default is PSGallery.
.EXAMPLE
    ./build.ps1
    Builds the module. Import-Module ./Set-AwsCliSsoCredentials.psd1 then imports it.
.EXAMPLE
    ./build.ps1 -Configuration Debug
    Builds the module to test a change. Invoke-Pester tests/Login.Tests.ps1 then runs one file of tests.
.EXAMPLE
    ./build.ps1 Test
    Runs the tests. The last line says how many passed, failed and were skipped.
.EXAMPLE
    ./build.ps1 Test -On Package
    Packs the module and tests the package.
.EXAMPLE
    ./build.ps1 Demo
    Shows an update from an empty home folder to fresh credentials, without AWS.
.EXAMPLE
    ./build.ps1 Bench
    Runs all measurements. Only a wrong result makes it fail, never a figure.
.EXAMPLE
    ./build.ps1 Generate
    Updates the generated files after a change of the native interface, the protocol, or Cargo.lock.
.EXAMPLE
    ./build.ps1 Pack
    Builds and packs the module. Packages of the same commit are identical byte for byte.
.EXAMPLE
    ./build.ps1 Test -Package out/Set-AwsCliSsoCredentials.0.1.0.nupkg
    Tests the package that users install.
.EXAMPLE
    ./build.ps1 Publish -Repository PSGallery
    Publishes the package of the tag that is checked out.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Demo', 'Bench', 'Generate', 'Pack', 'Publish')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release',

    [switch] $Full,

    [ValidateSet('Bench', 'Package', 'windows', 'linux-arm64')]
    [string] $On,

    [string] $Package,

    [string] $Repository = 'PSGallery'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
Set-StrictMode -Version Latest
$env:DOTNET_CLI_TELEMETRY_OPTOUT = $env:DOTNET_NOLOGO = $env:POWERSHELL_TELEMETRY_OPTOUT = '1'

foreach ($part in 'Native', 'Test', 'Package', 'Cross') { . "$PSScriptRoot/build/$part.ps1" }

# A test that dot-sources this script gets the functions and runs no task.
if ($MyInvocation.InvocationName -eq '.') { return }

Push-Location $PSScriptRoot
try {
    switch ($Task) {
        'Build' { Invoke-Build $Configuration }
        'Test' { Invoke-Test -Full:$Full -On $On -Package $Package }
        'Demo' { Invoke-Demo }
        'Generate' { Invoke-Generate }
        'Bench' { Invoke-Bench }
        'Pack' { Invoke-Pack -Full:$Full }
        'Publish' { Invoke-Publish $Repository }
    }
}
catch {
    # Only the message: its position in this script helps nobody.
    [Console]::Error.WriteLine("build.ps1: $_")
    exit 1
}
finally {
    Pop-Location
}
