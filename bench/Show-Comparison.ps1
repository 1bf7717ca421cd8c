<#
.SYNOPSIS
    Shows the comparison with other programs as a table in Markdown, and puts it into documents.
.DESCRIPTION
    `build.ps1 Bench` calls it for the README and docs/size-and-speed.md, so that their figures are those of bench/results.json.
.PARAMETER From
    The file with the benchmark's figures.
.PARAMETER Into
    The document whose table with the same first line is replaced. Without it, the table goes to the output.
.PARAMETER Detail
    Shows all numbers of profiles, processor time and memory, in place of the few columns for the README.
#>
#Requires -Version 7.4
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [string] $From,

    [string] $Into,

    [switch] $Detail
)

$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest

# As people say it: two digits, milliseconds below a tenth of a second.
function Format-Time([double] $Seconds) {
    $unit, $value = if ($Seconds -lt 0.1) { 'ms', ($Seconds * 1000) } else { 's', $Seconds }
    $digits = [Math]::Max(0, 1 - [int] [Math]::Floor([Math]::Log10($value)))
    "$([Math]::Round($value, $digits).ToString([Globalization.CultureInfo]::InvariantCulture)) $unit"
}

# The median of a figure that a run may not have.
function Get-Time([Collections.IDictionary] $Run, [string] $Name) {
    if ($Run -and $Run.Contains($Name)) { Format-Time $Run[$Name].median } else { '-' }
}

# One program in the README: with 100 profiles, or with those that it was measured with, and with 1,000.
function Get-ShortRow([object] $Program) {
    $usual = $Program.Group | Where-Object profiles -EQ 100
    $few = $usual ?? $Program.Group[-1]
    $most = $Program.Group | Where-Object profiles -EQ 1000
    $whole = if ($usual) { Get-Time $few cold_seconds } else { "$(Get-Time $few cold_seconds) for $($few.profiles)" }
    "| $(Get-Name $few) | $whole | $(Get-Time $few warm_seconds) | $(Get-Time $most cold_seconds) |"
}

function Get-Name([Collections.IDictionary] $Run) {
    ($Run.label -replace '\b(aws sso get-role-credentials|sso-credential-process|pwsh)\b', '`$1`') -replace '^t', 'T' -replace '^a (?=loop)', 'A '
}

function Get-DetailRow([Collections.IDictionary] $Run) {
    $memory = if ($Run.Contains('memory_mb')) { "$([Math]::Round($Run.memory_mb.median)) MB" } else { '-' }
    $version = if ($Run.version) { $Run.version } else { '-' }
    "| $(Get-Name $Run) | $version | $($Run.profiles.ToString('N0', [Globalization.CultureInfo]::InvariantCulture)) | $(Get-Time $Run cold_seconds) | $(Get-Time $Run warm_seconds) | $(Get-Time $Run cpu_seconds) | $memory |"
}

$results = Get-Content -Raw $From | ConvertFrom-Json -AsHashtable
if (-not $results.Contains('compared')) { throw "$From has no comparison. Run ./build.ps1 Bench." }
$programs = $results.compared | Group-Object { $_.label }
$table = if ($Detail) {
    '| Program | Version | Profiles | Whole program | Again in the same program | CPU time | Memory, peak |'
    '|---|---|---|---|---|---|---|'
    $results.compared | ForEach-Object { Get-DetailRow $_ }
}
else {
    '| Keys for all profiles | 100 profiles | Again in the same program | 1,000 profiles |'
    '|---|---|---|---|'
    # Group-Object sorts; the figures are in the order of the table.
    foreach ($label in $results.compared.label | Select-Object -Unique) { $programs | Where-Object Name -EQ $label | ForEach-Object { Get-ShortRow $_ } }
}
if (-not $Into) { return $table }

$text = Get-Content -Raw $Into
# The table with this first line ends at the first line that is not part of it.
$old = [regex]::new("(?m)^$([regex]::Escape($table[0]))\r?\n(?:\|.*\r?\n)*")
if ($old.Matches($text).Count -ne 1) { throw "$Into does not have exactly one table that begins with: $($table[0])" }
$new = ($table -join "`n") + "`n"
[IO.File]::WriteAllText((Resolve-Path $Into).Path, $old.Replace($text, [Text.RegularExpressions.MatchEvaluator] { $new }))
