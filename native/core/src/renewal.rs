//! When keys that nobody watches are renewed, and how often that is tried.

use time::Duration;

/// Keys are renewed at the latest with this much left: every SDK asks again before it needs them, .NET 16 minutes before.
const LONGEST_MARGIN: Duration = Duration::minutes(20);

/// The time that keys need to have left: 20 minutes, or a third of a shorter lifetime.
pub(crate) fn margin(lifetime: Option<Duration>) -> Duration {
    lifetime.filter(|lifetime| lifetime.is_positive()).map_or(LONGEST_MARGIN, |lifetime| LONGEST_MARGIN.min(lifetime / 3))
}

/// How long to wait after an attempt, as long as the old keys are good.
pub(crate) fn pause(lifetime: Option<Duration>) -> Duration {
    margin(lifetime) / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_margin_is_20_minutes_or_a_third_of_a_shorter_lifetime() {
        for (lifetime, expected) in [(720, 20), (60, 20), (30, 10), (15, 5), (0, 20), (-5, 20)] {
            assert_eq!(margin(Some(Duration::minutes(lifetime))), Duration::minutes(expected), "{lifetime}");
        }
        assert_eq!((margin(None), pause(Some(Duration::minutes(60)))), (Duration::minutes(20), Duration::minutes(2)));
    }
}
