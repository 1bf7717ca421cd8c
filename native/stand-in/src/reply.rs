//! Responses before they are sent, and the wire format of both services' errors.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::options::Operation;

/// Text that must never reach a terminal unchanged.
pub(crate) const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;owned\u{7}\u{8}\u{9b}2J\r\n\u{202e}\u{0}";

/// A response as it will be sent, unless a fault spoils it.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Vec<u8>,
    /// Whether it simulates the answer of a proxy, without the headers of the service.
    pub(crate) is_of_proxy: bool,
}

impl Reply {
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), is_of_proxy: false }
    }

    /// What a proxy sends instead of the service; a 401 asks for a password.
    pub(crate) fn of_proxy(status: StatusCode) -> Self {
        let page =
            Self::html(status, "<html><body>Acme Gateway</body></html>".to_owned()).with(header::SERVER, "Acme Gateway").with(header::VIA, "1.1 gateway");
        let page = if status == StatusCode::UNAUTHORIZED { page.with(header::WWW_AUTHENTICATE, "Basic realm=\"Acme Gateway\"") } else { page };
        Self { is_of_proxy: true, ..page }
    }

    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::empty(status).with(header::CONTENT_TYPE, "application/json").with_body(body.to_string().into_bytes())
    }

    pub(crate) fn html(status: StatusCode, body: String) -> Self {
        Self::empty(status).with(header::CONTENT_TYPE, "text/html; charset=utf-8").with(header::CACHE_CONTROL, "no-store").with_body(body.into_bytes())
    }

    /// Adds a header; leaves out a value that no header can have, which can come only from a flag or from the client itself.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

/// An error of one of the services, which a handler returns instead of a response.
#[derive(Debug)]
pub(crate) struct Refusal {
    portal: bool,
    status: StatusCode,
    name: String,
    message: String,
    reason: Option<String>,
}

/// Name, HTTP status, member `error` and usual description of SSO-OIDC's errors.
const OIDC_ERRORS: &[(&str, u16, &str, &str)] = &[
    ("AuthorizationPendingException", 400, "authorization_pending", "Authorization is still pending"),
    ("SlowDownException", 400, "slow_down", "Slow down"),
    ("ExpiredTokenException", 400, "expired_token", "Device code expired"),
    ("AccessDeniedException", 400, "access_denied", "Access denied"),
    ("InvalidGrantException", 400, "invalid_grant", "Invalid grant provided"),
    ("InvalidClientException", 401, "invalid_client", "Invalid client provided"),
    ("UnauthorizedClientException", 400, "unauthorized_client", "Client is not authorized for this grant"),
    ("InvalidRequestException", 400, "invalid_request", "Invalid request"),
    ("InvalidScopeException", 400, "invalid_scope", "Invalid scope"),
    ("InvalidClientMetadataException", 400, "invalid_client_metadata", "Invalid client metadata"),
    ("InvalidRedirectUriException", 400, "invalid_redirect_uri", "Invalid redirect URI"),
    ("UnsupportedGrantTypeException", 400, "unsupported_grant_type", "Unsupported grant type"),
    ("InternalServerException", 500, "server_error", "Internal server error"),
];

/// Name, HTTP status and usual message of the portal's errors. The third and the last are not in the model.
const PORTAL_ERRORS: &[(&str, u16, &str)] = &[
    ("InvalidRequestException", 400, "Invalid request"),
    ("UnauthorizedException", 401, "Session token not found or invalid"),
    ("ForbiddenException", 403, "No access"),
    ("ResourceNotFoundException", 404, "Account not found"),
    ("TooManyRequestsException", 429, "HTTP 429 Unknown Code"),
    ("InternalServerException", 500, "HTTP 500 Unknown Code"),
];

impl Refusal {
    /// An error of SSO-OIDC with its usual status and description.
    pub(crate) fn oidc(name: &str) -> Self {
        Self::named(false, name)
    }

    /// An error of the portal with its usual status and message.
    pub(crate) fn portal(name: &str) -> Self {
        Self::named(true, name)
    }

    pub(crate) fn invalid_request(portal: bool) -> Self {
        Self::named(portal, "InvalidRequestException")
    }

    fn named(portal: bool, name: &str) -> Self {
        let (status, message) = if portal {
            PORTAL_ERRORS.iter().find(|error| error.0 == name).map(|error| (error.1, error.2))
        } else {
            OIDC_ERRORS.iter().find(|error| error.0 == name).map(|error| (error.1, error.3))
        }
        .unwrap_or((400, "Failed on purpose"));
        Self {
            portal,
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            name: name.to_owned(),
            message: message.to_owned(),
            reason: None,
        }
    }

    pub(crate) fn saying(mut self, message: &str) -> Self {
        message.clone_into(&mut self.message);
        self
    }

    /// The error for a requested failure; `None` is a response without a body.
    pub(crate) fn on_purpose(operation: Operation, status: StatusCode, name: Option<&str>, reason: Option<String>) -> Option<Self> {
        let portal = operation.is_portal();
        let name = match name {
            Some("bare") => return None,
            Some(name) => name,
            None => usual_name(portal, status.as_u16())?,
        };
        Some(Self { status, reason, ..Self::named(portal, name) })
    }

    pub(crate) fn into_reply(self, hostile: bool) -> Reply {
        let mut message = self.message;
        if hostile {
            message.push_str(HOSTILE);
        }
        if self.portal {
            // The name is only in the body here: a client has to work without the header.
            let kind = format!("com.amazonaws.switchboard.portal#{}", self.name);
            let mut body = json!({ "message": message, "__type": kind });
            if let Some(reason) = self.reason {
                body["reason"] = reason.into();
            }
            return Reply::json(self.status, &body);
        }
        let code = OIDC_ERRORS.iter().find(|error| error.0 == self.name).map_or(self.name.as_str(), |error| error.2);
        let mut body = json!({ "error": code, "error_description": message });
        if let Some(reason) = self.reason {
            body["reason"] = reason.into();
        }
        let kind = format!("{}:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/", self.name);
        Reply::json(self.status, &body).with(HeaderName::from_static("x-amzn-errortype"), &kind)
    }
}

/// The error that usually has this status, if there is one.
fn usual_name(portal: bool, status: u16) -> Option<&'static str> {
    if portal {
        return PORTAL_ERRORS.iter().find(|error| error.1 == status || (error.1 == 500 && status >= 500)).map(|error| error.0);
    }
    match status {
        400 => Some("InvalidRequestException"),
        401 => Some("InvalidClientException"),
        429 => Some("SlowDownException"),
        500.. => Some("InternalServerException"),
        _ => None,
    }
}
