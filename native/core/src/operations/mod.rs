pub(crate) mod assignments;
pub(crate) mod fetch_turn;
pub(crate) mod get_keys;
pub(crate) mod open_console;
pub(crate) mod profiles;
pub(crate) mod remove_credential;
pub(crate) mod sessions;
pub(crate) mod update;
