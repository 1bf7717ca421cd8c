//! The endpoint on 127.0.0.1 from which AWS SDKs get container credentials, for programs that this process starts.
//!
//! It knows nothing about sessions: whoever registers a profile provides its answers.

mod answer;
mod connection;
mod routes;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use answer::{Answer, no_keys, of_keys};
pub(crate) use routes::{Holder, Holding};
pub(crate) use server::{Endpoint, Place};
