//! Opens regular files and nothing else: reading a pipe could block forever, and a device must not be replaced by a file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;

use crate::secret::SecretBytes;

/// Opens a regular file for reading.
pub(crate) fn open_file(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    regular(options.read(true).open(path)?)
}

/// Opens a regular file for reading, and lets others do only this to it until it is closed.
#[cfg(windows)]
pub(crate) fn open_sharing(path: &Path, sharing: u32) -> io::Result<(File, Metadata)> {
    regular(std::os::windows::fs::OpenOptionsExt::share_mode(OpenOptions::new().read(true), sharing).open(path)?)
}

/// Returns the file with what the system knows about it if it is a regular one.
pub(crate) fn regular(file: File) -> io::Result<(File, Metadata)> {
    // What is not on a disk has no metadata on Windows, or some that look like those of a file.
    #[cfg(windows)]
    if !sso_windows::is_on_disk(&file) {
        return Err(not_regular());
    }
    let metadata = file.metadata()?;
    match metadata.file_type() {
        kind if kind.is_file() => Ok((file, metadata)),
        kind if kind.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(not_regular()),
    }
}

pub(crate) fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")
}

/// Reads a file to its end. The bytes are wiped when they are dropped.
pub(crate) fn read_all(mut file: &File, metadata: &Metadata) -> io::Result<SecretBytes> {
    let mut bytes = SecretBytes::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1));
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
