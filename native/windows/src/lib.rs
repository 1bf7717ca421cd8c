//! What the module asks of Windows that Rust's standard library does not offer. On other systems this crate is empty.
#![cfg(windows)]

mod access_list;
mod ansi;
mod app_path;
mod desktop;
mod files;
mod holders;
mod properties;
mod protection;
mod proxy;
mod registry;
mod short_path;

/// Rights to a file, for the access mode with which it is opened, and attributes of a file.
pub use windows_sys::Win32::{
    Foundation::{GENERIC_READ, GENERIC_WRITE},
    Storage::FileSystem::{DELETE, FILE_ATTRIBUTE_COMPRESSED, FILE_ATTRIBUTE_ENCRYPTED, READ_CONTROL, WRITE_DAC},
};

/// What others may do to a file while it is open, for the share mode with which it is opened.
pub use windows_sys::Win32::Storage::FileSystem::{FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE};

/// Opens a symbolic link itself and not the file that it points to.
pub use windows_sys::Win32::Storage::FileSystem::FILE_FLAG_OPEN_REPARSE_POINT;

pub use access_list::{access_list_of, copy_access_list, make_private, others_can_read, set_access_list};
pub use ansi::ansi_text;
pub use app_path::app_path;
pub use desktop::has_desktop;
pub use files::{Existing, free_space, is_on_disk, rename};
pub use holders::holders_of;
pub use properties::{Stream, compress, copy_properties, link_count, streams};
pub use protection::{protect, unprotect};
pub use proxy::{SystemProxy, system_proxy};
pub use short_path::short_path;
