//! The state of a session, without any request.

use time::OffsetDateTime;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::protocol::{SessionState, SessionView, TokenCache, TokenView};
use crate::secret_store::{SecretStore, StoreState};
use crate::session::memory::State;
use crate::session::place::{TokenPlace, key_of};
use crate::session::system_token::{Record, SystemToken};
use crate::session::token_cache::{Token, TokenFiles};
use crate::timestamp::rfc3339;

/// A token, and what the service has said about it.
struct Seen {
    token: Token,
    /// Whether its refresh was refused.
    is_refresh_refused: bool,
    /// Whether the token itself was refused.
    is_dead: bool,
}

impl Seen {
    fn is_active(&self, now: OffsetDateTime) -> bool {
        self.token.expires_at > now && !self.is_dead
    }

    fn is_refreshable(&self, now: OffsetDateTime) -> bool {
        !self.is_refresh_refused && self.token.refresh_with(now).is_some()
    }
}

/// The current tokens of a session; during a login, only those in the files.
fn tokens_now(slot: &tokio::sync::Mutex<State>, files: Option<&TokenFiles>) -> Result<Vec<Seen>, Error> {
    let seen = |state: &State| {
        let seen = |token: Token| Seen { is_refresh_refused: state.is_refused(&token), is_dead: state.is_dead(&token), token };
        state.tokens(files).map(|token| token.map(seen)).collect()
    };
    match slot.try_lock() {
        Ok(state) => seen(&state),
        Err(_) => seen(&State::default()),
    }
}

/// The current access token of an environment, for a caller who asked for it.
///
/// # Errors
/// See [`TokenPlace::of`].
pub(crate) fn exposed(context: &Context, environment: &Environment, config: &ConfigFile, token_cache: Option<TokenCache>) -> Result<Option<TokenView>, Error> {
    let place = TokenPlace::of(&context.world, environment, config, token_cache)?;
    let slot = context.memory.slot(key_of(&place, environment));
    let now = context.now();
    Ok(tokens_now(&slot, place.files())?.into_iter().filter(|seen| !seen.is_dead).find_map(|Seen { token, .. }| {
        let left = u64::try_from((token.expires_at - now).whole_seconds()).ok().filter(|left| *left > 0)?;
        Some(TokenView::new(&environment.name, token.access_token.reveal(), left))
    }))
}

/// The state of an environment's session, without a network call and without waiting for a login in progress.
///
/// # Errors
/// See [`TokenPlace::of`].
pub(crate) fn view(context: &Context, environment: &Environment, config: &ConfigFile, token_cache: Option<TokenCache>) -> Result<SessionView, Error> {
    let place = TokenPlace::of(&context.world, environment, config, token_cache)?;
    let slot = context.memory.slot(key_of(&place, environment));
    let now = context.now();
    if let Some(record) = place.system().map(SystemToken::record).transpose()?.flatten() {
        let is_dead = slot.try_lock().is_ok_and(|state| state.dead.contains(&record.token));
        return Ok(recorded(environment, &record, is_dead, now));
    }
    let tokens = tokens_now(&slot, place.files())?;
    let chosen = tokens.iter().find(|seen| seen.is_active(now)).or_else(|| tokens.iter().find(|seen| seen.is_refreshable(now))).or(tokens.first());
    let refreshable = chosen.is_some_and(|seen| seen.is_refreshable(now));
    let token = chosen.map(|seen| &seen.token);
    let client = token.and_then(|token| token.registration.as_ref());
    let state = match chosen {
        None => SessionState::None,
        Some(seen) if seen.is_active(now) => SessionState::Active,
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
        token_cache: place.cache(),
        is_store_locked: None,
        path: place.files().zip(token).map(|(files, token)| files.path_of(token).display().to_string()),
    })
}

/// The state of a session in the secret store, which is not looked into.
fn recorded(environment: &Environment, record: &Record, is_dead: bool, now: OffsetDateTime) -> SessionView {
    let refreshable = record.is_refreshable_at(now);
    let is_active = !is_dead && record.end().is_some_and(|end| end > now);
    SessionView {
        environment: environment.name.clone(),
        start_url: environment.start_url.clone(),
        region: environment.region.clone(),
        state: match (is_active, refreshable) {
            (true, _) => SessionState::Active,
            (false, true) => SessionState::Refreshable,
            (false, false) => SessionState::Ended,
        },
        token_expires: Some(record.expires_at.clone()),
        refreshable,
        registration_expires: record.registration_expires_at.clone(),
        token_cache: TokenCache::System,
        is_store_locked: None,
        path: None,
    }
}

/// Whether the user's secret store is locked; `None` if there is none.
pub(crate) async fn is_store_locked(context: &Context) -> Option<bool> {
    Some(SecretStore::of(&context.world).state().await.ok()? == StoreState::Locked)
}
