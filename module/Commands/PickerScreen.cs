using System;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Text;

namespace AwsSso.Commands;

/// <summary>
/// A picker on a terminal: it draws the model on the terminal's other screen, which leaves no trace, and passes keys to the model.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="layout">Its lines.</param>
/// <param name="raw">The keyboard of the host.</param>
/// <param name="isStopping">Whether the pipeline stops.</param>
internal sealed class PickerScreen(PickerModel model, PickerLayout layout, PSHostRawUserInterface raw, Func<bool> isStopping)
{
    private const string Escape = "\u001b";
    private const string OtherScreen = Escape + "[?1049h";
    private const string OwnScreen = Escape + "[?1049l";
    private const string ToStart = Escape + "[H";
    private const string ClearLine = Escape + "[K";
    private const string ClearRest = Escape + "[J";

    private const int Back = 0x08;
    private const int Enter = 0x0D;
    private const int Esc = 0x1B;
    private const int PageUp = 0x21;
    private const int PageDown = 0x22;
    private const int End = 0x23;
    private const int Home = 0x24;
    private const int Up = 0x26;
    private const int Down = 0x28;
    private const char CtrlC = '\u0003';
    private const char CtrlU = '\u0015';
    private const char Delete = '\u007f';

    /// <summary>Lets the user pick a row; null where none was picked.</summary>
    /// <exception cref="PipelineStoppedException">The user pressed Ctrl+C.</exception>
    internal PickerRow? Pick()
    {
        // Else a Ctrl+C would stop the pipeline, which waits for the next key all the same.
        var isInput = Console.TreatControlCAsInput;
        Console.TreatControlCAsInput = true;
        Console.Write(OtherScreen);
        try
        {
            while (true)
            {
                Draw();
                var key = raw.ReadKey(ReadKeyOptions.NoEcho | ReadKeyOptions.IncludeKeyDown | ReadKeyOptions.AllowCtrlC);
                if (key.Character == CtrlC || isStopping())
                {
                    throw new PipelineStoppedException();
                }

                if (key.VirtualKeyCode == Esc || key.Character == Esc)
                {
                    return null;
                }

                if ((key.VirtualKeyCode == Enter || key.Character is '\r' or '\n') && model.Choice is { } choice)
                {
                    return choice;
                }

                Take(key);
            }
        }
        finally
        {
            Console.Write(OwnScreen);
            Console.TreatControlCAsInput = isInput;
        }
    }

    private void Take(KeyInfo key)
    {
        switch (key.VirtualKeyCode)
        {
            case Up:
                model.Move(-1);
                break;
            case Down:
                model.Move(1);
                break;
            case PageUp:
                model.Move(-model.Height);
                break;
            case PageDown:
                model.Move(model.Height);
                break;
            case Home:
                model.Move(int.MinValue);
                break;
            case End:
                model.Move(int.MaxValue);
                break;
            case Back:
                model.Erase();
                break;
            default:
                TakeCharacter(key.Character);
                break;
        }
    }

    private void TakeCharacter(char character)
    {
        if (character is '\b' or Delete)
        {
            model.Erase();
        }
        else if (character == CtrlU)
        {
            model.FilterBy("");
        }
        else if (!char.IsControl(character))
        {
            model.Type(character.ToString());
        }
    }

    private void Draw()
    {
        // A paste is many keys.
        if (raw.KeyAvailable)
        {
            return;
        }

        var (width, height) = (Console.WindowWidth, Console.WindowHeight);
        model.Height = height - PickerLayout.Above;
        var filter = layout.FilterLine(model, width);
        var shown = model.Shown.Select(row => layout.RowLine(row, row == model.Choice, width));
        var text = new StringBuilder(ToStart);
        foreach (var line in new[] { filter, layout.HelpLine(model, width) }.Concat(shown).Take(height))
        {
            text.Append(text.Length > ToStart.Length ? "\r\n" : "").Append(line).Append(ClearLine);
        }

        text.Append(ClearRest).Append($"{Escape}[1;{CellWidth.Of(filter) + 1}H");
        Console.Write(text.ToString());
    }
}
