using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using System.Reflection;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// What the cmdlets have in common: they run operations on the pipeline's thread and hand their events to PowerShell.
/// There is no <c>Dispose</c>, since no operation outlives the call of <see cref="Run"/> that started it, however that ends.
/// </summary>
public abstract class SsoCmdlet : PSCmdlet
{
    private const int ProgressId = 0;

    private readonly object gate = new();
    private SsoOperation? running;
    private readonly ProgressPace pace = new();
    private bool progressShown;
    private bool isLook;

    private protected SsoCmdlet()
    {
    }

    /// <summary>Ends what is running. PowerShell calls this on a thread of its own while the pipeline's thread waits for an event.</summary>
    protected override void StopProcessing()
    {
        lock (gate)
        {
            running?.Cancel();
        }
    }

    /// <summary>Does the work and gives each event that is the cmdlet's own business to <paramref name="handle"/>; the others are dealt with here.</summary>
    private protected void Run(SsoWork work, Action<SsoEvent> handle)
    {
        OrTerminate(() => RunOrThrow(work, handle));
    }

    /// <summary>Does what may throw an error of the module's, which then ends the cmdlet.</summary>
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

    /// <summary>Does the work as <see cref="Run"/> does, and leaves it to the caller what an error that ended it means to the cmdlet.</summary>
    private protected void RunOrThrow(SsoWork work, Action<SsoEvent> handle, string? environmentsFile = null)
    {
        var request = new SsoRequest(work, SessionState.Path.CurrentFileSystemLocation.ProviderPath, IsVerbose && !IsSilent);
        request.Given = Given;
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

    /// <summary>What the library answers, where a fault is not the user's business: the work that comes next reports what matters.</summary>
    private protected List<T> Look<T>(SsoWork work, Func<SsoEvent, T?> answerOf)
        where T : class
    {
        var answers = new List<T>();
        isLook = true;
        try
        {
            RunOrThrow(work, happened => answers.AddRange(answerOf(happened) is { } answer ? [answer] : []));
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

    /// <summary>Does work on a table, and gives the profiles that it tells of; an error that ended it is left to the caller.</summary>
    private protected List<SsoProfile> ToldOrThrow(SsoWork work)
    {
        var told = new List<SsoProfile>();
        RunOrThrow(work, happened => told.AddRange(happened.Added is { } profile ? [profile] : []));
        return told;
    }

    /// <summary>How many errors were written that did not end the work.</summary>
    private protected int Failures { get; private set; }

    /// <summary>Writes a line to the host, as Write-Host does: never to the output, where an assignment would hide it.</summary>
    /// <returns>Whether the host took it.</returns>
    private protected bool WriteHost(string line) => WriteHost(new HostInformationMessage { Message = line });

    /// <summary>Environments that the cmdlet has for its own runs; null where it has none.</summary>
    private protected virtual GivenEnvironment[]? Given => null;

    /// <summary>Whether nothing is shown but objects and errors.</summary>
    private protected virtual bool IsSilent => false;

    /// <summary>Whether -WhatIf or its preference is in force.</summary>
    private protected bool IsWhatIf => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var given)
        ? LanguagePrimitives.IsTrue(given)
        : LanguagePrimitives.IsTrue(GetVariableValue("WhatIfPreference"));

    /// <summary>
    /// Asks as a cmdlet of high impact does where that is right for the target. What is not grave asks only where the user wants to be asked
    /// about such things, too.
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
                // Hosts that cannot ask throw whatever they like; the console's own, with its input at the end, a NullReferenceException.
                ThrowTerminatingError(SsoErrors.ConfirmationRequired(MyInvocation.MyCommand.Name, action, target, fault).ToRecord());
            }
        }

        WriteVerbose($"{action}: {target}.");
        return true;
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
            WriteVerbose($"-{parameter} is not used: its value is a default of $PSDefaultParameterValues for many commands. Set the default for {MyInvocation.MyCommand.Name} alone to use it.");
        }

        return null;
    }

    /// <summary>Whether the value of a parameter comes from a default of <c>$PSDefaultParameterValues</c> for many commands.</summary>
    private protected bool IsWildcardDefault(string parameter) =>
        MyInvocation.BoundParameters.TryGetValue(parameter, out var value) && WildcardDefault.IsSourceOf(value, parameter, MyInvocation, GetVariableValue("PSDefaultParameterValues"));

    /// <summary>Whether all of these environments are stored, or are in the AWS config file.</summary>
    private protected bool IsStored(string[] names)
    {
        var known = Look(new SsoWork { GetEnvironment = new GetEnvironmentWork() }, happened => happened.Environment);
        return names.All(name => known.Exists(environment => string.Equals(environment.Name, name, StringComparison.OrdinalIgnoreCase)));
    }

    /// <summary>The host that the cmdlet runs in.</summary>
    private protected SsoHost Shell => new(Host);

    /// <summary>Asks as PowerShell does, where it does; a host that throws at the note for -Verbose, which is written where nobody is asked, stops nothing.</summary>
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

    /// <summary>Ends the cmdlet with an error.</summary>
    private protected virtual void Terminate(SsoException error) => ThrowTerminatingError(error.ToRecord());

    /// <summary>Reports an error that does not end the cmdlet.</summary>
    private protected virtual void Report(SsoException error) => WriteError(error.ToRecord());

    /// <summary>Writes a warning, unless nothing is shown.</summary>
    private protected void Warn(string text)
    {
        if (!IsSilent)
        {
            IsShown(() => WriteWarning(text));
        }
    }

    /// <summary>Whether the user is asked about something of this impact: by -Confirm, or by the preference.</summary>
    private bool AsksAbout(ConfirmImpact impact) => MyInvocation.BoundParameters.TryGetValue("Confirm", out var given)
        ? LanguagePrimitives.IsTrue(given)
        : LanguagePrimitives.TryConvertTo<ConfirmImpact>(GetVariableValue("ConfirmPreference"), out var least) && least != ConfirmImpact.None && impact >= least;

    private ConfirmImpact Impact => GetType().GetCustomAttribute<CmdletAttribute>()?.ConfirmImpact ?? ConfirmImpact.Medium;

    /// <summary>A number of profiles in words.</summary>
    private protected static string Counted(int profiles) => profiles == 1 ? "1 profile" : $"{profiles} profiles";

    /// <summary>Whether -Verbose or its preference is in force.</summary>
    private bool IsVerbose => MyInvocation.BoundParameters.TryGetValue("Verbose", out var given)
        ? LanguagePrimitives.IsTrue(given)
        : GetVariableValue("VerbosePreference")?.ToString() is not (null or nameof(ActionPreference.SilentlyContinue) or nameof(ActionPreference.Ignore));

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
                Invite(login);
                return true;
            case { Waiting: { } wait }:
                ShowProgress(new ProgressRecord(ProgressId, wait.Environment, wait.Text) { SecondsRemaining = (int)Math.Min(wait.SecondsLeft ?? -1, int.MaxValue) });
                return true;
            case { Progress: { } progress }:
                ShowProgress(pace.Of(progress, ProgressId));
                return true;
            case { Note: { IsWarning: true } note }:
                Warn(note.Text);
                return true;
            case { Note: { } note }:
                IsShown(() => WriteVerbose(note.Text));
                return true;
            case { Failed: { Terminating: true } failed }:
                throw SsoErrors.From(failed);
            case { Failed: not null } or { Note: not null } when isLook:
                return true;
            case { Failed: { } failed }:
                Failures++;
                Report(SsoErrors.From(failed));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Shows where to log in. Where neither the host nor a browser has shown it, nobody could find out, and a wait would be in vain.</summary>
    private void Invite(VerificationEvent login)
    {
        if (!WriteHost(Invitation(login)) && !login.BrowserOpened)
        {
            throw SsoErrors.LoginNotShown(login.Environment, Shell.Name);
        }

        foreach (var line in login.QrCode ?? [])
        {
            // With colours of its own, so that it is the same in a dark and in a light terminal.
            WriteHost(new HostInformationMessage { Message = line, ForegroundColor = ConsoleColor.White, BackgroundColor = ConsoleColor.Black });
        }
    }

    private bool WriteHost(HostInformationMessage message) => IsShown(() => WriteInformation(message, ["PSHOST"]));

    /// <summary>Writes what is for people only. A host that throws at it stops no work; what PowerShell itself throws goes on.</summary>
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

    private static string Invitation(VerificationEvent login)
    {
        var open = login.BrowserOpened ? "the browser should open" : "open";
        var before = login.Expires is { } expires ? expires.ToString("', before 'HH:mm", CultureInfo.InvariantCulture) : "";
        var whose = $"The start URL is on {login.Host}.";
        return login.UserCode is { } code
            ? $"{login.Environment}: {open} {login.Url} to approve the login. Go on if the page shows the code {code}{before}. {whose}"
            : $"{login.Environment}: {open} {login.Url} {(login.BrowserOpened ? "" : "on this machine ")}to approve the login{before}. {whose}";
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
            IsShown(() => WriteProgress(new ProgressRecord(ProgressId, MyInvocation.MyCommand.Name, "Done") { RecordType = ProgressRecordType.Completed }));
        }
    }
}
