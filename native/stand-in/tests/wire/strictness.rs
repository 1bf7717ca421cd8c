//! Requests that break the protocol are counted, and refused where the service refuses them.

use serde_json::{Value, json};
use sso_stand_in::Options;

use crate::client::{BEARER, Portal, approving, post, register, send, start};

#[test]
fn a_portal_request_that_breaks_the_protocol_is_a_violation() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    let cases = [
        ("/assignment/accounts?max_result=101", 400, "GET /assignment/accounts: max_result is not in 1..=100"),
        ("/assignment/accounts?max_result=0", 400, "GET /assignment/accounts: max_result is not in 1..=100"),
        ("/assignment/accounts?next_token=20", 400, "GET /assignment/accounts: next_token was never given"),
        ("/assignment/accounts?max_results=10", 200, "GET /assignment/accounts: unknown query name max_results"),
        ("/assignment/roles?account_id=1", 400, "GET /assignment/roles: account_id is not 12 digits"),
        ("/assignment/roles", 400, "GET /assignment/roles: missing account_id"),
        ("/federation/credentials?account_id=100000000000", 400, "GET /federation/credentials: missing role_name"),
        ("/federation/credentials/", 404, "GET /federation/credentials/: unknown path"),
        ("/logout", 405, "GET /logout: wrong method"),
    ];
    for (path, status, violation) in cases {
        assert_eq!(portal.get(path).status, status, "{path}");
        assert_eq!(stand_in.stats().violations.last().unwrap(), violation);
    }
    assert_eq!(stand_in.stats().violations.len(), cases.len());
}

#[test]
fn a_token_in_the_wrong_place_is_a_violation_that_does_not_show_it() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    let bearer = format!("Bearer {}", portal.token);
    let answer = send(stand_in.url(), "GET", "/assignment/accounts", &[("authorization", &bearer)], "");
    assert_eq!(answer.portal_error(), (401, "UnauthorizedException".to_owned()));
    send(stand_in.url(), "GET", &format!("/assignment/accounts?{}", portal.token), &[(BEARER, &portal.token)], "{}");
    send(stand_in.url(), "POST", "/token", &[(BEARER, &portal.token), ("content-type", "text/plain")], "{}");
    assert_eq!(
        stand_in.stats().violations,
        [
            "GET /assignment/accounts: an Authorization header",
            "GET /assignment/accounts: missing header x-amz-sso_bearer_token",
            "GET /assignment/accounts: a body on GET",
            "GET /assignment/accounts: unknown query name (not shown)",
            "POST /token: an access token",
            "POST /token: the content type is not application/json",
        ]
    );
}

#[test]
fn a_token_request_that_breaks_the_protocol_is_a_violation() {
    let stand_in = start(Options::default());
    let (id, secret) = register(stand_in.url());
    let cases = [
        (json!({}), "invalid_request", "missing clientId"),
        (json!({ "clientId": 1 }), "invalid_request", "clientId is not a string"),
        (json!({ "clientId": id, "clientSecret": secret }), "invalid_request", "missing grantType"),
        (json!({ "clientId": id, "clientSecret": secret, "grantType": "password" }), "unsupported_grant_type", "an unknown grantType"),
        (json!({ "clientId": id, "clientSecret": secret, "grantType": "refresh_token" }), "invalid_request", "missing refreshToken"),
        (json!({ "client_id": id }), "invalid_request", "missing clientId"),
        (json!([]), "invalid_request", "the body is not a JSON object"),
        (json!({ "clientId": id, "clientSecret": secret, "scope": "a" }), "invalid_request", "scope is not a list of strings"),
    ];
    for (body, error, violation) in cases {
        assert_eq!(post(stand_in.url(), "/token", &body).oidc_error().2, error, "{body}");
        assert_eq!(stand_in.stats().violations.last().unwrap(), &format!("POST /token: {violation}"));
    }
}

#[test]
fn a_registration_is_checked_member_by_member() {
    let stand_in = start(Options::default());
    let with = |name: &str, value: Value| {
        let mut body = json!({ "clientName": "test", "clientType": "public" });
        body[name] = value;
        post(stand_in.url(), "/client/register", &body).oidc_error()
    };
    let cases = [
        ("clientType", json!("confidential"), "InvalidClientMetadataException", "invalid_client_metadata"),
        ("scopes", json!(["everything"]), "InvalidScopeException", "invalid_scope"),
        ("redirectUris", json!(["http://example.com/oauth/callback"]), "InvalidRedirectUriException", "invalid_redirect_uri"),
        ("grantTypes", json!(["password"]), "UnsupportedGrantTypeException", "unsupported_grant_type"),
        ("grantTypes", json!(["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]), "InvalidRequestException", "invalid_request"),
        ("issuerUrl", json!("https://example.com/start"), "InvalidRequestException", "invalid_request"),
        ("clientName", json!(null), "InvalidRequestException", "invalid_request"),
    ];
    for (name, value, exception, code) in cases {
        assert_eq!(with(name, value), (400, exception.to_owned(), code.to_owned()), "{name}");
    }
}

#[test]
fn the_list_of_violations_is_bounded() {
    let stand_in = start(Options::default());
    for _ in 0..110 {
        send(stand_in.url(), "GET", "/nowhere", &[], "");
    }
    let stats = stand_in.stats();
    assert_eq!((stats.violations.len(), stats.requests["Unknown"], stats.answers["404"]), (100, 110, 110));
}
