//! What a user gets of the refresh in the background, with a scripted service and in virtual time.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::files::lock::Lock;
use crate::operations::tests::{events_of, failures};
use crate::protocol::{Caller, Event, GetRefresh, GetSession, Operation, RefreshState, RefreshView, StartRefresh, StopRefresh, Target};
use crate::service::scripted::{Call, START, exception, keys, oauth_error, token, unreachable};
use crate::test_user::{START_URL, StoredToken, TestUser};
use crate::world::World;

const PROD: &str = "100000000000";
const DEV: &str = "100000000001";

const HOUR: i64 = 3600;

/// A section with keys of the module that were issued for an hour and have so many seconds left.
fn section(user: &TestUser, name: &str, account: &str, left: i64) -> String {
    section_of(user, name, account, left, HOUR)
}

fn section_of(user: &TestUser, name: &str, account: &str, left: i64, lifetime: i64) -> String {
    format!(
        "[{name}]\naws_access_key_id = ASIAOLD\naws_secret_access_key = s\naws_session_token = t\naws_account_id = {account}\n\
        x_security_token_expires = {}\nx_sso_role_name = Admin\nx_sso_environment = Acme\nx_security_token_issued = {}\n",
        user.time(left),
        user.time(left - lifetime)
    )
}

/// A user with a session, and keys of Prod that have so many seconds left of an hour. New ones last an hour.
fn user(left: i64) -> TestUser {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken { client_left: 90 * 24 * HOUR, ..StoredToken::with(24 * HOUR) });
    user.write_credentials(&section(&user, "Prod", PROD, left));
    grant(&user, HOUR, Instant::now());
    user
}

/// Grants keys that last this long, for a clock that started at `start`.
fn grant(user: &TestUser, lifetime: i64, start: Instant) {
    let elapsed = move |at: Instant| i64::try_from((at - start).as_secs()).unwrap();
    user.service.on(Call::GetRoleCredentials, move |request| keys(request, START + elapsed(request.at) + lifetime));
}

/// The same user at a command of this runspace.
fn at(user: &TestUser, runspace: &str, is_told: bool) -> TestUser {
    let mut at = user.in_another_run();
    let caller = Some(Caller { runspace: runspace.to_owned(), is_told });
    at.context.world = Arc::new(World { caller, ..World::clone(&user.context.world) });
    at
}

fn acme(profiles: Option<&[&str]>) -> Vec<Target> {
    vec![Target { environment: "acme".to_owned(), profiles: profiles.map(|names| names.iter().map(|name| (*name).to_owned()).collect()) }]
}

async fn start_for(user: &TestUser, runspace: &str, targets: Vec<Target>, hours: u64) -> Vec<Event> {
    events_of(&at(user, runspace, true), Operation::StartRefresh(StartRefresh { targets, is_named: true, duration: hours * 3600 })).await
}

async fn start(user: &TestUser) {
    assert!(start_for(user, "one", acme(None), 12).await.is_empty(), "it is silent");
}

async fn stop(user: &TestUser, runspace: &str, targets: Vec<Target>) -> Vec<Event> {
    events_of(&at(user, runspace, true), Operation::StopRefresh(StopRefresh { targets, grace: 0 })).await
}

/// The state of each profile, from a command whose user is told nothing.
async fn shown(user: &TestUser) -> Vec<RefreshView> {
    let events = events_of(&at(user, "elsewhere", false), Operation::GetRefresh(GetRefresh::default())).await;
    events.into_iter().filter_map(|event| if let Event::Refresh(row) = event { Some(row) } else { None }).collect()
}

async fn state_of_prod(user: &TestUser) -> RefreshState {
    shown(user).await.into_iter().find(|row| row.profile_name == "Prod").unwrap().state
}

/// Another command, and the warnings that its user gets.
fn warnings_of_command(user: &TestUser, runspace: &str, is_told: bool) -> Vec<String> {
    let user = at(user, runspace, is_told);
    crate::operations::begin(Operation::GetSession(GetSession { environments: vec!["Acme".to_owned()] }), &user.context).unwrap();
    user.warnings()
}

/// The accounts whose keys were asked for, in this order.
fn asked(user: &TestUser) -> Vec<String> {
    user.service.seen(Call::GetRoleCredentials).iter().map(|request| request.field("account_id").to_owned()).collect()
}

fn logins(user: &TestUser) -> usize {
    user.service.calls().into_iter().filter(|call| matches!(call, Call::RegisterClient | Call::StartDeviceAuthorization)).count()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

#[tokio::test(start_paused = true)]
async fn keys_of_an_hour_are_renewed_with_20_minutes_left_while_nobody_runs_a_command() {
    let user = user(HOUR);
    start(&user).await;
    sleep(minutes(39)).await;
    assert_eq!((asked(&user).len(), state_of_prod(&user).await), (0, RefreshState::Fresh));
    sleep(minutes(2)).await;
    assert_eq!(asked(&user), [PROD]);
    assert!(user.credentials().contains("aws_access_key_id = ASIA100000000000"), "{}", user.credentials());
    sleep(minutes(120)).await;
    assert_eq!(asked(&user).len(), 4);
    assert_eq!(logins(&user), 0);
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_minute_never_lapse() {
    let user = user(1);
    grant(&user, 60, Instant::now());
    start(&user).await;
    sleep(Duration::from_secs(3)).await;
    for second in 0..600 {
        sleep(Duration::from_secs(1)).await;
        let left = &shown(&user).await[0].expiration;
        assert!(left.as_deref() > Some(user.time(15).as_str()), "second {second}: {left:?}");
    }
    assert!((13..=18).contains(&asked(&user).len()), "{}", asked(&user).len());
}

#[tokio::test(start_paused = true)]
async fn only_keys_that_the_file_has_are_renewed_and_none_of_others_are_touched() {
    for (text, why) in [
        (String::new(), "no keys"),
        ("[Prod]\nregion = eu-west-1\n".to_owned(), "no keys in the section"),
        ("[Prod]\naws_access_key_id = AKIA1\naws_secret_access_key = s\n".to_owned(), "long-term keys"),
        ("[Prod]\naws_access_key_id = ASIA1\naws_secret_access_key = s\naws_session_token = t\n".to_owned(), "keys of another tool"),
    ] {
        let user = user(HOUR);
        user.write_credentials(&text);
        start(&user).await;
        sleep(minutes(60)).await;
        assert_eq!((asked(&user).len(), user.credentials()), (0, text), "{why}");
    }
    let user = user(60);
    user.write_credentials(&section(&user, "Prod", PROD, 60).replace("= Acme", "= Other"));
    start(&user).await;
    sleep(minutes(60)).await;
    assert!(asked(&user).is_empty(), "keys of another environment");
}

#[tokio::test(start_paused = true)]
async fn keys_that_expired_over_night_are_renewed_when_the_refresh_starts() {
    let user = user(-8 * HOUR);
    start(&user).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!((asked(&user).len(), state_of_prod(&user).await), (1, RefreshState::Fresh));
}

#[tokio::test(start_paused = true)]
async fn named_profiles_alone_are_kept_fresh_and_unknown_names_are_one_error_each() {
    let user = user(60);
    user.write_credentials(&format!("{}{}", section(&user, "Prod", PROD, 60), section(&user, "Dev", DEV, 60)));
    let events = start_for(&user, "one", acme(Some(&["Dev", "Nobody"])), 12).await;
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!((failed.code, failed.target.as_deref()), (crate::error::Code::ProfileNotFound, Some("Nobody")));
    sleep(minutes(5)).await;
    assert_eq!(asked(&user), [DEV]);
    let events = start_for(&user, "one", vec![Target { environment: "Nowhere".to_owned(), profiles: None }], 12).await;
    assert_eq!(failures(&events).len(), 1);
    assert_eq!(shown(&user).await.len(), 1, "nothing is lost");
}

#[tokio::test(start_paused = true)]
async fn it_ends_twelve_hours_after_the_last_command_of_its_runspace() {
    let user = user(HOUR);
    start(&user).await;
    sleep(minutes(11 * 60)).await;
    assert!(warnings_of_command(&user, "two", true).is_empty(), "the command of another runspace does not count");
    sleep(minutes(30)).await;
    assert!(warnings_of_command(&user, "one", true).is_empty());
    sleep(minutes(11 * 60)).await;
    assert_eq!(shown(&user).await.len(), 2);
    sleep(minutes(61)).await;
    assert!(shown(&user).await.is_empty());
    let before = asked(&user).len();
    sleep(minutes(24 * 60)).await;
    assert_eq!(asked(&user).len(), before);
    start(&user).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(asked(&user).len(), before + 1, "it can start again");
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_what_this_runspace_asked_for_and_nothing_else() {
    let user = user(HOUR);
    start(&user).await;
    start_for(&user, "two", acme(Some(&["Prod"])), 12).await;
    assert_eq!(shown(&user).await.len(), 2);
    stop(&user, "one", acme(Some(&["Dev"]))).await;
    assert_eq!(shown(&user).await.len(), 1);
    stop(&user, "one", Vec::new()).await;
    assert_eq!(shown(&user).await.len(), 1, "the other runspace's");
    stop(&user, "two", acme(None)).await;
    assert!(shown(&user).await.is_empty());
    sleep(minutes(60)).await;
    assert!(asked(&user).is_empty());
    assert_eq!(failures(&stop(&user, "two", acme(None)).await).len(), 0, "twice harms nothing");
    let events = stop(&user, "two", vec![Target { environment: "Nowhere".to_owned(), profiles: None }]).await;
    assert_eq!(failures(&events).len(), 1);
    start(&user).await;
    stop(&user, "one", Vec::new()).await;
    start(&user).await;
    sleep(minutes(60)).await;
    assert_eq!(asked(&user).len(), 2, "one task goes on: at once, because the keys had expired, and after 40 minutes");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_is_one_warning_at_the_next_command_and_a_login_goes_on() {
    let user = user(30 * 60);
    start(&user).await;
    user.service.on(Call::GetRoleCredentials, |_| exception(401, "UnauthorizedException"));
    user.service.on(Call::CreateToken, |_| oauth_error(400, "invalid_grant"));
    sleep(minutes(15)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::SessionEnded);
    assert!(warnings_of_command(&user, "one", false).is_empty(), "not to a program");
    let warnings = warnings_of_command(&user, "one", true);
    assert!(warnings.len() == 1 && warnings[0].contains("Acme") && warnings[0].contains("Connect-SsoSession"), "{warnings:?}");
    sleep(minutes(30)).await;
    assert!(warnings_of_command(&user, "one", true).is_empty(), "once");
    assert_eq!(logins(&user), 0);
    assert!(asked(&user).len() <= 25, "at most one attempt for each tenth of the margin: {}", asked(&user).len());
    // The user logs in, in any process.
    user.keep(START_URL, StoredToken { access_token: "after-login", ..StoredToken::with(8 * HOUR) });
    grant(&user, HOUR, Instant::now() - minutes(45));
    sleep(Duration::from_secs(25)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::Fresh);
    assert!(user.credentials().contains("for-after-login"));
}

#[tokio::test(start_paused = true)]
async fn a_logout_by_the_user_is_no_news_to_the_user() {
    let user = user(30 * 60);
    start(&user).await;
    let logout = crate::protocol::DisconnectSession { environments: vec!["Acme".to_owned()], remove_credentials: false };
    events_of(&at(&user, "one", true), Operation::DisconnectSession(logout)).await;
    sleep(minutes(15)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::SessionEnded);
    assert_eq!(warnings_of_command(&user, "one", true), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_network_is_tried_with_growing_pauses_and_is_no_warning() {
    let user = user(20 * 60);
    let begin = Instant::now();
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    start(&user).await;
    sleep(minutes(60)).await;
    let mut times: Vec<u64> = user.service.seen(Call::GetRoleCredentials).iter().map(|request| (request.at - begin).as_secs() / 60).collect();
    times.dedup();
    let pauses: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|pause| *pause > 1).collect();
    assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1] + 1) && pauses.first() < pauses.last() && pauses.last() <= Some(&6), "{times:?}");
    assert_eq!(state_of_prod(&user).await, RefreshState::Retrying);
    assert!(shown(&user).await[0].last_error.as_deref().is_some_and(|error| !error.is_empty()));
    assert!(warnings_of_command(&user, "one", true).is_empty());
    grant(&user, HOUR, begin);
    sleep(minutes(6)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::Fresh);
}

#[tokio::test(start_paused = true)]
async fn one_process_of_many_does_the_work_and_none_holds_the_lock_while_it_waits() {
    let user = user(20 * 60 + 30);
    let others: Vec<TestUser> = (0..5).map(|_| user.in_another_process()).collect();
    for process in others.iter().chain([&user]) {
        start(process).await;
    }
    sleep(Duration::from_secs(10)).await;
    let lock = user.path("credentials.refresh-acme.lock");
    assert!(!lock.exists() || Lock::try_take(&lock).unwrap().is_some());
    sleep(minutes(3)).await;
    assert_eq!(asked(&user).len(), 1);
    assert!(Lock::try_take(&lock).unwrap().is_some());
    sleep(minutes(120)).await;
    assert_eq!(asked(&user).len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_another_process_that_failed_counts_for_all() {
    let user = user(20 * 60);
    let others: Vec<TestUser> = (0..5).map(|_| user.in_another_process()).collect();
    user.service.on(Call::GetRoleCredentials, |_| exception(403, "ForbiddenException"));
    for process in others.iter().chain([&user]) {
        start(process).await;
    }
    sleep(minutes(30)).await;
    assert!(asked(&user).len() <= 16, "{}", asked(&user).len());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_suspended_with_the_lock_does_not_let_keys_expire() {
    let user = user(20 * 60);
    let held = Lock::try_take(&user.path("credentials.refresh-acme.lock")).unwrap();
    start(&user).await;
    sleep(minutes(5)).await;
    assert_eq!(asked(&user).len(), 0);
    sleep(minutes(8)).await;
    assert_eq!(asked(&user).len(), 1);
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn a_profile_or_an_environment_that_goes_is_one_sentence_and_the_rest_goes_on() {
    let user = user(25 * 60);
    user.write_credentials(&format!("{}{}", section(&user, "Prod", PROD, 25 * 60), section(&user, "Dev", DEV, 25 * 60)));
    start_for(&user, "one", acme(Some(&["Prod", "Dev"])), 12).await;
    let text = "[environment Acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\ndefault_role_name = Admin\n";
    user.store(&format!("{text}[environment Acme profile Dev]\nsso_account_id = {DEV}\n"));
    sleep(minutes(10)).await;
    assert_eq!(asked(&user), [DEV]);
    let events = events_of(&at(&user, "one", true), Operation::GetRefresh(GetRefresh::default())).await;
    assert_eq!(failures(&events).iter().map(|failed| failed.target.as_deref()).collect::<Vec<_>>(), [Some("Prod")]);
    user.store("");
    sleep(minutes(120)).await;
    assert_eq!(asked(&user), [DEV]);
    let events = events_of(&at(&user, "one", true), Operation::GetRefresh(GetRefresh::default())).await;
    assert_eq!(failures(&events).len(), 1, "{events:?}");
    user.store(&format!("{text}[environment Acme profile Prod]\nsso_account_id = {PROD}\n"));
    sleep(minutes(1)).await;
    assert_eq!(asked(&user), [DEV, PROD], "it comes back");
}

#[tokio::test(start_paused = true)]
async fn a_month_of_renewals_leaves_nothing_behind() {
    let user = user(HOUR);
    user.service.on(Call::CreateToken, |_| token("new-token", "new-refresh-token"));
    start_for(&user, "one", acme(None), 60 * 24).await;
    sleep(minutes(24 * 60)).await;
    let after_a_day = format!("{:?}", user.context.memory).len();
    // A renewal takes half a second in Wine, whose writes are slow: there, a month is three days.
    let days = if cfg!(windows) { 3 } else { 30 };
    sleep(minutes((days - 1) * 24 * 60)).await;
    let after_a_month = format!("{:?}", user.context.memory).len();
    // A session that is in use at that moment prints nothing of itself; a trace of each renewal would be thousands of letters.
    assert!(after_a_month <= after_a_day + 512, "{after_a_day} became {after_a_month}");
    assert_eq!(state_of_prod(&user).await, RefreshState::Fresh);
    let (renewals, expected) = (asked(&user).len() as u64, 36 * days);
    assert!(renewals.abs_diff(expected) <= 10, "{renewals} instead of {expected}");
}

#[tokio::test(start_paused = true)]
async fn a_runspace_without_the_module_is_left_a_while_and_an_import_goes_on() {
    let user = user(HOUR);
    start(&user).await;
    start_for(&user, "two", acme(Some(&["Prod"])), 12).await;
    let release = || Operation::StopRefresh(StopRefresh { targets: Vec::new(), grace: 60 });
    events_of(&at(&user, "one", false), release()).await;
    sleep(Duration::from_secs(30)).await;
    assert!(warnings_of_command(&user, "one", true).is_empty());
    sleep(minutes(5)).await;
    assert_eq!(shown(&user).await.len(), 2);
    events_of(&at(&user, "one", false), release()).await;
    sleep(minutes(5)).await;
    assert_eq!(shown(&user).await.len(), 1, "the other runspace's goes on");
}

/// A clock that a test sets, as the user or a computer that slept does; besides, it runs with the virtual time.
#[derive(Clone)]
struct SetClock(Instant, Arc<std::sync::atomic::AtomicI64>);

impl crate::world::Clock for SetClock {
    fn now(&self) -> time::OffsetDateTime {
        let ahead = time::Duration::seconds(self.1.load(std::sync::atomic::Ordering::Relaxed));
        time::OffsetDateTime::from_unix_timestamp(START).unwrap() + self.0.elapsed() + ahead
    }
}

/// A user with keys of an hour whose clock can be set by so many seconds. The service has the same time.
fn user_with_clock() -> (TestUser, impl Fn(i64)) {
    let ahead = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let clock = SetClock(Instant::now(), Arc::clone(&ahead));
    let user = TestUser::with(|world| world.clock = Arc::new(clock.clone()));
    user.keep(START_URL, StoredToken { client_left: 90 * 24 * HOUR, ..StoredToken::with(48 * HOUR) });
    user.write_credentials(&section(&user, "Prod", PROD, HOUR));
    user.service.on(Call::GetRoleCredentials, move |request| {
        let now = crate::world::Clock::now(&clock).unix_timestamp();
        keys(request, now + HOUR)
    });
    (user, move |seconds| {
        ahead.fetch_add(seconds, std::sync::atomic::Ordering::Relaxed);
    })
}

#[tokio::test(start_paused = true)]
async fn a_computer_that_slept_over_night_has_new_keys_within_seconds() {
    let (user, set_clock) = user_with_clock();
    start(&user).await;
    sleep(minutes(5)).await;
    set_clock(9 * HOUR);
    sleep(Duration::from_secs(22)).await;
    assert_eq!((asked(&user).len(), state_of_prod(&user).await), (1, RefreshState::Fresh));
}

#[tokio::test(start_paused = true)]
async fn pauses_after_failures_end_when_the_computer_wakes_up() {
    let (user, set_clock) = user_with_clock();
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    user.write_credentials(&section(&user, "Prod", PROD, 60));
    start(&user).await;
    sleep(minutes(40)).await;
    let before = asked(&user).len();
    set_clock(120);
    sleep(Duration::from_secs(47)).await;
    assert!(asked(&user).len() > before);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_makes_nothing_last_longer() {
    let (user, set_clock) = user_with_clock();
    start(&user).await;
    sleep(minutes(60)).await;
    assert_eq!(asked(&user).len(), 1);
    set_clock(-30 * 24 * HOUR);
    sleep(minutes(13 * 60)).await;
    assert!(shown(&user).await.is_empty(), "it ended twelve hours after its last command");
}

#[tokio::test(start_paused = true)]
async fn a_command_gives_the_refresh_its_variables() {
    let user = user(HOUR);
    start(&user).await;
    sleep(minutes(5)).await;
    let other = user.path("other");
    std::fs::write(&other, section(&user, "Prod", PROD, 60)).unwrap();
    let mut command = at(&user, "two", true);
    let mut variables: std::collections::BTreeMap<String, String> =
        user.context.world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    variables.insert("AWS_SHARED_CREDENTIALS_FILE".to_owned(), other.display().to_string());
    command.context.world = Arc::new(World { variables: crate::world::Variables::new(variables), ..World::clone(&command.context.world) });
    crate::operations::begin(Operation::GetSession(GetSession { environments: vec!["Acme".to_owned()] }), &command.context).unwrap();
    sleep(Duration::from_secs(5)).await;
    assert!(std::fs::read_to_string(&other).unwrap().contains("ASIA100000000000"));
    assert!(user.credentials().contains("ASIAOLD"));
}

#[tokio::test(start_paused = true)]
async fn a_user_who_logs_in_again_before_the_next_command_is_not_told_that_the_session_ended() {
    let user = user(30 * 60);
    start(&user).await;
    user.service.on(Call::GetRoleCredentials, |_| exception(401, "UnauthorizedException"));
    user.service.on_first(Call::CreateToken, (0..10).map(|_| oauth_error(400, "invalid_grant")));
    sleep(minutes(11)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::SessionEnded);
    grant(&user, HOUR, Instant::now() - minutes(11));
    user.keep(START_URL, StoredToken { access_token: "after-login", ..StoredToken::with(8 * HOUR) });
    let login =
        crate::protocol::ConnectSession { environments: vec!["Acme".to_owned()], session: crate::protocol::SessionTerms::default(), move_session: false };
    events_of(&at(&user, "one", false), Operation::ConnectSession(login)).await;
    assert_eq!(warnings_of_command(&user, "one", true), [""; 0]);
    sleep(Duration::from_secs(5)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::Fresh);
}

#[tokio::test(start_paused = true)]
async fn an_update_by_the_user_ends_what_is_shown_of_an_attempt_that_failed() {
    let user = user(60);
    user.service.on(Call::GetRoleCredentials, |_| exception(403, "ForbiddenException"));
    start(&user).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(state_of_prod(&user).await, RefreshState::Retrying);
    user.write_credentials(&section(&user, "Prod", PROD, HOUR));
    let row = &shown(&user).await[0];
    assert_eq!((row.state, row.last_error.as_deref()), (RefreshState::Fresh, None));
}
