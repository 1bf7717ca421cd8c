//! The stand-in, tested over the network.

#![allow(clippy::unwrap_used, clippy::format_push_string, clippy::needless_pass_by_value, reason = "a test stops at what it did not expect")]

mod client;
mod faults;
mod login;
mod pkce;
mod portal;
mod program;
mod strictness;
mod tls;
