<#
.SYNOPSIS
    Runs one file of Pester tests and writes its counts as JSON.
.DESCRIPTION
    build.ps1 Test starts it in a new PowerShell for each file: the tests replace what is loaded, and files run side by side.
#>
[CmdletBinding()]
param(
    # The file with the tests.
    [Parameter(Mandatory)] [string] $Path,
    # The file for the counts. It stays empty if the run does not reach its end.
    [Parameter(Mandatory)] [string] $Result
)

Import-Module Pester -MinimumVersion 5.5 -ErrorAction Stop
$configuration = [PesterConfiguration] @{
    Run    = @{ Path = $Path; PassThru = $true }
    Output = @{ Verbosity = 'Normal'; RenderMode = 'Plaintext' }
}
$run = Invoke-Pester -Configuration $configuration
# Nobody counts the tests of a block or a file that could not run.
$failed = $run.FailedCount + $run.FailedBlocksCount + $run.FailedContainersCount
@{ Passed = $run.PassedCount; Failed = $failed; Skipped = $run.SkippedCount + $run.NotRunCount } | ConvertTo-Json | Set-Content $Result
