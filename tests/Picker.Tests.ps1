# What a user gets from Use-SsoCredential without a name: something to pick a profile from, and never where nobody could answer.

BeforeDiscovery {
    $noTmux = -not (Get-Command tmux -CommandType Application -ErrorAction Ignore)
}

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--accounts', '4', '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Count 3 -Credential

    # The picker's classes, without a terminal: New-Row, New-Model, New-Layout, Get-Line.
    $classes = @'
        $assembly = (Get-Command Use-SsoCredential).ImplementingType.Assembly
        $any = [Reflection.BindingFlags] 'Instance, Static, NonPublic, Public'
        function New-Of([string] $Class, [object[]] $Arguments) { , $assembly.GetType("AwsSso.Commands.$Class").GetConstructors($any)[0].Invoke($Arguments) }
        function Get-Of([object] $Object, [string] $Name) { $Object.GetType().GetProperty($Name, $any).GetValue($Object) }
        function Invoke-Of([object] $Object, [string] $Name, [object[]] $Arguments) { , $Object.GetType().GetMethod($Name, $any).Invoke($Object, $Arguments) }
        function Invoke-Static([string] $Class, [string] $Name, [object[]] $Arguments) { , $assembly.GetType("AwsSso.Commands.$Class").GetMethod($Name, $any).Invoke($null, $Arguments) }
        function New-Rows([object[]] $Cells) {
            $type = $assembly.GetType('AwsSso.Commands.PickerRow')
            $rows = [Array]::CreateInstance($type, $Cells.Count)
            for ($i = 0; $i -lt $Cells.Count; $i++) { $rows[$i] = New-Of PickerRow @($null, [string[]] $Cells[$i]) }
            , $rows
        }
        function Get-Cells([object] $Model) { @(Get-Of $Model Shown | ForEach-Object { @(Get-Of $_ Cells)[0] }) -join ' ' }
        function Get-Choice([object] $Model) { $row = Get-Of $Model Choice; if ($row) { @(Get-Of $row Cells)[0] } }
'@
    function Invoke-Class([string] $Script) {
        $result = Invoke-UserRunspace $loggedIn $null ($classes + "`n" + $Script)
        $result.Errors.Message | Should -BeNullOrEmpty
        $result.Output
    }
}

AfterAll {
    Clear-StandIn
}

Describe 'The rows of a picker' {
    It 'are those that have all words of the filter, in any of their columns and in any case' {
        $output = Invoke-Class @'
            $model = New-Of PickerModel @(, (New-Rows @(('prod-Admin', '0:59 left', '100000000001', 'Payments'), ('dev-Admin', 'expired', '100000000002', 'Payments'), ('prod.Read', '', '200000000003', 'Search[1]'))))
            $null = Invoke-Of $model set_Height 10
            foreach ($filter in '', 'PROD', 'payments exp', '  admin   1000 ', 'd.r', '.*', '[1]', 'left', 'nothing') { $null = Invoke-Of $model FilterBy $filter; "$filter>$(Get-Cells $model)" }
            [bool] (Get-Choice $model)
'@
        $output | Should -Be '>prod-Admin dev-Admin prod.Read', 'PROD>prod-Admin prod.Read', 'payments exp>dev-Admin', '  admin   1000 >prod-Admin dev-Admin', 'd.r>prod.Read', '.*>', '[1]>prod.Read', 'left>prod-Admin', 'nothing>', $false
    }

    It 'keep the selected one selected and on the screen, however a user moves and types' {
        $output = Invoke-Class @'
            $model = New-Of PickerModel @(, (New-Rows (1..20 | ForEach-Object { , @("row$_") })))
            $null = Invoke-Of $model set_Height 3
            Get-Choice $model
            foreach ($by in 2, 1, -1, 100, -1, -100, [int]::MaxValue, [int]::MinValue) { $null = Invoke-Of $model Move $by; "$(Get-Choice $model): $(Get-Cells $model)" }
            $null = Invoke-Of $model Move 11; $null = Invoke-Of $model Type '2'; "$(Get-Choice $model): $(Get-Cells $model)"
            $null = Invoke-Of $model Type '0'; "$(Get-Choice $model): $(Get-Cells $model)"
            $null = Invoke-Of $model Type 'x'; "$(Get-Choice $model): $(Get-Cells $model)"; $null = Invoke-Of $model Move 1; Get-Of $model Selected
            $null = Invoke-Of $model Erase; "$(Get-Choice $model): $(Get-Cells $model)"
            1..5 | ForEach-Object { $null = Invoke-Of $model Erase }; "[$(Get-Of $model Filter)] $(Get-Cells $model)"
            $null = Invoke-Of $model Type "a$([char]::ConvertFromUtf32(0x1F600))"; $null = Invoke-Of $model Erase; Get-Of $model Filter
'@
        $output | Should -Be @(
            'row1', 'row3: row1 row2 row3', 'row4: row2 row3 row4', 'row3: row2 row3 row4', 'row20: row18 row19 row20', 'row19: row18 row19 row20', 'row1: row1 row2 row3', 'row20: row18 row19 row20', 'row1: row1 row2 row3'
            'row12: row2 row12 row20', 'row20: row20', ': ', 0, 'row20: row20', '[] row18 row19 row20', 'a'
        )
    }

    It 'show no character that a terminal acts on, and no half of one' {
        $output = Invoke-Class @'
            $bad = "a$([char] 27)[31mb$([char] 0x202e)c$([char] 0x2066)d`ne`tf$([char] 0x200b)g$([char] 0x9b)h$([char] 0xd83d)i$([char] 0xde00)$([char] 0xd83d)$([char] 0xde00)"
            $rows = New-Rows @(, @($bad, $bad))
            $layout = New-Of PickerLayout @(, $rows)
            $model = New-Of PickerModel @(, $rows)
            $null = Invoke-Of $model FilterBy $bad
            Invoke-Of $layout RowLine @($rows[0], $true, 80)
            Invoke-Of $layout FilterLine @($model, 80)
'@
        $output.Count | Should -Be 2
        foreach ($line in $output) {
            $line | Should -Not -Match '[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]'
            $line | Should -Match 'a.\[31mb.c.d.e.f.g.h.i'
            $line | Should -Match ([char]::ConvertFromUtf32(0x1F600))
            { [Text.UTF8Encoding]::new($false, $true).GetBytes($line) } | Should -Not -Throw
        }
    }

    It 'are cut by the cells that they take, at any width of the screen' {
        $output = Invoke-Class @'
            $rows = New-Rows @(("$([char] 0x65e5)$([char] 0x672c)$([char] 0x8a9e)-production-environment", '0:59 left', '100000000001', "e$([char] 0x301)clair", 'AWSAdministratorAccess'), ('short', '', '100000000002', ([char]::ConvertFromUtf32(0x1F600) * 20), 'R'))
            $layout = New-Of PickerLayout @(, $rows)
            $model = New-Of PickerModel @(, $rows)
            $null = Invoke-Of $model FilterBy ([string] [char] 0x65e5)
            foreach ($width in 1..130) {
                foreach ($line in (Invoke-Of $layout RowLine @($rows[0], $true, $width)), (Invoke-Of $layout RowLine @($rows[1], $false, $width)), (Invoke-Of $layout FilterLine @($model, $width)), (Invoke-Of $layout HelpLine @($model, $width))) {
                    $cells = Invoke-Static CellWidth Of $line
                    if ($cells -gt $width) { "$width $line" }
                }
            }
            foreach ($cells in 0..8) { $fit = Invoke-Static CellWidth Fit @("$([char] 0x65e5)$([char] 0x672c)e$([char] 0x301)x", $cells); "$cells $(Invoke-Static CellWidth Of $fit)" }
            # On a narrow screen, the name keeps more than the rest.
            (Invoke-Of $layout RowLine @($rows[0], $true, 60)) -match 'production'
            # Both names, and the columns in line.
            $one, $other = (Invoke-Of $layout RowLine @($rows[0], $true, 130)), (Invoke-Of $layout RowLine @($rows[1], $false, 130))
            (Invoke-Static CellWidth Of ($one -replace '100000000001.*')) -eq (Invoke-Static CellWidth Of ($other -replace '100000000002.*'))
'@
        $output | Should -Be (@(0..8 | ForEach-Object { "$_ $_" }) + $true + $true)
    }
}

Describe 'A numbered list' {
    BeforeAll {
        # A program with a host of its own, whose user types lines, and which has no keys.
        $assembly = Join-Path (New-TestFolder) 'Lines.dll'
        Add-Type -OutputAssembly $assembly -TypeDefinition @'
using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

public class NoKeys : PSHostRawUserInterface
{
    public override ConsoleColor BackgroundColor { get; set; }
    public override ConsoleColor ForegroundColor { get; set; }
    public override Size BufferSize { get; set; }
    public override Coordinates CursorPosition { get; set; }
    public override int CursorSize { get; set; }
    public override bool KeyAvailable { get { return false; } }
    public override Size MaxPhysicalWindowSize { get { return new Size(80, 25); } }
    public override Size MaxWindowSize { get { return new Size(80, 25); } }
    public override Coordinates WindowPosition { get; set; }
    public override Size WindowSize { get { return new Size(80, 25); } set { } }
    public override string WindowTitle { get; set; }
    public override void FlushInputBuffer() { }
    public override BufferCell[,] GetBufferContents(Rectangle rectangle) { throw new NotImplementedException(); }
    public override KeyInfo ReadKey(ReadKeyOptions options) { throw new NotImplementedException(); }
    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) { }
    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) { }
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) { }
}

public class LineInterface : PSHostUserInterface
{
    public static readonly List<string> Shown = new List<string>();
    public static readonly Queue<string> Answers = new Queue<string>();
    public static int Asked;
    private readonly PSHostRawUserInterface raw = new NoKeys();
    public override PSHostRawUserInterface RawUI { get { return raw; } }
    public override string ReadLine() { Asked++; return Answers.Count == 0 ? null : Answers.Dequeue(); }
    public override SecureString ReadLineAsSecureString() { throw new NotImplementedException(); }
    public override void Write(string value) { Shown.Add(value); }
    public override void Write(ConsoleColor foreground, ConsoleColor background, string value) { Shown.Add(value); }
    public override void WriteLine(string value) { Shown.Add(value); }
    public override void WriteErrorLine(string value) { Shown.Add(value); }
    public override void WriteDebugLine(string value) { }
    public override void WriteVerboseLine(string value) { }
    public override void WriteWarningLine(string value) { Shown.Add(value); }
    public override void WriteProgress(long source, ProgressRecord record) { }
    public override Dictionary<string, PSObject> Prompt(string a, string b, Collection<FieldDescription> c) { throw new NotImplementedException(); }
    public override PSCredential PromptForCredential(string a, string b, string c, string d) { throw new NotImplementedException(); }
    public override PSCredential PromptForCredential(string a, string b, string c, string d, PSCredentialTypes e, PSCredentialUIOptions f) { throw new NotImplementedException(); }
    public override int PromptForChoice(string a, string b, Collection<ChoiceDescription> c, int d) { throw new NotImplementedException(); }
}

public class LineHost : PSHost
{
    private readonly Guid id = Guid.NewGuid();
    private readonly PSHostUserInterface ui = new LineInterface();
    public override string Name { get { return "Windows PowerShell ISE Host"; } }
    public override Version Version { get { return new Version(1, 0); } }
    public override Guid InstanceId { get { return id; } }
    public override PSHostUserInterface UI { get { return ui; } }
    public override CultureInfo CurrentCulture { get { return CultureInfo.InvariantCulture; } }
    public override CultureInfo CurrentUICulture { get { return CultureInfo.InvariantCulture; } }
    public override void SetShouldExit(int exitCode) { }
    public override void EnterNestedPrompt() { }
    public override void ExitNestedPrompt() { }
    public override void NotifyBeginApplication() { }
    public override void NotifyEndApplication() { }
}
'@
        $throughLines = "Add-Type -Path '$assembly'`n" + @'
function Invoke-InLines([string] $Script, [string[]] $Answer) {
    [LineInterface]::Shown.Clear(); [LineInterface]::Answers.Clear(); [LineInterface]::Asked = 0
    foreach ($line in $Answer) { [LineInterface]::Answers.Enqueue($line) }
    $runspace = [runspacefactory]::CreateRunspace([LineHost]::new())
    $runspace.Open()
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    $null = $shell.AddScript("Import-Module '$manifest'; $Script; Use-SsoCredential -Clear")
    try { $output = @($shell.Invoke()) } catch { $output = @(); $fault = $_.Exception.InnerException }
    [pscustomobject] @{ Output = $output; Asked = [LineInterface]::Asked; Shown = [LineInterface]::Shown -join "`n"; Fault = "$($fault.ErrorRecord.FullyQualifiedErrorId)"; Errors = @($shell.Streams.Error | ForEach-Object { "$($_.FullyQualifiedErrorId)" }) }
    $runspace.Dispose()
}

'@
        function Invoke-Lines([string] $Script, [string[]] $Answer, [string] $Own = (New-UserHome $loggedIn), [hashtable] $Variable = @{}) {
            $words = ($Answer | ForEach-Object { "'$_'" }) -join ', '
            (Invoke-UserRunspace $Own $service ($throughLines + "Invoke-InLines '$($Script.Replace("'", "''"))' @($words)") $Variable).Output[0]
        }
    }

    It 'is shown where the host has no keys: <What>' -TestCases @(
        @{ What = 'a number'; Answer = , '2'; Expected = 'Account2' }
        @{ What = 'text, then a number'; Answer = 'count3', '1'; Expected = 'Account3' }
        @{ What = 'text that matches nothing, then a number'; Answer = 'nothing', '3'; Expected = 'Account3' }
        @{ What = 'a number that is too large, then another'; Answer = '4', '1'; Expected = 'Account1' }
        @{ What = 'an empty line'; Answer = , ''; Expected = '' }
        @{ What = 'the end of the input'; Answer = @(); Expected = '' }
    ) {
        $run = Invoke-Lines 'Use-SsoCredential -Quiet; "$env:AWS_PROFILE"' $Answer
        $run.Fault | Should -BeNullOrEmpty
        $run.Errors | Should -BeNullOrEmpty
        $run.Output | Should -Be $Expected
        $run.Shown | Should -Match "(?m)^1  Account1  0:5\d left  $(Get-AccountId 1)  AWSAdministratorAccess$"
        $run.Asked | Should -Be ([Math]::Max(1, $Answer.Count))
    }

    It 'is for the environment that is named, and works with -AsEnvironmentVariable' {
        $userHome = New-UserHome $loggedIn
        Add-Environment $userHome $service Beta -Count 1 -First 4
        $run = Invoke-Lines 'Use-SsoCredential -Environment Beta -AsEnvironmentVariable -Quiet; [bool] $env:AWS_SECRET_ACCESS_KEY' '1' $userHome
        $run.Output | Should -Be $true
        $run.Shown | Should -Match 'Account4'
        $run.Shown | Should -Not -Match 'Account1'
    }

    It 'uses the profile of the environment that was picked where two have one of that name' {
        $userHome = New-UserHome $loggedIn
        Add-AwsText $userHome sso-environments "[environment Odd]`nsso_start_url = $($service.StartUrl)`nsso_region = us-west-2`ndefault_role_name = AWSReadOnlyAccess`n`n[environment Odd profile Account1]`nsso_account_id = $(Get-AccountId 4)`n`n"
        $run = Invoke-Lines 'Use-SsoCredential 6>&1' 'Odd', '1' $userHome
        $run.Errors | Should -BeNullOrEmpty
        "$($run.Output) $($run.Shown)" | Should -Match "AWSReadOnlyAccess in account $(Get-AccountId 4)"
    }

    It 'is short where there are thousands of profiles' {
        $userHome = New-UserHome $loggedIn
        Add-Environment $userHome $service Beta -Count 5000 -First 10
        $run = Invoke-Lines 'Use-SsoCredential' '' $userHome
        $run.Shown | Should -Match '(?m)^50  '
        $run.Shown | Should -Match '(?m)^and 4953 more$'
    }

    It 'is not shown where nothing came through the pipeline, a profile is named, or somebody said that nobody is there: <Line>' -TestCases @(
        @{ Line = '@() | Use-SsoCredential'; Fault = @() }
        @{ Line = 'Get-SsoProfile | Where-Object ProfileName -eq Nobody | Use-SsoCredential'; Fault = @() }
        @{ Line = 'Use-SsoCredential Account1 -Quiet'; Fault = @() }
        @{ Line = 'Use-SsoCredential -Clear'; Fault = @() }
        @{ Line = '$env:CI = "true"; try { Use-SsoCredential } finally { $env:CI = $null }'; Fault = 'InputNotAccepted,AwsSso.Commands.UseSsoCredentialCommand' }
    ) {
        $run = Invoke-Lines $Line '1'
        $run.Asked | Should -Be 0
        $run.Errors | Should -Be $Fault
        $run.Shown | Should -Not -Match '(?m)^1  Account1'
    }

    It 'has nothing to show where there are no profiles, and says so' {
        $run = Invoke-Lines 'Use-SsoCredential' '1' (New-UserHome)
        $run.Errors | Should -Be 'ProfileNotFound,AwsSso.Commands.UseSsoCredentialCommand'
        $run.Asked | Should -Be 0
    }
}

Describe 'No picker' {
    It 'is shown where input or output is redirected, or prompting is off: <What>' -TestCases @(
        @{ What = 'a script'; Word = '-NoProfile', '-Command' }
        @{ What = '-NonInteractive'; Word = '-NoProfile', '-NonInteractive', '-Command' }
    ) {
        $run = Invoke-Pwsh $loggedIn $service ($Word + "Import-Module '$manifest'; try { Use-SsoCredential } catch { `$_.FullyQualifiedErrorId; `"`$_`" }")
        $run.Text -split "`n" | Should -Be 'InputNotAccepted,AwsSso.Commands.UseSsoCredentialCommand', 'Use-SsoCredential needs the name of a profile.'
    }

    It 'is shown in a job or beside the prompt: <_>' -ForEach @(
        'Start-Job { Import-Module $using:manifest; Use-SsoCredential } | Wait-Job -Timeout 60'
        'Start-ThreadJob { Import-Module $using:manifest; Use-SsoCredential } | Wait-Job -Timeout 60'
        'Start-ThreadJob -StreamingHost $Host { Import-Module $using:manifest; Use-SsoCredential } | Wait-Job -Timeout 60'
        'ForEach-Object -InputObject 1 -AsJob -Parallel { Import-Module $using:manifest; Use-SsoCredential } | Wait-Job -Timeout 60'
    ) {
        $result = Invoke-UserRunspace $loggedIn $service "`$job = $_; `$job.State; `$job | Receive-Job -ErrorAction SilentlyContinue -ErrorVariable failed; `$failed | ForEach-Object { `"`$_`" }"
        $result.Output[0] | Should -BeIn 'Completed', 'Failed'
        $result.Output -join ' ' | Should -Match 'Use-SsoCredential needs the name of a profile\.'
    }
}

Describe 'A picker in a terminal' -Skip:$noTmux {
    BeforeAll {
        $userHome = New-UserHome $loggedIn
        Add-Environment $userHome $service Beta -Count 5000 -First 10
        $terminal = New-Terminal $userHome $service
        Send-TerminalLine $terminal 'Import-Module $env:MODULE; "ready-$(1 + 1)"'
        $null = Wait-Terminal $terminal '(?m)^ready-2'

        function Open-Picker([string] $After = '"used [$env:AWS_PROFILE]"') {
            Send-TerminalLine $terminal "Clear-Host; Use-SsoCredential -Quiet; $After"
            Wait-Terminal $terminal '(?m)^5003 of 5003\. '
        }
    }

    AfterAll {
        Stop-Terminal $terminal
    }

    It 'shows name, time left, environment, account and role' {
        $screen = Open-Picker
        $screen | Should -Match "(?m)^> Account1 +0:5\d left  Acme  $(Get-AccountId 1)  AWSAdministratorAccess$"
        Send-TerminalKey $terminal Down, Enter
        $screen = Wait-Terminal $terminal '(?m)^used \[Account2\]'
        $screen | Should -Not -Match 'Type to filter'
    }

    It 'filters thousands of rows as one types, and uses the selected one' {
        $null = Open-Picker
        Send-TerminalText $terminal 'acme ACCOUNT3'
        $screen = Wait-Terminal $terminal '(?m)^1 of 5003\. '
        $screen | Should -Match '(?m)^Profile: acme ACCOUNT3$'
        $screen | Should -Match '(?m)^> Account3 '
        Send-TerminalKey $terminal Enter
        $null = Wait-Terminal $terminal '(?m)^used \[Account3\]'
    }

    It 'stays open for Enter where no row matches, and ends with Esc, which changes nothing' {
        Send-TerminalLine $terminal 'Use-SsoCredential -Clear; $env:AWS_PROFILE = "mine"'
        $null = Open-Picker
        Send-TerminalText $terminal 'nothing'
        $null = Wait-Terminal $terminal '(?m)^0 of 5003\. '
        Send-TerminalKey $terminal Enter, C-u, End
        $null = Wait-Terminal $terminal '(?m)^> Account5009 '
        Send-TerminalKey $terminal PageUp, Home
        $null = Wait-Terminal $terminal '(?m)^> Account1 '
        Send-TerminalKey $terminal Escape
        $screen = Wait-Terminal $terminal '(?m)^used \[mine\]'
        $screen | Should -Not -Match 'Type to filter'
    }

    It 'ends with Ctrl+C, which ends the line, too' {
        $null = Open-Picker '"not reached"'
        Send-TerminalKey $terminal C-c
        $null = Wait-Terminal $terminal '(?m)^PS .*> *$'
        Send-TerminalLine $terminal '"typed-$(40 + 2)"'
        $screen = Wait-Terminal $terminal '(?m)^typed-42'
        $screen | Should -Not -Match '(?m)^not reached'
    }

    It 'is not shown by pwsh -NonInteractive, or where the output is redirected, in the same terminal' {
        $powershell = (@(Get-PowerShell) | ForEach-Object { "'$_'" }) -join ' '
        foreach ($word in "& $powershell -NoProfile -NonInteractive -Command", "& $powershell -NoProfile -Command") {
            $end = if ($word -match 'NonInteractive') { '' } else { ' | Out-Host' }
            Send-TerminalLine $terminal "Clear-Host; $word 'Import-Module `$env:MODULE; try { Use-SsoCredential } catch { `$_.FullyQualifiedErrorId }'$end"
            $null = Wait-Terminal $terminal '(?m)^InputNotAccepted,'
        }
    }
}
