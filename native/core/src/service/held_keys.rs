//! Keys that were unusable on arrival, which are not requested again for a while.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::mutex::locked;
use crate::service::refusal::Refusal;

/// How long keys that were already expired on arrival are not requested again.
pub(super) const UNUSABLE_KEYS_PAUSE: Duration = Duration::from_mins(5);

/// The accounts and roles whose keys were unusable on arrival, each with the time until which it is not requested again.
#[derive(Default)]
pub(super) struct HeldKeys(Mutex<HashMap<(String, String), (Instant, Refusal)>>);

impl HeldKeys {
    pub(super) fn get(&self, account_id: &str, role_name: &str) -> Option<Refusal> {
        let mut held = locked(&self.0);
        held.retain(|_, (end, _)| *end > Instant::now());
        held.get(&(account_id.to_owned(), role_name.to_owned())).map(|(_, refusal)| refusal.clone())
    }

    pub(super) fn hold(&self, account_id: &str, role_name: &str, refusal: &Refusal) {
        let end = Instant::now() + UNUSABLE_KEYS_PAUSE;
        locked(&self.0).insert((account_id.to_owned(), role_name.to_owned()), (end, refusal.clone()));
    }
}
