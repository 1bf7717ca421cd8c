//! `Set-SsoEnvironment` and `Import-SsoEnvironment`: creates or changes a stored environment.

use crate::context::Context;
use crate::environments::edit::{Changed, set};
use crate::environments::regions;
use crate::error::Error;
use crate::operations::new_profiles::warn_of_new_profiles;
use crate::operations::other_settings::warn_of_changed_settings;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, SetEnvironment};

/// Stores the environment, and reports it as it is now stored.
pub(crate) fn run(wanted: SetEnvironment, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let Changed { environment, profiles, added, warnings } = set(&context.world, &wanted, &context.patience())?;
    context.outlet.warn_all(warnings);
    let regions = wanted.region.iter().chain(wanted.profile_region.iter().filter(|region| !region.is_empty()));
    regions
        .chain(wanted.accounts.iter().flatten().filter_map(|row| row.profile_region.as_ref()))
        .for_each(|region| regions::warn_if_unknown(region, &context.outlet));
    if !wanted.check_only {
        warn_of_new_profiles(&added.iter().map(String::as_str).collect::<Vec<_>>(), context);
        warn_of_changed_settings(&profiles, context);
    }
    context.outlet.send(Event::Environment(environment));
    Ok(None)
}
