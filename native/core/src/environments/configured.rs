//! Reads the AWS config file, `~/.aws/config`, as the AWS CLI does.

mod botocore;
mod encoding;
pub(crate) mod export;
pub(crate) mod provider;

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::environments::environment::Environment;
use crate::environments::regions::check_region;
use crate::environments::start_url::{check_start_url, same_start_url};
use crate::error::{Code, Error};
use crate::files::file_memory::FileMemory;
use crate::files::known_keys::{MARK, Setting};
use crate::files::safe_write::SafeFile;
use crate::names::profile::{ProfileEntry, ProfileSettings, check_account_id, check_profile_name, check_role};
use crate::names::same_name;
use crate::outlet::{Outlet, Topic};
use crate::protocol::{CredentialsFileUse, SyncSettings};
use crate::world::{Variables, World};

use botocore::{ConfigText, Kind, Named, Values};
use encoding::{PROFILE_KEYS, SESSION_KEYS, as_the_aws_cli_reads};
use provider::{Provider, provider_of};

/// The variable with the path of the config file.
const VARIABLE: &str = "AWS_CONFIG_FILE";

/// The path of the config file.
///
/// # Errors
/// The variable has an invalid path, or the home folder is unknown.
pub(crate) fn path_of(world: &World) -> Result<PathBuf, Error> {
    world.aws_file(VARIABLE, "config")
}

/// What this process last read from each file.
static CACHE: LazyLock<FileMemory<ConfigFile>> = LazyLock::new(FileMemory::default);

/// A `[sso-session NAME]` section of the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SsoSession {
    pub(crate) name: String,
    pub(crate) start_url: String,
    pub(crate) region: String,
    /// `sso_registration_scopes`, if the section has it.
    pub(crate) scopes: Option<Vec<String>>,
}

/// What the module needs from the config file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) sessions: Vec<SsoSession>,
    /// One for each session, in the order of the file, then one for each start URL of profiles without a session.
    pub(crate) environments: Vec<Configured>,
    profiles: Vec<Profile>,
    /// How AWS tools get keys from this module, for the profiles for which they do.
    providers: HashMap<String, Provider>,
}

/// An environment in the config file, or why it cannot be used.
#[derive(Debug, Clone)]
pub(crate) struct Configured {
    pub(crate) name: String,
    pub(crate) outcome: Result<Arc<Environment>, Error>,
    /// The profiles that the environment lacks because of faults in their sections.
    skipped: Vec<Skipped>,
}

#[derive(Debug, Clone)]
struct Skipped {
    profile: String,
    /// What is wrong, with the file and the line.
    sentence: String,
}

/// How a profile in the config file gets its keys.
#[derive(Debug, Clone, Default)]
struct Profile {
    name: String,
    /// The line of the section's header, counted from 1.
    line: usize,
    session: Option<String>,
    start_url: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
    role_name: Option<String>,
    has_role_arn: bool,
    credential_process: Option<String>,
    ca_bundle: Option<String>,
    /// Whether `Export-SsoProfile` wrote it.
    is_exported: bool,
    /// The region and output format that AWS tools use with it.
    settings: ProfileSettings,
    /// Why the AWS CLI does not use the section, if it does not.
    fault: Option<String>,
}

impl Profile {
    /// Whether the profile gets its keys by SSO in the AWS CLI.
    fn is_for_sso(&self) -> bool {
        self.account_id.is_some() || self.role_name.is_some()
    }

    /// The row for the profile; `None` if it has neither an account nor a role, such as one for other services than AWS accounts.
    fn entry(&self) -> Result<Option<ProfileEntry>, String> {
        if !self.is_for_sso() {
            return Ok(None);
        }
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        check_profile_name(&self.name)?;
        let needed = |value: &Option<String>, key: &str| value.clone().ok_or_else(|| format!("it has no {key}"));
        let (account_id, role_name) = (needed(&self.account_id, "sso_account_id")?, needed(&self.role_name, "sso_role_name")?);
        check_account_id(&self.name, &account_id).and_then(|()| check_role(&role_name))?;
        if self.session.is_none() && self.start_url.is_some() {
            needed(&self.region, "sso_region")?;
        }
        Ok(Some(ProfileEntry { name: self.name.clone(), account_id, role_name, settings: ProfileSettings::default() }))
    }
}

/// What a profile in the config file does besides receiving the keys that this module writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherMeaning {
    /// It uses another account or role by SSO.
    Sso,
    RoleArn,
    CredentialProcess,
}

impl ConfigFile {
    /// Reads the file; a missing file, or one that is not a regular file such as `/dev/null`, counts as empty.
    ///
    /// # Errors
    /// The file exists and cannot be read, by this module or by the AWS CLI.
    pub(crate) fn read(world: &World) -> Result<Arc<Self>, Error> {
        if world.variables.get(VARIABLE).is_none() && world.home().is_none() || world.names_device(VARIABLE) {
            return Ok(Arc::default());
        }
        let path = path_of(world)?;
        let file = SafeFile::at(&path, &world.wait_limit);
        match CACHE.of(&file, |bytes| Self::parse(&path, bytes)) {
            Err(_) if is_no_file(file.path()) => Ok(Arc::new(Self { path, ..Self::default() })),
            read => read,
        }
    }

    /// Reads the file for these environments. An unreadable file is an error only if one of them depends on it; otherwise it causes a warning, once per
    /// process, and counts as empty.
    ///
    /// # Errors
    /// The file cannot be read, and one of the environments comes from it or names a session in it.
    pub(crate) fn read_for<'e>(environments: impl IntoIterator<Item = &'e Environment>, world: &World, outlet: &Outlet) -> Result<Arc<Self>, Error> {
        Self::as_needed(Self::read(world), environments, outlet)
    }

    /// Like [`Self::read_for`], for a file that has already been read.
    pub(crate) fn as_needed<'e>(
        read: Result<Arc<Self>, Error>,
        environments: impl IntoIterator<Item = &'e Environment>,
        outlet: &Outlet,
    ) -> Result<Arc<Self>, Error> {
        let config = match read {
            Ok(config) => config,
            // A variable with an invalid path is the user's to correct, no matter what the file would contain.
            Err(error) if error.code() == Code::PathInvalid || environments.into_iter().any(Environment::names_session) => return Err(error),
            Err(error) => {
                let effect = "Until this is corrected, its sso-sessions, profiles and ca_bundle are not used.";
                warn_once(&format!("{error} {effect}"), outlet);
                return Ok(Arc::default());
            }
        };
        for environment in environments {
            config.warn_of_skipped(environment, outlet);
        }
        Ok(config)
    }

    /// Warns, once per process, of each profile of this environment that cannot be used.
    pub(crate) fn warn_of_skipped(&self, environment: &Environment, outlet: &Outlet) {
        let comes_from_here = |found: &&Configured| found.name == environment.name && environment.source == self.path;
        for skipped in self.environments.iter().find(comes_from_here).iter().flat_map(|found| &found.skipped) {
            warn_once(&skipped.sentence, outlet);
        }
    }

    /// Why a profile in the file cannot be used; `None` if it can.
    pub(crate) fn fault_of_profile(&self, name: &str) -> Option<Error> {
        let skipped = self.environments.iter().flat_map(|found| &found.skipped).find(|skipped| skipped.profile == name);
        let error = |skipped: &Skipped| {
            Error::new(Code::EnvironmentInvalid, skipped.sentence.clone())
                .with_target(name)
                .with_action("Correct it in the config file, then run the command again.")
        };
        let session = self.profiles.iter().find(|profile| profile.name == name).and_then(|profile| profile.session.as_ref());
        let of_session = || self.environments.iter().find(|found| Some(&found.name) == session)?.outcome.clone().err();
        of_session().or_else(|| skipped.map(error))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let bytes = as_the_aws_cli_reads(path, bytes)?;
        let text = read_text(path, &bytes)?;
        let reading = Reading::of(&text, path);
        let sessions = reading.sessions.iter().filter_map(Session::complete).collect();
        let environments = reading.environments();
        let profiles = reading.profiles;
        let provider = |profile: &Profile| provider_of(profile.credential_process.as_deref(), profile.session.is_some(), profile.is_exported);
        let providers = profiles.iter().filter_map(|profile| Some((profile.name.clone(), provider(profile)?))).collect();
        Ok(Self { path: path.to_owned(), environments, sessions, profiles, providers })
    }

    /// The `ca_bundle` of the profile that the AWS CLI would use: the one in `AWS_PROFILE`, else `default`.
    pub(crate) fn ca_bundle(&self, variables: &Variables) -> Option<&str> {
        let name = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find_map(|variable| variables.get(variable)).unwrap_or("default");
        self.profiles.iter().find(|profile| profile.name == name).and_then(|profile| profile.ca_bundle.as_deref())
    }

    /// A setting of the profile with this name.
    pub(crate) fn setting(&self, name: &str, setting: Setting) -> Option<&str> {
        let settings = &self.profiles.iter().find(|profile| profile.name == name)?.settings;
        setting.of(settings)
    }

    /// The environment with this name, compared without case.
    pub(crate) fn environment(&self, name: &str) -> Option<&Configured> {
        self.environments.iter().find(|found| same_name(&found.name, name))
    }

    /// What the profile with the same name does in the file, if that is something other than this account and role.
    pub(crate) fn other_meaning(&self, environment: &Environment, entry: &ProfileEntry) -> Option<OtherMeaning> {
        let profile = self.profiles.iter().find(|profile| profile.name == entry.name)?;
        let start_url = match &profile.session {
            Some(name) => self.session(name).map(|session| &session.start_url),
            None => profile.start_url.as_ref(),
        };
        let differs = |written: &Option<String>, ours: &str| written.as_ref().is_some_and(|written| written != ours);
        if differs(&profile.account_id, &entry.account_id)
            || differs(&profile.role_name, &entry.role_name)
            || start_url.is_some_and(|start_url| !same_start_url(start_url, &environment.start_url))
        {
            return Some(OtherMeaning::Sso);
        }
        match profile {
            Profile { has_role_arn: true, .. } => Some(OtherMeaning::RoleArn),
            Profile { credential_process: Some(_), .. } => Some(OtherMeaning::CredentialProcess),
            _ => None,
        }
    }

    /// The session with this name.
    pub(crate) fn session(&self, name: &str) -> Option<&SsoSession> {
        self.sessions.iter().find(|session| session.name == name)
    }

    /// The first session with this start URL, apart from a trailing `/` or `#/`, and this region.
    pub(crate) fn session_for(&self, start_url: &str, region: &str) -> Option<&SsoSession> {
        self.sessions.iter().find(|session| session.region == region && same_start_url(&session.start_url, start_url))
    }
}

fn read_text<'b>(path: &Path, bytes: &'b [u8]) -> Result<ConfigText<'b>, Error> {
    ConfigText::read(bytes).map_err(|refused| {
        Error::new(Code::ConfigFileInvalid, format!("{}, line {}: {}.", path.display(), refused.line, refused.what))
            .with_target(path.display().to_string())
            .with_action("Correct that line; the AWS CLI cannot read the file either.")
    })
}

/// Whether botocore, which checks that a path is a file, treats the file as missing.
fn is_no_file(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => !metadata.is_file(),
        Err(fault) => fault.kind() == std::io::ErrorKind::NotADirectory,
    }
}

fn warn_once(sentence: &str, outlet: &Outlet) {
    if outlet.is_first_warning(Topic::ConfigFile, sentence) {
        outlet.warn(sentence);
    }
}

/// The SSO sections of a config file, with their values.
struct Reading<'p> {
    path: &'p Path,
    sessions: Vec<Session>,
    /// The profiles that the AWS CLI finds.
    profiles: Vec<Profile>,
    /// The profiles that the AWS CLI does not find, because their headers do not have exactly one name.
    passed_over: Vec<Profile>,
}

/// An `sso-session` section, complete or not.
struct Session {
    name: String,
    line: usize,
    start_url: Option<String>,
    region: Option<String>,
    scopes: Option<Vec<String>>,
    /// Why the AWS CLI does not use the section, if it does not.
    fault: Option<String>,
}

impl Session {
    fn of(named: &Named, line: usize, values: &Values<'_>, fault: Option<String>) -> Self {
        let scopes = values.text("sso_registration_scopes").map(|list| list.split(',').map(|scope| scope.trim().to_owned()).collect());
        Self { name: named.name.clone(), line, start_url: values.text("sso_start_url"), region: values.text("sso_region"), scopes, fault }
    }

    fn complete(&self) -> Option<SsoSession> {
        let Self { name, start_url: Some(start_url), region: Some(region), scopes, fault: None, .. } = self else { return None };
        Some(SsoSession { name: name.clone(), start_url: start_url.clone(), region: region.clone(), scopes: scopes.clone() })
    }
}

/// Where and how the profiles of one environment log in.
struct Portal<'r> {
    start_url: Option<&'r str>,
    region: Option<&'r str>,
    sso_session: Option<&'r str>,
    /// The line that defines them, counted from 1.
    line: usize,
}

impl<'p> Reading<'p> {
    fn of(text: &ConfigText<'_>, path: &'p Path) -> Self {
        let defaults = text.defaults();
        let session_of = |named: &Named| {
            let values = text.values(named, &defaults);
            Session::of(named, text.line(named), &values, values.not_utf8(&SESSION_KEYS))
        };
        let mut sessions: Vec<Session> = text.sso_sessions.iter().map(session_of).collect();
        let profiles = text.profiles.iter().map(|named| {
            let values = text.values(named, &defaults);
            let session = values.text("sso_session");
            let own_session = text.sso_sessions.iter().find(|other| Some(&other.name) == session.as_ref());
            let different = own_session.and_then(|other| values.contradicts(&text.values(other, &defaults)));
            let different = different.map(|key| format!("{key} has another value in its sso-session"));
            let fault = values.not_utf8(&PROFILE_KEYS).or(different);
            Profile { session, fault, ..profile_of(named, text.line(named), &values) }
        });
        let profiles = profiles.collect();
        let mut passed_over = Vec::new();
        for section in &text.passed_over {
            let (line, word) = (text.line(&section.named), section.kind.word());
            let bare = section.named.name.trim_matches(['"', '\'']);
            let mut named = section.named.clone();
            bare.clone_into(&mut named.name);
            let fault = Some(if bare.contains(char::REPLACEMENT_CHARACTER) {
                "its header is not UTF-8 text; save the file as UTF-8".to_owned()
            } else {
                format!("the AWS CLI finds no name in its header; it should be [{word} \"{bare}\"]")
            });
            let values = text.values(&named, &defaults);
            match section.kind {
                Kind::Profile => passed_over.push(Profile { fault, ..profile_of(&named, line, &values) }),
                Kind::SsoSession if sessions.iter().any(|session| session.name == bare) => {}
                Kind::SsoSession => sessions.push(Session::of(&named, line, &values, fault)),
            }
        }
        Self { path, sessions, profiles, passed_over }
    }

    fn environments(&self) -> Vec<Configured> {
        let mut found: Vec<Configured> = Vec::new();
        for session in &self.sessions {
            let own = |profile: &&Profile| profile.session.as_ref() == Some(&session.name);
            let portal =
                Portal { start_url: session.start_url.as_deref(), region: session.region.as_deref(), sso_session: Some(&session.name), line: session.line };
            let outcome = match &session.fault {
                Some(fault) => Err(self.invalid(&session.name, session.line, &fault)),
                None => self.environment(&session.name, &portal, own),
            };
            found.push(self.configured(session.name.clone(), outcome, own));
        }
        self.add_unknown_sessions(&mut found);
        self.add_start_urls(&mut found);
        found
    }

    /// Adds an environment for each session that profiles name and the file lacks, so that asking for it explains the fault.
    fn add_unknown_sessions(&self, found: &mut Vec<Configured>) {
        for profile in self.profiles.iter().filter(|profile| profile.is_for_sso()) {
            let Some(name) = &profile.session else { continue };
            if !found.iter().any(|other| other.name == *name) {
                let what = format!("the profile {} names the sso-session {name}, but the file has no [sso-session {name}]", profile.name);
                found.push(Configured { name: name.clone(), outcome: Err(self.invalid(name, profile.line, &what)), skipped: Vec::new() });
            }
        }
    }

    /// Adds an environment for each start URL and region of profiles without a session.
    fn add_start_urls(&self, found: &mut Vec<Configured>) {
        let mut seen: Vec<(&str, Option<&str>)> = Vec::new();
        let with_region = self.profiles.iter().filter(|profile| profile.region.is_some());
        let without_region = self.profiles.iter().filter(|profile| profile.region.is_none() && profile.is_for_sso());
        for profile in with_region.chain(without_region) {
            let (None, Some(start_url), region) = (&profile.session, &profile.start_url, profile.region.as_deref()) else { continue };
            // A profile without a region belongs to the others with its start URL, if there are any.
            if seen.iter().any(|(url, other)| same_start_url(url, start_url) && (*other == region || region.is_none())) {
                continue;
            }
            seen.push((start_url, region));
            let own = |other: &&Profile| {
                other.session.is_none()
                    && (other.region.as_deref() == region || other.region.is_none())
                    && other.start_url.as_ref().is_some_and(|url| same_start_url(url, start_url))
            };
            let name = free_name(found, start_url, region.unwrap_or_default());
            let portal = Portal { start_url: Some(start_url), region, sso_session: None, line: profile.line };
            let outcome = self.environment(&name, &portal, own);
            found.push(self.configured(name, outcome, own));
        }
    }

    fn configured(&self, name: String, outcome: Result<Arc<Environment>, Error>, own: impl Fn(&&Profile) -> bool) -> Configured {
        let skip = |profile: &Profile, what: &str| Skipped {
            profile: profile.name.clone(),
            sentence: format!("{}, line {}: the profile {} is skipped: {what}.", self.path.display(), profile.line, profile.name),
        };
        let skipped = self.profiles.iter().chain(&self.passed_over).filter(own).filter_map(|profile| match profile.entry() {
            Err(what) => Some(skip(profile, &what)),
            Ok(_) => None,
        });
        Configured { skipped: skipped.collect(), name, outcome }
    }

    fn environment(&self, name: &str, portal: &Portal<'_>, own: impl Fn(&&Profile) -> bool) -> Result<Arc<Environment>, Error> {
        let invalid = |what: String| self.invalid(name, portal.line, &what);
        let (Some(start_url), Some(region)) = (portal.start_url, portal.region) else {
            let missing = [("sso_start_url", portal.start_url), ("sso_region", portal.region)];
            let missing: Vec<_> = missing.into_iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key).collect();
            let hint = if missing.contains(&"sso_region") { ", and region is not used instead" } else { "" };
            return Err(invalid(format!("it has no {}{hint}", missing.join(" and no "))));
        };
        check_start_url(start_url).and_then(|()| check_region(region)).map_err(invalid)?;
        Ok(Arc::new(Environment {
            name: name.to_owned(),
            start_url: start_url.to_owned(),
            region: region.to_owned(),
            default_role_name: None,
            // AWS tools read the settings of these profiles where they are.
            defaults: ProfileSettings::default(),
            sync: SyncSettings::default(),
            credentials_file: CredentialsFileUse::Always,
            token_cache: None,
            sso_session: portal.sso_session.map(str::to_owned),
            profiles: self.profiles.iter().filter(own).filter_map(|profile| profile.entry().ok().flatten()).collect(),
            source: self.path.to_owned(),
        }))
    }

    fn invalid(&self, name: &str, line: usize, what: &dyn Display) -> Error {
        Error::new(Code::EnvironmentInvalid, format!("{}, line {line}, the environment {name}: {what}.", self.path.display()))
            .with_target(name)
            .with_action("Correct that in the config file, or store an environment with Set-SsoEnvironment.")
    }
}

/// A free environment name: the first label of the start URL's host, or more of the host if that name is in use.
fn free_name(found: &[Configured], start_url: &str, region: &str) -> String {
    let host = url::Url::parse(start_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| start_url.to_owned());
    let label = host.split('.').next().unwrap_or(&host).to_owned();
    let names = [label, host.clone(), format!("{host}-{region}")];
    let free = names.into_iter().find(|name| !found.iter().any(|other| same_name(&other.name, name)));
    free.unwrap_or_else(|| format!("{host}-{region}-{}", found.len()))
}

fn profile_of(named: &Named, line: usize, values: &Values<'_>) -> Profile {
    Profile {
        name: named.name.clone(),
        line,
        session: values.text("sso_session"),
        start_url: values.text("sso_start_url"),
        region: values.text("sso_region"),
        account_id: values.text("sso_account_id"),
        role_name: values.text("sso_role_name"),
        has_role_arn: values.text("role_arn").is_some(),
        credential_process: values.text("credential_process"),
        ca_bundle: values.text("ca_bundle"),
        is_exported: values.text(MARK).is_some(),
        settings: ProfileSettings { region: values.text("region"), output: values.text("output") },
        fault: None,
    }
}

#[cfg(test)]
mod attack;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::world::test_world;

    #[test]
    fn sessions_are_found_by_name_and_by_start_url() {
        let (home, world) = test_world();
        assert!(ConfigFile::read(&world).unwrap().sessions.is_empty());
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let text = "[default]\nregion = x\ns3 =\n  a = 1\n# c\n[sso-session my-sso]\nsso_start_url = https://my-sso.awsapps.com/start#/\n\
            sso_region = us-east-1\nsso_registration_scopes = sso:account:access, other\n[profile \"a b\"]\nk = v\\\n[sso-session half]\nsso_region = x\n";
        std::fs::write(home.path().join(".aws/config"), text).unwrap();
        let config = ConfigFile::read(&world).unwrap();
        let session = config.session("my-sso").unwrap();
        assert_eq!(session.scopes, Some(vec!["sso:account:access".to_owned(), "other".to_owned()]));
        assert_eq!(config.session_for("https://my-sso.awsapps.com/start/", "us-east-1"), Some(session));
        assert_eq!(config.session_for("https://my-sso.awsapps.com/start/", "us-east-2"), None);
        assert_eq!(config.sessions.len(), 1);
        let half = config.environment("half").unwrap().outcome.as_ref().unwrap_err();
        assert!(half.to_string().ends_with("line 12, the environment half: it has no sso_start_url."), "{half}");
    }

    #[test]
    fn the_error_for_a_broken_config_file_names_the_line() {
        let (home, mut world) = test_world();
        let path = home.path().join("config");
        std::fs::write(&path, "[a]\nk = v\n[b").unwrap();
        world.variables = crate::world::Variables::new([("AWS_CONFIG_FILE".to_owned(), path.display().to_string())].into());
        let error = ConfigFile::read(&world).unwrap_err();
        assert_eq!(error.code(), Code::ConfigFileInvalid);
        assert!(error.to_string().contains("line 3"), "{error}");
    }
}
