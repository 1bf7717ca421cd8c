//! The service's clock: keys and sessions end by its time, and this machine's may be wrong.

use std::sync::Mutex;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

use crate::mutex::locked;
use crate::outlet::{Outlet, Topic};
use crate::world::Clock;

/// A time outside of these years is not one that the service means.
const YEARS: std::ops::RangeInclusive<i32> = 2020..=2100;

/// A difference of the clocks that the user should know of.
const CLOCK_WARNING: time::Duration = time::Duration::seconds(60);

/// How far the server's clock is from this machine's, once it was heard.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Mutex<Option<time::Duration>>);

impl ServerClock {
    pub(super) fn hear(&self, response: &HttpResponse) {
        if let Some(server) = date_of(response) {
            let difference = server - OffsetDateTime::now_utc();
            *locked(&self.0) = Some(difference);
        }
    }

    /// The difference, where it is more than the header's own coarseness.
    pub(crate) fn difference(&self) -> Option<time::Duration> {
        locked(&self.0).filter(|difference| difference.abs() >= time::Duration::seconds(2))
    }
}

/// The time of an answer by the server's clock, where it is one that a clock can show, however far from this machine's.
pub(super) fn date_of(response: &HttpResponse) -> Option<OffsetDateTime> {
    let date = OffsetDateTime::parse(response.headers().get("date")?, &Rfc2822).ok()?;
    is_plausible(date).then_some(date)
}

/// Whether the service can mean this time. The year is of the time as it is written, since the same moment elsewhere may be beyond all years.
pub(super) fn is_plausible(time: OffsetDateTime) -> bool {
    YEARS.contains(&time.year())
}

/// What a server's answer told of its clock, and when.
#[derive(Debug, Clone, Copy)]
struct Heard {
    difference: time::Duration,
    local: OffsetDateTime,
    at: Instant,
}

impl Heard {
    /// Whether the machine's clock has only run on since then. Where it was set, the difference is of no use any more.
    fn holds(&self, local: OffsetDateTime) -> bool {
        let passed = time::Duration::try_from(self.at.elapsed()).unwrap_or(time::Duration::MAX);
        ((local - self.local).saturating_sub(passed)).abs() <= CLOCK_WARNING
    }
}

/// The service's time as this process knows it.
#[derive(Debug, Default)]
pub(crate) struct ServiceTime(Mutex<Option<Heard>>);

impl ServiceTime {
    /// The service's time, or the machine's where no service has answered since it was set.
    pub(crate) fn now(&self, clock: &dyn Clock) -> OffsetDateTime {
        let local = clock.now();
        let heard = locked(&self.0).filter(|heard| heard.holds(local));
        heard.and_then(|heard| local.checked_add(heard.difference)).unwrap_or(local)
    }

    /// Takes over what the answers of a service told of its clock, and warns once if the machine's is far off.
    pub(crate) fn hear(&self, service: &ServerClock, clock: &dyn Clock, outlet: &Outlet) {
        let difference = service.difference();
        *locked(&self.0) = difference.map(|difference| Heard { difference, local: clock.now(), at: Instant::now() });
        let Some(difference) = difference.filter(|difference| difference.abs() > CLOCK_WARNING) else { return };
        if outlet.is_first_warning(Topic::Clock, "") {
            let direction = if difference.is_positive() { "behind" } else { "ahead of" };
            outlet.warn(format!(
                "This computer's clock is {} s {direction} the clock of AWS. Set it correctly; other tools rely on it.",
                difference.whole_seconds().abs()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::run::Run;

    /// A machine's clock that a test sets.
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> OffsetDateTime {
            OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(self.0.load(Ordering::Relaxed))
        }
    }

    /// What `work` warns of.
    fn warnings(work: impl FnOnce(&Outlet) + Send + 'static) -> usize {
        let run = Run::new(
            Box::new(|outlet| {
                work(outlet);
                None
            }),
            false,
            Arc::default(),
        );
        std::iter::from_fn(|| run.next()).count()
    }

    fn ahead_by(seconds: i64) -> ServerClock {
        ServerClock(Mutex::new(Some(time::Duration::seconds(seconds))))
    }

    #[tokio::test(start_paused = true)]
    async fn the_service_s_time_counts_until_the_machine_s_clock_is_set() {
        let count = warnings(|outlet| {
            let (time, clock) = (ServiceTime::default(), SetClock(AtomicI64::new(1_000_000)));
            let seconds = || (time.now(&clock) - OffsetDateTime::UNIX_EPOCH).whole_seconds();
            assert_eq!(seconds(), 1_000_000, "nothing was heard yet");
            time.hear(&ahead_by(30), &clock, outlet);
            assert_eq!(seconds(), 1_000_030);
            clock.0.store(1_000_061, Ordering::Relaxed);
            assert_eq!(seconds(), 1_000_061, "somebody set the clock, so the difference is of no use");
            time.hear(&ahead_by(0), &clock, outlet);
            assert_eq!(seconds(), 1_000_061, "a difference that the header is too coarse for is none");
        });
        assert_eq!(count, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_difference_still_counts_while_the_machine_s_clock_runs_on() {
        let (time, clock) = (ServiceTime::default(), Arc::new(SetClock(AtomicI64::new(0))));
        let run = Run::new(Box::new(|_| None), false, Arc::default());
        assert!(run.next().is_none());
        *locked(&time.0) = Some(Heard { difference: time::Duration::seconds(300), local: clock.now(), at: Instant::now() });
        tokio::time::advance(Duration::from_hours(2)).await;
        clock.0.store(7200, Ordering::Relaxed);
        assert_eq!(time.now(clock.as_ref()), OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(7500));
    }

    #[test]
    fn a_clock_that_is_far_off_is_warned_of_once_in_a_process() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let _guard = runtime.as_ref().map(tokio::runtime::Runtime::enter);
        let count = warnings(|outlet| {
            let (time, clock) = (ServiceTime::default(), SetClock(AtomicI64::new(0)));
            for seconds in [60, 61, -3600] {
                time.hear(&ahead_by(seconds), &clock, outlet);
            }
        });
        assert_eq!(count, 1);
    }
}
