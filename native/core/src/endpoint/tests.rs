//! What a client gets from the endpoint, over real connections.
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::{Answer, Endpoint, Holder, Holding, Place, of_keys};
use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;

/// Has the same keys at any time.
struct Fixed(&'static str);

impl Holder for Fixed {
    fn answer(&self) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        let keys = RoleCredentials {
            access_key_id: self.0.to_owned(),
            secret_access_key: Secret::new("a \"secret\""),
            session_token: Secret::new("a-session"),
            expiration: OffsetDateTime::from_unix_timestamp(1_767_355_200).unwrap(),
        };
        Box::pin(async move { of_keys(&keys, "012345678901") })
    }

    fn expiration(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn untold(&self) -> Option<String> {
        None
    }
}

fn holding(id: &'static str) -> Holding {
    Holding { holder: Arc::new(Fixed(id)), stop: CancellationToken::new() }
}

/// The host with its port, and the path.
fn parts(place: &Place) -> (&str, &str) {
    let rest = place.url.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap())
}

/// All that the endpoint sends to somebody who sends this and then waits.
async fn sent(place: &Place, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(parts(place).0).await.unwrap();
    // The endpoint may have closed the connection already.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// The status and the body for a request.
async fn asked(place: &Place, method: &str, path: &str, host: &str, headers: &str) -> (u16, Value) {
    let answer = sent(place, format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    let head = head.to_ascii_lowercase();
    if method != "HEAD" {
        assert!(head.contains(&format!("content-length: {}", body.len())) && !head.contains("location:"), "{head}");
    }
    assert!(head.contains("content-type: application/json") && head.contains("cache-control: no-store") && body.len() < 10_000, "{head}");
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

async fn got(place: &Place) -> (u16, Value) {
    let (host, path) = parts(place);
    asked(place, "GET", path, host, &format!("Authorization: {}\r\nAccept: */*\r\n", place.token.reveal())).await
}

#[tokio::test]
async fn a_client_with_path_and_token_gets_the_keys_as_strings() {
    let endpoint = Endpoint::default();
    let place = endpoint.serve("one", holding("ASIA1")).unwrap();
    assert!(place.url.starts_with("http://127.0.0.1:"), "{}", place.url);
    assert_eq!((parts(&place).1.len(), place.token.reveal().len()), ("/sso-endpoint/".len() + 43, 43));
    let keys = json!({
        "AccessKeyId": "ASIA1", "SecretAccessKey": "a \"secret\"", "Token": "a-session", "Expiration": "2026-01-02T12:00:00Z", "AccountId": "012345678901",
    });
    assert_eq!(got(&place).await, (200, keys));
}

#[tokio::test]
async fn neither_path_nor_token_of_one_profile_opens_another() {
    let endpoint = Endpoint::default();
    let (one, two) = (endpoint.serve("one", holding("ASIA1")).unwrap(), endpoint.serve("two", holding("ASIA2")).unwrap());
    assert_eq!((&got(&one).await.1["AccessKeyId"], &got(&two).await.1["AccessKeyId"]), (&json!("ASIA1"), &json!("ASIA2")));
    let mixed = Place { url: one.url.clone(), token: two.token.clone() };
    assert_eq!(got(&mixed).await.0, 403);
    // The same profile keeps its place, and has new keys there.
    let again = endpoint.serve("one", holding("ASIA3")).unwrap();
    assert_eq!((&again.url, again.token.reveal()), (&one.url, one.token.reveal()));
    assert_eq!(got(&one).await.1["AccessKeyId"], "ASIA3");
}

#[tokio::test]
async fn any_other_request_is_refused_with_a_code_and_a_message() {
    let endpoint = Endpoint::default();
    let place = endpoint.serve("one", holding("ASIA1")).unwrap();
    let (host, path) = parts(&place);
    let port = host.split_once(':').unwrap().1;
    let right = format!("Authorization: {}\r\n", place.token.reveal());
    let longer = format!("{path}x");
    let query = format!("{path}?x=1");
    let absolute = place.url.clone();
    let localhost = format!("localhost:{port}");
    let cases: &[(&str, &str, &str, &str, u16)] = &[
        ("GET", path, host, "", 403),
        ("GET", path, host, "Authorization: wrong\r\n", 403),
        ("GET", path, host, &format!("Authorization: Bearer {}\r\n", place.token.reveal()), 403),
        ("GET", path, host, &format!("{right}{right}"), 403),
        ("GET", path, host, &format!("Authorization: {}\r\n", &place.token.reveal()[..42]), 403),
        ("GET", "/", host, &right, 403),
        ("GET", "/sso-endpoint/", host, &right, 403),
        ("GET", &longer, host, &right, 403),
        ("GET", &query, host, &right, 403),
        ("POST", path, host, &right, 405),
        ("HEAD", path, host, &right, 405),
        ("OPTIONS", path, host, &right, 405),
        ("GET", path, &localhost, &right, 400),
        ("GET", path, "127.0.0.1", &right, 400),
        ("GET", path, "example.com", &right, 400),
        ("GET", path, &format!("{host}\r\nHost: example.com"), &right, 400),
        ("GET", &absolute, host, &right, 400),
    ];
    for (method, path, host, headers, status) in cases {
        let (got, body) = asked(&place, method, path, host, headers).await;
        assert_eq!(got, *status, "{method} {path} {host} {headers}");
        let texts = [&body["code"], &body["message"]].map(|text| text.as_str().is_some_and(|text| !text.is_empty()));
        assert!(*method == "HEAD" || texts == [true, true], "{body}");
        assert!(!body.to_string().contains(place.token.reveal()) && body.get("AccessKeyId").is_none(), "{body}");
    }
}

#[tokio::test]
async fn what_is_no_request_gets_no_keys_and_harms_nobody() {
    let endpoint = Endpoint::default();
    let place = endpoint.serve("one", holding("ASIA1")).unwrap();
    let (host, path) = parts(&place);
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {}\r\n", place.token.reveal());
    let hanging = TcpStream::connect(host).await.unwrap();
    hanging.try_write(b"G").unwrap();
    let many = "X: y\r\n".repeat(200);
    for bytes in [
        b"\x16\x03\x01\x00\xff\r\n\r\n".to_vec(),
        b"\r\n\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        format!("{request}{many}\r\n").into_bytes(),
        format!("{request}X: {}\r\n\r\n", "y".repeat(1_000_000)).into_bytes(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "y".repeat(1_000_000)).into_bytes(),
    ] {
        let answer = sent(&place, &bytes).await;
        assert!(!answer.contains("ASIA1") && !answer.starts_with("HTTP/1.1 2"), "{answer}");
    }
    // One answer for each connection, whatever follows the request.
    let answer = sent(&place, format!("{request}\r\n{request}\r\n\x00\x01garbage").as_bytes()).await;
    assert!(answer.matches("HTTP/1.1").count() <= 1, "{answer}");
    assert_eq!(got(&place).await.0, 200);
}

#[tokio::test]
async fn two_hundred_clients_at_once_all_get_their_keys_beside_one_that_hangs() {
    let endpoint = Endpoint::default();
    let place = Arc::new(endpoint.serve("one", holding("ASIA1")).unwrap());
    let hanging = TcpStream::connect(parts(&place).0).await.unwrap();
    hanging.try_write(b"G").unwrap();
    let clients = (0..200).map(|_| {
        let place = Arc::clone(&place);
        tokio::spawn(async move { got(&place).await.0 })
    });
    let statuses = futures_util::future::join_all(clients.collect::<Vec<_>>()).await;
    assert!(statuses.into_iter().all(|status| status.unwrap() == 200));
}

#[tokio::test]
async fn a_stopped_endpoint_refuses_connections_and_a_new_one_has_other_secrets() {
    let endpoint = Endpoint::default();
    assert!(!endpoint.stop());
    let (old, first) = (holding("ASIA1"), holding("ASIA2"));
    let place = endpoint.serve("one", old.clone()).unwrap();
    endpoint.serve("one", first.clone()).unwrap();
    assert!(old.stop.is_cancelled() && !first.stop.is_cancelled());
    assert!(endpoint.stop() && first.stop.is_cancelled());
    while TcpStream::connect(parts(&place).0).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let next = endpoint.serve("one", holding("ASIA1")).unwrap();
    assert!(parts(&next).1 != parts(&place).1 && next.token.reveal() != place.token.reveal());
    assert_eq!(got(&next).await.0, 200);
}

#[test]
fn an_answer_without_keys_names_the_error_and_what_to_do() {
    let error = crate::error::Error::new(crate::error::Code::LoginRequired, "Acme needs a login.").with_action("Run Connect-SsoSession -Environment Acme.");
    let answer = super::no_keys(&error);
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, json!({ "code": "LoginRequired", "message": "Acme needs a login. Run Connect-SsoSession -Environment Acme." }));
}
