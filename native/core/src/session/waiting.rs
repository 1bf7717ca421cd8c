//! Waits for other runs and processes that work on the same session, and for responses; no wait is endless.

use std::time::Duration;

use crate::error::{Code, Error};
use crate::login::attempt::NoLogin;
use crate::patience::Patience;
use crate::protocol::{Event, Waiting};
use crate::service::refusal::Refusal;
use crate::session::memory::{Slot, State};
use crate::session::source::SessionSource;
use crate::session::token_cache::{TokenFiles, TokenLock};

/// How long a run that may not log in waits for one that may be doing so.
pub(super) const REFRESH_WAIT: Duration = Duration::from_secs(10);

impl SessionSource<'_> {
    /// The part of the session that is in memory.
    pub(super) fn slot(&self) -> Slot {
        self.context.memory.slot(self.key())
    }

    /// That part for this run alone.
    pub(super) async fn locked<'s>(&self, slot: &'s Slot) -> Result<tokio::sync::MutexGuard<'s, State>, NoLogin> {
        match slot.try_lock() {
            Ok(state) => Ok(state),
            Err(_) => self.wait_for(slot).await,
        }
    }

    /// Waits while another run of this process refreshes or logs in.
    pub(super) async fn wait_for<'s>(&self, slot: &'s tokio::sync::Mutex<State>) -> Result<tokio::sync::MutexGuard<'s, State>, NoLogin> {
        self.tell_wait("Another command in this PowerShell is logging in to");
        let limit = async {
            match self.wait_limit() {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            state = slot.lock() => Ok(state),
            () = self.context.outlet.cancel_token().cancelled() => Err(NoLogin::Cancelled),
            () = limit => Err(Error::new(Code::FileLocked, format!("Timed out waiting for another command in this PowerShell that is logging in to {}.", self.environment.name))
                .with_target(&self.environment.name)
                .with_action("Approve that login, then run the command again.")
                .into()),
        }
    }

    /// Keeps other processes out while this one refreshes or logs in; returns `None` if the folder is not writable, so that no process can use it.
    pub(super) async fn lock(&self) -> Result<Option<TokenLock>, NoLogin> {
        let Some(files) = self.place.names() else { return Ok(None) };
        match self.take_lock(files).await {
            Ok(lock) => Ok(Some(lock)),
            Err(NoLogin::Failed(error)) if error.code() == Code::WriteFailed => {
                self.context.outlet.warn(format!("The session is kept only in this PowerShell: {error}"));
                Ok(None)
            }
            Err(no_lock) => Err(no_lock),
        }
    }

    pub(super) async fn take_lock(&self, files: &TokenFiles) -> Result<TokenLock, NoLogin> {
        let patience = Patience::new(self.wait_limit(), self.context.outlet.cancel_token().clone());
        match files.lock(&patience, || self.tell_wait("Another process is logging in to")).await {
            Err(_) if self.context.outlet.cancel_token().is_cancelled() => Err(NoLogin::Cancelled),
            outcome => Ok(outcome?),
        }
    }

    /// How long to wait for another login: as long as it takes if this run would ask for a login itself, else only as long as a refresh takes.
    fn wait_limit(&self) -> Option<Duration> {
        if self.terms.login { self.timeout() } else { Some(self.timeout().unwrap_or(REFRESH_WAIT)) }
    }

    pub(super) fn tell_wait(&self, what: &str) {
        let text = format!("{what} {}", self.environment.name);
        self.context.outlet.send(Event::Waiting(Waiting { environment: self.environment.name.clone(), text, seconds_left: None }));
    }

    /// Runs a request until it completes, the time is up or the run is canceled.
    pub(super) async fn within<T>(&self, limit: Duration, request: impl Future<Output = Result<T, Refusal>>) -> Result<Result<T, Refusal>, NoLogin> {
        tokio::select! {
            outcome = request => Ok(outcome),
            () = tokio::time::sleep(limit) => Ok(Err(Refusal::TimedOut { status: None, request_id: None })),
            () = self.context.outlet.cancel_token().cancelled() => Err(NoLogin::Cancelled),
        }
    }
}
