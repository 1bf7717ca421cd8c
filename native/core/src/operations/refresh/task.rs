//! The task of this process: it looks at the clock and the files every few seconds, and needs nothing from PowerShell.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use time::{Duration, OffsetDateTime};

use crate::context::Context;
use crate::credential_refresh::{Course, Kept, Round, SessionCourse};
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::files::known_keys::upkeep::KeysToRenew;
use crate::operations::refresh::attempt::Attempt;
use crate::operations::refresh::look::{Care, Files, next_attempt};
use crate::outlet::Outlet;
use crate::protocol::SessionState;
use crate::session::memory::Memory;
use crate::session::view::view;

/// The shortest time between two looks; also the time until the first, so that a shell that ends at once does not begin anything.
const SHORTEST_NAP: std::time::Duration = std::time::Duration::from_secs(1);

/// The longest time between two looks, because no timer runs while a computer sleeps.
const LONGEST_NAP: std::time::Duration = std::time::Duration::from_secs(45);

/// A nap that took this much longer than planned was one of the computer, or the clock was set.
const SLEPT: Duration = Duration::seconds(30);

/// Renews what is due until all requests have ended.
pub(crate) async fn keep_fresh(memory: Arc<Memory>) {
    let _loss = NotesLoss(&memory);
    let mut last = LastLook::default();
    let mut nap = SHORTEST_NAP;
    loop {
        tokio::time::sleep(SHORTEST_NAP).await;
        tokio::select! {
            () = tokio::time::sleep(nap.saturating_sub(SHORTEST_NAP)) => {}
            () = memory.refresh.changed.notified() => {}
        }
        let Some(round) = memory.refresh.round() else { return };
        let look = Look { memory: &memory, round: &round };
        let next = AssertUnwindSafe(look.take(&mut last)).catch_unwind().await.ok().flatten();
        // After a panic, which is reported nowhere, the next look comes as late as possible.
        nap = next.map_or(LONGEST_NAP, |next| (next - look.now()).max(Duration::ZERO).unsigned_abs().clamp(SHORTEST_NAP, LONGEST_NAP));
    }
}

/// Lets another task start if this one is lost.
struct NotesLoss<'a>(&'a Arc<Memory>);

impl Drop for NotesLoss<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.refresh.note_loss();
        }
    }
}

/// What the look before saw.
#[derive(Default)]
struct LastLook {
    at: Option<OffsetDateTime>,
    files: Option<Files>,
    changes: u64,
    /// When something is due; `None` if nothing is.
    next: Option<OffsetDateTime>,
}

struct Look<'a> {
    memory: &'a Arc<Memory>,
    round: &'a Round,
}

impl Look<'_> {
    fn now(&self) -> OffsetDateTime {
        self.memory.time.now(self.round.world.clock.as_ref())
    }

    /// Renews what is due, and returns when something is due next.
    async fn take(&self, last: &mut LastLook) -> Option<OffsetDateTime> {
        let now = self.now();
        let has_slept = last.at.replace(now).is_some_and(|before| now - before > Duration::try_from(LONGEST_NAP).unwrap_or_default() + SLEPT);
        if has_slept {
            // What failed before may work now, and the keys may have expired in the meantime.
            self.for_each_course(Course::forget_pauses);
        }
        let Ok(files) = Files::read(&self.round.world) else {
            // A command that shows the state reports the same error.
            last.files = None;
            return None;
        };
        let is_same = last.changes == self.round.changes && last.files.as_ref().is_some_and(|before| before.are_same(&files));
        if is_same && !has_slept && !self.watches_sessions() && last.next.is_none_or(|next| next > now) {
            return last.next;
        }
        join_all(self.round.kept.iter().map(|kept| self.renew(kept, &files, now))).await;
        let files = Files::read(&self.round.world).unwrap_or(files);
        last.next = self.next(&files);
        (last.files, last.changes) = (Some(files), self.round.changes);
        last.next
    }

    fn for_each_course(&self, change: impl Fn(&mut Course)) {
        for kept in &self.round.kept {
            self.memory.refresh.change_course(&kept.environment, &change);
        }
    }

    /// Whether a login is waited for, which may come from any process.
    fn watches_sessions(&self) -> bool {
        self.round.kept.iter().any(|kept| matches!(self.memory.refresh.course(&kept.environment).session, SessionCourse::Ended { .. }))
    }

    fn environment(&self, kept: &Kept, files: &Files) -> Result<Arc<Environment>, Error> {
        files.environments.find(&kept.environment, &self.round.world)
    }

    async fn renew(&self, kept: &Kept, files: &Files, now: OffsetDateTime) {
        let Ok(environment) = self.environment(kept, files) else { return };
        self.note_login(&environment, files);
        let course = self.memory.refresh.course(&kept.environment);
        if course.left_until.is_some_and(|until| until > now) {
            return;
        }
        let keys = keys_of(kept, &environment, files, now);
        self.memory.refresh.change_course(&kept.environment, |course| course.attempts.retain(|name, _| keys.contains_key(name.as_str())));
        let is_due = |name: &str, keys: &KeysToRenew| next_attempt(course.attempts.get(name), keys, now) <= now;
        let due: BTreeMap<String, KeysToRenew> =
            keys.into_iter().filter(|(name, keys)| is_due(name, keys)).map(|(name, keys)| (name.to_owned(), keys)).collect();
        if !due.is_empty() {
            Attempt { memory: self.memory, world: &self.round.world, environment: &environment, files, due }.make().await;
        }
    }

    /// Goes on at once after a login in this process or in another one.
    fn note_login(&self, environment: &Environment, files: &Files) {
        let SessionCourse::Ended { token_expires: before, .. } = self.memory.refresh.course(&environment.name).session else { return };
        let context = Context { world: Arc::clone(&self.round.world), memory: Arc::clone(self.memory), outlet: Outlet::unheard() };
        let Ok(session) = view(&context, environment, &files.config, None) else { return };
        if matches!(session.state, SessionState::Active | SessionState::Refreshable) && session.token_expires != before {
            self.memory.refresh.note_login(&environment.name);
        }
    }

    /// When something is due next.
    fn next(&self, files: &Files) -> Option<OffsetDateTime> {
        let now = self.now();
        let of = |kept: &Kept| {
            let environment = self.environment(kept, files).ok()?;
            let course = self.memory.refresh.course(&kept.environment);
            let keys = keys_of(kept, &environment, files, now);
            let next = keys.iter().map(|(name, keys)| next_attempt(course.attempts.get(*name), keys, now)).min()?;
            Some(course.left_until.filter(|until| *until > now).map_or(next, |until| until.max(next)))
        };
        self.round.kept.iter().filter_map(of).min()
    }
}

/// The keys that the file has of the profiles that are kept fresh.
fn keys_of<'e>(kept: &Kept, environment: &'e Environment, files: &Files, now: OffsetDateTime) -> BTreeMap<&'e str, KeysToRenew> {
    let is_written = !environment.keeps_keys_out_of_file();
    let profiles = environment.profiles.iter().filter(|profile| is_written && kept.has(&profile.name));
    let with_keys = profiles.filter_map(|profile| match files.care(profile, environment, now) {
        Care::Keys(keys) => Some((profile.name.as_str(), keys)),
        Care::None | Care::Left(_) => None,
    });
    with_keys.collect()
}
