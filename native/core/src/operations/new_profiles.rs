//! Warnings for profiles that are added to a table.

use crate::context::Context;
use crate::files::credentials_file::CredentialsFile;
use crate::names::hazards::{Hazard, hazard, unusual_names};

/// Warns about new profiles whose names some SDKs do not accept, and about profiles whose existing keys an update will not replace.
pub(super) fn warn_of_new_profiles(names: &[&str], context: &Context) {
    let unusual: Vec<&str> = names.iter().copied().filter(|name| hazard(name) == Some(Hazard::Unusual)).collect();
    if !unusual.is_empty() {
        context.outlet.warn(unusual_names(&unusual));
    }
    // The next update reports a file that cannot be read.
    let Ok(file) = CredentialsFile::of(&context.world) else { return };
    let Ok(known) = file.known() else { return };
    let taken: Vec<&str> = names.iter().copied().filter(|name| known.has_other_keys(name)).collect();
    if !taken.is_empty() {
        context.outlet.warn(format!(
            "{} already has access keys from another source for {}. Update-SsoCredential does not replace them unless you specify -ReplaceKeys.",
            file.path().display(),
            taken.join(", ")
        ));
    }
}
