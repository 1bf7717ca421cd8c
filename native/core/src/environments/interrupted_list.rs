//! Lists of roles that were interrupted, as by Ctrl+C: the next list of the same environment begins where they ended.

use std::collections::HashMap;
use std::sync::Mutex;

use time::{Duration, OffsetDateTime};

use crate::environments::environment::Environment;
use crate::mutex::locked;

/// How long after the interruption a list can go on. Assignments change rarely, but they do.
const LONGEST_PAUSE: Duration = Duration::minutes(10);

/// The roles of each account, by its ID.
pub(crate) type RolesByAccount = HashMap<String, Vec<String>>;

/// What was listed before an interruption, by environment and start URL.
#[derive(Debug, Default)]
pub(crate) struct InterruptedLists(Mutex<HashMap<(String, String), Interrupted>>);

#[derive(Debug)]
struct Interrupted {
    at: OffsetDateTime,
    roles: RolesByAccount,
}

fn key(environment: &Environment) -> (String, String) {
    (environment.name.to_lowercase(), environment.start_url.clone())
}

impl InterruptedLists {
    /// Takes what an interrupted list had; nothing if none was interrupted within the last ten minutes.
    pub(crate) fn take(&self, environment: &Environment, now: OffsetDateTime) -> RolesByAccount {
        let found = locked(&self.0).remove(&key(environment));
        found.filter(|list| (Duration::ZERO..=LONGEST_PAUSE).contains(&(now - list.at))).map(|list| list.roles).unwrap_or_default()
    }

    /// Keeps what a list had when it was interrupted.
    pub(crate) fn keep(&self, environment: &Environment, roles: RolesByAccount, now: OffsetDateTime) {
        locked(&self.0).insert(key(environment), Interrupted { at: now, roles });
    }
}
