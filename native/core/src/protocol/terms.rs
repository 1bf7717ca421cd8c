//! The terms on which a session may be obtained.

use serde::Deserialize;

use crate::protocol::shared::TokenCache;

/// How a session may be obtained, and how long that may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionTerms {
    /// Whether a browser may be opened for a login.
    pub browser: bool,
    /// Whether a user may be asked to log in; otherwise only a refresh is tried.
    pub login: bool,
    /// Why nobody can log in where `login` is false, as the end of a sentence with "since"; absent where the caller only does not want a login.
    pub no_login_reason: Option<String>,
    /// The limit of each login, in seconds; absent means until its code expires.
    pub timeout: Option<u64>,
    /// Where the token is kept in this run; absent means as the environment says.
    pub token_cache: Option<TokenCache>,
    /// How a user logs in.
    pub login_method: LoginMethod,
    /// Whether a login without a browser has its address as a QR code, too.
    pub qr_code: bool,
}

impl Default for SessionTerms {
    fn default() -> Self {
        Self { browser: true, login: true, no_login_reason: None, timeout: None, token_cache: None, login_method: LoginMethod::DeviceCode, qr_code: true }
    }
}

impl SessionTerms {
    /// The same terms where no user can log in, for this reason.
    pub(crate) fn without_user(self, reason: &str) -> Self {
        Self { browser: false, login: false, no_login_reason: Some(reason.to_owned()), ..self }
    }
}

/// How a user logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum LoginMethod {
    /// A code is approved in any browser, on any machine (RFC 8628).
    DeviceCode,
    /// A browser on this machine returns the answer (RFC 7636, RFC 8252).
    Pkce,
}
