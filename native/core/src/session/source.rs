//! Where the session of an environment comes from, and on what terms.

use std::time::Duration;

use time::OffsetDateTime;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::protocol::SessionTerms;
use crate::secret::Secret;
use crate::service::client::Service;
use crate::session::memory::{Key, State};
use crate::session::place::{TokenPlace, key_of};
use crate::session::time_limit::TimeLimit;
use crate::session::token_cache::{Token, TokenLock};
use crate::timestamp::rfc3339;

/// A token is refreshed when it has less than this left, as in the AWS CLI.
const REFRESH_WINDOW: time::Duration = time::Duration::minutes(15);

/// A session that is currently good.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) access_token: Secret,
}

/// Where and how to obtain the session of an environment.
pub(crate) struct SessionSource<'a> {
    pub(crate) context: &'a Context,
    pub(crate) environment: &'a Environment,
    pub(crate) service: &'a Service,
    pub(crate) place: TokenPlace,
    /// Why there can be no session for this environment, regardless of the service.
    pub(crate) conflict: Option<Error>,
    pub(crate) terms: &'a SessionTerms,
    pub(crate) time: TimeLimit,
}

impl<'a> SessionSource<'a> {
    /// Prepares the session of an environment on these terms; they, or else the environment, say where its token is kept.
    pub(crate) fn of(context: &'a Context, environment: &'a Environment, service: &'a Service, config: &ConfigFile, terms: &'a SessionTerms) -> Self {
        let (place, conflict) = match TokenPlace::of(&context.world, environment, config, terms.token_cache) {
            Ok(place) => (place, None),
            Err(error) => (TokenPlace::Memory, Some(error)),
        };
        Self { context, environment, service, place, conflict, terms, time: TimeLimit::of(terms) }
    }
}

impl SessionSource<'_> {
    pub(super) fn key(&self) -> Key {
        key_of(&self.place, self.environment)
    }

    /// The user's limit for a login, in addition to the lifetime of its code, and for each wait for another login.
    pub(super) fn timeout(&self) -> Option<Duration> {
        self.time.for_session()
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.context.now()
    }

    /// Whether a token is good for longer than the window in which it would be refreshed, and was not refused.
    pub(super) fn is_fresh(&self, token: &Token, refused: Option<&Secret>) -> bool {
        token.expires_at - self.now() > REFRESH_WINDOW && self.is_good(token, refused)
    }

    pub(super) fn is_good(&self, token: &Token, refused: Option<&Secret>) -> bool {
        token.expires_at > self.now() && refused.is_none_or(|refused| *refused != token.access_token)
    }

    pub(super) fn use_token(&self, token: &Token, how: &str) -> Session {
        self.context.memory.remember_end(&self.environment.name, token.expires_at);
        self.context.outlet.verbose(format!("{}: {how}; it expires at {}.", self.environment.name, rfc3339(token.expires_at)));
        Session { access_token: token.access_token.clone() }
    }

    pub(super) async fn store(&self, state: &mut State, lock: Option<&TokenLock>, token: &Token) {
        let written = match (&self.place, lock) {
            (TokenPlace::Files(files), Some(lock)) => files.write_token(lock, token).map(|()| true),
            (TokenPlace::System(system), Some(lock)) => self.put_in_store(system, state, lock, token).await.map(|()| true),
            _ => Ok(false),
        };
        match written {
            Ok(true) => state.token = None,
            Ok(false) => state.token = Some(token.clone()),
            Err(error) => {
                self.context.outlet.warn(format!("The session is kept only in this PowerShell: {error}"));
                state.token = Some(token.clone());
            }
        }
    }
}
