//! What a refresh in the background makes of a profile's section: it renews this module's keys for the environment, and adds none.

use time::{Duration, OffsetDateTime};

use crate::files::known_keys::{DueRule, Known, KnownProfile, KnownProfiles, Obstacle, Standing};
use crate::names::profile::ProfileEntry;
use crate::renewal;

/// What the file has for a profile that is to be kept fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upkeep {
    /// It has no keys that were fetched for the environment.
    NoKeys,
    /// Its section is left alone for this reason.
    Blocked(Obstacle),
    /// It has keys to renew.
    Keys(KeysToRenew),
}

/// Keys in the file that are renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeysToRenew {
    /// When they are due; now if they already are, for whatever reason.
    pub(crate) due: OffsetDateTime,
    pub(crate) expiration: Option<OffsetDateTime>,
    /// The time that they need to have left.
    pub(crate) margin: Duration,
    /// The shortest time between two attempts.
    pub(crate) pause: Duration,
}

impl KnownProfiles {
    /// What there is to renew for a profile of this environment.
    pub(crate) fn upkeep(&self, profile: &ProfileEntry, environment: &str, now: OffsetDateTime) -> Upkeep {
        match self.sections.get(&profile.name) {
            None => Upkeep::NoKeys,
            Some(Known::Two) => Upkeep::Blocked(Obstacle::TwoSections),
            Some(Known::One(known)) => match known.standing(profile, DueRule::of_renewal(now)) {
                Standing::Blocked(obstacle) => Upkeep::Blocked(obstacle),
                _ if !known.is_kept_for(profile, environment) => Upkeep::NoKeys,
                standing => Upkeep::Keys(known.to_renew(&standing, now)),
            },
        }
    }
}

impl KnownProfile {
    /// Whether the keys were fetched for the environment. Those without a mark can be of another tool, unless all that the module notes besides is right.
    fn is_kept_for(&self, profile: &ProfileEntry, environment: &str) -> bool {
        let is_right = || self.complete && self.account_id.as_ref() == Some(&profile.account_id) && self.role_name.as_ref() == Some(&profile.role_name);
        self.access_key_id.is_some() && if self.environment.is_some() { self.is_marked_for(environment) } else { is_right() }
    }

    fn to_renew(&self, standing: &Standing, now: OffsetDateTime) -> KeysToRenew {
        let lifetime = self.expiration.zip(self.issued).map(|(expiration, issued)| expiration - issued);
        let margin = renewal::margin(lifetime);
        let due = match standing {
            // One moment later, less than the margin is left.
            Standing::Good(expiration) => *expiration - margin + Duration::MILLISECOND,
            _ => now,
        };
        KeysToRenew { due, expiration: self.expiration, margin, pause: renewal::pause(lifetime) }
    }
}
