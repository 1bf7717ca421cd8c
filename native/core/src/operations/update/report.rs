//! What an update reports when nothing is locked anymore and the file is whole.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::Standing;
use crate::operations::update::rows::{End, Outcome, Part, Row};
use crate::protocol::{Completed, Event, Profile, TokenCache};
use crate::session::view::exposed;
use crate::timestamp::rfc3339;

/// Hands the access tokens over, since they were asked for.
pub(super) fn expose<'e>(environments: impl Iterator<Item = &'e Arc<Environment>>, config: &ConfigFile, token_cache: Option<TokenCache>, context: &Context) {
    for environment in environments {
        match exposed(context, environment, config, token_cache.unwrap_or(environment.token_cache)) {
            Ok(token) => token.into_iter().for_each(|token| context.outlet.send(Event::Token(token))),
            Err(error) => context.outlet.fail(&error, false),
        }
    }
}

/// Reports how everything stands; nothing is locked by now, and the file is whole.
pub(super) fn report(parts: Vec<Part>, file: &CredentialsFile, each_profile: bool, context: &Context) {
    // What fails an environment as a whole ends the run where there is no other.
    let alone = parts.len() == 1;
    let mut errors = Vec::new();
    let mut summaries = Vec::new();
    for part in parts {
        let environment = &part.environment.name;
        let ended = match part.end {
            End::NoSession(error) => {
                context.outlet.fail(&error, alone);
                continue;
            }
            End::Ended(error) => Some(error),
            End::Open | End::Cancelled => None,
        };
        let mut summary = Completed {
            environment: environment.clone(),
            profile_names: Vec::new(),
            refreshed: 0,
            still_valid: 0,
            failed: 0,
            session_expires: context.memory.session_end(environment).map(rfc3339),
            credentials_expire: None,
            cancelled: context.outlet.cancel_token().is_cancelled(),
        };
        let mut first_end: Option<OffsetDateTime> = None;
        for Row { profile, standing, outcome, .. } in part.rows {
            let (status, end) = match (standing, outcome) {
                (Standing::Good(until), _) => ("StillValid".to_owned(), Some(until)),
                (Standing::Blocked(obstacle), _) => {
                    let error = obstacle.error(&profile.name, environment, file.path());
                    let status = format!("{:?}", error.code());
                    errors.push(error);
                    (status, None)
                }
                (Standing::Missing, Some(Outcome::Fetched { keys, .. })) => ("Created".to_owned(), Some(keys.expiration)),
                (_, Some(Outcome::Fetched { keys, .. })) => ("Refreshed".to_owned(), Some(keys.expiration)),
                (_, Some(Outcome::Failed(error))) => {
                    let status = format!("{:?}", error.code());
                    errors.push(error);
                    (status, None)
                }
                (_, Some(Outcome::NoService)) => (ended.as_ref().map_or_else(String::new, |error| format!("{:?}", error.code())), None),
                (Standing::Missing | Standing::Due(_), None) => continue,
            };
            if let Some(end) = end {
                summary.profile_names.push(profile.name.clone());
                let count = if status == "StillValid" { &mut summary.still_valid } else { &mut summary.refreshed };
                *count += 1;
                first_end = Some(first_end.map_or(end, |first| first.min(end)));
            } else {
                summary.failed += 1;
            }
            if each_profile {
                context.outlet.send(Event::Profile(Profile {
                    environment: environment.clone(),
                    profile_name: profile.name,
                    account_id: profile.account_id,
                    role_name: profile.role_name,
                    status,
                    expiration: end.map(rfc3339),
                }));
            }
        }
        errors.extend(ended);
        summary.credentials_expire = first_end.map(rfc3339);
        summaries.push(summary);
    }
    for error in errors {
        context.outlet.fail(&error, false);
    }
    for summary in summaries {
        context.outlet.send(Event::Completed(summary));
    }
}
