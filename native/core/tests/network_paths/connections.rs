use sso_core::protocol::{Operation, Update};
use sso_stand_in::{Control, Options};

use crate::certificates::{Authority, LOOPBACK};
use crate::relay::Relay;
use crate::{Company, approving, update};

/// A company with 40 profiles that is reached by TLS. Its authority has the files in a folder that goes with it.
fn inspected(authority: &Authority, http1_only: bool) -> Company {
    let mut company = Company::with(Options { http1_only, accounts: 40, ..authority.serving(&LOOPBACK) }, 40);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    company
}

fn relayed(company: &mut Company) -> Relay {
    let (scheme, port) = company.service.url().rsplit_once(':').map(|(address, port)| (address.to_owned(), port.parse().unwrap())).unwrap();
    let relay = Relay::to(port);
    company.turn_to(&format!("{scheme}:{}", relay.port));
    relay
}

#[test]
fn connections_are_kept_for_the_requests_and_runs_to_come_over_http_1() {
    let authority = Authority::new("Acme Inspection");
    for mut company in [Company::with(Options { accounts: 40, ..approving() }, 40), inspected(&authority, true)] {
        company.service.control(Control { delay: Some(20), ..Control::default() });
        company.update().assert_created(40);
        for _ in 0..4 {
            assert_eq!(company.forced().statuses(), [("Refreshed", 40)].into());
        }
        let stats = company.service.stats();
        // One for the login and one for each fetch on its way; now and then one is opened in the moment in which another becomes free.
        assert!(stats.connections <= 1 + 2 * 16, "{} connections for 200 fetches", stats.connections);
        assert_eq!(stats.http2, 0);
        // A new process has to open its own.
        company.forget();
        company.forced();
        assert!(company.service.stats().connections > stats.connections);
    }
}

#[test]
fn all_fetches_share_one_connection_over_http_2_and_later_runs_open_none() {
    let authority = Authority::new("Acme Inspection");
    let company = inspected(&authority, false);
    company.service.control(Control { delay: Some(100), ..Control::default() });
    company.update().assert_created(40);
    let stats = company.service.stats();
    assert_eq!(stats.http2, stats.requests.values().sum::<u64>());
    assert!(stats.peak_concurrency >= 12, "{}", stats.peak_concurrency);
    // Whoever came before the first of them was there has begun one, too, and lets it go.
    assert!(stats.connections <= 1 + 16, "{} connections", stats.connections);
    for _ in 0..4 {
        assert_eq!(company.forced().statuses(), [("Refreshed", 40)].into());
    }
    assert_eq!(company.service.stats().connections, stats.connections);
}

#[test]
fn connections_that_were_closed_meanwhile_are_opened_again_with_the_tls_session_of_before() {
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
