//! Whole runs over networks that fail, through proxies and inspected TLS, and beside files of others in the token cache.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod cache;
mod certificates;
mod connections;
mod endpoints;
mod faults;
mod hostile;
#[cfg(unix)]
mod proxy;
mod relay;
mod spoiler;
mod times;
mod tls;

#[path = "../common/company.rs"]
mod company;
#[path = "../common/encodings.rs"]
mod encodings;
#[path = "../common/side_by_side.rs"]
mod side_by_side;

use company::{Company, Seen, approving, update_of, within};
use sso_core::protocol::Update;

pub(crate) fn update() -> Update {
    update_of("Acme")
}

/// The text holds all of these words.
#[track_caller]
pub(crate) fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

/// An address of this machine where nobody listens.
pub(crate) fn deserted_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
