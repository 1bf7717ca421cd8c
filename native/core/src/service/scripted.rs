//! Both services of IAM Identity Center for tests: they answer as a test says, and keep what they were asked.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::mutex::locked;
use crate::service::network::{Network, Reply, response};

/// The operations of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    RegisterClient,
    StartDeviceAuthorization,
    CreateToken,
    GetRoleCredentials,
    ListAccounts,
    ListAccountRoles,
    Logout,
}

impl Call {
    fn of(path: &str) -> Self {
        match path {
            "/client/register" => Self::RegisterClient,
            "/device_authorization" => Self::StartDeviceAuthorization,
            "/token" => Self::CreateToken,
            "/federation/credentials" => Self::GetRoleCredentials,
            "/assignment/accounts" => Self::ListAccounts,
            "/assignment/roles" => Self::ListAccountRoles,
            "/logout" => Self::Logout,
            other => panic!("no operation is at {other}"),
        }
    }
}

/// A request as the service gets it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) call: Call,
    pub(crate) at: Instant,
    /// The parameters of the query of a request to the portal, or the fields of one to SSO-OIDC.
    fields: HashMap<String, String>,
    pub(crate) access_token: String,
}

impl Request {
    fn of(request: &HttpRequest) -> Self {
        let url = url::Url::parse(request.uri()).unwrap();
        let mut fields: HashMap<String, String> = url.query_pairs().into_owned().collect();
        if let Ok(Value::Object(object)) = serde_json::from_slice(request.body().bytes().unwrap_or_default()) {
            fields.extend(object.into_iter().map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))));
        }
        let access_token = request.headers().get("x-amz-sso_bearer_token").unwrap_or_default().to_owned();
        Self { call: Call::of(url.path()), at: Instant::now(), fields, access_token }
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

type Script = Box<dyn FnMut(&Request) -> Reply + Send>;

/// What a service was told to answer, and what it was asked.
#[derive(Clone, Default)]
pub(crate) struct ScriptedService {
    scripts: Arc<Mutex<HashMap<Call, Script>>>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl ScriptedService {
    pub(crate) fn network(&self) -> Network {
        let this = self.clone();
        Network::replying(move |request| {
            let request = Request::of(request);
            locked(&this.seen).push(request.clone());
            match locked(&this.scripts).get_mut(&request.call) {
                Some(script) => script(&request),
                None => usual(&request),
            }
        })
    }

    /// Answers an operation so from now on, in place of the usual answer.
    pub(crate) fn on(&self, call: Call, script: impl FnMut(&Request) -> Reply + Send + 'static) {
        locked(&self.scripts).insert(call, Box::new(script));
    }

    /// Answers an operation with these replies, one for each request, and then as usual.
    pub(crate) fn on_first(&self, call: Call, replies: impl IntoIterator<Item = Reply>) {
        let mut replies = replies.into_iter().collect::<Vec<_>>().into_iter();
        self.on(call, move |request| replies.next().unwrap_or_else(|| usual(request)));
    }

    /// The requests of an operation so far.
    pub(crate) fn seen(&self, call: Call) -> Vec<Request> {
        locked(&self.seen).iter().filter(|request| request.call == call).cloned().collect()
    }

    /// The operations that were asked for so far, in their order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        locked(&self.seen).iter().map(|request| request.call).collect()
    }
}

/// An answer with these fields.
pub(crate) fn with(fields: &Value) -> Reply {
    Reply::Now(Ok(response(200, &[], fields.to_string())))
}

/// A refusal of SSO-OIDC, as OAuth has it.
pub(crate) fn oauth_error(status: u16, error: &str) -> Reply {
    Reply::Now(Ok(response(status, &[("x-amzn-requestid", "request-1")], json!({ "error": error }).to_string())))
}

/// A refusal of the portal that names this exception.
pub(crate) fn exception(status: u16, name: &'static str) -> Reply {
    Reply::Now(Ok(response(status, &[("x-amzn-errortype", name), ("x-amzn-requestid", "request-1")], r#"{"message":"no"}"#)))
}

/// No connection, as the HTTP client tells it.
pub(crate) fn unreachable() -> Reply {
    Reply::Now(Err(ConnectorError::io("connection refused".into())))
}

/// The same answer after a while.
pub(crate) fn late(pause: Duration, reply: Reply) -> Reply {
    match reply {
        Reply::Now(answer) | Reply::Late(_, answer) => Reply::Late(pause, answer),
        Reply::Never => Reply::Never,
    }
}

/// A new access token with a refresh token.
pub(crate) fn token(access_token: &str, refresh_token: &str) -> Reply {
    with(&json!({ "accessToken": access_token, "tokenType": "Bearer", "expiresIn": 3600, "refreshToken": refresh_token }))
}

/// The keys of a role, until this time in seconds since 1970; the id names the account, the secret the role, and the token the session.
pub(crate) fn keys(request: &Request, expiration: i64) -> Reply {
    with(&json!({ "roleCredentials": {
        "accessKeyId": format!("ASIA{}", request.field("account_id")),
        "secretAccessKey": format!("secret-of-{}", request.field("role_name")),
        "sessionToken": format!("for-{}", request.access_token),
        "expiration": expiration * 1000,
    }}))
}

/// When the usual keys expire: an hour after the clock of the tests starts.
pub(crate) const KEYS_EXPIRE: i64 = START + 3600;

/// Where the clock of the tests starts: 2026-01-02T12:00:00Z.
pub(crate) const START: i64 = 1_767_355_200;

/// What a service answers that is in order, and grants everything.
fn usual(request: &Request) -> Reply {
    match request.call {
        Call::RegisterClient => with(&json!({ "clientId": "new-client", "clientSecret": "new-client-secret", "clientSecretExpiresAt": START + 90 * 86400 })),
        Call::StartDeviceAuthorization => with(&json!({
            "deviceCode": "device-code",
            "userCode": "ABCD-EFGH",
            "verificationUri": "https://device.sso.us-west-2.amazonaws.com/",
            "verificationUriComplete": "https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-EFGH",
            "expiresIn": 600,
            "interval": 1,
        })),
        Call::CreateToken => token("new-token", "new-refresh-token"),
        Call::GetRoleCredentials => keys(request, KEYS_EXPIRE),
        Call::ListAccounts => with(&json!({ "accountList": [{ "accountId": "100000000000", "accountName": "Prod" }] })),
        Call::ListAccountRoles => with(&json!({ "roleList": [{ "roleName": "Admin", "accountId": request.field("account_id") }] })),
        Call::Logout => Reply::Now(Ok(response(200, &[], ""))),
    }
}
