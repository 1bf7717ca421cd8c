//! `Remove-SsoProfile`: removes profiles from the table of an environment.

use std::collections::HashSet;

use crate::context::Context;
use crate::environments::edit::{TableChange, edit_table};
use crate::error::Error;
use crate::outlet::NetworkWork;
use crate::protocol::RemoveProfile;

/// Removes profiles from a table; their keys in the credentials file stay.
pub(crate) fn run(wanted: RemoveProfile, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let names: HashSet<&String> = wanted.profiles.iter().collect();
    let warnings = edit_table(&context.world, &wanted.environment, false, &context.patience(), |_, environment| {
        let removed = environment.profiles.iter().map(|profile| &profile.name).filter(|name| names.contains(name));
        Ok(TableChange { removed: removed.cloned().collect(), ..TableChange::default() })
    })?;
    context.outlet.warn_all(warnings);
    Ok(None)
}
