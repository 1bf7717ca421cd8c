//! How many requests a run sends at once.

/// The most requests at once, no matter what the caller asks for.
const MOST_AT_ONCE: u32 = 256;

/// The number of requests that may be in flight at once for a `-ThrottleLimit`.
pub(crate) fn at_once(throttle_limit: u32) -> usize {
    usize::try_from(throttle_limit.clamp(1, MOST_AT_ONCE)).unwrap_or(64)
}
