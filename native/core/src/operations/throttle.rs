//! How many requests a run has under way.

/// The highest number of requests at once, whatever the caller asks for.
const MOST_AT_ONCE: u32 = 256;

/// How many requests may be under way at once for a `-ThrottleLimit`.
pub(crate) fn at_once(throttle_limit: u32) -> usize {
    usize::try_from(throttle_limit.clamp(1, MOST_AT_ONCE)).unwrap_or(16)
}
