//! The login by device code.

use sso_core::protocol::{ConnectSession, Event, LoginMethod, Operation, SessionTerms, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, update_of, within};

#[test]
fn a_login_that_the_user_declines_is_reported_and_writes_no_file() {
    let company = Company::without_session(Options { deny: true, ..Options::default() }, 2);
    let seen = company.update();
    assert_eq!(seen.codes(), ["LoginDeclined"]);
    assert!(seen.failed[0].terminating && seen.completed.is_empty());
    assert!(!company.aws("credentials").exists());
}

#[test]
fn a_login_ends_when_its_code_expires() {
    let company = Company::without_session(Options { device_code_lifetime: 2, ..Options::default() }, 2);
    let run = company.start(Operation::Update(update_of("Acme")));
    let mut left = Vec::new();
    let seen = Seen::watching(&run, |event| {
        if let Event::Waiting(waiting) = event {
            left.extend(waiting.seconds_left);
        }
    });
    assert_eq!(seen.codes(), ["LoginTimedOut"]);
    // The wait goes on into the last second, and no poll follows the end of the code.
    assert_eq!(left.last(), Some(&0), "{left:?}");
    assert!(company.requests("CreateToken") <= 1, "{}", company.requests("CreateToken"));
    company.assert_polite();
}

#[test]
fn a_time_limit_applies_to_the_login_too() {
    let company = Company::without_session(Options::default(), 2);
    let seen = company.run(Operation::Update(Update { session: within(1), ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginTimedOut"]);
}

#[test]
fn a_slow_down_answer_adds_five_seconds_between_polls() {
    let company = Company::without_session(Options { slow_down_at: vec![1], ..approving() }, 1);
    company.update().assert_created(1);
    // The stand-in adds five seconds to its interval, too, and counts any earlier poll.
    assert_eq!(company.requests("CreateToken"), 2);
    company.assert_polite();
}

#[test]
fn an_interval_of_zero_or_none_means_five_seconds() {
    let run = |options| {
        let company = Company::without_session(options, 1);
        company.update().assert_created(1);
        // The stand-in's interval is five seconds then, so an earlier poll would be counted as early.
        assert_eq!(company.requests("CreateToken"), 1);
        company.assert_polite();
    };
    let (zero, none) = (Options { interval: 0, ..approving() }, Options { no_interval: true, ..approving() });
    std::thread::scope(|scope| {
        scope.spawn(|| run(zero));
        scope.spawn(|| run(none));
    });
}

#[test]
fn an_error_about_a_refused_start_url_names_it_and_its_region() {
    let company = Company::without_session(Options { reject_start_url: true, ..Options::default() }, 1);
    let seen = company.update();
    assert_eq!(seen.codes(), ["StartUrlRejected"]);
    let message = &seen.failed[0].message;
    assert!(message.contains("us-west-2") && message.contains("https://d-12345abcde.awsapps.com/start/"), "{message}");
}

#[test]
fn a_login_that_is_not_allowed_is_an_error_before_any_request() {
    let company = Company::without_session(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { login: false, ..SessionTerms::default() }, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginRequired"]);
    assert!(company.service.stats().requests.is_empty());
}

#[test]
fn an_update_continues_after_the_approval_on_the_device_page() {
    let company = Company::without_session(Options::default(), 2);
    let run = company.start(Operation::Update(update_of("Acme")));
    let seen = Seen::watching(&run, |event| {
        if let Event::Verification(verification) = event {
            assert!(verification.browser_opened && verification.url.contains(verification.user_code.as_ref().unwrap()));
            company.service.control(Control { approve: verification.user_code.clone(), ..Control::default() });
        }
    });
    assert_eq!(seen.verifications.len(), 1);
    seen.assert_created(2);
}

#[test]
fn without_a_browser_the_code_is_still_shown() {
    let company = Company::without_session(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { browser: false, ..SessionTerms::default() }, ..update_of("Acme") }));
    assert!(company.browser.urls.lock().unwrap().is_empty());
    assert!(!seen.verifications[0].browser_opened && seen.verifications[0].user_code.as_ref().is_some_and(|code| code.len() == 9));
}

#[test]
fn canceling_a_login_ends_it_without_an_error() {
    let company = Company::without_session(Options::default(), 1);
    // Without the cancellation the time limit would end it, with an error.
    let run = company.start(Operation::Update(Update { session: within(5), ..update_of("Acme") }));
    let seen = Seen::watching(&run, |event| {
        if matches!(event, Event::Verification(_)) {
            run.cancel();
        }
    });
    assert_eq!((seen.verifications.len(), seen.codes()), (1, Vec::new()));
    assert_eq!(company.requests("CreateToken"), 0, "it ends before the first poll");
}

#[test]
fn two_runs_at_once_log_in_once() {
    let company = Company::without_session(approving(), 3);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| company.update())).collect();
        for run in runs {
            assert!(run.join().unwrap().failed.is_empty());
        }
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

#[test]
fn two_processes_at_once_log_in_once() {
    let company = Company::without_session(approving(), 3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let seen = Seen::all(&sso_core::run_with(Operation::Update(update_of("Acme")), company.world(), std::sync::Arc::default()));
                assert!(seen.failed.is_empty(), "{:?}", seen.failed);
            });
        }
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

#[test]
fn a_run_that_may_not_log_in_does_not_wait_for_another_login() {
    let company = Company::without_session(Options::default(), 1);
    let waiting = company.start(Operation::Update(update_of("Acme")));
    while !matches!(waiting.next(), None | Some(Event::Verification(_))) {}
    for memory in [std::sync::Arc::clone(&company.memory), std::sync::Arc::default()] {
        let update = Update { session: SessionTerms { login: false, ..within(1) }, ..update_of("Acme") };
        let seen = Seen::all(&sso_core::run_with(Operation::Update(update), company.world(), memory));
        assert_eq!(seen.codes(), ["FileLocked"], "{:?}", seen.failed);
    }
}

#[test]
fn the_error_of_a_login_that_timed_out_asks_about_the_region() {
    for login_method in [LoginMethod::DeviceCode, LoginMethod::Pkce] {
        let company = Company::without_session(Options { device_code_lifetime: 1, ..Options::default() }, 1);
        let session = SessionTerms { login_method, timeout: Some(1), ..SessionTerms::default() };
        let connect = Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session, ..ConnectSession::default() });
        let error = company.run(connect).only_error("LoginTimedOut");
        assert!(
            error.contains("Is us-west-2 the region of the IAM Identity Center instance with the start URL https://d-12345abcde.awsapps.com/start/?"),
            "{error}"
        );
        assert!(error.contains("Set-SsoEnvironment -Name Acme -Region"), "{error}");
    }
}

#[test]
fn the_error_of_an_unreachable_login_service_asks_about_the_region() {
    let mut company = Company::without_session(approving(), 1);
    company.variable("AWS_ENDPOINT_URL_SSO_OIDC", "http://127.0.0.1:1");
    let error = company.update().only_error("NetworkError");
    assert!(error.contains("Is us-west-2 the region") && error.contains("https://d-12345abcde.awsapps.com/start/"), "{error}");
}

/// A machine without a browser.
struct NoBrowser;

impl sso_core::world::Browser for NoBrowser {
    fn open(&self, _url: &str, _variables: &sso_core::world::Variables) -> sso_core::world::Opening {
        panic!("no browser may be tried")
    }

    fn reason_against(&self, _variables: &sso_core::world::Variables) -> Option<&'static str> {
        Some("PowerShell runs over SSH")
    }
}

#[test]
fn over_ssh_the_code_is_shown_with_a_qr_code_for_both_login_methods() {
    for login_method in [LoginMethod::DeviceCode, LoginMethod::Pkce] {
        let company = Company::without_session(approving(), 1);
        let mut world = company.world();
        world.browser = std::sync::Arc::new(NoBrowser);
        let session = SessionTerms { login_method, ..SessionTerms::default() };
        let seen = company.run_in(world, Operation::Update(Update { session, ..update_of("Acme") }));
        seen.assert_created(1);
        let verification = &seen.verifications[0];
        assert!(!verification.browser_opened && verification.user_code.is_some());
        let lines = verification.qr_code.as_ref().unwrap();
        assert!(lines.len() <= 24 && lines.iter().all(|line| line.chars().count() <= 80));
        let said = |text: &str| seen.notes.iter().any(|note| note.contains(text));
        assert!(said("no browser is opened because PowerShell runs over SSH"));
        assert_eq!(said("because PowerShell runs over SSH; using a device code instead"), login_method == LoginMethod::Pkce);
    }
}

#[test]
fn a_login_has_no_qr_code_where_none_is_wanted_or_a_browser_opens() {
    for (browser, qr_code, expected) in [(true, true, false), (false, false, false), (false, true, true)] {
        let company = Company::without_session(approving(), 1);
        let session = SessionTerms { browser, qr_code, ..within(20) };
        let seen = company.run(Operation::ConnectSession(ConnectSession { environments: vec!["Acme".into()], session, ..ConnectSession::default() }));
        assert_eq!(seen.verifications.iter().map(|verification| verification.qr_code.is_some()).collect::<Vec<_>>(), [expected], "{browser} {qr_code}");
    }
}
