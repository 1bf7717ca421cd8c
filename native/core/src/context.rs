//! What an operation works with: the world, the memory of this process, and the way to the caller.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::error::Error;
use crate::outlet::Outlet;
use crate::patience::{Patience, WaitLimit};
use crate::service::client::Service;
use crate::session::memory::Memory;
use crate::world::World;

/// What an operation works with; created once for each run.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) world: Arc<World>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) outlet: Outlet,
}

impl Context {
    /// The context of work in the background, with these variables: its waits end with the outlet, not with the run that began it.
    pub(crate) fn in_background(world: &World, memory: &Arc<Memory>, outlet: Outlet) -> Self {
        let world = World { wait_limit: WaitLimit::new(None, outlet.cancel_token().clone()), ..World::clone(world) };
        Self { world: Arc::new(world), memory: Arc::clone(memory), outlet }
    }

    /// The service's time, as far as it is known.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.memory.time.now(self.world.clock.as_ref())
    }

    /// Adopts what the responses of a service showed about its clock.
    pub(crate) fn hear(&self, service: &Service) {
        self.memory.time.hear(service.clock(), self.world.clock.as_ref(), &self.outlet);
    }

    /// Returns the clients for a region, with the user's settings.
    pub(crate) fn service(&self, region: &str) -> Result<Arc<Service>, Error> {
        self.memory.services.of(&self.world, region)
    }

    /// Starts a wait for the lock of a file.
    pub(crate) fn patience(&self) -> Patience {
        self.world.wait_limit.begin()
    }
}
