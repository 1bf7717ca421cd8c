//! The endpoint of this process.

use serde::Deserialize;

use crate::protocol::terms::SessionTerms;

/// Whose keys to serve on an endpoint in this process. They are fetched first, and then renewed until the endpoint stops.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartEndpoint {
    /// The profile's exact name.
    pub profile: String,
    /// The environments to look for it in; empty means every stored one, then those of the AWS config file.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The region that AWS tools use where neither the profile nor the config file has one; absent means none.
    #[serde(default)]
    pub region: Option<String>,
    /// How a session may be obtained now; later, nobody is asked to log in.
    #[serde(default)]
    pub session: SessionTerms,
}

/// Ends the endpoint of this process and forgets the keys that it serves.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopEndpoint {}
