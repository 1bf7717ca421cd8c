//! `Get-SsoSession`: the state of sessions, without any request to the service.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::operations::named::NamedEnvironments;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, GetSession, SessionView, TokenCache};
use crate::session::view::{is_store_locked, view};

/// Reports the state of each session. Only those in a secret store need time, because the store is asked whether it is locked.
pub(crate) fn run(wanted: GetSession, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = NamedEnvironments::of(&wanted.environments, context)?;
    let views: Vec<_> = named.environments.iter().map(|environment| view(context, environment, &named.config, None)).collect();
    if !views.iter().flatten().any(|view| view.token_cache == TokenCache::System) {
        for view in views {
            report(view, context);
        }
        return Ok(None);
    }
    let context = context.clone();
    Ok(Some(Box::pin(async move {
        let mut is_locked = None;
        for environment in &named.environments {
            report_with_store(environment, &named.config, None, &mut is_locked, &context).await;
        }
    })))
}

/// Reports the state of one session, which may be kept elsewhere than its environment says.
pub(super) async fn report_session(environment: &Environment, config: &ConfigFile, token_cache: Option<TokenCache>, context: &Context) {
    report_with_store(environment, config, token_cache, &mut None, context).await;
}

/// Reports a session, with what the store answered the first time it was asked: all sessions are in the same one, and it may take seconds to answer.
async fn report_with_store(
    environment: &Environment,
    config: &ConfigFile,
    token_cache: Option<TokenCache>,
    answered: &mut Option<Option<bool>>,
    context: &Context,
) {
    let mut view = view(context, environment, config, token_cache);
    if let Ok(view) = view.as_mut()
        && view.token_cache == TokenCache::System
    {
        if answered.is_none() {
            tokio::select! {
                is_locked = is_store_locked(context, environment, config, token_cache) => *answered = Some(is_locked),
                () = context.outlet.cancel_token().cancelled() => return,
            }
        }
        view.is_store_locked = answered.flatten();
    }
    report(view, context);
}

fn report(view: Result<SessionView, Error>, context: &Context) {
    match view {
        Ok(session) => context.outlet.send(Event::Session(session)),
        Err(error) => context.outlet.fail(&error, false),
    }
}
