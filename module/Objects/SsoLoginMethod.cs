namespace AwsSso;

/// <summary>How somebody logs in.</summary>
public enum SsoLoginMethod
{
    /// <summary>A code is approved in any browser, on any machine.</summary>
    DeviceCode,

    /// <summary>A browser on this machine comes back with the answer, and there is no code to compare.</summary>
    Pkce,
}
