//! Text that must stay hidden.

use std::ops::{Deref, DerefMut};

use zeroize::{Zeroizing, zeroize_bytes};

/// The longest key or token of the service, in bytes; those of AWS have up to a few thousand.
pub(crate) const LONGEST_SECRET: usize = 16 * 1024;

/// Whether a text can be a key, a token or an ID of the service: 1 to [`LONGEST_SECRET`] bytes of printable ASCII without spaces.
/// Anything else would break the file or the request that contains it.
pub(crate) fn is_plain(text: &str) -> bool {
    (1..=LONGEST_SECRET).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A secret: wiped from memory on drop, and printed as `** redacted **`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Makes a secret of a text that can be one, see [`is_plain`].
    pub(crate) fn plain(text: impl Into<String>) -> Option<Self> {
        Some(Self::new(text)).filter(|secret| is_plain(secret.reveal()))
    }

    /// The text itself, for code that sends or writes it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::new)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("** redacted **")
    }
}

/// Bytes that contain secrets, wiped on drop and whenever [`SecretBytes::push`] moves them.
///
/// Files of thousands of profiles pass through these, so they are wiped as a whole: [`Zeroizing`] wipes a `Vec` byte by byte.
#[derive(Default, Clone, PartialEq, Eq)]
pub(crate) struct SecretBytes(Vec<u8>);

impl SecretBytes {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn push(&mut self, part: &[u8]) {
        if self.0.capacity() - self.0.len() < part.len() {
            let mut larger = Self::with_capacity((self.0.len() + part.len()).saturating_mul(2));
            larger.0.extend_from_slice(&self.0);
            *self = larger;
        }
        self.0.extend_from_slice(part);
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        // The spare capacity too, since bytes that were cut off are still there.
        self.0.resize(self.0.capacity(), 0);
        zeroize_bytes(&mut self.0);
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for SecretBytes {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl std::fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("** redacted **")
    }
}

impl std::io::Write for SecretBytes {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        self.push(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_redacted_inside_any_value() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(** redacted **)");
    }

    #[test]
    fn a_token_is_printable_ascii_without_spaces_and_of_limited_length() {
        for good in ["t", "aoaAAAA-_.~+/=:{}", &"x".repeat(LONGEST_SECRET)] {
            assert!(is_plain(good), "{good:.40}");
        }
        for bad in ["", " ", "a b", "a\r\nx: y", "a\n", "\ta", "a\u{0}", "a\u{7f}", "a\u{85}", "\u{202e}a", "tökén", &"x".repeat(LONGEST_SECRET + 1)] {
            assert!(!is_plain(bad) && Secret::plain(bad).is_none(), "{bad:.40?}");
        }
    }
}
