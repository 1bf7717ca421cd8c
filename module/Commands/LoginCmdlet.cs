using System;
using System.Linq;
using System.Management.Automation;
using AwsSso.Native;

namespace AwsSso.Commands;

/// <summary>The base of the cmdlets that may need a login.</summary>
public abstract class LoginCmdlet : EnvironmentCmdlet
{
    private SessionTerms? termsOfLists;

    private protected LoginCmdlet()
    {
    }

    /// <summary>Shows the address of a login, but opens no browser.</summary>
    [Parameter]
    public SwitchParameter NoBrowser { get; set; }

    /// <summary>Shows no QR code where no browser is opened.</summary>
    [Parameter]
    public SwitchParameter NoQrCode { get; set; }

    /// <summary>How a user logs in.</summary>
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

    /// <summary>Where access tokens are kept in this run, instead of where the environment says.</summary>
    [Parameter]
    public SsoTokenCache TokenCache { get; set; }

    /// <summary>Whether a user may be asked to log in, where a user can.</summary>
    private protected virtual bool MayLogIn => !NoLogin;

    /// <summary>What bounds the run; null where the user gave no limit.</summary>
    private protected virtual TimeSpan? Limit => Timeout;

    /// <summary>The same terms for every list that the cmdlet gets.</summary>
    private protected SessionTerms TermsOfLists => termsOfLists ??= Terms();

    /// <summary>Starts the endpoint with the keys of a profile; null where that failed, which was reported.</summary>
    private protected EndpointEvent? StartEndpoint(string profile, string[] environments)
    {
        var work = new StartEndpointWork
        {
            Profile = profile,
            Environments = environments,
            Region = EndpointVariables.Region(),
            Session = Terms(),
        };
        return Run(work, happened => happened.Endpoint).FirstOrDefault();
    }

    /// <summary>
    /// The accounts that are assigned to the user, each passed on, as soon as its page has come, with whether it is meant; gives false
    /// where a name or pattern matches none, which is reported and does not end the work.
    /// </summary>
    private protected bool ListAccounts(string environment, NamePatterns wanted, Action<SsoAccount, bool> take)
    {
        Run(
            new GetAccountWork { Environment = environment, Session = TermsOfLists },
            happened => happened.Account,
            account => take(account, wanted.Match(account.AccountId, account.AccountName)));
        return ReportMissing(
            wanted,
            $"account of {environment} that is assigned to you",
            name => SsoErrors.AccountNotFound(name, environment));
    }

    /// <summary>The names of the environments that are meant.</summary>
    private protected string[] EnvironmentNames() => Environments().Select(environment => environment.Name).ToArray();

    /// <summary>How a session may be obtained; who may log in is looked at only where a login may be needed.</summary>
    private protected SessionTerms Terms(bool mayNeedLogin = true)
    {
        var shell = Shell;
        var nobody = mayNeedLogin && MayLogIn ? shell.WhyNobodyCanLogIn() : null;

        // In a remote session the user's browser is elsewhere, and its answer could not come back here.
        var isElsewhere = shell.IsRemote;
        if (isElsewhere && mayNeedLogin && LoginMethod == SsoLoginMethod.Pkce)
        {
            Warn("-LoginMethod Pkce does not work in a remote session; a login uses a device code.");
        }

        return new SessionTerms
        {
            Browser = !NoBrowser && !isElsewhere,
            QrCode = !NoQrCode,
            LoginMethod = isElsewhere ? SsoLoginMethod.DeviceCode : LoginMethod,
            Login = MayLogIn && nobody is null,
            NoLoginReason = nobody,
            Timeout = Limit?.WholeSeconds(),
            TokenCache = MyInvocation.BoundParameters.ContainsKey(nameof(TokenCache)) ? TokenCache : null,
        };
    }
}
