//! The types that requests and events have in common.

use serde::{Deserialize, Serialize};

/// A time as RFC 3339 text; C# has a local `DateTime` for it.
pub type Timestamp = String;

/// One row of an environment's table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRow {
    /// The profile's name in the credentials file; case counts.
    pub profile: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The permission set role; absent means the environment's default role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    /// The region that AWS tools use with the profile; absent means the environment's default, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_region: Option<String>,
    /// The output format of the AWS CLI with the profile; absent means the environment's default, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_output: Option<String>,
}

/// See [`Event::Account`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountView {
    /// The environment's name.
    pub environment: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The account's name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The email address of the account's root user, where the service gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
}

/// See [`Event::Role`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleView {
    /// The environment's name.
    pub environment: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The account's name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The email address of the account's root user, where the service gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// The permission set role.
    pub role_name: String,
    /// The name of its profile, instead of the one from the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<String>,
}

/// What `Sync-SsoProfile` does with an environment when it gets no filters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncSettings {
    /// The roles in order of preference, by name or wildcards; empty means all of them.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The accounts, by name, id or wildcards; empty means all of them.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// The accounts and roles that are left out, by the account's name or id, the role's name or wildcards.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// How profiles are named; absent means `{AccountName}-{RoleName}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_template: Option<String>,
    /// Text before each name from the template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_prefix: Option<String>,
}

/// An environment and the profiles wanted of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The environment's name, compared without case.
    pub environment: String,
    /// The profiles' exact names; absent means all.
    #[serde(default)]
    pub profiles: Option<Vec<String>>,
}

/// Whether the credentials file gets the keys of an environment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialsFileUse {
    /// Updates write keys to it.
    #[default]
    Always,
    /// No keys are ever written to it; AWS tools get them from an endpoint or from the `credential_process` program.
    Never,
}

impl CredentialsFileUse {
    /// Its name in the file of environments.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Never => "Never",
        }
    }
}

/// Where the access token is kept between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenCache {
    /// In the AWS CLI's own cache folder, shared with it and with the SDKs.
    AwsCli,
    /// In this process only.
    Memory,
    /// In the user's secret store: the Secret Service, the login keychain, or a file that Windows encrypts.
    System,
}

impl TokenCache {
    /// The names of all places, for a sentence.
    pub(crate) const NAMES: &str = "AwsCli, Memory, or System";

    /// The place with this name, compared without case.
    pub(crate) fn named(written: &str) -> Option<Self> {
        [Self::AwsCli, Self::Memory, Self::System].into_iter().find(|cache| cache.name().eq_ignore_ascii_case(written))
    }

    /// Its name in files and variables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AwsCli => "AwsCli",
            Self::Memory => "Memory",
            Self::System => "System",
        }
    }
}
