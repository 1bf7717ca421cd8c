//! The credentials file under attack by whole runs: odd places, full disks, and many processes at once.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../common/company.rs"]
mod company;
#[path = "../common/counts.rs"]
mod counts;
mod places;
mod processes;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use company::{Company, Seen, approving, update_of, within};
use counts::cases;
use ini::Ini;
use sso_core::protocol::{Event, Operation, Update};
use sso_stand_in::Options;

/// A company with three profiles, and a credentials file that may be anywhere in the home folder.
struct Home {
    company: Company,
    credentials: PathBuf,
}

/// An update that fetches all, or these profiles.
fn forced(profiles: Option<Vec<String>>, timeout: u64) -> Operation {
    let mut update = Update { force: true, session: within(timeout), ..update_of("Acme") };
    update.targets[0].profiles = profiles;
    Operation::Update(update)
}

impl Home {
    fn with_credentials_at(place: &str) -> Self {
        Self::around(Company::with(Options { accounts: 24, ..approving() }, 3), place)
    }

    /// The same where nobody has logged in, for what has to come before any login.
    fn without_session(place: &str) -> Self {
        Self::around(Company::without_session(approving(), 3), place)
    }

    fn around(company: Company, place: &str) -> Self {
        let mut home = Self { company, credentials: PathBuf::new() };
        home.put_credentials_at(home.at(place));
        home
    }

    fn put_credentials_at(&mut self, path: PathBuf) {
        self.company.variable("AWS_SHARED_CREDENTIALS_FILE", path.display().to_string());
        self.credentials = path;
    }

    /// A place in the home folder, with the separators of the system, as in the module's messages.
    fn at(&self, place: &str) -> PathBuf {
        place.split('/').fold(self.company.home.path().to_owned(), |path, part| path.join(part))
    }

    fn update(&self) -> Seen {
        self.update_watched(20, |_| {})
    }

    /// An update of a new process, which has nothing in memory.
    fn update_watched(&self, timeout: u64, watch: impl FnMut(&Event)) -> Seen {
        Seen::watching(&sso_core::run_with(forced(None, timeout), self.company.world(), std::sync::Arc::default()), watch)
    }

    fn requests(&self) -> u64 {
        self.company.service.stats().requests.values().sum()
    }
}

/// What a user has in a credentials file.
const OLD: &str = "# mine\n[mine]\nregion = eu-west-1\n";

/// Runs something when it goes, so that nothing is left mounted or fixed by a test that fails.
struct Undone<F: FnMut()>(F);

impl<F: FnMut()> Drop for Undone<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Whether only its owner, and on Windows the administrators and the system, can read a file.
fn is_private(path: &Path) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap()).is_multiple_of(0o100);
    #[cfg(windows)]
    return !sso_windows::others_can_read(&std::fs::File::open(path).unwrap()).unwrap();
}

/// Creates a symbolic link to a file. Returns false, and says why, where there are none.
fn is_linked(target: &Path, link: &Path) -> bool {
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, link).unwrap();
    #[cfg(windows)]
    let _ = std::os::windows::fs::symlink_file(target, link);
    let is_there = link.is_symlink();
    if !is_there {
        println!("SKIPPED: Windows lets this user create no symbolic links, or this is Wine before 10.19, where creating one does nothing.");
    }
    is_there
}

/// The texts of a run for people.
fn texts(seen: &Seen) -> String {
    seen.failed.iter().map(|failed| failed.message.as_str()).chain(seen.notes.iter().map(String::as_str)).collect()
}

/// The access key ids in a credentials file, by profile, as another reader finds them.
fn access_keys(path: &Path) -> BTreeMap<String, String> {
    let file = Ini::load_from_file(path).unwrap();
    file.iter().filter_map(|(section, keys)| Some((section?.to_owned(), keys.get("aws_access_key_id")?.to_owned()))).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
