//! Ends a session: at the service, in its files and in memory.

use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::session::source::SessionSource;
use crate::session::token_cache::Token;
use crate::session::waiting::REFRESH_WAIT;

impl SessionSource<'_> {
    /// Ends the session, and returns whether there was one. The client registration stays, as in the AWS CLI.
    pub(crate) async fn disconnect(&self) -> Result<bool, NoLogin> {
        self.service.warn_of_skipped_proxies(&self.context.outlet);
        let slot = self.context.memory.slot(self.key());
        let mut state = match slot.try_lock() {
            Ok(state) => state,
            Err(_) => self.wait_for(&slot).await?,
        };
        if state.tokens(self.files.as_ref()).next().transpose()?.is_none() {
            return Ok(false);
        }
        let lock = match &self.files {
            Some(files) => Some(self.take_lock(files).await?),
            None => None,
        };
        // Another process may have ended or renewed it while this one waited.
        let tokens = state.tokens(self.files.as_ref()).collect::<Result<Vec<Token>, Error>>()?;
        for token in &tokens {
            self.end_at_service(token).await?;
            if let (Some(files), Some(lock)) = (&self.files, &lock) {
                files.remove_token(lock, token)?;
            }
        }
        state.token = None;
        self.context.memory.forget_end(&self.environment.name);
        Ok(!tokens.is_empty())
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
