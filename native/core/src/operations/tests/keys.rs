//! What a user gets of the keys of one profile, for a `credential_process` or for variables.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};

use super::{events_of, failures};
use crate::error::Code;
use crate::protocol::{Event, GetKeys, Operation, SessionTerms};
use crate::service::network::Reply;
use crate::service::scripted::{Call, exception, unreachable};
use crate::test_user::{START_URL, StoredToken, TestUser};

fn user() -> TestUser {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(7200));
    user
}

async fn keys_of(user: &TestUser, profile: &str) -> Vec<Event> {
    let session = SessionTerms { login: false, ..SessionTerms::default() };
    events_of(
        user,
        Operation::GetKeys(GetKeys { profile: profile.into(), environments: Vec::new(), minimum_remaining: Some(900), role: None, keep: false, session }),
    )
    .await
}

/// The keys that were handed over, as the caller reads them.
fn keys(events: &[Event]) -> Option<Value> {
    events.iter().find(|event| matches!(event, Event::Keys(_))).map(|event| serde_json::to_value(event).unwrap()["keys"].take())
}

fn write(user: &TestUser, left: i64) -> String {
    let text = format!(
        "[Prod]\naws_access_key_id = ASIAFILE\naws_secret_access_key = file-secret\naws_session_token = file-token\naws_account_id = 100000000000\n\
        x_security_token_expires = {}\nx_sso_role_name = Admin\n",
        user.time(left)
    );
    user.write_credentials(&text);
    text
}

#[tokio::test(start_paused = true)]
async fn good_keys_of_the_file_are_handed_over_without_a_request_or_a_session() {
    let user = TestUser::new();
    write(&user, 900);
    let events = keys_of(&user, "Prod").await;
    assert_eq!(
        keys(&events).unwrap(),
        json!({
            "environment": "Acme", "profile_name": "Prod", "account_id": "100000000000", "access_key_id": "ASIAFILE",
            "secret_access_key": "file-secret", "session_token": "file-token", "expiration": user.time(900),
        })
    );
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn keys_with_little_time_left_are_fetched_and_written_nowhere() {
    let user = user();
    let text = write(&user, 899);
    let events = keys_of(&user, "Prod").await;
    let keys = keys(&events).unwrap();
    assert_eq!((keys["access_key_id"].as_str(), keys["session_token"].as_str()), (Some("ASIA100000000000"), Some("for-stored-token")));
    assert_eq!((keys["secret_access_key"].as_str(), keys["expiration"].as_str()), (Some("secret-of-Admin"), Some(user.time(3600).as_str())));
    assert_eq!(user.credentials(), text);
    assert_eq!(user.service.calls(), [Call::GetRoleCredentials]);
    assert!(!user.path("credentials.lock").exists());
}

#[tokio::test(start_paused = true)]
async fn keys_that_another_source_wrote_are_not_handed_over() {
    let user = user();
    user.write_credentials("[Prod]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = s\n");
    assert_eq!(keys(&keys_of(&user, "Prod").await).unwrap()["access_key_id"], "ASIA100000000000");
}

#[tokio::test(start_paused = true)]
async fn what_the_service_refuses_ends_in_an_error_that_names_the_profile() {
    for (reply, code) in [
        (exception(403, "ForbiddenException"), Code::RoleNotAssigned),
        (exception(404, "ResourceNotFoundException"), Code::AccountNotFound),
        (exception(400, "InvalidRequestException"), Code::ServiceError),
    ] {
        let user = user();
        user.service.on_first(Call::GetRoleCredentials, [reply]);
        let events = keys_of(&user, "Prod").await;
        let [failed] = failures(&events)[..] else { panic!("{events:?}") };
        assert_eq!((failed.code, failed.target.as_deref(), failed.terminating), (code, Some("Prod"), true));
        assert!(keys(&events).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_session_or_a_connection_the_error_is_that_of_the_environment() {
    let events = keys_of(&TestUser::new(), "Prod").await;
    assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::LoginRequired, true)]);
    let user = user();
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    let events = keys_of(&user, "Prod").await;
    assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::NetworkError, true)]);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_does_not_exist_is_an_error_that_names_those_that_do() {
    let user = user();
    let events = keys_of(&user, "Prd").await;
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!((failed.code, failed.target.as_deref()), (Code::ProfileNotFound, Some("Prd")));
    assert!(failed.action.as_deref().unwrap().contains("Prod"), "{failed:?}");
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_hands_nothing_over_and_is_no_error() {
    let user = user();
    user.service.on(Call::GetRoleCredentials, |_| Reply::Never);
    let (events, ()) = tokio::join!(keys_of(&user, "Prod"), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        user.context.outlet.cancel_token().cancel();
    });
    assert!(failures(&events).is_empty() && keys(&events).is_none(), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_service_refuses_is_refreshed_for_the_keys() {
    let user = user();
    user.service.on_first(Call::GetRoleCredentials, [exception(401, "UnauthorizedException")]);
    assert_eq!(keys(&keys_of(&user, "Dev").await).unwrap()["session_token"], "for-new-token");
    assert_eq!(user.service.calls(), [Call::GetRoleCredentials, Call::CreateToken, Call::GetRoleCredentials]);
}
