//! What an update reports after the locks are released and the file is written.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::Standing;
use crate::names::profile::ProfileEntry;
use crate::operations::update::rows::{End, Outcome, Part, Row};
use crate::protocol::{Completed, Event, Profile, ProfileStatus, TokenCache};
use crate::session::view::exposed;
use crate::timestamp::rfc3339;

/// Sends the access tokens, because the caller asked for them.
pub(super) fn expose<'e>(environments: impl Iterator<Item = &'e Arc<Environment>>, config: &ConfigFile, token_cache: Option<TokenCache>, context: &Context) {
    for environment in environments {
        match exposed(context, environment, config, token_cache) {
            Ok(token) => token.into_iter().for_each(|token| context.outlet.send(Event::Token(token))),
            Err(error) => context.outlet.fail(&error, false),
        }
    }
}

/// Reports the outcome for every profile, after the locks are released and the file is written.
pub(super) fn report(parts: Vec<Part>, file: &CredentialsFile, each_profile: bool, context: &Context) {
    // An error of a whole environment fails the run if there is no other environment.
    let alone = parts.len() == 1;
    let mut errors = Vec::new();
    let mut summaries = Vec::new();
    for mut part in parts {
        let ended = match std::mem::replace(&mut part.end, End::Open) {
            End::NoSession(error) => {
                context.outlet.fail(&error, alone);
                continue;
            }
            End::Ended(error) => Some(error),
            End::Open | End::Cancelled => None,
        };
        summaries.push(report_part(part, ended.as_ref(), file, each_profile, context, &mut errors));
        errors.extend(ended);
    }
    for error in errors {
        context.outlet.fail(&error, false);
    }
    for summary in summaries {
        context.outlet.send(Event::Completed(summary));
    }
}

/// Reports the profiles of one environment, adds their errors to `errors`, and returns its summary.
fn report_part(part: Part, ended: Option<&Error>, file: &CredentialsFile, each_profile: bool, context: &Context, errors: &mut Vec<Error>) -> Completed {
    let environment = part.environment.name.clone();
    let mut summary = Completed {
        environment: environment.clone(),
        profile_names: Vec::new(),
        refreshed: 0,
        still_valid: 0,
        failed: 0,
        session_expires: context.memory.session_end(&environment).map(rfc3339),
        credentials_expire: None,
        cancelled: context.outlet.cancel_token().is_cancelled(),
    };
    let mut first_end: Option<OffsetDateTime> = None;
    for row in part.rows {
        let Some(result) = row.result(ended, &environment, file) else { continue };
        match &result {
            RowResult::Good(end) | RowResult::Created(end) | RowResult::Refreshed(end) => {
                summary.profile_names.push(row.profile.name.clone());
                let count = if matches!(result, RowResult::Good(_)) { &mut summary.still_valid } else { &mut summary.refreshed };
                *count += 1;
                first_end = Some(first_end.map_or(*end, |first| first.min(*end)));
            }
            RowResult::Failed(_) => summary.failed += 1,
        }
        if each_profile {
            context.outlet.send(Event::Profile(result.event(&environment, &row.profile)));
        }
        if let (RowResult::Failed(error), false) = (result, matches!(row.outcome, Some(Outcome::NoService))) {
            errors.push(error);
        }
    }
    summary.credentials_expire = first_end.map(rfc3339);
    summary
}

/// The outcome for a profile.
enum RowResult {
    Good(OffsetDateTime),
    Created(OffsetDateTime),
    Refreshed(OffsetDateTime),
    Failed(Error),
}

impl Row {
    /// The outcome for this profile; `None` if it was never requested because the run was canceled.
    fn result(&self, ended: Option<&Error>, environment: &str, file: &CredentialsFile) -> Option<RowResult> {
        Some(match (&self.standing, &self.outcome) {
            (Standing::Good(until), _) => RowResult::Good(*until),
            (Standing::Blocked(obstacle), _) => RowResult::Failed(obstacle.error(&self.profile.name, environment, file.path())),
            (Standing::Missing, Some(Outcome::Fetched { keys, .. })) => RowResult::Created(keys.expiration),
            (Standing::Due(_), Some(Outcome::Fetched { keys, .. })) => RowResult::Refreshed(keys.expiration),
            (_, Some(Outcome::Failed(error))) => RowResult::Failed(error.clone()),
            // The reason is reported once for the environment.
            (_, Some(Outcome::NoService)) => RowResult::Failed(ended?.clone()),
            (Standing::Missing | Standing::Due(_), None) => return None,
        })
    }
}

impl RowResult {
    fn event(&self, environment: &str, profile: &ProfileEntry) -> Profile {
        let (status, end) = match self {
            Self::Good(end) => (ProfileStatus::StillValid, Some(*end)),
            Self::Created(end) => (ProfileStatus::Created, Some(*end)),
            Self::Refreshed(end) => (ProfileStatus::Refreshed, Some(*end)),
            Self::Failed(error) => (ProfileStatus::Failed(error.code()), None),
        };
        let ProfileEntry { name, account_id, role_name, settings: _ } = profile.clone();
        Profile { environment: environment.to_owned(), profile_name: name, account_id, role_name, status, expiration: end.map(rfc3339) }
    }
}
