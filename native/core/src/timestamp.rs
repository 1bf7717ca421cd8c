//! Points in time, as files contain them and as durations lead to them.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The time in the form that all readers accept: UTC, whole seconds, `Z`.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let time = time.checked_to_offset(time::UtcOffset::UTC).and_then(|time| time.truncate_to_second().format(&Rfc3339).ok());
    // Only years after 9999 cannot be written this way, so the last time before them is used.
    time.unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
}

/// The time `passed` after `time`, or the last one that can be represented.
pub(crate) fn after(time: OffsetDateTime, passed: Duration) -> OffsetDateTime {
    time.saturating_add(time::Duration::try_from(passed).unwrap_or(time::Duration::MAX))
}
