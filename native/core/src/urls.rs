//! URLs: which ones may be sent secrets, and how text is encoded in one.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Host, Url};

/// The characters that stay in a value of a URL: the unreserved characters of RFC 3986, 2.3.
const UNRESERVED_ONLY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Encodes a text as a value in a URL, or as a valid file name.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED_ONLY).to_string()
}

/// Whether a URL may be sent secrets or opened for a user: https, or http to this machine itself.
pub(crate) fn is_trustworthy(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_are_trusted() {
        for url in ["https://example.com/", "http://127.0.0.1:80/", "http://localhost/", "http://[::1]/x"] {
            assert!(is_trustworthy(url), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ftp://localhost/",
            "x",
            "http://127.0.0.1@example.com/",
        ] {
            assert!(!is_trustworthy(url), "{url}");
        }
    }
}
