//! The refresh in the background: the task of this process that renews what is due in the credentials file, and never logs in.

mod attempt;
mod look;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use look::{Care, Files, next_attempt};
pub(crate) use task::keep_fresh;
