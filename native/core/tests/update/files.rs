use sso_core::protocol::{AddProfile, Operation, RemoveCredential, RemoveEnvironment, RemoveProfile, RoleView, SetEnvironment, Update};

use crate::{Company, approving, update_of};

#[test]
fn lines_of_other_tools_in_the_credentials_file_do_not_change() {
    let company = Company::with(approving(), 2);
    let theirs = "# mine\r\n[default]\r\nAWS_ACCESS_KEY_ID: AKIAMINE\r\ns3 =\r\n  max = 1\r\n\r\n[Account1]\r\nregion = eu-west-1 ; kept\r\naws_security_token = old\r\n\r\n[last]\r\nx=1";
    std::fs::write(company.aws("credentials"), theirs).unwrap();
    assert_eq!(company.update().statuses(), [("Created", 1), ("Refreshed", 1)].into());
    let text = company.credentials();
    let kept: String = text.split_inclusive("\r\n").filter(|line| !["aws_", "x_s"].iter().any(|ours| line.starts_with(ours))).collect();
    assert_eq!(kept, theirs.replace("aws_security_token = old\r\n", "") + "\r\n\r\n[Account2]\r\n");
    assert!(!text.ends_with('\n'));
}

#[test]
fn the_environment_s_own_paths_count() {
    let mut company = Company::with(approving(), 1);
    company.variables.insert("AWS_SHARED_CREDENTIALS_FILE".into(), "deep/er/creds".into());
    company.update();
    assert!(company.home.path().join("deep/er/creds").exists() && !company.aws("credentials").exists());
}

#[test]
fn variables_and_homes_in_a_path_are_replaced_as_the_aws_cli_does() {
    for written in ["$WORK/creds", "${WORK}/creds", "~/work/creds", "$TILDE/creds"] {
        let mut company = Company::with(approving(), 1);
        let work = company.home.path().join("work");
        company.variable("WORK", work.display().to_string());
        company.variable("TILDE", "~/work");
        company.variable("AWS_SHARED_CREDENTIALS_FILE", written);
        company.update().assert_created(1);
        assert!(work.join("creds").exists(), "{written}");
        let entries: Vec<_> = std::fs::read_dir(company.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(entries.len(), 2, "{entries:?}");
    }
}

#[test]
fn a_path_with_an_undefined_variable_is_refused_before_any_file_or_request() {
    for variable in ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_SSO_ENVIRONMENTS_FILE"] {
        for written in ["$HOMEE/aws/file", "${HOMEE}/aws/file", "work/$HOMEE", "~no-such-user/file"] {
            let mut company = Company::without_session(approving(), 1);
            let before: Vec<_> = std::fs::read_dir(company.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            company.variable(variable, written);
            let error = company.update().only_error("PathInvalid");
            assert!(error.contains(variable) && error.contains(written), "{error}");
            let after: Vec<_> = std::fs::read_dir(company.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!((after, company.credentials().as_str(), company.requests("RegisterClient")), (before, "", 0));
        }
    }
}

#[test]
fn a_new_environment_is_stored_nowhere_where_its_path_is_refused() {
    let mut company = Company::with(approving(), 1);
    company.variable("AWS_SSO_ENVIRONMENTS_FILE", "$NOWHERE/environments");
    company.set("Beta", crate::rows(1)).only_error("PathInvalid");
    assert!(!company.home.path().join("$NOWHERE").exists());
}

#[cfg(unix)]
#[test]
fn a_file_that_others_could_read_becomes_private_with_one_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let company = Company::without_session(approving(), 1);
    std::fs::write(company.aws("credentials"), "[x]\nk=v\n").unwrap();
    std::fs::set_permissions(company.aws("credentials"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let seen = company.update();
    assert_eq!(seen.notes.iter().filter(|note| note.contains("Other users could read")).count(), 1);
    assert_eq!(company.aws("credentials").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    for folder in ["sso", "sso/cache"] {
        assert_eq!(company.aws(folder).metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    for entry in std::fs::read_dir(company.aws("sso/cache")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert!(!seen.notes.iter().any(|note| note.contains("Other users could read")));
}

#[test]
fn an_sso_session_in_the_config_file_names_the_token_file() {
    let company = Company::without_session(approving(), 1);
    let text = "[sso-session my-sso]\nsso_start_url = https://d-12345abcde.awsapps.com/start#/\nsso_region = us-west-2\nsso_registration_scopes = sso:account:access\n";
    std::fs::write(company.aws("config"), text).unwrap();
    assert_eq!(company.update().statuses(), [("Created", 1)].into());
    assert!(company.aws("sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json").exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_reported_and_the_session_stays_in_memory() {
    let company = Company::without_session(approving(), 1);
    std::fs::write(company.aws("sso"), "a file where the folder should be").unwrap();
    let seen = company.update();
    assert_eq!(seen.statuses(), [("Created", 1)].into(), "{:?}", seen.failed);
    assert!(seen.notes.iter().any(|note| note.contains("kept only in this PowerShell")), "{:?}", seen.notes);
    company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert_eq!(company.service.stats().logins, 1);
}

#[test]
fn a_hard_link_keeps_the_old_credentials_and_is_reported() {
    let company = Company::with(approving(), 1);
    std::fs::write(company.aws("credentials"), "[x]\nk=v\n").unwrap();
    std::fs::hard_link(company.aws("credentials"), company.aws("other")).unwrap();
    let seen = company.update();
    assert_eq!(seen.notes.iter().filter(|note| note.contains("hard link")).count(), 1);
    assert_eq!(std::fs::read_to_string(company.aws("other")).unwrap(), "[x]\nk=v\n");
    let seen = company.run(Operation::Update(Update { force: true, ..update_of("Acme") }));
    assert!(!seen.notes.iter().any(|note| note.contains("hard link")));
}

#[test]
fn every_command_that_replaces_a_file_says_once_that_a_hard_link_keeps_the_old_one() {
    let environment = || "Acme".to_owned();
    let role = RoleView {
        environment: environment(),
        account_id: "100000000009".into(),
        account_name: None,
        email_address: None,
        role_name: "Audit".into(),
        profile_name: Some("New".into()),
    };
    let region = SetEnvironment { name: environment(), region: Some("eu-west-1".into()), ..SetEnvironment::default() };
    let add = AddProfile {
        environment: environment(),
        roles: vec![role],
        name_template: None,
        prefix: None,
        profile_region: None,
        profile_output: None,
        check_only: false,
    };
    let keys = RemoveCredential { environment: environment(), profiles: None, unlisted: false, check_only: false };
    let commands = [
        ("credentials", Operation::RemoveCredential(keys)),
        ("sso-environments", Operation::AddProfile(add)),
        ("sso-environments", Operation::SetEnvironment(region)),
        ("sso-environments", Operation::RemoveProfile(RemoveProfile { environment: environment(), profiles: vec!["New".into()] })),
        ("sso-environments", Operation::RemoveEnvironment(RemoveEnvironment { name: environment(), check_only: false })),
    ];
    let company = Company::with(approving(), 1);
    company.update().assert_created(1);
    for (number, (file, command)) in commands.into_iter().enumerate() {
        let other = company.aws(&format!("other{number}"));
        std::fs::hard_link(company.aws(file), &other).unwrap();
        let before = std::fs::read(&other).unwrap();
        let seen = company.run(command);
        assert!(seen.failed.is_empty(), "{:?}", seen.failed);
        let said = seen.notes.iter().filter(|note| note.contains(file) && note.contains("hard link")).count();
        assert_eq!((said, std::fs::read(&other).unwrap()), (1, before), "{number}: {:?}", seen.notes);
    }
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_is_a_pipe_or_a_link_blocks_no_run_and_is_not_followed() {
    use std::os::unix::fs::symlink;

    let make_pipe = |path: &std::path::Path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    for name in ["credentials.lock", "credentials.fetch-acme.lock", "sso-environments.lock", "sso-environments.accounts.json.lock"] {
        let company = Company::with(approving(), 1);
        let target = company.home.path().join("of somebody else");
        for is_pipe in [true, false] {
            let _ = std::fs::remove_file(company.aws(name));
            if is_pipe {
                make_pipe(&company.aws(name));
            } else {
                symlink(&target, company.aws(name)).unwrap();
            }
            let updated = company.update();
            let codes: &[&str] = if name == "credentials.lock" { &["WriteFailed"] } else { &[] };
            assert_eq!(updated.codes(), codes, "{name}");
            let set = company.set("Other", Vec::new());
            let codes: &[&str] = if name == "sso-environments.lock" { &["WriteFailed"] } else { &[] };
            assert_eq!(set.codes(), codes, "{name}");
            assert!(!target.exists(), "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_every_user_can_write_to_is_warned_of_once_where_something_is_due() {
    use std::os::unix::fs::PermissionsExt as _;

    let company = Company::with(approving(), 1);
    let folder = company.aws("");
    let warnings = |mode: u32, seen: &dyn Fn() -> crate::Seen| {
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(mode)).unwrap();
        seen().notes.iter().filter(|note| note.contains("Every user of this machine can write to")).count()
    };
    assert_eq!(warnings(0o777, &|| company.update()), 1);
    assert_eq!(warnings(0o777, &|| company.forced()), 0, "once in a process");
    for (mode, expected) in [(0o775, 0), (0o1777, 0), (0o757, 1)] {
        let world = company.world();
        let forced = sso_core::protocol::Update { force: true, ..crate::update_of("Acme") };
        let run = sso_core::run_with(sso_core::protocol::Operation::Update(forced), world, std::sync::Arc::default());
        assert_eq!(warnings(mode, &|| crate::Seen::all(&run)), expected, "{mode:o}");
    }
    let mut fresh = company;
    fresh.forget();
    std::fs::set_permissions(fresh.aws(""), std::fs::Permissions::from_mode(0o777)).unwrap();
    assert!(!fresh.update().notes.iter().any(|note| note.contains("Every user")), "nothing is due");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_replaced_is_an_error_before_any_login() {
    for (attribute, word) in [("i", "immutable"), ("a", "append-only")] {
        let company = Company::without_session(approving(), 1);
        let path = company.aws("credentials");
        std::fs::write(&path, "[mine]\nregion = x\n").unwrap();
        let chattr = |change: String| std::process::Command::new("chattr").arg(change).arg(&path).output().is_ok_and(|output| output.status.success());
        if !chattr(format!("+{attribute}")) {
            // This user or file system has no attributes, so there is nothing to try.
            return;
        }
        let error = company.update().only_error("WriteFailed");
        assert!(chattr(format!("-{attribute}")));
        assert!(error.contains(word) && error.contains(&format!("chattr -{attribute}")), "{error}");
        assert!(company.service.stats().requests.is_empty());
    }
}

#[test]
fn a_relative_home_starts_at_the_current_folder_for_every_file() {
    let mut company = Company::without_session(approving(), 1);
    let home = company.home.path().join("own");
    std::fs::create_dir(&home).unwrap();
    std::fs::rename(company.aws(""), home.join(".aws")).unwrap();
    company.variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, "own");
    company.update().assert_created(1);
    assert!(home.join(".aws/credentials").exists() && home.join(".aws/sso/cache").exists());
}
