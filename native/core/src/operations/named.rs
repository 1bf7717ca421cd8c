//! The environments and profiles that a user names.

use std::sync::Arc;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::names::nearest::hint;
use crate::names::profile::ProfileEntry;
use crate::outlet::Outlet;
use crate::world::World;

/// The environments that a user names, and the config file if they need it.
pub(super) struct NamedEnvironments {
    pub(super) environments: Vec<Arc<Environment>>,
    pub(super) config: Arc<ConfigFile>,
}

impl NamedEnvironments {
    pub(super) fn of(names: &[String], context: &Context) -> Result<Self, Error> {
        let environments = stored_or_named(names, context)?;
        let config = ConfigFile::read_for(environments.iter().map(Arc::as_ref), &context.world, &context.outlet)?;
        Ok(Self { environments, config })
    }
}

/// The environments with these names, or all stored ones if there are no names. An unknown name is reported; it fails the run if it is the only name.
pub(super) fn stored_or_named(names: &[String], context: &Context) -> Result<Vec<Arc<Environment>>, Error> {
    let environments = Environments::read(&context.world)?;
    if let [name] = names {
        return environments.find(name, &context.world).map(|environment| vec![environment]);
    }
    if !names.is_empty() {
        let found = names.iter().map(|name| environments.find(name, &context.world));
        return Ok(found.filter_map(|found| found.map_err(|error| context.outlet.fail(&error, false)).ok()).collect());
    }
    // Unusable environments are reported and the others continue; if there are no others, the last error fails the run.
    let mut faults: Vec<Error> = environments.faults().collect();
    let last = if environments.all.is_empty() { faults.pop() } else { None };
    for error in &faults {
        context.outlet.fail(error, false);
    }
    if let Some(error) = last {
        return Err(error);
    }
    if environments.all.is_empty() {
        let config = readable_config(&context.world);
        if let Some(found) = config.environments.first() {
            return Err(Error::new(
                Code::EnvironmentNotFound,
                format!("No environment is stored in {} yet. Environments from {} are used only by name.", environments.path.display(), config.path.display()),
            )
            .with_target(environments.path.display().to_string())
            .with_action(format!("Specify one, such as -Environment {}. Get-SsoEnvironment lists all of them.", found.name)));
        }
        return Err(Error::new(Code::EnvironmentNotFound, format!("No environment is stored in {} yet.", environments.path.display()))
            .with_target(environments.path.display().to_string())
            .with_action("Create one with Set-SsoEnvironment -Name … -StartUrl … -Region …, then add your profiles with Sync-SsoProfile."));
    }
    Ok(environments.all.clone())
}

/// The config file, or an empty one if it cannot be read; a run with nothing due does not need it, and any other reports what is wrong with it.
pub(super) fn readable_config(world: &World) -> Arc<ConfigFile> {
    ConfigFile::read(world).unwrap_or_default()
}

/// Those of these names that are profiles of the environment; each other one is reported.
pub(super) fn check_profiles(names: Vec<String>, environment: &Environment, outlet: &Outlet) -> Vec<String> {
    let (known, unknown): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| environment.profiles.iter().any(|profile| profile.name == *name));
    for name in unknown {
        outlet.fail(&no_profile(&name, environment), false);
    }
    known
}

/// The error for a name that no profile of the environment has.
pub(super) fn no_profile(name: &str, environment: &Environment) -> Error {
    let names: Vec<_> = environment.profiles.iter().map(|profile| profile.name.as_str()).collect();
    let hint = hint(name, &names, "profiles").unwrap_or_else(|| "It has no profiles.".to_owned());
    Error::new(Code::ProfileNotFound, format!("{} has no profile that is named '{name}'.", environment.name)).with_target(name).with_action(hint)
}

/// Finds the profile with this name, and its environment; a stored profile takes precedence over one in the AWS config file.
pub(super) fn find_profile(name: &str, environments: &[String], world: &World) -> Result<(Arc<Environment>, ProfileEntry), Error> {
    let stored = Environments::read(world)?;
    let config_read = ConfigFile::read(world);
    let candidates: Vec<Arc<Environment>> = if environments.is_empty() {
        let config = config_read.clone().unwrap_or_default();
        let configured = stored.configured(&config).filter_map(|found| found.outcome.as_ref().ok());
        stored.all.iter().chain(configured).cloned().collect()
    } else {
        environments.iter().map(|name| stored.find(name, world)).collect::<Result<_, _>>()?
    };
    let entry = candidates.iter().find_map(|environment| {
        let entry = environment.profiles.iter().find(|profile| profile.name == name)?;
        Some((Arc::clone(environment), entry.clone()))
    });
    let no_profile = || {
        let names: Vec<_> = candidates.iter().flat_map(|environment| &environment.profiles).map(|profile| profile.name.as_str()).collect();
        let hint = hint(name, &names, "profiles").unwrap_or_else(|| "There are no profiles yet.".to_owned());
        // The profile may be in a block that cannot be used.
        let fault = stored.faults().next().filter(|_| environments.is_empty()).map(|fault| format!(" {fault}"));
        Error::new(Code::ProfileNotFound, format!("No profile is named '{name}'.{}", fault.unwrap_or_default()))
            .with_target(name)
            .with_action(format!("{hint} Profile names are case-sensitive; Get-SsoProfile lists them."))
    };
    match (entry, config_read) {
        (Some(found), _) => Ok(found),
        (None, Ok(config)) => Err(config.fault_of_profile(name).unwrap_or_else(no_profile)),
        // The profile may be in the file that cannot be read.
        (None, Err(error)) if environments.is_empty() => Err(error),
        (None, Err(_)) => Err(no_profile()),
    }
}

/// Whether a command that writes keys skips an environment, whose credentials file gets none; verbose output says so.
///
/// # Errors
/// The environment is all that the user named, so nothing would be done.
pub(super) fn is_skipped(environment: &Environment, is_named_alone: bool, outlet: &Outlet) -> Result<bool, Error> {
    if !environment.keeps_keys_out_of_file() {
        return Ok(false);
    }
    if is_named_alone {
        return Err(no_keys_in_file(environment));
    }
    outlet.verbose(format!("{}: skipped, because its credentials are not kept in the credentials file", environment.name));
    Ok(true)
}

/// The error for a command that would write keys of an environment to the credentials file, which gets none.
pub(super) fn no_keys_in_file(environment: &Environment) -> Error {
    let name = &environment.name;
    Error::new(
        Code::CredentialsFileUnused,
        format!("The credentials of {name} are not kept in the credentials file, because its CredentialsFile setting is Never."),
    )
    .with_target(name)
    .with_action(format!(
        "Use Use-SsoCredential <profile> -Environment {name} or Invoke-SsoCommand. For tools that need several profiles, use Export-SsoProfile."
    ))
}
