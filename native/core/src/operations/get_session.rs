//! `Get-SsoSession`: the state of sessions, without any request to the service.

use tokio::sync::OnceCell;

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
        let is_locked = StoreLock::default();
        for environment in &named.environments {
            report_with_store(environment, &named.config, None, &is_locked, &context).await;
        }
    })))
}

/// What the secret store answered to whether it is locked, which may take it seconds; all sessions are in the same one.
type StoreLock = OnceCell<Option<bool>>;

/// Reports the state of one session, which may be kept elsewhere than its environment says.
pub(super) async fn report_session(environment: &Environment, config: &ConfigFile, token_cache: Option<TokenCache>, context: &Context) {
    report_with_store(environment, config, token_cache, &StoreLock::default(), context).await;
}

async fn report_with_store(environment: &Environment, config: &ConfigFile, token_cache: Option<TokenCache>, is_locked: &StoreLock, context: &Context) {
    let mut view = view(context, environment, config, token_cache);
    if let Ok(view) = view.as_mut()
        && view.token_cache == TokenCache::System
    {
        tokio::select! {
            is_locked = is_locked.get_or_init(|| is_store_locked(context)) => view.is_store_locked = *is_locked,
            () = context.outlet.cancel_token().cancelled() => return,
        }
    }
    report(view, context);
}

fn report(view: Result<SessionView, Error>, context: &Context) {
    match view {
        Ok(session) => context.outlet.send(Event::Session(session)),
        Err(error) => context.outlet.fail(&error, false),
    }
}
