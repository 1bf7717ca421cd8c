using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What a user sees of a login.</summary>
internal static class LoginScreen
{
    /// <summary>Where to log in, and how to be sure that it is the right page.</summary>
    internal static string Invitation(VerificationEvent login)
    {
        var open = login.BrowserOpened ? "the browser should open" : "open";
        var before = login.Expires is { } expires ? expires.ToString("', before 'HH:mm", CultureInfo.InvariantCulture) : "";
        var whose = $"The start URL is on {login.Host}.";
        if (login.UserCode is { } code)
        {
            var check = $"Go on if the page shows the code {code}{before}.";
            return $"{login.Environment}: {open} {login.Url} to approve the login. {check} {whose}";
        }

        var where = login.BrowserOpened ? "" : "on this machine ";
        return $"{login.Environment}: {open} {login.Url} {where}to approve the login{before}. {whose}";
    }

    /// <summary>The QR code, in fixed colors, so that it is the same in a dark and in a light terminal.</summary>
    internal static IEnumerable<HostInformationMessage> QrCode(VerificationEvent login) => (login.QrCode ?? []).Select(line =>
        new HostInformationMessage { Message = line, ForegroundColor = ConsoleColor.White, BackgroundColor = ConsoleColor.Black });
}
