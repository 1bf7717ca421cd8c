//! The messages of the boundary: one [`Request`] in, any number of [`Event`]s out, as JSON text.
//!
//! This is the only module that knows of JSON. C#'s classes are generated from its types and their comments by `native/ffi/examples/generate`.

mod event;
mod request;

use serde::{Deserialize, Serialize};

pub use self::event::*;
pub use self::request::*;
pub use crate::secret::Secret;
use crate::secret::SecretBytes;

/// A time as RFC 3339 text; C# has a local `DateTime` for it.
pub type Timestamp = String;

/// One row of an environment's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRow {
    /// The profile's name in the credentials file; case counts.
    pub profile: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The permission set role; absent means the environment's default role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
}

/// See [`Event::Account`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountView {
    /// The environment's name.
    pub environment: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The account's name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The email address of the account's root user, where the service gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
}

/// See [`Event::Role`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleView {
    /// The environment's name.
    pub environment: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The account's name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The email address of the account's root user, where the service gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// The permission set role.
    pub role_name: String,
    /// The name of its profile, instead of the one from the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<String>,
}

/// Where the access token is kept between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenCache {
    /// In the AWS CLI's own cache folder, shared with it and with the SDKs.
    AwsCli,
    /// In this process only.
    Memory,
}

/// Reads a request from JSON text.
///
/// # Errors
/// A sentence that says what does not fit; it never quotes the text.
pub fn request_from_json(text: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(text).map_err(|fault| format!("the request does not fit: {:?} at line {} column {}", fault.classify(), fault.line(), fault.column()))
}

/// Writes an event as JSON text.
#[must_use]
pub fn event_to_json(event: &Event) -> Vec<u8> {
    // Few events have a secret, but what is written here must not be left in memory that grew.
    let mut text = SecretBytes::with_capacity(1024);
    // Plain structs of strings and numbers cannot fail to serialise; should they ever, the reader is told so.
    match serde_json::to_writer(&mut text, event) {
        Ok(()) => text.into_inner().to_vec(),
        Err(_) => br#"{"failed":{"code":"InternalError","message":"An event could not be written.","terminating":true}}"#.to_vec(),
    }
}
