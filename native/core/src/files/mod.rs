//! The user's files: read only when they change, locked for a change, and replaced whole.

pub(crate) mod credentials_file;
pub(crate) mod faults;
pub(crate) mod file_memory;
pub(crate) mod held;
pub(crate) mod ini_text;
pub(crate) mod kept_keys;
pub(crate) mod known_keys;
pub(crate) mod lock;
pub(crate) mod owned_files;
pub(crate) mod program;
pub(crate) mod regular_file;
pub(crate) mod safe_write;
pub(crate) mod written;
