//! The requests and the event of the refresh in the background.

use serde::{Deserialize, Serialize};

use crate::protocol::shared::{Target, Timestamp};

/// The command behind a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The id of the runspace that the command runs in.
    pub runspace: String,
    /// Whether its user sees warnings, and is to be told that a session ended.
    #[serde(default)]
    pub is_told: bool,
}

/// Which credentials to keep fresh in this process, for the runspace of the caller.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartRefresh {
    /// The environments and the profiles wanted in each.
    pub targets: Vec<Target>,
    /// Whether the user named what to keep fresh: then it is an error if the only environment keeps no keys in the credentials file.
    #[serde(default)]
    pub is_named: bool,
    /// How long this goes on after the last command of the runspace, in seconds.
    #[serde(default = "twelve_hours")]
    pub duration: u64,
}

/// Which credentials are kept fresh in this process.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetRefresh {
    /// Names compared without case; empty means every environment that is kept fresh.
    #[serde(default)]
    pub environments: Vec<String>,
}

/// What the runspace of the caller no longer wants to be kept fresh.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRefresh {
    /// The environments and the profiles in each; empty means everything that the runspace asked for.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// The time until it ends, in seconds; another command of the runspace calls that off.
    #[serde(default)]
    pub grace: u64,
}

/// See [`Event::Refresh`].
#[derive(Debug, Clone, Serialize)]
pub struct RefreshView {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id.
    pub account_id: String,
    /// The permission set role.
    pub role_name: String,
    /// How the refresh of its credentials goes.
    pub state: RefreshState,
    /// Why the last attempt failed, or why the profile is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the keys in the credentials file expire, RFC 3339; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
    /// When new keys are fetched, RFC 3339; absent where none will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt: Option<Timestamp>,
    /// When the refresh ends if no other command follows, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
}

/// How the refresh of a profile's credentials goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum RefreshState {
    /// They are valid, and nothing is due yet.
    Fresh,
    /// New ones are due, and are about to be fetched by this process or another one.
    Due,
    /// The last attempt failed, and another one follows.
    Retrying,
    /// The session has ended; the refresh goes on after a login.
    SessionEnded,
    /// The credentials file has none of this environment, so there is nothing to refresh.
    NoKeys,
    /// The profile is left alone.
    Skipped,
}

fn twelve_hours() -> u64 {
    12 * 60 * 60
}
