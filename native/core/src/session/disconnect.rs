//! Ends a session: at the service, and where it is kept.

use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::session::memory::State;
use crate::session::place::TokenPlace;
use crate::session::source::SessionSource;
use crate::session::token_cache::{Token, TokenLock};
use crate::session::waiting::REFRESH_WAIT;

impl SessionSource<'_> {
    /// Ends the session, and returns whether there was one. The client registration stays, as in the AWS CLI.
    pub(crate) async fn disconnect(&self) -> Result<bool, NoLogin> {
        self.service.warn_of_skipped_proxies(&self.context.outlet);
        let slot = self.slot();
        let mut state = self.locked(&slot).await?;
        self.load(&mut state).await?;
        if state.tokens(self.place.files()).next().transpose()?.is_none() {
            return self.clear_unrecorded().await;
        }
        let lock = match self.place.names() {
            Some(files) => Some(self.take_lock(files).await?),
            None => None,
        };
        // Another process may have ended or renewed it while this one waited.
        self.load(&mut state).await?;
        let tokens = state.tokens(self.place.files()).collect::<Result<Vec<Token>, Error>>()?;
        for token in &tokens {
            self.end_at_service(token).await?;
        }
        self.forget(&mut state, lock.as_ref()).await?;
        self.context.memory.forget_end(&self.environment.name);
        Ok(!tokens.is_empty())
    }

    /// Removes what is left in the secret store of a session that it should have, but that has no token or no record.
    async fn clear_unrecorded(&self) -> Result<bool, NoLogin> {
        let Some(system) = self.place.system() else { return Ok(false) };
        // Without a store that can be used, there is nothing that anybody could use.
        Ok(self.uninterrupted(system.remove_unrecorded()).await?.unwrap_or(false))
    }

    /// Removes the session from where it is kept, and leaves it alone at the service.
    pub(super) async fn forget(&self, state: &mut State, lock: Option<&TokenLock>) -> Result<(), NoLogin> {
        match (&self.place, lock) {
            (TokenPlace::Files(files), Some(lock)) => {
                for token in state.tokens(Some(files)).collect::<Result<Vec<Token>, Error>>()? {
                    files.remove_token(lock, &token)?;
                }
            }
            (TokenPlace::System(system), Some(lock)) => self.remove_from_store(system, state, lock).await?,
            _ => {}
        }
        state.token = None;
        Ok(())
    }

    async fn end_at_service(&self, token: &Token) -> Result<(), NoLogin> {
        self.tell_wait("Ending the session of");
        let outcome = self.within(REFRESH_WAIT, self.service.logout(&token.access_token)).await?;
        self.context.hear(self.service);
        match outcome {
            // The session has already ended at the service.
            Ok(()) => {}
            Err(refusal) if refusal.ends_session() => {}
            // Its files on this computer are removed anyway, because that is what the user wants most.
            Err(refusal) => {
                let error = self.service.portal_error(&refusal);
                self.context
                    .outlet
                    .warn(format!("The session of {} was removed from this computer, but the service did not end it: {error}", self.environment.name));
            }
        }
        Ok(())
    }
}
