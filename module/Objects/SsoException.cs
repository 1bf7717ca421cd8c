using System;

namespace AwsSso;

/// <summary>An error, with the code that is the first word of its id.</summary>
public sealed class SsoException : Exception
{
    internal SsoException(
        string code,
        string message,
        string? action = null,
        string? target = null,
        string? requestId = null,
        Exception? inner = null)
        : base(ShownText.Of(requestId is null ? message : $"{message} (request id {requestId})"), inner)
    {
        Code = code;
        Action = action is null ? null : ShownText.Of(action);
        Target = target;
        RequestId = requestId;
    }

    /// <summary>The code, the first word of the error's id.</summary>
    public string Code { get; }

    /// <summary>What to do next, as a sentence.</summary>
    public string? Action { get; }

    /// <summary>What it happened to: a profile, an environment, a path.</summary>
    public string? Target { get; }

    /// <summary>The service's id of the refused request.</summary>
    public string? RequestId { get; }
}
