//! Why a request came to nothing, as far as the answer or its absence shows.

use crate::secret::Secret;
use crate::service::causes::Cause;
use crate::text::shortened;

/// What the service says for people is shown up to so many characters, and the name of an error and an id up to fewer.
pub(super) const LONGEST_MESSAGE: usize = 500;
pub(super) const LONGEST_ID: usize = 128;

/// What a refusal shows of who answered: the service, or a proxy in between, which can answer 401, 403 or 404 too and means another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It names an exception of the service, in `x-amzn-errortype` or in the body's `__type`.
    Exception,
    /// Its body has an `error` as OAuth has it (RFC 6749, 5.2).
    OAuth,
    /// It names nothing, but is the service's own: each answer of the service has an `x-amzn-requestid`, which no proxy makes up, and none has a
    /// `WWW-Authenticate` or `Proxy-Authenticate`, since the bearer token goes in a header of its own (`noAuth` in the service's model). A proxy that
    /// refuses a request has not got an answer of the service to take the id from, and one that wants a password says so by these headers.
    /// `Via` and `Server` tell nothing: proxies add the first to answers of the service, too.
    Nameless,
    /// Nothing shows that the service answered.
    Elsewhere,
}

/// Why a request came to nothing.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    /// The service said no.
    Answered {
        /// The OAuth code, such as `slow_down`, or the exception's name, such as `ForbiddenException`.
        error: String,
        status: u16,
        /// What the service said, for people.
        message: String,
        request_id: Option<String>,
        origin: Origin,
    },
    /// No answer came in time, or only refusals that may pass: then the last one's status and id.
    TimedOut { status: Option<u16>, request_id: Option<String> },
    /// There was no connection.
    Unreachable(Cause),
    /// The answer made no sense.
    Garbled { message: String, request_id: Option<String> },
    /// The answer has something in it that cannot be used, and would have it again.
    Unusable { message: String, request_id: Option<String> },
}

/// What `message` says is wrong with an answer.
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

    /// The status, where the answer names an error of the portal.
    pub(crate) fn modelled_status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, origin: Origin::Exception, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the portal itself says that it takes the access token no longer.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self, Self::Answered { status: 401, origin: Origin::Exception | Origin::Nameless, .. })
    }

    /// Whether SSO-OIDC says no to what it was asked for, as RFC 6749, 5.2 has it, so that to ask again is of no use.
    pub(crate) fn is_oauth_refusal(&self) -> bool {
        match self {
            Self::Answered { error, status: 400..=428 | 430..=499, origin: Origin::Exception | Origin::OAuth, .. } => {
                !["slow_down", "authorization_pending"].contains(&error.as_str()) && is_oauth_code(error)
            }
            _ => false,
        }
    }

    /// The error's name, for people.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Answered { error, .. } => error,
            Self::TimedOut { .. } => "no response in time",
            Self::Unreachable(_) => "no connection",
            Self::Garbled { .. } => "a response that cannot be understood",
            Self::Unusable { .. } => "a response that cannot be used",
        }
    }

    /// The same refusal without the secrets of its request, which an answer may repeat.
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

/// Whether a name has the form of the codes that OAuth has registered, all of lower case letters and `_`, or is that of an exception of SSO-OIDC's model.
/// What others write into a field `error`, such as `Forbidden` or `Not Found`, is neither.
pub(super) fn is_oauth_code(error: &str) -> bool {
    let is_code = !error.is_empty() && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_code || OIDC_EXCEPTIONS.iter().any(|(exception, _)| *exception == error)
}

/// What stands for the error's name in an answer that names none.
pub(super) fn nameless(status: u16) -> String {
    format!("status {status}")
}

/// The exceptions of SSO-OIDC's model, each with its OAuth code.
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

/// The OAuth code of an SSO-OIDC exception, for answers that carry its name only. The portal has an `InvalidRequestException`, too, so that keeps its name.
pub(super) fn oauth_code(error: &str) -> String {
    OIDC_EXCEPTIONS.iter().find(|(exception, _)| *exception == error).map_or(error, |(_, code)| code).to_owned()
}
