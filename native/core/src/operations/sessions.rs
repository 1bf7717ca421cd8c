//! Sessions by themselves: log in, log out, and show how they stand.

use std::collections::HashSet;
use std::sync::Arc;

use crate::environments::configured::ConfigFile;
use crate::environments::stored::Environment;
use crate::error::Error;
use crate::files::credentials_file::{CredentialsFile, KeysRemoved, Removal};
use crate::files::safe_write::{FILE_LOCK_LIMIT, Lock, Patience};
use crate::login::device_code::NoLogin;
use crate::operations::remove_credential;
use crate::operations::update::stored_or_named;
use crate::protocol::{ConnectSession, DisconnectSession, Event, GetSession, SessionTerms, TokenCache};
use crate::run::{NetworkWork, Outlet};
use crate::session::source::{SessionSource, token_files, view};
use crate::session::time_limit::TimeLimit;
use crate::world::World;

struct Named {
    environments: Vec<Arc<Environment>>,
    config: Arc<ConfigFile>,
}

impl Named {
    fn of(names: &[String], world: &World, outlet: &Outlet) -> Result<Self, Error> {
        let environments = stored_or_named(names, world, outlet)?;
        let config = ConfigFile::read_for(environments.iter().map(Arc::as_ref), world, outlet)?;
        Ok(Self { environments, config })
    }
}

/// Shows how sessions stand; it sends nothing.
pub(crate) fn show(wanted: &GetSession, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let named = Named::of(&wanted.environments, world, outlet)?;
    for environment in &named.environments {
        show_one(environment, &named.config, environment.token_cache, world, outlet);
    }
    Ok(())
}

fn show_one(environment: &Environment, config: &ConfigFile, token_cache: TokenCache, world: &World, outlet: &Outlet) {
    match view(world, environment, config, token_cache) {
        Ok(session) => outlet.send(Event::Session(session)),
        Err(error) => outlet.fail(&error, false),
    }
}

/// Logs in, one environment after another.
pub(crate) fn connect(wanted: &ConnectSession, world: World, outlet: &Outlet) -> Result<NetworkWork, Error> {
    let named = Named::of(&wanted.environments, &world, outlet)?;
    let (wanted, outlet) = (wanted.clone(), outlet.clone());
    Ok(Box::pin(async move {
        let alone = named.environments.len() == 1;
        for environment in &named.environments {
            let token_cache = wanted.session.token_cache.unwrap_or(environment.token_cache);
            let outcome = async {
                let service = world.memory.services.of(&world, &environment.region)?;
                SessionSource::of(&world, &outlet, environment, &service, &named.config, &wanted.session).session().await
            };
            match outcome.await {
                Ok(_) => show_one(environment, &named.config, token_cache, &world, &outlet),
                Err(NoLogin::Cancelled) => return,
                Err(NoLogin::Failed(error)) => outlet.fail(&error, alone),
            }
        }
    }))
}

/// Logs out, one environment after another.
pub(crate) fn disconnect(wanted: &DisconnectSession, world: World, outlet: &Outlet) -> Result<NetworkWork, Error> {
    let named = Named::of(&wanted.environments, &world, outlet)?;
    let (remove_credentials, outlet) = (wanted.remove_credentials, outlet.clone());
    Ok(Box::pin(async move {
        let alone = named.environments.len() == 1;
        for environment in &named.environments {
            match disconnect_one(environment, &named.config, remove_credentials, &world, &outlet).await {
                Ok(()) => show_one(environment, &named.config, environment.token_cache, &world, &outlet),
                Err(NoLogin::Cancelled) => return,
                Err(NoLogin::Failed(error)) => outlet.fail(&error, alone),
            }
        }
    }))
}

async fn disconnect_one(environment: &Environment, config: &ConfigFile, remove_credentials: bool, world: &World, outlet: &Outlet) -> Result<(), NoLogin> {
    let service = world.memory.services.of(world, &environment.region)?;
    // A token may lie in both places, where one run was told to keep it elsewhere than the environment says.
    let terms = SessionTerms { browser: false, login: false, ..SessionTerms::default() };
    let time = TimeLimit::of(&terms);
    let in_memory = SessionSource { world, outlet, environment, service: &service, files: None, conflict: None, terms: &terms, time };
    let files = match token_files(world, environment, config, TokenCache::AwsCli) {
        // What keeps its tokens in memory has no file.
        Err(_) if environment.token_cache == TokenCache::Memory => None,
        files => files?,
    };
    let in_file = SessionSource { world, outlet, environment, service: &service, files, conflict: None, terms: &terms, time };
    let ended = [in_memory.disconnect().await?, in_file.disconnect().await?];
    outlet.verbose(if ended.contains(&true) {
        format!("The session of {} was ended.", environment.name)
    } else {
        format!("{} had no session.", environment.name)
    });
    if remove_credentials {
        remove_keys(environment, world, outlet).await?;
    }
    Ok(())
}

/// Leaves no keys of an environment behind, whether its table still has their profiles or not.
async fn remove_keys(environment: &Environment, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let profiles = environment.profiles.iter().map(|profile| profile.name.as_str()).collect();
    let removal = Removal { environment: &environment.name, profiles: &profiles, all_but: Some(&HashSet::new()) };
    let file = CredentialsFile::of(world)?;
    let KeysRemoved { mut removed, left } = file.removable(removal)?;
    if !removed.is_empty() {
        let patience = Patience::new(Some(FILE_LOCK_LIMIT), outlet.cancel_token().clone());
        let lock = Lock::take_async(&file.lock_path(), &patience).await?;
        removed = file.remove(removal, &lock)?.removed;
    }
    remove_credential::report(&removed, &left, &file, outlet);
    Ok(())
}
