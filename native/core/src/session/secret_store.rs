//! A session in the user's secret store, as a source of sessions uses it: read when its record says that it has changed, and never from the background
//! with a question to the user.

use crate::error::{Code, Error};
use crate::files::kept_keys::KeptKeys;
use crate::login::attempt::NoLogin;
use crate::secret_store::Prompt;
use crate::session::memory::State;
use crate::session::source::SessionSource;
use crate::session::system_token::{Stored, SystemToken};
use crate::session::token_cache::{Token, TokenLock};

impl SessionSource<'_> {
    /// Whether the store may ask the user: only where somebody could log in, too.
    fn prompt(&self) -> Prompt {
        if self.terms.login { Prompt::Allowed } else { Prompt::Never }
    }

    /// Looks into the store if the session is kept there and its record says that this process does not know the token.
    pub(super) async fn load(&self, state: &mut State) -> Result<(), NoLogin> {
        let Some(system) = self.place.system() else { return Ok(()) };
        let Some(record) = system.record()? else {
            state.stored = None;
            return Ok(());
        };
        if let Some(known) = state.stored.as_mut().filter(|known| known.access_mark() == record.token) {
            known.refused = record.refused;
            return Ok(());
        }
        let read = self.uninterrupted(system.read(&record, self.prompt(), &self.context.outlet)).await?;
        state.stored = match read.map_err(|error| self.in_store(&error))? {
            Stored::Token(token) => Some(token),
            Stored::Nothing => None,
        };
        Ok(())
    }

    /// Makes sure, before anybody logs in and before a refresh replaces the refresh token, that the session can be stored.
    pub(super) async fn open_store(&self) -> Result<(), NoLogin> {
        let Some(system) = self.place.system() else { return Ok(()) };
        self.tell_wait("Opening the secret store for");
        Ok(self.uninterrupted(system.open(self.prompt())).await?.map_err(|error| self.in_store(&error))?)
    }

    /// Stores a token. It is known from then on without another look into the store.
    pub(super) async fn put_in_store(&self, system: &SystemToken, state: &mut State, lock: &TokenLock, token: &Token) -> Result<(), Error> {
        let token = Token { other_file: None, ..token.clone() };
        let written = self.uninterrupted(system.write(lock, &self.environment.name, &token, self.prompt())).await;
        let interrupted = || Error::new(Code::SecretStoreFailed, format!("Storing it in {} was interrupted.", system.store_name()));
        written.unwrap_or_else(|_| Err(interrupted()))?;
        state.stored = Some(token);
        // Keys that were kept in files while the token was in one would outlive it there.
        KeptKeys::of(&self.context.world, system.names.session()).map_or(Ok(()), |kept| kept.clear())
    }

    /// Removes the session from the store.
    pub(super) async fn remove_from_store(&self, system: &SystemToken, state: &mut State, lock: &TokenLock) -> Result<(), NoLogin> {
        self.uninterrupted(system.remove(lock, self.prompt())).await?.map_err(|error| self.in_store(&error))?;
        state.stored = None;
        Ok(())
    }

    /// Says whose session it is about, and what to do where the store cannot be unlocked.
    fn in_store(&self, error: &Error) -> Error {
        let name = &self.environment.name;
        let what = format!("{name} uses the secret store for its session (-TokenCache System). {error}");
        let action = error.action().unwrap_or_default().to_owned();
        Error::new(error.code(), what).with_target(name).with_action(action)
    }

    /// Waits until the work is done, or until the user gives up.
    pub(super) async fn uninterrupted<T>(&self, work: impl Future<Output = T>) -> Result<T, NoLogin> {
        tokio::select! {
            outcome = work => Ok(outcome),
            () = self.context.outlet.cancel_token().cancelled() => Err(NoLogin::Cancelled),
        }
    }
}
