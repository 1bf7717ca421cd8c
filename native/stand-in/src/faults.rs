//! The faults for the next calls, and the rate limit.

use std::time::Instant;

use crate::options::{Calls, Count, Failure, Operation};

/// What happens to a call.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Fail(Failure),
    Hang,
    Cut,
    BrokenJson,
}

struct Fault {
    calls: Calls,
    effect: Effect,
}

/// The faults in the order in which they were requested; a call gets at most one.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, calls: Calls, effect: Effect) {
        self.0.push(Fault { calls, effect });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn take(&mut self, operation: Operation) -> Option<Effect> {
        self.0.retain(|fault| fault.calls.count != Count::Next(0));
        let fault = self.0.iter_mut().find(|fault| fault.calls.operation == operation)?;
        if let Count::Next(left) = &mut fault.calls.count {
            *left -= 1;
        }
        Some(fault.effect.clone())
    }
}

/// A token bucket.
pub(crate) struct Bucket {
    per_second: f64,
    size: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(per_second: f64, burst: Option<u32>) -> Self {
        let size = burst.map_or(per_second.ceil(), f64::from).max(1.0);
        Self { per_second, size, tokens: size, filled: Instant::now() }
    }

    /// Whether one more call may pass now; counts it if so.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.size);
        self.filled = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::new(10.0, Some(3));
        let start = bucket.filled;
        let passed = (0..5).filter(|_| bucket.take(start)).count();
        assert_eq!(passed, 3);
        let later = start + Duration::from_millis(250);
        let passed = (0..5).filter(|_| bucket.take(later)).count();
        assert_eq!(passed, 2);
    }
}
