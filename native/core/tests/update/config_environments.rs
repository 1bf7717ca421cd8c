//! Environments that nobody stored: those of the AWS CLI's config file.

use sso_core::protocol::{GetEnvironment, GetSession, Operation, Plan, RemoveEnvironment, Target, Update};

use crate::{Company, Seen, approving, update_of};

const CLI_PROFILES: &str = "[profile Account1]\nsso_session = my-sso\nsso_account_id = 100000000000\nsso_role_name = AWSAdministratorAccess\nregion = us-west-2\n\n\
    [profile \"Account 2\"]\nsso_session = my-sso\nsso_account_id = 100000000001\nsso_role_name = AWSReadOnlyAccess\n\n\
    [profile tools]\nsso_session = my-sso\n\n[default]\noutput = json\n";

/// A company whose user has this in ~/.aws/config, with its own start URL, and has stored nothing.
fn configured(config: &str) -> Company {
    let company = Company::with(approving(), 0);
    std::fs::remove_file(company.aws("sso-environments")).unwrap();
    write(&company, config);
    company
}

fn write(company: &Company, config: &str) {
    std::fs::write(company.aws("config"), config.replace("{start_url}", company.service.start_url())).unwrap();
}

fn session() -> String {
    format!("[sso-session my-sso]\nsso_start_url = {{start_url}}\nsso_region = us-west-2\nsso_registration_scopes = sso:account:access\n\n{CLI_PROFILES}")
}

fn update(company: &Company, name: &str) -> Seen {
    company.run(Operation::Update(update_of(name)))
}

#[test]
fn whoever_uses_the_aws_cli_s_sso_needs_no_set_up() {
    let company = configured(&session());
    update(&company, "My-SSO").assert_created(2);
    assert!(company.credentials().contains("[Account 2]\naws_access_key_id"), "{}", company.credentials());
    // The token lies where the AWS CLI looks for it: sha1 of the session's name.
    assert!(company.aws("sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json").exists());
    assert_eq!(update(&company, "my-sso").statuses(), [("StillValid", 2)].into());
    let seen = company.run(Operation::GetSession(GetSession { environments: vec!["my-sso".into()] }));
    assert!(seen.text.contains("\"Active\""), "{}", seen.text);
    company.assert_polite();
}

#[test]
fn profiles_without_a_session_are_an_environment_named_by_the_start_url() {
    let legacy = |name: &str, account: u64| {
        format!("[profile {name}]\nsso_start_url = {{start_url}}\nsso_region = us-west-2\nsso_account_id = {account}\nsso_role_name = AWSAdministratorAccess\n")
    };
    let company = configured(&(legacy("One", 100_000_000_000) + &legacy("Two", 100_000_000_001).replace("start_url}", "start_url}#/")));
    update(&company, "d-12345abcde").assert_created(2);
}

#[test]
fn a_stored_environment_goes_before_one_of_the_config_file() {
    let company = configured(&session());
    let rows = crate::rows(1);
    company.set("My-Sso", rows);
    let seen = update(&company, "my-sso");
    seen.assert_created(1);
    let listed = company.run(Operation::GetEnvironment(GetEnvironment::default()));
    assert_eq!(listed.text.matches("\"environment\":{\"name\"").count(), 1, "{}", listed.text);
}

#[test]
fn the_list_says_where_each_environment_comes_from() {
    let company = configured(&session());
    company.set("Acme", crate::rows(1).into_iter().map(|row| sso_core::protocol::AccountRow { profile: "Other".into(), ..row }).collect());
    let listed = company.run(Operation::GetEnvironment(GetEnvironment::default())).text;
    assert!(listed.contains(".aws/sso-environments") && listed.contains(".aws/config") && listed.contains("my-sso"), "{listed}");
    let stored = company.run(Operation::GetEnvironment(GetEnvironment { stored_only: true, ..GetEnvironment::default() })).text;
    assert!(!stored.contains("my-sso"), "{stored}");
}

#[test]
fn a_run_without_a_name_never_takes_what_only_the_config_file_has() {
    let company = configured(&session());
    let plan = || Operation::Plan(Plan { environments: Vec::new(), force: false, minimum_remaining: 900, due_only: false });
    let error = company.run(plan()).only_error("EnvironmentNotFound");
    assert!(error.contains("-Environment my-sso"), "{error}");
    company.set("Acme", Vec::new());
    assert!(company.run(plan()).planned.is_empty());
}

#[test]
fn an_unknown_name_is_answered_with_those_of_both_files() {
    let company = configured(&session());
    let error = update(&company, "my-ssso").only_error("EnvironmentNotFound");
    assert!(error.contains("Did you mean my-sso?"), "{error}");
}

#[test]
fn an_environment_of_the_config_file_is_not_removed_by_this_module() {
    let company = configured(&session());
    let before = std::fs::read(company.aws("config")).unwrap();
    let removal = RemoveEnvironment { name: "my-sso".into(), check_only: false };
    let error = company.run(Operation::RemoveEnvironment(removal)).only_error("EnvironmentNotFound");
    assert!(error.contains("comes from") && error.contains("config"), "{error}");
    assert_eq!(std::fs::read(company.aws("config")).unwrap(), before);
}

#[test]
fn a_wrong_value_in_the_config_file_is_named_before_any_request() {
    for (good, wrong, word) in [
        ("sso_account_id = 100000000000", "sso_account_id = 1000", "4 digits"),
        ("sso_role_name = AWSReadOnlyAccess", "sso_role_name = a role", "permission set role"),
        ("sso_region = us-west-2", "sso_region = US West", "region"),
        ("sso_start_url = {start_url}", "sso_start_url = http://example.com/start", "https"),
    ] {
        let company = configured(&session().replace(good, wrong));
        let error = update(&company, "my-sso").only_error("EnvironmentInvalid");
        assert!(error.contains(word) && error.contains("config"), "{error}");
        assert!(company.service.stats().requests.is_empty());
    }
}

#[test]
fn a_broken_config_file_matters_only_where_it_is_needed() {
    let company = Company::with(approving(), 1);
    company.update().assert_created(1);
    write(&company, "[profile a\n");
    assert_eq!(company.update().statuses(), [("StillValid", 1)].into());
    update(&company, "my-sso").only_error("ConfigFileInvalid");
}

#[test]
fn a_profile_with_another_meaning_in_the_config_file_is_warned_of_once() {
    let company = Company::with(approving(), 5);
    let config = "[profile Account1]\nsso_session = my-sso\nsso_account_id = 100000000000\nsso_role_name = AWSAdministratorAccess\n\
        [profile Account2]\nsso_session = my-sso\nsso_account_id = 100000000009\nsso_role_name = AWSAdministratorAccess\n\
        [profile Account3]\nrole_arn = arn:aws:iam::100000000002:role/x\nsource_profile = Account1\n\
        [profile Account4]\ncredential_process = /bin/keys\n\
        [profile Account5]\nregion = us-west-2\n\
        [sso-session my-sso]\nsso_start_url = {start_url}\nsso_region = us-west-2\n";
    write(&company, config);
    let seen = company.update();
    seen.assert_created(5);
    let warnings: Vec<_> = seen.notes.iter().filter(|note| note.contains("/config has a")).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (name, word) in [("Account2", "sso_account_id"), ("Account3", "role_arn"), ("Account4", "credential_process")] {
        assert!(warnings.iter().any(|warning| warning.contains(name) && warning.contains(word)), "{warnings:?}");
    }
    assert!(!warnings.iter().any(|warning| warning.contains("Account1") || warning.contains("Account5")), "{warnings:?}");
    let targets = vec![Target { environment: "Acme".into(), profiles: None }];
    let again = company.run(Operation::Update(Update { targets, force: true, ..update_of("Acme") }));
    assert!(!again.notes.iter().any(|note| note.contains("/config has a")), "{:?}", again.notes);
}
