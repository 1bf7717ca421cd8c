using System;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>What the cmdlets have in common that may need a login.</summary>
public abstract class LoginCmdlet : EnvironmentCmdlet
{
    private protected LoginCmdlet()
    {
    }

    /// <summary>Shows the address of a login, but opens no browser.</summary>
    [Parameter]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Shows no QR code where no browser is opened.</summary>
    [Parameter]
    public SwitchParameter NoQrCode { get; set; }

    /// <summary>How somebody logs in.</summary>
    [Parameter]
    public SsoLoginMethod LoginMethod { get; set; } = SsoLoginMethod.DeviceCode;

    /// <summary>Fails where a login would be needed.</summary>
    [Parameter]
    public SwitchParameter NoLogin { get; set; }

    /// <summary>How long a login, and the network and file locks after it, may take.</summary>
    [Parameter]
    [Seconds]
    [ValidateDuration]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Where access tokens are kept in this run, whatever the environment says.</summary>
    [Parameter]
    public SsoTokenCache TokenCache { get; set; }

    /// <summary>How a session may be had; who may log in is looked at only where a login may be needed.</summary>
    private protected SessionTerms Terms(bool mayNeedLogin = true)
    {
        var nobody = mayNeedLogin && !NoLogin ? WhyNobodyCanLogIn() : null;
        return new SessionTerms
        {
            Browser = !NoBrowser,
            QrCode = !NoQrCode,
            LoginMethod = LoginMethod.ToString(),
            Login = !NoLogin && nobody is null,
            NoLoginReason = nobody,
            Timeout = Timeout?.WholeSeconds(),
            TokenCache = MyInvocation.BoundParameters.ContainsKey(nameof(TokenCache)) ? TokenCache.ToString() : null,
        };
    }
}
