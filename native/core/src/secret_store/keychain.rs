//! The login keychain of macOS, through the functions for items of all keychains (`SecItem`).
//!
//! The keychain trusts the program that created an item. That is `pwsh`, so all that runs in PowerShell is trusted, and macOS may ask again after
//! PowerShell was updated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use security_framework::base::Error as KeychainError;
use security_framework::os::macos::keychain::SecKeychain;
use security_framework::passwords::{PasswordOptions, delete_generic_password, generic_password, set_generic_password};
use zeroize::Zeroizing;

use crate::mutex::locked;
use crate::secret_store::fault::Fault;
use crate::secret_store::terms::{APPLICATION, Limits, NewItem, Prompt, StoreState, value_of};
use crate::world::World;

/// The status for an item that does not exist (`errSecItemNotFound`).
const NOT_FOUND: i32 = -25300;

/// The item that is written and removed to find out whether the keychain is locked. Its name is that of no session.
const PROBE: &str = "probe";

/// Whether macOS may ask the user is one switch for the whole process, and the keychain does not like to be written by many at the same time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The login keychain.
#[derive(Clone)]
pub(super) struct Backend {
    limits: Limits,
}

/// Tells work that has not begun that nobody waits for it.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Backend {
    pub(super) fn of(_world: &World, limits: Limits) -> Self {
        Self { limits }
    }

    pub(super) async fn state(&self) -> Result<StoreState, Fault> {
        let probe = || {
            set_generic_password(APPLICATION, PROBE, b"probe").map_err(|fault| fault_of("SecItemAdd", fault))?;
            remove(PROBE)
        };
        match self.work(Prompt::Never, probe).await {
            Ok(_) => Ok(StoreState::Unlocked),
            Err(Fault::Locked) => Ok(StoreState::Locked),
            Err(fault) => Err(fault),
        }
    }

    pub(super) async fn read(&self, item: &str, prompt: Prompt) -> Result<Option<Zeroizing<String>>, Fault> {
        let item = item.to_owned();
        let work = move || {
            let Some(bytes) = read(&item)? else { return Ok(None) };
            if let Some(text) = value_of(&bytes) {
                return Ok(Some(text));
            }
            set_aside(&item, &bytes)?;
            Err(Fault::Unreadable)
        };
        self.work(prompt, work).await
    }

    pub(super) async fn write(&self, new: &NewItem<'_>, prompt: Prompt) -> Result<(), Fault> {
        let (item, value) = (new.item.to_owned(), Zeroizing::new(new.value.to_owned()));
        let work = move || {
            set_generic_password(APPLICATION, &item, value.as_bytes()).map_err(|fault| fault_of("SecItemAdd", fault))?;
            let kept = read(&item)?;
            if kept.is_some_and(|kept| kept.as_slice() == value.as_bytes()) { Ok(()) } else { Err(Fault::NotKept) }
        };
        self.work(prompt, work).await
    }

    pub(super) async fn remove(&self, item: &str, prompt: Prompt) -> Result<bool, Fault> {
        let item = item.to_owned();
        self.work(prompt, move || remove(&item)).await
    }

    pub(super) async fn set_aside(&self, item: &str) -> Result<(), Fault> {
        let item = item.to_owned();
        let work = move || match read(&item)? {
            Some(bytes) => set_aside(&item, &bytes),
            None => Ok(()),
        };
        self.work(Prompt::Never, work).await
    }

    /// Works on a thread that may block, and gives up in time. Calls of the keychain cannot be interrupted, so such a thread stays until they return.
    async fn work<T: Send + 'static>(&self, prompt: Prompt, work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
        let has_given_up = Arc::new(AtomicBool::new(false));
        let given_up = GivenUp(Arc::clone(&has_given_up));
        let task = tokio::task::spawn_blocking(move || {
            let _turn = locked(&ONE_AT_A_TIME);
            if has_given_up.load(Ordering::Relaxed) {
                return Err(Fault::Lost);
            }
            let _quiet = match prompt {
                Prompt::Allowed => None,
                Prompt::Never => Some(SecKeychain::disable_user_interaction().map_err(|fault| fault_of("SecKeychainSetUserInteractionAllowed", fault))?),
            };
            work()
        });
        let (limit, fault) = match prompt {
            Prompt::Never => (self.limits.quiet, Fault::TimedOut { seconds: self.limits.quiet.as_secs() }),
            Prompt::Allowed => (self.limits.asked, Fault::Unanswered { seconds: self.limits.asked.as_secs() }),
        };
        let outcome = tokio::time::timeout(limit, task).await;
        drop(given_up);
        outcome.map_err(|_| fault)?.unwrap_or(Err(Fault::Lost))
    }
}

fn read(item: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
    match generic_password(PasswordOptions::new_generic_password(APPLICATION, item)) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(fault) if fault.code() == NOT_FOUND => Ok(None),
        Err(fault) => Err(fault_of("SecItemCopyMatching", fault)),
    }
}

fn remove(item: &str) -> Result<bool, Fault> {
    match delete_generic_password(APPLICATION, item) {
        Ok(()) => Ok(true),
        Err(fault) if fault.code() == NOT_FOUND => Ok(false),
        Err(fault) => Err(fault_of("SecItemDelete", fault)),
    }
}

/// Keeps the bytes under another name, in place of those that were set aside before.
fn set_aside(item: &str, bytes: &[u8]) -> Result<(), Fault> {
    // If that fails, they must not be found again all the same.
    let _ = set_generic_password(APPLICATION, &format!("{item}.unreadable"), bytes);
    remove(item).map(drop)
}

#[allow(clippy::needless_pass_by_value, reason = "it is called with the fault of a result")]
fn fault_of(step: &'static str, fault: KeychainError) -> Fault {
    Fault::of_keychain(step, fault.code())
}
