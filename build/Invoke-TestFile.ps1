<#
.SYNOPSIS
    Runs files of Pester tests and writes the counts of each as JSON.
.DESCRIPTION
    build.ps1 Test starts several of these side by side and sends each a line of JSON for a file: its Path, the Result file for the counts, which
    stays empty if the file does not reach its end, and the Mark to write after its output. Files share a process because loading Pester takes seconds.
#>
Import-Module Pester -MinimumVersion 5.5 -ErrorAction Stop
$folder = Get-Location
$variables = [Environment]::GetEnvironmentVariables()

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $task = ConvertFrom-Json $line
    $run = Invoke-Pester -Configuration ([PesterConfiguration] @{
            Run    = @{ Path = $task.Path; PassThru = $true }
            Output = @{ Verbosity = 'Normal'; RenderMode = 'Plaintext' }
        })
    # Nobody counts the tests of a block or a file that could not run.
    $failed = $run.FailedCount + $run.FailedBlocksCount + $run.FailedContainersCount
    @{ Passed = $run.PassedCount; Failed = $failed; Skipped = $run.SkippedCount + $run.NotRunCount } | ConvertTo-Json | Set-Content $task.Result

    # The next file starts in the same surroundings.
    Set-Location $folder
    & "$PSScriptRoot/Reset-Environment.ps1" $variables
    [Console]::Out.WriteLine($task.Mark)
}
