//! The region and the output format that AWS tools use with a profile.

use sso_core::protocol::{AccountRow, AddProfile, Operation, RoleView, SetEnvironment};

use crate::company::Seen;
use crate::{Company, approving, rows};

/// Sets the region and the output format of the environment.
fn set(company: &Company, region: &str, output: &str) -> Seen {
    company.run(Operation::SetEnvironment(SetEnvironment {
        name: "Acme".into(),
        profile_region: Some(region.into()),
        profile_output: Some(output.into()),
        ..SetEnvironment::default()
    }))
}

/// The value of a key in the section of a profile.
fn value_of(company: &Company, profile: &str, key: &str) -> Option<String> {
    let text = company.credentials();
    let section = text.split(&format!("[{profile}]\n")).nth(1)?.split("\n[").next()?.to_owned();
    section.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(" = ")?.to_owned()))
}

#[test]
fn an_update_writes_the_region_that_is_set_and_a_later_one_follows_a_change_with_valid_keys() {
    let company = Company::with(approving(), 2);
    set(&company, "eu-west-1", "json");
    company.update().assert_created(2);
    assert_eq!((value_of(&company, "Account1", "region").as_deref(), value_of(&company, "Account2", "output").as_deref()), (Some("eu-west-1"), Some("json")));
    assert_eq!(company.update().statuses(), [("StillValid", 2)].into());
    set(&company, "us-east-1", "");
    assert_eq!(company.update().statuses(), [("Refreshed", 2)].into());
    assert_eq!((value_of(&company, "Account1", "region").as_deref(), value_of(&company, "Account1", "output")), (Some("us-east-1"), None));
    set(&company, "", "");
    company.update();
    assert!(!company.credentials().contains("region") && !company.credentials().contains("output"), "{}", company.credentials());
}

#[test]
fn a_profile_can_have_a_region_of_its_own() {
    let company = Company::with(approving(), 0);
    let [one, two] = rows(2).try_into().unwrap();
    company.set("Acme", vec![AccountRow { profile_region: Some("ap-south-1".into()), ..one }, two]);
    set(&company, "eu-west-1", "");
    let role = RoleView {
        environment: "Acme".into(),
        account_id: "100000000002".into(),
        account_name: None,
        email_address: None,
        role_name: "AWSAdministratorAccess".into(),
        profile_name: Some("New".into()),
    };
    company.run(Operation::AddProfile(AddProfile {
        environment: "Acme".into(),
        roles: vec![role],
        name_template: None,
        prefix: None,
        profile_region: Some("us-east-2".into()),
        profile_output: Some("text".into()),
        check_only: false,
    }));
    company.update().assert_created(3);
    let regions = ["Account1", "Account2", "New"].map(|profile| value_of(&company, profile, "region").unwrap());
    assert_eq!(regions, ["ap-south-1", "eu-west-1", "us-east-2"]);
    assert_eq!(value_of(&company, "New", "output").as_deref(), Some("text"));
}

#[test]
fn a_region_that_the_user_wrote_stays_and_is_named_once() {
    let company = Company::with(approving(), 2);
    std::fs::write(company.aws("credentials"), "[Account1]\nregion = sa-east-1\n").unwrap();
    std::fs::write(company.aws("config"), "[profile Account2]\nregion = ca-central-1\n").unwrap();
    let warned = set(&company, "eu-west-1", "").text;
    assert!(warned.contains("has a region of its own for Account1, which stays") && warned.contains("has another region for Account2"), "{warned}");
    let updated = company.update();
    assert_eq!(updated.statuses(), [("Created", 1), ("Refreshed", 1)].into());
    assert!(!updated.text.contains("a region of its own") && !updated.text.contains("another region"), "{}", updated.text);
    assert_eq!(value_of(&company, "Account1", "region").as_deref(), Some("sa-east-1"));
    assert_eq!(value_of(&company, "Account2", "region").as_deref(), Some("eu-west-1"));
    assert_eq!(std::fs::read_to_string(company.aws("config")).unwrap(), "[profile Account2]\nregion = ca-central-1\n");
}

#[test]
fn a_region_or_an_output_format_that_is_none_is_refused_and_nothing_is_stored() {
    let company = Company::with(approving(), 1);
    let before = std::fs::read_to_string(company.aws("sso-environments")).unwrap();
    for (region, output, words) in [("US East", "", "US East"), ("", "jsn", "jsn"), ("us-east-1\nx = y", "", "us-east-1"), ("", "json\n[x]", "json")] {
        let error = set(&company, region, output).only_error("EnvironmentInvalid");
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(std::fs::read_to_string(company.aws("sso-environments")).unwrap(), before);
}
