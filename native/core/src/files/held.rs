//! Waits for files that another program holds open, as virus scanners, editors, Python and the AWS CLI do on Windows.

#[cfg(windows)]
pub(crate) use sso_windows::holders_of;
#[cfg(windows)]
pub(crate) use windows::{is_held, while_held};

#[cfg(not(windows))]
pub(crate) use elsewhere::{holders_of, is_held, while_held};

#[cfg(windows)]
mod windows {
    use std::fs::OpenOptions;
    use std::io;
    use std::os::windows::fs::OpenOptionsExt as _;
    use std::path::Path;
    use std::time::Duration;

    use sso_windows::DELETE;

    use crate::patience::WaitLimit;

    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    const DELETE_PENDING: i32 = 303;

    /// Nobody else may have the file open.
    const SHARE_NOTHING: u32 = 0;

    /// How often a waiter tries again.
    const INTERVAL: Duration = Duration::from_millis(20);

    /// How long a refusal is taken for a file that is about to vanish: the system reports both in the same way.
    const VANISHING: Duration = Duration::from_secs(1);

    /// Whether an operation failed because another program holds the file.
    pub(crate) fn is_held(fault: &io::Error) -> bool {
        matches!(fault.raw_os_error(), Some(SHARING_VIOLATION | LOCK_VIOLATION | DELETE_PENDING))
    }

    /// Repeats an operation on these files while another program holds one of them. If that program does not let go within the limit, [`is_held`] is
    /// true of the error.
    pub(crate) fn while_held<T>(files: &[&Path], limit: &WaitLimit, mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let mut patience = None;
        loop {
            let fault = match operation() {
                Err(fault) if is_held(&fault) || fault.raw_os_error() == Some(ACCESS_DENIED) => fault,
                outcome => return outcome,
            };
            let patience = patience.get_or_insert_with(|| limit.begin());
            // Replacing or removing a file that somebody else has open is refused like a file that the user has no right to.
            let held = is_held(&fault) || files.iter().any(|file| is_open_elsewhere(file));
            if !held && (patience.waited() >= VANISHING || !files.iter().all(|file| may_vanish(file))) {
                return Err(fault);
            }
            if patience.ended() {
                return Err(if held { io::Error::from_raw_os_error(SHARING_VIOLATION) } else { fault });
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Whether somebody else has the file open. Only NTFS, from version 1607 of Windows 10 on, replaces a file that others have open and let be removed.
    fn is_open_elsewhere(file: &Path) -> bool {
        OpenOptions::new().access_mode(DELETE).share_mode(SHARE_NOTHING).open(file).is_err_and(|fault| fault.raw_os_error() == Some(SHARING_VIOLATION))
    }

    /// Whether a refusal can be that of a file that is being removed: a folder and a read-only file are refused for what they are.
    fn may_vanish(file: &Path) -> bool {
        std::fs::metadata(file).map_or(true, |metadata| metadata.is_file() && !metadata.permissions().readonly())
    }
}

/// On other systems, no program can hold a file against others.
#[cfg(not(windows))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    use crate::patience::WaitLimit;

    pub(crate) fn is_held(_fault: &io::Error) -> bool {
        false
    }

    pub(crate) fn holders_of(_file: &Path) -> Vec<String> {
        Vec::new()
    }

    pub(crate) fn while_held<T>(_files: &[&Path], _limit: &WaitLimit, mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        operation()
    }
}

#[cfg(all(test, windows))]
mod tests;
