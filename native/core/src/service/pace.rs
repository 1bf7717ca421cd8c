//! The pace of requests to one endpoint: unlimited until the service throttles a request, then as fast as the service allows.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::mutex::locked;

/// The pace after the first refusal, in requests per second: the one figure that AWS has published for the APIs of IAM Identity Center.
const FIRST_GUESS: f64 = 20.0;

/// How many requests may be in flight at once before any was answered.
const FIRST_WINDOW: u32 = 16;

/// The most requests in flight at once, whatever the runs ask for.
const LARGEST_WINDOW: u32 = 256;

/// The number of accepted requests after which a guessed pace doubles.
const DOUBLING: f64 = 6.0;

/// The slowest pace, in requests per second.
const SLOWEST: f64 = 0.1;

/// The fewest requests between two refusals that measure what the service allows; fewer only show that the pace was too high.
const TELLING: u64 = 4;

/// The number of accepted requests after which a halved pace is back at the measured rate.
const RECOVERY: f64 = 4.0;

/// The share of the measured rate by which the pace grows with each further request, to find out whether the service allows more now.
const GROWTH: f64 = 0.01;

/// A gap between requests after which a measurement is void, because part of what the service allowed went unused.
const IDLE: Duration = Duration::from_millis(250);

/// How long after its last refusal a service counts as unthrottled; also the longest pause that a service can ask for.
const MEMORY: Duration = Duration::from_mins(1);

/// Limits the requests of all runs in this process to one endpoint.
///
/// A service that throttles has nothing left to allow at that moment, so what it accepted between two refusals is what it allows in that time, no
/// matter how large its reserve was at the start. A refusal halves the pace; it returns to the measured rate some requests later, and then grows slowly
/// until the next refusal.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Held by the next request in line while it waits, so that requests go out in the order in which they came.
    next: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// How many requests were sent.
    sent: u64,
    /// How many requests were throttled.
    refused: u64,
    in_flight: u32,
    /// How many requests may be in flight at once while there is no limit. Each accepted request adds one, so the number doubles with each round trip.
    window: u32,
    /// The largest window.
    ceiling: u32,
    limit: Option<Limit>,
}

impl Default for State {
    fn default() -> Self {
        Self { sent: 0, refused: 0, in_flight: 0, window: FIRST_WINDOW, ceiling: LARGEST_WINDOW, limit: None }
    }
}

/// The limit after a refusal.
#[derive(Debug)]
struct Limit {
    /// What the service allows, in requests per second.
    granted: f64,
    /// Whether that was measured; otherwise it is a guess.
    measured: bool,
    /// How many requests may be in flight at once.
    window: f64,
    /// How many requests had been sent when the pace was cut; refusals of these have the same cause.
    cut: u64,
    /// How many requests sent since then were accepted.
    passed: u32,
    /// The last throttled request: its number, and when it was sent.
    refused: (u64, Instant),
    /// Whether there was a gap between requests since then.
    idle: bool,
    /// When the next request may go.
    next: Instant,
}

/// What a request waits for.
enum Wait {
    Until(Instant),
    Answer,
}

impl Limit {
    /// The current pace, in requests per second.
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

    /// The time between two requests.
    fn step(&self) -> Duration {
        Duration::from_secs_f64(self.rate().recip())
    }

    /// What the service allows, judged from the refusal of a request, and whether that is measured, now or earlier.
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
    /// Sends one more request, or returns what to wait for; the number of the request counts from 1.
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
            // One step may be caught up, so that late timers do not add up.
            let due = now.checked_sub(step).map_or(limit.next, |earliest| limit.next.max(earliest));
            limit.next = due + step;
        } else if self.in_flight >= self.window {
            return Err(Wait::Answer);
        }
        self.sent += 1;
        self.in_flight += 1;
        Ok(self.sent)
    }

    fn passed(&mut self, number: u64) {
        match &mut self.limit {
            None => self.window = (self.window + 1).min(self.ceiling),
            Some(limit) if number > limit.cut => {
                limit.passed = limit.passed.saturating_add(1);
                limit.window += 1.0;
            }
            Some(_) => {}
        }
    }

    fn refused(&mut self, number: u64, sent: Instant, now: Instant, pause: Option<Duration>) {
        self.refused += 1;
        self.window = FIRST_WINDOW;
        let limit = match self.limit.take() {
            // Was already in flight when the pace was cut.
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

/// A request that may be sent; dropping it without a result does not change the pace.
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

    /// Waits until one more request may be sent.
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

    /// Never has more than 16 requests in flight: each may be a connection of its own, which a proxy has to carry for everybody.
    pub(super) fn stay_small(&self) {
        let mut state = self.state();
        state.ceiling = FIRST_WINDOW;
        state.window = FIRST_WINDOW;
    }

    /// How many requests have been throttled, and the current pace in requests per second, if it is limited.
    pub(crate) fn seen(&self) -> (u64, Option<f64>) {
        let state = self.state();
        (state.refused, state.limit.as_ref().map(Limit::rate))
    }
}

impl Turn<'_> {
    /// Records that the service accepted the request, whatever its response.
    pub(crate) fn passed(self) {
        self.pace.state().passed(self.number);
    }

    /// Records that the service throttled the request, and the pause that it asked for, if any.
    pub(crate) fn refused(self, pause: Option<Duration>) {
        self.pace.state().refused(self.number, self.sent, Instant::now(), pause);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pace.state().in_flight -= 1;
        // Wakes the next request to wait, even if none waits now.
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

    /// A service with a token bucket, in virtual time.
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

        /// Whether a request is accepted; a refusal comes at once.
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

        /// Fetches `count` items at this throttle limit, and returns the seconds that passed.
        async fn fetch_all(&self, pace: &Pace, count: u32, throttle_limit: usize) -> f64 {
            let start = Instant::now();
            futures_util::stream::iter(0..count).map(|_| self.fetch(pace)).buffer_unordered(throttle_limit).collect::<Vec<()>>().await;
            start.elapsed().as_secs_f64()
        }
    }

    /// Runs in virtual time, which jumps ahead whenever all tasks wait.
    fn in_virtual_time<T>(run: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(run)
    }

    #[test]
    fn the_allowed_rate_is_used_to_within_a_tenth_and_barely_exceeded() {
        for (per_second, burst) in [(20.0, 20), (20.0, 100), (5.0, 5), (2.0, 10), (10.0, 10), (33.0, 10), (50.0, 50), (100.0, 20), (200.0, 100), (500.0, 50)] {
            for answers_after in [0, 5, 20, 50, 100, 150, 300] {
                for (throttle_limit, count) in [(16, 100_u32), (16, 200), (64, 100), (64, 200), (16, 1000), (64, 1000)] {
                    let case = format!("{per_second} a second, {burst} at first, {answers_after} ms, {throttle_limit} at once, {count} requests");
                    let service = Service::new(per_second, burst, answers_after);
                    let seconds = in_virtual_time(service.fetch_all(&Pace::default(), count, throttle_limit));
                    assert_eq!(service.passed.get(), count, "{case}");
                    let answer = service.answers_after.as_secs_f64() + 0.001;
                    let by_rate = f64::from(count - burst.min(count)) / per_second + answer;
                    let limit = u32::try_from(throttle_limit).unwrap();
                    let by_round_trips = f64::from(count.div_ceil(limit)) * answer;
                    // In a run of a few seconds, finding the rate takes a larger share.
                    let slack = if by_rate < 2.0 { 0.5 } else { by_rate * 0.1 };
                    // A rate far from the first guess takes some round trips to find.
                    let round_trips = if per_second > FIRST_GUESS { 5.0 * answer } else { 0.0 };
                    let search = round_trips + if per_second >= 100.0 { 0.4 } else { 0.0 };
                    assert!(seconds <= by_rate.max(by_round_trips) + slack + search, "{case}: {seconds} s");
                    assert!(service.refused.get() <= limit.max(24) + count / 20, "{case}: {} refused", service.refused.get());
                }
            }
        }
    }

    #[test]
    fn the_published_rate_is_used_whole_however_many_requests_may_be_in_flight() {
        for answers_after in [0, 5, 20, 50] {
            for (throttle_limit, count) in [(16, 100_u32), (64, 100), (64, 200), (256, 200)] {
                let service = Service::new(20.0, 20, answers_after);
                let seconds = in_virtual_time(service.fetch_all(&Pace::default(), count, throttle_limit));
                let floor = f64::from(count - 20) / 20.0 + service.answers_after.as_secs_f64();
                assert!(seconds <= floor * 1.04 && service.refused.get() <= 40, "{answers_after}: {seconds} of {floor} s, {} refused", service.refused.get());
            }
        }
    }

    #[test]
    fn a_service_that_never_throttles_gets_requests_at_full_speed() {
        let service = Service::new(1e9, 1000, 50);
        let seconds = in_virtual_time(service.fetch_all(&Pace::default(), 160, 16));
        assert_eq!((service.refused.get(), service.most_at_once.get()), (0, 16));
        assert!(seconds < 10.5 * 0.052, "{seconds}");
    }

    #[test]
    fn the_requests_in_flight_double_with_each_round_trip_up_to_the_limit_of_the_run() {
        for (count, round_trips) in [(16, 1), (48, 2), (100, 3), (112, 3), (200, 5), (1000, 17)] {
            let service = Service::new(1e9, 10_000, 50);
            let seconds = in_virtual_time(service.fetch_all(&Pace::default(), count, 64));
            assert!(seconds <= f64::from(round_trips) * 0.053, "{count}: {seconds} s");
            assert!(service.most_at_once.get() <= 64);
        }
    }

    #[test]
    fn a_pace_that_stays_small_never_has_more_than_sixteen_in_flight() {
        let (service, pace) = (Service::new(1e9, 10_000, 50), Pace::default());
        pace.stay_small();
        in_virtual_time(service.fetch_all(&pace, 200, 64));
        assert_eq!(service.most_at_once.get(), 16);
    }

    #[test]
    fn several_shells_at_once_share_what_the_service_allows() {
        for per_second in [20.0, 50.0] {
            let service = Service::new(per_second, 20, 20);
            let paces = [Pace::default(), Pace::default(), Pace::default()];
            let seconds = in_virtual_time(async {
                let start = Instant::now();
                futures_util::future::join_all(paces.iter().map(|pace| service.fetch_all(pace, 60, 64))).await;
                start.elapsed().as_secs_f64()
            });
            let floor = 160.0 / per_second;
            assert!(seconds <= floor * 1.5, "{per_second}: {seconds} of {floor} s");
            assert!(service.refused.get() <= 3 * 40, "{per_second}: {} refused", service.refused.get());
        }
    }

    #[test]
    fn parallel_runs_share_one_pace() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        let seconds = in_virtual_time(async {
            let both = futures_util::future::join(service.fetch_all(&pace, 60, 16), service.fetch_all(&pace, 60, 16)).await;
            both.0.max(both.1)
        });
        assert!(seconds <= 5.5, "{seconds}");
        assert!(service.refused.get() <= 32 + 6, "{}", service.refused.get());
    }

    #[test]
    fn a_run_right_after_another_starts_at_the_known_pace() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        in_virtual_time(async {
            service.fetch_all(&pace, 60, 16).await;
            let before = service.refused.get();
            service.fetch_all(&pace, 60, 16).await;
            assert!(service.refused.get() - before <= 4, "{before} and then {}", service.refused.get());
        });
    }

    #[test]
    fn a_pause_between_two_runs_does_not_count_as_a_slow_service() {
        let (service, pace) = (Service::new(20.0, 20, 20), Pace::default());
        in_virtual_time(async {
            service.fetch_all(&pace, 60, 16).await;
            tokio::time::sleep(Duration::from_secs(40)).await;
            let seconds = service.fetch_all(&pace, 100, 16).await;
            assert!(seconds <= 5.5, "{seconds}");
        });
    }

    #[test]
    fn the_pace_is_unlimited_again_a_minute_after_the_last_refusal() {
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
    fn the_pace_follows_a_service_whose_rate_changes() {
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
            // A pace that has to triple takes a while.
            assert!(seconds <= 400.0 / then * 1.8, "{first} and then {then}: {seconds}");
        }
    }

    #[test]
    fn every_request_waits_for_the_pause_that_the_service_asks_for() {
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
    fn an_abandoned_request_does_not_block_others() {
        let pace = Pace::default();
        in_virtual_time(async {
            pace.turn().await.refused(None);
            for _ in 0..50 {
                let hanging = pace.turn().await;
                // Neither a hanging request nor one that still waits for its turn.
                let waiting = tokio::time::timeout(Duration::from_millis(1), pace.turn());
                assert!(waiting.await.is_err());
                drop(hanging);
            }
        });
        assert_eq!(pace.state().in_flight, 0);
    }

    #[test]
    fn requests_go_out_in_the_order_in_which_they_came() {
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
