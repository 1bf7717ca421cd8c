using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using AwsSso.Native;

namespace AwsSso;

/// <summary>The variables by which AWS tools find keys, and what a profile sets of them.</summary>
internal static class CredentialVariables
{
    /// <summary>Every variable that names keys, or a place of keys. An empty value counts as set in some tools.</summary>
    internal static readonly string[] Names =
    [
        "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
        "AWS_SESSION_EXPIRATION", "AWS_ACCOUNT_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_CREDENTIAL_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_SECRET_KEY", "AWS_ACCESS_KEY", "AMAZON_ACCESS_KEY_ID", "AMAZON_SECRET_ACCESS_KEY", "AMAZON_SESSION_TOKEN",
    ];

    /// <summary>How names are compared: on Windows, two names that differ only in case are one variable.</summary>
    internal static readonly StringComparer Comparer =
        Path.DirectorySeparatorChar == '\\' ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;

    /// <summary>Whether a variable is one of AWS tools.</summary>
    internal static bool IsOfAws(string name) => new[] { "AWS_", "AMAZON_" }.Any(start =>
        name.StartsWith(start, Path.DirectorySeparatorChar == '\\' ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal));

    /// <summary>What to set so that tools find the keys of a profile in a file.</summary>
    internal static (string Name, string? Value)[] ForProfile(SsoProfile profile) =>
        [("AWS_PROFILE", profile.ProfileName), .. ForRegion(profile)];

    /// <summary>What to set so that tools use these keys of a profile.</summary>
    internal static (string Name, string? Value)[] ForKeys(SsoProfile profile, KeysEvent keys) =>
    [
        ("AWS_ACCESS_KEY_ID", keys.AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", keys.SecretAccessKey),
        ("AWS_SESSION_TOKEN", keys.SessionToken),
        ("AWS_CREDENTIAL_EXPIRATION", keys.Expiration),
        .. ForRegion(profile),
    ];

    /// <summary>The variables of the profile's region: botocore reads only the second one, other SDKs only the first one.</summary>
    internal static (string Name, string? Value)[] ForRegion(SsoProfile profile) =>
        profile.ProfileRegion is { } region ? [("AWS_REGION", region), ("AWS_DEFAULT_REGION", region)] : [];

    /// <summary>All variables of this process.</summary>
    internal static Dictionary<string, string> OfProcess()
    {
        var variables = new Dictionary<string, string>(Comparer);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables[(string)variable.Key] = (string?)variable.Value ?? "";
        }

        return variables;
    }
}
