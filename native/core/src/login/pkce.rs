//! The login by authorization code and PKCE (RFC 7636), as in the AWS CLI.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Error};
use crate::login::attempt::{Login, NoLogin};
use crate::login::callback::{Answer, Callback, Refused, WaitingBrowser};
use crate::protocol::LoginMethod;
use crate::secret::Secret;
use crate::service::oidc::{Grant, NewToken, Registration};
use crate::urls::percent_encoded;

/// How long to wait for the browser, as in the AWS CLI.
pub(crate) const BROWSER_TIMEOUT: Duration = Duration::from_mins(10);

/// The state that the browser must return with, and the verifier that only this run knows.
struct Secrets {
    state: String,
    /// Has 64 of the characters that RFC 7636, 4.1 allows.
    verifier: Secret,
}

/// The code of an approved login, and what is needed to redeem it.
pub(crate) struct Authorization {
    pub(crate) code: Secret,
    pub(crate) redirect_uri: String,
    pub(crate) verifier: Secret,
    pub(crate) browser: WaitingBrowser,
}

impl Secrets {
    fn new() -> Result<Self, Error> {
        let mut random = [0; 64];
        getrandom::fill(&mut random).map_err(|fault| {
            Error::new(Code::LoginFailed, format!("The system returned no random numbers for the login: {fault}."))
                .with_action("Run the command again with -LoginMethod DeviceCode.")
        })?;
        let (verifier, state) = random.split_at(48);
        let state = <[u8; 16]>::try_from(state).unwrap_or_default();
        Ok(Self { verifier: Secret::new(URL_SAFE_NO_PAD.encode(verifier)), state: uuid::Builder::from_random_bytes(state).into_uuid().to_string() })
    }

    /// The code challenge for the verifier (RFC 7636, 4.2).
    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.reveal()))
    }
}

impl Login<'_> {
    /// Logs in on a page that sends the browser back to this computer; returns the client and its token.
    pub(super) async fn by_browser(&self, registration: Option<Registration>, callback: &Callback) -> Result<(Registration, NewToken), NoLogin> {
        let client = match registration.filter(|client| client.is_usable(self.server_now())) {
            Some(client) => client,
            None => self.register(LoginMethod::Pkce).await?,
        };
        let Authorization { code, redirect_uri, verifier, browser } = self.authorization_code(callback, &client.client_id).await?;
        let grant = Grant::AuthorizationCode { code: &code, redirect_uri: &redirect_uri, verifier: &verifier };
        // The page must not report success before the code is redeemed.
        let redeemed = self.within(self.service.create_token(&client, grant)).await;
        browser.show(matches!(redeemed, Ok(Ok(_)))).await;
        Ok((client, redeemed?.map_err(|refusal| self.refused(&refusal))?))
    }

    /// The address of the approval page for a registered client.
    async fn approval_url(&self, client_id: &str, redirect_uri: &str, secrets: &Secrets) -> Result<String, Error> {
        Ok(format!(
            "{}?response_type=code&client_id={}&redirect_uri={}&state={}&code_challenge_method=S256&scopes={}&code_challenge={}",
            self.service.authorize_url().await?,
            percent_encoded(client_id),
            percent_encoded(redirect_uri),
            secrets.state,
            percent_encoded(&self.scopes.join(" ")),
            secrets.challenge(),
        ))
    }

    /// Opens the approval page; returns the code and what is needed to redeem it.
    async fn authorization_code(&self, callback: &Callback, client_id: &str) -> Result<Authorization, NoLogin> {
        let secrets = Secrets::new()?;
        let redirect_uri = callback.redirect_uri();
        let url = self.approval_url(client_id, &redirect_uri, &secrets).await?;
        let deadline = self.at_latest(tokio::time::Instant::now() + BROWSER_TIMEOUT);
        self.invite(url, None, deadline);
        let answer = tokio::select! {
            answer = callback.answer(&self.environment.name, &secrets.state) => answer,
            ended = self.wait_until(deadline, deadline) => return Err(ended.err().unwrap_or(NoLogin::Cancelled)),
        };
        match answer {
            Answer::Code(code, browser) => Ok(Authorization { code, redirect_uri, verifier: secrets.verifier, browser }),
            Answer::Refused(Refused { error, .. }) if error == "access_denied" => Err(self.declined().into()),
            Answer::Refused(Refused { error, description }) => {
                let action = format!("{} Otherwise try -LoginMethod DeviceCode.", self.check_region());
                Err(self.refused_with(&error, &description).with_action(action).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_verifier_and_the_challenge_are_those_of_the_rfc() {
        let (one, other) = (Secrets::new().unwrap(), Secrets::new().unwrap());
        assert_eq!(one.verifier.reveal().len(), 64);
        assert!(one.verifier.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
        assert!(one.verifier.reveal() != other.verifier.reveal() && one.state != other.state);
        assert!(one.state.len() == 36 && one.state.as_bytes()[14] == b'4', "{}", one.state);
        // RFC 7636, appendix B.
        let known = Secrets { verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), state: String::new() };
        assert_eq!(known.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
