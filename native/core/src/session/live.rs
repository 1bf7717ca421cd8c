//! The session of one environment while many requests use it: renewed once for all of them if the service refuses it.

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Code, Error};
use crate::login::attempt::NoLogin;
use crate::secret::Secret;
use crate::service::refusal::Refusal;
use crate::session::source::SessionSource;
use crate::session::time_limit::Bound;

/// A session that stays usable until it ends.
pub(crate) struct LiveSession {
    current: Mutex<Current>,
    bound: Bound,
}

struct Current {
    access_token: Secret,
    /// How often the session was renewed after the service refused it: first by a refresh, then by a login, then never again.
    renewals: u8,
    started: Instant,
    /// Why the session or the service is no longer usable; if set, nothing more is sent.
    ended: Option<Error>,
}

/// Why a request did not succeed.
#[derive(Debug)]
pub(crate) enum Stop {
    Refused(Refusal),
    /// The session or the service is no longer usable; the reason is reported once.
    Ended,
    Cancelled,
}

impl LiveSession {
    /// Opens a session from `source`, which may ask the user to log in.
    pub(crate) async fn open(source: &SessionSource<'_>, bound: Bound) -> Result<Self, NoLogin> {
        let access_token = source.session().await?.access_token;
        Ok(Self { current: Mutex::new(Current { access_token, renewals: 0, started: Instant::now(), ended: None }), bound })
    }

    /// Restarts the time limit, because waits for other logins do not count.
    pub(crate) async fn restart(&self) {
        self.current.lock().await.started = Instant::now();
    }

    /// Why the session ended, if it did.
    pub(crate) fn into_ended(self) -> Option<Error> {
        self.current.into_inner().ended
    }

    /// Sends a request, and sends it again with a new session if the service refuses the current one.
    pub(crate) async fn send<T, F>(&self, source: &SessionSource<'_>, request: impl Fn(Secret, Instant) -> F) -> Result<T, Stop>
    where
        F: Future<Output = Result<T, Refusal>>,
    {
        loop {
            let (access_token, deadline) = {
                let current = self.current.lock().await;
                if current.ended.is_some() {
                    return Err(Stop::Ended);
                }
                let deadline = match self.bound {
                    Bound::Together(limit) => current.started + limit,
                    Bound::Until(end) => end,
                    Bound::Each(limit) => Instant::now() + limit,
                };
                (current.access_token.clone(), deadline)
            };
            match request(access_token.clone(), deadline).await {
                Ok(answer) => return Ok(answer),
                Err(refusal) if refusal.ends_session() => self.renew(&access_token, source, &refusal).await?,
                // Without a connection the next request would fail too, and one error is better than a hundred.
                Err(refusal @ Refusal::Unreachable(_)) => {
                    let error = source.service.portal_error(&refusal).with_target(&source.environment.name);
                    self.current.lock().await.ended.get_or_insert(error);
                    return Err(Stop::Ended);
                }
                Err(refusal) => return Err(Stop::Refused(refusal)),
            }
        }
    }

    /// Replaces a refused session, once for all requests that wait for it.
    async fn renew(&self, refused: &Secret, source: &SessionSource<'_>, refusal: &Refusal) -> Result<(), Stop> {
        let mut current = self.current.lock().await;
        if current.access_token != *refused || current.ended.is_some() {
            return Ok(());
        }
        if current.renewals >= 2 {
            let error = Error::new(Code::LoginFailed, format!("The service rejects the session of {} even after a new login.", source.environment.name))
                .with_action("Run the command again in a few minutes. If the error persists, contact your administrator.");
            current.ended = Some(error.with_target(&source.environment.name).with_request_id(refusal.request_id()));
            return Err(Stop::Ended);
        }
        current.renewals += 1;
        match source.renewed(refused, current.renewals == 1).await {
            Ok(session) => {
                current.access_token = session.access_token;
                current.started = Instant::now();
                Ok(())
            }
            Err(NoLogin::Cancelled) => Err(Stop::Cancelled),
            Err(NoLogin::Failed(error)) => {
                current.ended = Some(error);
                Err(Stop::Ended)
            }
        }
    }
}
