//! The encodings of the config file that the AWS CLI reads.

use std::borrow::Cow;
use std::path::Path;

use crate::error::{Code, Error};
use crate::files::faults::unreadable_by_aws_tools;
use crate::text_encoding::Encoding;

/// The keys of a session that this module uses.
pub(super) const SESSION_KEYS: [&str; 3] = ["sso_start_url", "sso_region", "sso_registration_scopes"];

/// The keys of a profile that decide whose keys it gets.
pub(super) const PROFILE_KEYS: [&str; 5] = ["sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name"];

/// The text of the file.
///
/// # Errors
/// The AWS CLI reads no file in this encoding.
pub(super) fn as_the_aws_cli_reads<'b>(path: &Path, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Error> {
    match Encoding::of(bytes) {
        Encoding::Utf8 => Ok(Cow::Borrowed(bytes)),
        Encoding::Ansi { .. } => Ok(from_ansi(bytes)),
        other => Err(unreadable_by_aws_tools(Code::ConfigFileInvalid, path, other)),
    }
}

/// On Windows, the AWS CLI reads and writes the file in the ANSI code page.
#[cfg(windows)]
fn from_ansi(bytes: &[u8]) -> Cow<'_, [u8]> {
    sso_windows::ansi_text(bytes).map_or(Cow::Borrowed(bytes), |text| Cow::Owned(text.into_bytes()))
}

/// Elsewhere, only the sections that have such bytes cannot be used.
#[cfg(not(windows))]
fn from_ansi(bytes: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(bytes)
}
