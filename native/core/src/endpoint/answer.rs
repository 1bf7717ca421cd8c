//! The answers of the endpoint, in the form that all AWS SDKs read.

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use crate::error::Error;
use crate::role_credentials::RoleCredentials;
use crate::secret::SecretBytes;
use crate::timestamp::rfc3339;

/// Enough for most answers, in bytes; a longer one grows.
const USUAL_LENGTH: usize = 4 * 1024;

/// One answer: a status and a JSON text, which is wiped from memory on drop.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// The keys with the names that the SDKs' container providers read; all of them are strings.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Keys<'a> {
    access_key_id: &'a str,
    secret_access_key: &'a str,
    token: &'a str,
    /// RFC 3339 in UTC with `Z`.
    expiration: &'a str,
    account_id: &'a str,
}

/// An error with the names that the SDKs read.
#[derive(Serialize)]
struct Refused<'a> {
    code: &'a str,
    message: &'a str,
}

/// The answer with these keys.
pub(crate) fn of_keys(keys: &RoleCredentials, account_id: &str) -> Answer {
    let expiration = rfc3339(keys.expiration);
    let body = Keys {
        access_key_id: &keys.access_key_id,
        secret_access_key: keys.secret_access_key.reveal(),
        token: keys.session_token.reveal(),
        expiration: &expiration,
        account_id,
    };
    answer(StatusCode::OK, &body)
}

/// The answer where there are no keys, which says why and what to do.
///
/// It is a 503 for every reason: the next request may succeed, since a user may have logged in by then.
pub(crate) fn no_keys(error: &Error) -> Answer {
    let message = error.action().map_or_else(|| error.to_string(), |action| format!("{error} {action}"));
    refused(StatusCode::SERVICE_UNAVAILABLE, &format!("{:?}", error.code()), &message)
}

/// The answer to a request that gets no keys whatever their state.
pub(super) fn refused(status: StatusCode, code: &str, message: &str) -> Answer {
    answer(status, &Refused { code, message })
}

fn answer(status: StatusCode, body: &impl Serialize) -> Answer {
    let mut bytes = SecretBytes::with_capacity(USUAL_LENGTH);
    match serde_json::to_writer(&mut bytes, body) {
        Ok(()) => Answer { status, body: Bytes::from_owner(bytes) },
        Err(_) => Answer { status: StatusCode::INTERNAL_SERVER_ERROR, body: Bytes::from_static(br#"{"code":"InternalError","message":"No answer."}"#) },
    }
}
