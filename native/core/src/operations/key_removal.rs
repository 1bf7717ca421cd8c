//! Removes keys that this module wrote from the credentials file, and reports which keys stay.

use crate::context::Context;
use crate::error::Error;
use crate::files::credentials_file::{CredentialsFile, KeysRemoved, Removal};
use crate::files::lock::Lock;
use crate::world::World;

/// A removal of keys, and what it would do.
pub(super) struct KeyRemoval<'a> {
    removal: Removal<'a>,
    file: CredentialsFile,
    /// What the removal would do, as of when it was planned.
    pub(super) planned: KeysRemoved,
}

impl<'a> KeyRemoval<'a> {
    /// Plans a removal; writes nothing.
    pub(super) fn plan(removal: Removal<'a>, world: &World) -> Result<Self, Error> {
        let file = CredentialsFile::of(world)?;
        let planned = file.removable(removal)?;
        Ok(Self { removal, file, planned })
    }

    /// Removes the keys and returns the profiles that lost theirs. Waits for the file's lock and blocks this thread.
    pub(super) fn carry_out(self, context: &Context) -> Result<Vec<String>, Error> {
        // Creates no lock if there is nothing to remove.
        let lock = if self.planned.removed.is_empty() { None } else { Some(Lock::take(&self.file.lock_path(), &context.patience())?) };
        self.under(lock.as_ref(), context)
    }

    /// Like [`Self::carry_out`], but waits for the lock without blocking a thread.
    pub(super) async fn carry_out_async(self, context: &Context) -> Result<Vec<String>, Error> {
        let lock = if self.planned.removed.is_empty() { None } else { Some(Lock::take_async(&self.file.lock_path(), &context.patience()).await?) };
        self.under(lock.as_ref(), context)
    }

    fn under(self, lock: Option<&Lock>, context: &Context) -> Result<Vec<String>, Error> {
        let KeysRemoved { removed, written, .. } = lock.map(|lock| self.file.remove(self.removal, lock)).transpose()?.unwrap_or_default();
        context.outlet.warn_all(written.warnings(self.file.path()));
        report(&removed, &self.planned.left, &self.file, context);
        Ok(removed)
    }
}

/// Reports which keys were removed, and which stay because this module did not write them.
fn report(removed: &[String], left: &[String], file: &CredentialsFile, context: &Context) {
    let path = file.path().display();
    if !removed.is_empty() {
        context.outlet.verbose(format!("The credentials of {} were removed from {path}.", removed.join(", ")));
    }
    if !left.is_empty() {
        context.outlet.warn(format!("{} in {path}: not removed, because this module did not write those keys.", left.join(", ")));
    }
}
