//! Sessions, shared by all runs of the process: one per token file, or one per environment if its tokens are kept in memory.

mod disconnect;
pub(crate) mod live;
pub(crate) mod memory;
pub(crate) mod moved;
mod obtain;
pub(crate) mod place;
mod refresh;
pub(crate) mod role_keys;
mod secret_store;
pub(crate) mod served_keys;
pub(crate) mod source;
pub(crate) mod system_token;
pub(crate) mod taken_over;
#[cfg(test)]
mod tests;
pub(crate) mod time_limit;
pub(crate) mod token_cache;
mod token_json;
pub(crate) mod view;
mod waiting;
