//! Creates files and folders that are private to their owner, and opens locks, without following links to other users' files.
//!
//! The folder stays open while a file is created in it, so that nobody can swap in another folder in the meantime. What root creates in a user's
//! folder (`sudo pwsh`) is given to that user, who would otherwise be locked out; ownership of anything else never changes.

use std::path::Path;

#[cfg(unix)]
pub(crate) use unix::{create_new, make_folder, open_existing_lock, open_lock};

#[cfg(windows)]
pub(crate) use windows::{create_new, make_folder, open_existing_lock, open_lock};

/// Whether a new file is encrypted by the file system (EFS); only Windows can do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    Off,
    #[cfg_attr(not(windows), allow(dead_code, reason = "only Windows can do that"))]
    On,
}

/// The folder of a path; the current folder for a bare file name.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::{CWD, Dir, Gid, Mode, OFlags, Stat, Uid, fchown, fstat, mkdirat, openat};
    use rustix::io::Errno;

    use super::{Encryption, folder_of};
    use crate::files::regular_file::{not_regular, regular};

    /// A file can appear and disappear between two system calls; more often than this is an attack.
    const TRIES: usize = 16;

    const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);
    const NEVER_A_LINK: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

    /// Opens a lock file, and creates it if it is missing.
    pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
        let (folder, name) = place_of(path)?;
        for _ in 0..TRIES {
            match create_in(&folder, name) {
                Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists => {}
                created => return created,
            }
            match open_in(&folder, name) {
                Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
                opened => return opened,
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    /// Opens a lock file that exists.
    pub(crate) fn open_existing_lock(path: &Path) -> io::Result<File> {
        let (folder, name) = place_of(path)?;
        open_in(&folder, name)
    }

    /// Creates a file; fails if the path exists.
    pub(crate) fn create_new(path: &Path, _encryption: Encryption) -> io::Result<File> {
        let (folder, name) = place_of(path)?;
        create_in(&folder, name)
    }

    /// Creates a folder and its missing parents, all accessible only to their owner.
    pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
        if folder.as_os_str().is_empty() || folder.is_dir() {
            return Ok(());
        }
        make_folder(folder_of(folder))?;
        let (above, name) = place_of(folder)?;
        match mkdirat(&above, name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) if folder.is_dir() => return Ok(()),
            Err(fault) => return Err(fault.into()),
        }
        let made = openat(&above, name, OFlags::DIRECTORY | NEVER_A_LINK, Mode::empty());
        // A failure loses nothing: the folder then belongs to root, like root's other folders.
        if let Ok(made) = made
            && is_empty_and_private(&made)
        {
            let _ = leave_to_owner(&above, &made);
        }
        Ok(())
    }

    fn place_of(path: &Path) -> io::Result<(OwnedFd, &OsStr)> {
        let name = path.file_name().ok_or_else(not_regular)?;
        let folder = openat(CWD, folder_of(path), OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok((folder, name))
    }

    fn create_in(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
        let file = openat(folder, name, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | NEVER_A_LINK, PRIVATE_FILE)?;
        // The file is empty and was just created here, so its new owner gains nothing else.
        let _ = leave_to_owner(folder, &file);
        Ok(File::from(file))
    }

    fn open_in(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
        match openat(folder, name, OFlags::WRONLY | NEVER_A_LINK, Mode::empty()) {
            Ok(file) => regular(File::from(file)).map(|(file, _)| file),
            Err(Errno::LOOP) => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a symbolic link")),
            // A pipe without a reader, or a socket.
            Err(Errno::NXIO) => Err(not_regular()),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Gives what root just created to the owner of its folder.
    fn leave_to_owner(folder: &OwnedFd, made: &OwnedFd) -> Result<(), Errno> {
        let (folder, own) = (fstat(folder)?, fstat(made)?);
        if own.st_uid == 0 && folder.st_uid != 0 {
            fchown(made, Some(Uid::from_raw(folder.st_uid)), Some(Gid::from_raw(folder.st_gid)))?;
        }
        Ok(())
    }

    /// Whether this can be the folder that was just created, and not one that somebody moved there.
    fn is_empty_and_private(folder: &OwnedFd) -> bool {
        let is_private = |found: Stat| Mode::from_raw_mode(found.st_mode) == Mode::RWXU;
        let is_entry = |name: &[u8]| name != b"." && name != b"..";
        fstat(folder).is_ok_and(is_private)
            && Dir::read_from(folder).is_ok_and(|entries| entries.flatten().all(|entry| !is_entry(entry.file_name().to_bytes())))
    }
}

/// On Windows, a file has the access list of its folder, which its writer changes if it must.
#[cfg(windows)]
mod windows {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::windows::fs::OpenOptionsExt as _;
    use std::path::Path;

    use sso_windows::{FILE_ATTRIBUTE_ENCRYPTED, FILE_FLAG_OPEN_REPARSE_POINT, GENERIC_READ, GENERIC_WRITE, READ_CONTROL, WRITE_DAC};

    use super::Encryption;
    use crate::files::regular_file::regular;

    pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
        open(path, OpenOptions::new().create(true).truncate(false))
    }

    pub(crate) fn open_existing_lock(path: &Path) -> io::Result<File> {
        open(path, &mut OpenOptions::new())
    }

    fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
        regular(options.write(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?).map(|(file, _)| file)
    }

    /// Creates a file; fails if the path exists.
    pub(crate) fn create_new(path: &Path, encryption: Encryption) -> io::Result<File> {
        let mut options = OpenOptions::new();
        // Its access list and its compression are read and changed, too.
        options.write(true).create_new(true).access_mode(GENERIC_READ | GENERIC_WRITE | READ_CONTROL | WRITE_DAC);
        if encryption == Encryption::On {
            // From its first byte on, so that nothing of it is ever on the disk in the clear.
            options.attributes(FILE_ATTRIBUTE_ENCRYPTED);
        }
        options.open(path)
    }

    pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
        if folder.as_os_str().is_empty() { Ok(()) } else { std::fs::create_dir_all(folder) }
    }
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stdout)]
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

    use super::*;

    fn fault_of(result: io::Result<File>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_lock_that_is_a_link_a_pipe_or_a_folder_is_refused_at_once_and_its_target_is_not_touched() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        std::fs::write(at("theirs"), "theirs").unwrap();
        symlink(at("theirs"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        std::fs::create_dir(at("folder")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let before = std::fs::metadata(at("theirs")).unwrap();
        for name in ["link", "dangling", "pipe", "folder", "socket"] {
            for open in [open_lock, open_existing_lock] {
                assert!(open(&at(name)).is_err(), "{name}");
            }
        }
        assert_eq!(fault_of(open_lock(&at("link"))), "it is a symbolic link");
        assert_eq!(fault_of(open_lock(&at("pipe"))), "it is not a regular file");
        let after = std::fs::metadata(at("theirs")).unwrap();
        assert_eq!((before.uid(), before.mode(), before.len()), (after.uid(), after.mode(), after.len()));
        assert!(!at("nowhere").exists());
        assert_eq!(
            fault_of(create_new(&at("link"), Encryption::Off)),
            fault_of(create_new(&at("theirs"), Encryption::Off)),
            "an existing file is never opened as a new one"
        );
    }

    #[test]
    fn a_lock_and_its_folders_are_private_to_their_owner_and_an_existing_lock_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/lock");
        assert_eq!(open_existing_lock(&path).unwrap_err().kind(), io::ErrorKind::NotFound);
        make_folder(path.parent().unwrap()).unwrap();
        open_lock(&path).unwrap();
        for (name, mode) in [("a", 0o700), ("a/b", 0o700), ("a/b/lock", 0o600)] {
            assert_eq!(home.path().join(name).metadata().unwrap().permissions().mode() & 0o777, mode, "{name}");
        }
        std::fs::write(&path, "{}").unwrap();
        open_lock(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}");
    }

    #[test]
    fn what_root_creates_in_a_users_folder_belongs_to_the_user_and_older_files_keep_their_owner() {
        let home = tempfile::tempdir().unwrap();
        if chown(home.path(), Some(1234), Some(1234)).is_err() {
            println!("SKIPPED: only root may give files away, and a container may not know the other user.");
            return;
        }
        let owner = |name: &str| home.path().join(name).symlink_metadata().unwrap().uid();
        std::fs::write(home.path().join("of root"), "").unwrap();
        std::fs::create_dir(home.path().join("folder of root")).unwrap();
        open_lock(&home.path().join("of root")).unwrap();
        make_folder(&home.path().join("folder of root")).unwrap();
        assert_eq!((owner("of root"), owner("folder of root")), (0, 0));
        make_folder(&home.path().join(".aws/sso")).unwrap();
        open_lock(&home.path().join(".aws/lock")).unwrap();
        create_new(&home.path().join(".aws/new"), Encryption::Off).unwrap();
        assert_eq!([".aws", ".aws/sso", ".aws/lock", ".aws/new"].map(owner), [1234; 4]);
    }
}
