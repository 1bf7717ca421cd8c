//! How long the parts of a run may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::SessionTerms;

/// What bounds the network after the login if the user gave no limit.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);

/// A longer limit is as good as none, and not every system's clock can count that far.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(365 * 24);

/// The part of a limited run that is kept for the write, so that what was fetched is not lost; of a short run it is a quarter.
const KEPT_FOR_WRITE: Duration = Duration::from_secs(1);

/// What bounds the requests of a session.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    /// All of them together, from the login on.
    Together(Duration),
    /// All of them together, and the logins and waits before them.
    Until(Instant),
    /// Each of them, so that a list may be as long as it is.
    Each(Duration),
}

/// The time that a user gave, and what it bounds. Where somebody may log in, that is each part of the run, since people take the time that they need.
/// Where nobody may, it is the whole run, waits for others included.
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

    /// What a step on the way to a session may take, where the user gave a limit.
    pub(crate) fn for_session(&self) -> Option<Duration> {
        self.given.map(|given| if self.whole_run { self.network_end().saturating_duration_since(Instant::now()) } else { given })
    }

    /// What a step may take that the run can do without.
    pub(crate) fn for_optional_step(&self, usual: Duration) -> Duration {
        let left = self.for_session().unwrap_or(DEFAULT_TIMEOUT);
        usual.min(if self.whole_run { left / 2 } else { left })
    }

    /// How long another process is waited for that fetches the same profiles: half of the time, so that they can still be fetched if it comes to nothing.
    pub(crate) fn for_turn(&self) -> Duration {
        self.for_session().unwrap_or(DEFAULT_TIMEOUT) / 2
    }

    /// What bounds the requests of a session.
    pub(crate) fn for_requests(&self) -> Bound {
        if self.whole_run { Bound::Until(self.network_end()) } else { Bound::Together(self.given.unwrap_or(DEFAULT_TIMEOUT)) }
    }

    /// What bounds the requests for a list, which may be long; so nothing bounds it as a whole unless the user does.
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
    async fn a_refresh_that_is_not_needed_yet_takes_half_of_the_time_at_most() {
        let terms = SessionTerms { login: false, timeout: Some(5), ..SessionTerms::default() };
        assert_eq!(TimeLimit::of(&terms).for_optional_step(Duration::from_secs(10)), Duration::from_secs(2));
    }

    #[test]
    fn without_a_login_the_limit_is_one_for_the_whole_run_and_with_one_it_is_that_of_each_part() {
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
