//! Keys that this module did not write, and profiles that share a section.

use sso_core::protocol::{
    AccountRow, CredentialState, DisconnectSession, Event, GetCredential, GivenEnvironment, Operation, Plan, RemoveCredential, RemoveEnvironment,
    RemoveProfile, Target, Update,
};

use crate::{Company, Seen, approving, rows, update_of};

const LONG_TERM: &str = "[Account1]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n";

fn with_credentials(count: u64, text: &str) -> Company {
    let company = Company::without_session(approving(), count);
    std::fs::write(company.aws("credentials"), text).unwrap();
    company
}

fn update_both(company: &Company, names: [&str; 2]) -> Seen {
    let targets = names.map(|name| Target { environment: name.to_owned(), profiles: None }).to_vec();
    company.run(Operation::Update(Update { targets, ..update_of("Acme") }))
}

fn row(profile: &str, account_id: &str) -> AccountRow {
    AccountRow { profile: profile.into(), account_id: account_id.into(), role_name: None, ..AccountRow::default() }
}

/// `[sso-session my]` with these profiles, all with the administrator's role.
fn config(company: &Company, profiles: &[(&str, &str)]) {
    let profiles = text_of(
        profiles
            .iter()
            .map(|(name, account)| format!("[profile {name}]\nsso_session = my\nsso_account_id = {account}\nsso_role_name = AWSAdministratorAccess\n")),
    );
    let text = format!("[sso-session my]\nsso_start_url = {}\nsso_region = us-west-2\n\n{profiles}", company.service.start_url());
    std::fs::write(company.aws("config"), text).unwrap();
}

fn sections(company: &Company, name: &str) -> usize {
    company.credentials().lines().filter(|line| *line == format!("[{name}]")).count()
}

/// The lines with their ends.
fn text_of(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn long_term_keys_stay_while_the_other_profiles_are_updated() {
    let company = with_credentials(2, LONG_TERM);
    let seen = company.update();
    let error = seen.only_error("ProfileHasOtherKeys");
    assert!(error.contains("Account1") && error.contains("-ReplaceKeys") && !error.contains("IOSFODNN7"), "{error}");
    assert_eq!(seen.failed[0].target.as_deref(), Some("Account1"));
    assert_eq!(seen.statuses(), [("Created", 1), ("ProfileHasOtherKeys", 1)].into());
    assert!(company.credentials().starts_with(LONG_TERM), "{}", company.credentials());
    assert_eq!(company.requests("GetRoleCredentials"), 1);
}

#[test]
fn a_profile_with_other_keys_causes_no_login_and_no_request_even_with_force() {
    for text in
        [LONG_TERM, "[Account1]\naws_access_key_id = ASIAX\naws_secret_access_key = x\nx_sso_environment = Acme\n", "[ Account1 ]\naws_secret_access_key=s\n"]
    {
        let company = with_credentials(1, text);
        for force in [false, true] {
            let seen = company.run(Operation::Update(Update { force, ..update_of("Acme") }));
            seen.only_error("ProfileHasOtherKeys");
        }
        assert!(company.service.stats().requests.is_empty());
        assert_eq!(company.credentials(), text);
    }
}

#[test]
fn keys_that_another_tool_wrote_over_ours_stay_although_our_marks_are_still_there() {
    let company = Company::with(approving(), 1);
    company.update().assert_created(1);
    // As AWSSDK for .NET does it: its own keys in place of ours, the session token gone, everything else left.
    let text: String = company
        .credentials()
        .lines()
        .filter(|line| !line.starts_with("aws_session_token"))
        .map(|line| if line.starts_with("aws_access_key_id") { "aws_access_key_id = AKIAOTHER\n".to_owned() } else { format!("{line}\n") })
        .collect();
    std::fs::write(company.aws("credentials"), &text).unwrap();
    company.forced().only_error("ProfileHasOtherKeys");
    assert_eq!(company.credentials(), text);
}

#[test]
fn replace_keys_replaces_the_keys_and_keeps_the_rest_of_the_section() {
    let company = with_credentials(1, &format!("{LONG_TERM}region = eu-west-1\n"));
    let seen = company.run(Operation::Update(Update { replace_keys: true, ..update_of("Acme") }));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(seen.statuses(), [("Refreshed", 1)].into());
    let text = company.credentials();
    assert!(!text.contains("AKIA") && text.contains("region = eu-west-1") && text.contains("x_sso_environment = Acme"), "{text}");
    assert_eq!(company.update().statuses(), [("StillValid", 1)].into());
}

#[test]
fn session_keys_of_the_script_are_replaced_without_a_switch() {
    let company = with_credentials(1, "[Account1]\naws_access_key_id=ASIAOLD\naws_secret_access_key=s\naws_session_token=t\n");
    let seen = company.update();
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert!(!company.credentials().contains("ASIAOLD"));
}

#[test]
fn keys_of_earlier_versions_without_a_mark_stay_valid() {
    let company = Company::with(approving(), 1);
    company.update().assert_created(1);
    let credentials = company.credentials();
    let unmarked = credentials.lines().filter(|line| !line.starts_with("x_sso_environment") && !line.contains("issued"));
    let text = text_of(unmarked.map(str::to_owned));
    std::fs::write(company.aws("credentials"), text).unwrap();
    assert_eq!(company.update().statuses(), [("StillValid", 1)].into());
}

#[test]
fn a_plan_shows_which_profiles_would_be_skipped() {
    let company = with_credentials(2, LONG_TERM);
    let plan = Plan { environments: Vec::new(), force: true, minimum_remaining: 900, replace_keys: false, due_only: true };
    let events = company.events(Operation::Plan(plan));
    let [Event::Planned(planned)] = events.as_slice() else { panic!("{events:?}") };
    assert!(!planned.profiles[0].due && planned.profiles[0].obstacle.as_ref().unwrap().contains("long-term"), "{planned:?}");
    assert!(planned.profiles[1].due && planned.profiles[1].obstacle.is_none());
    let shown = company.events(Operation::GetCredential(GetCredential { environments: Vec::new(), minimum_remaining: 900 }));
    let Event::Credential(first) = &shown[0] else { panic!("{shown:?}") };
    assert_eq!((first.state, &first.expiration), (CredentialState::OtherKeys, &None));
    let seen = company.update();
    assert!(seen.notes.iter().any(|note| note.starts_with("Account1 is skipped: its section has long-term")), "{:?}", seen.notes);
}

#[test]
fn two_environments_with_one_profile_for_one_role_write_its_section_once() {
    let company = Company::with(approving(), 1);
    config(&company, &[("Account1", "100000000000"), ("Account2", "100000000001")]);
    let seen = update_both(&company, ["Acme", "my"]);
    seen.assert_created(2);
    assert_eq!((sections(&company, "Account1"), sections(&company, "Account2")), (1, 1), "{}", company.credentials());
    assert_eq!(company.requests("GetRoleCredentials"), 2);
    assert!(seen.notes.iter().any(|note| note.contains("Account1 of my is the same account and role as in Acme")), "{:?}", seen.notes);
    assert_eq!(update_both(&company, ["my", "Acme"]).statuses(), [("StillValid", 2)].into());
}

#[test]
fn two_environments_with_one_profile_for_different_roles_are_both_named_and_its_section_stays() {
    let company = Company::with(approving(), 1);
    config(&company, &[("Account1", "100000000005"), ("Account2", "100000000001")]);
    let seen = update_both(&company, ["Acme", "my"]);
    assert_eq!(seen.codes(), ["ProfileNameConflict", "ProfileNameConflict"]);
    assert!(seen.failed[0].message.contains("Account1 of Acme: the environment my has"), "{}", seen.failed[0].message);
    assert!(seen.failed[1].message.contains("Account1 of my: the environment Acme has"), "{}", seen.failed[1].message);
    assert_eq!((sections(&company, "Account1"), sections(&company, "Account2")), (0, 1));
    // One environment at a time is clear.
    assert!(company.update().failed.is_empty());
    assert_eq!(sections(&company, "Account1"), 1);
}

#[test]
fn an_environment_that_is_named_twice_is_updated_once() {
    let company = Company::with(approving(), 2);
    update_both(&company, ["Acme", "ACME"]).assert_created(2);
    let some = |names: &[&str]| Target { environment: "Acme".into(), profiles: Some(names.iter().map(|name| (*name).to_owned()).collect()) };
    let targets = vec![some(&["Account1"]), some(&["Account2", "Account1"])];
    let seen = company.run(Operation::Update(Update { targets, force: true, ..update_of("Acme") }));
    assert_eq!(seen.statuses(), [("Refreshed", 2)].into());
}

#[test]
fn a_section_name_with_spaces_is_corrected_and_reported() {
    let company = with_credentials(1, "[ Account1 ]\nregion = x\n");
    let seen = company.update();
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert!(company.credentials().starts_with("[Account1]\n") && company.credentials().matches('[').count() == 1, "{}", company.credentials());
    assert!(seen.notes.iter().any(|note| note.contains("[Account1]") && note.contains("spaces")), "{:?}", seen.notes);
    let twice = "[ Account1 ]\nregion = x\n[Account1]\nregion = y\n";
    let company = with_credentials(1, twice);
    company.update().only_error("CredentialsFileInvalid");
    assert_eq!((company.credentials().as_str(), company.service.stats().requests.len()), (twice, 0));
}

fn removed(company: &Company, wanted: RemoveCredential) -> Vec<String> {
    company
        .events(Operation::RemoveCredential(wanted))
        .into_iter()
        .filter_map(|event| if let Event::Removed(removed) = event { Some(removed.profile_name) } else { None })
        .collect()
}

fn whole(environment: &str) -> RemoveCredential {
    RemoveCredential { environment: environment.into(), profiles: None, unlisted: true, check_only: false }
}

#[test]
fn keys_of_removed_profiles_are_found_by_their_mark() {
    let company = Company::with(approving(), 3);
    company.set("Beta", vec![row("Beta1", "100000000007")]);
    update_both(&company, ["Acme", "Beta"]).assert_created(4);
    let text = company.credentials();
    company.run(Operation::RemoveProfile(RemoveProfile { environment: "Acme".into(), profiles: vec!["Account2".into()] }));
    let gone = RemoveCredential { profiles: Some(Vec::new()), ..whole("acme") };
    assert_eq!(removed(&company, RemoveCredential { check_only: true, ..gone.clone() }), ["Account2"]);
    assert_eq!(company.credentials(), text);
    assert_eq!(removed(&company, gone), ["Account2"]);
    assert_eq!((sections(&company, "Account1"), sections(&company, "Account2"), sections(&company, "Beta1")), (1, 0, 1));
    // Where nothing is stored any longer, only the mark is left to go by.
    company.run(Operation::RemoveEnvironment(RemoveEnvironment { name: "Acme".into(), check_only: false }));
    assert_eq!(removed(&company, whole("Acme")), ["Account1", "Account3"]);
    assert_eq!(company.credentials().matches('[').count(), 1, "{}", company.credentials());
}

#[test]
fn a_logout_with_removal_removes_only_credentials_of_this_module() {
    let company = Company::with(approving(), 3);
    company.update().assert_created(3);
    company.run(Operation::RemoveProfile(RemoveProfile { environment: "Acme".into(), profiles: vec!["Account2".into()] }));
    let text = company.credentials().replace("[Account3]\naws_access_key_id = ASIA", "[Account3]\naws_access_key_id = AKIA") + "\n[mine]\nregion = x\n";
    std::fs::write(company.aws("credentials"), text).unwrap();
    let seen = company.run(Operation::DisconnectSession(DisconnectSession { environments: vec!["Acme".into()], remove_credentials: true }));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    let left: Vec<String> = company.credentials().lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect();
    assert_eq!(left, ["[Account3]", "[mine]"]);
    assert!(seen.notes.iter().any(|note| note.contains("Account3") && note.contains("not removed")), "{:?}", seen.notes);
}

#[test]
fn a_logout_with_removal_keeps_long_term_keys() {
    let company = with_credentials(1, LONG_TERM);
    company.run(Operation::DisconnectSession(DisconnectSession { environments: vec!["Acme".into()], remove_credentials: true }));
    assert_eq!(company.credentials(), LONG_TERM);
}

#[test]
fn an_ad_hoc_table_does_not_replace_long_term_keys() {
    let company = with_credentials(0, LONG_TERM);
    let mut world = company.world();
    world.given = vec![GivenEnvironment { name: "Acme".into(), accounts: Some(rows(1)), ..GivenEnvironment::default() }];
    company.run_in(world, Operation::Update(update_of("Acme"))).only_error("ProfileHasOtherKeys");
    assert_eq!(company.credentials(), LONG_TERM);
}
