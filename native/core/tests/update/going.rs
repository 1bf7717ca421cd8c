use sso_core::protocol::{CredentialState, Event, GetCredential, GetKeys, OpenConsole, Operation, SessionTerms};

use crate::{Company, approving, update_of};
use sso_stand_in::Options;

fn keys(profile: &str, login: bool) -> Operation {
    Operation::GetKeys(GetKeys {
        profile: profile.to_owned(),
        environments: Vec::new(),
        minimum_remaining: 900,
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
fn keys_are_those_of_the_file_where_they_are_good_and_nothing_is_sent_then() {
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
fn keys_that_are_not_in_the_file_are_fetched_and_written_nowhere() {
    let company = Company::with(approving(), 2);
    let events = told(&company, keys("Account2", true));
    let keys = events.iter().find_map(|event| event.get("keys")).unwrap();
    assert_eq!(keys["profile_name"], "Account2");
    assert!(keys["expiration"].as_str().unwrap().ends_with('Z'));
    assert!(!company.aws("credentials").exists());
}

#[test]
fn keys_without_a_session_or_a_role_are_one_error() {
    let options = Options { refuse: vec!["100000000001".into()], ..approving() };
    let company = Company::with(options, 2);
    for (profile, login, code) in [("Account1", false, "LoginRequired"), ("Account2", true, "RoleNotAssigned"), ("account1", true, "ProfileNotFound")] {
        let seen = company.run(keys(profile, login));
        seen.only_error(code);
        assert!(seen.failed[0].terminating);
    }
}

#[test]
fn no_event_with_keys_shows_them_to_whoever_prints_it() {
    let company = Company::with(approving(), 1);
    let events = company.events(keys("Account1", true));
    let event = events.iter().find(|event| matches!(event, Event::Keys(_))).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&sso_core::protocol::event_to_json(event)).unwrap();
    let printed = format!("{event:?}");
    assert!(printed.contains("** redacted **") && !printed.contains(json["keys"]["secret_access_key"].as_str().unwrap()), "{printed}");
}

#[test]
fn a_profile_whose_credential_process_calls_the_module_is_left_out_even_with_force() {
    let company = Company::with(approving(), 2);
    process_for(&company, "Account1", OURS);
    let mut update = update_of("Acme");
    update.force = true;
    let events = company.events(Operation::Update(update));
    assert!(events.iter().any(|event| matches!(event, Event::Note(note) if note.text.starts_with("Account1 is left out: its credential_process"))));
    assert!(events.iter().all(|event| !matches!(event, Event::Note(note) if note.text.contains("which AWS tools take before"))));
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
fn keys_that_would_be_taken_before_the_credential_process_are_warned_of_once() {
    let company = Company::with(approving(), 1);
    company.update();
    process_for(&company, "Account1", OURS);
    let warnings = || company.update().notes.iter().filter(|note| note.contains("which AWS tools take before its credential_process")).count();
    assert_eq!((warnings(), warnings()), (1, 0));
}

#[test]
fn a_credential_process_of_another_program_does_not_keep_the_update_from_its_work() {
    let company = Company::with(approving(), 1);
    process_for(&company, "Account1", "/opt/vault/bin/aws-keys --profile Account1");
    company.update();
    assert!(company.credentials().contains("[Account1]"));
}

#[test]
fn the_console_of_a_profile_opens_in_the_browser_without_a_request() {
    let company = Company::with(approving(), 1);
    let open = |browser| {
        let operation = OpenConsole { profile: "Account1".into(), environments: Vec::new(), service: Some("s3".into()), region: None, browser };
        let events = company.events(Operation::OpenConsole(operation));
        let [Event::Console(console)] = events.as_slice() else { panic!("{events:?}") };
        console.clone()
    };
    let (shown, opened) = (open(false), open(true));
    assert!(!shown.browser_opened && opened.browser_opened);
    assert!(shown.url.contains("/#/console?account_id=100000000000&role_name=AWSAdministratorAccess&destination=https%3A%2F%2F"), "{}", shown.url);
    assert_eq!(*company.browser.urls.lock().unwrap(), [opened.url]);
    assert_eq!(total(&company), 0);
}
