<#
.SYNOPSIS
    Runs the scripts of tests in one PowerShell, each in a runspace of its own.
.DESCRIPTION
    Invoke-UserRunspace of StandIn.psm1 starts it and sends a line of JSON for each script. After a script, it writes the mark.
#>
param(
    # The name of the pipe with the lines. Standard input stays closed, as for other scripts of tests.
    [Parameter(Mandatory)] [string] $PipeName,
    # The line that ends the output of a script.
    [Parameter(Mandatory)] [string] $Mark
)

$resetEnvironment = Join-Path $PSScriptRoot '../build/Reset-Environment.ps1'
$pipe = [IO.Pipes.NamedPipeClientStream]::new('.', $PipeName, 'In')
$pipe.Connect(60000)
$reader = [IO.StreamReader]::new($pipe)
while ($null -ne ($line = $reader.ReadLine())) {
    $task = ConvertFrom-Json $line -AsHashtable
    & $resetEnvironment $task.Variables
    [Environment]::CurrentDirectory = $task.Variables.HOME

    $runspace = [runspacefactory]::CreateRunspace($Host, [initialsessionstate]::CreateDefault2())
    try {
        $runspace.Open()
        $shell = [powershell]::Create($runspace)
        $null = $shell.AddCommand($task.Script, $false)
        $shell.Commands.Commands[0].MergeMyResults('Error', 'Output')
        $null = $shell.AddCommand('Out-Default').Invoke()
    }
    catch { [Console]::Error.WriteLine("$_") }
    finally { $runspace.Dispose() }
    [Console]::Out.WriteLine($Mark)
}
