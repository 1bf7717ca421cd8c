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

    /// <summary>Whether somebody may be asked to log in, where somebody can.</summary>
    private protected virtual bool MayLogIn => !NoLogin;

    /// <summary>What bounds the run; null where the user gave no limit.</summary>
    private protected virtual TimeSpan? Limit => Timeout;

    /// <summary>How a session may be obtained; who may log in is looked at only where a login may be needed.</summary>
    private protected SessionTerms Terms(bool mayNeedLogin = true)
    {
        var shell = Shell;
        var nobody = mayNeedLogin && MayLogIn ? shell.WhyNobodyCanLogIn() : null;

        // In a remote session the user's browser is elsewhere, and its answer could not come back here.
        var isElsewhere = shell.IsRemote;
        if (isElsewhere && mayNeedLogin && LoginMethod == SsoLoginMethod.Pkce)
        {
            Warn("In a remote session -LoginMethod Pkce is not possible; a login uses the device code.");
        }

        return new SessionTerms
        {
            Browser = !NoBrowser && !isElsewhere,
            QrCode = !NoQrCode,
            LoginMethod = (isElsewhere ? SsoLoginMethod.DeviceCode : LoginMethod).ToString(),
            Login = MayLogIn && nobody is null,
            NoLoginReason = nobody,
            Timeout = Limit?.WholeSeconds(),
            TokenCache = MyInvocation.BoundParameters.ContainsKey(nameof(TokenCache)) ? TokenCache.ToString() : null,
        };
    }
}
