//! Why a request failed, as far as the response or its absence shows.

use crate::secret::Secret;
use crate::service::causes::Cause;
use crate::text::shortened;

/// The longest message of the service that is shown, in characters; error names and IDs are limited to `LONGEST_ID`.
pub(super) const LONGEST_MESSAGE: usize = 500;
pub(super) const LONGEST_ID: usize = 128;

/// What a refusal shows about who sent it: the service, or a proxy, whose 401, 403 or 404 means something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It names an exception of the service, in `x-amzn-errortype` or in `__type` of the body.
    Exception,
    /// Its body has an `error` field as in OAuth (RFC 6749, 5.2).
    OAuth,
    /// It names no error, but is from the service: every response of the service has an `x-amzn-requestid`, which no proxy makes up, and none has
    /// `WWW-Authenticate` or `Proxy-Authenticate`, because the bearer token has a header of its own (`noAuth` in the service's model). A proxy that refuses
    /// a request has no response of the service to copy the ID from, and one that requires a password sends these headers.
    /// `Via` and `Server` show nothing, because proxies also add `Via` to responses of the service.
    Nameless,
    /// Nothing shows that the service sent it.
    Elsewhere,
}

/// Why a request failed.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// The service refused the request.
    Answered {
        /// The OAuth code, such as `slow_down`, or the exception's name, such as `ForbiddenException`.
        error: String,
        status: u16,
        /// The service's message for people.
        message: String,
        request_id: Option<String>,
        origin: Origin,
    },
    /// No response came in time, or only transient refusals; the status and ID are those of the last refusal.
    TimedOut { status: Option<u16>, request_id: Option<String> },
    /// There was no connection.
    Unreachable(Cause),
    /// The response could not be understood.
    Garbled { message: String, request_id: Option<String> },
    /// The response contains something unusable, which a retry would return again.
    Unusable { message: String, request_id: Option<String> },
}

/// A refusal for a response that is unusable for this reason.
pub(super) fn unusable(message: impl Into<String>) -> Refusal {
    Refusal::Unusable { message: message.into(), request_id: None }
}

impl Refusal {
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Answered { error, .. } if error == name)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The status, if the response names an error of the portal.
    pub(crate) fn modelled_status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, origin: Origin::Exception, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the portal itself reports that the access token is no longer valid.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self, Self::Answered { status: 401, origin: Origin::Exception | Origin::Nameless, .. })
    }

    /// Whether SSO-OIDC refused the request as defined in RFC 6749, 5.2, so that a retry cannot succeed.
    pub(crate) fn is_oauth_refusal(&self) -> bool {
        match self {
            Self::Answered { error, status: 400..=428 | 430..=499, origin: Origin::Exception | Origin::OAuth, .. } => {
                !["slow_down", "authorization_pending"].contains(&error.as_str()) && is_oauth_code(error)
            }
            _ => false,
        }
    }

    /// The name of the error, for people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Answered { error, .. } => error,
            Self::TimedOut { .. } => "no response in time",
            Self::Unreachable(_) => "no connection",
            Self::Garbled { .. } => "a response that cannot be understood",
            Self::Unusable { .. } => "a response that cannot be used",
        }
    }

    /// Removes the secrets of the request, which a response may repeat.
    pub(super) fn without(mut self, secrets: &[&Secret]) -> Self {
        let clean = |text: &mut String, limit: usize| {
            for secret in secrets.iter().filter(|secret| !secret.reveal().is_empty()) {
                *text = text.replace(secret.reveal(), "** redacted **");
            }
            *text = shortened(text, limit);
        };
        if let Self::Answered { error, message, .. } = &mut self {
            clean(error, LONGEST_ID);
            clean(message, LONGEST_MESSAGE);
        }
        match &mut self {
            Self::Answered { request_id: Some(id), .. }
            | Self::TimedOut { request_id: Some(id), .. }
            | Self::Garbled { request_id: Some(id), .. }
            | Self::Unusable { request_id: Some(id), .. } => clean(id, LONGEST_ID),
            _ => {}
        }
        self
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        match self {
            Self::Answered { request_id, .. } | Self::TimedOut { request_id, .. } | Self::Garbled { request_id, .. } | Self::Unusable { request_id, .. } => {
                request_id.clone()
            }
            Self::Unreachable(_) => None,
        }
    }
}

/// Whether a name has the form of a registered OAuth code, only lowercase letters and `_`, or is an exception in the model of SSO-OIDC.
/// What other servers put in an `error` field, such as `Forbidden` or `Not Found`, is neither.
pub(super) fn is_oauth_code(error: &str) -> bool {
    let is_code = !error.is_empty() && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code || OIDC_EXCEPTIONS.iter().any(|(exception, _)| *exception == error)
}

/// The error name for a response that names none.
pub(super) fn nameless(status: u16) -> String {
    format!("status {status}")
}

/// The exceptions in the model of SSO-OIDC, each with its OAuth code.
const OIDC_EXCEPTIONS: [(&str, &str); 14] = [
    ("AuthorizationPendingException", "authorization_pending"),
    ("SlowDownException", "slow_down"),
    ("ExpiredTokenException", "expired_token"),
    ("AccessDeniedException", "access_denied"),
    ("InvalidGrantException", "invalid_grant"),
    ("InvalidClientException", "invalid_client"),
    ("UnauthorizedClientException", "unauthorized_client"),
    ("InvalidRequestException", "InvalidRequestException"),
    ("InvalidRequestRegionException", "InvalidRequestException"),
    ("InvalidScopeException", "invalid_scope"),
    ("InvalidClientMetadataException", "invalid_client_metadata"),
    ("InvalidRedirectUriException", "invalid_redirect_uri"),
    ("UnsupportedGrantTypeException", "unsupported_grant_type"),
    ("InternalServerException", "server_error"),
];

/// The OAuth code of an SSO-OIDC exception, for responses that have only its name. `InvalidRequestException` is kept, because the portal has one too.
pub(super) fn oauth_code(error: &str) -> String {
    OIDC_EXCEPTIONS.iter().find(|(exception, _)| *exception == error).map_or(error, |(_, code)| code).to_owned()
}
