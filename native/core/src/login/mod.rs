//! Logs in to IAM Identity Center, by device code or by PKCE.

pub(crate) mod attempt;
pub(crate) mod browser;
pub(crate) mod callback;
mod device_code;
mod pkce;
mod qr_code;
#[cfg(test)]
mod tests;

use attempt::{Login, NoLogin};
use callback::Callback;
use time::OffsetDateTime;

use crate::service::oidc::{NewToken, Registration};
use crate::timestamp::after;

/// What an approved login gives.
pub(crate) struct LoggedIn {
    pub(crate) token: NewToken,
    /// When the access token expires, by the service's clock.
    pub(crate) expires_at: OffsetDateTime,
    /// The client that logged in, which may be a new one.
    pub(crate) client: Registration,
}

/// Logs in with `registration` if it can still be used, else with a new client. The browser comes back to `callback`; without one the login is by
/// device code.
pub(crate) async fn log_in(login: &Login<'_>, callback: Option<&Callback>, registration: Option<Registration>) -> Result<LoggedIn, NoLogin> {
    let (client, token) = match callback {
        Some(callback) => login.by_browser(registration, callback).await?,
        None => login.by_device_code(registration).await?,
    };
    Ok(LoggedIn { expires_at: after(login.server_now(), token.expires_in), token, client })
}
