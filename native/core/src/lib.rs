//! The work of the module: environments, sessions, role credentials and the safe write.
//!
//! There is one door: [`run`] takes a [`protocol::Operation`] and a [`World`] and gives a [`Run`], whose events the caller pulls.
#![forbid(unsafe_code)]

mod assignments;
mod browser;
mod config_file;
mod connect;
mod connections;
mod console;
mod credentials_file;
mod environment;
pub mod error;
mod file_memory;
mod ini_text;
mod keys;
mod live_session;
mod login;
mod nearest_names;
mod pace;
mod pkce;
mod profiles;
pub mod protocol;
mod qr_code;
mod run;
mod safe_write;
mod secret;
mod service;
mod session;
mod token_cache;
mod update;
pub mod world;

pub use run::{Run, keep_panics_quiet, panicked};
pub use session::Memory;
pub use world::World;

use std::sync::Arc;

use config_file::ConfigFile;
use environment::{Environment, Environments};
use error::Error;
use protocol::{Event, GetEnvironment, Operation};
use run::{NetworkWork, Outlet};
use safe_write::{FILE_LOCK_LIMIT, Patience};

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
    let patience = || Patience::new(Some(FILE_LOCK_LIMIT), outlet.cancel_token().clone());
    match operation {
        Operation::Plan(plan) => update::plan(&plan, &world, outlet)?,
        Operation::Update(wanted) => return update::update(wanted, world, outlet),
        Operation::GetEnvironment(wanted) => list_environments(&wanted, &world, outlet)?,
        Operation::SetEnvironment(wanted) => outlet.send(Event::Environment(environment::set(&world, &wanted, &patience())?)),
        Operation::RemoveEnvironment(wanted) => environment::remove(&world, &wanted.name, wanted.check_only, &patience())?,
        Operation::ConnectSession(wanted) => return connect::connect(&wanted, world, outlet).map(Some),
        Operation::DisconnectSession(wanted) => return connect::disconnect(&wanted, world, outlet).map(Some),
        Operation::GetSession(wanted) => connect::show(&wanted, &world, outlet)?,
        Operation::GetCredential(wanted) => update::show_credentials(&wanted, &world, outlet)?,
        Operation::GetAccount(wanted) => return assignments::get_accounts(wanted, world, outlet),
        Operation::GetRole(wanted) => return assignments::get_roles(wanted, world, outlet),
        Operation::AddProfile(wanted) => profiles::add(&world, &wanted, &patience(), outlet)?,
        Operation::RemoveProfile(wanted) => profiles::remove(&world, &wanted, &patience())?,
        Operation::GetKeys(wanted) => return keys::get(wanted, world, outlet),
        Operation::OpenConsole(wanted) => console::open(&wanted, &world, outlet)?,
        #[cfg(debug_assertions)]
        Operation::Panic => panic!("this panic was asked for"),
    }
    Ok(None)
}

fn list_environments(wanted: &GetEnvironment, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let environments = Environments::read(world)?;
    let tell = |found: Result<Arc<Environment>, Error>| match found {
        Ok(environment) => outlet.send(Event::Environment(environment.view())),
        Err(error) => outlet.fail(&error, false),
    };
    if wanted.names.is_empty() {
        environments.all.iter().for_each(|environment| tell(Ok(Arc::clone(environment))));
        if !wanted.stored_only {
            let config = ConfigFile::read(world)?;
            environments.configured(&config).for_each(|found| tell(found.outcome.clone()));
        }
    }
    wanted.names.iter().for_each(|name| tell(environments.find(name, world)));
    Ok(())
}
