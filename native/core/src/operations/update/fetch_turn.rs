//! Lets one process at a time fetch the profiles of an environment; the others wait, and find its keys in the credentials file.

use std::path::PathBuf;

use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::lock::Lock;
use crate::outlet::Outlet;
use crate::patience::Patience;
use crate::protocol::{Event, Waiting};
use crate::sha1_hex::sha1_hex;
use crate::urls::percent_encoded;

/// The longest name, in bytes, that is used in a file name; a longer one might not be valid there.
const LONGEST_NAME: usize = 100;

/// The turn to fetch for some environments, released when this value is dropped or the process exits.
#[derive(Debug, Default)]
pub(crate) struct FetchTurn {
    _locks: Vec<Lock>,
}

impl FetchTurn {
    /// Waits for the turn until `patience` ends, then fetches anyway, because fetching twice is better than not at all.
    pub(crate) async fn wait(environments: &[&str], file: &CredentialsFile, patience: &Patience, outlet: &Outlet) -> Self {
        let mut names: Vec<String> = environments.iter().map(|name| name.to_lowercase()).collect();
        // The same order in all processes, so that no two wait for each other.
        names.sort_unstable();
        let mut locks = Vec::new();
        for name in names {
            match take(&lock_path(&name, file), &name, patience, outlet).await {
                Ok(lock) => locks.push(lock),
                Err(error) => {
                    outlet.verbose(format!("{name}: not waiting for other processes that fetch the same profiles: {error}"));
                    break;
                }
            }
        }
        Self { _locks: locks }
    }
}

async fn take(path: &std::path::Path, environment: &str, patience: &Patience, outlet: &Outlet) -> Result<Lock, Error> {
    if let Some(lock) = Lock::try_take(path)? {
        return Ok(lock);
    }
    let text = format!("Waiting for another process that fetches the profiles of {environment}");
    outlet.send(Event::Waiting(Waiting { environment: environment.to_owned(), text, seconds_left: None }));
    Lock::take_async(path, patience).await
}

/// The path of the lock for an environment's profiles, beside the credentials file, with the environment's name if that is valid in a file name.
fn lock_path(environment: &str, file: &CredentialsFile) -> PathBuf {
    file.beside(&lock_ending("fetch", environment))
}

/// The ending of a lock's path for this kind of work on an environment, whose name is in lowercase.
pub(crate) fn lock_ending(kind: &str, environment: &str) -> String {
    let name = percent_encoded(environment);
    let name = if name.len() <= LONGEST_NAME { name } else { sha1_hex(environment.as_bytes()) };
    format!(".{kind}-{name}.lock")
}
