//! The keys of one profile that the endpoint serves: renewed in the background, by one request for all that ask.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use time::{Duration, OffsetDateTime};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::endpoint::{Answer, Holder, Holding, no_keys, of_keys};
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::{Code, Error};
use crate::login::attempt::NoLogin;
use crate::mutex::locked;
use crate::names::profile::ProfileEntry;
use crate::outlet::Outlet;
use crate::protocol::SessionTerms;
use crate::renewal;
use crate::role_credentials::RoleCredentials;
use crate::session::role_keys::RoleKeys;

/// How long a request without good keys waits for a renewal that is due. Some SDKs give up after a second.
const LONGEST_ANSWER: std::time::Duration = std::time::Duration::from_millis(800);

/// The time until the clock is looked at again, because it does not run while a computer sleeps.
const LONGEST_NAP: std::time::Duration = std::time::Duration::from_mins(1);

/// The pause between two attempts that requests ask for where no good keys are left: an SDK asks about five times in six seconds.
const PAUSE_WITHOUT_KEYS: Duration = Duration::seconds(2);

/// The keys of one profile, and how they are renewed.
pub(crate) struct ServedKeys {
    profile: ServedProfile,
    context: Context,
    terms: SessionTerms,
    state: Mutex<State>,
    /// Somebody asked who would be better off with new keys.
    asked: Notify,
    /// Changes after each attempt.
    tried: watch::Sender<()>,
}

/// Whose keys are served.
pub(crate) struct ServedProfile {
    pub(crate) environment: Arc<Environment>,
    pub(crate) profile: ProfileEntry,
    pub(crate) config: Arc<ConfigFile>,
}

struct State {
    keys: RoleCredentials,
    /// How long the keys were good for when they were fetched.
    lifetime: Duration,
    attempt: Attempt,
    /// Whether the user knows that the last attempts failed.
    is_told: bool,
}

/// The last attempt to replace the keys.
enum Attempt {
    /// None was needed yet.
    None,
    /// It runs; with the error of the one before.
    Running(OffsetDateTime, Option<Error>),
    Failed(OffsetDateTime, Error),
}

impl Attempt {
    /// Why the last attempt that ended failed.
    fn error(&self) -> Option<&Error> {
        match self {
            Self::None => None,
            Self::Running(_, error) => error.as_ref(),
            Self::Failed(_, error) => Some(error),
        }
    }
}

impl State {
    /// The state with keys that were fetched just now.
    fn of(keys: RoleCredentials, now: OffsetDateTime) -> Self {
        Self { lifetime: keys.expiration - now, keys, attempt: Attempt::None, is_told: false }
    }

    fn is_good(&self, now: OffsetDateTime) -> bool {
        self.keys.expiration > now
    }

    fn is_due(&self, now: OffsetDateTime) -> bool {
        self.keys.expiration - now < renewal::margin(Some(self.lifetime))
    }

    /// The time until the next attempt; zero if it is due. Requests may ask for it earlier where no good keys are left.
    fn wait(&self, now: OffsetDateTime, is_asked: bool) -> Duration {
        let until_due = self.keys.expiration - renewal::margin(Some(self.lifetime)) - now;
        let pause = renewal::pause(Some(self.lifetime));
        let pause = if is_asked && !self.is_good(now) { pause.min(PAUSE_WITHOUT_KEYS) } else { pause };
        let rest_of_pause = match &self.attempt {
            // A clock that was set back must not make the pause longer.
            Attempt::Running(then, _) | Attempt::Failed(then, _) if *then <= now => *then + pause - now,
            _ => Duration::ZERO,
        };
        until_due.max(rest_of_pause).max(Duration::ZERO)
    }
}

impl ServedKeys {
    /// Serves these keys, which were fetched just now with `context`; later ones are fetched with its variables and memory, and nobody is asked to log in.
    pub(crate) fn new(profile: ServedProfile, keys: RoleCredentials, context: &Context, terms: &SessionTerms) -> Arc<Self> {
        let terms = SessionTerms { timeout: None, ..terms.clone() }.without_user("an endpoint has nobody to ask");
        let state = Mutex::new(State::of(keys, context.now()));
        let context = Context::in_background(&context.world, &context.memory, Outlet::unheard());
        Arc::new(Self { profile, context, terms, state, asked: Notify::new(), tried: watch::Sender::new(()) })
    }

    /// What the endpoint needs to serve the keys; its end also ends [`Self::keep_fresh`].
    pub(crate) fn holding(self: &Arc<Self>) -> Holding {
        Holding { holder: Arc::<Self>::clone(self), stop: self.stop().clone() }
    }

    fn stop(&self) -> &CancellationToken {
        self.context.outlet.cancel_token()
    }

    /// Renews the keys whenever they are due, until the endpoint stops.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        let mut is_asked = false;
        while !self.stop().is_cancelled() {
            let wait = self.wait(is_asked);
            if wait.is_zero() {
                // Not given up halfway when the endpoint stops: a new refresh token would be lost.
                self.renew().await;
                is_asked = false;
                continue;
            }
            is_asked = tokio::select! {
                () = self.stop().cancelled() => false,
                () = self.asked.notified() => true,
                () = tokio::time::sleep(wait.unsigned_abs().min(LONGEST_NAP)) => false,
            };
        }
    }

    fn wait(&self, is_asked: bool) -> Duration {
        locked(&self.state).wait(self.context.now(), is_asked)
    }

    async fn renew(&self) {
        {
            let mut state = locked(&self.state);
            let before = state.attempt.error().cloned();
            state.attempt = Attempt::Running(self.context.now(), before);
        }
        let ServedProfile { environment, profile, config } = &self.profile;
        let request = RoleKeys { context: &self.context, environment, profile, config, terms: &self.terms };
        let outcome = request.fetch().await;
        let now = self.context.now();
        {
            let mut state = locked(&self.state);
            match outcome {
                Ok(keys) if keys.expiration > now => *state = State::of(keys, now),
                Ok(_) => state.attempt = Attempt::Failed(now, self.expired("The service returned keys that have already expired")),
                Err(NoLogin::Failed(error)) => state.attempt = Attempt::Failed(now, error),
                Err(NoLogin::Cancelled) => {}
            }
        }
        self.tried.send_replace(());
    }

    /// The keys as an answer, unless they have expired. Asks for new ones if that would be better.
    fn good_keys(&self) -> Option<Answer> {
        let now = self.context.now();
        let state = locked(&self.state);
        if state.is_due(now) {
            self.asked.notify_one();
        }
        state.is_good(now).then(|| of_keys(&state.keys, &self.profile.profile.account_id))
    }

    fn is_renewal_near(&self) -> bool {
        let state = locked(&self.state);
        matches!(state.attempt, Attempt::Running(..)) || state.wait(self.context.now(), true).is_zero()
    }

    fn failure(&self) -> Error {
        let error = locked(&self.state).attempt.error().cloned();
        error.unwrap_or_else(|| self.expired("The keys have expired and new ones have not arrived yet"))
    }

    fn expired(&self, what: &str) -> Error {
        let ServedProfile { environment, profile, .. } = &self.profile;
        Error::new(Code::ServiceError, format!("{what}: {}.", profile.name)).with_target(&profile.name).with_action(format!(
            "Try again. If the error persists, run Connect-SsoSession -Environment {} in the PowerShell of the endpoint.",
            environment.name
        ))
    }

    async fn current(&self) -> Answer {
        let mut tried = self.tried.subscribe();
        if let Some(answer) = self.good_keys() {
            return answer;
        }
        if self.is_renewal_near() {
            let _ = tokio::time::timeout(LONGEST_ANSWER, tried.changed()).await;
        }
        self.good_keys().unwrap_or_else(|| no_keys(&self.failure()))
    }
}

impl Holder for ServedKeys {
    fn answer(&self) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
        Box::pin(self.current())
    }

    fn expiration(&self) -> OffsetDateTime {
        locked(&self.state).keys.expiration
    }

    fn untold(&self) -> Option<String> {
        let mut state = locked(&self.state);
        let error = state.attempt.error().filter(|_| !state.is_told)?.clone();
        state.is_told = true;
        let (name, left) = (&self.profile.profile.name, (state.keys.expiration - self.context.now()).whole_minutes());
        let what = match left {
            _ if !state.is_good(self.context.now()) => format!("AWS tools get no credentials of {name} from the endpoint, because they could not be renewed"),
            0 => format!("The endpoint could not renew the credentials of {name}, which expire in less than a minute"),
            1 => format!("The endpoint could not renew the credentials of {name}, which expire in a minute"),
            _ => format!("The endpoint could not renew the credentials of {name}, which expire in {left} minutes"),
        };
        if error.code() == Code::LoginRequired {
            // The error is for tools; whoever reads this can log in here.
            let environment = &self.profile.environment.name;
            return Some(format!("{what}: {environment} needs a login. Run Connect-SsoSession -Environment {environment}."));
        }
        Some(error.action().map_or_else(|| format!("{what}: {error}"), |action| format!("{what}: {error} {action}")))
    }
}
