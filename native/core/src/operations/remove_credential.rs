//! Takes the keys that this module wrote for profiles out of the credentials file.

use std::collections::HashSet;

use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::credentials_file::{CredentialsFile, KeysRemoved, Removal};
use crate::files::safe_write::{Lock, Patience};
use crate::protocol::{Event, RemoveCredential, Removed};
use crate::run::Outlet;
use crate::world::World;

/// Removes the keys, and reports each profile that had some.
pub(crate) fn run(wanted: &RemoveCredential, world: &World, patience: &Patience, outlet: &Outlet) -> Result<(), Error> {
    let table = table_of(&wanted.environment, world)?;
    let named: HashSet<&str> = match &wanted.profiles {
        Some(profiles) => profiles.iter().map(String::as_str).collect(),
        None => table.iter().map(String::as_str).collect(),
    };
    let staying: HashSet<&str> = table.iter().map(String::as_str).filter(|name| !named.contains(name)).collect();
    let removal = Removal { environment: &wanted.environment, profiles: &named, all_but: wanted.unlisted.then_some(&staying) };
    let file = CredentialsFile::of(world)?;
    let KeysRemoved { mut removed, left } = file.removable(removal)?;
    if !removed.is_empty() && !wanted.check_only {
        let lock = Lock::take(&file.lock_path(), patience)?;
        removed = file.remove(removal, &lock)?.removed;
    }
    if !wanted.check_only {
        report(&removed, &left, &file, outlet);
    }
    for profile_name in removed {
        outlet.send(Event::Removed(Removed { environment: wanted.environment.clone(), profile_name }));
    }
    Ok(())
}

/// The names in an environment's table; none where it is not stored any longer, and only the mark in the file tells whose keys there are.
fn table_of(environment: &str, world: &World) -> Result<Vec<String>, Error> {
    match Environments::read(world)?.find(environment, world) {
        Ok(found) => Ok(found.profiles.iter().map(|profile| profile.name.clone()).collect()),
        Err(error) if [Code::EnvironmentNotFound, Code::EnvironmentInvalid].contains(&error.code()) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Says which keys were removed, and which stay since this module did not write them.
pub(crate) fn report(removed: &[String], left: &[String], file: &CredentialsFile, outlet: &Outlet) {
    let path = file.path().display();
    if !removed.is_empty() {
        outlet.verbose(format!("The credentials of {} were removed from {path}.", removed.join(", ")));
    }
    if !left.is_empty() {
        outlet.warn(format!("{} in {path}: not removed, since this module did not write those keys.", left.join(", ")));
    }
}
