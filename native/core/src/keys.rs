//! Hands the keys of one profile over: to a `credential_process`, or to the variables of a PowerShell.

use std::sync::Arc;

use crate::config_file::ConfigFile;
use crate::credentials_file::{CredentialsFile, RoleCredentials, rfc3339};
use crate::environment::{Environment, Environments, ProfileEntry};
use crate::error::{Code, Error};
use crate::live_session::{LiveSession, Stop};
use crate::login::NoLogin;
use crate::nearest_names::hint;
use crate::protocol::{Event, GetKeys, KeysView};
use crate::run::{NetworkWork, Outlet};
use crate::secret::Secret;
use crate::session::SessionSource;
use crate::update::{profile_error, rule};
use crate::world::World;

/// The profile of this name, and the environment that it belongs to; one that is stored goes before one of the AWS config file.
pub(crate) fn find_profile(name: &str, environments: &[String], world: &World) -> Result<(Arc<Environment>, ProfileEntry), Error> {
    let stored = Environments::read(world)?;
    let config_read = ConfigFile::read(world);
    let candidates: Vec<Arc<Environment>> = if environments.is_empty() {
        let config = config_read.clone().unwrap_or_default();
        let configured = stored.configured(&config).filter_map(|found| found.outcome.as_ref().ok());
        stored.all.iter().chain(configured).cloned().collect()
    } else {
        environments.iter().map(|name| stored.find(name, world)).collect::<Result<_, _>>()?
    };
    let entry = candidates.iter().find_map(|environment| {
        let entry = environment.profiles.iter().find(|profile| profile.name == name)?;
        Some((Arc::clone(environment), entry.clone()))
    });
    let no_profile = || {
        let names: Vec<_> = candidates.iter().flat_map(|environment| &environment.profiles).map(|profile| profile.name.as_str()).collect();
        let hint = hint(name, &names, "profiles").unwrap_or_else(|| "There are no profiles yet.".to_owned());
        // The profile may be one of a block that cannot be used.
        let fault = stored.faults().next().filter(|_| environments.is_empty()).map(|fault| format!(" {fault}"));
        Error::new(Code::ProfileNotFound, format!("No profile is named '{name}'.{}", fault.unwrap_or_default()))
            .with_target(name)
            .with_action(format!("{hint} Profile names are case-sensitive; Get-SsoProfile lists them."))
    };
    match (entry, config_read) {
        (Some(found), _) => Ok(found),
        (None, Ok(config)) => Err(config.fault_of_profile(name).unwrap_or_else(no_profile)),
        // The profile may be one of the file that cannot be read.
        (None, Err(error)) if environments.is_empty() => Err(error),
        (None, Err(_)) => Err(no_profile()),
    }
}

/// Hands over the keys of the file where they are good, else fetches some and writes them nowhere.
pub(crate) fn get(wanted: GetKeys, world: World, outlet: &Outlet) -> Result<Option<NetworkWork>, Error> {
    let (environment, profile) = find_profile(&wanted.profile, &wanted.environments, &world)?;
    let file = CredentialsFile::of(&world)?;
    let rule = rule(&world, wanted.minimum_remaining);
    if let Some(keys) = file.keys(&profile, rule)? {
        tell(&environment, &profile, &keys, outlet);
        return Ok(None);
    }
    let service = world.memory.services.of(&world, &environment.region)?;
    let config = ConfigFile::read_for([environment.as_ref()], &world, outlet)?;
    let outlet = outlet.clone();
    Ok(Some(Box::pin(async move {
        let source = SessionSource::of(&world, &outlet, &environment, &service, &config, &wanted.session);
        let session = match LiveSession::open(&source, source.time.for_requests()).await {
            Ok(session) => session,
            Err(NoLogin::Cancelled) => return,
            Err(NoLogin::Failed(error)) => return outlet.fail(&error, true),
        };
        let request = |access_token: Secret, deadline| {
            let (service, profile) = (&service, &profile);
            async move { service.role_credentials(&access_token, &profile.account_id, &profile.role_name, deadline).await }
        };
        let outcome = tokio::select! {
            outcome = session.send(&source, request) => outcome,
            () = outlet.cancel_token().cancelled() => Err(Stop::Cancelled),
        };
        world.memory.hear(&world, &service, &outlet);
        match outcome {
            Ok((keys, _)) => tell(&environment, &profile, &keys, &outlet),
            Err(Stop::Refused(refusal)) => outlet.fail(&profile_error(&refusal, &profile, &service), true),
            Err(Stop::Ended) => session.into_ended().iter().for_each(|error| outlet.fail(error, true)),
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
