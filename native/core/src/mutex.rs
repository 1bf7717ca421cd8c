//! Locks a mutex whether or not another thread panicked while it held it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The locked value. A panic under the lock ends the run that had it; what it left behind is whole, since no change here is made in parts.
pub(crate) fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
