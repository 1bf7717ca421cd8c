//! How long a run waits for locks and files that other programs hold.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a run waits for a lock or a file if the user set no limit; other holders need only milliseconds.
pub(crate) const FILE_LOCK_LIMIT: Duration = Duration::from_secs(30);

/// How long a canceled run still waits: holders need milliseconds, and fetched credentials should not be lost.
const GRACE: Duration = Duration::from_millis(200);

/// One wait that has started.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    started: Instant,
    limit: Option<Duration>,
    cancel: CancellationToken,
}

impl Patience {
    /// Starts the wait now; it lasts until the limit, if there is one, or until `cancel` is canceled.
    pub(crate) fn new(limit: Option<Duration>, cancel: CancellationToken) -> Self {
        Self { started: Instant::now(), limit, cancel }
    }

    pub(crate) fn ended(&self) -> bool {
        let waited = self.waited();
        self.limit.is_some_and(|limit| waited >= limit) || (self.cancel.is_cancelled() && waited >= GRACE)
    }

    pub(crate) fn waited(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How long each wait of a run may last.
#[derive(Debug, Clone)]
pub(crate) struct WaitLimit {
    limit: Duration,
    cancel: CancellationToken,
}

impl WaitLimit {
    /// The time limit that the user set for the run shortens its waits.
    pub(crate) fn new(time_limit: Option<Duration>, cancel: CancellationToken) -> Self {
        Self { limit: time_limit.map_or(FILE_LOCK_LIMIT, |limit| limit.min(FILE_LOCK_LIMIT)), cancel }
    }

    /// Starts a wait now.
    pub(crate) fn begin(&self) -> Patience {
        Patience::new(Some(self.limit), self.cancel.clone())
    }
}

impl Default for WaitLimit {
    fn default() -> Self {
        Self::new(None, CancellationToken::new())
    }
}
