# Figures: how they are kept over the rounds, written to the file, and shown.

# Figure -> its values in the rounds.
$seen = [ordered] @{}

# What was left out: way -> reason.
$leftOut = [ordered] @{}

# The sentence of an error in one line, without what follows of a long one.
function Get-Reason([object] $Fault) {
    $text = ("$Fault" -replace '\s+', ' ').Trim()
    if ($text.Length -gt 300) { $text.Substring(0, 300) + ' ...' } else { $text }
}

function Add-Figure([string] $Name, [double] $Value) {
    if (-not $seen.Contains($Name)) { $seen[$Name] = [Collections.Generic.List[double]]::new() }
    $seen[$Name].Add($Value)
}

# From name and value by turns.
function Add-FigurePair([object[]] $Pairs, [string] $Prefix = '') {
    for ($index = 0; $index -lt $Pairs.Count; $index += 2) { Add-Figure "$Prefix$($Pairs[$index])" $Pairs[$index + 1] }
}

# Median, minimum, and maximum of a figure, with three significant digits.
function Get-Figure([string] $Name) {
    if (-not $seen.Contains($Name)) { throw "'$Name' was not measured." }
    $sorted = @($seen[$Name] | Sort-Object)
    $middle = [Math]::Floor($sorted.Count / 2)
    $median = if ($sorted.Count % 2) { $sorted[$middle] } else { ($sorted[$middle - 1] + $sorted[$middle]) / 2 }
    [ordered] @{ median = Get-Rounded $median; min = Get-Rounded $sorted[0]; max = Get-Rounded $sorted[-1] }
}

function Get-Rounded([double] $Value) {
    if ($Value -eq 0) { return 0.0 }
    [Math]::Round($Value, [Math]::Max(0, 2 - [int] [Math]::Floor([Math]::Log10([Math]::Abs($Value)))))
}

function Get-Target([string] $Words, [bool] $IsMet) {
    [ordered] @{ words = $Words; met = $IsMet }
}

function Format-Number([double] $Value) { Get-Rounded $Value | ForEach-Object ToString ([Globalization.CultureInfo]::InvariantCulture) }

# One row of the table.
function Get-Row([string] $Part, [string] $Figure, [object] $Measured, [string] $Unit, [string] $Ratio = '', [object] $Target) {
    if ($Measured -isnot [Collections.IDictionary]) { $Measured = @{ median = $Measured; min = $Measured; max = $Measured } }
    [pscustomobject] @{
        Part = $Part; Figure = $Figure; Median = "$(Format-Number $Measured.median) $Unit"; Min = Format-Number $Measured.min; Max = Format-Number $Measured.max; Ratio = $Ratio
        Target = if ($Target) { "$($Target.words): $(if ($Target.met) { 'met' } else { 'missed' })" }
    }
}
