//! Text that must not be seen.

use zeroize::Zeroizing;

/// A key or a token of the service is at most this long, in bytes; those of AWS have up to some thousand.
pub(crate) const LONGEST_SECRET: usize = 16 * 1024;

/// Whether a text can be a key, a token or an id of the service: printable ASCII without blanks, of 1 to [`LONGEST_SECRET`] bytes.
/// Anything else would break the file or the request that it is put into.
pub(crate) fn is_plain(text: &str) -> bool {
    (1..=LONGEST_SECRET).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A secret: it is wiped from memory at its end, and prints as `** redacted **`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// A secret where the text can be one, see [`is_plain`].
    pub(crate) fn plain(text: impl Into<String>) -> Option<Self> {
        Some(Self::new(text)).filter(|secret| is_plain(secret.reveal()))
    }

    /// The text itself, for the one who has to send or write it.
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

/// Bytes with secrets in them, which are wiped at their end, and also where they move because they grow.
pub(crate) struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(capacity)))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn push(&mut self, part: &[u8]) {
        if self.0.capacity() - self.0.len() < part.len() {
            let mut larger = Zeroizing::new(Vec::with_capacity((self.0.len() + part.len()).saturating_mul(2)));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(part);
    }

    pub(crate) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
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
    fn a_secret_prints_as_redacted_wherever_it_stands() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(** redacted **)");
    }

    #[test]
    fn a_token_is_printable_ascii_without_blanks_and_of_some_length() {
        for good in ["t", "aoaAAAA-_.~+/=:{}", &"x".repeat(LONGEST_SECRET)] {
            assert!(is_plain(good), "{good:.40}");
        }
        for bad in ["", " ", "a b", "a\r\nx: y", "a\n", "\ta", "a\u{0}", "a\u{7f}", "a\u{85}", "\u{202e}a", "tökén", &"x".repeat(LONGEST_SECRET + 1)] {
            assert!(!is_plain(bad) && Secret::plain(bad).is_none(), "{bad:.40?}");
        }
    }
}
