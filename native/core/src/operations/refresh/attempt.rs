//! One attempt to renew what is due of an environment.

use std::collections::BTreeMap;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::context::Context;
use crate::credential_refresh::SessionCourse;
use crate::environments::environment::Environment;
use crate::error::{Code, Error};
use crate::files::known_keys::upkeep::KeysToRenew;
use crate::files::lock::Lock;
use crate::operations::refresh::look::{Care, Files};
use crate::operations::update;
use crate::operations::update::fetch_turn::lock_ending;
use crate::outlet::Outlet;
use crate::protocol::{Event, Failed, ProfileStatus, SessionTerms, Target, Update};
use crate::session::memory::Memory;
use crate::session::view::view;
use crate::world::World;

/// What is due of one environment.
pub(super) struct Attempt<'a> {
    pub(super) memory: &'a Arc<Memory>,
    pub(super) world: &'a Arc<World>,
    pub(super) environment: &'a Environment,
    pub(super) files: &'a Files,
    pub(super) due: BTreeMap<String, KeysToRenew>,
}

/// Who makes the attempt.
enum Turn {
    /// This process; with the lock, unless somebody else has had it for too long.
    Ours(Option<Lock>),
    /// Another process that works on it, or has just done so.
    Another,
}

impl Attempt<'_> {
    /// Renews the keys, unless another process does.
    pub(super) async fn make(&self) {
        let now = self.now();
        match self.turn(now) {
            Turn::Another => self.memory.refresh.change_course(&self.environment.name, |course| course.left_until = Some(now + self.pause())),
            // The lock is kept for the attempt only, never for the wait until the next one.
            Turn::Ours(_lock) => {
                if self.is_still_due(now) {
                    self.fetch().await;
                }
            }
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.memory.time.now(self.world.clock.as_ref())
    }

    /// The shortest of the pauses between two attempts.
    fn pause(&self) -> Duration {
        self.due.values().map(|keys| keys.pause).min().unwrap_or_default()
    }

    fn turn(&self, now: OffsetDateTime) -> Turn {
        let path = self.files.credentials.beside(&lock_ending("refresh", &self.environment.name.to_lowercase()));
        match Lock::try_take(&path) {
            Ok(Some(lock)) => {
                let own = self.memory.refresh.course(&self.environment.name).noted;
                let is_others = |then: &OffsetDateTime| Some(*then) != own && *then <= now && now - *then < self.pause();
                if lock.noted().as_ref().is_some_and(is_others) {
                    return Turn::Another;
                }
                // Before the attempt, so that it counts even if this process is killed.
                lock.note(now);
                let noted = lock.noted();
                self.memory.refresh.change_course(&self.environment.name, |course| course.noted = noted);
                Turn::Ours(Some(lock))
            }
            // A process that was suspended in the middle would keep the lock; to fetch twice is better than to let keys expire.
            Ok(None) if !self.due.values().any(|keys| keys.expiration.is_none_or(|end| end - now < keys.margin / 2)) => Turn::Another,
            // A folder that cannot be written to is reported by the attempt.
            Ok(None) | Err(_) => Turn::Ours(None),
        }
    }

    /// Whether any of the keys are still as they were before the lock was taken.
    fn is_still_due(&self, now: OffsetDateTime) -> bool {
        let Ok(files) = Files::read(self.world) else { return true };
        self.environment
            .profiles
            .iter()
            .filter(|profile| self.due.contains_key(&profile.name))
            .any(|profile| matches!(files.care(profile, self.environment, now), Care::Keys(keys) if keys.due <= now))
    }

    async fn fetch(&self) {
        let context = Context::in_background(self.world, self.memory, Outlet::overheard());
        let session = SessionTerms::default().without_user("a refresh in the background has nobody to ask");
        let target = Target { environment: self.environment.name.clone(), profiles: Some(self.due.keys().cloned().collect()) };
        let wanted = Update {
            is_named: false,
            targets: vec![target],
            force: false,
            minimum_remaining: 0,
            replace_keys: false,
            session,
            throttle_limit: 16,
            report_profiles: true,
            expose_token: false,
        };
        match update::renew(wanted, &context) {
            Ok(Some(work)) => work.await,
            Ok(None) => {}
            Err(error) => context.outlet.fail(&error, true),
        }
        let events: Vec<Event> = context.outlet.heard().into();
        self.note_outcome(&events, &context);
    }

    fn note_outcome(&self, events: &[Event], context: &Context) {
        let failures: Vec<&Failed> = events.iter().filter_map(|event| if let Event::Failed(failed) = event { Some(failed) } else { None }).collect();
        let renewed = |name: &str| events.iter().any(|event| matches!(event, Event::Profile(row) if row.profile_name == name && is_good(row.status)));
        let errors: BTreeMap<&str, Option<Arc<Error>>> = {
            let general = failures.iter().find(|failed| !self.due.contains_key(failed.target.as_deref().unwrap_or_default())).copied();
            let general = general.map(|failed| Arc::new(error_of(failed)));
            let of = |name: &str| failures.iter().find(|failed| failed.target.as_deref() == Some(name)).map(|failed| Arc::new(error_of(failed)));
            let names = self.due.keys().map(String::as_str);
            names.map(|name| (name, if renewed(name) { None } else { of(name).or_else(|| general.clone()).or_else(|| Some(Arc::new(unknown()))) })).collect()
        };
        let is_ended = failures.iter().any(|failed| failed.code == Code::LoginRequired);
        let any_renewed = errors.values().any(Option::is_none);
        let token_expires = if is_ended { self.token_expires(context) } else { None };
        let now = self.now();
        self.memory.refresh.change_course(&self.environment.name, |course| {
            for (name, error) in errors {
                course.note_attempt(name, now, error);
            }
            match &mut course.session {
                SessionCourse::Ended { token_expires: before, .. } if is_ended => *before = token_expires,
                session if is_ended => *session = SessionCourse::Ended { token_expires, is_told: false },
                session if any_renewed => *session = SessionCourse::Usable,
                _ => {}
            }
        });
    }

    fn token_expires(&self, context: &Context) -> Option<String> {
        view(context, self.environment, &self.files.config, None).ok().and_then(|session| session.token_expires)
    }
}

/// Whether a profile has good keys after the attempt.
fn is_good(status: ProfileStatus) -> bool {
    matches!(status, ProfileStatus::Created | ProfileStatus::Refreshed | ProfileStatus::StillValid)
}

fn error_of(failed: &Failed) -> Error {
    let error = Error::new(failed.code, &failed.message);
    match &failed.action {
        Some(action) => error.with_action(action),
        None => error,
    }
}

fn unknown() -> Error {
    Error::new(Code::InternalError, "The attempt ended without a result.")
}
