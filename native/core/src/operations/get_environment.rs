//! `Get-SsoEnvironment` and `Get-SsoProfile`: the stored environments, and those in the AWS config file.

use std::sync::Arc;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, GetEnvironment};

/// Reports the named environments, or all of them, and the faults of unusable ones.
pub(crate) fn run(wanted: GetEnvironment, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (world, outlet) = (&context.world, &context.outlet);
    let environments = Environments::read(world)?;
    let config = ConfigFile::read(world);
    let tell = |found: Result<Arc<Environment>, Error>| match (found, &config) {
        (Ok(environment), config) => {
            if let (Ok(config), false) = (config, wanted.usable_only) {
                config.warn_of_skipped(&environment, outlet);
            }
            outlet.send(Event::Environment(environment.view()));
        }
        (Err(_), _) if wanted.usable_only && wanted.names.is_empty() => {}
        (Err(error), _) => outlet.fail(&error, false),
    };
    if wanted.names.is_empty() {
        environments.all.iter().for_each(|environment| tell(Ok(Arc::clone(environment))));
        environments.faults().for_each(|error| tell(Err(error)));
        match &config {
            _ if wanted.stored_only => {}
            Ok(config) => environments.configured(config).for_each(|found| tell(found.outcome.clone())),
            Err(error) => tell(Err(error.clone())),
        }
    }
    wanted.names.iter().for_each(|name| tell(environments.find(name, world)));
    Ok(None)
}
