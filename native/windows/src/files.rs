//! What Windows knows about a file and its disk, and how it renames a file.

use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::{Component, Path, Prefix};
use std::ptr::null_mut;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_RENAME_INFO, FILE_TYPE_DISK, FileRenameInfo, FileRenameInfoEx, GetDiskFreeSpaceExW, GetFileType, SetFileInformationByHandle,
};
use windows_sys::Win32::System::WindowsProgramming::{FILE_RENAME_FLAG_POSIX_SEMANTICS, FILE_RENAME_FLAG_REPLACE_IF_EXISTS};

/// Whether an open file is on a disk, and not a device such as `NUL`, a console, or a pipe.
#[must_use]
pub fn is_on_disk(file: &File) -> bool {
    // SAFETY: the handle is open.
    unsafe { GetFileType(file.as_raw_handle()) == FILE_TYPE_DISK }
}

/// The bytes that this process's user can still write to the disk of a folder.
///
/// # Errors
/// The folder does not exist, or Windows does not report it for this disk.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    // Windows wants a backslash at the end of the path of a network drive.
    let (path, mut free) = (words(&folder.join(""))?, 0);
    // SAFETY: the path ends with a zero, and the pointer is to a variable that lives until the call returns.
    if unsafe { GetDiskFreeSpaceExW(path.as_ptr(), &raw mut free, null_mut(), null_mut()) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(free)
}

/// What a rename does to a file that has the new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the rename is an error of the kind `AlreadyExists`.
    Kept,
    /// It is replaced, unless somebody has it open.
    Replaced,
    /// It is replaced although it is open, if all who have it open let others delete it. Only NTFS does that, from version 1607 of Windows 10 on.
    ReplacedWhileOpen,
}

/// Renames an open file in one step. The standard library's rename opens it first, tries another way before, and always replaces.
///
/// # Errors
/// See [`Existing`]. The file must be open with the right [`DELETE`](crate::DELETE), and both names must be on one disk.
pub fn rename(file: &File, to: &Path, existing: Existing) -> io::Result<()> {
    let name = words(to)?;
    let place_of_name = std::mem::offset_of!(FILE_RENAME_INFO, FileName);
    let size = (place_of_name + size_of_val(name.as_slice())).max(size_of::<FILE_RENAME_INFO>());
    // 8-byte words keep it aligned.
    let mut buffer = vec![0_u64; size.div_ceil(8)];
    let (size, name_size) = (size.try_into(), (2 * (name.len() - 1)).try_into());
    let (Ok(size), Ok(name_size)) = (size, name_size) else { return Err(io::ErrorKind::InvalidFilename.into()) };
    let kind = if existing == Existing::ReplacedWhileOpen { FileRenameInfoEx } else { FileRenameInfo };
    let information = buffer.as_mut_ptr().cast::<FILE_RENAME_INFO>();
    // SAFETY: the buffer has room for the structure and for the name that begins in it, and the handle is open.
    let renamed = unsafe {
        match existing {
            Existing::Kept => {}
            Existing::Replaced => (*information).Anonymous.ReplaceIfExists = true,
            Existing::ReplacedWhileOpen => (*information).Anonymous.Flags = FILE_RENAME_FLAG_REPLACE_IF_EXISTS | FILE_RENAME_FLAG_POSIX_SEMANTICS,
        }
        (*information).FileNameLength = name_size;
        std::ptr::copy_nonoverlapping(name.as_ptr(), information.byte_add(place_of_name).cast::<u16>(), name.len());
        SetFileInformationByHandle(file.as_raw_handle(), kind, information.cast(), size)
    };
    if renamed == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A path as Windows takes it, in the form that may have more than 260 characters, with a zero at its end.
fn words(path: &Path) -> io::Result<Vec<u16>> {
    let path = std::path::absolute(path)?;
    let (before, left_out) = match path.components().next() {
        Some(Component::Prefix(prefix)) if matches!(prefix.kind(), Prefix::Disk(_)) => (r"\\?\", 0),
        Some(Component::Prefix(prefix)) if matches!(prefix.kind(), Prefix::UNC(..)) => (r"\\?\UNC", 1),
        _ => ("", 0),
    };
    Ok(before.encode_utf16().chain(path.as_os_str().encode_wide().skip(left_out)).chain([0]).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stdout)]
    use std::os::windows::fs::OpenOptionsExt as _;

    use super::*;
    use crate::DELETE;

    #[test]
    fn a_path_takes_the_form_for_long_paths_once() {
        for (path, expected) in [
            (r"C:\a\b", r"\\?\C:\a\b"),
            ("C:/a/b", r"\\?\C:\a\b"),
            (r"\\server\share\a", r"\\?\UNC\server\share\a"),
            (r"\\?\C:\a", r"\\?\C:\a"),
            (r"\\.\pipe\a", r"\\.\pipe\a"),
        ] {
            assert_eq!(String::from_utf16(&words(Path::new(path)).unwrap()).unwrap(), format!("{expected}\0"));
        }
    }

    /// A new folder, removed when it goes.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("sso-windows-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_rename_keeps_or_replaces_the_file_of_the_new_name_as_it_is_asked_to() {
        let folder = Folder::new("rename");
        let (from, to) = (folder.0.join("from"), folder.0.join("to"));
        let rename = |existing| {
            std::fs::write(&from, "new").unwrap();
            let file = std::fs::OpenOptions::new().access_mode(DELETE).open(&from).unwrap();
            let renamed = rename(&file, &to, existing);
            assert_eq!(from.exists(), renamed.is_err());
            renamed
        };
        rename(Existing::Kept).unwrap();
        std::fs::write(&to, "old").unwrap();
        assert_eq!(rename(Existing::Kept).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "old");
        let open = File::open(&to).unwrap();
        rename(Existing::Replaced).unwrap_err();
        if rename(Existing::ReplacedWhileOpen).is_ok() {
            assert_eq!((std::fs::read_to_string(&to).unwrap().as_str(), io::read_to_string(&open).unwrap().as_str()), ("new", "old"));
        } else {
            println!("SKIPPED: this disk replaces no open files, as FAT and those of Wine (bug 54997).");
        }
        drop(open);
        std::fs::write(&to, "old").unwrap();
        rename(Existing::Replaced).unwrap();
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "new");
    }

    #[test]
    fn the_kind_and_the_disk_of_a_file_are_known() {
        let folder = Folder::new("known");
        let path = folder.0.join("file");
        assert!(is_on_disk(&File::create(&path).unwrap()) && !is_on_disk(&File::open("NUL").unwrap()));
        assert!(free_space(&folder.0).unwrap() > 0);
        free_space(&path.join("nowhere")).unwrap_err();
    }
}
