//! The `default` profile with the keys of another one.

use serde::Deserialize;

/// A profile whose keys in the credentials file the `default` profile gets, now and with each update of that profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetDefault {
    /// The profile's exact name.
    pub profile: String,
    /// The environments to look for it in; empty means every stored one.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether only to check whether the `default` profile can be changed.
    #[serde(default)]
    pub check_only: bool,
}

/// Removes those keys from the `default` profile. The answer is an event `removed` with the name of the other profile, if there were any.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClearDefault {}
