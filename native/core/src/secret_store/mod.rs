//! The user's secret store: the Secret Service on Linux, the login keychain on macOS, and on Windows a file that only this user can decrypt.
//!
//! It keeps texts of ASCII by names of ASCII, because `KWallet` changes anything else. Nothing here ever falls back to another store.

pub(crate) mod fault;
#[cfg(target_os = "macos")]
mod keychain;
#[cfg(windows)]
mod protected_files;
#[cfg(target_os = "linux")]
mod secret_service;
mod terms;

use zeroize::Zeroizing;

use crate::secret_store::fault::{Fault, NAME};
use crate::secret_store::terms::{Limits, NewItem, is_value};
use crate::world::World;

#[cfg(target_os = "macos")]
use crate::secret_store::keychain::Backend;
#[cfg(windows)]
use crate::secret_store::protected_files::Backend;
#[cfg(target_os = "linux")]
use crate::secret_store::secret_service::Backend;

pub(crate) use crate::secret_store::terms::{Prompt, StoreState};

/// The user's secret store. It connects when it is first used, and keeps the connection. To drop a future of it gives up what it does, and closes a
/// prompt that is open.
#[derive(Clone)]
pub(crate) struct SecretStore(Backend);

impl SecretStore {
    /// The store of the caller's session.
    pub(crate) fn of(world: &World) -> Self {
        Self::with_limits(world, Limits::default())
    }

    fn with_limits(world: &World, limits: Limits) -> Self {
        Self(Backend::of(world, limits))
    }

    /// What a sentence calls the store.
    #[allow(clippy::unused_self, reason = "callers have a store and not its system")]
    pub(crate) fn name(&self) -> &'static str {
        NAME
    }

    /// Whether the store is there, and whether it is locked. Never asks the user.
    pub(crate) async fn state(&self) -> Result<StoreState, Fault> {
        self.0.state().await
    }

    /// Reads the value of an item; `None` if there is no such item.
    ///
    /// A value that cannot be read is set aside, reported once with [`Fault::Unreadable`], and does not exist from then on.
    pub(crate) async fn read(&self, item: &str, prompt: Prompt) -> Result<Option<Zeroizing<String>>, Fault> {
        self.0.read(item, prompt).await
    }

    /// Writes an item in place of the one before, and reads it back. People see the label in the programs that show the store.
    pub(crate) async fn write(&self, item: &str, label: &str, value: &str, prompt: Prompt) -> Result<(), Fault> {
        if !is_value(value.as_bytes()) {
            return Err(Fault::Failed { step: "the value is not one line of ASCII", error: None });
        }
        self.0.write(&NewItem { item, label, value }, prompt).await
    }

    /// Removes an item. Returns whether there was one.
    pub(crate) async fn remove(&self, item: &str, prompt: Prompt) -> Result<bool, Fault> {
        self.0.remove(item, prompt).await
    }

    /// Sets the value of an item aside, so that it does not exist from then on: its user could not read it.
    pub(crate) async fn set_aside(&self, item: &str) -> Result<(), Fault> {
        self.0.set_aside(item).await
    }
}
