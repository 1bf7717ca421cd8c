//! The session of an environment while many requests use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::no_login;
use crate::environments::configured::ConfigFile;
use crate::error::{Code, Error};
use crate::protocol::SessionTerms;
use crate::secret::Secret;
use crate::service::network::Reply;
use crate::service::scripted::{Call, KEYS_EXPIRE, exception, keys, late, oauth_error, token, unreachable};
use crate::session::live::{LiveSession, Stop};
use crate::session::source::SessionSource;
use crate::session::time_limit::Bound;
use crate::test_user::{START_URL, StoredToken, TestUser};

const A_MINUTE: Duration = Duration::from_mins(1);

/// What became of requests that were sent side by side: the session tokens of their keys, and why the session ended.
struct Outcome {
    keys: Vec<Result<String, Stop>>,
    ended: Option<Error>,
}

async fn sent(user: &TestUser, terms: &SessionTerms, count: usize, bound: Bound) -> Outcome {
    let (environment, service) = (user.environment("Acme"), user.services());
    let config = ConfigFile::default();
    let source = SessionSource::of(&user.context, &environment, &service, &config, terms);
    let session = LiveSession::open(&source, bound).await.unwrap();
    let request = |access_token: Secret, deadline| {
        let service = &service;
        async move { service.role_credentials(&access_token, "100000000000", "Admin", deadline).await }
    };
    let keys = join_all((0..count).map(|_| session.send(&source, request))).await;
    let keys = keys.into_iter().map(|outcome| outcome.map(|(keys, _)| keys.session_token.reveal().to_owned())).collect();
    Outcome { keys, ended: session.into_ended() }
}

/// The portal takes tokens only of which this is true.
fn portal_takes(user: &TestUser, is_taken: impl Fn(&str) -> bool + Send + 'static) {
    user.service.on(Call::GetRoleCredentials, move |request| {
        if is_taken(&request.access_token) { keys(request, KEYS_EXPIRE) } else { exception(401, "UnauthorizedException") }
    });
}

fn user() -> TestUser {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(7200));
    user
}

fn logins(user: &TestUser) -> usize {
    user.service.seen(Call::StartDeviceAuthorization).len()
}

#[tokio::test(start_paused = true)]
async fn many_requests_that_are_refused_at_once_renew_the_session_once() {
    let user = user();
    portal_takes(&user, |token| token == "new-token");
    let outcome = sent(&user, &no_login(), 20, Bound::Together(A_MINUTE)).await;
    assert!(outcome.keys.iter().all(|key| matches!(key, Ok(token) if token == "for-new-token")), "{:?}", outcome.keys);
    assert_eq!((user.service.seen(Call::CreateToken).len(), logins(&user)), (1, 0));
    assert!(outcome.ended.is_none());
}

/// The tokens of a session that is renewed again and again: `refreshed` and then `token-1`, `token-2` and so on.
fn count_tokens(user: &TestUser) {
    let count = Arc::new(AtomicU32::new(0));
    user.service.on(Call::CreateToken, move |request| {
        if request.field("grantType") == "refresh_token" {
            return token("refreshed", "refresh-again");
        }
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        token(&format!("token-{number}"), "refresh-again")
    });
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_refused_after_a_refresh_is_replaced_by_a_login() {
    let user = user();
    count_tokens(&user);
    portal_takes(&user, |token| token == "token-1");
    let outcome = sent(&user, &SessionTerms::default(), 5, Bound::Together(A_MINUTE)).await;
    assert!(outcome.keys.iter().all(|key| matches!(key, Ok(token) if token == "for-token-1")), "{:?}", outcome.keys);
    assert_eq!((user.service.seen(Call::CreateToken).len(), logins(&user)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_refused_even_after_a_login_ends_everything_with_one_error() {
    let user = user();
    count_tokens(&user);
    portal_takes(&user, |_| false);
    let outcome = sent(&user, &SessionTerms::default(), 5, Bound::Together(A_MINUTE)).await;
    assert!(outcome.keys.iter().all(|key| matches!(key, Err(Stop::Ended))), "{:?}", outcome.keys);
    assert_eq!((user.service.seen(Call::CreateToken).len(), logins(&user)), (2, 1), "one refresh and one login");
    let error = outcome.ended.unwrap();
    assert_eq!((error.code(), error.target(), error.request_id()), (Code::LoginFailed, Some("Acme"), Some("request-1")));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_cannot_be_renewed_ends_everything_with_the_reason() {
    let user = user();
    portal_takes(&user, |_| false);
    user.service.on(Call::CreateToken, |_| oauth_error(400, "invalid_grant"));
    let outcome = sent(&user, &no_login(), 5, Bound::Together(A_MINUTE)).await;
    assert!(outcome.keys.iter().all(|key| matches!(key, Err(Stop::Ended))), "{:?}", outcome.keys);
    assert_eq!(outcome.ended.unwrap().code(), Code::LoginRequired);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_reached_ends_everything_with_one_error() {
    let user = user();
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    let outcome = sent(&user, &no_login(), 5, Bound::Together(A_MINUTE)).await;
    assert!(outcome.keys.iter().all(|key| matches!(key, Err(Stop::Ended))), "{:?}", outcome.keys);
    let error = outcome.ended.unwrap();
    assert_eq!((error.code(), error.target()), (Code::NetworkError, Some("Acme")));
    assert_eq!(user.service.seen(Call::CreateToken).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_one_request_is_its_own_and_stops_no_other() {
    let user = user();
    user.service.on_first(Call::GetRoleCredentials, [exception(403, "ForbiddenException")]);
    let outcome = sent(&user, &no_login(), 5, Bound::Together(A_MINUTE)).await;
    let refused = outcome.keys.iter().filter(|key| matches!(key, Err(Stop::Refused(refusal)) if refusal.modelled_status() == Some(403)));
    assert_eq!((refused.count(), outcome.keys.iter().filter(|key| key.is_ok()).count()), (1, 4));
    assert!(outcome.ended.is_none());
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_never_answered_end_when_their_bound_says() {
    let limit = Duration::from_secs(8);
    let start = Instant::now();
    for bound in [Bound::Together(limit), Bound::Until(start + limit * 2), Bound::Each(limit)] {
        let user = user();
        user.service.on(Call::GetRoleCredentials, |_| Reply::Never);
        let outcome = sent(&user, &no_login(), 3, bound).await;
        assert!(outcome.keys.iter().all(|key| matches!(key, Err(Stop::Refused(_)))), "{bound:?}: {:?}", outcome.keys);
    }
    assert_eq!(start.elapsed(), limit * 3, "each took its eight seconds");
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_login_takes_no_time_from_the_requests_unless_the_whole_run_has_a_limit() {
    let limit = Duration::from_secs(10);
    for (bound, is_in_time) in [(Bound::Together(limit), true), (Bound::Each(limit), true), (Bound::Until(Instant::now() + limit), false)] {
        let user = user();
        user.service.on(Call::CreateToken, |request| {
            let is_refresh = request.field("grantType") == "refresh_token";
            if is_refresh { oauth_error(400, "invalid_grant") } else { late(Duration::from_secs(20), token("new-token", "r")) }
        });
        user.service.on(Call::GetRoleCredentials, |request| {
            let is_good = request.access_token == "new-token";
            if is_good { late(Duration::from_secs(1), keys(request, KEYS_EXPIRE)) } else { exception(401, "UnauthorizedException") }
        });
        let outcome = sent(&user, &SessionTerms::default(), 1, bound).await;
        assert_eq!(outcome.keys[0].is_ok(), is_in_time, "{bound:?}: {:?}", outcome.keys);
    }
}
