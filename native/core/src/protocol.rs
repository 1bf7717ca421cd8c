//! The words that cross the boundary: one [`Request`] in, any number of [`Event`]s out, as JSON text.
//!
//! This is the only module that knows of JSON. What a cmdlet writes out is what stands here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error};
use crate::secret::{Secret, SecretBytes};

/// What a caller asks for, with the part of the world that only the caller knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The caller's environment variables that the module honours, by name; never one that holds a key.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The caller's current folder: relative paths in variables start here.
    #[serde(default)]
    pub directory: PathBuf,
    /// Whether anybody reads the notes for `-Verbose`.
    #[serde(default = "yes")]
    pub verbose: bool,
    /// Environments that the caller has for this run, in whole or in part.
    #[serde(default)]
    pub given: Vec<GivenEnvironment>,
    /// The work.
    pub operation: Operation,
}

/// An environment of one run: what is given goes before what is stored under the name, and what is not given is taken from there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenEnvironment {
    /// The environment's name, compared without case.
    pub name: String,
    /// The access portal's start URL.
    #[serde(default)]
    pub start_url: Option<String>,
    /// The region of the Identity Center instance.
    #[serde(default)]
    pub region: Option<String>,
    /// The role of every row that names none.
    #[serde(default)]
    pub default_role_name: Option<String>,
    /// The whole table of profiles.
    #[serde(default)]
    pub accounts: Option<Vec<AccountRow>>,
    /// Whether the table counts only where no environment is stored under the name.
    #[serde(default)]
    pub accounts_where_not_stored: bool,
    /// An access token that is used before anybody is asked to log in; it is kept in memory only.
    #[serde(default)]
    pub token: Option<GivenToken>,
}

impl GivenEnvironment {
    /// Whether it says by itself where to log in.
    pub(crate) fn has_portal(&self) -> bool {
        self.start_url.is_some() && self.region.is_some()
    }

    /// Whether there is anything in it besides a token.
    pub(crate) fn is_environment(&self) -> bool {
        self.accounts.is_some() || [&self.start_url, &self.region, &self.default_role_name].iter().any(|value| value.is_some())
    }
}

/// An access token that the caller has from elsewhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenToken {
    pub(crate) access_token: Secret,
    /// When it ends, in seconds since 1970.
    pub(crate) expires_at: i64,
}

/// The operations, one for each thing that a cmdlet does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Says which profiles an update would fetch, without any network call.
    Plan(Plan),
    /// Brings the due profiles to fresh credentials.
    Update(Update),
    /// Lists environments.
    GetEnvironment(GetEnvironment),
    /// Makes or changes one environment.
    SetEnvironment(SetEnvironment),
    /// Removes one environment; its keys in the credentials file stay.
    RemoveEnvironment(RemoveEnvironment),
    /// Logs in where that is needed, and fetches nothing.
    ConnectSession(ConnectSession),
    /// Ends sessions: at the service, in the cache and in memory.
    DisconnectSession(DisconnectSession),
    /// Shows sessions, without any network call.
    GetSession(GetSession),
    /// Shows how the keys in the credentials file stand, without any network call.
    GetCredential(GetCredential),
    /// Lists the accounts in which the user has a role.
    GetAccount(GetAccount),
    /// Lists the roles that the user has in accounts.
    GetRole(GetRole),
    /// Adds profiles to the table of an environment.
    AddProfile(AddProfile),
    /// Takes profiles out of the table of an environment; their keys in the credentials file stay.
    RemoveProfile(RemoveProfile),
    /// Takes the module's keys for profiles out of the credentials file.
    RemoveCredential(RemoveCredential),
    /// Hands the keys of one profile over.
    GetKeys(GetKeys),
    /// Makes the access portal's link to the console of a profile's account and role, and opens it.
    OpenConsole(OpenConsole),
    /// Panics on purpose, so that the boundary can be tried; debug builds only.
    #[cfg(debug_assertions)]
    Panic,
}

/// Which environments to look at, and what counts as due.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether profiles count as due that are still good.
    #[serde(default)]
    pub force: bool,
    /// A profile is due when less than this is left, in seconds.
    #[serde(default = "minimum_remaining")]
    pub minimum_remaining: u64,
    /// Whether profiles count as due that have keys of another origin.
    #[serde(default)]
    pub replace_keys: bool,
    /// Whether profiles that are neither due nor left alone are left out of the answer.
    #[serde(default)]
    pub due_only: bool,
}

/// One update run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The environments and the profiles wanted in each.
    pub targets: Vec<Target>,
    /// Whether profiles are fetched that are still good.
    #[serde(default)]
    pub force: bool,
    /// A profile is due when less than this is left, in seconds.
    #[serde(default = "minimum_remaining")]
    pub minimum_remaining: u64,
    /// Whether keys of another origin are replaced in the sections of the profiles.
    #[serde(default)]
    pub replace_keys: bool,
    /// How a session may be had; its time bounds network and lock waits after the login, too: 120 s where it is absent.
    #[serde(default)]
    pub session: SessionTerms,
    /// How many requests may be under way at once, 1 to 256.
    #[serde(default = "throttle_limit")]
    pub throttle_limit: u32,
    /// Whether each profile is told of at the end, with an event of its own.
    #[serde(default = "yes")]
    pub report_profiles: bool,
    /// Whether the access token of each environment is handed over at the end, where there is one.
    #[serde(default)]
    pub expose_token: bool,
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

/// Which environments to list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetEnvironment {
    /// Names compared without case; empty means every environment. An unknown one is an error each.
    #[serde(default)]
    pub names: Vec<String>,
    /// Whether the list of every environment leaves out those of the AWS config file.
    #[serde(default)]
    pub stored_only: bool,
    /// Whether the list of every environment leaves out in silence what cannot be used; otherwise that is an error or a warning each.
    #[serde(default)]
    pub usable_only: bool,
}

/// An environment to make or to change; what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetEnvironment {
    /// No blanks, no `]`; compared without case.
    pub name: String,
    /// The access portal's start URL, https (http for a loopback address).
    #[serde(default)]
    pub start_url: Option<String>,
    /// The region of the Identity Center instance.
    #[serde(default)]
    pub region: Option<String>,
    /// The permission set role of every profile that names none.
    #[serde(default)]
    pub default_role_name: Option<String>,
    /// The whole new table of profiles.
    #[serde(default)]
    pub accounts: Option<Vec<AccountRow>>,
    /// Where tokens of this environment are kept.
    #[serde(default)]
    pub token_cache: Option<TokenCache>,
    /// The file that the values were read from, where they are no parameters; errors name it.
    #[serde(default)]
    pub imported_from: Option<String>,
    /// Whether a stored block of this name that cannot be used stays as it is, with its error.
    #[serde(default)]
    pub keep_broken: bool,
    /// Whether only to check the input, and write nothing.
    #[serde(default)]
    pub check_only: bool,
}

/// One row of an environment's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRow {
    /// The profile's name in the credentials file; case counts.
    pub profile: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The permission set role; absent means the environment's default role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
}

/// The environment to remove.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveEnvironment {
    /// Its name, compared without case.
    pub name: String,
    /// Whether only to check that it exists, and write nothing.
    #[serde(default)]
    pub check_only: bool,
}

/// Which sessions to make or to renew.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectSession {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// How a session may be had.
    #[serde(default)]
    pub session: SessionTerms,
}

/// How a session may be had, and how long that may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionTerms {
    /// Whether a browser may be opened for a login.
    pub browser: bool,
    /// Whether a person may be asked to log in at all; else only a refresh is tried.
    pub login: bool,
    /// Why nobody can log in where `login` is false, in words that go on from "since"; absent where the caller only does not want it.
    pub no_login_reason: Option<String>,
    /// The bound of each login, in seconds; absent means until its code ends.
    pub timeout: Option<u64>,
    /// Where the token is kept in this run; absent means as the environment says.
    pub token_cache: Option<TokenCache>,
    /// How somebody logs in.
    pub login_method: LoginMethod,
    /// Whether the address of a login is given as a QR code, too, where no browser was opened with it.
    pub qr_code: bool,
}

impl Default for SessionTerms {
    fn default() -> Self {
        Self { browser: true, login: true, no_login_reason: None, timeout: None, token_cache: None, login_method: LoginMethod::DeviceCode, qr_code: true }
    }
}

/// How somebody logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum LoginMethod {
    /// A code is approved in any browser, on any machine (RFC 8628).
    DeviceCode,
    /// A browser on this machine comes back with the answer (RFC 7636, RFC 8252).
    Pkce,
}

/// Which sessions to end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisconnectSession {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether the keys of the environments' profiles are taken out of the credentials file, too.
    #[serde(default)]
    pub remove_credentials: bool,
}

/// Which sessions to show.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetSession {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
}

/// Which keys to show.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetCredential {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// A profile is due when less than this is left, in seconds.
    #[serde(default = "minimum_remaining")]
    pub minimum_remaining: u64,
}

/// Which accounts to list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetAccount {
    /// The environment's name, compared without case.
    pub environment: String,
    /// Whether to tell what the last list said, without any network call.
    #[serde(default)]
    pub known: bool,
    /// How a session may be had.
    #[serde(default)]
    pub session: SessionTerms,
}

/// Which roles to list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetRole {
    /// The environment's name, compared without case.
    pub environment: String,
    /// The accounts to ask for, as they were listed, in the order in which they are to be told.
    #[serde(default)]
    pub accounts: Vec<AccountView>,
    /// Whether to tell what the last list said of every account, without any network call.
    #[serde(default)]
    pub known: bool,
    /// How many requests may be under way at once, 1 to 256.
    #[serde(default = "throttle_limit")]
    pub throttle_limit: u32,
    /// How a session may be had; each request gets its time, 120 s where it is absent.
    #[serde(default)]
    pub session: SessionTerms,
}

/// Profiles to add; what the table has stays as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddProfile {
    /// The stored environment's name, compared without case.
    pub environment: String,
    /// The roles for which there is to be a profile.
    pub roles: Vec<RoleView>,
    /// What a profile is called; absent means `{AccountName}-{RoleName}`.
    #[serde(default)]
    pub name_template: Option<String>,
    /// What stands before each name.
    #[serde(default)]
    pub prefix: String,
    /// Whether only to tell what would be added.
    #[serde(default)]
    pub check_only: bool,
}

/// Profiles to take out of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveProfile {
    /// The stored environment's name, compared without case.
    pub environment: String,
    /// The profiles' exact names.
    pub profiles: Vec<String>,
}

/// Whose keys to take out of the credentials file. Keys of another origin stay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveCredential {
    /// The environment's name, compared without case; it need not be stored any longer.
    pub environment: String,
    /// The profiles' exact names; absent means all profiles of the environment.
    #[serde(default)]
    pub profiles: Option<Vec<String>>,
    /// Whether sections are meant, too, that were fetched for the environment and are not in its table.
    #[serde(default)]
    pub unlisted: bool,
    /// Whether only to report what would be removed.
    #[serde(default)]
    pub check_only: bool,
}

/// Whose keys to hand over: those of the credentials file where they are good, else fetched ones, which are written nowhere.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetKeys {
    /// The profile's exact name.
    pub profile: String,
    /// The environments to look for it in; empty means every stored one, then those of the AWS config file.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Keys of the file are handed over while at least this is left, in seconds.
    #[serde(default = "minimum_remaining")]
    pub minimum_remaining: u64,
    /// How a session may be had.
    #[serde(default)]
    pub session: SessionTerms,
}

/// A console to open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenConsole {
    /// The profile's exact name.
    pub profile: String,
    /// The environments to look for it in; empty means every stored one, then those of the AWS config file.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The service whose page is opened, as it stands in the console's own addresses, such as `s3` or `cloudwatch`.
    #[serde(default)]
    pub service: Option<String>,
    /// The region in which the console opens.
    #[serde(default)]
    pub region: Option<String>,
    /// Whether a browser may be opened.
    #[serde(default = "yes")]
    pub browser: bool,
}

/// Where the access token is kept between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenCache {
    /// In the AWS CLI's own cache folder, shared with it and with the SDKs.
    AwsCli,
    /// In this process only.
    Memory,
}

fn minimum_remaining() -> u64 {
    900
}

fn throttle_limit() -> u32 {
    16
}

fn yes() -> bool {
    true
}

/// What happens in a run, in order. The JSON text has one key, the event's name, with its fields below it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// What an update of one environment would do.
    Planned(Planned),
    /// Somebody has to approve a login at this address.
    Verification(Verification),
    /// A wait goes on: for the approval of a login, or for another process.
    Waiting(Waiting),
    /// So much of what is asked for has been answered.
    Progress(Progress),
    /// A sentence for who wants to know more, or a warning.
    Note(Note),
    /// How one profile stands at the end of the run, sent after the write.
    Profile(Profile),
    /// Something went wrong, sent after the write.
    Failed(Failed),
    /// How one environment stands at the end of the run.
    Completed(Completed),
    /// An environment, as asked for or as stored.
    Environment(EnvironmentView),
    /// A session, as it stands.
    Session(SessionView),
    /// The keys of one profile, as they stand in the file.
    Credential(CredentialView),
    /// An access token, only where it was asked for.
    Token(TokenView),
    /// An account in which the user has a role.
    Account(AccountView),
    /// A role that the user has in an account.
    Role(RoleView),
    /// A profile that was added to a table, or would be.
    Added(Added),
    /// A profile whose keys were taken out of the credentials file, or would be.
    Removed(Removed),
    /// The keys of one profile, only where they were asked for.
    Keys(KeysView),
    /// The link to a console.
    Console(ConsoleView),
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
    /// The mail address of the account's root user, where the service tells it.
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
    /// The mail address of the account's root user, where the service tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// The permission set role.
    pub role_name: String,
    /// What its profile is to be called, whatever the template says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile_name: Option<String>,
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
}

/// See [`Event::Removed`].
#[derive(Debug, Clone, Serialize)]
pub struct Removed {
    /// The environment that the keys were fetched for.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
}

/// See [`Event::Keys`]; besides [`TokenView`] the one event with a secret in it.
#[derive(Debug, Clone, Serialize)]
pub struct KeysView {
    /// The environment's name.
    pub environment: String,
    /// The profile's name.
    pub profile_name: String,
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The id of the access key, which is no secret by itself.
    pub access_key_id: String,
    #[serde(serialize_with = "revealed")]
    secret_access_key: Secret,
    #[serde(serialize_with = "revealed")]
    session_token: Secret,
    /// When they end, RFC 3339.
    pub expiration: String,
}

impl KeysView {
    /// The keys of a profile.
    #[must_use]
    pub fn new(profile: (&str, &str), account_id: &str, access_key_id: &str, secret_access_key: &str, session_token: &str, expiration: String) -> Self {
        Self {
            environment: profile.0.to_owned(),
            profile_name: profile.1.to_owned(),
            account_id: account_id.to_owned(),
            access_key_id: access_key_id.to_owned(),
            secret_access_key: Secret::new(secret_access_key),
            session_token: Secret::new(session_token),
            expiration,
        }
    }
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

/// See [`Event::Token`].
#[derive(Debug, Clone, Serialize)]
pub struct TokenView {
    /// The environment's name.
    pub environment: String,
    #[serde(serialize_with = "revealed")]
    access_token: Secret,
    /// How long it is still good, in seconds.
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
    /// Why an update would leave it alone, as a sentence's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<String>,
}

/// See [`Event::Verification`].
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// The environment that the login is for.
    pub environment: String,
    /// The host of the environment's start URL, with its port where that is not the usual one: whom the user logs in to.
    pub host: String,
    /// The address to approve at, with the code in it where the service gave one so.
    pub url: String,
    /// The code that the page shows, for comparison; absent where the browser comes back to this machine by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// Until when it can be approved, RFC 3339.
    pub expires: String,
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
    /// What for, as a sentence.
    pub text: String,
    /// What is left until the wait is given up, in seconds, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// See [`Event::Progress`].
#[derive(Debug, Clone, Serialize)]
pub struct Progress {
    /// What is done, as a title.
    pub activity: String,
    /// Profiles or accounts answered, well or not.
    pub done: u64,
    /// Profiles or accounts to ask for in this run.
    pub total: u64,
    /// The name of the one that was answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// See [`Event::Note`].
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    /// For whom it is.
    pub level: Level,
    /// The sentence.
    pub text: String,
}

/// How loud a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Shown where the user asked for it.
    Verbose,
    /// Shown always.
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
    /// `Created`, `Refreshed`, `StillValid`, or the code of what went wrong.
    pub status: String,
    /// When the keys in the file end, RFC 3339; absent where there are none of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
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
    /// What it happened to: a profile, an environment, a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The service's id of the refused request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Whether the run is pointless after it.
    pub terminating: bool,
}

impl Failed {
    /// The event that tells `error`.
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
    /// The profiles that have good keys now, in the order of the table.
    pub profile_names: Vec<String>,
    /// How many of them this run fetched.
    pub refreshed: u64,
    /// How many were good before.
    pub still_valid: u64,
    /// How many this run could not fetch.
    pub failed: u64,
    /// When the session ends, RFC 3339, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_expires: Option<String>,
    /// The first end of any of the good keys, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_expire: Option<String>,
    /// Whether the run was cut short by whoever started it.
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
    /// Where its tokens are kept.
    pub token_cache: TokenCache,
    /// The file that it stands in.
    pub source: String,
    /// Its profiles, each with the role that counts.
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
    /// `Active`, `Refreshable` (the token has ended, and can be had anew without a login), `Ended` or `None`.
    pub state: String,
    /// When the access token ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_expires: Option<String>,
    /// Whether there is a refresh token, and a client registration to use it with.
    pub refreshable: bool,
    /// When the client registration ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_expires: Option<String>,
    /// Where the token is kept.
    pub token_cache: TokenCache,
    /// The token's file, where it is kept in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
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
    /// `Valid`, `Due` (an update would fetch it), `Expired`, `Missing`, `OtherKeys` (of another origin, which an update leaves alone), `Blocked`
    /// (left alone for another reason), or `CredentialProcess` (AWS tools call this module for them).
    pub state: String,
    /// Why it is due, as a sentence's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the keys in the file end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
}

/// Reads a request from JSON text.
///
/// # Errors
/// A sentence that says what does not fit; it never quotes the text.
pub fn request_from_json(text: &[u8]) -> Result<Request, String> {
    serde_json::from_slice(text).map_err(|fault| format!("the request does not fit: {:?} at line {} column {}", fault.classify(), fault.line(), fault.column()))
}

/// Writes an event as JSON text.
#[must_use]
pub fn event_to_json(event: &Event) -> Vec<u8> {
    // Few events have a secret, but what is written here must not be left in memory that grew.
    let mut text = SecretBytes::with_capacity(1024);
    // Plain structs of strings and numbers cannot fail to serialise; should they ever, the reader is told so.
    match serde_json::to_writer(&mut text, event) {
        Ok(()) => text.into_inner().to_vec(),
        Err(_) => br#"{"failed":{"code":"InternalError","message":"An event could not be written.","terminating":true}}"#.to_vec(),
    }
}
