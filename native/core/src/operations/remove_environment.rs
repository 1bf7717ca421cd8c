//! `Remove-SsoEnvironment`: removes an environment from the file.

use crate::context::Context;
use crate::environments::edit::remove;
use crate::error::Error;
use crate::outlet::NetworkWork;
use crate::protocol::RemoveEnvironment;

/// Removes the environment; the keys of its profiles stay in the credentials file.
pub(crate) fn run(wanted: RemoveEnvironment, context: &Context) -> Result<Option<NetworkWork>, Error> {
    context.outlet.warn_all(remove(&context.world, &wanted.name, wanted.check_only, &context.patience())?);
    Ok(None)
}
