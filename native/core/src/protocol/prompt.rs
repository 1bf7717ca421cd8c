//! What a prompt shows.

use serde::{Deserialize, Serialize};

use crate::protocol::shared::Timestamp;

/// The profile in use, as the variables of the shell have it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetPrompt {
    /// The value of `AWS_PROFILE`; empty if it is not set.
    #[serde(default)]
    pub profile: String,
    /// The URL of the endpoint in this process that AWS tools use; absent means none.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// See [`crate::protocol::Event::Prompt`].
#[derive(Debug, Clone, Serialize)]
pub struct PromptView {
    /// The name of the profile.
    pub profile_name: String,
    /// Where AWS tools get its keys.
    pub source: PromptSource,
    /// When its keys expire, or its session; absent means that this process does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
}

/// Where AWS tools get the keys of the profile in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PromptSource {
    /// In the credentials file.
    CredentialsFile,
    /// From the endpoint of this process.
    Endpoint,
    /// From a program that they start.
    CredentialProcess,
    /// By themselves, with a session.
    SsoSession,
    /// Elsewhere: this process knows no profile of that name.
    Unknown,
}
