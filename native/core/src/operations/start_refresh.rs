//! `Start-SsoCredentialRefresh`: keeps the credentials in the file fresh while this process lives.

use std::sync::Arc;

use time::Duration;

use crate::context::Context;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::operations::named::{check_profiles, is_skipped};
use crate::operations::refresh;
use crate::outlet::NetworkWork;
use crate::protocol::{StartRefresh, Target};

/// Notes what the runspace wants, and starts the task of the process if there is none.
pub(crate) fn run(wanted: StartRefresh, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&context.world)?;
    let mut targets = Vec::new();
    let is_named_alone = wanted.is_named && wanted.targets.len() == 1;
    for target in wanted.targets {
        let environment = environments.find(&target.environment, &context.world)?;
        if is_skipped(&environment, is_named_alone, &context.outlet)? {
            continue;
        }
        let profiles = target.profiles.map(|names| check_profiles(names, &environment, &context.outlet));
        // Without a name that exists, there is nothing to keep fresh.
        if profiles.as_ref().is_none_or(|names| !names.is_empty()) {
            targets.push(Target { environment: environment.name.clone(), profiles });
        }
    }
    let duration = Duration::seconds(i64::try_from(wanted.duration).unwrap_or(i64::MAX));
    let runspace = context.world.caller.as_ref().map_or("", |caller| caller.runspace.as_str());
    if !context.memory.refresh.start(runspace, &targets, duration, &context.world) {
        return Ok(None);
    }
    let memory = Arc::clone(&context.memory);
    Ok(Some(Box::pin(async move {
        // Another run may have been faster.
        if memory.refresh.claim_task() {
            tokio::spawn(refresh::keep_fresh(memory));
        }
    })))
}
