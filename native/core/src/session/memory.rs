//! What this process remembers between runs.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::credential_refresh::CredentialRefresh;
use crate::endpoint::Endpoint;
use crate::environments::interrupted_list::InterruptedLists;
use crate::error::Error;
use crate::mutex::locked;
use crate::outlet::Warned;
use crate::service::client::Services;
use crate::service::clock::ServiceTime;
use crate::service::oidc::Registration;
use crate::session::token_cache::{Token, TokenFiles};

/// What this process remembers between runs: sessions, clients, the service's time, the warnings that it has given, the
/// endpoint with the keys that it serves, and what it keeps fresh in the credentials file.
///
/// The contents of files are remembered where they are parsed.
#[derive(Debug, Default)]
pub struct Memory {
    sessions: Mutex<HashMap<Key, Slot>>,
    /// When the session of each environment expires, by lowercase name.
    ends: Mutex<HashMap<String, OffsetDateTime>>,
    pub(crate) time: ServiceTime,
    pub(crate) services: Services,
    pub(crate) warned: Arc<Warned>,
    /// The lists of roles that the next ones go on with.
    pub(crate) interrupted: InterruptedLists,
    /// Where programs that this process starts get keys.
    pub(crate) endpoint: Endpoint,
    /// What this process keeps fresh in the credentials file.
    pub(crate) refresh: CredentialRefresh,
}

/// The state of one session, which one run at a time may change.
pub(super) type Slot = Arc<tokio::sync::Mutex<State>>;

/// Identifies a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The path of the lock of the token's files.
    TokenFiles(PathBuf),
    /// The same, of a session in the secret store.
    System(PathBuf),
    Name(String),
}

/// The part of a session that is not in its files.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The token, if it is kept in memory or its file could not be written.
    pub(super) token: Option<Token>,
    /// What the secret store had when this process last looked into it, or what this process put there.
    pub(super) stored: Option<Token>,
    pub(super) registration: Option<Registration>,
    pub(super) last_refresh: Option<Instant>,
    /// The marks of refresh tokens that the service refused.
    pub(super) refused: HashSet<String>,
    /// The marks of access tokens that the service refused, and that only a login replaces, however long they were meant to last.
    pub(super) dead: HashSet<String>,
}

impl State {
    pub(super) fn is_refused(&self, token: &Token) -> bool {
        token.refresh_mark().is_some_and(|mark| token.refused.as_ref() == Some(&mark) || self.refused.contains(&mark))
    }

    pub(super) fn is_dead(&self, token: &Token) -> bool {
        !self.dead.is_empty() && self.dead.contains(&token.access_mark())
    }

    /// The tokens of a session, best first: the token in its own file or in the secret store, and the one in memory, the later to expire first; then those under other spellings
    /// of the start URL, which are read only if the others are not enough.
    ///
    /// # Errors
    /// Another program holds one of the files, which may have a token.
    pub(super) fn tokens(&self, files: Option<&TokenFiles>) -> impl Iterator<Item = Result<Token, Error>> {
        let by_end = |tokens: Result<Vec<Token>, Error>| match tokens {
            Ok(mut tokens) => {
                tokens.sort_by_key(|token| std::cmp::Reverse(token.expires_at));
                tokens.into_iter().map(Ok).collect()
            }
            Err(error) => vec![Err(error)],
        };
        let in_place = files.map_or_else(|| Ok(self.stored.clone()), TokenFiles::read_token);
        let own = by_end(in_place.map(|token| [token, self.token.clone()].into_iter().flatten().collect()));
        let others = std::iter::once_with(move || by_end(files.map_or(Ok(Vec::new()), TokenFiles::read_other_tokens)));
        own.into_iter().chain(others.flatten())
    }

    /// The first of the session's tokens for which `is_wanted` returns true.
    ///
    /// # Errors
    /// See [`Self::tokens`].
    pub(super) fn find_token(&self, files: Option<&TokenFiles>, is_wanted: impl Fn(&Token) -> bool) -> Result<Option<Token>, Error> {
        self.tokens(files).find(|token| token.as_ref().is_ok_and(&is_wanted) || token.is_err()).transpose()
    }
}

impl Memory {
    /// The memory shared by all runs of this process.
    #[must_use]
    pub fn of_this_process() -> Arc<Self> {
        static MEMORY: LazyLock<Arc<Memory>> = LazyLock::new(Arc::default);
        Arc::clone(&MEMORY)
    }

    pub(super) fn slot(&self, key: Key) -> Slot {
        Arc::clone(locked(&self.sessions).entry(key).or_default())
    }

    /// When the session of an environment expires, if this process has used one.
    pub(crate) fn session_end(&self, environment: &str) -> Option<OffsetDateTime> {
        locked(&self.ends).get(&environment.to_lowercase()).copied()
    }

    pub(super) fn remember_end(&self, environment: &str, end: OffsetDateTime) {
        locked(&self.ends).insert(environment.to_lowercase(), end);
    }

    pub(super) fn forget_end(&self, environment: &str) {
        locked(&self.ends).remove(&environment.to_lowercase());
    }
}
