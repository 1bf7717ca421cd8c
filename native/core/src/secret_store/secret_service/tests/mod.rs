#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod keyring;
mod mock;
mod provider;
mod session_bus;
