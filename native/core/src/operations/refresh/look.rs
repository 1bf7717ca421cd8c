//! What the files say about the profiles that are kept fresh.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::credential_refresh::Attempt;
use crate::environments::configured::ConfigFile;
use crate::environments::configured::provider::Provider;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::KnownProfiles;
use crate::files::known_keys::upkeep::{KeysToRenew, Upkeep};
use crate::names::profile::ProfileEntry;
use crate::world::World;

/// What the files have; none of them is read again while it does not change.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) environments: Arc<Environments>,
    pub(crate) credentials: CredentialsFile,
    pub(crate) known: Arc<KnownProfiles>,
    pub(crate) config: Arc<ConfigFile>,
}

/// What is done for a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Care {
    /// Nothing, because the file has no keys of it.
    None,
    /// Nothing, for this reason: a sentence.
    Left(String),
    /// These keys are renewed when they are due.
    Keys(KeysToRenew),
}

/// The longest pause after attempts that failed, as long as no shorter lifetime of keys has a shorter margin.
const LONGEST_PAUSE: Duration = Duration::minutes(5);

/// When new keys are fetched: when they are due, and after a pause that grows with each attempt that failed.
pub(crate) fn next_attempt(last: Option<&Attempt>, keys: &KeysToRenew, now: OffsetDateTime) -> OffsetDateTime {
    match last {
        // A clock that was set back must not make the pause longer.
        Some(last) if last.at <= now => keys.due.max(last.at + pause(keys, last.failures)),
        _ => keys.due,
    }
}

/// The pause after so many attempts that failed: twice as long after each, up to the margin.
fn pause(keys: &KeysToRenew, failures: u32) -> Duration {
    let growing = keys.pause.saturating_mul(1 << failures.saturating_sub(1).min(10));
    growing.min(LONGEST_PAUSE.min(keys.margin)).max(keys.pause)
}

impl Files {
    pub(crate) fn read(world: &World) -> Result<Self, Error> {
        let credentials = CredentialsFile::of(world)?;
        Ok(Self {
            environments: Environments::read(world)?,
            known: credentials.known()?,
            credentials,
            // What is wrong with it matters only to an environment that needs it, and then the attempt fails.
            config: ConfigFile::read(world).unwrap_or_default(),
        })
    }

    /// Whether both were read from the same content of the same files.
    pub(super) fn are_same(&self, other: &Self) -> bool {
        self.credentials.path() == other.credentials.path()
            && Arc::ptr_eq(&self.environments, &other.environments)
            && Arc::ptr_eq(&self.known, &other.known)
            && Arc::ptr_eq(&self.config, &other.config)
    }

    /// What is done for a profile.
    pub(crate) fn care(&self, profile: &ProfileEntry, environment: &Environment, now: OffsetDateTime) -> Care {
        match self.config.provider(&profile.name) {
            Some(Provider::Process) => return Care::Left("AWS tools get its credentials by its credential_process.".to_owned()),
            Some(Provider::Session) => return Care::Left("AWS tools get its credentials by its sso_session.".to_owned()),
            None => {}
        }
        match self.known.upkeep(profile, &environment.name, now) {
            Upkeep::NoKeys => Care::None,
            Upkeep::Blocked(obstacle) => Care::Left(format!("The profile is left alone because {obstacle}.")),
            Upkeep::Keys(keys) => Care::Keys(keys),
        }
    }
}
