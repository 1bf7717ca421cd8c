//! Replaces a file so that at every moment it is the whole old file or the whole new one, even after a crash or when other programs write to it.

mod kept;
mod swap;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Code, Error};
use crate::files::faults::{WRITE_ADVICE, locked_by_attribute, mounted, no_space, read_failed, stream, write_failed};
use crate::files::held::while_held;
use crate::files::lock::Lock;
use crate::files::owned_files::{create_new, folder_of, make_folder};
use crate::files::regular_file::{open_file, read_all};
use crate::files::written::Written;
use crate::patience::WaitLimit;
use crate::secret::SecretBytes;

use kept::{LeftBehind, NewFile, encryption_of, keep_access, keep_properties, make_private};
use swap::{Replacement, Swapped, swap};

/// The free space, in bytes, beyond the size of the old file below which a disk counts as full.
const LEAST_FREE: u64 = 4096;

/// How often a write starts over because another program without our lock changed the file first.
const ATTEMPTS: usize = 50;

/// A file that is replaced as a whole; its lock is the file beside it that ends in `.lock`.
#[derive(Debug, Clone)]
pub(crate) struct SafeFile {
    target: PathBuf,
    /// How long to wait for another program that holds the file.
    wait_limit: WaitLimit,
}

/// What tells one version of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    file: (u64, u64),
    size: u64,
    modified: Option<std::time::SystemTime>,
    changed: (i64, i64),
}

impl Identity {
    /// Whether the file was last modified at least `age` before `now`.
    pub(crate) fn is_older_than(&self, age: Duration, now: std::time::SystemTime) -> bool {
        self.modified.and_then(|modified| now.duration_since(modified).ok()).is_some_and(|passed| passed >= age)
    }
}

/// The bytes of a file, and the version of the file that they belong to.
pub(crate) struct Contents {
    pub(crate) bytes: SecretBytes,
    pub(crate) identity: Identity,
}

impl SafeFile {
    /// The file that a path leads to: a symbolic link is kept, and the file that it points to is replaced.
    pub(crate) fn at(path: &Path, wait_limit: &WaitLimit) -> Self {
        let mut target = path.to_path_buf();
        // As many steps as the kernel follows; folders along the way are resolved when the file is opened.
        for _ in 0..40 {
            match std::fs::read_link(&target) {
                Ok(next) => target = target.parent().unwrap_or(Path::new("")).join(next),
                Err(_) => break,
            }
        }
        Self { target: one_spelling(target), wait_limit: wait_limit.clone() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.target
    }

    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.target.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.beside(".lock")
    }

    /// Only the holder of the lock writes here, so one name is enough, and the next run removes what a killed process leaves. No user file has this name.
    fn temporary(&self) -> Temporary<'_> {
        Temporary { path: self.beside(".aws-sso-tmp"), wait_limit: &self.wait_limit }
    }

    /// Returns the current version of the file, or `None` if it does not exist.
    pub(crate) fn identity(&self) -> Result<Option<Identity>, Error> {
        match while_held(&[&self.target], &self.wait_limit, || std::fs::metadata(&self.target)) {
            Ok(metadata) => Ok(Some(Identity::of(&metadata))),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(read_failed(&self.target, &fault)),
        }
    }

    /// Reads the file and its version; returns `None` if it does not exist.
    pub(crate) fn read(&self) -> Result<Option<Contents>, Error> {
        let read = || {
            let (file, metadata) = open_file(&self.target)?;
            read_all(&file, &metadata).map(|bytes| Contents { bytes, identity: Identity::of(&metadata) })
        };
        match while_held(&[&self.target], &self.wait_limit, read) {
            Ok(read) => Ok(Some(read)),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(read_failed(&self.target, &fault)),
        }
    }

    /// Checks whether a write can work, before the user is asked for anything, and who else can write there.
    pub(crate) fn check_writable(&self) -> Result<Surroundings, Error> {
        match obstacle_to_replacing(&self.target) {
            Some(Obstacle::MountPoint) => return Err(mounted(&self.target)),
            Some(Obstacle::Attribute(name)) => return Err(locked_by_attribute(&self.target, name)),
            Some(Obstacle::Stream) => return Err(stream(&self.target)),
            None => {}
        }
        let length = std::fs::metadata(&self.target).map_or(0, |metadata| metadata.len());
        if let Some(free) = free_space(&self.target).filter(|free| *free < length.saturating_add(LEAST_FREE)) {
            return Err(no_space(&self.target, free));
        }
        // Another holder of the lock is writing there at this moment, which is proof enough.
        let lock = Lock::try_take(&self.lock_path()).map_err(|error| {
            // Users know the file but not its lock.
            let sentence = format!("{} cannot be replaced, because no file can be created in its folder: {error}", self.target.display());
            Error::new(error.code(), sentence).with_target(self.target.display().to_string()).with_action(WRITE_ADVICE)
        })?;
        let Some(_lock) = lock else { return Ok(Surroundings::default()) };
        let temporary = self.temporary();
        self.write_temporary(&temporary.path, b"").map(|_| Surroundings::of(&temporary.path)).map_err(|fault| write_failed(&self.target, &fault))
    }

    /// Replaces the file with what `edit` makes of its bytes (`None` if it does not exist); writes nothing if `edit` returns `None`.
    ///
    /// The caller holds the lock. `edit` runs again each time a program without the lock changes the file in the meantime.
    pub(crate) fn replace(&self, _lock: &Lock, mut edit: impl FnMut(Option<&[u8]>) -> Result<Option<SecretBytes>, Error>) -> Result<Written, Error> {
        let temporary = self.temporary();
        for _ in 0..ATTEMPTS {
            let before = self.read()?;
            let Some(new) = edit(before.as_ref().map(|before| before.bytes.as_slice()))? else { return Ok(Written::default()) };
            let failed = |fault: io::Error| write_failed(&self.target, &fault);
            let written = self.write_temporary(&temporary.path, &new).map_err(failed)?;
            if self.is_still(before.as_ref())? && self.exchange(&temporary.path, &new, before.as_ref()).map_err(failed)? {
                drop(temporary);
                self.sync_folder();
                return Ok(written);
            }
        }
        Err(Error::new(Code::WriteFailed, format!("{} was not written: another program kept changing it.", self.target.display()))
            .with_target(self.target.display().to_string())
            .with_action("Stop the other program and run the command again."))
    }

    /// Puts the new file in place of the old one. Returns whether it did: if another program wrote the file first, that program's file stays in place.
    fn exchange(&self, temporary: &Path, new: &[u8], before: Option<&Contents>) -> io::Result<bool> {
        let it = Replacement { new: temporary, new_bytes: new, target: &self.target, old_bytes: before.map(|before| before.bytes.as_slice()) };
        match while_held(&[&self.target, temporary], &self.wait_limit, || swap(&it))? {
            Swapped::Done => Ok(true),
            Swapped::Changed => Ok(false),
        }
    }

    /// Looks at the identity alone, which spares most exchanges that would be undone; the exchange itself compares the bytes.
    fn is_still(&self, before: Option<&Contents>) -> Result<bool, Error> {
        Ok(self.identity()?.as_ref() == before.map(|before| &before.identity))
    }

    /// Removes the file; one that does not exist counts as removed. The caller holds the lock.
    pub(crate) fn remove(&self, _lock: &Lock) -> Result<(), Error> {
        remove_if_there(&self.target, &self.wait_limit).map_err(|fault| write_failed(&self.target, &fault))
    }

    /// Writes the new file beside the old one, with all that the old one has, but no access for others. Returns what the replacement will do.
    fn write_temporary(&self, temporary: &Path, bytes: &[u8]) -> io::Result<Written> {
        if let Some(folder) = self.target.parent() {
            make_folder(folder)?;
        }
        remove_if_there(temporary, &self.wait_limit)?;
        let encryption = encryption_of(&self.target);
        let mut file = while_held(&[temporary], &self.wait_limit, || create_new(temporary, encryption))?;
        // Before the bytes: a process that is killed here must not leave keys that others can read.
        let made_private = match while_held(&[&self.target], &self.wait_limit, || keep_access(&file, &self.target)) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
                make_private(&file);
                false
            }
            made_private => made_private?,
        };
        file.write_all(bytes)?;
        let new = NewFile { path: temporary, file: &file };
        let left = match while_held(&[&self.target], &self.wait_limit, || keep_properties(&new, &self.target)) {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => LeftBehind::default(),
            left => left?,
        };
        sync(&file)?;
        Ok(Written { changed: true, made_private, had_hard_links: left.had_hard_links, lost: left.lost })
    }

    /// Makes the rename survive a power failure; if the folder cannot be synced, only that is lost.
    fn sync_folder(&self) {
        if cfg!(unix) {
            let _ = File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all());
        }
    }
}

/// The spelling of a path that all programs lock: Windows ignores dots and blanks at the end of a name, and two locks of one file would protect nothing.
#[cfg(windows)]
fn one_spelling(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(unix)]
fn one_spelling(path: PathBuf) -> PathBuf {
    path
}

/// The path of the new file before it is in place; removed on drop, so that nothing is left there. It may be held by then, by a program that checks it
/// for viruses.
struct Temporary<'a> {
    path: PathBuf,
    wait_limit: &'a WaitLimit,
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let _ = remove_if_there(&self.path, self.wait_limit);
    }
}

/// Makes the bytes of a file survive a power failure, as far as its file system can.
#[cfg(target_vendor = "apple")]
fn sync(file: &File) -> io::Result<()> {
    // macOS is asked to flush the drive, too, which network file systems refuse.
    file.sync_all().or_else(|_| rustix::fs::fsync(file).map_err(io::Error::from))
}

#[cfg(not(target_vendor = "apple"))]
fn sync(file: &File) -> io::Result<()> {
    file.sync_all()
}

/// Removes a file unless it does not exist.
fn remove_if_there(path: &Path, wait_limit: &WaitLimit) -> io::Result<()> {
    match while_held(&[path], wait_limit, || std::fs::remove_file(path)) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(windows)]
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self { file: (0, 0), size: metadata.len(), modified: metadata.modified().ok(), changed: (0, 0) }
    }
}

/// Who else can write in a file's folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// Whether every user of the machine can replace the file.
    pub(crate) anybody_can_replace: bool,
}

impl Surroundings {
    /// Checks the folder of a file that was just created with mode 600. If the file shows another mode, as on a Windows drive in WSL, modes mean nothing
    /// there.
    #[cfg(unix)]
    fn of(created: &Path) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let mode = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.mode());
        let (Ok(file), Ok(folder)) = (mode(created), mode(folder_of(created))) else { return Self::default() };
        let modes_count = file & 0o777 == 0o600;
        // In a folder with the sticky bit, only the owner of a file can replace it.
        Self { anybody_can_replace: modes_count && folder & 0o002 != 0 && folder & 0o1000 == 0 }
    }

    #[cfg(windows)]
    fn of(_created: &Path) -> Self {
        Self::default()
    }
}

/// What prevents a file from being replaced, no matter who owns it.
enum Obstacle {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux reports it"))]
    MountPoint,
    /// `chattr +i` or `+a`; on Windows `attrib +r`.
    #[cfg_attr(not(any(target_os = "linux", windows)), allow(dead_code, reason = "macOS reports it when the file is replaced"))]
    Attribute(&'static str),
    /// `credentials:text`, on NTFS a stream beside the bytes of the file `credentials`.
    #[cfg_attr(not(windows), allow(dead_code, reason = "only Windows has them"))]
    Stream,
}

/// The bytes that an ordinary user can still write beside a file; `None` if the system does not report them.
fn free_space(path: &Path) -> Option<u64> {
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir())?;
    free_space_in(folder)
}

#[cfg(unix)]
fn free_space_in(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(windows)]
fn free_space_in(folder: &Path) -> Option<u64> {
    sso_windows::free_space(folder).ok()
}

/// What the file's attributes report against replacing it. Linux before 5.8 does not report a mount point.
#[cfg(target_os = "linux")]
fn obstacle_to_replacing(path: &Path) -> Option<Obstacle> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::empty()).ok()?.stx_attributes;
    let obstacles = [
        (StatxAttributes::MOUNT_ROOT, Obstacle::MountPoint),
        (StatxAttributes::IMMUTABLE, Obstacle::Attribute("immutable")),
        (StatxAttributes::APPEND, Obstacle::Attribute("append-only")),
    ];
    obstacles.into_iter().find(|(attribute, _)| found.contains(*attribute)).map(|(_, obstacle)| obstacle)
}

#[cfg(windows)]
fn obstacle_to_replacing(path: &Path) -> Option<Obstacle> {
    if path.file_name().is_some_and(|name| name.as_encoded_bytes().contains(&b':')) {
        return Some(Obstacle::Stream);
    }
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly()).then_some(Obstacle::Attribute("read-only"))
}

#[cfg(not(any(target_os = "linux", windows)))]
fn obstacle_to_replacing(_path: &Path) -> Option<Obstacle> {
    None
}

#[cfg(test)]
mod attack;

#[cfg(all(test, windows))]
mod windows;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::patience::{FILE_LOCK_LIMIT, Patience};

    fn take(file: &SafeFile) -> Lock {
        // A process that another test is starting briefly holds a copy of every lock.
        Lock::take(&file.lock_path(), &Patience::new(Some(FILE_LOCK_LIMIT), CancellationToken::new())).unwrap()
    }

    fn bytes(text: &str) -> SecretBytes {
        SecretBytes::from(text.as_bytes().to_vec())
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_file_and_its_folder_are_private_to_the_owner_and_no_other_file_is_left() {
        let home = tempfile::tempdir().unwrap();
        let file = SafeFile::at(&home.path().join(".aws/credentials"), &WaitLimit::default());
        let written = file.replace(&take(&file), |old| Ok(old.is_none().then(|| bytes("new")))).unwrap();
        assert_eq!(written, Written { changed: true, ..Written::default() });
        assert_eq!(names(&home.path().join(".aws")), ["credentials", "credentials.lock"]);
        let again = |text: &str| file.replace(&take(&file), |old| Ok((old != Some(text.as_bytes())).then(|| bytes(text)))).unwrap();
        assert_eq!([again("newer"), again("newer")].map(|written| written.changed), [true, false]);
        #[cfg(unix)]
        for (path, mode) in [(".aws", 0o700), (".aws/credentials", 0o600), (".aws/credentials.lock", 0o600)] {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(home.path().join(path).metadata().unwrap().permissions().mode() & 0o777, mode, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_readable_file_becomes_private_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().unwrap();
        let (real, link) = (home.path().join("real"), home.path().join("link"));
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let file = SafeFile::at(&link, &WaitLimit::default());
        let written = file.replace(&take(&file), |_| Ok(Some(bytes("new")))).unwrap();
        assert!(written.made_private);
        assert!(link.is_symlink());
        assert_eq!((std::fs::read_to_string(&real).unwrap().as_str(), real.metadata().unwrap().permissions().mode() & 0o777), ("new", 0o600));
        assert_eq!(file.lock_path(), home.path().join("real.lock"));
    }

    #[cfg(unix)]
    #[test]
    #[allow(clippy::print_stdout)]
    fn extended_attributes_stay_but_for_those_that_let_others_in() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        std::fs::write(&path, "old").unwrap();
        if let Err(fault) = xattr::set(&path, "user.note", b"mine") {
            println!("SKIPPED: the file system of {} has no extended attributes: {fault}.", home.path().display());
            return;
        }
        xattr::set(&path, "user.empty", b"").unwrap();
        let file = SafeFile::at(&path, &WaitLimit::default());
        for _ in 0..2 {
            let written = file.replace(&take(&file), |_| Ok(Some(bytes("new")))).unwrap();
            assert_eq!(written.lost, Vec::<String>::new());
        }
        let values = ["user.note", "user.empty"].map(|name| xattr::get(&path, name).unwrap());
        assert_eq!(values, [Some(b"mine".to_vec()), Some(Vec::new())]);
    }

    #[test]
    fn a_change_by_a_program_without_the_lock_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        std::fs::write(&path, "a").unwrap();
        let file = SafeFile::at(&path, &WaitLimit::default());
        let mut runs = 0;
        file.replace(&take(&file), |old| {
            runs += 1;
            if runs == 1 {
                std::fs::write(&path, "b").unwrap();
            }
            Ok(Some(bytes(&format!("{}+ours", String::from_utf8_lossy(old.unwrap_or_default())))))
        })
        .unwrap();
        assert_eq!((runs, std::fs::read_to_string(&path).unwrap().as_str()), (2, "b+ours"));
    }

    #[test]
    fn an_unwritable_place_is_reported_before_the_write() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("file"), "").unwrap();
        let error = SafeFile::at(&home.path().join("file/credentials"), &WaitLimit::default()).check_writable().unwrap_err();
        assert_eq!(error.code(), Code::WriteFailed);
    }

    #[cfg(unix)]
    #[test]
    fn the_space_beside_a_file_is_known_also_where_its_folder_does_not_exist_yet() {
        let home = tempfile::tempdir().unwrap();
        for name in ["file", "a/b/file"] {
            assert!(free_space(&home.path().join(name)).is_some_and(|free| free > LEAST_FREE), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_a_folder_where_every_user_can_replace_the_file_counts_as_open() {
        use std::os::unix::fs::PermissionsExt as _;
        for (mode, expected) in [(0o700, false), (0o775, false), (0o777, true), (0o1777, false)] {
            let home = tempfile::tempdir().unwrap();
            std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let file = SafeFile::at(&home.path().join("file"), &WaitLimit::default());
            assert_eq!(file.check_writable().unwrap(), Surroundings { anybody_can_replace: expected }, "{mode:o}");
            assert_eq!(names(home.path()), ["file.lock"]);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_removed_from_the_place_of_the_new_text_is_an_error_with_its_reason_and_the_file_stays() {
        let home = tempfile::tempdir().unwrap();
        let file = SafeFile::at(&home.path().join("file"), &WaitLimit::default());
        std::fs::write(file.path(), "old").unwrap();
        std::fs::create_dir(&file.temporary().path).unwrap();
        let error = file.replace(&take(&file), |_| Ok(Some(bytes("new")))).unwrap_err();
        assert_eq!((error.code(), std::fs::read_to_string(file.path()).unwrap().as_str()), (Code::WriteFailed, "old"));
        assert!(!error.to_string().contains("exists"), "that the file exists is as it should be: {error}");
    }
}
