//! A service with hostile answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sso_core::protocol::{AccountView, DisconnectSession, Event, GetAccount, GetRole, Operation, SessionTerms, Update};
use sso_stand_in::{Control, Options};

use crate::side_by_side::side_by_side;
use crate::spoiler::{Answer, KEYS, Spoiler, TOKEN, accounts, assert_keeps, company, logged_out, secrets};
use crate::{Company, approving, assert_says};

/// An operation with a limit.
type Limited = fn(SessionTerms) -> Operation;

/// A fault of an answer, and what it is.
type Fault = (&'static str, fn(&mut Answer));

/// All that can be wrong with an answer; the secrets of the request replace `SECRETS` in it.
const FAULTS: [Fault; 12] = [
    ("half of the JSON", |answer| answer.body.truncate(answer.body.len() / 2)),
    ("no JSON", |answer| answer.says("SECRETS")),
    ("an empty object", |answer| answer.says("{}")),
    ("members of other types", |answer| answer.body = answer.body.replace(":\"", ":[\"").replace("\",", "\"],")),
    ("no HTTP", |answer| answer.head = vec!["SECRETS".to_owned()]),
    ("a status that is none", |answer| answer.status("9999 SECRETS")),
    ("a header that is none", |answer| answer.head.push("SECRETS\u{1}: \u{1}SECRETS".to_owned())),
    ("a longer body", |answer| answer.header("Content-Length", "5000")),
    ("an echo in JSON", |answer| {
        answer.status("400 Bad Request");
        answer.header("x-amzn-errortype", "SECRETS");
        answer.says(r#"{"error":"SECRETS","error_description":"It was SECRETS","message":"It was SECRETS","__type":"SECRETS"}"#);
    }),
    ("an echo with a server's fault", |answer| {
        answer.status("500 SECRETS");
        answer.header("x-amzn-requestid", "SECRETS");
        answer.says(r#"{"message":"SECRETS SECRETS"}"#);
    }),
    ("a page of a proxy", |answer| {
        answer.status("502 Bad Gateway");
        answer.head.retain(|line| !line.to_ascii_lowercase().starts_with("x-amzn"));
        answer.says("<html>SECRETS</html>");
    }),
    ("another place", |answer| {
        answer.status("302 Found");
        answer.header("Location", "http://127.0.0.1:1/SECRETS");
    }),
];

#[test]
fn no_failure_of_a_request_shows_a_token() {
    let update = |session| Operation::Update(Update { force: true, session, ..crate::update() });
    let list = |session| Operation::GetAccount(GetAccount { environment: "Acme".into(), known: false, session });
    let log_out = |_| Operation::DisconnectSession(DisconnectSession { environments: vec!["Acme".into()], remove_credentials: false });
    let operations: [(_, Limited); 4] = [(KEYS, update), (TOKEN, update), ("/assignment/accounts", list), ("/logout", log_out)];
    for (path, operation) in operations {
        side_by_side(FAULTS, |(what, fault)| {
            let (company, spoiler) = company(approving());
            company.update().assert_created(2);
            let secrets = secrets(&company);
            if path == TOKEN {
                company.service.control(Control { expire_tokens: true, ..Control::default() });
            }
            let (known, shown) = (secrets.clone(), Arc::new(AtomicUsize::new(0)));
            let count = Arc::clone(&shown);
            spoiler.set(move |at, answer| {
                if at == path {
                    fault(answer);
                    let sent: Vec<&str> = known.iter().map(String::as_str).filter(|secret| answer.request.contains(secret)).collect();
                    count.fetch_add(sent.len(), Ordering::Relaxed);
                    let echo = sent.join(" ");
                    answer.head.iter_mut().chain([&mut answer.body]).for_each(|text| *text = text.replace("SECRETS", &echo));
                }
            });
            let seen = company.run_long_enough(operation, |_| shown.load(Ordering::Relaxed) > 0);
            assert!(shown.load(Ordering::Relaxed) > 0, "{path}: {what}: no secret was sent");
            assert_keeps(&secrets, &seen, &format!("{path}: {what}"));
            assert!(!seen.codes().contains(&"InternalError".to_owned()), "{path}: {what}: {:?}", seen.failed);
        });
    }
}

#[test]
fn an_endless_answer_is_an_error_for_every_operation() {
    let limited: [Fault; 2] = [
        ("chunks without an end", |answer| {
            answer.body = " ".repeat(1024);
            answer.endless = true;
        }),
        ("an announced length", |answer| answer.header("Content-Length", "5000000000")),
    ];
    let listed = || Operation::GetRole(roles_of(&["100000000000"]));
    side_by_side(
        [
            ("/client/register", None),
            ("/device_authorization", None),
            (TOKEN, None),
            (KEYS, None),
            ("/assignment/accounts", Some(accounts as fn() -> Operation)),
            ("/assignment/roles", Some(listed)),
        ],
        |(path, operation)| {
            for (what, fault) in limited {
                let (company, spoiler) = logged_out(approving());
                let tries = Arc::new(AtomicUsize::new(0));
                let count = Arc::clone(&tries);
                spoiler.set(move |at, answer| {
                    if at == path {
                        count.fetch_add(1, Ordering::Relaxed);
                        fault(answer);
                    }
                });
                let seen = operation.map_or_else(|| company.update(), |operation| company.run(operation()));
                assert!(!seen.failed.is_empty() && seen.codes().iter().all(|code| code == "ServiceError"), "{path}, {what}: {:?}", seen.failed);
                assert_says(&seen.failed[0].message, &["larger than 1 MB"]);
                // A request for each of the two profiles, and none of any kind is tried again.
                assert_eq!(tries.load(Ordering::Relaxed), if path == KEYS { 2 } else { 1 }, "{path}, {what}");
            }
        },
    );
}

fn roles_of(accounts: &[&str]) -> GetRole {
    let account = |id: &&str| AccountView { environment: "Acme".into(), account_id: (*id).to_owned(), account_name: None, email_address: None };
    GetRole { environment: "Acme".into(), accounts: accounts.iter().map(account).collect(), known: false, throttle_limit: 4, session: SessionTerms::default() }
}

/// Replaces each page with one of this many accounts and a token for another page.
fn endless_pages(spoiler: &Spoiler, items: usize) -> Arc<AtomicUsize> {
    let pages = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&pages);
    spoiler.set(move |path, answer| {
        let (list, item) = match path {
            "/assignment/accounts" => ("accountList", r#"{"accountId":"100000000000","accountName":"A"}"#),
            "/assignment/roles" => ("roleList", r#"{"roleName":"R","accountId":"100000000000"}"#),
            _ => return,
        };
        let number = count.fetch_add(1, Ordering::Relaxed);
        answer.status("200 OK");
        answer.body = format!(r#"{{"nextToken":"page{number}","{list}":[{}]}}"#, vec![item; items].join(","));
    });
    pages
}

#[test]
fn a_list_ends_with_an_error_after_1000_pages_or_100000_items() {
    for operation in [accounts(), Operation::GetRole(roles_of(&["100000000000"]))] {
        for (items, most, error) in [(1, 1000, "more than 1000 pages"), (10_000, 11, "more than 100000 items")] {
            let (company, spoiler) = company(approving());
            let pages = endless_pages(&spoiler, items);
            let seen = company.run(operation.clone());
            assert_says(&seen.only_error("ServiceError"), &[error]);
            assert_eq!(pages.load(Ordering::Relaxed), most);
        }
    }
}

#[test]
fn a_list_of_roles_in_many_accounts_has_a_limit_too() {
    let (company, spoiler) = company(approving());
    spoiler.set(|path, answer| {
        if path == "/assignment/roles" {
            let role = r#"{"roleName":"R","accountId":"100000000000"}"#;
            answer.body = format!(r#"{{"roleList":[{}]}}"#, vec![role; 20_000].join(","));
        }
    });
    let ids: Vec<String> = (0..20).map(|number| format!("{:012}", 100_000_000_000_u64 + number)).collect();
    let seen = company.run(Operation::GetRole(roles_of(&ids.iter().map(String::as_str).collect::<Vec<_>>())));
    assert!(!seen.failed.is_empty() && seen.failed.iter().all(|failed| failed.message.contains("more than 100000 items")), "{:?}", seen.failed);
}

#[test]
fn an_overlong_text_of_the_service_is_an_error_that_names_it() {
    let long = |length: usize| "x".repeat(length);
    side_by_side(
        [
            ("/assignment/accounts", "accountName", long(257), "name of an account"),
            ("/assignment/accounts", "emailAddress", long(257), "e-mail address"),
            ("/assignment/accounts", "accountId", long(5000), "account id"),
            ("/assignment/accounts", "nextToken", long(20_000), "next page"),
            ("/device_authorization", "userCode", long(65), "user code"),
            ("/device_authorization", "verificationUriComplete", format!("https://example.com/{}", long(2048)), "address"),
            ("/device_authorization", "deviceCode", long(20_000), "device code"),
            ("/client/register", "clientId", long(2000), "client id"),
            ("/client/register", "clientId", "a\r\nb".to_owned(), "client id"),
        ],
        |(path, member, value, name)| {
            let (company, spoiler) = logged_out(approving());
            spoiler.set(move |at, answer| {
                if at == path {
                    answer.member(member, value.as_str());
                }
            });
            let seen = company.run(accounts());
            assert_says(&seen.only_error("ServiceError"), &["cannot be used", name]);
            assert!(seen.text.len() < 4000, "{}", seen.text);
        },
    );
}

#[test]
fn the_longest_names_that_the_service_has_are_listed() {
    let (company, spoiler) = company(Options { accounts: 1, ..approving() });
    let name = "ü".repeat(256);
    let given = name.clone();
    spoiler.set(move |path, answer| {
        if path == "/assignment/accounts" {
            answer.member("accountName", given.as_str());
        }
    });
    let named = company.events(accounts()).into_iter().filter_map(|event| if let Event::Account(account) = event { account.account_name } else { None });
    assert_eq!(named.collect::<Vec<_>>(), [name]);
}

#[test]
fn invisible_characters_are_removed_from_account_names() {
    let (company, spoiler) = company(Options { accounts: 1, ..approving() });
    spoiler.set(|path, answer| {
        if path == "/assignment/accounts" {
            answer.member("accountName", "\u{202e}Ac\u{200b}me\u{2066} \u{ad}\u{feff}Pro\u{e0041}d\u{2028}");
        }
    });
    let seen = company.run(accounts());
    assert!(seen.text.contains("\"Acme Prod\""), "{}", seen.text);
}

#[test]
fn a_token_with_unsafe_characters_is_an_error_and_is_not_stored() {
    let bad = ["a\r\nx-injected: 1", "a b", "\u{1b}[2J", "tökén", "\u{202e}a", &"x".repeat(20_000)].map(str::to_owned);
    for member in ["accessToken", "refreshToken"] {
        side_by_side(bad.clone(), |value| {
            let (company, spoiler) = logged_out(approving());
            let given = value.clone();
            spoiler.set(move |path, answer| {
                if path == TOKEN {
                    answer.member(member, given.as_str());
                }
            });
            let seen = company.update();
            assert_says(&seen.only_error("ServiceError"), &["cannot be used", if member == "accessToken" { "access token" } else { "refresh token" }]);
            assert_eq!((company.requests("CreateToken"), company.requests("GetRoleCredentials")), (1, 0), "{value:.20?}");
            assert!(!seen.text.contains(&value.chars().filter(|c| !c.is_control()).collect::<String>()), "{}", seen.text);
            let files = std::fs::read_dir(company.aws("sso/cache")).into_iter().flatten();
            assert!(files.into_iter().all(|file| !std::fs::read_to_string(file.unwrap().path()).unwrap().contains("\"accessToken\"")));
        });
    }
    side_by_side(bad, |value| {
        let (company, spoiler) = logged_out(approving());
        spoiler.set(move |path, answer| {
            if path == "/client/register" {
                answer.member("clientSecret", value.as_str());
            }
        });
        assert_says(&company.update().only_error("ServiceError"), &["client secret"]);
    });
}

#[test]
fn a_cached_token_with_unsafe_characters_leads_to_a_login() {
    side_by_side(["a\\r\\nx: y", "a b", "\\u0000", "\u{e9}"], |bad| {
        let mut company = Company::with(approving(), 1);
        company.update().assert_created(1);
        company.forget();
        for entry in std::fs::read_dir(company.aws("sso/cache")).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("\"accessToken\": \"", &format!("\"accessToken\": \"{bad}"))).unwrap();
        }
        let seen = company.forced();
        assert!(seen.failed.is_empty(), "{bad}: {:?}", seen.failed);
        assert_eq!((company.service.stats().logins, company.service.stats().violations.len()), (1, 0), "{bad}");
    });
}
