//! Names that users choose, and how AWS tools read them.

pub(crate) mod hazards;
pub(crate) mod nearest;
pub(crate) mod profile;
pub(crate) mod template;

/// Whether two environment names are the same; case does not matter.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
