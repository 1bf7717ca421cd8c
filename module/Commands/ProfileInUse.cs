using System;

namespace AwsSso;

/// <summary>The profile whose keys Use-SsoCredential last put into variables.</summary>
internal static class ProfileInUse
{
    private static (string Name, string AccessKeyId)? keys;

    /// <summary>Remembers whose keys are in the variables.</summary>
    internal static void Remember(string name, string accessKeyId) => keys = (name, accessKeyId);

    /// <summary>The profile whose keys are in the variables; null where somebody else has set them.</summary>
    internal static string? NameOfKeys() =>
        keys is { } known && Environment.GetEnvironmentVariable("AWS_ACCESS_KEY_ID") == known.AccessKeyId ? known.Name : null;
}
