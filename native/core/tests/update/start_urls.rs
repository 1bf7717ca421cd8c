//! One session for all spellings of a start URL, and the session that a config file names.

use std::path::PathBuf;

use sso_core::protocol::{
    AccountRow, ConnectSession, DisconnectSession, GetKeys, GetSession, LoginMethod, Operation, SessionState, SessionTerms, SetEnvironment, Target, TokenCache,
    Update,
};
use sso_stand_in::Options;

use crate::sessions::{connect, disconnect, edit_token, files_in, session, token, token_file};
use crate::side_by_side::side_by_side;
use crate::{Company, Seen, approving, rows, update_of};

/// Stores an environment for the same company whose start URL is written like this.
fn set_with_url(company: &Company, name: &str, start_url: &str) -> Seen {
    company.run(Operation::SetEnvironment(SetEnvironment {
        name: name.to_owned(),
        start_url: Some(start_url.to_owned()),
        region: Some("us-west-2".to_owned()),
        default_role_name: Some("AWSAdministratorAccess".to_owned()),
        accounts: Some(rows(1).into_iter().map(|row| AccountRow { profile: format!("{name}-{}", row.profile), ..row }).collect()),
        ..SetEnvironment::default()
    }))
}

/// The spellings of one start URL that people copy from different places.
const SPELLINGS: [&str; 7] = [
    "https://d-12345abcde.awsapps.com/start",
    "https://d-12345abcde.awsapps.com/start/",
    "https://d-12345abcde.awsapps.com/start#/",
    "https://d-12345abcde.awsapps.com/start/#/",
    "https://d-12345abcde.awsapps.com/start/#/?tab=accounts",
    "https://D-12345ABCDE.awsapps.com/start",
    "https://d-12345abcde.awsapps.com:443/start/?from=mail#/console",
];

#[test]
fn all_spellings_of_a_start_url_are_one_session() {
    let mut company = Company::without_session(approving(), 1);
    for (index, start_url) in SPELLINGS.iter().enumerate() {
        let seen = set_with_url(&company, &format!("Other{index}"), start_url);
        assert!(seen.failed.is_empty(), "{start_url}: {:?}", seen.failed);
    }
    let targets = (0..SPELLINGS.len()).map(|index| Target { environment: format!("Other{index}"), profiles: None });
    let seen = company.run(Operation::Update(Update { targets: targets.collect(), ..update_of("Acme") }));
    seen.assert_created(SPELLINGS.len());
    assert_eq!((company.service.stats().logins, seen.verifications.len()), (1, 1));
    company.forget();
    company.clock.move_by(8 * 3600 + 60);
    // The last of them refreshes what the first one logged in to, and the first one has it, too.
    for name in ["Other6", "Other0", "Acme"] {
        let seen = company.run(Operation::Update(update_of(name)));
        assert!(seen.failed.is_empty() && seen.verifications.is_empty(), "{name}: {:?}", seen.failed);
        company.forget();
    }
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 1));
    company.run(Operation::DisconnectSession(DisconnectSession { environments: vec!["Other4".into()], remove_credentials: false }));
    assert_eq!((company.service.stats().requests["Logout"], session(&company).state), (1, SessionState::None));
    assert_eq!(company.requests("Unknown"), 0);
    company.assert_polite();
}

#[test]
fn a_login_writes_the_file_that_the_aws_cli_reads_for_this_spelling_of_the_start_url() {
    for (start_url, file) in [
        ("https://d-12345abcde.awsapps.com/start", "e9fb8e921a85c92706f902aefe8919e4145eff9c"),
        ("https://d-12345abcde.awsapps.com/start/#/", "87ce27576fb498a99e05aa65e032fdb727eab622"),
    ] {
        let company = Company::without_session(approving(), 1);
        set_with_url(&company, "Other", start_url);
        company.run(Operation::Update(update_of("Other"))).assert_created(1);
        assert_eq!(token_file(&company).file_stem().unwrap(), file, "{start_url}");
        assert_eq!(token(&company)["startUrl"], start_url);
    }
}

#[test]
fn a_session_of_another_region_is_not_taken_for_this_one() {
    let company = Company::with(approving(), 1);
    company.update();
    edit_token(&company, |token| drop(token.insert("region".into(), "eu-central-1".into())));
    set_with_url(&company, "Other", "https://d-12345abcde.awsapps.com/start");
    company.run(Operation::Update(update_of("Other"))).assert_created(1);
    assert_eq!(company.service.stats().logins, 1);
}

#[test]
fn an_sso_session_is_found_for_every_spelling_of_its_start_url() {
    let company = Company::without_session(Options { accounts: 1, ..approving() }, 1);
    let config = "[sso-session my-sso]\nsso_start_url = https://D-12345abcde.awsapps.com/start/#/?tab=accounts\nsso_region = us-west-2\n";
    std::fs::write(company.aws("config"), config).unwrap();
    company.update().assert_created(1);
    // SHA-1 of my-sso, as the AWS CLI has it.
    assert_eq!(token_file(&company).file_stem().unwrap(), "0ad374308c5a4e22f723adf10145eafad7c4031c");
}

#[test]
fn each_spelling_of_a_start_url_can_be_logged_in_with() {
    side_by_side(SPELLINGS, |start_url| {
        for login_method in [LoginMethod::DeviceCode, LoginMethod::Pkce] {
            let company = Company::without_session(approving(), 1);
            set_with_url(&company, "Other", start_url);
            let session = SessionTerms { login_method, timeout: Some(if login_method == LoginMethod::Pkce { 1 } else { 60 }), ..SessionTerms::default() };
            let seen = company.run(Operation::ConnectSession(ConnectSession { environments: vec!["Other".into()], session, ..ConnectSession::default() }));
            // Nobody uses the browser here, so the login by PKCE goes on until the time is up.
            let expected: &[&str] = if login_method == LoginMethod::Pkce { &["LoginTimedOut"] } else { &[] };
            assert_eq!(
                (seen.codes().as_slice(), seen.verifications.len()),
                (expected.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>().as_slice(), 1),
                "{start_url}"
            );
        }
    });
}

#[test]
fn two_processes_that_write_the_start_url_differently_log_in_once() {
    let company = Company::without_session(approving(), 1);
    set_with_url(&company, "Other", "https://d-12345abcde.awsapps.com/start/#/?tab=accounts");
    side_by_side(["Acme", "Other", "Acme", "Other"].map(|name| (name, company.world())), |(name, world)| {
        let seen = Seen::all(&sso_core::run_with(Operation::Update(update_of(name)), world, std::sync::Arc::default()));
        assert!(seen.failed.is_empty(), "{name}: {:?}", seen.failed);
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

/// The environment Acme with a line `sso_session = corp`, and a config file that has the session like this.
fn names_session(config: &str) -> Company {
    let company = Company::without_session(approving(), 1);
    let path = company.aws("sso-environments");
    let stored = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, stored.replace("sso_region", "sso_session = corp\nsso_region")).unwrap();
    std::fs::write(company.aws("config"), config).unwrap();
    company
}

#[test]
fn an_environment_that_names_the_session_of_another_portal_neither_uses_nor_changes_it() {
    let other_url = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-west-2\n";
    let other_region = "[sso-session corp]\nsso_start_url = https://d-12345abcde.awsapps.com/start\nsso_region = eu-west-1\n";
    for (config, named) in [(other_url, "https://corp.awsapps.com/start in us-west-2"), (other_region, "https://d-12345abcde.awsapps.com/start in eu-west-1")] {
        let company = names_session(config);
        std::fs::create_dir_all(company.aws("sso/cache")).unwrap();
        let names = || vec!["Acme".to_owned()];
        for operation in [
            Operation::Update(update_of("Acme")),
            connect(),
            disconnect(false),
            Operation::GetSession(GetSession { environments: names() }),
            Operation::GetKeys(GetKeys {
                profile: "Account1".into(),
                environments: names(),
                minimum_remaining: Some(900),
                role: None,
                keep: false,
                session: SessionTerms::default(),
            }),
        ] {
            let error = company.run(operation.clone()).only_error("EnvironmentInvalid");
            for word in [named, "https://d-12345abcde.awsapps.com/start", "in us-west-2 and names the sso_session corp", "sso-environments", "config"] {
                assert!(error.contains(word), "{operation:?}: {error}");
            }
        }
        assert_eq!(company.service.stats().logins, 0);
        assert_eq!(files_in(&company, "sso/cache"), Vec::<PathBuf>::new());
        // In memory no session of the AWS CLI is touched.
        let session = SessionTerms { token_cache: Some(TokenCache::Memory), ..SessionTerms::default() };
        company.run(Operation::Update(Update { session, ..update_of("Acme") })).assert_created(1);
        assert_eq!(files_in(&company, "sso/cache"), Vec::<PathBuf>::new());
    }
}

#[test]
fn an_environment_that_names_a_session_of_its_own_portal_or_one_that_is_not_there_logs_in() {
    let same = "[sso-session corp]\nsso_start_url = https://D-12345abcde.awsapps.com/start/#/\nsso_region = us-west-2\n";
    // SHA-1 of the session's name, else of the start URL, as the AWS CLI has it.
    for (config, expected) in [(same, "ee0bfd2552fbd840c02cc48b6e823320543c450f"), ("", "6e634922f210bb9b172289d92b64e2ae4eb5883a")] {
        let company = names_session(config);
        company.update().assert_created(1);
        assert_eq!(token_file(&company).file_stem().unwrap(), expected, "{config}");
    }
}
