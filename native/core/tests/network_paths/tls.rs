use sso_core::protocol::{Operation, Update};
use sso_stand_in::Options;

use crate::certificates::{Authority, LOOPBACK};
use crate::encodings::saved;
use crate::relay::relayed;
use crate::{Company, assert_says, update, within};

/// What an error says of an issuer that nobody trusts. Windows says it of a chain as a whole, and Wine has other reasons
/// than Windows.
const UNKNOWN_ISSUER: &str = if cfg!(windows) { "its certificate was rejected because" } else { "UnknownIssuer" };

/// The run fails for the certificate and says so, with what to set. Nothing reaches the service.
#[track_caller]
fn assert_refused(company: &mut Company, cause: &str) -> String {
    let relay = relayed(company);
    let seen = company.update();
    let error = seen.only_error("NetworkError");
    assert_says(&error, &[&format!("127.0.0.1:{}", relay.port), cause, "AWS_CA_BUNDLE"]);
    // One request with its four tries.
    assert_eq!((relay.connections(), company.browser.opened()), (4, 0));
    assert!(company.service.stats().requests.is_empty(), "{:?}", company.service.stats().requests);
    error
}

#[test]
fn inspected_tls_works_with_the_company_ca_and_without_it_the_error_names_the_variable() {
    let authority = Authority::new("Acme Inspection");
    let mut company = Company::without_session(authority.serving(&LOOPBACK), 5);
    assert_refused(&mut company, UNKNOWN_ISSUER);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    company.update().assert_created(5);
    assert!(company.service.stats().violations.is_empty());
}

#[test]
fn a_portal_with_an_unknown_certificate_is_one_error_for_all_profiles() {
    let authority = Authority::new("Acme Inspection");
    let mut company = Company::with(authority.serving(&LOOPBACK), 20);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    company.update().assert_created(20);
    company.variables.remove("AWS_CA_BUNDLE");
    company.forget();
    let relay = relayed(&mut company);
    let error = company.forced().only_error("NetworkError");
    assert_says(&error, &[UNKNOWN_ISSUER, "AWS_CA_BUNDLE"]);
    // The fetches on their way have four tries each; the others are not begun.
    assert!(relay.connections() <= 16 * 4, "{}", relay.connections());
    assert_eq!((company.browser.opened(), company.service.stats().refreshes), (0, 0));
}

#[test]
fn a_ca_bundle_may_hold_several_certificates_with_notes_between_them() {
    let (other, authority) = (Authority::new("Another"), Authority::new("Acme Inspection"));
    let mut company = Company::with(authority.serving(&LOOPBACK), 1);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&["# Another\n", &other.pem(), "\n# Acme\r\n", &authority.pem()]));
    company.update().assert_created(1);
}

#[test]
fn a_ca_bundle_that_a_program_of_windows_saved_is_used_whole_or_refused_by_its_encoding() {
    let (other, authority) = (Authority::new("Another"), Authority::new("Acme Inspection"));
    let mut company = Company::with(authority.serving(&LOOPBACK), 1);
    // The one that is needed comes first, directly behind a byte order mark.
    let text = format!("{}# Z\u{fc}rich\r\n{}", authority.pem(), other.pem());
    let bundle = company.home.path().join("ca.pem");
    company.variable("AWS_CA_BUNDLE", "ca.pem");
    for saved in saved(&text) {
        std::fs::write(&bundle, &saved.bytes).unwrap();
        let seen = company.forced();
        if ["UTF-16 text without a byte order mark", "UTF-32 text"].contains(&saved.encoding) {
            assert_says(&seen.only_error("ReadFailed"), &["ca.pem", "AWS_CA_BUNDLE", saved.encoding, "save it as UTF-8"]);
        } else {
            assert!(seen.failed.is_empty() && seen.profiles.len() == 1, "{}: {:?}", saved.encoding, seen.failed);
        }
    }
}

#[test]
fn an_error_about_a_certificate_names_the_ca_bundle() {
    let (other, authority) = (Authority::new("Another"), Authority::new("Acme Inspection"));
    let mut company = Company::without_session(authority.serving(&LOOPBACK), 1);
    let bundle = other.bundle(&[&other.pem()]);
    company.variable("AWS_CA_BUNDLE", bundle.as_str());
    let error = assert_refused(&mut company, UNKNOWN_ISSUER);
    assert_says(&error, &[&bundle]);
}

#[test]
fn a_relative_ca_bundle_starts_at_the_current_folder_and_is_read_again_when_it_changes() {
    let (other, authority) = (Authority::new("Another"), Authority::new("Acme Inspection"));
    let mut company = Company::with(authority.serving(&LOOPBACK), 1);
    let bundle = company.home.path().join("ca.pem");
    company.variable("AWS_CA_BUNDLE", "ca.pem");
    std::fs::write(&bundle, other.pem()).unwrap();
    company.update().only_error("NetworkError");
    std::fs::write(&bundle, authority.pem()).unwrap();
    company.update().assert_created(1);
}

#[test]
fn the_ca_bundle_of_the_current_profile_is_used_where_the_variable_is_not_set() {
    let (other, authority) = (Authority::new("Another"), Authority::new("Acme Inspection"));
    let mut company = Company::with(authority.serving(&LOOPBACK), 1);
    let (good, bad) = (authority.bundle(&[&authority.pem()]), other.bundle(&[&other.pem()]));
    let config = |text: &str| std::fs::write(company.aws("config"), text).unwrap();
    config(&format!("[default]\nCA_Bundle: {good}\n[profile dev]\nca_bundle = {bad}\n[profile bare]\n"));
    company.update().assert_created(1);
    for (variable, profile) in [("AWS_PROFILE", "dev"), ("AWS_DEFAULT_PROFILE", "dev"), ("AWS_PROFILE", "bare"), ("AWS_PROFILE", "missing")] {
        company.variable(variable, profile);
        company.forget();
        company.forced().only_error("NetworkError");
        company.variables.remove(variable);
    }
    company.variable("AWS_CA_BUNDLE", good);
    company.variable("AWS_PROFILE", "dev");
    company.forget();
    assert_eq!(company.forced().statuses(), [("Refreshed", 1)].into());
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("Acme Inspection");
    let mut company = Company::without_session(authority.serving(&["elsewhere.example.com"]), 1);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    assert_refused(&mut company, "elsewhere.example.com");
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let authority = Authority::new("Acme Inspection");
    let options = authority.serving_with(&LOOPBACK, |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let mut company = Company::without_session(options, 1);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    assert_refused(&mut company, "expired");
}

#[test]
fn a_port_that_speaks_no_tls_is_one_error() {
    let mut company = Company::with(crate::approving(), 1);
    let url = company.service.url().replace("http:", "https:");
    company.turn_to(&url);
    let error = company.update().only_error("NetworkError");
    assert_says(&error, &[&url]);
}

#[test]
fn cut_connections_and_server_errors_are_retried_over_http_2() {
    let authority = Authority::new("Acme Inspection");
    let (cut, fail) = (vec!["GetRoleCredentials:5".parse().unwrap()], vec!["GetRoleCredentials:3:503:bare".parse().unwrap()]);
    let mut company = Company::with(Options { cut, fail, ..authority.serving(&LOOPBACK) }, 10);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    company.update().assert_created(10);
}

#[test]
fn a_connection_that_died_during_sleep_is_replaced_in_the_next_run() {
    for tls in [false, true] {
        let authority = Authority::new("Acme Inspection");
        let mut company = Company::with(if tls { authority.serving(&LOOPBACK) } else { crate::approving() }, 4);
        company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
        let relay = relayed(&mut company);
        company.update().assert_created(4);
        let connections = relay.connections();
        company.forced();
        assert_eq!(relay.connections(), connections, "the next run uses the connections of the one before");
        relay.freeze();
        assert_eq!(company.run(Operation::Update(Update { force: true, session: within(1), ..update() })).statuses(), [("NetworkError", 4)].into(), "{tls}");
        // The next run does not wait on that connection again.
        assert_eq!(company.run(Operation::Update(Update { force: true, session: within(20), ..update() })).statuses(), [("Refreshed", 4)].into(), "{tls}");
        assert_eq!(company.service.stats().logins, 0);
    }
}

#[test]
fn many_requests_at_the_start_of_a_run_share_one_connection_and_one_handshake() {
    let authority = Authority::new("Acme Inspection");
    let options = Options { accounts: 60, delay: 20, ..authority.serving(&LOOPBACK) };
    let mut company = Company::with(options, 60);
    company.variable("AWS_CA_BUNDLE", authority.bundle(&[&authority.pem()]));
    let relay = relayed(&mut company);
    company.update().assert_created(60);
    assert_eq!(relay.connections(), 1);
    assert!(company.service.stats().peak_concurrency > 8, "{}", company.service.stats().peak_concurrency);
}
