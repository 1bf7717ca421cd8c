//! What an operation works with: the world, what this process remembers, and the way to the caller.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::error::Error;
use crate::files::lock::{FILE_LOCK_LIMIT, Patience};
use crate::outlet::Outlet;
use crate::service::client::Service;
use crate::session::memory::Memory;
use crate::world::World;

/// What an operation works with; made once for each run.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) world: Arc<World>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) outlet: Outlet,
}

impl Context {
    /// The time by the service's clock, as far as it is known.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.memory.time.now(self.world.clock.as_ref())
    }

    /// Takes over what the answers of a service told of its clock.
    pub(crate) fn hear(&self, service: &Service) {
        self.memory.time.hear(service.clock(), self.world.clock.as_ref(), &self.outlet);
    }

    /// The services of a region, as the user's settings lead to them.
    pub(crate) fn service(&self, region: &str) -> Result<Arc<Service>, Error> {
        self.memory.services.of(&self.world, region)
    }

    /// How long a change of a file waits for its lock.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(Some(FILE_LOCK_LIMIT), self.outlet.cancel_token().clone())
    }
}
