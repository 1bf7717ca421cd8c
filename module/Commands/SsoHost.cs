using System;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;

namespace AwsSso;

/// <summary>
/// What is known about a PowerShell host without a prompt. A prompt is no way to find out: a job is blocked by it, a
/// remote client shows it to its user, and a host may throw anything.
/// </summary>
internal sealed class SsoHost(PSHost? host)
{
    private const string ConsoleHost = "ConsoleHost";

    /// <summary>The host of the terminal in Visual Studio Code.</summary>
    private const string CodeHost = "Visual Studio Code Host";

    /// <summary>The host of everything that another PowerShell has started: jobs, and sessions over WinRM, SSH or a named pipe.</summary>
    private const string RemoteHost = "ServerRemoteHost";

    /// <summary>The host of a thread job and of a program that gives PowerShell none. It shows nothing.</summary>
    private const string NoHost = "Default Host";

    /// <summary>Variables that are set only in terminals that show links.</summary>
    private static readonly string[] LinkTerminals = ["WT_SESSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "DOMTERM"];

    /// <summary>Values of TERM_PROGRAM of terminals that show links.</summary>
    private static readonly string?[] LinkPrograms = ["vscode", "iTerm.app", "WezTerm", "ghostty", "Hyper", "rio"];

    /// <summary>The half blocks of a QR code.</summary>
    private const string HalfBlocks = "\u2580\u2584\u2588";

    /// <summary>The first VTE (GNOME Terminal and others) that shows links well: 0.50.</summary>
    private const int FirstVteWithLinks = 5000;

    /// <summary>Whether the user is at another PowerShell, perhaps on another machine, that shows what is written here.</summary>
    internal bool IsRemote => Name == RemoteHost;

    /// <summary>Whether what is written to the host goes into a file or a variable of another shell, as in <c>x=$(pwsh …)</c>.</summary>
    internal bool IsCaptured => Name == ConsoleHost && Console.IsOutputRedirected;

    /// <summary>Whether the terminal is one that is known to show links (OSC 8).</summary>
    internal bool HasLinks
    {
        get
        {
            if (Name != ConsoleHost || Console.IsOutputRedirected || !IsVirtualTerminal)
            {
                return false;
            }

            return LinkTerminals.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name)))
                || LinkPrograms.Contains(Environment.GetEnvironmentVariable("TERM_PROGRAM"))
                || (int.TryParse(Environment.GetEnvironmentVariable("VTE_VERSION"), out var vte) && vte >= FirstVteWithLinks);
        }
    }

    /// <summary>
    /// Whether half blocks can be shown. A console writes them in its own encoding: code pages 437 and 850 have them,
    /// 1252 and ASCII do not.
    /// Any other host takes text as it is.
    /// </summary>
    internal bool HasHalfBlocks
    {
        get
        {
            try
            {
                return Name != ConsoleHost || Console.OutputEncoding.GetString(Console.OutputEncoding.GetBytes(HalfBlocks)) == HalfBlocks;
            }
            catch (Exception fault) when (fault is ArgumentException or System.IO.IOException or System.Security.SecurityException)
            {
                // An encoding that throws at characters that it does not have, or no console.
                return false;
            }
        }
    }

    /// <summary>The name of the host; empty where it has none.</summary>
    internal string Name
    {
        get
        {
            try
            {
                return host?.Name ?? "";
            }
            catch (Exception)
            {
                // A host that throws has no name that this module knows.
                return "";
            }
        }
    }

    /// <summary>
    /// Whether a user may be asked to pick something: never in a job or a remote session, which would wait for an answer, or where the
    /// console does not prompt, or its input or output goes elsewhere.
    /// </summary>
    internal bool MayPick => Name switch
    {
        "" or RemoteHost or NoHost => false,
        _ when WhyNobodyCanLogIn() is not null => false,
        ConsoleHost => HasConsole && IsOwnRunspace() == true,
        CodeHost => HasConsole && IsOwnRunspace() != false,
        _ => IsOwnRunspace() != false,
    };

    /// <summary>Whether a picker can draw on the host's terminal and read single keys.</summary>
    internal bool HasKeys
    {
        get
        {
            try
            {
                return Name is ConsoleHost or CodeHost
                    && HasConsole
                    && host?.UI is { SupportsVirtualTerminal: true, RawUI: not null }
                    && Console.WindowWidth > 0
                    && Console.WindowHeight > 0;
            }
            catch (Exception)
            {
                // No console, or a host that throws.
                return false;
            }
        }
    }

    /// <summary>
    /// Why nobody can approve a login here, in words that go on from "since"; null where somebody may. Redirected input or output alone
    /// says nothing: the address and the code are shown all the same.
    /// </summary>
    internal string? WhyNobodyCanLogIn()
    {
        var ci = Environment.GetEnvironmentVariable("CI");
        if (!string.IsNullOrEmpty(ci) && !string.Equals(ci, "false", StringComparison.OrdinalIgnoreCase))
        {
            return "the variable CI is set";
        }

        return Name switch
        {
            RemoteHost when IsProcessOfJob() => "this runs as a background job",
            NoHost when !IsParallelTask() => "this runs as a background job, or in a program, without a host that could show the login",
            ConsoleHost when IsNonInteractive() => "PowerShell runs with -NonInteractive",
            _ => null,
        };
    }

    /// <summary>
    /// Whether this process was started by Start-Job, which gives it -s, after -Version at most. Any other server mode has another name.
    /// </summary>
    private static bool IsProcessOfJob() =>
        Environment.GetCommandLineArgs().Skip(1).Take(3).Any(word => string.Equals(word, "-s", StringComparison.OrdinalIgnoreCase));

    private static bool HasConsole => !Console.IsInputRedirected && !Console.IsOutputRedirected;

    /// <summary>Whether this is the runspace of the host's prompt; null where the host does not tell.</summary>
    private bool? IsOwnRunspace()
    {
        try
        {
            return host is not IHostSupportsInteractiveSession { Runspace: { } runspace } ? null
                : ReferenceEquals(runspace, Runspace.DefaultRunspace);
        }
        catch (Exception)
        {
            return null;
        }
    }

    /// <summary>Whether the host passes escape sequences on to its terminal.</summary>
    private bool IsVirtualTerminal
    {
        get
        {
            try
            {
                return host?.UI?.SupportsVirtualTerminal == true && !IsPlainText();
            }
            catch (Exception)
            {
                // A host that throws shows no links.
                return false;
            }
        }
    }

    /// <summary>Whether PowerShell removes escape sequences, as with NO_COLOR: a link would lose its address.</summary>
    private static bool IsPlainText()
    {
        var style = typeof(PSObject).Assembly.GetType("System.Management.Automation.PSStyle");
        var instance = style?.GetProperty("Instance")?.GetValue(null);
        return style?.GetProperty("OutputRendering")?.GetValue(instance)?.ToString() == "PlainText";
    }

    /// <summary>Whether this is ForEach-Object -Parallel, which hands what is written to the PowerShell that runs it.</summary>
    private static bool IsParallelTask() => Runspace.DefaultRunspace?.Name?.StartsWith("PSTask:", StringComparison.Ordinal) == true;

    /// <summary>
    /// Whether the console refuses to prompt. Its command line is no way to find out: -NonInteractive may be shortened, may come after a
    /// word that takes it as its value, and may be in the arguments of a script. Without choices the console shows nothing and throws, in
    /// one way or the other.
    /// </summary>
    private bool IsNonInteractive()
    {
        try
        {
            _ = host?.UI?.PromptForChoice(null, null, null, 0);
        }
        catch (PSInvalidOperationException)
        {
            return true;
        }
        catch (Exception)
        {
            // It would prompt.
        }

        return false;
    }
}
