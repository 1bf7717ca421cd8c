use sso_core::protocol::{Operation, Plan, Target, Update};

use crate::{Company, approving, update_of, within};

#[test]
fn an_error_about_an_unknown_environment_lists_the_known_ones() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Update(update_of("Amce")));
    assert_eq!(seen.codes(), ["EnvironmentNotFound"]);
    assert!(seen.failed[0].terminating && seen.failed[0].message.contains("Acme"));
    assert!(seen.failed[0].action.as_ref().unwrap().contains("Set-SsoEnvironment"));
}

#[test]
fn one_unknown_environment_among_others_does_not_end_the_run() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Plan(Plan {
        environments: vec!["Amce".into(), "acme".into()],
        force: false,
        minimum_remaining: 900,
        replace_keys: false,
        due_only: false,
    }));
    assert_eq!((seen.codes(), seen.failed[0].terminating, seen.planned.len()), (vec!["EnvironmentNotFound".to_owned()], false, 1));
}

#[test]
fn a_time_limit_of_any_size_is_accepted() {
    let company = Company::with(approving(), 1);
    let seen = company.run(Operation::Update(Update { session: within(u64::MAX), minimum_remaining: u64::MAX, ..update_of("Acme") }));
    seen.assert_created(1);
}

#[test]
fn without_environments_the_error_names_the_cmdlet_that_creates_one() {
    let company = Company::with(approving(), 1);
    std::fs::remove_file(company.aws("sso-environments")).unwrap();
    let seen = company.run(Operation::Plan(Plan { environments: Vec::new(), force: false, minimum_remaining: 900, replace_keys: false, due_only: false }));
    assert_eq!(seen.codes(), ["EnvironmentNotFound"]);
    assert!(seen.failed[0].action.as_ref().unwrap().contains("Set-SsoEnvironment"));
}

#[test]
fn an_invalid_credentials_file_is_an_error_before_any_login_and_does_not_change() {
    let broken: [(&[u8], &str); 4] =
        [(b"[a]\nk=v\n\n[a]\n", "line 4"), (b"[a]\nnot a key\n", "line 2"), (b"\xef\xbb\xbf[a]\nk=v\n", "byte order mark"), (b"[a]\nk=1\nk=2\n", "line 3")];
    for (bytes, line) in broken {
        let company = Company::without_session(approving(), 1);
        std::fs::write(company.aws("credentials"), bytes).unwrap();
        let seen = company.update();
        assert_eq!(seen.codes(), ["CredentialsFileInvalid"]);
        assert!(seen.failed[0].message.contains(line), "{}", seen.failed[0].message);
        assert_eq!(std::fs::read(company.aws("credentials")).unwrap(), bytes);
        assert!(company.service.stats().requests.is_empty());
    }
}

#[test]
fn a_credentials_file_below_a_file_is_an_error_before_any_login() {
    let mut company = Company::without_session(approving(), 1);
    std::fs::write(company.aws("file"), "").unwrap();
    company.variables.insert("AWS_SHARED_CREDENTIALS_FILE".into(), company.aws("file/credentials").display().to_string());
    // Windows does not tell a file in the place of a folder from a folder that is missing.
    company.update().only_error(if cfg!(windows) { "WriteFailed" } else { "ReadFailed" });
    assert!(company.service.stats().requests.is_empty());
}

#[test]
fn an_endpoint_without_tls_is_refused() {
    for url in ["http://example.com", "ftp://127.0.0.1", "127.0.0.1:80"] {
        let mut company = Company::with(approving(), 1);
        company.variables.insert("AWS_ENDPOINT_URL_SSO".into(), url.into());
        let seen = company.update();
        assert_eq!(seen.codes(), ["EnvironmentInvalid"]);
        assert_eq!(seen.failed[0].target.as_deref(), Some("AWS_ENDPOINT_URL_SSO"));
    }
}

#[test]
fn an_unusable_ca_bundle_is_an_error_that_names_its_fault() {
    let mut company = Company::with(approving(), 1);
    company.variables.insert("AWS_ENDPOINT_URL_SSO".into(), "https://127.0.0.1:1".into());
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, what) in
        [("", "contains no certificate"), ("x", "contains no certificate"), (broken, "cannot be used"), ("-----BEGIN CERTIFICATE-----\n!\n", "PEM")]
    {
        std::fs::write(company.aws("ca.pem"), text).unwrap();
        company.variables.insert("AWS_CA_BUNDLE".into(), ".aws/ca.pem".into());
        let seen = company.update();
        assert_eq!(seen.codes(), ["ReadFailed"], "{text}");
        assert!(seen.failed[0].message.contains(what), "{}", seen.failed[0].message);
    }
    company.variables.insert("AWS_CA_BUNDLE".into(), "nowhere.pem".into());
    assert_eq!(company.update().codes(), ["ReadFailed"]);
}

#[test]
fn a_profile_that_no_longer_exists_is_left_out_without_an_error() {
    let company = Company::with(approving(), 2);
    let targets = vec![Target { environment: "Acme".into(), profiles: Some(vec!["Gone".into(), "Account2".into()]) }];
    let seen = company.run(Operation::Update(Update { targets, ..update_of("Acme") }));
    seen.assert_created(1);
    assert_eq!(seen.profiles[0].profile_name, "Account2");
}
