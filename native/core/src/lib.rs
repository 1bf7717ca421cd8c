//! The core of the module: environments, sessions, role credentials and the safe write.
//!
//! There is one entry point: [`run`] takes a [`protocol::Operation`] and a [`World`] and returns a [`Run`], whose events the caller pulls.
#![forbid(unsafe_code)]

mod context;
mod credential_refresh;
mod endpoint;
mod environments;
pub mod error;
mod files;
mod login;
mod mutex;
mod names;
mod operations;
mod outlet;
mod patience;
pub mod protocol;
mod renewal;
mod role_credentials;
mod run;
mod secret;
mod secret_store;
mod service;
mod session;
mod sha1_hex;
mod system_proxy;
#[cfg(test)]
mod test_user;
mod text;
mod text_encoding;
mod timestamp;
mod urls;
pub mod world;
mod written_path;

pub use login::browser::DesktopBrowser;
pub use run::{Run, keep_panics_quiet, panicked, run, run_with};
pub use session::memory::Memory;
pub use world::World;
