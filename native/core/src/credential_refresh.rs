//! What this process keeps fresh in the credentials file: which runspaces asked for that and until when, and how it goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

use crate::error::{Code, Error};
use crate::mutex::locked;
use crate::protocol::{Caller, Target};
use crate::world::World;

/// The most requests of all runspaces together; beyond this, the one whose last command is the oldest ends.
const MOST_REQUESTS: usize = 1024;

/// What this process keeps fresh.
#[derive(Debug, Default)]
pub(crate) struct CredentialRefresh {
    state: Mutex<State>,
    /// A command came, or what is wanted has changed.
    pub(crate) changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    /// The surroundings of the last command.
    world: Option<Arc<World>>,
    /// How it goes, by the environment's name in lowercase.
    courses: BTreeMap<String, Course>,
    is_running: bool,
    /// Counts what changes the plan of the task.
    changes: u64,
}

/// What a runspace wants of one environment.
#[derive(Debug)]
struct Request {
    runspace: String,
    environment: String,
    wanted: Wanted,
    /// How long it lasts after the last command of the runspace.
    duration: Duration,
    last_command: OffsetDateTime,
    /// When it ends even earlier, unless there is another command.
    released: Option<OffsetDateTime>,
}

/// The profiles of an environment that are kept fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    AllBut(BTreeSet<String>),
    Only(BTreeSet<String>),
}

/// One environment that is kept fresh, for all runspaces together.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) environment: String,
    wanted: Vec<Wanted>,
    /// When the last of the requests ends if no other command follows.
    pub(crate) ends: OffsetDateTime,
}

/// What there is to do now.
pub(crate) struct Round {
    pub(crate) world: Arc<World>,
    pub(crate) kept: Vec<Kept>,
    pub(crate) changes: u64,
}

/// How the refresh of one environment goes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Course {
    /// The last attempt for each profile that had one.
    pub(crate) attempts: BTreeMap<String, Attempt>,
    pub(crate) session: SessionCourse,
    /// Until when another process is left to do the work.
    pub(crate) left_until: Option<OffsetDateTime>,
    /// The time that this process noted last in the lock file.
    pub(crate) noted: Option<OffsetDateTime>,
}

/// The last attempt to renew the keys of a profile.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) at: OffsetDateTime,
    /// How many attempts have failed in a row.
    pub(crate) failures: u32,
    pub(crate) error: Option<Arc<Error>>,
}

/// Whether there is a session to renew keys with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum SessionCourse {
    /// As far as is known.
    #[default]
    Usable,
    Ended {
        /// When the token expires that could not be used.
        token_expires: Option<String>,
        /// Whether a user was told.
        is_told: bool,
    },
}

impl Wanted {
    fn of(profiles: Option<&[String]>) -> Self {
        profiles.map_or_else(|| Self::AllBut(BTreeSet::new()), |names| Self::Only(names.iter().cloned().collect()))
    }

    fn has(&self, profile: &str) -> bool {
        match self {
            Self::AllBut(names) => !names.contains(profile),
            Self::Only(names) => names.contains(profile),
        }
    }

    fn add(&mut self, profiles: Option<&[String]>) {
        match (self, profiles) {
            (wanted, None) => *wanted = Self::of(None),
            (Self::AllBut(names), Some(profiles)) => names.retain(|name| !profiles.contains(name)),
            (Self::Only(names), Some(profiles)) => names.extend(profiles.iter().cloned()),
        }
    }

    /// Returns whether anything is left.
    fn remove(&mut self, profiles: Option<&[String]>) -> bool {
        match (self, profiles) {
            (_, None) => false,
            (Self::AllBut(names), Some(profiles)) => {
                names.extend(profiles.iter().cloned());
                true
            }
            (Self::Only(names), Some(profiles)) => {
                names.retain(|name| !profiles.contains(name));
                !names.is_empty()
            }
        }
    }
}

impl Kept {
    pub(crate) fn has(&self, profile: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted.has(profile))
    }

    /// The profiles that are kept fresh by their names.
    pub(crate) fn named(&self) -> BTreeSet<&str> {
        let named = self.wanted.iter().filter_map(|wanted| if let Wanted::Only(names) = wanted { Some(names) } else { None });
        named.flatten().map(String::as_str).collect()
    }
}

impl Course {
    /// Notes an attempt for a profile, with the error if it failed. A session that ended is no reason for longer pauses: a login can come at any time.
    pub(crate) fn note_attempt(&mut self, profile: &str, at: OffsetDateTime, error: Option<Arc<Error>>) {
        let before = self.attempts.get(profile).map_or(0, |attempt| attempt.failures);
        let failures = match &error {
            None => 0,
            Some(error) if error.code() == Code::LoginRequired => 1,
            Some(_) => before.saturating_add(1),
        };
        self.attempts.insert(profile.to_owned(), Attempt { at, failures, error });
    }

    /// Lets the next attempt come at once.
    pub(crate) fn forget_pauses(&mut self) {
        self.left_until = None;
        for attempt in self.attempts.values_mut() {
            (attempt.at, attempt.failures) = (OffsetDateTime::UNIX_EPOCH, 0);
        }
    }
}

impl Request {
    fn ends(&self) -> OffsetDateTime {
        let end = self.last_command.saturating_add(self.duration);
        self.released.map_or(end, |released| released.min(end))
    }

    fn is(&self, runspace: &str, environment: &str) -> bool {
        self.runspace == runspace && key(&self.environment) == key(environment)
    }
}

impl State {
    fn kept(&self) -> Vec<Kept> {
        let mut kept: Vec<Kept> = Vec::new();
        for request in &self.requests {
            match kept.iter_mut().find(|kept| key(&kept.environment) == key(&request.environment)) {
                Some(kept) => {
                    kept.wanted.push(request.wanted.clone());
                    kept.ends = kept.ends.max(request.ends());
                }
                None => kept.push(Kept { environment: request.environment.clone(), wanted: vec![request.wanted.clone()], ends: request.ends() }),
            }
        }
        kept
    }

    fn end_what_is_over(&mut self, now: OffsetDateTime) {
        for request in &mut self.requests {
            // After a clock was set back, the time would start only when it is as late again.
            request.last_command = request.last_command.min(now);
        }
        self.keep_requests(|request| request.ends() > now);
    }

    /// Keeps only these requests, and what belongs to them.
    fn keep_requests(&mut self, is_kept: impl FnMut(&mut Request) -> bool) {
        self.requests.retain_mut(is_kept);
        let kept: BTreeSet<String> = self.requests.iter().map(|request| key(&request.environment)).collect();
        self.courses.retain(|environment, _| kept.contains(environment));
    }

    /// Uses the surroundings of a command from now on. Its folder counts only if its runspace asked for something, because each runspace has its own.
    fn adopt(&mut self, world: &World, is_of_owner: bool) {
        let is_right = is_of_owner && !world.directory.as_os_str().is_empty();
        let directory = self.world.as_ref().filter(|_| !is_right).map_or_else(|| world.directory.clone(), |before| before.directory.clone());
        self.world = Some(Arc::new(World { directory, given: Vec::new(), caller: None, verbose: false, ..World::clone(world) }));
    }
}

impl CredentialRefresh {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Adds what a runspace wants. Returns whether the task has to be started; see [`Self::claim_task`].
    pub(crate) fn start(&self, runspace: &str, targets: &[Target], duration: Duration, world: &World) -> bool {
        let now = world.clock.now();
        let mut state = self.state();
        for target in targets {
            let profiles = target.profiles.as_deref();
            match state.requests.iter_mut().find(|request| request.is(runspace, &target.environment)) {
                Some(request) => {
                    request.wanted.add(profiles);
                    request.duration = duration;
                    (request.last_command, request.released) = (now, None);
                }
                None => state.requests.push(Request {
                    runspace: runspace.to_owned(),
                    environment: target.environment.clone(),
                    wanted: Wanted::of(profiles),
                    duration,
                    last_command: now,
                    released: None,
                }),
            }
        }
        let surplus = state.requests.len().saturating_sub(MOST_REQUESTS);
        state.requests.sort_by_key(|request| request.last_command);
        state.requests.drain(..surplus);
        state.adopt(world, true);
        state.changes += 1;
        self.changed.notify_one();
        !state.requests.is_empty() && !state.is_running
    }

    /// Whether the caller is the one who starts the task, which counts as running from now on.
    pub(crate) fn claim_task(&self) -> bool {
        !std::mem::replace(&mut self.state().is_running, true)
    }

    /// Ends what a runspace asked for: the targets, or everything if there are none. Returns the environments of which it had asked for something.
    pub(crate) fn stop(&self, runspace: &str, targets: &[Target]) -> Vec<String> {
        let mut stopped = Vec::new();
        let mut state = self.state();
        state.keep_requests(|request| {
            let mut meant = targets.iter().filter(|target| key(&target.environment) == key(&request.environment)).peekable();
            if request.runspace != runspace || (!targets.is_empty() && meant.peek().is_none()) {
                return true;
            }
            stopped.push(request.environment.clone());
            !targets.is_empty() && meant.all(|target| request.wanted.remove(target.profiles.as_deref()))
        });
        state.changes += 1;
        self.changed.notify_one();
        stopped
    }

    /// Ends everything that a runspace asked for after this time, unless another command follows.
    pub(crate) fn stop_later(&self, runspace: &str, grace: Duration, now: OffsetDateTime) {
        for request in self.state().requests.iter_mut().filter(|request| request.runspace == runspace) {
            request.released = Some(now.saturating_add(grace));
        }
    }

    /// Notes a command: the time of its runspace starts again, and the task goes on with its variables. Returns the environments whose session has ended
    /// since the last command that could be told.
    pub(crate) fn note_command(&self, caller: &Caller, world: &World) -> Vec<String> {
        let now = world.clock.now();
        let mut state = self.state();
        if state.requests.is_empty() {
            return Vec::new();
        }
        let mut own = BTreeMap::new();
        for request in state.requests.iter_mut().filter(|request| request.runspace == caller.runspace) {
            (request.last_command, request.released) = (now, None);
            own.insert(key(&request.environment), request.environment.clone());
        }
        state.adopt(world, !own.is_empty());
        self.changed.notify_one();
        let mut ended = Vec::new();
        for (key, environment) in own.into_iter().filter(|_| caller.is_told) {
            if let Some(SessionCourse::Ended { is_told, .. }) = state.courses.get_mut(&key).map(|course| &mut course.session)
                && !std::mem::replace(is_told, true)
            {
                ended.push(environment);
            }
        }
        ended
    }

    /// Notes a login: what failed before is tried again at once, and nobody needs to be told that there was no session.
    pub(crate) fn note_login(&self, environment: &str) {
        self.change_course(environment, |course| {
            course.session = SessionCourse::Usable;
            course.forget_pauses();
        });
        self.state().changes += 1;
        self.changed.notify_one();
    }

    /// Notes that a user ended the session of an environment, so that nobody needs to be told.
    pub(crate) fn note_logout(&self, environment: &str) {
        let mut state = self.state();
        if state.requests.iter().any(|request| key(&request.environment) == key(environment)) {
            let course = state.courses.entry(key(environment)).or_default();
            course.session = SessionCourse::Ended { token_expires: None, is_told: true };
        }
    }

    /// What there is to do now; `None` if all requests have ended, and then the task counts as ended, too.
    pub(crate) fn round(&self) -> Option<Round> {
        let mut state = self.state();
        let world = state.world.clone();
        if let Some(world) = &world {
            state.end_what_is_over(world.clock.now());
        }
        let round = world.filter(|_| !state.requests.is_empty()).map(|world| Round { world, kept: state.kept(), changes: state.changes });
        if round.is_none() {
            *state = State::default();
        }
        round
    }

    /// What is kept fresh at this time.
    pub(crate) fn kept(&self, now: OffsetDateTime) -> Vec<Kept> {
        let mut state = self.state();
        state.end_what_is_over(now);
        state.kept()
    }

    /// How the refresh of an environment goes.
    pub(crate) fn course(&self, environment: &str) -> Course {
        self.state().courses.get(&key(environment)).cloned().unwrap_or_default()
    }

    /// Changes how the refresh of an environment goes, as long as it is kept fresh.
    pub(crate) fn change_course(&self, environment: &str, change: impl FnOnce(&mut Course)) {
        let mut state = self.state();
        if state.requests.iter().any(|request| key(&request.environment) == key(environment)) {
            change(state.courses.entry(key(environment)).or_default());
        }
    }

    /// Notes that the task was lost, so that the next request starts another one.
    pub(crate) fn note_loss(&self) {
        self.state().is_running = false;
    }
}

fn key(environment: &str) -> String {
    environment.to_lowercase()
}
