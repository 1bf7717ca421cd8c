//! SSO-OIDC: client registration, the two kinds of login, and the refresh.

use std::time::Duration;

use aws_sdk_ssooidc::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use time::OffsetDateTime;

use crate::error::{Code, Error};
use crate::protocol::LoginMethod;
use crate::secret::{Secret, is_plain};
use crate::service::answers::LastAnswer;
use crate::service::classify::refusal;
use crate::service::client::{CLIENT_NAME, Service, patient};
use crate::service::fields::{NOT_PLAIN, plain_secret, short_text};
use crate::service::refusal::{Refusal, unusable};
use crate::service::settings::Endpoints;

const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The grant of a PKCE login.
pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";

/// The grants that a client for PKCE logins is registered with, as by the AWS CLI.
pub(crate) const PKCE_GRANTS: [&str; 2] = [AUTHORIZATION_CODE, "refresh_token"];

/// Where the browser returns after a PKCE login; the registration has no port, because the port changes with each login (RFC 8252, 7.3).
const REDIRECT_URI: &str = "http://127.0.0.1/oauth/callback";

/// The time that a client registration needs to have left, as in the AWS CLI.
const REGISTRATION_MARGIN: time::Duration = time::Duration::minutes(15);

/// The longest user code, in characters; AWS's codes have 9, and its addresses about 80.
const LONGEST_USER_CODE: usize = 64;
const LONGEST_URL: usize = 2048;
const LONGEST_CLIENT_ID: usize = 1024;

/// The longest polling interval; AWS's codes last 10 minutes and are polled once a second.
const LONGEST_INTERVAL: Duration = Duration::from_mins(1);
const LONGEST_CODE_LIFETIME: Duration = Duration::from_hours(1);

/// A client that is registered with the service.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    /// When the registration expires; `None` if the file does not have it, as in the files of some SDKs.
    pub(crate) expires_at: Option<OffsetDateTime>,
    /// The login that the client is registered for; a client used only for refreshes may be for either.
    pub(crate) method: LoginMethod,
}

impl Registration {
    /// Whether the registration lasts long enough for a login.
    pub(crate) fn is_usable(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_none_or(|end| end - now >= REGISTRATION_MARGIN)
    }

    pub(crate) fn has_ended(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// The result of a device authorization.
#[derive(Debug)]
pub(crate) struct DeviceAuthorization {
    pub(crate) device_code: Secret,
    pub(crate) user_code: String,
    /// The address that includes the code if there is one, else the plain one.
    pub(crate) url: String,
    pub(crate) expires_in: Duration,
    pub(crate) interval: Duration,
}

/// What to exchange for an access token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grant<'a> {
    DeviceCode(&'a Secret),
    AuthorizationCode { code: &'a Secret, redirect_uri: &'a str, verifier: &'a Secret },
    RefreshToken(&'a Secret),
}

/// A new access token.
#[derive(Debug)]
pub(crate) struct NewToken {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) expires_in: Duration,
}

impl Service {
    /// `RegisterClient`: registers a public client for one kind of login.
    pub(crate) async fn register_client(&self, scopes: &[String], start_url: &str, method: LoginMethod) -> Result<Registration, Refusal> {
        let mut request = self.oidc.register_client().client_name(CLIENT_NAME).client_type("public").set_scopes(Some(scopes.to_vec()));
        if method == LoginMethod::Pkce {
            let grants = PKCE_GRANTS.map(str::to_owned).to_vec();
            request = request.redirect_uris(REDIRECT_URI).set_grant_types(Some(grants)).issuer_url(start_url);
        }
        let answer = request.customize().config_override(patient()).send().await.map_err(|fault| refusal(&fault, &LastAnswer::default(), &[]))?;
        let garbled = || Refusal::Garbled { message: "the registration has no client ID, secret or expiration".to_owned(), request_id: None };
        let is_id = |id: &String| is_plain(id) && id.len() <= LONGEST_CLIENT_ID;
        Ok(Registration {
            client_id: Some(answer.client_id.ok_or_else(garbled)?).filter(is_id).ok_or_else(|| unusable(format!("the client id {NOT_PLAIN}")))?,
            client_secret: plain_secret("client secret", answer.client_secret.ok_or_else(garbled)?)?,
            expires_at: Some(OffsetDateTime::from_unix_timestamp(answer.client_secret_expires_at).map_err(|_| garbled())?),
            method,
        })
    }

    /// Returns the page on which the user approves a PKCE login, without its query; the service's model has no operation for it.
    pub(crate) async fn authorize_url(&self) -> Result<String, Error> {
        let base = match &self.settings.endpoints.oidc_url {
            Some(url) => url.clone(),
            None => self.default_oidc_url().await?,
        };
        Ok(format!("{}/authorize", base.trim_end_matches('/')))
    }

    async fn default_oidc_url(&self) -> Result<String, Error> {
        let Endpoints { region, fips, dual_stack, .. } = &self.settings.endpoints;
        let params = Params::builder().region(region.as_str()).use_fips(*fips).use_dual_stack(*dual_stack).build();
        let endpoint = match &params {
            Ok(params) => DefaultResolver::new().resolve_endpoint(params).await.ok(),
            Err(_) => None,
        };
        endpoint.map(|endpoint| endpoint.url().to_owned()).ok_or_else(|| {
            Error::new(Code::EnvironmentInvalid, format!("There is no endpoint of SSO-OIDC in the region {region}."))
                .with_target(region)
                .with_action("Correct the region with Set-SsoEnvironment.")
        })
    }

    /// `StartDeviceAuthorization`.
    pub(crate) async fn start_device_authorization(&self, client: &Registration, start_url: &str) -> Result<DeviceAuthorization, Refusal> {
        let request = self.oidc.start_device_authorization().client_id(&client.client_id).client_secret(client.client_secret.reveal()).start_url(start_url);
        let secrets = [&client.client_secret];
        let answer = request.customize().config_override(patient()).send().await.map_err(|fault| refusal(&fault, &LastAnswer::default(), &secrets))?;
        let garbled = || Refusal::Garbled { message: "the device authorization has no code or URL".to_owned(), request_id: None };
        let seconds = |number: i32, default: u64| Duration::from_secs(u64::try_from(number).ok().filter(|seconds| *seconds > 0).unwrap_or(default));
        let (expires_in, interval) = (answer.expires_in, answer.interval);
        Ok(DeviceAuthorization {
            device_code: plain_secret("device code", answer.device_code.ok_or_else(garbled)?)?,
            user_code: short_text("user code", answer.user_code.as_deref(), LONGEST_USER_CODE)?.ok_or_else(garbled)?,
            url: short_text("address", answer.verification_uri_complete.or(answer.verification_uri).as_deref(), LONGEST_URL)?.ok_or_else(garbled)?,
            expires_in: seconds(expires_in, 600).min(LONGEST_CODE_LIFETIME),
            // RFC 8628, 3.2: five seconds if the server sends none.
            interval: seconds(interval, 5).min(LONGEST_INTERVAL),
        })
    }

    /// `CreateToken`.
    pub(crate) async fn create_token(&self, client: &Registration, grant: Grant<'_>) -> Result<NewToken, Refusal> {
        let request = self.oidc.create_token().client_id(&client.client_id).client_secret(client.client_secret.reveal());
        let request = match grant {
            Grant::DeviceCode(code) => request.grant_type(DEVICE_CODE_GRANT).device_code(code.reveal()).customize(),
            Grant::AuthorizationCode { code, redirect_uri, verifier } => {
                request.grant_type("authorization_code").code(code.reveal()).redirect_uri(redirect_uri).code_verifier(verifier.reveal()).customize()
            }
            Grant::RefreshToken(token) => request.grant_type("refresh_token").refresh_token(token.reveal()).customize().config_override(patient()),
        };
        let mut secrets = vec![&client.client_secret];
        match grant {
            Grant::DeviceCode(secret) | Grant::RefreshToken(secret) => secrets.push(secret),
            Grant::AuthorizationCode { code, verifier, .. } => secrets.extend([code, verifier]),
        }
        let answer = request.send().await.map_err(|fault| refusal(&fault, &LastAnswer::default(), &secrets))?;
        let garbled = || Refusal::Garbled { message: "the response has no access token".to_owned(), request_id: None };
        Ok(NewToken {
            access_token: plain_secret("access token", answer.access_token.ok_or_else(garbled)?)?,
            refresh_token: answer.refresh_token.filter(|token| !token.is_empty()).map(|token| plain_secret("refresh token", token)).transpose()?,
            expires_in: Duration::from_secs(u64::try_from(answer.expires_in).map_err(|_| garbled())?),
        })
    }
}
