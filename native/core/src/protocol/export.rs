//! The export of profiles to the AWS config file: its request and its event.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Profiles to write to the AWS config file. What this module did not write there stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportProfile {
    /// The stored environment's name, compared without case.
    pub environment: String,
    /// The profiles' exact names.
    pub profiles: Vec<String>,
    /// How AWS tools get the keys.
    pub kind: ExportKind,
    /// The folder of the module that has the program for a `credential_process` line and the library.
    #[serde(default)]
    pub programs: PathBuf,
    /// Whether the exported profiles that the environment no longer has are removed from the file.
    #[serde(default)]
    pub prune: bool,
    /// The exact names of profiles that are not removed even so.
    #[serde(default)]
    pub kept: Vec<String>,
    /// Whether only to report what would change.
    #[serde(default)]
    pub check_only: bool,
}

/// How AWS tools get the keys of an exported profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ExportKind {
    /// By themselves, with the session that they share with this module.
    SsoSession,
    /// From a program of this module, which they start.
    CredentialProcess,
}

/// What an export did with a profile in the AWS config file, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Exported {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id; absent where the environment no longer has the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The permission set role; absent where the environment no longer has the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    /// What the export did.
    pub status: ExportStatus,
    /// The keys of the AWS config file that were added, changed or removed.
    pub changed_keys: Vec<String>,
    /// Whether the credentials file had keys for the profile, which were removed.
    pub credentials_removed: bool,
}

/// What an export did with a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ExportStatus {
    /// The AWS config file did not have it, and has it now.
    Added,
    /// Some of its keys were added, changed or removed.
    Changed,
    /// It was as it should be.
    Unchanged,
    /// The environment no longer has it, and the file has neither.
    Removed,
}
