//! Sessions that other runs, processes, programs and spellings of the start URL have a part in.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{REFUSED, error_of, field, no_login, session, shown};
use crate::environments::configured::ConfigFile;
use crate::error::Code;
use crate::files::lock::Lock;
use crate::login::attempt::NoLogin;
use crate::protocol::{Event, SessionTerms};
use crate::service::network::Reply;
use crate::service::scripted::{Call, late, oauth_error, token};
use crate::session::place::token_files;
use crate::session::source::SessionSource;
use crate::test_user::{START_URL, StoredToken, TestUser};

/// The access token that a user gets who may not log in while another process does, which holds this lock for three seconds and stores `their-token`.
async fn session_after_another_login(user: &TestUser, held: Lock) -> String {
    let terms = no_login();
    let (outcome, ()) = tokio::join!(session(user, &terms), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        user.keep(START_URL, StoredToken { access_token: "their-token", ..StoredToken::with(3600) });
        drop(held);
    });
    outcome.unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_the_tokens_under_several_spellings_of_the_start_url_the_newest_is_used_and_refreshed_in_its_file() {
    let user = TestUser::new();
    let spelled = "https://acme.awsapps.com/start/#/";
    user.keep(START_URL, StoredToken { access_token: "older", refresh_token: Some("older-refresh"), ..StoredToken::with(-60) });
    user.keep("https://acme.awsapps.com/start/", StoredToken { access_token: "old", ..StoredToken::with(1000) });
    user.keep(spelled, StoredToken { access_token: "newest", refresh_token: Some("newest-refresh"), ..StoredToken::with(2000) });
    assert_eq!(session(&user, &no_login()).await.unwrap(), "newest");
    assert_eq!(shown(&user).path.unwrap(), user.token_path(spelled).display().to_string());
    std::fs::remove_file(user.token_path(START_URL)).unwrap();
    tokio::time::sleep(Duration::from_mins(25)).await;
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
    assert_eq!(user.service.seen(Call::CreateToken)[0].field("refreshToken"), "newest-refresh");
    let renewed = user.kept(spelled).unwrap();
    assert_eq!((renewed["accessToken"].as_str(), renewed["startUrl"].as_str()), (Some("new-token"), Some(spelled)));
    assert!(user.kept(START_URL).is_none(), "the AWS CLI finds it under the spelling that it uses");
}

#[tokio::test(start_paused = true)]
async fn a_token_of_another_region_under_another_spelling_is_not_used() {
    let user = TestUser::new();
    let spelled = "https://acme.awsapps.com/start/";
    user.keep(spelled, StoredToken::with(3600));
    let text = std::fs::read_to_string(user.token_path(spelled)).unwrap();
    std::fs::write(user.token_path(spelled), text.replace("us-west-2", "eu-west-1")).unwrap();
    assert_eq!(error_of(&user, &no_login()).await.code(), Code::LoginRequired);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_process_refreshes_while_this_one_waits_is_used_without_a_request() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(-60));
    let files = token_files(&user.context.world, &user.environment("Acme"), &ConfigFile::default()).unwrap().unwrap();
    let held = Lock::try_take(&files.lock_path()).unwrap().unwrap();
    assert_eq!(session_after_another_login(&user, held).await, "their-token");
    assert_eq!(user.service.calls(), []);
    let waits = user.events().into_iter().filter_map(|event| if let Event::Waiting(waiting) = event { Some(waiting.text) } else { None });
    assert_eq!(waits.collect::<Vec<_>>(), ["Another process is logging in to Acme"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_may_not_log_in_waits_ten_seconds_for_a_process_that_does() {
    let user = TestUser::new();
    let files = token_files(&user.context.world, &user.environment("Acme"), &ConfigFile::default()).unwrap().unwrap();
    let _held = Lock::try_take(&files.lock_path()).unwrap().unwrap();
    let started = Instant::now();
    assert_eq!(error_of(&user, &no_login()).await.code(), Code::FileLocked);
    assert_eq!(started.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_a_login_in_the_same_process_uses_its_session_or_gives_up_at_its_limit() {
    let user = TestUser::new();
    user.service.on_first(Call::CreateToken, [late(Duration::from_secs(7), token("new-token", "r"))]);
    let (terms, patient) = (SessionTerms::default(), no_login());
    let (one, other) = tokio::join!(session(&user, &terms), session(&user, &patient));
    assert_eq!((one.unwrap().as_str(), other.unwrap().as_str()), ("new-token", "new-token"));
    assert_eq!(user.service.seen(Call::CreateToken).len(), 1);
    let user = TestUser::new();
    user.service.on(Call::CreateToken, |_| Reply::Never);
    let (run, second) = (user.in_another_run(), no_login());
    let (_, other) = tokio::join!(tokio::time::timeout(Duration::from_secs(20), session(&run, &terms)), async {
        let started = Instant::now();
        let error = error_of(&user, &second).await;
        (error, started.elapsed().as_secs())
    });
    assert_eq!((other.0.code(), other.1), (Code::FileLocked, 10));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_another_program_writes_while_the_refresh_is_refused_is_used() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(-60));
    let path = user.token_path(START_URL);
    let theirs = json!({ "accessToken": "their-token", "expiresAt": user.time(3600) }).to_string();
    user.service.on(Call::CreateToken, move |_| {
        std::fs::write(&path, &theirs).unwrap();
        oauth_error(400, "invalid_grant")
    });
    assert_eq!(session(&user, &SessionTerms::default()).await.unwrap(), "their-token");
    assert_eq!(user.service.calls(), [Call::CreateToken]);
    assert!(field(&user, REFUSED).is_empty(), "the note would be about another refresh token");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_another_program_writes_meanwhile_is_tried_too() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(-60));
    let path = user.token_path(START_URL);
    user.service.on(Call::CreateToken, move |request| {
        if request.field("refreshToken") == "second" {
            return token("new-token", "third");
        }
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("stored-refresh-token", "second")).unwrap();
        oauth_error(400, "invalid_grant")
    });
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
    assert_eq!(user.service.calls(), [Call::CreateToken; 2]);
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_names_the_session_of_another_portal_gets_no_session() {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(3600));
    let config = "[sso-session other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-west-2\n";
    std::fs::write(user.path("config"), config).unwrap();
    user.store("[environment Acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\nsso_session = other\n");
    let (environment, service) = (user.environment("Acme"), user.services());
    let config = ConfigFile::read(&user.context.world).unwrap();
    let terms = SessionTerms::default();
    let outcome = SessionSource::of(&user.context, &environment, &service, &config, &terms).session().await;
    assert!(matches!(&outcome, Err(NoLogin::Failed(error)) if error.code() == Code::EnvironmentInvalid), "{outcome:?}");
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_token_under_the_spelling_of_another_stored_environment_is_used() {
    let user = TestUser::new();
    let spelled = "https://ACME.awsapps.com/start";
    user.keep(spelled, StoredToken::with(3600));
    assert_eq!(error_of(&user, &no_login()).await.code(), Code::LoginRequired, "nobody can tell the spelling from the name of its file");
    let acme = std::fs::read_to_string(user.path("sso-environments")).unwrap();
    for (region, is_found) in [("eu-west-1", false), ("us-west-2", true)] {
        user.store(&format!("{acme}[environment Beta]\nsso_start_url = {spelled}\nsso_region = {region}\n"));
        assert_eq!(session(&user, &no_login()).await.is_ok(), is_found, "{region}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_earlier_version_of_the_module_that_logs_in_is_waited_for() {
    let user = TestUser::new();
    let lock = user.token_path(START_URL).with_extension("lock");
    let held = Lock::try_take(&lock).unwrap().unwrap();
    assert_eq!(session_after_another_login(&user, held).await, "their-token");
    let waits = user.events().into_iter().filter(|event| matches!(event, Event::Waiting(_)));
    assert_eq!(waits.count(), 1, "the user reads once that this is why nothing happens");
    assert_eq!(std::fs::read_to_string(lock).unwrap(), "{}\n", "tools that read every file of the folder as JSON get an object");
}

#[tokio::test(start_paused = true)]
async fn a_file_of_another_spelling_that_is_removed_during_the_refresh_is_not_created_again() {
    let user = TestUser::new();
    let spelled = "https://acme.awsapps.com/start/";
    user.keep(spelled, StoredToken::with(-60));
    let path = user.token_path(spelled);
    user.service.on(Call::CreateToken, move |_| {
        std::fs::remove_file(&path).unwrap();
        token("new-token", "new-refresh-token")
    });
    assert_eq!(session(&user, &no_login()).await.unwrap(), "new-token");
    assert!(user.kept(spelled).is_none());
    assert_eq!((field(&user, "accessToken").as_str(), field(&user, "startUrl").as_str()), ("new-token", START_URL));
}
