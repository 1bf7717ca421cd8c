use std::thread;
use std::time::Duration;

use sso_core::protocol::{AccountRow, Operation, Update};
use sso_stand_in::{Control, Options};

use crate::certificates::{Authority, LOOPBACK};
use crate::company::{rows, update_of};
use crate::relay::relayed;
use crate::{Company, Seen, approving, update};

/// A company with 40 profiles that is reached by TLS. The files are deleted with the authority.
fn inspected(authority: &Authority, http1_only: bool) -> Company {
    let mut company = Company::without_session(Options { http1_only, accounts: 40, ..authority.serving(&LOOPBACK) }, 40);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    company
}

#[test]
fn connections_are_reused_across_requests_and_runs_over_http_1() {
    let authority = Authority::new("Acme Inspection");
    for mut company in [Company::without_session(Options { accounts: 40, ..approving() }, 40), inspected(&authority, true)] {
        // Longer than the handshakes take, or whoever finds none free meanwhile opens another.
        company.service.control(Control { delay: Some(100), ..Control::default() });
        company.update().assert_created(40);
        let first = company.service.stats();
        // One for each fetch on its way and one for the login are enough; the rest is for a machine that has much else to do.
        assert!(first.connections <= 1 + 2 * 16, "{} connections for 40 fetches", first.connections);
        company.service.control(Control { delay: Some(20), ..Control::default() });
        for _ in 0..4 {
            assert_eq!(company.forced().statuses(), [("Refreshed", 40)].into());
        }
        let later = company.service.stats();
        // None is needed. Seldom is one opened by a fetch that begins in the moment in which the connection of another is on its way back.
        let opened = later.connections - first.connections;
        assert!(opened <= 16, "{opened} more connections for 160 fetches");
        assert_eq!(later.http2, 0);
        // A new process has to open its own.
        company.forget();
        company.forced();
        assert!(company.service.stats().connections > later.connections);
    }
}

#[test]
fn login_fetches_environments_and_later_runs_share_one_connection_over_http_2() {
    let authority = Authority::new("Acme Inspection");
    let company = inspected(&authority, false);
    company.update().assert_created(40);
    for _ in 0..4 {
        assert_eq!(company.forced().statuses(), [("Refreshed", 40)].into());
    }
    let subsidiary = AccountRow { profile: "Subsidiary".to_owned(), ..rows(1).remove(0) };
    assert!(company.set("Subsidiary", vec![subsidiary]).failed.is_empty());
    company.run(Operation::Update(update_of("Subsidiary"))).assert_created(1);
    let stats = company.service.stats();
    assert_eq!(stats.connections, 1);
    assert_eq!(stats.http2, stats.requests.values().sum::<u64>());
}

#[test]
fn parallel_fetches_share_one_connection_over_http_2() {
    let authority = Authority::new("Acme Inspection");
    let company = inspected(&authority, false);
    company.seed_session(None);
    company.update().assert_created(40);
    let before = company.service.stats().connections;
    // With no answer the fetches pile up to as many as may be on their way, however slow the machine is.
    company.service.control(Control { hang: vec!["GetRoleCredentials:all".parse().unwrap()], ..Control::default() });
    let run = company.start(Operation::Update(Update { force: true, ..update() }));
    let stats = thread::scope(|scope| {
        let pulled = scope.spawn(|| Seen::all(&run));
        while company.service.stats().in_flight < 16 && !pulled.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
        let stats = company.service.stats();
        run.cancel();
        stats
    });
    assert_eq!((stats.in_flight, stats.connections - before), (16, 0));
}

#[test]
fn the_first_fetches_of_a_process_open_at_most_one_connection_each_and_keep_one_over_http_2() {
    let authority = Authority::new("Acme Inspection");
    let mut company = inspected(&authority, false);
    company.seed_session(None);
    company.update().assert_created(40);
    let before = company.service.stats();
    // With the login in the token cache there is no connection yet when the fetches begin.
    company.forget();
    for _ in 0..5 {
        assert_eq!(company.forced().statuses(), [("Refreshed", 40)].into());
    }
    // Counted at the end, since those that are let go may get through their handshake after the run that began them.
    let opened = company.service.stats().connections - before.connections;
    assert!((1..=16).contains(&opened), "{opened} connections");
}

#[test]
fn closed_connections_are_opened_again_with_a_resumed_tls_session() {
    for http1_only in [false, true] {
        let authority = Authority::new("Acme Inspection");
        let mut company = inspected(&authority, http1_only);
        let relay = relayed(&mut company);
        company.update().assert_created(40);
        let before = company.service.stats();
        relay.cut();
        assert_eq!(company.run(Operation::Update(Update { force: true, ..update() })).statuses(), [("Refreshed", 40)].into());
        let after = company.service.stats();
        let opened = after.connections - before.connections;
        assert!(opened > 0, "the test cut nothing");
        // The others found no ticket left: the service gives some with each session, and the client keeps eight of them.
        assert!(after.resumed > before.resumed, "http1_only {http1_only}: {opened} opened");
    }
}
