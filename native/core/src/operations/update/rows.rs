//! The profiles of an update: how each stood, and what became of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::{DueRule, KeyVersion, KnownProfiles, Obstacle, Standing};
use crate::names::profile::ProfileEntry;
use crate::outlet::{Outlet, Topic};
use crate::protocol::Target;
use crate::role_credentials::RoleCredentials;
use crate::timestamp::rfc3339;

/// One environment of a run.
pub(super) struct Part {
    pub(super) environment: Arc<Environment>,
    pub(super) rows: Vec<Row>,
    pub(super) end: End,
}

/// One wanted profile: how it stood, and what became of it.
pub(super) struct Row {
    pub(super) profile: ProfileEntry,
    pub(super) standing: Standing,
    /// The keys that it had when the run began.
    pub(super) before: KeyVersion,
    /// Present once the profile was asked for.
    pub(super) outcome: Option<Outcome>,
}

/// What became of one due profile.
pub(super) enum Outcome {
    Fetched {
        keys: RoleCredentials,
        at: Instant,
    },
    Failed(Error),
    /// Its environment came to an end before its turn, for a reason that is reported once.
    NoService,
}

/// How the session of an environment ended.
pub(super) enum End {
    /// Nothing is wrong with it, or none was needed.
    Open,
    /// The run was cancelled before there was one.
    Cancelled,
    /// There was none for any profile.
    NoSession(Error),
    /// It came to an end while it was used.
    Ended(Error),
}

impl Part {
    pub(super) fn due(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.standing.is_due())
    }

    pub(super) fn is_due(&self) -> bool {
        self.due().next().is_some()
    }

    pub(super) fn has_fetched(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.outcome, Some(Outcome::Fetched { .. })))
    }
}

/// What the files say when a run begins.
pub(super) struct Known<'a> {
    pub(super) environments: &'a Environments,
    pub(super) file: &'a CredentialsFile,
    pub(super) keys: &'a KnownProfiles,
    pub(super) config: &'a ConfigFile,
}

impl Known<'_> {
    /// The rows of the environments and profiles that an update is for, one for each section of the credentials file.
    pub(super) fn parts(&self, targets: &[Target], rule: DueRule, context: &Context) -> Result<Vec<Part>, Error> {
        let mut parts: Vec<Part> = Vec::new();
        for target in targets {
            let environment = self.environments.find(&target.environment, &context.world)?;
            if environment.profiles.is_empty() {
                context.outlet.warn(format!("The environment {} has no profiles; add yours with Sync-SsoProfile -Environment {0}.", environment.name));
            }
            let rows = self.rows(&environment, target.profiles.as_deref(), rule, context);
            if let Some(part) = parts.iter_mut().find(|part| part.environment.name == environment.name) {
                let is_new = |row: &Row| !part.rows.iter().any(|other| other.profile.name == row.profile.name);
                let new: Vec<Row> = rows.into_iter().filter(is_new).collect();
                part.rows.extend(new);
            } else {
                parts.push(Part { environment, rows, end: End::Open });
            }
        }
        one_row_for_each_section(&mut parts, &context.outlet);
        Ok(parts)
    }

    /// The rows of the named profiles of an environment, or of all where none is named.
    fn rows(&self, environment: &Environment, names: Option<&[String]>, rule: DueRule, context: &Context) -> Vec<Row> {
        let names: Option<HashSet<&str>> = names.map(|names| names.iter().map(String::as_str).collect());
        let meant = environment.profiles.iter().filter(|profile| names.as_ref().is_none_or(|names| names.contains(profile.name.as_str())));
        // Keys in the file would be taken before those that the process gives, and would not be renewed by it.
        let (called, wanted): (Vec<_>, Vec<_>) = meant.partition(|profile| self.config.calls_us(&profile.name));
        for profile in called {
            self.leave_to_process(profile, rule, &context.outlet);
        }
        let row = |profile: &ProfileEntry| Row {
            profile: profile.clone(),
            standing: self.keys.standing(profile, rule),
            before: self.keys.version(&profile.name),
            outcome: None,
        };
        wanted.into_iter().map(row).collect()
    }

    /// Says that a profile is left to its `credential_process`, and warns once if there are keys that AWS tools use instead.
    fn leave_to_process(&self, profile: &ProfileEntry, rule: DueRule, outlet: &Outlet) {
        let (name, config) = (&profile.name, self.config.path.display());
        outlet.verbose(format!("{name} is left out: its credential_process in {config} calls this module."));
        if self.keys.standing(profile, rule) != Standing::Missing && outlet.is_first_warning(Topic::ConfigFile, name) {
            let file = self.file.path().display();
            outlet.warn(format!("{file} has keys for {name}, which AWS tools take before its credential_process in {config}; take that section out."));
        }
    }
}

/// Leaves one row for each section of the file: further ones for the same account and role go, and one for another is an obstacle to all of them.
fn one_row_for_each_section(parts: &mut [Part], outlet: &Outlet) {
    let mut places: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        for (place, row) in part.rows.iter().enumerate() {
            places.entry(row.profile.name.clone()).or_default().push((index, place));
        }
    }
    let mut doubles = HashSet::new();
    for (name, places) in places {
        let [first, others @ ..] = places.as_slice() else { continue };
        let (kept, profile) = (&parts[first.0].environment, &parts[first.0].rows[first.1].profile);
        if others.iter().all(|(index, place)| parts[*index].rows[*place].profile == *profile && parts[*index].environment.is_at(&kept.start_url, &kept.region))
        {
            for (index, place) in others {
                let other = &parts[*index].environment.name;
                outlet.verbose(format!("{name} of {other} is the same account and role as in {}, and is updated with it.", kept.name));
                doubles.insert((*index, *place));
            }
            continue;
        }
        let names: Vec<String> = places.iter().map(|(index, _)| parts[*index].environment.name.clone()).collect();
        for (own, (index, place)) in places.iter().enumerate() {
            let environment = names[usize::from(own == 0)].clone();
            parts[*index].rows[*place].standing = Standing::Blocked(Obstacle::TwoRows { environment });
        }
    }
    for (index, part) in parts.iter_mut().enumerate() {
        let mut place = 0..;
        part.rows.retain(|_| place.next().is_some_and(|place| !doubles.contains(&(index, place))));
    }
}

/// Says with `-Verbose` which profiles are due, and why.
pub(super) fn report_standings(parts: &[Part], file: &CredentialsFile, outlet: &Outlet) {
    for row in parts.iter().filter(|_| outlet.is_verbose()).flat_map(|part| &part.rows) {
        let name = &row.profile.name;
        outlet.verbose(match &row.standing {
            Standing::Good(until) => format!("{name} is good until {}.", rfc3339(*until)),
            Standing::Missing => format!("{name} is due: it is not in {} yet.", file.path().display()),
            Standing::Due(why) => format!("{name} is due: {why}."),
            Standing::Blocked(obstacle) => format!("{name} is left alone: {obstacle}."),
        });
    }
}

/// Where the rows are that match.
pub(super) fn places_of(parts: &[Part], matches: impl Fn(&Row) -> bool) -> Vec<(usize, usize)> {
    let all = parts.iter().enumerate().flat_map(|(index, part)| part.rows.iter().enumerate().map(move |(place, row)| (index, place, row)));
    all.filter(|(_, _, row)| matches(row)).map(|(index, place, _)| (index, place)).collect()
}
