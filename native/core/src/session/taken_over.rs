//! Takes a session over from another place, so that a user who changes where it is kept need not log in again.

use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::protocol::TokenCache;
use crate::session::memory::State;
use crate::session::place::TokenPlace;
use crate::session::source::SessionSource;
use crate::session::token_cache::{Token, TokenLock};

/// What becomes of a session in the place that it is taken over from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Old {
    /// It stays there.
    Stays,
    /// It is removed there; at the service, it goes on.
    IsRemoved,
}

impl SessionSource<'_> {
    /// Takes the session over from another place, if this one has none that can be used. Without being told to move it, only into the secret store, so
    /// that no secret gets into a file unasked.
    pub(crate) async fn take_over(&self, others: Vec<TokenPlace>, old: Old) -> Result<(), NoLogin> {
        if old == Old::Stays && self.place.system().is_none() {
            return Ok(());
        }
        let slot = self.slot();
        let mut state = self.locked(&slot).await?;
        for place in others {
            let other = SessionSource { place, conflict: None, ..*self };
            self.load(&mut state).await?;
            let has_one = self.has_usable(&state)?;
            if has_one && old == Old::Stays {
                return Ok(());
            }
            let lock = if self.place.names().is_some() { self.lock().await? } else { other.lock().await? };
            self.load(&mut state).await?;
            let other_slot = other.slot();
            let mut there = other.locked(&other_slot).await?;
            other.load(&mut there).await?;
            let tokens = there.tokens(other.place.files()).collect::<Result<Vec<Token>, Error>>()?;
            if !self.has_usable(&state)? {
                let usable = tokens.iter().filter(|token| self.is_usable(&there, token));
                if let Some(best) = usable.max_by_key(|token| token.expires_at) {
                    self.keep(&mut state, lock.as_ref(), best).await?;
                    self.context.outlet.verbose(format!("{}: the session was taken over from {}.", self.environment.name, other.place_name()));
                } else if old == Old::Stays {
                    continue;
                }
            }
            // Also where a session has ended or was removed, its client secret may still be there.
            if old == Old::IsRemoved || !tokens.is_empty() {
                other.leave(&mut there, lock.as_ref(), old, self.place.cache()).await?;
            }
        }
        Ok(())
    }

    /// Removes the session where it was, with the registration of its client, or says that it is still there.
    async fn leave(&self, there: &mut State, lock: Option<&TokenLock>, old: Old, new: TokenCache) -> Result<(), NoLogin> {
        if old == Old::IsRemoved {
            if let (Some(files), Some(lock)) = (self.place.files(), lock) {
                files.remove_registration(lock)?;
            }
            return self.forget(there, lock).await;
        }
        if !matches!(self.place, TokenPlace::Memory) {
            let (name, place) = (&self.environment.name, self.place_name());
            let said = self.terms.token_cache.map_or_else(String::new, |_| format!(" -TokenCache {}", new.name()));
            let command = format!("Connect-SsoSession {name}{said} -Move");
            self.context.outlet.warn(format!("The session of {name} is still in {place}, too. To remove it there, run {command}."));
        }
        Ok(())
    }

    /// Stores a token of another place in this one. Unlike after a login, a place that cannot keep it is an error: the session is not lost.
    async fn keep(&self, state: &mut State, lock: Option<&TokenLock>, token: &Token) -> Result<(), NoLogin> {
        let token = Token { other_file: None, ..token.clone() };
        match (&self.place, lock) {
            (TokenPlace::Files(files), Some(lock)) => files.write_token(lock, &token)?,
            (TokenPlace::System(system), Some(lock)) => {
                self.open_store().await?;
                self.put_in_store(system, state, lock, &token).await?;
            }
            _ => state.token = Some(token),
        }
        Ok(())
    }

    /// Whether a token of a place, by what this process knows of it, can be used there.
    fn is_usable(&self, state: &State, token: &Token) -> bool {
        token.is_usable(self.now()) && !state.is_refused(token) && !state.is_dead(token)
    }

    fn has_usable(&self, state: &State) -> Result<bool, Error> {
        Ok(state.find_token(self.place.files(), |token| self.is_usable(state, token))?.is_some())
    }

    fn place_name(&self) -> String {
        match &self.place {
            TokenPlace::Memory => "the memory of this PowerShell".to_owned(),
            TokenPlace::Files(files) => files.folder().display().to_string(),
            TokenPlace::System(system) => system.store_name().to_owned(),
        }
    }
}
