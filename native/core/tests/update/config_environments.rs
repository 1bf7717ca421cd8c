//! Environments from the AWS CLI's config file.

use sso_core::protocol::{
    ConnectSession, GetAccount, GetEnvironment, GetKeys, GetSession, GivenEnvironment, Operation, Plan, RemoveEnvironment, SessionTerms, Target, Update,
};

use crate::{Company, Seen, approving, update_of};

const CLI_PROFILES: &str = "[profile Account1]\nsso_session = my-sso\nsso_account_id = 100000000000\nsso_role_name = AWSAdministratorAccess\nregion = us-west-2\n\n\
    [profile \"Account 2\"]\nsso_session = my-sso\nsso_account_id = 100000000001\nsso_role_name = AWSReadOnlyAccess\n\n\
    [profile tools]\nsso_session = my-sso\n\n[default]\noutput = json\n";

/// A company whose user has this in ~/.aws/config, with its own start URL, and has stored nothing; the session my-sso is there from before the test.
fn configured(config: &str) -> Company {
    let company = configured_without_session(config);
    company.seed_session(None);
    company.seed_session(Some("my-sso"));
    company
}

fn configured_without_session(config: &str) -> Company {
    let company = Company::without_session(approving(), 0);
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
fn a_user_of_the_aws_cli_s_sso_needs_no_setup() {
    let company = configured_without_session(&session());
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
    let company = configured_without_session(&(legacy("One", 100_000_000_000) + &legacy("Two", 100_000_000_001).replace("start_url}", "start_url}#/")));
    update(&company, "d-12345abcde").assert_created(2);
}

#[test]
fn a_stored_environment_takes_precedence_over_the_config_file() {
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
    // A backslash is two in JSON.
    let listed = listed.replace("\\\\", "/");
    assert!(listed.contains(".aws/sso-environments") && listed.contains(".aws/config") && listed.contains("my-sso"), "{listed}");
    let stored = company.run(Operation::GetEnvironment(GetEnvironment { stored_only: true, ..GetEnvironment::default() })).text;
    assert!(!stored.contains("my-sso"), "{stored}");
}

#[test]
fn a_run_without_a_name_never_takes_what_only_the_config_file_has() {
    let company = configured(&session());
    let plan = || Operation::Plan(Plan { environments: Vec::new(), force: false, minimum_remaining: 900, replace_keys: false, due_only: false });
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
fn an_invalid_portal_in_the_config_file_is_an_error_of_its_environment_alone() {
    let other = "[sso-session other]\nsso_start_url = {start_url}\nsso_region = us-west-2\n[profile Other]\nsso_session = other\n\
        sso_account_id = 100000000002\nsso_role_name = AWSReadOnlyAccess\n";
    for (good, wrong, word) in [
        ("sso_region = us-west-2", "sso_region = US West", "region"),
        ("sso_region = us-west-2", "region = us-west-2", "it has no sso_region, and region is not used instead"),
        ("sso_region = us-west-2", "sso_region =", "no sso_region"),
        ("sso_start_url = {start_url}", "sso_start_url = http://example.com/start", "https"),
        ("sso_start_url = {start_url}", "sso_start_url =\n  x = {start_url}", "it has no sso_start_url"),
        ("sso_start_url = {start_url}\nsso_region = us-west-2", "", "it has no sso_start_url and no sso_region"),
        ("[sso-session my-sso]", "[sso-session my-sso x]", "no [sso-session my-sso]"),
        ("[sso-session my-sso]", "[sso-sessions]", "no [sso-session my-sso]"),
    ] {
        let company = configured(&(session().replacen(good, wrong, 1) + other));
        let error = update(&company, "my-sso").only_error("EnvironmentInvalid");
        assert!(error.contains(word) && error.contains("config, line "), "{error}");
        assert!(company.service.stats().requests.is_empty());
        let listed = company.run(Operation::GetEnvironment(GetEnvironment::default()));
        assert!(listed.codes().contains(&"EnvironmentInvalid".to_owned()) && listed.text.contains("\"name\":\"other\""), "{}", listed.text);
        assert_eq!(company.run(plan_of("other")).planned, [("Other".to_owned(), true)]);
    }
}

fn plan_of(name: &str) -> Operation {
    Operation::Plan(Plan { environments: vec![name.into()], force: false, minimum_remaining: 900, replace_keys: false, due_only: false })
}

#[test]
fn a_profile_of_the_config_file_that_cannot_be_used_is_skipped_with_one_warning_and_the_others_are_updated() {
    let bad = [
        ("sso_account_id = 100000000000", "sso_account_id = 1000", "4 digits"),
        ("sso_account_id = 100000000000", "sso_account_id = 100000000000 # mine", "characters that are not digits"),
        ("sso_account_id = 100000000000", "", "it has no sso_account_id"),
        ("sso_role_name = AWSAdministratorAccess", "sso_role_name = a role", "permission set role"),
        ("sso_role_name = AWSAdministratorAccess", "# sso_role_name", "it has no sso_role_name"),
        ("sso_role_name = AWSAdministratorAccess", "sso_role_name =\n  x = y", "it has no sso_role_name"),
        ("[profile Account1]", "[profile \"a]b\"]", "is not a valid profile name"),
        ("[profile Account1]", "[profile Account 1]", "should be [profile \"Account 1\"]"),
        ("[profile Account1]", "[profile O'Brien]", "finds no name in its header"),
        ("region = us-west-2", "sso_region = eu-west-1", "sso_region has another value in its sso-session"),
    ];
    for (good, wrong, word) in bad {
        let config = session();
        let (head, profiles) = config.split_at(config.find("[profile").unwrap());
        let company = configured(&(head.to_owned() + &profiles.replacen(good, wrong, 1)));
        let seen = company.run(plan_of("my-sso"));
        assert_eq!(seen.planned, [("Account 2".to_owned(), true)], "{wrong}");
        let warnings = |seen: &Seen| seen.notes.iter().filter(|note| note.contains("is skipped")).cloned().collect::<Vec<_>>();
        let run = update(&company, "my-sso");
        run.assert_created(1);
        let said = warnings(&run);
        let [warning] = said.as_slice() else { panic!("{said:?}") };
        assert!(warning.contains(word) && warning.contains("config, line "), "{warning}");
        assert!(warnings(&update(&company, "my-sso")).is_empty(), "the warning comes once");
        let name = warning.split_once("the profile ").unwrap().1.split_once(" is skipped").unwrap().0.to_owned();
        let keys = GetKeys { profile: name, environments: Vec::new(), minimum_remaining: Some(900), role: None, keep: false, session: SessionTerms::default() };
        let error = company.run(Operation::GetKeys(keys)).only_error("EnvironmentInvalid");
        assert!(error.contains(word), "a request for the profile says why it was skipped: {error}");
    }
}

#[test]
fn a_profile_without_its_sso_region_is_skipped_and_the_others_of_its_start_url_are_updated() {
    let legacy = |name: &str, lines: &str| {
        format!("[profile {name}]\nsso_start_url = {{start_url}}\nsso_account_id = 100000000000\nsso_role_name = AWSReadOnlyAccess\n{lines}")
    };
    let company = configured(&(legacy("Half", "region = us-west-2\n") + &legacy("One", "sso_region = us-west-2\n")));
    let seen = update(&company, "d-12345abcde");
    seen.assert_created(1);
    assert!(seen.notes.iter().any(|note| note.contains("the profile Half is skipped: it has no sso_region")), "{:?}", seen.notes);
    let company = configured(&legacy("Half", "region = us-west-2\n"));
    let error = update(&company, "d-12345abcde").only_error("EnvironmentInvalid");
    assert!(error.contains("it has no sso_region, and region is not used instead"), "{error}");
}

#[test]
fn config_files_that_the_aws_cli_accepts_are_accepted() {
    let indented = session().replace("\nsso_", "\n    sso_");
    let usual = session();
    let kinds = [
        usual.replace("[profile Account1]", "[profile Account1] # mine"),
        usual.replace("[sso-session my-sso]", "[sso-session my-sso] ; of the company"),
        usual.replace(" = ", ": ").replace("[default]", "[ default ]"),
        usual.replace("sso_", "SSO_"),
        usual.replace('\n', "\r\n"),
        usual.replace("[profile Account1]", "[profile 'Account1']").replace("[sso-session my-sso]", "[sso-session\t\"my-sso\"]"),
        usual.replace("sso_region = us-west-2", "").replace("[default]", "[DEFAULT]\nsso_region = us-west-2\n[default]"),
        // The later one of two sections of one name counts.
        usual.clone() + "[profile \"Account1\"]\nsso_session = my-sso\nsso_account_id = 100000000000\nsso_role_name = AWSReadOnlyAccess\n",
        usual.replace(
            "[profile tools]",
            "[profile Account1 x]\nk = v\n[preview]\ncli = x\n[services s]\ns3 =\n  endpoint_url = http://localhost\n[profile tools]",
        ),
        usual.replace("region = us-west-2\n\n[profile", "s3 =\n  max_concurrent_requests = 20\n\n  # more\n  addressing_style = path\n\n[profile"),
        indented,
    ];
    for config in kinds {
        let company = configured(&config);
        let mut planned = company.run(plan_of("my-sso")).planned;
        planned.sort();
        assert_eq!(planned, [("Account 2".to_owned(), true), ("Account1".to_owned(), true)], "{config}");
    }
}

/// Files that botocore refuses as a whole, with the line of the fault or the encoding.
const REFUSED: [(&[u8], &str); 8] = [
    (b"[profile a\n", "line 1"),
    (b"[profile a]\nregion\n", "line 2"),
    (b"[profile a]\nregion = x\nRegion = y\n", "line 3"),
    (b"[profile a]\nk = v\n[profile a]\n", "line 3"),
    (b"region = x\n[default]\n", "line 1"),
    (b"[default]\ns3 =\n  use_accelerate_endpoint\n", "line 2"),
    (b"\xef\xbb\xbf[default]\nregion = x\n", "is UTF-8 text with a byte order mark"),
    (b"\xff\xfe[\0d\0]\0\n\0", "is UTF-16 text"),
];

#[test]
fn a_config_file_that_the_aws_cli_cannot_read_is_warned_of_once_and_stops_no_environment_that_does_without_it() {
    let mut company = Company::with(approving(), 1);
    company.update().assert_created(1);
    for (text, line) in REFUSED {
        company.forget();
        std::fs::write(company.aws("config"), text).unwrap();
        assert_eq!(company.update().statuses(), [("StillValid", 1)].into());
        let warnings = |seen: &Seen| seen.notes.iter().filter(|note| note.contains(line) && note.contains("config")).count();
        let forced = company.forced();
        assert_eq!((forced.statuses(), warnings(&forced)), ([("Refreshed", 1)].into(), 1), "{line}: {:?}", forced.notes);
        assert_eq!(warnings(&company.forced()), 0, "the warning comes once");
        let error = update(&company, "my-sso").only_error("ConfigFileInvalid");
        assert!(error.contains(line) && error.contains("config") && error.starts_with("No environment my-sso is stored"), "{error}");
    }
}

#[cfg(not(windows))]
#[test]
fn a_name_in_an_old_encoding_stops_its_profile_or_session_alone() {
    let company = configured(&session());
    let other: &[u8] =
        b"[profile Z\xfcrich]\nsso_session = my-sso\nsso_account_id = 100000000002\nsso_role_name = R\n[sso-session caf\xe9]\nsso_region = x\n# \xff\n";
    let text = std::fs::read(company.aws("config")).unwrap();
    std::fs::write(company.aws("config"), [text.as_slice(), other].concat()).unwrap();
    let seen = update(&company, "my-sso");
    seen.assert_created(2);
    assert!(seen.notes.iter().any(|note| note.contains("is skipped: its header is not UTF-8")), "{:?}", seen.notes);
    let listed = company.run(Operation::GetEnvironment(GetEnvironment::default()));
    assert!(listed.only_error("EnvironmentInvalid").contains("its header is not UTF-8"), "{:?}", listed.failed);
}

#[test]
fn no_cmdlet_on_a_stored_environment_needs_a_config_file_that_can_be_read() {
    let company = Company::with(approving(), 1);
    write(&company, "[profile a\n");
    let terms = SessionTerms::default;
    let environment = || "Acme".to_owned();
    let operations = [
        Operation::ConnectSession(ConnectSession { environments: vec![environment()], session: terms(), ..ConnectSession::default() }),
        Operation::GetSession(GetSession { environments: vec![environment()] }),
        Operation::GetAccount(GetAccount { environment: environment(), known: false, session: terms() }),
        Operation::GetKeys(GetKeys {
            profile: "Account1".into(),
            environments: Vec::new(),
            minimum_remaining: Some(900),
            role: None,
            keep: false,
            session: terms(),
        }),
        Operation::Update(update_of("Acme")),
    ];
    for operation in operations {
        let seen = company.run(operation);
        assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    }
    let listed = company.run(Operation::GetEnvironment(GetEnvironment::default()));
    assert_eq!((listed.codes(), listed.failed[0].terminating), (vec!["ConfigFileInvalid".to_owned()], false));
    assert!(listed.text.contains("\"name\":\"Acme\""), "{}", listed.text);
    let mut world = company.world();
    let start_url = Some(company.service.start_url().to_owned());
    world.given =
        vec![GivenEnvironment { name: "Adhoc".into(), start_url, region: Some("us-west-2".into()), accounts: Some(Vec::new()), ..GivenEnvironment::default() }];
    let seen = company.run_in(world, Operation::Update(update_of("Adhoc")));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
}

#[test]
fn an_environment_that_names_a_session_of_a_broken_config_file_is_the_only_one_that_fails() {
    let company = Company::with(approving(), 1);
    let path = company.aws("sso-environments");
    let stored = std::fs::read_to_string(&path).unwrap();
    let named = stored.replace("Acme", "Named").replace("Account1", "Account2").replace("sso_region", "sso_session = my-sso\nsso_region");
    std::fs::write(&path, format!("{stored}\n{named}")).unwrap();
    write(&company, "[profile a\n");
    let target = |name: &str| Target { environment: name.into(), profiles: None };
    let seen = company.run(Operation::Update(Update { targets: vec![target("Named"), target("Acme")], ..update_of("Acme") }));
    assert_eq!((seen.statuses(), seen.codes()), ([("Created", 1)].into(), vec!["ConfigFileInvalid".to_owned()]));
    assert!(!seen.failed[0].terminating);
    assert!(update(&company, "Named").only_error("ConfigFileInvalid").contains("line 1"));
}

#[test]
fn a_config_file_that_is_no_regular_file_is_an_empty_one_as_for_the_aws_cli() {
    let mut company = Company::with(approving(), 1);
    std::fs::create_dir(company.aws("folder")).unwrap();
    let null_device = if cfg!(windows) { "NUL".to_owned() } else { "/dev/null".to_owned() };
    for path in [
        null_device,
        company.aws("folder").display().to_string(),
        company.aws("nowhere/config").display().to_string(),
        company.aws("sso-environments/config").display().to_string(),
    ] {
        company.forget();
        company.variable("AWS_CONFIG_FILE", path.as_str());
        let seen = company.forced();
        assert!(seen.failed.is_empty() && seen.profiles.len() == 1, "{:?}", seen.failed);
        assert!(!seen.notes.iter().any(|note| note.contains(&path)), "{:?}", seen.notes);
        let listed = company.run(Operation::GetEnvironment(GetEnvironment::default()));
        assert!(listed.failed.is_empty(), "{:?}", listed.failed);
    }
}

#[test]
fn an_endpoint_for_all_services_is_not_sent_a_token() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let url = format!("http://{}", elsewhere.local_addr().unwrap());
    let mut company = Company::with(approving(), 1);
    company.variable("AWS_ENDPOINT_URL", url.as_str());
    company.variable("AWS_PROFILE", "Account1");
    write(
        &company,
        &format!("[default]\nendpoint_url = {url}\n[profile Account1]\nendpoint_url = {url}\nservices = s\n[services s]\nsso =\n  endpoint_url = {url}\n"),
    );
    company.update().assert_created(1);
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came");
}

#[test]
fn a_ca_bundle_of_the_config_file_is_named_with_the_file_where_it_cannot_be_used() {
    let config = "[default]\nca_bundle = ~/.aws/default.pem\n[profile dev]\nca_bundle = ~/.aws/dev.pem\n[profile bare]\nregion = us-west-2\n";
    for (profile, bundle) in [(None, "default.pem"), (Some("default"), "default.pem"), (Some("dev"), "dev.pem")] {
        let mut company = Company::with(approving(), 1);
        write(&company, config);
        company.turn_to("https://127.0.0.1:1");
        if let Some(profile) = profile {
            company.variable("AWS_PROFILE", profile);
        }
        let error = company.update().only_error("ReadFailed").replace('\\', "/");
        let path = company.aws(bundle).display().to_string().replace('\\', "/");
        assert!([path.as_str(), "ca_bundle in ", ".aws/config"].iter().all(|word| error.contains(word)), "{error}");
    }
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
    let warnings: Vec<_> = seen.notes.iter().filter(|note| note.contains("config has a")).collect();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for (name, word) in [("Account2", "sso_account_id"), ("Account3", "role_arn"), ("Account4", "credential_process")] {
        assert!(warnings.iter().any(|warning| warning.contains(name) && warning.contains(word)), "{warnings:?}");
    }
    assert!(!warnings.iter().any(|warning| warning.contains("Account1") || warning.contains("Account5")), "{warnings:?}");
    let targets = vec![Target { environment: "Acme".into(), profiles: None }];
    let again = company.run(Operation::Update(Update { targets, force: true, ..update_of("Acme") }));
    assert!(!again.notes.iter().any(|note| note.contains("config has a")), "{:?}", again.notes);
}
