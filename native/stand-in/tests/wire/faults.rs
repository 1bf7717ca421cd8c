//! Faults, limits, delays and changes at run time.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sso_stand_in::{Control, Failure, Options, StandIn};

use crate::client::{Answer, BEARER, Connection, Login, Portal, approving, post, send, start};

fn control(stand_in: &StandIn, change: Value) -> Answer {
    send(stand_in.url(), "POST", "/_control", &[], &change.to_string())
}

fn failing(text: &str) -> Vec<Failure> {
    vec![text.parse().unwrap()]
}

#[test]
fn every_error_of_the_portal_can_be_requested() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    for (status, name) in [
        (400, "InvalidRequestException"),
        (401, "UnauthorizedException"),
        (403, "ForbiddenException"),
        (404, "ResourceNotFoundException"),
        (429, "TooManyRequestsException"),
        (500, "InternalServerException"),
        (503, "InternalServerException"),
    ] {
        stand_in.control(Control { fail: failing(&format!("ListAccounts:1:{status}")), ..Control::default() });
        assert_eq!(portal.get("/assignment/accounts").portal_error(), (status, name.to_owned()));
    }
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    assert_eq!(stand_in.stats().throttled, 1);
}

#[test]
fn every_error_of_sso_oidc_can_be_requested() {
    let stand_in = start(approving());
    let login = Login::begin(&stand_in);
    for (status, name, code) in [
        (400, "AuthorizationPendingException", "authorization_pending"),
        (400, "SlowDownException", "slow_down"),
        (400, "ExpiredTokenException", "expired_token"),
        (400, "AccessDeniedException", "access_denied"),
        (400, "InvalidGrantException", "invalid_grant"),
        (401, "InvalidClientException", "invalid_client"),
        (400, "UnauthorizedClientException", "unauthorized_client"),
        (400, "InvalidRequestException", "invalid_request"),
        (400, "InvalidScopeException", "invalid_scope"),
        (400, "InvalidClientMetadataException", "invalid_client_metadata"),
        (400, "InvalidRedirectUriException", "invalid_redirect_uri"),
        (400, "UnsupportedGrantTypeException", "unsupported_grant_type"),
        (500, "InternalServerException", "server_error"),
    ] {
        stand_in.control(Control { fail: failing(&format!("CreateToken:1:{status}:{name}")), ..Control::default() });
        assert_eq!(login.poll().oidc_error(), (status, name.to_owned(), code.to_owned()));
    }
    stand_in.control(Control { fail: failing("CreateToken:1:400:AccessDeniedException:KMS_AccessDeniedException"), ..Control::default() });
    assert_eq!(login.poll().json()["reason"], "KMS_AccessDeniedException");
    assert_eq!(login.poll().status, 200);
}

#[test]
fn a_bare_failure_has_no_body_and_others_follow_in_order() {
    let stand_in = start(Options { fail: vec!["ListAccounts:1:502:bare".parse().unwrap(), "ListAccounts:all:401".parse().unwrap()], ..approving() });
    let portal = Portal::open(&stand_in);
    let answer = portal.get("/assignment/accounts");
    assert_eq!((answer.status, answer.body.len()), (502, 0));
    assert_eq!(portal.get("/assignment/accounts").status, 401);
    assert_eq!(portal.get("/assignment/accounts").status, 401);
    assert_eq!(control(&stand_in, json!({ "clear": true })).status, 200);
    assert_eq!(portal.get("/assignment/accounts").status, 200);
}

#[test]
fn broken_json_is_half_of_the_response() {
    let stand_in = start(Options { broken_json: vec!["RegisterClient:1".parse().unwrap()], ..Options::default() });
    let register = || post(stand_in.url(), "/client/register", &json!({ "clientName": "t", "clientType": "public" }));
    let answer = register();
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<Value>(&answer.body).is_err());
    assert!(register().json().is_object());
}

#[test]
fn a_cut_response_ends_before_its_length() {
    let stand_in = start(Options { cut: vec!["ListAccounts:1".parse().unwrap()], ..approving() });
    let portal = Portal::open(&stand_in);
    let mut connection = Connection::open(stand_in.url());
    let error = connection.send("GET", "/assignment/accounts", &[(BEARER, &portal.token)], "").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    assert_eq!(stand_in.stats().answers["cut"], 1);
}

#[test]
fn hanging_calls_are_in_flight_together_until_their_clients_go_away() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    control(&stand_in, json!({ "hang": "ListAccounts:all" }));
    let mut connections: Vec<Connection> = (0..8).map(|_| Connection::open(stand_in.url())).collect();
    for connection in &mut connections {
        connection.write("GET", "/assignment/accounts", &[(BEARER, &portal.token)], "").unwrap();
    }
    wait_until(|| stand_in.stats().in_flight == 8);
    drop(connections);
    wait_until(|| stand_in.stats().in_flight == 0);
    assert_eq!(stand_in.stats().peak_concurrency, 8);
}

#[test]
fn hanging_calls_are_answered_after_all_where_a_time_is_set() {
    let stand_in = start(Options { hang: vec!["ListAccounts:1".parse().unwrap()], hang_for: Some(20), ..approving() });
    let portal = Portal::open(&stand_in);
    let asked = Instant::now();
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(20), "{:?}", asked.elapsed());
}

/// Waits for an event on the stand-in's threads. The limit only ends a test that hangs.
fn wait_until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_mins(1), "it did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn calls_over_the_rate_are_throttled() {
    let stand_in = start(Options { rate: Some(0.001), burst: Some(3), retry_after: Some(7), ..approving() });
    let portal = Portal::open(&stand_in);
    let answers: Vec<Answer> = (0..5).map(|_| portal.get("/assignment/accounts")).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(answers[4].json(), json!({ "message": "HTTP 429 Unknown Code", "__type": "com.amazonaws.switchboard.portal#TooManyRequestsException" }));
    assert_eq!(answers[4].header("retry-after"), Some("7"));
    let stats = stand_in.stats();
    assert_eq!((stats.throttled, stats.answers["429"]), (2, 2));
}

#[test]
fn calls_are_answered_no_sooner_than_after_their_delay() {
    let stand_in = start(Options { delay: 50, oidc_delay: 20, ..approving() });
    let asked = Instant::now();
    let portal = Portal::open(&stand_in);
    // A registration, a device code and a token.
    assert!(asked.elapsed() >= Duration::from_millis(3 * 20), "{:?}", asked.elapsed());
    let asked = Instant::now();
    assert_eq!(portal.get("/assignment/accounts").status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(50), "{:?}", asked.elapsed());
}

#[test]
fn an_invalid_change_is_refused_as_a_whole() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    for change in [json!({ "fail": "Nothing:1:500" }), json!({ "faill": "ListAccounts:1:500" }), json!({ "delay": -1 })] {
        assert_eq!(control(&stand_in, change.clone()).status, 400, "{change}");
    }
    assert_eq!(control(&stand_in, json!({ "refuse": ["100000000003"], "delay": 0 })).status, 200);
    assert_eq!(portal.credentials("100000000003", "AWSReadOnlyAccess").status, 403);
}

#[test]
fn hostile_text_is_in_names_and_messages() {
    let stand_in = start(Options { hostile_text: true, ..approving() });
    let portal = Portal::open(&stand_in);
    let accounts = portal.get("/assignment/accounts").json();
    assert!(accounts["accountList"][0]["accountName"].as_str().unwrap().contains('\u{1b}'));
    let error = portal.credentials("100000000000", "Nobody").json();
    assert!(error["message"].as_str().unwrap().starts_with("No access\u{1b}"));
}

#[test]
fn a_thousand_calls_over_64_connections_are_all_answered() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let mut connection = Connection::open(&portal.url);
                for _ in 0..16 {
                    let path = "/federation/credentials?role_name=AWSReadOnlyAccess&account_id=100000000000";
                    assert_eq!(connection.send("GET", path, &[(BEARER, &portal.token)], "").unwrap().status, 200);
                }
            });
        }
    });
    let stats = stand_in.stats();
    assert_eq!((stats.requests["GetRoleCredentials"], stats.connections, stats.in_flight), (1024, 64 + 3, 0), "three connections are for the login");
    assert!((1..=64).contains(&stats.peak_concurrency), "{}", stats.peak_concurrency);
}

#[test]
fn dropping_the_stand_in_closes_the_socket_and_every_connection() {
    let stand_in = start(Options { hang: vec!["ListAccounts:all".parse().unwrap()], ..approving() });
    let portal = Portal::open(&stand_in);
    let mut connection = Connection::open(stand_in.url());
    connection.write("GET", "/assignment/accounts", &[(BEARER, &portal.token)], "").unwrap();
    wait_until(|| stand_in.stats().in_flight == 1);
    let address = stand_in.url().strip_prefix("http://").unwrap().to_owned();
    drop(stand_in);
    assert!(TcpStream::connect(address).is_err());
    assert!(connection.send("GET", "/_stats", &[], "").is_err());
}

#[test]
fn debug_output_shows_no_token() {
    let stand_in = start(approving());
    let portal = Portal::open(&stand_in);
    let text = format!("{stand_in:?} {:?}", stand_in.stats());
    assert!(text.contains("** redacted **"));
    assert!(!text.contains(&portal.token));
}
