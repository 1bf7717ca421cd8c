//! With GNOME Keyring, which must be installed.

use std::collections::HashMap;

use super::session_bus::{PATIENT, SessionBus};
use crate::secret_store::fault::Fault;
use crate::secret_store::secret_service::provider::{Provider, SERVICE};
use crate::secret_store::secret_service::transport::Transport;
use crate::secret_store::terms::LONGEST_VALUE;
use crate::secret_store::{Prompt, SecretStore, StoreState};
use zvariant::OwnedObjectPath;

/// Waits until the keyring is there and unlocked.
async fn unlocked(store: &SecretStore) {
    while !matches!(store.state().await, Ok(StoreState::Unlocked)) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn read(store: &SecretStore, item: &str) -> Option<String> {
    store.read(item, Prompt::Never).await.unwrap().map(|value| value.to_string())
}

/// All paths of items with this session's attributes.
async fn found(provider: &mut Provider, attributes: &HashMap<&str, &str>) -> Vec<OwnedObjectPath> {
    let answer = provider.call(SERVICE, "org.freedesktop.Secret.Service", "SearchItems", attributes).await.unwrap();
    let (mut unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = answer.values().unwrap();
    unlocked.extend(locked);
    unlocked
}

macro_rules! or_skip {
    ($started:expr) => {
        match $started {
            Some(started) => started,
            None => return,
        }
    };
}
pub(super) use or_skip;

#[tokio::test]
async fn a_value_is_written_read_by_another_process_replaced_and_removed() {
    let bus = or_skip!(SessionBus::start());
    let _keyring = or_skip!(bus.start_keyring());
    let (store, other) = (bus.store(PATIENT), bus.store(PATIENT));
    unlocked(&store).await;
    assert_eq!(read(&store, "acme").await, None);
    assert!(!store.remove("acme", Prompt::Never).await.unwrap());
    for value in ["first", &"x".repeat(LONGEST_VALUE), "ab=="] {
        store.write("acme", "Acme", value, Prompt::Never).await.unwrap();
        assert_eq!(read(&other, "acme").await.as_deref(), Some(value));
    }
    store.write("beta", "Beta", "other", Prompt::Never).await.unwrap();
    assert!(other.remove("acme", Prompt::Never).await.unwrap());
    assert_eq!((read(&store, "acme").await, read(&store, "beta").await.as_deref()), (None, Some("other")));
}

#[tokio::test]
async fn values_go_over_the_bus_encrypted() {
    let bus = or_skip!(SessionBus::start());
    let _keyring = or_skip!(bus.start_keyring());
    unlocked(&bus.store(PATIENT)).await;
    let provider = Provider::connect(&[bus.socket()], PATIENT).await.unwrap();
    assert!(matches!(provider.transport, Transport::Encrypted(_)));
}

#[tokio::test]
async fn a_locked_keyring_is_a_fault_at_once_and_nobody_is_asked_in_the_background() {
    let bus = or_skip!(SessionBus::start());
    let _keyring = or_skip!(bus.start_keyring());
    let store = bus.store(PATIENT);
    unlocked(&store).await;
    store.write("acme", "Acme", "value", Prompt::Never).await.unwrap();
    let mut provider = Provider::connect(&[bus.socket()], PATIENT).await.unwrap();
    let collection = provider.default_collection().await.unwrap();
    provider.call(SERVICE, "org.freedesktop.Secret.Service", "Lock", &[collection].as_slice()).await.unwrap();
    assert_eq!(store.state().await.unwrap(), StoreState::Locked);
    assert!(matches!(store.read("acme", Prompt::Never).await, Err(Fault::Locked)));
    assert!(matches!(store.write("acme", "Acme", "other", Prompt::Never).await, Err(Fault::Locked)));
    assert!(matches!(store.remove("acme", Prompt::Never).await, Err(Fault::Locked)));
    // Here is nothing that could show a prompt.
    let fault = store.read("acme", Prompt::Allowed).await.unwrap_err();
    assert!(matches!(fault, Fault::Dismissed | Fault::Failed { .. }), "{fault:?}");
}

#[tokio::test]
async fn a_keyring_that_ends_and_starts_again_is_found_again() {
    let bus = or_skip!(SessionBus::start());
    let keyring = or_skip!(bus.start_keyring());
    let store = bus.store(PATIENT);
    unlocked(&store).await;
    store.write("acme", "Acme", "value", Prompt::Never).await.unwrap();
    drop(keyring);
    let fault = store.read("acme", Prompt::Never).await.unwrap_err();
    assert!(matches!(fault, Fault::NoProvider), "{fault:?}");
    let _keyring = or_skip!(bus.start_keyring());
    unlocked(&store).await;
    assert_eq!(read(&store, "acme").await.as_deref(), Some("value"));
}

/// Twenty stores that write the same item at once.
pub(super) async fn write_twenty_at_once(bus: &SessionBus) {
    let writers = (0..20).map(|number| {
        let store = bus.store(PATIENT);
        tokio::spawn(async move { store.write("acme", "Acme", &format!("value{number}"), Prompt::Never).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        // Another one may have written before it was read back.
        let outcome = writer.await.unwrap();
        assert!(matches!(outcome, Ok(()) | Err(Fault::NotKept)), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_writers_at_once_leave_one_item() {
    let bus = or_skip!(SessionBus::start());
    let _keyring = or_skip!(bus.start_keyring());
    unlocked(&bus.store(PATIENT)).await;
    write_twenty_at_once(&bus).await;
    let mut provider = Provider::connect(&[bus.socket()], PATIENT).await.unwrap();
    assert_eq!(found(&mut provider, &HashMap::from([("application", "Set-AwsCliSsoCredentials")])).await.len(), 1);
    assert!(read(&bus.store(PATIENT), "acme").await.unwrap().starts_with("value"));
}

#[tokio::test]
async fn what_is_set_aside_is_not_found_again_and_only_the_last_one_is_kept() {
    let bus = or_skip!(SessionBus::start());
    let _keyring = or_skip!(bus.start_keyring());
    let store = bus.store(PATIENT);
    unlocked(&store).await;
    for value in ["first", "second"] {
        store.write("acme", "Acme", value, Prompt::Never).await.unwrap();
        store.set_aside("acme").await.unwrap();
        assert_eq!(read(&store, "acme").await, None);
    }
    let mut provider = Provider::connect(&[bus.socket()], PATIENT).await.unwrap();
    assert_eq!(found(&mut provider, &HashMap::from([("application", "Set-AwsCliSsoCredentials")])).await.len(), 1);
}
