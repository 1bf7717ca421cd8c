//! The keys of one role, fetched with the session of its environment.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::login::attempt::NoLogin;
use crate::names::profile::ProfileEntry;
use crate::protocol::SessionTerms;
use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;
use crate::service::profile_error::profile_error;
use crate::session::live::{LiveSession, Stop};
use crate::session::source::SessionSource;

/// Whose keys to fetch, and how a session may be obtained for that.
pub(crate) struct RoleKeys<'a> {
    pub(crate) context: &'a Context,
    pub(crate) environment: &'a Environment,
    pub(crate) profile: &'a ProfileEntry,
    pub(crate) config: &'a ConfigFile,
    pub(crate) terms: &'a SessionTerms,
}

impl RoleKeys<'_> {
    /// Fetches new keys; nothing is written but the token of a session.
    pub(crate) async fn fetch(&self) -> Result<RoleCredentials, NoLogin> {
        let service = self.context.service(&self.environment.region)?;
        let source = SessionSource::of(self.context, self.environment, &service, self.config, self.terms);
        let session = LiveSession::open(&source, source.time.for_requests()).await?;
        let request = |access_token: Secret, deadline| {
            let (service, profile) = (&service, self.profile);
            async move { service.role_credentials(&access_token, &profile.account_id, &profile.role_name, deadline).await }
        };
        let outcome = tokio::select! {
            outcome = session.send(&source, request) => outcome,
            () = self.context.outlet.cancel_token().cancelled() => Err(Stop::Cancelled),
        };
        self.context.hear(&service);
        match outcome {
            Ok((keys, _)) => Ok(keys),
            Err(Stop::Refused(refusal)) => Err(NoLogin::Failed(profile_error(&refusal, self.profile, &service))),
            Err(Stop::Ended) => Err(session.into_ended().map_or(NoLogin::Cancelled, NoLogin::Failed)),
            Err(Stop::Cancelled) => Err(NoLogin::Cancelled),
        }
    }
}
