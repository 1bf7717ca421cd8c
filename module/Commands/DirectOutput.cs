using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Text;

namespace AwsSso.Commands;

/// <summary>
/// The standard output of the process, for a text with a secret. What goes through PowerShell's own output is kept in a transcript; what is
/// written here is not. Only where the text would certainly end up there anyway is this way open: whatever captures or takes on the output
/// of the command gets it from the pipeline.
/// </summary>
internal static class DirectOutput
{
    /// <summary>Parameters that keep the output of a command.</summary>
    private static readonly string[] Keepers = ["OutVariable", "PipelineVariable"];

    /// <summary>Whether the output of this command is that of the process, and is redirected to a file or to another program.</summary>
    internal static bool IsOpen(InvocationInfo invocation, PSHost? host) =>
        Console.IsOutputRedirected
        && invocation.PipelinePosition == invocation.PipelineLength
        && invocation.CommandOrigin == CommandOrigin.Runspace
        && !Keepers.Any(invocation.BoundParameters.ContainsKey)
        && IsConsoleOf(host)
        && !IsSerialized()
        && IsStatement(invocation);

    /// <summary>Writes a line past PowerShell.</summary>
    internal static void WriteLine(string line)
    {
        var bytes = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(line + Environment.NewLine);
        using var output = Console.OpenStandardOutput();
        output.Write(bytes, 0, bytes.Length);
        output.Flush();
    }

    /// <summary>
    /// Whether the command runs in the console's own runspace, and not in one that a job, a thread or a program created with its host.
    /// </summary>
    private static bool IsConsoleOf(PSHost? host)
    {
        try
        {
            return host is { Name: "ConsoleHost" } and IHostSupportsInteractiveSession { IsRunspacePushed: false } console
                && ReferenceEquals(console.Runspace, Runspace.DefaultRunspace);
        }
        catch (Exception fault) when (fault is PSNotImplementedException or NotImplementedException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// Whether PowerShell may write objects as XML. It does so if another PowerShell started it with a script block.
    /// </summary>
    internal static bool IsSerialized() =>
        Environment.GetCommandLineArgs().Any(word => word.EndsWith("xml", StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the command is a statement of the outermost script, which nothing else takes the output of.</summary>
    private static bool IsStatement(InvocationInfo invocation)
    {
        var frames = Runspace.DefaultRunspace?.Debugger?.GetCallStack()?.Take(2).ToArray() ?? [];
        if (frames.Length != 1 || frames[0].Position?.StartScriptPosition is not { } start || start.GetFullScript() is not { } script)
        {
            return false;
        }

        var parsed = Parser.ParseInput(script, out _, out var errors);
        var commands = parsed.FindAll(ast => IsAt(ast, start.Offset), searchNestedScriptBlocks: true).ToArray();
        return errors.Length == 0
            && commands.Length == 1
            && commands[0] is CommandAst command
            && string.Equals(command.GetCommandName(), invocation.InvocationName, StringComparison.OrdinalIgnoreCase)
            && command.Redirections.All(redirection => redirection.FromStream is not (RedirectionStream.Output or RedirectionStream.All))
            && Parents(command).All(IsPassedOn);
    }

    /// <summary>Whether it is a command that starts there, or ends a pipeline that does: PowerShell gives either place.</summary>
    private static bool IsAt(Ast ast, int offset) =>
        ast is CommandAst { Parent: PipelineAst pipeline }
        && ReferenceEquals(pipeline.PipelineElements[pipeline.PipelineElements.Count - 1], ast)
        && (ast.Extent.StartOffset == offset || pipeline.Extent.StartOffset == offset);

    private static IEnumerable<Ast> Parents(Ast ast)
    {
        for (var parent = ast.Parent; parent is not null; parent = parent.Parent)
        {
            yield return parent;
        }
    }

    /// <summary>Whether the output of what is inside is the output of the script; everything that is not known to be so is not.</summary>
    private static bool IsPassedOn(Ast ast) => ast switch
    {
        PipelineAst or NamedBlockAst or StatementBlockAst or TryStatementAst or IfStatementAst => true,
        ScriptBlockAst block => block.Parent is null,
        _ => false,
    };
}
