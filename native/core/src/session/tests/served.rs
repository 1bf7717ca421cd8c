//! The keys that an endpoint serves, in virtual time.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::endpoint::Holder as _;
use crate::environments::configured::ConfigFile;
use crate::protocol::SessionTerms;
use crate::service::scripted::{Call, START, exception, keys, oauth_error, unreachable};
use crate::session::role_keys::RoleKeys;
use crate::session::served_keys::{ServedKeys, ServedProfile};
use crate::test_user::{START_URL, StoredToken, TestUser};

/// A user with a session, whose keys last this long.
fn user(lifetime: i64) -> TestUser {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(8 * 3600));
    grant(&user, lifetime, Instant::now());
    user
}

fn grant(user: &TestUser, lifetime: i64, start: Instant) {
    let elapsed = move |at: Instant| i64::try_from((at - start).as_secs()).unwrap();
    user.service.on(Call::GetRoleCredentials, move |request| keys(request, START + elapsed(request.at) + lifetime));
}

/// Serves the profile Prod, as the endpoint does.
async fn served(user: &TestUser) -> Arc<ServedKeys> {
    let served = prepared(user).await;
    tokio::spawn(Arc::clone(&served).keep_fresh());
    served
}

/// Has the first keys of the profile Prod, and does nothing more.
async fn prepared(user: &TestUser) -> Arc<ServedKeys> {
    let environment = user.environment("Acme");
    let profile = environment.profiles.iter().find(|profile| profile.name == "Prod").unwrap().clone();
    let (config, terms) = (Arc::<ConfigFile>::default(), SessionTerms::default());
    let keys = RoleKeys { context: &user.context, environment: &environment, profile: &profile, config: &config, terms: &terms }.fetch().await.unwrap();
    ServedKeys::new(ServedProfile { environment, profile, config }, keys, &user.context, &terms)
}

async fn answer(served: &ServedKeys) -> (u16, Value) {
    let answer = served.answer().await;
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
}

fn fetched(user: &TestUser) -> usize {
    user.service.seen(Call::GetRoleCredentials).len()
}

#[tokio::test(start_paused = true)]
async fn keys_are_renewed_in_the_background_when_a_third_of_a_short_life_is_left() {
    let user = user(60);
    let served = served(&user).await;
    sleep(Duration::from_secs(39)).await;
    assert_eq!(fetched(&user), 1);
    sleep(Duration::from_secs(3)).await;
    assert_eq!(fetched(&user), 2);
    for _ in 0..100 {
        sleep(Duration::from_secs(7)).await;
        let (status, body) = answer(&served).await;
        assert_eq!((status, body["AccountId"].as_str()), (200, Some("100000000000")));
        assert!(body["Expiration"].as_str().unwrap() > user.time(15).as_str(), "{body}");
    }
    assert!((17..=22).contains(&fetched(&user)), "{}", fetched(&user));
}

#[tokio::test(start_paused = true)]
async fn keys_of_an_hour_are_renewed_with_20_minutes_left_even_if_nobody_asks() {
    let user = user(3600);
    let _served = served(&user).await;
    sleep(Duration::from_mins(39)).await;
    assert_eq!(fetched(&user), 1);
    sleep(Duration::from_mins(3)).await;
    assert_eq!(fetched(&user), 2);
}

#[tokio::test(start_paused = true)]
async fn good_keys_are_served_while_renewals_fail_and_expired_ones_never() {
    let user = user(600);
    let start = Instant::now();
    let served = served(&user).await;
    user.service.on(Call::GetRoleCredentials, |_| exception(500, "InternalServerException"));
    let before = answer(&served).await.1;
    for _ in 0..590 {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(answer(&served).await, (200, before.clone()));
    }
    let tries = fetched(&user);
    sleep(Duration::from_mins(1)).await;
    let (status, body) = answer(&served).await;
    assert_eq!((status, body["code"].as_str()), (503, Some("ServiceError")), "{body}");
    assert!(body.get("AccessKeyId").is_none() && body["message"].as_str().unwrap().contains("Prod"), "{body}");
    // About one attempt for each tenth of the margin; each sends a request a few times.
    assert!((4..=60).contains(&tries), "{tries}");
    grant(&user, 600, start);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(answer(&served).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_the_keys_last_to_their_end_and_come_back_with_it() {
    let user = user(600);
    let start = Instant::now();
    let served = served(&user).await;
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    sleep(Duration::from_secs(599)).await;
    assert_eq!(answer(&served).await.0, 200);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(answer(&served).await.1["code"], "NetworkError");
    grant(&user, 600, start);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(answer(&served).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_an_answer_with_the_command_to_run_and_never_a_login() {
    let user = user(600);
    let start = Instant::now();
    let served = served(&user).await;
    user.service.on(Call::GetRoleCredentials, |_| exception(401, "UnauthorizedException"));
    user.service.on(Call::CreateToken, |_| oauth_error(400, "invalid_grant"));
    sleep(Duration::from_secs(700)).await;
    let (status, body) = answer(&served).await;
    assert_eq!((status, body["code"].as_str()), (503, Some("LoginRequired")));
    assert!(body["message"].as_str().unwrap().contains("Connect-SsoSession -Environment Acme"), "{body}");
    let logins = user.service.calls().into_iter().filter(|call| matches!(call, Call::RegisterClient | Call::StartDeviceAuthorization)).count();
    assert_eq!(logins, 0);
    // The user logs in with another command, and the endpoint goes on by itself.
    user.keep(START_URL, StoredToken { access_token: "after-login", ..StoredToken::with(8 * 3600) });
    grant(&user, 600, start);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(answer(&served).await.1["Token"], "for-after-login");
}

#[tokio::test(start_paused = true)]
async fn many_that_ask_at_once_cause_one_request() {
    let user = user(60);
    let served = served(&user).await;
    served.holding().stop.cancel();
    sleep(Duration::from_secs(100)).await;
    assert_eq!(fetched(&user), 1);
    let again = self::served(&user).await;
    sleep(Duration::from_secs(41)).await;
    let before = fetched(&user);
    let answers = futures_util::future::join_all((0..200).map(|_| answer(&again))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200));
    assert!(fetched(&user) <= before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_after_the_computer_slept_waits_for_new_keys() {
    let user = user(60);
    let served = prepared(&user).await;
    // Nothing ran in the meantime.
    sleep(Duration::from_hours(1)).await;
    tokio::spawn(Arc::clone(&served).keep_fresh());
    let answers = futures_util::future::join_all((0..50).map(|_| answer(&served))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(fetched(&user), 2);
}

#[tokio::test(start_paused = true)]
async fn a_user_is_told_once_that_renewals_fail_and_again_only_after_one_succeeded() {
    let user = user(600);
    let start = Instant::now();
    let served = served(&user).await;
    sleep(Duration::from_mins(5)).await;
    assert_eq!(served.untold(), None);
    user.service.on(Call::GetRoleCredentials, |_| exception(401, "UnauthorizedException"));
    user.service.on(Call::CreateToken, |_| oauth_error(400, "invalid_grant"));
    sleep(Duration::from_secs(150)).await;
    let said = served.untold().unwrap();
    assert!(
        said.contains("credentials of Prod, which expire in 2 minutes: ") && said.ends_with(": Acme needs a login. Run Connect-SsoSession -Environment Acme."),
        "{said}"
    );
    sleep(Duration::from_mins(5)).await;
    assert_eq!(served.untold(), None, "it is the same failure");
    user.keep(START_URL, StoredToken { access_token: "after-login", ..StoredToken::with(8 * 3600) });
    grant(&user, 600, start);
    sleep(Duration::from_mins(1)).await;
    assert_eq!((answer(&served).await.0, served.untold()), (200, None));
    user.service.on(Call::GetRoleCredentials, |_| exception(500, "InternalServerException"));
    sleep(Duration::from_secs(700)).await;
    let said = served.untold().unwrap();
    assert!(said.starts_with("AWS tools get no credentials of Prod from the endpoint"), "{said}");
    // A failure that is over before anybody asks is not told.
    grant(&user, 600, start);
    sleep(Duration::from_mins(1)).await;
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    sleep(Duration::from_secs(450)).await;
    grant(&user, 600, start);
    sleep(Duration::from_mins(1)).await;
    assert_eq!(served.untold(), None);
}
