//! An environment: an IAM Identity Center instance with a name that the user chose, and its table of profiles.

use std::path::PathBuf;

use crate::environments::start_url::same_start_url;
use crate::names::profile::{ProfileEntry, ProfileSettings};
use crate::protocol::{AccountRow, CredentialsFileUse, EnvironmentView, SyncSettings, TokenCache};

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
    /// Whether the credentials file gets its keys.
    pub(crate) credentials_file: CredentialsFileUse,
    /// Where its tokens are kept, if it has that setting.
    pub(crate) token_cache: Option<TokenCache>,
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

    /// Whether it finds its session only in the config file.
    pub(crate) fn names_session(&self) -> bool {
        self.sso_session.is_some() && self.token_cache != Some(TokenCache::Memory)
    }

    /// Whether no keys of it are ever written to the credentials file.
    pub(crate) fn keeps_keys_out_of_file(&self) -> bool {
        self.credentials_file == CredentialsFileUse::Never
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
            credentials_file: self.credentials_file,
            token_cache: self.token_cache.unwrap_or(TokenCache::AwsCli),
            source: self.source.display().to_string(),
            accounts: accounts.collect(),
        }
    }
}
