# Where PowerShell runs in something else than a terminal: jobs, remote sessions, programs with a host of their own.

BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'StandIn.psm1') -Force
    $service = Start-StandIn '--approve-after-polls', '0'
    $loggedIn = New-LoggedInHome $service -Credential

    # The number of logins that were asked for, and that of the fetches, since the service was started.
    function Get-Count { [pscustomobject] @{ Logins = (Get-StandInStats $service).device_authorizations; Fetches = Get-RequestCount $service GetRoleCredentials } }

    # Runs a script in a home folder with a session or without one, and adds what that cost the service.
    function Invoke-InHost([switch] $WithSession, [string] $Script, [hashtable] $Variable = @{}) {
        $own = if ($WithSession) { New-UserHome -From $loggedIn } else { New-UserHome }
        if (-not $WithSession) { Add-Environment $own $service -Count 2 }
        $before = Get-Count
        $run = Invoke-UserRunspace $own $service $Script $Variable
        $after = Get-Count
        $run | Add-Member Logins ($after.Logins - $before.Logins)
        $run | Add-Member Fetches ($after.Fetches - $before.Fetches)
        $run | Add-Member UserHome $own -PassThru
    }

    # The script of a job, ended where it does not end by itself; a job that waits for an answer is Blocked, and then it never would.
    $throughJob = {
        param([string] $Start)
        @"
`$job = $Start
`$null = `$job | Wait-Job -Timeout 60
"`$(`$job.State)"
`$job | Receive-Job -ErrorVariable failed -ErrorAction SilentlyContinue -InformationVariable shown 6> `$null
`$failed | ForEach-Object { "`$(`$_.FullyQualifiedErrorId): `$_" }
`$shown | ForEach-Object { "shown: `$_" }
`$job | Remove-Job -Force
"@
    }

    # Runs a script in a process of its own, through a remote session over a named pipe, as Enter-PSHostProcess has one.
    $throughPipe = {
        param([string] $Script)
        @"
`$name = "sso-`$([Guid]::NewGuid().ToString('N').Substring(0, 12))"
`$command = 'Write-Output ready; Start-Sleep 120'
`$start = [Diagnostics.ProcessStartInfo]::new('$(@(Get-PowerShell)[0])')
foreach (`$word in @($((@(Get-PowerShell) | Select-Object -Skip 1 | ForEach-Object { "'$_'" }) -join ', ')) + '-NoProfile', '-CustomPipeName', `$name, '-Command', `$command) { `$start.ArgumentList.Add(`$word) }
`$start.RedirectStandardOutput = `$start.RedirectStandardInput = `$true
`$other = [Diagnostics.Process]::Start(`$start)
try {
    `$null = `$other.StandardOutput.ReadLine()
    `$connection = [Management.Automation.Runspaces.NamedPipeConnectionInfo]::new(`$name, 30000)
    `$runspace = [runspacefactory]::CreateRunspace(`$connection, `$Host, [Management.Automation.Runspaces.TypeTable]::LoadDefaultTypeFiles())
    `$runspace.Open()
    `$shell = [powershell]::Create()
    `$shell.Runspace = `$runspace
    `$null = `$shell.AddScript("Import-Module '`$manifest'; $Script")
    `$shell.Invoke()
    `$shell.Streams.Error | ForEach-Object { "`$(`$_.FullyQualifiedErrorId): `$_" }
    `$shell.Streams.Information | ForEach-Object { "shown: `$_" }
} catch { "`$(`$_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId): `$(`$_.Exception.InnerException.Message)" }
finally { `$other.Kill() }
"@
    }

    # Hosts as programs have them: one that throws at everything, one without a user interface, one that writes to the console under another name.
    $assembly = Join-Path (New-TestFolder) 'Programs.dll'
    Add-Type -OutputAssembly $assembly -TypeDefinition @'
using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

public class LoudInterface : PSHostUserInterface
{
    public static readonly List<string> Prompts = new List<string>();
    private readonly Func<Exception> fault;
    public LoudInterface(Func<Exception> fault) { this.fault = fault; }
    private Exception Prompted(string how) { Prompts.Add(how); return fault(); }
    public override PSHostRawUserInterface RawUI { get { return null; } }
    public override string ReadLine() { throw Prompted("ReadLine"); }
    public override SecureString ReadLineAsSecureString() { throw Prompted("ReadLineAsSecureString"); }
    public override void Write(string value) { throw fault(); }
    public override void Write(ConsoleColor foreground, ConsoleColor background, string value) { throw fault(); }
    public override void WriteLine(string value) { throw fault(); }
    public override void WriteErrorLine(string value) { throw fault(); }
    public override void WriteDebugLine(string value) { throw fault(); }
    public override void WriteVerboseLine(string value) { throw fault(); }
    public override void WriteWarningLine(string value) { throw fault(); }
    public override void WriteProgress(long source, ProgressRecord record) { throw fault(); }
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> fields) { throw Prompted("Prompt"); }
    public override PSCredential PromptForCredential(string a, string b, string c, string d) { throw Prompted("PromptForCredential"); }
    public override PSCredential PromptForCredential(string a, string b, string c, string d, PSCredentialTypes e, PSCredentialUIOptions f) { throw Prompted("PromptForCredential"); }
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) { throw Prompted("PromptForChoice"); }
}

public class TerminalInterface : LoudInterface
{
    public TerminalInterface() : base(() => new NotImplementedException()) { }
    public override void Write(string value) { Console.Write(value); }
    public override void Write(ConsoleColor foreground, ConsoleColor background, string value) { Console.Write(value); }
    public override void WriteLine(string value) { Console.WriteLine(value); }
    public override void WriteWarningLine(string value) { Console.WriteLine("WARNING: " + value); }
    public override void WriteVerboseLine(string value) { Console.WriteLine("VERBOSE: " + value); }
    public override void WriteProgress(long source, ProgressRecord record) { }
}

public class ProgramHost : PSHost
{
    private readonly Guid id = Guid.NewGuid();
    private readonly string name;
    private readonly PSHostUserInterface ui;
    public ProgramHost(string name, PSHostUserInterface ui) { this.name = name; this.ui = ui; }
    public override string Name { get { return name; } }
    public override Version Version { get { return new Version(1, 0); } }
    public override Guid InstanceId { get { return id; } }
    public override PSHostUserInterface UI { get { return ui; } }
    public override CultureInfo CurrentCulture { get { return CultureInfo.InvariantCulture; } }
    public override CultureInfo CurrentUICulture { get { return CultureInfo.InvariantCulture; } }
    public override void SetShouldExit(int exitCode) { throw new NotImplementedException(); }
    public override void EnterNestedPrompt() { throw new NotImplementedException(); }
    public override void ExitNestedPrompt() { throw new NotImplementedException(); }
    public override void NotifyBeginApplication() { throw new NotImplementedException(); }
    public override void NotifyEndApplication() { throw new NotImplementedException(); }
}

public static class Programs
{
    public static ProgramHost Of(string kind)
    {
        switch (kind)
        {
            case "NotImplementedException": return new ProgramHost("Acme Host", new LoudInterface(() => new NotImplementedException()));
            case "NullReferenceException": return new ProgramHost("Acme Host", new LoudInterface(() => new NullReferenceException()));
            case "HostException": return new ProgramHost("Acme Host", new LoudInterface(() => new HostException()));
            case "PSInvalidOperationException": return new ProgramHost("Acme Host", new LoudInterface(() => new PSInvalidOperationException()));
            case "the name of the console": return new ProgramHost("ConsoleHost", new LoudInterface(() => new ArgumentNullException("choices")));
            case "no user interface": return new ProgramHost("Acme Host", null);
            default: return new ProgramHost(kind, new TerminalInterface());
        }
    }
}
'@
    $programs = "Add-Type -Path '$assembly'`n" + @'
function Invoke-InProgram([string] $Kind, [string] $Script) {
    [LoudInterface]::Prompts.Clear()
    $runspace = [runspacefactory]::CreateRunspace([Programs]::Of($Kind))
    $runspace.Open()
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    $null = $shell.AddScript("Import-Module '$manifest'; $Script")
    try { $shell.Invoke() } catch { "$($_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId): $($_.Exception.InnerException.Message)" }
    $shell.Streams.Error | ForEach-Object { "$($_.FullyQualifiedErrorId): $_" }
    $shell.Streams.Information | ForEach-Object { "shown: $_" }
    "prompts: $([LoudInterface]::Prompts)"
}

'@
}

AfterAll {
    Clear-StandIn
}

Describe 'A job' {
    It 'fetches with a good session, and nothing waits for an answer: <_>' -ForEach @(
        'Start-Job { Import-Module $using:manifest; Update-SsoCredential Acme -Force -PassThru }'
        'Start-Job { Import-Module $using:manifest; Update-SsoCredential Acme -Force -PassThru -NoBrowser -Verbose }'
        'Start-ThreadJob { Import-Module $using:manifest; Update-SsoCredential Acme -Force -PassThru }'
        'ForEach-Object -InputObject 1 -AsJob -Parallel { Import-Module $using:manifest; Update-SsoCredential Acme -Force -PassThru }'
    ) {
        $run = Invoke-InHost -WithSession (& $throughJob $_)
        $run.Output[0] | Should -Be 'Completed' -Because "$($run.Output)"
        ($run.Output | Where-Object Status).Status | Should -Be 'Refreshed', 'Refreshed'
        $run.Logins, $run.Fetches | Should -Be 0, 2
    }

    It 'gives states by their names, as the session itself does' {
        $run = Invoke-InHost -WithSession @'
$there = Start-Job { Import-Module $using:manifest; Get-SsoSession Acme; Get-SsoCredential Acme | Select-Object -First 1 } | Wait-Job | Receive-Job
$here = @(Get-SsoSession Acme; Get-SsoCredential Acme | Select-Object -First 1)
foreach ($objects in $there, $here) {
    "$($objects.State) $($objects[0].State -eq 'Active') $('Valid' -eq $objects[1].State) $(@($objects | Where-Object State).Count) $($objects[0].State -in 'Active', 'Ended')"
}
'@
        $run.Output | Should -Be 'Active Valid True True 2 True', 'Active Valid True True 2 True'
    }

    It 'that needs a login fails at once and says why: <_>' -ForEach @(
        'Start-Job { Import-Module $using:manifest; Update-SsoCredential Acme }'
        'Start-Job { Import-Module $using:manifest; Connect-SsoSession Acme }'
        'Start-ThreadJob { Import-Module $using:manifest; Update-SsoCredential Acme }'
    ) {
        $run = Invoke-InHost (& $throughJob $_)
        $run.Output -join "`n" | Should -Match '(?s)LoginRequired.*Acme needs a login, and nobody can log in here because this runs as a background job'
        $run.Logins | Should -Be 0
    }
}

Describe 'ForEach-Object -Parallel' {
    It 'fetches with a good session' {
        $run = Invoke-InHost -WithSession '1 | ForEach-Object -Parallel { Import-Module $using:manifest; Update-SsoCredential Acme -Force -PassThru }'
        $run.Errors | Should -BeNullOrEmpty
        $run.Output.Status | Should -Be 'Refreshed', 'Refreshed'
        $run.Logins | Should -Be 0
    }

    It 'shows a login to the PowerShell that runs it' {
        $run = Invoke-InHost '1 | ForEach-Object -Parallel { Import-Module $using:manifest; Update-SsoCredential Acme -NoBrowser -PassThru }'
        $run.Errors | Should -BeNullOrEmpty
        $run.Text | Should -Match 'Log in to Acme'
        $run.Output.Status | Should -Be 'Created', 'Created'
    }
}

Describe 'A remote session over a named pipe' {
    It 'fetches with a good session, and nothing waits for an answer' {
        $run = Invoke-InHost -WithSession (& $throughPipe 'Update-SsoCredential Acme -Force -PassThru')
        ($run.Output | Where-Object Status).Status | Should -Be @('Refreshed', 'Refreshed') -Because "$($run.Output)"
        $run.Logins, $run.Fetches | Should -Be 0, 2
    }

    It 'shows a login to its client, by device code, and opens no browser where nobody sees it: <_>' -ForEach '', ' -LoginMethod Pkce' {
        $browser = Join-Path (New-TestFolder) 'opened'
        $run = Invoke-InHost (& $throughPipe "Update-SsoCredential Acme -PassThru$_") -Variable @{ AWS_SSO_BROWSER = "/usr/bin/touch $browser" }
        ($run.Output | Where-Object Status).Status | Should -Be @('Created', 'Created') -Because "$($run.Output)"
        $run.Output -join "`n" | Should -Match 'shown: Log in to Acme'
        $run.Logins | Should -Be 1
        Test-Path $browser | Should -BeFalse
    }
}

Describe 'A program with a host of its own' {
    It 'that throws at everything fetches with a good session, without a prompt: <_>' -ForEach @(
        'NotImplementedException', 'NullReferenceException', 'HostException', 'PSInvalidOperationException', 'the name of the console', 'no user interface', 'Visual Studio Code Host'
    ) {
        $run = Invoke-InHost -WithSession ($programs + "Invoke-InProgram '$_' 'Update-SsoCredential Acme -Force -PassThru -Verbose; Get-SsoSession Acme; Connect-SsoSession Acme'")
        ($run.Output | Where-Object Status).Status | Should -Be @('Refreshed', 'Refreshed') -Because "$($run.Output)"
        $run.Output | Where-Object { $_ -match '^\w+,AwsSso' } | Should -BeNullOrEmpty
        # The console is asked with nothing to choose from, and shows nothing.
        $run.Output[-1] | Should -Match ($(if ($_ -match 'console') { '^prompts: (PromptForChoice ?)*$' } else { '^prompts: $' }))
        $run.Logins, $run.Fetches | Should -Be 0, 2
    }

    It 'that cannot show where to log in gets an error in place of a wait: <_>' -ForEach 'NotImplementedException', 'NullReferenceException', 'HostException' {
        $run = Invoke-InHost ($programs + "Invoke-InProgram '$_' 'Update-SsoCredential Acme -NoBrowser'")
        $run.Output -join "`n" | Should -Match "LoginRequired,.*Acme needs a login, and the PowerShell host 'Acme Host' could not show where to log in"
        $run.Output[-1] | Should -Be 'prompts: '
        $run.Fetches | Should -Be 0
    }

    It 'that throws at a question is not taken for a yes' {
        $run = Invoke-InHost -WithSession ($programs + "Invoke-InProgram 'NotImplementedException' 'Update-SsoCredential Acme -Force -Confirm; Remove-SsoEnvironment Acme -Confirm'")
        $run.Fetches | Should -Be 0
        Get-AwsPath $run.UserHome sso-environments | Should -FileContentMatch 'environment Acme'
    }

    It 'that writes to a terminal logs in: <_>' -ForEach 'Visual Studio Code Host', 'Acme Host' {
        $run = Invoke-InHost ($programs + "Invoke-InProgram '$_' 'Update-SsoCredential Acme -NoBrowser -PassThru'")
        ($run.Output | Where-Object Status).Status | Should -Be @('Created', 'Created') -Because "$($run.Output)"
        $run.Text | Should -Match 'Log in to Acme'
        $run.Output[-1] | Should -Be 'prompts: '
    }

    It 'gets the hint of -AtStartup where it shows what is written, and no login: <_>' -ForEach 'Visual Studio Code Host', 'NotImplementedException' {
        $run = Invoke-InHost ($programs + "Invoke-InProgram '$_' 'Update-SsoCredential Acme -AtStartup'")
        if ($_ -match 'Code') { $run.Text | Should -Match '^WARNING: Acme needs a login. Run Connect-SsoSession Acme.$' }
        $run.Output | Should -Be 'prompts: '
        $run.Logins | Should -Be 0
    }

    It 'that has none at all gets an error in place of a wait' {
        $run = Invoke-InHost '$shell = [powershell]::Create().AddScript("Import-Module ''$manifest''; Update-SsoCredential Acme"); try { $shell.Invoke() } catch { "$_" }; $shell.Streams.Error | ForEach-Object { "$_" }'
        "$($run.Output)" | Should -Match 'Acme needs a login, and nobody can log in here because this runs as a background job, or in a program'
        $run.Logins | Should -Be 0
    }
}

Describe 'The console' {
    It 'knows -NonInteractive however it is written, and from where: <_>' -ForEach '-NonInteractive', '-noni', '-NonI', '/noninteractive' {
        $own = New-UserHome
        Add-Environment $own $service -Count 2
        $command = "Import-Module '$manifest'; Update-SsoCredential Acme -NoBrowser"
        $run = Wait-UserProgram (Start-UserProgram (@(Get-PowerShell) + '-NoProfile', $_, '-Command', $command) (Get-UserVariable $own $service))
        $run.ExitCode | Should -Be 1
        $run.Text, $run.ErrorText -join ' ' -replace '\s+' | Should -Match 'Acmeneedsalogin,andnobodycanloginherebecausePowerShellrunswith-NonInteractive\.'
    }

    It 'does not take the argument of a script for its own' {
        $own = New-UserHome
        Add-Environment $own $service -Count 2
        $script = Join-Path (New-TestFolder) 'own.ps1'
        Set-Content $script "param([switch] `$NonInteractive) Import-Module '$manifest'; Update-SsoCredential Acme -NoBrowser"
        (Invoke-Pwsh $own $service '-NoProfile', '-File', $script, '-NonInteractive').ExitCode | Should -Be 0
    }
}
