//! Locks between processes and threads, with a time limit for the wait.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

use crate::error::{Code, Error};
use crate::files::faults::write_failed;
use crate::files::held::is_held;
use crate::files::owned_files::{make_folder, open_existing_lock, open_lock};
use crate::patience::Patience;

/// How often a waiter tries the lock again.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// The error of a wait for a lock that ended.
fn timed_out(lock: &Path, patience: &Patience) -> Error {
    let waited = patience.waited().as_secs_f32();
    Error::new(Code::FileLocked, format!("Timed out after {waited:.1} s waiting for the lock {}, held by another process.", lock.display()))
        .with_target(lock.display().to_string())
        .with_action("Wait until the other PowerShell or terminal finishes its update or login, then run the command again.")
}

/// A lock between processes and threads, released when this value is dropped or the process exits.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock if it is free. The file is never deleted, because a lock on a deleted file excludes nobody.
    pub(crate) fn try_take(path: &Path) -> Result<Option<Self>, Error> {
        if let Some(folder) = path.parent() {
            make_folder(folder).map_err(|fault| write_failed(folder, &fault))?;
        }
        match open_lock(path).and_then(Self::try_on) {
            // A scanner that reads the lock file, or a program that takes its locks in another way.
            Err(fault) if is_held(&fault) => Ok(None),
            outcome => outcome.map_err(|fault| write_failed(path, &fault)),
        }
    }

    fn try_on(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            // A signal interrupted the call; a caller that waits tries again.
            Err(TryLockError::Error(fault)) if fault.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(TryLockError::Error(fault)) => Err(fault),
        }
    }

    /// Waits for the lock file of another version of the module. Returns `None` if the file does not exist or cannot be opened for writing.
    /// Calls `waiting` once if somebody else holds the lock.
    pub(crate) async fn take_existing(path: &Path, patience: &Patience, mut waiting: impl FnMut()) -> Result<Option<Self>, Error> {
        let mut has_waited = false;
        loop {
            let lock = match open_existing_lock(path) {
                Ok(file) => Self::try_on(file).map_err(|fault| write_failed(path, &fault))?,
                Err(fault) if is_held(&fault) => None,
                Err(_) => return Ok(None),
            };
            if lock.is_some() {
                return Ok(lock);
            }
            if !std::mem::replace(&mut has_waited, true) {
                waiting();
            }
            if patience.ended() {
                return Err(timed_out(path, patience));
            }
            tokio::time::sleep(LOCK_INTERVAL).await;
        }
    }

    /// Writes this content to the lock file if it is empty; the lock works without it.
    pub(crate) fn fill(&self, content: &[u8]) {
        if self.file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = (&self.file).write_all(content);
        }
    }

    /// Notes a time in the lock file, in whole seconds, for the next process that takes the lock.
    pub(crate) fn note(&self, time: OffsetDateTime) {
        self.fill(b"\n");
        // Without the note, the next process only does not know.
        let _ = self.file.set_modified(SystemTime::from(time.truncate_to_second()));
    }

    /// The time that a process noted last; `None` if none did.
    pub(crate) fn noted(&self) -> Option<OffsetDateTime> {
        let metadata = self.file.metadata().ok().filter(|metadata| metadata.len() > 0)?;
        metadata.modified().ok().map(OffsetDateTime::from)
    }

    /// Waits for the lock and blocks this thread.
    pub(crate) fn take(path: &Path, patience: &Patience) -> Result<Self, Error> {
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(lock);
            }
            if patience.ended() {
                return Err(timed_out(path, patience));
            }
            std::thread::sleep(LOCK_INTERVAL);
        }
    }

    /// Waits for the lock without blocking a thread.
    pub(crate) async fn take_async(path: &Path, patience: &Patience) -> Result<Self, Error> {
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(lock);
            }
            if patience.ended() {
                return Err(timed_out(path, patience));
            }
            tokio::time::sleep(LOCK_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::patience::FILE_LOCK_LIMIT;

    #[test]
    fn a_held_lock_times_out_and_the_error_names_the_lock_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file.lock");
        let held = Lock::try_take(&path).unwrap().unwrap();
        let error = Lock::take(&path, &Patience::new(Some(Duration::from_millis(50)), CancellationToken::new())).unwrap_err();
        assert_eq!((error.code(), error.target()), (Code::FileLocked, path.to_str()));
        drop(held);
        // A process that another test is starting briefly holds a copy of every lock.
        Lock::take(&path, &Patience::new(Some(FILE_LOCK_LIMIT), CancellationToken::new())).unwrap();
    }
}
