//! The messages of the boundary: one [`Request`] in, any number of [`Event`]s out, as JSON text.
//!
//! This is the only module that knows of JSON. C#'s classes are generated from its types and their comments by `native/ffi/examples/generate`.

mod default_profile;
mod endpoint;
mod event;
mod export;
mod prompt;
mod refresh;
mod rename;
mod request;
mod shared;
mod terms;

pub use self::default_profile::*;
pub use self::endpoint::*;
pub use self::event::*;
pub use self::export::*;
pub use self::prompt::*;
pub use self::refresh::*;
pub use self::rename::*;
pub use self::request::*;
pub use self::shared::*;
pub use self::terms::*;
pub use crate::secret::Secret;
use crate::secret::SecretBytes;

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
        Ok(()) => text.to_vec(),
        Err(_) => br#"{"failed":{"code":"InternalError","message":"An event could not be written.","terminating":true}}"#.to_vec(),
    }
}
