//! One process at a time fetches the profiles of an environment: the others wait, and find in the credentials file what it has fetched.

use std::path::PathBuf;

use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::lock::{Lock, Patience};
use crate::outlet::Outlet;
use crate::protocol::{Event, Waiting};
use crate::sha1_hex::sha1_hex;
use crate::urls::percent_encoded;

/// A longer name might not be one that a file can have.
const LONGEST_NAME: usize = 100;

/// The turn to fetch for some environments; it ends with this value, or with the process.
#[derive(Debug, Default)]
pub(crate) struct FetchTurn {
    _locks: Vec<Lock>,
}

impl FetchTurn {
    /// Waits for the turn, as long as `patience` lasts. Who has not got it by then fetches all the same: two fetches are better than none.
    pub(crate) async fn wait(environments: &[&str], file: &CredentialsFile, patience: &Patience, outlet: &Outlet) -> Self {
        let mut names: Vec<String> = environments.iter().map(|name| name.to_lowercase()).collect();
        // In one order for all processes, so that none waits for another that waits for it.
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

/// The lock for the profiles that an environment has in a credentials file: beside it, with the environment's name where a file can have it.
fn lock_path(environment: &str, file: &CredentialsFile) -> PathBuf {
    let name = percent_encoded(environment);
    let name = if name.len() <= LONGEST_NAME { name } else { sha1_hex(environment.as_bytes()) };
    file.beside(&format!(".fetch-{name}.lock"))
}
