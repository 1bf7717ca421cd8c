//! The Secret Service of freedesktop.org, which GNOME Keyring, `KWallet`, and `KeePassXC` provide on the session bus.

mod address;
mod bus;
mod items;
mod provider;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use self::address::{Socket, sockets_of};
use self::provider::Provider;
use crate::mutex::locked;
use crate::secret_store::fault::Fault;
use crate::secret_store::terms::{Limits, NewItem, Prompt, StoreState};
use crate::world::World;

/// The Secret Service on the caller's session bus.
#[derive(Clone)]
pub(super) struct Backend(Arc<Shared>);

struct Shared {
    sockets: Vec<Socket>,
    limits: Limits,
    /// A session that nobody uses at the moment. Work at the same time opens another one, so that nobody waits for another's prompt.
    idle: Mutex<Option<Provider>>,
}

/// Works in a session with the provider. If the session of earlier work has ended since, works once more in a new one.
///
/// This is no function, because the future of one that takes the work could not be spawned.
macro_rules! in_session {
    ($backend:expr, |$provider:ident| $work:expr) => {{
        let mut kept = $backend.idle();
        loop {
            let is_kept = kept.is_some();
            let mut provider = match kept.take() {
                Some(provider) => provider,
                None => Provider::connect(&$backend.0.sockets, $backend.0.limits).await?,
            };
            let $provider = &mut provider;
            let outcome = $work.await;
            if !is_kept || !provider.is_over(&outcome) {
                break $backend.done(provider, outcome);
            }
        }
    }};
}

impl Backend {
    pub(super) fn of(world: &World, limits: Limits) -> Self {
        Self(Arc::new(Shared { sockets: sockets_of(&world.variables), limits, idle: Mutex::default() }))
    }

    pub(super) async fn state(&self) -> Result<StoreState, Fault> {
        in_session!(self, |provider| provider.state())
    }

    pub(super) async fn read(&self, item: &str, prompt: Prompt) -> Result<Option<Zeroizing<String>>, Fault> {
        in_session!(self, |provider| provider.read(item, prompt))
    }

    pub(super) async fn write(&self, new: &NewItem<'_>, prompt: Prompt) -> Result<(), Fault> {
        in_session!(self, |provider| provider.write(new, prompt))
    }

    pub(super) async fn remove(&self, item: &str, prompt: Prompt) -> Result<bool, Fault> {
        in_session!(self, |provider| provider.remove(item, prompt))
    }

    pub(super) async fn set_aside(&self, item: &str) -> Result<(), Fault> {
        in_session!(self, |provider| provider.set_aside(item))
    }

    /// The session that earlier work has left.
    fn idle(&self) -> Option<Provider> {
        let mut idle = locked(&self.0.idle).take()?;
        idle.has_asked = false;
        Some(idle)
    }

    /// Keeps a session that can be used again.
    fn done<T>(&self, provider: Provider, outcome: Result<T, Fault>) -> Result<T, Fault> {
        if provider.is_usable() && !matches!(outcome, Err(Fault::Lost | Fault::TimedOut { .. })) {
            *locked(&self.0.idle) = Some(provider);
        }
        outcome
    }
}
