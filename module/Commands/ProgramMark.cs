using System;
using System.ComponentModel;
using System.Diagnostics;
using System.IO;
using System.Text;

namespace AwsSso.Commands;

/// <summary>
/// A variable that a program and all that it starts have in common. On Linux it finds what has lost its parent: a Ctrl+C in a terminal goes
/// to all of them at once, and a process that ignores it is no longer in the tree when its parent has ended.
/// </summary>
internal sealed class ProgramMark
{
    private const string Variable = "SSO_COMMAND_RUN";

    /// <summary>Enough for whatever starts another process while it is ended.</summary>
    private const int MostRounds = 10;

    private static readonly Encoding Bytes = Encoding.GetEncoding("ISO-8859-1");

    private readonly string text;

    private ProgramMark(string value) => text = $"\0{Variable}={value}\0";

    /// <summary>Sets the variable for a program.</summary>
    internal static ProgramMark On(ProcessStartInfo start)
    {
        var value = Guid.NewGuid().ToString("N");
        start.Environment[Variable] = value;
        return new ProgramMark(value);
    }

    /// <summary>Ends what has the variable, where the system tells.</summary>
    internal void Kill()
    {
        var isFound = Directory.Exists("/proc/self");
        for (var round = 0; isFound && round < MostRounds; round++)
        {
            isFound = false;
            foreach (var folder in Directory.EnumerateDirectories("/proc"))
            {
                isFound |= int.TryParse(Path.GetFileName(folder), out var id) && IsMarked(folder) && HasKilled(id);
            }
        }
    }

    private bool IsMarked(string folder)
    {
        try
        {
            return $"\0{Bytes.GetString(File.ReadAllBytes(Path.Combine(folder, "environ")))}".Contains(text);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It belongs to somebody else, or has ended.
            return false;
        }
    }

    private static bool HasKilled(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
            return true;
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return false;
        }
    }
}
