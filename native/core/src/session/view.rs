//! The state of a session, without any request.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::protocol::{SessionState, SessionView, TokenCache, TokenView};
use crate::session::memory::State;
use crate::session::place::{key_of, token_files};
use crate::session::token_cache::{Token, TokenFiles};
use crate::timestamp::rfc3339;

/// The current tokens of a session, each with whether its refresh was refused; during a login, only those in the files.
fn tokens_now(slot: &tokio::sync::Mutex<State>, files: Option<&TokenFiles>) -> Result<Vec<(Token, bool)>, Error> {
    let with_refusal = |state: &State| {
        let with_refusal = |token: Result<Token, Error>| {
            token.map(|token| {
                let refused = state.is_refused(&token);
                (token, refused)
            })
        };
        state.tokens(files).map(with_refusal).collect()
    };
    match slot.try_lock() {
        Ok(state) => with_refusal(&state),
        Err(_) => with_refusal(&State::default()),
    }
}

/// The current access token of an environment, for a caller who asked for it.
///
/// # Errors
/// See [`token_files`].
pub(crate) fn exposed(context: &Context, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Result<Option<TokenView>, Error> {
    let files = token_files(&context.world, environment, config, token_cache)?;
    let slot = context.memory.slot(key_of(files.as_ref(), environment));
    let now = context.now();
    Ok(tokens_now(&slot, files.as_ref())?.into_iter().find_map(|(token, _)| {
        let left = u64::try_from((token.expires_at - now).whole_seconds()).ok().filter(|left| *left > 0)?;
        Some(TokenView::new(&environment.name, token.access_token.reveal(), left))
    }))
}

/// The state of an environment's session, without a network call and without waiting for a login in progress.
///
/// # Errors
/// See [`token_files`].
pub(crate) fn view(context: &Context, environment: &Environment, config: &ConfigFile, token_cache: TokenCache) -> Result<SessionView, Error> {
    let files = token_files(&context.world, environment, config, token_cache)?;
    let slot = context.memory.slot(key_of(files.as_ref(), environment));
    let now = context.now();
    let is_refreshable = |(token, refused): &(Token, bool)| !refused && token.refresh_with(now).is_some();
    let tokens = tokens_now(&slot, files.as_ref())?;
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
