pub(crate) mod credentials_file;
pub(crate) mod file_memory;
pub(crate) mod ini_text;
pub(crate) mod owned_files;
pub(crate) mod safe_write;
