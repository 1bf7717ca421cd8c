//! `Connect-SsoSession`: logs in, one environment after another, because nobody can approve two logins at once.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::operations::get_session::report_session;
use crate::operations::named::NamedEnvironments;
use crate::outlet::NetworkWork;
use crate::protocol::ConnectSession;
use crate::session::source::SessionSource;
use crate::session::taken_over::Old;

/// Logs in if needed, and reports each session.
pub(crate) fn run(wanted: ConnectSession, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = NamedEnvironments::of(&wanted.environments, context)?;
    let context = context.clone();
    Ok(Some(Box::pin(async move {
        let alone = named.environments.len() == 1;
        for environment in &named.environments {
            match connect(environment, &named.config, &wanted, &context).await {
                Ok(()) => report_session(environment, &named.config, wanted.session.token_cache, &context).await,
                Err(NoLogin::Cancelled) => return,
                Err(NoLogin::Failed(error)) => context.outlet.fail(&error, alone),
            }
        }
    })))
}

async fn connect(environment: &Environment, config: &ConfigFile, wanted: &ConnectSession, context: &Context) -> Result<(), NoLogin> {
    let service = context.service(&environment.region)?;
    let source = SessionSource::of(context, environment, &service, config, &wanted.session);
    if source.conflict.is_none() {
        let old = if wanted.move_session { Old::IsRemoved } else { Old::Stays };
        source.take_over(source.place.others(&context.world, environment, config), old).await?;
    }
    source.session().await?;
    context.memory.refresh.note_login(&environment.name);
    Ok(())
}
