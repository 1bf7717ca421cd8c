using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// The base of all cmdlets: it runs operations on the pipeline's thread and hands their events to PowerShell.
/// There is no <c>Dispose</c>, since no operation outlives the call of <see cref="Run(SsoWork)"/> that started it, however that ends.
/// </summary>
public abstract class SsoCmdlet : PSCmdlet
{
    private const int ProgressId = 0;

    private readonly object gate = new();
    private readonly ProgressPace pace = new();
    private SsoOperation? running;
    private bool progressShown;
    private bool isLook;

    private protected SsoCmdlet()
    {
    }

    /// <summary>Cancels what is running. PowerShell calls this on another thread while the pipeline's thread waits for an event.</summary>
    protected override void StopProcessing()
    {
        lock (gate)
        {
            running?.Cancel();
        }
    }

    /// <summary>Environments that the cmdlet has for its own runs; null where it has none.</summary>
    private protected virtual GivenEnvironment[]? Given => null;

    /// <summary>Whether nothing is shown but objects and errors.</summary>
    private protected virtual bool IsSilent => false;

    /// <summary>Whether the user hears here that a session ended in the background; not where that is what the command is about.</summary>
    private protected virtual bool IsToldOfSessions => true;

    /// <summary>How many errors were written that did not end the work.</summary>
    private protected int Failures { get; private set; }

    /// <summary>The host that the cmdlet runs in.</summary>
    private protected SsoHost Shell => new(Host);

    /// <summary>Whether -WhatIf or its preference is set.</summary>
    private protected bool IsWhatIf => IsSet("WhatIf") ?? LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    /// <summary>Does the work. An error that ends it is thrown.</summary>
    private protected void Run(SsoWork work) => RunEvents(work, _ => { });

    /// <summary>Does the work, and passes each answer on as it comes.</summary>
    private protected void Run<T>(SsoWork work, Func<SsoEvent, T?> answerOf, Action<T> take, string? environmentsFile = null)
        where T : class
    {
        RunEvents(work, Take, environmentsFile);

        void Take(SsoEvent happened)
        {
            if (answerOf(happened) is { } answer)
            {
                take(answer);
            }
        }
    }

    /// <summary>Does the work, and gives its answers.</summary>
    private protected List<T> Run<T>(SsoWork work, Func<SsoEvent, T?> answerOf, string? environmentsFile = null)
        where T : class
    {
        var answers = new List<T>();
        Run(work, answerOf, answers.Add, environmentsFile);
        return answers;
    }

    /// <summary>Does the work, and passes each event on that is the cmdlet's own business; the others are dealt with here.</summary>
    private protected void RunEvents(SsoWork work, Action<SsoEvent> handle, string? environmentsFile = null)
    {
        var request = new SsoRequest(work, SessionState.Path.CurrentFileSystemLocation.ProviderPath, IsVerbose && !IsSilent);
        request.Given = Given ?? [];
        request.Heard = !IsSilent;
        request.Caller = new Caller { Runspace = RefreshOwner.Id(Runspace.DefaultRunspace), IsTold = IsToldOfSessions && !IsSilent };
        if (environmentsFile is not null)
        {
            request.ReadEnvironmentsFrom(environmentsFile);
        }

        using (var operation = SsoOperation.Start(request))
        {
            Remember(operation);
            try
            {
                while (!Stopping && operation.Next() is { } happened)
                {
                    // Not after a stop: the user has turned away, and the end of the run only waits for the file.
                    if (!Stopping && !Show(happened))
                    {
                        handle(happened);
                    }
                }
            }
            finally
            {
                Remember(null);
            }
        }

        if (Stopping)
        {
            throw new PipelineStoppedException();
        }

        EndProgress();
    }

    /// <summary>The answers of the library where an error does not matter, since the work that follows reports it.</summary>
    private protected List<T> Look<T>(SsoWork work, Func<SsoEvent, T?> answerOf)
        where T : class
    {
        var answers = new List<T>();
        isLook = true;
        try
        {
            Run(work, answerOf, answers.Add);
        }
        catch (SsoException)
        {
            // Nothing was found out.
        }
        finally
        {
            isLook = false;
        }

        return answers;
    }

    /// <summary>Writes an object; where it is the session's first one, the session gets the tables before it.</summary>
    private protected new void WriteObject(object item)
    {
        if (item is not string)
        {
            SessionViews.Give();
        }

        base.WriteObject(item);
    }

    /// <summary>Writes objects one by one.</summary>
    private protected void WriteObjects(IEnumerable<object> items)
    {
        foreach (var item in items)
        {
            WriteObject(item);
        }
    }

    /// <summary>Does what may throw an error of the module, which then ends the cmdlet.</summary>
    private protected void OrTerminate(Action work)
    {
        try
        {
            work();
        }
        catch (SsoException error)
        {
            Terminate(error);
        }
    }

    /// <summary>Ends the cmdlet with an error.</summary>
    private protected virtual void Terminate(SsoException error) => ThrowTerminatingError(error.ToRecord());

    /// <summary>Reports an error that does not end the cmdlet.</summary>
    private protected virtual void Report(SsoException error) => WriteError(error.ToRecord());

    /// <summary>Writes a line to the host, as Write-Host does: never to the output, where an assignment would hide it.</summary>
    /// <returns>Whether the host took it.</returns>
    private protected bool WriteHost(string line) => WriteHost(new HostInformationMessage { Message = line });

    /// <summary>Writes a line to the host as an error text, without an error record.</summary>
    private protected void WriteErrorText(string line) => IsShown(() => Host.UI.WriteErrorLine(line));

    /// <summary>Writes a warning, unless nothing is shown.</summary>
    private protected void Warn(string text)
    {
        if (!IsSilent)
        {
            IsShown(() => WriteWarning(text));
        }
    }

    /// <summary>
    /// Asks as a cmdlet of high impact does where that is right for the target. Where it is not, the user is asked only if the preference
    /// is to be asked about such things, too.
    /// </summary>
    private protected bool IsAgreed(string target, string action, bool isGrave)
    {
        if (isGrave || AsksAbout(ConfirmImpact.Medium) || IsWhatIf)
        {
            try
            {
                return ShouldProcess(target, action);
            }
            catch (Exception fault) when (fault is not (PipelineStoppedException or SsoException))
            {
                // Hosts that cannot ask throw anything; the console, at the end of its input, throws a NullReferenceException.
                ThrowTerminatingError(SsoErrors.ConfirmationRequired(MyInvocation.MyCommand.Name, action, target, fault).ToRecord());
            }
        }

        WriteVerbose($"{action}: {target}.");
        return true;
    }

    /// <summary>
    /// Asks as PowerShell does. Where nobody is asked, PowerShell only writes a note for -Verbose, and a host that throws at that stops
    /// nothing.
    /// </summary>
    private protected new bool ShouldProcess(string target, string action)
    {
        var agreed = true;
        if (IsWhatIf || AsksAbout(Impact))
        {
            return base.ShouldProcess(target, action);
        }

        IsShown(() => agreed = base.ShouldProcess(target, action));
        return agreed;
    }

    /// <summary>
    /// Gives the value of a parameter, or null where it comes from a default for many commands, such as <c>*:Region</c> of AWS Tools users:
    /// such a value is not meant for what is stored.
    /// </summary>
    private protected T? UnlessWildcardDefault<T>(string parameter, T? value)
        where T : class
    {
        if (value is null || !IsWildcardDefault(parameter))
        {
            return value;
        }

        if (!IsSilent)
        {
            WriteVerbose(
                $"-{parameter} is not used: its value is a default of $PSDefaultParameterValues for many commands. "
                + $"Set the default for {MyInvocation.MyCommand.Name} alone to use it.");
        }

        return null;
    }

    /// <summary>Whether the value of a parameter comes from a default of <c>$PSDefaultParameterValues</c> for many commands.</summary>
    private protected bool IsWildcardDefault(string parameter) =>
        MyInvocation.BoundParameters.TryGetValue(parameter, out var value)
        && WildcardDefault.IsSourceOf(value, parameter, MyInvocation, GetVariableValue("PSDefaultParameterValues"));

    /// <summary>Whether all of these environments are stored, or are in the AWS config file.</summary>
    private protected bool IsStored(string[] names)
    {
        var known = Look(new GetEnvironmentWork(), happened => happened.Environment);
        return names.All(name => known.Exists(environment => string.Equals(environment.Name, name, StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>A number of profiles in words.</summary>
    internal static string Counted(long profiles) => profiles == 1 ? "1 profile" : $"{profiles} profiles";

    /// <summary>Whether the user is asked about something of this impact: by -Confirm, or by the preference.</summary>
    private bool AsksAbout(ConfirmImpact impact) => IsSet("Confirm")
        ?? (LanguagePrimitives.TryConvertTo<ConfirmImpact>(GetVariableValue("ConfirmPreference"), out var least)
            && least != ConfirmImpact.None
            && impact >= least);

    private ConfirmImpact Impact => GetType().GetCustomAttribute<CmdletAttribute>()?.ConfirmImpact ?? ConfirmImpact.Medium;

    /// <summary>Whether -Verbose or its preference is set.</summary>
    private bool IsVerbose => IsSet("Verbose")
        ?? GetVariableValue("VerbosePreference")?.ToString()
            is not (null or nameof(ActionPreference.SilentlyContinue) or nameof(ActionPreference.Ignore));

    /// <summary>The value of a switch that every cmdlet has; null where it was not given.</summary>
    private bool? IsSet(string name) =>
        MyInvocation.BoundParameters.TryGetValue(name, out var given) ? LanguagePrimitives.IsTrue(given) : null;

    private void Remember(SsoOperation? operation)
    {
        lock (gate)
        {
            running = operation;

            // A stop that came before there was anything to cancel.
            if (Stopping)
            {
                operation?.Cancel();
            }
        }
    }

    private bool Show(SsoEvent happened)
    {
        switch (happened)
        {
            case { Verification: not null } or { Waiting: not null } or { Progress: not null } or { Note: not null } when IsSilent:
                return true;
            case { Verification: { } login }:
                ShowLogin(login);
                return true;
            case { Waiting: { } wait }:
                ShowProgress(ProgressPace.Of(wait, ProgressId));
                return true;
            case { Progress: { } progress }:
                ShowProgress(pace.Of(progress, ProgressId));
                return true;
            case { Note: { Level: NoteLevel.Warning } note }:
                Warn(note.Text);
                return true;
            case { Note: { Level: NoteLevel.Information } note }:
                WriteHost(note.Text);
                return true;
            case { Note: { } note }:
                IsShown(() => WriteVerbose(note.Text));
                return true;
            case { Failed: { Terminating: true } failed }:
                throw SsoErrors.From(failed);
            case { Failed: not null } when isLook:
                return true;
            case { Failed: { } failed }:
                Failures++;
                Report(SsoErrors.From(failed));
                return true;
            default:
                return false;
        }
    }

    /// <summary>
    /// Shows where to log in. Where neither the host nor a browser has shown it, nobody could log in, and waiting would be pointless.
    /// </summary>
    private void ShowLogin(VerificationEvent login)
    {
        foreach (var line in LoginScreen.Lines(login, Shell))
        {
            if (!WriteHost(line) && !login.BrowserOpened)
            {
                throw SsoErrors.LoginNotShown(login.Environment, Shell.Name);
            }
        }
    }

    private bool WriteHost(HostInformationMessage message) => IsShown(() => WriteInformation(message, ["PSHOST"]));

    /// <summary>
    /// Writes what is for people only. A host that throws at it stops no work; what PowerShell itself throws is not caught.
    /// </summary>
    private static bool IsShown(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (Exception fault) when (fault is not (PipelineStoppedException or ActionPreferenceStopException or FlowControlException))
        {
            return false;
        }
    }

    private void ShowProgress(ProgressRecord record)
    {
        progressShown = true;
        IsShown(() => WriteProgress(record));
    }

    private void EndProgress()
    {
        if (progressShown)
        {
            progressShown = false;
            var record = new ProgressRecord(ProgressId, MyInvocation.MyCommand.Name, "Done") { RecordType = ProgressRecordType.Completed };
            IsShown(() => WriteProgress(record));
        }
    }
}
