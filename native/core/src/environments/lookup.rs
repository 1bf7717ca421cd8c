//! Finds environments by name: those given for this run, the stored ones, and those in the AWS config file.

use std::sync::Arc;

use crate::environments::configured::{ConfigFile, Configured};
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::environments::wanted::{Origin, check_wanted, missing_parameters, rows_of};
use crate::error::{Code, Error};
use crate::names::nearest::hint;
use crate::names::profile::ProfileEntry;
use crate::names::same_name;
use crate::protocol::{GivenEnvironment, SetEnvironment, TokenCache};
use crate::world::World;

impl Environments {
    /// Finds the environment with this name: the one given for this run, else the stored one, else the one in the AWS config file.
    pub(crate) fn find(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        let stored = self.stored(name);
        match world.given.iter().find(|given| given.is_environment() && same_name(&given.name, name)) {
            Some(given) => {
                let base = match self.stored_or_configured(name, world) {
                    Ok(environment) => Some(environment),
                    Err(error) if error.code() == Code::EnvironmentNotFound => None,
                    // An environment that is given in full needs neither file.
                    Err(error) if given.has_portal() && (given.accounts.is_some() || error.code() != Code::EnvironmentInvalid) => None,
                    Err(error) => return Err(error),
                };
                given_environment(given, base, stored.is_some())
            }
            None => self.stored_or_configured(name, world),
        }
    }

    fn stored_or_configured(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        if let Some(environment) = self.stored(name) {
            return Ok(Arc::clone(environment));
        }
        if let Some(error) = self.fault_of(name) {
            return Err(error);
        }
        let config =
            ConfigFile::read(world).map_err(|error| error.behind(format_args!("No environment {name} is stored, and the AWS config file cannot be read")))?;
        match config.environment(name) {
            Some(found) => found.outcome.clone(),
            None => Err(self.unknown(name, &config)),
        }
    }

    /// The environments in the AWS config file whose names are not stored.
    pub(crate) fn configured<'c>(&self, config: &'c ConfigFile) -> impl Iterator<Item = &'c Configured> {
        config.environments.iter().filter(|found| self.stored(&found.name).is_none() && self.fault_of(&found.name).is_none())
    }

    fn unknown(&self, name: &str, config: &ConfigFile) -> Error {
        let stored = self.all.iter().map(|environment| environment.name.as_str());
        let names: Vec<_> = stored.chain(self.configured(config).map(|found| found.name.as_str())).collect();
        let hint = hint(name, &names, "environments").unwrap_or_else(|| "No environment is stored yet.".to_owned());
        // A faulty block without a readable name may be the one that the user meant.
        let unclear = self.faults.iter().find(|fault| fault.environment.is_none()).map(|fault| format!(" {}", fault.error(&self.path)));
        Error::new(Code::EnvironmentNotFound, format!("No environment is named {name}. {hint}{}", unclear.unwrap_or_default()))
            .with_target(name)
            .with_action(format!("Create it with Set-SsoEnvironment -Name {name} -StartUrl … -Region …"))
    }
}

/// Builds the environment for one run from the given values and the existing environment.
fn given_environment(given: &GivenEnvironment, base: Option<Arc<Environment>>, is_stored: bool) -> Result<Arc<Environment>, Error> {
    let accounts = given.accounts.as_ref().filter(|_| !(is_stored && given.accounts_where_not_stored));
    if accounts.is_none()
        && [&given.start_url, &given.region, &given.default_role_name].iter().all(|value| value.is_none())
        && let Some(base) = base
    {
        return Ok(base);
    }
    let origin = if given.accounts_where_not_stored { Origin::Variable } else { Origin::Parameters };
    let wanted = SetEnvironment {
        name: given.name.clone(),
        start_url: given.start_url.clone(),
        region: given.region.clone(),
        default_role_name: given.default_role_name.clone(),
        accounts: accounts.cloned(),
        ..SetEnvironment::default()
    };
    check_wanted(&wanted, origin)?;
    let start_url = given.start_url.clone().or_else(|| base.as_ref().map(|base| base.start_url.clone()));
    let region = given.region.clone().or_else(|| base.as_ref().map(|base| base.region.clone()));
    let (Some(start_url), Some(region)) = (start_url.clone(), region.clone()) else {
        let missing = missing_parameters(start_url.is_none(), region.is_none());
        return Err(Error::new(Code::EnvironmentInvalid, format!("The environment {} is not stored, so {missing} must be specified.", given.name))
            .with_target(&given.name)
            .with_action(format!("Specify {missing}, or store the environment with Set-SsoEnvironment or Import-SsoEnvironment.")));
    };
    let default_role_name = given.default_role_name.clone().or_else(|| base.as_ref().and_then(|base| base.default_role_name.clone()));
    let profiles = match accounts {
        Some(_) => rows_of(&wanted, default_role_name.as_deref(), origin)?,
        // Profiles with a role of their own keep it; the others follow the default.
        None => base.iter().flat_map(|base| base.profiles.iter().map(|profile| followed(profile, base, default_role_name.as_deref()))).collect(),
    };
    let same_portal = base.as_ref().is_some_and(|base| base.is_at(&start_url, &region));
    Ok(Arc::new(Environment {
        name: base.as_ref().map_or_else(|| given.name.clone(), |base| base.name.clone()),
        // Another portal has another session.
        sso_session: base.as_ref().filter(|_| same_portal).and_then(|base| base.sso_session.clone()),
        token_cache: base.as_ref().map_or(TokenCache::AwsCli, |base| base.token_cache),
        source: base.map(|base| base.source.clone()).unwrap_or_default(),
        start_url,
        region,
        default_role_name,
        profiles,
    }))
}

fn followed(profile: &ProfileEntry, base: &Environment, default_role: Option<&str>) -> ProfileEntry {
    let follows = base.default_role_name.as_ref() == Some(&profile.role_name);
    let role_name = default_role.filter(|_| follows).unwrap_or(&profile.role_name);
    ProfileEntry { role_name: role_name.to_owned(), ..profile.clone() }
}

/// The error for a name that cannot be removed from the file.
pub(super) fn not_stored(name: &str, stored: &Environments, world: &World) -> Error {
    if let Some(error) = stored.fault_of(name) {
        return error;
    }
    // If the config file cannot be read, the name counts as missing there too.
    let config = ConfigFile::read(world).unwrap_or_default();
    match config.environment(name) {
        Some(found) => Error::new(
            Code::EnvironmentNotFound,
            format!("The environment {} is not stored: it comes from {}, which this module never changes.", found.name, config.path.display()),
        )
        .with_target(name)
        .with_action(format!("Change it there, or store it with Set-SsoEnvironment -Name {} -StartUrl … -Region …", found.name)),
        None => stored.unknown(name, &config),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::environments::stored::tests::ACME;
    use crate::world::test_world;

    #[test]
    fn the_error_for_an_unknown_environment_names_similar_ones() {
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes());
        let (_home, world) = test_world();
        let error = environments.find("Amce", &world).unwrap_err();
        assert_eq!(error.code(), Code::EnvironmentNotFound);
        assert_eq!(error.to_string(), "No environment is named Amce. Did you mean Acme?");
    }
}
