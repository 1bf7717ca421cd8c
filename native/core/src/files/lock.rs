//! Locks between processes and threads, with a time limit for the wait.

use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Code, Error};
use crate::files::faults::write_failed;
use crate::files::owned_files::{make_folder, open_existing_lock, open_lock};

/// How long a file change waits for its lock if the user set no limit; other holders need only milliseconds.
pub(crate) const FILE_LOCK_LIMIT: Duration = Duration::from_secs(30);

/// How often a waiter tries the lock again.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// How long a canceled run still waits for a lock: holders need milliseconds, and fetched credentials should not be lost.
const LOCK_GRACE: Duration = Duration::from_millis(200);

/// How long to wait for a lock.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    started: Instant,
    limit: Option<Duration>,
    cancel: CancellationToken,
}

impl Patience {
    /// Starts the wait now; it lasts until the limit, if there is one, or until `cancel` is canceled.
    pub(crate) fn new(limit: Option<Duration>, cancel: CancellationToken) -> Self {
        Self { started: Instant::now(), limit, cancel }
    }

    pub(crate) fn ended(&self) -> bool {
        let waited = self.started.elapsed();
        self.limit.is_some_and(|limit| waited >= limit) || (self.cancel.is_cancelled() && waited >= LOCK_GRACE)
    }

    fn error(&self, lock: &Path) -> Error {
        let waited = self.started.elapsed().as_secs_f32();
        Error::new(Code::FileLocked, format!("Timed out after {waited:.1} s waiting for the lock {}, held by another process.", lock.display()))
            .with_target(lock.display().to_string())
            .with_action("Wait until the other PowerShell or terminal finishes its update or login, then run the command again.")
    }
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
        let file = open_lock(path).map_err(|fault| write_failed(path, &fault))?;
        Self::try_on(file).map_err(|fault| write_failed(path, &fault))
    }

    fn try_on(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(fault)) => Err(fault),
        }
    }

    /// Waits for the lock file of another version of the module. Returns `None` if the file does not exist or cannot be opened for writing.
    /// Calls `waiting` once if somebody else holds the lock.
    pub(crate) async fn take_existing(path: &Path, patience: &Patience, mut waiting: impl FnMut()) -> Result<Option<Self>, Error> {
        let mut has_waited = false;
        loop {
            let Ok(file) = open_existing_lock(path) else { return Ok(None) };
            if let Some(lock) = Self::try_on(file).map_err(|fault| write_failed(path, &fault))? {
                return Ok(Some(lock));
            }
            if !std::mem::replace(&mut has_waited, true) {
                waiting();
            }
            if patience.ended() {
                return Err(patience.error(path));
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

    /// Waits for the lock and blocks this thread.
    pub(crate) fn take(path: &Path, patience: &Patience) -> Result<Self, Error> {
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(lock);
            }
            if patience.ended() {
                return Err(patience.error(path));
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
                return Err(patience.error(path));
            }
            tokio::time::sleep(LOCK_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

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
