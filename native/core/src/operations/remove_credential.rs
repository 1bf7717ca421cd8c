//! `-RemoveCredentials` of several cmdlets: removes the keys of profiles from the credentials file.

use std::collections::HashSet;

use crate::context::Context;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::credentials_file::Removal;
use crate::operations::key_removal::KeyRemoval;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, RemoveCredential, Removed};
use crate::world::World;

/// Removes the keys, and reports each profile that had some.
pub(crate) fn run(wanted: RemoveCredential, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let table = table_of(&wanted.environment, &context.world)?;
    let named: HashSet<&str> = match &wanted.profiles {
        Some(profiles) => profiles.iter().map(String::as_str).collect(),
        None => table.iter().map(String::as_str).collect(),
    };
    let staying: HashSet<&str> = table.iter().map(String::as_str).filter(|name| !named.contains(name)).collect();
    let removal = Removal { environment: &wanted.environment, profiles: &named, all_but: wanted.unlisted.then_some(&staying) };
    let removal = KeyRemoval::plan(removal, &context.world)?;
    let removed = if wanted.check_only { removal.planned.removed } else { removal.carry_out(context)? };
    for profile_name in removed {
        context.outlet.send(Event::Removed(Removed { environment: wanted.environment.clone(), profile_name }));
    }
    Ok(None)
}

/// The profile names in an environment's table; empty if it is no longer stored, so that only the mark in the file identifies its keys.
fn table_of(environment: &str, world: &World) -> Result<Vec<String>, Error> {
    match Environments::read(world)?.find(environment, world) {
        Ok(found) => Ok(found.profiles.iter().map(|profile| profile.name.clone()).collect()),
        Err(error) if [Code::EnvironmentNotFound, Code::EnvironmentInvalid].contains(&error.code()) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
