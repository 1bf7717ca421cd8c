//! `Use-SsoCredential -AsEndpoint`: serves the keys of one profile to the programs that this process starts.

use std::sync::Arc;

use crate::context::Context;
use crate::endpoint::Place;
use crate::environments::configured::ConfigFile;
use crate::environments::endpoint_profile::EndpointProfile;
use crate::error::Error;
use crate::login::attempt::NoLogin;
use crate::operations::named::find_profile;
use crate::outlet::NetworkWork;
use crate::protocol::{EndpointView, Event, StartEndpoint};
use crate::session::role_keys::RoleKeys;
use crate::session::served_keys::{ServedKeys, ServedProfile};
use crate::timestamp::rfc3339;

/// Fetches the keys, which may need a login, and only then serves them; what must be written is checked before.
pub(crate) fn run(wanted: StartEndpoint, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (environment, profile) = find_profile(&wanted.profile, &wanted.environments, &context.world)?;
    // AWS tools read the same file, so what is wrong with it matters here in any case.
    let config = ConfigFile::read(&context.world)?;
    config.warn_of_skipped(&environment, &context.outlet);
    let config_profile = EndpointProfile::prepare(&environment, &profile, &config, wanted.region.as_deref(), &context.world)?;
    let served = ServedProfile { environment, profile, config };
    let context = context.clone();
    Ok(Some(Box::pin(async move {
        match start(&wanted, served, &config_profile, &context).await {
            Ok(view) => context.outlet.send(Event::Endpoint(view)),
            Err(NoLogin::Cancelled) => {}
            Err(NoLogin::Failed(error)) => context.outlet.fail(&error, true),
        }
    })))
}

async fn start(wanted: &StartEndpoint, served: ServedProfile, config_profile: &EndpointProfile, context: &Context) -> Result<EndpointView, NoLogin> {
    let ServedProfile { environment, profile, config } = &served;
    let keys = RoleKeys { context, environment, profile, config, terms: &wanted.session }.fetch().await?;
    let written = config_profile.write(&context.patience()).await?;
    context.outlet.warn_all(written.all_warnings(config_profile.path()));
    let (environment, profile, expiration) = (environment.name.clone(), profile.clone(), rfc3339(keys.expiration));
    let keys = ServedKeys::new(served, keys, context, &wanted.session);
    let whose = format!("{}/{}/{}/{}", environment.to_lowercase(), profile.account_id, profile.role_name, profile.name);
    let Place { url, token } = context.memory.endpoint.serve(&whose, keys.holding())?;
    tokio::spawn(Arc::clone(&keys).keep_fresh());
    Ok(EndpointView { environment, profile_name: profile.name, url, token, config_profile: config_profile.name().to_owned(), expiration })
}
