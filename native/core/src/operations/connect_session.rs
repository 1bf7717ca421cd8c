//! `Connect-SsoSession`: logs in, one environment after another, because nobody can approve two logins at once.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::operations::get_session::report_session;
use crate::operations::named::NamedEnvironments;
use crate::outlet::NetworkWork;
use crate::protocol::{ConnectSession, SessionTerms};
use crate::session::source::SessionSource;

/// Logs in if needed, and reports each session.
pub(crate) fn run(wanted: ConnectSession, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = NamedEnvironments::of(&wanted.environments, context)?;
    let context = context.clone();
    Ok(Some(Box::pin(async move {
        let alone = named.environments.len() == 1;
        for environment in &named.environments {
            match connect(environment, &named.config, &wanted.session, &context).await {
                Ok(()) => report_session(environment, &named.config, wanted.session.token_cache.unwrap_or(environment.token_cache), &context),
                Err(NoLogin::Cancelled) => return,
                Err(NoLogin::Failed(error)) => context.outlet.fail(&error, alone),
            }
        }
    })))
}

async fn connect(environment: &Environment, config: &ConfigFile, terms: &SessionTerms, context: &Context) -> Result<(), NoLogin> {
    let service = context.service(&environment.region)?;
    SessionSource::of(context, environment, &service, config, terms).session().await?;
    context.memory.refresh.note_login(&environment.name);
    Ok(())
}
