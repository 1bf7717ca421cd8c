//! Many processes at once on one file, and those that die with the lock.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sso_core::World;

use crate::company::{Seen, SeenBrowser, rows, variables_of};
use crate::{Home, access_keys, cases, forced, names};

const PROCESSES: u64 = 8;
const PROFILES_OF_EACH: u64 = 3;

/// Longer than all that happens at once takes on any machine.
const LONG: std::time::Duration = std::time::Duration::from_secs(90);

/// This program as another process.
fn start(role: &str, home: &Home, process: u64, updates: u32) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["processes::a_process_of_these_tests", "--exact", "--ignored", "--nocapture"]);
    command.env("SSO_TEST_ROLE", role).env("SSO_TEST_HOME", home.company.home.path()).env("SSO_TEST_CREDENTIALS", &home.credentials);
    command.env("SSO_TEST_URL", home.company.service.url()).env("SSO_TEST_PROCESS", process.to_string()).env("SSO_TEST_UPDATES", updates.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// Starts a process that holds something, and returns when it does.
fn holding(role: &str, home: &Home, number: u64) -> Child {
    let mut holder = start(role, home, number, 0);
    let output = BufReader::new(holder.stdout.take().unwrap());
    assert!(output.lines().map_while(Result::ok).any(|line| line.ends_with("HELD")));
    holder
}

/// A process that keeps the credentials file open, and lets others open it in this way at the same time.
#[cfg(windows)]
pub(crate) fn held_by_another_process(home: &Home, sharing: u32) -> Child {
    holding("keep", home, sharing.into())
}

/// Kills a process.
pub(crate) fn stop(mut process: Child) {
    process.kill().unwrap();
    process.wait().unwrap();
}

fn profiles_of(process: u64) -> Vec<String> {
    let first = usize::try_from(process * PROFILES_OF_EACH).unwrap();
    rows(PROCESSES * PROFILES_OF_EACH).into_iter().skip(first).take(usize::try_from(PROFILES_OF_EACH).unwrap()).map(|row| row.profile).collect()
}

/// Updates the profiles of one process again and again; gives the last keys of each.
fn update_again_and_again(home: &Path, url: &str, credentials: &Path, process: u64, updates: u32) {
    let mut before = Vec::new();
    for _ in 0..updates {
        let mut variables = variables_of(home, url);
        variables.insert("AWS_SHARED_CREDENTIALS_FILE".to_owned(), credentials.display().to_string());
        let world = World::new(variables, home.to_path_buf(), std::sync::Arc::new(SeenBrowser::default()));
        let seen = Seen::all(&sso_core::run(forced(Some(profiles_of(process)), LONG.as_secs()), world));
        assert_eq!((seen.codes(), seen.profiles.len()), (Vec::new(), profiles_of(process).len()), "{:?}", seen.failed);
        let keys = access_keys(credentials);
        let ours: Vec<String> = profiles_of(process).iter().map(|profile| keys[profile].clone()).collect();
        assert!(ours.iter().all(|key| !before.contains(key)), "an update left old keys");
        before = ours;
    }
    for (profile, key) in profiles_of(process).iter().zip(before) {
        println!("LAST {profile} {key}");
    }
}

#[test]
#[ignore = "the other tests start it as a process of its own"]
#[allow(clippy::disallowed_methods, reason = "the variables are how its parent talks to it")]
fn a_process_of_these_tests() {
    let Ok(role) = std::env::var("SSO_TEST_ROLE") else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let credentials = PathBuf::from(variable("SSO_TEST_CREDENTIALS"));
    if role == "hold" {
        let lock = File::create(credentials.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        println!("HELD");
        std::thread::sleep(LONG);
        return;
    }
    #[cfg(windows)]
    if role == "keep" {
        use std::os::windows::fs::OpenOptionsExt as _;
        let sharing = variable("SSO_TEST_PROCESS").parse().unwrap();
        let _file = std::fs::OpenOptions::new().read(true).share_mode(sharing).open(&credentials).unwrap();
        println!("HELD");
        std::thread::sleep(LONG);
        return;
    }
    let home = PathBuf::from(variable("SSO_TEST_HOME"));
    let (process, updates) = (variable("SSO_TEST_PROCESS").parse().unwrap(), variable("SSO_TEST_UPDATES").parse().unwrap());
    update_again_and_again(&home, &variable("SSO_TEST_URL"), &credentials, process, updates);
}

#[test]
fn eight_parallel_processes_lose_no_profile() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, "# mine\n[mine]\nregion = eu-west-1\n").unwrap();
    assert!(home.company.set("Acme", rows(PROCESSES * PROFILES_OF_EACH)).failed.is_empty());
    // One session for all of them.
    home.update().assert_created(24);
    let updates = cases(25);
    let children: Vec<Child> = (0..PROCESSES).map(|process| start("update", &home, process, updates)).collect();
    let mut last = std::collections::BTreeMap::new();
    for mut child in children {
        let mut output = String::new();
        child.stdout.take().unwrap().read_to_string(&mut output).unwrap();
        assert!(child.wait().unwrap().success(), "{output}");
        for (_, line) in output.lines().filter_map(|line| line.split_once("LAST ")) {
            let (profile, key) = line.split_once(' ').unwrap();
            last.insert(profile.to_owned(), key.to_owned());
        }
    }
    assert_eq!(last.len() as u64, PROCESSES * PROFILES_OF_EACH);
    assert_eq!(access_keys(&home.credentials), last);
    assert!(std::fs::read_to_string(&home.credentials).unwrap().starts_with("# mine\n[mine]\nregion = eu-west-1\n"));
    assert!(!names(home.company.home.path()).contains(&"credentials.aws-sso-tmp".to_owned()));
    let stats = home.company.service.stats();
    assert_eq!((stats.logins, stats.violations), (0, Vec::new()));
    println!("{PROCESSES} processes, {} updates at once, {} profiles, none lost", PROCESSES * u64::from(updates), last.len());
}

#[test]
fn a_lock_times_out_and_is_free_once_its_holder_dies() {
    let home = Home::with_credentials_at("credentials");
    home.update().assert_created(3);
    let old = std::fs::read_to_string(&home.credentials).unwrap();
    let holder = holding("hold", &home, 0);
    home.update_watched(1, |_| {}).only_error("FileLocked");
    assert_eq!(std::fs::read_to_string(&home.credentials).unwrap(), old);
    stop(holder);
    assert_eq!(home.update_watched(1, |_| {}).statuses(), [("Refreshed", 3)].into());
}
