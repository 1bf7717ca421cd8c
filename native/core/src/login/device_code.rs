//! The device code login (RFC 8628), as IAM Identity Center implements it.

use std::time::Duration;

use tokio::time::Instant;

use crate::login::attempt::{Login, NoLogin};
use crate::protocol::LoginMethod;
use crate::service::oidc::{DeviceAuthorization, Grant, NewToken, Registration};
use crate::service::refusal::Refusal;

/// What each `slow_down` adds to the interval (RFC 8628, 3.5).
const SLOW_DOWN_STEP: Duration = Duration::from_secs(5);

/// The pace of the polls, and what each response means for it.
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
            // RFC 8628, 3.5: after a connection timeout the client must back off, for example by doubling the interval.
            Refusal::TimedOut { .. } | Refusal::Unreachable(_) => {
                self.interval = self.interval.saturating_mul(2).min(Duration::from_mins(1));
                Next::PollAgain
            }
            Refusal::Answered { status: 429 | 500.., .. } | Refusal::Garbled { .. } => Next::PollAgain,
            Refusal::Answered { .. } | Refusal::Unusable { .. } => Next::Refused,
        }
    }
}

impl Login<'_> {
    /// Logs in on a page where the user compares a code; returns the client and its token.
    pub(super) async fn by_device_code(&self, registration: Option<Registration>) -> Result<(Registration, NewToken), NoLogin> {
        let (client, authorization, started) = self.authorize(registration).await?;
        let expires_at = started + authorization.expires_in;
        self.invite(authorization.url.clone(), Some(authorization.user_code.clone()), expires_at);
        let token = self.poll(&client, &authorization, started, self.at_latest(expires_at)).await?;
        Ok((client, token))
    }

    /// Gets a device code; registers a new client, once, if the service no longer knows the cached one.
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
                    self.outlet.verbose("The service rejected the cached client registration. Registering a new client.");
                }
                Err(refusal) => return Err(self.refused(&refusal).into()),
            }
        }
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
                        self.outlet.verbose(format!("Polling again in {} s.", pace.interval.as_secs()));
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::causes::{Cause, Fault};
    use crate::service::refusal::Origin;

    fn answer(error: &str, status: u16) -> Refusal {
        Refusal::Answered { error: error.into(), status, message: String::new(), request_id: None, origin: Origin::OAuth }
    }

    #[test]
    fn each_response_to_a_poll_is_handled_as_in_the_rfc() {
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
