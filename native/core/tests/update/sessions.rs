use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use sso_core::protocol::{
    AccountRow, ConnectSession, DisconnectSession, Event, GetCredential, GetKeys, GetSession, LoginMethod, Operation, SessionTerms, SetEnvironment,
};
use sso_core::protocol::{CredentialState, CredentialView, SessionState, SessionView, Target, TokenCache, Update};
use sso_stand_in::{Control, Options};

use crate::{Company, Seen, approving, rows, update_of};

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

/// The files in a folder below `.aws`.
fn files_in(company: &Company, folder: &str) -> Vec<PathBuf> {
    std::fs::read_dir(company.aws(folder)).map(|entries| entries.map(|entry| entry.unwrap().path()).collect()).unwrap_or_default()
}

/// The file with the token of the only login.
fn token_file(company: &Company) -> PathBuf {
    files_in(company, "sso/cache").into_iter().find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("accessToken"))).unwrap()
}

/// Changes the JSON of the only token.
fn edit_token(company: &Company, edit: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    let path = token_file(company);
    let mut token = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    edit(&mut token);
    std::fs::write(&path, serde_json::to_vec(&token).unwrap()).unwrap();
}

fn without_login() -> SessionTerms {
    SessionTerms { login: false, ..SessionTerms::default() }
}

/// Runs the checks side by side, since most of their time is waiting for a login.
fn each(cases: &[&str], check: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| cases.iter().for_each(|case| drop(scope.spawn(|| check(case)))));
}

/// The service refuses refreshes with this, and the login goes on as ever.
fn refusing_refreshes(company: &Company, fault: &str) {
    company.service.control(Control { fail: vec![format!("CreateToken:1:{fault}").parse().unwrap()], ..Control::default() });
}

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
fn disconnecting_ends_the_session_everywhere_and_leaves_the_registration() {
    let company = Company::with(approving(), 1);
    company.update();
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(company.service.stats().requests["Logout"], 1);
    assert_eq!((session(&company).state, credential(&company).state), (SessionState::None, CredentialState::Valid));
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
    assert_eq!(session(&company).state, SessionState::None);
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
    assert_eq!(credential(&company).state, CredentialState::Missing);
}

#[test]
fn keys_are_shown_as_they_stand() {
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
fn a_logout_that_is_never_answered_takes_the_session_from_this_machine_all_the_same() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { hang: vec!["Logout:all".parse().unwrap()], ..Control::default() });
    let started = std::time::Instant::now();
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("not ended at the service")), "{seen:?}");
    assert_eq!(session(&company).state, SessionState::None);
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
    let token = files_in(&company, "sso/cache").into_iter().find(|path| std::fs::read_to_string(path).unwrap().contains("accessToken")).unwrap();
    let old_lock = token.with_extension("lock");
    for lock in files_in(&company, "sso/locks").into_iter().chain([old_lock]) {
        // A folder where the lock should be: nobody can take it.
        let _ = std::fs::remove_file(&lock);
        std::fs::create_dir(&lock).unwrap();
    }
    let seen = company.run(disconnect(false));
    assert_eq!(seen.codes(), ["WriteFailed"]);
    assert_eq!(session(&company).state, SessionState::Active);
}

#[test]
fn a_refresh_that_the_service_refuses_leads_to_one_login_whatever_it_calls_it() {
    each(
        &[
            "400:InvalidRequestException",
            "400:InvalidRequestException:KMS_DisabledException",
            "400:InvalidScopeException",
            "400:UnsupportedGrantTypeException",
            "400:InvalidGrantException",
            "400:ExpiredTokenException",
            "400:AccessDeniedException",
            "400:UnauthorizedClientException",
            "401:InvalidClientException",
            "403:AccessDeniedException",
        ],
        |fault| {
            for operation in [Operation::Update(update_of("Acme")), connect()] {
                let company = Company::with(approving(), 1);
                company.update();
                company.clock.move_by(8 * 3600 + 60);
                refusing_refreshes(&company, fault);
                let seen = company.run(operation);
                assert!(seen.failed.is_empty(), "{fault}: {:?}", seen.failed);
                assert_eq!((seen.verifications.len(), company.service.stats().logins), (1, 2), "{fault}");
                assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Active, true), "{fault}");
            }
        },
    );
}

#[test]
fn a_session_that_the_portal_ended_and_the_service_will_not_refresh_leads_to_one_login() {
    for refused in ["401", "401:bare"] {
        let company = Company::with(approving(), 3);
        company.update();
        let fail = [format!("GetRoleCredentials:1:{refused}"), "CreateToken:1:400:InvalidRequestException".to_owned()];
        company.service.control(Control { fail: fail.iter().map(|fault| fault.parse().unwrap()).collect(), ..Control::default() });
        let seen = company.forced();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 3)].into(), 1), "{refused}: {:?}", seen.failed);
        assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (2, 0), "{refused}");
    }
}

#[test]
fn a_refresh_that_fails_for_a_reason_that_may_pass_asks_nobody_to_log_in() {
    let faults =
        ["400:SlowDownException", "400:AuthorizationPendingException", "429", "429:bare", "500", "503:bare", "400:bare", "401:bare", "403:proxy", "401:proxy"];
    each(&faults, |fault| {
        let company = Company::with(approving(), 1);
        company.update();
        company.clock.move_by(8 * 3600 + 60);
        company.service.control(Control { fail: vec![format!("CreateToken:all:{fault}").parse().unwrap()], ..Control::default() });
        let seen = company.update();
        assert_eq!((seen.failed.len(), seen.verifications.len()), (1, 0), "{fault}: {:?}", seen.failed);
        assert_eq!(session(&company).state, SessionState::Refreshable, "{fault}");
        company.service.control(Control { clear: true, ..Control::default() });
        let seen = company.update();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{fault}: {:?}", seen.failed);
    });
}

#[test]
fn a_session_that_is_still_good_is_used_when_the_service_refuses_to_refresh_it() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 - 600);
    refusing_refreshes(&company, "400:InvalidRequestException");
    let seen = company.forced();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Active, false));
}

#[test]
fn a_session_that_the_service_will_not_refresh_is_not_shown_as_refreshable_by_any_process() {
    let mut company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    assert_eq!(session(&company).state, SessionState::Refreshable);
    refusing_refreshes(&company, "400:InvalidRequestException");
    let before = token(&company);
    let seen = company.run(Operation::Update(Update { session: without_login(), ..update_of("Acme") }));
    assert_eq!(seen.codes(), ["LoginRequired"]);
    assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Ended, false));
    company.forget();
    assert_eq!((session(&company).state, session(&company).refreshable), (SessionState::Ended, false), "in a new process");
    // The file is the AWS CLI's too: its token stays, and what another tool writes there counts.
    assert_eq!(token(&company)["refreshToken"], before["refreshToken"]);
    edit_token(&company, |token| drop(token.insert("refreshToken".into(), "another".into())));
    assert_eq!(session(&company).state, SessionState::Refreshable);
    edit_token(&company, |token| drop(token.insert("refreshToken".into(), before["refreshToken"].clone())));
    // What the service refused once it may grant the next time.
    let seen = company.update();
    assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{:?}", seen.failed);
    assert_eq!(session(&company).state, SessionState::Active);
    assert!(!token(&company).contains_key("x_refresh_token_refused"));
}

fn token(company: &Company) -> serde_json::Map<String, serde_json::Value> {
    serde_json::from_slice(&std::fs::read(token_file(company)).unwrap()).unwrap()
}

#[test]
fn a_client_that_the_service_no_longer_knows_is_not_used_for_the_login_either() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    refusing_refreshes(&company, "401:InvalidClientException");
    assert!(company.update().failed.is_empty());
    assert_eq!(company.service.stats().requests["RegisterClient"], 2);
}

#[test]
fn a_token_file_that_does_not_tell_when_its_registration_ends_is_refreshed() {
    for value in [None, Some(serde_json::Value::Null), Some("".into()), Some("someday".into())] {
        let mut company = Company::with(approving(), 1);
        company.update();
        edit_token(&company, |token| {
            token.shift_remove("registrationExpiresAt");
            if let Some(value) = &value {
                token.insert("registrationExpiresAt".into(), value.clone());
            }
        });
        company.forget();
        company.clock.move_by(8 * 3600 + 60);
        let shown = session(&company);
        assert_eq!((shown.state, shown.refreshable, shown.registration_expires), (SessionState::Refreshable, true, None), "{value:?}");
        let seen = company.update();
        assert_eq!((seen.statuses(), seen.verifications.len()), ([("Refreshed", 1)].into(), 0), "{value:?}: {:?}", seen.failed);
        assert_eq!(company.service.stats().refreshes, 1);
    }
}

#[test]
fn a_token_file_without_what_a_refresh_needs_leads_to_a_login() {
    for missing in ["clientId", "clientSecret", "refreshToken"] {
        let mut company = Company::with(approving(), 1);
        company.update();
        edit_token(&company, |token| drop(token.shift_remove(missing)));
        company.forget();
        company.clock.move_by(8 * 3600 + 60);
        assert_eq!(session(&company).state, SessionState::Ended, "{missing}");
        assert_eq!(company.update().verifications.len(), 1, "{missing}");
        assert_eq!(company.service.stats().refreshes, 0, "{missing}");
    }
}

#[test]
fn every_file_in_the_folder_of_the_cache_is_a_json_object() {
    let company = Company::with(approving(), 1);
    company.update();
    company.clock.move_by(8 * 3600 + 60);
    company.update();
    let files = files_in(&company, "sso/cache");
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok(), "{}: {text}", file.display());
    }
    company.run(disconnect(false));
    assert!(!files_in(&company, "sso/locks").is_empty());
}

#[test]
fn an_earlier_version_that_logs_in_is_waited_for_and_its_lock_file_becomes_harmless() {
    let company = Company::with(approving(), 1);
    company.update();
    let old_lock = token_file(&company).with_extension("lock");
    let held = std::fs::File::create(&old_lock).unwrap();
    held.lock().unwrap();
    company.clock.move_by(8 * 3600 + 60);
    let seen = company.run(Operation::Update(Update { session: SessionTerms { timeout: Some(1), ..without_login() }, ..update_of("Acme") }));
    let error = seen.only_error("FileLocked");
    assert!(error.contains(&old_lock.display().to_string()), "{error}");
    assert_eq!(company.service.stats().refreshes, 0);
    drop(held);
    assert!(company.update().failed.is_empty());
    assert_eq!(company.service.stats().refreshes, 1);
    assert_eq!(std::fs::read_to_string(&old_lock).unwrap().trim(), "{}", "aws2-wrap reads it as JSON");
}

#[test]
fn an_earlier_version_waits_while_this_one_logs_in() {
    let company = Company::with(approving(), 1);
    company.update();
    let path = token_file(&company).with_extension("lock");
    let old_lock = std::fs::File::create(&path).unwrap();
    company.run(disconnect(false));
    company.service.control(Control { hang: vec!["StartDeviceAuthorization:1".parse().unwrap()], ..Control::default() });
    let before = company.requests("StartDeviceAuthorization");
    let run = company.start(connect());
    std::thread::scope(|scope| {
        let pulled = scope.spawn(|| Seen::all(&run));
        let started = std::time::Instant::now();
        while company.requests("StartDeviceAuthorization") == before && started.elapsed() < std::time::Duration::from_mins(1) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert!(old_lock.try_lock().is_err(), "the login goes on");
        run.cancel();
        pulled.join().unwrap();
    });
    old_lock.try_lock().unwrap();
}

#[test]
fn a_folder_where_only_the_cache_can_be_written_still_keeps_the_session() {
    let mut company = Company::with(approving(), 1);
    std::fs::create_dir_all(company.aws("sso")).unwrap();
    // A file where the folder of the locks should be: it cannot be made, whoever runs the test.
    std::fs::write(company.aws("sso/locks"), "").unwrap();
    let seen = company.update();
    assert!(seen.failed.is_empty() && !seen.notes.iter().any(|note| note.contains("in this PowerShell only")), "{seen:?}");
    company.forget();
    assert!(company.forced().verifications.is_empty());
    // The lock is beside the token there, and holds back whoever has no session.
    let held = std::fs::File::open(token_file(&company).with_extension("lock")).unwrap();
    held.lock().unwrap();
    company.clock.move_by(8 * 3600 + 60);
    company.run(Operation::Update(Update { session: SessionTerms { timeout: Some(1), ..without_login() }, ..update_of("Acme") })).only_error("FileLocked");
    drop(held);
    for file in files_in(&company, "sso/cache") {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.is_object()), "{}: {text}", file.display());
    }
}

#[test]
fn a_cache_that_cannot_be_written_keeps_the_session_in_this_process() {
    for blocked in [&["sso/cache"][..], &["sso/cache", "sso/locks"]] {
        let company = Company::with(approving(), 1);
        std::fs::create_dir_all(company.aws("sso")).unwrap();
        for name in blocked {
            // A file where the folder should be: it cannot be made, whoever runs the test.
            std::fs::write(company.aws(name), "").unwrap();
        }
        let seen = company.update();
        seen.assert_created(1);
        assert!(seen.notes.iter().any(|note| note.contains("in this PowerShell only")), "{blocked:?}: {:?}", seen.notes);
        assert!(company.forced().verifications.is_empty(), "{blocked:?}");
        assert_eq!(session(&company).state, SessionState::Active, "{blocked:?}");
    }
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
fn one_portal_is_one_session_however_its_start_url_is_written() {
    let mut company = Company::with(approving(), 1);
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
fn a_login_goes_to_the_file_that_the_aws_cli_reads_for_the_start_url_as_it_is_written() {
    for (start_url, file) in [
        ("https://d-12345abcde.awsapps.com/start", "e9fb8e921a85c92706f902aefe8919e4145eff9c"),
        ("https://d-12345abcde.awsapps.com/start/#/", "87ce27576fb498a99e05aa65e032fdb727eab622"),
    ] {
        let company = Company::with(approving(), 1);
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
    assert_eq!(company.service.stats().logins, 2);
}

#[test]
fn the_sso_session_of_the_aws_config_file_is_found_however_its_start_url_is_written() {
    let company = Company::with(Options { accounts: 1, ..approving() }, 1);
    let config = "[sso-session my-sso]\nsso_start_url = https://D-12345abcde.awsapps.com/start/#/?tab=accounts\nsso_region = us-west-2\n";
    std::fs::write(company.aws("config"), config).unwrap();
    company.update().assert_created(1);
    // SHA-1 of my-sso, as the AWS CLI has it.
    assert_eq!(token_file(&company).file_stem().unwrap(), "0ad374308c5a4e22f723adf10145eafad7c4031c");
}

#[test]
fn each_spelling_of_a_start_url_can_be_logged_in_with() {
    each(&SPELLINGS, |start_url| {
        for login_method in [LoginMethod::DeviceCode, LoginMethod::Pkce] {
            let company = Company::with(approving(), 1);
            set_with_url(&company, "Other", start_url);
            let session = SessionTerms { login_method, timeout: Some(if login_method == LoginMethod::Pkce { 1 } else { 60 }), ..SessionTerms::default() };
            let seen = company.run(Operation::ConnectSession(ConnectSession { environments: vec!["Other".into()], session }));
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
    let company = Company::with(approving(), 1);
    set_with_url(&company, "Other", "https://d-12345abcde.awsapps.com/start/#/?tab=accounts");
    std::thread::scope(|scope| {
        for name in ["Acme", "Other", "Acme", "Other"] {
            let mut world = company.world();
            world.memory = std::sync::Arc::default();
            scope.spawn(move || {
                let seen = Seen::all(&sso_core::run(Operation::Update(update_of(name)), world));
                assert!(seen.failed.is_empty(), "{name}: {:?}", seen.failed);
            });
        }
    });
    assert_eq!(company.service.stats().device_authorizations, 1);
}

#[test]
fn a_session_that_another_program_renews_in_that_moment_is_used() {
    let mut company = Company::with(approving(), 1);
    company.update();
    let (path, good) = (token_file(&company), std::fs::read(token_file(&company)).unwrap());
    edit_token(&company, |token| {
        token.insert("accessToken".into(), "ended".into());
        token.insert("expiresAt".into(), "2020-01-01T00:00:00Z".into());
        token.insert("refreshToken".into(), "rotated".into());
    });
    // The AWS CLI takes no lock of ours: while our refresh is on its way, its own makes our refresh token useless.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    company.variable("AWS_ENDPOINT_URL_SSO_OIDC", format!("http://{}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 8192]);
        std::fs::write(&path, &good).unwrap();
        let body = r#"{"error":"invalid_grant","error_description":"Invalid grant provided"}"#;
        let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all((head + body).as_bytes()).unwrap();
    });
    let seen = company.forced();
    assert!(seen.failed.is_empty() && seen.verifications.is_empty(), "{:?}", seen.failed);
    assert_eq!((company.service.stats().logins, company.service.stats().refreshes), (1, 0));
    assert!(!token(&company).contains_key("x_refresh_token_refused"));
}

#[test]
fn a_proxy_that_answers_a_logout_is_not_taken_for_the_service() {
    let company = Company::with(approving(), 1);
    company.update();
    company.service.control(Control { fail: vec!["Logout:all:401:proxy".parse().unwrap()], ..Control::default() });
    let seen = company.run(disconnect(false));
    assert!(seen.failed.is_empty() && seen.notes.iter().any(|note| note.contains("not ended at the service")), "{seen:?}");
    assert_eq!(session(&company).state, SessionState::None);
}

/// The environment Acme with a line `sso_session = corp`, and a config file that has the session like this.
fn names_session(config: &str) -> Company {
    let company = Company::with(approving(), 1);
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
            Operation::GetKeys(GetKeys { profile: "Account1".into(), environments: names(), minimum_remaining: 900, session: SessionTerms::default() }),
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
