//! Connecting, disconnecting and showing sessions.

use std::path::PathBuf;

use sso_core::protocol::{
    ConnectSession, CredentialState, CredentialView, DisconnectSession, Event, GetCredential, GetSession, Operation, SessionState, SessionTerms, SessionView,
    TokenCache, Update,
};
use sso_stand_in::Control;

use crate::{Company, approving, update_of};

pub(crate) fn connect() -> Operation {
    Operation::ConnectSession(ConnectSession { environments: vec!["acme".into()], session: SessionTerms::default(), ..ConnectSession::default() })
}

pub(crate) fn disconnect(remove_credentials: bool) -> Operation {
    Operation::DisconnectSession(DisconnectSession { environments: Vec::new(), remove_credentials })
}

pub(crate) fn session(company: &Company) -> SessionView {
    let run = company.start(Operation::GetSession(GetSession { environments: Vec::new() }));
    match run.next() {
        Some(Event::Session(session)) => session,
        other => panic!("{other:?}"),
    }
}

/// The files in a folder below `.aws`.
pub(crate) fn files_in(company: &Company, folder: &str) -> Vec<PathBuf> {
    std::fs::read_dir(company.aws(folder)).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

/// The file with the token of the only login.
pub(crate) fn token_file(company: &Company) -> PathBuf {
    files_in(company, "sso/cache").into_iter().find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("accessToken"))).unwrap()
}

/// Changes the JSON of the only token.
pub(crate) fn edit_token(company: &Company, edit: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    let path = token_file(company);
    let mut token = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut token);
    std::fs::write(&path, serde_json::to_vec(&token).unwrap()).unwrap();
}

pub(crate) fn without_login() -> SessionTerms {
    SessionTerms { login: false, ..SessionTerms::default() }
}

fn credential(company: &Company) -> CredentialView {
    let run = company.start(Operation::GetCredential(GetCredential { environments: Vec::new(), minimum_remaining: 900 }));
    match run.next() {
        Some(Event::Credential(credential)) => credential,
        other => panic!("{other:?}"),
    }
}

#[test]
fn connecting_logs_in_once_and_fetches_no_credentials() {
    let company = Company::without_session(approving(), 2);
    assert_eq!(session(&company).state, SessionState::None);
    for _ in 0..2 {
        assert!(company.run(connect()).failed.is_empty());
    }
    let stats = company.service.stats();
    assert_eq!((stats.logins, stats.requests.get("GetRoleCredentials")), (1, None));
    let session = session(&company);
    assert_eq!((session.state, session.refreshable), (SessionState::Active, true));
    assert!(company.update().verifications.is_empty());
}

#[test]
fn the_state_of_a_session_follows_the_clock() {
    let company = Company::with(approving(), 1);
    company.run(connect());
    company.clock.move_by(8 * 3600 + 1);
    assert_eq!(session(&company).state, SessionState::Refreshable);
    company.clock.move_by(91 * 24 * 3600);
    assert_eq!(session(&company).state, SessionState::Ended);
    assert_eq!(company.service.stats().refreshes, 0, "nothing is sent to find out");
}

#[test]
fn disconnecting_ends_the_session_and_keeps_the_client_registration() {
    let company = Company::with(approving(), 1);
    company.update();
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(company.service.stats().requests["Logout"], 1);
    assert_eq!((session(&company).state, credential(&company).state), (SessionState::None, CredentialState::Valid));
    let files = || std::fs::read_dir(company.aws("sso/cache")).unwrap().filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with("json"));
    assert_eq!(files().count(), 1);
    company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!((company.service.stats().logins, company.requests("RegisterClient")), (1, 0));
}

#[test]
fn disconnecting_twice_is_not_an_error_for_a_session_in_memory() {
    let company = Company::without_session(approving(), 1);
    company.run(Operation::Update(Update { session: SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() }, ..update_of("Acme") }));
    for _ in 0..2 {
        assert!(company.run(disconnect(false)).failed.is_empty());
    }
    assert_eq!(company.service.stats().requests["Logout"], 1);
}

#[test]
fn a_logout_that_fails_at_the_service_still_removes_the_session_from_this_machine() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { fail: vec!["Logout:all:500".parse().unwrap()], ..Control::default() });
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("the service did not end it")), "{seen:?}");
    assert_eq!(session(&company).state, SessionState::None);
}

#[test]
fn removing_credentials_removes_only_keys_of_this_module() {
    let company = Company::with(approving(), 3);
    let theirs = "# mine\n[default]\naws_access_key_id = AKIAMINE\n\n[Account2]\nregion = eu-west-1\n# kept\n\n[Account3]\n# all by myself\n\n";
    std::fs::write(company.aws("credentials"), theirs).unwrap();
    company.update();
    assert_eq!(company.credentials().matches("ASIA").count(), 3);
    company.run(disconnect(true));
    assert_eq!(company.credentials(), theirs);
    assert_eq!(credential(&company).state, CredentialState::Missing);
}

#[test]
fn credentials_are_shown_with_their_state() {
    let company = Company::with(approving(), 1);
    assert_eq!(credential(&company).state, CredentialState::Missing);
    company.update();
    assert_eq!(credential(&company).state, CredentialState::Valid);
    company.clock.move_by(3600 - 600);
    let due = credential(&company);
    assert_eq!((due.state, due.reason.as_deref()), (CredentialState::Due, Some("its keys expire soon")));
    company.clock.move_by(601);
    assert_eq!(credential(&company).state, CredentialState::Expired);
}

#[test]
fn a_logout_without_an_answer_still_ends_the_session_on_this_machine() {
    let company = Company::with(approving(), 1);
    // Longer than the wait for it: whoever waited on would get the answer, and no note.
    company.service.control(Control { hang: vec!["Logout:all".parse().unwrap()], hang_for: Some(25_000), ..Control::default() });
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("the service did not end it")), "{seen:?}");
    assert_eq!(session(&company).state, SessionState::None);
}

#[test]
fn disconnecting_without_a_session_creates_no_file() {
    let company = Company::without_session(approving(), 1);
    company.run(disconnect(false));
    assert!(!company.aws("sso").exists());
    let in_memory = || {
        Operation::ConnectSession(ConnectSession {
            environments: Vec::new(),
            session: SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() },
            ..ConnectSession::default()
        })
    };
    company.run(in_memory());
    company.run(disconnect(false));
    company.run(in_memory());
    assert_eq!((company.service.stats().logins, company.service.stats().requests["RegisterClient"]), (2, 1));
}

pub(crate) fn token(company: &Company) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_slice(&std::fs::read(token_file(company)).unwrap()).unwrap()
}

#[test]
fn a_proxy_that_answers_a_logout_is_not_taken_for_the_service() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { fail: vec!["Logout:all:401:proxy".parse().unwrap()], ..Control::default() });
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("the service did not end it")), "{seen:?}");
    assert_eq!(session(&company).state, SessionState::None);
}
