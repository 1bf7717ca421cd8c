//! Whole runs against a loopback Identity Center.
#![allow(clippy::unwrap_used, missing_docs)]

mod assignments;
mod bad_input;
mod config_environments;
mod fetch_turn;
mod files;
mod given_environments;
mod going;
mod happy_path;
mod login;
mod names;
mod network;
mod other_keys;
mod requests;
mod sessions;
mod stored_environments;

#[path = "../common/counts.rs"]
mod counts;

#[path = "../common/company.rs"]
mod company;

use company::{Company, Seen, approving, rows, update_of, within};
