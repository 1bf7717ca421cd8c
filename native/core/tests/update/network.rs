use std::cell::Cell;

use sso_core::protocol::{Event, Operation, SessionTerms, Target, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, rows, update_of, within};

fn faulty(fault: &str) -> Options {
    Options { fail: vec![fault.parse().unwrap()], ..approving() }
}

#[test]
fn one_refused_role_among_twenty_leaves_nineteen_written() {
    let company = Company::with(Options { refuse: vec!["100000000004".into()], ..approving() }, 20);
    let seen = company.update();
    assert_eq!(seen.statuses(), [("Created", 19), ("RoleNotAssigned", 1)].into());
    assert_eq!(seen.codes(), ["RoleNotAssigned"]);
    assert_eq!((seen.failed[0].target.as_deref(), seen.failed[0].terminating), (Some("Account5"), false));
    assert!(seen.failed[0].request_id.is_some());
    assert_eq!(seen.completed[0].failed, 1);
    assert_eq!(company.credentials().matches("aws_access_key_id").count(), 19);
    assert_eq!(company.service.stats().requests["GetRoleCredentials"], 20, "a 403 is not tried again");
}

#[test]
fn an_unknown_account_is_named() {
    let company = Company::with(Options { accounts: 1, ..approving() }, 2);
    assert_eq!(company.update().codes(), ["AccountNotFound"]);
}

#[test]
fn throttling_and_server_errors_are_retried() {
    for fault in ["GetRoleCredentials:3:429", "GetRoleCredentials:3:429:bare", "GetRoleCredentials:3:500", "GetRoleCredentials:3:503:bare"] {
        let company = Company::with(faulty(fault), 5);
        let seen = company.update();
        assert_eq!(seen.statuses(), [("Created", 5)].into(), "{fault}: {:?}", seen.failed);
        assert_eq!(company.service.stats().logins, 0, "{fault}");
    }
}

#[test]
fn throttling_that_does_not_end_is_reported_at_the_time_limit() {
    let company = Company::with(approving(), 2);
    company.update();
    company.service.control(Control { fail: vec!["GetRoleCredentials:all:429".parse().unwrap()], ..Control::default() });
    let seen = company.run(Operation::Update(Update { session: within(1), force: true, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["Throttled", "Throttled"]);
    assert_eq!(seen.completed.len(), 1);
}

/// How many requests a service of 40 each second refused: those on their way at the first refusal, and the pace's own search for what is granted.
/// None where this machine was slower than that.
fn few_refused(company: &Company) -> Option<u64> {
    let refused = company.service.stats().throttled;
    assert!(refused <= 40, "{refused} refused");
    if refused == 0 {
        println!("SKIPPED: this machine sends requests more slowly than the service allows.");
    }
    (refused > 0).then_some(refused)
}

#[test]
fn requests_stay_close_to_the_rate_that_the_service_allows() {
    let company = Company::with(Options { rate: Some(40.0), burst: Some(20), accounts: 100, ..approving() }, 100);
    let seen = company.update();
    seen.assert_created(100);
    let Some(refused) = few_refused(&company) else { return };
    assert!(seen.notes.iter().any(|note| note.starts_with(&format!("The service throttled {refused} request"))), "{:?}", seen.notes);
}

#[test]
fn environments_of_one_run_share_the_request_rate() {
    let company = Company::with(Options { rate: Some(40.0), burst: Some(20), accounts: 100, ..approving() }, 50);
    let renamed = rows(100).into_iter().skip(50);
    company.set("Other", renamed.collect());
    let targets = ["Acme", "Other"].map(|name| Target { environment: name.to_owned(), profiles: None });
    company.run(Operation::Update(Update { targets: targets.into(), ..update_of("Acme") })).assert_created(100);
    few_refused(&company);
}

#[test]
fn a_retry_after_header_is_respected_within_the_time_limit() {
    let company = Company::with(approving(), 20);
    company.update();
    company.service.control(Control { fail: vec!["GetRoleCredentials:all:429".parse().unwrap()], retry_after: Some(30), ..Control::default() });
    let before = Cell::new(0);
    let update = |session| {
        before.set(company.requests("GetRoleCredentials"));
        Operation::Update(Update { session, force: true, ..update_of("Acme") })
    };
    let seen = company.run_long_enough(update, |seen| !seen.codes().contains(&"NetworkError".to_owned()));
    assert_eq!(seen.codes(), vec!["Throttled"; 20]);
    assert!(company.requests("GetRoleCredentials") - before.get() <= 16, "nothing is sent in the pause");
}

#[test]
fn server_errors_until_the_time_limit_are_reported_as_server_errors() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { fail: vec!["GetRoleCredentials:all:500".parse().unwrap()], delay: Some(400), ..Control::default() });
    let seen = company.run(Operation::Update(Update { session: within(1), force: true, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["ServiceError"]);
    assert!(seen.failed[0].message.contains("500") && seen.failed[0].request_id.is_some(), "{:?}", seen.failed);
}

/// The next two fetches hang for longer than any limit of these tests. A run that waited for them would get their answers, and the test would fail.
fn hang_two(company: &Company) {
    company.service.control(Control { hang: vec!["GetRoleCredentials:2".parse().unwrap()], hang_for: Some(15_000), ..Control::default() });
}

#[test]
fn a_service_that_hangs_costs_the_time_limit_but_no_fetched_credentials() {
    let company = Company::with(approving(), 5);
    company.update();
    hang_two(&company);
    let before = company.credentials();
    let seen = company.run(Operation::Update(Update { session: within(2), force: true, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["NetworkError", "NetworkError"]);
    assert_eq!(seen.statuses()["Refreshed"], 3);
    assert_ne!(company.credentials(), before);
}

#[test]
fn a_limited_run_without_a_login_keeps_what_was_fetched_when_the_rest_hangs() {
    let company = Company::with(approving(), 5);
    company.update();
    hang_two(&company);
    let session = SessionTerms { login: false, ..within(2) };
    let seen = company.run(Operation::Update(Update { session, force: true, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["NetworkError", "NetworkError"]);
    assert_eq!(seen.statuses()["Refreshed"], 3);
}

#[test]
fn a_limited_run_without_a_login_waits_for_another_write_only_within_its_limit() {
    let company = Company::with(approving(), 1);
    company.update();
    let before = company.credentials();
    let lock = std::fs::File::open(company.aws("credentials.lock")).unwrap();
    lock.lock().unwrap();
    // A write usually waits for a minute: a run that did so would get the lock after all.
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let _ = is_done.recv_timeout(std::time::Duration::from_secs(15));
        drop(lock);
    });
    let session = SessionTerms { login: false, ..within(2) };
    company.run(Operation::Update(Update { session, force: true, ..update_of("Acme") })).only_error("FileLocked");
    assert_eq!(company.credentials(), before);
    drop(done);
    holder.join().unwrap();
}

#[test]
fn canceling_during_the_fetch_ends_the_run_and_writes_what_was_fetched() {
    let company = Company::with(approving(), 20);
    // The first five are answered; the others hang until after the end of a run that is canceled.
    company.service.control(Control { delay: Some(100), hang_for: Some(10_000), ..Control::default() });
    let run = company.start(Operation::Update(Update { throttle_limit: 5, ..update_of("Acme") }));
    let mut canceled = false;
    let seen = Seen::watching(&run, |event| {
        if let Event::Progress(progress) = event
            && progress.done == 5
        {
            company.service.control(Control { hang: vec!["GetRoleCredentials:all".parse().unwrap()], ..Control::default() });
            run.cancel();
            canceled = true;
        }
    });
    assert!(canceled && seen.completed[0].cancelled);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    let written = company.credentials().matches("aws_access_key_id").count();
    assert!((5..20).contains(&written), "{written}");
    assert_eq!(written, seen.profiles.len());
}

#[test]
fn a_broken_answer_fails_one_profile_and_a_cut_connection_is_retried() {
    let options = Options { broken_json: vec!["GetRoleCredentials:1".parse().unwrap()], ..approving() };
    let company = Company::with(options, 5);
    let seen = company.update();
    assert_eq!(seen.codes(), ["ServiceError"]);
    assert_eq!(seen.statuses()["Created"], 4);
    let options = Options { cut: vec!["GetRoleCredentials:1".parse().unwrap()], ..approving() };
    let company = Company::with(options, 5);
    assert_eq!(company.update().statuses(), [("Created", 5)].into(), "a cut connection is tried again");
}

#[test]
fn no_network_is_an_error_that_names_host_cause_and_settings() {
    let mut company = Company::without_session(approving(), 1);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for name in ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"] {
        company.variables.insert(name.into(), format!("http://127.0.0.1:{port}"));
    }
    let seen = company.update();
    assert_eq!(seen.codes(), ["NetworkError"]);
    let message = &seen.failed[0].message;
    assert!(
        message.contains(&format!("http://127.0.0.1:{port}")) && message.contains("refused") && message.contains("(Proxy: none. CA certificates: system.)"),
        "{message}"
    );
}

#[test]
fn a_network_that_goes_away_is_one_error_and_not_one_for_each_profile() {
    let mut company = Company::with(approving(), 20);
    company.update();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    company.variables.insert("AWS_ENDPOINT_URL_SSO".into(), format!("http://127.0.0.1:{port}"));
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!((seen.codes(), seen.failed[0].terminating), (vec!["NetworkError".to_owned()], true));
    assert!(seen.failed[0].message.contains("refused"), "{}", seen.failed[0].message);
}

#[test]
fn an_error_that_is_not_about_the_session_never_leads_to_a_login() {
    for status in [400, 403, 404, 429, 500, 503] {
        let company = Company::with(approving(), 2);
        company.update();
        company.service.control(Control { fail: vec![format!("GetRoleCredentials:all:{status}").parse().unwrap()], ..Control::default() });
        let seen = company.run(Operation::Update(Update { force: true, session: within(1), ..update_of("Acme") }));
        assert_eq!((seen.failed.len(), seen.verifications.len()), (2, 0), "{status}");
        let stats = company.service.stats();
        assert_eq!((stats.logins, stats.refreshes), (0, 0), "{status}");
    }
}

#[test]
fn an_error_page_of_a_proxy_does_not_lead_to_a_login() {
    for status in [401, 403, 404, 407] {
        let company = Company::with(approving(), 1);
        company.update();
        company.service.control(Control { fail: vec![format!("GetRoleCredentials:all:{status}:proxy").parse().unwrap()], ..Control::default() });
        let seen = company.forced();
        assert_eq!(seen.codes(), ["ServiceError"], "{status}");
        assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 0), "{status}");
    }
}

#[test]
fn a_401_without_an_error_name_leads_to_a_refresh_and_then_to_a_login() {
    let company = Company::with(approving(), 3);
    company.update();
    company.service.control(Control { fail: vec!["GetRoleCredentials:1:401:bare".parse().unwrap()], ..Control::default() });
    let seen = company.forced();
    assert_eq!(seen.statuses(), [("Refreshed", 3)].into(), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (0, 1));

    company.service.control(Control { fail: vec!["GetRoleCredentials:1:401:bare".parse().unwrap()], end_sessions: true, ..Control::default() });
    let seen = company.forced();
    assert_eq!(seen.statuses(), [("Refreshed", 3)].into(), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, seen.verifications.len()), (1, 1));
}

#[test]
fn a_message_of_the_service_is_shown_without_its_control_characters() {
    let options = Options { hostile_text: true, fail: vec!["GetRoleCredentials:1:400:InvalidRequestException".parse().unwrap()], ..approving() };
    let seen = Company::with(options, 2).update();
    assert!(seen.only_error("ServiceError").contains("Invalid request"), "{}", seen.text);
    assert!(!seen.text.contains("\\u001b") && !seen.text.chars().any(char::is_control), "{}", seen.text);
}

#[test]
fn fetches_run_in_parallel_up_to_the_throttle_limit() {
    let company = Company::with(Options { delay: 50, ..approving() }, 20);
    company.run(Operation::Update(Update { throttle_limit: 4, ..update_of("Acme") }));
    assert_eq!(company.service.stats().peak_concurrency, 4);
}

#[test]
fn a_clock_that_is_wrong_by_an_hour_is_reported_once_and_needs_no_second_login() {
    for offset in [3600, -3600] {
        let company = Company::without_session(Options { clock_offset: offset, ..approving() }, 2);
        let seen = company.update();
        assert_eq!(seen.statuses(), [("Created", 2)].into());
        assert_eq!(seen.notes.iter().filter(|note| note.contains("clock")).count(), 1, "{:?}", seen.notes);
        let seen = company.update();
        assert_eq!(seen.statuses(), [("StillValid", 2)].into(), "{offset}");
        assert_eq!(company.service.stats().logins, 1);
        // The user sets the clock right: now it is the server's, and the old difference counts no more.
        company.clock.move_by(offset);
        company.service.control(Control { clock_offset: Some(offset), ..Control::default() });
        assert_eq!(company.update().statuses(), [("StillValid", 2)].into(), "{offset}");
        assert_eq!(company.service.stats().logins, 1);
    }
}

#[test]
fn a_slow_clock_does_not_keep_expired_keys_valid_once_the_server_time_is_known() {
    let company = Company::with(Options { clock_offset: 3600, ..approving() }, 1);
    company.update();
    // The keys end an hour from now by the server's clock, two hours from now by this machine's.
    company.clock.move_by(30);
    assert_eq!(company.run(Operation::Plan(plan())).planned, [("Account1".to_owned(), false)]);
    let due_soon = sso_core::protocol::Plan { minimum_remaining: 3580, ..plan() };
    assert_eq!(company.run(Operation::Plan(due_soon)).planned, [("Account1".to_owned(), true)]);
}

#[test]
fn a_clock_that_jumps_anywhere_breaks_nothing() {
    let company = Company::with(approving(), 1);
    company.update();
    for jump in [-10 * 365 * 86_400, 20 * 365 * 86_400, -10 * 365 * 86_400, -7200, 7200] {
        company.clock.move_by(jump);
        let seen = company.update();
        assert!(seen.codes().iter().all(|code| code != "InternalError"), "{jump}: {:?}", seen.failed);
    }
    assert_eq!(company.update().failed.len(), 0);
}

fn plan() -> sso_core::protocol::Plan {
    sso_core::protocol::Plan { environments: Vec::new(), force: false, minimum_remaining: 900, replace_keys: false, due_only: false }
}
