//! Profiles in the AWS config file, from which AWS tools get keys by themselves.

use std::path::PathBuf;

use sso_core::protocol::{
    AccountRow, Event, ExportKind, ExportProfile, ExportStatus, Exported, GetCredential, GetKeys, Operation, RemoveProfile, SessionTerms, SetEnvironment,
    TokenCache,
};

use crate::company::Seen;
use crate::{Company, approving, rows};

const PROGRAM: &str = if cfg!(windows) { "sso-credential-process.exe" } else { "sso-credential-process" };

/// The folder of a module with a program and a library.
fn programs(company: &Company) -> PathBuf {
    let folder = company.home.path().join("module");
    std::fs::create_dir_all(&folder).unwrap();
    for name in [PROGRAM, "aws_sso.so", "aws_sso.dylib", "aws_sso.dll"] {
        std::fs::write(folder.join(name), name).unwrap();
    }
    folder
}

fn export(company: &Company, kind: ExportKind, profiles: &[&str]) -> ExportProfile {
    ExportProfile {
        environment: "acme".into(),
        profiles: profiles.iter().map(|name| (*name).to_owned()).collect(),
        kind,
        programs: programs(company),
        prune: false,
        kept: Vec::new(),
        check_only: false,
    }
}

fn process(company: &Company, profiles: &[&str]) -> ExportProfile {
    export(company, ExportKind::CredentialProcess, profiles)
}

fn session(company: &Company, profiles: &[&str]) -> ExportProfile {
    export(company, ExportKind::SsoSession, profiles)
}

/// The results, with everything else that was seen.
fn run(company: &Company, request: ExportProfile) -> (Vec<Exported>, Seen) {
    let mut exported = Vec::new();
    let run = company.start(Operation::ExportProfile(request));
    let seen = Seen::watching(&run, |event| {
        if let Event::Exported(result) = event {
            exported.push(result.clone());
        }
    });
    (exported, seen)
}

#[track_caller]
fn statuses(company: &Company, request: ExportProfile) -> Vec<(String, ExportStatus)> {
    let (exported, seen) = run(company, request);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    exported.into_iter().map(|result| (result.profile_name, result.status)).collect()
}

fn config(company: &Company) -> String {
    std::fs::read_to_string(company.aws("config")).unwrap_or_default()
}

fn write_config(company: &Company, text: &str) {
    std::fs::write(company.aws("config"), text).unwrap();
}

fn line(company: &Company, rest: &str) -> String {
    format!("credential_process = {} --environment Acme {rest}\n", company.aws("sso/bin").join(PROGRAM).display())
}

fn row(profile: &str) -> AccountRow {
    AccountRow { profile: profile.into(), account_id: "100000000000".into(), role_name: None, ..AccountRow::default() }
}

fn session_section(company: &Company) -> String {
    let start_url = company.service.start_url();
    format!(
        "[sso-session Acme]\nsso_start_url = {start_url}\nsso_region = us-west-2\nsso_registration_scopes = sso:account:access\nx_sso_session_environment = Acme\n"
    )
}

#[test]
fn a_credential_process_line_names_the_installed_program_and_the_profile() {
    let company = Company::with(approving(), 2);
    assert_eq!(statuses(&company, process(&company, &["Account1"])), [("Account1".into(), ExportStatus::Added)]);
    assert_eq!(config(&company), format!("[profile Account1]\n{}x_sso_environment = Acme\n", line(&company, "Account1")));
    assert_eq!(std::fs::read_to_string(company.aws("sso/bin").join(PROGRAM)).unwrap(), PROGRAM);
}

#[test]
fn a_session_and_its_profiles_need_no_new_login_although_the_token_is_in_another_file_then() {
    let mut company = Company::with(approving(), 2);
    let token = company.seeded_token();
    statuses(&company, session(&company, &["Account1", "Account2"]));
    let profile = |name: &str, account: &str| {
        format!("\n[profile {name}]\nsso_session = Acme\nsso_account_id = {account}\nsso_role_name = AWSAdministratorAccess\nx_sso_environment = Acme\n")
    };
    let expected = session_section(&company) + &profile("Account1", "100000000000") + &profile("Account2", "100000000001");
    assert_eq!(config(&company), expected);
    let cached: Vec<String> =
        std::fs::read_dir(company.aws("sso/cache")).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    assert_eq!(cached.iter().filter(|text| text.contains(&token)).count(), 1, "the token is in one place");
    company.forget();
    let keys = company.run(Operation::GetKeys(GetKeys {
        profile: "Account1".into(),
        environments: vec!["Acme".into()],
        role: None,
        minimum_remaining: None,
        keep: false,
        session: SessionTerms { login: false, ..SessionTerms::default() },
    }));
    assert!(keys.failed.is_empty(), "{:?}", keys.failed);
    assert!(keys.text.contains("access_key_id"));
}

#[test]
fn the_token_stays_for_profiles_of_the_user_that_use_the_start_url_without_a_session() {
    let company = Company::with(approving(), 1);
    let legacy =
        format!("[profile mine]\nsso_start_url = {}\nsso_region = us-west-2\nsso_account_id = 100000000000\nsso_role_name = R\n", company.service.start_url());
    write_config(&company, &legacy);
    let token = company.seeded_token();
    statuses(&company, session(&company, &["Account1"]));
    assert_eq!(company.seeded_token(), token);
    assert!(config(&company).starts_with(&legacy));
}

#[test]
fn a_second_export_changes_nothing_and_one_after_a_change_only_what_differs() {
    let company = Company::with(approving(), 2);
    for kind in [ExportKind::CredentialProcess, ExportKind::SsoSession] {
        statuses(&company, export(&company, kind, &["Account1", "Account2"]));
        let before = (config(&company), company.aws("config").metadata().unwrap().modified().unwrap());
        let unchanged = statuses(&company, export(&company, kind, &["Account1", "Account2"]));
        assert!(unchanged.iter().all(|(_, status)| *status == ExportStatus::Unchanged), "{unchanged:?}");
        assert_eq!((config(&company), company.aws("config").metadata().unwrap().modified().unwrap()), before);
    }
    let [one, two] = rows(2).try_into().unwrap();
    company.set("Acme", vec![one, AccountRow { role_name: Some("AWSReadOnlyAccess".into()), profile_region: Some("eu-west-1".into()), ..two }]);
    let (exported, _) = run(&company, session(&company, &["Account1", "Account2"]));
    let keys: Vec<_> = exported.iter().map(|result| result.changed_keys.join(" ")).collect();
    assert_eq!(keys, ["", "sso_role_name region x_sso_region"]);
    let (exported, _) = run(&company, process(&company, &["Account2"]));
    assert_eq!(exported[0].changed_keys.join(" "), "credential_process sso_session sso_account_id sso_role_name");
}

#[test]
fn what_the_user_has_in_the_file_stays_byte_for_byte() {
    let company = Company::with(approving(), 2);
    let theirs = "# mine\r\n[profile Account1]\r\nregion = sa-east-1\r\n# note\r\ns3 =\r\n  max_queue_size = 1\r\n\r\n[profile \"two words\"]\r\nrole_arn = x\r\nsource_profile = y\r\n";
    for kind in [ExportKind::CredentialProcess, ExportKind::SsoSession] {
        write_config(&company, theirs);
        company.run(Operation::SetEnvironment(SetEnvironment { name: "Acme".into(), profile_region: Some("eu-west-1".into()), ..SetEnvironment::default() }));
        let result = statuses(&company, export(&company, kind, &["Account1", "Account2"]));
        assert_eq!(result, [("Account1".into(), ExportStatus::Changed), ("Account2".into(), ExportStatus::Added)]);
        let text = config(&company);
        assert!(text.lines().all(|line| !line.ends_with('\r')) && text.matches('\n').count() == text.matches("\r\n").count(), "line ends: {text:?}");
        let mut rest = text.lines();
        assert!(theirs.lines().all(|line| rest.any(|other| other == line)), "{text}");
        assert!(text.contains("region = sa-east-1") && !text.contains("region = eu-west-1\r\nx_sso_region = eu-west-1\r\n# note"), "{text}");
        // Once they are out of the table, only what was there before is left, but for the blank line before what was added.
        company.run(Operation::RemoveProfile(RemoveProfile { environment: "Acme".into(), profiles: vec!["Account1".into(), "Account2".into()] }));
        let removed = statuses(&company, ExportProfile { prune: true, ..export(&company, kind, &[]) });
        assert_eq!(removed, [("Account1".into(), ExportStatus::Removed), ("Account2".into(), ExportStatus::Removed)]);
        assert_eq!(config(&company).trim_end(), theirs.trim_end());
        company.set("Acme", rows(2));
    }
}

#[test]
fn profiles_that_are_gone_are_removed_with_prune_and_their_session_with_the_last_of_them() {
    let company = Company::with(approving(), 3);
    statuses(&company, session(&company, &["Account1", "Account2", "Account3"]));
    company.run(Operation::RemoveProfile(RemoveProfile { environment: "Acme".into(), profiles: vec!["Account2".into(), "Account3".into()] }));
    assert_eq!(statuses(&company, session(&company, &["Account1"])), [("Account1".into(), ExportStatus::Unchanged)]);
    let kept = ExportProfile { prune: true, kept: vec!["Account3".into()], ..session(&company, &["Account1"]) };
    assert_eq!(statuses(&company, kept)[1], ("Account2".into(), ExportStatus::Removed));
    assert!(config(&company).contains("[profile Account3]") && !config(&company).contains("[profile Account2]"));
    statuses(&company, ExportProfile { prune: true, ..process(&company, &["Account1"]) });
    let text = config(&company);
    let mut lines: Vec<&str> = text.trim_end().lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["[profile Account1]", line(&company, "Account1").trim_end(), "x_sso_environment = Acme"]);
    assert!(!company.seeded_token().is_empty(), "without the session, the token is where the start URL leads to");
}

#[test]
fn a_session_for_the_same_portal_is_used_and_never_removed() {
    let company = Company::with(approving(), 1);
    let theirs = format!("[sso-session my]\nsso_start_url = {}#/\nsso_region = us-west-2\n", company.service.start_url().trim_end_matches('/'));
    write_config(&company, &theirs);
    statuses(&company, session(&company, &["Account1"]));
    assert!(config(&company).starts_with(&theirs) && config(&company).contains("sso_session = my\n") && !config(&company).contains("[sso-session Acme]"));
    statuses(&company, ExportProfile { prune: true, ..process(&company, &["Account1"]) });
    assert!(config(&company).starts_with(&theirs));
    write_config(&company, "[sso-session Acme]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-west-2\n");
    let before = config(&company);
    let (_, seen) = run(&company, session(&company, &["Account1"]));
    assert!(seen.only_error("EnvironmentInvalid").contains("the sso-session Acme has another start URL"));
    assert_eq!(config(&company), before);
}

#[test]
fn another_environment_with_the_same_portal_shares_the_session() {
    let company = Company::with(approving(), 1);
    company.set("Beta", vec![AccountRow { profile: "Beta1".into(), account_id: "100000000001".into(), role_name: None, ..AccountRow::default() }]);
    statuses(&company, session(&company, &["Account1"]));
    statuses(&company, ExportProfile { environment: "Beta".into(), ..session(&company, &["Beta1"]) });
    assert_eq!((config(&company).matches("[sso-session ").count(), config(&company).matches("sso_session = Acme").count()), (1, 2));
    company.run(Operation::RemoveProfile(RemoveProfile { environment: "Acme".into(), profiles: vec!["Account1".into()] }));
    statuses(&company, ExportProfile { prune: true, ..session(&company, &[]) });
    assert!(config(&company).contains("[sso-session Acme]"), "a profile of Beta uses it");
}

#[test]
fn keys_of_exported_profiles_leave_the_credentials_file_and_an_update_skips_them() {
    let company = Company::with(approving(), 3);
    company.update().assert_created(3);
    let (exported, _) = run(&company, process(&company, &["Account1"]));
    assert!(exported[0].credentials_removed);
    let (exported, _) = run(&company, session(&company, &["Account2"]));
    assert!(exported[0].credentials_removed);
    assert_eq!(company.credentials().matches('[').count(), 1, "{}", company.credentials());
    assert_eq!(company.forced().statuses(), [("Refreshed", 1)].into());
    let states = company.run(Operation::GetCredential(GetCredential { environments: vec!["Acme".into()], minimum_remaining: 900 })).text;
    assert!(states.contains("\"CredentialProcess\"") && states.contains("\"SsoSession\"") && states.contains("\"Valid\""), "{states}");
}

#[test]
fn a_line_that_calls_the_program_counts_whoever_wrote_it() {
    let company = Company::with(approving(), 1);
    write_config(&company, "[profile Account1]\ncredential_process = /opt/sso-credential-process --environment Acme Account1\n");
    assert!(company.update().profiles.is_empty());
    assert!(company.credentials().is_empty());
}

#[test]
fn each_profile_that_has_other_credentials_is_an_error_and_the_others_are_exported() {
    for (file, text, word) in [
        ("credentials", "[Account1]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n", "AKIA"),
        ("credentials", "[Account1]\ncredential_process = theirs\n", "credential_process"),
        ("credentials", "[Account1]\naws_access_key_id = ASIAX\naws_secret_access_key = x\naws_session_token = x\nx_sso_environment = Beta\n", "Beta"),
        ("config", "[profile Account1]\nsso_start_url = https://x.awsapps.com/start\n", "sso_start_url"),
        ("config", "[profile Account1]\ncredential_process = theirs\n", "credential_process"),
        ("config", "[profile Account1]\nrole_arn = x\nsource_profile = y\n", "role_arn"),
        ("config", "[profile Account1]\nweb_identity_token_file = x\n", "web_identity_token_file"),
        ("config", "[profile Account1]\nlogin_session = x\n", "login_session"),
        ("config", "[profile Account1]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n", "aws_access_key_id"),
        ("config", "[profile Account1]\ncredential_source = Environment\n", "credential_source"),
        ("config", "[profile Account1]\nregion = x\n[profile 'Account1']\noutput = json\n", "two sections"),
        ("config", "[profile Account1]\nsso_session = x\nx_sso_environment = Beta\n", "Beta"),
        ("config", "[profile Account1]\nrole_arn = x\nx_sso_environment = Acme\n", "role_arn"),
    ] {
        let company = Company::with(approving(), 2);
        company.set("Beta", Vec::new());
        std::fs::write(company.aws(file), text).unwrap();
        let (exported, seen) = run(&company, process(&company, &["Account1", "Account2"]));
        let error = seen.only_error("ProfileHasOtherKeys");
        assert!(error.contains("The profile Account1 was not exported") && error.contains(word) && error.contains("Remove"), "{error}");
        assert!(!seen.failed[0].terminating);
        assert_eq!(exported.iter().map(|result| result.profile_name.as_str()).collect::<Vec<_>>(), ["Account2"], "{text}");
        let after = std::fs::read_to_string(company.aws(file)).unwrap();
        assert!(after.starts_with(text), "{after}");
    }
}

#[test]
fn a_file_that_no_aws_tool_can_read_is_refused_with_its_line_and_nothing_is_changed() {
    for (file, code) in [("config", "ConfigFileInvalid"), ("credentials", "CredentialsFileInvalid")] {
        let company = Company::with(approving(), 1);
        let broken = "[profile a]\nk = v\nbroken\n";
        std::fs::write(company.aws(file), broken).unwrap();
        let (exported, seen) = run(&company, process(&company, &["Account1"]));
        assert!(seen.only_error(code).contains("line 3") && exported.is_empty());
        assert_eq!(std::fs::read_to_string(company.aws(file)).unwrap(), broken);
        assert!(!company.aws("sso/bin").exists() && !company.aws("config.lock").exists());
    }
}

#[test]
fn a_preview_writes_nothing() {
    let company = Company::with(approving(), 2);
    company.update().assert_created(2);
    let credentials = company.credentials();
    write_config(&company, "[profile gone]\nsso_session = x\nx_sso_environment = Acme\n");
    let (exported, _) = run(&company, ExportProfile { check_only: true, prune: true, ..process(&company, &["Account1"]) });
    let seen: Vec<_> = exported.iter().map(|result| (result.profile_name.as_str(), result.status, result.credentials_removed)).collect();
    assert_eq!(seen, [("Account1", ExportStatus::Added, true), ("gone", ExportStatus::Removed, false)]);
    assert_eq!((config(&company).lines().count(), company.credentials()), (3, credentials));
    assert!(!company.aws("sso/bin").exists() && !company.aws("config.lock").exists());
}

#[test]
fn a_name_that_not_every_tool_passes_on_is_no_argument_of_the_line_and_a_warning_names_it_once() {
    let company = Company::with(approving(), 0);
    let names = ["two words", "Z\u{fc}rich", "50%PATH%", "-dash", "plain"];
    company.set("Acme", names.into_iter().map(row).collect());
    let (_, seen) = run(&company, process(&company, &names));
    let text = config(&company);
    assert_eq!(text.matches("--account 100000000000 --role AWSAdministratorAccess\n").count(), 4, "{text}");
    assert!(text.contains("[profile \"two words\"]\n") && text.contains("[profile Z\u{fc}rich]\n") && text.contains(&line(&company, "plain")), "{text}");
    let warnings: Vec<_> = seen.notes.iter().filter(|note| note.contains("two words")).collect();
    assert!(warnings.len() == 1 && warnings[0].contains("Z\u{fc}rich") && !warnings[0].contains("plain"), "{warnings:?}");
    assert!(statuses(&company, process(&company, &names)).iter().all(|(_, status)| *status == ExportStatus::Unchanged));
}

#[test]
fn fifty_profiles_are_one_write_and_the_default_profile_is_among_them() {
    let company = Company::with(approving(), 49);
    let mut accounts = rows(49);
    accounts.push(row("default"));
    company.set("Acme", accounts.clone());
    let names: Vec<&str> = accounts.iter().map(|account| account.profile.as_str()).collect();
    for kind in [ExportKind::CredentialProcess, ExportKind::SsoSession] {
        assert_eq!(statuses(&company, export(&company, kind, &names)).len(), 50);
    }
    assert_eq!((config(&company).matches("[profile ").count(), config(&company).matches("[default]\n").count()), (49, 1));
}

#[test]
fn an_environment_whose_session_or_name_aws_tools_cannot_use_is_refused() {
    let company = Company::with(approving(), 1);
    let memory = SetEnvironment { name: "Acme".into(), token_cache: Some(TokenCache::Memory), ..SetEnvironment::default() };
    company.run(Operation::SetEnvironment(memory));
    assert!(run(&company, session(&company, &["Account1"])).1.only_error("EnvironmentInvalid").contains("kept in memory"));
    company.set("A&B", vec![row("other")]);
    let (_, seen) = run(&company, ExportProfile { environment: "A&B".into(), ..process(&company, &["other"]) });
    assert!(seen.only_error("EnvironmentInvalid").contains("name of the environment"));
    let text = format!("[sso-session my]\nsso_start_url = {}\nsso_region = us-west-2\n", company.service.start_url());
    write_config(&company, &text);
    let (_, seen) = run(&company, ExportProfile { environment: "my".into(), ..session(&company, &[]) });
    assert!(seen.only_error("EnvironmentInvalid").contains("is not stored"));
    assert_eq!(config(&company), text);
}

#[cfg(unix)]
#[test]
fn a_home_folder_that_a_line_cannot_name_is_refused_for_the_program_and_not_for_a_session() {
    let mut company = Company::with(approving(), 1);
    let home = company.home.path().join("my home");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::rename(company.aws(""), home.join(".aws")).unwrap();
    company.variable("HOME", home.display().to_string());
    let (_, seen) = run(&company, process(&company, &["Account1"]));
    assert!(seen.only_error("PathInvalid").contains("spaces"));
    assert!(!home.join(".aws/config").exists());
    assert_eq!(statuses(&company, session(&company, &["Account1"])).len(), 1);
}

#[test]
fn a_module_without_the_program_is_an_error_that_names_the_path() {
    let company = Company::with(approving(), 1);
    let request = process(&company, &["Account1"]);
    std::fs::remove_file(request.programs.join(PROGRAM)).unwrap();
    let path = request.programs.join(PROGRAM).display().to_string();
    assert!(run(&company, request).1.only_error("ReadFailed").contains(&path));
    assert!(!company.aws("config").exists());
}

#[test]
fn what_would_change_exported_profiles_for_aws_tools_is_a_conflict_with_its_place_and_nothing_is_written() {
    use ExportKind::{CredentialProcess, SsoSession};
    for (kind, text, place) in [
        (SsoSession, "[sso-session Acme]\nsso_start_url = URL\nsso_region = eu-west-1\n", "line 1: the sso-session Acme has another start URL or region"),
        (SsoSession, "[sso-session Acme]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-west-2\n", "line 1: the sso-session Acme"),
        (SsoSession, "[sso-session Acme]\nsso_start_url = URL\n", "line 1: the sso-session Acme"),
        (SsoSession, "# mine\n[sso-session 'Acme']\n", "line 2: the sso-session Acme"),
        (
            SsoSession,
            "[sso-session my]\nsso_start_url = URL\nsso_region = us-west-2\nsso_account_id = 1\n",
            "line 4: with this sso_account_id in [sso-session my]",
        ),
        (
            SsoSession,
            "[sso-session my]\nsso_start_url = URL\nsso_region = us-west-2\nsso_role_name = R\n",
            "line 4: with this sso_role_name in [sso-session my]",
        ),
        (SsoSession, "[sso-session my]\nsso_start_url = URL\nsso_region = us-west-2\nregion = x\n", "line 4: with this region in [sso-session my]"),
        (
            SsoSession,
            "[sso-session my]\nsso_start_url = URL\nsso_region = us-west-2\nx_sso_environment = B\n",
            "line 4: with this x_sso_environment in [sso-session my]",
        ),
        (SsoSession, "[DEFAULT]\nsso_region = eu-west-1\n", "line 2: with this sso_region in [DEFAULT]"),
        (SsoSession, "[DEFAULT]\nsso_start_url = https://x.awsapps.com/start\n", "line 2: with this sso_start_url in [DEFAULT]"),
        (SsoSession, "[DEFAULT]\nsso_account_id = 1\n", "line 2: with this sso_account_id in [DEFAULT]"),
        (SsoSession, "[DEFAULT]\nsso_session = x\n", "line 2: with this sso_session in [DEFAULT]"),
        (SsoSession, "[a]\n[DEFAULT]\n\ncredential_process = x\n", "line 4: with this credential_process in [DEFAULT]"),
        (SsoSession, "[DEFAULT]\nrole_arn = x\n", "line 2: with this role_arn in [DEFAULT]"),
        (CredentialProcess, "[DEFAULT]\nrole_arn = x\n", "line 2: with this role_arn in [DEFAULT]"),
        (CredentialProcess, "[DEFAULT]\nsso_account_id = 1\n", "line 2: with this sso_account_id in [DEFAULT]"),
        (CredentialProcess, "[DEFAULT]\naws_access_key_id = 1\n", "line 2: with this aws_access_key_id in [DEFAULT]"),
    ] {
        let company = Company::with(approving(), 2);
        company.run(Operation::SetEnvironment(SetEnvironment { name: "Acme".into(), profile_region: Some("eu-west-1".into()), ..SetEnvironment::default() }));
        let text = text.replace("URL", company.service.start_url());
        write_config(&company, &text);
        let (exported, seen) = run(&company, export(&company, kind, &["Account1", "Account2"]));
        let error = seen.only_error("EnvironmentInvalid");
        assert!(error.contains(place) && (error.contains("Remove that line") || error.contains("Rename it")), "{text}{error}");
        assert_eq!((exported.len(), config(&company)), (0, text));
    }
    // What says the same, or what no tool reads.
    for text in [
        "[DEFAULT]\nsso_region = us-west-2\n",
        "[DEFAULT]\nregion = x\noutput = json\n",
        "[default]\nsso_region = eu-west-1\n",
        "[DEFAULT]\nsso_start_url = URL\n",
    ] {
        for kind in [SsoSession, CredentialProcess] {
            let company = Company::with(approving(), 1);
            write_config(&company, &text.replace("URL", company.service.start_url()));
            assert_eq!(statuses(&company, export(&company, kind, &["Account1"])).len(), 1, "{text}");
        }
    }
}

const OF_BETA: &str = "[profile Account1]\nsso_session = Beta\nsso_account_id = 1\nsso_role_name = R\nx_sso_environment = Beta\n\n[profile gone]\nsso_session = Beta\nsso_account_id = 1\nsso_role_name = R\nx_sso_environment = beta\n\n[sso-session Beta]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-west-2\nx_sso_session_environment = Beta\n";

#[test]
fn sections_of_an_environment_that_is_gone_are_replaced_and_removed_with_prune() {
    let company = Company::with(approving(), 1);
    write_config(&company, OF_BETA);
    assert_eq!(statuses(&company, session(&company, &["Account1"])), [("Account1".into(), ExportStatus::Changed)]);
    assert!(config(&company).contains("[profile gone]") && config(&company).contains("[sso-session Beta]"), "only -Prune removes");
    let pruned = statuses(&company, ExportProfile { prune: true, ..session(&company, &["Account1"]) });
    assert_eq!(pruned, [("Account1".into(), ExportStatus::Unchanged), ("gone".into(), ExportStatus::Removed)]);
    let text = config(&company);
    assert!(!text.to_lowercase().contains("beta") && text.contains("[sso-session Acme]") && text.contains("x_sso_environment = Acme"), "{text}");
}

#[test]
fn keys_of_an_environment_that_is_gone_leave_the_credentials_file_too() {
    let company = Company::with(approving(), 2);
    company.update().assert_created(2);
    let text = company.credentials().replace("x_sso_environment = Acme", "x_sso_environment = Beta");
    std::fs::write(company.aws("credentials"), &text).unwrap();
    let (planned, seen) = run(&company, ExportProfile { check_only: true, ..process(&company, &["Account1"]) });
    assert!(seen.failed.is_empty() && planned[0].credentials_removed, "{:?}", seen.failed);
    let (exported, seen) = run(&company, process(&company, &["Account1"]));
    assert!(seen.failed.is_empty() && exported[0].credentials_removed, "{:?}", seen.failed);
    assert!(!company.credentials().contains("[Account1]") && company.credentials().contains("[Account2]"));
    // Those of one that exists stay, and are in the way.
    company.set("Beta", Vec::new());
    let before = company.credentials();
    let (exported, seen) = run(&company, process(&company, &["Account2"]));
    assert!(exported.is_empty() && seen.only_error("ProfileHasOtherKeys").contains("for the environment Beta"));
    assert_eq!(company.credentials(), before);
}

#[test]
fn sections_of_an_environment_that_exists_or_may_exist_in_another_file_stay() {
    // One that is stored, one that cannot be read, and any where the user has the environments in another file.
    for (more, elsewhere) in [
        ("[environment Beta]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-west-2\n", false),
        ("[environment BETA]\nwhat = x\n", false),
        ("", true),
    ] {
        let mut company = Company::with(approving(), 1);
        let path = company.aws("sso-environments");
        std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + more).unwrap();
        if elsewhere {
            let other = company.home.path().join("environments");
            std::fs::rename(path, &other).unwrap();
            company.variable("AWS_SSO_ENVIRONMENTS_FILE", other.display().to_string());
        }
        write_config(&company, OF_BETA);
        let (exported, seen) = run(&company, ExportProfile { prune: true, ..session(&company, &["Account1"]) });
        assert!(seen.only_error("ProfileHasOtherKeys").contains("exported from the environment Beta"));
        assert_eq!((exported.len(), config(&company)), (0, OF_BETA.to_owned()));
    }
}

#[test]
fn the_sections_of_endpoints_are_no_exported_profiles_and_stay() {
    let company = Company::with(approving(), 1);
    let theirs = "[profile sso-endpoint-Account1]\nregion = eu-west-1\nx_sso_environment = Acme\n\n[profile sso-endpoint-Other]\nx_sso_environment = Gone\n\n[default]\nregion = eu-west-1\n";
    write_config(&company, theirs);
    for kind in [ExportKind::SsoSession, ExportKind::CredentialProcess] {
        let result = statuses(&company, ExportProfile { prune: true, ..export(&company, kind, &["Account1"]) });
        assert_eq!(result.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["Account1"]);
        assert!(config(&company).starts_with(theirs), "{}", config(&company));
    }
}
