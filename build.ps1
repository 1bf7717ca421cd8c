<#
.SYNOPSIS
    Builds, tests, measures and shows the module Set-AwsCliSsoCredentials.
.DESCRIPTION
    The one door to everything that is made here. It needs cargo (https://rustup.rs), the .NET SDK and PowerShell 7.4 or later;
    build.sh brings the last two where they are missing, and takes the same words.

    Build     the native library and the module, into bin/ and en-US/; afterwards this folder itself can be imported
    Test      everything: format, lints, cargo's tests, and the built module in PowerShell (Pester); its last line counts them
    Demo      a first update and a second one against a loopback Identity Center, in a home folder of its own
    Generate  the C header and the C# declarations of the boundary, from native/ffi/src/lib.rs
    Bench     what an update takes beside the script that the module replaces: a table, bench/results.json and bench/plot.svg, in about ten minutes
    Pack      the package for the PowerShell gallery and a zip, into out/, with the libraries of all platforms that are in bin/; the variable PROJECT_URI has the address of the repository
    Publish   the package in out/, to a repository that PowerShell knows; the variable PSGALLERY_API_KEY has the key
.PARAMETER Task
    What to do; Build where nothing is said.
.PARAMETER Configuration
    With Build: Debug compiles the native library without optimization, in seconds instead of minutes, for the tests of a change. The default is Release.
.PARAMETER Full
    With Test: all of the counts of the long tests, where the ordinary run takes a tenth. With Pack: an error where the library of a platform is missing.
.PARAMETER On
    With Test: runs one group of long tests alone, which otherwise only -Full runs. Bench is the benchmark at its smallest, Package packs the module and installs it.
.PARAMETER Package
    With Test: the package, or the folder that it is in, whose module is tested in place of the one that this folder would build. Nothing but Pester's tests runs.
.PARAMETER Repository
    With Publish: the repository, as Get-PSResourceRepository shows it.
.EXAMPLE
    ./build.ps1
    Builds the module. Import-Module ./Set-AwsCliSsoCredentials.psd1 then works.
.EXAMPLE
    ./build.ps1 -Configuration Debug
    Builds the module for tests after a change. Invoke-Pester tests/Login.Tests.ps1 then tests what changed.
.EXAMPLE
    ./build.ps1 Test
    Runs all tests. The last line says how many passed and failed.
.EXAMPLE
    ./build.ps1 Test -On Package
    Packs the module, and runs the tests of the package alone.
.EXAMPLE
    ./build.ps1 Demo
    Shows an update from an empty folder to fresh credentials, without AWS.
.EXAMPLE
    ./build.ps1 Bench
    Measures everything in one run. No figure makes it fail, only a wrong result.
.EXAMPLE
    ./build.ps1 Generate
    Renews what is generated, after a change of the boundary or of Cargo.lock.
.EXAMPLE
    ./build.ps1 Pack
    Builds the module and packs it. Packs of one commit are equal to the byte.
.EXAMPLE
    ./build.ps1 Test -Package out/Set-AwsCliSsoCredentials.0.1.0.nupkg
    Tests what users will install.
.EXAMPLE
    ./build.ps1 Publish -Repository PSGallery
    Publishes the package of the checked-out tag.
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

    [ValidateSet('Bench', 'Package')]
    [string] $On,

    [string] $Package,

    [string] $Repository = 'PSGallery'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false
Set-StrictMode -Version Latest
$env:DOTNET_CLI_TELEMETRY_OPTOUT = $env:DOTNET_NOLOGO = $env:POWERSHELL_TELEMETRY_OPTOUT = '1'

foreach ($part in 'Native', 'Test', 'Package') { . "$PSScriptRoot/build/$part.ps1" }

# So that a test can load the functions without running a task.
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
    # The sentence alone: where in this script it was thrown helps nobody.
    [Console]::Error.WriteLine("build.ps1: $_")
    exit 1
}
finally {
    Pop-Location
}
