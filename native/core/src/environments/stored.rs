//! Environments: the Identity Center instances that the user named, each with its table of profiles, in `~/.aws/sso-environments`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use url::{Host, Url};
use zeroize::Zeroizing;

use crate::environments::configured::{ConfigFile, Configured};
use crate::error::{Code, Error, capitalized};
use crate::files::ini_text::{Fault, IniText, Key, Section, SectionEdit};
use crate::files::safe_write::{Lock, Patience, SafeFile};
use crate::names::hazards::check_new_name;
use crate::names::hidden_characters::{check_visible, visible};
use crate::names::nearest::hint;
use crate::protocol::{AccountRow, EnvironmentView, GivenEnvironment, SetEnvironment, TokenCache};
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

/// All stored environments and the file that they are in.
#[derive(Debug, Clone)]
pub(crate) struct Environments {
    pub(crate) path: PathBuf,
    /// Those that can be used, in the order of the file.
    pub(crate) all: Vec<Arc<Environment>>,
    faults: Vec<BlockFault>,
}

/// Why a block of the file cannot be used; it stops the environment that the block belongs to and no other.
#[derive(Debug, Clone)]
struct BlockFault {
    /// The environment as the block names it; `None` where the block names none.
    environment: Option<String>,
    /// The line, counted from 1.
    line: usize,
    what: String,
}

impl BlockFault {
    fn error(&self, path: &Path) -> Error {
        let action = match &self.environment {
            Some(name) if check_visible(name).is_ok() => format!(
                "Correct that line; or replace the environment with Set-SsoEnvironment -Name {name} -StartUrl … -Region … -Account …, or remove it with Remove-SsoEnvironment -Name {name}."
            ),
            _ => "Correct that line, or remove it.".to_owned(),
        };
        Error::new(Code::EnvironmentInvalid, format!("{}, line {}: {}.", path.display(), self.line, self.what))
            .with_target(path.display().to_string())
            .with_action(action)
    }

    fn is_of(&self, name: &str) -> bool {
        self.environment.as_ref().is_some_and(|environment| same_name(environment, name))
    }
}

/// The start URL without what makes no difference to the portal: upper case in scheme and host, the default port, slashes at the end of the path,
/// the query and the fragment. A text that is no URL stays as it is.
pub(crate) fn portal_url(start_url: &str) -> String {
    match Url::parse(start_url) {
        Ok(mut url) if url.has_host() => {
            url.set_query(None);
            url.set_fragment(None);
            let path = url.path().trim_end_matches('/').to_owned();
            url.set_path(&path);
            url.as_str().trim_end_matches('/').to_owned()
        }
        _ => start_url.to_owned(),
    }
}

/// The start URL as the service is asked for it. The query and the fragment, as in `/#/?tab=accounts`, are the portal's page's own: no browser sends the
/// fragment to a server, and nothing says that the service takes them for the same portal. Without them the URL is written as it always works.
pub(crate) fn requested_url(start_url: &str) -> String {
    let Ok(mut url) = Url::parse(start_url) else { return start_url.to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    let bare = url.as_str();
    // Without a path a URL gets a slash.
    if bare.strip_suffix('/') == Some(start_url) { start_url.to_owned() } else { bare.to_owned() }
}

/// Whether two start URLs lead to the same portal.
pub(crate) fn same_start_url(one: &str, other: &str) -> bool {
    one == other || portal_url(one) == portal_url(other)
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

fn file(world: &World) -> Result<SafeFile, Error> {
    let path = world.aws_file("AWS_SSO_ENVIRONMENTS_FILE", "sso-environments")?;
    Ok(SafeFile::at(&path))
}

impl Environments {
    /// What is stored; a file that is not there stores nothing.
    pub(crate) fn read(world: &World) -> Result<Arc<Self>, Error> {
        let file = file(world)?;
        world.memory.environments.of(&file, |bytes| Ok(Self::parse(file.path(), &decoded(file.path(), bytes)?)))
    }

    fn parse(path: &Path, text: &[u8]) -> Self {
        let (text, faults) = IniText::scan_with_faults(text);
        let mut blocks = Blocks { text: &text, path, found: Vec::new(), places: HashMap::new(), faults: Vec::new(), refused: HashSet::new() };
        let mut broken: HashMap<usize, Fault> = HashMap::new();
        for (section, fault) in faults {
            match section {
                Some(section) => drop(broken.entry(section).or_insert(fault)),
                None => blocks.refuse(None, fault.line, fault.kind),
            }
        }
        let mut profiles = Vec::new();
        for (index, section) in text.sections.iter().enumerate() {
            let written = section.name_lossy();
            let meaning = SectionName::of(&written);
            let environment = meaning.as_ref().map(SectionName::environment);
            if let Some(fault) = broken.remove(&index) {
                blocks.refuse(environment, fault.line, fault.kind);
            } else if section.name().is_none() {
                blocks.refuse(environment, section.line(), "the section's name is not UTF-8 text; save the file as UTF-8");
            } else if let Some(Err(what)) = meaning.as_ref().map(SectionName::check_visible) {
                blocks.refuse(environment, section.line(), what);
            } else {
                match meaning {
                    Some(SectionName::Environment(name)) => blocks.add_environment(section, name),
                    Some(SectionName::Profile(name, profile)) => profiles.push((section, name.to_owned(), profile.to_owned())),
                    None => {
                        let what = format!("[{written}] is neither [environment NAME] nor [environment NAME profile PROFILE]");
                        blocks.refuse(None, section.line(), what);
                    }
                }
            }
        }
        for (section, name, profile) in profiles {
            blocks.add_profile(section, &name, &profile);
        }
        blocks.finish()
    }

    /// The stored environment of this name, compared without case.
    pub(crate) fn stored(&self, name: &str) -> Option<&Arc<Environment>> {
        self.all.iter().find(|environment| same_name(&environment.name, name))
    }

    /// Why the stored environment of this name cannot be used, where that is so.
    pub(crate) fn fault_of(&self, name: &str) -> Option<Error> {
        self.faults.iter().find(|fault| fault.is_of(name)).map(|fault| fault.error(&self.path))
    }

    /// What cannot be used of the file, an error for each environment.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Error> {
        self.faults.iter().map(|fault| fault.error(&self.path))
    }

    /// The environment of this name: what the caller gave for this run, the stored one, else the one of the AWS config file.
    pub(crate) fn find(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        let stored = self.stored(name);
        match world.given.iter().find(|given| given.is_environment() && same_name(&given.name, name)) {
            Some(given) => {
                let base = match self.stored_or_configured(name, world) {
                    Ok(environment) => Some(environment),
                    Err(error) if error.code() == Code::EnvironmentNotFound => None,
                    // What is given in full needs neither file.
                    Err(error) if given.has_portal() && (given.accounts.is_some() || error.code() != Code::EnvironmentInvalid) => None,
                    Err(error) => return Err(error),
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
        if let Some(error) = self.fault_of(name) {
            return Err(error);
        }
        let config =
            ConfigFile::read(world).map_err(|error| error.behind(format_args!("No environment {name} is stored, and the AWS config file cannot be read")))?;
        match config.environment(name) {
            Some(found) => found.outcome.clone(),
            None => Err(self.unknown(name, &config)),
        }
    }

    /// What the AWS config file has besides: nothing that is stored under the same name.
    pub(crate) fn configured<'c>(&self, config: &'c ConfigFile) -> impl Iterator<Item = &'c Configured> {
        config.environments.iter().filter(|found| self.stored(&found.name).is_none() && self.fault_of(&found.name).is_none())
    }

    fn unknown(&self, name: &str, config: &ConfigFile) -> Error {
        let stored = self.all.iter().map(|environment| environment.name.as_str());
        let names: Vec<_> = stored.chain(self.configured(config).map(|found| found.name.as_str())).collect();
        let hint = hint(name, &names, "environments").unwrap_or_else(|| "No environment is stored yet.".to_owned());
        // A block that nobody can tell whose it is may be the one that was meant.
        let unclear = self.faults.iter().find(|fault| fault.environment.is_none()).map(|fault| format!(" {}", fault.error(&self.path)));
        Error::new(Code::EnvironmentNotFound, format!("No environment is named {name}. {hint}{}", unclear.unwrap_or_default()))
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
    fn environment(&self) -> &'n str {
        let (Self::Environment(name) | Self::Profile(name, _)) = self;
        name
    }

    /// The file may be somebody else's, and a name in it must not look like another one.
    fn check_visible(&self) -> Result<(), String> {
        check_visible(self.environment())?;
        if let Self::Profile(_, profile) = self { check_visible(profile) } else { Ok(()) }
    }

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

/// The text of the file as UTF-8 without a byte order mark: Windows PowerShell writes others.
fn decoded<'b>(path: &Path, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Error> {
    let unreadable = |encoding: &str| {
        Error::new(Code::EnvironmentInvalid, format!("{} is {encoding}, which cannot be read.", path.display()))
            .with_target(path.display().to_string())
            .with_action("Save the file as UTF-8.")
    };
    let from_utf16 = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, odd) = rest.as_chunks::<2>();
        let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<String, _>>();
        text.ok().filter(|_| odd.is_empty()).map(|text| Cow::Owned(text.into_bytes())).ok_or_else(|| unreadable("damaged UTF-16 text"))
    };
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Err(unreadable("UTF-32 text")),
        [0xff, 0xfe, rest @ ..] => from_utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => from_utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(Cow::Borrowed(rest)),
        _ if bytes.contains(&0) => Err(unreadable("UTF-16 text without a byte order mark, or no text")),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}

/// The blocks of the file while they are read.
struct Blocks<'t> {
    text: &'t IniText<'t>,
    path: &'t Path,
    found: Vec<StoredBlock>,
    /// Where each environment is in `found`, by its name without case.
    places: HashMap<String, usize>,
    faults: Vec<BlockFault>,
    /// The environments of the faults, by their names without case.
    refused: HashSet<Option<String>>,
}

struct StoredBlock {
    environment: Environment,
    line: usize,
    /// The line of each profile.
    lines: HashMap<String, usize>,
}

/// A fault at a line of a section.
type LineFault = (usize, String);

impl Blocks<'_> {
    /// Keeps the first fault of each environment, and the first of those that belong to none.
    fn refuse(&mut self, environment: Option<&str>, line: usize, what: impl std::fmt::Display) {
        if self.refused.insert(environment.map(str::to_lowercase)) {
            self.faults.push(BlockFault { environment: environment.map(str::to_owned), line, what: what.to_string() });
        }
    }

    fn add_environment(&mut self, section: &Section, name: &str) {
        if let Some(place) = self.places.get(&name.to_lowercase()) {
            let first = self.found[*place].line;
            return self.refuse(Some(name), section.line(), format_args!("the environment {name} is on line {first} already, in other letters"));
        }
        match environment_of(self.text, section, name, self.path) {
            Ok(environment) => {
                self.places.insert(name.to_lowercase(), self.found.len());
                self.found.push(StoredBlock { environment, line: section.line(), lines: HashMap::new() });
            }
            Err((line, what)) => self.refuse(Some(name), line, what),
        }
    }

    fn add_profile(&mut self, section: &Section, name: &str, profile: &str) {
        let Some(block) = self.places.get(&name.to_lowercase()).map(|place| &mut self.found[*place]) else {
            return self.refuse(Some(name), section.line(), format_args!("there is no [environment {name}]"));
        };
        if let Some(first) = block.lines.insert(profile.to_owned(), section.line()) {
            let what = format!("the profile {profile} is on line {first} already; a profile can have one account and role only");
            return self.refuse(Some(name), section.line(), what);
        }
        match profile_of(self.text, section, profile, block.environment.default_role_name.as_deref()) {
            Ok(entry) => block.environment.profiles.push(entry),
            Err((line, what)) => self.refuse(Some(name), line, what),
        }
    }

    fn finish(self) -> Environments {
        let Self { path, found, faults, refused, .. } = self;
        let good = found.into_iter().map(|block| block.environment).filter(|environment| !refused.contains(&Some(environment.name.to_lowercase())));
        Environments { path: path.to_owned(), all: good.map(Arc::new).collect(), faults }
    }
}

/// The indices of the sections of an environment, by its name without case.
fn own_indices(text: &IniText<'_>, environment: &str) -> Vec<usize> {
    let is_own = |section: &Section| SectionName::of(&section.name_lossy()).is_some_and(|parsed| same_name(parsed.environment(), environment));
    text.sections.iter().enumerate().filter(|(_, section)| is_own(section)).map(|(index, _)| index).collect()
}

/// The sections of an environment, by its name without case, as they are written and what that means.
fn own_sections<'t>(text: &'t IniText<'_>, environment: &str) -> Vec<(&'t str, SectionName<'t>)> {
    let sections = text.sections.iter().filter_map(Section::name).filter_map(|written| Some((written, SectionName::of(written)?)));
    sections.filter(|(_, parsed)| same_name(parsed.environment(), environment)).collect()
}

fn known_keys(section: &Section, known: &[&str]) -> Result<(), LineFault> {
    match section.keys.iter().find(|key| !known.contains(&key.name.as_str())) {
        Some(key) => Err((key.line(), format!("the key {} is not known here; there are {}", key.name, known.join(", ")))),
        None => Ok(()),
    }
}

fn value(text: &IniText<'_>, section: &Section, name: &str) -> Option<String> {
    text.value_of(section, name).map(|value| value.to_string()).filter(|value| !value.is_empty())
}

fn line_of(section: &Section, key: &str) -> usize {
    section.key(key).map_or(section.line(), Key::line)
}

fn environment_of(text: &IniText<'_>, section: &Section, name: &str, path: &Path) -> Result<Environment, LineFault> {
    known_keys(section, &KEYS)?;
    let at = |key: &str| {
        let line = line_of(section, key);
        move |what: String| (line, what)
    };
    let needed = |key: &str| value(text, section, key).ok_or_else(|| at(key)(format!("the environment {name} needs {key}")));
    let token_cache = match value(text, section, "token_cache").map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("awscli") => TokenCache::AwsCli,
        Some("memory") => TokenCache::Memory,
        Some(_) => return Err(at("token_cache")("token_cache is AwsCli or Memory".to_owned())),
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
    check_start_url(&environment.start_url).map_err(at("sso_start_url"))?;
    check_region(&environment.region).map_err(at("sso_region"))?;
    environment.default_role_name.as_deref().map_or(Ok(()), check_role).map_err(at("default_role_name"))?;
    Ok(environment)
}

fn profile_of(text: &IniText<'_>, section: &Section, name: &str, default_role: Option<&str>) -> Result<ProfileEntry, LineFault> {
    known_keys(section, &PROFILE_KEYS)?;
    let account_id = value(text, section, "sso_account_id").unwrap_or_default();
    check_profile_name(name).map_err(|what| (section.line(), what))?;
    check_account_id(name, &account_id).map_err(|what| (line_of(section, "sso_account_id"), what))?;
    let at_role = |what: String| (line_of(section, "sso_role_name"), what);
    let role_name = value(text, section, "sso_role_name")
        .or_else(|| default_role.map(str::to_owned))
        .ok_or_else(|| at_role(format!("the profile {name} has no sso_role_name, and its environment no default_role_name")))?;
    check_role(&role_name).map_err(at_role)?;
    Ok(ProfileEntry { name: name.to_owned(), account_id, role_name })
}

pub(crate) fn check_start_url(start_url: &str) -> Result<(), String> {
    if start_url.contains(['<', '>']) {
        return Err(format!("the start URL {start_url} still has its angle brackets"));
    }
    if has_user_info(start_url) {
        let host = Url::parse(start_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        return Err(format!("the start URL has something before an @, and leads to the host {host}; a start URL has no @ before its path"));
    }
    // A URL parser passes over line ends and blanks at the ends, but an ini file does not.
    let plain = !start_url.contains(|c: char| c.is_whitespace() || c.is_control()) && check_visible(start_url).is_ok();
    if plain && is_trustworthy(start_url) {
        Ok(())
    } else {
        Err(format!("the start URL {start_url:?} must be an https URL (http only for a loopback address)"))
    }
}

/// Whether something is written before the host, as in `https://acme.awsapps.com@example.com/start`, which is of another host than it seems. The URL
/// parser takes any number of slashes before the host, and a backslash for a slash.
fn has_user_info(url: &str) -> bool {
    let rest = url.split_once(':').map_or(url, |(_, rest)| rest).trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    authority.contains('@') || Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
}

/// The host of a start URL, with its port where that is not the usual one; letters of other alphabets are shown as the name server has them.
pub(crate) fn host_of(start_url: &str) -> String {
    let Ok(url) = Url::parse(start_url) else { return start_url.to_owned() };
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
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
    if name == "DEFAULT" { Err("DEFAULT in upper case would leak into every profile; use default in lower case".to_owned()) } else { Ok(()) }
}

fn check_name(name: &str) -> Result<(), String> {
    check_visible(name)?;
    let fits = !name.is_empty() && !name.contains([']', '[', '#', ';']) && !name.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(format!("{name:?} cannot be the name of an environment: it must have no blanks, brackets, # or ;")) }
}

/// Where values come from that are to make an environment, for the sentence of an error.
#[derive(Debug, Clone, Copy)]
enum Origin<'a> {
    Parameters,
    /// A file that is imported.
    File(&'a str),
    /// The rows are those of a variable that users of the published script have.
    Variable,
}

impl<'a> Origin<'a> {
    fn of(wanted: &'a SetEnvironment) -> Self {
        wanted.imported_from.as_deref().map_or(Self::Parameters, Self::File)
    }

    fn invalid(self, name: &str, what: impl std::fmt::Display) -> Error {
        let sentence = match self {
            Self::File(file) => format!("{file}, the environment {}: {what}.", visible(name)),
            Self::Parameters | Self::Variable => capitalized(&format!("{what}.")),
        };
        self.error(Code::EnvironmentInvalid, sentence).with_target(name)
    }

    /// An error of the row of this index.
    fn row_invalid(self, name: &str, index: usize, what: impl std::fmt::Display) -> Error {
        let number = index + 1;
        let sentence = match self {
            Self::File(file) => format!("{file}, record {number} of the environment {name}: {what}."),
            Self::Parameters | Self::Variable => format!("Row {number} of {}: {what}.", self.rows(name)),
        };
        self.error(Code::EnvironmentInvalid, sentence).with_target(name)
    }

    /// What the rows are called as a whole.
    fn rows(self, name: &str) -> String {
        match self {
            Self::Parameters => "-Account".to_owned(),
            Self::File(file) => format!("the environment {name} in {file}"),
            Self::Variable => format!("${name}SsoAwsAccounts"),
        }
    }

    fn error(self, code: Code, sentence: String) -> Error {
        Error::new(code, sentence).with_action(match self {
            Self::File(_) => "Correct the file and import it again.",
            Self::Parameters | Self::Variable => "Correct the value and run the command again.",
        })
    }
}

/// What a change of an environment came to.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) environment: EnvironmentView,
    /// The profiles that its table did not have before.
    pub(crate) added: Vec<String>,
}

/// Creates or changes an environment, and gives it as it is now stored.
pub(crate) fn set(world: &World, wanted: &SetEnvironment, patience: &Patience) -> Result<Changed, Error> {
    let file = file(world)?;
    check_wanted(wanted, Origin::of(wanted))?;
    let mut result = None;
    let mut edit = |bytes: Option<&[u8]>| {
        let text = decoded(file.path(), bytes.unwrap_or_default())?;
        let (new, changed) = with_environment(file.path(), &text, wanted)?;
        result = Some(changed);
        Ok((*new != *text).then_some(new))
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
    let origin = if given.accounts_where_not_stored { Origin::Variable } else { Origin::Parameters };
    let wanted = SetEnvironment {
        name: given.name.clone(),
        start_url: given.start_url.clone(),
        region: given.region.clone(),
        default_role_name: given.default_role_name.clone(),
        accounts: accounts.cloned(),
        ..SetEnvironment::default()
    };
    check_wanted(&wanted, origin)?;
    let start_url = given.start_url.clone().or_else(|| base.as_ref().map(|base| base.start_url.clone()));
    let region = given.region.clone().or_else(|| base.as_ref().map(|base| base.region.clone()));
    let (Some(start_url), Some(region)) = (start_url.clone(), region.clone()) else {
        let missing = missing_parameters(start_url.is_none(), region.is_none());
        return Err(Error::new(Code::EnvironmentInvalid, format!("The environment {} is not stored, so it needs {missing}.", given.name))
            .with_target(&given.name)
            .with_action(format!("Give {missing}, or store the environment with Set-SsoEnvironment or Import-SsoEnvironment.")));
    };
    let default_role_name = given.default_role_name.clone().or_else(|| base.as_ref().and_then(|base| base.default_role_name.clone()));
    let profiles = match accounts {
        Some(_) => rows_of(&wanted, default_role_name.as_deref(), origin)?,
        // A role of their own stays; the others follow the default.
        None => base.iter().flat_map(|base| base.profiles.iter().map(|profile| followed(profile, base, default_role_name.as_deref()))).collect(),
    };
    let same_portal = base.as_ref().is_some_and(|base| base.is_at(&start_url, &region));
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

/// The parameters that a new environment does not have and needs, in words.
fn missing_parameters(start_url: bool, region: bool) -> &'static str {
    match (start_url, region) {
        (true, true) => "-StartUrl and -Region",
        (true, false) => "-StartUrl",
        _ => "-Region",
    }
}

/// The rows of a table, each with the role that counts.
fn rows_of(wanted: &SetEnvironment, default_role: Option<&str>, origin: Origin<'_>) -> Result<Vec<ProfileEntry>, Error> {
    let rows = wanted.accounts.iter().flatten().enumerate().map(|(index, row)| {
        let role_name = row.role_name.as_deref().or(default_role).ok_or_else(|| {
            let what = format!("the profile {} has no role, and the environment {} no default role", row.profile, wanted.name);
            origin.row_invalid(&wanted.name, index, what).with_action("Give the row a RoleName, or the environment a -DefaultRoleName.")
        })?;
        Ok(ProfileEntry { name: row.profile.clone(), account_id: row.account_id.clone(), role_name: role_name.to_owned() })
    });
    rows.collect()
}

fn followed(profile: &ProfileEntry, base: &Environment, default_role: Option<&str>) -> ProfileEntry {
    let follows = base.default_role_name.as_ref() == Some(&profile.role_name);
    let role_name = default_role.filter(|_| follows).unwrap_or(&profile.role_name);
    ProfileEntry { role_name: role_name.to_owned(), ..profile.clone() }
}

fn check_wanted(wanted: &SetEnvironment, origin: Origin<'_>) -> Result<(), Error> {
    let name = wanted.name.as_str();
    let checks = [
        Some(check_name(name)),
        wanted.start_url.as_deref().map(check_start_url),
        wanted.region.as_deref().map(check_region),
        wanted.default_role_name.as_deref().map(check_role),
    ];
    checks.into_iter().flatten().collect::<Result<(), _>>().map_err(|what| origin.invalid(name, what))?;
    let mut rows: HashMap<&str, (usize, &AccountRow)> = HashMap::new();
    for (index, row) in wanted.accounts.iter().flatten().enumerate() {
        let role = row.role_name.as_deref().map_or(Ok(()), check_role);
        let seen = if matches!(origin, Origin::File(_)) { check_visible(&row.profile) } else { Ok(()) };
        seen.and_then(|()| check_profile_name(&row.profile))
            .and_then(|()| check_account_id(&row.profile, &row.account_id))
            .and(role)
            .map_err(|what| origin.row_invalid(name, index, what))?;
        if let Some((first, other)) = rows.insert(&row.profile, (index, row)) {
            let both = [(first, other), (index, row)].map(|(index, row)| format!("row {} (account {})", index + 1, row.account_id)).join(" and ");
            return Err(Error::new(Code::ProfileNameConflict, format!("The profile {} is in {both} of {}.", row.profile, origin.rows(name)))
                .with_target(&row.profile)
                .with_action("Give each row a different profile name."));
        }
    }
    Ok(())
}

/// The text with the environment as it is wanted, and how that reads.
fn with_environment(path: &Path, text: &[u8], wanted: &SetEnvironment) -> Result<(Zeroizing<Vec<u8>>, Changed), Error> {
    let stored = Environments::parse(path, text);
    let existing = stored.stored(&wanted.name);
    let fault = stored.fault_of(&wanted.name);
    if existing.is_none() && fault.is_none() {
        check_new(wanted)?;
    }
    check_rows_against(&stored, existing, wanted)?;
    // Where the block has a fault, the new values may be what corrects it; else a full set of values replaces the block.
    let edited = edited(text, existing, wanted);
    let Some(fault) = fault else {
        return checked(path, &stored, edited, wanted);
    };
    if wanted.keep_broken {
        return Err(fault.with_action("Correct that line; or import with -Force, which replaces the environment."));
    }
    match checked(path, &stored, edited, wanted) {
        Ok(corrected) => Ok(corrected),
        Err(_) if wanted.start_url.is_some() && wanted.region.is_some() && wanted.accounts.is_some() => {
            let (old, _) = IniText::scan_with_faults(text);
            check_rows_have_roles(wanted, None)?;
            let without = old.without(&own_indices(&old, &wanted.name));
            checked(path, &stored, self::edited(&without, None, wanted), wanted)
        }
        Err(_) => Err(fault),
    }
}

fn check_new(wanted: &SetEnvironment) -> Result<(), Error> {
    if wanted.start_url.is_some() && wanted.region.is_some() {
        return Ok(());
    }
    let missing = missing_parameters(wanted.start_url.is_none(), wanted.region.is_none());
    let what = format!("the environment {} is new, so it needs {missing}", wanted.name);
    Err(Origin::of(wanted).invalid(&wanted.name, what).with_action(format!("Run the command again with {missing}.")))
}

/// What the rows cannot be for what else is stored: without a role, or profiles of another environment.
fn check_rows_against(stored: &Environments, existing: Option<&Arc<Environment>>, wanted: &SetEnvironment) -> Result<(), Error> {
    let origin = Origin::of(wanted);
    let others = stored.all.iter().filter(|other| !same_name(&other.name, &wanted.name));
    let owners: HashMap<&str, &str> = others.flat_map(|other| other.profiles.iter().map(|profile| (profile.name.as_str(), other.name.as_str()))).collect();
    let known: HashSet<&str> = existing.iter().flat_map(|existing| &existing.profiles).map(|profile| profile.name.as_str()).collect();
    for (index, row) in wanted.accounts.iter().flatten().enumerate() {
        // What is stored already, or in a file that was shared, has its name, and goes on to work.
        if matches!(origin, Origin::Parameters) && !known.contains(row.profile.as_str()) {
            check_new_name(&row.profile).map_err(|what| origin.row_invalid(&wanted.name, index, what))?;
        }
        if let Some(owner) = owners.get(row.profile.as_str()) {
            let what = format!("the profile {} belongs to the environment {owner} already; a profile can have one account and role only", row.profile);
            let action = format!("Give it another name, or remove it there with Remove-SsoProfile -Environment {owner} -ProfileName '{}'.", row.profile);
            return Err(origin.row_invalid(&wanted.name, index, what).with_action(action));
        }
    }
    if stored.fault_of(&wanted.name).is_some() {
        return Ok(());
    }
    check_rows_have_roles(wanted, existing.and_then(|environment| environment.default_role_name.as_deref()))
}

fn check_rows_have_roles(wanted: &SetEnvironment, stored_default: Option<&str>) -> Result<(), Error> {
    rows_of(wanted, wanted.default_role_name.as_deref().or(stored_default), Origin::of(wanted)).map(drop)
}

/// The new text where the environment can be read from it, and every other one as before.
fn checked(path: &Path, before: &Environments, new: Zeroizing<Vec<u8>>, wanted: &SetEnvironment) -> Result<(Zeroizing<Vec<u8>>, Changed), Error> {
    let after = Environments::parse(path, &new);
    check_others(before, &after, &wanted.name)?;
    match (after.stored(&wanted.name), after.faults.iter().find(|fault| fault.is_of(&wanted.name))) {
        (Some(environment), _) => {
            let known: HashSet<&str> = before.stored(&wanted.name).iter().flat_map(|before| &before.profiles).map(|profile| profile.name.as_str()).collect();
            let names = environment.profiles.iter().map(|profile| &profile.name);
            let added = names.filter(|name| !known.contains(name.as_str())).cloned().collect();
            Ok((new, Changed { environment: environment.view(), added }))
        }
        (None, fault) => {
            let what = fault.map_or_else(|| "it could not be read back".to_owned(), |fault| fault.what.clone());
            Err(Origin::of(wanted).invalid(&wanted.name, what))
        }
    }
}

/// Makes sure that a change of one environment is none of any other, whatever the text was like.
fn check_others(before: &Environments, after: &Environments, name: &str) -> Result<(), Error> {
    let others = |all: &'_ Environments| all.all.iter().filter(|other| !same_name(&other.name, name)).cloned().collect::<Vec<_>>();
    if others(before) == others(after) {
        return Ok(());
    }
    Err(Error::new(Code::EnvironmentInvalid, format!("{} cannot be changed: the change would affect other environments.", before.path.display()))
        .with_target(name)
        .with_action("Get-SsoEnvironment shows which lines of the file are wrong. Correct them, then run the command again."))
}

/// The text with the wanted values in it, in the sections that the environment has.
fn edited(text: &[u8], existing: Option<&Arc<Environment>>, wanted: &SetEnvironment) -> Zeroizing<Vec<u8>> {
    let (text, _) = IniText::scan_with_faults(text);
    // Sections are found by the name as it is written there.
    let own = own_sections(&text, &wanted.name);
    let header = own.iter().find(|(_, parsed)| matches!(parsed, SectionName::Environment(_)));
    let name = match (existing, header) {
        (Some(environment), _) => environment.name.as_str(),
        (None, Some((_, parsed))) => parsed.environment(),
        (None, None) => wanted.name.as_str(),
    };
    let section_of = |profile: &str| {
        let same = |parsed: &SectionName<'_>| matches!(parsed, SectionName::Profile(_, other) if *other == profile);
        own.iter().find(|(_, parsed)| same(parsed)).map_or_else(|| format!("environment {name} profile {profile}"), |(written, _)| (*written).to_owned())
    };
    let header = header.map_or_else(|| format!("environment {name}"), |(written, _)| (*written).to_owned());
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
        edits.push(SectionEdit { section, set, remove, behind: last_own, ..SectionEdit::default() });
    }
    let mut removed = Vec::new();
    if wanted.accounts.is_some() {
        removed.extend(
            own.iter().filter(|(written, parsed)| matches!(parsed, SectionName::Profile(..)) && !sections.iter().any(|s| s == written)).map(|(w, _)| *w),
        );
    }
    text.edited(&edits, &removed)
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
        let decoded = decoded(file.path(), bytes.unwrap_or_default())?;
        let stored = Environments::parse(file.path(), &decoded);
        let environment = stored.stored(name).ok_or_else(|| not_stored(name, &stored, world))?;
        let TableChange { added, removed } = change(&stored, environment)?;
        if added.is_empty() && removed.is_empty() {
            return Ok(None);
        }
        let (text, _) = IniText::scan_with_faults(&decoded);
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
        let after = Environments::parse(file.path(), &new);
        check_others(&stored, &after, name)?;
        after.fault_of(name).map_or(Ok(()), Err)?;
        Ok((*new != *decoded).then_some(new))
    };
    change_file(&file, check_only, patience, edit)
}

/// Changes the file under its lock. The edit is tried before, so that no lock is made for nothing or for what cannot be.
fn change_file(
    file: &SafeFile,
    check_only: bool,
    patience: &Patience,
    mut edit: impl FnMut(Option<&[u8]>) -> Result<Option<Zeroizing<Vec<u8>>>, Error>,
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
    if let Some(error) = stored.fault_of(name) {
        return error;
    }
    // Where the config file cannot be read, the name is in neither file as far as anybody can tell.
    let config = ConfigFile::read(world).unwrap_or_default();
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
        let decoded = decoded(file.path(), bytes.unwrap_or_default())?;
        let stored = Environments::parse(file.path(), &decoded);
        if stored.stored(name).is_none() && stored.fault_of(name).is_none() {
            return Err(not_stored(name, &stored, world));
        }
        let (text, _) = IniText::scan_with_faults(&decoded);
        let new = text.without(&own_indices(&text, name));
        check_others(&stored, &Environments::parse(file.path(), &new), name)?;
        Ok(Some(new))
    };
    change_file(&file, check_only, patience, edit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::files::safe_write::FILE_LOCK_LIMIT;
    use crate::world::test_world;

    const ACME: &str = "# ours\n[environment Acme]\nsso_start_url = https://d-12345abcde.awsapps.com/start/\nsso_region = us-west-2\n\
        default_role_name = AWSAdministratorAccess\n\n[environment Acme profile Account1]\nsso_account_id = 012345678901\n\n\
        [environment Acme profile Account 2]\nsso_account_id = 123456789012\nsso_role_name = AWSReadOnlyAccess\n";

    fn patience() -> Patience {
        Patience::new(Some(FILE_LOCK_LIMIT), CancellationToken::new())
    }

    fn error_of(text: &str) -> String {
        let errors: Vec<Error> = Environments::parse(Path::new("file"), text.as_bytes()).faults().collect();
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
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
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes());
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
                "file, line 10: the section [environment Acme profile Account1] is defined a second time",
            ),
            (ACME.replace("Acme profile Account 2", "acme profile Account1"), "file, line 10: the profile Account1 is on line 7 already"),
            (ACME.replace("Acme profile Account 2", "Other profile X"), "file, line 10: there is no [environment Other]"),
            (ACME.replace("[environment Acme profile Account1]", "[profile x]"), "file, line 7: [profile x] is neither"),
            (ACME.replace("Account 2", "DEFAULT"), "file, line 10: DEFAULT in upper case"),
        ];
        for (text, expected) in cases {
            let error = error_of(&text);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_unknown_environment_names_those_that_there_are() {
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes());
        let (_home, world) = test_world();
        let error = environments.find("Amce", &world).unwrap_err();
        assert_eq!(error.code(), Code::EnvironmentNotFound);
        assert_eq!(error.to_string(), "No environment is named Amce. Did you mean Acme?");
    }

    #[test]
    fn set_makes_the_file_and_setting_the_same_again_changes_nothing() {
        let (home, world) = test_world();
        let view = set(&world, &acme(), &patience()).unwrap().environment;
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
        let view = set(&world, &wanted, &patience()).unwrap().environment;
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
            (
                change(&|w| w.accounts = Some(vec![row("A", "12345678901", None)])),
                Code::EnvironmentInvalid,
                "Row 1 of -Account: the account id \"12345678901\"",
            ),
            (
                change(&|w| w.accounts = Some(vec![row("A", "012345678901 ", None)])),
                Code::EnvironmentInvalid,
                "Row 1 of -Account: the account id \"012345678901 \"",
            ),
            (
                change(&|w| w.accounts = Some(vec![row("A", "012345678901", None), row("A", "012345678902", None)])),
                Code::ProfileNameConflict,
                "The profile A is in row 1 (account 012345678901) and row 2 (account 012345678902) of -Account.",
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
    fn a_start_url_leads_to_one_portal_however_it_is_copied() {
        let written = "https://d-12345abcde.awsapps.com/start";
        for same in [
            "https://d-12345abcde.awsapps.com/start/",
            "https://d-12345abcde.awsapps.com/start//",
            "https://d-12345abcde.awsapps.com/start#/",
            "https://d-12345abcde.awsapps.com/start/#/",
            "https://d-12345abcde.awsapps.com/start/#/?tab=accounts",
            "https://d-12345abcde.awsapps.com/start?tab=accounts",
            "https://D-12345ABCDE.awsapps.com/start",
            "HTTPS://d-12345abcde.awsapps.com:443/start/",
        ] {
            assert!(same_start_url(written, same) && same_start_url(same, written), "{same}");
        }
        for other in [
            "https://d-12345abcde.awsapps.com/start2",
            "https://d-12345abcde.awsapps.com/",
            "https://d-12345abcdf.awsapps.com/start",
            "https://d-12345abcde.awsapps.com:8443/start",
            "http://d-12345abcde.awsapps.com/start",
            "d-12345abcde.awsapps.com/start",
            "",
        ] {
            assert!(!same_start_url(written, other), "{other}");
        }
        assert_eq!(portal_url("https://example.com"), portal_url("https://EXAMPLE.com/#/"));
        for (written, requested) in [
            ("https://example.com/start", "https://example.com/start"),
            ("https://example.com/start/", "https://example.com/start/"),
            ("https://example.com", "https://example.com"),
            ("https://example.com/start#/", "https://example.com/start"),
            ("https://EXAMPLE.com/start/#/?tab=accounts", "https://example.com/start/"),
        ] {
            assert_eq!(requested_url(written), requested);
        }
    }

    #[test]
    fn a_start_url_with_something_before_its_host_is_refused_with_the_host_that_it_leads_to() {
        for url in [
            "https://acme.awsapps.com@example.com/start",
            "https://acme.awsapps.com:443@example.com/start",
            "https://acme:secret@example.com/start",
            "https://@example.com/start",
            "https://:@example.com",
            "https:/acme.awsapps.com@example.com/start",
            "https:acme.awsapps.com@example.com",
            "https:////acme.awsapps.com@example.com/start",
            "https:\\\\acme.awsapps.com@example.com\\start",
            "HTTPS://acme.awsapps.com@EXAMPLE.com?x=/start",
            "https://acme.awsapps.com%40x@example.com#/start",
            "https://a@acme.awsapps.com@example.com/start",
        ] {
            let error = check_start_url(url).unwrap_err();
            assert!(error.contains("leads to the host example.com"), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
        for url in ["https://example.com/start/@x", "https://example.com/start?mail=a@example.com", "https://example.com/#/a@b"] {
            assert_eq!(check_start_url(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn the_host_of_a_start_url_is_shown_as_the_name_server_has_it() {
        for (url, host) in [
            ("https://D-12345abcde.awsapps.com/start/", "d-12345abcde.awsapps.com"),
            ("https://example.com:443/start", "example.com"),
            ("https://example.com:8443/start", "example.com:8443"),
            ("http://[::1]:80/", "[::1]"),
            ("https://\u{430}cme.awsapps.com/start", "xn--cme-5cd.awsapps.com"),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    /// Hidden characters that a name in a file can have; the others end its line.
    const HIDDEN: [char; 8] = ['\u{1b}', '\u{ad}', '\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}'];

    #[test]
    fn a_name_with_a_hidden_character_stops_the_environment_that_it_belongs_to_and_no_other() {
        for c in HIDDEN {
            let code = format!("<U+{:04X}>", u32::from(c));
            for (written, hidden) in [("environment Acme]", format!("environment A{c}cme]")), ("profile Account 2]", format!("profile Account{c} 2]"))] {
                let text = format!(
                    "{}\n[environment Other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-west-2\n",
                    ACME.replace(written, &hidden)
                );
                let environments = Environments::parse(Path::new("file"), text.as_bytes());
                let names: Vec<&str> = environments.all.iter().map(|environment| environment.name.as_str()).collect();
                assert_eq!(names, ["Other"], "{code}");
                let errors = environments.faults().map(|error| error.to_string()).collect::<Vec<_>>();
                assert!(errors.iter().any(|error| error.contains(&code)) && !errors.concat().contains(c), "{errors:?}");
            }
        }
    }

    #[test]
    fn a_name_with_a_hidden_character_is_neither_imported_nor_set() {
        let (home, world) = test_world();
        for c in HIDDEN {
            for file in [None, Some("team.json".to_owned())] {
                let hidden_name = SetEnvironment { name: format!("Ac{c}me"), imported_from: file.clone(), ..acme() };
                let hidden_profile = SetEnvironment { accounts: Some(vec![row(&format!("pr{c}od"), "012345678901", None)]), imported_from: file, ..acme() };
                for wanted in [hidden_name, hidden_profile] {
                    let error = set(&world, &wanted, &patience()).unwrap_err();
                    assert_eq!(error.code(), Code::EnvironmentInvalid);
                    let codes = [format!("U+{:04X}", u32::from(c)), c.escape_unicode().to_string()];
                    let sentence = error.to_string();
                    assert!(codes.iter().any(|code| sentence.contains(code)) && !sentence.contains(c), "{sentence}");
                }
            }
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
