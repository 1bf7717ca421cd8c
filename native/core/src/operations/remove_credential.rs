//! `-RemoveCredentials` of several cmdlets: removes the keys of profiles from the credentials file.

use std::collections::HashSet;
use std::sync::Arc;

use crate::context::Context;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::credentials_file::Removal;
use crate::files::kept_keys::KeptKeys;
use crate::operations::key_removal::KeyRemoval;
use crate::operations::named::readable_config;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, RemoveCredential, Removed};
use crate::session::place::token_files;
use crate::world::World;

/// Removes the keys, and reports each profile that had some.
pub(crate) fn run(wanted: RemoveCredential, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let environment = environment_of(&wanted.environment, &context.world)?;
    let table: Vec<&str> = environment.iter().flat_map(|found| &found.profiles).map(|profile| profile.name.as_str()).collect();
    let named: HashSet<&str> = match &wanted.profiles {
        Some(profiles) => profiles.iter().map(String::as_str).collect(),
        None => table.iter().copied().collect(),
    };
    let staying: HashSet<&str> = table.iter().copied().filter(|name| !named.contains(name)).collect();
    let removal = Removal { environment: &wanted.environment, profiles: &named, all_but: wanted.unlisted.then_some(&staying) };
    let removal = KeyRemoval::plan(removal, &context.world)?;
    let removed = if wanted.check_only { removal.planned.removed } else { removal.carry_out(context)? };
    if let Some(environment) = environment.filter(|_| !wanted.check_only) {
        clear_kept(&environment, context)?;
    }
    for profile_name in removed {
        context.outlet.send(Event::Removed(Removed { environment: wanted.environment.clone(), profile_name }));
    }
    Ok(None)
}

/// Removes the keys that are kept for the environment's session. Which profiles they were for is not known; the others are fetched again.
fn clear_kept(environment: &Environment, context: &Context) -> Result<(), Error> {
    // Without its files, nothing was kept.
    let config = readable_config(&context.world);
    let Ok(Some(files)) = token_files(&context.world, environment, &config) else { return Ok(()) };
    KeptKeys::of(&context.world, files.session()).map_or(Ok(()), |kept| kept.clear())
}

/// The environment; `None` if it is no longer stored, so that only the mark in the file identifies its keys.
fn environment_of(name: &str, world: &World) -> Result<Option<Arc<Environment>>, Error> {
    match Environments::read(world)?.find(name, world) {
        Ok(found) => Ok(Some(found)),
        Err(error) if [Code::EnvironmentNotFound, Code::EnvironmentInvalid].contains(&error.code()) => Ok(None),
        Err(error) => Err(error),
    }
}
