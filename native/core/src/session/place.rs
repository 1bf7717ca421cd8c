//! Where an environment's session is kept: in the AWS CLI's cache, under the names that the AWS CLI would use, or in memory.

use crate::environments::configured::{ConfigFile, SsoSession};
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::protocol::TokenCache;
use crate::session::memory::Key;
use crate::session::token_cache::TokenFiles;
use crate::world::World;

/// The cache files of an environment, under the names that the AWS CLI would use; `None` if its tokens are kept in memory.
///
/// # Errors
/// The `sso_session` of the environment is for another portal in the AWS config file, so this environment must not read or write its files.
pub(crate) fn token_files(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Result<Option<TokenFiles>, Error> {
    if token_cache == TokenCache::Memory {
        return Ok(None);
    }
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
pub(super) fn key_of(files: Option<&TokenFiles>, environment: &Environment) -> Key {
    match files {
        Some(files) => Key::TokenFiles(files.lock_path()),
        None => Key::Name(environment.name.to_lowercase()),
    }
}
