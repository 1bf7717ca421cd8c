//! Sessions: one per token file, or per environment where tokens are kept in memory, shared by all runs of the process.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::assignments::Known;
use crate::config_file::ConfigFile;
use crate::credentials_file::{KnownProfiles, rfc3339};
use crate::environment::{Environment, Environments, same_name};
use crate::error::{Code, Error};
use crate::file_memory::FileMemory;
use crate::login::{Login, NoLogin};
use crate::pkce::Callback;
use crate::protocol::{Event, LoginMethod, SessionTerms, SessionView, TokenCache, TokenView, Waiting};
use crate::run::Outlet;
use crate::safe_write::{Lock, Patience};
use crate::secret::Secret;
use crate::service::{Grant, Refusal, Service, Services};
use crate::time_limit::TimeLimit;
use crate::token_cache::{ACCOUNT_ACCESS, Registration, Token, TokenFiles};
use crate::update::DEFAULT_TIMEOUT;
use crate::world::{Clock, World};

/// A token is refreshed when less than this is left, as the AWS CLI does.
const REFRESH_WINDOW: time::Duration = time::Duration::minutes(15);

/// The least time between two tries to refresh one token.
const REFRESH_SPACING: Duration = Duration::from_secs(30);

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
    pub(crate) warned_of_config: Mutex<HashSet<String>>,
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
    TokenFile(PathBuf),
    Name(String),
}

#[derive(Debug, Default)]
struct State {
    /// The token where it is kept in memory, or where its file could not be written.
    token: Option<Token>,
    registration: Option<Registration>,
    last_refresh: Option<Instant>,
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
    pub(crate) terms: &'a SessionTerms,
    pub(crate) time: TimeLimit,
}

/// The cache files of an environment, under the names that the AWS CLI would use; none where its tokens are kept in memory.
pub(crate) fn token_files(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Option<TokenFiles> {
    let session = match &environment.sso_session {
        Some(name) => config.session(name),
        None => config.session_for(&environment.start_url, &environment.region),
    };
    match token_cache {
        TokenCache::AwsCli => TokenFiles::of(world, environment, session),
        TokenCache::Memory => None,
    }
}

/// The token of the file, or the one in memory where that lasts longer: its file could not be written then.
fn stored_token(files: Option<&TokenFiles>, state: &State) -> Option<Token> {
    [files.and_then(TokenFiles::read_token), state.token.clone()].into_iter().flatten().max_by_key(|token| token.expires_at)
}

fn key_of(files: Option<&TokenFiles>, environment: &Environment) -> Key {
    match files {
        Some(files) => Key::TokenFile(files.token_path()),
        None => Key::Name(environment.name.to_lowercase()),
    }
}

/// The access token of an environment as it is now, for who asked for it.
pub(crate) fn exposed(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Option<TokenView> {
    let files = token_files(world, environment, config, token_cache);
    let slot = world.memory.slot(key_of(files.as_ref(), environment));
    let token = match slot.try_lock() {
        Ok(state) => stored_token(files.as_ref(), &state),
        Err(_) => files.as_ref().and_then(TokenFiles::read_token),
    }?;
    let left = (token.expires_at - world.memory.now(world.clock.as_ref())).whole_seconds();
    u64::try_from(left).ok().filter(|left| *left > 0).map(|left| TokenView::new(&environment.name, token.access_token.reveal(), left))
}

/// How the session of an environment stands, without any network call; it does not wait for a login that goes on.
pub(crate) fn view(world: &World, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> SessionView {
    let files = token_files(world, environment, config, token_cache);
    let slot = world.memory.slot(key_of(files.as_ref(), environment));
    let token = match slot.try_lock() {
        Ok(state) => stored_token(files.as_ref(), &state),
        Err(_) => files.as_ref().and_then(TokenFiles::read_token),
    };
    let now = world.memory.now(world.clock.as_ref());
    let client = token.as_ref().and_then(|token| token.registration.as_ref());
    let refreshable = client.is_some_and(|client| client.expires_at > now) && token.as_ref().is_some_and(|token| token.refresh_token.is_some());
    let state = match &token {
        None => "None",
        Some(token) if token.expires_at > now => "Active",
        Some(_) if refreshable => "Refreshable",
        Some(_) => "Ended",
    };
    SessionView {
        environment: environment.name.clone(),
        start_url: environment.start_url.clone(),
        region: environment.region.clone(),
        state: state.to_owned(),
        token_expires: token.as_ref().map(|token| rfc3339(token.expires_at)),
        refreshable,
        registration_expires: client.map(|client| rfc3339(client.expires_at)),
        token_cache,
        path: files.as_ref().filter(|_| token.is_some()).map(|files| files.token_path().display().to_string()),
    }
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
        let files = token_files(world, environment, config, terms.token_cache.unwrap_or(environment.token_cache));
        Self { world, outlet, environment, service, files, terms, time: TimeLimit::of(terms) }
    }
}

impl SessionSource<'_> {
    fn key(&self) -> Key {
        key_of(self.files.as_ref(), self.environment)
    }

    /// Ends the session: at the service, in its file and in memory. The client registration stays, as the AWS CLI leaves it.
    pub(crate) async fn disconnect(&self) -> Result<bool, NoLogin> {
        let slot = self.world.memory.slot(self.key());
        let mut state = match slot.try_lock() {
            Ok(state) => state,
            Err(_) => self.wait_for(&slot).await?,
        };
        if stored_token(self.files.as_ref(), &state).is_none() {
            return Ok(false);
        }
        let lock = match &self.files {
            Some(files) => Some(self.take_lock(files).await?),
            None => None,
        };
        // Another process may have ended it, or renewed it, while this one waited.
        let Some(token) = stored_token(self.files.as_ref(), &state) else { return Ok(false) };
        self.tell_wait("The service is ending the session of");
        let outcome = self.within(REFRESH_WAIT, self.service.logout(&token.access_token)).await?;
        self.world.memory.hear(self.world, self.service, self.outlet);
        match outcome {
            // It had ended there already.
            Ok(()) => {}
            Err(refusal) if refusal.status() == Some(401) => {}
            // What is left on this machine goes all the same: that is what the user wants most.
            Err(refusal) => {
                let error = self.service.error(&refusal, true);
                self.outlet.warn(format!("The session of {} was removed from this machine, but not ended at the service: {error}", self.environment.name));
            }
        }
        state.token = None;
        self.world.memory.forget_end(&self.environment.name);
        if let (Some(files), Some(lock)) = (&self.files, &lock) {
            files.remove_token(lock)?;
        }
        Ok(true)
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
        let slot = self.world.memory.slot(self.key());
        let mut state = match slot.try_lock() {
            Ok(state) => state,
            Err(_) => self.wait_for(&slot).await?,
        };
        if let Some(token) = stored_token(self.files.as_ref(), &state).filter(|token| self.is_fresh(token, refused)) {
            return Ok(self.use_token(&token, "The session of the cache is still good"));
        }
        let lock = self.lock().await?;
        // Another process may have refreshed or logged in while this one waited.
        let token = stored_token(self.files.as_ref(), &state);
        if let Some(token) = token.as_ref().filter(|token| self.is_fresh(token, refused)) {
            return Ok(self.use_token(token, "Another process has renewed the session"));
        }
        if let Some(token) = token {
            let still_good = token.expires_at > self.now() && refused.is_none_or(|refused| *refused != token.access_token);
            // Only a session that is still good can wait; without one, the other way is to ask somebody to log in.
            let rested = !still_good || state.last_refresh.is_none_or(|last| last.elapsed() >= REFRESH_SPACING);
            if may_refresh && rested {
                state.last_refresh = Some(Instant::now());
                match self.refresh(&token, still_good).await? {
                    Refreshed::Token(token) => {
                        self.store(&mut state, lock.as_ref(), &token);
                        return Ok(self.use_token(&token, "The session was refreshed"));
                    }
                    Refreshed::Failed(refusal) if !still_good => return Err(self.service.error(&refusal, false).with_target(&self.environment.name).into()),
                    Refreshed::Failed(_) => self.outlet.verbose("The session could not be refreshed this time; it is still good and is used."),
                    Refreshed::Ended => {}
                }
            }
            if still_good {
                return Ok(self.use_token(&token, "The session is still good"));
            }
        }
        if let Some(token) = self.given(refused) {
            // Somebody's own way of keeping it: it is not written anywhere.
            state.token = Some(token.clone());
            return Ok(self.use_token(&token, "The token that was given is used"));
        }
        let token = self.log_in(&mut state, lock.as_ref()).await?;
        Ok(self.use_token(&token, "The login was approved"))
    }

    /// The token that the caller has for this environment, where it is good and was not refused.
    fn given(&self, refused: Option<&Secret>) -> Option<Token> {
        let given = self.world.given.iter().find(|given| same_name(&given.name, &self.environment.name))?.token.as_ref()?;
        let token = Token {
            access_token: given.access_token.clone(),
            expires_at: OffsetDateTime::from_unix_timestamp(given.expires_at).ok()?,
            refresh_token: None,
            registration: None,
        };
        (token.expires_at > self.now() && refused.is_none_or(|refused| *refused != token.access_token)).then_some(token)
    }

    /// Good for longer than the window in which it would be refreshed, and not the one that was refused.
    fn is_fresh(&self, token: &Token, refused: Option<&Secret>) -> bool {
        token.expires_at - self.now() > REFRESH_WINDOW && refused.is_none_or(|refused| *refused != token.access_token)
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
    async fn lock(&self) -> Result<Option<Lock>, NoLogin> {
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

    async fn take_lock(&self, files: &TokenFiles) -> Result<Lock, NoLogin> {
        let path = files.lock_path();
        if let Some(lock) = Lock::try_take(&path)? {
            return Ok(lock);
        }
        self.tell_wait("Another process is logging in to");
        let patience = Patience::new(self.wait_limit(), self.outlet.cancel_token().clone());
        match Lock::take_async(&path, &patience).await {
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

    async fn refresh(&self, token: &Token, still_good: bool) -> Result<Refreshed, NoLogin> {
        let (Some(refresh_token), Some(client)) = (&token.refresh_token, token.registration.as_ref().filter(|client| client.expires_at > self.now())) else {
            return Ok(Refreshed::Ended);
        };
        // A session that is still good is not held up for long by one that would be better.
        let limit = if still_good { self.time.for_optional_step(REFRESH_WAIT) } else { self.timeout().unwrap_or(DEFAULT_TIMEOUT) };
        let outcome = self.within(limit, self.service.create_token(client, Grant::RefreshToken(refresh_token))).await?;
        self.world.memory.hear(self.world, self.service, self.outlet);
        Ok(match outcome {
            Ok(new) => Refreshed::Token(Token {
                access_token: new.access_token,
                expires_at: self.now() + new.expires_in,
                refresh_token: new.refresh_token.or_else(|| token.refresh_token.clone()),
                registration: token.registration.clone(),
            }),
            // The service's word that this session or this client is no more; anything else may pass.
            Err(Refusal::Answered { error, .. })
                if ["invalid_grant", "expired_token", "invalid_client", "unauthorized_client", "access_denied"].contains(&error.as_str()) =>
            {
                self.outlet.verbose(format!("{}: the session has ended ({error}).", self.environment.name));
                Refreshed::Ended
            }
            Err(refusal) => Refreshed::Failed(refusal),
        })
    }

    async fn log_in(&self, state: &mut State, lock: Option<&Lock>) -> Result<Token, NoLogin> {
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
        let scopes = self.files.as_ref().map_or_else(|| vec![ACCOUNT_ACCESS.to_owned()], |files| files.scopes().to_vec());
        let login = Login {
            world: self.world,
            outlet: self.outlet,
            environment: self.environment,
            service: self.service,
            start_url: &self.environment.start_url,
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

    fn store(&self, state: &mut State, lock: Option<&Lock>, token: &Token) {
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
    Token(Token),
    /// There is nothing to refresh with, or the service says that the session is over.
    Ended,
    Failed(Refusal),
}
