//! SHA-1 in hexadecimal digits, which the AWS CLI uses for the names of its cache files.

use std::fmt::Write as _;

use sha1::{Digest as _, Sha1};

/// The SHA-1 of the bytes, as 40 lowercase hexadecimal digits.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
