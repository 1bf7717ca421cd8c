use sso_core::protocol::{AccountView, AddProfile, Event, GetAccount, GetRole, Operation, RemoveProfile, RoleView, SessionTerms, SetEnvironment};
use sso_stand_in::Options;

use crate::{Company, Seen, approving};

fn get_account(known: bool) -> Operation {
    Operation::GetAccount(GetAccount { environment: "acme".into(), known, session: SessionTerms::default() })
}

fn get_role(accounts: Vec<AccountView>, known: bool) -> Operation {
    Operation::GetRole(GetRole { environment: "Acme".into(), accounts, known, throttle_limit: 16, session: SessionTerms::default() })
}

impl Company {
    fn accounts(&self, known: bool) -> (Vec<AccountView>, Seen) {
        let mut accounts = Vec::new();
        let seen = Seen::watching(&self.start(get_account(known)), |event| {
            if let Event::Account(account) = event {
                accounts.push(account.clone());
            }
        });
        (accounts, seen)
    }

    fn roles(&self, accounts: Vec<AccountView>, known: bool) -> (Vec<RoleView>, Seen) {
        let mut roles = Vec::new();
        let seen = Seen::watching(&self.start(get_role(accounts, known)), |event| {
            if let Event::Role(role) = event {
                roles.push(role.clone());
            }
        });
        (roles, seen)
    }

    fn add(&self, roles: Vec<RoleView>, name_template: Option<&str>) -> (Vec<String>, Seen) {
        let mut added = Vec::new();
        let wanted = AddProfile { environment: "acme".into(), roles, name_template: name_template.map(str::to_owned), ..AddProfile::default() };
        let seen = Seen::watching(&self.start(Operation::AddProfile(wanted)), |event| {
            if let Event::Added(profile) = event {
                added.push(profile.profile_name.clone());
            }
        });
        (added, seen)
    }

    fn environments(&self) -> String {
        std::fs::read_to_string(self.aws("sso-environments")).unwrap()
    }
}

/// A company whose table is empty.
fn fresh(options: Options) -> Company {
    Company::with(options, 0)
}

#[test]
fn every_page_of_accounts_and_roles_comes_in_the_order_of_the_service() {
    let company = fresh(Options { accounts: 250, roles: 120, ..approving() });
    let (accounts, seen) = company.accounts(false);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    let names: Vec<_> = accounts.iter().filter_map(|account| account.account_name.clone()).collect();
    assert_eq!(names, (1..=250).map(|number| format!("Account{number}")).collect::<Vec<_>>());
    assert_eq!(company.requests("ListAccounts"), 3, "100 on each page");
    let (roles, seen) = company.roles(accounts[..30].to_vec(), false);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(roles.len(), 30 * 120);
    let order: Vec<_> = roles.iter().map(|role| role.account_id.as_str()).collect();
    assert!(order.is_sorted());
    assert_eq!(seen.progress.last(), Some(&(30, 30)));
    assert_eq!(company.requests("ListAccountRoles"), 60);
    company.assert_polite();
}

#[test]
fn roles_are_listed_in_parallel_within_the_rate_of_the_service() {
    let company = fresh(Options { accounts: 60, delay: 30, ..approving() });
    let (accounts, _) = company.accounts(false);
    company.roles(accounts, false);
    let most = company.service.stats().peak_concurrency;
    assert!((8..=16).contains(&most), "{most}");

    let company = fresh(Options { accounts: 60, rate: Some(50.0), burst: Some(5), ..approving() });
    let (accounts, _) = company.accounts(false);
    let (roles, seen) = company.roles(accounts, false);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(roles.len(), 120);
}

#[test]
fn five_thousand_accounts_are_listed_whole() {
    let company = fresh(Options { accounts: 5000, ..approving() });
    let (accounts, _) = company.accounts(false);
    assert_eq!(accounts.len(), 5000);
    let (roles, seen) = company.roles(accounts, false);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(roles.len(), 10_000);
    let (added, seen) = company.add(roles, None);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(added.len(), 10_000);
}

#[test]
fn a_canceled_list_goes_on_where_it_ended_and_a_complete_one_begins_again() {
    let company = fresh(Options { accounts: 40, delay: 20, ..approving() });
    let (accounts, _) = company.accounts(false);
    let run = company.start(get_role(accounts.clone(), false));
    let mut before = 0;
    Seen::watching(&run, |event| {
        if let Event::Role(_) = event {
            before += 1;
            if before == 20 {
                run.cancel();
            }
        }
    });
    assert!((20..80).contains(&before), "{before}");
    let (roles, seen) = company.roles(accounts.clone(), false);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(roles.len(), 80);
    let requests = company.requests("ListAccountRoles");
    // Those that were on their way when the list was canceled are requested again.
    assert!(requests <= 40 + 16, "{requests}");
    company.roles(accounts, false);
    assert_eq!(company.requests("ListAccountRoles"), requests + 40);
}

#[test]
fn an_account_that_fails_is_reported_and_the_others_are_listed() {
    let company = fresh(Options { accounts: 5, ..approving() });
    let (mut accounts, _) = company.accounts(false);
    accounts.insert(2, AccountView { account_id: "999999999999".into(), ..accounts[0].clone() });
    let (roles, seen) = company.roles(accounts, false);
    assert_eq!(roles.len(), 10);
    assert!(seen.only_error("AccountNotFound").contains("999999999999") && !seen.failed[0].terminating);
}

#[test]
fn a_session_that_expires_during_a_listing_is_refreshed_once() {
    let company = fresh(Options { accounts: 30, ..approving() });
    let (accounts, _) = company.accounts(false);
    company.service.control(sso_stand_in::Control { expire_tokens: true, ..Default::default() });
    let (roles, seen) = company.roles(accounts, false);
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!((roles.len(), company.requests("StartDeviceAuthorization")), (60, 0), "a refresh, no login");
}

#[test]
fn a_user_without_accounts_gets_a_note() {
    let company = fresh(Options { accounts: 0, ..approving() });
    let (accounts, seen) = company.accounts(false);
    assert!(accounts.is_empty() && seen.failed.is_empty());
    assert!(seen.notes.iter().any(|note| note.starts_with("No account is assigned to you in Acme")), "{:?}", seen.notes);
}

#[test]
fn listed_accounts_are_cached_without_secrets_and_need_no_request() {
    let mut company = fresh(Options { accounts: 3, ..approving() });
    assert_eq!(company.accounts(true).0.len(), 0);
    let (accounts, _) = company.accounts(false);
    let (roles, _) = company.roles(accounts[..2].to_vec(), false);
    company.forget();
    let requests = company.service.stats().requests;
    assert_eq!(company.accounts(true).0, accounts);
    assert_eq!(company.roles(Vec::new(), true).0, roles);
    assert_eq!(company.service.stats().requests, requests);
    let kept = std::fs::read_to_string(company.aws("sso-environments.accounts.json")).unwrap();
    assert!(kept.contains("Account3") && kept.contains("AWSReadOnlyAccess") && !kept.contains("oken"), "{kept}");
    // A new start URL is another company.
    company.run(Operation::SetEnvironment(SetEnvironment {
        name: "Acme".into(),
        start_url: Some("https://d-0000000000.awsapps.com/start/".into()),
        ..SetEnvironment::default()
    }));
    assert_eq!(company.accounts(true).0.len(), 0);
}

#[test]
fn a_damaged_list_is_written_again() {
    let company = fresh(Options { accounts: 3, ..approving() });
    std::fs::write(company.aws("sso-environments.accounts.json"), "{").unwrap();
    assert!(company.accounts(true).1.failed.is_empty());
    company.accounts(false);
    assert_eq!(company.accounts(true).0.len(), 3);
}

#[test]
fn hostile_account_names_are_cleaned_and_still_give_valid_profile_names() {
    let names = ["it's \"quoted\"", "a/b\\c", "\u{1f680}", "end]", ""].map(str::to_owned).to_vec();
    let company = fresh(Options { accounts: 5, roles: 1, account_name: names, hostile_text: true, ..approving() });
    let (accounts, seen) = company.accounts(false);
    assert!(!seen.text.contains("\\u001b"), "{}", seen.text);
    assert_eq!((accounts[4].account_name.as_ref(), accounts[4].email_address.as_ref()), (None, None));
    let (roles, _) = company.roles(accounts, false);
    let (added, seen) = company.add(roles, Some("{AccountName}"));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(added.len(), 5);
    assert_eq!(added[4], "100000000004");
    assert_eq!(company.update().statuses(), [("Created", 5)].into());
}

#[test]
fn profiles_are_added_once_and_the_existing_text_does_not_change() {
    let company = Company::with(Options { accounts: 3, ..approving() }, 1);
    let before = company.environments();
    let (accounts, _) = company.accounts(false);
    let (roles, _) = company.roles(accounts, false);
    let (added, _) = company.add(roles.clone(), None);
    assert_eq!(
        added,
        [
            "Account1-AWSReadOnlyAccess",
            "Account2-AWSAdministratorAccess",
            "Account2-AWSReadOnlyAccess",
            "Account3-AWSAdministratorAccess",
            "Account3-AWSReadOnlyAccess"
        ]
    );
    let after = company.environments();
    assert!(after.starts_with(before.trim_end()), "{after}");
    assert_eq!(company.add(roles, None).0.len(), 0);
    assert_eq!(company.environments(), after);
    assert_eq!(company.update().statuses(), [("Created", 6)].into());
}

#[test]
fn two_profiles_with_the_same_name_are_an_error_and_none_is_added() {
    let company = Company::with(Options { accounts: 2, ..approving() }, 1);
    let before = company.environments();
    let (accounts, _) = company.accounts(false);
    let (roles, _) = company.roles(accounts, false);
    for (template, words) in [
        ("{RoleName}", ["AWSReadOnlyAccess in account 100000000000 (Account1)", "AWSReadOnlyAccess in account 100000000001 (Account2)"]),
        ("{AccountName}", ["AWSAdministratorAccess in account 100000000000 (stored)", "AWSReadOnlyAccess in account 100000000000 (Account1)"]),
    ] {
        let (_, seen) = company.add(roles.clone(), Some(template));
        let error = seen.only_error("ProfileNameConflict");
        assert!(words.iter().all(|word| error.contains(word)) && error.contains("-NameTemplate"), "{error}");
        assert!(seen.failed[0].terminating);
    }
    assert_eq!(company.environments(), before);
}

#[test]
fn a_template_with_an_unknown_field_adds_no_profile() {
    let company = fresh(approving());
    let (accounts, _) = company.accounts(false);
    let (roles, _) = company.roles(accounts, false);
    let before = company.environments();
    let (added, seen) = company.add(roles.clone(), Some("{Account}"));
    assert!(seen.only_error("EnvironmentInvalid").contains("{AccountName}"));
    assert_eq!((added.len(), company.environments()), (0, before));
    // The same roles are added by a template that is right.
    assert_eq!(company.add(roles, None).0.len(), 40);
}

#[test]
fn removed_profiles_keep_their_credentials() {
    let company = Company::with(approving(), 3);
    company.update();
    let keys = company.credentials();
    let seen = company.run(Operation::RemoveProfile(RemoveProfile { environment: "ACME".into(), profiles: vec!["Account2".into()] }));
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert!(!company.environments().contains("Account2") && company.environments().contains("Account3"));
    assert_eq!(company.credentials(), keys);
}

#[test]
fn a_role_that_was_unassigned_after_listing_fails_alone() {
    let company = fresh(Options { accounts: 3, ..approving() });
    let (accounts, _) = company.accounts(false);
    let (roles, _) = company.roles(accounts, false);
    company.add(roles, None);
    let gone = sso_stand_in::AccountRole { account: "100000000001".into(), role: "AWSReadOnlyAccess".into() };
    company.service.control(sso_stand_in::Control { refuse_role: vec![gone], ..Default::default() });
    let seen = company.update();
    assert_eq!(seen.statuses(), [("Created", 5), ("RoleNotAssigned", 1)].into());
    assert!(seen.only_error("RoleNotAssigned").contains("Get-SsoRole"));
}
