//! Whole runs against a loopback Identity Center.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod assignments;
mod bad_input;
mod config_environments;
mod console;
mod encodings_of_files;
mod export_profiles;
mod fetch_turn;
mod files;
mod given_environments;
mod happy_path;
mod kept_keys;
mod keys;
mod login;
mod names;
mod network;
mod other_keys;
mod pkce;
mod refresh;
mod regions;
mod requests;
mod sessions;
mod settings;
mod start_urls;
mod stored_environments;
mod token_files;

#[path = "../common/counts.rs"]
mod counts;

#[path = "../common/company.rs"]
mod company;

#[path = "../common/encodings.rs"]
mod encodings;

#[path = "../common/side_by_side.rs"]
mod side_by_side;

use company::{Company, Seen, approving, rows, update_of, within};
