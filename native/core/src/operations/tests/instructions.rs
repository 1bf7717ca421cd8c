//! How many instructions three paths take, counted by valgrind: unlike times, counts do not depend on what else the machine does.
//!
//! `instructions.txt` has the counts that were kept, for each toolchain. After a change that is worth its instructions, write down the new ones, which
//! each test prints.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout)]

use std::fmt::Write as _;
use std::process::Command;

use super::{events_of, failures};
use crate::files::credentials_file::{CredentialsFile, Fetched};
use crate::operations::begin;
use crate::patience::Patience;
use crate::protocol::{Event, Operation, Update};
use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;
use crate::test_user::{START_URL, StoredToken, TestUser};

const KEPT: &str = include_str!("instructions.txt");

/// The path that a process under valgrind takes.
const PATH: &str = "SSO_COUNTED_PATH";

/// The only function that valgrind looks into.
#[inline(never)]
fn counted_by_valgrind<T>(path: impl FnOnce() -> T) -> T {
    std::hint::black_box(path())
}

/// The number of instructions of one test of this file, run again under valgrind; `None` without valgrind.
fn instructions_of(test: &str) -> Option<u64> {
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted_by_valgrind*"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("operations::tests::instructions::{test}"), "--test-threads=1"])
        .env(PATH, test)
        .output()
        .ok()?;
    assert!(valgrind.status.success(), "{}", String::from_utf8_lossy(&valgrind.stderr));
    let found = std::fs::read_to_string(counts).unwrap();
    found.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok())
}

/// Checks that a path, by its name in the file, takes at most 5 % more instructions than it took. Under valgrind, the test takes the path itself.
fn check(name: &str, test: &str, path: impl FnOnce()) {
    if std::env::var(PATH).is_ok_and(|wanted| wanted == test) {
        return path();
    }
    let Some(count) = instructions_of(test) else {
        println!("SKIPPED: valgrind is not installed.");
        return;
    };
    let toolchain = Command::new("rustc").arg("--version").output().map(|version| String::from_utf8_lossy(&version.stdout).into_owned()).unwrap_or_default();
    let toolchain = format!("{} {}", toolchain.split_whitespace().nth(1).unwrap_or("unknown"), std::env::consts::ARCH);
    println!("\n{toolchain} {name} {count}");
    let kept = KEPT.lines().find_map(|line| line.strip_prefix(&format!("{toolchain} {name} "))?.trim().parse::<u64>().ok());
    let Some(kept) = kept else {
        println!("SKIPPED: no count was kept for {toolchain}.");
        return;
    };
    assert!(count <= kept + kept / 20, "{name} took {count} instructions, and {kept} before");
}

/// The names of a thousand profiles.
fn names() -> impl Iterator<Item = (usize, String)> {
    (0..1000).map(|number| (number, format!("Account{number}")))
}

/// A user with a thousand profiles, whose credentials last so many seconds.
fn user_with_a_thousand_profiles(left: i64) -> TestUser {
    let user = TestUser::new();
    let mut table = format!("[environment Acme]\nsso_start_url = {START_URL}\nsso_region = us-west-2\ndefault_role_name = Admin\n");
    let mut credentials = String::new();
    for (number, name) in names() {
        let account = 100_000_000_000_u64 + number as u64;
        let _ = write!(table, "[environment Acme profile {name}]\nsso_account_id = {account}\n");
        let _ = write!(
            credentials,
            "[{name}]\naws_access_key_id = ASIAX\naws_secret_access_key = {}\naws_session_token = {}\naws_account_id = {account}\n\
             x_security_token_expires = {}\nx_sso_role_name = Admin\nx_sso_environment = Acme\n\n",
            "s".repeat(40),
            "t".repeat(500),
            user.time(left)
        );
    }
    user.store(&table);
    user.write_credentials(&credentials);
    // A file counts as unchanged only if it did not change within the last tick.
    std::thread::sleep(std::time::Duration::from_millis(50));
    user
}

fn update() -> Operation {
    Operation::Update(serde_json::from_str::<Update>(r#"{"targets":[{"environment":"Acme"}],"session":{"login":false},"report_profiles":false}"#).unwrap())
}

fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(run)
}

#[test]
fn nothing_due_with_a_thousand_profiles_takes_no_more_instructions_than_it_took() {
    check("nothing-due", "nothing_due_with_a_thousand_profiles_takes_no_more_instructions_than_it_took", || {
        in_virtual_time(async {
            let user = user_with_a_thousand_profiles(3600);
            // The first run reads the files.
            assert!(begin(update(), &user.context).unwrap().is_none());
            let user = user.in_another_run();
            assert!(counted_by_valgrind(|| begin(update(), &user.context)).unwrap().is_none());
        });
    });
}

#[test]
fn a_write_into_a_file_of_a_thousand_sections_takes_no_more_instructions_than_it_took() {
    check("write", "a_write_into_a_file_of_a_thousand_sections_takes_no_more_instructions_than_it_took", || {
        in_virtual_time(async {
            let user = user_with_a_thousand_profiles(3600);
            let file = CredentialsFile::of(&user.context.world).unwrap();
            let profile = user.environment("Acme").profiles[500].clone();
            let keys = RoleCredentials {
                access_key_id: "ASIANEW".into(),
                secret_access_key: Secret::new("s"),
                session_token: Secret::new("t"),
                expiration: user.context.now() + time::Duration::hours(1),
            };
            let fetched = [Fetched { environment: "Acme", profile: &profile, keys: &keys, issued: user.context.now() }];
            let patience = Patience::new(None, user.context.outlet.cancel_token().clone());
            let mut write = std::pin::pin!(file.write(&fetched, false, &patience));
            let mut waker = std::task::Context::from_waker(std::task::Waker::noop());
            let written = counted_by_valgrind(|| write.as_mut().poll(&mut waker));
            assert!(matches!(written, std::task::Poll::Ready(Ok(written)) if written.written.changed), "the lock was free");
        });
    });
}

#[test]
fn a_fetch_from_the_answer_to_the_file_takes_no_more_instructions_than_it_took() {
    check("fetch", "a_fetch_from_the_answer_to_the_file_takes_no_more_instructions_than_it_took", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let user = runtime.block_on(async {
            let user = TestUser::new();
            user.keep(START_URL, StoredToken::with(7200));
            // What is made once in a process, such as the SDK's clients.
            assert!(failures(&events_of(&user, update()).await).is_empty());
            user.write_credentials("");
            user.in_another_run()
        });
        let events = counted_by_valgrind(|| runtime.block_on(events_of(&user, update())));
        assert!(failures(&events).is_empty());
        assert!(events.iter().any(|event| matches!(event, Event::Completed(completed) if completed.refreshed == 2)), "{events:?}");
    });
}
