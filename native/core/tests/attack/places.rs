//! Where the credentials file can be, and what can be in its place.

use std::path::{Path, PathBuf};

use sso_core::protocol::Event;

use crate::{Home, OLD, access_keys, is_linked, is_private, names};

/// Whether this is the moment when a run has checked everything and begins to fetch.
pub(crate) fn begins(event: &Event) -> bool {
    matches!(event, Event::Progress(progress) if progress.done == 0)
}

#[test]
fn links_stay_and_the_file_that_they_lead_to_is_replaced() {
    let home = Home::with_credentials_at("links/one");
    for folder in ["links", "dotfiles", "dotfiles/aws"] {
        std::fs::create_dir(home.at(folder)).unwrap();
    }
    let two = Path::new("..").join("dotfiles").join("two");
    let links = [(two, "links/one"), (home.at("dotfiles/three"), "dotfiles/two"), (Path::new("aws").join("real"), "dotfiles/three")];
    if !links.iter().all(|(target, link)| is_linked(target, &home.at(link))) {
        return;
    }
    std::fs::write(home.at("dotfiles/aws/real"), OLD).unwrap();
    home.update().assert_created(3);
    assert!(links.iter().all(|(_, link)| home.at(link).is_symlink()));
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
    if !is_linked(&Path::new("not").join("yet").join("there"), &home.credentials) {
        return;
    }
    home.update().assert_created(3);
    assert!(home.credentials.is_symlink());
    assert!(is_private(&home.at("not/yet/there")));
    #[cfg(unix)]
    assert!(["not", "not/yet"].iter().all(|folder| is_private(&home.at(folder))));
}

#[test]
fn a_circle_of_links_is_an_error_before_any_login() {
    let home = Home::without_session("one");
    if !is_linked(Path::new("two"), &home.at("one")) || !is_linked(Path::new("one"), &home.at("two")) {
        return;
    }
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
    assert_eq!(access_keys(&home.credentials).len(), 3);
    home.update();
    assert_eq!(std::fs::read_to_string(home.at("other")).unwrap(), OLD, "the new file has one name");
}

#[test]
fn a_new_file_is_private_to_its_owner() {
    let home = Home::with_credentials_at("new/credentials");
    home.update();
    assert!(is_private(&home.credentials));
    // On Windows, the folder and the lock have the access list of the folder above.
    #[cfg(unix)]
    assert!(is_private(&home.at("new")) && is_private(&home.at("new/credentials.lock")));
}

/// A folder on a disk with less than 64 MB, which a file can fill.
struct SmallDisk {
    folder: PathBuf,
    #[cfg(unix)]
    _mounted: crate::Undone<Box<dyn FnMut()>>,
}

impl SmallDisk {
    #[cfg(unix)]
    fn of(home: &Home) -> Option<Self> {
        let folder = home.at("disk");
        if !crate::unix::is_root() {
            println!("SKIPPED: only root can mount a small disk.");
            return None;
        }
        std::fs::create_dir(&folder).unwrap();
        let path = folder.to_str().unwrap().to_owned();
        let is_mounted = crate::unix::done("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs", &path]);
        let unmount = Box::new(move || drop(std::process::Command::new("umount").arg(&path).status()));
        is_mounted.then_some(Self { folder, _mounted: crate::Undone(unmount) })
    }

    #[cfg(windows)]
    #[allow(clippy::disallowed_methods, reason = "the variable is for whoever runs the tests")]
    fn of(_home: &Home) -> Option<Self> {
        let Some(folder) = std::env::var_os("SSO_TEST_SMALL_DISK").map(PathBuf::from) else {
            println!("SKIPPED: SSO_TEST_SMALL_DISK names no empty folder on a disk with less than 64 MB.");
            return None;
        };
        Some(Self { folder })
    }

    fn free(&self) -> usize {
        #[cfg(unix)]
        let free = rustix::fs::statvfs(&self.folder).map(|disk| disk.f_bavail * disk.f_frsize).unwrap();
        #[cfg(windows)]
        let free = sso_windows::free_space(&self.folder).unwrap();
        usize::try_from(free).unwrap()
    }

    /// Leaves so many bytes on the disk.
    fn fill(&self, left: usize) {
        let free = self.free();
        assert!(free < 64 << 20, "this disk has {free} bytes free");
        std::fs::write(self.folder.join("filler"), vec![0; free.saturating_sub(left)]).unwrap();
    }
}

#[test]
fn a_full_disk_is_an_error_and_the_old_file_stays_complete() {
    let mut home = Home::with_credentials_at("disk/credentials");
    let Some(disk) = SmallDisk::of(&home) else { return };
    home.put_credentials_at(disk.folder.join("credentials"));
    // Without room at all, with room for some of it only, and with room until the keys are fetched.
    for (size, left, is_full_later) in [(60_000, 0, false), (30_000, 4096, false), (20_000, 0, true)] {
        let old = format!("{OLD}{}", format!("# {}\n", "x".repeat(97)).repeat(size / 100));
        let _ = std::fs::remove_file(disk.folder.join("filler"));
        std::fs::write(&home.credentials, &old).unwrap();
        if !is_full_later {
            disk.fill(left);
        }
        let seen = home.update_watched(20, |event| {
            if is_full_later && begins(event) {
                disk.fill(left);
            }
        });
        assert!(seen.only_error("WriteFailed").contains(home.credentials.to_str().unwrap()), "{:?}", seen.failed);
        assert!(std::fs::read_to_string(&home.credentials).unwrap() == old);
        assert!(!names(&disk.folder).iter().any(|name| name.ends_with("aws-sso-tmp")), "{:?}", names(&disk.folder));
    }
    std::fs::remove_file(disk.folder.join("filler")).unwrap();
    std::fs::write(&home.credentials, OLD).unwrap();
    home.update().assert_created(3);
    #[cfg(windows)]
    for name in names(&disk.folder) {
        std::fs::remove_file(disk.folder.join(name)).unwrap();
    }
}

/// Removes a folder with its files, of which the run has some open. Returns false, and says why, where that does not work.
fn is_removed(folder: &Path) -> bool {
    let removed = std::fs::remove_dir_all(folder);
    if cfg!(windows) && removed.is_err() {
        println!("SKIPPED: Windows 10 before version 1809 and Wine keep the name of a deleted file until it is closed, so its folder stays.");
        return false;
    }
    removed.unwrap();
    true
}

#[test]
fn a_folder_that_is_deleted_during_the_run_is_created_again() {
    let home = Home::with_credentials_at("there/credentials");
    let mut removals = Vec::new();
    let seen = home.update_watched(20, |event| {
        if begins(event) {
            removals.push(is_removed(&home.at("there")));
        }
    });
    assert_eq!(removals.len(), 1);
    seen.assert_created(3);
    assert!(access_keys(&home.credentials).len() == 3 && is_private(&home.credentials));
    #[cfg(unix)]
    assert!(is_private(&home.at("there")));
}

#[test]
fn a_folder_that_becomes_a_file_during_the_run_is_an_error() {
    let home = Home::with_credentials_at("there/credentials");
    let mut removals = Vec::new();
    let seen = home.update_watched(20, |event| {
        if begins(event) {
            removals.push(is_removed(&home.at("there")) && std::fs::write(home.at("there"), "a file").is_ok());
        }
    });
    if removals == [true] {
        seen.only_error("WriteFailed");
        assert_eq!(std::fs::read_to_string(home.at("there")).unwrap(), "a file");
    } else {
        seen.assert_created(3);
    }
}
