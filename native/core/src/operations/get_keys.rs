//! `Get-SsoCredential -AsCredentialProcess` and `Use-SsoCredential`: the keys of one profile.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::DueRule;
use crate::login::attempt::NoLogin;
use crate::names::profile::ProfileEntry;
use crate::operations::named::find_profile;
use crate::operations::profile_error::profile_error;
use crate::outlet::{NetworkWork, Outlet};
use crate::protocol::{Event, GetKeys, KeysView};
use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;
use crate::session::live::{LiveSession, Stop};
use crate::session::source::SessionSource;
use crate::timestamp::rfc3339;

/// Returns the keys in the file if they are good, else fetches new ones without writing them.
pub(crate) fn run(wanted: GetKeys, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (environment, profile) = find_profile(&wanted.profile, &wanted.environments, &context.world)?;
    let file = CredentialsFile::of(&context.world)?;
    let rule = DueRule::of(context.now(), wanted.minimum_remaining);
    if let Some(keys) = file.keys(&profile, rule)? {
        tell(&environment, &profile, &keys, &context.outlet);
        return Ok(None);
    }
    let service = context.service(&environment.region)?;
    let config = ConfigFile::read_for([environment.as_ref()], &context.world, &context.outlet)?;
    let context = context.clone();
    Ok(Some(Box::pin(async move {
        let source = SessionSource::of(&context, &environment, &service, &config, &wanted.session);
        let session = match LiveSession::open(&source, source.time.for_requests()).await {
            Ok(session) => session,
            Err(NoLogin::Cancelled) => return,
            Err(NoLogin::Failed(error)) => return context.outlet.fail(&error, true),
        };
        let request = |access_token: Secret, deadline| {
            let (service, profile) = (&service, &profile);
            async move { service.role_credentials(&access_token, &profile.account_id, &profile.role_name, deadline).await }
        };
        let outcome = tokio::select! {
            outcome = session.send(&source, request) => outcome,
            () = context.outlet.cancel_token().cancelled() => Err(Stop::Cancelled),
        };
        context.hear(&service);
        match outcome {
            Ok((keys, _)) => tell(&environment, &profile, &keys, &context.outlet),
            Err(Stop::Refused(refusal)) => context.outlet.fail(&profile_error(&refusal, &profile, &service), true),
            Err(Stop::Ended) => session.into_ended().iter().for_each(|error| context.outlet.fail(error, true)),
            Err(Stop::Cancelled) => {}
        }
    })))
}

fn tell(environment: &Environment, profile: &ProfileEntry, keys: &RoleCredentials, outlet: &Outlet) {
    outlet.send(Event::Keys(KeysView {
        environment: environment.name.clone(),
        profile_name: profile.name.clone(),
        account_id: profile.account_id.clone(),
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.clone(),
        session_token: keys.session_token.clone(),
        expiration: rfc3339(keys.expiration),
    }));
}
