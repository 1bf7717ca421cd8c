//! `Get-SsoSession`: the state of sessions, without any request.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::operations::named::NamedEnvironments;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, GetSession, TokenCache};
use crate::session::view::view;

/// Reports the state of each session.
pub(crate) fn run(wanted: GetSession, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = NamedEnvironments::of(&wanted.environments, context)?;
    for environment in &named.environments {
        report_session(environment, &named.config, environment.token_cache, context);
    }
    Ok(None)
}

/// Reports the state of one session, which may be kept elsewhere than its environment says.
pub(super) fn report_session(environment: &Environment, config: &ConfigFile, token_cache: TokenCache, context: &Context) {
    match view(context, environment, config, token_cache) {
        Ok(session) => context.outlet.send(Event::Session(session)),
        Err(error) => context.outlet.fail(&error, false),
    }
}
