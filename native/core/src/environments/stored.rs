//! The stored environments, `~/.aws/sso-environments`, read block by block so that a fault disables only one environment.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::environments::environment::Environment;
use crate::environments::regions::check_region;
use crate::environments::start_url::check_start_url;
use crate::environments::sync_settings::{self, SYNC_KEYS};
use crate::error::{Code, Error};
use crate::files::file_memory::FileMemory;
use crate::files::ini_text::{Fault, IniText, Key, Section};
use crate::files::safe_write::SafeFile;
use crate::names::profile::{ProfileEntry, ProfileSettings, check_account_id, check_output, check_profile_name, check_role};
use crate::names::same_name;
use crate::protocol::{CredentialsFileUse, TokenCache};
use crate::text::check_visible;
use crate::text_encoding;
use crate::world::World;

const KEYS: [&str; 8] =
    ["sso_start_url", "sso_region", "default_role_name", "profile_region", "profile_output", "token_cache", "credentials_file", "sso_session"];
const PROFILE_KEYS: [&str; 4] = ["sso_account_id", "sso_role_name", "region", "output"];

/// What this process last read from each file.
static CACHE: LazyLock<FileMemory<Environments>> = LazyLock::new(FileMemory::default);

/// All stored environments, and the file that they are in.
#[derive(Debug, Clone)]
pub(crate) struct Environments {
    pub(crate) path: PathBuf,
    /// The usable environments, in the order of the file.
    pub(crate) all: Vec<Arc<Environment>>,
    pub(super) faults: Vec<BlockFault>,
}

/// Why a block of the file cannot be used; it disables only the environment that the block belongs to.
#[derive(Debug, Clone)]
pub(super) struct BlockFault {
    /// The environment that the block names; `None` if it names none.
    pub(super) environment: Option<String>,
    /// The line, counted from 1.
    line: usize,
    pub(super) what: String,
}

impl BlockFault {
    pub(super) fn error(&self, path: &Path) -> Error {
        let action = match &self.environment {
            Some(name) if check_visible(name).is_ok() => format!(
                "Correct that line, replace the environment with Set-SsoEnvironment -Name {name} -StartUrl … -Region … -Account …, or remove it with Remove-SsoEnvironment -Name {name}."
            ),
            _ => "Correct that line, or remove it.".to_owned(),
        };
        Error::new(Code::EnvironmentInvalid, format!("{}, line {}: {}.", path.display(), self.line, self.what))
            .with_target(path.display().to_string())
            .with_action(action)
    }

    pub(super) fn is_of(&self, name: &str) -> bool {
        self.environment.as_ref().is_some_and(|environment| same_name(environment, name))
    }
}

/// The variable that names another file than `~/.aws/sso-environments`.
pub(crate) const ENVIRONMENTS_FILE: &str = "AWS_SSO_ENVIRONMENTS_FILE";

pub(super) fn file(world: &World) -> Result<SafeFile, Error> {
    Ok(SafeFile::at(&path_of(world)?, &world.wait_limit))
}

fn path_of(world: &World) -> Result<PathBuf, Error> {
    world.aws_file(ENVIRONMENTS_FILE, "sso-environments")
}

impl Environments {
    /// Reads what is stored; a missing file stores nothing.
    pub(crate) fn read(world: &World) -> Result<Arc<Self>, Error> {
        let file = file(world)?;
        CACHE.of(&file, |bytes| Ok(Self::parse(file.path(), &decoded(file.path(), bytes)?)))
    }

    /// What this process last read of the file; `None` if it has not read it.
    pub(crate) fn last_read(world: &World) -> Option<Arc<Self>> {
        CACHE.last(&path_of(world).ok()?)
    }

    pub(super) fn parse(path: &Path, text: &[u8]) -> Self {
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
            } else if let Some(key) = text.key_not_utf8(section) {
                blocks.refuse(environment, key.line(), format_args!("the value of {} is not UTF-8 text; save the file as UTF-8", key.name));
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

    /// The stored environment with this name, compared without case.
    pub(crate) fn stored(&self, name: &str) -> Option<&Arc<Environment>> {
        self.all.iter().find(|environment| same_name(&environment.name, name))
    }

    /// The names of all environments in the file, also of those that cannot be used.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let faulty = self.faults.iter().filter_map(|fault| fault.environment.as_deref());
        self.all.iter().map(|environment| environment.name.as_str()).chain(faulty)
    }

    /// Why the stored environment with this name cannot be used; `None` if it can.
    pub(crate) fn fault_of(&self, name: &str) -> Option<Error> {
        self.faults.iter().find(|fault| fault.is_of(name)).map(|fault| fault.error(&self.path))
    }

    /// The errors of the file, one for each environment that cannot be used.
    pub(crate) fn faults(&self) -> impl Iterator<Item = Error> {
        self.faults.iter().map(|fault| fault.error(&self.path))
    }
}

/// What a section name means.
pub(super) enum SectionName<'n> {
    Environment(&'n str),
    Profile(&'n str, &'n str),
}

impl<'n> SectionName<'n> {
    pub(super) fn environment(&self) -> &'n str {
        let (Self::Environment(name) | Self::Profile(name, _)) = self;
        name
    }

    /// Checks for hidden characters: the file may come from somebody else, and a name in it must not look like another one.
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

/// The text of the file as UTF-8 without a byte order mark; Windows PowerShell writes other encodings.
pub(super) fn decoded<'b>(path: &Path, bytes: &'b [u8]) -> Result<Cow<'b, [u8]>, Error> {
    text_encoding::decoded(bytes).map_err(|what| unreadable(path, format_args!("{what}, which cannot be read")))
}

/// The file has an encoding in which it cannot be read or changed.
pub(super) fn unreadable(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::new(Code::EnvironmentInvalid, format!("{} is {what}.", path.display()))
        .with_target(path.display().to_string())
        .with_action("Save the file as UTF-8, then run the command again.")
}

/// The blocks of the file while it is read.
struct Blocks<'t> {
    text: &'t IniText<'t>,
    path: &'t Path,
    found: Vec<StoredBlock>,
    /// The index of each environment in `found`, by its lowercase name.
    places: HashMap<String, usize>,
    faults: Vec<BlockFault>,
    /// The environments that have faults, by their lowercase names.
    refused: HashSet<Option<String>>,
}

struct StoredBlock {
    environment: Environment,
    line: usize,
    /// The line of each profile.
    lines: HashMap<String, usize>,
}

/// A fault and its line.
type LineFault = (usize, String);

impl Blocks<'_> {
    /// Keeps the first fault of each environment, and the first that belongs to no environment.
    fn refuse(&mut self, environment: Option<&str>, line: usize, what: impl std::fmt::Display) {
        if self.refused.insert(environment.map(str::to_lowercase)) {
            self.faults.push(BlockFault { environment: environment.map(str::to_owned), line, what: what.to_string() });
        }
    }

    fn add_environment(&mut self, section: &Section, name: &str) {
        if let Some(place) = self.places.get(&name.to_lowercase()) {
            let first = self.found[*place].line;
            return self.refuse(Some(name), section.line(), format_args!("the environment {name} is already defined on line {first}, in a different case"));
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
            let what = format!("the profile {profile} is already defined on line {first}; a profile can have only one account and role");
            return self.refuse(Some(name), section.line(), what);
        }
        match profile_of(self.text, section, profile, &block.environment) {
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

/// The indices of an environment's sections; the name is compared without case.
pub(super) fn own_indices(text: &IniText<'_>, environment: &str) -> Vec<usize> {
    let is_own = |section: &Section| SectionName::of(&section.name_lossy()).is_some_and(|parsed| same_name(parsed.environment(), environment));
    text.sections.iter().enumerate().filter(|(_, section)| is_own(section)).map(|(index, _)| index).collect()
}

/// An environment's sections, each with its written name and the meaning of that; the name is compared without case.
pub(super) fn own_sections<'t>(text: &'t IniText<'_>, environment: &str) -> Vec<(&'t str, SectionName<'t>)> {
    let sections = text.sections.iter().filter_map(Section::name).filter_map(|written| Some((written, SectionName::of(written)?)));
    sections.filter(|(_, parsed)| same_name(parsed.environment(), environment)).collect()
}

fn known_keys(section: &Section, known: &[&str]) -> Result<(), LineFault> {
    match section.keys.iter().find(|key| !known.contains(&&*key.name)) {
        Some(key) => Err((key.line(), format!("the key {} is not valid here; the valid keys are {}", key.name, known.join(", ")))),
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
    known_keys(section, &[&KEYS[..], &SYNC_KEYS].concat())?;
    let at = |key: &str| {
        let line = line_of(section, key);
        move |what: String| (line, what)
    };
    let needed = |key: &str| value(text, section, key).ok_or_else(|| at(key)(format!("the environment {name} needs {key}")));
    let not_a_place = || at("token_cache")(format!("token_cache must be {}", TokenCache::NAMES));
    let token_cache = value(text, section, "token_cache").map(|written| TokenCache::named(&written).ok_or_else(not_a_place)).transpose()?;
    let credentials_file = match value(text, section, "credentials_file").map(|written| written.to_ascii_lowercase()).as_deref() {
        None | Some("always") => CredentialsFileUse::Always,
        Some("never") => CredentialsFileUse::Never,
        Some(_) => return Err(at("credentials_file")("credentials_file must be Always or Never".to_owned())),
    };
    let environment = Environment {
        name: name.to_owned(),
        start_url: needed("sso_start_url")?,
        region: needed("sso_region")?,
        default_role_name: value(text, section, "default_role_name"),
        defaults: settings_of(text, section, ["profile_region", "profile_output"])?,
        sync: sync_settings::read(|key| value(text, section, key)).map_err(|(key, what)| (line_of(section, key), what))?,
        credentials_file,
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

/// The settings in a section, under these names of region and output format.
fn settings_of(text: &IniText<'_>, section: &Section, [region, output]: [&str; 2]) -> Result<ProfileSettings, LineFault> {
    let checked = |key: &str, check: fn(&str) -> Result<(), String>| {
        let value = value(text, section, key);
        value.as_deref().map_or(Ok(()), check).map_err(|what| (line_of(section, key), what)).map(|()| value)
    };
    Ok(ProfileSettings { region: checked(region, check_region)?, output: checked(output, check_output)? })
}

fn profile_of(text: &IniText<'_>, section: &Section, name: &str, environment: &Environment) -> Result<ProfileEntry, LineFault> {
    known_keys(section, &PROFILE_KEYS)?;
    let account_id = value(text, section, "sso_account_id").unwrap_or_default();
    check_profile_name(name).map_err(|what| (section.line(), what))?;
    check_account_id(name, &account_id).map_err(|what| (line_of(section, "sso_account_id"), what))?;
    let at_role = |what: String| (line_of(section, "sso_role_name"), what);
    let role_name = value(text, section, "sso_role_name")
        .or_else(|| environment.default_role_name.clone())
        .ok_or_else(|| at_role(format!("the profile {name} has no sso_role_name, and its environment has no default_role_name")))?;
    check_role(&role_name).map_err(at_role)?;
    let settings = settings_of(text, section, ["region", "output"])?.or(&environment.defaults);
    Ok(ProfileEntry { name: name.to_owned(), account_id, role_name, settings })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in super::super) const ACME: &str = "# ours\n[environment Acme]\nsso_start_url = https://d-12345abcde.awsapps.com/start/\nsso_region = us-west-2\n\
        default_role_name = AWSAdministratorAccess\n\n[environment Acme profile Account1]\nsso_account_id = 012345678901\n\n\
        [environment Acme profile Account 2]\nsso_account_id = 123456789012\nsso_role_name = AWSReadOnlyAccess\n";

    fn error_of(text: &str) -> String {
        let errors: Vec<Error> = Environments::parse(Path::new("file"), text.as_bytes()).faults().collect();
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(error.code(), Code::EnvironmentInvalid);
        error.to_string()
    }

    #[test]
    fn an_environment_is_read_in_full() {
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes());
        let acme = environments.stored("ACME").unwrap();
        let roles: Vec<_> = acme.profiles.iter().map(|p| (p.name.as_str(), p.account_id.as_str(), p.role_name.as_str())).collect();
        assert_eq!(roles, [("Account1", "012345678901", "AWSAdministratorAccess"), ("Account 2", "123456789012", "AWSReadOnlyAccess")]);
    }

    #[test]
    fn every_fault_is_reported_with_file_and_line() {
        let cases = [
            (ACME.replace("012345678901", "01234567890"), "file, line 8: the account id \"01234567890\" of the profile Account1 has 11 digits"),
            (ACME.replace("https://d", "http://d"), "file, line 3: the start URL \"http://d-12345abcde.awsapps.com/start/\" must be an https URL"),
            (ACME.replace("default_role_name", "role"), "file, line 5: the key role is not valid here"),
            (ACME.replace("default_role_name", "#"), "file, line 7: the profile Account1 has no sso_role_name"),
            (ACME.replace("sso_region", "#"), "file, line 2: the environment Acme needs sso_region"),
            (
                ACME.replace("Acme profile Account 2", "Acme profile Account1"),
                "file, line 10: the section [environment Acme profile Account1] is already defined",
            ),
            (ACME.replace("Acme profile Account 2", "acme profile Account1"), "file, line 10: the profile Account1 is already defined on line 7"),
            (ACME.replace("Acme profile Account 2", "Other profile X"), "file, line 10: there is no [environment Other]"),
            (ACME.replace("[environment Acme profile Account1]", "[profile x]"), "file, line 7: [profile x] is neither"),
            (ACME.replace("Account 2", "DEFAULT"), "file, line 10: DEFAULT in upper case"),
        ];
        for (text, expected) in cases {
            let error = error_of(&text);
            assert!(error.starts_with(expected), "{error}");
        }
    }

    /// Hidden characters that a name in a file can contain; the others end its line.
    pub(in super::super) const HIDDEN: [char; 8] = ['\u{1b}', '\u{ad}', '\u{200b}', '\u{200d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{e0041}'];

    #[test]
    fn a_name_with_a_hidden_character_disables_only_its_own_environment() {
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
    fn the_advice_for_a_block_has_its_name_unless_that_looks_like_another_one() {
        let action = |text: &str| Environments::parse(Path::new("file"), text.as_bytes()).faults().next().unwrap().action().unwrap().to_owned();
        let broken = ACME.replace("sso_region", "region");
        assert!(action(&broken).contains("Remove-SsoEnvironment -Name Acme"), "{}", action(&broken));
        assert_eq!(action(&broken.replace("environment Acme", "environment Ac\u{200b}me")), "Correct that line, or remove it.");
    }
}
