using System;
using System.Collections.Generic;

namespace AwsSso;

/// <summary>
/// Finds text that is nested too deeply, or has too long a chain of operators, for PowerShell's own parser: at some hundred thousand levels
/// it ends the process with a stack overflow, which nothing can catch. So this scan reads the text before the parser does, once from start
/// to end and without recursion. It knows of PowerShell's grammar what hides text (strings and comments), and counts the rest. Where that
/// depends on more than it knows, it refuses the text.
/// </summary>
internal sealed class ScriptNesting
{
    /// <summary>The most levels of brackets, and of operators in one statement, together. A real script has dozens.</summary>
    internal const int Most = 1_000;

    private const char End = '\0';

    private const string NoEnd = "PowerShell cannot read it: a string has no end";

    private const string QuoteInString = "a double quote within a string within a string can be read in two ways";

    private const string Dashes = "-\u2013\u2014\u2015";

    /// <summary>What ends a word wherever it is, so that a comment or a here-string can begin after it.</summary>
    private const string WordEnds = " \t\r\n\f\v;,(){}|&";

    /// <summary>Operators that are words, without a c or an i before them: a statement goes on after one at the end of a line.</summary>
    private static readonly HashSet<string> WordOperators = new(StringComparer.OrdinalIgnoreCase)
    {
        "and", "or", "xor", "not", "band", "bor", "bxor", "bnot", "shl", "shr", "eq", "ne", "gt", "ge", "lt", "le", "like",
        "notlike", "match", "notmatch", "replace", "contains", "notcontains", "in", "notin", "split", "join", "is", "isnot", "as", "f",
    };

    private readonly string text;
    private readonly List<Level> open = [new Level(End)];
    private int at;
    private int depth;
    private int openStrings;

    /// <summary>The place after the last <c>${ }</c> or <c>$( )</c>, which can be a part of a longer word.</summary>
    private int endOfVariable = -1;

    /// <summary>Whether the statement goes on in the next line, whatever that has.</summary>
    private bool isContinued;

    /// <summary>Whether a line ended since the last word.</summary>
    private bool isLineOver;

    private ScriptNesting(string text) => this.text = text;

    /// <summary>Why the text must not be parsed, as part of a sentence, with the place in the text; null where it may be.</summary>
    internal static (string Fault, int Place)? FaultOf(string text)
    {
        var scan = new ScriptNesting(text);
        return scan.Scan() is { } fault ? (fault, Math.Min(scan.at, text.Length)) : null;
    }

    private Level Current => open[open.Count - 1];

    private char Now => Char(at);

    /// <summary>Whether a word begins at this place, whatever is around it.</summary>
    private bool IsAtWord => at == 0 || (at != endOfVariable && WordEnds.IndexOf(text[at - 1]) >= 0);

    private char Char(int index) => index >= 0 && index < text.Length ? text[index] : End;

    private string? Scan()
    {
        while (at < text.Length)
        {
            if ((Current.Quote == End ? ScanCode() : ScanExpandable()) is { } fault)
            {
                return fault;
            }

            if (depth > Most)
            {
                return $"it has more than {Most} nested brackets, or operators in one statement";
            }
        }

        return open.Exists(level => level.Quote != End) ? NoEnd
            : open.Exists(level => level.Bracket is '(' or '{') ? "PowerShell cannot read it: a bracket has no end"
            : null;
    }

    private string? ScanCode()
    {
        var c = Now;
        if (c is '\r' or '\n')
        {
            isLineOver = true;
            at++;
            return null;
        }

        if (char.IsWhiteSpace(c))
        {
            at++;
            return null;
        }

        if (IsQuoteInString(1))
        {
            return QuoteInString;
        }

        if (c == '`')
        {
            // It escapes the next character, or has the statement go on in the next line.
            at += Char(at + 1) == '\r' && Char(at + 2) == '\n' ? 3 : 2;
            return null;
        }

        if (c == '#' || (c == '<' && Char(at + 1) == '#'))
        {
            return ScanComment();
        }

        if (isLineOver)
        {
            isLineOver = false;
            if (!isContinued && "|&.?:".IndexOf(c) < 0)
            {
                EndStatement();
            }
        }

        isContinued = false;
        if (QuoteMarks.Single.IndexOf(c) >= 0 || QuoteMarks.Double.IndexOf(c) >= 0)
        {
            at++;
            return QuoteMarks.Single.IndexOf(c) >= 0 ? ScanLiteral() : BeginExpandable(isHereString: false);
        }

        if (c == '@' && (QuoteMarks.Single.IndexOf(Char(at + 1)) >= 0 || QuoteMarks.Double.IndexOf(Char(at + 1)) >= 0))
        {
            return ScanHereString();
        }

        if (c == '$' && Char(at + 1) == '{')
        {
            return ScanBracedVariable();
        }

        return ScanMark(c);
    }

    /// <summary>Takes one character that is neither text nor a comment.</summary>
    private string? ScanMark(char c)
    {
        at++;
        switch (c)
        {
            case '(' or '{' or '[':
                if (c != '{')
                {
                    // A call or an index, as in a chain of them.
                    Count(tight: true);
                }

                Open(new Level(c) { IsOfVariable = c == '(' && Char(at - 2) == '$' });
                return null;
            case ')' or '}' or ']':
                return Close(c == ')' ? '(' : c == '}' ? '{' : '[') || c == ']'
                    ? null
                    : "PowerShell cannot read it: a closing bracket has no opening one";
            case ';':
                EndStatement();
                return null;
            case ',':
                // Elements are beside each other; a comma before an element is an operator.
                if (Current.IsAfterComma)
                {
                    Count(tight: false);
                }

                depth -= Current.Tight;
                Current.Tight = 0;
                Current.IsAfterComma = true;
                isContinued = true;
                return null;
            case '.' or '!':
                Count(tight: c == '!' || Char(at) != '.');
                isContinued = true;
                break;
            case '+' or '*' or '/' or '%' or '=' or '?' or ':' or '|' or '&' or '<' or '>':
                Count(tight: false);
                isContinued = true;
                break;
            case var dash when Dashes.IndexOf(dash) >= 0:
                return ScanDash();
        }

        Current.IsAfterComma = c == '!' && Current.IsAfterComma;
        return null;
    }

    /// <summary>Takes what a dash begins: an operator, a parameter, or the end of PowerShell's grammar.</summary>
    private string? ScanDash()
    {
        Count(tight: false);
        if (Dashes.IndexOf(Now) >= 0 && Char(at + 1) == '%')
        {
            return "it has the argument --%, after which PowerShell reads by other rules";
        }

        var end = at;
        while (char.IsLetter(Char(end)))
        {
            end++;
        }

        var word = text.Substring(at, Math.Min(end - at, 16));
        isContinued = word.Length == 0
            || WordOperators.Contains(word)
            || (word[0] is 'c' or 'C' or 'i' or 'I' && WordOperators.Contains(word.Substring(1)));
        at = end;
        return null;
    }

    private string? ScanComment()
    {
        var isBlock = Now == '<';
        var end = isBlock ? text.IndexOf("#>", at + 2, StringComparison.Ordinal) : text.IndexOfAny(['\r', '\n'], at);
        if (isBlock && end < 0)
        {
            return "PowerShell cannot read it: a comment has no end";
        }

        end = end < 0 ? text.Length : isBlock ? end + 2 : end;
        if (!IsAtWord)
        {
            // Whether this is a comment depends on the word before it. Where nothing in it matters, it may be either.
            for (var index = at + 1; index < end; index++)
            {
                if (isBlock || !(char.IsLetterOrDigit(text[index]) || " \t_#".IndexOf(text[index]) >= 0))
                {
                    return "a # within a word, or right after one, could be a comment or not; put a space before it";
                }
            }
        }

        at = end;
        return null;
    }

    /// <summary>Takes a text in single quotes, from after the first.</summary>
    private string? ScanLiteral()
    {
        for (; at < text.Length; at++)
        {
            if (QuoteMarks.Single.IndexOf(text[at]) >= 0)
            {
                at++;
                if (QuoteMarks.Single.IndexOf(Now) < 0)
                {
                    Current.IsAfterComma = false;
                    return null;
                }
            }
        }

        return NoEnd;
    }

    private string? BeginExpandable(bool isHereString)
    {
        Current.IsAfterComma = false;
        Open(new Level(End, isHereString ? '@' : '"'));
        return null;
    }

    /// <summary>Takes a part of a text in double quotes: it is one level, and what it has in <c>$( )</c> is code again.</summary>
    private string? ScanExpandable()
    {
        if (IsQuoteInString(2))
        {
            return QuoteInString;
        }

        var c = Now;
        at++;
        if (c == '`')
        {
            at++;
        }
        else if (c == '$' && Now == '{')
        {
            at--;
            return ScanBracedVariable();
        }
        else if (c == '$' && Now == '(')
        {
            if (Char(at - 2) == '$')
            {
                return "$$ before a bracket in a string can be read in two ways";
            }

            at++;
            Open(new Level('('));
            isContinued = isLineOver = false;
        }
        else if (Current.Quote == '@')
        {
            if (c is '\r' or '\n' && QuoteMarks.Double.IndexOf(Now) >= 0 && Char(at + 1) == '@')
            {
                at += 2;
                CloseLast();
            }
        }
        else if (QuoteMarks.Double.IndexOf(c) >= 0)
        {
            if (QuoteMarks.Double.IndexOf(Now) >= 0)
            {
                at++;
            }
            else
            {
                CloseLast();
            }
        }

        return null;
    }

    /// <summary>
    /// Whether an escaped or doubled double quote is here, and at least so many strings are open. PowerShell removes the escape of the
    /// outer string.
    /// </summary>
    private bool IsQuoteInString(int strings) =>
        openStrings >= strings && QuoteMarks.Double.IndexOf(Char(at + 1)) >= 0 && (Now == '`' || QuoteMarks.Double.IndexOf(Now) >= 0);

    /// <summary>Takes a here-string, or what goes before the text of one that expands.</summary>
    private string? ScanHereString()
    {
        var isLiteral = QuoteMarks.Single.IndexOf(Char(at + 1)) >= 0;
        var start = at + 2;
        while (Char(start) is ' ' or '\t')
        {
            start++;
        }

        // In $name=@' the variable has ended, and in another word the quote begins a string within that word.
        var isAtWord = IsAtWord || (text[at - 1] == '=' && IsAssigned(at - 1));
        if (!isAtWord || Char(start) is not ('\r' or '\n'))
        {
            return "an @ before a quote does not begin a here-string there; put a space before it and the text into the next line";
        }

        if (!isLiteral)
        {
            // The line's end may be that before the closing quote.
            at = start;
            return BeginExpandable(isHereString: true);
        }

        for (var index = start; index < text.Length; index++)
        {
            if (text[index] is '\r' or '\n' && QuoteMarks.Single.IndexOf(Char(index + 1)) >= 0 && Char(index + 2) == '@')
            {
                at = index + 3;
                Current.IsAfterComma = false;
                return null;
            }
        }

        return NoEnd;
    }

    /// <summary>Whether a variable is before the sign at this place, and a place before it where a statement may begin.</summary>
    private bool IsAssigned(int sign)
    {
        var start = sign;
        while (start > 0 && (char.IsLetterOrDigit(text[start - 1]) || text[start - 1] is '_' or ':'))
        {
            start--;
        }

        if (start == sign || start == 0 || text[start - 1] != '$')
        {
            return false;
        }

        start--;
        while (start > 0 && text[start - 1] is ' ' or '\t')
        {
            start--;
        }

        return start == 0 || text[start - 1] is '\r' or '\n' or ';' or '{' or '(' or ']';
    }

    /// <summary>Takes a variable in braces, in which a quote would be a part of the name.</summary>
    private string? ScanBracedVariable()
    {
        for (var index = at + 2; index < text.Length; index++)
        {
            var c = text[index];
            if (c == '}')
            {
                at = endOfVariable = index + 1;
                Current.IsAfterComma = false;
                return null;
            }

            if (!(char.IsLetterOrDigit(c) || "_:.-() ?".IndexOf(c) >= 0))
            {
                break;
            }
        }

        return "a variable in braces has an unusual name";
    }

    /// <summary>Counts an operator. A tight one belongs to one element of a list, another one to the whole statement.</summary>
    private void Count(bool tight)
    {
        depth++;
        if (tight)
        {
            Current.Tight++;
        }
        else
        {
            Current.Loose++;
        }
    }

    private void EndStatement()
    {
        depth -= Current.Tight + Current.Loose;
        Current.Tight = Current.Loose = 0;
        Current.IsAfterComma = false;
    }

    private void Open(Level level)
    {
        depth++;
        openStrings += level.Quote == End ? 0 : 1;
        open.Add(level);
        isContinued = isLineOver = false;
    }

    /// <summary>Closes a bracket; false where it is not open. PowerShell is slow on many errors, so the first one ends the scan.</summary>
    private bool Close(char bracket)
    {
        // A square bracket within a word has no end of its own.
        var index = open.Count - 1;
        while (index > 0 && open[index].Bracket == '[' && bracket != '[')
        {
            index--;
        }

        var isOpen = index > 0 && open[index].Bracket == bracket;
        if (isOpen)
        {
            endOfVariable = open[index].IsOfVariable ? at : endOfVariable;
            while (open.Count > index)
            {
                CloseLast();
            }
        }

        Current.IsAfterComma = false;
        return isOpen;
    }

    private void CloseLast()
    {
        EndStatement();
        depth--;
        openStrings -= Current.Quote == End ? 0 : 1;
        open.RemoveAt(open.Count - 1);
        isContinued = isLineOver = false;
    }

    /// <summary>A bracket or a string that is open, with the operators of the statement in it.</summary>
    private sealed class Level(char bracket, char quote = End)
    {
        internal char Bracket { get; } = bracket;

        /// <summary>The kind of an expandable text, <c>"</c> or <c>@</c>; no character where this is code.</summary>
        internal char Quote { get; } = quote;

        /// <summary>Whether this is <c>$( )</c>.</summary>
        internal bool IsOfVariable { get; set; }

        internal int Tight { get; set; }

        internal int Loose { get; set; }

        internal bool IsAfterComma { get; set; } = true;
    }
}
