<#
.SYNOPSIS
    Makes the screenshots of the README: types into a PowerShell in tmux, against a loopback Identity Center, and saves the screen as SVG.
.DESCRIPTION
    Needs tmux and a Python with rich (pip install rich). Run it after ./build.ps1.
#>
param([string] $Python = 'python3')

$ErrorActionPreference = 'Stop'
$root = Split-Path $PSScriptRoot
Import-Module "$root/tests/StandIn.psm1" -Force
$width, $height = 120, 40

# Draws the text of a terminal with its colors, without a font from the network.
$draw = @'
import re, sys
from rich.console import Console
from rich.text import Text
lines = sys.stdin.read().rstrip("\n")
console = Console(record=True, width=int(sys.argv[2]), file=open("/dev/null", "w"), force_terminal=True)
console.print(Text.from_ansi(lines), soft_wrap=False)
svg = console.export_svg(title=sys.argv[3])
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S).replace("Fira Code", "Cascadia Mono, Menlo, DejaVu Sans Mono")
open(sys.argv[1], "w").write(re.sub(r"terminal-\d+", "terminal", svg) + "\n")
'@

function Invoke-Tmux { tmux -L screens @args }

# Types each line when the prompt is back, and saves the screen.
function Save-Screen([string] $Name, [string] $Title, [hashtable] $Variables, [string[]] $Line) {
    $clear = $Variables.Keys | ForEach-Object { "$_=$($Variables[$_])" }
    $shell = @(Get-PowerShell)
    $start = "Remove-Module PSReadLine; function prompt { 'PS> ' }; Import-Module '$root/Set-AwsCliSsoCredentials.psd1'; Clear-Host"
    Invoke-Tmux new-session -d -s screen -x $width -y $height env -i @clear TERM=xterm-256color @shell -NoLogo -NoProfile -NoExit -Command $start
    try {
        foreach ($text in $Line) {
            Wait-Prompt
            Invoke-Tmux send-keys -t screen -l $text
            Invoke-Tmux send-keys -t screen Enter
            Start-Sleep -Milliseconds 500
        }
        Wait-Prompt
        $shown = (Invoke-Tmux capture-pane -t screen -p -e) -join "`n"
    }
    finally { Invoke-Tmux kill-session -t screen }
    # Without the last prompt.
    $shown.TrimEnd() -replace '\nPS> ?(\e\[[\d;]*m)*$' | & $Python -c $draw "$PSScriptRoot/$Name.svg" $width $Title
}

function Wait-Prompt {
    foreach ($try in 1..300) {
        $last = "$(Invoke-Tmux capture-pane -t screen -p | Where-Object { $_.Trim() } | Select-Object -Last 1)"
        if ($last.Trim() -eq 'PS>') { return }
        Start-Sleep -Milliseconds 100
    }
    throw 'The prompt did not appear.'
}

$standIn = Start-StandIn '--accounts', '20', '--roles', '2', '--approve-after-polls', '3', '--interval', '1'
try {
    $variables = Get-UserVariable (New-UserHome) $standIn
    $variables.Remove('NO_COLOR')
    Save-Screen first-login 'A first login' $variables @(
        "Set-SsoEnvironment Acme -StartUrl $($standIn.StartUrl) -Region us-west-2"
        'Sync-SsoProfile Acme -NoQrCode'
        'Update-SsoCredential -Environment Acme'
        'Get-SsoCredential | Select-Object -First 4'
    )
    Set-StandIn $standIn @{ refuse_role = @("$(Get-AccountId 7):AWSReadOnlyAccess") }
    Save-Screen daily-use 'Daily use' $variables @(
        'Update-SsoCredential -Environment Acme'
        'Get-SsoSession Acme'
        'Update-SsoCredential Acme -Force'
        'Use-SsoCredential Account2-AWSReadOnlyAccess'
    )
}
finally { Clear-StandIn }
