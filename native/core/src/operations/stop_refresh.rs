//! `Stop-SsoCredentialRefresh`: ends what a runspace wanted to be kept fresh.

use time::Duration;

use crate::context::Context;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::names::same_name;
use crate::outlet::NetworkWork;
use crate::protocol::StopRefresh;

/// Ends what the runspace asked for; a renewal that runs is not given up, because a new refresh token must be stored.
pub(crate) fn run(unwanted: StopRefresh, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let runspace = context.world.caller.as_ref().map_or("", |caller| caller.runspace.as_str());
    if unwanted.grace > 0 {
        let grace = Duration::seconds(i64::try_from(unwanted.grace).unwrap_or(i64::MAX));
        context.memory.refresh.stop_later(runspace, grace, context.world.clock.now());
        return Ok(None);
    }
    let stopped = context.memory.refresh.stop(runspace, &unwanted.targets);
    for target in &unwanted.targets {
        if stopped.iter().any(|name| same_name(name, &target.environment)) {
            continue;
        }
        // A name that exists nowhere is an error.
        let environment = Environments::read(&context.world)?.find(&target.environment, &context.world)?;
        context.outlet.verbose(format!("{} is not refreshed for this runspace.", environment.name));
    }
    Ok(None)
}
