//! Programs that Windows finds by their names although they are not on the PATH.

use std::path::PathBuf;

use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};

use crate::registry::Place;

/// The path that an installed program is registered with under `App Paths`, such as that of `chrome` or `firefox.exe`.
#[must_use]
pub fn app_path(program: &str) -> Option<PathBuf> {
    // A name with a separator would lead to another key.
    if program.is_empty() || program.contains(['\\', '/']) {
        return None;
    }
    let ending = if program.contains('.') { "" } else { ".exe" };
    let key = format!("Software\\Microsoft\\Windows\\CurrentVersion\\App Paths\\{program}{ending}");
    let found = [HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE].into_iter().find_map(|root| Place { root, key: &key, name: "" }.text())?;
    Some(found.trim_matches('"').into())
}
