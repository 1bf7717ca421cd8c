using System;
using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Reflection;
using System.Text;
using System.Threading;

namespace AwsSso.Commands;

/// <summary>A line that a program wrote.</summary>
/// <param name="text">The line, without its end.</param>
/// <param name="isError">Whether it is from the program's standard error.</param>
internal readonly struct ProgramLine(string text, bool isError)
{
    internal string Text { get; } = text;

    internal bool IsError { get; } = isError;
}

/// <summary>A program that runs under a profile. Its lines are kept until they are taken; if there are many, the program waits.</summary>
internal sealed class RunningProgram : IDisposable
{
    /// <summary>The lines that are kept.</summary>
    private const int MostLines = 10_000;

    /// <summary>The longest line, in characters; what is longer is several lines.</summary>
    private const int LongestLine = 16 * 1024 * 1024;

    /// <summary>How long the output may stay open after the program's end: something that it left behind may hold it forever.</summary>
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(2);

    private static readonly MethodInfo? KillTree = typeof(Process).GetMethod(nameof(Process.Kill), [typeof(bool)]);

    private readonly BlockingCollection<ProgramLine> lines = new(MostLines);
    private readonly CancellationTokenSource end = new();
    private readonly Process process;
    private readonly ProgramMark mark;
    private readonly Stopwatch rest = new();
    private int openStreams = 2;

    private RunningProgram(string profile, Process process, ProgramMark mark)
    {
        Profile = profile;
        this.process = process;
        this.mark = mark;
    }

    /// <summary>The profile's name.</summary>
    internal string Profile { get; }

    /// <summary>Whether the program runs no more. Some of its lines may not be taken yet.</summary>
    internal bool HasExited => process.HasExited;

    /// <summary>The exit code of a program that runs no more.</summary>
    internal int ExitCode => process.ExitCode;

    /// <summary>Starts a program.</summary>
    internal static RunningProgram Start(string profile, ProcessStartInfo start)
    {
        var mark = ProgramMark.On(start);
        var process = Process.Start(start) ?? throw new InvalidOperationException("no process was created");
        var running = new RunningProgram(profile, process, mark);
        process.StandardInput.Close();
        running.Read(process.StandardOutput, isError: false);
        running.Read(process.StandardError, isError: true);
        return running;
    }

    /// <summary>Takes the next line, if there is one within the time.</summary>
    internal bool TryTake(out ProgramLine line, TimeSpan longest) => lines.TryTake(out line, longest);

    /// <summary>Whether nothing is left to take, and nothing will come.</summary>
    internal bool IsDone()
    {
        if (!process.HasExited || lines.Count > 0)
        {
            return false;
        }

        rest.Start();
        return lines.IsCompleted || rest.Elapsed > LongestRest;
    }

    /// <summary>Ends the program and all that it has started.</summary>
    internal void End()
    {
        end.Cancel();
        try
        {
            if (!process.HasExited)
            {
                Kill();
            }
        }
        catch (Exception fault)
            when (fault is InvalidOperationException or Win32Exception or TargetInvocationException or AggregateException)
        {
            // It has ended in this moment, or may not be ended.
        }

        mark.Kill();
    }

    /// <summary>Lets go of a program.</summary>
    public void Dispose()
    {
        end.Cancel();
        process.Dispose();
    }

    private void Kill()
    {
        if (KillTree is not null)
        {
            KillTree.Invoke(process, [true]);
            return;
        }

        // Windows PowerShell.
        var program = Path.Combine(Environment.SystemDirectory, "taskkill.exe");
        var start = new ProcessStartInfo(program, $"/T /F /PID {process.Id}") { UseShellExecute = false, CreateNoWindow = true };
        using var killer = Process.Start(start);
        killer?.WaitForExit();
    }

    private void Read(StreamReader reader, bool isError)
    {
        var thread = new Thread(() => Take(reader, isError)) { IsBackground = true, Name = "Invoke-SsoCommand" };
        thread.Start();
    }

    private void Take(StreamReader reader, bool isError)
    {
        try
        {
            while (NextLine(reader) is { } text)
            {
                lines.Add(new ProgramLine(text, isError), end.Token);
            }
        }
        catch (Exception fault)
            when (fault is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // Nobody takes more.
        }
        finally
        {
            if (Interlocked.Decrement(ref openStreams) == 0)
            {
                lines.CompleteAdding();
            }
        }
    }

    private static string? NextLine(StreamReader reader)
    {
        var line = new StringBuilder();
        int read;
        while ((read = reader.Read()) >= 0 && read != '\n' && line.Length < LongestLine)
        {
            line.Append((char)read);
        }

        if (read < 0 && line.Length == 0)
        {
            return null;
        }

        if (read >= 0 && read != '\n')
        {
            line.Append((char)read);
        }

        return line.Length > 0 && line[line.Length - 1] == '\r' ? line.ToString(0, line.Length - 1) : line.ToString();
    }
}
