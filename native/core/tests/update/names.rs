//! Profile names, and how AWS tools read them.

use sso_core::protocol::{AccountRow, AddProfile, Event, GivenEnvironment, Operation, RoleView, SetEnvironment};

use crate::company::Seen;
use crate::{Company, approving, update_of};

const HAZARDS: [&str; 7] = ["a # b", "semi ; colon", "#x", "a=b", "back\\slash", "it's", "\"quoted\""];

fn role(account_id: &str, account_name: &str, profile_name: Option<&str>) -> RoleView {
    RoleView {
        environment: "Acme".into(),
        account_id: account_id.into(),
        account_name: Some(account_name.into()),
        email_address: None,
        role_name: "AWSAdministratorAccess".into(),
        profile_name: profile_name.map(str::to_owned),
    }
}

fn add(company: &Company, roles: &[RoleView]) -> (Vec<String>, Seen) {
    let operation = || {
        Operation::AddProfile(AddProfile {
            environment: "Acme".into(),
            roles: roles.to_vec(),
            name_template: Some("{AccountName}".into()),
            ..AddProfile::default()
        })
    };
    let run = company.start(operation());
    let mut names = Vec::new();
    let seen = Seen::watching(&run, |event| {
        if let Event::Added(added) = event {
            names.push(added.profile_name.clone());
        }
    });
    (names, seen)
}

#[test]
fn a_new_profile_name_that_aws_tools_misread_is_refused() {
    for name in HAZARDS {
        let company = Company::with(approving(), 0);
        let (_, seen) = add(&company, &[role("100000000000", "A", Some(name))]);
        let error = seen.only_error("EnvironmentInvalid");
        assert!(error.contains("some AWS tools misread"), "{error}");
    }
}

fn set(company: &Company, names: &[&str], imported_from: Option<&str>) -> Seen {
    let row = |(index, name): (usize, &&str)| AccountRow {
        profile: (*name).to_owned(),
        account_id: (100_000_000_000 + index as u64).to_string(),
        role_name: None,
        ..AccountRow::default()
    };
    company.run(Operation::SetEnvironment(SetEnvironment {
        name: "Acme".into(),
        accounts: Some(names.iter().enumerate().map(row).collect()),
        imported_from: imported_from.map(str::to_owned),
        ..SetEnvironment::default()
    }))
}

#[test]
fn such_names_can_stay_and_be_imported_but_not_added() {
    let company = Company::with(approving(), 0);
    for name in HAZARDS {
        let error = set(&company, &["good", name], None).only_error("EnvironmentInvalid");
        assert!(error.starts_with("Row 2 of -Account: the profile name") && error.contains("some AWS tools misread"), "{error}");
    }
    assert!(set(&company, &HAZARDS, Some("team.json")).failed.is_empty());
    assert!(set(&company, &[HAZARDS[0], "good"], None).failed.is_empty());
}

#[test]
fn a_new_row_with_a_name_that_not_every_sdk_reads_is_warned_of_once_and_a_stored_one_is_not() {
    let company = Company::with(approving(), 0);
    let warnings = |seen: &Seen| seen.notes.iter().filter(|note| note.contains("not in every SDK")).count();
    assert_eq!(warnings(&set(&company, &["two words", "plain"], None)), 1);
    assert_eq!(warnings(&set(&company, &["two words", "plain", "other"], None)), 0);
}

#[test]
fn existing_profiles_with_such_names_are_updated_with_one_warning() {
    let company = Company::with(approving(), 0);
    let text = std::fs::read_to_string(company.aws("sso-environments")).unwrap();
    let rows: Vec<String> = HAZARDS
        .iter()
        .enumerate()
        .map(|(index, name)| format!("\n[environment Acme profile {name}]\nsso_account_id = {}\n", 100_000_000_000 + index as u64))
        .collect();
    std::fs::write(company.aws("sso-environments"), text + &rows.concat()).unwrap();
    let warnings = |seen: &Seen| seen.notes.iter().filter(|note| note.contains("misread")).cloned().collect::<Vec<_>>();
    let first = company.update();
    first.assert_created(HAZARDS.len());
    assert!(warnings(&first).len() == 1 && HAZARDS.iter().all(|name| warnings(&first)[0].contains(name)), "{:?}", first.notes);
    assert!(warnings(&company.update()).is_empty() && warnings(&company.forced()).is_empty());
    let mut fresh = company;
    fresh.forget();
    assert!(warnings(&fresh.update()).is_empty(), "nothing is due");
}

#[test]
fn an_ad_hoc_table_may_have_such_names() {
    let company = Company::with(approving(), 0);
    let row = AccountRow { profile: "a # b".into(), account_id: "100000000000".into(), role_name: None, ..AccountRow::default() };
    let mut world = company.world();
    world.given = vec![GivenEnvironment { name: "Acme".into(), accounts: Some(vec![row]), ..GivenEnvironment::default() }];
    company.run_in(world, Operation::Update(update_of("Acme"))).assert_created(1);
}

#[test]
fn a_profile_name_that_not_every_sdk_reads_causes_a_warning_and_is_never_generated() {
    let company = Company::with(approving(), 0);
    let (names, seen) = add(&company, &[role("100000000000", "Z\u{fc}rich Nord", None)]);
    assert_eq!((names, seen.notes.len()), (vec!["Zurich-Nord".to_owned()], 0));
    let (names, seen) = add(&company, &[role("100000000001", "A", Some("my prod"))]);
    assert_eq!(names, ["my prod"]);
    assert!(seen.notes.len() == 1 && seen.notes[0].contains("not in every SDK") && seen.notes[0].contains("my prod"), "{:?}", seen.notes);
}

#[test]
fn accounts_with_the_same_generated_name_get_their_ids() {
    let company = Company::with(approving(), 0);
    let (names, seen) = add(
        &company,
        &[
            role("100000000000", "Zurich", None),
            role("100000000001", "Z\u{fc}rich", None),
            role("100000000002", "a b", None),
            role("100000000003", "a  b", None),
            role("100000000004", "other \u{e9}", None),
        ],
    );
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(names, ["Zurich", "Zurich-100000000001", "a-b-100000000002", "a-b-100000000003", "other-e"]);
    // One that comes later meets those that are stored, and nothing changes that is there.
    let (names, _) = add(&company, &[role("100000000005", "other e", None), role("100000000001", "Z\u{fc}rich", None)]);
    assert_eq!(names, ["other-e-100000000005"]);
}

#[test]
fn adding_a_profile_whose_section_has_other_keys_causes_a_warning() {
    let company = Company::with(approving(), 0);
    std::fs::write(company.aws("credentials"), "[prod]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n").unwrap();
    let (_, seen) = add(&company, &[role("100000000000", "prod", None), role("100000000001", "dev", None)]);
    assert!(
        seen.notes.len() == 1 && seen.notes[0].contains("prod") && !seen.notes[0].contains("dev") && seen.notes[0].contains("-ReplaceKeys"),
        "{:?}",
        seen.notes
    );
}
