//! Ad hoc environments for one run, complete or in part.

use sso_core::protocol::{AccountRow, GivenEnvironment, GivenToken, Operation, Update};

use crate::company::Seen;
use crate::{Company, approving, rows, update_of};

fn run(company: &Company, given: GivenEnvironment, name: &str) -> Seen {
    let mut world = company.world();
    world.given = vec![given];
    company.run_in(world, Operation::Update(update_of(name)))
}

fn whole(company: &Company) -> GivenEnvironment {
    GivenEnvironment {
        name: "Adhoc".into(),
        start_url: Some(company.service.start_url().into()),
        region: Some("us-west-2".into()),
        default_role_name: Some("AWSAdministratorAccess".into()),
        accounts: Some(rows(2)),
        ..GivenEnvironment::default()
    }
}

fn row(profile: &str) -> Vec<AccountRow> {
    vec![AccountRow { profile: profile.into(), account_id: "100000000005".into(), role_name: None, ..AccountRow::default() }]
}

#[test]
fn a_complete_ad_hoc_environment_needs_no_stored_one_and_stores_none() {
    let company = Company::with(approving(), 0);
    let before = std::fs::read(company.aws("sso-environments")).unwrap();
    run(&company, whole(&company), "adhoc").assert_created(2);
    assert_eq!(std::fs::read(company.aws("sso-environments")).unwrap(), before);
}

#[test]
fn ad_hoc_values_override_stored_ones_and_the_rest_comes_from_the_file() {
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
fn an_ad_hoc_table_for_new_environments_does_not_replace_a_stored_one() {
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

fn token(access_token: &str, expires_at: i64) -> GivenEnvironment {
    let token: GivenToken = serde_json::from_value(serde_json::json!({ "access_token": access_token, "expires_at": expires_at })).unwrap();
    GivenEnvironment { name: "ACME".into(), token: Some(token), ..GivenEnvironment::default() }
}

/// A user whose session is in no file, with its token.
fn logged_in_elsewhere() -> (Company, String, i64) {
    let company = Company::without_session(approving(), 3);
    let session = company.service.grant_session();
    (company, session.access_token, session.expires_at)
}

#[test]
fn a_token_from_the_caller_saves_a_login_and_is_not_written() {
    let (company, access_token, end) = logged_in_elsewhere();
    let seen = run(&company, token(&access_token, end), "Acme");
    seen.assert_created(3);
    assert_eq!(company.service.stats().logins, 0);
    assert!(!seen.text.contains(&access_token));
    assert!(!company.aws("sso/cache").exists());
}

#[test]
fn an_expired_or_refused_token_from_the_caller_leads_to_one_login() {
    for (wrong, ended) in [(true, false), (false, true)] {
        let (company, access_token, end) = logged_in_elsewhere();
        let given = token(if wrong { "no-token-of-this-service" } else { &access_token }, if ended { end - 2 * 86_400 } else { end });
        run(&company, given, "Acme").assert_created(3);
        assert_eq!(company.service.stats().logins, 1);
        company.assert_polite();
    }
}

#[test]
fn an_access_token_is_returned_only_on_request_and_prints_as_redacted() {
    let company = Company::with(approving(), 1);
    let access_token = company.seeded_token();
    let quiet = company.update();
    assert!(!quiet.text.contains(&access_token));
    for _ in 0..2 {
        let run = company.start(Operation::Update(Update { expose_token: true, ..update_of("Acme") }));
        let mut debug = String::new();
        let seen = Seen::watching(&run, |event| debug = format!("{debug}{event:?}"));
        assert!(seen.text.contains(&access_token), "with nothing due, too");
        assert!(debug.contains("Token(TokenView") && debug.contains("** redacted **") && !debug.contains(&access_token), "{debug}");
    }
    assert!(!format!("{:?}", token(&access_token, 0)).contains(&access_token));
}
