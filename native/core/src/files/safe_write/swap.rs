//! Puts a new file in place of the old one, unless another program has changed that one in the meantime.

use std::io;
use std::path::Path;

#[cfg(unix)]
pub(super) use unix::swap;
#[cfg(windows)]
pub(super) use windows::swap;

/// A new file that is written and waits beside the old one.
pub(super) struct Replacement<'a> {
    pub(super) new: &'a Path,
    #[cfg_attr(windows, allow(dead_code, reason = "there, nothing is put in place that must be undone"))]
    pub(super) new_bytes: &'a [u8],
    pub(super) target: &'a Path,
    /// What the old file had when it was read; `None` if it did not exist.
    pub(super) old_bytes: Option<&'a [u8]>,
}

/// What became of the new file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Swapped {
    /// It is in place.
    Done,
    /// Another program has changed, created, or deleted the old file, and what that program did stays.
    Changed,
}

/// Exchanges the two files in one step where the file system can, and looks afterwards at what was in place at that moment.
#[cfg(unix)]
mod unix {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;

    use super::{Path, Replacement, Swapped, io};
    use crate::files::regular_file::{open_file, read_all};
    use crate::secret::SecretBytes;

    /// How often an exchange is undone because another program wrote once more.
    const ATTEMPTS: usize = 50;

    enum Exchanged {
        /// The new file is in place, where none was.
        New,
        /// The new file is in place and replaced one with these bytes.
        Displaced(SecretBytes),
        /// Nothing was done: the file was created or deleted since it was last read.
        Nothing,
        /// Nothing was done, because this file system cannot exchange files.
        Impossible,
    }

    pub(in super::super) fn swap(it: &Replacement<'_>) -> io::Result<Swapped> {
        match exchange(it.new, it.target, it.old_bytes.is_some())? {
            Exchanged::Displaced(theirs) if it.old_bytes.is_none_or(|old| old != *theirs) => {
                put_back(it, theirs)?;
                Ok(Swapped::Changed)
            }
            Exchanged::Displaced(_) | Exchanged::New => Ok(Swapped::Done),
            Exchanged::Nothing => Ok(Swapped::Changed),
            Exchanged::Impossible => rename(it),
        }
    }

    /// Renames the new file over the old one, if that still has the same bytes at the last moment at which this can be known.
    fn rename(it: &Replacement<'_>) -> io::Result<Swapped> {
        let now = match open_file(it.target) {
            Ok((file, metadata)) => Some(read_all(&file, &metadata)?),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => None,
            Err(fault) => return Err(fault),
        };
        if now.as_ref().map(|now| now.as_slice()) != it.old_bytes {
            return Ok(Swapped::Changed);
        }
        std::fs::rename(it.new, it.target).map(|()| Swapped::Done)
    }

    fn exchange(new: &Path, target: &Path, exists: bool) -> io::Result<Exchanged> {
        let flags = if exists { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        match renameat_with(CWD, new, CWD, target, flags) {
            Ok(()) if exists => {
                let (file, metadata) = open_file(new)?;
                read_all(&file, &metadata).map(Exchanged::Displaced)
            }
            Ok(()) => Ok(Exchanged::New),
            Err(Errno::EXIST | Errno::NOENT) => Ok(Exchanged::Nothing),
            Err(fault) if [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTSUP].contains(&fault) => Ok(Exchanged::Impossible),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Undoes an exchange that displaced another program's write, so that its own file is in place again.
    fn put_back(it: &Replacement<'_>, mut taken: SecretBytes) -> io::Result<()> {
        let mut put = SecretBytes::from(it.new_bytes.to_vec());
        // Repeats only if another program writes between two exchanges.
        for _ in 0..ATTEMPTS {
            match exchange(it.new, it.target, true)? {
                Exchanged::Displaced(bytes) if bytes != put => put = std::mem::replace(&mut taken, bytes),
                _ => break,
            }
        }
        Ok(())
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::unwrap_used)]
        use super::*;

        #[test]
        fn what_another_program_wrote_during_the_exchange_is_put_back_with_its_later_changes() {
            let home = tempfile::tempdir().unwrap();
            let (new, target) = (home.path().join("new"), home.path().join("target"));
            let swap = || swap(&Replacement { new: &new, new_bytes: b"ours", target: &target, old_bytes: Some(b"old") }).unwrap();
            std::fs::write(&target, "theirs").unwrap();
            std::fs::write(&new, "ours").unwrap();
            assert_eq!((swap(), std::fs::read_to_string(&target).unwrap().as_str()), (Swapped::Changed, "theirs"));
            // They write once more between the exchange and its undoing, and that is then their last change.
            let it = Replacement { new: &new, new_bytes: b"ours", target: &target, old_bytes: Some(b"old") };
            let Exchanged::Displaced(theirs) = exchange(&new, &target, true).unwrap() else { panic!("this file system cannot exchange files") };
            std::fs::write(&target, "theirs, later").unwrap();
            put_back(&it, theirs).unwrap();
            assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs, later");
        }
    }
}

/// Windows cannot exchange two files, so nobody may write, rename, or remove the old one while it is compared. A program that is writing at that moment is
/// waited for, and what it wrote is then found to be a change. Between the comparison and the rename, which is one step, the old file must be open to
/// renames again, so that another program's rename can come first; no lock of ours can prevent that.
#[cfg(windows)]
mod windows {
    use std::fs::OpenOptions;
    use std::os::windows::fs::OpenOptionsExt as _;

    use sso_windows::{DELETE, Existing, FILE_SHARE_DELETE, FILE_SHARE_READ, rename};

    use super::{Replacement, Swapped, io};
    use crate::files::regular_file::{open_sharing, read_all};

    pub(in super::super) fn swap(it: &Replacement<'_>) -> io::Result<Swapped> {
        let new = OpenOptions::new().access_mode(DELETE).open(it.new)?;
        let Some(old_bytes) = it.old_bytes else {
            return match rename(&new, it.target, Existing::Kept) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => Ok(Swapped::Changed),
                renamed => renamed.map(|()| Swapped::Done),
            };
        };
        let (old, metadata) = match open_sharing(it.target, FILE_SHARE_READ) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Swapped::Changed),
            opened => opened?,
        };
        if *read_all(&old, &metadata)? != *old_bytes {
            return Ok(Swapped::Changed);
        }
        let no_writers = open_sharing(it.target, FILE_SHARE_READ | FILE_SHARE_DELETE)?;
        drop(old);
        if rename(&new, it.target, Existing::ReplacedWhileOpen).is_err() {
            drop(no_writers);
            rename(&new, it.target, Existing::Replaced)?;
        }
        Ok(Swapped::Done)
    }
}
