//! How a stand-in behaves from the start: the struct for tests, and the flags of the program.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::Deserialize;

/// The operations of the two services, named as in their service models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /client/register`
    RegisterClient,
    /// `POST /device_authorization`
    StartDeviceAuthorization,
    /// `POST /token`
    CreateToken,
    /// `GET /federation/credentials`
    GetRoleCredentials,
    /// `GET /assignment/accounts`
    ListAccounts,
    /// `GET /assignment/roles`
    ListAccountRoles,
    /// `POST /logout`
    Logout,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 7] = [
        Self::RegisterClient,
        Self::StartDeviceAuthorization,
        Self::CreateToken,
        Self::GetRoleCredentials,
        Self::ListAccounts,
        Self::ListAccountRoles,
        Self::Logout,
    ];

    /// The operation's name, as in the flags and in [`Stats::requests`](crate::Stats::requests).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RegisterClient => "RegisterClient",
            Self::StartDeviceAuthorization => "StartDeviceAuthorization",
            Self::CreateToken => "CreateToken",
            Self::GetRoleCredentials => "GetRoleCredentials",
            Self::ListAccounts => "ListAccounts",
            Self::ListAccountRoles => "ListAccountRoles",
            Self::Logout => "Logout",
        }
    }

    /// Whether it belongs to the SSO portal and not to SSO-OIDC.
    #[must_use]
    pub const fn is_portal(self) -> bool {
        matches!(self, Self::GetRoleCredentials | Self::ListAccounts | Self::ListAccountRoles | Self::Logout)
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|operation| operation.name() == text).ok_or_else(|| format!("no operation is named {text:?}"))
    }
}

/// How many of the next calls a fault meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Next(u32),
    /// All of them.
    All,
}

impl FromStr for Count {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::Next).map_err(|_| format!("{text:?} is neither a number nor \"all\""))
    }
}

/// The next calls of one operation, written `<operation>:<n>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Calls {
    /// The operation.
    pub operation: Operation,
    /// How many of its calls.
    pub count: Count,
}

impl FromStr for Calls {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (operation, count) = text.split_once(':').ok_or_else(|| format!("{text:?} is not <operation>:<n>"))?;
        Ok(Self { operation: operation.parse()?, count: count.parse()? })
    }
}

impl TryFrom<String> for Calls {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Calls that return an error, written `<operation>:<n>:<status>[:<error name>[:<reason>]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Failure {
    /// Which calls.
    pub calls: Calls,
    /// The HTTP status of the response.
    pub status: u16,
    /// The exception's name. `bare` sends no body, `proxy` sends what a proxy would; without a name, the status decides.
    pub error: Option<String>,
    /// The member `reason` of the body, for example `KMS_AccessDeniedException`.
    pub reason: Option<String>,
}

impl FromStr for Failure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || format!("{text:?} is not <operation>:<n>:<status>[:<error name>[:<reason>]]");
        let mut parts = text.split(':');
        let (Some(operation), Some(count), Some(status)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form());
        };
        let error = parts.next().map(str::to_owned);
        let reason = parts.next().map(str::to_owned);
        let status: u16 = status.parse().map_err(|_| form())?;
        if parts.next().is_some() || !(200..600).contains(&status) {
            return Err(form());
        }
        Ok(Self { calls: Calls { operation: operation.parse()?, count: count.parse()? }, status, error, reason })
    }
}

impl TryFrom<String> for Failure {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// One role in one account, written `<account>:<role>`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AccountRole {
    /// The account ID.
    pub account: String,
    /// The role's name.
    pub role: String,
}

impl FromStr for AccountRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (account, role) = text.split_once(':').ok_or_else(|| format!("{text:?} is not <account>:<role>"))?;
        Ok(Self { account: account.to_owned(), role: role.to_owned() })
    }
}

impl TryFrom<String> for AccountRole {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a stand-in behaves.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Options {
    /// Port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// The only known start URL; a `/` or `#/` at its end makes no difference.
    #[arg(long, value_name = "URL", default_value = DEFAULT_START_URL)]
    pub start_url: String,

    /// Number of accounts: 100000000000 and up, Account1 and up.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub accounts: u32,

    /// Names of the first accounts, in order; an account with an empty name has neither a name nor an email address. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub account_name: Vec<String>,

    /// Number of roles in each account: `AWSAdministratorAccess`, `AWSReadOnlyAccess`, Role3 and up.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub roles: u32,

    /// How long each portal call takes.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub delay: u64,

    /// How long each SSO-OIDC call takes.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub oidc_delay: u64,

    /// Approve automatically after N polls were answered with "pending", and at once on `/authorize`.
    /// Without it only the page approves.
    #[arg(long, value_name = "N")]
    pub approve_after_polls: Option<u32>,

    /// Polls to answer with `slow_down`, counted from 1.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub slow_down_at: Vec<u32>,

    /// The field `interval` of `StartDeviceAuthorization`, in seconds; 0 means 5 to a client.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub interval: u32,

    /// Leave out the field `interval`, which means 5 seconds to a client.
    #[arg(long)]
    pub no_interval: bool,

    /// Lifetime of a device code.
    #[arg(long, value_name = "S", default_value_t = 600)]
    pub device_code_lifetime: u32,

    /// Lifetime of an access token.
    #[arg(long, value_name = "S", default_value_t = 28_800)]
    pub token_lifetime: u32,

    /// Lifetime of role credentials.
    #[arg(long, value_name = "S", default_value_t = 3_600)]
    pub credential_lifetime: u32,

    /// Return no refresh token. Without this flag, clients with the scope `sso:account:access` get one.
    #[arg(long)]
    pub no_refresh_token: bool,

    /// Return a new refresh token with each refresh and refuse the old one. If false, the answer to a
    /// refresh has no refresh token and the first one stays valid.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
    pub rotate_refresh_token: bool,

    /// Lifetime of a client registration.
    #[arg(long, value_name = "S", default_value_t = 7_776_000)]
    pub registration_lifetime: u32,

    /// Portal calls allowed per second; the others get 429.
    #[arg(long, value_name = "PER_SECOND")]
    pub rate: Option<f64>,

    /// Portal calls allowed in a burst before --rate applies; one second's worth by default.
    #[arg(long, value_name = "N")]
    pub burst: Option<u32>,

    /// The Retry-After header of each 429, in seconds.
    #[arg(long, value_name = "S")]
    pub retry_after: Option<u32>,

    /// Accounts whose credentials are refused with 403.
    #[arg(long, value_name = "ACCOUNT,ACCOUNT", value_delimiter = ',')]
    pub refuse: Vec<String>,

    /// Roles whose credentials are refused with 403.
    #[arg(long, value_name = "ACCOUNT:ROLE,..", value_delimiter = ',')]
    pub refuse_role: Vec<AccountRole>,

    /// Fail the next N (or `all`) calls: `<operation>:<n>:<status>[:<error name>[:<reason>]]`;
    /// the error name `bare` sends no body, `proxy` sends what a proxy would. Repeatable.
    #[arg(long, value_name = "OPERATION:N:STATUS")]
    pub fail: Vec<Failure>,

    /// Answer the next N (or `all`) calls with half of the JSON. Repeatable.
    #[arg(long, value_name = "OPERATION:N")]
    pub broken_json: Vec<Calls>,

    /// Close the connection in the middle of the next N (or `all`) responses. Repeatable.
    #[arg(long, value_name = "OPERATION:N")]
    pub cut: Vec<Calls>,

    /// Leave the next N (or `all`) calls unanswered. Repeatable.
    #[arg(long, value_name = "OPERATION:N")]
    pub hang: Vec<Calls>,

    /// Answer the calls of --hang after this time, so that a client that waits too long gets an answer.
    #[arg(long, value_name = "MS")]
    pub hang_for: Option<u64>,

    /// Offset of the server's clock: it affects the Date header and everything that expires.
    #[arg(long, value_name = "S", default_value_t = 0, allow_negative_numbers = true)]
    pub clock_offset: i64,

    /// The user declines: on the first poll, and at once on `/authorize`.
    #[arg(long)]
    pub deny: bool,

    /// Make `StartDeviceAuthorization` refuse every start URL.
    #[arg(long)]
    pub reject_start_url: bool,

    /// Serve https with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Do not offer HTTP/2 with --tls-cert.
    #[arg(long, requires = "tls_cert")]
    pub http1_only: bool,

    /// Put control characters and ANSI escapes into account names and error messages.
    #[arg(long)]
    pub hostile_text: bool,
}

/// The start URL unless another one is set.
pub const DEFAULT_START_URL: &str = "https://d-12345abcde.awsapps.com/start/";

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            start_url: DEFAULT_START_URL.to_owned(),
            accounts: 20,
            account_name: Vec::new(),
            roles: 2,
            delay: 0,
            oidc_delay: 0,
            approve_after_polls: None,
            slow_down_at: Vec::new(),
            interval: 1,
            no_interval: false,
            device_code_lifetime: 600,
            token_lifetime: 28_800,
            credential_lifetime: 3_600,
            no_refresh_token: false,
            rotate_refresh_token: true,
            registration_lifetime: 90 * 24 * 3_600,
            rate: None,
            burst: None,
            retry_after: None,
            refuse: Vec::new(),
            refuse_role: Vec::new(),
            fail: Vec::new(),
            broken_json: Vec::new(),
            cut: Vec::new(),
            hang: Vec::new(),
            hang_for: None,
            clock_offset: 0,
            deny: false,
            reject_start_url: false,
            tls_cert: None,
            tls_key: None,
            http1_only: false,
            hostile_text: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: Options,
    }

    fn parse(flags: &str) -> Result<Options, clap::Error> {
        Program::try_parse_from(format!("stand-in {flags}").split_whitespace()).map(|program| program.options)
    }

    #[test]
    fn the_struct_and_the_flags_have_the_same_defaults() {
        assert_eq!(parse("").unwrap(), Options::default());
    }

    #[test]
    fn every_flag_is_read() {
        let options = parse(
            "--port 4711 --start-url https://example.com/start --accounts 3 --account-name One --account-name= --roles 4 --delay 5 --oidc-delay 6 \
             --approve-after-polls 0 --slow-down-at 1,3 --interval 0 --no-interval --device-code-lifetime 7 \
             --token-lifetime 8 --credential-lifetime 9 --no-refresh-token --rotate-refresh-token false \
             --registration-lifetime 10 --rate 2.5 --burst 11 --retry-after 12 --refuse 100000000001,100000000002 \
             --refuse-role 100000000000:A,100000000001:B --fail CreateToken:2:400:SlowDownException \
             --fail ListAccounts:all:500 --broken-json Logout:1 --cut ListAccounts:2 --hang ListAccountRoles:all --hang-for 13 \
             --clock-offset -3600 --deny --reject-start-url --tls-cert c.pem --tls-key k.pem --http1-only --hostile-text",
        )
        .unwrap();
        let calls = |operation, count| Calls { operation, count };
        let failure = |calls, status, error: Option<&str>| Failure { calls, status, error: error.map(str::to_owned), reason: None };
        let pair = |account: &str, role: &str| AccountRole { account: account.to_owned(), role: role.to_owned() };
        let expected = Options {
            port: 4711,
            start_url: "https://example.com/start".to_owned(),
            accounts: 3,
            account_name: vec!["One".to_owned(), String::new()],
            roles: 4,
            delay: 5,
            oidc_delay: 6,
            approve_after_polls: Some(0),
            slow_down_at: vec![1, 3],
            interval: 0,
            no_interval: true,
            device_code_lifetime: 7,
            token_lifetime: 8,
            credential_lifetime: 9,
            no_refresh_token: true,
            rotate_refresh_token: false,
            registration_lifetime: 10,
            rate: Some(2.5),
            burst: Some(11),
            retry_after: Some(12),
            refuse: vec!["100000000001".to_owned(), "100000000002".to_owned()],
            refuse_role: vec![pair("100000000000", "A"), pair("100000000001", "B")],
            fail: vec![
                failure(calls(Operation::CreateToken, Count::Next(2)), 400, Some("SlowDownException")),
                failure(calls(Operation::ListAccounts, Count::All), 500, None),
            ],
            broken_json: vec![calls(Operation::Logout, Count::Next(1))],
            cut: vec![calls(Operation::ListAccounts, Count::Next(2))],
            hang: vec![calls(Operation::ListAccountRoles, Count::All)],
            hang_for: Some(13),
            clock_offset: -3600,
            deny: true,
            reject_start_url: true,
            tls_cert: Some("c.pem".into()),
            tls_key: Some("k.pem".into()),
            http1_only: true,
            hostile_text: true,
        };
        assert_eq!(options, expected);
    }

    #[test]
    fn malformed_flags_are_refused() {
        for flags in
            ["--fail CreateToken", "--fail CreateToken:x:500", "--fail Nothing:1:500", "--fail CreateToken:1:99", "--hang CreateToken", "--tls-cert c.pem"]
        {
            assert!(parse(flags).is_err(), "{flags}");
        }
    }
}
