//! The file of stored environments as people and Windows PowerShell write it.

use sso_core::protocol::{
    AccountRow, AddProfile, GetCredential, GetEnvironment, GetKeys, Operation, Plan, RemoveEnvironment, RemoveProfile, RoleView, SetEnvironment,
};

use crate::{Company, Seen, approving, update_of, within};

const GOOD: &str = "[environment Good]\nsso_start_url = https://good.awsapps.com/start\nsso_region = us-west-2\n\n\
    [environment Good profile G]\nsso_account_id = 100000000000\nsso_role_name = R\n";

const BAD: &str = "[environment Bad]\nsso_start_url = https://bad.awsapps.com/start\nsso_region = us-west-2\n\n\
    [environment Bad profile B]\nsso_account_id = 100000000001\nsso_role_name = R\n";

/// What can be wrong with a block, with words of the error that names it.
const FAULTS: [(&str, &str, &str); 16] = [
    ("sso_region = us-west-2", "sso_regoin = us-west-2", "line 3: the key sso_regoin"),
    ("sso_region = us-west-2", "", "line 1: the environment Bad needs sso_region"),
    ("sso_region = us-west-2", "sso_region = US West", "line 3: \"US West\" is not a valid region name"),
    ("sso_region = us-west-2", "sso_region = us-west-2\nsso_region = eu-west-1", "line 4: the key sso_region is already set"),
    ("sso_region = us-west-2", "sso_region = us-west-2\nregion", "line 4: the line is neither"),
    ("sso_region = us-west-2", "sso_region = us-west-2\ntoken_cache = Disk", "line 4: token_cache"),
    ("https://bad", "http://bad", "line 2: the start URL"),
    ("[environment Bad]\n", "[environment Bad]\nsso_start_url = x\n[environment Bad]\n", "the environment Bad needs sso_region"),
    (
        "[environment Bad profile",
        "[environment BAD]\nsso_start_url = https://x\nsso_region = us-west-2\n[environment Bad profile",
        "line 5: the environment BAD is already defined on line 1",
    ),
    ("[environment Bad profile", "[environment Bad]\n[environment Bad profile", "line 5: the section [environment Bad] is already defined"),
    ("[environment Bad]", "[environmnet Bad]", "there is no [environment Bad]"),
    ("100000000001", "10000000001", "line 6: the account id \"10000000001\" of the profile B has 11 digits"),
    ("sso_role_name = R", "", "line 5: the profile B has no sso_role_name"),
    ("sso_role_name = R", "sso_role_name = a role", "line 7: \"a role\" is not a valid permission set role name"),
    (
        "sso_role_name = R\n",
        "sso_role_name = R\n[environment bad profile B]\nsso_account_id = 100000000002\n",
        "line 8: the profile B is already defined on line 5",
    ),
    ("profile B]", "profile DEFAULT]", "line 5: DEFAULT"),
];

fn stored(text: impl AsRef<[u8]>) -> Company {
    let company = Company::with(approving(), 0);
    std::fs::write(company.aws("sso-environments"), text).unwrap();
    company
}

fn text_of(company: &Company) -> String {
    std::fs::read_to_string(company.aws("sso-environments")).unwrap()
}

fn list(company: &Company) -> Seen {
    company.run(Operation::GetEnvironment(GetEnvironment::default()))
}

fn names(seen: &Seen) -> Vec<&str> {
    seen.text.split("{\"environment\":{\"name\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn plan(environments: &[&str]) -> Operation {
    let environments = environments.iter().map(|name| (*name).to_owned()).collect();
    Operation::Plan(Plan { environments, force: false, minimum_remaining: 900, replace_keys: false, due_only: false })
}

fn row(profile: &str, account_id: &str, role_name: Option<&str>) -> AccountRow {
    AccountRow { profile: profile.into(), account_id: account_id.into(), role_name: role_name.map(str::to_owned), ..AccountRow::default() }
}

/// All that a new environment called Bad needs.
fn whole() -> SetEnvironment {
    SetEnvironment {
        name: "bad".into(),
        start_url: Some("https://new.awsapps.com/start".into()),
        region: Some("eu-central-1".into()),
        accounts: Some(vec![row("New", "100000000009", Some("R"))]),
        ..SetEnvironment::default()
    }
}

/// Files with a good environment and a bad one, the bad one first and last.
fn broken_files() -> impl Iterator<Item = (String, &'static str, bool)> {
    FAULTS.into_iter().flat_map(|(good, wrong, words)| {
        assert!(BAD.contains(good), "{good}");
        let bad = BAD.replacen(good, wrong, 1);
        [(format!("{bad}\n# of Good\n{GOOD}"), words, true), (format!("# of Good\n{GOOD}\n{bad}"), words, false)]
    })
}

#[test]
fn an_invalid_block_affects_its_environment_only() {
    for (text, words, is_first) in broken_files() {
        let company = stored(&text);
        let listed = list(&company);
        assert_eq!(names(&listed), ["Good"], "{text}");
        let error = listed.failed.iter().find(|failed| failed.message.contains("Bad") || failed.message.contains("sso-environments, line")).unwrap();
        assert!(!error.terminating && error.message.contains("sso-environments, line "), "{error:?}");
        let words = if is_first { words } else { words.split_once(": ").map_or(words, |(_, what)| what.split("line").next().unwrap()) };
        assert!(listed.failed.iter().any(|failed| failed.message.contains(words)), "{words}: {:?}", listed.failed);
        assert_eq!(company.run(plan(&["good"])).planned, [("G".to_owned(), true)], "{text}");
        let named = company.run(plan(&["Bad"]));
        assert!(named.only_error("EnvironmentInvalid").contains("Set-SsoEnvironment"), "{:?}", named.failed);
        let keys = |profile: &str| GetKeys {
            profile: profile.into(),
            environments: Vec::new(),
            minimum_remaining: Some(900),
            role: None,
            keep: false,
            session: within(5),
        };
        let missing = company.run(Operation::GetKeys(keys("B"))).only_error("ProfileNotFound");
        assert!(missing.contains("sso-environments, line "), "{missing}");
        let all = company.run(plan(&[]));
        assert_eq!(all.planned, [("G".to_owned(), true)], "{text}");
        assert!(all.failed.iter().all(|failed| !failed.terminating) && !all.failed.is_empty());
    }
}

#[test]
fn an_invalid_block_can_be_replaced_or_removed() {
    for (text, _, _) in broken_files() {
        let company = stored(&text);
        assert!(company.run(Operation::SetEnvironment(whole())).failed.is_empty(), "{text}");
        let new = text_of(&company);
        assert!(new.contains("https://new.awsapps.com/start") && new.contains("# of Good\n") && new.contains(GOOD), "{new}");
        assert_eq!(company.run(plan(&["bad"])).planned, [("New".to_owned(), true)], "{new}");
        assert_eq!(company.run(plan(&["Good"])).planned, [("G".to_owned(), true)], "{new}");

        let company = stored(&text);
        let removal = |check_only| Operation::RemoveEnvironment(RemoveEnvironment { name: "BAD".into(), check_only });
        assert!(company.run(removal(true)).failed.is_empty());
        assert_eq!(text_of(&company), text);
        assert!(company.run(removal(false)).failed.is_empty(), "{text}");
        let new = text_of(&company);
        assert!(new.contains(GOOD) && new.contains("# of Good\n") && !new.contains("[environment Bad") && !new.contains("10000000001"), "{new}");
        assert_eq!(names(&list(&company)), ["Good"]);
    }
}

#[test]
fn setting_the_one_wrong_value_corrects_an_invalid_block() {
    let company = stored(format!("# mine\n{}", BAD.replace("us-west-2", "US West")));
    let region = SetEnvironment { name: "Bad".into(), region: Some("us-west-2".into()), ..SetEnvironment::default() };
    assert!(company.run(Operation::SetEnvironment(region)).failed.is_empty());
    assert_eq!(text_of(&company), format!("# mine\n{BAD}"));
}

#[test]
fn an_invalid_block_is_not_replaced_by_some_of_its_values() {
    let text = BAD.replace("sso_region", "sso_regoin");
    let company = stored(&text);
    for wanted in [
        SetEnvironment { accounts: None, ..whole() },
        SetEnvironment { region: None, ..whole() },
        SetEnvironment { start_url: None, ..whole() },
        SetEnvironment { keep_broken: true, ..whole() },
    ] {
        let error = company.run(Operation::SetEnvironment(wanted)).only_error("EnvironmentInvalid");
        assert!(error.contains("sso-environments, line 3"), "{error}");
    }
    let change = AddProfile { environment: "Bad".into(), roles: Vec::<RoleView>::new(), name_template: None, ..AddProfile::default() };
    assert!(company.run(Operation::AddProfile(change)).only_error("EnvironmentInvalid").contains("line 3"));
    assert_eq!(text_of(&company), text);
}

#[test]
fn other_environments_can_be_changed_beside_an_invalid_block() {
    let company = stored(format!("{}\n{GOOD}", BAD.replace("sso_region = us-west-2", "sso_region")));
    let region = SetEnvironment { name: "Good".into(), region: Some("eu-west-1".into()), ..SetEnvironment::default() };
    assert!(company.run(Operation::SetEnvironment(region)).failed.is_empty());
    let removal = RemoveProfile { environment: "Good".into(), profiles: vec!["G".into()] };
    assert!(company.run(Operation::RemoveProfile(removal)).failed.is_empty());
    assert!(text_of(&company).starts_with(&BAD.replace("sso_region = us-west-2", "sso_region")), "{}", text_of(&company));
    assert!(
        text_of(&company).ends_with("\n\n[environment Good]\nsso_start_url = https://good.awsapps.com/start\nsso_region = eu-west-1\n\n"),
        "{:?}",
        text_of(&company)
    );
}

#[test]
fn a_section_that_belongs_to_no_environment_is_reported_and_affects_none() {
    for (text, words) in [
        (format!("[profile x]\nregion = us-west-2\n{GOOD}"), "line 1: [profile x] is neither [environment NAME]"),
        (format!("stray\n{GOOD}"), "line 1: the line is before the first section"),
        (format!("{GOOD}[DEFAULT]\nsso_region = us-west-2\n"), "[DEFAULT] is neither"),
        (format!("{GOOD}[environment]\n"), "[environment] is neither"),
        (format!("{GOOD}[environment Good profile ]\n"), "[environment Good profile ] is neither"),
    ] {
        let company = stored(&text);
        let listed = list(&company);
        assert_eq!((names(&listed), listed.failed.len()), (vec!["Good"], 1), "{text}");
        assert!(listed.failed[0].message.contains(words), "{:?}", listed.failed);
        let unknown = company.run(plan(&["Other"])).only_error("EnvironmentNotFound");
        assert!(unknown.contains("environments are: Good") && unknown.contains(words), "{unknown}");
    }
}

#[test]
fn every_invalid_block_of_a_file_is_reported() {
    let text = format!("{}\n{}", BAD.replace("sso_region", "x"), GOOD.replace("sso_region", "y"));
    let seen = stored(text).run(plan(&[]));
    assert_eq!(seen.codes(), ["EnvironmentInvalid", "EnvironmentInvalid"]);
    assert_eq!(seen.failed.iter().map(|failed| failed.terminating).collect::<Vec<_>>(), [false, true]);
}

/// The bytes that Windows PowerShell's `>` and other programs make of a text.
fn encoded(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let text = text.replace('\n', "\r\n");
    let units = |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect::<Vec<u8>>();
    vec![
        ("UTF-8 with a byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16 LE", units([0xff, 0xfe], u16::to_le_bytes)),
        ("UTF-16 BE", units([0xfe, 0xff], u16::to_be_bytes)),
    ]
}

#[test]
fn a_file_in_an_encoding_of_windows_powershell_is_read_and_is_utf_8_after_a_change() {
    let umlauts = GOOD.replace("profile G]", "profile Z\u{fc}rich \u{1f680}]");
    for (encoding, bytes) in encoded(&umlauts) {
        let company = stored(&bytes);
        assert_eq!(company.run(plan(&[])).planned, [("Z\u{fc}rich \u{1f680}".to_owned(), true)], "{encoding}");
        let same = SetEnvironment { name: "Good".into(), region: Some("us-west-2".into()), ..SetEnvironment::default() };
        assert!(company.run(Operation::SetEnvironment(same)).failed.is_empty());
        assert_eq!(std::fs::read(company.aws("sso-environments")).unwrap(), bytes, "{encoding}: nothing has changed");
        let region = SetEnvironment { name: "Good".into(), region: Some("eu-west-1".into()), ..SetEnvironment::default() };
        assert!(company.run(Operation::SetEnvironment(region)).failed.is_empty());
        assert_eq!(text_of(&company), umlauts.replace('\n', "\r\n").replace("us-west-2", "eu-west-1"), "{encoding}");
        let removal = Operation::RemoveEnvironment(RemoveEnvironment { name: "Good".into(), check_only: false });
        let company = stored(&bytes);
        assert!(company.run(removal).failed.is_empty());
        assert_eq!(text_of(&company), "", "{encoding}");
    }
}

#[test]
fn a_file_that_cannot_be_decoded_is_an_error_that_names_the_encoding_and_stays() {
    let utf16 = encoded(GOOD).remove(1).1;
    let odd = utf16[..utf16.len() - 1].to_vec();
    let lone_surrogate = [utf16.as_slice(), &[0x3d, 0xd8]].concat();
    for (bytes, words) in [
        (utf16[2..].to_vec(), "UTF-16 text without a byte order mark"),
        (odd, "damaged UTF-16"),
        (lone_surrogate, "damaged UTF-16"),
        ([b"\xff\xfe\0\0".as_slice(), &GOOD.bytes().flat_map(|byte| [byte, 0, 0, 0]).collect::<Vec<u8>>()].concat(), "UTF-32"),
    ] {
        let company = stored(&bytes);
        let errors = [list(&company), company.run(Operation::SetEnvironment(whole())), company.run(plan(&["Good"]))];
        for seen in errors {
            let error = seen.only_error("EnvironmentInvalid");
            assert!(error.contains(words) && error.contains("sso-environments") && error.contains("UTF-8"), "{error}");
        }
        assert_eq!(std::fs::read(company.aws("sso-environments")).unwrap(), bytes);
    }
}

#[test]
fn a_name_in_an_old_encoding_stops_its_environment_alone_and_can_be_removed() {
    let (start, _) = BAD.split_once("B]").unwrap();
    let text = [start.as_bytes(), b"Z\xfcrich]\nsso_account_id = 100000000001\nsso_role_name = R\n# caf\xe9\n", GOOD.as_bytes()].concat();
    let company = stored(text);
    let listed = list(&company);
    assert_eq!((names(&listed), listed.failed.len()), (vec!["Good"], 1));
    assert!(listed.failed[0].message.contains("line 5: the section's name is not UTF-8"), "{:?}", listed.failed);
    assert!(company.run(Operation::RemoveEnvironment(RemoveEnvironment { name: "Bad".into(), check_only: false })).failed.is_empty());
    let left = std::fs::read(company.aws("sso-environments")).unwrap();
    assert_eq!(left, [b"# caf\xe9\n", GOOD.as_bytes()].concat());
}

#[test]
fn a_profile_in_two_environments_of_a_file_edited_by_hand_breaks_neither() {
    let company = stored(format!("{GOOD}\n{}", BAD.replace("profile B]", "profile G]")));
    let listed = list(&company);
    assert_eq!((names(&listed), listed.failed.len()), (vec!["Good", "Bad"], 0));
    assert_eq!(company.run(plan(&["Bad"])).planned, [("G".to_owned(), true)]);
    let credentials = company.run(Operation::GetCredential(GetCredential { environments: vec!["Good".into(), "Bad".into()], minimum_remaining: 900 }));
    assert!(credentials.failed.is_empty(), "{:?}", credentials.failed);
    let region = SetEnvironment { name: "Bad".into(), region: Some("eu-west-1".into()), ..SetEnvironment::default() };
    assert!(company.run(Operation::SetEnvironment(region)).failed.is_empty());
    let removal = RemoveProfile { environment: "Bad".into(), profiles: vec!["G".into()] };
    assert!(company.run(Operation::RemoveProfile(removal)).failed.is_empty());
    assert!(text_of(&company).starts_with(GOOD) && !text_of(&company).contains("Bad profile"), "{}", text_of(&company));
}

#[test]
fn an_error_of_a_new_table_names_the_row_of_the_parameter_or_the_record_of_the_import() {
    let cases: [(Vec<AccountRow>, &str); 5] = [
        (vec![row("A", "100000000002", Some("R")), row("G", "100000000003", Some("R"))], "the profile G already belongs to the environment Good"),
        (vec![row("A", "100000000002", Some("R")), row("B", "100000000003", None)], "the profile B has no role"),
        (vec![row("A", "100000000002", Some("R")), row("B", "10000000000", Some("R"))], "the account id \"10000000000\""),
        (vec![row("A", "100000000002", Some("R")), row("B", "100000000003", Some("a role"))], "\"a role\" is not a valid permission set role name"),
        (vec![row("A", "100000000002", Some("R")), row("DEFAULT", "100000000003", Some("R"))], "DEFAULT"),
    ];
    for (accounts, words) in cases {
        let company = stored(GOOD);
        let wanted = || SetEnvironment { accounts: Some(accounts.clone()), ..whole() };
        let error = company.run(Operation::SetEnvironment(wanted())).only_error("EnvironmentInvalid");
        assert!(error.starts_with("Row 2 of -Account: ") && error.contains(words) && !error.contains("line"), "{error}");
        let import = SetEnvironment { imported_from: Some("/home/me/team.json".into()), ..wanted() };
        let error = company.run(Operation::SetEnvironment(import)).only_error("EnvironmentInvalid");
        assert!(error.starts_with("/home/me/team.json, record 2 of the environment bad: ") && error.contains(words), "{error}");
        assert_eq!(text_of(&company), GOOD);
    }
}

#[test]
fn an_error_about_a_new_environment_lists_all_missing_parameters() {
    let company = stored(GOOD);
    let set = |wanted: SetEnvironment| company.run(Operation::SetEnvironment(wanted)).only_error("EnvironmentInvalid");
    let error = set(SetEnvironment { start_url: None, region: None, ..whole() });
    assert!(error.starts_with("The environment bad is new, so it needs -StartUrl and -Region."), "{error}");
    assert!(set(SetEnvironment { start_url: None, ..whole() }).contains("needs -StartUrl."));
    assert!(set(SetEnvironment { region: None, ..whole() }).contains("needs -Region."));
    let mut world = company.world();
    let accounts = Some(vec![row("A", "100000000002", Some("R"))]);
    world.given = vec![sso_core::protocol::GivenEnvironment { name: "Adhoc".into(), accounts, ..Default::default() }];
    let error = company.run_in(world, Operation::Update(update_of("Adhoc"))).only_error("EnvironmentInvalid");
    assert!(error.contains("so -StartUrl and -Region must be specified."), "{error}");
}
