//! Keys that are kept for programs that ask again and again: AWS tools start a `credential_process` for each command.

use std::path::PathBuf;

use sso_core::protocol::{DisconnectSession, GetKeys, Operation, RemoveCredential, RoleOfAccount, SessionTerms};
use sso_stand_in::{Control, Options};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::company::Seen;
use crate::{Company, approving};

fn asking(profile: &str) -> GetKeys {
    let session = SessionTerms { login: false, timeout: Some(20), ..SessionTerms::default() };
    GetKeys { profile: profile.into(), environments: vec!["Acme".into()], role: None, minimum_remaining: None, keep: true, session }
}

/// What a new process gets.
fn ask(company: &mut Company, request: GetKeys) -> Seen {
    company.forget();
    company.run(Operation::GetKeys(request))
}

#[track_caller]
fn key_of(seen: &Seen) -> String {
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    seen.text.split("\"access_key_id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn files(company: &Company) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(company.aws("sso/role-credentials")).into_iter().flatten().flatten();
    let entries = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap().flatten());
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

/// Moves the times in the only kept file into the past.
fn age(company: &Company, by: Duration) {
    let [path] = files(company).try_into().unwrap();
    let mut stored: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (_, value) in stored.as_object_mut().unwrap() {
        if let Some(time) = value.as_str().and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok()) {
            *value = (time - by).format(&Rfc3339).unwrap().into();
        }
    }
    std::fs::write(path, stored.to_string()).unwrap();
}

#[test]
fn a_second_process_gets_the_keys_of_the_first_without_a_request_until_20_minutes_are_left() {
    let mut company = Company::with(approving(), 2);
    let first = key_of(&ask(&mut company, asking("Account1")));
    assert_eq!(key_of(&ask(&mut company, asking("Account1"))), first);
    assert_eq!(company.requests("GetRoleCredentials"), 1);
    age(&company, Duration::minutes(39));
    assert_eq!(key_of(&ask(&mut company, asking("Account1"))), first);
    age(&company, Duration::minutes(2));
    assert_ne!(key_of(&ask(&mut company, asking("Account1"))), first);
    assert_eq!((company.requests("GetRoleCredentials"), files(&company).len()), (2, 1));
    assert!(!company.aws("credentials").exists());
}

#[test]
fn good_keys_of_the_credentials_file_are_used_and_not_copied() {
    let mut company = Company::with(approving(), 1);
    company.update().assert_created(1);
    assert!(company.credentials().contains(&key_of(&ask(&mut company, asking("Account1")))));
    assert!(files(&company).is_empty());
}

#[test]
fn keys_are_kept_for_an_account_and_role_whatever_the_profile_is_called() {
    let mut company = Company::with(approving(), 1);
    let first = key_of(&ask(&mut company, asking("Account1")));
    let role = RoleOfAccount { account_id: "100000000000".into(), role_name: "AWSAdministratorAccess".into() };
    for name in ["", "a name # with hazards"] {
        assert_eq!(key_of(&ask(&mut company, GetKeys { role: Some(role.clone()), ..asking(name) })), first);
    }
    let other = RoleOfAccount { role_name: "AWSReadOnlyAccess".into(), ..role.clone() };
    assert_ne!(key_of(&ask(&mut company, GetKeys { role: Some(other), ..asking("") })), first);
    let bad = RoleOfAccount { account_id: "1".into(), ..role };
    assert!(ask(&mut company, GetKeys { role: Some(bad), ..asking("") }).only_error("EnvironmentInvalid").contains("\"1\""));
}

#[test]
fn while_a_renewal_fails_the_old_keys_are_returned_and_the_service_is_asked_again_only_after_a_pause() {
    let mut company = Company::with(approving(), 1);
    let first = key_of(&ask(&mut company, asking("Account1")));
    age(&company, Duration::minutes(50));
    company.service.control(Control { refuse: vec!["100000000000".into()], ..Control::default() });
    let before = company.requests("GetRoleCredentials");
    for _ in 0..3 {
        assert_eq!(key_of(&ask(&mut company, asking("Account1"))), first);
    }
    assert_eq!(company.requests("GetRoleCredentials"), before + 1);
    age(&company, Duration::minutes(3));
    assert_eq!(key_of(&ask(&mut company, asking("Account1"))), first);
    assert_eq!(company.requests("GetRoleCredentials"), before + 2);
    age(&company, Duration::minutes(10));
    ask(&mut company, asking("Account1")).only_error("RoleNotAssigned");
}

#[test]
fn fifty_processes_that_ask_at_once_cause_one_request() {
    let company = Company::with(Options { delay: 100, ..approving() }, 1);
    let answers: Vec<Seen> = std::thread::scope(|scope| {
        let ask = || Seen::all(&sso_core::run_with(Operation::GetKeys(asking("Account1")), company.world(), std::sync::Arc::default()));
        let asking: Vec<_> = (0..50).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let first = key_of(&answers[0]);
    assert!(answers.iter().all(|seen| key_of(seen) == first));
    assert_eq!(company.requests("GetRoleCredentials"), 1);
}

#[test]
fn a_kept_file_that_is_broken_is_replaced_and_no_message_shows_what_was_in_it() {
    let mut company = Company::with(approving(), 1);
    ask(&mut company, asking("Account1"));
    let [path] = files(&company).try_into().unwrap();
    std::fs::write(&path, "{\"version\":1,\"secretAccessKey\":\"hunter2\"").unwrap();
    let seen = ask(&mut company, asking("Account1"));
    key_of(&seen);
    assert!(!seen.text.contains("hunter2") && serde_json::from_slice::<serde_json::Value>(&std::fs::read(&path).unwrap()).is_ok());
}

#[test]
fn a_logout_and_a_removal_of_credentials_remove_what_was_kept() {
    let mut company = Company::with(approving(), 1);
    ask(&mut company, asking("Account1"));
    let removal = RemoveCredential { environment: "Acme".into(), profiles: None, unlisted: false, check_only: true };
    company.run(Operation::RemoveCredential(removal.clone()));
    assert_eq!(files(&company).len(), 1, "it was only to be checked");
    company.run(Operation::RemoveCredential(RemoveCredential { check_only: false, ..removal }));
    assert!(files(&company).is_empty());
    ask(&mut company, asking("Account1"));
    assert_eq!(files(&company).len(), 1);
    company.run(Operation::DisconnectSession(DisconnectSession { environments: vec!["Acme".into()], remove_credentials: false }));
    assert!(files(&company).is_empty());
    assert!(ask(&mut company, asking("Account1")).only_error("LoginRequired").contains("Acme"));
}

#[test]
fn nothing_is_kept_where_it_is_not_wanted_or_the_token_is_kept_in_memory_only() {
    let mut company = Company::with(approving(), 1);
    key_of(&ask(&mut company, GetKeys { keep: false, ..asking("Account1") }));
    let in_memory = SessionTerms { token_cache: Some(sso_core::protocol::TokenCache::Memory), ..SessionTerms::default() };
    key_of(&ask(&mut company, GetKeys { session: in_memory, ..asking("Account1") }));
    assert!(files(&company).is_empty());
}
