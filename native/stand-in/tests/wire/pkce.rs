//! The flow with an authorization code.

use serde_json::{Value, json};
use sso_stand_in::{DEFAULT_START_URL, Options, StandIn};

use crate::client::{Answer, Portal, approving, post, post_form, send, start};

/// From RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:4711/oauth/callback";

fn register(stand_in: &StandIn) -> Value {
    let answer = post(
        stand_in.url(),
        "/client/register",
        &json!({
            "clientName": "test",
            "clientType": "public",
            "scopes": ["sso:account:access"],
            "redirectUris": ["http://127.0.0.1/oauth/callback"],
            "grantTypes": ["authorization_code", "refresh_token"],
            "issuerUrl": DEFAULT_START_URL,
        }),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn authorize(client: &Value, callback: &str) -> String {
    format!(
        "/authorize?response_type=code&client_id={}&redirect_uri={}&state=a%26b&code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess&code_challenge={CHALLENGE}",
        client["clientId"].as_str().unwrap(),
        callback.replace(':', "%3A").replace('/', "%2F"),
    )
}

fn code(redirect: &Answer) -> String {
    let location = redirect.header("location").unwrap();
    let (code, state) = location.strip_prefix(&format!("{CALLBACK}?code=")).unwrap().split_once('&').unwrap();
    assert_eq!(state, "state=a%26b");
    code.to_owned()
}

fn redeem(stand_in: &StandIn, client: &Value, code: &str, callback: &str, verifier: &str) -> Answer {
    let body = json!({
        "clientId": client["clientId"],
        "clientSecret": client["clientSecret"],
        "grantType": "authorization_code",
        "code": code,
        "redirectUri": callback,
        "codeVerifier": verifier,
    });
    post(stand_in.url(), "/token", &body)
}

#[test]
fn an_approved_request_returns_a_code_that_is_valid_once() {
    let stand_in = start(Options::default());
    let client = register(&stand_in);
    let path = authorize(&client, CALLBACK);
    let page = send(stand_in.url(), "GET", &path, &[], "");
    assert_eq!(page.status, 200);
    assert!(page.text().contains(&path.replace('&', "&amp;")));
    let redirect = post_form(stand_in.url(), &path, "action=approve");
    assert_eq!(redirect.status, 302);
    let code = code(&redirect);
    let token = redeem(&stand_in, &client, &code, CALLBACK, VERIFIER);
    assert!(token.json()["refreshToken"].is_string());
    assert_eq!(Portal::of(&stand_in, &token).get("/assignment/accounts").status, 200);
    assert_eq!(redeem(&stand_in, &client, &code, CALLBACK, VERIFIER).oidc_error().2, "invalid_grant");
    let stats = stand_in.stats();
    assert_eq!((stats.logins, stats.violations), (1, vec![]));
}

#[test]
fn a_signed_in_browser_is_redirected_at_once() {
    let stand_in = start(approving());
    let client = register(&stand_in);
    let redirect = send(stand_in.url(), "GET", &authorize(&client, CALLBACK), &[], "");
    assert_eq!(redeem(&stand_in, &client, &code(&redirect), CALLBACK, VERIFIER).status, 200);
}

#[test]
fn a_declined_request_redirects_with_an_error() {
    let stand_in = start(Options::default());
    let client = register(&stand_in);
    let redirect = post_form(stand_in.url(), &authorize(&client, CALLBACK), "action=deny");
    let location = redirect.header("location").unwrap();
    assert!(location.starts_with(&format!("{CALLBACK}?error=access_denied&")), "{location}");
}

#[test]
fn a_wrong_verifier_or_redirect_uri_is_refused() {
    let stand_in = start(approving());
    let client = register(&stand_in);
    let ask = || code(&send(stand_in.url(), "GET", &authorize(&client, CALLBACK), &[], ""));
    let other = VERIFIER.replace('d', "e");
    assert_eq!(redeem(&stand_in, &client, &ask(), CALLBACK, &other).oidc_error().2, "invalid_grant");
    assert_eq!(redeem(&stand_in, &client, &ask(), "http://127.0.0.1:1/oauth/callback", VERIFIER).oidc_error().2, "invalid_grant");
    assert_eq!(redeem(&stand_in, &client, &ask(), CALLBACK, "short").oidc_error().2, "invalid_request");
}

#[test]
fn no_browser_is_redirected_to_an_unregistered_address() {
    let stand_in = start(approving());
    let client = register(&stand_in);
    for callback in ["http://example.com/oauth/callback", "http://127.0.0.1:4711/other", "http://localhost:4711/oauth/callback"] {
        let answer = send(stand_in.url(), "GET", &authorize(&client, callback), &[], "");
        assert_eq!((answer.status, answer.header("location")), (400, None), "{callback}");
    }
}

#[test]
fn a_client_of_this_flow_may_not_use_the_device_flow() {
    let stand_in = start(Options::default());
    let client = register(&stand_in);
    let body = json!({ "clientId": client["clientId"], "clientSecret": client["clientSecret"], "startUrl": DEFAULT_START_URL });
    assert_eq!(post(stand_in.url(), "/device_authorization", &body).oidc_error().2, "unauthorized_client");
}
