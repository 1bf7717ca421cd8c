use std::time::{Duration, Instant};

use sso_core::protocol::{Event, Operation, SessionTerms, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, update_of, within};

#[test]
fn a_user_who_declines_gets_that_said_and_nothing_is_written() {
    let company = Company::with(Options { deny: true, ..Options::default() }, 2);
    let seen = company.update();
    assert_eq!(seen.codes(), ["LoginDeclined"]);
    assert!(seen.failed[0].terminating && seen.completed.is_empty());
    assert!(!company.aws("credentials").exists());
}

#[test]
fn a_code_that_nobody_approves_ends_the_login_when_it_expires() {
    let company = Company::with(Options { device_code_lifetime: 2, ..Options::default() }, 2);
    let started = Instant::now();
    assert_eq!(company.update().codes(), ["LoginTimedOut"]);
    assert!((Duration::from_millis(1900)..Duration::from_secs(30)).contains(&started.elapsed()), "{:?}", started.elapsed());
    company.assert_polite();
}

#[test]
fn a_time_limit_that_the_user_gave_bounds_the_login_too() {
    let company = Company::with(Options::default(), 2);
    let seen = company.run(Operation::Update(Update { session: within(1), ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginTimedOut"]);
}

#[test]
fn slow_down_makes_the_polls_slower() {
    let company = Company::with(Options { slow_down_at: vec![1], ..approving() }, 1);
    let started = Instant::now();
    assert_eq!(company.update().statuses(), [("Created", 1)].into());
    assert!(started.elapsed() >= Duration::from_secs(7), "1 s, then 6 s");
    company.assert_polite();
}

#[test]
fn an_interval_of_zero_or_none_means_five_seconds() {
    let run = |options| {
        let company = Company::with(options, 1);
        let started = Instant::now();
        assert_eq!(company.update().statuses(), [("Created", 1)].into());
        assert!(started.elapsed() >= Duration::from_secs(5));
        company.assert_polite();
    };
    let (zero, none) = (Options { interval: 0, ..approving() }, Options { no_interval: true, ..approving() });
    std::thread::scope(|scope| {
        scope.spawn(|| run(zero));
        scope.spawn(|| run(none));
    });
}

#[test]
fn a_start_url_that_the_service_refuses_is_named_with_its_region() {
    let company = Company::with(Options { reject_start_url: true, ..Options::default() }, 1);
    let seen = company.update();
    assert_eq!(seen.codes(), ["StartUrlRejected"]);
    let message = &seen.failed[0].message;
    assert!(message.contains("us-west-2") && message.contains("https://d-12345abcde.awsapps.com/start/"), "{message}");
}

#[test]
fn a_login_that_is_needed_but_not_allowed_is_said_before_anything_is_sent() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { login: false, ..SessionTerms::default() }, ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginRequired"]);
    assert!(company.service.stats().requests.values().all(|count| *count == 0));
}

#[test]
fn an_approval_on_the_device_page_lets_the_run_go_on() {
    let company = Company::with(Options::default(), 2);
    let run = company.start(Operation::Update(update_of("Acme")));
    let seen = Seen::watching(&run, |event| {
        if let Event::Verification(verification) = event {
            assert!(verification.browser_opened && verification.url.contains(&verification.user_code));
            company.service.control(Control { approve: Some(verification.user_code.clone()), ..Control::default() });
        }
    });
    assert_eq!(seen.statuses(), [("Created", 2)].into());
}

#[test]
fn no_browser_is_opened_where_none_is_wanted_and_the_code_is_shown_all_the_same() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { browser: false, ..SessionTerms::default() }, ..update_of("Acme") }));
    assert!(company.browser.urls.lock().unwrap().is_empty());
    assert!(!seen.verifications[0].browser_opened && seen.verifications[0].user_code.len() == 9);
}

#[test]
fn cancelling_during_the_wait_ends_it_at_once_without_an_error() {
    let company = Company::with(Options::default(), 1);
    let run = company.start(Operation::Update(update_of("Acme")));
    let mut cancelled = None;
    let seen = Seen::watching(&run, |event| {
        if matches!(event, Event::Verification(_)) {
            cancelled = Some(Instant::now());
            run.cancel();
        }
    });
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert!(cancelled.unwrap().elapsed() < Duration::from_secs(5));
}

#[test]
fn a_token_that_is_soon_to_end_is_refreshed_without_a_login() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}

#[test]
fn a_session_that_the_service_ended_early_is_refreshed_once_for_all_profiles() {
    let company = Company::with(Options { delay: 20, ..approving() }, 20);
    company.update();
    company.service.control(Control { expire_tokens: true, ..Control::default() });
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 20)].into());
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}

#[test]
fn a_session_that_cannot_be_refreshed_any_more_leads_to_one_login() {
    let company = Company::with(approving(), 20);
    company.update();
    company.service.control(Control { expire_tokens: true, end_sessions: true, ..Control::default() });
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 20)].into());
    assert_eq!((company.service.stats().logins, seen.verifications.len()), (2, 1));
}

#[test]
fn a_service_that_refuses_every_session_is_asked_for_two_new_ones_at_most() {
    let options = Options { fail: vec!["GetRoleCredentials:all:401".parse().unwrap()], ..approving() };
    let company = Company::with(options, 5);
    let seen = company.update();
    assert_eq!((seen.codes(), seen.failed[0].terminating), (vec!["LoginFailed".to_owned()], true));
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (2, 1));
}

#[test]
fn a_registration_that_the_service_forgot_is_renewed_once() {
    let company = Company::with(approving(), 1);
    company.update();
    for entry in std::fs::read_dir(company.aws("sso/cache")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("accessToken") {
            std::fs::remove_file(path).unwrap();
        } else if text.contains("clientId") {
            std::fs::write(path, text.replace("\"clientId\": \"", "\"clientId\": \"gone-")).unwrap();
        }
    }
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 1)].into(), "{:?}", seen.failed);
    assert_eq!(company.service.stats().requests["RegisterClient"], 2);
}

#[test]
fn two_runs_at_once_log_in_once() {
    let company = Company::with(approving(), 3);
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
    let company = Company::with(approving(), 3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut world = company.world();
                world.memory = std::sync::Arc::default();
                let seen = Seen::all(&sso_core::run(Operation::Update(update_of("Acme")), world));
                assert!(seen.failed.is_empty(), "{:?}", seen.failed);
            });
        }
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

#[test]
fn a_run_that_may_not_log_in_does_not_wait_for_somebody_else_s_login() {
    let company = Company::with(Options::default(), 1);
    let waiting = company.start(Operation::Update(update_of("Acme")));
    while !matches!(waiting.next(), None | Some(Event::Verification(_))) {}
    for memory in [std::sync::Arc::clone(&company.memory), std::sync::Arc::default()] {
        let mut world = company.world();
        world.memory = memory;
        let update = Update { session: SessionTerms { login: false, ..within(1) }, ..update_of("Acme") };
        let seen = Seen::all(&sso_core::run(Operation::Update(update), world));
        assert_eq!(seen.codes(), ["FileLocked"], "{:?}", seen.failed);
    }
}

#[test]
fn a_refresh_that_fails_leaves_a_good_session_in_use_and_is_not_tried_again_at_once() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    company.service.control(Control { fail: vec!["CreateToken:all:500".parse().unwrap()], ..Control::default() });
    let polls = || company.service.stats().requests["CreateToken"];
    for _ in 0..3 {
        let before = polls();
        let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
        // The first run tries, with the retries that a 500 is worth; those within 30 s do not.
        assert_eq!(polls() > before, before == 1, "{before}");
    }
}

#[test]
fn a_rotated_refresh_token_takes_the_place_of_the_old_one_and_an_absent_one_does_not() {
    for rotate in [true, false] {
        let company = Company::with(Options { rotate_refresh_token: rotate, ..approving() }, 1);
        company.update();
        for refreshes in 1..=2 {
            company.clock.move_by(8 * 3600 + 60);
            let seen = company.update();
            assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
            assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, refreshes));
        }
    }
}

#[test]
fn a_registration_that_has_expired_is_renewed_with_the_login() {
    let company = Company::with(Options { registration_lifetime: 3600, ..approving() }, 1);
    company.update();
    company.clock.move_by(9 * 3600);
    assert_eq!(company.update().verifications.len(), 1);
    assert_eq!((company.service.stats().requests["RegisterClient"], company.service.stats().refreshes), (2, 0));
}

#[test]
fn a_refresh_that_failed_a_moment_ago_is_tried_again_before_anybody_is_asked_to_log_in() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    company.service.control(Control { fail: vec!["CreateToken:all:500".parse().unwrap()], ..Control::default() });
    let seen = company.update();
    assert_eq!((seen.codes(), seen.verifications.len()), (vec!["ServiceError".to_owned()], 0));
    company.service.control(Control { clear: true, ..Control::default() });
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0));
}

#[test]
fn many_processes_and_runs_at_once_refresh_once() {
    let company = Company::with(approving(), 3);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    std::thread::scope(|scope| {
        for process in 0..3 {
            let company = &company;
            let mut world = company.world();
            if process > 0 {
                world.memory = std::sync::Arc::default();
            }
            for _ in 0..2 {
                let world = world.clone();
                scope.spawn(move || {
                    let seen = Seen::all(&sso_core::run(Operation::Update(update_of("Acme")), world));
                    assert!(seen.failed.is_empty() && seen.verifications.is_empty(), "{:?}", seen.failed);
                });
            }
        }
    });
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
}
