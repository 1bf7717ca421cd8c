//! Locks a mutex even if another thread panicked while it held it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks the mutex. A panic under the lock ends that run, but the value stays consistent, because no change here is made in several steps.
pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
