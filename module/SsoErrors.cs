using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using AwsSso.Native;

namespace AwsSso;

/// <summary>Every error of the module.</summary>
internal static class SsoErrors
{
    /// <summary>More accounts than this would hide the rest of a message.</summary>
    private const int MostAccounts = 5;

    /// <summary>Whether PowerShell shows the recommended action; before 7.5 it showed the message only.</summary>
    private static readonly bool ShellShowsAction = typeof(PSObject).Assembly.GetName().Version >= new Version(7, 5);

    /// <summary>Makes the record of an error; PowerShell appends the cmdlet's type to the id.</summary>
    internal static ErrorRecord ToRecord(this SsoException error)
    {
        var action = error.Action ?? "";
        var message = ShellShowsAction || action.Length == 0 ? error.Message : $"{error.Message} {action}";
        return new ErrorRecord(error, error.Code, CategoryOf(error.Code), error.Target)
        {
            ErrorDetails = new ErrorDetails(message) { RecommendedAction = action },
        };
    }

    internal static SsoException From(FailedEvent failed) =>
        new(failed.Code, failed.Message, failed.Action, failed.Target, failed.RequestId);

    internal static SsoException ProfileNotFound(string name, string? environment, IReadOnlyCollection<string> existing)
    {
        var message = environment is null ? $"No profile is named '{name}'." : $"No profile of {environment} is named '{name}'.";
        var names = existing.Distinct(StringComparer.Ordinal).ToArray();
        var action = names.Length == 0
            ? "There are no profiles yet. Add some with Sync-SsoProfile or Add-SsoProfile."
            : $"{NameHint.Of(name, names, "profiles")} Profile names are case-sensitive; Get-SsoProfile lists them.";
        return new("ProfileNotFound", message, action, name);
    }

    internal static SsoException NoProfiles() => new(
        "ProfileNotFound", "There are no profiles yet.", "Add some with Sync-SsoProfile or Add-SsoProfile.");

    internal static SsoException NameNeeded(string command, string what) =>
        InputNotAccepted($"{command} needs {what}.", "Name it as a parameter, or pipe it.");

    internal static SsoException LoginNotShown(string environment, string host) => new(
        "LoginRequired",
        $"{environment} needs a login, and the PowerShell host '{host}' could not show where to log in.",
        $"Run Connect-SsoSession -Environment {environment} in a PowerShell terminal, then this command again.",
        environment);

    internal static SsoException NoMatch(string message, string pattern) => new(
        "EnvironmentNotFound",
        message,
        "Name the environment, or check the pattern; Get-SsoEnvironment lists the environments.",
        pattern);

    internal static SsoException NoProfileFor(string environment, string[] accounts)
    {
        var rest = accounts.Length > MostAccounts ? $" and {accounts.Length - MostAccounts} more" : "";
        return new(
            "ProfileNotFound",
            $"No profile of {environment} is for {string.Join(", ", accounts.Take(MostAccounts))}{rest}.",
            "Add profiles for accounts and roles with Sync-SsoProfile, or with Get-SsoRole and Add-SsoProfile.",
            environment);
    }

    internal static SsoException ConfirmationRequired(string command, string action, string target, Exception fault)
    {
        var reason = fault is NullReferenceException ? "" : $": {Cause(fault)}";
        return new(
            "ConfirmationRequired",
            $"{command} needs your confirmation for '{action}' on {target}, and PowerShell cannot ask for it here{reason}.",
            "Run it again with -Confirm:$false, or in an interactive PowerShell.",
            target,
            inner: fault);
    }

    internal static SsoException InputNotAccepted(string message, string action, object? target = null) =>
        new("InputNotAccepted", message, action, target?.ToString());

    internal static SsoException NeedsPrune() =>
        new("EnvironmentInvalid", "-RemoveCredentials needs -Prune.", "Specify both, or leave out -RemoveCredentials.");

    internal static SsoException OneProfileOnly(string names) => new(
        "ProfileNotFound",
        $"One profile is needed here, and '{names}' is not the name of one.",
        "Name one profile, without wildcards; Get-SsoProfile lists them.",
        names);

    internal static SsoException VariablesInUse() => new(
        "VariablesInUse",
        "Invoke-SsoCommand runs a script block in another runspace of this PowerShell, and the AWS variables of the process are in use.",
        "Wait until it ends, or run programs side by side with Invoke-SsoCommand -FilePath, which gives each its own variables.");

    internal static SsoException CommandFailed(string profile, RuntimeException fault) => new(
        "CommandFailed",
        $"The script block failed for {profile}: {Cause(fault)}.",
        "Correct the cause, then run the command again for this profile.",
        profile,
        inner: fault);

    internal static SsoException CommandEnded(string what, string profile, int code) => new(
        "CommandFailed",
        $"{what} ended with exit code {code} for {profile}.",
        "Check its output, then run the command again for this profile.",
        profile);

    internal static SsoException ProgramNotFound(string name) => new(
        "ProgramNotFound",
        $"No program named '{name}' was found.",
        "Check the name, or use the program's path. Use a script block for a cmdlet, a function, or an alias.",
        name);

    internal static SsoException ProgramIsScript(string path) => new(
        "ProgramNotFound",
        $"{path} is a PowerShell script, and -FilePath runs programs.",
        "Use a script block, or -FilePath pwsh with -ArgumentList -File and the script's path.",
        path);

    internal static SsoException ProgramNotStarted(string path, string profile, Exception fault) => new(
        "CommandFailed",
        $"{path} could not be started for {profile}: {Cause(fault)}.",
        "Check that the file is a program that you may run.",
        profile,
        inner: fault);

    internal static SsoException ArgumentRefused(string path, string why) => new(
        "InputNotAccepted",
        $"{path} cannot get its arguments unchanged: {why}.",
        "Change the argument, or run the program that the batch file starts.",
        path);

    internal static SsoException AccountNotFound(string name, string environment) => new(
        "AccountNotFound",
        $"No account of {environment} that is assigned to you has the name or id '{name}'.",
        $"Get-SsoAccount -Environment {environment} lists your accounts.",
        name);

    internal static SsoException RoleNotFound(string name) => new(
        "RoleNotAssigned",
        $"The role '{name}' is not assigned to you in any of these accounts.",
        "Leave out -Role to see the roles that are.",
        name);

    /// <summary>One error for many profiles whose roles are refused.</summary>
    internal static SsoException RolesRefused(string code, IEnumerable<string> table, IReadOnlyCollection<SsoException> errors)
    {
        var what = code == "AccountNotFound"
            ? "IAM Identity Center does not have their accounts and roles:"
            : "their roles are not assigned to you:";
        var names = string.Join(", ", errors.Select(error => error.Target));
        return new(
            code,
            $"Could not update {errors.Count} profiles: {what}",
            "Get-SsoRole lists your roles. Correct the profiles, or ask your administrator to assign the roles.",
            names,
            table: table);
    }

    internal static SsoException OneEnvironmentOnly() => new(
        "EnvironmentInvalid",
        "-StartUrl, -Region, -DefaultRoleName and -Account apply to one environment only.",
        "Name the environment with -Environment, without wildcards, or give its -StartUrl.");

    internal static SsoException RowInvalid(string environment, int number, string fault) => new(
        "EnvironmentInvalid",
        $"Row {number} of -Account {fault}.",
        "Each row needs a Profile and an AccountId, and a RoleName where the role is not the environment's default.",
        environment);

    internal static SsoException ScriptInvalid(string path, IScriptExtent? place, string fault) =>
        ScriptInvalid(path, (place?.StartLineNumber, place?.StartColumnNumber), fault);

    internal static SsoException ScriptInvalid(string path, (int? Line, int? Column) place, string fault)
    {
        var where = place.Line is null ? path : $"{path}, line {place.Line}, column {place.Column}";
        const string action = "Correct the script, or create the environment with Set-SsoEnvironment. Nothing was stored.";
        return new("ScriptInvalid", $"{where}: {fault}.", action, path);
    }

    internal static SsoException NoTable(string path) => new(
        "ScriptInvalid",
        $"{path} has no table of accounts: no variable in it is set to rows with Profile and AccountId.",
        "Use a copy of the published script, or create the environment with Set-SsoEnvironment.",
        path);

    internal static SsoException NotInScript(string path, string what, string parameter) => new(
        "ScriptInvalid",
        $"{path} has a table but no {what}.",
        $"Add {parameter} to the parameters of the script, or create the environment with Set-SsoEnvironment.",
        path);

    internal static SsoException EnvironmentExists(string name, string path, string differences) => new(
        "EnvironmentExists",
        $"The environment {name} already exists, and {path} would change it: {differences}.",
        "Use -Force to replace it, or -Name to store it under another name.",
        name);

    internal static SsoException OneNameForMany(string name, string path) => new(
        "EnvironmentExists",
        $"-Name {name} is for one environment, and {path} has another one.",
        "Import the files one by one, each with its own name.",
        path);

    internal static SsoException ReadFailed(string path, Exception fault) => new(
        "ReadFailed",
        $"{path} could not be read: {Cause(fault)}.",
        "Check that it is a file that you may read.",
        path,
        inner: fault);

    internal static SsoException WrongEncoding(string id, string path, string what) => new(
        id, $"{path} is {what}, which cannot be read.", "Save the file as UTF-8, then run the command again.", path);

    internal static SsoException FileTooLarge(string path) => new(
        "ReadFailed",
        $"{path} is larger than {ImportedFile.LargestFile / 1024 / 1024} MB.",
        "Check that it is a file with environments, and import them from smaller files.",
        path);

    internal static SsoException NoFile(string path, string what) => new(
        "ReadFailed", $"{path} is {what}, and only a file can be imported.", "Save its contents in a file, and import that.", path);

    internal static SsoException NoScripts(string path) => new(
        "ReadFailed", $"The folder {path} has no *.ps1 file.", "Name the file, or a folder with copies of the script.", path);

    internal static SsoException RecordInvalid(string path, string record, string fault) => new(
        "EnvironmentInvalid", $"{path}, {record}: {fault}.", "Correct the file and import it again.", path);

    internal static SsoException NotExported(string path, Exception fault) => new(
        "EnvironmentInvalid",
        $"{path} is not JSON as Export-SsoEnvironment writes it: each environment needs Name, StartUrl and Region, "
        + "and each row of Account a Profile and an AccountId.",
        "Correct the file, or export it again.",
        path,
        inner: fault);

    internal static SsoException FileExists(string path) => new(
        "WriteFailed", $"{path} already exists, and -NoClobber was given.", "Use another path, or leave out -NoClobber.", path);

    internal static SsoException WriteFailed(string path, Exception fault) => new(
        "WriteFailed",
        $"{path} could not be written: {Cause(fault)}.",
        "Check that its folder exists and that you may write to it.",
        path,
        inner: fault);

    internal static SsoException LibraryMissing(string path, string platform, string[] others, Exception fault) => new(
        "LibraryUnavailable",
        $"There is no native library for {platform} at '{path}'{(others.Length > 0 ? $", only for {string.Join(", ", others)}" : "")}.",
        platform == "win-x86"
            ? "Use the 64-bit PowerShell."
            : "Install a package that was made for this system, or build the module on it with './build.ps1 Build'.",
        path,
        inner: fault);

    internal static SsoException LibraryIsNone(string path) => new(
        "LibraryUnavailable",
        $"The native library '{path}' is not a loadable library; it may be damaged.",
        "Install the module again.",
        path);

    internal static SsoException LibraryCutOff(string path, long length, long wanted) => new(
        "LibraryUnavailable",
        $"The native library '{path}' is incomplete: it has {length} bytes of at least {wanted}.",
        "Install the module again.",
        path);

    internal static SsoException LibraryForGlibc(string path, Exception fault) => new(
        "LibraryUnavailable",
        $"The native library '{path}' needs a Linux with glibc, and this one uses musl, as Alpine does.",
        "Use PowerShell on a Linux with glibc 2.17 or later, such as its images for Debian, Ubuntu or Red Hat.",
        path,
        inner: fault);

    internal static SsoException LibraryUnloadable(string path, string platform, string cause, Exception fault)
    {
        // What Linux, macOS and Windows say of a file that they could run and will not.
        string[] refusals =
        [
            "ermission denied", "not permitted", "failed to map segment", "system policy", "code signature",
            "0x80070005", "0x800704EC", "0x800711C7",
        ];
        var isBlocked = fault is UnauthorizedAccessException || Array.Exists(refusals, refusal => cause.Contains(refusal));
        return new(
            "LibraryUnavailable",
            $"The native library '{path}' {(isBlocked ? "is blocked" : "cannot be loaded")} on {platform}: {cause.TrimEnd('.')}.",
            !isBlocked ? "Install the module again, or a package that was made for this system."
                : platform.StartsWith("linux", StringComparison.Ordinal) ? "Install the module in a folder that is not mounted noexec."
                : "Run Unblock-File on it, or have your administrator allow it.",
            path,
            inner: fault);
    }

    internal static SsoException LibraryVersionMismatch(string path, uint found, uint wanted) => new(
        "LibraryVersionMismatch",
        $"The native library '{path}' has version {found} of the boundary, and this module needs version {wanted}.",
        "Build or install the module again, and start a new PowerShell, since a loaded library stays loaded.",
        path);

    internal static SsoException BadEvent(Exception? fault) => Internal("The native library sent a bad event.", fault);

    internal static SsoException BadStatus(SsoStatus status) => Internal($"The native library answered with the status {status}.", null);

    private static SsoException Internal(string message, Exception? fault) =>
        new("InternalError", message, "This is a bug in the module: please report it with this message.", inner: fault);

    /// <summary>The first line of what an exception says, as a part of a sentence.</summary>
    private static string Cause(Exception fault) => fault.Message.Split('\r', '\n')[0].TrimEnd('.');

    private static ErrorCategory CategoryOf(string code) => code switch
    {
        "EnvironmentNotFound" or "ProfileNotFound" or "AccountNotFound" => ErrorCategory.ObjectNotFound,
        "EnvironmentInvalid" or "CredentialsFileInvalid" or "ConfigFileInvalid" => ErrorCategory.InvalidData,
        "EnvironmentExists" => ErrorCategory.ResourceExists,
        "LoginDeclined" or "RoleNotAssigned" => ErrorCategory.PermissionDenied,
        "ConfirmationRequired" => ErrorCategory.InvalidOperation,
        "CommandFailed" => ErrorCategory.FromStdErr,
        "ProgramNotFound" => ErrorCategory.ObjectNotFound,
        "VariablesInUse" => ErrorCategory.ResourceBusy,
        "LoginTimedOut" => ErrorCategory.OperationTimeout,
        "LoginRequired" or "LoginFailed" => ErrorCategory.AuthenticationError,
        "StartUrlRejected" or "ProfileNameConflict" or "PathInvalid" or "InputNotAccepted" => ErrorCategory.InvalidArgument,
        "ProfileHasOtherKeys" => ErrorCategory.ResourceExists,
        "ScriptInvalid" => ErrorCategory.ParserError,
        "Throttled" => ErrorCategory.LimitsExceeded,
        "ServiceError" => ErrorCategory.ResourceUnavailable,
        "NetworkError" => ErrorCategory.ConnectionError,
        "ReadFailed" => ErrorCategory.ReadError,
        "WriteFailed" => ErrorCategory.WriteError,
        "FileLocked" => ErrorCategory.ResourceBusy,
        "SecretStoreUnavailable" or "SecretStoreFailed" => ErrorCategory.ResourceUnavailable,
        "CredentialsFileUnused" => ErrorCategory.InvalidOperation,
        "SecretStoreLocked" => ErrorCategory.SecurityError,
        "LibraryUnavailable" => ErrorCategory.NotInstalled,
        "LibraryVersionMismatch" or "InternalError" => ErrorCategory.InvalidResult,

        // A newer library may know more codes; the word itself is still the error's id.
        _ => ErrorCategory.NotSpecified,
    };
}
