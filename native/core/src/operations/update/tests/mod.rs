//! Whole updates, in virtual time.
#![allow(clippy::unwrap_used)]

mod limits;
mod outcomes;
mod warnings;
