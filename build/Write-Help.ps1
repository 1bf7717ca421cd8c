<#
.SYNOPSIS
    Writes the help that Get-Help reads from the texts in module/Help/ and from the cmdlets themselves.
.DESCRIPTION
    module/Help/<cmdlet>.md has what a person has to say; types, aliases, positions and the syntax are taken from the assembly, so that they are true.
    A parameter that a cmdlet's file does not describe is described in module/Help/Common.md.
#>
[CmdletBinding()]
param(
    # The built assembly.
    [Parameter(Mandatory)] [string] $Assembly,
    # The folder that the help is written to.
    [Parameter(Mandatory)] [string] $Destination,
    # The address of the repository, for Get-Help -Online; without it there is no online help.
    [string] $ProjectUri = $env:PROJECT_URI
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$maml, $command, $dev = 'http://schemas.microsoft.com/maml/2004/10', 'http://schemas.microsoft.com/maml/dev/command/2004/10', 'http://schemas.microsoft.com/maml/dev/2004/10'

# A file's paragraphs by the headings above them: '' is what stands before the first; '## A' then '### B' is 'A/B'. Code is one paragraph.
function Read-Text([string] $Path) {
    $sections = [ordered] @{ '' = [Collections.Generic.List[string]]::new() }
    $heading = $place = ''
    $blocks = [regex]::Matches([IO.File]::ReadAllText($Path), '(?ms)^```powershell\r?\n(?<code>.*?)\r?\n```$|^(?<level>##?#?) (?<title>[^\r\n]+)$|^(?<text>(?:(?!\r?\n\r?\n|^```|^#).)+)')
    foreach ($block in $blocks) {
        if ($block.Groups['level'].Success) {
            $title = $block.Groups['title'].Value
            switch ($block.Groups['level'].Value) {
                '#' { continue }
                '##' { $heading = $place = $title }
                '###' { $place = "$heading/$title" }
            }
            if (-not $sections.Contains($place)) { $sections[$place] = [Collections.Generic.List[string]]::new() }
        }
        elseif ($block.Groups['code'].Success) { $sections[$place].Add($block.Groups['code'].Value) }
        elseif ($block.Groups['text'].Value.Trim()) { $sections[$place].Add(($block.Groups['text'].Value.Trim() -replace '\r?\n', ' ')) }
    }
    $sections
}

function Get-Below([Collections.Specialized.OrderedDictionary] $Text, [string] $Heading) {
    $Text.Keys | Where-Object { $_.StartsWith("$Heading/") } | ForEach-Object { $_.Substring($Heading.Length + 1) }
}

function Write-Element([string] $Prefix, [string] $Name, [scriptblock] $Content, [Collections.IDictionary] $Attribute = @{}) {
    $writer.WriteStartElement($Prefix, $Name, @{ maml = $maml; command = $command; dev = $dev }[$Prefix])
    foreach ($pair in $Attribute.GetEnumerator()) { $writer.WriteAttributeString($pair.Key, $pair.Value) }
    $null = & $Content
    $writer.WriteEndElement()
}

function Write-Value([string] $Prefix, [string] $Name, [string] $Value) {
    Write-Element $Prefix $Name { $writer.WriteString($Value) }
}

function Write-Paragraph([string] $Prefix, [string] $Name, [string[]] $Paragraph) {
    Write-Element $Prefix $Name { foreach ($text in $Paragraph) { Write-Value maml para $text } }
}

function Write-Parameter([Management.Automation.CommandParameterInfo] $Parameter, [Management.Automation.CmdletInfo] $Cmdlet) {
    $described = @($texts[$Cmdlet.Name], $common | Where-Object { $_.Contains("Parameters/$($Parameter.Name)") } | Select-Object -First 1)
    if (-not $described) { throw "module/Help/$($Cmdlet.Name).md does not describe -$($Parameter.Name), and neither does module/Help/Common.md." }
    $paragraphs = $described[0]["Parameters/$($Parameter.Name)"]
    $default = "$($paragraphs | Where-Object { $_ -like 'Default: *' })" -replace '^Default: '
    $isSwitch = $Parameter.ParameterType -eq [switch]
    $type = ([Nullable]::GetUnderlyingType($Parameter.ParameterType) ?? $Parameter.ParameterType).Name
    $pipeline = @(if ($Parameter.ValueFromPipelineByPropertyName) { 'ByPropertyName' } if ($Parameter.ValueFromPipeline) { 'ByValue' })
    $attribute = [ordered] @{
        required = "$($Parameter.IsMandatory)".ToLowerInvariant()
        variableLength = "$($Parameter.ParameterType.IsArray)".ToLowerInvariant()
        globbing = "$([bool] ($Parameter.Attributes | Where-Object { $_ -is [SupportsWildcards] }))".ToLowerInvariant()
        pipelineInput = if ($pipeline) { "True ($($pipeline -join ', '))" } else { 'False' }
        position = if ($Parameter.Position -ge 0) { "$($Parameter.Position)" } else { 'named' }
        aliases = if ($Parameter.Aliases) { $Parameter.Aliases -join ', ' } else { 'none' }
    }
    Write-Element command parameter -Attribute $attribute {
        Write-Value maml name $Parameter.Name
        Write-Paragraph maml description @($paragraphs | Where-Object { $_ -notlike 'Default: *' })
        if (-not $isSwitch) {
            Write-Element command parameterValue -Attribute ([ordered] @{ required = 'true'; variableLength = $attribute.variableLength }) { $writer.WriteString($type) }
        }
        Write-Element dev type { Write-Value maml name $type; Write-Element maml uri { } }
        Write-Value dev defaultValue $(if ($default) { $default } elseif ($isSwitch) { 'False' } else { 'None' })
    }
}

function Write-Type([string] $Heading, [string] $Group, [string] $Each, [Collections.Specialized.OrderedDictionary] $Text) {
    Write-Element command $Group {
        foreach ($type in Get-Below $Text $Heading) {
            Write-Element command $Each {
                Write-Element dev type { Write-Value maml name $type }
                Write-Paragraph maml description $Text["$Heading/$type"]
            }
        }
    }
}

function Write-Cmdlet([Management.Automation.CmdletInfo] $Cmdlet) {
    $text = $texts[$Cmdlet.Name]
    $usual = [Management.Automation.Cmdlet]::CommonParameters
    Write-Element command command {
        Write-Element command details {
            Write-Value command name $Cmdlet.Name
            Write-Value command verb $Cmdlet.Verb
            Write-Value command noun $Cmdlet.Noun
            Write-Paragraph maml description $text[''][0]
        }
        Write-Paragraph maml description ($text[''] | Select-Object -Skip 1)
        Write-Element command syntax {
            foreach ($set in $Cmdlet.ParameterSets) {
                Write-Element command syntaxItem {
                    Write-Value maml name $Cmdlet.Name
                    foreach ($parameter in $set.Parameters | Where-Object Name -NotIn $usual) { Write-Parameter $parameter $Cmdlet }
                }
            }
        }
        Write-Element command parameters {
            $all = $Cmdlet.ParameterSets.Parameters | Where-Object Name -NotIn $usual | Group-Object Name | ForEach-Object { $_.Group[0] }
            $unknown = Get-Below $text Parameters | Where-Object { $_ -notin $all.Name }
            if ($unknown) { throw "module/Help/$($Cmdlet.Name).md describes -$unknown, which there is not." }
            foreach ($parameter in $all) { Write-Parameter $parameter $Cmdlet }
        }
        Write-Type Input inputTypes inputType $text
        Write-Type Output returnValues returnValue $text
        if ($text.Contains('Notes')) { Write-Element maml alertSet { Write-Paragraph maml alert $text['Notes'] } }
        Write-Element command examples {
            $number = 0
            foreach ($title in Get-Below $text Examples) {
                $number++
                Write-Element command example {
                    Write-Value maml title "Example ${number}: $title"
                    Write-Value dev code $text["Examples/$title"][0]
                    Write-Paragraph dev remarks ($text["Examples/$title"] | Select-Object -Skip 1)
                }
            }
        }
        Write-Element command relatedLinks {
            # The first link with an address is the one that Get-Help -Online opens.
            if ($ProjectUri) {
                Write-Element maml navigationLink { Write-Value maml linkText 'Online Version:'; Write-Value maml uri "$ProjectUri/blob/v$version/module/Help/$($Cmdlet.Name).md" }
            }
            foreach ($link in "$($text['Links'])" -split ', ') {
                Write-Element maml navigationLink { Write-Value maml linkText $link; Write-Element maml uri { } }
            }
        }
    }
}

$version = (Import-PowerShellDataFile (Join-Path $PSScriptRoot '../Set-AwsCliSsoCredentials.psd1')).ModuleVersion
$module = Import-Module (Resolve-Path $Assembly).Path -PassThru
$help = Join-Path (Split-Path $PSScriptRoot) module Help
$common = Read-Text (Join-Path $help Common.md)
$texts = @{}
$cmdlets = @($module.ExportedCmdlets.Values | Sort-Object Name)
foreach ($cmdlet in $cmdlets) { $texts[$cmdlet.Name] = Read-Text (Join-Path $help "$($cmdlet.Name).md") }
$null = New-Item -ItemType Directory -Force $Destination
$settings = [Xml.XmlWriterSettings] @{ Indent = $true; NewLineChars = "`n"; Encoding = [Text.UTF8Encoding]::new($false) }
$writer = [Xml.XmlWriter]::Create((Join-Path (Resolve-Path $Destination) 'AwsSso.dll-Help.xml'), $settings)
try {
    $writer.WriteStartElement('helpItems', 'http://msh')
    $writer.WriteAttributeString('schema', 'maml')
    foreach ($cmdlet in $cmdlets) { Write-Cmdlet $cmdlet }
    $writer.WriteEndElement()
}
finally { $writer.Dispose() }
Copy-Item (Join-Path $help about_*.help.txt) $Destination
