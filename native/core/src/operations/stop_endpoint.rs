//! `Use-SsoCredential -Clear -StopEndpoint`: ends the endpoint of this process.

use crate::context::Context;
use crate::error::Error;
use crate::outlet::NetworkWork;
use crate::protocol::StopEndpoint;

/// Ends the endpoint, if there is one; programs that still use it get no more keys.
pub(crate) fn run(StopEndpoint {}: StopEndpoint, context: &Context) -> Result<Option<NetworkWork>, Error> {
    context.outlet.verbose(if context.memory.endpoint.stop() { "The endpoint has stopped." } else { "No endpoint was running." });
    Ok(None)
}
