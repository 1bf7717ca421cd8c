//! What only Windows has: files that others hold, attributes, names that mean something else, and access lists of folders.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sso_windows::{GENERIC_READ, WRITE_DAC, access_list_of, set_access_list};

use crate::places::begins;
use crate::processes::{held_by_another_process, stop};
use crate::{Home, OLD, Undone, access_keys, is_linked, names, texts};

/// What the other program lets others do at the same time: nothing, read, or read and write, as programs in C and Python do.
const SHARINGS: [u32; 3] = [0, 1, 3];

/// Only the file and its locks are there, and no new keys beside them.
#[track_caller]
fn assert_no_file_is_left(home: &Home) {
    let left: Vec<_> = names(home.credentials.parent().unwrap()).into_iter().filter(|name| name.ends_with("aws-sso-tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Does this while the work runs, after a moment.
fn after_a_moment<T>(action: impl FnOnce() + Send, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            action();
        });
        work()
    })
}

#[test]
fn a_file_that_another_process_keeps_open_is_an_error_and_is_written_once_that_process_is_gone() {
    for sharing in SHARINGS {
        let home = Home::with_credentials_at("credentials");
        std::fs::write(&home.credentials, OLD).unwrap();
        let holder = held_by_another_process(&home, sharing);
        let error = home.update_watched(1, |_| {}).only_error("FileLocked");
        assert!(error.contains(home.credentials.to_str().unwrap()) && error.contains("in use by"), "{error}");
        assert_no_file_is_left(&home);
        stop(holder);
        assert_eq!(std::fs::read_to_string(&home.credentials).unwrap(), OLD);
        home.update().assert_created(3);
        assert!(std::fs::read_to_string(&home.credentials).unwrap().starts_with(OLD));
    }
}

/// NTFS replaces such a file at once. Other file systems and Wine (bug 54997) replace no file that is open, which is then waited for.
#[test]
fn a_file_that_another_process_reads_and_lets_others_delete_is_replaced_or_waited_for() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    let reader = held_by_another_process(&home, 7);
    let seen = home.update_watched(2, |_| {});
    assert!(seen.failed.is_empty() || seen.only_error("FileLocked").contains("in use by"), "{:?}", seen.failed);
    assert_no_file_is_left(&home);
    let seen = after_a_moment(move || stop(reader), || home.update());
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    assert_eq!(access_keys(&home.credentials).len(), 3);
}

#[test]
fn a_process_that_dies_while_it_keeps_the_file_open_ends_the_wait() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    let holder = held_by_another_process(&home, 0);
    after_a_moment(move || stop(holder), || home.update()).assert_created(3);
    assert_eq!(access_keys(&home.credentials).len(), 3);
}

#[test]
fn what_another_program_is_writing_when_the_keys_come_stays() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    let mut writer = None;
    let seen = home.update_watched(20, |event| {
        if begins(event) {
            // It empties the file, as `aws configure` does, and writes it after a moment.
            let mut file = OpenOptions::new().write(true).truncate(true).share_mode(3).open(&home.credentials).unwrap();
            writer = Some(std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                file.write_all(b"[theirs]\nregion = eu-west-1\n").unwrap();
            }));
        }
    });
    writer.unwrap().join().unwrap();
    seen.assert_created(3);
    assert!(std::fs::read_to_string(&home.credentials).unwrap().starts_with("[theirs]\nregion = eu-west-1\n"));
    assert_eq!(access_keys(&home.credentials).len(), 3);
}

#[test]
fn a_file_that_is_deleted_while_another_program_has_it_open_is_created_again() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    let held = File::open(&home.credentials).unwrap();
    std::fs::remove_file(&home.credentials).unwrap();
    // Until the other program closes it, Windows 10 before version 1809 and Wine keep the name.
    after_a_moment(move || drop(held), || home.update()).assert_created(3);
    assert_eq!(access_keys(&home.credentials).len(), 3);
    assert_no_file_is_left(&home);
}

#[test]
fn a_read_only_file_is_an_error_before_any_login() {
    let home = Home::without_session("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    let set_read_only = |is: bool| {
        let mut permissions = home.credentials.metadata().unwrap().permissions();
        permissions.set_readonly(is);
        std::fs::set_permissions(&home.credentials, permissions).unwrap();
    };
    set_read_only(true);
    let error = home.update().only_error("WriteFailed");
    set_read_only(false);
    assert!(error.contains("read-only") && error.contains("attrib -r"), "{error}");
    assert_eq!((home.requests(), std::fs::read_to_string(&home.credentials).unwrap().as_str()), (0, OLD));
}

#[test]
fn all_spellings_of_a_name_are_one_file_with_one_lock() {
    let mut home = Home::with_credentials_at("credentials");
    home.update().assert_created(3);
    let plain = home.credentials.clone();
    for spelling in ["CREDENTIALS", "credentials.", "credentials ", "Credentials..", ".\\credentials", "x\\..\\credentials"] {
        let mut path = home.company.home.path().as_os_str().to_owned();
        path.push("\\");
        path.push(spelling);
        home.put_credentials_at(path.into());
        let before = access_keys(&plain);
        let lock = File::create(plain.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        home.update_watched(1, |_| {}).only_error("FileLocked");
        drop(lock);
        assert_eq!(home.update().statuses(), [("Refreshed", 3)].into(), "{spelling}");
        let after = access_keys(&plain);
        assert!(after.len() == 3 && after.iter().all(|(profile, key)| before[profile] != *key), "{spelling}");
        let files = names(home.company.home.path()).into_iter().filter(|name| name.to_ascii_lowercase().starts_with("credentials")).count();
        assert_eq!(files, 3, "the file and two locks: {:?}", names(home.company.home.path()));
    }
}

#[test]
fn a_name_that_stands_for_a_device_or_a_stream_is_an_error_before_any_login() {
    for name in ["NUL", "nul.txt", "COM1", "CON", "credentials:stream", "folder"] {
        let home = Home::without_session(name);
        std::fs::create_dir(home.at("folder")).unwrap();
        std::fs::write(home.at("credentials"), OLD).unwrap();
        if home.credentials.is_file() && !name.contains(':') {
            println!("SKIPPED: {name} is a file like others in this version of Windows.");
            continue;
        }
        let seen = home.update();
        assert!(["PathInvalid", "ReadFailed", "WriteFailed"].contains(&seen.codes().join(" ").as_str()), "{name}: {:?}", seen.failed);
        assert_eq!(home.requests(), 0, "{name}");
        assert_eq!(std::fs::read_to_string(home.at("credentials")).unwrap(), OLD, "{name}");
        let files: Vec<_> = names(home.company.home.path()).into_iter().filter(|name| name != "credentials" && name != "folder" && name != ".aws").collect();
        assert!(files.is_empty(), "{name}: {files:?}");
    }
}

#[test]
fn a_folder_without_the_right_to_create_files_is_an_error_before_any_login() {
    let home = Home::without_session("fixed/credentials");
    let folder = home.at("fixed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&home.credentials, OLD).unwrap();
    // FILE_FLAG_BACKUP_SEMANTICS: folders are opened with it only.
    let open = || OpenOptions::new().access_mode(GENERIC_READ | WRITE_DAC).custom_flags(0x0200_0000).open(&folder).unwrap();
    let before = access_list_of(&open()).unwrap();
    // No right to add files and folders, for nobody.
    set_access_list(&open(), "D:P(D;;0x6;;;WD)(A;OICI;FA;;;WD)").unwrap();
    let fixed = Undone(|| set_access_list(&open(), &before).unwrap());
    if std::fs::write(folder.join("probe"), "").is_ok() {
        println!("SKIPPED: Wine keeps access lists as Unix modes, which do not bind root.");
        return;
    }
    let seen = home.update();
    drop(fixed);
    assert!(seen.only_error("WriteFailed").contains(home.credentials.to_str().unwrap()), "{:?}", seen.failed);
    assert_eq!(home.requests(), 0);
    assert_eq!((names(&folder), std::fs::read_to_string(&home.credentials).unwrap().as_str()), (vec!["credentials".to_owned()], OLD));
}

#[test]
fn a_folder_that_is_a_junction_leads_to_its_file() {
    let home = Home::with_credentials_at("link/credentials");
    std::fs::create_dir(home.at("real")).unwrap();
    let made = std::process::Command::new("cmd").args(["/c", "mklink", "/J"]).arg(home.at("link")).arg(home.at("real")).output().unwrap();
    if !home.at("link").is_dir() {
        println!("SKIPPED: Wine before 10.19 has no junctions: {}", String::from_utf8_lossy(&made.stderr).trim());
        return;
    }
    home.update().assert_created(3);
    assert_eq!(access_keys(&home.at("real/credentials")).len(), 3);
    assert!(std::fs::symlink_metadata(home.at("link")).unwrap().file_type().is_symlink());
}

#[test]
fn a_lock_that_is_a_link_is_refused_and_its_target_is_not_touched() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(home.at("theirs"), "theirs").unwrap();
    if !is_linked(&home.at("theirs"), &home.at("credentials.lock")) {
        return;
    }
    let error = home.update().only_error("WriteFailed");
    assert!(error.contains("not a regular file"), "{error}");
    assert_eq!(std::fs::read_to_string(home.at("theirs")).unwrap(), "theirs");
    assert!(!Path::new(&home.credentials).exists());
}

#[test]
fn a_file_that_others_can_read_becomes_private_and_that_is_said_once() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    let file = OpenOptions::new().access_mode(GENERIC_READ | WRITE_DAC).open(&home.credentials).unwrap();
    set_access_list(&file, "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;WD)").unwrap();
    drop(file);
    assert!(texts(&home.update()).contains("Other users could read"));
    assert!(crate::is_private(&home.credentials));
    assert!(!texts(&home.update()).contains("Other users could read"));
}
