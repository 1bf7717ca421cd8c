//! Which token a user gets: the one that is there, a refreshed one, or that of a login.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{REFUSED, error_of, field, in_memory, no_login, session, shown};
use crate::environments::configured::ConfigFile;
use crate::error::Code;
use crate::login::attempt::NoLogin;
use crate::protocol::{GivenEnvironment, GivenToken, SessionState, SessionTerms};
use crate::secret::Secret;
use crate::service::network::Reply;
use crate::service::scripted::{Call, START, oauth_error, token, unreachable, with};
use crate::session::source::SessionSource;
use crate::sha1_hex::sha1_hex;
use crate::test_user::{START_URL, StoredToken, TestUser};

const REFRESH_WINDOW: i64 = 15 * 60;

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_used_without_a_request() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(REFRESH_WINDOW + 1));
    assert_eq!(session(&user, &no_login()).await.unwrap(), "stored-token");
    assert_eq!(user.service.calls(), []);
    let end = user.context.memory.session_end("ACME").unwrap();
    assert_eq!(crate::timestamp::rfc3339(end), user.time(REFRESH_WINDOW + 1), "the summary of the run tells when the session ends");
}

#[tokio::test(start_paused = true)]
async fn a_token_with_fifteen_minutes_left_is_refreshed_once_and_written_with_its_new_refresh_token() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(REFRESH_WINDOW));
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
    let [refresh] = &user.service.seen(Call::CreateToken)[..] else { panic!("{:?}", user.service.calls()) };
    let sent = ["grantType", "refreshToken", "clientId", "clientSecret"].map(|name| refresh.field(name));
    assert_eq!(sent, ["refresh_token", "stored-refresh-token", "stored-client", "stored-client-secret"]);
    assert_eq!(user.service.calls().len(), 1);
    assert_eq!((field(&user, "accessToken"), field(&user, "refreshToken")), ("new-token".to_owned(), "new-refresh-token".to_owned()));
    assert_eq!((field(&user, "expiresAt"), field(&user, "clientId")), (user.time(3600), "stored-client".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_gives_no_new_refresh_token_keeps_the_one_before() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(-60));
    user.service.on(Call::CreateToken, |_| with(&json!({ "accessToken": "new-token", "tokenType": "Bearer", "expiresIn": 3600 })));
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
    assert_eq!(field(&user, "refreshToken"), "stored-refresh-token");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_still_good_is_used_when_its_refresh_is_refused_and_the_refusal_is_noted_in_the_file() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(600));
    user.service.on(Call::CreateToken, |_| oauth_error(400, "invalid_grant"));
    assert!(shown(&user).refreshable);
    for _ in 0..3 {
        assert_eq!(session(&user, &SessionTerms::default()).await.unwrap(), "stored-token");
    }
    assert_eq!(user.service.calls(), [Call::CreateToken], "the service is not asked again");
    assert_eq!((field(&user, REFUSED), field(&user, "refreshToken")), (sha1_hex(b"stored-refresh-token"), "stored-refresh-token".to_owned()));
    for shown in [shown(&user), shown(&user.in_another_process())] {
        assert_eq!((shown.state, shown.refreshable), (SessionState::Active, false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_for_a_reason_that_may_pass_is_tried_again_after_thirty_seconds_and_not_before() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(600));
    user.service.on(Call::CreateToken, |_| oauth_error(429, "slow_down"));
    let started = Instant::now();
    assert_eq!(session(&user, &no_login()).await.unwrap(), "stored-token");
    assert!(field(&user, REFUSED).is_empty() && shown(&user).refreshable, "nothing is noted");
    user.service.on_first(Call::CreateToken, []);
    tokio::time::sleep_until(started + Duration::from_millis(29_999)).await;
    assert_eq!(session(&user, &no_login()).await.unwrap(), "stored-token");
    tokio::time::sleep_until(started + Duration::from_secs(30)).await;
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_is_refreshed_at_once_however_recent_the_last_try_was() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(5));
    user.service.on(Call::CreateToken, |_| Reply::Never);
    assert_eq!(session(&user, &no_login()).await.unwrap(), "stored-token", "a session that is good is held up for ten seconds at most");
    user.service.on_first(Call::CreateToken, []);
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_of_a_good_session_holds_the_run_up_for_ten_seconds_at_most() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(600));
    user.service.on(Call::CreateToken, |_| Reply::Never);
    let started = Instant::now();
    assert_eq!(session(&user, &no_login()).await.unwrap(), "stored-token");
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_whose_refresh_is_never_answered_is_an_error_of_the_network_and_no_login() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(-1));
    user.service.on(Call::CreateToken, |_| unreachable());
    let error = error_of(&user, &SessionTerms::default()).await;
    assert_eq!((error.code(), error.target()), (Code::NetworkError, Some("Acme")));
    assert!(user.service.seen(Call::StartDeviceAuthorization).is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_session_and_without_a_login_the_error_says_what_to_do() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken { refresh_token: None, ..StoredToken::with(0) });
    let error = error_of(&user, &no_login()).await;
    assert_eq!((error.code(), error.target()), (Code::LoginRequired, Some("Acme")));
    assert_eq!(error.to_string(), "Acme needs a login, and a login was not allowed.");
    assert!(error.action().unwrap().contains("Connect-SsoSession -Environment Acme"), "{error:?}");
    let why = SessionTerms { no_login_reason: Some("this is a job".to_owned()), ..no_login() };
    assert_eq!(error_of(&user, &why).await.to_string(), "Acme needs a login, and nobody can log in here because this is a job.");
    assert_eq!(user.service.calls(), [], "nothing is asked of the service");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_whose_client_has_expired_is_not_tried() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken { client_left: 0, ..StoredToken::with(-60) });
    assert_eq!(shown(&user).state, SessionState::Ended);
    assert_eq!(error_of(&user, &no_login()).await.code(), Code::LoginRequired);
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_login_leaves_the_token_and_the_client_where_the_aws_cli_looks_for_them() {
    let user = TestUser::new();
    assert_eq!(session(&user, &SessionTerms::default()).await.unwrap(), "new-token");
    assert_eq!(user.service.calls(), [Call::RegisterClient, Call::StartDeviceAuthorization, Call::CreateToken]);
    let names = ["accessToken", "refreshToken", "clientId", "clientSecret", "startUrl", "expiresAt"].map(|name| field(&user, name));
    // The login took the second that the service asks for before the first poll.
    assert_eq!(names, ["new-token", "new-refresh-token", "new-client", "new-client-secret", START_URL, user.time(3600).as_str()].map(str::to_owned));
    std::fs::remove_file(user.token_path(START_URL)).unwrap();
    let other = user.in_another_process();
    assert_eq!(session(&other, &SessionTerms::default()).await.unwrap(), "new-token");
    assert_eq!(user.service.seen(Call::RegisterClient).len(), 1, "the next login uses the same client");
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_kept_in_memory_leave_no_file_and_last_as_long_as_the_process() {
    let user = TestUser::new();
    assert_eq!(session(&user, &in_memory()).await.unwrap(), "new-token");
    assert_eq!(session(&user, &in_memory()).await.unwrap(), "new-token");
    assert_eq!(user.service.seen(Call::CreateToken).len(), 1);
    assert_eq!(std::fs::read_dir(user.path("sso/cache")).unwrap().count(), 0);
    let elsewhere = SessionTerms { login: false, ..in_memory() };
    assert_eq!(error_of(&user.in_another_process(), &elsewhere).await.code(), Code::LoginRequired);
}

#[tokio::test(start_paused = true)]
async fn a_session_in_memory_is_refreshed_there_too() {
    let user = TestUser::new();
    session(&user, &in_memory()).await.unwrap();
    tokio::time::sleep(Duration::from_mins(50)).await;
    user.service.on(Call::CreateToken, |request| {
        assert_eq!(request.field("refreshToken"), "new-refresh-token");
        token("second-token", "second-refresh-token")
    });
    for _ in 0..2 {
        assert_eq!(session(&user, &in_memory()).await.unwrap(), "second-token");
    }
    assert_eq!(user.service.seen(Call::CreateToken).len(), 2);
    assert_eq!(std::fs::read_dir(user.path("sso/cache")).unwrap().count(), 0);
}

fn given(access_token: &str, left: i64) -> TestUser {
    let token = GivenToken { access_token: Secret::new(access_token), expires_at: START + left };
    TestUser::with(|world| world.given = vec![GivenEnvironment { name: "ACME".into(), token: Some(token), ..GivenEnvironment::default() }])
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_user_gives_is_used_and_written_nowhere() {
    let user = given("given-token", 60);
    assert_eq!(session(&user, &no_login()).await.unwrap(), "given-token");
    assert_eq!(user.service.calls(), []);
    assert!(user.kept(START_URL).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_given_token_that_has_expired_or_is_not_valid_is_not_used() {
    for user in [given("given-token", 0), given("no token", 60), given("", 60)] {
        assert_eq!(error_of(&user, &no_login()).await.code(), Code::LoginRequired);
    }
}

#[tokio::test(start_paused = true)]
async fn a_given_token_that_the_service_refused_is_not_used_again() {
    let user = given("given-token", 60);
    let (environment, service) = (user.environment("Acme"), user.services());
    let (config, terms) = (ConfigFile::default(), no_login());
    let source = SessionSource::of(&user.context, &environment, &service, &config, &terms);
    assert!(matches!(source.renewed(&Secret::new("given-token"), true).await, Err(NoLogin::Failed(error)) if error.code() == Code::LoginRequired));
    assert_eq!(source.renewed(&Secret::new("another"), true).await.unwrap().access_token.reveal(), "given-token");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_three_refresh_tokens_of_a_session_are_tried() {
    let user = TestUser::new();
    for (ending, refresh_token) in [("", "one"), ("/", "two"), ("#", "three"), ("#/", "four")] {
        user.keep(&format!("{START_URL}{ending}"), StoredToken { refresh_token: Some(refresh_token), ..StoredToken::with(-60) });
    }
    user.service.on(Call::CreateToken, |_| oauth_error(400, "invalid_grant"));
    assert_eq!(error_of(&user, &no_login()).await.code(), Code::LoginRequired);
    let tried: std::collections::HashSet<String> =
        user.service.seen(Call::CreateToken).iter().map(|request| request.field("refreshToken").to_owned()).collect();
    assert_eq!((user.service.calls().len(), tried.len()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_the_service_no_longer_knows_is_replaced_at_the_login() {
    for (refusal, expected) in [("invalid_client", 1), ("unauthorized_client", 1), ("invalid_grant", 0)] {
        let user = TestUser::new();
        // The client of the file is that of the token.
        session(&user, &SessionTerms::default()).await.unwrap();
        let registered = user.service.seen(Call::RegisterClient).len();
        user.keep(START_URL, StoredToken::with(-60));
        let text = std::fs::read_to_string(user.token_path(START_URL)).unwrap();
        std::fs::write(user.token_path(START_URL), text.replace("stored-client\"", "new-client\"")).unwrap();
        user.service.on_first(Call::CreateToken, [oauth_error(400, refusal)]);
        let other = user.in_another_process();
        assert_eq!(session(&other, &SessionTerms::default()).await.unwrap(), "new-token");
        assert_eq!(user.service.seen(Call::RegisterClient).len() - registered, expected, "{refusal}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_neither_refreshes_nor_logs_in() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(-60));
    user.service.on(Call::CreateToken, |_| Reply::Never);
    let terms = SessionTerms::default();
    let (outcome, ()) = tokio::join!(session(&user, &terms), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        user.context.outlet.cancel_token().cancel();
    });
    assert!(matches!(outcome, Err(NoLogin::Cancelled)), "{outcome:?}");
    assert_eq!((user.service.calls().len(), field(&user, "accessToken").as_str()), (1, "stored-token"));
}

#[tokio::test(start_paused = true)]
async fn a_client_is_registered_with_the_scopes_of_the_session_and_that_of_the_accounts() {
    for (scopes, expected) in [
        ("", r#"["sso:account:access"]"#),
        ("sso_registration_scopes = openid, sso:account:access\n", r#"["openid","sso:account:access"]"#),
        ("sso_registration_scopes = openid\n", r#"["sso:account:access","openid"]"#),
    ] {
        let user = TestUser::new();
        let block = format!("[sso-session acme]\nsso_start_url = {START_URL}\nsso_region = us-west-2\n{scopes}");
        std::fs::write(user.path("config"), block).unwrap();
        let (environment, service) = (user.environment("Acme"), user.services());
        let (config, terms) = (ConfigFile::read(&user.context.world).unwrap(), SessionTerms::default());
        SessionSource::of(&user.context, &environment, &service, &config, &terms).session().await.unwrap();
        assert_eq!(user.service.seen(Call::RegisterClient)[0].field("scopes"), expected);
        assert!(user.token_path("acme").exists(), "the file is named after the session");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_has_as_much_time_as_the_user_gives() {
    let user = TestUser::new();
    user.service.on(Call::CreateToken, |_| oauth_error(400, "authorization_pending"));
    let started = Instant::now();
    let terms = SessionTerms { timeout: Some(42), ..SessionTerms::default() };
    assert_eq!((error_of(&user, &terms).await.code(), started.elapsed().as_secs()), (Code::LoginTimedOut, 42));
}
