//! `Set-SsoEnvironment` and `Import-SsoEnvironment`: creates or changes a stored environment.

use std::collections::HashSet;

use crate::context::Context;
use crate::environments::edit::{Changed, set};
use crate::environments::regions;
use crate::error::Error;
use crate::files::credentials_file::Removal;
use crate::operations::key_removal::KeyRemoval;
use crate::operations::new_profiles::warn_of_new_profiles;
use crate::operations::other_settings::warn_of_changed_settings;
use crate::outlet::NetworkWork;
use crate::protocol::{CredentialsFileUse, EnvironmentView, Event, SetEnvironment};

/// Stores the environment, and reports it as it is now stored.
pub(crate) fn run(wanted: SetEnvironment, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let Changed { environment, profiles, added, warnings } = set(&context.world, &wanted, &context.patience())?;
    context.outlet.warn_all(warnings);
    let regions = wanted.region.iter().chain(wanted.profile_region.iter().filter(|region| !region.is_empty()));
    regions
        .chain(wanted.accounts.iter().flatten().filter_map(|row| row.profile_region.as_ref()))
        .for_each(|region| regions::warn_if_unknown(region, &context.outlet));
    if !wanted.check_only {
        if environment.credentials_file == CredentialsFileUse::Always {
            warn_of_new_profiles(&added.iter().map(String::as_str).collect::<Vec<_>>(), context);
        }
        warn_of_changed_settings(&profiles, context);
        settle_keys(&environment, &wanted, context)?;
    }
    context.outlet.send(Event::Environment(environment));
    Ok(None)
}

/// Removes the keys that the credentials file has for the environment if the user wants that; else names those that it has and gets no more.
fn settle_keys(environment: &EnvironmentView, wanted: &SetEnvironment, context: &Context) -> Result<(), Error> {
    if !wanted.remove_credentials && wanted.credentials_file != Some(CredentialsFileUse::Never) {
        return Ok(());
    }
    let profiles = environment.accounts.iter().map(|row| row.profile.as_str()).collect();
    let none = HashSet::new();
    let removal = KeyRemoval::plan(Removal { environment: &environment.name, profiles: &profiles, all_but: Some(&none) }, &context.world)?;
    if wanted.remove_credentials {
        return removal.carry_out(context).map(drop);
    }
    if !removal.planned.removed.is_empty() {
        let (name, profiles) = (&environment.name, removal.planned.removed.join(", "));
        context.outlet.warn(format!(
            "The credentials file still has credentials of {name}, in {profiles}. To remove them, run Set-SsoEnvironment {name} -RemoveCredentials."
        ));
    }
    Ok(())
}
