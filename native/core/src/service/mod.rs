//! The two services of IAM Identity Center: SSO-OIDC and the access portal.

mod answers;
pub(crate) mod causes;
mod certificates;
mod classify;
pub(crate) mod client;
pub(crate) mod clock;
mod connections;
mod connector;
mod errors;
mod fields;
mod first_connection;
mod held_keys;
mod http;
#[cfg(test)]
pub(crate) mod network;
pub(crate) mod oidc;
pub(crate) mod pace;
pub(crate) mod portal;
pub(crate) mod profile_error;
mod proxy;
pub(crate) mod refusal;
mod route;
#[cfg(test)]
pub(crate) mod scripted;
mod settings;
#[cfg(test)]
mod tests;
mod trust;
