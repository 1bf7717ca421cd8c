//! What becomes of each profile of an update.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::error::Code;
use crate::files::lock::Lock;
use crate::operations::tests::{events_of, failures};
use crate::protocol::{Completed, Event, GetAccount, GetRole, Operation, Profile, ProfileStatus, SessionTerms, Target, TokenCache, Update};
use crate::service::network::Reply;
use crate::service::scripted::{Call, KEYS_EXPIRE, Request, exception, keys, late, token, unreachable, with};
use crate::test_user::{START_URL, StoredToken, TestUser};

pub(super) const PROD: &str = "100000000000";
pub(super) const DEV: &str = "100000000001";

/// An update of all profiles of these environments, without a login.
pub(super) fn update_of(environments: &[&str]) -> Update {
    let target = |name: &&str| Target { environment: (*name).to_owned(), profiles: None };
    Update {
        is_named: false,
        targets: environments.iter().map(target).collect(),
        force: false,
        replace_keys: false,
        minimum_remaining: 900,
        session: SessionTerms { login: false, ..SessionTerms::default() },
        throttle_limit: 16,
        report_profiles: true,
        expose_token: false,
    }
}

pub(super) async fn updated(user: &TestUser, update: Update) -> Vec<Event> {
    events_of(user, Operation::Update(update)).await
}

/// A user with a session that lasts.
pub(super) fn user() -> TestUser {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(7200));
    user
}

/// A section with keys that the module wrote, which have so many seconds left.
pub(super) fn section(user: &TestUser, name: &str, account: &str, left: i64) -> String {
    format!(
        "[{name}]\naws_access_key_id = ASIAOLD\naws_secret_access_key = s\naws_session_token = t\naws_account_id = {account}\n\
        x_security_token_expires = {}\nx_sso_role_name = Admin\nx_sso_environment = Acme\nx_security_token_issued = {}\n",
        user.time(left),
        user.time(left - 3600)
    )
}

/// The status of each profile that was reported.
fn statuses(events: &[Event]) -> BTreeMap<&str, ProfileStatus> {
    profiles(events).into_iter().map(|profile| (profile.profile_name.as_str(), profile.status)).collect()
}

fn profiles(events: &[Event]) -> Vec<&Profile> {
    events.iter().filter_map(|event| if let Event::Profile(profile) = event { Some(profile) } else { None }).collect()
}

fn summary(events: &[Event]) -> &Completed {
    let mut summaries = events.iter().filter_map(|event| if let Event::Completed(completed) = event { Some(completed) } else { None });
    summaries.next().unwrap()
}

/// The accounts whose keys were asked for.
fn asked(user: &TestUser) -> Vec<String> {
    let mut accounts: Vec<String> = user.service.seen(Call::GetRoleCredentials).iter().map(|request| request.field("account_id").to_owned()).collect();
    accounts.sort();
    accounts
}

/// Refuses one account with this reply, and gives the keys of all others.
fn refuse(user: &TestUser, account: &'static str, mut reply: impl FnMut(&Request) -> Reply + Send + 'static) {
    user.service.on(Call::GetRoleCredentials, move |request| if request.field("account_id") == account { reply(request) } else { keys(request, KEYS_EXPIRE) });
}

#[tokio::test(start_paused = true)]
async fn new_profiles_get_keys_in_the_order_of_the_table_and_the_summary_counts_them() {
    let user = user();
    refuse(&user, PROD, |request| late(Duration::from_secs(1), keys(request, KEYS_EXPIRE - 600)));
    let events = updated(&user, update_of(&["acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Created), ("Prod", ProfileStatus::Created)].into());
    let text = user.credentials();
    let sections: Vec<&str> = text.lines().filter(|line| line.starts_with('[')).collect();
    assert_eq!(sections, ["[Prod]", "[Dev]"]);
    assert!(text.contains("aws_access_key_id = ASIA100000000001\naws_secret_access_key = secret-of-Admin\naws_session_token = for-stored-token\n"), "{text}");
    // The keys count from the moment when each was fetched.
    let issued: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("x_security_token_issued = ")).collect();
    assert_eq!(issued, [user.time(0), user.time(-1)]);
    let summary = summary(&events);
    assert_eq!((summary.environment.as_str(), &summary.profile_names[..]), ("Acme", &["Prod".to_owned(), "Dev".to_owned()][..]));
    assert_eq!((summary.refreshed, summary.still_valid, summary.failed, summary.cancelled), (2, 0, 0, false));
    assert_eq!(summary.credentials_expire, Some(user.time(2999)), "until when all of them last");
    assert_eq!(summary.session_expires, Some(user.time(7199)));
}

#[tokio::test(start_paused = true)]
async fn only_what_is_due_is_fetched_and_the_rest_stays_to_the_byte() {
    let user = user();
    let good = section(&user, "Prod", PROD, 900);
    user.write_credentials(&format!("# mine\n{good}\n{}", section(&user, "Dev", DEV, 899)));
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(asked(&user), [DEV]);
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Refreshed), ("Prod", ProfileStatus::StillValid)].into());
    let ends: BTreeMap<&str, Option<String>> =
        profiles(&events).into_iter().map(|profile| (profile.profile_name.as_str(), profile.expiration.clone())).collect();
    assert_eq!(ends, [("Prod", Some(user.time(900))), ("Dev", Some(user.time(3600)))].into());
    assert!(user.credentials().starts_with(&format!("# mine\n{good}\n[Dev]\n")), "{}", user.credentials());
    let summary = summary(&events);
    assert_eq!((summary.refreshed, summary.still_valid, summary.failed), (1, 1, 0));
    assert_eq!(summary.credentials_expire, Some(user.time(900)));
}

#[tokio::test(start_paused = true)]
async fn a_run_with_nothing_due_sends_no_request_and_takes_no_lock() {
    let user = TestUser::new();
    user.write_credentials(&format!("{}\n{}", section(&user, "Prod", PROD, 3600), section(&user, "Dev", DEV, 3600)));
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!((user.service.calls().len(), summary(&events).still_valid), (0, 2));
    assert!(!user.path("credentials.lock").exists());
}

#[tokio::test(start_paused = true)]
async fn force_fetches_what_is_still_good_and_named_profiles_leave_the_others_alone() {
    let user = user();
    user.write_credentials(&format!("{}\n{}", section(&user, "Prod", PROD, 3600), section(&user, "Dev", DEV, 3600)));
    let targets = vec![Target { environment: "Acme".into(), profiles: Some(vec!["Dev".into()]) }];
    let events = updated(&user, Update { force: true, targets, ..update_of(&[]) }).await;
    assert_eq!((asked(&user), statuses(&events)), (vec![DEV.to_owned()], [("Dev", ProfileStatus::Refreshed)].into()));
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_is_named_twice_is_one_row() {
    let user = user();
    let targets = [Some(vec!["Dev".to_owned()]), None].map(|profiles| Target { environment: "Acme".into(), profiles });
    let events = updated(&user, Update { targets: targets.into(), ..update_of(&[]) }).await;
    assert_eq!((asked(&user), summary(&events).refreshed, profiles(&events).len()), (vec![PROD.to_owned(), DEV.to_owned()], 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_role_that_is_refused_fails_its_profile_and_no_other() {
    let user = user();
    refuse(&user, PROD, |_| exception(403, "ForbiddenException"));
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Created), ("Prod", ProfileStatus::Failed(Code::RoleNotAssigned))].into());
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!(
        (failed.code, failed.target.as_deref(), failed.request_id.as_deref(), failed.terminating),
        (Code::RoleNotAssigned, Some("Prod"), Some("request-1"), false)
    );
    let summary = summary(&events);
    assert_eq!((summary.refreshed, summary.failed, &summary.profile_names[..]), (1, 1, &["Dev".to_owned()][..]));
    assert!(!user.credentials().contains("[Prod]"));
    assert_eq!(asked(&user), [PROD, DEV], "a role that is not listed is not asked for twice");
}

#[tokio::test(start_paused = true)]
async fn an_account_that_the_service_does_not_know_fails_its_profile() {
    let user = user();
    refuse(&user, DEV, |_| exception(404, "ResourceNotFoundException"));
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Failed(Code::AccountNotFound)), ("Prod", ProfileStatus::Created)].into());
}

/// Runs an update while another process fetches, which writes this after three seconds.
async fn updated_beside_another(user: &TestUser, update: Update, text: &str) -> Vec<Event> {
    let held = Lock::try_take(&user.path("credentials.fetch-acme.lock")).unwrap().unwrap();
    let (events, ()) = tokio::join!(updated(user, update), async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        user.write_credentials(text);
        drop(held);
    });
    events
}

#[tokio::test(start_paused = true)]
async fn what_another_process_has_fetched_meanwhile_is_not_fetched_again() {
    for force in [false, true] {
        let user = user();
        user.write_credentials(&section(&user, "Dev", DEV, 3700));
        let theirs = format!("{}\n{}", section(&user, "Prod", PROD, 3600), section(&user, "Dev", DEV, 3700));
        let events = updated_beside_another(&user, Update { force, ..update_of(&["Acme"]) }, &theirs).await;
        let dev = if force { ProfileStatus::Refreshed } else { ProfileStatus::StillValid };
        assert_eq!(statuses(&events), [("Dev", dev), ("Prod", ProfileStatus::StillValid)].into(), "what nobody changed is forced all the same");
        assert_eq!(asked(&user).len(), usize::from(force));
        let waits = events.iter().filter(|event| matches!(event, Event::Waiting(waiting) if waiting.environment == "acme"));
        assert_eq!(waits.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_another_source_that_came_meanwhile_stay() {
    let user = user();
    let theirs = "[Prod]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = s\n";
    let events = updated_beside_another(&user, update_of(&["Acme"]), theirs).await;
    assert_eq!(
        (asked(&user), statuses(&events)),
        (vec![DEV.to_owned()], [("Dev", ProfileStatus::Created), ("Prod", ProfileStatus::Failed(Code::ProfileHasOtherKeys))].into())
    );
    assert!(user.credentials().starts_with(theirs), "{}", user.credentials());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_fetches_for_too_long_is_waited_for_half_of_the_time() {
    let user = user();
    let _held = Lock::try_take(&user.path("credentials.fetch-acme.lock")).unwrap().unwrap();
    let started = Instant::now();
    let session = SessionTerms { timeout: Some(20), ..SessionTerms::default() };
    let events = updated(&user, Update { session, ..update_of(&["Acme"]) }).await;
    assert_eq!((started.elapsed().as_secs(), summary(&events).refreshed), (10, 2));
}

#[tokio::test(start_paused = true)]
async fn keys_of_another_source_that_come_during_the_fetch_stay_unless_they_are_to_be_replaced() {
    for replace_keys in [false, true] {
        let user = user();
        let (path, theirs) = (user.path("credentials"), "[Prod]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = s\n");
        refuse(&user, PROD, move |request| {
            std::fs::write(&path, theirs).unwrap();
            keys(request, KEYS_EXPIRE)
        });
        let events = updated(&user, Update { replace_keys, ..update_of(&["Acme"]) }).await;
        let prod = if replace_keys { ProfileStatus::Created } else { ProfileStatus::Failed(Code::ProfileHasOtherKeys) };
        assert_eq!(statuses(&events), [("Dev", ProfileStatus::Created), ("Prod", prod)].into());
        assert_eq!(user.credentials().contains("AKIATHEIRS"), !replace_keys);
        let written = if replace_keys { "2 profiles were written" } else { "1 profile was written" };
        assert!(events.iter().any(|event| matches!(event, Event::Note(note) if note.text.starts_with(written))), "{events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_another_source_are_left_alone_unless_they_are_to_be_replaced() {
    let user = user();
    let theirs = "[Prod]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = s\n";
    user.write_credentials(theirs);
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Created), ("Prod", ProfileStatus::Failed(Code::ProfileHasOtherKeys))].into());
    assert!(user.credentials().starts_with(theirs), "{}", user.credentials());
    let events = updated(&user, Update { replace_keys: true, ..update_of(&["Acme"]) }).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::StillValid), ("Prod", ProfileStatus::Refreshed)].into());
    assert!(!user.credentials().contains("AKIATHEIRS"));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_keeps_what_it_has_fetched() {
    let user = user();
    refuse(&user, DEV, |_| Reply::Never);
    let (events, ()) = tokio::join!(updated(&user, update_of(&["Acme"])), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        user.context.outlet.cancel_token().cancel();
    });
    let summary = summary(&events);
    assert_eq!((summary.refreshed, summary.failed, summary.cancelled, statuses(&events)), (1, 0, true, [("Prod", ProfileStatus::Created)].into()));
    assert!(user.credentials().contains("[Prod]") && !user.credentials().contains("[Dev]"), "{}", user.credentials());
    assert!(failures(&events).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_at_its_login_fetches_nothing_and_is_no_error() {
    let user = TestUser::new();
    user.service.on(Call::CreateToken, |_| Reply::Never);
    let (events, ()) = tokio::join!(updated(&user, Update { session: SessionTerms::default(), ..update_of(&["Acme"]) }), async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        user.context.outlet.cancel_token().cancel();
    });
    assert!(summary(&events).cancelled && failures(&events).is_empty() && asked(&user).is_empty(), "{events:?}");
    assert_eq!((summary(&events).refreshed, summary(&events).failed), (0, 0));
}

/// A second environment of this portal, whose profile Prod is for this account.
fn beta(user: &TestUser, start_url: &str, account: &str) {
    let acme = std::fs::read_to_string(user.path("sso-environments")).unwrap();
    user.store(&format!(
        "{acme}[environment Beta]\nsso_start_url = {start_url}\nsso_region = us-west-2\n\
        [environment Beta profile Prod]\nsso_account_id = {account}\nsso_role_name = Admin\n"
    ));
}

#[tokio::test(start_paused = true)]
async fn two_environments_with_the_same_profile_of_one_portal_fetch_it_once() {
    let user = user();
    beta(&user, &format!("{START_URL}/#/"), PROD);
    let events = updated(&user, update_of(&["Acme", "Beta"])).await;
    assert_eq!(asked(&user), [PROD, DEV]);
    assert_eq!((profiles(&events).len(), failures(&events).len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn two_environments_with_one_profile_name_for_different_roles_both_leave_it_alone_and_name_each_other() {
    for (start_url, account) in [(START_URL, "999999999999"), ("https://beta.awsapps.com/start", PROD)] {
        let user = user();
        beta(&user, start_url, account);
        user.keep("https://beta.awsapps.com/start", StoredToken::with(7200));
        let events = updated(&user, update_of(&["Acme", "Beta"])).await;
        assert_eq!(asked(&user), [DEV]);
        let errors: Vec<(Code, bool, bool)> = failures(&events)
            .iter()
            .map(|failed| (failed.code, failed.message.contains("of Acme: the environment Beta"), failed.message.contains("of Beta: the environment Acme")))
            .collect();
        assert_eq!(errors, [(Code::ProfileNameConflict, true, false), (Code::ProfileNameConflict, false, true)], "{events:?}");
        assert!(!user.credentials().contains("[Prod]"));
    }
}

/// Lists what is assigned, so that it is known.
async fn list(user: &TestUser) {
    let session = SessionTerms { login: false, ..SessionTerms::default() };
    let events = events_of(user, Operation::GetAccount(GetAccount { environment: "Acme".into(), known: false, session: session.clone() })).await;
    let accounts = events.into_iter().filter_map(|event| if let Event::Account(account) = event { Some(account) } else { None }).collect();
    events_of(user, Operation::GetRole(GetRole { environment: "Acme".into(), accounts, known: false, throttle_limit: 16, session })).await;
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_assigned_a_moment_ago_is_asked_for_again_after_two_seconds() {
    let user = user();
    list(&user).await;
    let mut is_first = true;
    refuse(&user, PROD, move |request| if std::mem::take(&mut is_first) { exception(403, "ForbiddenException") } else { keys(request, KEYS_EXPIRE) });
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!((statuses(&events), failures(&events).len()), ([("Dev", ProfileStatus::Created), ("Prod", ProfileStatus::Created)].into(), 0));
    let prod: Vec<Instant> =
        user.service.seen(Call::GetRoleCredentials).iter().filter(|request| request.field("account_id") == PROD).map(|request| request.at).collect();
    assert_eq!(prod[1] - prod[0], Duration::from_secs(2));
    let progress = events.iter().filter_map(|event| if let Event::Progress(progress) = event { Some((progress.done, progress.total)) } else { None });
    assert_eq!(progress.collect::<Vec<_>>(), [(0, 2), (1, 2), (2, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_stays_refused_is_forgotten_and_does_not_slow_down_the_next_run() {
    let user = user();
    list(&user).await;
    refuse(&user, PROD, |_| exception(403, "ForbiddenException"));
    let mut took = Vec::new();
    for _ in 0..2 {
        let started = Instant::now();
        let events = updated(&user, update_of(&["Acme"])).await;
        assert_eq!(statuses(&events)["Prod"], ProfileStatus::Failed(Code::RoleNotAssigned));
        took.push(started.elapsed().as_secs());
    }
    assert_eq!(took, [2, 0]);
    let known = std::fs::read_to_string(user.path("sso-environments.accounts.json")).unwrap();
    assert!(known.contains(PROD) && !known.contains("Admin"), "the account stays: {known}");
}

#[tokio::test(start_paused = true)]
async fn a_run_with_little_time_does_not_wait_for_an_assignment() {
    for (timeout, expected) in [(5, 0), (8, 2)] {
        let user = user();
        list(&user).await;
        refuse(&user, PROD, |_| exception(403, "ForbiddenException"));
        let started = Instant::now();
        let session = SessionTerms { login: false, timeout: Some(timeout), ..SessionTerms::default() };
        updated(&user, Update { session, ..update_of(&["Acme"]) }).await;
        assert_eq!(started.elapsed().as_secs(), expected, "{timeout}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_under_way_than_the_user_allows() {
    let user = user();
    let row = |number| format!("[environment Acme profile P{number}]\nsso_account_id = 20000000000{number}\nsso_role_name = Admin\n");
    let table = (0..10).map(row).collect::<Vec<_>>().concat();
    user.store(&format!("[environment Acme]\nsso_start_url = {START_URL}\nsso_region = us-west-2\n{table}"));
    user.service.on(Call::GetRoleCredentials, |request| late(Duration::from_secs(1), keys(request, KEYS_EXPIRE)));
    let started = Instant::now();
    let events = updated(&user, Update { throttle_limit: 2, ..update_of(&["Acme"]) }).await;
    assert_eq!((summary(&events).refreshed, started.elapsed().as_secs()), (10, 5));
}

#[tokio::test(start_paused = true)]
async fn an_environment_without_a_session_ends_the_run_where_it_is_the_only_one_and_else_stops_no_other() {
    let user = TestUser::new();
    let events = updated(&user, update_of(&["Acme"])).await;
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!((failed.code, failed.terminating), (Code::LoginRequired, true));
    assert!(!events.iter().any(|event| matches!(event, Event::Completed(_) | Event::Profile(_))), "{events:?}");
    user.store(
        "[environment Acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\n[environment Acme profile A]\nsso_account_id = 100000000000\nsso_role_name = Admin\n\
        [environment Beta]\nsso_start_url = https://beta.awsapps.com/start\nsso_region = us-west-2\n[environment Beta profile B]\nsso_account_id = 100000000000\nsso_role_name = Admin\n",
    );
    user.keep("https://beta.awsapps.com/start", StoredToken::with(7200));
    let events = updated(&user, update_of(&["Acme", "Beta"])).await;
    assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::LoginRequired, false)]);
    assert_eq!((summary(&events).environment.as_str(), statuses(&events)), ("Beta", [("B", ProfileStatus::Created)].into()));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_lost_in_the_middle_is_one_error_and_what_was_fetched_is_written() {
    let user = user();
    refuse(&user, DEV, |_| late(Duration::from_secs(1), unreachable()));
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Failed(Code::NetworkError)), ("Prod", ProfileStatus::Created)].into());
    assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::NetworkError, false)]);
    assert_eq!((summary(&events).refreshed, summary(&events).failed), (1, 1));
    assert!(user.credentials().contains("[Prod]"));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_reached_at_all_ends_the_run_with_one_error() {
    let user = user();
    user.service.on(Call::GetRoleCredentials, |_| unreachable());
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::NetworkError, true)]);
    assert!(profiles(&events).is_empty() && !user.path("credentials").exists());
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_never_answered_fail_their_profiles_when_the_time_is_up() {
    let user = user();
    refuse(&user, DEV, |_| Reply::Never);
    let started = Instant::now();
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Failed(Code::NetworkError)), ("Prod", ProfileStatus::Created)].into());
    assert_eq!(started.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_requests_starts_when_the_waits_are_over() {
    let user = user();
    refuse(&user, DEV, |_| Reply::Never);
    let held = Lock::try_take(&user.path("credentials.fetch-acme.lock")).unwrap().unwrap();
    let started = Instant::now();
    let session = SessionTerms { timeout: Some(20), ..SessionTerms::default() };
    let (events, ()) = tokio::join!(updated(&user, Update { session, ..update_of(&["Acme"]) }), async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(held);
    });
    assert_eq!((summary(&events).refreshed, started.elapsed().as_secs()), (1, 25));
}

#[tokio::test(start_paused = true)]
async fn the_access_token_is_handed_over_where_it_was_asked_for() {
    let user = user();
    user.write_credentials(&format!("{}\n{}", section(&user, "Prod", PROD, 3600), section(&user, "Dev", DEV, 3600)));
    let tokens = |events: Vec<Event>| -> Vec<serde_json::Value> {
        events.iter().filter(|event| matches!(event, Event::Token(_))).map(|event| serde_json::to_value(event).unwrap()).collect()
    };
    assert!(tokens(updated(&user, update_of(&["Acme"])).await).is_empty());
    let shown = tokens(updated(&user, Update { expose_token: true, ..update_of(&["Acme"]) }).await);
    assert_eq!(shown, [json!({ "token": { "environment": "Acme", "access_token": "stored-token", "expires_in": 7200 } })]);
    let in_memory = SessionTerms { token_cache: Some(TokenCache::Memory), login: false, ..SessionTerms::default() };
    assert!(tokens(updated(&user, Update { expose_token: true, session: in_memory, ..update_of(&["Acme"]) }).await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_profile_is_reported_only_where_somebody_wants_that() {
    let user = user();
    let events = updated(&user, Update { report_profiles: false, ..update_of(&["Acme"]) }).await;
    assert_eq!((profiles(&events).len(), summary(&events).refreshed), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn an_update_that_logs_in_uses_the_new_session_and_says_when_it_ends() {
    let user = TestUser::new();
    user.service.on(Call::CreateToken, |_| token("new-token", "new-refresh-token"));
    let events = updated(&user, Update { session: SessionTerms::default(), ..update_of(&["Acme"]) }).await;
    assert!(user.credentials().contains("aws_session_token = for-new-token\n"));
    assert_eq!(summary(&events).session_expires, Some(user.time(3600)));
    assert_eq!(user.service.seen(Call::RegisterClient).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_that_cannot_be_used_are_not_written() {
    let user = user();
    refuse(&user, PROD, |_| {
        with(&json!({ "roleCredentials": { "accessKeyId": "ASIA", "secretAccessKey": "a b", "sessionToken": "t", "expiration": KEYS_EXPIRE * 1000 } }))
    });
    let events = updated(&user, update_of(&["Acme"])).await;
    assert_eq!(statuses(&events), [("Dev", ProfileStatus::Created), ("Prod", ProfileStatus::Failed(Code::ServiceError))].into());
}

#[tokio::test(start_paused = true)]
async fn an_environment_that_needs_a_config_file_that_cannot_be_read_fails_and_the_others_do_not() {
    let user = user();
    user.store(
        "[environment Acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\n[environment Acme profile A]\nsso_account_id = 100000000000\nsso_role_name = Admin\n\
        [environment Beta]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\nsso_session = ours\n\
        [environment Beta profile B]\nsso_account_id = 100000000000\nsso_role_name = Admin\n",
    );
    std::fs::write(user.path("config"), "[profile x]\nregion = y\n[profile x]\n").unwrap();
    for (environments, terminating, fetched) in [(&["Beta"][..], true, 0), (&["Acme", "Beta"], false, 1)] {
        let events = updated(&user, update_of(environments)).await;
        assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::ConfigFileInvalid, terminating)]);
        assert_eq!(asked(&user).len(), fetched);
    }
    user.write_credentials(&section(&user, "B", PROD, 3600));
    let events = updated(&user, update_of(&["Beta"])).await;
    assert_eq!((failures(&events).len(), summary(&events).still_valid), (0, 1), "a run with nothing due does without the file");
}
