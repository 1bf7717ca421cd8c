//! What a file has besides its bytes. A rename keeps nothing of it, so the new file gets it before it takes the place of the old one.
//!
//! `ReplaceFileW` of Windows would keep most of it, but other programs find no file between its two renames, and if the second one fails, the old file
//! is left under another name.

use std::fs::File;
use std::path::Path;

#[cfg(unix)]
pub(super) use unix::{encryption_of, keep_access, keep_properties, make_private};
#[cfg(windows)]
pub(super) use windows::{encryption_of, keep_access, keep_properties, make_private};

/// A file that is to take the place of another one.
pub(super) struct NewFile<'a> {
    #[cfg_attr(unix, allow(dead_code, reason = "only streams are found by the path"))]
    pub(super) path: &'a Path,
    pub(super) file: &'a File,
}

/// What a new file did not get from the old one.
#[derive(Debug, Default)]
pub(super) struct LeftBehind {
    /// Whether the old file has other names (hard links).
    pub(super) had_hard_links: bool,
    /// What could not be copied, each in words.
    pub(super) lost: Vec<String>,
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::fs::{File, Metadata, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
    use std::path::Path;

    use xattr::FileExt as _;

    use super::{LeftBehind, NewFile};
    use crate::files::owned_files::Encryption;
    use crate::text::visible;

    /// Gives the new file the owner and the mode of the old one, but no access for others. Returns whether others had access to the old one.
    pub(in super::super) fn keep_access(new: &File, old: &Path) -> io::Result<bool> {
        let (before, now) = (std::fs::metadata(old)?, new.metadata()?);
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            fchown(new, Some(before.uid()), Some(before.gid()))?;
        }
        let mode = before.mode() & 0o7777;
        new.set_permissions(Permissions::from_mode(mode & 0o700))?;
        Ok(mode & 0o077 != 0)
    }

    /// Gives the new file the extended attributes of the old one, and on macOS the time of its creation.
    pub(in super::super) fn keep_properties(new: &NewFile<'_>, old: &Path) -> io::Result<LeftBehind> {
        let before = std::fs::metadata(old)?;
        keep_creation_time(new.file, &before);
        Ok(LeftBehind { had_hard_links: before.nlink() > 1, lost: lost_attributes(new.file, old) })
    }

    /// Copies the extended attributes that are not there yet. Returns those that could not be copied, in words.
    fn lost_attributes(new: &File, old: &Path) -> Vec<String> {
        // File systems without extended attributes have none to lose.
        let names = xattr::list(old).into_iter().flatten().filter(|name| is_users_own(name.as_encoded_bytes()));
        let is_lost = |name: &OsString| match xattr::get(old, name) {
            Ok(None) => false,
            Ok(Some(value)) => !new.get_xattr(name).is_ok_and(|there| there.as_ref() == Some(&value)) && new.set_xattr(name, &value).is_err(),
            Err(_) => true,
        };
        names.filter(is_lost).map(|name| format!("the extended attribute {}", visible(&name.to_string_lossy()))).collect()
    }

    /// Whether an extended attribute is the user's or a label of the file. Those of the system give access to others, or belong to the old bytes.
    #[cfg(target_os = "linux")]
    fn is_users_own(name: &[u8]) -> bool {
        [&b"user."[..], b"btrfs.", b"security.selinux", b"security.SMACK64"].iter().any(|start| name.starts_with(start))
    }

    #[cfg(not(target_os = "linux"))]
    fn is_users_own(name: &[u8]) -> bool {
        // macOS itself sets these on every file, and lets nobody else do it.
        ![&b"com.apple.provenance"[..], b"com.apple.macl", b"com.apple.system."].iter().any(|start| name.starts_with(start))
    }

    /// Only the time is lost where this fails.
    #[cfg(target_vendor = "apple")]
    fn keep_creation_time(new: &File, old: &Metadata) {
        use std::os::darwin::fs::FileTimesExt as _;
        let _ = old.created().and_then(|created| new.set_times(std::fs::FileTimes::new().set_created(created)));
    }

    /// Other systems do not let anybody set it.
    #[cfg(not(target_vendor = "apple"))]
    fn keep_creation_time(_new: &File, _old: &Metadata) {}

    /// The file was created for its owner alone.
    pub(in super::super) fn make_private(_file: &File) {}

    pub(in super::super) fn encryption_of(_path: &Path) -> Encryption {
        Encryption::Off
    }
}

#[cfg(windows)]
mod windows {
    use std::ffi::OsString;
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::windows::fs::MetadataExt as _;
    use std::path::{Path, PathBuf};

    use sso_windows::{FILE_ATTRIBUTE_COMPRESSED, FILE_ATTRIBUTE_ENCRYPTED, Stream};

    use super::{LeftBehind, NewFile};
    use crate::files::owned_files::Encryption;
    use crate::text::visible;

    /// The largest stream that is copied, in bytes; that of a downloaded file has a few hundred.
    const LARGEST_STREAM: u64 = 1024 * 1024;

    /// The most streams that are copied.
    const MOST_STREAMS: usize = 16;

    /// Whether the file at a path is encrypted by the file system.
    pub(in super::super) fn encryption_of(path: &Path) -> Encryption {
        let is_encrypted = std::fs::metadata(path).is_ok_and(|metadata| has(&metadata, FILE_ATTRIBUTE_ENCRYPTED));
        if is_encrypted { Encryption::On } else { Encryption::Off }
    }

    fn has(metadata: &std::fs::Metadata, attribute: u32) -> bool {
        metadata.file_attributes() & attribute != 0
    }

    /// Gives the new file, which is still empty, the access list of the old one, unless others can read that one. Returns whether others could.
    ///
    /// # Errors
    /// The old file is encrypted and the new one is not: the keys in it must not become readable to anybody who gets the disk.
    pub(in super::super) fn keep_access(new: &File, old: &Path) -> io::Result<bool> {
        let opened = File::open(old)?;
        if has(&opened.metadata()?, FILE_ATTRIBUTE_ENCRYPTED) && !has(&new.metadata()?, FILE_ATTRIBUTE_ENCRYPTED) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it is encrypted (EFS), and its new version could not be encrypted"));
        }
        let made_private = sso_windows::others_can_read(&opened).unwrap_or(false);
        // File systems without access lists refuse this; then nothing protects the old file either.
        let _ = if made_private { sso_windows::make_private(new) } else { sso_windows::copy_access_list(&opened, new) };
        Ok(made_private)
    }

    /// Gives the new file the attributes of the old one, its compression, its other streams, and the time of its creation.
    pub(in super::super) fn keep_properties(new: &NewFile<'_>, old: &Path) -> io::Result<LeftBehind> {
        let opened = File::open(old)?;
        let (before, now) = (opened.metadata()?, new.file.metadata()?);
        let mut lost = lost_streams(new.path, old, &sso_windows::streams(&opened));
        if has(&before, FILE_ATTRIBUTE_COMPRESSED) && !has(&now, FILE_ATTRIBUTE_COMPRESSED) && sso_windows::compress(new.file).is_err() {
            lost.push("its compression".to_owned());
        }
        if !sso_windows::copy_properties(&opened, new.file).is_ok_and(|complete| complete) {
            lost.push("its attributes".to_owned());
        }
        Ok(LeftBehind { had_hard_links: sso_windows::link_count(&opened).is_ok_and(|count| count > 1), lost })
    }

    /// Copies the other streams of a file. Returns those that could not be copied, in words.
    fn lost_streams(new: &Path, old: &Path, streams: &[Stream]) -> Vec<String> {
        let is_copied = |(index, stream): (usize, &Stream)| {
            index < MOST_STREAMS && stream.size <= LARGEST_STREAM && copy_stream(&path_of(old, &stream.name), &path_of(new, &stream.name)).is_ok()
        };
        let lost = streams.iter().enumerate().filter(|stream| !is_copied(*stream));
        lost.map(|(_, stream)| format!("the data stream {}", visible(&stream.name))).collect()
    }

    fn path_of(file: &Path, stream: &str) -> PathBuf {
        let mut path = OsString::from(file);
        path.push(":");
        path.push(stream);
        path.into()
    }

    fn copy_stream(from: &Path, to: &Path) -> io::Result<()> {
        let mut to = OpenOptions::new().write(true).create_new(true).open(to)?;
        io::copy(&mut io::Read::take(File::open(from)?, LARGEST_STREAM), &mut to).map(drop)
    }

    /// A new file has the access list of its folder, and outside the user's profile that may let others read it.
    pub(in super::super) fn make_private(file: &File) {
        // File systems without access lists refuse this; then nothing can be done.
        if sso_windows::others_can_read(file).unwrap_or(false) {
            let _ = sso_windows::make_private(file);
        }
    }
}
