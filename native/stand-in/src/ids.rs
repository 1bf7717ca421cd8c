//! IDs, tokens and keys that look like real ones and never repeat.

use std::hash::{BuildHasher, RandomState};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const ACCESS_KEY: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const USER_CODE: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A counter hashed with keys that differ in each run: unique, and random enough for a stand-in.
#[derive(Default)]
pub(crate) struct Ids {
    keys: RandomState,
    count: u64,
}

impl Ids {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.keys.hash_one(self.count)
    }

    fn text(&mut self, length: usize, alphabet: &[u8]) -> String {
        let mut text = String::with_capacity(length);
        let base = alphabet.len() as u64;
        while text.len() < length {
            let mut bits = self.next();
            // Ten characters out of at most 64 fit into one hash.
            for _ in 0..10.min(length - text.len()) {
                let index = usize::try_from(bits % base).unwrap_or(0);
                text.push(char::from(alphabet[index]));
                bits /= base;
            }
        }
        text
    }

    pub(crate) fn request_id(&mut self) -> String {
        let hex = self.text(32, HEX);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    pub(crate) fn client_id(&mut self) -> String {
        self.text(22, BASE64).replace(['+', '/'], "-")
    }

    pub(crate) fn client_secret(&mut self) -> String {
        format!("eyJraWQiOiJrZXkifQ.{}.{}", self.text(400, BASE64).replace(['+', '/'], "_"), self.text(86, BASE64).replace(['+', '/'], "-"))
    }

    pub(crate) fn device_code(&mut self) -> String {
        self.text(86, BASE64).replace(['+', '/'], "-")
    }

    pub(crate) fn user_code(&mut self) -> String {
        let letters = self.text(8, USER_CODE);
        format!("{}-{}", &letters[..4], &letters[4..])
    }

    pub(crate) fn authorization_code(&mut self) -> String {
        self.text(64, BASE64).replace(['+', '/'], "_")
    }

    pub(crate) fn access_token(&mut self) -> String {
        format!("aoaAAAAA{}+/:{}==", self.text(280, BASE64), self.text(128, BASE64))
    }

    pub(crate) fn refresh_token(&mut self) -> String {
        format!("aorAAAAA{}+/:{}==", self.text(280, BASE64), self.text(128, BASE64))
    }

    pub(crate) fn access_key_id(&mut self) -> String {
        format!("ASIA{}", self.text(16, ACCESS_KEY))
    }

    pub(crate) fn secret_access_key(&mut self) -> String {
        self.text(40, BASE64)
    }

    pub(crate) fn session_token(&mut self) -> String {
        format!("IQoJb3JpZ2luX2VjE+/{}==", self.text(640, BASE64))
    }

    /// A page token that a client has to percent-encode and that only this stand-in accepts.
    pub(crate) fn page_token(&self, list: &str, offset: u32) -> String {
        format!("{offset}+{:016x}/==", self.keys.hash_one((list, offset)))
    }

    /// The offset in a page token, if the token was issued for this list.
    pub(crate) fn page_offset(&self, list: &str, token: &str) -> Option<u32> {
        let offset = token.split('+').next()?.parse().ok()?;
        (self.page_token(list, offset) == token).then_some(offset)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_as_long_as_real_ones_and_differ() {
        let mut ids = Ids::default();
        let keys: HashSet<String> = (0..10_000).map(|_| ids.access_key_id()).collect();
        assert_eq!(keys.len(), 10_000);
        assert!(keys.iter().all(|key| key.len() == 20));
        assert_eq!(ids.secret_access_key().len(), 40);
        assert_eq!(ids.user_code().len(), 9);
    }

    #[test]
    fn a_page_token_belongs_to_its_list() {
        let ids = Ids::default();
        let token = ids.page_token("accounts", 20);
        assert_eq!(ids.page_offset("accounts", &token), Some(20));
        assert_eq!(ids.page_offset("roles", &token), None);
        assert_eq!(ids.page_offset("accounts", "20+00/=="), None);
        assert_eq!(ids.page_offset("accounts", ""), None);
    }
}
