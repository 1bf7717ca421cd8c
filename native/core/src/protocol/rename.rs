//! A new name for a profile.

use serde::Deserialize;

/// A profile that gets another name in every file that has it. The answer is an event `added` with the profile as it is then.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameProfile {
    /// The profile's exact name.
    pub profile: String,
    /// The environments to look for it in; empty means every stored one.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The new name, which no file may have yet.
    pub new_name: String,
    /// Whether only to check whether it can be renamed.
    #[serde(default)]
    pub check_only: bool,
}
