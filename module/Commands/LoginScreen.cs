using System;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What a user sees of a login: where to go, and how to be sure that it is the right page.</summary>
internal static class LoginScreen
{
    /// <summary>The lines of a login, the address on a line by itself so that no terminal breaks it.</summary>
    /// <param name="login">The login to approve.</param>
    /// <param name="host">The host that shows them.</param>
    internal static IEnumerable<HostInformationMessage> Lines(VerificationEvent login, SsoHost host)
    {
        var open = login switch
        {
            { BrowserOpened: true } => "your browser opens now. If it does not, open",
            { UserCode: null } => "on this computer, open",
            _ => "open",
        };
        yield return Line($"Log in to {login.Environment} ({login.Host}): {open}");

        // The address of a login with a code is short, and can be typed on another computer.
        var address = login.UserCode is null && host.HasLinks ? Link(login.Url, $"the login page of {login.Environment}") : login.Url;
        yield return Line($"  {address}");
        if (login.QrCode is { Length: > 0 } blocks && (host.HasHalfBlocks ? blocks : PlainQrCode.Of(blocks)) is { } code)
        {
            yield return Line("or scan:");
            foreach (var row in code)
            {
                yield return Inverse(row);
            }
        }

        var check = login.UserCode is { } shown ? $"Check that the page shows {shown}, then allow it." : "Allow access on that page.";
        var limit = login.Expires is { } expires ? expires.ToString("'Valid until 'HH:mm'; '", CultureInfo.InvariantCulture) : "";
        yield return Line($"{check} {limit}Ctrl+C cancels.");
    }

    private static HostInformationMessage Line(string text) => new() { Message = text };

    /// <summary>A row of the QR code in fixed colors, so that it is the same in a dark and in a light terminal.</summary>
    private static HostInformationMessage Inverse(string row) =>
        new() { Message = row, ForegroundColor = ConsoleColor.White, BackgroundColor = ConsoleColor.Black };

    /// <summary>A text that leads to an address (OSC 8).</summary>
    private static string Link(string url, string text) => $"\u001b]8;;{url}\u001b\\{text}\u001b]8;;\u001b\\";
}
