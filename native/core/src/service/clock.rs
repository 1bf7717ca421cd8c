//! The service's clock: keys and sessions expire by it, and the clock of this machine may be wrong.

use std::sync::Mutex;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

use crate::mutex::locked;
use crate::outlet::{Outlet, Topic};
use crate::world::Clock;

/// The years in which a time from the service is plausible.
const YEARS: std::ops::RangeInclusive<i32> = 2020..=2100;

/// The difference between the clocks above which the user is warned.
const CLOCK_WARNING: time::Duration = time::Duration::seconds(60);

/// How far the server's clock is from the clock of this machine, once known.
#[derive(Debug, Default)]
pub(crate) struct ServerClock(Mutex<Option<time::Duration>>);

impl ServerClock {
    pub(super) fn hear(&self, response: &HttpResponse) {
        if let Some(server) = date_of(response) {
            let difference = server - OffsetDateTime::now_utc();
            *locked(&self.0) = Some(difference);
        }
    }

    /// The difference, if it exceeds the resolution of the header.
    pub(crate) fn difference(&self) -> Option<time::Duration> {
        locked(&self.0).filter(|difference| difference.abs() >= time::Duration::seconds(2))
    }
}

/// The time of a response by the server's clock, if plausible, no matter how far from the clock of this machine.
pub(super) fn date_of(response: &HttpResponse) -> Option<OffsetDateTime> {
    let date = OffsetDateTime::parse(response.headers().get("date")?, &Rfc2822).ok()?;
    is_plausible(date).then_some(date)
}

/// Whether the service can mean this time. Uses the year as written, because converting the time zone could leave the range of years.
pub(super) fn is_plausible(time: OffsetDateTime) -> bool {
    YEARS.contains(&time.year())
}

/// What a response showed about the server's clock, and when.
#[derive(Debug, Clone, Copy)]
struct Heard {
    difference: time::Duration,
    local: OffsetDateTime,
    at: Instant,
}

impl Heard {
    /// Whether the clock of this machine has run on normally since then. If it was set, the difference is no longer valid.
    fn holds(&self, local: OffsetDateTime) -> bool {
        let passed = time::Duration::try_from(self.at.elapsed()).unwrap_or(time::Duration::MAX);
        ((local - self.local).saturating_sub(passed)).abs() <= CLOCK_WARNING
    }
}

/// The service's time, as far as this process knows it.
#[derive(Debug, Default)]
pub(crate) struct ServiceTime(Mutex<Option<Heard>>);

impl ServiceTime {
    /// The service's time, or the machine's if no service has responded since its clock was set.
    pub(crate) fn now(&self, clock: &dyn Clock) -> OffsetDateTime {
        let local = clock.now();
        let heard = locked(&self.0).filter(|heard| heard.holds(local));
        heard.and_then(|heard| local.checked_add(heard.difference)).unwrap_or(local)
    }

    /// Adopts what the responses of a service showed about its clock, and warns once if the machine's clock is far off.
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

    /// A machine clock that a test sets.
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> OffsetDateTime {
            OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(self.0.load(Ordering::Relaxed))
        }
    }

    /// The number of warnings that `work` causes.
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
    async fn the_services_time_applies_until_the_machines_clock_is_set() {
        let count = warnings(|outlet| {
            let (time, clock) = (ServiceTime::default(), SetClock(AtomicI64::new(1_000_000)));
            let seconds = || (time.now(&clock) - OffsetDateTime::UNIX_EPOCH).whole_seconds();
            assert_eq!(seconds(), 1_000_000, "no service has responded yet");
            time.hear(&ahead_by(30), &clock, outlet);
            assert_eq!(seconds(), 1_000_030);
            clock.0.store(1_000_061, Ordering::Relaxed);
            assert_eq!(seconds(), 1_000_061, "the clock was set, so the difference no longer applies");
            time.hear(&ahead_by(0), &clock, outlet);
            assert_eq!(seconds(), 1_000_061, "a difference below the resolution of the header is ignored");
        });
        assert_eq!(count, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_difference_still_applies_while_the_machines_clock_runs_on() {
        let (time, clock) = (ServiceTime::default(), Arc::new(SetClock(AtomicI64::new(0))));
        let run = Run::new(Box::new(|_| None), false, Arc::default());
        assert!(run.next().is_none());
        *locked(&time.0) = Some(Heard { difference: time::Duration::seconds(300), local: clock.now(), at: Instant::now() });
        tokio::time::advance(Duration::from_hours(2)).await;
        clock.0.store(7200, Ordering::Relaxed);
        assert_eq!(time.now(clock.as_ref()), OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(7500));
    }

    #[test]
    fn a_clock_that_is_far_off_causes_one_warning_per_process() {
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
