pub(crate) mod live;
pub(crate) mod source;
pub(crate) mod time_limit;
pub(crate) mod token_cache;
