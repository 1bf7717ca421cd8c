//! What only Unix has: modes, owners, and special files.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use crate::{Home, OLD, Undone, names, texts};

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs a command that only root may run; says so where it does not work.
pub(crate) fn done(command: &str, arguments: &[&str]) -> bool {
    let done = Command::new(command).args(arguments).status().is_ok_and(|status| status.success());
    if !done {
        println!("SKIPPED: {command} {} does not work here, so nothing was shown.", arguments.join(" "));
    }
    done
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
fn a_file_that_root_updates_keeps_its_owner() {
    let home = Home::with_credentials_at("credentials");
    std::fs::write(&home.credentials, OLD).unwrap();
    if std::os::unix::fs::chown(&home.credentials, Some(65_534), Some(65_533)).is_err() {
        println!("SKIPPED: only root may give files away, and a container may not know the other user.");
        return;
    }
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
    let fixed = Undone(|| drop(Command::new(undo.0).args([undo.1, &folder_text]).status()));
    let seen = home.update();
    drop(fixed);
    assert!(seen.only_error("WriteFailed").contains("fixed/credentials"), "{:?}", seen.failed);
    assert_eq!(home.requests(), 0);
    assert_eq!((names(&folder), std::fs::read_to_string(&home.credentials).unwrap().as_str()), (vec!["credentials".to_owned()], OLD));
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
