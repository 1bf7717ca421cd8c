//! Where an environment's session is kept: in the AWS CLI's cache, under the names that the AWS CLI would use, in the user's secret store, or in memory.

use crate::environments::configured::{ConfigFile, SsoSession};
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::protocol::TokenCache;
use crate::session::memory::Key;
use crate::session::system_token::SystemToken;
use crate::session::token_cache::TokenFiles;
use crate::world::World;

/// The variable that says where this shell keeps tokens of environments without a setting for that.
pub(crate) const VARIABLE: &str = "AWS_SSO_TOKEN_CACHE";

/// Where a session is kept.
#[derive(Clone)]
pub(crate) enum TokenPlace {
    /// In this process only.
    Memory,
    /// In the AWS CLI's cache.
    Files(TokenFiles),
    /// In the user's secret store.
    System(SystemToken),
}

impl TokenPlace {
    /// The place of an environment's session: what the caller wants, or else what the environment says, or else the variable, or else where a session
    /// was stored before.
    ///
    /// # Errors
    /// See [`token_files`] and [`wanted_by_variable`]; or there is no home folder for the record of a session in the store.
    pub(crate) fn of(world: &World, environment: &Environment, config: &ConfigFile, wanted: Option<TokenCache>) -> Result<Self, Error> {
        let said = match wanted.or(environment.token_cache) {
            None => wanted_by_variable(world)?,
            said => said,
        };
        if said == Some(TokenCache::Memory) {
            return Ok(Self::Memory);
        }
        if said == Some(TokenCache::System) {
            // Nothing takes the store's place.
            world.home_folder()?;
        }
        let Some(names) = token_files(world, environment, config)? else { return Ok(Self::Memory) };
        if said == Some(TokenCache::System) || (said.is_none() && SystemToken::is_recorded(world, &names)) {
            return Ok(SystemToken::of(world, names).map_or(Self::Memory, Self::System));
        }
        Ok(Self::Files(names))
    }

    /// The other places in which the session may be.
    pub(crate) fn others(&self, world: &World, environment: &Environment, config: &ConfigFile) -> Vec<Self> {
        let names = match self.names() {
            Some(names) => Some(names.clone()),
            // An environment that keeps its tokens in memory may be in conflict with the config file.
            None => token_files(world, environment, config).ok().flatten(),
        };
        let stored = names.clone().filter(|names| SystemToken::is_recorded(world, names)).and_then(|names| SystemToken::of(world, names));
        let all = [Some(Self::Memory), names.map(Self::Files), stored.map(Self::System)];
        all.into_iter().flatten().filter(|place| place.cache() != self.cache()).collect()
    }

    /// Which one it is.
    pub(crate) fn cache(&self) -> TokenCache {
        match self {
            Self::Memory => TokenCache::Memory,
            Self::Files(_) => TokenCache::AwsCli,
            Self::System(_) => TokenCache::System,
        }
    }

    /// The AWS CLI's files, if the session is kept there.
    pub(crate) fn files(&self) -> Option<&TokenFiles> {
        if let Self::Files(files) = self { Some(files) } else { None }
    }

    /// The secret store, if the session is kept there.
    pub(crate) fn system(&self) -> Option<&SystemToken> {
        if let Self::System(system) = self { Some(system) } else { None }
    }

    /// The AWS CLI's names for the session and its lock, which a session in the secret store has, too.
    pub(crate) fn names(&self) -> Option<&TokenFiles> {
        match self {
            Self::Memory => None,
            Self::Files(files) => Some(files),
            Self::System(system) => Some(&system.names),
        }
    }
}

/// Where the variable says that tokens are kept.
///
/// # Errors
/// It has another value than the names of the places.
fn wanted_by_variable(world: &World) -> Result<Option<TokenCache>, Error> {
    let Some(written) = world.variables.get(VARIABLE).map(str::trim).filter(|written| !written.is_empty()) else { return Ok(None) };
    TokenCache::named(written).map(Some).ok_or_else(|| {
        Error::new(Code::EnvironmentInvalid, format!("The environment variable {VARIABLE} is '{written}', which is not a place for tokens."))
            .with_target(VARIABLE)
            .with_action(format!("Set it to {}, or remove it.", TokenCache::NAMES))
    })
}

/// The cache files of an environment, under the names that the AWS CLI would use; `None` without a home folder.
///
/// # Errors
/// The `sso_session` of the environment is for another portal in the AWS config file, so this environment must not read or write its files.
pub(crate) fn token_files(world: &World, environment: &Environment, config: &ConfigFile) -> Result<Option<TokenFiles>, Error> {
    let session = match &environment.sso_session {
        Some(name) => config.session(name).map(|session| of_same_portal(session, environment, config)).transpose()?,
        None => config.session_for(&environment.start_url, &environment.region),
    };
    Ok(TokenFiles::of(world, environment, session, &spellings(world, environment, config)))
}

/// Returns the session from the config file if it is for the environment's portal.
fn of_same_portal<'s>(session: &'s SsoSession, environment: &Environment, config: &ConfigFile) -> Result<&'s SsoSession, Error> {
    if environment.is_at(&session.start_url, &session.region) {
        return Ok(session);
    }
    let Environment { name, start_url, region, source, .. } = environment;
    let what = format!(
        "The environment {name} in {} has the start URL {start_url} in {region} and names the sso_session {}, which has {} in {} in {}.",
        source.display(),
        session.name,
        session.start_url,
        session.region,
        config.path.display()
    );
    Err(Error::new(Code::EnvironmentInvalid, what)
        .with_target(name)
        .with_action(format!("Correct the start URL and the region of {name}, or remove its line sso_session.")))
}

/// The start URLs of other environments that lead to the same portal but may be spelled differently.
fn spellings(world: &World, environment: &Environment, config: &ConfigFile) -> Vec<String> {
    let stored = Environments::read(world).ok();
    let stored = stored.iter().flat_map(|stored| &stored.all).map(|other| (&other.start_url, &other.region));
    let configured = config.environments.iter().filter_map(|found| found.outcome.as_ref().ok()).map(|other| (&other.start_url, &other.region));
    stored.chain(configured).filter(|(start_url, region)| environment.is_at(start_url, region)).map(|(start_url, _)| start_url.clone()).collect()
}

/// Identifies the session in memory.
pub(super) fn key_of(place: &TokenPlace, environment: &Environment) -> Key {
    match place {
        TokenPlace::Files(files) => Key::TokenFiles(files.lock_path()),
        TokenPlace::System(system) => Key::System(system.names.lock_path()),
        TokenPlace::Memory => Key::Name(environment.name.to_lowercase()),
    }
}
