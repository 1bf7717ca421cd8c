using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Linq;

namespace AwsSso.Commands;

/// <summary>Where the output of programs goes, on the thread of the pipeline. The first text of each is a profile's name.</summary>
internal sealed class ProgramOutput
{
    /// <summary>Takes a line of the standard output.</summary>
    internal Action<string, string> Write { get; set; } = (_, _) => { };

    /// <summary>Takes a line of the standard error.</summary>
    internal Action<string, string> WriteError { get; set; } = (_, _) => { };

    /// <summary>Comes before the first line of the standard output of a program.</summary>
    internal Action<string> Begin { get; set; } = _ => { };

    /// <summary>Takes an error of one program.</summary>
    internal Action<SsoException> Report { get; set; } = _ => { };

    /// <summary>Whether the pipeline stops.</summary>
    internal Func<bool> IsStopping { get; set; } = () => false;
}

/// <summary>
/// The runs of one program under several profiles, side by side. The output of the first one that runs is written as it comes, that of the
/// others is kept until it is their turn, so that no output is mixed.
/// </summary>
/// <param name="program">The program with its arguments.</param>
/// <param name="most">How many may run at the same time.</param>
/// <param name="output">Where their output goes.</param>
internal sealed class ProgramRuns(ProgramFile program, int most, ProgramOutput output) : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly Queue<RunningProgram> runs = new();
    private bool hasBegun;

    /// <summary>Starts the program under a profile, once fewer run than may.</summary>
    internal void Start(string profile, IEnumerable<(string Name, string? Value)> variables)
    {
        while (runs.Count(run => !run.HasExited) >= most)
        {
            WriteSome();
        }

        try
        {
            runs.Enqueue(RunningProgram.Start(profile, program.StartInfo(VariableLoan.ForProgram(variables))));
        }
        catch (Exception fault) when (fault is Win32Exception or InvalidOperationException or System.IO.IOException)
        {
            output.Report(SsoErrors.ProgramNotStarted(program.Name, profile, fault));
        }
    }

    /// <summary>Waits for the end of all, and writes their output.</summary>
    internal void Finish()
    {
        while (runs.Count > 0)
        {
            WriteSome();
        }
    }

    /// <summary>Ends whatever still runs.</summary>
    public void Dispose()
    {
        foreach (var run in runs)
        {
            run.End();
            run.Dispose();
        }
    }

    private void WriteSome()
    {
        if (output.IsStopping())
        {
            throw new System.Management.Automation.PipelineStoppedException();
        }

        var first = runs.Peek();
        if (first.TryTake(out var line, Look))
        {
            Write(first, line);
        }
        else if (first.IsDone())
        {
            runs.Dequeue();
            hasBegun = false;
            using (first)
            {
                if (first.ExitCode != 0)
                {
                    output.Report(SsoErrors.CommandEnded(program.Name, first.Profile, first.ExitCode));
                }
            }
        }
    }

    private void Write(RunningProgram run, ProgramLine line)
    {
        if (line.IsError)
        {
            output.WriteError(run.Profile, line.Text);
            return;
        }

        if (!hasBegun)
        {
            hasBegun = true;
            output.Begin(run.Profile);
        }

        output.Write(run.Profile, line.Text);
    }
}
