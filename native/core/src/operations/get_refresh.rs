//! `Get-SsoCredentialRefresh`: what this process keeps fresh, and how that goes.

use crate::context::Context;
use crate::credential_refresh::{Course, Kept, SessionCourse};
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::names::profile::ProfileEntry;
use crate::names::same_name;
use crate::operations::named::no_profile;
use crate::operations::refresh::{Care, Files, next_attempt};
use crate::outlet::NetworkWork;
use crate::protocol::{Event, GetRefresh, RefreshState, RefreshView};
use crate::timestamp::rfc3339;

/// Reports each profile that is kept fresh; sends and writes nothing.
pub(crate) fn run(wanted: GetRefresh, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let mut kept = context.memory.refresh.kept(context.world.clock.now());
    if kept.is_empty() && wanted.environments.is_empty() {
        return Ok(None);
    }
    let files = Files::read(&context.world)?;
    for name in &wanted.environments {
        if !kept.iter().any(|kept| same_name(&kept.environment, name)) {
            Environments::read(&context.world)?.find(name, &context.world)?;
        }
    }
    kept.retain(|kept| wanted.environments.is_empty() || wanted.environments.iter().any(|name| same_name(&kept.environment, name)));
    for kept in &kept {
        match files.environments.find(&kept.environment, &context.world) {
            Ok(environment) => report(kept, &environment, &files, context),
            Err(error) => context.outlet.fail(&error, false),
        }
    }
    Ok(None)
}

fn report(kept: &Kept, environment: &Environment, files: &Files, context: &Context) {
    for name in kept.named() {
        if !environment.profiles.iter().any(|profile| profile.name == name) {
            context.outlet.fail(&no_profile(name, environment), false);
        }
    }
    let course = context.memory.refresh.course(&environment.name);
    for profile in environment.profiles.iter().filter(|profile| kept.has(&profile.name)) {
        context.outlet.send(Event::Refresh(view(profile, kept, &course, environment, files, context)));
    }
}

fn view(profile: &ProfileEntry, kept: &Kept, course: &Course, environment: &Environment, files: &Files, context: &Context) -> RefreshView {
    let now = context.now();
    let attempt = course.attempts.get(&profile.name);
    let care = files.care(profile, environment, now);
    let (state, last_error) = match &care {
        Care::None => (RefreshState::NoKeys, None),
        Care::Left(why) => (RefreshState::Skipped, Some(why.clone())),
        Care::Keys(keys) => match attempt.and_then(|attempt| attempt.error.as_ref()).filter(|_| keys.due <= now) {
            Some(error) => {
                let action = error.action().map(|action| format!(" {action}")).unwrap_or_default();
                let is_ended = matches!(course.session, SessionCourse::Ended { .. });
                (if is_ended { RefreshState::SessionEnded } else { RefreshState::Retrying }, Some(format!("{error}{action}")))
            }
            None => (if keys.due <= now { RefreshState::Due } else { RefreshState::Fresh }, None),
        },
    };
    let keys = if let Care::Keys(keys) = &care { Some(keys) } else { None };
    RefreshView {
        environment: environment.name.clone(),
        profile_name: profile.name.clone(),
        account_id: profile.account_id.clone(),
        role_name: profile.role_name.clone(),
        state,
        last_error,
        expiration: files.known.expiration(&profile.name).map(rfc3339),
        next_attempt: keys.map(|keys| rfc3339(next_attempt(attempt, keys, now).max(now))),
        ends: Some(rfc3339(kept.ends)),
    }
}
