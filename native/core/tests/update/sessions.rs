use sso_core::protocol::{ConnectSession, DisconnectSession, Event, GetCredential, GetSession, Operation, SessionTerms, TokenCache, Update};
use sso_core::protocol::{CredentialView, SessionView};
use sso_stand_in::Control;

use crate::{Company, approving, update_of};

fn connect() -> Operation {
    Operation::ConnectSession(ConnectSession { environments: vec!["acme".into()], session: SessionTerms::default() })
}

fn disconnect(remove_credentials: bool) -> Operation {
    Operation::DisconnectSession(DisconnectSession { environments: Vec::new(), remove_credentials })
}

fn session(company: &Company) -> SessionView {
    let run = company.start(Operation::GetSession(GetSession { environments: Vec::new() }));
    match run.next() {
        Some(Event::Session(session)) => session,
        other => panic!("{other:?}"),
    }
}

fn credential(company: &Company) -> CredentialView {
    let run = company.start(Operation::GetCredential(GetCredential { environments: Vec::new(), minimum_remaining: 900 }));
    match run.next() {
        Some(Event::Credential(credential)) => credential,
        other => panic!("{other:?}"),
    }
}

#[test]
fn connecting_logs_in_once_and_fetches_nothing() {
    let company = Company::with(approving(), 2);
    assert_eq!(session(&company).state, "None");
    for _ in 0..2 {
        assert!(company.run(connect()).failed.is_empty());
    }
    let stats = company.service.stats();
    assert_eq!((stats.logins, stats.requests.get("GetRoleCredentials")), (1, None));
    let session = session(&company);
    assert_eq!((session.state.as_str(), session.refreshable), ("Active", true));
    assert!(company.update().verifications.is_empty());
}

#[test]
fn the_state_of_a_session_follows_the_clock() {
    let company = Company::with(approving(), 1);
    company.run(connect());
    company.clock.move_by(8 * 3600 + 1);
    assert_eq!(session(&company).state, "Refreshable");
    company.clock.move_by(91 * 24 * 3600);
    assert_eq!(session(&company).state, "Ended");
    assert_eq!(company.service.stats().refreshes, 0, "nothing is sent to find out");
}

#[test]
fn disconnecting_ends_the_session_everywhere_and_leaves_the_registration() {
    let company = Company::with(approving(), 1);
    company.update();
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(company.service.stats().requests["Logout"], 1);
    assert_eq!((session(&company).state.as_str(), credential(&company).state.as_str()), ("None", "Valid"));
    let files = || std::fs::read_dir(company.aws("sso/cache")).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with("json"));
    assert_eq!(files().count(), 1);
    company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!((company.service.stats().logins, company.service.stats().requests["RegisterClient"]), (2, 1));
}

#[test]
fn disconnecting_a_session_in_memory_works_too_and_twice_is_no_error() {
    let company = Company::with(approving(), 1);
    company.run(Operation::Update(Update { session: SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() }, ..update_of("Acme") }));
    for _ in 0..2 {
        assert!(company.run(disconnect(false)).failed.is_empty());
    }
    assert_eq!(company.service.stats().requests["Logout"], 1);
}

#[test]
fn a_service_that_is_down_does_not_keep_a_session_on_this_machine() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { fail: vec!["Logout:all:500".parse().unwrap()], ..Control::default() });
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("not ended at the service")), "{seen:?}");
    assert_eq!(session(&company).state, "None");
}

#[test]
fn removing_credentials_takes_our_keys_and_nothing_else() {
    let company = Company::with(approving(), 3);
    let theirs = "# mine\n[default]\naws_access_key_id = AKIAMINE\n\n[Account2]\nregion = eu-west-1\n# kept\n\n[Account3]\n# all by myself\n\n";
    std::fs::write(company.aws("credentials"), theirs).unwrap();
    company.update();
    assert_eq!(company.credentials().matches("ASIA").count(), 3);
    company.run(disconnect(true));
    assert_eq!(company.credentials(), theirs);
    assert_eq!(credential(&company).state, "Missing");
}

#[test]
fn keys_are_shown_as_they_stand() {
    let company = Company::with(approving(), 1);
    assert_eq!(credential(&company).state, "Missing");
    company.update();
    assert_eq!(credential(&company).state, "Valid");
    company.clock.move_by(3600 - 600);
    let due = credential(&company);
    assert_eq!((due.state.as_str(), due.reason.as_deref()), ("Due", Some("its keys expire soon")));
    company.clock.move_by(601);
    assert_eq!(credential(&company).state, "Expired");
}

#[test]
fn a_logout_that_is_never_answered_takes_the_session_from_this_machine_all_the_same() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { hang: vec!["Logout:all".parse().unwrap()], ..Control::default() });
    let started = std::time::Instant::now();
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("not ended at the service")), "{seen:?}");
    assert_eq!(session(&company).state, "None");
    assert!(started.elapsed() < std::time::Duration::from_secs(30));
}

#[test]
fn disconnecting_what_was_never_connected_makes_no_file_and_a_registration_in_memory_stays() {
    let company = Company::with(approving(), 1);
    company.run(disconnect(false));
    assert!(!company.aws("sso").exists());
    let in_memory = || {
        Operation::ConnectSession(ConnectSession {
            environments: Vec::new(),
            session: SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() },
        })
    };
    company.run(in_memory());
    company.run(disconnect(false));
    company.run(in_memory());
    assert_eq!((company.service.stats().logins, company.service.stats().requests["RegisterClient"]), (2, 1));
}

#[test]
fn a_token_file_that_cannot_be_removed_is_an_error_and_not_a_success() {
    let company = Company::with(approving(), 1);
    company.update();
    let cache = company.aws("sso/cache");
    for entry in std::fs::read_dir(&cache).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "lock") {
            std::fs::remove_file(&path).unwrap();
            // A folder where the lock should be: nobody can take it.
            std::fs::create_dir(&path).unwrap();
        }
    }
    let seen = company.run(disconnect(false));
    assert_eq!(seen.codes(), ["WriteFailed"]);
    assert_eq!(session(&company).state, "Active");
}
