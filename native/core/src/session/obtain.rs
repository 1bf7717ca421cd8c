//! Obtains a session: the existing one, a refreshed one, or a new one after a login.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::environments::start_url::requested_url;
use crate::error::{Code, Error};
use crate::login::attempt::{Login, NoLogin};
use crate::login::callback::Callback;
use crate::login::{LoggedIn, log_in};
use crate::names::same_name;
use crate::protocol::LoginMethod;
use crate::secret::{Secret, is_plain};
use crate::service::oidc::Registration;
use crate::session::memory::State;
use crate::session::refresh::Refreshed;
use crate::session::source::{Session, SessionSource};
use crate::session::token_cache::{ACCOUNT_ACCESS, Token, TokenLock, mark_of};

/// The least time between two attempts to refresh a token.
const REFRESH_SPACING: Duration = Duration::from_secs(30);

impl SessionSource<'_> {
    /// Returns a session: the existing one, a refreshed one, or a new one after a login.
    pub(crate) async fn session(&self) -> Result<Session, NoLogin> {
        self.obtain(None, true).await
    }

    /// Replaces a session that the service refused (401), by a refresh if `refresh` allows it, else by a login.
    pub(crate) async fn renewed(&self, refused: &Secret, refresh: bool) -> Result<Session, NoLogin> {
        self.obtain(Some(refused), refresh).await
    }

    async fn obtain(&self, refused: Option<&Secret>, may_refresh: bool) -> Result<Session, NoLogin> {
        if let Some(conflict) = &self.conflict {
            return Err(conflict.clone().into());
        }
        self.service.warn_of_skipped_proxies(&self.context.outlet);
        let slot = self.slot();
        let mut state = self.locked(&slot).await?;
        self.load(&mut state).await?;
        let fresh = |state: &State| state.find_token(self.place.files(), |token| self.is_fresh(token, refused) && !state.is_dead(token));
        if let Some(token) = fresh(&state)? {
            return Ok(self.use_token(&token, "The cached session is still valid"));
        }
        let lock = self.lock().await?;
        // Another process may have refreshed or logged in while this one waited.
        self.load(&mut state).await?;
        if let Some(token) = fresh(&state)? {
            return Ok(self.use_token(&token, "Another process has renewed the session"));
        }
        let good = state.find_token(self.place.files(), |token| self.is_good(token, refused) && !state.is_dead(token))?;
        // Only a session that is still good can wait; without one, the alternative is a login.
        let rested = good.is_none() || state.last_refresh.is_none_or(|last| last.elapsed() >= REFRESH_SPACING);
        let mut dead_client = None;
        if may_refresh && rested && self.can_keep_new_token(good.is_some()).await? {
            match self.refresh(&mut state, lock.as_ref(), refused, good.is_some()).await? {
                Refreshed::Token(token, how) => return Ok(self.use_token(&token, how)),
                Refreshed::Failed(refusal) if good.is_none() => return Err(self.service.oidc_error(&refusal).with_target(&self.environment.name).into()),
                Refreshed::Failed(_) => self.context.outlet.verbose("The session could not be refreshed, but it is still valid and is used."),
                Refreshed::Ended { dead_client: client } => dead_client = client,
            }
        }
        if let Some(token) = good {
            return Ok(self.use_token(&token, "The session is still valid"));
        }
        if let Some(token) = self.given(refused) {
            // The caller keeps this token in its own way, so it is not written to a file.
            state.token = Some(token.clone());
            return Ok(self.use_token(&token, "The supplied token is used"));
        }
        // From here on it is known to be useless, so that the command that logs in does not take it for a session.
        state.dead.extend(refused.map(mark_of));
        let token = self.log_in(&mut state, lock.as_ref(), dead_client.as_deref()).await?;
        Ok(self.use_token(&token, "The login was approved"))
    }

    /// Whether a new token could be stored where the session is kept. If not, a session that is still good is used as it is.
    async fn can_keep_new_token(&self, still_good: bool) -> Result<bool, NoLogin> {
        match self.open_store().await {
            Err(NoLogin::Failed(error)) if still_good => {
                self.context.outlet.verbose(format!("The session is not refreshed: {error}"));
                Ok(false)
            }
            outcome => outcome.map(|()| true),
        }
    }

    /// The token that the caller supplied for this environment, if it is good and was not refused.
    fn given(&self, refused: Option<&Secret>) -> Option<Token> {
        let given = self.context.world.given.iter().find(|given| same_name(&given.name, &self.environment.name))?.token.as_ref()?;
        let token = Token {
            access_token: Some(given.access_token.clone()).filter(|token| is_plain(token.reveal()))?,
            expires_at: OffsetDateTime::from_unix_timestamp(given.expires_at).ok()?,
            refresh_token: None,
            registration: None,
            other_file: None,
            refused: None,
        };
        (token.expires_at > self.now() && refused.is_none_or(|refused| *refused != token.access_token)).then_some(token)
    }

    /// Logs in with a client other than `dead_client`, which the service no longer knows.
    async fn log_in(&self, state: &mut State, lock: Option<&TokenLock>, dead_client: Option<&str>) -> Result<Token, NoLogin> {
        let name = &self.environment.name;
        if !self.terms.login {
            return Err(self.login_required().into());
        }
        self.open_store().await?;
        let callback = Callback::open(&self.context.world, self.terms, name, &self.context.outlet).await;
        let method = if callback.is_some() { LoginMethod::Pkce } else { LoginMethod::DeviceCode };
        let in_file = self.place.files().and_then(|files| files.read_registration(method));
        let in_memory = [state.registration.as_ref(), state.stored.as_ref().and_then(|token| token.registration.as_ref())].into_iter().flatten();
        let registration = in_file.or_else(|| in_memory.into_iter().find(|client| client.method == method && !client.has_ended(self.now())).cloned());
        let registration = registration.filter(|client| dead_client != Some(client.client_id.as_str()));
        let scopes = self.place.names().map_or_else(|| vec![ACCOUNT_ACCESS.to_owned()], |files| files.scopes().to_vec());
        let login = Login {
            world: &self.context.world,
            outlet: &self.context.outlet,
            environment: self.environment,
            service: self.service,
            start_url: &requested_url(&self.environment.start_url),
            scopes: &scopes,
            browser: self.terms.browser,
            qr_code: self.terms.qr_code,
            deadline: self.timeout().map(|timeout| Instant::now() + timeout),
        };
        let known = registration.as_ref().map(|client| client.client_id.clone());
        let outcome = log_in(&login, callback.as_ref(), registration).await;
        self.context.hear(self.service);
        let LoggedIn { token: new, expires_at, client } = outcome?;
        if known.as_ref() != Some(&client.client_id) {
            self.keep_registration(state, lock, &client);
        }
        let token =
            Token { access_token: new.access_token, expires_at, refresh_token: new.refresh_token, registration: Some(client), other_file: None, refused: None };
        self.store(state, lock, &token).await;
        Ok(token)
    }

    fn keep_registration(&self, state: &mut State, lock: Option<&TokenLock>, client: &Registration) {
        if let (Some(files), Some(lock)) = (self.place.files(), lock)
            && let Err(error) = files.write_registration(lock, client)
        {
            self.context.outlet.verbose(format!("The client registration is kept only in this PowerShell: {error}"));
        }
        state.registration = Some(client.clone());
    }

    fn login_required(&self) -> Error {
        let name = &self.environment.name;
        let why = match &self.terms.no_login_reason {
            Some(why) => format!("nobody can log in here because {why}"),
            None => "a login was not allowed".to_owned(),
        };
        Error::new(Code::LoginRequired, format!("{name} needs a login, and {why}."))
            .with_target(name)
            .with_action(format!("Run Connect-SsoSession -Environment {name} where you can log in, then run this command again."))
    }
}
