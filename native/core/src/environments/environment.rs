//! An environment: an Identity Center instance that the user named, with its table of profiles.

use std::path::PathBuf;

use crate::environments::start_url::same_start_url;
use crate::names::profile::ProfileEntry;
use crate::protocol::{AccountRow, EnvironmentView, TokenCache};

/// One Identity Center instance with the profiles kept for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) name: String,
    pub(crate) start_url: String,
    pub(crate) region: String,
    pub(crate) default_role_name: Option<String>,
    pub(crate) token_cache: TokenCache,
    pub(crate) sso_session: Option<String>,
    pub(crate) profiles: Vec<ProfileEntry>,
    /// The file that it stands in.
    pub(crate) source: PathBuf,
}

impl Environment {
    /// Whether its access portal is the one of this start URL and region.
    pub(crate) fn is_at(&self, start_url: &str, region: &str) -> bool {
        self.region == region && same_start_url(&self.start_url, start_url)
    }

    pub(crate) fn view(&self) -> EnvironmentView {
        let accounts = self.profiles.iter().map(|profile| AccountRow {
            profile: profile.name.clone(),
            account_id: profile.account_id.clone(),
            role_name: Some(profile.role_name.clone()),
        });
        EnvironmentView {
            name: self.name.clone(),
            start_url: self.start_url.clone(),
            region: self.region.clone(),
            default_role_name: self.default_role_name.clone(),
            token_cache: self.token_cache,
            source: self.source.display().to_string(),
            accounts: accounts.collect(),
        }
    }
}
