//! A session that a test can use without a login.

use std::fmt;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The tokens of a session and the client that they belong to, by [`StandIn::grant_session`](crate::StandIn::grant_session) or `POST /_session`.
///
/// As JSON it has the members of the AWS CLI's token file; code that writes that file must add `startUrl` and `region`.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantedSession {
    /// The access token.
    pub access_token: String,
    /// When the access token expires, in seconds since 1970 by the server's clock.
    #[serde(serialize_with = "rfc3339")]
    pub expires_at: i64,
    /// The ID of the client.
    pub client_id: String,
    /// The secret of the client.
    pub client_secret: String,
    /// When the registration of the client expires, in seconds since 1970 by the server's clock.
    #[serde(serialize_with = "rfc3339")]
    pub registration_expires_at: i64,
    /// The refresh token, unless the options withhold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl fmt::Debug for GrantedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantedSession").field("expires_at", &self.expires_at).field("tokens", &"** redacted **").finish_non_exhaustive()
    }
}

/// A time as the AWS CLI writes it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn rfc3339<S: Serializer>(seconds: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    let text = OffsetDateTime::from_unix_timestamp(*seconds).map_err(serde::ser::Error::custom)?.format(&Rfc3339).map_err(serde::ser::Error::custom)?;
    serializer.serialize_str(&text)
}
