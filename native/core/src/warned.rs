//! What was warned of in this process, so that each thing is said once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Warned(Mutex<HashSet<String>>);

impl Warned {
    /// Whether nobody was warned of this yet; from now on somebody is.
    pub(crate) fn is_first(&self, of: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(of.to_owned())
    }
}
