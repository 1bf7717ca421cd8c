//! What an update counts as due.

use time::OffsetDateTime;

use crate::files::known_keys::DueRule;
use crate::protocol::Update;

/// What an update counts as due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// What the user requires.
    AsRequired,
    /// What a renewal in the background would fetch, see [`DueRule::of_renewal`].
    AsRenewal,
}

impl Due {
    /// The rule of an update, without `-Force`.
    pub(super) fn rule(self, update: &Update, now: OffsetDateTime) -> DueRule {
        let rule = match self {
            Self::AsRequired => DueRule::of(now, update.minimum_remaining),
            Self::AsRenewal => DueRule::of_renewal(now),
        };
        DueRule { replace_keys: update.replace_keys, ..rule }
    }
}
