using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Text.RegularExpressions;

namespace AwsSso.Native;

/// <summary>
/// What the library is asked for, with the part of the world that it cannot see for itself: on Linux and macOS neither
/// <c>$env:NAME = …</c> nor <c>Set-Location</c> reaches native code. The members are those of <c>Request</c> in native/core/src/protocol.rs.
/// </summary>
[DataContract]
internal sealed class SsoRequest
{
    /// <summary>The longest path that is looked at, in characters.</summary>
    private const int LongestPath = 32 * 1024;

    /// <summary>The variables that the library honours. None may hold a key.</summary>
    private static readonly string[] VariableNames =
    [
        "HOME", "USERPROFILE", "USERNAME", "PATH",
        "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SSO_ENVIRONMENTS_FILE", "AWS_SSO_BROWSER",
        "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_CA_BUNDLE", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
        "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "XDG_RUNTIME_DIR", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
        "SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "WSL_DISTRO_NAME", "WSL_INTEROP", "CI", "CODESPACES", "container", "KUBERNETES_SERVICE_HOST",
    ];

    /// <summary>Those of them that have a path, in which the library replaces references to variables.</summary>
    private static readonly string[] PathVariableNames = ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SSO_ENVIRONMENTS_FILE", "AWS_CA_BUNDLE"];

    /// <summary>Everything that can be a reference on any system, <c>$NAME</c>, <c>${NAME}</c> or <c>%NAME%</c>; which one is, the library decides.</summary>
    private static readonly Lazy<Regex> Reference = new(() => new Regex(@"\$(?=(?<name>[A-Za-z0-9_]+))|\$(?=(?<name>[A-Za-z0-9_-]+))|\$\{(?=(?<name>[^}]+)\})|%(?=(?<name>[^%]+)%)"));

    /// <summary>Names of variables that may hold a secret, which must not become a part of a path. The library has the same rule, and says why.</summary>
    private static readonly Lazy<Regex> Secret = new(() => new Regex(
        "SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|ACCESS_KEY|API_KEY|PRIVATE_KEY", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant));

    private static readonly Lazy<DataContractJsonSerializer> Writer = new(() =>
        new DataContractJsonSerializer(typeof(SsoRequest), new DataContractJsonSerializerSettings { UseSimpleDictionaryFormat = true }));

    /// <summary>Makes a request as seen by a user in <paramref name="directory"/>, with the variables of this moment.</summary>
    internal SsoRequest(SsoWork work, string directory, bool verbose)
    {
        Operation = work;
        Directory = directory;
        Verbose = verbose;
        Take(VariableNames);
        Take(PathVariableNames.SelectMany(ReferencesIn));
        if (Path.DirectorySeparatorChar == '\\' && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("USERPROFILE")))
        {
            // Elsewhere the library itself asks the system for it.
            Variables["USERPROFILE"] = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        }
    }

    /// <summary>Has the library take another file for that of the stored environments.</summary>
    internal void ReadEnvironmentsFrom(string path)
    {
        // A value is not searched for references, so what looks like one in this path stays.
        Variables["AWS_SSO_ENVIRONMENTS_FILE"] = "${AWS_SSO_ENVIRONMENTS_PATH}";
        Variables["AWS_SSO_ENVIRONMENTS_PATH"] = path;
    }

    [DataMember(Name = "operation")]
    internal SsoWork Operation { get; private set; }

    [DataMember(Name = "variables")]
    internal Dictionary<string, string> Variables { get; private set; } = [];

    [DataMember(Name = "directory")]
    internal string Directory { get; private set; }

    /// <summary>Whether anybody reads the notes for -Verbose.</summary>
    [DataMember(Name = "verbose")]
    internal bool Verbose { get; private set; }

    /// <summary>Environments of this run alone, in whole or in part.</summary>
    [DataMember(Name = "given", EmitDefaultValue = false)]
    internal GivenEnvironment[]? Given { get; set; }

    /// <summary>The names that the path in a variable refers to.</summary>
    private static IEnumerable<string> ReferencesIn(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 and <= LongestPath } written
            ? Reference.Value.Matches(written).Cast<Match>().Select(found => found.Groups["name"].Value).Where(name => !Secret.Value.IsMatch(name)).Distinct()
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
    internal byte[] Write()
    {
        using var stream = new MemoryStream();
        Writer.Value.WriteObject(stream, this);
        return stream.ToArray();
    }
}

/// <summary>An environment of one run: what is set goes before what is stored under the name, and the rest is taken from there.</summary>
[DataContract]
internal sealed class GivenEnvironment(string name)
{
    [DataMember(Name = "name")]
    internal string Name { get; private set; } = name;

    [DataMember(Name = "start_url", EmitDefaultValue = false)]
    internal string? StartUrl { get; set; }

    [DataMember(Name = "region", EmitDefaultValue = false)]
    internal string? Region { get; set; }

    [DataMember(Name = "default_role_name", EmitDefaultValue = false)]
    internal string? DefaultRoleName { get; set; }

    [DataMember(Name = "accounts", EmitDefaultValue = false)]
    internal SsoAccountRow[]? Accounts { get; set; }

    /// <summary>Whether the table counts only where no environment is stored under the name.</summary>
    [DataMember(Name = "accounts_where_not_stored")]
    internal bool AccountsWhereNotStored { get; set; }

    /// <summary>A token that is used before anybody is asked to log in.</summary>
    [DataMember(Name = "token", EmitDefaultValue = false)]
    internal GivenToken? Token { get; set; }

    /// <summary>Whether there is anything in it but the name.</summary>
    internal bool IsEmpty => StartUrl is null && Region is null && DefaultRoleName is null && Accounts is null && Token is null;
}

[DataContract]
internal sealed class GivenToken(string accessToken, long expiresAt)
{
    [DataMember(Name = "access_token")]
    internal string AccessToken { get; private set; } = accessToken;

    /// <summary>In seconds since 1970.</summary>
    [DataMember(Name = "expires_at")]
    internal long ExpiresAt { get; private set; } = expiresAt;

    /// <summary>Gives no secret.</summary>
    /// <returns>What every type with a secret prints.</returns>
    public override string ToString() => "** redacted **";
}

/// <summary>The work itself: exactly one member is set.</summary>
[DataContract]
internal sealed class SsoWork
{
    [DataMember(Name = "plan", EmitDefaultValue = false)]
    internal PlanWork? Plan { get; set; }

    [DataMember(Name = "update", EmitDefaultValue = false)]
    internal UpdateWork? Update { get; set; }

    [DataMember(Name = "get_environment", EmitDefaultValue = false)]
    internal GetEnvironmentWork? GetEnvironment { get; set; }

    [DataMember(Name = "set_environment", EmitDefaultValue = false)]
    internal SetEnvironmentWork? SetEnvironment { get; set; }

    [DataMember(Name = "remove_environment", EmitDefaultValue = false)]
    internal RemoveEnvironmentWork? RemoveEnvironment { get; set; }

    [DataMember(Name = "connect_session", EmitDefaultValue = false)]
    internal ConnectSessionWork? ConnectSession { get; set; }

    [DataMember(Name = "disconnect_session", EmitDefaultValue = false)]
    internal DisconnectSessionWork? DisconnectSession { get; set; }

    [DataMember(Name = "get_session", EmitDefaultValue = false)]
    internal GetSessionWork? GetSession { get; set; }

    [DataMember(Name = "get_credential", EmitDefaultValue = false)]
    internal GetCredentialWork? GetCredential { get; set; }

    [DataMember(Name = "get_account", EmitDefaultValue = false)]
    internal GetAccountWork? GetAccount { get; set; }

    [DataMember(Name = "get_role", EmitDefaultValue = false)]
    internal GetRoleWork? GetRole { get; set; }

    [DataMember(Name = "add_profile", EmitDefaultValue = false)]
    internal AddProfileWork? AddProfile { get; set; }

    [DataMember(Name = "remove_profile", EmitDefaultValue = false)]
    internal RemoveProfileWork? RemoveProfile { get; set; }

    [DataMember(Name = "remove_credential", EmitDefaultValue = false)]
    internal RemoveCredentialWork? RemoveCredential { get; set; }

    [DataMember(Name = "get_keys", EmitDefaultValue = false)]
    internal GetKeysWork? GetKeys { get; set; }

    [DataMember(Name = "open_console", EmitDefaultValue = false)]
    internal OpenConsoleWork? OpenConsole { get; set; }
}

/// <summary>How a session may be had, and how long that may take.</summary>
[DataContract]
internal sealed class SessionTerms
{
    [DataMember(Name = "browser")]
    internal bool Browser { get; set; }

    [DataMember(Name = "login")]
    internal bool Login { get; set; }

    /// <summary>Why nobody can log in where Login is false; null where the user only does not want it.</summary>
    [DataMember(Name = "no_login_reason", EmitDefaultValue = false)]
    internal string? NoLoginReason { get; set; }

    /// <summary>In seconds.</summary>
    [DataMember(Name = "timeout", EmitDefaultValue = false)]
    internal long? Timeout { get; set; }

    [DataMember(Name = "token_cache", EmitDefaultValue = false)]
    internal string? TokenCache { get; set; }

    /// <summary>How somebody logs in; null is the usual way.</summary>
    [DataMember(Name = "login_method", EmitDefaultValue = false)]
    internal string? LoginMethod { get; set; }

    /// <summary>Whether a QR code is shown where no browser was opened.</summary>
    [DataMember(Name = "qr_code")]
    internal bool QrCode { get; set; }
}

[DataContract]
internal sealed class PlanWork
{
    /// <summary>Empty means every stored environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];

    [DataMember(Name = "force")]
    internal bool Force { get; set; }

    /// <summary>In seconds.</summary>
    [DataMember(Name = "minimum_remaining")]
    internal long MinimumRemaining { get; set; }

    /// <summary>Whether profiles count as due that have keys of another origin.</summary>
    [DataMember(Name = "replace_keys")]
    internal bool ReplaceKeys { get; set; }

    /// <summary>Whether profiles that are neither due nor left alone are left out of the answer.</summary>
    [DataMember(Name = "due_only")]
    internal bool DueOnly { get; set; }
}

[DataContract]
internal sealed class UpdateWork
{
    [DataMember(Name = "targets")]
    internal UpdateTarget[] Targets { get; set; } = [];

    [DataMember(Name = "force")]
    internal bool Force { get; set; }

    /// <summary>In seconds.</summary>
    [DataMember(Name = "minimum_remaining")]
    internal long MinimumRemaining { get; set; }

    /// <summary>Whether keys of another origin are replaced.</summary>
    [DataMember(Name = "replace_keys")]
    internal bool ReplaceKeys { get; set; }

    [DataMember(Name = "session")]
    internal SessionTerms? Session { get; set; }

    [DataMember(Name = "throttle_limit")]
    internal int ThrottleLimit { get; set; }

    /// <summary>Whether each profile is told of at the end, with an event of its own.</summary>
    [DataMember(Name = "report_profiles")]
    internal bool ReportProfiles { get; set; }

    /// <summary>Whether the access tokens are handed over at the end.</summary>
    [DataMember(Name = "expose_token")]
    internal bool ExposeToken { get; set; }
}

[DataContract]
internal sealed class UpdateTarget(string environment, string[]? profiles)
{
    [DataMember(Name = "environment")]
    internal string Environment { get; private set; } = environment;

    /// <summary>Null means all.</summary>
    [DataMember(Name = "profiles", EmitDefaultValue = false)]
    internal string[]? Profiles { get; private set; } = profiles;
}

[DataContract]
internal sealed class GetEnvironmentWork
{
    /// <summary>Empty means every environment.</summary>
    [DataMember(Name = "names")]
    internal string[] Names { get; set; } = [];

    /// <summary>Whether the list of every environment leaves out those of the AWS config file.</summary>
    [DataMember(Name = "stored_only")]
    internal bool StoredOnly { get; set; }

    /// <summary>Whether the list of every environment leaves out in silence what cannot be used; otherwise that is an error or a warning each.</summary>
    [DataMember(Name = "usable_only")]
    internal bool UsableOnly { get; set; }
}

[DataContract]
internal sealed class SetEnvironmentWork
{
    [DataMember(Name = "name")]
    internal string Name { get; set; } = "";

    [DataMember(Name = "start_url", EmitDefaultValue = false)]
    internal string? StartUrl { get; set; }

    [DataMember(Name = "region", EmitDefaultValue = false)]
    internal string? Region { get; set; }

    [DataMember(Name = "default_role_name", EmitDefaultValue = false)]
    internal string? DefaultRoleName { get; set; }

    /// <summary>The whole new table; null leaves it as it is.</summary>
    [DataMember(Name = "accounts", EmitDefaultValue = false)]
    internal SsoAccountRow[]? Accounts { get; set; }

    [DataMember(Name = "token_cache", EmitDefaultValue = false)]
    internal string? TokenCache { get; set; }

    /// <summary>The file that the values were read from; null where they are parameters.</summary>
    [DataMember(Name = "imported_from", EmitDefaultValue = false)]
    internal string? ImportedFrom { get; set; }

    /// <summary>Whether a stored block of this name that cannot be used stays as it is.</summary>
    [DataMember(Name = "keep_broken")]
    internal bool KeepBroken { get; set; }

    [DataMember(Name = "check_only")]
    internal bool CheckOnly { get; set; }
}

[DataContract]
internal sealed class RemoveEnvironmentWork
{
    [DataMember(Name = "name")]
    internal string Name { get; set; } = "";

    [DataMember(Name = "check_only")]
    internal bool CheckOnly { get; set; }
}

[DataContract]
internal sealed class ConnectSessionWork
{
    /// <summary>Empty means every stored environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];

    [DataMember(Name = "session")]
    internal SessionTerms? Session { get; set; }
}

[DataContract]
internal sealed class DisconnectSessionWork
{
    /// <summary>Empty means every stored environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];

    [DataMember(Name = "remove_credentials")]
    internal bool RemoveCredentials { get; set; }
}

[DataContract]
internal sealed class GetSessionWork
{
    /// <summary>Empty means every stored environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];
}

[DataContract]
internal sealed class GetCredentialWork
{
    /// <summary>Empty means every stored environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];

    /// <summary>In seconds.</summary>
    [DataMember(Name = "minimum_remaining")]
    internal long MinimumRemaining { get; set; }
}

[DataContract]
internal sealed class GetAccountWork
{
    [DataMember(Name = "environment")]
    internal string Environment { get; set; } = "";

    /// <summary>Whether to tell what the last list said, without any network call.</summary>
    [DataMember(Name = "known")]
    internal bool Known { get; set; }

    [DataMember(Name = "session", EmitDefaultValue = false)]
    internal SessionTerms? Session { get; set; }
}

[DataContract]
internal sealed class GetRoleWork
{
    [DataMember(Name = "environment")]
    internal string Environment { get; set; } = "";

    /// <summary>The accounts to ask for, in the order in which they are told.</summary>
    [DataMember(Name = "accounts")]
    internal SsoAccount[] Accounts { get; set; } = [];

    /// <summary>Whether to tell what the last list said of every account, without any network call.</summary>
    [DataMember(Name = "known")]
    internal bool Known { get; set; }

    [DataMember(Name = "throttle_limit")]
    internal int ThrottleLimit { get; set; }

    [DataMember(Name = "session", EmitDefaultValue = false)]
    internal SessionTerms? Session { get; set; }
}

[DataContract]
internal sealed class AddProfileWork
{
    [DataMember(Name = "environment")]
    internal string Environment { get; set; } = "";

    [DataMember(Name = "roles")]
    internal RoleToAdd[] Roles { get; set; } = [];

    [DataMember(Name = "name_template", EmitDefaultValue = false)]
    internal string? NameTemplate { get; set; }

    [DataMember(Name = "prefix")]
    internal string Prefix { get; set; } = "";

    /// <summary>Whether only to tell what would be added.</summary>
    [DataMember(Name = "check_only")]
    internal bool CheckOnly { get; set; }
}

/// <summary>A role that a profile is wanted for.</summary>
[DataContract]
internal sealed class RoleToAdd
{
    [DataMember(Name = "environment")]
    internal string Environment { get; set; } = "";

    [DataMember(Name = "account_id")]
    internal string AccountId { get; set; } = "";

    [DataMember(Name = "account_name", EmitDefaultValue = false)]
    internal string? AccountName { get; set; }

    [DataMember(Name = "email_address", EmitDefaultValue = false)]
    internal string? EmailAddress { get; set; }

    [DataMember(Name = "role_name")]
    internal string RoleName { get; set; } = "";

    /// <summary>What its profile is called, whatever the template says.</summary>
    [DataMember(Name = "profile_name", EmitDefaultValue = false)]
    internal string? ProfileName { get; set; }
}

[DataContract]
internal sealed class RemoveProfileWork
{
    [DataMember(Name = "environment")]
    internal string Environment { get; set; } = "";

    [DataMember(Name = "profiles")]
    internal string[] Profiles { get; set; } = [];
}

[DataContract]
internal sealed class RemoveCredentialWork
{
    /// <summary>The environment's name; it need not be stored any longer.</summary>
    [DataMember(Name = "environment")]
    internal string Environment { get; set; } = "";

    /// <summary>Null means all profiles of the environment.</summary>
    [DataMember(Name = "profiles", EmitDefaultValue = false)]
    internal string[]? Profiles { get; set; }

    /// <summary>Whether sections are meant, too, that were fetched for the environment and are not in its table.</summary>
    [DataMember(Name = "unlisted")]
    internal bool Unlisted { get; set; }

    /// <summary>Whether only to report what would be removed.</summary>
    [DataMember(Name = "check_only")]
    internal bool CheckOnly { get; set; }
}

[DataContract]
internal sealed class GetKeysWork
{
    [DataMember(Name = "profile")]
    internal string Profile { get; set; } = "";

    /// <summary>Where to look for it; empty means every environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];

    /// <summary>In seconds.</summary>
    [DataMember(Name = "minimum_remaining")]
    internal long MinimumRemaining { get; set; }

    [DataMember(Name = "session", EmitDefaultValue = false)]
    internal SessionTerms? Session { get; set; }
}

[DataContract]
internal sealed class OpenConsoleWork
{
    [DataMember(Name = "profile")]
    internal string Profile { get; set; } = "";

    /// <summary>Where to look for it; empty means every environment.</summary>
    [DataMember(Name = "environments")]
    internal string[] Environments { get; set; } = [];

    [DataMember(Name = "service", EmitDefaultValue = false)]
    internal string? Service { get; set; }

    [DataMember(Name = "region", EmitDefaultValue = false)]
    internal string? Region { get; set; }

    [DataMember(Name = "browser")]
    internal bool Browser { get; set; }
}
