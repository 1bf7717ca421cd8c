using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using AwsSso.Native;

namespace AwsSso;

/// <summary>The variables that lead AWS tools to the endpoint of this process, or of the PowerShell that started this one.</summary>
internal static class EndpointVariables
{
    private const string Address = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    private const string Token = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
    private const string Profile = "AWS_PROFILE";
    private const string ProfileStart = "sso-endpoint-";
    private const string Loopback = "127.0.0.1";

    /// <summary>How long to wait for a port of this computer, which refuses at once if nobody listens.</summary>
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(1);

    private static readonly Lazy<Regex> Ours = new(() => new Regex(
        @"^http://127\.0\.0\.1:(?<port>[0-9]{1,5})/sso-endpoint/[A-Za-z0-9_-]{43}$", RegexOptions.CultureInvariant));

    /// <summary>What to set and to remove for an endpoint.</summary>
    internal static IEnumerable<(string Name, string? Value)> For(EndpointEvent endpoint) =>
    [
        (Address, endpoint.Url),
        (Token, endpoint.Token),
        (Profile, endpoint.ConfigProfile),
        .. CredentialVariables.Names.Except([Address, Token, Profile]).Select(name => (name, (string?)null)),
        .. WithoutProxy(),
    ];

    /// <summary>The URL of an endpoint of this module that the variables lead to; null where they lead to none.</summary>
    internal static string? Own() =>
        Environment.GetEnvironmentVariable(Address) is { } address && Ours.Value.IsMatch(address) ? address : null;

    /// <summary>The profile behind a profile of an endpoint.</summary>
    internal static string NameOf(string profile) =>
        profile.StartsWith(ProfileStart, StringComparison.Ordinal) ? profile.Substring(ProfileStart.Length) : profile;

    /// <summary>The Region that the user's own variables name; null where they name none.</summary>
    internal static string? Region() =>
        new[] { "AWS_REGION", "AWS_DEFAULT_REGION" }.Select(SessionVariables.Own).FirstOrDefault(value => !string.IsNullOrEmpty(value));

    /// <summary>
    /// Replaces the profile of an endpoint with what the user's own variables name: the module itself uses the settings of that one, such
    /// as its ca_bundle.
    /// </summary>
    internal static void Undo(IDictionary<string, string> variables)
    {
        if (!variables.TryGetValue(Profile, out var profile) || !profile.StartsWith(ProfileStart, StringComparison.Ordinal))
        {
            return;
        }

        foreach (var name in new[] { Profile, "AWS_DEFAULT_PROFILE" })
        {
            if (SessionVariables.Own(name) is { } own)
            {
                variables[name] = own;
            }
            else
            {
                variables.Remove(name);
            }
        }
    }

    /// <summary>Whether the variables lead to the endpoint of a PowerShell that has ended.</summary>
    internal static bool AreDead() =>
        Environment.GetEnvironmentVariable(Address) is { } address
        && Ours.Value.Match(address) is { Success: true } found
        && int.TryParse(found.Groups["port"].Value, out var port)
        && port is > 0 and <= ushort.MaxValue
        && !IsListening(port);

    /// <summary>Removes the variables of an endpoint, and its profile from AWS_PROFILE.</summary>
    internal static void Remove()
    {
        Environment.SetEnvironmentVariable(Address, null);
        Environment.SetEnvironmentVariable(Token, null);
        if (Environment.GetEnvironmentVariable(Profile)?.StartsWith(ProfileStart, StringComparison.Ordinal) == true)
        {
            Environment.SetEnvironmentVariable(Profile, null);
        }
    }

    private static bool IsListening(int port)
    {
        using var client = new TcpClient();
        try
        {
            return client.ConnectAsync(Loopback, port).Wait(LongestConnect);
        }
        catch (AggregateException)
        {
            return false;
        }
    }

    /// <summary>
    /// Keeps tools that send even these requests through a proxy from doing so. Some read one of the two names, so each gets what the
    /// other one has; on Windows they are one variable.
    /// </summary>
    private static IEnumerable<(string Name, string? Value)> WithoutProxy()
    {
        string[] proxies = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        if (proxies.All(name => string.IsNullOrEmpty(SessionVariables.Own(name))))
        {
            yield break;
        }

        string[] names = Path.DirectorySeparatorChar == '\\' ? ["NO_PROXY"] : ["NO_PROXY", "no_proxy"];
        foreach (var name in names)
        {
            var hosts = new[] { name }.Concat(names).Select(SessionVariables.Own).FirstOrDefault(value => !string.IsNullOrEmpty(value));
            var isThere = hosts?.Split(',').Select(host => host.Trim()).Any(host => host is Loopback or "*") == true;
            yield return (name, string.IsNullOrEmpty(hosts) ? Loopback : isThere ? hosts : $"{hosts},{Loopback}");
        }
    }
}
