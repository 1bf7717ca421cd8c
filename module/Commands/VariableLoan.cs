using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Runspaces;

namespace AwsSso;

/// <summary>
/// The AWS variables of this process, lent to one runspace while it runs a command under another profile. The process has them once, so
/// nobody else may change them meanwhile. Loans of one runspace nest.
/// </summary>
internal sealed class VariableLoan : IDisposable
{
    /// <summary>The loans that are not given back, the outermost one first; all are of one runspace.</summary>
    private static readonly List<VariableLoan> Open = [];

    private static Guid holder;

    private Dictionary<string, string>? before;
    private Dictionary<string, (string? Ours, string? Original)> memory = [];

    private VariableLoan()
    {
    }

    /// <summary>Takes the variables for this runspace; an error where another one has them.</summary>
    internal static VariableLoan Take()
    {
        lock (SessionVariables.Gate)
        {
            RefuseElsewhere();
            holder = Here;
            var loan = new VariableLoan();
            Open.Add(loan);
            return loan;
        }
    }

    /// <summary>Throws where another runspace has the variables.</summary>
    internal static void RefuseElsewhere()
    {
        lock (SessionVariables.Gate)
        {
            if (IsElsewhere)
            {
                throw SsoErrors.VariablesInUse();
            }
        }
    }

    /// <summary>
    /// The variables for a program that is started with its own: those of this process, or those that it had before another runspace took
    /// them, without any that leads to keys, and with these.
    /// </summary>
    internal static Dictionary<string, string> ForProgram(IEnumerable<(string Name, string? Value)> variables)
    {
        lock (SessionVariables.Gate)
        {
            var outside = IsElsewhere ? Open[0] : null;
            var inside = CredentialVariables.OfProcess();
            if (outside?.before is { } known)
            {
                BringBack(inside, known);
            }

            return Inside(inside, outside?.before is null ? SessionVariables.Memory : outside.memory, variables);
        }
    }

    /// <summary>Sets these variables and removes every other one that leads to keys, until <see cref="Restore"/>.</summary>
    internal void Set(IEnumerable<(string Name, string? Value)> variables)
    {
        Restore();
        lock (SessionVariables.Gate)
        {
            before = CredentialVariables.OfProcess();
            memory = SessionVariables.Exchange();
            var inside = Inside(new Dictionary<string, string>(before, CredentialVariables.Comparer), memory, variables);
            foreach (var name in before.Keys.Concat(inside.Keys).Distinct(CredentialVariables.Comparer).ToArray())
            {
                Write(name, inside);
            }
        }
    }

    /// <summary>Restores every variable of AWS tools, and each that was set, as it was; one that was not set is not set again.</summary>
    internal void Restore()
    {
        lock (SessionVariables.Gate)
        {
            if (before is not { } outside)
            {
                return;
            }

            foreach (var name in Names(outside))
            {
                Write(name, outside);
            }

            _ = SessionVariables.Exchange(memory);
            before = null;
        }
    }

    /// <summary>Restores the variables, and lets others have them.</summary>
    public void Dispose()
    {
        lock (SessionVariables.Gate)
        {
            Restore();
            Open.Remove(this);
        }
    }

    private static Guid Here => Runspace.DefaultRunspace?.InstanceId ?? Guid.Empty;

    private static bool IsElsewhere => Open.Count > 0 && holder != Here;

    private static Dictionary<string, string> Inside(
        Dictionary<string, string> inside,
        IReadOnlyDictionary<string, (string? Ours, string? Original)> memory,
        IEnumerable<(string Name, string? Value)> variables)
    {
        SessionVariables.Undo(inside, memory);
        foreach (var name in CredentialVariables.Names)
        {
            inside.Remove(name);
        }

        foreach (var (name, value) in variables)
        {
            if (value is null)
            {
                inside.Remove(name);
            }
            else
            {
                inside[name] = value;
            }
        }

        return inside;
    }

    /// <summary>Makes the variables of AWS tools, and those that Use-SsoCredential set, what they were.</summary>
    private static void BringBack(Dictionary<string, string> variables, Dictionary<string, string> outside)
    {
        foreach (var name in variables.Keys.Where(CredentialVariables.IsOfAws).ToArray())
        {
            variables.Remove(name);
        }

        foreach (var variable in outside.Where(variable => CredentialVariables.IsOfAws(variable.Key) || IsProxy(variable.Key)))
        {
            variables[variable.Key] = variable.Value;
        }
    }

    private static bool IsProxy(string name) => string.Equals(name, "NO_PROXY", StringComparison.OrdinalIgnoreCase);

    private static void Write(string name, Dictionary<string, string> wanted)
    {
        var value = wanted.TryGetValue(name, out var given) ? given : null;
        if (Environment.GetEnvironmentVariable(name) != value)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }

    /// <summary>What may have changed: the variables of AWS tools then and now, and those that Use-SsoCredential had set.</summary>
    private string[] Names(Dictionary<string, string> outside) => outside.Keys
        .Concat(CredentialVariables.OfProcess().Keys)
        .Where(CredentialVariables.IsOfAws)
        .Concat(memory.Keys)
        .Concat(SessionVariables.Memory.Keys)
        .Distinct(CredentialVariables.Comparer)
        .ToArray();
}
