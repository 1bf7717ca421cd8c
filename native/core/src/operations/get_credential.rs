//! `Get-SsoCredential`: the state of the keys in the credentials file.

use crate::context::Context;
use crate::environments::configured::provider::Provider;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::{DueRule, Obstacle, Standing};
use crate::operations::named::{readable_config, stored_or_named};
use crate::outlet::NetworkWork;
use crate::protocol::{CredentialState, CredentialView, Event, GetCredential};
use crate::timestamp::rfc3339;

/// Reports the state of the keys in the file; sends and writes nothing.
pub(crate) fn run(wanted: GetCredential, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = stored_or_named(&wanted.environments, context)?;
    let known = CredentialsFile::of(&context.world)?.known()?;
    let rule = DueRule::of(context.now(), wanted.minimum_remaining);
    let config = readable_config(&context.world);
    for environment in named {
        config.warn_of_skipped(&environment, &context.outlet);
        for profile in &environment.profiles {
            let expiration = known.expiration(&profile.name);
            let (state, reason) = match known.standing(profile, rule) {
                Standing::Good(_) => (CredentialState::Valid, None),
                Standing::Missing => (state_of_missing(config.provider(&profile.name), &environment), None),
                Standing::Due(why) => {
                    (if expiration.is_some_and(|end| end <= rule.now) { CredentialState::Expired } else { CredentialState::Due }, Some(why.to_owned()))
                }
                Standing::Blocked(obstacle @ Obstacle::OtherKeys(_)) => (CredentialState::OtherKeys, Some(obstacle.to_string())),
                Standing::Blocked(obstacle) => (CredentialState::Blocked, Some(obstacle.to_string())),
            };
            context.outlet.send(Event::Credential(CredentialView {
                environment: environment.name.clone(),
                profile_name: profile.name.clone(),
                account_id: profile.account_id.clone(),
                role_name: profile.role_name.clone(),
                state,
                reason,
                expiration: expiration.map(rfc3339),
            }));
        }
    }
    Ok(None)
}

/// The state of a profile that the credentials file has no keys for.
fn state_of_missing(provider: Option<Provider>, environment: &Environment) -> CredentialState {
    match provider {
        Some(Provider::Process) => CredentialState::CredentialProcess,
        Some(Provider::Session) => CredentialState::SsoSession,
        None if environment.keeps_keys_out_of_file() => CredentialState::NotStored,
        None => CredentialState::Missing,
    }
}
