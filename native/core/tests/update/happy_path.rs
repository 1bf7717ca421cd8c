use sso_core::protocol::{Operation, Plan, SessionTerms, Target, TokenCache, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, approving, rows, update_of, within};

#[test]
fn a_first_update_creates_all_credentials_with_one_login() {
    let company = Company::without_session(approving(), 20);
    let seen = company.update();
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(seen.statuses(), [("Created", 20)].into());
    assert_eq!(seen.progress.last(), Some(&(20, 20)));
    assert_eq!(seen.verifications.len(), 1);
    assert_eq!(seen.completed[0].profile_names.len(), 20);
    assert_eq!(company.credentials().matches("aws_access_key_id = ASIA").count(), 20);
    let sections: Vec<_> = company.credentials().lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect();
    assert_eq!(sections, (1..=20).map(|number| format!("[Account{number}]")).collect::<Vec<_>>(), "in the order of the table");
    assert_eq!(*company.browser.urls.lock().unwrap(), [seen.verifications[0].url.as_str()]);
    assert_eq!(company.service.stats().requests["GetRoleCredentials"], 20);
    company.assert_polite();
}

#[test]
fn a_second_run_finds_nothing_due_and_sends_no_request() {
    let company = Company::with(approving(), 3);
    company.update();
    let before = (company.service.stats().requests, std::fs::metadata(company.aws("credentials")).unwrap().modified().unwrap());
    let seen = company.update();
    assert_eq!(seen.statuses(), [("StillValid", 3)].into());
    assert!(seen.completed[0].session_expires.is_some());
    assert_eq!((company.service.stats().requests, std::fs::metadata(company.aws("credentials")).unwrap().modified().unwrap()), before);
}

#[test]
fn a_new_shell_does_not_log_in_again() {
    let mut company = Company::without_session(approving(), 3);
    company.update();
    company.forget();
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 3)].into());
    assert!(seen.verifications.is_empty());
    assert_eq!(company.service.stats().logins, 1);
    let names: Vec<_> = std::fs::read_dir(company.aws("sso/cache")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!((names.iter().filter(|name| name.contains(".json")).count(), names.len()), (2, 2), "{names:?}");
}

#[test]
fn a_session_in_memory_leaves_no_file_and_lasts_as_long_as_the_process() {
    let mut company = Company::without_session(approving(), 2);
    let update = || {
        Operation::Update(Update {
            is_named: false,
            force: true,
            session: SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() },
            ..update_of("Acme")
        })
    };
    company.run(update());
    company.run(update());
    assert_eq!(company.service.stats().logins, 1);
    assert!(!company.aws("sso").exists());
    company.forget();
    company.run(update());
    assert_eq!(company.service.stats().logins, 2);
}

#[test]
fn only_the_wanted_profiles_are_fetched() {
    let company = Company::with(approving(), 5);
    let targets = vec![Target { environment: "acme".into(), profiles: Some(vec!["Account2".into(), "Account4".into()]) }];
    let seen = company.run(Operation::Update(Update { targets, ..update_of("Acme") }));
    assert_eq!(seen.completed[0].profile_names, ["Account2", "Account4"]);
    assert_eq!(company.service.stats().requests["GetRoleCredentials"], 2);
}

#[test]
fn environments_of_one_instance_share_the_login_and_the_write() {
    let company = Company::without_session(approving(), 2);
    let mut others = rows(4).split_off(2);
    others[0].role_name = Some("AWSReadOnlyAccess".into());
    company.set("Other", others);
    let targets = ["Acme", "Other"].map(|name| Target { environment: name.into(), profiles: None }).to_vec();
    let seen = company.run(Operation::Update(Update { targets, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Created", 4)].into());
    assert_eq!((company.service.stats().logins, seen.completed.len()), (1, 2));
}

#[test]
fn a_plan_shows_what_is_due_and_sends_no_request() {
    let company = Company::with(approving(), 2);
    let targets = vec![Target { environment: "Acme".into(), profiles: Some(vec!["Account1".into()]) }];
    company.run(Operation::Update(Update { targets, ..update_of("Acme") }));
    let before = company.service.stats().requests;
    let plan = |force, minimum_remaining| {
        company.run(Operation::Plan(Plan { environments: Vec::new(), force, minimum_remaining, replace_keys: false, due_only: false })).planned
    };
    assert_eq!(plan(false, 900), [("Account1".to_owned(), false), ("Account2".to_owned(), true)]);
    assert_eq!(plan(true, 900), [("Account1".to_owned(), true), ("Account2".to_owned(), true)]);
    company.clock.move_by(60);
    assert_eq!(plan(false, 3580), [("Account1".to_owned(), true), ("Account2".to_owned(), true)]);
    let due_only = Plan { environments: Vec::new(), force: false, minimum_remaining: 900, replace_keys: false, due_only: true };
    assert_eq!(company.run(Operation::Plan(due_only)).planned, [("Account2".to_owned(), true)]);
    assert_eq!(company.service.stats().requests, before);
}

#[test]
fn profiles_are_only_counted_when_no_profile_events_are_requested() {
    let company = Company::with(Options { refuse: vec!["100000000001".into()], ..approving() }, 3);
    for (fetched, still_valid) in [(2, 0), (0, 2)] {
        let seen = company.run(Operation::Update(Update { report_profiles: false, ..update_of("Acme") }));
        assert_eq!((seen.profiles.len(), seen.codes()), (0, vec!["RoleNotAssigned".to_owned()]));
        let completed = &seen.completed[0];
        assert_eq!((completed.refreshed, completed.still_valid, completed.failed), (fetched, still_valid, 1));
        assert_eq!(completed.profile_names, ["Account1", "Account3"]);
    }
}

#[test]
fn credentials_that_expire_soon_are_fetched_again() {
    let company = Company::with(approving(), 2);
    company.update();
    company.clock.move_by(3600 - 900 + 60);
    assert_eq!(company.update().statuses(), [("Refreshed", 2)].into());
}

/// Every secret that lies in the files of this home.
fn secrets(company: &Company) -> Vec<String> {
    let cache: String = std::fs::read_dir(company.aws("sso/cache")).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let credentials = company.credentials();
    let lines = credentials.lines().filter(|line| line.starts_with("aws_secret") || line.starts_with("aws_session"));
    let mut secrets: Vec<String> = lines.map(|line| line.split_once(" = ").unwrap().1.to_owned()).collect();
    for name in ["accessToken", "refreshToken", "clientSecret"] {
        secrets.extend(cache.split(&format!("\"{name}\": \"")).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    secrets
}

#[test]
fn no_secret_ever_reaches_an_event_whatever_goes_wrong() {
    let company = Company::without_session(approving(), 4);
    let mut text = company.update().text;
    let mut known = secrets(&company);
    assert!(known.len() >= 11, "{}", known.len());
    let faults = [
        Control { broken_json: vec!["GetRoleCredentials:2".parse().unwrap()], ..Control::default() },
        Control { cut: vec!["GetRoleCredentials:all".parse().unwrap()], ..Control::default() },
        Control { fail: vec!["GetRoleCredentials:all:400".parse().unwrap()], ..Control::default() },
        Control { refuse: vec!["100000000001".into()], ..Control::default() },
        Control { expire_tokens: true, broken_json: vec!["CreateToken:1".parse().unwrap()], ..Control::default() },
        Control { expire_tokens: true, end_sessions: true, fail: vec!["CreateToken:1:400:InvalidGrantException".parse().unwrap()], ..Control::default() },
        Control { hang: vec!["GetRoleCredentials:1".parse().unwrap()], ..Control::default() },
    ];
    for fault in faults {
        company.service.control(Control { clear: true, ..fault });
        text += &company.run(Operation::Update(Update { force: true, session: within(3), ..update_of("Acme") })).text;
        known.extend(secrets(&company));
    }
    for operation in [
        Operation::GetSession(sso_core::protocol::GetSession { environments: Vec::new() }),
        Operation::GetCredential(sso_core::protocol::GetCredential { environments: Vec::new(), minimum_remaining: 900 }),
        Operation::DisconnectSession(sso_core::protocol::DisconnectSession { environments: Vec::new(), remove_credentials: true }),
    ] {
        text += &company.run(operation).text;
    }
    for code in ["ServiceError", "NetworkError", "RoleNotAssigned"] {
        assert!(text.contains(code), "{code} was to be among what went wrong");
    }
    for secret in known {
        // A piece of one would be enough to harm.
        assert!(secret.len() > 20 && !text.contains(&secret[..20]));
    }
}
