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

/// The result of an approved login.
pub(crate) struct LoggedIn {
    pub(crate) token: NewToken,
    /// When the access token expires, by the service's clock.
    pub(crate) expires_at: OffsetDateTime,
    /// The client that logged in, which may be newly registered.
    pub(crate) client: Registration,
}

/// Logs in with `registration` if it is still usable, else with a new client. With a `callback` the login is by PKCE and the browser returns there;
/// without one it is by device code.
pub(crate) async fn log_in(login: &Login<'_>, callback: Option<&Callback>, registration: Option<Registration>) -> Result<LoggedIn, NoLogin> {
    let (client, token) = match callback {
        Some(callback) => login.by_browser(registration, callback).await?,
        None => login.by_device_code(registration).await?,
    };
    Ok(LoggedIn { expires_at: after(login.server_now(), token.expires_in), token, client })
}
