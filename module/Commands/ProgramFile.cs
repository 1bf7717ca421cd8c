using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Text;

namespace AwsSso.Commands;

/// <summary>A program as a file, and how it is started with its arguments.</summary>
internal sealed class ProgramFile
{
    /// <summary>The longest line that cmd.exe takes.</summary>
    private const int LongestBatchLine = 8191;

    /// <summary>What needs no quotation marks for cmd.exe, apart from letters and digits; all else is quoted.</summary>
    private const string BarePunctuation = "#$*+-./:?@\\_";

    private static readonly string[] BatchExtensions = [".cmd", ".bat"];

    private readonly string path;
    private readonly string directory;
    private readonly string arguments;

    private ProgramFile(string path, string directory, string arguments)
    {
        this.path = path;
        this.directory = directory;
        this.arguments = arguments;
    }

    /// <summary>The program's name, as messages have it.</summary>
    internal string Name => Path.GetFileName(path);

    /// <summary>Finds a program as PowerShell does.</summary>
    /// <param name="name">Its name, or its path.</param>
    /// <param name="commands">The commands of the session.</param>
    /// <param name="directory">The folder that the program runs in.</param>
    internal static ProgramFile Find(string name, CommandInvocationIntrinsics commands, string directory)
    {
        CommandInfo? found;
        try
        {
            found = commands.GetCommand(name, CommandTypes.Application | CommandTypes.ExternalScript);
        }
        catch (RuntimeException fault) when (fault is not PipelineStoppedException)
        {
            found = null;
        }

        return found switch
        {
            ApplicationInfo program => new ProgramFile(program.Path, directory, ""),
            ExternalScriptInfo script => throw SsoErrors.ProgramIsScript(script.Path),
            _ => throw SsoErrors.ProgramNotFound(name),
        };
    }

    /// <summary>The program with these arguments; an error where it could not get them as they are.</summary>
    internal ProgramFile With(IReadOnlyCollection<string?> words)
    {
        var given = words.Select(word => word ?? "").ToArray();
        if (given.Any(word => word.Contains('\0')))
        {
            throw SsoErrors.ArgumentRefused(path, "one has a null character");
        }

        return new ProgramFile(path, directory, IsBatch ? BatchLine(path, given) : Line(given));
    }

    /// <summary>How to start it: with these variables and no other, without input, and without a window.</summary>
    internal ProcessStartInfo StartInfo(IEnumerable<KeyValuePair<string, string>> variables)
    {
        var start = new ProcessStartInfo
        {
            FileName = IsBatch ? Path.Combine(Environment.SystemDirectory, "cmd.exe") : path,
            Arguments = arguments,
            WorkingDirectory = directory,
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var variable in variables)
        {
            start.Environment[variable.Key] = variable.Value;
        }

        return start;
    }

    /// <summary>
    /// The arguments in one line, from which Windows programs and .NET on other systems read the same arguments: a backslash counts only
    /// before a quotation mark.
    /// </summary>
    internal static string Line(IEnumerable<string> words) => string.Join(" ", words.Select(word =>
        word.Length > 0 && !word.Any(c => char.IsWhiteSpace(c) || c == '"') ? word : Quoted(word, "\\\"")));

    /// <summary>
    /// The arguments of cmd.exe that run a batch file. cmd.exe reads a line before the batch file does, so each argument is in quotation
    /// marks, and nothing in it is replaced: an empty substring after each percent sign keeps it from starting a variable's name.
    /// </summary>
    internal static string BatchLine(string path, IReadOnlyCollection<string> words)
    {
        if (words.FirstOrDefault(word => word.IndexOfAny(['"', '\r', '\n']) >= 0) is { } refused)
        {
            throw SsoErrors.ArgumentRefused(path, $"a batch file takes no {(refused.Contains('"') ? "quotation marks" : "line breaks")}");
        }

        var line = $"/e:ON /v:OFF /d /c \"{string.Join(" ", words.Select(BatchWord).Prepend(Unexpanded($"\"{path}\"")))}\"";
        return line.Length <= LongestBatchLine ? line
            : throw SsoErrors.ArgumentRefused(path, $"a batch file takes no more than {LongestBatchLine} characters");
    }

    private bool IsBatch => Path.DirectorySeparatorChar == '\\'
        && BatchExtensions.Contains(Path.GetExtension(path).TrimEnd(' ', '.'), StringComparer.OrdinalIgnoreCase);

    private static string BatchWord(string word)
    {
        var isBare = word.Length > 0
            && word[word.Length - 1] != '\\'
            && word.All(c => c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9' or > '\u009F'
                || BarePunctuation.IndexOf(c) >= 0);
        return Unexpanded(isBare ? word : Quoted(word, "\"\""));
    }

    private static string Unexpanded(string text) => text.Replace("%", "%%cd:~,%");

    /// <summary>The word in quotation marks, with backslashes doubled where they would quote one.</summary>
    private static string Quoted(string word, string mark)
    {
        var quoted = new StringBuilder("\"");
        var backslashes = 0;
        foreach (var character in word)
        {
            if (character == '"')
            {
                quoted.Append('\\', backslashes).Append(mark);
            }
            else
            {
                quoted.Append(character);
            }

            backslashes = character == '\\' ? backslashes + 1 : 0;
        }

        return quoted.Append('\\', backslashes).Append('"').ToString();
    }
}
