//! The request: what a caller asks for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::protocol::default_profile::{ClearDefault, SetDefault};
use crate::protocol::endpoint::{StartEndpoint, StopEndpoint};
use crate::protocol::export::ExportProfile;
use crate::protocol::prompt::GetPrompt;
use crate::protocol::refresh::{Caller, GetRefresh, StartRefresh, StopRefresh};
use crate::protocol::rename::RenameProfile;
use crate::protocol::shared::{AccountRow, AccountView, CredentialsFileUse, RoleView, SyncSettings, Target, TokenCache};
use crate::protocol::terms::SessionTerms;
use crate::secret::Secret;

/// What a caller asks for, with what only the caller knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The caller's environment variables that the library reads, by name; never one that holds a key.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The caller's current folder: relative paths in variables start here.
    #[serde(default)]
    pub directory: PathBuf,
    /// Whether the notes for `-Verbose` are wanted.
    #[serde(default = "yes")]
    pub verbose: bool,
    /// Whether a person reads the warnings of this run: it then has those of work that went on since the last one.
    #[serde(default)]
    pub heard: bool,
    /// Environments that the caller has for this run, in whole or in part.
    #[serde(default)]
    pub given: Vec<GivenEnvironment>,
    /// The user's command that needs this; absent where there is none, as for the completion of a name.
    #[serde(default)]
    pub caller: Option<Caller>,
    /// The work.
    pub operation: Operation,
}

/// An environment of one run: what is given here replaces what is stored under the name.
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
    /// An access token that is used before the user has to log in; it is kept in memory only.
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
    /// The access token.
    pub(crate) access_token: Secret,
    /// When it expires, in seconds since 1970.
    pub(crate) expires_at: i64,
}

/// The operations, one for each thing that a cmdlet does.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// Lists the profiles that an update would fetch, without any network call.
    Plan(Plan),
    /// Fetches credentials for the profiles that are due.
    Update(Update),
    /// Lists environments.
    GetEnvironment(GetEnvironment),
    /// Creates or changes one environment.
    SetEnvironment(SetEnvironment),
    /// Removes one environment; its keys stay in the credentials file.
    RemoveEnvironment(RemoveEnvironment),
    /// Logs in where that is needed, and fetches nothing.
    ConnectSession(ConnectSession),
    /// Ends sessions: at the service, in the cache and in memory.
    DisconnectSession(DisconnectSession),
    /// Shows sessions, without any network call.
    GetSession(GetSession),
    /// Shows the state of the keys in the credentials file, without any network call.
    GetCredential(GetCredential),
    /// Lists the accounts in which the user has a role.
    GetAccount(GetAccount),
    /// Lists the roles that the user has in accounts.
    GetRole(GetRole),
    /// Adds profiles to the table of an environment.
    AddProfile(AddProfile),
    /// Removes profiles from the table of an environment; their keys stay in the credentials file.
    RemoveProfile(RemoveProfile),
    /// Gives a profile another name in every file that has it.
    RenameProfile(RenameProfile),
    /// Removes the module's keys for profiles from the credentials file.
    RemoveCredential(RemoveCredential),
    /// Writes profiles to the AWS config file, so that AWS tools get their keys by themselves.
    ExportProfile(ExportProfile),
    /// Returns the keys of one profile.
    GetKeys(GetKeys),
    /// Gives the `default` profile the keys of a profile.
    SetDefault(SetDefault),
    /// Removes the keys of a profile from the `default` profile.
    ClearDefault(ClearDefault),
    /// Opens the console of a profile's account and role through the access portal.
    OpenConsole(OpenConsole),
    /// Serves the keys of one profile on an endpoint in this process.
    StartEndpoint(StartEndpoint),
    /// Ends that endpoint.
    StopEndpoint(StopEndpoint),
    /// Returns what a prompt shows of the profile in use, from memory alone.
    GetPrompt(GetPrompt),
    /// Keeps credentials in the credentials file fresh while this process lives.
    StartRefresh(StartRefresh),
    /// Shows what is kept fresh, without any network call.
    GetRefresh(GetRefresh),
    /// Ends that.
    StopRefresh(StopRefresh),
    /// Panics on purpose, so that the boundary can be tried; debug builds only.
    #[cfg(debug_assertions)]
    Panic,
}

impl Operation {
    /// The time limit that the caller set, if the operation has one.
    pub(crate) fn time_limit(&self) -> Option<Duration> {
        let terms = match self {
            Self::Update(request) => &request.session,
            Self::ConnectSession(request) => &request.session,
            Self::GetAccount(request) => &request.session,
            Self::GetRole(request) => &request.session,
            Self::GetKeys(request) => &request.session,
            Self::StartEndpoint(request) => &request.session,
            _ => return None,
        };
        terms.timeout.map(Duration::from_secs)
    }
}

/// Which environments to plan, and what counts as due.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether profiles are due that are still valid.
    #[serde(default)]
    pub force: bool,
    /// A profile is due when less than this is left, in seconds.
    #[serde(default = "minimum_remaining")]
    pub minimum_remaining: u64,
    /// Whether profiles are due whose keys this module did not write.
    #[serde(default)]
    pub replace_keys: bool,
    /// Whether the answer has only profiles that are due or that an update would not change.
    #[serde(default)]
    pub due_only: bool,
}

/// One update run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The environments and the profiles wanted in each.
    pub targets: Vec<Target>,
    /// Whether the user named what to update: then it is an error if the only environment keeps no keys in the credentials file.
    #[serde(default)]
    pub is_named: bool,
    /// Whether profiles are fetched that are still valid.
    #[serde(default)]
    pub force: bool,
    /// A profile is due when less than this is left, in seconds.
    #[serde(default = "minimum_remaining")]
    pub minimum_remaining: u64,
    /// Whether keys are replaced that this module did not write.
    #[serde(default)]
    pub replace_keys: bool,
    /// How a session may be obtained; its timeout also limits network and lock waits after the login: 120 s where it is absent.
    #[serde(default)]
    pub session: SessionTerms,
    /// How many requests may be sent at the same time, 1 to 256.
    #[serde(default = "throttle_limit")]
    pub throttle_limit: u32,
    /// Whether there is an event for each profile at the end.
    #[serde(default = "yes")]
    pub report_profiles: bool,
    /// Whether the access token of each environment is returned at the end.
    #[serde(default)]
    pub expose_token: bool,
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
    /// Whether the list of every environment leaves out what cannot be used; otherwise each of these is an error or a warning.
    #[serde(default)]
    pub usable_only: bool,
}

/// An environment to create or to change; what is absent is not changed.
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
    /// The region that AWS tools use with every profile that names none; empty removes it.
    #[serde(default)]
    pub profile_region: Option<String>,
    /// The output format of the AWS CLI with every profile that names none; empty removes it.
    #[serde(default)]
    pub profile_output: Option<String>,
    /// The whole new table of profiles.
    #[serde(default)]
    pub accounts: Option<Vec<AccountRow>>,
    /// All of what `Sync-SsoProfile` does with it when it gets no filters; without values it removes that.
    #[serde(default)]
    pub sync: Option<SyncSettings>,
    /// Where tokens of this environment are kept.
    #[serde(default)]
    pub token_cache: Option<TokenCache>,
    /// Whether the credentials file gets keys of this environment.
    #[serde(default)]
    pub credentials_file: Option<CredentialsFileUse>,
    /// Whether the keys that the credentials file has for this environment are removed.
    #[serde(default)]
    pub remove_credentials: bool,
    /// The file that the values were read from, where they are not parameters; errors name it.
    #[serde(default)]
    pub imported_from: Option<String>,
    /// Whether a stored block of this name that cannot be used is an error and is not replaced.
    #[serde(default)]
    pub keep_broken: bool,
    /// Whether only to check the input, and write nothing.
    #[serde(default)]
    pub check_only: bool,
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

/// Which sessions to create or to renew.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectSession {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether a session that is kept elsewhere is removed there after it was taken over.
    #[serde(default)]
    pub move_session: bool,
    /// How a session may be obtained.
    #[serde(default)]
    pub session: SessionTerms,
}

/// Which sessions to end.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisconnectSession {
    /// Names compared without case; empty means every stored environment.
    #[serde(default)]
    pub environments: Vec<String>,
    /// Whether the keys of the environments' profiles are removed from the credentials file, too.
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
    /// Whether to repeat the last list, without any network call.
    #[serde(default)]
    pub known: bool,
    /// How a session may be obtained.
    #[serde(default)]
    pub session: SessionTerms,
}

/// Which roles to list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetRole {
    /// The environment's name, compared without case.
    pub environment: String,
    /// The accounts, as they were listed, in the order of the answer.
    #[serde(default)]
    pub accounts: Vec<AccountView>,
    /// Whether to repeat the last list of every account, without any network call.
    #[serde(default)]
    pub known: bool,
    /// How many requests may be sent at the same time, 1 to 256.
    #[serde(default = "throttle_limit")]
    pub throttle_limit: u32,
    /// How a session may be obtained; its timeout limits each request: 120 s where it is absent.
    #[serde(default)]
    pub session: SessionTerms,
}

/// Profiles to add; existing ones are not changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddProfile {
    /// The stored environment's name, compared without case.
    pub environment: String,
    /// The roles that get a profile.
    pub roles: Vec<RoleView>,
    /// The template of their names; absent means that of the environment, empty `{AccountName}-{RoleName}`.
    #[serde(default)]
    pub name_template: Option<String>,
    /// Text before each name; absent means that of the environment.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The region that AWS tools use with the new profiles; absent means the environment's default, if it has one.
    #[serde(default)]
    pub profile_region: Option<String>,
    /// The output format of the AWS CLI with the new profiles; absent means the environment's default, if it has one.
    #[serde(default)]
    pub profile_output: Option<String>,
    /// Whether only to report what would be added.
    #[serde(default)]
    pub check_only: bool,
}

/// Profiles to remove from a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveProfile {
    /// The stored environment's name, compared without case.
    pub environment: String,
    /// The profiles' exact names.
    pub profiles: Vec<String>,
}

/// Whose keys to remove from the credentials file. Keys that this module did not write stay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveCredential {
    /// The environment's name, compared without case; it may no longer be stored.
    pub environment: String,
    /// The profiles' exact names; absent means all profiles of the environment.
    #[serde(default)]
    pub profiles: Option<Vec<String>>,
    /// Whether to include sections that were fetched for the environment and are not in its table.
    #[serde(default)]
    pub unlisted: bool,
    /// Whether only to report what would be removed.
    #[serde(default)]
    pub check_only: bool,
}

/// Whose keys to return: those of the credentials file where they are valid, otherwise fetched ones, which are not written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GetKeys {
    /// The profile's exact name; with `role`, only the name of the section in the credentials file, which may be empty.
    pub profile: String,
    /// The environments to look for it in; empty means every stored one, then those of the AWS config file.
    #[serde(default)]
    pub environments: Vec<String>,
    /// The account and role, instead of those of the profile; then `environments` has one name.
    #[serde(default)]
    pub role: Option<RoleOfAccount>,
    /// Keys are returned while at least this is left, in seconds; absent means 20 minutes, or a third of a shorter lifetime.
    #[serde(default)]
    pub minimum_remaining: Option<u64>,
    /// Whether fetched keys are kept in a file of the module for the next program that asks.
    #[serde(default)]
    pub keep: bool,
    /// How a session may be obtained.
    #[serde(default)]
    pub session: SessionTerms,
}

/// A role in an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleOfAccount {
    /// The account's id, 12 digits.
    pub account_id: String,
    /// The permission set role.
    pub role_name: String,
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
    /// The service whose page is opened, as the console's addresses name it, such as `s3` or `cloudwatch`.
    #[serde(default)]
    pub service: Option<String>,
    /// The region in which the console opens.
    #[serde(default)]
    pub region: Option<String>,
    /// Whether a browser may be opened.
    #[serde(default = "yes")]
    pub browser: bool,
}

fn minimum_remaining() -> u64 {
    900
}

fn throttle_limit() -> u32 {
    64
}

fn yes() -> bool {
    true
}
