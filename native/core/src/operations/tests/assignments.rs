//! What a user gets of `Get-SsoAccount` and `Get-SsoRole`.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};

use super::{events_of, failures};
use crate::error::Code;
use crate::protocol::{AccountView, Event, GetAccount, GetRole, Level, Operation, SessionTerms};
use crate::service::network::Reply;
use crate::service::scripted::{Call, exception, late, unreachable, with};
use crate::test_user::{START_URL, StoredToken, TestUser};

fn user() -> TestUser {
    let user = TestUser::new();
    user.keep(START_URL, StoredToken::with(7200));
    user
}

fn terms() -> SessionTerms {
    SessionTerms { login: false, ..SessionTerms::default() }
}

async fn accounts_of(user: &TestUser, known: bool) -> Vec<Event> {
    events_of(user, Operation::GetAccount(GetAccount { environment: "acme".into(), known, session: terms() })).await
}

async fn roles_of(user: &TestUser, ids: &[&str], known: bool) -> Vec<Event> {
    let account =
        |id: &&str| AccountView { environment: "Acme".into(), account_id: (*id).into(), account_name: Some(format!("Name {id}")), email_address: None };
    let accounts = ids.iter().map(account).collect();
    events_of(user, Operation::GetRole(GetRole { environment: "acme".into(), accounts, known, throttle_limit: 4, session: terms() })).await
}

fn accounts(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| if let Event::Account(account) = event { Some(account.account_id.as_str()) } else { None }).collect()
}

fn roles(events: &[Event]) -> Vec<(&str, &str)> {
    let roles = events.iter().filter_map(|event| if let Event::Role(role) = event { Some(role) } else { None });
    roles.map(|role| (role.account_id.as_str(), role.role_name.as_str())).collect()
}

fn warnings(events: &[Event]) -> Vec<&str> {
    let notes = events.iter().filter_map(|event| if let Event::Note(note) = event { Some(note) } else { None });
    notes.filter(|note| note.level == Level::Warning).map(|note| note.text.as_str()).collect()
}

fn account_page(ids: &[&str], next: Option<&str>) -> Reply {
    let list: Vec<Value> = ids.iter().map(|id| json!({ "accountId": id, "accountName": format!("Name {id}") })).collect();
    with(&json!({ "accountList": list, "nextToken": next }))
}

fn role_page(names: &[&str]) -> Reply {
    let list: Vec<Value> = names.iter().map(|name| json!({ "roleName": name })).collect();
    with(&json!({ "roleList": list }))
}

#[tokio::test(start_paused = true)]
async fn accounts_come_page_by_page_in_the_order_of_the_service() {
    let user = user();
    user.service.on_first(
        Call::ListAccounts,
        [account_page(&["300000000000", "100000000000"], Some("two")), account_page(&[], Some("three")), account_page(&["200000000000"], None)],
    );
    let events = accounts_of(&user, false).await;
    assert_eq!(accounts(&events), ["300000000000", "100000000000", "200000000000"]);
    let pages: Vec<String> = user.service.seen(Call::ListAccounts).iter().map(|request| request.field("next_token").to_owned()).collect();
    assert_eq!(pages, ["", "two", "three"]);
    assert!(failures(&events).is_empty() && warnings(&events).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_leads_back_to_a_page_ends_in_an_error() {
    let user = user();
    user.service.on(Call::ListAccounts, |request| account_page(&["100000000000"], Some(if request.field("next_token") == "a" { "b" } else { "a" })));
    let events = accounts_of(&user, false).await;
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!((failed.code, failed.terminating, failed.target.as_deref()), (Code::ServiceError, true, Some("Acme")));
    assert!(
        failed.message.contains("leads back to an earlier page") && failed.message.starts_with("All but the first 3 accounts of Acme"),
        "{}",
        failed.message
    );
    assert_eq!(user.service.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_of_more_than_a_thousand_pages_ends_in_an_error() {
    let user = user();
    let mut page = 0;
    user.service.on(Call::ListAccounts, move |_| {
        page += 1;
        account_page(&["100000000000"], Some(&format!("page {page}")))
    });
    let events = accounts_of(&user, false).await;
    let [failed] = failures(&events)[..] else { panic!("{:?}", failures(&events)) };
    assert!(failed.code == Code::ServiceError && failed.message.contains("more than 1000 pages"), "{}", failed.message);
    assert_eq!(user.service.calls().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_pages_are_listed() {
    let user = user();
    let mut page = 0;
    user.service.on(Call::ListAccounts, move |_| {
        page += 1;
        account_page(&["100000000000"], Some(page).filter(|page| *page < 1000).map(|page| format!("page {page}")).as_deref())
    });
    let events = accounts_of(&user, false).await;
    assert_eq!((accounts(&events).len(), failures(&events).len()), (1000, 0));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_more_than_a_hundred_thousand_items_ends_in_an_error_and_the_items_of_all_accounts_count() {
    for (last, fails) in [(50_000, false), (50_001, true)] {
        let user = user();
        let full = vec!["R"; 50_000];
        user.service.on(
            Call::ListAccountRoles,
            move |request| if request.field("account_id") == "100000000000" { role_page(&full) } else { role_page(&vec!["R"; last]) },
        );
        let events = roles_of(&user, &["100000000000", "100000000001"], false).await;
        let messages: Vec<&str> = failures(&events).iter().map(|failed| failed.message.as_str()).collect();
        assert_eq!(messages.iter().any(|message| message.contains("more than 100000 items")), fails, "{messages:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_whose_id_is_not_valid_is_left_out_with_a_warning() {
    let user = user();
    user.service.on_first(Call::ListAccounts, [account_page(&["100000000000", "12345", "", "20000000000x"], None)]);
    let events = accounts_of(&user, false).await;
    assert_eq!((accounts(&events), warnings(&events).len()), (vec!["100000000000"], 3));
    assert!(warnings(&events)[0].contains("\"12345\""), "{:?}", warnings(&events));
}

#[tokio::test(start_paused = true)]
async fn a_user_without_accounts_learns_whom_to_ask() {
    let user = user();
    user.service.on_first(Call::ListAccounts, [account_page(&[], None)]);
    let events = accounts_of(&user, false).await;
    assert_eq!(warnings(&events), ["No account is assigned to you in Acme; ask your administrator."]);
}

#[tokio::test(start_paused = true)]
async fn what_was_listed_is_available_without_a_request() {
    let user = user();
    assert!(accounts_of(&user, true).await.is_empty(), "nothing was listed yet");
    user.service.on(Call::ListAccounts, |_| account_page(&["100000000000", "100000000001"], None));
    user.service
        .on(Call::ListAccountRoles, |request| if request.field("account_id") == "100000000000" { role_page(&["Admin", "Audit"]) } else { role_page(&["Dev"]) });
    accounts_of(&user, false).await;
    roles_of(&user, &["100000000000", "100000000001"], false).await;
    let sent = user.service.calls().len();
    let other = user.in_another_process();
    assert_eq!(accounts(&accounts_of(&other, true).await), ["100000000000", "100000000001"]);
    let known = roles_of(&other, &[], true).await;
    assert_eq!(roles(&known), [("100000000000", "Admin"), ("100000000000", "Audit"), ("100000000001", "Dev")]);
    assert!(matches!(&known[0], Event::Role(role) if role.account_name.as_deref() == Some("Name 100000000000")));
    assert_eq!(user.service.calls().len(), sent);
    // What is gone from the list is known no longer, and the roles of the rest still are.
    user.service.on(Call::ListAccounts, |_| account_page(&["100000000001", "100000000002"], None));
    accounts_of(&user, false).await;
    assert_eq!(roles(&roles_of(&user, &[], true).await), [("100000000001", "Dev")]);
    assert_eq!(accounts(&accounts_of(&user, true).await), ["100000000001", "100000000002"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_listed_of_another_portal_is_not_known_of_this_one() {
    let user = user();
    accounts_of(&user, false).await;
    assert_eq!(accounts(&accounts_of(&user, true).await).len(), 1);
    user.store("[environment Acme]\nsso_start_url = https://new.awsapps.com/start\nsso_region = us-west-2\n");
    assert!(accounts_of(&user, true).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_fails_forgets_nothing() {
    let user = user();
    accounts_of(&user, false).await;
    user.service.on(Call::ListAccounts, |_| exception(400, "InvalidRequestException"));
    let events = accounts_of(&user, false).await;
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!((failed.code, failed.terminating, failed.request_id.as_deref()), (Code::ServiceError, true, Some("request-1")));
    assert!(failed.message.starts_with("The accounts of Acme could not be listed"), "{}", failed.message);
    assert_eq!(accounts(&accounts_of(&user, true).await), ["100000000000"]);
}

#[tokio::test(start_paused = true)]
async fn roles_come_in_the_order_of_the_accounts_whichever_answers_first() {
    let user = user();
    user.service.on(Call::ListAccountRoles, |request| match request.field("account_id") {
        "100000000000" => late(Duration::from_secs(3), role_page(&["First"])),
        "100000000001" => late(Duration::from_secs(1), role_page(&["Second"])),
        _ => role_page(&["Third"]),
    });
    let events = roles_of(&user, &["100000000000", "100000000001", "100000000002"], false).await;
    assert_eq!(roles(&events).iter().map(|(_, role)| *role).collect::<Vec<_>>(), ["First", "Second", "Third"]);
    let progress = events.iter().filter_map(|event| if let Event::Progress(progress) = event { Some((progress.done, progress.total)) } else { None });
    assert_eq!(progress.collect::<Vec<_>>(), [(0, 3), (1, 3), (2, 3), (3, 3)]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_assigned_fails_by_itself_and_its_known_roles_stay() {
    let user = user();
    roles_of(&user, &["100000000000"], false).await;
    user.service.on(Call::ListAccountRoles, |request| match request.field("account_id") {
        "100000000000" => exception(403, "ForbiddenException"),
        "100000000001" => exception(404, "ResourceNotFoundException"),
        "100000000002" => exception(400, "InvalidRequestException"),
        _ => role_page(&["Admin", ""]),
    });
    let events = roles_of(&user, &["100000000000", "100000000001", "100000000002", "100000000003"], false).await;
    let errors: Vec<(Code, Option<&str>, bool)> = failures(&events).iter().map(|failed| (failed.code, failed.target.as_deref(), failed.terminating)).collect();
    assert_eq!(
        errors,
        [
            (Code::AccountNotFound, Some("100000000000"), false),
            (Code::AccountNotFound, Some("100000000001"), false),
            (Code::ServiceError, Some("100000000002"), false)
        ]
    );
    assert_eq!(roles(&events), [("100000000003", "Admin")]);
    assert_eq!(warnings(&events), ["The service listed a role without a name in account 100000000003. It is skipped."]);
    assert!(roles(&roles_of(&user, &[], true).await).contains(&("100000000000", "Admin")));
}

#[tokio::test(start_paused = true)]
async fn an_account_id_that_is_not_valid_is_refused_before_any_request() {
    let user = user();
    let events = roles_of(&user, &["100000000000", "12345"], false).await;
    let [failed] = failures(&events)[..] else { panic!("{events:?}") };
    assert_eq!((failed.code, failed.target.as_deref(), failed.terminating), (Code::AccountNotFound, Some("12345"), true));
    assert!(roles_of(&user, &[], false).await.is_empty(), "no account is asked for");
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_reached_is_one_error_for_all_accounts() {
    let user = user();
    user.service.on(Call::ListAccountRoles, |_| unreachable());
    user.service.on(Call::ListAccounts, |_| unreachable());
    for events in [roles_of(&user, &["100000000000", "100000000001"], false).await, accounts_of(&user, false).await] {
        assert_eq!(failures(&events).iter().map(|failed| (failed.code, failed.terminating)).collect::<Vec<_>>(), [(Code::NetworkError, true)]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_session_nothing_is_listed_and_the_error_says_what_to_do() {
    let user = TestUser::new();
    for events in [accounts_of(&user, false).await, roles_of(&user, &["100000000000"], false).await] {
        let [failed] = failures(&events)[..] else { panic!("{events:?}") };
        assert_eq!((failed.code, failed.terminating), (Code::LoginRequired, true));
    }
    assert_eq!(user.service.calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_cancelled_ends_at_once_and_is_no_error() {
    for call in [Call::ListAccounts, Call::ListAccountRoles] {
        let user = user();
        user.service.on(call, |_| Reply::Never);
        let started = tokio::time::Instant::now();
        let work = async { if call == Call::ListAccounts { accounts_of(&user, false).await } else { roles_of(&user, &["100000000000"], false).await } };
        let (events, ()) = tokio::join!(work, async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            user.context.outlet.cancel_token().cancel();
        });
        assert!(failures(&events).is_empty() && warnings(&events).is_empty(), "{events:?}");
        assert_eq!(started.elapsed().as_secs(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_list_may_take_as_long_as_it_takes_and_a_page_may_not() {
    let user = user();
    let mut page = 0;
    user.service.on(Call::ListAccounts, move |_| {
        page += 1;
        late(Duration::from_secs(25), account_page(&["100000000000"], Some(page).filter(|page| *page < 10).map(|page| format!("page {page}")).as_deref()))
    });
    assert_eq!(accounts(&accounts_of(&user, false).await).len(), 10);
    user.service.on(Call::ListAccounts, |_| Reply::Never);
    let started = tokio::time::Instant::now();
    let events = accounts_of(&user, false).await;
    assert_eq!((failures(&events)[0].code, started.elapsed().as_secs()), (Code::NetworkError, 120));
}
