using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Language;

namespace AwsSso;

/// <summary>
/// A copy of the published script, read and never run: the defaults of its parameters and the rows of its table.
/// Only what is constant counts; anything else in the table is an error with its line and column.
/// </summary>
internal sealed class SsoScript
{
    private readonly string path;

    /// <summary>The values of the variables, which are evaluated where the table or a parameter needs them.</summary>
    private readonly ScriptConstants constants;

    private readonly List<Ast> placeholders = [];
    private readonly List<string> notes = [];
    private string? table;

    private SsoScript(string path)
    {
        this.path = path;
        constants = new ScriptConstants(path);
    }

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
        var text = ImportedFile.ReadText(path, "ScriptInvalid");
        if (ScriptNesting.FaultOf(text) is var (nesting, place))
        {
            throw SsoErrors.ScriptInvalid(path, LineAndColumn(text, place), nesting);
        }

        var parsed = Parser.ParseInput(text, path, out _, out var errors);
        if (errors.Length > 0)
        {
            var fault = errors[0].Message.Split('\r', '\n')[0].TrimEnd('.');
            throw SsoErrors.ScriptInvalid(path, errors[0].Extent, $"PowerShell cannot read it: {fault}");
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
                constants.Set(parameter.Name.VariablePath.UserPath, value);
            }
        }

        var tables = AssignmentsWithRows(script);
        var assignments = script.FindAll(ast => ast is AssignmentStatementAst, searchNestedScriptBlocks: false);
        foreach (var assignment in assignments.Cast<AssignmentStatementAst>())
        {
            if (Target(assignment.Left) is not { } name)
            {
                continue;
            }

            if (tables.Contains(assignment))
            {
                Take(name, assignment);
            }
            else if (assignment.Operator == TokenKind.Equals)
            {
                constants.Set(name, assignment.Right);
            }
            else
            {
                constants.Forget(name, assignment);
            }
        }
    }

    /// <summary>The variable's name without its scope.</summary>
    private static string? Target(ExpressionAst left)
    {
        var variable = left is ConvertExpressionAst typed ? typed.Child as VariableExpressionAst : left as VariableExpressionAst;
        return variable is null ? null : ScriptConstants.NameOf(variable);
    }

    /// <summary>
    /// The assignments with a row on their right side, found from the rows upward, so that each part of the script is seen once.
    /// </summary>
    private static HashSet<Ast> AssignmentsWithRows(ScriptBlockAst script)
    {
        var seen = new HashSet<Ast>();
        foreach (var row in script.FindAll(ast => ast is HashtableAst row && IsRow(row), searchNestedScriptBlocks: false))
        {
            Ast? child = null;
            var ast = row;
            while (ast is not null && (ast is not AssignmentStatementAst side || side.Right == child) && seen.Add(ast))
            {
                child = ast;
                ast = ast.Parent;
            }
        }

        return seen;
    }

    private static bool IsRow(HashtableAst row) => row.KeyValuePairs.Any(pair => KeyOf(pair.Item1) is "PROFILE" or "ACCOUNTID");

    private static string? KeyOf(ExpressionAst key) => (key as StringConstantExpressionAst)?.Value.ToUpperInvariant();

    private void Take(string name, AssignmentStatementAst assignment)
    {
        var adds = assignment.Operator == TokenKind.PlusEquals;
        if (table is not null && (!adds || !string.Equals(table, name, StringComparison.OrdinalIgnoreCase)))
        {
            var second = $"a second table, ${name}, begins there, and an environment has only one; split the file";
            throw SsoErrors.ScriptInvalid(path, assignment.Extent, second);
        }

        table = name;
        object? value;
        try
        {
            value = constants.Evaluate(assignment.Right);
        }
        catch (NotConstantException error)
        {
            var variable = $"'{Shortened(error.Place)}' is not constant, so it cannot be read without running the script";
            throw SsoErrors.ScriptInvalid(path, error.Place.Extent, variable);
        }

        foreach (var row in value as List<object?> ?? [value])
        {
            if (Rows.Count == ImportedFile.MostRows)
            {
                throw SsoErrors.ScriptInvalid(path, assignment.Extent, $"the table has more than {ImportedFile.MostRows} rows");
            }

            const string fault = "the table contains something that is not a row";
            AddRow(row as Dictionary<string, ScriptCell> ?? throw SsoErrors.ScriptInvalid(path, assignment.Right.Extent, fault));
        }
    }

    private void AddRow(Dictionary<string, ScriptCell> row)
    {
        string Needed(string key)
        {
            if (row.TryGetValue(key, out var cell) && ScriptConstants.TextOf(cell.Value) is { Length: > 0 } text)
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
            var line = row["AccountId"].Place.Extent.StartLineNumber;
            notes.Add($"{path}, line {line}: the blanks around the account id {accountId} were removed.");
        }

        foreach (var cell in row.Values.Where(cell => cell.Value is string text && IsPlaceholder(text)))
        {
            placeholders.Add(cell.Place);
        }

        var roleName = row.TryGetValue("RoleName", out var role) ? ScriptConstants.TextOf(role.Value) : null;
        roleName = string.IsNullOrEmpty(roleName) ? null : roleName;
        Rows.Add(new SsoAccountRow { Profile = profile, AccountId = accountId, RoleName = roleName });
    }

    private void CheckPlaceholders()
    {
        var names = placeholders.Select(place => $"{Shortened(place)} (line {place.Extent.StartLineNumber})").ToList();
        string?[] settings = [EnvironmentName, StartUrl, Region, DefaultRoleName];
        names.AddRange(settings.OfType<string>().Where(IsPlaceholder));

        if (names.Count > 0)
        {
            var fault = $"it still has placeholders in angle brackets: {string.Join(", ", names.Distinct())}";
            throw SsoErrors.ScriptInvalid(path, placeholders.FirstOrDefault()?.Extent, fault);
        }
    }

    private static bool IsPlaceholder(string text) =>
        text.Trim() is { Length: > 1 } trimmed && trimmed[0] == '<' && trimmed[trimmed.Length - 1] == '>';

    private string? Constant(string name)
    {
        try
        {
            return ScriptConstants.TextOf(constants.Value(name))?.Trim() is { Length: > 0 } text ? text : null;
        }
        catch (NotConstantException)
        {
            return null;
        }
    }

    /// <summary>The line and the column of a place in the text, both counted from 1.</summary>
    private static (int? Line, int? Column) LineAndColumn(string text, int place)
    {
        var line = 1;
        var start = 0;
        for (var index = 0; index < place; index++)
        {
            if (text[index] == '\n' || (text[index] == '\r' && (index + 1 == text.Length || text[index + 1] != '\n')))
            {
                line++;
                start = index + 1;
            }
        }

        return (line, place - start + 1);
    }

    private static string Shortened(Ast ast)
    {
        var text = ast.Extent.Text.Split('\r', '\n')[0].Trim();
        return text.Length > 60 ? text.Substring(0, 60) + "..." : text;
    }
}
