//! Renews a session with its refresh token, without a login.

use std::collections::HashSet;

use tokio::time::Instant;

use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::secret::Secret;
use crate::service::oidc::Grant;
use crate::service::refusal::Refusal;
use crate::session::memory::State;
use crate::session::place::TokenPlace;
use crate::session::source::SessionSource;
use crate::session::time_limit::DEFAULT_TIMEOUT;
use crate::session::token_cache::{Token, TokenLock};
use crate::session::waiting::REFRESH_WAIT;
use crate::timestamp::after;

/// How many refresh tokens of one session are tried: another program may have stored a new one, and other spellings of the start URL have their own.
const MOST_REFRESHES: usize = 3;

/// The result of a refresh.
pub(super) enum Refreshed {
    /// The new token, and how it was obtained.
    Token(Token, &'static str),
    /// There is no usable refresh token, so only a login helps; `dead_client`, if set, cannot be used for it.
    Ended { dead_client: Option<String> },
    /// The refresh failed for a reason that may be temporary.
    Failed(Refusal),
}

impl SessionSource<'_> {
    /// Refreshes the first of the session's tokens for which the service allows it, and stores the new one.
    pub(super) async fn refresh(&self, state: &mut State, lock: Option<&TokenLock>, refused: Option<&Secret>, still_good: bool) -> Result<Refreshed, NoLogin> {
        let mut tried = HashSet::new();
        let mut dead_client = None;
        while tried.len() < MOST_REFRESHES {
            self.load(state).await?;
            let tokens = state.tokens(self.place.files()).collect::<Result<Vec<Token>, Error>>()?;
            // A program without our lock, such as the AWS CLI, may have just renewed the session, so that the refusal was for the old token.
            if let Some(token) = tokens.iter().find(|token| !tried.is_empty() && self.is_fresh(token, refused) && !state.is_dead(token)) {
                return Ok(Refreshed::Token(token.clone(), "Another process has renewed the session"));
            }
            let untried = tokens.iter().find_map(|token| {
                Some((token, token.refresh_mark()?)).filter(|(token, mark)| !tried.contains(mark) && token.refresh_with(self.now()).is_some())
            });
            let Some((token, mark)) = untried else { break };
            state.last_refresh = Some(Instant::now());
            match self.refreshed(token, still_good).await? {
                Ok(new) => {
                    self.store(state, lock, &new).await;
                    return Ok(Refreshed::Token(new, "The session was refreshed"));
                }
                Err(refusal) if refusal.is_oauth_refusal() => {
                    self.context.outlet.verbose(format!("{}: the service no longer refreshes the session ({}).", self.environment.name, refusal.name()));
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

    /// Records, in memory and in the file, that this refresh token is useless, so that the session is not shown as refreshable.
    fn note_refused(&self, state: &mut State, lock: Option<&TokenLock>, token: &Token, mark: &str) {
        state.refused.insert(mark.to_owned());
        let noted = match (&self.place, lock) {
            (TokenPlace::Files(files), Some(lock)) => files.note_refused(lock, token),
            (TokenPlace::System(system), Some(lock)) => system.note_refused(lock, token),
            _ => Ok(()),
        };
        if let Err(error) = noted {
            self.context.outlet.verbose(format!("{}: this could not be recorded with the token: {error}", self.environment.name));
        }
    }

    async fn refreshed(&self, token: &Token, still_good: bool) -> Result<Result<Token, Refusal>, NoLogin> {
        let Some((refresh_token, client)) = token.refresh_with(self.now()) else {
            return Ok(Err(Refusal::Garbled { message: "there is no refresh token".to_owned(), request_id: None }));
        };
        // A refresh must not delay a session that is still good for long.
        let limit = if still_good { self.time.for_optional_step(REFRESH_WAIT) } else { self.timeout().unwrap_or(DEFAULT_TIMEOUT) };
        let outcome = self.within(limit, self.service.create_token(client, Grant::RefreshToken(refresh_token))).await?;
        self.context.hear(self.service);
        Ok(outcome.map(|new| Token {
            access_token: new.access_token,
            expires_at: after(self.now(), new.expires_in),
            refresh_token: new.refresh_token.or_else(|| token.refresh_token.clone()),
            refused: None,
            ..token.clone()
        }))
    }
}
