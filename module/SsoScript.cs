using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Management.Automation.Language;
using System.Text;

namespace AwsSso;

/// <summary>
/// A copy of the published script, read and never run: the defaults of its parameters and the rows of its table.
/// Only what is constant counts; anything else in the table is an error with its line and column.
/// </summary>
internal sealed class SsoScript
{
    /// <summary>No copy of the script comes near it, and a file that does is something else.</summary>
    private const int LargestFile = 16 * 1024 * 1024;

    private readonly string path;
    private readonly Dictionary<string, object?> constants = new(StringComparer.OrdinalIgnoreCase)
    {
        ["true"] = true,
        ["false"] = false,
        ["null"] = null,
    };

    private readonly List<Ast> placeholders = [];
    private readonly List<string> notes = [];
    private string? table;

    private SsoScript(string path) => this.path = path;

    /// <summary>Gets the name of the environment.</summary>
    internal string? EnvironmentName => Constant("EnvironmentName");

    /// <summary>Gets the start URL.</summary>
    internal string? StartUrl => Constant("StartUrl");

    /// <summary>Gets the region.</summary>
    internal string? Region => Constant("Region");

    /// <summary>Gets the role of the rows that name none.</summary>
    internal string? DefaultRoleName => Constant("DefaultRoleName");

    /// <summary>Gets the rows of the table, in their order.</summary>
    internal List<SsoAccountRow> Rows { get; } = [];

    /// <summary>Gets what was put right on the way.</summary>
    internal IReadOnlyList<string> Notes => notes;

    /// <summary>Reads a copy of the script; null where the file has no table at all.</summary>
    internal static SsoScript? Read(string path)
    {
        var script = new SsoScript(path);
        var parsed = script.Parse();
        script.Walk(parsed);
        if (script.table is null)
        {
            return null;
        }

        script.CheckPlaceholders();
        return script;
    }

    private ScriptBlockAst Parse()
    {
        string text;
        try
        {
            if (new FileInfo(path).Length > LargestFile)
            {
                throw SsoErrors.ScriptInvalid(path, null, "it is too large for a PowerShell script");
            }

            // As PowerShell reads a script: a byte order mark counts, else it is UTF-8.
            text = File.ReadAllText(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw SsoErrors.ReadFailed(path, fault);
        }

        if (text.IndexOf('\0') >= 0)
        {
            throw SsoErrors.ScriptInvalid(path, null, "it is not a text file");
        }

        var parsed = Parser.ParseInput(text, path, out _, out var errors);
        if (errors.Length > 0)
        {
            throw SsoErrors.ScriptInvalid(path, errors[0].Extent, $"PowerShell cannot read it: {errors[0].Message.Split('\r', '\n')[0].TrimEnd('.')}");
        }

        return parsed;
    }

    /// <summary>Takes parameters and assignments in the order in which the script would meet them.</summary>
    private void Walk(ScriptBlockAst script)
    {
        foreach (var parameter in script.ParamBlock?.Parameters ?? Enumerable.Empty<ParameterAst>())
        {
            if (parameter.DefaultValue is { } value)
            {
                Remember(parameter.Name.VariablePath.UserPath, value);
            }
        }

        foreach (var assignment in script.FindAll(ast => ast is AssignmentStatementAst, searchNestedScriptBlocks: false).Cast<AssignmentStatementAst>())
        {
            if (Target(assignment.Left) is not { } name)
            {
                continue;
            }

            if (IsTable(assignment.Right))
            {
                Take(name, assignment);
            }
            else if (assignment.Operator == TokenKind.Equals)
            {
                Remember(name, assignment.Right);
            }
            else
            {
                // What was constant is not known any more.
                constants.Remove(name);
            }
        }
    }

    /// <summary>The variable's name without its scope.</summary>
    private static string? Target(ExpressionAst left)
    {
        var variable = left is ConvertExpressionAst typed ? typed.Child as VariableExpressionAst : left as VariableExpressionAst;
        return variable?.VariablePath.UserPath.Split(':').Last();
    }

    private void Remember(string name, Ast value)
    {
        var noted = placeholders.Count;
        try
        {
            constants[name] = Evaluate(value);
        }
        catch (NotConstantException)
        {
            // Of no concern unless the table uses it.
            constants.Remove(name);
        }

        // A placeholder counts where it is used.
        placeholders.RemoveRange(noted, placeholders.Count - noted);
    }

    private static bool IsTable(Ast value) => value.Find(ast => ast is HashtableAst row && IsRow(row), searchNestedScriptBlocks: false) is not null;

    private static bool IsRow(HashtableAst row) => row.KeyValuePairs.Any(pair => KeyOf(pair.Item1) is "PROFILE" or "ACCOUNTID");

    private static string? KeyOf(ExpressionAst key) => (key as StringConstantExpressionAst)?.Value.ToUpperInvariant();

    private void Take(string name, AssignmentStatementAst assignment)
    {
        var adds = assignment.Operator == TokenKind.PlusEquals;
        if (table is not null && (!adds || !string.Equals(table, name, StringComparison.OrdinalIgnoreCase)))
        {
            throw SsoErrors.ScriptInvalid(path, assignment.Extent, $"a second table, ${name}, begins there, and one environment has one; split the file");
        }

        table = name;
        object? value;
        try
        {
            value = Evaluate(assignment.Right);
        }
        catch (NotConstantException fault)
        {
            throw SsoErrors.ScriptInvalid(path, fault.Place.Extent, $"'{Shortened(fault.Place)}' is not constant, so it cannot be read without running the script");
        }

        foreach (var row in value as List<object?> ?? [value])
        {
            AddRow(row as Dictionary<string, Cell> ?? throw SsoErrors.ScriptInvalid(path, assignment.Right.Extent, "the table has something in it that is no row"));
        }
    }

    private void AddRow(Dictionary<string, Cell> row)
    {
        string Needed(string key)
        {
            if (row.TryGetValue(key, out var cell) && TextOf(cell.Value) is { Length: > 0 } text)
            {
                return text;
            }

            throw SsoErrors.ScriptInvalid(path, row.Values.FirstOrDefault()?.Place.Extent, $"the row there has no {key}");
        }

        var profile = Needed("Profile");
        var written = Needed("AccountId");
        var accountId = written.Trim();
        if (accountId.Length != written.Length && !IsPlaceholder(written))
        {
            notes.Add($"{path}, line {row["AccountId"].Place.Extent.StartLineNumber}: the blanks around the account id {accountId} were left out.");
        }

        foreach (var cell in row.Values.Where(cell => cell.Value is string text && IsPlaceholder(text)))
        {
            placeholders.Add(cell.Place);
        }

        Rows.Add(new SsoAccountRow(profile, accountId, row.TryGetValue("RoleName", out var role) && TextOf(role.Value) is { Length: > 0 } name ? name : null));
    }

    private void CheckPlaceholders()
    {
        var names = placeholders.Select(place => $"{Shortened(place)} (line {place.Extent.StartLineNumber})").ToList();
        foreach (var value in new[] { EnvironmentName, StartUrl, Region, DefaultRoleName }.Where(value => value is not null && IsPlaceholder(value)))
        {
            names.Add(value!);
        }

        if (names.Count > 0)
        {
            throw SsoErrors.ScriptInvalid(path, placeholders.FirstOrDefault()?.Extent, $"placeholders in angle brackets are left in it: {string.Join(", ", names.Distinct())}");
        }
    }

    private static bool IsPlaceholder(string text) => text.Trim() is { Length: > 1 } trimmed && trimmed[0] == '<' && trimmed[trimmed.Length - 1] == '>';

    private string? Constant(string name) => constants.TryGetValue(name, out var value) && TextOf(value)?.Trim() is { Length: > 0 } text ? text : null;

    private static string? TextOf(object? value) => value switch
    {
        null => null,
        string text => text,
        Number number => number.Written,
        bool or List<object?> or Dictionary<string, Cell> => null,
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    /// <summary>The value of what is constant: text, a number as it is written, true or false, a list, or a row.</summary>
    private object? Evaluate(Ast ast)
    {
        switch (ast)
        {
            case StringConstantExpressionAst text:
                return text.Value;
            case ExpandableStringExpressionAst text:
                return Expand(text);
            case ConstantExpressionAst number:
                // An account id without quotes keeps its leading zeros only as it is written.
                return new Number(number.Extent.Text);
            case VariableExpressionAst variable when constants.TryGetValue(variable.VariablePath.UserPath.Split(':').Last(), out var value):
                return value;
            case ParenExpressionAst inner:
                return Evaluate(inner.Pipeline);
            case ConvertExpressionAst typed when typed.Type.TypeName.FullName.ToUpperInvariant() is "PSCUSTOMOBJECT" or "ORDERED" or "HASHTABLE" or "PSOBJECT" or "STRING" or "ARRAY" or "OBJECT[]" or "HASHTABLE[]":
                return Evaluate(typed.Child);
            case BinaryExpressionAst { Operator: TokenKind.Plus } sum:
                return Sum(Evaluate(sum.Left), Evaluate(sum.Right), sum);
            case ArrayLiteralAst list:
                return list.Elements.SelectMany(Items).ToList();
            case ArrayExpressionAst list:
                return list.SubExpression.Statements.SelectMany(Items).ToList();
            case SubExpressionAst list:
                var items = list.SubExpression.Statements.SelectMany(Items).ToList();
                return items.Count == 1 ? items[0] : items;
            case HashtableAst row:
                return row.KeyValuePairs.ToDictionary(
                    pair => (pair.Item1 as StringConstantExpressionAst)?.Value ?? throw new NotConstantException(pair.Item1),
                    pair => new Cell(Evaluate(pair.Item2), pair.Item2),
                    StringComparer.OrdinalIgnoreCase);
            case CommandExpressionAst expression when expression.Redirections.Count == 0:
                return Evaluate(expression.Expression);
            case PipelineAst { PipelineElements.Count: 1 } pipeline:
                return Evaluate(pipeline.PipelineElements[0]);
            case CommandAst { CommandElements.Count: 1, Redirections.Count: 0, InvocationOperator: TokenKind.Unknown } command
                when command.CommandElements[0] is StringConstantExpressionAst { StringConstantType: StringConstantType.BareWord } word:
                // A value without quotes.
                return word.Value;
            default:
                throw new NotConstantException(ast);
        }
    }

    /// <summary>What a statement or an element adds to a list: the items of one, or the value itself.</summary>
    private IEnumerable<object?> Items(Ast ast) => Evaluate(ast) is var value && value is List<object?> list ? list : [value];

    private static object? Sum(object? left, object? right, Ast place) => (left, right) switch
    {
        (List<object?> list, List<object?> more) => list.Concat(more).ToList(),
        (List<object?> list, _) => list.Append(right).ToList(),
        (string text, _) when TextOf(right) is { } more => text + more,
        _ => throw new NotConstantException(place),
    };

    private string Expand(ExpandableStringExpressionAst text)
    {
        var expanded = new StringBuilder();
        var rest = text.Value;
        foreach (var nested in text.NestedExpressions)
        {
            var at = rest.IndexOf(nested.Extent.Text, StringComparison.Ordinal);
            if (at < 0 || TextOf(Evaluate(nested)) is not { } value)
            {
                throw new NotConstantException(nested);
            }

            expanded.Append(rest, 0, at).Append(value);
            rest = rest.Substring(at + nested.Extent.Text.Length);
        }

        return expanded.Append(rest).ToString();
    }

    private static string Shortened(Ast ast)
    {
        var text = ast.Extent.Text.Split('\r', '\n')[0].Trim();
        return text.Length > 60 ? text.Substring(0, 60) + "..." : text;
    }

    /// <summary>A value with the place where it stands.</summary>
    private sealed class Cell(object? value, Ast place)
    {
        internal object? Value { get; } = value;

        internal Ast Place { get; } = place;
    }

    /// <summary>A number with its own digits.</summary>
    private sealed class Number(string written)
    {
        internal string Written { get; } = written;
    }

    private sealed class NotConstantException(Ast place) : Exception
    {
        internal Ast Place { get; } = place;
    }
}
