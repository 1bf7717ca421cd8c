//! The keys that IAM Identity Center issues for a role.

use time::OffsetDateTime;

use crate::secret::{Secret, is_plain};

/// The keys of one role in one account.
#[derive(Debug, Clone)]
pub(crate) struct RoleCredentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Secret,
    pub(crate) expiration: OffsetDateTime,
}

impl RoleCredentials {
    /// Whether all values can be written to an ini file; others would break the file or change another profile.
    pub(crate) fn is_writable(&self) -> bool {
        [self.access_key_id.as_str(), self.secret_access_key.reveal(), self.session_token.reveal()].into_iter().all(is_plain)
    }
}
