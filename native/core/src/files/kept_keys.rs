//! Keys that are kept for programs that ask for them again and again: one file for each session, account and role.
//!
//! The AWS CLI's own cache of role credentials stays untouched, and keys in the credentials file are not copied here.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::Error;
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::names::profile::ProfileEntry;
use crate::patience::WaitLimit;
use crate::role_credentials::RoleCredentials;
use crate::secret::{Secret, SecretBytes};
use crate::timestamp::rfc3339;
use crate::world::World;

/// The form of the files; one with another number counts as missing.
const VERSION: u32 = 1;

/// The largest file, in bytes; keys have up to a few thousand.
const LARGEST_FILE: usize = 64 * 1024;

/// The kept keys of one session.
#[derive(Debug, Clone)]
pub(crate) struct KeptKeys {
    folder: PathBuf,
    wait_limit: WaitLimit,
}

/// The file for one account and role.
#[derive(Debug)]
pub(crate) struct KeptFile {
    file: SafeFile,
    account_id: String,
    role_name: String,
}

/// Keys with the times that decide when they are fetched again.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) keys: RoleCredentials,
    /// When they were fetched.
    pub(crate) issued: OffsetDateTime,
    /// When somebody last tried to fetch newer ones.
    pub(crate) attempted: Option<OffsetDateTime>,
}

impl Kept {
    pub(crate) fn lifetime(&self) -> time::Duration {
        self.keys.expiration - self.issued
    }
}

/// A file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    version: u32,
    account_id: String,
    role_name: String,
    access_key_id: String,
    #[serde(serialize_with = "revealed")]
    secret_access_key: Secret,
    #[serde(serialize_with = "revealed")]
    session_token: Secret,
    expiration: String,
    issued: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attempted: Option<String>,
}

fn revealed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

impl KeptKeys {
    /// The kept keys of the session with this token file; `None` without a home folder.
    pub(crate) fn of(world: &World, session: &str) -> Option<Self> {
        let folder = world.home()?.join(".aws").join("sso").join("role-credentials").join(session);
        Some(Self { folder, wait_limit: world.wait_limit.clone() })
    }

    /// The file for the account and role of a profile; the profile's name plays no part, because users change names.
    pub(crate) fn file(&self, profile: &ProfileEntry) -> KeptFile {
        let name = format!("{}-{}.json", profile.account_id, profile.role_name);
        let file = SafeFile::at(&self.folder.join(name), &self.wait_limit);
        KeptFile { file, account_id: profile.account_id.clone(), role_name: profile.role_name.clone() }
    }

    /// Removes all keys of the session.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Ok(()) };
        let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        for path in files {
            self.remove(&path)?;
        }
        Ok(())
    }

    /// Removes a file under its lock, so that nobody who is fetching at this moment writes it again.
    fn remove(&self, path: &Path) -> Result<(), Error> {
        let file = SafeFile::at(path, &self.wait_limit);
        let lock = Lock::take(&file.lock_path(), &self.wait_limit.begin())?;
        file.remove(&lock)
    }
}

impl KeptFile {
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.file.lock_path()
    }

    /// Reads the keys; a file that is missing, broken, another user's, or readable for other users has none.
    pub(crate) fn read(&self) -> Option<Kept> {
        let contents = self.file.read().ok()??;
        if contents.bytes.len() > LARGEST_FILE || !is_private(self.file.path()) {
            return None;
        }
        let stored: Stored = serde_json::from_slice(&contents.bytes).ok()?;
        let time = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        if stored.version != VERSION || stored.account_id != self.account_id || stored.role_name != self.role_name {
            return None;
        }
        let keys = RoleCredentials {
            access_key_id: stored.access_key_id,
            secret_access_key: stored.secret_access_key,
            session_token: stored.session_token,
            expiration: time(&stored.expiration)?,
        };
        keys.is_writable().then_some(())?;
        Some(Kept { keys, issued: time(&stored.issued)?, attempted: stored.attempted.as_deref().and_then(time) })
    }

    /// Writes the keys; the caller holds the lock.
    pub(crate) fn write(&self, lock: &Lock, kept: &Kept) -> Result<(), Error> {
        let stored = Stored {
            version: VERSION,
            account_id: self.account_id.clone(),
            role_name: self.role_name.clone(),
            access_key_id: kept.keys.access_key_id.clone(),
            secret_access_key: kept.keys.secret_access_key.clone(),
            session_token: kept.keys.session_token.clone(),
            expiration: rfc3339(kept.keys.expiration),
            issued: rfc3339(kept.issued),
            attempted: kept.attempted.map(rfc3339),
        };
        let mut bytes = SecretBytes::with_capacity(8 * 1024);
        // Neither the values nor the memory can fail.
        let _ = serde_json::to_writer(&mut bytes, &stored);
        self.file.replace(lock, |_| Ok(Some(SecretBytes::from(bytes.to_vec())))).map(drop)
    }
}

/// Whether only this user can read a file and nobody else wrote it.
#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use rustix::fs::Mode;
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::geteuid().as_raw();
    let is_open = |metadata: &std::fs::Metadata| Mode::from_raw_mode(metadata.mode() as _).intersects(Mode::RWXG | Mode::RWXO);
    // Root may use what belongs to the user whose home folder it works in.
    std::fs::metadata(path).is_ok_and(|metadata| !is_open(&metadata) && (metadata.uid() == own || own == 0))
}

/// New files have an access list for their user alone.
#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use time::macros::datetime;

    use super::*;
    use crate::names::profile::ProfileSettings;
    use crate::world::test_world;

    fn profile(role_name: &str) -> ProfileEntry {
        ProfileEntry { name: "any".into(), account_id: "012345678901".into(), role_name: role_name.into(), settings: ProfileSettings::default() }
    }

    fn kept() -> Kept {
        let keys = RoleCredentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: Secret::new("se/cr+et="),
            session_token: Secret::new("to/ken=="),
            expiration: datetime!(2026-01-01 1:00 UTC),
        };
        Kept { keys, issued: datetime!(2026-01-01 0:00 UTC), attempted: None }
    }

    fn written(world: &World, role_name: &str) -> KeptFile {
        let file = KeptKeys::of(world, "session").unwrap().file(&profile(role_name));
        file.write(&Lock::try_take(&file.lock_path()).unwrap().unwrap(), &kept()).unwrap();
        file
    }

    #[test]
    fn keys_are_read_back_for_their_account_and_role_and_for_no_other() {
        let (_home, world) = test_world();
        let file = written(&world, "Admin");
        let read = file.read().unwrap();
        assert_eq!((read.keys.access_key_id.as_str(), read.keys.secret_access_key.reveal(), read.issued), ("ASIAEXAMPLE", "se/cr+et=", kept().issued));
        let keys = KeptKeys::of(&world, "session").unwrap();
        assert!(keys.file(&profile("Audit")).read().is_none());
        assert!(KeptKeys::of(&world, "other").unwrap().file(&profile("Admin")).read().is_none());
        // A file system that does not distinguish case, or a file that somebody copied.
        let copied = keys.file(&profile("ADMIN"));
        if !copied.file.path().exists() {
            std::fs::copy(file.file.path(), copied.file.path()).unwrap();
        }
        assert!(keys.file(&profile("ADMIN")).read().is_none());
    }

    #[test]
    fn a_file_that_is_broken_or_of_another_version_counts_as_missing_and_is_replaced() {
        let (_home, world) = test_world();
        let file = written(&world, "Admin");
        let good = std::fs::read_to_string(file.file.path()).unwrap();
        let large = good.replace("to/ken==", &"x".repeat(LARGEST_FILE));
        let spaced = good.replace("to/ken==", "to ken");
        for text in ["", "{}", "[]", "not JSON", &good[..good.len() - 2], &good.replace("\"version\":1", "\"version\":2"), &large, &spaced] {
            std::fs::write(file.file.path(), text).unwrap();
            assert!(file.read().is_none(), "{text:.80}");
        }
        written(&world, "Admin").read().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_not_used_and_a_new_one_is_the_users_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_home, world) = test_world();
        let file = written(&world, "Admin");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file.file.path()), mode(file.file.path().parent().unwrap())), (0o600, 0o700));
        std::fs::set_permissions(file.file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(file.read().is_none());
    }

    #[test]
    fn clearing_removes_all_keys_of_a_session_and_no_others() {
        let (_home, world) = test_world();
        let (one, two) = (written(&world, "Admin"), written(&world, "Audit"));
        let other = KeptKeys::of(&world, "other").unwrap().file(&profile("Admin"));
        other.write(&Lock::try_take(&other.lock_path()).unwrap().unwrap(), &kept()).unwrap();
        KeptKeys::of(&world, "session").unwrap().clear().unwrap();
        assert!(one.read().is_none() && two.read().is_none() && other.read().is_some());
        KeptKeys::of(&world, "none").unwrap().clear().unwrap();
    }
}
