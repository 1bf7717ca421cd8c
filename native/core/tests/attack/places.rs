//! Where the credentials file can be, and what can be in its place.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use sso_core::protocol::Event;

use crate::{Home, access_keys, names, texts};

const OLD: &str = "# mine\n[mine]\nregion = eu-west-1\n";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs a command that only root may run; says so where it does not work.
fn done(command: &str, arguments: &[&str]) -> bool {
    let done = Command::new(command).args(arguments).status().is_ok_and(|status| status.success());
    if !done {
        println!("SKIPPED: {command} {} does not work here, so nothing was shown.", arguments.join(" "));
    }
    done
}

/// Runs a command when it goes, so that nothing is left mounted or fixed by a test that fails.
struct Undone(&'static str, Vec<String>);

impl Drop for Undone {
    fn drop(&mut self) {
        let _ = Command::new(self.0).args(&self.1).status();
    }
}

#[test]
fn links_stay_and_the_file_that_they_lead_to_is_replaced() {
    let home = Home::with_credentials_at("links/one");
    for folder in ["links", "dotfiles", "dotfiles/aws"] {
        std::fs::create_dir(home.at(folder)).unwrap();
    }
    symlink("../dotfiles/two", home.at("links/one")).unwrap();
    symlink(home.at("dotfiles/three"), home.at("dotfiles/two")).unwrap();
    symlink("aws/real", home.at("dotfiles/three")).unwrap();
    std::fs::write(home.at("dotfiles/aws/real"), OLD).unwrap();
    home.update().assert_created(3);
    assert!(["links/one", "dotfiles/two", "dotfiles/three"].iter().all(|link| home.at(link).is_symlink()));
    assert!(std::fs::read_to_string(home.at("dotfiles/aws/real")).unwrap().starts_with(OLD));
    assert_eq!(access_keys(&home.credentials).len(), 3);
    assert_eq!(
        (names(&home.at("links")), names(&home.at("dotfiles/aws"))),
        (vec!["one".to_owned()], vec!["real".to_owned(), "real.fetch-acme.lock".to_owned(), "real.lock".to_owned()])
    );
}

#[test]
fn a_link_to_a_missing_file_gets_its_file() {
    let home = Home::with_credentials_at("credentials");
    symlink("not/yet/there", home.at("credentials")).unwrap();
    home.update().assert_created(3);
    assert!(home.at("credentials").is_symlink());
    assert_eq!((mode(&home.at("not")), mode(&home.at("not/yet")), mode(&home.at("not/yet/there"))), (0o700, 0o700, 0o600));
}

#[test]
fn a_circle_of_links_is_an_error_before_any_login() {
    let home = Home::without_session("one");
    symlink("two", home.at("one")).unwrap();
    symlink("one", home.at("two")).unwrap();
    home.update().only_error("ReadFailed");
    assert_eq!(home.requests(), 0);
}

#[test]
fn a_hard_link_keeps_its_content() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(home.at("other"), OLD).unwrap();
    std::fs::hard_link(home.at("other"), home.at("credentials")).unwrap();
    home.update().assert_created(3);
    assert_eq!(std::fs::read_to_string(home.at("other")).unwrap(), OLD);
    assert_eq!((access_keys(&home.credentials).len(), home.credentials.metadata().unwrap().nlink()), (3, 1));
}

#[test]
fn the_file_mode_stays_without_access_for_others() {
    let home = Home::with_credentials_at("credentials");
    for (before, after) in [(0o600, 0o600), (0o400, 0o400), (0o700, 0o700), (0o640, 0o600), (0o664, 0o600), (0o604, 0o600), (0o444, 0o400)] {
        // A file that its owner may not write is replaced nonetheless: it is the folder that decides, and the mode stays.
        let _ = std::fs::remove_file(&home.credentials);
        std::fs::write(&home.credentials, OLD).unwrap();
        set_mode(&home.credentials, before);
        let seen = home.update();
        seen.assert_created(3);
        assert_eq!(mode(&home.credentials), after, "{before:o}");
        assert_eq!(texts(&seen).contains("Other users could read"), before & 0o077 != 0, "{before:o}");
    }
}

#[test]
fn a_new_file_is_private_to_its_owner() {
    let home = Home::with_credentials_at("new/credentials");
    home.update();
    assert_eq!((mode(&home.at("new")), mode(&home.credentials), mode(&home.at("new/credentials.lock"))), (0o700, 0o600, 0o600));
}

#[test]
fn a_file_that_root_updates_keeps_its_owner() {
    if !is_root() {
        println!("SKIPPED: only root can write another user's file.");
        return;
    }
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    std::os::unix::fs::chown(&home.credentials, Some(65_534), Some(65_533)).unwrap();
    set_mode(&home.credentials, 0o600);
    home.update().assert_created(3);
    let file = home.credentials.metadata().unwrap();
    assert_eq!((file.uid(), file.gid(), mode(&home.credentials)), (65_534, 65_533, 0o600));
}

#[test]
fn a_read_only_folder_is_an_error_before_any_login() {
    let home = Home::without_session("fixed/credentials");
    let folder = home.at("fixed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&home.credentials, OLD).unwrap();
    let folder_text = folder.to_str().unwrap().to_owned();
    // Root may write anywhere but where the file system says no.
    let (fix, undo) = if is_root() { (["+i"], ("chattr", "-i")) } else { (["500"], ("chmod", "700")) };
    if !done(undo.0, &[fix[0], &folder_text]) {
        return;
    }
    let fixed = Undone(undo.0, vec![undo.1.to_owned(), folder_text]);
    let seen = home.update();
    drop(fixed);
    assert!(seen.only_error("WriteFailed").contains("fixed/credentials"), "{:?}", seen.failed);
    assert_eq!(home.requests(), 0);
    assert_eq!((names(&folder), std::fs::read_to_string(&home.credentials).unwrap().as_str()), (vec!["credentials".to_owned()], OLD));
}

#[test]
fn a_full_disk_is_an_error_and_the_old_file_stays_complete() {
    if !is_root() {
        println!("SKIPPED: only root can mount a small disk.");
        return;
    }
    let home = Home::with_credentials_at("disk/credentials");
    let disk = home.at("disk");
    std::fs::create_dir(&disk).unwrap();
    if !done("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk.to_str().unwrap()]) {
        return;
    }
    let _mounted = Undone("umount", vec![disk.to_str().unwrap().to_owned()]);
    // Without room at all, and with room for some of it only.
    for size in [60_000, 30_000] {
        let old = format!("{OLD}{}", format!("# {}\n", "x".repeat(97)).repeat(size / 100));
        let _ = std::fs::remove_file(disk.join("filler"));
        std::fs::write(&home.credentials, &old).unwrap();
        let free = usize::try_from(rustix::fs::statvfs(&disk).map(|disk| disk.f_bavail * disk.f_frsize).unwrap()).unwrap();
        std::fs::write(disk.join("filler"), vec![0; free.saturating_sub(if size < 60_000 { 4096 } else { 0 })]).unwrap();
        let seen = home.update();
        assert!(seen.only_error("WriteFailed").contains("disk/credentials"), "{:?}", seen.failed);
        assert!(std::fs::read_to_string(&home.credentials).unwrap() == old);
        assert_eq!(names(&disk), ["credentials", "filler"]);
    }
    std::fs::remove_file(disk.join("filler")).unwrap();
    std::fs::write(&home.credentials, OLD).unwrap();
    home.update().assert_created(3);
}

#[test]
fn a_folder_that_is_deleted_during_the_run_is_created_again() {
    let home = Home::with_credentials_at("there/credentials");
    let mut vanished = false;
    let seen = home.update_watched(20, |event| {
        if matches!(event, Event::Progress(progress) if progress.done == 0) {
            std::fs::remove_dir_all(home.at("there")).unwrap();
            vanished = true;
        }
    });
    assert!(vanished);
    seen.assert_created(3);
    assert_eq!((access_keys(&home.credentials).len(), mode(&home.at("there"))), (3, 0o700));
}

#[test]
fn a_folder_that_becomes_a_file_during_the_run_is_an_error() {
    let home = Home::with_credentials_at("there/credentials");
    let seen = home.update_watched(20, |event| {
        if matches!(event, Event::Progress(progress) if progress.done == 0) {
            std::fs::remove_dir_all(home.at("there")).unwrap();
            std::fs::write(home.at("there"), "a file").unwrap();
        }
    });
    seen.only_error("WriteFailed");
    assert_eq!(std::fs::read_to_string(home.at("there")).unwrap(), "a file");
}

#[test]
fn a_special_file_is_an_error_before_any_login() {
    // The device is one like /dev/zero, which never ends.
    for (command, arguments) in [("mkdir", &[][..]), ("mkfifo", &[]), ("mknod", &["c", "1", "5"])] {
        let home = Home::without_session("credentials");
        let path = home.credentials.to_str().unwrap();
        if !done(command, &[&[path], arguments].concat()) {
            continue;
        }
        let kind = home.credentials.metadata().unwrap().file_type();
        let seen = home.update();
        assert_eq!((seen.codes(), home.requests()), (vec!["ReadFailed".to_owned()], 0), "{kind:?}: {:?}", seen.failed);
        assert_eq!(home.credentials.metadata().unwrap().file_type(), kind);
        assert_eq!(names(home.company.home.path()).iter().filter(|name| name.starts_with("credentials")).count(), 1);
    }
}
