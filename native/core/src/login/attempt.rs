//! One attempt to log in: what both kinds of login have in common.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::environments::environment::Environment;
use crate::environments::regions;
use crate::environments::start_url::host_of;
use crate::error::{Code, Error};
use crate::login::browser::try_open;
use crate::login::qr_code;
use crate::outlet::Outlet;
use crate::protocol::{Event, LoginMethod, Verification, Waiting};
use crate::service::client::Service;
use crate::service::oidc::Registration;
use crate::service::refusal::{Origin, Refusal};
use crate::timestamp::{after, rfc3339};
use crate::world::World;

/// How often progress is reported while waiting.
const TICK: Duration = Duration::from_secs(1);

/// The terms of a login.
pub(crate) struct Login<'a> {
    pub(crate) world: &'a World,
    pub(crate) outlet: &'a Outlet,
    pub(crate) environment: &'a Environment,
    pub(crate) service: &'a Service,
    pub(crate) start_url: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) browser: bool,
    pub(crate) qr_code: bool,
    /// The user's time limit, which applies in addition to the lifetime of the code.
    pub(crate) deadline: Option<Instant>,
}

/// Why a login failed.
#[derive(Debug)]
pub(crate) enum NoLogin {
    Cancelled,
    Failed(Error),
}

impl From<Error> for NoLogin {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Login<'_> {
    pub(super) async fn register(&self, method: LoginMethod) -> Result<Registration, NoLogin> {
        let registered = self.within(self.service.register_client(self.scopes, self.start_url, method)).await?;
        Ok(registered.map_err(|refusal| self.refused(&refusal))?)
    }

    pub(super) fn server_now(&self) -> OffsetDateTime {
        self.world.clock.now().saturating_add(self.service.clock().difference().unwrap_or_default())
    }

    /// Opens the approval page in a browser, and shows the user the address and how long it is valid.
    pub(crate) fn invite(&self, url: String, user_code: Option<String>, expires_at: Instant) {
        let browser_opened = try_open(&url, self.browser, &self.environment.name, self.world, self.outlet);
        // The redirect of a PKCE login leads to this computer, so a phone cannot complete it.
        let has_qr_code = self.qr_code && !browser_opened && user_code.is_some();
        self.outlet.send(Event::Verification(Verification {
            environment: self.environment.name.clone(),
            host: host_of(&self.environment.start_url),
            qr_code: if has_qr_code { qr_code::lines(&url) } else { None },
            url,
            user_code,
            expires: rfc3339(after(self.world.clock.now(), expires_at.saturating_duration_since(Instant::now()))),
            browser_opened,
        }));
    }

    /// The end of a wait that may last until `end`, or until the user's time limit.
    pub(super) fn at_latest(&self, end: Instant) -> Instant {
        self.deadline.map_or(end, |deadline| deadline.min(end))
    }

    /// The error for a refused login, with the service's own words.
    pub(super) fn refused_with(&self, error: &str, message: &str) -> Error {
        let said = if message.is_empty() { error.to_owned() } else { format!("{error}: {message}") };
        Error::new(Code::LoginFailed, format!("The service refused the login to {} ({said}).", self.environment.name)).with_target(&self.environment.name)
    }

    pub(super) fn declined(&self) -> Error {
        Error::new(Code::LoginDeclined, format!("The login to {} was declined on the approval page.", self.environment.name))
            .with_action("Run the command again and choose Allow.")
            .with_target(&self.environment.name)
    }

    /// Waits until `time` and reports progress every second; fails at `deadline`.
    pub(super) async fn wait_until(&self, time: Instant, deadline: Instant) -> Result<(), NoLogin> {
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Err(self.timed_out().into());
            }
            if now >= time {
                return Ok(());
            }
            self.outlet.send(Event::Waiting(Waiting {
                environment: self.environment.name.clone(),
                text: format!("Waiting for the login to {} to be approved", self.environment.name),
                seconds_left: Some((deadline - now).as_secs()),
            }));
            let tick = time.min(deadline).min(now + TICK);
            tokio::select! {
                () = tokio::time::sleep_until(tick) => {}
                () = self.outlet.cancel_token().cancelled() => return Err(NoLogin::Cancelled),
            }
        }
    }

    /// Runs a request until the deadline or until canceled.
    pub(super) async fn within<T>(&self, request: impl Future<Output = Result<T, Refusal>>) -> Result<Result<T, Refusal>, NoLogin> {
        let limit = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = request => Ok(outcome),
            () = self.outlet.cancel_token().cancelled() => Err(NoLogin::Cancelled),
            () = limit => Ok(Err(Refusal::TimedOut { status: None, request_id: None })),
        }
    }

    pub(super) fn timed_out(&self) -> Error {
        Error::new(Code::LoginTimedOut, format!("Nobody approved the login to {} in time.", self.environment.name))
            .with_target(&self.environment.name)
            .with_action(format!("Run the command again and approve the login in time. If the page showed an error: {}", self.check_region()))
    }

    /// What to do if the page of a login shows an error or never appears. In a wrong region, the service still issues a code, but nobody can approve it
    /// (aws-cli #5058).
    pub(super) fn check_region(&self) -> String {
        let Environment { name, start_url, region, .. } = self.environment;
        format!(
            "Is {region} the region of the IAM Identity Center instance with the start URL {start_url}? If not, correct it with Set-SsoEnvironment -Name {name} -Region <region>."
        )
    }

    pub(super) fn refused(&self, refusal: &Refusal) -> Error {
        let name = &self.environment.name;
        let error = match refusal {
            // The service responds the same way to an unknown start URL and to a wrong region.
            Refusal::Answered { error, .. } if error == "invalid_request" || error == "InvalidRequestException" => {
                let Environment { start_url, region, .. } = self.environment;
                Error::new(Code::StartUrlRejected, format!("IAM Identity Center in {region} does not know the start URL {start_url} of {name}."))
                    .with_action(format!("Check both, and correct them with Set-SsoEnvironment -Name {name} -StartUrl … -Region …"))
            }
            Refusal::Answered { error, message, status: 400 | 401, origin: Origin::Exception | Origin::OAuth, .. } => {
                self.refused_with(error, message).with_action("Run the command again. If the error persists, contact your administrator.")
            }
            // A region that does not exist has no host, and in a region without IAM Identity Center another server may respond.
            Refusal::Unreachable(_) | Refusal::Answered { status: 400..=428 | 430..=499, .. } => {
                self.service.oidc_error(refusal).and_action(self.check_region())
            }
            other if !regions::is_known(&self.environment.region) => self.service.oidc_error(other).and_action(self.check_region()),
            other => self.service.oidc_error(other),
        };
        error.with_target(name).with_request_id(refusal.request_id())
    }
}
