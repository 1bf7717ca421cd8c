//! Environments: the Identity Center instances that the user named, each with its table of profiles, in `~/.aws/sso-environments`.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::{Host, Url};

use crate::config_file::{ConfigFile, Configured};
use crate::error::{Code, Error};
use crate::ini_text::{IniText, Section, SectionEdit};
use crate::nearest_names::hint;
use crate::protocol::{AccountRow, EnvironmentView, GivenEnvironment, SetEnvironment, TokenCache};
use crate::safe_write::{Lock, Patience, SafeFile};
use crate::world::World;

const KEYS: [&str; 5] = ["sso_start_url", "sso_region", "default_role_name", "token_cache", "sso_session"];
const PROFILE_KEYS: [&str; 2] = ["sso_account_id", "sso_role_name"];

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

/// A row of the table, with the role that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileEntry {
    pub(crate) name: String,
    pub(crate) account_id: String,
    pub(crate) role_name: String,
}

/// All stored environments and the file that they stand in.
#[derive(Debug, Clone)]
pub(crate) struct Environments {
    pub(crate) path: PathBuf,
    pub(crate) all: Vec<Arc<Environment>>,
}

/// Whether two start URLs mean the same portal: a trailing `/` or `#/` makes no difference.
pub(crate) fn same_start_url(one: &str, other: &str) -> bool {
    let bare = |url: &str| url.trim_end_matches('/').trim_end_matches('#').trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

/// Whether a URL may be sent secrets, or a user: https, or http to this machine itself.
pub(crate) fn is_trustworthy(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

impl Environment {
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

/// A place in the file, for the sentence of an error.
struct Place<'p> {
    path: &'p Path,
    line: usize,
}

impl Place<'_> {
    fn invalid(&self, what: impl std::fmt::Display) -> Error {
        Error::new(Code::EnvironmentInvalid, format!("{}, line {}: {what}.", self.path.display(), self.line))
            .with_target(self.path.display().to_string())
            .with_action("Mend that line, or set the environment anew with Set-SsoEnvironment.")
    }
}

fn file(world: &World) -> Result<SafeFile, Error> {
    let path = world.aws_file("AWS_SSO_ENVIRONMENTS_FILE", "sso-environments").ok_or_else(no_home)?;
    Ok(SafeFile::at(&path))
}

pub(crate) fn no_home() -> Error {
    Error::new(Code::ReadFailed, "The home folder is not known: neither HOME nor USERPROFILE is set.").with_action("Set HOME to your home folder.")
}

impl Environments {
    /// What is stored; a file that is not there stores nothing.
    pub(crate) fn read(world: &World) -> Result<Arc<Self>, Error> {
        let file = file(world)?;
        world.memory.environments.of(&file, |bytes| Self::parse(file.path(), bytes))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let text = scan(path, bytes)?;
        let mut found: Vec<(Environment, usize)> = Vec::new();
        let mut profiles: Vec<(&Section, &str, &str)> = Vec::new();
        for section in &text.sections {
            let place = Place { path, line: section.line() };
            let name = section.name().ok_or_else(|| place.invalid("the section's name is not UTF-8"))?;
            match SectionName::of(name) {
                Some(SectionName::Environment(environment)) => {
                    if found.iter().any(|(other, _)| same_name(&other.name, environment)) {
                        return Err(place.invalid(format_args!("the environment {environment} stands there a second time, in other letters")));
                    }
                    found.push((environment_of(&text, section, environment, path)?, section.line()));
                }
                Some(SectionName::Profile(environment, profile)) => profiles.push((section, environment, profile)),
                None => return Err(place.invalid(format_args!("[{name}] is neither [environment NAME] nor [environment NAME profile PROFILE]"))),
            }
        }
        let mut lines: HashMap<&str, usize> = HashMap::new();
        for (section, environment_name, profile) in profiles {
            let place = Place { path, line: section.line() };
            let Some((environment, _)) = found.iter_mut().find(|(other, _)| same_name(&other.name, environment_name)) else {
                return Err(place.invalid(format_args!("there is no [environment {environment_name}]")));
            };
            if let Some(first) = lines.insert(profile, section.line()) {
                return Err(place.invalid(format_args!("the profile {profile} stands in line {first} already; a profile can have one account and role only")));
            }
            let entry = profile_of(&text, section, profile, environment.default_role_name.as_deref(), path)?;
            environment.profiles.push(entry);
        }
        Ok(Self { path: path.to_owned(), all: found.into_iter().map(|(environment, _)| Arc::new(environment)).collect() })
    }

    /// The stored environment of this name, compared without case.
    pub(crate) fn stored(&self, name: &str) -> Option<&Arc<Environment>> {
        self.all.iter().find(|environment| same_name(&environment.name, name))
    }

    /// The environment of this name: what the caller gave for this run, the stored one, else the one of the AWS config file.
    pub(crate) fn find(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        let stored = self.stored(name);
        match world.given.iter().find(|given| given.is_environment() && same_name(&given.name, name)) {
            Some(given) => {
                let base = match stored {
                    Some(environment) => Some(Arc::clone(environment)),
                    None => ConfigFile::read(world)?.environment(name).map(|found| found.outcome.clone()).transpose()?,
                };
                given_environment(given, base, stored.is_some())
            }
            None => self.stored_or_configured(name, world),
        }
    }

    fn stored_or_configured(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        if let Some(environment) = self.stored(name) {
            return Ok(Arc::clone(environment));
        }
        let config = ConfigFile::read(world)?;
        match config.environment(name) {
            Some(found) => found.outcome.clone(),
            None => Err(self.unknown(name, &config)),
        }
    }

    /// What the AWS config file has besides: nothing that is stored under the same name.
    pub(crate) fn configured<'c>(&self, config: &'c ConfigFile) -> impl Iterator<Item = &'c Configured> {
        config.environments.iter().filter(|found| self.stored(&found.name).is_none())
    }

    fn unknown(&self, name: &str, config: &ConfigFile) -> Error {
        let stored = self.all.iter().map(|environment| environment.name.as_str());
        let names: Vec<_> = stored.chain(self.configured(config).map(|found| found.name.as_str())).collect();
        let hint = hint(name, &names, "environments").unwrap_or_else(|| "No environment is stored yet.".to_owned());
        Error::new(Code::EnvironmentNotFound, format!("No environment is named {name}. {hint}"))
            .with_target(name)
            .with_action(format!("Create it with Set-SsoEnvironment -Name {name} -StartUrl … -Region …"))
    }
}

pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

enum SectionName<'n> {
    Environment(&'n str),
    Profile(&'n str, &'n str),
}

impl<'n> SectionName<'n> {
    fn of(section: &'n str) -> Option<Self> {
        let rest = section.strip_prefix("environment ")?.trim_start();
        match rest.split_once(char::is_whitespace) {
            None if !rest.is_empty() => Some(Self::Environment(rest)),
            None => None,
            Some((environment, rest)) => {
                let profile = rest.trim_start().strip_prefix("profile ")?.trim();
                (!profile.is_empty()).then_some(Self::Profile(environment, profile))
            }
        }
    }
}

fn scan<'b>(path: &Path, bytes: &'b [u8]) -> Result<IniText<'b>, Error> {
    IniText::scan(bytes).map_err(|fault| Place { path, line: fault.line }.invalid(fault.kind))
}

/// The sections of an environment, by its name without case, as they are written and what that means.
fn own_sections<'t>(text: &'t IniText<'_>, environment: &str) -> Vec<(&'t str, SectionName<'t>)> {
    let sections = text.sections.iter().filter_map(Section::name).filter_map(|written| Some((written, SectionName::of(written)?)));
    sections.filter(|(_, parsed)| matches!(parsed, SectionName::Environment(other) | SectionName::Profile(other, _) if same_name(other, environment))).collect()
}

fn known_keys(section: &Section, known: &[&str], path: &Path) -> Result<(), Error> {
    match section.keys.iter().find(|key| !known.contains(&key.name.as_str())) {
        Some(key) => Err(Place { path, line: key.line() }.invalid(format_args!("the key {} is not known here; there are {}", key.name, known.join(", ")))),
        None => Ok(()),
    }
}

fn value(text: &IniText<'_>, section: &Section, name: &str) -> Option<String> {
    text.value_of(section, name).map(|value| value.to_string()).filter(|value| !value.is_empty())
}

fn environment_of(text: &IniText<'_>, section: &Section, name: &str, path: &Path) -> Result<Environment, Error> {
    known_keys(section, &KEYS, path)?;
    let place = |key: &str| Place { path, line: section.key(key).map_or(section.line(), crate::ini_text::Key::line) };
    let needed = |key: &str| value(text, section, key).ok_or_else(|| place(key).invalid(format_args!("the environment {name} needs {key}")));
    let token_cache = match value(text, section, "token_cache").map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("awscli") => TokenCache::AwsCli,
        Some("memory") => TokenCache::Memory,
        Some(_) => return Err(place("token_cache").invalid("token_cache is AwsCli or Memory")),
    };
    let environment = Environment {
        name: name.to_owned(),
        start_url: needed("sso_start_url")?,
        region: needed("sso_region")?,
        default_role_name: value(text, section, "default_role_name"),
        token_cache,
        sso_session: value(text, section, "sso_session"),
        profiles: Vec::new(),
        source: path.to_owned(),
    };
    check_start_url(&environment.start_url).map_err(|what| place("sso_start_url").invalid(what))?;
    check_region(&environment.region).map_err(|what| place("sso_region").invalid(what))?;
    if let Some(role) = &environment.default_role_name {
        check_role(role).map_err(|what| place("default_role_name").invalid(what))?;
    }
    Ok(environment)
}

fn profile_of(text: &IniText<'_>, section: &Section, name: &str, default_role: Option<&str>, path: &Path) -> Result<ProfileEntry, Error> {
    known_keys(section, &PROFILE_KEYS, path)?;
    let place = |key: &str| Place { path, line: section.key(key).map_or(section.line(), crate::ini_text::Key::line) };
    let account_id = value(text, section, "sso_account_id").unwrap_or_default();
    check_profile_name(name).and_then(|()| check_account_id(name, &account_id)).map_err(|what| place("sso_account_id").invalid(what))?;
    let role_name = value(text, section, "sso_role_name")
        .or_else(|| default_role.map(str::to_owned))
        .ok_or_else(|| place("sso_role_name").invalid(format_args!("the profile {name} has no sso_role_name, and its environment no default_role_name")))?;
    check_role(&role_name).map_err(|what| place("sso_role_name").invalid(what))?;
    Ok(ProfileEntry { name: name.to_owned(), account_id, role_name })
}

pub(crate) fn check_start_url(start_url: &str) -> Result<(), String> {
    if start_url.contains(['<', '>']) {
        return Err(format!("the start URL {start_url} still has its angle brackets"));
    }
    // A URL parser passes over line ends and blanks at the ends, but an ini file does not.
    let plain = !start_url.contains(|c: char| c.is_whitespace() || c.is_control());
    if plain && is_trustworthy(start_url) {
        Ok(())
    } else {
        Err(format!("the start URL {start_url:?} must be an https URL (http only for a loopback address)"))
    }
}

pub(crate) fn check_region(region: &str) -> Result<(), String> {
    let fits = !region.is_empty() && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(()) } else { Err(format!("{region:?} is not the name of a region, such as us-west-2")) }
}

pub(crate) fn check_account_id(profile: &str, account_id: &str) -> Result<(), String> {
    if account_id.len() == 12 && account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let digits = account_id.chars().filter(char::is_ascii_digit).count();
    let what = if digits == account_id.chars().count() { format!("{digits} digits") } else { "characters that are not digits".to_owned() };
    Err(format!("the account id {account_id:?} of the profile {profile} has {what}, but must have exactly 12 digits and nothing else"))
}

/// Permission set names: 1 to 32 characters of `[\w+=,.@-]` (service model of IAM Identity Center).
pub(crate) fn check_role(role: &str) -> Result<(), String> {
    let fits = (1..=32).contains(&role.len()) && role.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte));
    if fits { Ok(()) } else { Err(format!("{role:?} is not the name of a permission set role (1 to 32 letters, digits or _+=,.@-)")) }
}

pub(crate) fn check_profile_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && !name.contains([']', '[']) && !name.chars().any(char::is_control) && name.trim() == name;
    if !fits {
        return Err(format!("{name:?} cannot be the name of a profile: it must have no brackets or control characters, and no blanks at its ends"));
    }
    // configparser takes [DEFAULT] for the values of every other section.
    if name == "DEFAULT" { Err("DEFAULT in capitals would leak into every profile; the profile is called default".to_owned()) } else { Ok(()) }
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && !name.contains([']', '[', '#', ';']) && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(format!("{name:?} cannot be the name of an environment: it must have no blanks, brackets, # or ;")) }
}

fn invalid(name: &str, what: impl std::fmt::Display) -> Error {
    let what = what.to_string();
    let mut letters = what.chars();
    let sentence: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    Error::new(Code::EnvironmentInvalid, format!("{sentence}.")).with_target(name).with_action("Correct the value and run Set-SsoEnvironment again.")
}

/// Makes or changes an environment, and gives it as it is now stored.
pub(crate) fn set(world: &World, wanted: &SetEnvironment, patience: &Patience) -> Result<EnvironmentView, Error> {
    let file = file(world)?;
    check_wanted(wanted)?;
    let mut result = None;
    let mut edit = |bytes: Option<&[u8]>| {
        let bytes = bytes.unwrap_or_default();
        let new = with_environment(file.path(), bytes, wanted)?;
        let environments = Environments::parse(file.path(), &new)?;
        result = environments.stored(&wanted.name).map(|environment| environment.view());
        Ok((*new != *bytes).then_some(new))
    };
    if wanted.check_only {
        let bytes = file.read()?.map(|contents| contents.bytes);
        edit(bytes.as_ref().map(|bytes| bytes.as_slice()))?;
    } else {
        let lock = Lock::take(&file.lock_path(), patience)?;
        file.replace(&lock, edit)?;
    }
    result.ok_or_else(|| Error::new(Code::InternalError, "The environment was written but not read back."))
}

/// An environment as it is for one run.
fn given_environment(given: &GivenEnvironment, base: Option<Arc<Environment>>, is_stored: bool) -> Result<Arc<Environment>, Error> {
    let accounts = given.accounts.as_ref().filter(|_| !(is_stored && given.accounts_where_not_stored));
    if accounts.is_none()
        && [&given.start_url, &given.region, &given.default_role_name].iter().all(|value| value.is_none())
        && let Some(base) = base
    {
        return Ok(base);
    }
    check_wanted(&SetEnvironment {
        name: given.name.clone(),
        start_url: given.start_url.clone(),
        region: given.region.clone(),
        default_role_name: given.default_role_name.clone(),
        accounts: accounts.cloned(),
        ..SetEnvironment::default()
    })?;
    let needed = |value: &Option<String>, stored: Option<&String>, parameter: &str| {
        value.as_ref().or(stored).cloned().ok_or_else(|| {
            Error::new(Code::EnvironmentInvalid, format!("The environment {} is not stored, so it needs {parameter}.", given.name))
                .with_target(&given.name)
                .with_action(format!("Give {parameter}, or store the environment with Set-SsoEnvironment or Import-SsoEnvironment."))
        })
    };
    let start_url = needed(&given.start_url, base.as_ref().map(|base| &base.start_url), "-StartUrl")?;
    let region = needed(&given.region, base.as_ref().map(|base| &base.region), "-Region")?;
    let default_role_name = given.default_role_name.clone().or_else(|| base.as_ref().and_then(|base| base.default_role_name.clone()));
    let profiles = match accounts {
        Some(rows) => rows.iter().map(|row| row_of(row, default_role_name.as_deref(), &given.name)).collect::<Result<_, _>>()?,
        // A role of their own stays; the others follow the default.
        None => base.iter().flat_map(|base| base.profiles.iter().map(|profile| followed(profile, base, default_role_name.as_deref()))).collect(),
    };
    let same_portal = base.as_ref().is_some_and(|base| base.region == region && same_start_url(&base.start_url, &start_url));
    Ok(Arc::new(Environment {
        name: base.as_ref().map_or_else(|| given.name.clone(), |base| base.name.clone()),
        // Another portal has another session.
        sso_session: base.as_ref().filter(|_| same_portal).and_then(|base| base.sso_session.clone()),
        token_cache: base.as_ref().map_or(TokenCache::AwsCli, |base| base.token_cache),
        source: base.map(|base| base.source.clone()).unwrap_or_default(),
        start_url,
        region,
        default_role_name,
        profiles,
    }))
}

fn row_of(row: &AccountRow, default_role: Option<&str>, environment: &str) -> Result<ProfileEntry, Error> {
    let role_name = row.role_name.as_deref().or(default_role).ok_or_else(|| {
        Error::new(Code::EnvironmentInvalid, format!("The profile {} has no role, and the environment {environment} no default role.", row.profile))
            .with_target(environment)
            .with_action("Give the row a RoleName, or the environment a -DefaultRoleName.")
    })?;
    Ok(ProfileEntry { name: row.profile.clone(), account_id: row.account_id.clone(), role_name: role_name.to_owned() })
}

fn followed(profile: &ProfileEntry, base: &Environment, default_role: Option<&str>) -> ProfileEntry {
    let follows = base.default_role_name.as_ref() == Some(&profile.role_name);
    let role_name = default_role.filter(|_| follows).unwrap_or(&profile.role_name);
    ProfileEntry { role_name: role_name.to_owned(), ..profile.clone() }
}

fn check_wanted(wanted: &SetEnvironment) -> Result<(), Error> {
    let name = wanted.name.as_str();
    let checks = [
        Some(check_name(name)),
        wanted.start_url.as_deref().map(check_start_url),
        wanted.region.as_deref().map(check_region),
        wanted.default_role_name.as_deref().map(check_role),
    ];
    checks.into_iter().flatten().collect::<Result<(), _>>().map_err(|what| invalid(name, what))?;
    let mut rows: HashMap<&str, (usize, &AccountRow)> = HashMap::new();
    for (index, row) in wanted.accounts.iter().flatten().enumerate() {
        let role = row.role_name.as_deref().map_or(Ok(()), check_role);
        check_profile_name(&row.profile)
            .and_then(|()| check_account_id(&row.profile, &row.account_id))
            .and(role)
            .map_err(|what| invalid(name, format_args!("row {}: {what}", index + 1)))?;
        if let Some((first, other)) = rows.insert(&row.profile, (index, row)) {
            let both = [(first, other), (index, row)].map(|(index, row)| format!("row {} (account {})", index + 1, row.account_id)).join(" and ");
            return Err(Error::new(Code::ProfileNameConflict, format!("The profile {} stands in {both}.", row.profile))
                .with_target(&row.profile)
                .with_action("Give each row a profile name of its own."));
        }
    }
    Ok(())
}

fn with_environment(path: &Path, bytes: &[u8], wanted: &SetEnvironment) -> Result<zeroize::Zeroizing<Vec<u8>>, Error> {
    let stored = Environments::parse(path, bytes)?;
    let existing = stored.stored(&wanted.name);
    if existing.is_none() {
        for (missing, parameter) in [(wanted.start_url.is_none(), "-StartUrl"), (wanted.region.is_none(), "-Region")] {
            if missing {
                return Err(invalid(&wanted.name, format_args!("the environment {} is new, so it needs {parameter}", wanted.name)));
            }
        }
    }
    // Sections are found by the name as it is written there.
    let name = existing.map_or(wanted.name.as_str(), |environment| environment.name.as_str());
    let text = scan(path, bytes)?;
    let own = own_sections(&text, name);
    let section_of = |profile: &str| {
        let same = |parsed: &SectionName<'_>| matches!(parsed, SectionName::Profile(_, other) if *other == profile);
        own.iter().find(|(_, parsed)| same(parsed)).map_or_else(|| format!("environment {name} profile {profile}"), |(written, _)| (*written).to_owned())
    };
    let header = own
        .iter()
        .find(|(_, parsed)| matches!(parsed, SectionName::Environment(_)))
        .map_or_else(|| format!("environment {name}"), |(written, _)| (*written).to_owned());

    let token_cache = wanted.token_cache.map(|cache| if cache == TokenCache::Memory { "Memory" } else { "AwsCli" });
    let settings = [
        ("sso_start_url", wanted.start_url.as_deref()),
        ("sso_region", wanted.region.as_deref()),
        ("default_role_name", wanted.default_role_name.as_deref()),
        ("token_cache", token_cache),
    ];
    let mut edits =
        vec![SectionEdit { section: &header, set: settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect(), ..SectionEdit::default() }];
    let rows = wanted.accounts.as_deref().unwrap_or_default();
    let sections: Vec<String> = rows.iter().map(|row| section_of(&row.profile)).collect();
    let last_own = own.last().map(|(written, _)| *written);
    for (row, section) in rows.iter().zip(&sections) {
        let mut set = vec![("sso_account_id", row.account_id.as_str())];
        set.extend(row.role_name.as_deref().map(|role| ("sso_role_name", role)));
        let remove: &[&str] = if row.role_name.is_none() { &["sso_role_name"] } else { &[] };
        edits.push(SectionEdit { section, set, remove, behind: last_own });
    }
    let mut removed = Vec::new();
    if wanted.accounts.is_some() {
        removed.extend(
            own.iter().filter(|(written, parsed)| matches!(parsed, SectionName::Profile(..)) && !sections.iter().any(|s| s == written)).map(|(w, _)| *w),
        );
    }
    Ok(text.edited(&edits, &removed))
}

/// What is to become of a table of profiles; all other rows stay as they are.
#[derive(Debug, Default)]
pub(crate) struct TableChange {
    pub(crate) added: Vec<ProfileEntry>,
    /// The names of the profiles that go.
    pub(crate) removed: HashSet<String>,
}

/// Changes the table of a stored environment; `change` decides under the lock from what is stored then.
pub(crate) fn edit_table(
    world: &World,
    name: &str,
    check_only: bool,
    patience: &Patience,
    mut change: impl FnMut(&Environments, &Environment) -> Result<TableChange, Error>,
) -> Result<(), Error> {
    let file = file(world)?;
    let edit = |bytes: Option<&[u8]>| {
        let bytes = bytes.unwrap_or_default();
        let stored = Environments::parse(file.path(), bytes)?;
        let environment = stored.stored(name).ok_or_else(|| not_stored(name, &stored, world))?;
        let TableChange { added, removed } = change(&stored, environment)?;
        if added.is_empty() && removed.is_empty() {
            return Ok(None);
        }
        let text = scan(file.path(), bytes)?;
        let goes = |parsed: &SectionName<'_>| matches!(parsed, SectionName::Profile(_, profile) if removed.contains(*profile));
        let (going, staying): (Vec<_>, Vec<_>) = own_sections(&text, name).into_iter().partition(|(_, parsed)| goes(parsed));
        let going: Vec<&str> = going.into_iter().map(|(written, _)| written).collect();
        let last = staying.last().map(|(written, _)| *written);
        let sections: Vec<String> = added.iter().map(|row| format!("environment {} profile {}", environment.name, row.name)).collect();
        let edits: Vec<SectionEdit<'_>> = added
            .iter()
            .zip(&sections)
            .map(|(row, section)| SectionEdit {
                section,
                set: vec![("sso_account_id", row.account_id.as_str()), ("sso_role_name", row.role_name.as_str())],
                behind: last,
                ..SectionEdit::default()
            })
            .collect();
        let new = text.edited(&edits, &going);
        Environments::parse(file.path(), &new)?;
        Ok((*new != *bytes).then_some(new))
    };
    change_file(&file, check_only, patience, edit)
}

/// Changes the file under its lock. The edit is tried before, so that no lock is made for nothing or for what cannot be.
fn change_file(
    file: &SafeFile,
    check_only: bool,
    patience: &Patience,
    mut edit: impl FnMut(Option<&[u8]>) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, Error>,
) -> Result<(), Error> {
    let bytes = file.read()?.map(|contents| contents.bytes);
    let changed = edit(bytes.as_ref().map(|bytes| bytes.as_slice()))?;
    if changed.is_some() && !check_only {
        let lock = Lock::take(&file.lock_path(), patience)?;
        file.replace(&lock, edit)?;
    }
    Ok(())
}

/// Why a name cannot be taken out of the file.
fn not_stored(name: &str, stored: &Environments, world: &World) -> Error {
    let config = match ConfigFile::read(world) {
        Ok(config) => config,
        Err(error) => return error,
    };
    match config.environment(name) {
        Some(found) => Error::new(
            Code::EnvironmentNotFound,
            format!("The environment {} is not stored: it comes from {}, which this module never changes.", found.name, config.path.display()),
        )
        .with_target(name)
        .with_action(format!("Change it there, as the AWS CLI has it, or store it with Set-SsoEnvironment -Name {} -StartUrl … -Region …", found.name)),
        None => stored.unknown(name, &config),
    }
}

/// Takes an environment out of the file; the keys of its profiles stay in the credentials file.
pub(crate) fn remove(world: &World, name: &str, check_only: bool, patience: &Patience) -> Result<(), Error> {
    let file = file(world)?;
    let edit = |bytes: Option<&[u8]>| {
        let bytes = bytes.unwrap_or_default();
        let stored = Environments::parse(file.path(), bytes)?;
        if stored.stored(name).is_none() {
            return Err(not_stored(name, &stored, world));
        }
        let text = scan(file.path(), bytes)?;
        let removed: Vec<&str> = own_sections(&text, name).into_iter().map(|(written, _)| written).collect();
        Ok(Some(text.edited(&[], &removed)))
    };
    change_file(&file, check_only, patience, edit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::safe_write::FILE_LOCK_LIMIT;
    use crate::world::test_world;

    const ACME: &str = "# ours\n[environment Acme]\nsso_start_url = https://d-12345abcde.awsapps.com/start/\nsso_region = us-west-2\n\
        default_role_name = AWSAdministratorAccess\n\n[environment Acme profile Account1]\nsso_account_id = 012345678901\n\n\
        [environment Acme profile Account 2]\nsso_account_id = 123456789012\nsso_role_name = AWSReadOnlyAccess\n";

    fn patience() -> Patience {
        Patience::new(Some(FILE_LOCK_LIMIT), CancellationToken::new())
    }

    fn error_of(text: &str) -> String {
        let error = Environments::parse(Path::new("file"), text.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::EnvironmentInvalid);
        error.to_string()
    }

    fn acme() -> SetEnvironment {
        SetEnvironment {
            name: "Acme".into(),
            start_url: Some("https://d-12345abcde.awsapps.com/start/".into()),
            region: Some("us-west-2".into()),
            default_role_name: Some("AWSAdministratorAccess".into()),
            accounts: Some(vec![row("Account1", "012345678901", None), row("Account 2", "123456789012", Some("AWSReadOnlyAccess"))]),
            ..SetEnvironment::default()
        }
    }

    fn row(profile: &str, account_id: &str, role_name: Option<&str>) -> AccountRow {
        AccountRow { profile: profile.into(), account_id: account_id.into(), role_name: role_name.map(str::to_owned) }
    }

    #[test]
    fn an_environment_is_read_as_it_is_written() {
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes()).unwrap();
        let acme = environments.stored("ACME").unwrap();
        let roles: Vec<_> = acme.profiles.iter().map(|p| (p.name.as_str(), p.account_id.as_str(), p.role_name.as_str())).collect();
        assert_eq!(roles, [("Account1", "012345678901", "AWSAdministratorAccess"), ("Account 2", "123456789012", "AWSReadOnlyAccess")]);
    }

    #[test]
    fn every_fault_is_named_with_file_and_line() {
        let cases = [
            (ACME.replace("012345678901", "01234567890"), "file, line 8: the account id \"01234567890\" of the profile Account1 has 11 digits"),
            (ACME.replace("https://d", "http://d"), "file, line 3: the start URL \"http://d-12345abcde.awsapps.com/start/\" must be an https URL"),
            (ACME.replace("default_role_name", "role"), "file, line 5: the key role is not known here"),
            (ACME.replace("default_role_name", "#"), "file, line 7: the profile Account1 has no sso_role_name"),
            (ACME.replace("sso_region", "#"), "file, line 2: the environment Acme needs sso_region"),
            (
                ACME.replace("Acme profile Account 2", "Acme profile Account1"),
                "file, line 10: the section [environment Acme profile Account1] stands there a second time",
            ),
            (ACME.replace("Acme profile Account 2", "acme profile Account1"), "file, line 10: the profile Account1 stands in line 7 already"),
            (ACME.replace("Acme profile Account 2", "Other profile X"), "file, line 10: there is no [environment Other]"),
            (ACME.replace("[environment Acme profile Account1]", "[profile x]"), "file, line 7: [profile x] is neither"),
            (ACME.replace("Account 2", "DEFAULT"), "file, line 11: DEFAULT in capitals"),
        ];
        for (text, expected) in cases {
            let error = error_of(&text);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_unknown_environment_names_those_that_there_are() {
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes()).unwrap();
        let (_home, world) = test_world();
        let error = environments.find("Amce", &world).unwrap_err();
        assert_eq!(error.code(), Code::EnvironmentNotFound);
        assert_eq!(error.to_string(), "No environment is named Amce. Did you mean Acme?");
    }

    #[test]
    fn set_makes_the_file_and_setting_the_same_again_changes_nothing() {
        let (home, world) = test_world();
        let view = set(&world, &acme(), &patience()).unwrap();
        assert_eq!(view.accounts[0].role_name.as_deref(), Some("AWSAdministratorAccess"));
        let path = home.path().join(".aws/sso-environments");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), ACME.strip_prefix("# ours\n").unwrap());
        let before = path.metadata().unwrap().modified().unwrap();
        set(&world, &acme(), &patience()).unwrap();
        assert_eq!(path.metadata().unwrap().modified().unwrap(), before);
    }

    #[test]
    fn set_changes_what_is_named_and_keeps_the_comments() {
        let (home, world) = test_world();
        let path = home.path().join(".aws/sso-environments");
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(&path, format!("{ACME}\n# theirs\n[environment Other]\nsso_start_url=https://x.awsapps.com/start\nsso_region=eu-west-1\n")).unwrap();
        let wanted = SetEnvironment {
            name: "ACME".into(),
            accounts: Some(vec![row("Account 2", "123456789012", None), row("New", "000000000001", None)]),
            ..SetEnvironment::default()
        };
        let view = set(&world, &wanted, &patience()).unwrap();
        assert_eq!(view.name, "Acme");
        let expected = "# ours\n[environment Acme]\nsso_start_url = https://d-12345abcde.awsapps.com/start/\nsso_region = us-west-2\n\
            default_role_name = AWSAdministratorAccess\n\n[environment Acme profile Account 2]\nsso_account_id = 123456789012\n\n\
            [environment Acme profile New]\nsso_account_id = 000000000001\n\n# theirs\n[environment Other]\nsso_start_url=https://x.awsapps.com/start\nsso_region=eu-west-1\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        remove(&world, "acme", false, &patience()).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "# ours\n# theirs\n[environment Other]\nsso_start_url=https://x.awsapps.com/start\nsso_region=eu-west-1\n"
        );
    }

    #[test]
    fn bad_input_of_set_is_refused_and_nothing_is_written() {
        let (home, world) = test_world();
        let change = |edit: &dyn Fn(&mut SetEnvironment)| {
            let mut wanted = acme();
            edit(&mut wanted);
            wanted
        };
        let cases = [
            (change(&|w| w.name = "A b".into()), Code::EnvironmentInvalid, "\"A b\" cannot be the name"),
            (
                change(&|w| w.start_url = Some("http://example.com/start".into())),
                Code::EnvironmentInvalid,
                "The start URL \"http://example.com/start\" must be",
            ),
            (change(&|w| w.start_url = Some("https://example.com/\n[x]".into())), Code::EnvironmentInvalid, "The start URL \"https://example.com/\\n[x]\""),
            (change(&|w| w.start_url = None), Code::EnvironmentInvalid, "The environment Acme is new, so it needs -StartUrl"),
            (change(&|w| w.region = None), Code::EnvironmentInvalid, "The environment Acme is new, so it needs -Region"),
            (change(&|w| w.accounts = Some(vec![row("A", "12345678901", None)])), Code::EnvironmentInvalid, "Row 1: the account id \"12345678901\""),
            (change(&|w| w.accounts = Some(vec![row("A", "012345678901 ", None)])), Code::EnvironmentInvalid, "Row 1: the account id \"012345678901 \""),
            (
                change(&|w| w.accounts = Some(vec![row("A", "012345678901", None), row("A", "012345678902", None)])),
                Code::ProfileNameConflict,
                "The profile A stands in row 1 (account 012345678901) and row 2 (account 012345678902)",
            ),
        ];
        for (wanted, code, sentence) in cases {
            let error = set(&world, &wanted, &patience()).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().starts_with(sentence), "{error}");
        }
        assert!(!home.path().join(".aws/sso-environments").exists());
    }

    #[test]
    fn only_https_and_loopback_are_trusted() {
        for url in ["https://example.com/", "http://127.0.0.1:80/", "http://localhost/", "http://[::1]/x"] {
            assert!(is_trustworthy(url), "{url}");
        }
        for url in [
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "ftp://localhost/",
            "x",
            "http://127.0.0.1@example.com/",
        ] {
            assert!(!is_trustworthy(url), "{url}");
        }
    }
}
