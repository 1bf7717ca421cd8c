//! Sessions: one per token file, or per environment where tokens are kept in memory, shared by all runs of the process.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::assignments::Known;
use crate::config_file::{ConfigFile, SsoSession};
use crate::credentials_file::{KnownProfiles, rfc3339};
use crate::environment::{Environment, Environments, requested_url, same_name};
use crate::error::{Code, Error};
use crate::file_memory::FileMemory;
use crate::login::{Login, NoLogin, after};
use crate::pkce::Callback;
use crate::protocol::{Event, LoginMethod, SessionState, SessionTerms, SessionView, TokenCache, TokenView, Waiting};
use crate::regions;
use crate::run::Outlet;
use crate::safe_write::Patience;
use crate::secret::{Secret, is_plain};
use crate::service::{Grant, Refusal, Service, Services};
use crate::time_limit::TimeLimit;
use crate::token_cache::{ACCOUNT_ACCESS, Registration, Token, TokenFiles, TokenLock};
use crate::update::DEFAULT_TIMEOUT;
use crate::warned::Warned;
use crate::world::{Clock, World};

/// A token is refreshed when less than this is left, as the AWS CLI does.
const REFRESH_WINDOW: time::Duration = time::Duration::minutes(15);

/// The least time between two tries to refresh one token.
const REFRESH_SPACING: Duration = Duration::from_secs(30);

/// How many refresh tokens of one session are tried: another program may have put a new one in place, and other spellings of the start URL have theirs.
const MOST_REFRESHES: usize = 3;

/// How long a run that may not log in waits for one that may be doing so.
const REFRESH_WAIT: Duration = Duration::from_secs(10);

/// A difference of the clocks that the user should know of.
const CLOCK_WARNING: time::Duration = time::Duration::seconds(60);

/// What this process remembers between runs.
#[derive(Debug, Default)]
pub struct Memory {
    sessions: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<State>>>>,
    /// When the session of an environment ends, by its name in small letters.
    ends: Mutex<HashMap<String, OffsetDateTime>>,
    heard: Mutex<Option<Heard>>,
    clock_warned: Mutex<bool>,
    /// The profiles whose other meaning in the AWS config file was warned of.
    pub(crate) warned_of_config: Warned,
    /// The folders that every user can write to, and that were warned of.
    pub(crate) warned_of_folders: Warned,
    /// The profiles whose names some AWS tools misread, and that were warned of.
    pub(crate) warned_of_names: Warned,
    /// The profiles whose keys never last as long as is asked for, and that were warned of.
    pub(crate) warned_of_short_keys: Warned,
    /// The regions of environments for one run that were warned of.
    warned_of_regions: Warned,
    pub(crate) credentials: FileMemory<KnownProfiles>,
    pub(crate) environments: FileMemory<Environments>,
    pub(crate) config: FileMemory<ConfigFile>,
    pub(crate) known: FileMemory<Known>,
    pub(crate) services: Services,
}

/// What a server's answer told of its clock, and when.
#[derive(Debug, Clone, Copy)]
struct Heard {
    difference: time::Duration,
    local: OffsetDateTime,
    at: Instant,
}

impl Heard {
    /// Whether the machine's clock has only run on since then. Where it was set, the difference is of no use any more.
    fn holds(&self, local: OffsetDateTime) -> bool {
        let passed = time::Duration::try_from(self.at.elapsed()).unwrap_or(time::Duration::MAX);
        ((local - self.local).saturating_sub(passed)).abs() <= CLOCK_WARNING
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    /// The lock of the token's files.
    TokenFiles(PathBuf),
    Name(String),
}

#[derive(Debug, Default)]
struct State {
    /// The token where it is kept in memory, or where its file could not be written.
    token: Option<Token>,
    registration: Option<Registration>,
    last_refresh: Option<Instant>,
    /// The marks of the refresh tokens that the service refused.
    refused: HashSet<String>,
}

impl State {
    fn is_refused(&self, token: &Token) -> bool {
        token.refresh_mark().is_some_and(|mark| token.refused.as_ref() == Some(&mark) || self.refused.contains(&mark))
    }

    /// The tokens of a session, the one to use first: that of its own file or, where that one could not be written and so lasts longer, that in memory;
    /// then those under other spellings of the start URL.
    /// Those are read only where the first ones are not enough.
    fn tokens(&self, files: Option<&TokenFiles>) -> impl Iterator<Item = Token> {
        let by_end = |mut tokens: Vec<Token>| {
            tokens.sort_by_key(|token| std::cmp::Reverse(token.expires_at));
            tokens
        };
        let own = by_end([files.and_then(TokenFiles::read_token), self.token.clone()].into_iter().flatten().collect());
        let others = std::iter::once_with(move || by_end(files.map(TokenFiles::read_other_tokens).unwrap_or_default()));
        own.into_iter().chain(others.flatten())
    }
}

impl Memory {
    /// The memory that all runs of this process share.
    #[must_use]
    pub fn of_this_process() -> Arc<Self> {
        static MEMORY: LazyLock<Arc<Memory>> = LazyLock::new(Arc::default);
        Arc::clone(&MEMORY)
    }

    fn slot(&self, key: Key) -> Arc<tokio::sync::Mutex<State>> {
        Arc::clone(self.sessions.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }

    /// When the session of an environment ends, where this process has had one.
    pub(crate) fn session_end(&self, environment: &str) -> Option<OffsetDateTime> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).get(&environment.to_lowercase()).copied()
    }

    fn remember_end(&self, environment: &str, end: OffsetDateTime) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(environment.to_lowercase(), end);
    }

    fn forget_end(&self, environment: &str) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).remove(&environment.to_lowercase());
    }

    /// Warns once of each region that was given for a run and that AWS is not known to have.
    pub(crate) fn warn_of_given_regions(&self, world: &World, outlet: &Outlet) {
        for region in world.given.iter().filter_map(|given| given.region.as_deref()) {
            if self.warned_of_regions.is_first(region) {
                regions::warn_if_unknown(region, outlet);
            }
        }
    }

    /// The server's time as far as this process has heard it, else the machine's.
    pub(crate) fn now(&self, clock: &dyn Clock) -> OffsetDateTime {
        let local = clock.now();
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).filter(|heard| heard.holds(local));
        heard.and_then(|heard| local.checked_add(heard.difference)).unwrap_or(local)
    }

    /// Takes over what a service's answers told of its clock, and warns once where the machine's is far off.
    pub(crate) fn hear(&self, world: &World, service: &Service, outlet: &Outlet) {
        let difference = service.clock().difference();
        let heard = difference.map(|difference| Heard { difference, local: world.clock.now(), at: Instant::now() });
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = heard;
        let Some(difference) = difference.filter(|difference| difference.abs() > CLOCK_WARNING) else { return };
        let mut warned = self.clock_warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *warned, true) {
            let direction = if difference.is_positive() { "behind" } else { "ahead of" };
            outlet.warn(format!(
                "This machine's clock is {} s {direction} that of AWS; set it right, since other tools go by it.",
                difference.whole_seconds().abs()
            ));
        }
    }
}

/// A session that is good now.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access_token: Secret,
}

/// Where and how an environment's session is to be had.
pub(crate) struct SessionSource<'a> {
    pub(crate) world: &'a World,
    pub(crate) outlet: &'a Outlet,
    pub(crate) environment: &'a Environment,
    pub(crate) service: &'a Service,
    /// The files of the AWS CLI's cache; absent where tokens are kept in memory.
    pub(crate) files: Option<TokenFiles>,
    /// Why there is no session for this environment, whatever the service says.
    pub(crate) conflict: Option<Error>,
    pub(crate) terms: &'a SessionTerms,
    pub(crate) time: TimeLimit,
}

/// The cache files of an environment, under the names that the AWS CLI would use; none where its tokens are kept in memory.
///
/// # Errors
/// The `sso_session` that the environment names is one of another portal in the AWS config file: its files are not this environment's to read or to write.
pub(crate) fn token_files(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Result<Option<TokenFiles>, Error> {
    if token_cache == TokenCache::Memory {
        return Ok(None);
    }
    let session = match &environment.sso_session {
        Some(name) => config.session(name).map(|session| of_same_portal(session, environment, config)).transpose()?,
        None => config.session_for(&environment.start_url, &environment.region),
    };
    Ok(TokenFiles::of(world, environment, session, &spellings(world, environment, config)))
}

/// The session of the config file where it is of the environment's portal.
fn of_same_portal<'s>(session: &'s SsoSession, environment: &Environment, config: &ConfigFile) -> Result<&'s SsoSession, Error> {
    if environment.is_at(&session.start_url, &session.region) {
        return Ok(session);
    }
    let Environment { name, start_url, region, source, .. } = environment;
    let what = format!(
        "The environment {name} in {} has the start URL {start_url} in {region} and names the sso_session {}, which has {} in {} in {}.",
        source.display(),
        session.name,
        session.start_url,
        session.region,
        config.path.display()
    );
    Err(Error::new(Code::EnvironmentInvalid, what)
        .with_target(name)
        .with_action(format!("Correct the start URL and the region of {name}, or remove its line sso_session.")))
}

/// The start URLs that lead to the portal of an environment and are written differently in another one.
fn spellings(world: &World, environment: &Environment, config: &ConfigFile) -> Vec<String> {
    let stored = Environments::read(world).ok();
    let stored = stored.iter().flat_map(|stored| &stored.all).map(|other| (&other.start_url, &other.region));
    let configured = config.environments.iter().filter_map(|found| found.outcome.as_ref().ok()).map(|other| (&other.start_url, &other.region));
    stored.chain(configured).filter(|(start_url, region)| environment.is_at(start_url, region)).map(|(start_url, _)| start_url.clone()).collect()
}

/// The tokens of a session as they are now; where a login goes on, those of the files.
fn tokens_now(slot: &tokio::sync::Mutex<State>, files: Option<&TokenFiles>) -> Vec<(Token, bool)> {
    let with_refusal = |state: &State| {
        let with_refusal = |token| {
            let refused = state.is_refused(&token);
            (token, refused)
        };
        state.tokens(files).map(with_refusal).collect()
    };
    match slot.try_lock() {
        Ok(state) => with_refusal(&state),
        Err(_) => with_refusal(&State::default()),
    }
}

fn key_of(files: Option<&TokenFiles>, environment: &Environment) -> Key {
    match files {
        Some(files) => Key::TokenFiles(files.lock_path()),
        None => Key::Name(environment.name.to_lowercase()),
    }
}

/// The access token of an environment as it is now, for who asked for it.
///
/// # Errors
/// See [`token_files`].
pub(crate) fn exposed(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Result<Option<TokenView>, Error> {
    let files = token_files(world, environment, config, token_cache)?;
    let slot = world.memory.slot(key_of(files.as_ref(), environment));
    let now = world.memory.now(world.clock.as_ref());
    Ok(tokens_now(&slot, files.as_ref()).into_iter().find_map(|(token, _)| {
        let left = u64::try_from((token.expires_at - now).whole_seconds()).ok().filter(|left| *left > 0)?;
        Some(TokenView::new(&environment.name, token.access_token.reveal(), left))
    }))
}

/// How the session of an environment stands, without any network call; it does not wait for a login that goes on.
///
/// # Errors
/// See [`token_files`].
pub(crate) fn view(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Result<SessionView, Error> {
    let files = token_files(world, environment, config, token_cache)?;
    let slot = world.memory.slot(key_of(files.as_ref(), environment));
    let now = world.memory.now(world.clock.as_ref());
    let is_refreshable = |(token, refused): &(Token, bool)| !refused && token.refresh_with(now).is_some();
    let tokens = tokens_now(&slot, files.as_ref());
    let chosen = tokens.iter().find(|(token, _)| token.expires_at > now).or_else(|| tokens.iter().find(|token| is_refreshable(token))).or(tokens.first());
    let refreshable = chosen.is_some_and(is_refreshable);
    let token = chosen.map(|(token, _)| token);
    let client = token.and_then(|token| token.registration.as_ref());
    let state = match token {
        None => SessionState::None,
        Some(token) if token.expires_at > now => SessionState::Active,
        Some(_) if refreshable => SessionState::Refreshable,
        Some(_) => SessionState::Ended,
    };
    Ok(SessionView {
        environment: environment.name.clone(),
        start_url: environment.start_url.clone(),
        region: environment.region.clone(),
        state,
        token_expires: token.map(|token| rfc3339(token.expires_at)),
        refreshable,
        registration_expires: client.and_then(|client| client.expires_at).map(rfc3339),
        token_cache,
        path: files.as_ref().zip(token).map(|(files, token)| files.path_of(token).display().to_string()),
    })
}

impl<'a> SessionSource<'a> {
    /// The session of an environment on these terms, its token kept where they or the environment say.
    pub(crate) fn of(
        world: &'a World,
        outlet: &'a Outlet,
        environment: &'a Environment,
        service: &'a Service,
        config: &ConfigFile,
        terms: &'a SessionTerms,
    ) -> Self {
        let (files, conflict) = match token_files(world, environment, config, terms.token_cache.unwrap_or(environment.token_cache)) {
            Ok(files) => (files, None),
            Err(error) => (None, Some(error)),
        };
        Self { world, outlet, environment, service, files, conflict, terms, time: TimeLimit::of(terms) }
    }
}

impl SessionSource<'_> {
    fn key(&self) -> Key {
        key_of(self.files.as_ref(), self.environment)
    }

    /// Ends the session: at the service, in its file and in memory. The client registration stays, as the AWS CLI leaves it.
    pub(crate) async fn disconnect(&self) -> Result<bool, NoLogin> {
        self.world.memory.services.warn_of_skipped_proxies(self.service, self.outlet);
        let slot = self.world.memory.slot(self.key());
        let mut state = match slot.try_lock() {
            Ok(state) => state,
            Err(_) => self.wait_for(&slot).await?,
        };
        if state.tokens(self.files.as_ref()).next().is_none() {
            return Ok(false);
        }
        let lock = match &self.files {
            Some(files) => Some(self.take_lock(files).await?),
            None => None,
        };
        // Another process may have ended it, or renewed it, while this one waited.
        let tokens: Vec<Token> = state.tokens(self.files.as_ref()).collect();
        for token in &tokens {
            self.end_at_service(token).await?;
            if let (Some(files), Some(lock)) = (&self.files, &lock) {
                files.remove_token(lock, token)?;
            }
        }
        state.token = None;
        self.world.memory.forget_end(&self.environment.name);
        Ok(!tokens.is_empty())
    }

    async fn end_at_service(&self, token: &Token) -> Result<(), NoLogin> {
        self.tell_wait("The service is ending the session of");
        let outcome = self.within(REFRESH_WAIT, self.service.logout(&token.access_token)).await?;
        self.world.memory.hear(self.world, self.service, self.outlet);
        match outcome {
            // It had ended there already.
            Ok(()) => {}
            Err(refusal) if refusal.ends_session() => {}
            // What is left on this machine goes all the same: that is what the user wants most.
            Err(refusal) => {
                let error = self.service.error(&refusal, true);
                self.outlet.warn(format!("The session of {} was removed from this machine, but not ended at the service: {error}", self.environment.name));
            }
        }
        Ok(())
    }

    /// What bounds a login besides the end of its code, and each wait for another's, where the user gave it.
    fn timeout(&self) -> Option<Duration> {
        self.time.for_session()
    }

    fn now(&self) -> OffsetDateTime {
        self.world.memory.now(self.world.clock.as_ref())
    }

    /// A session: the one that is there, a refreshed one, or a new one after a login.
    pub(crate) async fn session(&self) -> Result<Session, NoLogin> {
        self.obtain(None, true).await
    }

    /// A session in place of one that the service refused (401), by a refresh where that is still allowed, else by a login.
    pub(crate) async fn renewed(&self, refused: &Secret, refresh: bool) -> Result<Session, NoLogin> {
        self.obtain(Some(refused), refresh).await
    }

    async fn obtain(&self, refused: Option<&Secret>, may_refresh: bool) -> Result<Session, NoLogin> {
        if let Some(conflict) = &self.conflict {
            return Err(conflict.clone().into());
        }
        self.world.memory.services.warn_of_skipped_proxies(self.service, self.outlet);
        let slot = self.world.memory.slot(self.key());
        let mut state = match slot.try_lock() {
            Ok(state) => state,
            Err(_) => self.wait_for(&slot).await?,
        };
        let fresh = |state: &State| state.tokens(self.files.as_ref()).find(|token| self.is_fresh(token, refused));
        if let Some(token) = fresh(&state) {
            return Ok(self.use_token(&token, "The session of the cache is still good"));
        }
        let lock = self.lock().await?;
        // Another process may have refreshed or logged in while this one waited.
        if let Some(token) = fresh(&state) {
            return Ok(self.use_token(&token, "Another process has renewed the session"));
        }
        let good = state.tokens(self.files.as_ref()).find(|token| self.is_good(token, refused));
        // Only a session that is still good can wait; without one, the other way is to ask somebody to log in.
        let rested = good.is_none() || state.last_refresh.is_none_or(|last| last.elapsed() >= REFRESH_SPACING);
        let mut dead_client = None;
        if may_refresh && rested {
            match self.refresh(&mut state, lock.as_ref(), refused, good.is_some()).await? {
                Refreshed::Token(token, how) => return Ok(self.use_token(&token, how)),
                Refreshed::Failed(refusal) if good.is_none() => return Err(self.service.error(&refusal, false).with_target(&self.environment.name).into()),
                Refreshed::Failed(_) => self.outlet.verbose("The session could not be refreshed this time; it is still good and is used."),
                Refreshed::Ended { dead_client: client } => dead_client = client,
            }
        }
        if let Some(token) = good {
            return Ok(self.use_token(&token, "The session is still good"));
        }
        if let Some(token) = self.given(refused) {
            // Somebody's own way of keeping it: it is not written anywhere.
            state.token = Some(token.clone());
            return Ok(self.use_token(&token, "The token that was given is used"));
        }
        let token = self.log_in(&mut state, lock.as_ref(), dead_client.as_deref()).await?;
        Ok(self.use_token(&token, "The login was approved"))
    }

    /// The token that the caller has for this environment, where it is good and was not refused.
    fn given(&self, refused: Option<&Secret>) -> Option<Token> {
        let given = self.world.given.iter().find(|given| same_name(&given.name, &self.environment.name))?.token.as_ref()?;
        let token = Token {
            access_token: Some(given.access_token.clone()).filter(|token| is_plain(token.reveal()))?,
            expires_at: OffsetDateTime::from_unix_timestamp(given.expires_at).ok()?,
            refresh_token: None,
            registration: None,
            other_file: None,
            refused: None,
        };
        (token.expires_at > self.now() && refused.is_none_or(|refused| *refused != token.access_token)).then_some(token)
    }

    /// Good for longer than the window in which it would be refreshed, and not the one that was refused.
    fn is_fresh(&self, token: &Token, refused: Option<&Secret>) -> bool {
        token.expires_at - self.now() > REFRESH_WINDOW && self.is_good(token, refused)
    }

    fn is_good(&self, token: &Token, refused: Option<&Secret>) -> bool {
        token.expires_at > self.now() && refused.is_none_or(|refused| *refused != token.access_token)
    }

    fn use_token(&self, token: &Token, how: &str) -> Session {
        self.world.memory.remember_end(&self.environment.name, token.expires_at);
        self.outlet.verbose(format!("{}: {how}; it ends at {}.", self.environment.name, rfc3339(token.expires_at)));
        Session { access_token: token.access_token.clone() }
    }

    /// Waits while another run of this process refreshes or logs in.
    async fn wait_for<'s>(&self, slot: &'s tokio::sync::Mutex<State>) -> Result<tokio::sync::MutexGuard<'s, State>, NoLogin> {
        self.tell_wait("Another run in this PowerShell is logging in to");
        let limit = async {
            match self.wait_limit() {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            state = slot.lock() => Ok(state),
            () = self.outlet.cancel_token().cancelled() => Err(NoLogin::Cancelled),
            () = limit => Err(Error::new(Code::FileLocked, format!("Another run in this PowerShell has been logging in to {} all the time.", self.environment.name))
                .with_target(&self.environment.name)
                .with_action("Approve that login, then run the command again.")
                .into()),
        }
    }

    /// Keeps the other processes out while this one refreshes or logs in; where the folder cannot be written there are none to keep out.
    async fn lock(&self) -> Result<Option<TokenLock>, NoLogin> {
        let Some(files) = &self.files else { return Ok(None) };
        match self.take_lock(files).await {
            Ok(lock) => Ok(Some(lock)),
            Err(NoLogin::Failed(error)) if error.code() == Code::WriteFailed => {
                self.outlet.warn(format!("The session is kept in this PowerShell only: {error}"));
                Ok(None)
            }
            Err(no_lock) => Err(no_lock),
        }
    }

    async fn take_lock(&self, files: &TokenFiles) -> Result<TokenLock, NoLogin> {
        let patience = Patience::new(self.wait_limit(), self.outlet.cancel_token().clone());
        match files.lock(&patience, || self.tell_wait("Another process is logging in to")).await {
            Err(_) if self.outlet.cancel_token().is_cancelled() => Err(NoLogin::Cancelled),
            outcome => Ok(outcome?),
        }
    }

    /// How long another's login is waited for: as long as it takes where this run would ask somebody itself, else only as long as a refresh takes.
    fn wait_limit(&self) -> Option<Duration> {
        if self.terms.login { self.timeout() } else { Some(self.timeout().unwrap_or(REFRESH_WAIT)) }
    }

    fn tell_wait(&self, what: &str) {
        let text = format!("{what} {}", self.environment.name);
        self.outlet.send(Event::Waiting(Waiting { environment: self.environment.name.clone(), text, seconds_left: None }));
    }

    /// Runs a request until it is answered, the time is up or the run is cancelled.
    async fn within<T>(&self, limit: Duration, request: impl Future<Output = Result<T, Refusal>>) -> Result<Result<T, Refusal>, NoLogin> {
        tokio::select! {
            outcome = request => Ok(outcome),
            () = tokio::time::sleep(limit) => Ok(Err(Refusal::TimedOut { status: None, request_id: None })),
            () = self.outlet.cancel_token().cancelled() => Err(NoLogin::Cancelled),
        }
    }

    /// Refreshes the first of the session's tokens for which the service does that, and keeps the new one.
    async fn refresh(&self, state: &mut State, lock: Option<&TokenLock>, refused: Option<&Secret>, still_good: bool) -> Result<Refreshed, NoLogin> {
        let mut tried = HashSet::new();
        let mut dead_client = None;
        while tried.len() < MOST_REFRESHES {
            let tokens: Vec<Token> = state.tokens(self.files.as_ref()).collect();
            // A program without our lock, such as the AWS CLI, may have renewed the session in this moment, and the refusal was for the token before.
            if let Some(token) = tokens.iter().find(|token| !tried.is_empty() && self.is_fresh(token, refused)) {
                return Ok(Refreshed::Token(token.clone(), "Another process has renewed the session"));
            }
            let untried = tokens.iter().find_map(|token| {
                Some((token, token.refresh_mark()?)).filter(|(token, mark)| !tried.contains(mark) && token.refresh_with(self.now()).is_some())
            });
            let Some((token, mark)) = untried else { break };
            state.last_refresh = Some(Instant::now());
            match self.refreshed(token, still_good).await? {
                Ok(new) => {
                    self.store(state, lock, &new);
                    return Ok(Refreshed::Token(new, "The session was refreshed"));
                }
                Err(refusal) if refusal.is_oauth_refusal() => {
                    self.outlet.verbose(format!("{}: the service does not refresh the session any longer ({}).", self.environment.name, refusal.name()));
                    if refusal.is("invalid_client") || refusal.is("unauthorized_client") {
                        dead_client = token.registration.as_ref().map(|client| client.client_id.clone());
                    }
                    self.note_refused(state, lock, token, &mark);
                    tried.insert(mark);
                }
                Err(refusal) => return Ok(Refreshed::Failed(refusal)),
            }
        }
        Ok(Refreshed::Ended { dead_client })
    }

    /// Keeps in mind, and in the file, that this refresh token is of no use, so that nobody is shown a session that can be refreshed.
    fn note_refused(&self, state: &mut State, lock: Option<&TokenLock>, token: &Token, mark: &str) {
        state.refused.insert(mark.to_owned());
        if let (Some(files), Some(lock)) = (&self.files, lock)
            && let Err(error) = files.note_refused(lock, token)
        {
            self.outlet.verbose(format!("{}: that is not noted in the token's file: {error}", self.environment.name));
        }
    }

    async fn refreshed(&self, token: &Token, still_good: bool) -> Result<Result<Token, Refusal>, NoLogin> {
        let Some((refresh_token, client)) = token.refresh_with(self.now()) else {
            return Ok(Err(Refusal::Garbled { message: "there is no refresh token".to_owned(), request_id: None }));
        };
        // A session that is still good is not held up for long by one that would be better.
        let limit = if still_good { self.time.for_optional_step(REFRESH_WAIT) } else { self.timeout().unwrap_or(DEFAULT_TIMEOUT) };
        let outcome = self.within(limit, self.service.create_token(client, Grant::RefreshToken(refresh_token))).await?;
        self.world.memory.hear(self.world, self.service, self.outlet);
        Ok(outcome.map(|new| Token {
            access_token: new.access_token,
            expires_at: after(self.now(), new.expires_in),
            refresh_token: new.refresh_token.or_else(|| token.refresh_token.clone()),
            refused: None,
            ..token.clone()
        }))
    }

    /// Logs in, with a client other than `dead_client`, which the service no longer knows.
    async fn log_in(&self, state: &mut State, lock: Option<&TokenLock>, dead_client: Option<&str>) -> Result<Token, NoLogin> {
        let name = &self.environment.name;
        if !self.terms.login {
            let why =
                self.terms.no_login_reason.as_ref().map_or_else(|| "a login was not allowed".to_owned(), |why| format!("nobody can log in here, since {why}"));
            return Err(Error::new(Code::LoginRequired, format!("{name} needs a login, and {why}."))
                .with_target(name)
                .with_action(format!("Run Connect-SsoSession -Environment {name} where somebody can log in, then this command again."))
                .into());
        }
        let callback = Callback::open(self.world, self.terms, name, self.outlet).await;
        let method = if callback.is_some() { LoginMethod::Pkce } else { LoginMethod::DeviceCode };
        let in_file = self.files.as_ref().and_then(|files| files.read_registration(method));
        let registration = in_file.or_else(|| state.registration.clone().filter(|client| client.method == method));
        let registration = registration.filter(|client| dead_client != Some(client.client_id.as_str()));
        let scopes = self.files.as_ref().map_or_else(|| vec![ACCOUNT_ACCESS.to_owned()], |files| files.scopes().to_vec());
        let start_url = requested_url(&self.environment.start_url);
        let login = Login {
            world: self.world,
            outlet: self.outlet,
            environment: self.environment,
            service: self.service,
            start_url: &start_url,
            scopes: &scopes,
            browser: self.terms.browser,
            qr_code: self.terms.qr_code,
            callback,
            deadline: self.timeout().map(|timeout| Instant::now() + timeout),
        };
        let known = registration.as_ref().map(|client| client.client_id.clone());
        let (token, client) = match login.run(registration).await {
            Ok(token) => {
                let client = token.registration.clone();
                (Ok(token), client)
            }
            Err(no_login) => (Err(no_login), None),
        };
        self.world.memory.hear(self.world, self.service, self.outlet);
        if let Some(client) = client.filter(|client| known.as_ref() != Some(&client.client_id)) {
            if let (Some(files), Some(lock)) = (&self.files, lock)
                && let Err(error) = files.write_registration(lock, &client)
            {
                self.outlet.verbose(format!("The client registration is kept in this PowerShell only: {error}"));
            }
            state.registration = Some(client);
        }
        let token = token?;
        self.store(state, lock, &token);
        Ok(token)
    }

    fn store(&self, state: &mut State, lock: Option<&TokenLock>, token: &Token) {
        let written = match (&self.files, lock) {
            (Some(files), Some(lock)) => files.write_token(lock, token).map(|()| true),
            _ => Ok(false),
        };
        match written {
            Ok(true) => state.token = None,
            Ok(false) => state.token = Some(token.clone()),
            Err(error) => {
                self.outlet.warn(format!("The session is kept in this PowerShell only: {error}"));
                state.token = Some(token.clone());
            }
        }
    }
}

enum Refreshed {
    /// The new token, and how it came about.
    Token(Token, &'static str),
    /// There is nothing to refresh with, or the service refuses to: only a login helps, and not with this client where there is one.
    Ended { dead_client: Option<String> },
    /// Something that may pass.
    Failed(Refusal),
}
