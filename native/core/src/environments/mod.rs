//! The environments that users name: stored ones, those in the AWS config file, and those given for one run.

pub(crate) mod assigned;
pub(crate) mod configured;
pub(crate) mod edit;
pub(crate) mod endpoint_profile;
pub(crate) mod environment;
pub(crate) mod interrupted_list;
pub(crate) mod lookup;
pub(crate) mod regions;
pub(crate) mod start_url;
pub(crate) mod stored;
mod sync_settings;
mod wanted;
