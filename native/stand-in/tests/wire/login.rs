//! Registration, the device flow and refresh.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use sso_stand_in::{Control, DEFAULT_START_URL, Options};

use crate::client::{Login, Portal, approving, post, post_form, register, send, start};

fn error(status: u16, name: &str, code: &str) -> (u16, String, String) {
    (status, name.to_owned(), code.to_owned())
}

fn pending() -> (u16, String, String) {
    error(400, "AuthorizationPendingException", "authorization_pending")
}

fn invalid_grant() -> (u16, String, String) {
    error(400, "InvalidGrantException", "invalid_grant")
}

#[test]
fn a_registration_returns_its_lifetime_in_seconds() {
    let stand_in = start(Options { registration_lifetime: 1000, ..Options::default() });
    let client = post(stand_in.url(), "/client/register", &json!({ "clientName": "t", "clientType": "public" })).json();
    assert_eq!(client["clientSecretExpiresAt"].as_i64().unwrap() - client["clientIdIssuedAt"].as_i64().unwrap(), 1000);
}

#[test]
fn a_login_waits_for_the_page_and_ends_with_a_token() {
    let stand_in = start(Options::default());
    let login = Login::begin(&stand_in);
    let code = login.user_code();
    assert_eq!(code.len(), 9);
    assert_eq!(login.device["verificationUri"], format!("{}/device", stand_in.url()));
    assert_eq!(login.device["verificationUriComplete"], format!("{}/device?user_code={code}", stand_in.url()));
    assert_eq!((&login.device["expiresIn"], &login.device["interval"]), (&json!(600), &json!(1)));
    let answer = login.poll();
    assert_eq!(answer.oidc_error(), pending());
    assert_eq!(answer.text(), r#"{"error":"authorization_pending","error_description":"Authorization is still pending"}"#);
    assert!(answer.header("x-amzn-requestid").is_some());
    assert!(answer.header("date").unwrap().ends_with(" GMT"));

    let page = send(stand_in.url(), "GET", &format!("/device?user_code={code}"), &[], "");
    assert!(page.text().contains(code));
    let page = post_form(stand_in.url(), "/device", &format!("user_code={}&action=approve", code.to_lowercase()));
    assert_eq!(page.status, 200);
    let token = login.poll();
    assert_eq!(token.status, 200);
    let token = token.json();
    assert_eq!((&token["tokenType"], &token["expiresIn"]), (&json!("Bearer"), &json!(28_800)));
    assert!(token["refreshToken"].is_string());
    assert_eq!(login.poll().oidc_error(), invalid_grant());
    let stats = stand_in.stats();
    assert_eq!((stats.logins, stats.device_authorizations, stats.violations), (1, 1, vec![]));
}

#[test]
fn the_user_can_decline_on_the_page() {
    let stand_in = start(Options::default());
    let login = Login::begin(&stand_in);
    post_form(stand_in.url(), "/device", &format!("user_code={}&action=deny", login.user_code()));
    assert_eq!(login.poll().oidc_error(), error(400, "AccessDeniedException", "access_denied"));
}

#[test]
fn the_user_can_decline_by_an_option() {
    let stand_in = start(Options { deny: true, ..approving() });
    assert_eq!(Login::begin(&stand_in).poll().oidc_error(), error(400, "AccessDeniedException", "access_denied"));
}

#[test]
fn the_page_escapes_the_user_code_of_the_address() {
    let stand_in = start(Options::default());
    let page = send(stand_in.url(), "GET", "/device?user_code=%3Cscript%3E%22", &[], "").text();
    assert!(!page.contains("<script>"));
    assert!(page.contains("&lt;script&gt;&quot;"));
    let page = send(stand_in.url(), "GET", "/device", &[], "").text();
    assert!(page.contains("name=\"user_code\""));
}

#[test]
fn an_unknown_user_code_cannot_be_approved() {
    let stand_in = start(Options::default());
    Login::begin(&stand_in);
    assert_eq!(post_form(stand_in.url(), "/device", "user_code=AAAA-AAAA&action=approve").status, 404);
    assert_eq!(post_form(stand_in.url(), "/device", "user_code=*&action=approve").status, 404);
    assert_eq!(post_form(stand_in.url(), "/device", "user_code=*&action=look").status, 400);
}

#[test]
fn approval_comes_after_the_given_number_of_pending_responses() {
    let stand_in = start(Options { approve_after_polls: Some(2), ..Options::default() });
    let login = Login::begin(&stand_in);
    assert_eq!(login.poll().oidc_error(), pending());
    assert_eq!(login.poll().oidc_error(), pending());
    assert_eq!(login.poll().status, 200);
}

#[test]
fn a_poll_before_the_interval_is_counted_as_early() {
    let stand_in = start(Options::default());
    let login = Login::begin(&stand_in);
    login.poll();
    sleep(Duration::from_millis(1010));
    login.poll();
    login.poll();
    assert_eq!(stand_in.stats().early_polls, 2);
}

#[test]
fn a_slow_down_makes_the_interval_longer() {
    let stand_in = start(Options { slow_down_at: vec![1], approve_after_polls: Some(0), ..Options::default() });
    let login = Login::begin(&stand_in);
    sleep(Duration::from_millis(1010));
    assert_eq!(login.poll().oidc_error(), error(400, "SlowDownException", "slow_down"));
    assert_eq!(stand_in.stats().early_polls, 0);
    assert_eq!(login.poll().status, 200);
    assert_eq!(stand_in.stats().early_polls, 1);
}

#[test]
fn the_interval_may_be_missing_or_zero() {
    let stand_in = start(Options { no_interval: true, ..Options::default() });
    assert_eq!(Login::begin(&stand_in).device.get("interval"), None);
    let stand_in = start(Options { interval: 0, ..Options::default() });
    assert_eq!(Login::begin(&stand_in).device["interval"], 0);
}

#[test]
fn a_device_code_expires() {
    let stand_in = start(Options { device_code_lifetime: 0, ..approving() });
    assert_eq!(Login::begin(&stand_in).poll().oidc_error(), error(400, "ExpiredTokenException", "expired_token"));
}

#[test]
fn a_refresh_rotates_the_token_and_kills_the_old_one() {
    let stand_in = start(approving());
    let login = Login::begin(&stand_in);
    let first = login.poll().json()["refreshToken"].clone();
    let second = login.refresh(&first).json();
    assert!(second["accessToken"].is_string());
    assert_ne!(second["refreshToken"], first);
    assert_eq!(login.refresh(&first).oidc_error(), invalid_grant());
    assert_eq!(login.refresh(&second["refreshToken"]).status, 200);
    assert_eq!(stand_in.stats().refreshes, 2);
}

#[test]
fn without_rotation_the_response_has_no_refresh_token_and_the_first_one_stays_valid() {
    let stand_in = start(Options { rotate_refresh_token: false, ..approving() });
    let login = Login::begin(&stand_in);
    let first = login.poll().json()["refreshToken"].clone();
    assert_eq!(login.refresh(&first).json()["refreshToken"], Value::Null);
    assert_eq!(login.refresh(&first).status, 200);
}

#[test]
fn a_refresh_token_can_be_withheld() {
    let stand_in = start(Options { no_refresh_token: true, ..approving() });
    assert_eq!(Login::begin(&stand_in).poll().json()["refreshToken"], Value::Null);
}

#[test]
fn sessions_and_tokens_can_be_revoked_at_run_time() {
    let stand_in = start(approving());
    let login = Login::begin(&stand_in);
    let answer = login.poll();
    let portal = Portal::of(&stand_in, &answer);
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    stand_in.control(Control { expire_tokens: true, ..Control::default() });
    assert_eq!(portal.get("/assignment/accounts").status, 401);
    let refreshed = login.refresh(&answer.json()["refreshToken"]);
    assert_eq!(Portal::of(&stand_in, &refreshed).get("/assignment/accounts").status, 200);
    stand_in.control(Control { end_sessions: true, ..Control::default() });
    assert_eq!(login.refresh(&refreshed.json()["refreshToken"]).oidc_error(), invalid_grant());
}

#[test]
fn a_granted_session_needs_no_login_and_can_be_refreshed() {
    let stand_in = start(Options::default());
    let session = send(stand_in.url(), "POST", "/_session", &[], "").json();
    assert!(session["expiresAt"].as_str().unwrap().ends_with('Z') && session["registrationExpiresAt"].as_str().unwrap().ends_with('Z'));
    let portal = Portal { url: stand_in.url().to_owned(), token: session["accessToken"].as_str().unwrap().to_owned() };
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    let [id, secret] = ["clientId", "clientSecret"].map(|name| session[name].as_str().unwrap().to_owned());
    let login = Login { url: portal.url.clone(), id, secret, device: Value::Null };
    let refreshed = login.refresh(&session["refreshToken"]);
    assert_eq!(Portal::of(&stand_in, &refreshed).get("/assignment/accounts").status, 200);
    let stats = stand_in.stats();
    assert_eq!((stats.logins, stats.refreshes, stats.requests.get("RegisterClient"), stats.violations), (0, 1, None, vec![]));
    assert!(!format!("{:?}", stand_in.grant_session()).contains("aoaAAAAA"));
}

#[test]
fn a_control_approves_a_user_code() {
    let stand_in = start(Options::default());
    let login = Login::begin(&stand_in);
    assert_eq!(stand_in.control(Control { approve: Some(login.user_code().to_owned()), ..Control::default() }), 1);
    assert_eq!(login.poll().status, 200);
    let login = Login::begin(&stand_in);
    assert_eq!(stand_in.control(Control { deny: Some("*".to_owned()), ..Control::default() }), 1);
    assert_eq!(login.poll().oidc_error(), error(400, "AccessDeniedException", "access_denied"));
}

#[test]
fn only_the_given_start_url_is_known_with_any_usual_ending() {
    let stand_in = start(Options::default());
    let (id, secret) = register(stand_in.url());
    let ask = |start_url: &str| post(stand_in.url(), "/device_authorization", &json!({ "clientId": id, "clientSecret": secret, "startUrl": start_url }));
    assert_eq!(ask("https://d-12345abcde.awsapps.com/start#/").status, 200);
    let answer = ask("https://example.com/start");
    assert_eq!(answer.text(), r#"{"error":"invalid_request","error_description":"Invalid request"}"#);
    assert_eq!(answer.oidc_error(), error(400, "InvalidRequestException", "invalid_request"));
    assert_eq!(stand_in.stats().violations, Vec::<String>::new());
}

#[test]
fn a_start_url_can_be_rejected_by_an_option() {
    let stand_in = start(Options { reject_start_url: true, ..Options::default() });
    let (id, secret) = register(stand_in.url());
    let body = json!({ "clientId": id, "clientSecret": secret, "startUrl": DEFAULT_START_URL });
    assert_eq!(post(stand_in.url(), "/device_authorization", &body).oidc_error(), error(400, "InvalidRequestException", "invalid_request"));
}

#[test]
fn an_expired_or_unknown_client_is_refused() {
    let stand_in = start(Options { registration_lifetime: 0, ..Options::default() });
    let (id, secret) = register(stand_in.url());
    let ask = |id: &str| post(stand_in.url(), "/device_authorization", &json!({ "clientId": id, "clientSecret": secret, "startUrl": DEFAULT_START_URL }));
    assert_eq!(ask(&id).oidc_error(), error(401, "InvalidClientException", "invalid_client"));
    assert_eq!(ask("nobody").oidc_error(), error(401, "InvalidClientException", "invalid_client"));
}

#[test]
fn the_clock_of_the_server_can_be_wrong() {
    let stand_in = start(Options { clock_offset: -86_400, ..approving() });
    let date = |answer: &crate::client::Answer| answer.header("date").unwrap().to_owned();
    let answer = send(stand_in.url(), "GET", "/_stats", &[], "");
    let login = Login::begin(&stand_in);
    let portal = Portal::of(&stand_in, &login.poll());
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    stand_in.control(Control { clock_offset: Some(0), ..Control::default() });
    assert_ne!(date(&answer), date(&send(stand_in.url(), "GET", "/_stats", &[], "")));
    assert_eq!(portal.get("/assignment/accounts").portal_error(), (401, "UnauthorizedException".to_owned()));
}
