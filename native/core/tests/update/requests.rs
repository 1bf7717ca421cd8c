//! Requests that no cmdlet sends: whatever crosses the boundary ends with events and no internal error.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::counts::cases;
use crate::{Company, approving};

/// Text of every kind that names, paths and values can have.
fn text() -> impl Strategy<Value = String> {
    let known =
        ["Acme", "acme", "Account1", "", " ", "*", "[x]", "a]b", "DEFAULT", "default", "../x", "$HOME/x", "~", "%TEMP%", "NUL", "us-west-2", "012345678901"];
    let hostile = ["\u{0}", "\n[x]\nk = v", "\u{202e}abc", "\u{feff}", "a = b", "# c", "\\", "\u{1f680}", "{AccountName}", "https://example.com/start"];
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        3 => proptest::sample::select(hostile.to_vec()).prop_map(str::to_owned),
        2 => ".{0,40}",
        1 => (0..4000_usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn row() -> impl Strategy<Value = Value> {
    (text(), text(), proptest::option::of(text())).prop_map(|(profile, account_id, role_name)| match role_name {
        Some(role_name) => json!({ "profile": profile, "account_id": account_id, "role_name": role_name }),
        None => json!({ "profile": profile, "account_id": account_id }),
    })
}

fn role() -> impl Strategy<Value = Value> {
    (text(), text(), text(), proptest::option::of(text())).prop_map(
        |(environment, account_id, role_name, profile_name)| json!({ "environment": environment, "account_id": account_id, "role_name": role_name, "profile_name": profile_name }),
    )
}

/// Every operation that sends nothing.
fn operation() -> impl Strategy<Value = Value> {
    let names = || proptest::collection::vec(text(), 0..4);
    let rows = || proptest::option::of(proptest::collection::vec(row(), 0..4));
    let number = || prop_oneof![Just(0_u64), Just(900), Just(u64::MAX), any::<u64>()];
    prop_oneof![
        (names(), any::<[bool; 3]>(), number()).prop_map(|(environments, [force, replace_keys, due_only], minimum_remaining)| {
            json!({ "plan": { "environments": environments, "force": force, "minimum_remaining": minimum_remaining, "replace_keys": replace_keys, "due_only": due_only } })
        }),
        (names(), any::<bool>()).prop_map(|(names, stored_only)| json!({ "get_environment": { "names": names, "stored_only": stored_only } })),
        (text(), proptest::option::of(text()), proptest::option::of(text()), proptest::option::of(text()), rows(), any::<bool>()).prop_map(
            |(name, start_url, region, role, accounts, check_only)| {
                json!({ "set_environment": { "name": name, "start_url": start_url, "region": region, "default_role_name": role, "accounts": accounts, "check_only": check_only } })
            }
        ),
        (text(), any::<bool>()).prop_map(|(name, check_only)| json!({ "remove_environment": { "name": name, "check_only": check_only } })),
        names().prop_map(|environments| json!({ "get_session": { "environments": environments } })),
        (names(), number()).prop_map(|(environments, least)| json!({ "get_credential": { "environments": environments, "minimum_remaining": least } })),
        (text(), proptest::collection::vec(role(), 0..4), proptest::option::of(text()), text(), any::<bool>()).prop_map(
            |(environment, roles, name_template, prefix, check_only)| {
                json!({ "add_profile": { "environment": environment, "roles": roles, "name_template": name_template, "prefix": prefix, "check_only": check_only } })
            }
        ),
        (text(), names()).prop_map(|(environment, profiles)| json!({ "remove_profile": { "environment": environment, "profiles": profiles } })),
        (text(), proptest::option::of(names()), any::<[bool; 2]>()).prop_map(|(environment, profiles, [unlisted, check_only])| {
            json!({ "remove_credential": { "environment": environment, "profiles": profiles, "unlisted": unlisted, "check_only": check_only } })
        }),
        (text(), names(), proptest::option::of(text()), proptest::option::of(text())).prop_map(|(profile, environments, service, region)| {
            json!({ "open_console": { "profile": profile, "environments": environments, "service": service, "region": region, "browser": false } })
        }),
    ]
}

#[test]
fn no_request_causes_an_internal_error_or_an_unreadable_file() {
    let company = Company::with(approving(), 2);
    company.update().assert_created(2);
    let requests = (operation(), proptest::option::of(text()));
    let config = ProptestConfig { cases: cases(5_000), failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&requests, |(operation, directory)| {
            let request = json!({ "operation": operation, "directory": directory.unwrap_or_default() });
            let Ok(request) = sso_core::protocol::request_from_json(request.to_string().as_bytes()) else {
                return Err(TestCaseError::fail(format!("the request does not fit: {request}")));
            };
            let seen = company.run(request.operation);
            prop_assert!(seen.codes().iter().all(|code| code != "InternalError"), "{:?}", seen.failed);
            Ok(())
        })
        .unwrap();
    let listed = company.run(sso_core::protocol::Operation::GetEnvironment(sso_core::protocol::GetEnvironment::default()));
    assert!(listed.failed.is_empty(), "{:?}", listed.failed);
    assert!(company.update().codes().iter().all(|code| code != "CredentialsFileInvalid"));
}

#[test]
fn text_that_is_not_a_request_is_refused_without_quoting_it() {
    let near = prop_oneof![operation().prop_map(|operation| json!({ "operation": operation }).to_string()), ".{0,60}"];
    let refused = std::cell::Cell::new(0);
    let config = ProptestConfig { cases: cases(20_000), failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(near, any::<proptest::sample::Index>(), any::<u8>()), |(text, place, byte)| {
            let mut bytes = text.into_bytes();
            if !bytes.is_empty() {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            if let Err(refusal) = sso_core::protocol::request_from_json(&bytes) {
                refused.set(refused.get() + 1);
                prop_assert!(refusal.starts_with("the request does not fit: ") && refusal.len() < 100, "{refusal}");
            }
            Ok(())
        })
        .unwrap();
    assert!(refused.get() > 0, "every text was a request");
}
