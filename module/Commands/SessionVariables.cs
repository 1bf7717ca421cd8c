using System;
using System.Collections.Generic;

namespace AwsSso;

/// <summary>The variables of this process that lead AWS tools to keys: what Use-SsoCredential set, and what was there before.</summary>
internal static class SessionVariables
{
    private static Dictionary<string, (string? Ours, string? Original)> set = Nothing();

    /// <summary>Held while these variables, or those of a <see cref="VariableLoan"/>, are read or changed.</summary>
    internal static object Gate { get; } = new();

    /// <summary>
    /// Restores what was set before, unless it has changed since, and sets these. Null removes a variable; empty text is a value.
    /// </summary>
    internal static void Replace(params (string Name, string? Value)[] variables)
    {
        lock (Gate)
        {
            VariableLoan.RefuseElsewhere();
            foreach (var variable in set)
            {
                if (Environment.GetEnvironmentVariable(variable.Key) == variable.Value.Ours)
                {
                    Environment.SetEnvironmentVariable(variable.Key, variable.Value.Original);
                }
            }

            set.Clear();
            foreach (var (name, value) in variables)
            {
                set[name] = (value, Environment.GetEnvironmentVariable(name));
                Environment.SetEnvironmentVariable(name, value);
            }
        }
    }

    /// <summary>The value that a variable has without what Use-SsoCredential set; null where it is not set.</summary>
    internal static string? Own(string name)
    {
        lock (Gate)
        {
            var now = Environment.GetEnvironmentVariable(name);
            return set.TryGetValue(name, out var variable) && variable.Ours == now ? variable.Original : now;
        }
    }

    /// <summary>Removes from a copy of the variables what Use-SsoCredential set.</summary>
    internal static void Undo(Dictionary<string, string> variables, IReadOnlyDictionary<string, (string? Ours, string? Original)> memory)
    {
        foreach (var variable in memory)
        {
            if ((variables.TryGetValue(variable.Key, out var now) ? now : null) != variable.Value.Ours)
            {
                continue;
            }

            if (variable.Value.Original is { } original)
            {
                variables[variable.Key] = original;
            }
            else
            {
                variables.Remove(variable.Key);
            }
        }
    }

    /// <summary>What Use-SsoCredential has set; call it and use what it gives under the gate.</summary>
    internal static Dictionary<string, (string? Ours, string? Original)> Memory => set;

    /// <summary>Puts another memory in the place of this one, which is returned. The variables stay.</summary>
    internal static Dictionary<string, (string? Ours, string? Original)> Exchange(
        Dictionary<string, (string? Ours, string? Original)>? memory = null)
    {
        lock (Gate)
        {
            var before = set;
            set = memory ?? Nothing();
            return before;
        }
    }

    private static Dictionary<string, (string? Ours, string? Original)> Nothing() => new(CredentialVariables.Comparer);
}
