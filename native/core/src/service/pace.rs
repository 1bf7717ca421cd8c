//! The pace of the requests to one endpoint: free until the service refuses one for the number of them, then as fast as it grants them.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::mutex::locked;

/// What is tried after the first refusal, in requests a second: the one figure that AWS has published for the APIs of IAM Identity Center.
const FIRST_GUESS: f64 = 20.0;

/// A guess that holds doubles after so many requests.
const DOUBLING: f64 = 8.0;

/// Slower than this it never gets, in requests a second.
const SLOWEST: f64 = 0.1;

/// So many requests between two refusals tell what the service grants; fewer say only that it was too much.
const TELLING: u64 = 4;

/// So many requests after it was halved, the pace is back at what the service grants.
const RECOVERY: f64 = 4.0;

/// By this share of what was granted the pace grows with each further request, to find out whether more is granted by now.
const GROWTH: f64 = 0.01;

/// Who sent nothing for so long left some of what was granted, so that the time around it measures nothing.
const IDLE: Duration = Duration::from_millis(250);

/// So long after its last refusal the service is taken to have forgotten it; no longer pause that it asks for is believed.
const MEMORY: Duration = Duration::from_mins(1);

/// Lets the requests of all runs of this process through to one endpoint.
///
/// A service that refuses requests for the number of them has nothing left to grant at that moment, so what it let through between two refusals is
/// what it grants in that time, however large its reserve was at the start. The pace is halved at a refusal, back at the measured rate some
/// requests later, and then creeps on until the next refusal.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Whoever is next waits alone, so that requests go out in the order in which they came.
    next: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How many requests were let through.
    sent: u64,
    /// How many of them were refused.
    refused: u64,
    in_flight: u32,
    limit: Option<Limit>,
}

/// What holds after a refusal.
#[derive(Debug)]
struct Limit {
    /// What the service grants, in requests a second.
    granted: f64,
    /// Whether that was measured; else it is a guess.
    measured: bool,
    /// How many requests may be on their way at once.
    window: f64,
    /// How many had been sent when the pace was cut: refusals of these have the same reason.
    cut: u64,
    /// How many of those sent since then passed.
    passed: u32,
    /// The last one that found nothing left: its number, and when it was sent.
    refused: (u64, Instant),
    /// Whether nobody sent anything for a while since then.
    idle: bool,
    /// When the next one may go.
    next: Instant,
}

/// What a request waits for.
enum Wait {
    Until(Instant),
    Answer,
}

impl Limit {
    /// Requests a second now.
    fn rate(&self) -> f64 {
        let passed = f64::from(self.passed);
        let share = if !self.measured {
            (passed / DOUBLING).exp2()
        } else if passed < RECOVERY {
            0.5 + 0.5 * passed / RECOVERY
        } else {
            1.0 + GROWTH * (passed - RECOVERY)
        };
        (self.granted * share).max(SLOWEST)
    }

    /// The time from one request to the next.
    fn step(&self) -> Duration {
        Duration::from_secs_f64(self.rate().recip())
    }

    /// What the service grants, seen at the refusal of a request, and whether that is measured, now or before.
    fn judged(&self, number: u64, sent: Instant) -> (f64, bool) {
        let (last, then) = self.refused;
        let granted = number.saturating_sub(last + 1);
        let seconds = sent.saturating_duration_since(then).as_secs_f64();
        match u32::try_from(granted) {
            Ok(some) if granted >= TELLING && seconds > 0.0 && !self.idle => (f64::from(some) / seconds, true),
            _ if self.measured => (self.rate().min(self.granted), true),
            _ => (self.rate() / 2.0, false),
        }
    }
}

impl State {
    /// Lets one more request through, or says what it has to wait for.
    fn send(&mut self, now: Instant) -> Result<u64, Wait> {
        if self.limit.as_ref().is_some_and(|limit| now >= limit.next && now.saturating_duration_since(limit.refused.1) > MEMORY) {
            self.limit = None;
        }
        if let Some(limit) = &mut self.limit {
            if now < limit.next {
                return Err(Wait::Until(limit.next));
            }
            if f64::from(self.in_flight) >= limit.window {
                return Err(Wait::Answer);
            }
            let step = limit.step();
            limit.idle |= now - limit.next > step.max(IDLE);
            // One step may be made up for, so that a timer's lateness does not add up.
            let due = now.checked_sub(step).map_or(limit.next, |earliest| limit.next.max(earliest));
            limit.next = due + step;
        }
        self.sent += 1;
        self.in_flight += 1;
        Ok(self.sent)
    }

    fn passed(&mut self, number: u64) {
        if let Some(limit) = self.limit.as_mut().filter(|limit| number > limit.cut) {
            limit.passed = limit.passed.saturating_add(1);
            limit.window += limit.window.recip();
        }
    }

    fn refused(&mut self, number: u64, sent: Instant, now: Instant, pause: Option<Duration>) {
        self.refused += 1;
        let limit = match self.limit.take() {
            // On its way already when the pace was cut.
            Some(limit) if number <= limit.cut => Limit { refused: limit.refused.max((number, sent)), ..limit },
            before => {
                let (granted, measured) = before.map_or((FIRST_GUESS, false), |limit| limit.judged(number, sent));
                let window = (f64::from(self.in_flight) / 2.0).max(1.0);
                let mut limit = Limit { granted, measured, window, cut: self.sent, passed: 0, refused: (number, sent), idle: false, next: now };
                limit.next += limit.step();
                limit
            }
        };
        let next = pause.map_or(limit.next, |pause| limit.next.max(now + pause.min(MEMORY)));
        self.limit = Some(Limit { next, ..limit });
    }
}

/// A request that was let through; dropped without an answer, it says nothing of the pace.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pace: &'a Pace,
    number: u64,
    sent: Instant,
}

impl Pace {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Waits until one more request may go.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let _next = self.next.lock().await;
        loop {
            let now = Instant::now();
            let wait = match self.state().send(now) {
                Ok(number) => return Turn { pace: self, number, sent: now },
                Err(wait) => wait,
            };
            match wait {
                Wait::Until(then) => tokio::select! {
                    () = tokio::time::sleep_until(then) => {}
                    () = self.changed.notified() => {}
                },
                Wait::Answer => self.changed.notified().await,
            }
        }
    }

    /// How many requests were refused for the number of them so far, and what the pace is now, in requests a second, where it is held.
    pub(crate) fn seen(&self) -> (u64, Option<f64>) {
        let state = self.state();
        (state.refused, state.limit.as_ref().map(Limit::rate))
    }
}

impl Turn<'_> {
    /// The service let the request through, whatever its answer.
    pub(crate) fn passed(self) {
        self.pace.state().passed(self.number);
    }

    /// The service refused the request for the number of them, and may have asked for a pause.
    pub(crate) fn refused(self, pause: Option<Duration>) {
        self.pace.state().refused(self.number, self.sent, Instant::now(), pause);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.state().in_flight -= 1;
        // Kept for whoever waits next where nobody waits now.
        self.pace.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_util::StreamExt as _;

    use super::*;

    /// A service with a token bucket, in time that passes only while all wait.
    struct Service {
        per_second: Cell<f64>,
        burst: f64,
        left: Cell<f64>,
        filled: Cell<Option<Instant>>,
        answers_after: Duration,
        asks_for: Option<Duration>,
        refused: Cell<u32>,
        passed: Cell<u32>,
        most_at_once: Cell<u32>,
        at_once: Cell<u32>,
    }

    impl Service {
        fn new(per_second: f64, burst: u32, answers_after: u64) -> Self {
            let (burst, answers_after) = (f64::from(burst), Duration::from_millis(answers_after));
            let (per_second, left) = (Cell::new(per_second), Cell::new(burst));
            Self {
                per_second,
                burst,
                left,
                answers_after,
                filled: Cell::default(),
                asks_for: None,
                refused: Cell::default(),
                passed: Cell::default(),
                most_at_once: Cell::default(),
                at_once: Cell::default(),
            }
        }

        /// Whether a request is let through; a refusal comes at once.
        async fn call(&self) -> bool {
            self.at_once.set(self.at_once.get() + 1);
            self.most_at_once.set(self.most_at_once.get().max(self.at_once.get()));
            tokio::time::sleep(Duration::from_millis(1)).await;
            let now = Instant::now();
            let since = self.filled.replace(Some(now)).map_or(0.0, |then| (now - then).as_secs_f64());
            let left = (self.left.get() + since * self.per_second.get()).min(self.burst);
            let passes = left >= 1.0;
            self.left.set(if passes { left - 1.0 } else { left });
            let count = if passes { &self.passed } else { &self.refused };
            count.set(count.get() + 1);
            if passes {
                tokio::time::sleep(self.answers_after).await;
            }
            self.at_once.set(self.at_once.get() - 1);
            passes
        }

        async fn fetch(&self, pace: &Pace) {
            loop {
                let turn = pace.turn().await;
                if self.call().await {
                    return turn.passed();
                }
                turn.refused(self.asks_for);
            }
        }

        /// Fetches so many at this throttle limit; gives the seconds that passed.
        async fn fetch_all(&self, pace: &Pace, count: u32, throttle_limit: usize) -> f64 {
            let start = Instant::now();
            futures_util::stream::iter(0..count).map(|_| self.fetch(pace)).buffer_unordered(throttle_limit).collect::<Vec<()>>().await;
            start.elapsed().as_secs_f64()
        }
    }

    /// Runs in time that costs none: it jumps ahead whenever all wait.
    fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(run)
    }

    #[test]
    fn whatever_a_service_grants_is_used_within_a_tenth_and_hardly_overstepped() {
        for (per_second, burst) in [(20.0, 20), (20.0, 100), (5.0, 5), (2.0, 10), (10.0, 10), (33.0, 10), (50.0, 50)] {
            for answers_after in [0, 5, 20, 50, 100, 150] {
                for (throttle_limit, count) in [(16, 100_u32), (16, 200), (64, 200), (16, 1000)] {
                    let case = format!("{per_second} a second, {burst} at first, {answers_after} ms, {throttle_limit} at once, {count} requests");
                    let service = Service::new(per_second, burst, answers_after);
                    let seconds = in_virtual_time(service.fetch_all(&Pace::default(), count, throttle_limit));
                    assert_eq!(service.passed.get(), count, "{case}");
                    let answer = service.answers_after.as_secs_f64() + 0.001;
                    let by_rate = f64::from(count - burst.min(count)) / per_second + answer;
                    let limit = u32::try_from(throttle_limit).unwrap();
                    let by_round_trips = f64::from(count.div_ceil(limit)) * answer;
                    // Where the run is over in seconds, finding out what is granted weighs more.
                    let slack = if by_rate < 2.0 { 0.5 } else { by_rate * 0.1 };
                    assert!(seconds <= by_rate.max(by_round_trips) + slack, "{case}: {seconds} s");
                    assert!(service.refused.get() <= limit + count / 20, "{case}: {} refused", service.refused.get());
                }
            }
        }
    }

    #[test]
    fn a_service_that_refuses_nothing_gets_all_at_once() {
        let service = Service::new(1e9, 1000, 50);
        let seconds = in_virtual_time(service.fetch_all(&Pace::default(), 160, 16));
        assert_eq!((service.refused.get(), service.most_at_once.get()), (0, 16));
        assert!(seconds < 10.5 * 0.052, "{seconds}");
    }

    #[test]
    fn runs_side_by_side_share_one_pace() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        let seconds = in_virtual_time(async {
            let both = futures_util::future::join(service.fetch_all(&pace, 60, 16), service.fetch_all(&pace, 60, 16)).await;
            both.0.max(both.1)
        });
        assert!(seconds <= 5.5, "{seconds}");
        assert!(service.refused.get() <= 32 + 6, "{}", service.refused.get());
    }

    #[test]
    fn a_run_right_after_another_starts_at_the_pace_that_was_found() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        in_virtual_time(async {
            service.fetch_all(&pace, 60, 16).await;
            let before = service.refused.get();
            service.fetch_all(&pace, 60, 16).await;
            assert!(service.refused.get() - before <= 4, "{before} and then {}", service.refused.get());
        });
    }

    #[test]
    fn a_pause_between_two_runs_is_not_taken_for_a_slow_service() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        in_virtual_time(async {
            service.fetch_all(&pace, 60, 16).await;
            tokio::time::sleep(Duration::from_secs(40)).await;
            let seconds = service.fetch_all(&pace, 100, 16).await;
            assert!(seconds <= 5.5, "{seconds}");
        });
    }

    #[test]
    fn a_minute_after_the_last_refusal_all_is_fast_again() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        in_virtual_time(async {
            service.fetch_all(&pace, 60, 16).await;
            assert!(pace.seen().1.is_some());
            tokio::time::sleep(MEMORY * 2).await;
            assert!(service.fetch_all(&pace, 16, 16).await < 0.05);
            assert_eq!(pace.seen().1, None);
        });
    }

    #[test]
    fn a_service_that_grants_more_or_less_than_before_is_followed() {
        for (first, then) in [(20.0, 60.0), (60.0, 10.0)] {
            let (service, pace) = (Service::new(first, 20, 20), Pace::default());
            let seconds = in_virtual_time(async {
                service.fetch_all(&pace, 200, 16).await;
                service.per_second.set(then);
                let before = service.refused.get();
                let seconds = service.fetch_all(&pace, 400, 16).await;
                assert!(service.refused.get() - before <= 30, "{}", service.refused.get() - before);
                seconds
            });
            // A pace that has to climb threefold takes a while.
            assert!(seconds <= 400.0 / then * 1.8, "{first} and then {then}: {seconds}");
        }
    }

    #[test]
    fn a_pause_that_the_service_asks_for_is_kept_by_all() {
        let (service, pace) = (Service { asks_for: Some(Duration::from_secs(7)), ..Service::new(5.0, 5, 20) }, Rc::new(Pace::default()));
        in_virtual_time(async {
            let start = Instant::now();
            futures_util::future::join_all((0..5).map(|_| service.fetch(&pace))).await;
            let refused = pace.turn().await;
            refused.refused(service.asks_for);
            drop(pace.turn().await);
            assert!(start.elapsed() >= Duration::from_secs(7), "{:?}", start.elapsed());
        });
    }

    #[test]
    fn no_pause_is_longer_than_a_minute() {
        let pace = Pace::default();
        in_virtual_time(async {
            let start = Instant::now();
            pace.turn().await.refused(Some(Duration::from_secs(1_000_000_000)));
            drop(pace.turn().await);
            assert!(start.elapsed() <= MEMORY + Duration::from_secs(1), "{:?}", start.elapsed());
        });
    }

    #[test]
    fn a_request_that_was_given_up_holds_no_other_up() {
        let pace = Pace::default();
        in_virtual_time(async {
            pace.turn().await.refused(None);
            for _ in 0..50 {
                let hanging = pace.turn().await;
                // Neither one that hangs nor one that still waits for its turn.
                let waiting = tokio::time::timeout(Duration::from_millis(1), pace.turn());
                assert!(waiting.await.is_err());
                drop(hanging);
            }
        });
        assert_eq!(pace.state().in_flight, 0);
    }

    #[test]
    fn turns_are_taken_in_the_order_in_which_they_were_asked_for() {
        let pace = Pace::default();
        let order = std::cell::RefCell::new(Vec::new());
        in_virtual_time(async {
            pace.turn().await.refused(None);
            let waiting = (0..20).map(|number| {
                let (pace, order) = (&pace, &order);
                async move {
                    let turn = pace.turn().await;
                    order.borrow_mut().push(number);
                    turn.passed();
                }
            });
            futures_util::future::join_all(waiting).await;
        });
        assert_eq!(order.into_inner(), (0..20).collect::<Vec<_>>());
    }
}
