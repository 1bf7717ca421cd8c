<#
.SYNOPSIS
    Gives this process these environment variables and no others.
.DESCRIPTION
    For processes that run one thing after the other in the same surroundings: files of tests, and scripts of tests.
#>
param([Parameter(Mandatory)] [Collections.IDictionary] $Variables)

foreach ($name in [Environment]::GetEnvironmentVariables().Keys) {
    # $null would become an empty text, which is a value.
    if (-not $Variables.Contains($name)) { [Environment]::SetEnvironmentVariable($name, [NullString]::Value) }
}
foreach ($name in $Variables.Keys) { [Environment]::SetEnvironmentVariable($name, $Variables[$name]) }
