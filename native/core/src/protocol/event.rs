//! The events: what happens in a run.

use serde::Serialize;

use crate::error::{Code, Error};
use crate::protocol::export::Exported;
use crate::protocol::prompt::PromptView;
use crate::protocol::refresh::RefreshView;
use crate::protocol::shared::{AccountRow, AccountView, CredentialsFileUse, RoleView, SyncSettings, Timestamp, TokenCache};
use crate::secret::Secret;

/// What happens in a run, in order. The JSON text has one key, the event's name, with its fields below it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// What an update of one environment would do.
    Planned(Planned),
    /// A login to approve, and where.
    Verification(Verification),
    /// A wait, for the approval of a login or for another process.
    Waiting(Waiting),
    /// How much of the work is done.
    Progress(Progress),
    /// A note for `-Verbose`, or a warning.
    Note(Note),
    /// The result of one profile, sent after the write.
    Profile(Profile),
    /// An error, sent after the write.
    Failed(Failed),
    /// The result of one environment at the end of the run.
    Completed(Completed),
    /// One Identity Center instance with its profiles.
    Environment(EnvironmentView),
    /// The session of one environment; no token is in it.
    Session(SessionView),
    /// The state of one profile's keys in the credentials file; no key is in it.
    Credential(CredentialView),
    /// An access token; sent only where it was asked for.
    Token(TokenView),
    /// An account in which the user has a role.
    Account(AccountView),
    /// A role that the user has in an account.
    Role(RoleView),
    /// A profile in the table of an environment, such as one that was added.
    Added(Added),
    /// A profile whose keys were removed from the credentials file, or would be.
    Removed(Removed),
    /// What an export did with a profile in the AWS config file, or would do.
    Exported(Exported),
    /// The keys of one profile; sent only where they were asked for.
    Keys(KeysView),
    /// The link to a console.
    Console(ConsoleView),
    /// Where the keys of one profile are served; sent only where that was asked for.
    Endpoint(EndpointView),
    /// What a prompt shows of the profile in use.
    Prompt(PromptView),
    /// How the refresh of a profile's credentials in this process goes; no key is in it.
    Refresh(RefreshView),
}

/// See [`Event::Added`].
#[derive(Debug, Clone, Serialize)]
pub struct Added {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id.
    pub account_id: String,
    /// The permission set role.
    pub role_name: String,
    /// The region that AWS tools use with the profile, where one is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_region: Option<String>,
    /// The output format of the AWS CLI with the profile, where one is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_output: Option<String>,
}

/// See [`Event::Removed`].
#[derive(Debug, Clone, Serialize)]
pub struct Removed {
    /// The environment that the keys were fetched for.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
}

/// See [`Event::Keys`]. Only this event, [`TokenView`] and [`EndpointView`] have a secret.
#[derive(Debug, Clone, Serialize)]
pub struct KeysView {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The id of the access key, which is not a secret by itself.
    pub access_key_id: String,
    /// The secret access key.
    #[serde(serialize_with = "revealed")]
    pub secret_access_key: Secret,
    /// The session token.
    #[serde(serialize_with = "revealed")]
    pub session_token: Secret,
    /// When they expire, RFC 3339.
    pub expiration: String,
}

/// See [`Event::Console`].
#[derive(Debug, Clone, Serialize)]
pub struct ConsoleView {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The access portal's shortcut link; there is no secret in it.
    pub url: String,
    /// Whether a browser was opened with it.
    pub browser_opened: bool,
}

/// See [`Event::Endpoint`]. It has the secret that the endpoint asks for.
#[derive(Debug, Clone, Serialize)]
pub struct EndpointView {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The address for `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub url: String,
    /// The token for `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
    #[serde(serialize_with = "revealed")]
    pub token: Secret,
    /// The profile of the AWS config file for `AWS_PROFILE`, which has no keys.
    pub config_profile: String,
    /// When the keys that it has now expire, RFC 3339.
    pub expiration: String,
}

/// See [`Event::Token`].
#[derive(Debug, Clone, Serialize)]
pub struct TokenView {
    /// The environment's name.
    pub environment: String,
    /// The access token.
    #[serde(serialize_with = "revealed")]
    access_token: Secret,
    /// How long it is valid, in seconds.
    pub expires_in: u64,
}

impl TokenView {
    /// The token of an environment.
    #[must_use]
    pub fn new(environment: impl Into<String>, access_token: impl Into<String>, expires_in: u64) -> Self {
        Self { environment: environment.into(), access_token: Secret::new(access_token), expires_in }
    }
}

fn revealed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.reveal())
}

/// See [`Event::Planned`].
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// The environment's name as stored.
    pub environment: String,
    /// Every profile of it, in the order of its table.
    pub profiles: Vec<PlannedProfile>,
}

/// One profile of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedProfile {
    /// The profile's name.
    pub profile_name: String,
    /// Whether an update would fetch it.
    pub due: bool,
    /// Why an update would not change it, as part of a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

/// See [`Event::Verification`].
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The environment that the login is for.
    pub environment: String,
    /// The host of the environment's start URL, with its port where that is not the usual one: where the user logs in.
    pub host: String,
    /// The address of the page to approve the login, with the code in it where the service gives one.
    pub url: String,
    /// The code that the page shows, for comparison; absent where the browser returns the answer to this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// Until when it can be approved, RFC 3339.
    pub expires: Timestamp,
    /// Whether a browser was opened with the address.
    pub browser_opened: bool,
    /// The address as the lines of a QR code, for white text on a black ground; absent where a browser was opened or it would be too wide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<Vec<String>>,
}

/// See [`Event::Waiting`].
#[derive(Debug, Clone, Serialize)]
pub struct Waiting {
    /// The environment that waits.
    pub environment: String,
    /// What it waits for, as a sentence.
    pub text: String,
    /// The time until the wait is given up, in seconds, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// See [`Event::Progress`].
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    /// The work, as a title.
    pub activity: String,
    /// How many profiles or accounts were answered, with or without an error.
    pub done: u64,
    /// How many profiles or accounts there are.
    pub total: u64,
    /// The profile or account that was answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// See [`Event::Note`].
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// Who sees it.
    pub level: Level,
    /// The sentence.
    pub text: String,
}

/// Who sees a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Level {
    /// Users of `-Verbose`.
    Verbose,
    /// Every user, as the closing line of a run.
    Information,
    /// Every user.
    Warning,
}

/// See [`Event::Profile`].
#[derive(Debug, Clone, Serialize)]
pub struct Profile {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id.
    pub account_id: String,
    /// The permission set role.
    pub role_name: String,
    /// What the run did with it.
    pub status: ProfileStatus,
    /// When the keys in the credentials file expire, RFC 3339; absent where it has none of this module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
}

/// What a run did with a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ProfileStatus {
    /// It had no credentials, and has some now.
    Created,
    /// Its credentials were replaced with fresh ones.
    Refreshed,
    /// Its credentials are valid, and were not fetched.
    StillValid,
    /// It was not fetched; the code says why.
    #[serde(untagged)]
    Failed(Code),
}

impl std::fmt::Display for ProfileStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(code) => f.pad(&format!("{code:?}")),
            status => f.pad(&format!("{status:?}")),
        }
    }
}

/// See [`Event::Failed`].
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// The code's name, as in the table of errors.
    pub code: Code,
    /// One sentence: what happened, to what.
    pub message: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What the error is about: a profile, an environment, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The service's id of the refused request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether it ends the run.
    pub terminating: bool,
}

impl Failed {
    /// The event for `error`.
    #[must_use]
    pub fn new(error: &Error, terminating: bool) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            action: error.action().map(str::to_owned),
            target: error.target().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            terminating,
        }
    }
}

/// See [`Event::Completed`].
#[derive(Debug, Clone, Serialize)]
pub struct Completed {
    /// The environment's name.
    pub environment: String,
    /// The profiles that have valid keys now, in the order of the table.
    pub profile_names: Vec<String>,
    /// How many of them this run fetched.
    pub refreshed: u64,
    /// How many were valid before.
    pub still_valid: u64,
    /// How many this run could not fetch.
    pub failed: u64,
    /// When the access token expires, RFC 3339; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_expires: Option<Timestamp>,
    /// When the first of the valid keys expire, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_expire: Option<Timestamp>,
    /// Whether the caller canceled the run.
    pub cancelled: bool,
}

/// See [`Event::Environment`].
#[derive(Debug, Clone, Serialize)]
pub struct EnvironmentView {
    /// Its name.
    pub name: String,
    /// The access portal's start URL.
    pub start_url: String,
    /// The region of the Identity Center instance.
    pub region: String,
    /// The role of every profile that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_role_name: Option<String>,
    /// The region that AWS tools use with every profile that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_region: Option<String>,
    /// The output format of the AWS CLI with every profile that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_output: Option<String>,
    /// What `Sync-SsoProfile` does with it when it gets no filters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncSettings>,
    /// Where its tokens are kept.
    pub token_cache: TokenCache,
    /// Whether the credentials file gets its keys.
    pub credentials_file: CredentialsFileUse,
    /// The file that defines it.
    pub source: String,
    /// Its profiles, each with the role, region and output format that are used.
    pub accounts: Vec<AccountRow>,
}

/// See [`Event::Session`].
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// The environment's name.
    pub environment: String,
    /// The access portal's start URL.
    pub start_url: String,
    /// The region of the Identity Center instance.
    pub region: String,
    /// Whether it can be used.
    pub state: SessionState,
    /// When the access token expires, RFC 3339; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_expires: Option<Timestamp>,
    /// Whether the token can be renewed without a login.
    pub refreshable: bool,
    /// When the client registration expires, RFC 3339; absent where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_expires: Option<Timestamp>,
    /// Where the token is kept.
    pub token_cache: TokenCache,
    /// Whether the secret store is locked, where the token is kept there and the store is running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_store_locked: Option<bool>,
    /// The token's file, where it is kept in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Whether a session can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum SessionState {
    /// The access token is valid.
    Active,
    /// The access token has expired, and can be renewed without a login.
    Refreshable,
    /// The access token has expired, and only a login renews it.
    Ended,
    /// There is no access token.
    None,
}

/// See [`Event::Credential`].
#[derive(Debug, Clone, Serialize)]
pub struct CredentialView {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id.
    pub account_id: String,
    /// The permission set role.
    pub role_name: String,
    /// Whether they can be used.
    pub state: CredentialState,
    /// Why an update would fetch them, or would not change them, as part of a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the keys in the credentials file expire, RFC 3339; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Timestamp>,
}

/// Whether the keys of a profile can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CredentialState {
    /// They are valid, and an update would not fetch them.
    Valid,
    /// They are valid, and an update would replace them.
    Due,
    /// They have expired.
    Expired,
    /// The credentials file has none.
    Missing,
    /// The credentials file has none, and gets none, because of its environment's `CredentialsFile` setting.
    NotStored,
    /// They are keys that this module did not write; an update does not change them.
    OtherKeys,
    /// An update does not change them for another reason.
    Blocked,
    /// AWS tools get them from this module through a `credential_process`.
    CredentialProcess,
    /// AWS tools get them by themselves, with the session that they share with this module.
    SsoSession,
}
