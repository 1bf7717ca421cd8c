//! The three operations of SSO-OIDC, and the codes that a browser returns with.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use crate::call::Call;
use crate::options::Options;
use crate::reply::{Refusal, Reply};
use crate::session::GrantedSession;
use crate::state::{Access, Client, Code, Decision, Device, Refresh, Shared, State};

const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const AUTHORIZATION_CODE: &str = "authorization_code";
const REFRESH_TOKEN: &str = "refresh_token";

/// Only clients with this scope get refresh tokens.
const ACCOUNT_ACCESS: &str = "sso:account:access";

/// The polling interval for clients if the response names none, in seconds.
const USUAL_INTERVAL: u32 = 5;

/// A poll that is early by less than this is due to the network and not to the client.
const TOLERANCE: Duration = Duration::from_millis(20);

/// The lifetime of an authorization code, in seconds.
const CODE_LIFETIME: i64 = 300;

/// The ways to get a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GrantType {
    DeviceCode,
    AuthorizationCode,
    RefreshToken,
}

impl GrantType {
    fn of(name: &str) -> Option<Self> {
        match name {
            DEVICE_CODE => Some(Self::DeviceCode),
            AUTHORIZATION_CODE => Some(Self::AuthorizationCode),
            REFRESH_TOKEN => Some(Self::RefreshToken),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::DeviceCode => DEVICE_CODE,
            Self::AuthorizationCode => AUTHORIZATION_CODE,
            Self::RefreshToken => REFRESH_TOKEN,
        }
    }
}

/// `RegisterClient`: a new public client.
pub(crate) fn register_client(options: &Options, state: &mut State, call: &mut Call) -> Result<Reply, Refusal> {
    let fields = call.json(&["clientName", "clientType", "scopes", "redirectUris", "grantTypes", "issuerUrl", "entitledApplicationArn"])?;
    call.text(&fields, "clientName")?;
    if call.text(&fields, "clientType")? != "public" {
        call.violation("clientType is not public");
        return Err(Refusal::oidc("InvalidClientMetadataException"));
    }
    let scopes = call.texts(&fields, "scopes")?.unwrap_or_default();
    if !scopes.iter().all(|scope| is_scope(scope)) {
        return Err(Refusal::oidc("InvalidScopeException"));
    }
    let redirect_uris = call.texts(&fields, "redirectUris")?.unwrap_or_default();
    if !redirect_uris.iter().all(|uri| callback(uri).is_some()) {
        return Err(Refusal::oidc("InvalidRedirectUriException"));
    }
    let grant_types = registered_grant_types(call, &fields)?;
    let issuer = call.optional_text(&fields, "issuerUrl")?;
    if grant_types.contains(&GrantType::AuthorizationCode) {
        check_authorization_code_client(call, &grant_types, &redirect_uris, issuer)?;
    }
    if issuer.is_some_and(|url| !is_start_url(options, url)) {
        return Err(Refusal::invalid_request(false));
    }
    let refreshable = grant_types.contains(&GrantType::RefreshToken) && scopes.iter().any(|scope| scope == ACCOUNT_ACCESS);
    let grant_types = grant_types.into_iter().map(|grant| grant.name().to_owned()).collect();
    let now = state.now();
    let (id, client) = new_client(options, state, Client { grant_types, redirect_uris, refreshable, ..Client::default() });
    Ok(Reply::json(
        StatusCode::OK,
        &json!({
            "clientId": id,
            "clientSecret": client.secret,
            "clientIdIssuedAt": now,
            "clientSecretExpiresAt": client.expires,
            "authorizationEndpoint": null,
            "tokenEndpoint": null,
        }),
    ))
}

/// The grant types of a registration; without any, those of the device flow.
fn registered_grant_types(call: &mut Call, fields: &Map<String, Value>) -> Result<Vec<GrantType>, Refusal> {
    let names = call.texts(fields, "grantTypes")?.unwrap_or_default();
    if names.is_empty() {
        return Ok(vec![GrantType::DeviceCode, GrantType::RefreshToken]);
    }
    names.iter().map(|name| GrantType::of(name)).collect::<Option<_>>().ok_or_else(|| {
        call.violation("an unknown grant type");
        Refusal::oidc("UnsupportedGrantTypeException")
    })
}

/// What a client for a login by authorization code needs besides.
fn check_authorization_code_client(call: &mut Call, grant_types: &[GrantType], redirect_uris: &[String], issuer: Option<&str>) -> Result<(), Refusal> {
    // Some instances take both and some do not; a client that works with the stand-in works with all.
    if grant_types.contains(&GrantType::DeviceCode) {
        call.violation("device_code and authorization_code in one registration");
        return Err(Refusal::invalid_request(false));
    }
    if redirect_uris.is_empty() {
        call.violation("missing redirectUris");
        return Err(Refusal::oidc("InvalidRedirectUriException"));
    }
    if issuer.is_none() {
        call.violation("missing issuerUrl");
        return Err(Refusal::invalid_request(false));
    }
    Ok(())
}

/// Stores a client under a new id, with a new secret.
fn new_client(options: &Options, state: &mut State, client: Client) -> (String, Client) {
    let id = state.ids.client_id();
    let client = Client { secret: state.ids.client_secret(), expires: state.now() + i64::from(options.registration_lifetime), ..client };
    state.clients.insert(id.clone(), client.clone());
    (id, client)
}

/// `StartDeviceAuthorization`: a device code, and the user code for the page.
pub(crate) fn start_device_authorization(shared: &Shared, state: &mut State, call: &mut Call) -> Result<Reply, Refusal> {
    let options = &shared.options;
    let fields = call.json(&["clientId", "clientSecret", "startUrl"])?;
    let client_id = known_client(state, call, &fields)?;
    let start_url = call.text(&fields, "startUrl")?;
    may_use(state, &client_id, GrantType::DeviceCode)?;
    if options.reject_start_url || !is_start_url(options, start_url) {
        return Err(Refusal::invalid_request(false));
    }

    let device_code = state.ids.device_code();
    let user_code = state.ids.user_code();
    let page = format!("{}/device", shared.url);
    let mut body = json!({
        "deviceCode": device_code,
        "userCode": user_code,
        "verificationUri": page,
        "verificationUriComplete": format!("{page}?user_code={user_code}"),
        "expiresIn": options.device_code_lifetime,
    });
    let mut interval = USUAL_INTERVAL;
    if !options.no_interval {
        body["interval"] = options.interval.into();
        if options.interval > 0 {
            interval = options.interval;
        }
    }
    let expires = state.now() + i64::from(options.device_code_lifetime);
    state.devices.insert(
        device_code,
        Device {
            user_code,
            client_id,
            expires,
            decision: Decision::Waiting,
            polls: 0,
            pending_answers: 0,
            last_heard: Instant::now(),
            interval: Duration::from_secs(interval.into()),
        },
    );
    state.stats.device_authorizations += 1;
    Ok(Reply::json(StatusCode::OK, &body))
}

/// `CreateToken`: an access token for one of the grant types.
pub(crate) fn create_token(options: &Options, state: &mut State, call: &mut Call) -> Result<Reply, Refusal> {
    let fields = call.json(&["clientId", "clientSecret", "grantType", "deviceCode", "code", "refreshToken", "scope", "redirectUri", "codeVerifier"])?;
    call.texts(&fields, "scope")?;
    let client_id = known_client(state, call, &fields)?;
    let Some(grant_type) = GrantType::of(call.text(&fields, "grantType")?) else {
        call.violation("an unknown grantType");
        return Err(Refusal::oidc("UnsupportedGrantTypeException"));
    };
    may_use(state, &client_id, grant_type)?;
    match grant_type {
        GrantType::DeviceCode => {
            let code = call.text(&fields, "deviceCode")?;
            poll(options, state, &client_id, code)
        }
        GrantType::RefreshToken => {
            let token = call.text(&fields, "refreshToken")?;
            refresh(options, state, client_id, token)
        }
        GrantType::AuthorizationCode => {
            let code = call.text(&fields, "code")?;
            let redirect_uri = call.text(&fields, "redirectUri")?;
            let verifier = call.text(&fields, "codeVerifier")?;
            if !is_verifier(verifier) {
                call.violation("codeVerifier is not 43 to 128 unreserved characters");
                return Err(Refusal::invalid_request(false));
            }
            redeem(options, state, client_id, code, redirect_uri, verifier)
        }
    }
}

fn poll(options: &Options, state: &mut State, client_id: &str, device_code: &str) -> Result<Reply, Refusal> {
    let server_now = state.now();
    let now = Instant::now();
    let device = state
        .devices
        .get_mut(device_code)
        .filter(|device| device.client_id == client_id)
        .ok_or_else(|| Refusal::oidc("InvalidGrantException").saying("Invalid device code provided"))?;
    if now.saturating_duration_since(device.last_heard) + TOLERANCE < device.interval {
        state.stats.early_polls += 1;
    }
    device.last_heard = now;
    device.polls += 1;
    if device.decision == Decision::Used {
        return Err(Refusal::oidc("InvalidGrantException").saying("Device code has already been used"));
    }
    if server_now >= device.expires {
        return Err(Refusal::oidc("ExpiredTokenException"));
    }
    if options.deny && device.decision == Decision::Waiting {
        device.decision = Decision::Denied;
    }
    if device.decision == Decision::Denied {
        return Err(Refusal::oidc("AccessDeniedException"));
    }
    if options.slow_down_at.contains(&device.polls) {
        device.interval += Duration::from_secs(5);
        return Err(Refusal::oidc("SlowDownException"));
    }
    if device.decision == Decision::Waiting {
        let by_itself = options.approve_after_polls.is_some_and(|polls| device.pending_answers >= polls);
        if !by_itself {
            device.pending_answers += 1;
            return Err(Refusal::oidc("AuthorizationPendingException"));
        }
    }
    device.decision = Decision::Used;
    state.stats.logins += 1;
    Ok(log_in(options, state, client_id.to_owned()))
}

fn redeem(options: &Options, state: &mut State, client_id: String, code: &str, redirect_uri: &str, verifier: &str) -> Result<Reply, Refusal> {
    let invalid = || Refusal::oidc("InvalidGrantException");
    // Removed before the checks, because a code that was presented once with a wrong verifier is spent.
    let code = state.codes.remove(code).ok_or_else(invalid)?;
    let good = code.client_id == client_id && code.redirect_uri == redirect_uri && code.challenge == challenge_of(verifier) && state.now() < code.expires;
    if !good {
        return Err(invalid());
    }
    state.stats.logins += 1;
    Ok(log_in(options, state, client_id))
}

/// The tokens of a new session.
fn log_in(options: &Options, state: &mut State, client_id: String) -> Reply {
    let (session, refresh_token) = new_session(options, state, client_id);
    let access = new_access_token(options, state, session);
    token_reply(options, &access, refresh_token.as_deref())
}

/// A session that nobody had to log in for, as if the client had done so earlier. It is in none of the counts.
pub(crate) fn grant_session(options: &Options, state: &mut State) -> GrantedSession {
    let grant_types = [GrantType::DeviceCode, GrantType::RefreshToken].map(|grant| grant.name().to_owned()).into();
    let (client_id, client) = new_client(options, state, Client { grant_types, refreshable: true, ..Client::default() });
    let (session, refresh_token) = new_session(options, state, client_id.clone());
    let access_token = new_access_token(options, state, session);
    GrantedSession {
        access_token,
        expires_at: state.now() + i64::from(options.token_lifetime),
        client_id,
        client_secret: client.secret,
        registration_expires_at: client.expires,
        refresh_token,
    }
}

fn new_session(options: &Options, state: &mut State, client_id: String) -> (u64, Option<String>) {
    state.sessions += 1;
    let session = state.sessions;
    let refreshable = !options.no_refresh_token && state.clients.get(&client_id).is_some_and(|client| client.refreshable);
    (session, refreshable.then(|| new_refresh_token(state, session, client_id)))
}

fn refresh(options: &Options, state: &mut State, client_id: String, token: &str) -> Result<Reply, Refusal> {
    let session = state
        .refresh
        .get(token)
        .filter(|refresh| refresh.client_id == client_id)
        .map(|refresh| refresh.session)
        .ok_or_else(|| Refusal::oidc("InvalidGrantException").saying("Invalid refresh token provided"))?;
    let rotated = options.rotate_refresh_token.then(|| {
        state.refresh.remove(token);
        new_refresh_token(state, session, client_id)
    });
    state.stats.refreshes += 1;
    let access = new_access_token(options, state, session);
    Ok(token_reply(options, &access, rotated.as_deref()))
}

fn new_refresh_token(state: &mut State, session: u64, client_id: String) -> String {
    let token = state.ids.refresh_token();
    state.refresh.insert(token.clone(), Refresh { session, client_id });
    token
}

fn new_access_token(options: &Options, state: &mut State, session: u64) -> String {
    let token = state.ids.access_token();
    let expires = state.now() + i64::from(options.token_lifetime);
    state.access.insert(token.clone(), Access { session, expires });
    token
}

fn token_reply(options: &Options, access_token: &str, refresh_token: Option<&str>) -> Reply {
    let body = json!({
        "accessToken": access_token,
        "tokenType": "Bearer",
        "expiresIn": options.token_lifetime,
        "refreshToken": refresh_token,
        "idToken": null,
    });
    Reply::json(StatusCode::OK, &body)
}

/// The ID of the client in the body, if its secret is right and not expired.
fn known_client(state: &State, call: &mut Call, fields: &Map<String, Value>) -> Result<String, Refusal> {
    let id = call.text(fields, "clientId")?;
    let secret = call.text(fields, "clientSecret")?;
    state
        .clients
        .get(id)
        .filter(|client| client.secret == secret && state.now() < client.expires)
        .map(|_| id.to_owned())
        .ok_or_else(|| Refusal::oidc("InvalidClientException"))
}

fn may_use(state: &State, client_id: &str, grant_type: GrantType) -> Result<(), Refusal> {
    state
        .clients
        .get(client_id)
        .filter(|client| client.grant_types.iter().any(|grant| grant == grant_type.name()))
        .map(|_| ())
        .ok_or_else(|| Refusal::oidc("UnauthorizedClientException"))
}

/// Whether this is the known start URL, with any of its usual endings.
fn is_start_url(options: &Options, url: &str) -> bool {
    let plain = |url: &str| url.trim_end_matches(['/', '#']).to_owned();
    plain(url) == plain(&options.start_url)
}

fn is_scope(scope: &str) -> bool {
    ["openid", "aws", ACCOUNT_ACCESS].contains(&scope) || scope.starts_with("codewhisperer:")
}

fn is_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len()) && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Whether a redirect URI has the only form that the service accepts: the callback path on the loopback address.
fn callback(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let loopback = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost",
    };
    let good = url.scheme() == "http" && loopback && url.path() == "/oauth/callback";
    good.then_some(url)
}

/// The checked parameters of `/authorize`.
pub(crate) struct AuthorizationRequest {
    client_id: String,
    redirect_uri: String,
    url: Url,
    state: String,
    challenge: String,
}

impl AuthorizationRequest {
    /// Reads the query; an error is a sentence for the page.
    pub(crate) fn read(state: &State, call: &mut Call) -> Result<Self, &'static str> {
        call.check_query(&["response_type", "client_id", "redirect_uri", "state", "code_challenge_method", "code_challenge", "scopes", "scope"]);
        for (name, wanted) in [("response_type", "code"), ("code_challenge_method", "S256")] {
            if call.query_value(name) != Some(wanted) {
                call.violation(&format!("{name} is not {wanted}"));
                return Err("The request is not valid.");
            }
        }
        let client_id = given(call, "client_id")?;
        let redirect_uri = given(call, "redirect_uri")?;
        let request_state = given(call, "state")?;
        let challenge = given(call, "code_challenge")?;
        if challenge.len() != 43 {
            call.violation("code_challenge is not a SHA-256 in base64url");
            return Err("The request is not valid.");
        }
        if call.query_value("scopes").is_none() && call.query_value("scope").is_none() {
            call.violation("missing scopes");
            return Err("The request is not valid.");
        }
        let client = state.clients.get(&client_id).filter(|client| state.now() < client.expires).ok_or("The client is not known.")?;
        if !client.grant_types.iter().any(|t| t == AUTHORIZATION_CODE) {
            return Err("The client may not use this flow.");
        }
        let url = callback(&redirect_uri).ok_or("The redirect URI is not allowed.")?;
        let registered = client.redirect_uris.iter().filter_map(|uri| callback(uri)).any(|known| known.host() == url.host());
        if !registered {
            return Err("The redirect URI is not registered.");
        }
        Ok(Self { client_id, redirect_uri, url, state: request_state, challenge })
    }

    /// Where the browser goes after the user's decision.
    pub(crate) fn decide(self, state: &mut State, approved: bool) -> Reply {
        let mut url = self.url;
        if approved {
            let code = state.ids.authorization_code();
            url.query_pairs_mut().append_pair("code", &code).append_pair("state", &self.state);
            let expires = state.now() + CODE_LIFETIME;
            state.codes.insert(code, Code { client_id: self.client_id, redirect_uri: self.redirect_uri, challenge: self.challenge, expires });
        } else {
            url.query_pairs_mut().append_pair("error", "access_denied").append_pair("error_description", "The user declined").append_pair("state", &self.state);
        }
        Reply::empty(StatusCode::FOUND).with(axum::http::header::LOCATION, url.as_str())
    }
}

fn given(call: &mut Call, name: &str) -> Result<String, &'static str> {
    match call.query_value(name) {
        Some(value) if !value.is_empty() => Ok(value.to_owned()),
        _ => {
            call.violation(&format!("missing {name}"));
            Err("The request is not valid.")
        }
    }
}

/// The challenge that a verifier belongs to (RFC 7636, 4.2).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_the_example_in_rfc_7636() {
        assert_eq!(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_start_url_is_known_with_any_usual_ending() {
        let options = Options::default();
        for url in [
            "https://d-12345abcde.awsapps.com/start",
            "https://d-12345abcde.awsapps.com/start/",
            "https://d-12345abcde.awsapps.com/start#/",
            "https://d-12345abcde.awsapps.com/start/#/",
        ] {
            assert!(is_start_url(&options, url), "{url}");
        }
        assert!(!is_start_url(&options, "https://d-12345abcde.awsapps.com/"));
    }

    #[test]
    fn a_redirect_uri_must_be_the_callback_path_on_the_loopback_address() {
        assert!(callback("http://127.0.0.1/oauth/callback").is_some());
        assert!(callback("http://127.0.0.1:4711/oauth/callback").is_some());
        for uri in ["http://127.0.0.1/", "https://127.0.0.1/oauth/callback", "http://example.com/oauth/callback", "nonsense"] {
            assert!(callback(uri).is_none(), "{uri}");
        }
    }
}
