//! How a session is shown, and how it ends.

use std::time::Duration;

use tokio::time::Instant;

use super::{no_login, session, shown};
use crate::environments::configured::ConfigFile;
use crate::protocol::{SessionState, SessionTerms, TokenCache};
use crate::secret::Secret;
use crate::service::network::Reply;
use crate::service::scripted::{Call, exception, oauth_error};
use crate::session::source::SessionSource;
use crate::session::view::exposed;
use crate::test_user::{START_URL, StoredToken, TestUser};

async fn disconnect(user: &TestUser) -> bool {
    let (environment, service) = (user.environment("Acme"), user.services());
    let (config, terms) = (ConfigFile::default(), no_login());
    SessionSource::of(&user.context, &environment, &service, &config, &terms).disconnect().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn disconnecting_ends_the_session_at_the_service_and_removes_its_files() {
    let user = TestUser::new();
    let spelled = "https://acme.awsapps.com/start#/";
    user.keep(START_URL, StoredToken { access_token: "one", ..StoredToken::with(3600) });
    user.keep(spelled, StoredToken { access_token: "two", ..StoredToken::with(60) });
    session(&user, &no_login()).await.unwrap();
    user.events();
    assert!(disconnect(&user).await);
    let ended: Vec<String> = user.service.seen(Call::Logout).into_iter().map(|request| request.access_token).collect();
    assert_eq!(ended, ["one", "two"]);
    assert!(user.kept(START_URL).is_none() && user.kept(spelled).is_none());
    assert_eq!((user.warnings().len(), user.context.memory.session_end("Acme")), (0, None));
    assert!(!disconnect(&user).await, "there is nothing left to end");
    assert_eq!(user.service.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_at_the_logout_is_warned_of_and_the_files_are_removed_all_the_same() {
    for (reply, warns) in [(exception(400, "InvalidRequestException"), true), (exception(401, "UnauthorizedException"), false)] {
        let user = TestUser::new();
        user.keep(START_URL, StoredToken::with(3600));
        user.service.on_first(Call::Logout, [reply]);
        assert!(disconnect(&user).await);
        assert!(user.kept(START_URL).is_none());
        let warnings = user.warnings();
        assert_eq!(warnings.len(), usize::from(warns), "{warnings:?}");
        assert!(!warns || warnings[0].starts_with("The session of Acme was removed from this computer, but the service did not end it"), "{warnings:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_program_removes_during_the_logout_is_no_error() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(3600));
    let path = user.token_path(START_URL);
    user.service.on(Call::Logout, move |_| {
        std::fs::remove_file(&path).unwrap();
        exception(401, "UnauthorizedException")
    });
    assert!(disconnect(&user).await && user.warnings().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_logout_that_is_never_answered_is_given_up_after_ten_seconds() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(3600));
    user.service.on(Call::Logout, |_| Reply::Never);
    let started = Instant::now();
    assert!(disconnect(&user).await);
    assert_eq!((started.elapsed().as_secs(), user.warnings().len()), (10, 1));
    assert!(user.kept(START_URL).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_is_shown_as_it_is_at_each_moment() {
    let user = TestUser::new();
    assert_eq!((shown(&user).state, shown(&user).path), (SessionState::None, None));
    user.keep(START_URL, StoredToken::with(60));
    let active = shown(&user);
    assert_eq!((active.state, active.refreshable, active.token_expires), (SessionState::Active, true, Some(user.time(60))));
    assert_eq!((active.registration_expires, active.path), (Some(user.time(86400)), Some(user.token_path(START_URL).display().to_string())));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((shown(&user).state, shown(&user).refreshable), (SessionState::Refreshable, true));
    user.keep(START_URL, StoredToken { refresh_token: None, ..StoredToken::with(0) });
    assert_eq!((shown(&user).state, shown(&user).refreshable), (SessionState::Ended, false));
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn of_several_tokens_the_one_that_can_be_used_is_shown() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken { refresh_token: None, ..StoredToken::with(-60) });
    let spelled = "https://acme.awsapps.com/start/";
    user.keep(spelled, StoredToken::with(-120));
    assert_eq!((shown(&user).state, shown(&user).path.unwrap()), (SessionState::Refreshable, user.token_path(spelled).display().to_string()));
    user.keep(spelled, StoredToken { refresh_token: None, ..StoredToken::with(120) });
    assert_eq!((shown(&user).state, shown(&user).path.unwrap()), (SessionState::Active, user.token_path(spelled).display().to_string()));
}

#[tokio::test(start_paused = true)]
async fn an_access_token_is_handed_over_with_the_time_that_is_left_and_never_once_it_has_expired() {
    let user = TestUser::new();
    let token = || exposed(&user.context, &user.environment("Acme"), &ConfigFile::default(), Some(TokenCache::AwsCli)).unwrap();
    assert!(token().is_none());
    user.keep(START_URL, StoredToken::with(2));
    let shown = token().unwrap();
    assert_eq!((shown.environment.as_str(), shown.expires_in), ("Acme", 2));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(token().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_the_service_ended_early_is_shown_as_ended_and_the_next_login_is_a_real_one() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(7200));
    user.service.on_first(Call::CreateToken, [oauth_error(400, "invalid_grant"), oauth_error(400, "invalid_grant")]);
    let (environment, service) = (user.environment("Acme"), user.services());
    let (config, terms) = (ConfigFile::default(), no_login());
    let source = SessionSource::of(&user.context, &environment, &service, &config, &terms);
    // A request was answered with 401.
    source.renewed(&Secret::new("stored-token"), true).await.unwrap_err();
    assert_eq!(shown(&user).state, SessionState::Ended);
    assert_eq!(session(&user, &SessionTerms::default()).await.unwrap(), "new-token");
    assert_eq!(shown(&user).state, SessionState::Active);
}
