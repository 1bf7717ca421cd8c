//! Many processes at once, recently assigned roles, and keys that last less than the minimum.

use std::sync::Arc;

use sso_core::protocol::{AccountView, Event, GetAccount, GetRole, Operation, SessionTerms, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, update_of};

/// Updates in this many processes at once: each has its own memory.
fn at_once(company: &Company, processes: usize, update: impl Fn() -> Update + Sync) -> Vec<Seen> {
    let barrier = std::sync::Barrier::new(processes);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..processes)
            .map(|_| {
                let world = company.world();
                let (barrier, update) = (&barrier, &update);
                scope.spawn(move || {
                    let run = sso_core::run_with(Operation::Update(update()), world, Arc::default());
                    barrier.wait();
                    Seen::all(&run)
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn twenty_shells_at_once_log_in_once_and_fetch_each_profile_once() {
    let company = Company::without_session(approving(), 20);
    for seen in at_once(&company, 20, || update_of("Acme")) {
        assert!(seen.failed.is_empty(), "{:?}", seen.failed);
        assert_eq!(seen.profiles.len(), 20);
    }
    assert_eq!((company.service.stats().logins, company.requests("GetRoleCredentials")), (1, 20));
    company.assert_polite();
}

#[test]
fn a_process_whose_fetch_fails_is_followed_by_the_next_one() {
    let options = Options { fail: vec!["GetRoleCredentials:1:400:InvalidRequestException".parse().unwrap()], ..approving() };
    let company = Company::with(options, 1);
    let all = at_once(&company, 4, || update_of("Acme"));
    assert_eq!(all.iter().filter(|seen| !seen.failed.is_empty()).count(), 1);
    assert_eq!(company.requests("GetRoleCredentials"), 2);
    assert!(company.credentials().contains("[Account1]"));
}

#[test]
fn a_forced_update_that_waited_for_another_one_uses_its_credentials() {
    let company = Company::with(approving(), 2);
    company.update().assert_created(2);
    let before = company.requests("GetRoleCredentials");
    // A shell that holds the turn, until three others wait for it.
    let held = std::fs::File::open(company.aws("credentials.fetch-acme.lock")).unwrap();
    held.lock().unwrap();
    let (waits, waiting) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let (world, waits) = (company.world(), waits.clone());
            scope.spawn(move || {
                let run = sso_core::run_with(Operation::Update(Update { force: true, ..update_of("Acme") }), world, Arc::default());
                let seen = Seen::watching(&run, |event| {
                    if let Event::Waiting(waiting) = event {
                        waits.send(waiting.text.clone()).unwrap();
                    }
                });
                assert!(seen.failed.is_empty(), "{:?}", seen.failed);
            });
        }
        for _ in 0..3 {
            assert_eq!(waiting.recv().unwrap(), "Waiting for another process that fetches the profiles of acme");
        }
        drop(held);
    });
    assert_eq!(company.requests("GetRoleCredentials") - before, 2);
    // What is there already when it is called is fetched again.
    company.forced();
    assert_eq!(company.requests("GetRoleCredentials") - before, 4);
}

fn list(company: &Company) {
    let events = company.events(Operation::GetAccount(GetAccount { environment: "Acme".into(), known: false, session: SessionTerms::default() }));
    let accounts: Vec<AccountView> = events.into_iter().filter_map(|event| if let Event::Account(account) = event { Some(account) } else { None }).collect();
    company.run(Operation::GetRole(GetRole { environment: "Acme".into(), accounts, known: false, throttle_limit: 16, session: SessionTerms::default() }));
}

#[test]
fn a_recently_listed_role_that_is_refused_is_requested_once_more() {
    let company = Company::with(approving(), 3);
    list(&company);
    company.service.control(Control { fail: vec!["GetRoleCredentials:2:403:ForbiddenException".parse().unwrap()], ..Control::default() });
    company.update().assert_created(3);
    assert_eq!(company.requests("GetRoleCredentials"), 5);
}

#[test]
fn a_role_that_stays_refused_is_retried_once_in_all() {
    let company = Company::with(Options { refuse: vec!["100000000001".into()], ..approving() }, 2);
    list(&company);
    assert_eq!(company.update().codes(), ["RoleNotAssigned"]);
    assert_eq!(company.requests("GetRoleCredentials"), 3);
    assert_eq!(company.update().codes(), ["RoleNotAssigned"]);
    assert_eq!(company.requests("GetRoleCredentials"), 4);
}

#[test]
fn a_role_that_was_never_listed_is_not_retried() {
    let company = Company::with(Options { refuse: vec!["100000000001".into()], ..approving() }, 2);
    assert_eq!(company.update().codes(), ["RoleNotAssigned"]);
    assert_eq!(company.requests("GetRoleCredentials"), 2);
}

#[test]
fn keys_that_last_less_than_the_minimum_are_reported_once_and_fetched_once() {
    let mut company = Company::with(Options { credential_lifetime: 3600, ..approving() }, 2);
    let update = || Operation::Update(Update { minimum_remaining: 3 * 3600, ..update_of("Acme") });
    let seen = company.run(update());
    seen.assert_created(2);
    let warnings = |seen: &Seen| seen.notes.iter().filter(|note| note.contains("valid for only 60 min, less than -MinimumRemaining")).count();
    assert_eq!(warnings(&seen), 1, "{:?}", seen.notes);
    company.forget();
    let again = company.run(update());
    assert_eq!((again.statuses(), warnings(&again)), ([("StillValid", 2)].into(), 0));
    assert_eq!(company.requests("GetRoleCredentials"), 2);
    company.clock.move_by(1900);
    company.forget();
    assert_eq!(company.run(update()).statuses(), [("Refreshed", 2)].into());
}
