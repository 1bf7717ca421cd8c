//! The work of the module: environments, sessions, role credentials and the safe write.
//!
//! There is one door: [`run`] takes a [`protocol::Operation`] and a [`World`] and gives a [`Run`], whose events the caller pulls.
#![forbid(unsafe_code)]

mod environments;
pub mod error;
mod files;
mod login;
mod names;
mod operations;
pub mod protocol;
mod run;
mod secret;
mod service;
mod session;
mod warned;
pub mod world;
mod written_path;

pub use run::{Run, keep_panics_quiet, panicked};
pub use session::source::Memory;
pub use world::World;

use std::sync::Arc;

use environments::configured::ConfigFile;
use environments::regions;
use environments::stored::{self as environment, Changed, Environment, Environments};
use error::Error;
use files::safe_write::{FILE_LOCK_LIMIT, Patience};
use operations::{assignments, get_keys as keys, open_console as console, profiles, remove_credential as remove_credentials, sessions as connect, update};
use protocol::{Event, GetEnvironment, Operation, SetEnvironment};
use run::{NetworkWork, Outlet};

/// Starts an operation; nothing happens before the first event is pulled.
#[must_use]
pub fn run(operation: Operation, world: World) -> Run {
    let verbose = world.verbose;
    let work = Box::new(move |outlet: &Outlet| match begin(operation, world, outlet) {
        Ok(network_work) => network_work,
        Err(error) => {
            outlet.fail(&error, true);
            None
        }
    });
    Run::new(work, verbose)
}

fn begin(operation: Operation, world: World, outlet: &Outlet) -> Result<Option<NetworkWork>, Error> {
    world.memory.warn_of_given_regions(&world, outlet);
    let patience = || Patience::new(Some(FILE_LOCK_LIMIT), outlet.cancel_token().clone());
    match operation {
        Operation::Plan(plan) => update::plan(&plan, &world, outlet)?,
        Operation::Update(wanted) => return update::update(wanted, world, outlet),
        Operation::GetEnvironment(wanted) => list_environments(&wanted, &world, outlet)?,
        Operation::SetEnvironment(wanted) => set_environment(&wanted, &world, &patience(), outlet)?,
        Operation::RemoveEnvironment(wanted) => environment::remove(&world, &wanted.name, wanted.check_only, &patience())?,
        Operation::ConnectSession(wanted) => return connect::connect(&wanted, world, outlet).map(Some),
        Operation::DisconnectSession(wanted) => return connect::disconnect(&wanted, world, outlet).map(Some),
        Operation::GetSession(wanted) => connect::show(&wanted, &world, outlet)?,
        Operation::GetCredential(wanted) => update::show_credentials(&wanted, &world, outlet)?,
        Operation::GetAccount(wanted) => return assignments::get_accounts(wanted, world, outlet),
        Operation::GetRole(wanted) => return assignments::get_roles(wanted, world, outlet),
        Operation::AddProfile(wanted) => profiles::add(&world, &wanted, &patience(), outlet)?,
        Operation::RemoveProfile(wanted) => profiles::remove(&world, &wanted, &patience())?,
        Operation::RemoveCredential(wanted) => remove_credentials::run(&wanted, &world, &patience(), outlet)?,
        Operation::GetKeys(wanted) => return keys::get(wanted, world, outlet),
        Operation::OpenConsole(wanted) => console::open(&wanted, &world, outlet)?,
        #[cfg(debug_assertions)]
        Operation::Panic => panic!("this panic was asked for"),
    }
    Ok(None)
}

fn set_environment(wanted: &SetEnvironment, world: &World, patience: &Patience, outlet: &Outlet) -> Result<(), Error> {
    let Changed { environment, added } = environment::set(world, wanted, patience)?;
    wanted.region.iter().for_each(|region| regions::warn_if_unknown(region, outlet));
    if !wanted.check_only {
        profiles::warn_of_new_profiles(&added.iter().map(String::as_str).collect::<Vec<_>>(), world, outlet);
    }
    outlet.send(Event::Environment(environment));
    Ok(())
}

fn list_environments(wanted: &GetEnvironment, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let environments = Environments::read(world)?;
    let config = ConfigFile::read(world);
    let tell = |found: Result<Arc<Environment>, Error>| match (found, &config) {
        (Ok(environment), config) => {
            if let (Ok(config), false) = (config, wanted.usable_only) {
                config.warn_of_skipped(&environment, world, outlet);
            }
            outlet.send(Event::Environment(environment.view()));
        }
        (Err(_), _) if wanted.usable_only && wanted.names.is_empty() => {}
        (Err(error), _) => outlet.fail(&error, false),
    };
    if wanted.names.is_empty() {
        environments.all.iter().for_each(|environment| tell(Ok(Arc::clone(environment))));
        environments.faults().for_each(|error| tell(Err(error)));
        match &config {
            _ if wanted.stored_only => {}
            Ok(config) => environments.configured(config).for_each(|found| tell(found.outcome.clone())),
            Err(error) => tell(Err(error.clone())),
        }
    }
    wanted.names.iter().for_each(|name| tell(environments.find(name, world)));
    Ok(())
}
