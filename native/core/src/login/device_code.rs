//! The login as IAM Identity Center speaks it: the OAuth device flow (RFC 8628), and what it has in common with the other one.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::environments::regions;
use crate::environments::stored::{Environment, host_of};
use crate::error::{Code, Error};
use crate::files::credentials_file::rfc3339;
use crate::login::browser::try_open;
use crate::login::pkce::{Authorization, Callback};
use crate::login::qr_code;
use crate::protocol::{Event, LoginMethod, Verification, Waiting};
use crate::run::Outlet;
use crate::service::client::{DeviceAuthorization, Grant, NewToken, Origin, Refusal, Service};
use crate::session::token_cache::{Registration, Token};
use crate::world::World;

/// What RFC 8628, 3.5 adds to the interval at each `slow_down`.
const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);

/// How often the user is told that the wait goes on.
const TICK: Duration = Duration::from_secs(1);

/// A login that is to be made.
pub(crate) struct Login<'a> {
    pub(crate) world: &'a World,
    pub(crate) outlet: &'a Outlet,
    pub(crate) environment: &'a Environment,
    pub(crate) service: &'a Service,
    pub(crate) start_url: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) browser: bool,
    pub(crate) qr_code: bool,
    /// Where the browser brings its answer; absent where the login is by device code.
    pub(crate) callback: Option<Callback>,
    /// What bounds the login besides the code's own end.
    pub(crate) deadline: Option<Instant>,
}

/// Why no login came about.
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

/// The pace of the polls and what each answer means for it.
#[derive(Debug)]
struct Pace {
    interval: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    PollAgain,
    Declined,
    Expired,
    Refused,
}

impl Pace {
    fn after(&mut self, refusal: &Refusal) -> Next {
        match refusal {
            Refusal::Answered { error, .. } if error == "authorization_pending" => Next::PollAgain,
            Refusal::Answered { error, .. } if error == "slow_down" => {
                self.interval += SLOW_DOWN_STEP;
                Next::PollAgain
            }
            Refusal::Answered { error, .. } if error == "access_denied" => Next::Declined,
            Refusal::Answered { error, .. } if error == "expired_token" => Next::Expired,
            // RFC 8628, 3.5: at a connection time-out the client must back off; doubling is what it names.
            Refusal::TimedOut { .. } | Refusal::Unreachable(_) => {
                self.interval = self.interval.saturating_mul(2).min(Duration::from_mins(1));
                Next::PollAgain
            }
            Refusal::Answered { status: 429 | 500.., .. } | Refusal::Garbled { .. } => Next::PollAgain,
            Refusal::Answered { .. } | Refusal::Unusable { .. } => Next::Refused,
        }
    }
}

/// The time so much later, or the last one that there is.
pub(crate) fn after(time: OffsetDateTime, passed: Duration) -> OffsetDateTime {
    time.saturating_add(time::Duration::try_from(passed).unwrap_or(time::Duration::MAX))
}

impl Login<'_> {
    /// Logs in: `registration` is the client to use where it is still good; gives the token, and the registration inside it.
    pub(crate) async fn run(&self, registration: Option<Registration>) -> Result<Token, NoLogin> {
        let (client, token) = match &self.callback {
            Some(callback) => self.by_browser(registration, callback).await?,
            None => self.by_device_code(registration).await?,
        };
        Ok(Token {
            access_token: token.access_token,
            expires_at: after(self.server_now(), token.expires_in),
            refresh_token: token.refresh_token,
            registration: Some(client),
            other_file: None,
            refused: None,
        })
    }

    async fn by_device_code(&self, registration: Option<Registration>) -> Result<(Registration, NewToken), NoLogin> {
        let (client, authorization, started) = self.authorize(registration).await?;
        let expires_at = started + authorization.expires_in;
        self.invite(authorization.url.clone(), Some(authorization.user_code.clone()), expires_at);
        let token = self.poll(&client, &authorization, started, self.at_latest(expires_at)).await?;
        Ok((client, token))
    }

    async fn by_browser(&self, registration: Option<Registration>, callback: &Callback) -> Result<(Registration, NewToken), NoLogin> {
        let client = match registration.filter(|client| client.is_usable(self.server_now())) {
            Some(client) => client,
            None => self.register(LoginMethod::Pkce).await?,
        };
        let Authorization { code, redirect_uri, verifier, browser } = self.authorization_code(callback, &client.client_id).await?;
        let grant = Grant::AuthorizationCode { code: &code, redirect_uri: &redirect_uri, verifier: &verifier };
        // The page must not say that somebody is logged in before that is so.
        let redeemed = self.within(self.service.create_token(&client, grant)).await;
        browser.show(matches!(redeemed, Ok(Ok(_)))).await;
        Ok((client, redeemed?.map_err(|refusal| self.refused(&refusal))?))
    }

    async fn register(&self, method: LoginMethod) -> Result<Registration, NoLogin> {
        let registered = self.within(self.service.register_client(self.scopes, self.start_url, method)).await?;
        Ok(registered.map_err(|refusal| self.refused(&refusal))?)
    }

    fn server_now(&self) -> OffsetDateTime {
        self.world.clock.now().saturating_add(self.service.clock().difference().unwrap_or_default())
    }

    /// Gets a device code; a registration that the service no longer knows is renewed once.
    async fn authorize(&self, registration: Option<Registration>) -> Result<(Registration, DeviceAuthorization, Instant), NoLogin> {
        let mut kept = registration.filter(|client| client.is_usable(self.server_now()));
        loop {
            let is_new = kept.is_none();
            let client = match kept.take() {
                Some(client) => client,
                None => self.register(LoginMethod::DeviceCode).await?,
            };
            match self.within(self.service.start_device_authorization(&client, self.start_url)).await? {
                Ok(authorization) => return Ok((client, authorization, Instant::now())),
                Err(refusal) if !is_new && refusal.is_oauth_refusal() => {
                    self.outlet.verbose("The service refuses the client registration of the cache; a new one is created.");
                }
                Err(refusal) => return Err(self.refused(&refusal).into()),
            }
        }
    }

    /// Sends the browser to where the login is approved, and tells the user, and until when.
    pub(crate) fn invite(&self, url: String, user_code: Option<String>, expires_at: Instant) {
        let browser_opened = try_open(&url, self.browser, &self.environment.name, self.world, self.outlet);
        // The answer to a login by PKCE comes back to this machine, and to no phone.
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

    async fn poll(&self, client: &Registration, authorization: &DeviceAuthorization, started: Instant, deadline: Instant) -> Result<NewToken, NoLogin> {
        let mut pace = Pace { interval: authorization.interval };
        let mut last = started;
        loop {
            self.wait_until(last + pace.interval, deadline).await?;
            let polled = tokio::select! {
                outcome = self.service.create_token(client, Grant::DeviceCode(&authorization.device_code)) => outcome,
                () = self.outlet.cancel_token().cancelled() => return Err(NoLogin::Cancelled),
                () = tokio::time::sleep_until(deadline) => return Err(self.timed_out().into()),
            };
            last = Instant::now();
            let refusal = match polled {
                Ok(token) => return Ok(token),
                Err(refusal) => refusal,
            };
            match pace.after(&refusal) {
                Next::PollAgain => {
                    if !refusal.is("authorization_pending") {
                        self.outlet.verbose(format!("The service is asked again in {} s.", pace.interval.as_secs()));
                    }
                }
                Next::Declined => {
                    return Err(self.declined().with_request_id(refusal.request_id()).into());
                }
                Next::Expired => return Err(self.timed_out().into()),
                Next::Refused => return Err(self.refused(&refusal).into()),
            }
        }
    }

    /// The end of a wait that may last until `end`, unless the user gave less time.
    pub(crate) fn at_latest(&self, end: Instant) -> Instant {
        self.deadline.map_or(end, |deadline| deadline.min(end))
    }

    /// The service's own words for why it does not log anybody in.
    pub(crate) fn refused_with(&self, error: &str, message: &str) -> Error {
        let said = if message.is_empty() { error.to_owned() } else { format!("{error}: {message}") };
        Error::new(Code::LoginFailed, format!("The service refused the login to {} ({said}).", self.environment.name)).with_target(&self.environment.name)
    }

    pub(crate) fn declined(&self) -> Error {
        Error::new(Code::LoginDeclined, format!("The login to {} was declined on the approval page.", self.environment.name))
            .with_action("Run the command again and choose Allow.")
            .with_target(&self.environment.name)
    }

    /// Waits until `time` and says so every second; at `deadline` the login has failed.
    pub(crate) async fn wait_until(&self, time: Instant, deadline: Instant) -> Result<(), NoLogin> {
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

    /// Runs a request until cancel or the deadline.
    async fn within<T>(&self, request: impl Future<Output = Result<T, Refusal>>) -> Result<Result<T, Refusal>, NoLogin> {
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

    fn timed_out(&self) -> Error {
        Error::new(Code::LoginTimedOut, format!("Nobody approved the login to {} in time.", self.environment.name))
            .with_target(&self.environment.name)
            .with_action(format!("Run the command again and approve the login in time. If the page showed an error: {}", self.check_region()))
    }

    /// What to do where the page of a login shows an error or never comes. In a wrong region the service gives a code all the same, which nobody can
    /// approve then (aws-cli #5058).
    pub(crate) fn check_region(&self) -> String {
        let Environment { name, start_url, region, .. } = self.environment;
        format!(
            "Is {region} the region of the IAM Identity Center instance with the start URL {start_url}? If not, correct it with Set-SsoEnvironment -Name {name} -Region <region>."
        )
    }

    fn refused(&self, refusal: &Refusal) -> Error {
        let name = &self.environment.name;
        let error = match refusal {
            // The same answer comes for an unknown start URL and for the wrong region.
            Refusal::Answered { error, .. } if error == "invalid_request" || error == "InvalidRequestException" => {
                let Environment { start_url, region, .. } = self.environment;
                Error::new(Code::StartUrlRejected, format!("IAM Identity Center in {region} does not know the start URL {start_url} of {name}."))
                    .with_action(format!("Check both, and correct them with Set-SsoEnvironment -Name {name} -StartUrl … -Region …"))
            }
            Refusal::Answered { error, message, status: 400 | 401, origin: Origin::Exception | Origin::OAuth, .. } => {
                self.refused_with(error, message).with_action("Run the command again; if it stays, ask your administrator.")
            }
            // A region that does not exist has no host, and in one without IAM Identity Center another one may answer.
            Refusal::Unreachable(_) | Refusal::Answered { status: 400..=428 | 430..=499, .. } => {
                self.service.error(refusal, false).and_action(self.check_region())
            }
            other if !regions::is_known(&self.environment.region) => self.service.error(other, false).and_action(self.check_region()),
            other => self.service.error(other, false),
        };
        error.with_target(name).with_request_id(refusal.request_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::causes::{Cause, Fault};

    fn answer(error: &str, status: u16) -> Refusal {
        Refusal::Answered { error: error.into(), status, message: String::new(), request_id: None, origin: Origin::OAuth }
    }

    #[test]
    fn each_answer_to_a_poll_means_what_the_rfc_says() {
        let mut pace = Pace { interval: Duration::from_secs(1) };
        let mut after = |refusal: Refusal| (pace.after(&refusal), pace.interval.as_secs());
        assert_eq!(after(answer("authorization_pending", 400)), (Next::PollAgain, 1));
        assert_eq!(after(answer("slow_down", 400)), (Next::PollAgain, 6));
        assert_eq!(after(answer("slow_down", 400)), (Next::PollAgain, 11));
        assert_eq!(after(Refusal::TimedOut { status: None, request_id: None }), (Next::PollAgain, 22));
        let unreachable = || Refusal::Unreachable(Cause { at_proxy: false, fault: Fault::Unresolved });
        assert_eq!(after(unreachable()), (Next::PollAgain, 44));
        assert_eq!(after(unreachable()), (Next::PollAgain, 60));
        assert_eq!(after(answer("server_error", 500)), (Next::PollAgain, 60));
        assert_eq!(after(answer("access_denied", 400)), (Next::Declined, 60));
        assert_eq!(after(answer("expired_token", 400)), (Next::Expired, 60));
        assert_eq!(after(answer("invalid_grant", 400)), (Next::Refused, 60));
        assert_eq!(after(answer("invalid_request", 400)), (Next::Refused, 60));
    }
}
