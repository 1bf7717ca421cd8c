//! Logins by device code in virtual time: when the service is asked, and what ends the wait.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::error::{Code, Error};
use crate::login::attempt::{Login, NoLogin};
use crate::login::{LoggedIn, log_in};
use crate::protocol::{Event, LoginMethod, Verification};
use crate::secret::Secret;
use crate::service::network::Reply;
use crate::service::oidc::Registration;
use crate::service::scripted::{Call, exception, oauth_error, token, unreachable, with};
use crate::test_user::{START_URL, TestUser};

/// The user's login with this client, which may take so long.
async fn login(user: &TestUser, client: Option<Registration>, limit: Option<Duration>) -> Result<LoggedIn, NoLogin> {
    let (environment, service) = (user.environment("Acme"), user.services());
    let login = Login {
        world: &user.context.world,
        outlet: &user.context.outlet,
        environment: &environment,
        service: &service,
        start_url: START_URL,
        scopes: &["sso:account:access".to_owned()],
        browser: false,
        qr_code: false,
        deadline: limit.map(|limit| Instant::now() + limit),
    };
    log_in(&login, None, client).await
}

async fn error_of(user: &TestUser, limit: Option<Duration>) -> Error {
    match login(user, None, limit).await {
        Err(NoLogin::Failed(error)) => error,
        Err(NoLogin::Cancelled) => panic!("it was not cancelled"),
        Ok(_) => panic!("it was approved"),
    }
}

/// When the service was asked for the token, in seconds from `start`.
fn polls(user: &TestUser, start: Instant) -> Vec<u64> {
    user.service.seen(Call::CreateToken).iter().map(|poll| (poll.at - start).as_secs()).collect()
}

fn pending() -> Reply {
    oauth_error(400, "authorization_pending")
}

/// The service asks for this interval and gives a code that lasts so long, both in seconds.
fn authorize_with(user: &TestUser, interval: u32, expires_in: u32) {
    user.service.on(Call::StartDeviceAuthorization, move |_| {
        with(&json!({
            "deviceCode": "device-code", "userCode": "ABCD-EFGH", "verificationUri": "https://device.example.com/",
            "expiresIn": expires_in, "interval": interval,
        }))
    });
}

fn verification(user: &TestUser) -> Verification {
    user.events().into_iter().find_map(|event| if let Event::Verification(shown) = event { Some(shown) } else { None }).unwrap()
}

fn client(expires_in: i64, user: &TestUser) -> Registration {
    let expires_at = Some(user.context.now() + time::Duration::seconds(expires_in));
    Registration { client_id: "old-client".into(), client_secret: Secret::new("old-client-secret"), expires_at, method: LoginMethod::DeviceCode }
}

#[tokio::test(start_paused = true)]
async fn the_user_is_shown_the_code_and_the_address_and_until_when() {
    let user = TestUser::new();
    let approved = login(&user, None, None).await.unwrap();
    assert_eq!((approved.token.access_token.reveal(), approved.client.client_id.as_str()), ("new-token", "new-client"));
    // The access token's time starts when it is given, a second after the login began.
    assert_eq!(crate::timestamp::rfc3339(approved.expires_at), user.time(3600));
    let shown = verification(&user);
    assert_eq!((shown.environment.as_str(), shown.host.as_str(), shown.user_code.as_deref()), ("Acme", "acme.awsapps.com", Some("ABCD-EFGH")));
    assert_eq!(shown.url, "https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-EFGH");
    assert_eq!((shown.expires, shown.browser_opened), (user.time(599), false));
}

#[tokio::test(start_paused = true)]
async fn the_service_is_asked_once_in_each_interval_and_never_earlier() {
    let (user, start) = (TestUser::new(), Instant::now());
    authorize_with(&user, 3, 600);
    user.service.on_first(Call::CreateToken, [pending(), pending()]);
    login(&user, None, None).await.unwrap();
    assert_eq!(polls(&user, start), [3, 6, 9]);
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_of_the_service_it_is_asked_every_five_seconds() {
    let (user, start) = (TestUser::new(), Instant::now());
    authorize_with(&user, 0, 600);
    user.service.on_first(Call::CreateToken, [pending()]);
    login(&user, None, None).await.unwrap();
    assert_eq!(polls(&user, start), [5, 10]);
}

#[tokio::test(start_paused = true)]
async fn each_slow_down_adds_five_seconds_to_the_interval_for_good() {
    let (user, start) = (TestUser::new(), Instant::now());
    user.service.on_first(Call::CreateToken, [oauth_error(400, "slow_down"), oauth_error(400, "slow_down"), pending()]);
    login(&user, None, None).await.unwrap();
    assert_eq!(polls(&user, start), [1, 7, 18, 29]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_reached_is_asked_half_as_often_each_time_down_to_once_a_minute() {
    let (user, start) = (TestUser::new(), Instant::now());
    user.service.on_first(Call::CreateToken, (0..7).map(|_| unreachable()));
    login(&user, None, None).await.unwrap();
    assert_eq!(polls(&user, start), [1, 3, 7, 15, 31, 63, 123, 183]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_never_answered_is_given_up_and_the_interval_is_doubled() {
    let (user, start) = (TestUser::new(), Instant::now());
    user.service.on_first(Call::CreateToken, [Reply::Never]);
    login(&user, None, None).await.unwrap();
    // One try has 30 seconds, and the interval starts at its end.
    assert_eq!(polls(&user, start), [1, 33]);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_nobody_approves_ends_with_its_code() {
    let (user, start) = (TestUser::new(), Instant::now());
    authorize_with(&user, 7, 60);
    user.service.on(Call::CreateToken, |_| pending());
    let error = error_of(&user, None).await;
    assert_eq!((error.code(), error.target(), start.elapsed().as_secs()), (Code::LoginTimedOut, Some("Acme"), 60));
    assert_eq!(polls(&user, start), [7, 14, 21, 28, 35, 42, 49, 56]);
    assert!(error.action().unwrap().contains("us-west-2"), "a wrong region gives a code that nobody can approve: {error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_the_service_no_longer_knows_ends_the_login() {
    let (user, start) = (TestUser::new(), Instant::now());
    user.service.on_first(Call::CreateToken, [oauth_error(400, "expired_token")]);
    assert_eq!((error_of(&user, None).await.code(), start.elapsed().as_secs()), (Code::LoginTimedOut, 1));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_of_the_user_s_ends_the_login_before_its_code() {
    for never_answers in [None, Some(Call::CreateToken)] {
        let (user, start) = (TestUser::new(), Instant::now());
        user.service.on(Call::CreateToken, move |_| if never_answers.is_some() { Reply::Never } else { pending() });
        let error = error_of(&user, Some(Duration::from_secs(20))).await;
        assert_eq!((error.code(), start.elapsed().as_secs()), (Code::LoginTimedOut, 20));
    }
    for call in [Call::RegisterClient, Call::StartDeviceAuthorization] {
        let (user, start) = (TestUser::new(), Instant::now());
        user.service.on(call, |_| Reply::Never);
        let error = error_of(&user, Some(Duration::from_secs(20))).await;
        assert_eq!((error.code(), start.elapsed().as_secs()), (Code::NetworkError, 20), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_declined_ends_at_once_and_says_so() {
    let user = TestUser::new();
    user.service.on_first(Call::CreateToken, [pending(), oauth_error(400, "access_denied")]);
    let error = error_of(&user, None).await;
    assert_eq!((error.code(), error.target(), error.request_id()), (Code::LoginDeclined, Some("Acme"), Some("request-1")));
    assert_eq!(user.service.seen(Call::CreateToken).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_cancelled_ends_at_once_whatever_it_waits_for() {
    for (call, reply) in [
        (Call::RegisterClient, (|_: &_| Reply::Never) as fn(&_) -> Reply),
        (Call::StartDeviceAuthorization, |_| Reply::Never),
        (Call::CreateToken, |_| Reply::Never),
        (Call::CreateToken, |_| pending()),
    ] {
        let (user, start) = (TestUser::new(), Instant::now());
        user.service.on(call, reply);
        let (outcome, ()) = tokio::join!(login(&user, None, None), async {
            tokio::time::sleep(Duration::from_millis(2500)).await;
            user.context.outlet.cancel_token().cancel();
        });
        assert!(matches!(outcome, Err(NoLogin::Cancelled)), "{call:?}");
        assert_eq!(start.elapsed(), Duration::from_millis(2500), "{call:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_who_waits_sees_each_second_how_much_time_is_left() {
    let user = TestUser::new();
    authorize_with(&user, 5, 60);
    login(&user, None, None).await.unwrap();
    let left = user.events().into_iter().filter_map(|event| if let Event::Waiting(waiting) = event { waiting.seconds_left } else { None });
    assert_eq!(left.collect::<Vec<_>>(), [60, 59, 58, 57, 56]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_lasts_is_used_and_one_that_ends_in_less_than_fifteen_minutes_is_not() {
    for (left, registers) in [(900, 0), (899, 1)] {
        let user = TestUser::new();
        let approved = login(&user, Some(client(left, &user)), None).await.unwrap();
        assert_eq!(user.service.seen(Call::RegisterClient).len(), registers, "{left}");
        assert_eq!(approved.client.client_id == "old-client", registers == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_the_service_refuses_is_registered_again_once() {
    let user = TestUser::new();
    user.service.on_first(Call::StartDeviceAuthorization, [oauth_error(401, "invalid_client")]);
    assert_eq!(login(&user, Some(client(86400, &user)), None).await.unwrap().client.client_id, "new-client");
    let user = TestUser::new();
    user.service.on(Call::StartDeviceAuthorization, |_| oauth_error(401, "invalid_client"));
    let outcome = login(&user, Some(client(86400, &user)), None).await;
    assert!(matches!(outcome, Err(NoLogin::Failed(error)) if error.code() == Code::LoginFailed));
    assert_eq!(user.service.calls(), [Call::StartDeviceAuthorization, Call::RegisterClient, Call::StartDeviceAuthorization]);
}

#[tokio::test(start_paused = true)]
async fn a_start_url_that_the_region_does_not_know_is_named_with_what_to_correct() {
    let user = TestUser::new();
    user.service.on(Call::StartDeviceAuthorization, |_| oauth_error(400, "invalid_request"));
    let error = error_of(&user, None).await;
    assert_eq!((error.code(), error.target()), (Code::StartUrlRejected, Some("Acme")));
    assert!(error.to_string().contains(START_URL) && error.to_string().contains("us-west-2"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_asked_again_and_one_that_refuses_for_another_reason_is_not() {
    let user = TestUser::new();
    user.service.on_first(Call::CreateToken, [exception(500, "InternalServerException"), token("", "")]);
    let outcome = login(&user, None, None).await;
    assert!(matches!(outcome, Err(NoLogin::Failed(error)) if error.code() == Code::ServiceError), "an empty token cannot be used");
    assert_eq!(user.service.seen(Call::CreateToken).len(), 2);
    let user = TestUser::new();
    user.service.on_first(Call::CreateToken, [oauth_error(400, "invalid_scope")]);
    assert_eq!(error_of(&user, None).await.code(), Code::LoginFailed);
}
