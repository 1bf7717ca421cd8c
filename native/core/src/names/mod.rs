//! Names that users give, and what AWS tools make of them.

pub(crate) mod hazards;
pub(crate) mod nearest;
pub(crate) mod profile;
pub(crate) mod template;

/// Whether two environment names are the same: they are compared without case.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
