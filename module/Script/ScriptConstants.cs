using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation.Language;
using System.Text;

namespace AwsSso;

/// <summary>
/// What the variables of a script are where they are constant. A value is evaluated where somebody asks for it, and once; what that costs
/// is limited, since a few lines can describe a text of any length.
/// </summary>
internal sealed class ScriptConstants(string path)
{
    /// <summary>The most values within values, of expressions and of variables that refer to others.</summary>
    private const int MostLevels = 200;

    /// <summary>
    /// The most work for all values together: expressions, items of lists, and characters of texts that are put together.
    /// </summary>
    private const int MostWork = 16 * 1024 * 1024;

    /// <summary>The types to which a value can be converted and stay what it is here.</summary>
    private static readonly HashSet<string> Conversions = new(StringComparer.OrdinalIgnoreCase)
    {
        "PSCustomObject", "ordered", "hashtable", "PSObject", "string", "array", "object[]", "hashtable[]",
    };

    /// <summary>The values of each variable, in the order in which the script sets them.</summary>
    private readonly Dictionary<string, List<Variable>> variables = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How many values were set by now.</summary>
    private int count;

    private int level;
    private int work;

    /// <summary>The name of a variable without its scope.</summary>
    internal static string NameOf(VariableExpressionAst variable) => variable.VariablePath.UserPath.Split(':').Last();

    /// <summary>A value as text; null where it is something else.</summary>
    internal static string? TextOf(object? value) => value switch
    {
        string text => text,
        Number number => number.Written,
        _ => null,
    };

    /// <summary>Sets a variable, whose value may refer to those that were set before.</summary>
    internal void Set(string name, Ast value)
    {
        if (!variables.TryGetValue(name, out var values))
        {
            variables[name] = values = [];
        }

        values.Add(new Variable(count++, value));
    }

    /// <summary>Has a variable be unknown from now on.</summary>
    internal void Forget(string name, Ast change)
    {
        if (variables.TryGetValue(name, out var values))
        {
            values.Add(new Variable(count++, null) { Fault = new NotConstantException(change) });
        }
    }

    /// <summary>The value that a variable has at the end; null where it was never set.</summary>
    /// <exception cref="NotConstantException">It is not constant.</exception>
    internal object? Value(string name) => Before(name, count) is { } variable ? ValueOf(variable) : null;

    /// <summary>The value of what is constant: text, a number as it is written, true or false, a list, or a row.</summary>
    /// <exception cref="NotConstantException">It is not constant.</exception>
    internal object? Evaluate(Ast ast) => Evaluate(ast, count);

    private Variable? Before(string name, int moment)
    {
        if (!variables.TryGetValue(name, out var values))
        {
            return null;
        }

        var after = values.BinarySearch(new Variable(moment, null), Variable.ByMoment);
        after = after < 0 ? ~after : after;
        return after == 0 ? null : values[after - 1];
    }

    private object? ValueOf(Variable variable)
    {
        if (variable.Fault is { } known)
        {
            throw known;
        }

        if (variable.Written is { } written)
        {
            try
            {
                variable.Value = Evaluate(written, variable.Moment);
            }
            catch (NotConstantException fault)
            {
                variable.Fault = fault;
                throw;
            }

            variable.Written = null;
        }

        return variable.Value;
    }

    private object? Evaluate(Ast ast, int moment)
    {
        Spend(1, ast);
        if (++level > MostLevels)
        {
            throw SsoErrors.ScriptInvalid(path, ast.Extent, $"a value has more than {MostLevels} others within it");
        }

        try
        {
            return ValueOf(ast, moment);
        }
        finally
        {
            level--;
        }
    }

    private object? ValueOf(Ast ast, int moment)
    {
        switch (ast)
        {
            case StringConstantExpressionAst text:
                return Checked(text.Value, ast);
            case ExpandableStringExpressionAst text:
                return Expanded(text, moment);
            case ConstantExpressionAst number:
                // An account id without quotes keeps its leading zeros only as it is written.
                return new Number(Checked(number.Extent.Text, ast));
            case VariableExpressionAst variable:
                return ValueOf(variable, moment);
            case ParenExpressionAst inner:
                return Evaluate(inner.Pipeline, moment);
            case ConvertExpressionAst typed when Conversions.Contains(typed.Type.TypeName.FullName):
                return Evaluate(typed.Child, moment);
            case BinaryExpressionAst { Operator: TokenKind.Plus } sum:
                return Sum(sum, moment);
            case ArrayLiteralAst list:
                return Items(list.Elements, moment);
            case ArrayExpressionAst list:
                return Items(list.SubExpression.Statements, moment);
            case SubExpressionAst list:
                var items = Items(list.SubExpression.Statements, moment);
                return items.Count == 1 ? items[0] : items;
            case HashtableAst row:
                return Row(row, moment);
            case CommandExpressionAst expression when expression.Redirections.Count == 0:
                return Evaluate(expression.Expression, moment);
            case PipelineAst { PipelineElements.Count: 1 } pipeline:
                return Evaluate(pipeline.PipelineElements[0], moment);
            case CommandAst { CommandElements.Count: 1, Redirections.Count: 0, InvocationOperator: TokenKind.Unknown } command
                when command.CommandElements[0] is StringConstantExpressionAst { StringConstantType: StringConstantType.BareWord } word:
                // A value without quotes.
                return Checked(word.Value, ast);
            default:
                throw new NotConstantException(ast);
        }
    }

    private object? ValueOf(VariableExpressionAst variable, int moment)
    {
        var name = NameOf(variable);
        switch (name.ToUpperInvariant())
        {
            case "TRUE":
                return true;
            case "FALSE":
                return false;
            case "NULL":
                return null;
        }

        try
        {
            return Before(name, moment) is { } value ? ValueOf(value) : throw new NotConstantException(variable);
        }
        catch (NotConstantException)
        {
            // The place that matters is the one in the table.
            throw new NotConstantException(variable);
        }
    }

    private Dictionary<string, ScriptCell> Row(HashtableAst written, int moment)
    {
        var row = new Dictionary<string, ScriptCell>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in written.KeyValuePairs.Select(pair => (pair.Item1, pair.Item2)))
        {
            var name = (key as StringConstantExpressionAst)?.Value ?? throw new NotConstantException(key);
            row[name] = new ScriptCell(Evaluate(value, moment), value);
        }

        return row;
    }

    /// <summary>The items of a list: those of the lists in it, and the other values themselves.</summary>
    private List<object?> Items(IEnumerable<Ast> elements, int moment)
    {
        var items = new List<object?>();
        foreach (var element in elements)
        {
            Add(items, Evaluate(element, moment), element);
        }

        return items;
    }

    private void Add(List<object?> items, object? value, Ast place)
    {
        if (value is List<object?> more)
        {
            Spend(more.Count, place);
            items.AddRange(more);
        }
        else
        {
            items.Add(value);
        }

        if (items.Count > ImportedFile.MostRows)
        {
            throw SsoErrors.ScriptInvalid(path, place.Extent, $"the table has more than {ImportedFile.MostRows} rows");
        }
    }

    /// <summary>A chain of additions, from left to right.</summary>
    private object? Sum(BinaryExpressionAst sum, int moment)
    {
        var links = new Stack<BinaryExpressionAst>();
        Ast first = sum;
        while (first is BinaryExpressionAst { Operator: TokenKind.Plus } link)
        {
            links.Push(link);
            first = link.Left;
        }

        var start = Evaluate(first, moment);
        if (start is List<object?> list)
        {
            var items = new List<object?>();
            Add(items, list, first);
            foreach (var link in links)
            {
                Add(items, Evaluate(link.Right, moment), link);
            }

            return items;
        }

        // PowerShell adds to a number or a row in another way.
        var text = new StringBuilder(start as string ?? throw new NotConstantException(links.Peek()));
        foreach (var link in links)
        {
            Append(text, TextOf(Evaluate(link.Right, moment)) ?? throw new NotConstantException(link), link);
        }

        return text.ToString();
    }

    private string Expanded(ExpandableStringExpressionAst text, int moment)
    {
        var expanded = new StringBuilder();
        var start = 0;
        foreach (var nested in text.NestedExpressions)
        {
            var written = nested.Extent.Text;
            var at = text.Value.IndexOf(written, start, StringComparison.Ordinal);
            if (at < 0 || TextOf(Evaluate(nested, moment)) is not { } value)
            {
                throw new NotConstantException(nested);
            }

            Append(expanded, text.Value.Substring(start, at - start), text);
            Append(expanded, value, text);
            start = at + written.Length;
        }

        Append(expanded, text.Value.Substring(start), text);
        return expanded.ToString();
    }

    private void Append(StringBuilder text, string more, Ast place)
    {
        Spend(more.Length, place);
        text.Append(more);
        CheckLength(text.Length, place);
    }

    private string Checked(string text, Ast place)
    {
        CheckLength(text.Length, place);
        return text;
    }

    private void CheckLength(int length, Ast place)
    {
        if (length > ImportedFile.LongestValue)
        {
            throw SsoErrors.ScriptInvalid(path, place.Extent, $"a value is longer than {ImportedFile.LongestValue / 1024} KB");
        }
    }

    private void Spend(int amount, Ast place)
    {
        work += amount;
        if (work > MostWork)
        {
            throw SsoErrors.ScriptInvalid(path, place.Extent, "its values are too large to be put together");
        }
    }

    /// <summary>A number with its own digits.</summary>
    private sealed class Number(string written)
    {
        internal string Written { get; } = written;
    }

    /// <summary>One value of a variable.</summary>
    private sealed class Variable(int moment, Ast? written)
    {
        internal static readonly Comparer<Variable> ByMoment =
            Comparer<Variable>.Create((one, other) => one.Moment.CompareTo(other.Moment));

        /// <summary>When it was set, counted over all variables.</summary>
        internal int Moment { get; } = moment;

        /// <summary>The value as it is written; null where it was evaluated.</summary>
        internal Ast? Written { get; set; } = written;

        internal object? Value { get; set; }

        /// <summary>Why the value is not known, where that is so.</summary>
        internal NotConstantException? Fault { get; set; }
    }
}

/// <summary>A value of a row, with its place in the script.</summary>
internal sealed class ScriptCell(object? value, Ast place)
{
    internal object? Value { get; } = value;

    internal Ast Place { get; } = place;
}

/// <summary>What cannot be known without running the script.</summary>
internal sealed class NotConstantException(Ast place) : Exception
{
    internal Ast Place { get; } = place;
}
