//! Generated responses of the service, passed to each of its operations.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{in_seconds, settings_of};
use crate::files::ini_text::attack::runner;
use crate::protocol::LoginMethod;
use crate::secret::{Secret, is_plain};
use crate::service::client::Service;
use crate::service::network::{Network, response};
use crate::service::oidc::{Grant, NewToken, Registration};
use crate::service::refusal::{LONGEST_ID, LONGEST_MESSAGE, Refusal};
use crate::text::without_controls;

/// The secrets of the requests, any of which a response may repeat.
const ACCESS_TOKEN: &str = "aoaAAAAaccess";
const REFRESH_TOKEN: &str = "aorAAAArefresh";
const CLIENT_SECRET: &str = "eyJraWQsecret";

/// The longest text of an error, in characters: the service's message, name and ID, and our own words.
const LONGEST_ERROR: usize = LONGEST_MESSAGE + 2 * LONGEST_ID + 500;

#[derive(Debug, Clone)]
struct Generated {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Generated {
    fn network(self) -> Network {
        Network::of(move |_| {
            let mut answer = response(self.status, &[], self.body.clone());
            for (name, value) in &self.headers {
                // No HTTP library returns an invalid header value.
                let _ = answer.headers_mut().try_append(*name, value.clone());
            }
            Ok(answer)
        })
    }
}

/// Secrets, secrets with an invisible character in them, texts that are too long, and others.
fn any_text() -> impl Strategy<Value = String> {
    let known = [
        ACCESS_TOKEN,
        REFRESH_TOKEN,
        CLIENT_SECRET,
        "aoaAAAA\u{7}access",
        "aorAAAA\u{200b}refresh",
        "",
        "two words",
        "two\nlines",
        "https://example.com/?a=b",
        "ASIAEXAMPLE",
    ];
    let known = select(known.map(str::to_owned).to_vec());
    prop_oneof![
        4 => known.clone(),
        2 => (".{0,20}", known.clone(), ".{0,20}").prop_map(|(before, known, after)| before + &known + &after),
        1 => (known, select(vec![100_usize, 500, 3000, 20_000])).prop_map(|(known, count)| "x".repeat(count) + &known),
        1 => any::<String>(),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let number =
        prop_oneof![any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from), select(vec![0, -1, 1_795_000_000_000_i64]).prop_map(Value::from)];
    let leaf = prop_oneof![6 => any_text().prop_map(Value::from), 2 => number, 1 => Just(Value::Null), 1 => any::<bool>().prop_map(Value::from)];
    let nested = leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((any_text(), inner), 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    });
    prop_oneof![3 => any_text().prop_map(Value::from), 1 => nested]
}

/// A response with everything that any operation needs.
fn good() -> Value {
    json!({
        "clientId": "c", "clientSecret": "s", "clientSecretExpiresAt": 1_795_000_000,
        "deviceCode": "d", "userCode": "ABCD-EFGH", "verificationUri": "https://example.com/start", "expiresIn": 600, "interval": 5,
        "accessToken": "t", "refreshToken": "r",
        "roleCredentials": { "accessKeyId": "ASIA", "secretAccessKey": "s", "sessionToken": "t", "expiration": 1_795_000_000_000_i64 },
        "accountList": [{ "accountId": "100000000000", "accountName": "Acme", "emailAddress": "acme@example.com" }],
        "roleList": [{ "roleName": "Admin", "accountId": "100000000000" }],
    })
}

/// A good response with some fields replaced, including those of an error.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let outer = select(vec![
        "clientId",
        "clientSecret",
        "clientSecretExpiresAt",
        "deviceCode",
        "userCode",
        "verificationUri",
        "verificationUriComplete",
        "expiresIn",
        "interval",
        "accessToken",
        "refreshToken",
        "nextToken",
        "roleCredentials",
        "accountList",
        "roleList",
        "error",
        "error_description",
        "message",
        "Message",
        "__type",
    ]);
    let inner = select(vec![
        "/roleCredentials/accessKeyId",
        "/roleCredentials/secretAccessKey",
        "/roleCredentials/sessionToken",
        "/roleCredentials/expiration",
        "/accountList/0/accountId",
        "/accountList/0/accountName",
        "/accountList/0/emailAddress",
        "/roleList/0/roleName",
        "/accountList/0",
    ]);
    let changes = (proptest::collection::vec((outer, any_value()), 0..6), proptest::collection::vec((inner, any_value()), 0..4));
    let near = changes.prop_map(|(outer, inner)| {
        let mut body = good();
        for (place, value) in inner {
            // An earlier change may have removed the place.
            if let Some(field) = body.pointer_mut(place) {
                *field = value;
            }
        }
        for (name, value) in outer {
            body[name] = value;
        }
        body.to_string().into_bytes()
    });
    let near = near.boxed();
    let cut = (near.clone(), any::<prop::sample::Index>()).prop_map(|(body, at)| body[..at.index(body.len())].to_vec());
    let deep = (1_usize..5000).prop_map(|depth| "[".repeat(depth).into_bytes());
    prop_oneof![10 => near, 2 => cut, 1 => deep, 1 => any_text().prop_map(String::into_bytes), 1 => proptest::collection::vec(any::<u8>(), 0..200)]
}

fn any_answer() -> impl Strategy<Value = Generated> {
    let names = vec![
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-amz-request-id",
        "content-type",
        "date",
        "retry-after",
        "x-amz-retry-after",
        "www-authenticate",
        "proxy-authenticate",
        "content-length",
        "via",
        "location",
    ];
    let value = prop_oneof![
        2 => any_text(),
        1 => select(vec!["UnauthorizedException:", "ForbiddenException", "InvalidGrantException", "Thu, 26 Nov 2026 12:00:00 GMT", "1e9", "-1"]).prop_map(str::to_owned),
        1 => any::<u64>().prop_map(|number| number.to_string()),
    ];
    let status = prop_oneof![6 => Just(200_u16), 3 => select(vec![204_u16, 301, 400, 401, 403, 404, 407, 429, 500, 503]), 1 => 200_u16..600];
    (status, proptest::collection::vec((select(names), value), 0..5), any_body()).prop_map(|(status, headers, body)| Generated { status, headers, body })
}

/// The result of an operation: texts for people, and keys, tokens and IDs for files and requests.
#[derive(Debug, Default)]
struct Outcome {
    shown: Vec<String>,
    written: Vec<String>,
}

impl Outcome {
    fn token(token: &NewToken) -> Self {
        let written = [Some(&token.access_token), token.refresh_token.as_ref()].into_iter().flatten().map(|secret| secret.reveal().to_owned()).collect();
        Self { written, ..Self::default() }
    }
}

/// What each operation makes of the response, with the secrets of its request.
async fn all_operations(service: &Service) -> Vec<(&'static [&'static str], Result<Outcome, Refusal>)> {
    const PORTAL: &[&str] = &[ACCESS_TOKEN];
    const OIDC: &[&str] = &[CLIENT_SECRET, REFRESH_TOKEN];
    let (access, refresh) = (Secret::new(ACCESS_TOKEN), Secret::new(REFRESH_TOKEN));
    let client = Registration { client_id: "c".into(), client_secret: Secret::new(CLIENT_SECRET), expires_at: None, method: LoginMethod::DeviceCode };
    let deadline = in_seconds(30);
    let shown = |texts: Vec<Option<String>>| Outcome { shown: texts.into_iter().flatten().collect(), ..Outcome::default() };
    let registration = service
        .register_client(&[], "https://example.com/start", LoginMethod::Pkce)
        .await
        .map(|registration| Outcome { written: vec![registration.client_id, registration.client_secret.reveal().to_owned()], ..Outcome::default() });
    let authorization = service
        .start_device_authorization(&client, "https://example.com/start")
        .await
        .map(|given| Outcome { written: vec![given.device_code.reveal().to_owned()], shown: vec![given.user_code, given.url] });
    let refreshed = service.create_token(&client, Grant::RefreshToken(&refresh)).await.map(|token| Outcome::token(&token));
    let polled = service.create_token(&client, Grant::DeviceCode(&refresh)).await.map(|token| Outcome::token(&token));
    let keys = service.role_credentials(&access, "100000000000", "Role", deadline).await.map(|(keys, _)| Outcome {
        written: vec![keys.access_key_id.clone(), keys.secret_access_key.reveal().to_owned(), keys.session_token.reveal().to_owned()],
        ..Outcome::default()
    });
    let accounts = service
        .accounts(&access, None, deadline)
        .await
        .map(|page| shown(page.items.into_iter().flat_map(|account| [Some(account.id), account.name, account.email_address]).collect()));
    let roles = service.roles(&access, "100000000000", None, deadline).await.map(|page| shown(page.items.into_iter().map(Some).collect()));
    let logout = service.logout(&access).await.map(|()| Outcome::default());
    vec![
        (&[], registration),
        (&[CLIENT_SECRET], authorization),
        (OIDC, refreshed),
        (OIDC, polled),
        (PORTAL, keys),
        (PORTAL, accounts),
        (PORTAL, roles),
        (PORTAL, logout),
    ]
}

#[test]
fn no_response_can_show_a_secret_control_the_terminal_or_break_a_file() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let settings = settings_of("us-west-2", &[]).unwrap();
    let judge = |answer: Generated| {
        let service = answer.network().service(settings.clone());
        for (secrets, outcome) in runtime.block_on(all_operations(&service)) {
            match outcome {
                Ok(Outcome { shown, written }) => {
                    prop_assert!(shown.iter().all(|text| *text == without_controls(text)), "{shown:?}");
                    prop_assert!(written.iter().all(|text| is_plain(text)), "{written:?}");
                }
                Err(refusal) => {
                    let error = service.portal_error(&refusal);
                    let text = format!("{error}\n{:?}\n{:?}", error.action(), error.request_id());
                    let all = format!("{text} {refusal:?}");
                    prop_assert!(secrets.iter().all(|secret| !all.contains(secret)), "{all}");
                    let message = error.to_string();
                    prop_assert!(message == without_controls(&message) && message.chars().count() <= LONGEST_ERROR, "{message:?}");
                }
            }
        }
        Ok(())
    };
    runner(5_000).run(&any_answer(), judge).unwrap();
}

#[test]
fn every_operation_accepts_a_good_response() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let answer = Generated { status: 200, headers: Vec::new(), body: good().to_string().into_bytes() };
    let service = answer.network().service(settings_of("us-west-2", &[]).unwrap());
    for (_, outcome) in runtime.block_on(all_operations(&service)) {
        outcome.unwrap();
    }
}
