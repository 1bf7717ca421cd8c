//! Environments that a caller gives for one run, in whole or in part.

use sso_core::protocol::{AccountRow, GivenEnvironment, Operation};

use crate::company::Seen;
use crate::{Company, approving, rows, update_of};

fn run(company: &Company, given: GivenEnvironment, name: &str) -> Seen {
    let mut world = company.world();
    world.given = vec![given];
    Seen::all(&sso_core::run(Operation::Update(update_of(name)), world))
}

fn whole(company: &Company) -> GivenEnvironment {
    GivenEnvironment {
        name: "Adhoc".into(),
        start_url: Some(company.service.start_url().into()),
        region: Some("us-west-2".into()),
        default_role_name: Some("AWSAdministratorAccess".into()),
        accounts: Some(rows(2)),
        accounts_where_not_stored: false,
    }
}

fn row(profile: &str) -> Vec<AccountRow> {
    vec![AccountRow { profile: profile.into(), account_id: "100000000005".into(), role_name: None }]
}

#[test]
fn an_environment_that_is_given_whole_needs_nothing_stored_and_stores_nothing() {
    let company = Company::with(approving(), 0);
    let before = std::fs::read(company.aws("sso-environments")).unwrap();
    run(&company, whole(&company), "adhoc").assert_created(2);
    assert_eq!(std::fs::read(company.aws("sso-environments")).unwrap(), before);
}

#[test]
fn what_is_given_goes_before_what_is_stored_and_the_rest_is_taken_from_there() {
    let company = Company::with(approving(), 2);
    let table = GivenEnvironment { name: "acme".into(), accounts: Some(row("Own")), ..GivenEnvironment::default() };
    let seen = run(&company, table, "Acme");
    seen.assert_created(1);
    assert_eq!((seen.profiles[0].profile_name.as_str(), seen.profiles[0].role_name.as_str()), ("Own", "AWSAdministratorAccess"));
    let role = GivenEnvironment { name: "Acme".into(), default_role_name: Some("AWSReadOnlyAccess".into()), ..GivenEnvironment::default() };
    let seen = run(&company, role, "Acme");
    seen.assert_created(2);
    assert!(seen.profiles.iter().all(|profile| profile.role_name == "AWSReadOnlyAccess"), "{:?}", seen.profiles);
}

#[test]
fn a_table_that_counts_only_where_nothing_is_stored_gives_way() {
    let company = Company::with(approving(), 2);
    let table = || GivenEnvironment { accounts: Some(row("Own")), accounts_where_not_stored: true, ..whole(&company) };
    let seen = run(&company, GivenEnvironment { name: "Acme".into(), ..table() }, "Acme");
    seen.assert_created(2);
    let seen = run(&company, table(), "Adhoc");
    seen.assert_created(1);
}

#[test]
fn a_table_takes_start_url_and_region_from_a_session_of_the_config_file() {
    let company = Company::with(approving(), 0);
    let session = format!("[sso-session my-sso]\nsso_start_url = {}\nsso_region = us-west-2\n", company.service.start_url());
    std::fs::write(company.aws("config"), session).unwrap();
    let role = Some("AWSAdministratorAccess".into());
    run(&company, GivenEnvironment { name: "my-sso".into(), accounts: Some(rows(3)), default_role_name: role, ..GivenEnvironment::default() }, "my-sso")
        .assert_created(3);
}

#[test]
fn what_is_missing_or_wrong_is_named_before_any_request() {
    let company = Company::with(approving(), 0);
    for (given, word) in [
        (GivenEnvironment { start_url: None, ..whole(&company) }, "-StartUrl"),
        (GivenEnvironment { region: None, ..whole(&company) }, "-Region"),
        (GivenEnvironment { default_role_name: None, ..whole(&company) }, "no default role"),
        (GivenEnvironment { start_url: Some("http://example.com/start".into()), ..whole(&company) }, "https"),
        (GivenEnvironment { accounts: Some(vec![AccountRow { account_id: "12".into(), ..row("A").remove(0) }]), ..whole(&company) }, "Row 1"),
    ] {
        let error = run(&company, given, "Adhoc").only_error("EnvironmentInvalid");
        assert!(error.contains(word), "{error}");
    }
    assert!(company.service.stats().requests.is_empty());
}
