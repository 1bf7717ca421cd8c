//! The profiles of an update: the state of each before the run, and its outcome.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::configured::provider::Provider;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::{DueRule, KeyVersion, KnownProfiles, Obstacle, Standing};
use crate::names::profile::ProfileEntry;
use crate::operations::named::is_skipped;
use crate::outlet::{Outlet, Topic};
use crate::protocol::Update;
use crate::role_credentials::RoleCredentials;
use crate::timestamp::rfc3339;

/// One environment of a run.
pub(super) struct Part {
    pub(super) environment: Arc<Environment>,
    pub(super) rows: Vec<Row>,
    pub(super) end: End,
}

/// One wanted profile: its state before the run, and its outcome.
pub(super) struct Row {
    pub(super) profile: ProfileEntry,
    pub(super) standing: Standing,
    /// The version of its keys when the run began.
    pub(super) before: KeyVersion,
    /// Set once the profile was requested.
    pub(super) outcome: Option<Outcome>,
}

/// The outcome for one due profile.
pub(super) enum Outcome {
    Fetched {
        keys: RoleCredentials,
        at: Instant,
    },
    Failed(Error),
    /// The session or service of its environment failed before its turn; the reason is reported once.
    NoService,
}

/// How the session of an environment ended.
pub(super) enum End {
    /// It did not fail, or none was needed.
    Open,
    /// The run was canceled before it was opened.
    Cancelled,
    /// It could not be opened.
    NoSession(Error),
    /// It failed while in use.
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

/// What the files contain when a run begins.
pub(super) struct Known<'a> {
    pub(super) environments: &'a Environments,
    pub(super) file: &'a CredentialsFile,
    pub(super) keys: &'a KnownProfiles,
    pub(super) config: &'a ConfigFile,
}

impl Known<'_> {
    /// The rows for the environments and profiles to update, one per section of the credentials file.
    pub(super) fn parts(&self, update: &Update, rule: DueRule, context: &Context) -> Result<Vec<Part>, Error> {
        let mut parts: Vec<Part> = Vec::new();
        for target in &update.targets {
            let environment = self.environments.find(&target.environment, &context.world)?;
            if is_skipped(&environment, update.is_named && update.targets.len() == 1, &context.outlet)? {
                continue;
            }
            if environment.profiles.is_empty() {
                context.outlet.warn(format!("The environment {} has no profiles. Add yours with Sync-SsoProfile -Environment {0}.", environment.name));
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

    /// The rows for the named profiles of an environment, or for all if `names` is `None`.
    fn rows(&self, environment: &Environment, names: Option<&[String]>, rule: DueRule, context: &Context) -> Vec<Row> {
        let names: Option<HashSet<&str>> = names.map(|names| names.iter().map(String::as_str).collect());
        let meant = environment.profiles.iter().filter(|profile| names.as_ref().is_none_or(|names| names.contains(profile.name.as_str())));
        // AWS tools would prefer keys in the file to those from the process, and the process would not renew them.
        let (mut others, mut wanted) = (Vec::new(), Vec::new());
        for profile in meant {
            match self.config.provider(&profile.name) {
                Some(provider) => others.push((profile, provider)),
                None => wanted.push(profile),
            }
        }
        for (profile, provider) in others {
            self.leave_to_tools(profile, provider, rule, &context.outlet);
        }
        let row = |profile: &ProfileEntry| Row {
            profile: profile.clone(),
            standing: self.keys.standing(profile, rule),
            before: self.keys.version(&profile.name),
            outcome: None,
        };
        wanted.into_iter().map(row).collect()
    }

    /// Reports that AWS tools get the keys of a profile by themselves, and warns once if there are keys in the credentials file as well.
    fn leave_to_tools(&self, profile: &ProfileEntry, provider: Provider, rule: DueRule, outlet: &Outlet) {
        let (name, config) = (&profile.name, self.config.path.display());
        let (what, also) = match provider {
            Provider::Process => ("its credential_process in", "which AWS tools use instead of its credential_process in"),
            Provider::Session => ("its sso_session in", "which some AWS tools use instead of its sso_session in"),
        };
        outlet.verbose(match provider {
            Provider::Process => format!("{name} is skipped: {what} {config} calls this module."),
            Provider::Session => format!("{name} is skipped: AWS tools get its credentials by {what} {config}."),
        });
        if self.keys.standing(profile, rule) != Standing::Missing && outlet.is_first_warning(Topic::ConfigFile, name) {
            let file = self.file.path().display();
            outlet.warn(format!("{file} has keys for {name}, {also} {config}. Remove that section."));
        }
    }
}

/// Keeps one row per section of the file: drops further rows for the same account and role; a row for another one blocks them all.
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
        if others
            .iter()
            .all(|(index, place)| parts[*index].rows[*place].profile.has_same_keys(profile) && parts[*index].environment.is_at(&kept.start_url, &kept.region))
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

/// Reports with `-Verbose` which profiles are due, and why.
pub(super) fn report_standings(parts: &[Part], file: &CredentialsFile, outlet: &Outlet) {
    for row in parts.iter().filter(|_| outlet.is_verbose()).flat_map(|part| &part.rows) {
        let name = &row.profile.name;
        outlet.verbose(match &row.standing {
            Standing::Good(until) => format!("{name} is valid until {}.", rfc3339(*until)),
            Standing::Missing => format!("{name} is due: it is not in {} yet.", file.path().display()),
            Standing::Due(why) => format!("{name} is due: {why}."),
            Standing::Blocked(obstacle) => format!("{name} is skipped: {obstacle}."),
        });
    }
}

/// The places of the rows that match, as indices of part and row.
pub(super) fn places_of(parts: &[Part], matches: impl Fn(&Row) -> bool) -> Vec<(usize, usize)> {
    let all = parts.iter().enumerate().flat_map(|(index, part)| part.rows.iter().enumerate().map(move |(place, row)| (index, place, row)));
    all.filter(|(_, _, row)| matches(row)).map(|(index, place, _)| (index, place)).collect()
}
