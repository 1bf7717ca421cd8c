//! Keys for a `credential_process`, and profiles that have one.

use sso_core::protocol::{CredentialState, Event, GetCredential, GetKeys, Operation, SessionTerms};

use crate::{Company, approving, update_of};
use sso_stand_in::Options;

fn keys(profile: &str, login: bool) -> Operation {
    Operation::GetKeys(GetKeys {
        profile: profile.to_owned(),
        environments: Vec::new(),
        role: None,
        minimum_remaining: Some(900),
        keep: false,
        session: SessionTerms { login, ..SessionTerms::default() },
    })
}

/// The JSON text of the keys event, which is where the secrets are.
fn told(company: &Company, operation: Operation) -> Vec<serde_json::Value> {
    company.events(operation).iter().map(|event| serde_json::from_slice(&sso_core::protocol::event_to_json(event)).unwrap()).collect()
}

fn process_for(company: &Company, profile: &str, command: &str) {
    std::fs::write(company.aws("config"), format!("[profile {profile}]\ncredential_process = {command}\n")).unwrap();
}

fn total(company: &Company) -> u64 {
    company.service.stats().requests.values().sum()
}

const OURS: &str = r#"pwsh -NoProfile -Command "Get-SsoCredential -AsCredentialProcess -ProfileName Account1""#;

#[test]
fn valid_keys_come_from_the_file_without_a_request() {
    let company = Company::with(approving(), 2);
    company.update();
    let before = total(&company);
    let events = told(&company, keys("Account1", false));
    let text = company.credentials();
    let secret = events[0]["keys"]["secret_access_key"].as_str().unwrap();
    assert!(text.contains(secret) && text.contains(events[0]["keys"]["session_token"].as_str().unwrap()));
    assert_eq!(total(&company), before);
}

#[test]
fn keys_that_are_not_in_the_file_are_fetched_and_not_written() {
    let company = Company::with(approving(), 2);
    let events = told(&company, keys("Account2", true));
    let keys = events.iter().find_map(|event| event.get("keys")).unwrap();
    assert_eq!(keys["profile_name"], "Account2");
    assert!(keys["expiration"].as_str().unwrap().ends_with('Z'));
    assert!(!company.aws("credentials").exists());
}

#[test]
fn missing_sessions_roles_and_profiles_are_one_error_each() {
    let options = Options { refuse: vec!["100000000001".into()], ..approving() };
    let company = Company::without_session(options, 2);
    for (profile, login, code) in [("Account1", false, "LoginRequired"), ("Account2", true, "RoleNotAssigned"), ("account1", true, "ProfileNotFound")] {
        let seen = company.run(keys(profile, login));
        seen.only_error(code);
        assert!(seen.failed[0].terminating);
    }
}

#[test]
fn an_event_with_keys_prints_as_redacted() {
    let company = Company::with(approving(), 1);
    let events = company.events(keys("Account1", true));
    let event = events.iter().find(|event| matches!(event, Event::Keys(_))).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&sso_core::protocol::event_to_json(event)).unwrap();
    let printed = format!("{event:?}");
    assert!(printed.contains("** redacted **") && !printed.contains(json["keys"]["secret_access_key"].as_str().unwrap()), "{printed}");
}

#[test]
fn a_profile_whose_credential_process_calls_the_module_is_skipped_even_with_force() {
    let company = Company::with(approving(), 2);
    process_for(&company, "Account1", OURS);
    let mut update = update_of("Acme");
    update.force = true;
    let events = company.events(Operation::Update(update));
    assert!(events.iter().any(|event| matches!(event, Event::Note(note) if note.text.starts_with("Account1 is skipped: its credential_process"))));
    assert!(events.iter().all(|event| !matches!(event, Event::Note(note) if note.text.contains("which AWS tools use instead"))));
    let text = company.credentials();
    assert!(text.contains("[Account2]") && !text.contains("[Account1]"), "{text}");
    let states: Vec<_> = company
        .events(Operation::GetCredential(GetCredential { environments: Vec::new(), minimum_remaining: 900 }))
        .into_iter()
        .filter_map(|event| if let Event::Credential(credential) = event { Some(credential.state) } else { None })
        .collect();
    assert_eq!(states, [CredentialState::CredentialProcess, CredentialState::Valid]);
}

#[test]
fn keys_that_take_precedence_over_the_credential_process_cause_one_warning() {
    let company = Company::with(approving(), 1);
    company.update();
    process_for(&company, "Account1", OURS);
    let warnings = || company.update().notes.iter().filter(|note| note.contains("which AWS tools use instead of its credential_process")).count();
    assert_eq!((warnings(), warnings()), (1, 0));
}

#[test]
fn a_credential_process_of_another_program_does_not_stop_an_update() {
    let company = Company::with(approving(), 1);
    process_for(&company, "Account1", "/opt/vault/bin/aws-keys --profile Account1");
    company.update();
    assert!(company.credentials().contains("[Account1]"));
}
