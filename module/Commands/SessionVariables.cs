using System;
using System.Collections.Generic;

namespace AwsSso;

/// <summary>The variables of this process that lead AWS tools to keys: what Use-SsoCredential set, and what was there before.</summary>
internal static class SessionVariables
{
    private static readonly Dictionary<string, (string? Ours, string? Original)> Set = new(StringComparer.Ordinal);
    private static readonly object Gate = new();

    /// <summary>
    /// Restores what was set before, unless it has changed since, and sets these. Null removes a variable; empty text is a value.
    /// </summary>
    internal static void Replace(params (string Name, string? Value)[] variables)
    {
        lock (Gate)
        {
            foreach (var variable in Set)
            {
                if (Environment.GetEnvironmentVariable(variable.Key) == variable.Value.Ours)
                {
                    Environment.SetEnvironmentVariable(variable.Key, variable.Value.Original);
                }
            }

            Set.Clear();
            foreach (var (name, value) in variables)
            {
                Set[name] = (value, Environment.GetEnvironmentVariable(name));
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
            return Set.TryGetValue(name, out var variable) && variable.Ours == now ? variable.Original : now;
        }
    }
}
