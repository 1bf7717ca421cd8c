//! An environment: an IAM Identity Center instance with a name that the user chose, and its table of profiles.

use std::path::PathBuf;

use crate::environments::start_url::same_start_url;
use crate::names::profile::{ProfileEntry, ProfileSettings};
use crate::protocol::{AccountRow, EnvironmentView, SyncSettings, TokenCache};

/// One IAM Identity Center instance with its profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) name: String,
    pub(crate) start_url: String,
    pub(crate) region: String,
    pub(crate) default_role_name: Option<String>,
    /// The settings of every profile that has none of its own.
    pub(crate) defaults: ProfileSettings,
    /// What `Sync-SsoProfile` does when it gets no filters.
    pub(crate) sync: SyncSettings,
    pub(crate) token_cache: TokenCache,
    pub(crate) sso_session: Option<String>,
    pub(crate) profiles: Vec<ProfileEntry>,
    /// The file that defines it.
    pub(crate) source: PathBuf,
}

impl Environment {
    /// Whether its access portal has this start URL and region.
    pub(crate) fn is_at(&self, start_url: &str, region: &str) -> bool {
        self.region == region && same_start_url(&self.start_url, start_url)
    }

    pub(crate) fn view(&self) -> EnvironmentView {
        let accounts = self.profiles.iter().map(|profile| AccountRow {
            profile: profile.name.clone(),
            account_id: profile.account_id.clone(),
            role_name: Some(profile.role_name.clone()),
            profile_region: profile.settings.region.clone(),
            profile_output: profile.settings.output.clone(),
        });
        EnvironmentView {
            name: self.name.clone(),
            start_url: self.start_url.clone(),
            region: self.region.clone(),
            default_role_name: self.default_role_name.clone(),
            profile_region: self.defaults.region.clone(),
            profile_output: self.defaults.output.clone(),
            sync: (self.sync != SyncSettings::default()).then(|| self.sync.clone()),
            token_cache: self.token_cache,
            source: self.source.display().to_string(),
            accounts: accounts.collect(),
        }
    }
}
