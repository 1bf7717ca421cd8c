//! The short names of files, which have no spaces.

use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use windows_sys::Win32::Storage::FileSystem::GetShortPathNameW;

/// The path of an existing file with the 8.3 name of each of its parts; `None` if Windows does not tell. A part without such a name stays as it is.
#[must_use]
pub fn short_path(path: &Path) -> Option<PathBuf> {
    let long: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    // No path is longer, in UTF-16 units.
    let mut short = vec![0_u16; 32 * 1024];
    let capacity = u32::try_from(short.len()).ok()?;
    // SAFETY: the first text ends in a null, and the buffer has room for the number of units that is given.
    let length = unsafe { GetShortPathNameW(long.as_ptr(), short.as_mut_ptr(), capacity) };
    let length = usize::try_from(length).ok().filter(|length| (1..short.len()).contains(length))?;
    Some(OsString::from_wide(&short[..length]).into())
}
