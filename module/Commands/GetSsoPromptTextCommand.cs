using System;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>
/// Gives what a prompt shows: the profile that AWS tools use in this PowerShell, and how long its credentials last. It reads only what the
/// module has in memory, since a prompt is shown after every command.
/// </summary>
[Cmdlet(VerbsCommon.Get, "SsoPromptText")]
[OutputType(typeof(string))]
public sealed class GetSsoPromptTextCommand : SsoCmdlet
{
    private protected override bool IsSilent => true;

    /// <summary>Writes the text; empty where no profile is in use. A prompt never shows an error.</summary>
    protected override void ProcessRecord() => WriteObject(Text());

    private string Text()
    {
        if (Variable("AWS_ACCESS_KEY_ID") is not null)
        {
            var name = ProfileInUse.NameOfKeys() ?? "AWS_ACCESS_KEY_ID";
            return Shown(name, "keys", Timestamp.Read(Variable("AWS_CREDENTIAL_EXPIRATION")));
        }

        var endpoint = EndpointVariables.Own();
        if ((Variable("AWS_PROFILE") ?? Variable("AWS_DEFAULT_PROFILE")) is not { } profile)
        {
            return "";
        }

        // A library that is not loaded has nothing in memory.
        var prompt = SsoLibrary.IsReady
            ? Look(new GetPromptWork { Profile = profile, Endpoint = endpoint }, happened => happened.Prompt).FirstOrDefault()
            : null;
        return (prompt?.Source, endpoint) switch
        {
            (_, not null) => Shown(EndpointVariables.NameOf(profile), "endpoint", prompt?.Expiration),
            (PromptSource.CredentialProcess, _) => Shown(profile, "program", null),
            (PromptSource.SsoSession, _) => Shown(profile, "SSO session", prompt?.Expiration),
            _ => Shown(profile, null, prompt?.Expiration),
        };
    }

    private static string Shown(string name, string? source, DateTime? expiration)
    {
        var details = (source, expiration is { } end ? TimeLeft(end - DateTime.Now) : null) switch
        {
            (null, null) => "",
            (null, { } left) => $" ({left})",
            ({ } from, null) => $" ({from})",
            ({ } from, { } left) => $" ({from}, {left})",
        };
        return ShownText.Of(name) + details;
    }

    private static string TimeLeft(TimeSpan left) => left switch
    {
        { Ticks: <= 0 } => "expired",
        { TotalMinutes: < 1 } => "<1m",
        { TotalHours: < 1 } => $"{(int)left.TotalMinutes}m",
        _ => $"{(int)left.TotalHours}h{left.Minutes:00}m",
    };

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
