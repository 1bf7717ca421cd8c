//! `Get-SsoCredential -AsCredentialProcess`, `Use-SsoCredential -AsEnvironmentVariable`, and the helper program: the keys of one profile.

use std::sync::Arc;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::credentials_file::CredentialsFile;
use crate::files::kept_keys::{Kept, KeptFile, KeptKeys};
use crate::files::known_keys::DueRule;
use crate::files::lock::Lock;
use crate::login::attempt::NoLogin;
use crate::names::profile::{ProfileEntry, ProfileSettings, check_account_id, check_role};
use crate::operations::named::find_profile;
use crate::outlet::NetworkWork;
use crate::patience::Patience;
use crate::protocol::{Event, GetKeys, KeysView};
use crate::renewal;
use crate::role_credentials::RoleCredentials;
use crate::session::place::TokenPlace;
use crate::session::role_keys::RoleKeys;
use crate::session::time_limit::{DEFAULT_TIMEOUT, TimeLimit};
use crate::timestamp::rfc3339;

/// Returns the keys in the file, or those that were kept, if they are good; else fetches new ones, which the credentials file does not get.
pub(crate) fn run(wanted: GetKeys, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (environment, profile) = match &wanted.role {
        Some(_) => named_role(&wanted, context)?,
        None => find_profile(&wanted.profile, &wanted.environments, &context.world)?,
    };
    let now = context.now();
    let rule = wanted.minimum_remaining.map_or_else(|| DueRule::of_renewal(now), |seconds| DueRule::of(now, seconds));
    let file = CredentialsFile::of(&context.world)?;
    let request = KeysRequest { wanted, rule, file, context: context.clone(), environment, profile };
    if let Some(keys) = request.in_file(rule)? {
        request.tell(&keys);
        return Ok(None);
    }
    let config = ConfigFile::read_for([request.environment.as_ref()], &context.world, &context.outlet)?;
    let kept = if request.wanted.keep { request.kept(&config)? } else { None };
    if let Some(found) = kept.as_ref().and_then(KeptFile::read).filter(|found| !request.is_due(found)) {
        request.tell(&found.keys);
        return Ok(None);
    }
    Ok(Some(Box::pin(async move {
        let outcome = match kept {
            Some(kept) => request.renew(&kept, &config).await,
            None => request.fetch(&config).await,
        };
        match outcome {
            Ok(keys) => request.tell(&keys),
            Err(NoLogin::Cancelled) => {}
            Err(NoLogin::Failed(error)) => request.context.outlet.fail(&error, true),
        }
    })))
}

/// The environment and the account and role that the request names itself.
fn named_role(wanted: &GetKeys, context: &Context) -> Result<(Arc<Environment>, ProfileEntry), Error> {
    let (Some(role), [environment]) = (&wanted.role, wanted.environments.as_slice()) else {
        return Err(Error::new(Code::EnvironmentInvalid, "An account and a role need the name of one environment.")
            .with_target(&wanted.profile)
            .with_action("Specify the environment, too."));
    };
    check_account_id(&wanted.profile, &role.account_id).and_then(|()| check_role(&role.role_name)).map_err(|what| {
        Error::new(Code::EnvironmentInvalid, format!("The keys cannot be fetched: {what}.")).with_target(&role.account_id).with_action("Correct the value.")
    })?;
    let environment = Environments::read(&context.world)?.find(environment, &context.world)?;
    let (name, settings) = (wanted.profile.clone(), ProfileSettings::default());
    Ok((environment, ProfileEntry { name, account_id: role.account_id.clone(), role_name: role.role_name.clone(), settings }))
}

/// The request for the keys of one profile.
struct KeysRequest {
    wanted: GetKeys,
    rule: DueRule,
    file: CredentialsFile,
    context: Context,
    environment: Arc<Environment>,
    profile: ProfileEntry,
}

impl KeysRequest {
    /// The keys in the credentials file, if they are good by this rule.
    fn in_file(&self, rule: DueRule) -> Result<Option<RoleCredentials>, Error> {
        if self.profile.name.is_empty() { Ok(None) } else { self.file.keys(&self.profile, rule) }
    }

    /// The file where these keys are kept; `None` if the token is in no file, since its keys are then in none either.
    fn kept(&self, config: &ConfigFile) -> Result<Option<KeptFile>, Error> {
        let place = TokenPlace::of(&self.context.world, &self.environment, config, self.wanted.session.token_cache)?;
        if let Some(system) = place.system().filter(|_| cfg!(target_os = "macos")) {
            let name = &self.environment.name;
            let what = format!("The session of {name} is in {}, which only PowerShell can read.", system.store_name());
            return Err(Error::new(Code::SecretStoreUnavailable, what)
                .with_target(name)
                .with_action(format!("Use Use-SsoCredential -AsEndpoint, or run Connect-SsoSession {name} -TokenCache AwsCli -Move.")));
        }
        let keys = place.files().and_then(|files| KeptKeys::of(&self.context.world, files.session()));
        Ok(keys.map(|keys| keys.file(&self.profile)))
    }

    fn is_due(&self, kept: &Kept) -> bool {
        let needed = self.wanted.minimum_remaining.map_or_else(|| renewal::margin(Some(kept.lifetime())), |_| self.rule.minimum_remaining);
        kept.keys.expiration - self.context.now() < needed
    }

    /// Fetches new keys and keeps them: one process for all that ask at the same time, and again only after a pause as long as the old keys are good.
    async fn renew(&self, kept: &KeptFile, config: &ConfigFile) -> Result<RoleCredentials, NoLogin> {
        let limit = TimeLimit::of(&self.wanted.session).for_session().unwrap_or(DEFAULT_TIMEOUT);
        let patience = Patience::new(Some(limit), self.context.outlet.cancel_token().clone());
        let lock = Lock::take_async(&kept.lock_path(), &patience).await?;
        let now = self.context.now();
        let old = kept.read().filter(|old| old.keys.expiration > now);
        if let Some(old) = &old {
            let was_just_tried = old.attempted.is_some_and(|then| then <= now && now - then < renewal::pause(Some(old.lifetime())));
            if !self.is_due(old) || was_just_tried {
                return Ok(old.keys.clone());
            }
            // Before the attempt, so that it counts even if this process is killed.
            kept.write(&lock, &Kept { attempted: Some(now), ..old.clone() })?;
        }
        match self.fetch(config).await {
            Ok(keys) => {
                let new = Kept { keys, issued: self.context.now(), attempted: None };
                if let Err(error) = kept.write(&lock, &new) {
                    // The program that asked gets its keys all the same.
                    self.context.outlet.verbose(format!("The keys were not kept: {error}"));
                }
                Ok(new.keys)
            }
            Err(NoLogin::Failed(error)) => {
                let in_file = || self.in_file(DueRule::of(self.context.now(), 0)).ok().flatten();
                let good = old.map(|old| old.keys).filter(|keys| keys.expiration > self.context.now()).or_else(in_file);
                good.ok_or(NoLogin::Failed(error))
            }
            Err(NoLogin::Cancelled) => Err(NoLogin::Cancelled),
        }
    }

    async fn fetch(&self, config: &ConfigFile) -> Result<RoleCredentials, NoLogin> {
        let Self { context, environment, profile, wanted, .. } = self;
        RoleKeys { context, environment, profile, config, terms: &wanted.session }.fetch().await
    }

    fn tell(&self, keys: &RoleCredentials) {
        self.context.outlet.send(Event::Keys(KeysView {
            environment: self.environment.name.clone(),
            profile_name: self.profile.name.clone(),
            account_id: self.profile.account_id.clone(),
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: keys.secret_access_key.clone(),
            session_token: keys.session_token.clone(),
            expiration: rfc3339(keys.expiration),
        }));
    }
}
