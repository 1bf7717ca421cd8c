//! How long the parts of a run may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::SessionTerms;

/// The limit for the network after the login if the user set none.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);

/// A longer limit is as good as none, and not every system's clock can count that far.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(365 * 24);

/// The part of a limited run that is reserved for the write, so that nothing fetched is lost; at most a quarter of the run.
const KEPT_FOR_WRITE: Duration = Duration::from_secs(1);

/// The limit for the requests of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// For all of them together, from the login on.
    Together(Duration),
    /// For all of them together, including the logins and waits before them.
    Until(Instant),
    /// For each of them, so that a list may be of any length.
    Each(Duration),
}

/// The user's time limit and what it applies to. If the run may log in, it applies to each part of the run, because people take the time that they need;
/// if not, it applies to the whole run, including waits for other processes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLimit {
    started: Instant,
    given: Option<Duration>,
    whole_run: bool,
}

impl TimeLimit {
    /// The limit of a run that starts now.
    pub(crate) fn of(terms: &SessionTerms) -> Self {
        let given = terms.timeout.map(|seconds| Duration::from_secs(seconds).min(LONGEST_TIMEOUT));
        Self { started: Instant::now(), given, whole_run: given.is_some() && !terms.login }
    }

    /// The limit for a step toward a session, if the user set one.
    pub(crate) fn for_session(&self) -> Option<Duration> {
        self.given.map(|given| if self.whole_run { self.network_end().saturating_duration_since(Instant::now()) } else { given })
    }

    /// The limit for an optional step.
    pub(crate) fn for_optional_step(&self, usual: Duration) -> Duration {
        let left = self.for_session().unwrap_or(DEFAULT_TIMEOUT);
        usual.min(if self.whole_run { left / 2 } else { left })
    }

    /// How long to wait for another process that fetches the same profiles: half of the time, so that they can still be fetched here if it fails.
    pub(crate) fn for_turn(&self) -> Duration {
        self.for_session().unwrap_or(DEFAULT_TIMEOUT) / 2
    }

    /// The limit for the requests of a session.
    pub(crate) fn for_requests(&self) -> Bound {
        if self.whole_run { Bound::Until(self.network_end()) } else { Bound::Together(self.given.unwrap_or(DEFAULT_TIMEOUT)) }
    }

    /// The limit for the requests of a list; a list may be long, so only the user's limit applies to the whole of it.
    pub(crate) fn for_list(&self) -> Bound {
        if self.given.is_some() { self.for_requests() } else { Bound::Each(DEFAULT_TIMEOUT) }
    }

    /// How long the write may wait for its lock.
    pub(crate) fn for_write(&self) -> Duration {
        let given = self.given.unwrap_or(DEFAULT_TIMEOUT);
        if self.whole_run { (self.started + given).saturating_duration_since(Instant::now()) } else { given }
    }

    fn network_end(&self) -> Instant {
        let given = self.given.unwrap_or(DEFAULT_TIMEOUT);
        self.started + given - KEPT_FOR_WRITE.min(given / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_optional_refresh_takes_at_most_half_of_the_time() {
        let terms = SessionTerms { login: false, timeout: Some(5), ..SessionTerms::default() };
        assert_eq!(TimeLimit::of(&terms).for_optional_step(Duration::from_secs(10)), Duration::from_secs(2));
    }

    #[test]
    fn the_limit_applies_to_the_whole_run_without_a_login_and_to_each_part_with_one() {
        let terms = |login, timeout| SessionTerms { login, timeout, ..SessionTerms::default() };
        let together = TimeLimit::of(&terms(true, Some(8)));
        assert_eq!((together.for_session(), together.for_write()), (Some(Duration::from_secs(8)), Duration::from_secs(8)));
        assert!(matches!(together.for_requests(), Bound::Together(limit) if limit == Duration::from_secs(8)));
        let whole = TimeLimit::of(&terms(false, Some(8)));
        assert!(whole.for_session() <= Some(Duration::from_secs(7)) && whole.for_write() <= Duration::from_secs(8));
        assert!(matches!(whole.for_requests(), Bound::Until(_)) && matches!(whole.for_list(), Bound::Until(_)));
        let none = TimeLimit::of(&terms(false, None));
        assert_eq!((none.for_session(), none.for_write()), (None, DEFAULT_TIMEOUT));
        assert!(matches!(none.for_list(), Bound::Each(_)) && matches!(none.for_requests(), Bound::Together(_)));
    }
}
