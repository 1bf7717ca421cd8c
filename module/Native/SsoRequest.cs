using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace AwsSso.Native;

/// <content>
/// Fills a request with what the library cannot see for itself: on Linux and macOS neither <c>$env:NAME = …</c> nor <c>Set-Location</c>
/// reaches native code.
/// </content>
internal sealed partial class SsoRequest
{
    /// <summary>The longest path that is looked at, in characters.</summary>
    private const int LongestPath = 32 * 1024;

    /// <summary>The variables that the library reads. None may hold a key.</summary>
    private static readonly string[] VariableNames =
    [
        "HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "USERNAME", "PATH",
        "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SSO_ENVIRONMENTS_FILE", "AWS_SSO_BROWSER", "AWS_SSO_TOKEN_CACHE",
        "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC",
        "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
        "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "XDG_RUNTIME_DIR", "XAUTHORITY",
        "DBUS_SESSION_BUS_ADDRESS", "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "WSL_DISTRO_NAME", "WSL_INTEROP", "CODESPACES", "container",
        "KUBERNETES_SERVICE_HOST",
    ];

    /// <summary>Those of them that have a path, in which the library replaces references to variables.</summary>
    private static readonly string[] PathVariableNames =
        ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SSO_ENVIRONMENTS_FILE", "AWS_CA_BUNDLE"];

    /// <summary>
    /// What can be a reference on any system: <c>$NAME</c>, <c>${NAME}</c> or <c>%NAME%</c>. The library decides which is one.
    /// </summary>
    private static readonly Lazy<Regex> Reference = new(() => new Regex(
        @"\$(?=(?<name>[A-Za-z0-9_]+))|\$(?=(?<name>[A-Za-z0-9_-]+))|\$\{(?=(?<name>[^}]+)\})|%(?=(?<name>[^%]+)%)"));

    /// <summary>
    /// Variables that may hold a secret, which must not become part of a path. The library has the same rule, and reports it.
    /// </summary>
    private static readonly Lazy<Regex> Secret = new(() => new Regex(
        "SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|ACCESS_KEY|API_KEY|PRIVATE_KEY", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant));

    /// <summary>Makes a request as seen by a user in <paramref name="directory"/>, with the variables of this moment.</summary>
    internal SsoRequest(SsoWork work, string directory, bool verbose)
    {
        Operation = work;
        Directory = directory;
        Verbose = verbose;
        Take(VariableNames);
        EndpointVariables.Undo(Variables);
        Take(PathVariableNames.SelectMany(ReferencesIn));
        if (Path.DirectorySeparatorChar == '\\'
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("USERPROFILE"))
            && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("HOMEPATH")))
        {
            // Elsewhere the library itself asks the system for it.
            Variables["USERPROFILE"] = Environment.GetFolderPath(
                Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        }
    }

    /// <summary>Has the library take another file for that of the stored environments.</summary>
    internal void ReadEnvironmentsFrom(string path)
    {
        // A value is not searched for references, so what looks like one in this path stays.
        Variables["AWS_SSO_ENVIRONMENTS_FILE"] = "${AWS_SSO_ENVIRONMENTS_PATH}";
        Variables["AWS_SSO_ENVIRONMENTS_PATH"] = path;
    }

    /// <summary>The names that the path in a variable refers to.</summary>
    private static IEnumerable<string> ReferencesIn(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 and <= LongestPath } written
            ? Reference.Value.Matches(written)
                .Cast<Match>()
                .Select(found => found.Groups["name"].Value)
                .Where(name => !Secret.Value.IsMatch(name))
                .Distinct()
            : [];

    private void Take(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                Variables[name] = value;
            }
        }
    }

    /// <summary>Writes the request as JSON text.</summary>
    internal byte[] Write() => JsonWriter.Write(this);
}
