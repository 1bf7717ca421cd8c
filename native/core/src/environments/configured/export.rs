//! What `Export-SsoProfile` writes to the config file: sections with its mark, and no byte of anybody else.

mod overruled;
pub(crate) mod rename;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::environments::configured::botocore::{ConfigText, profile_in};
use crate::environments::configured::export::overruled::Overruling;
use crate::environments::configured::provider::Provider;
use crate::environments::configured::{CACHE, ConfigFile, path_of, read_text};
use crate::environments::environment::Environment;
use crate::environments::start_url::same_start_url;
use crate::error::{Code, Error};
use crate::files::ini_text::{IniText, Section, SectionEdit};
use crate::files::known_keys::{DEFAULT, KnownProfile, MARK, is_source_of_keys};
use crate::names::hazards::hazard;
use crate::names::profile::ProfileEntry;
use crate::names::same_name;
use crate::secret::SecretBytes;
use crate::world::World;

/// The keys of a profile that this module writes, besides its settings. The mark is the last.
const PROFILE_KEYS: [&str; 5] = ["credential_process", "sso_session", "sso_account_id", "sso_role_name", MARK];

/// The mark of a session. Not [`MARK`]: botocore refuses a profile if one of its keys has another value in its session, which several environments can use.
const SESSION_MARK: &str = "x_sso_session_environment";

const SESSION_KEYS: [&str; 4] = ["sso_start_url", "sso_region", "sso_registration_scopes", SESSION_MARK];

/// The scope that a session needs for a refresh token.
const SCOPES: &str = "sso:account:access";

/// How AWS tools get the keys of exported profiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// By this program, a path that needs no quotation marks.
    Process {
        program: String,
    },
    Session,
}

/// What to write.
#[derive(Debug, Clone)]
pub(crate) struct Export<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) profiles: Vec<&'a ProfileEntry>,
    pub(crate) way: Way,
    /// If given, its marked sections of profiles that the environment does not have are removed, except these.
    pub(crate) pruned_but: Option<HashSet<&'a str>>,
    /// Whose marked sections are somebody's: of any other environment they are left from one that is gone.
    pub(crate) stored: StoredNames,
}

/// The environments that exist.
#[derive(Debug, Clone)]
pub(crate) enum StoredNames {
    /// These, in lowercase, and no others.
    Only(HashSet<String>),
    /// Perhaps others in another file.
    Unknown,
}

impl StoredNames {
    /// Whether no environment has this name.
    pub(crate) fn is_without(&self, name: &str) -> bool {
        matches!(self, Self::Only(names) if !names.contains(&name.to_lowercase()))
    }
}

/// What an export does with the file.
#[derive(Debug, Default)]
pub(crate) struct Exporting {
    pub(crate) changes: Vec<ProfileChange>,
    /// One for each profile that was left alone.
    pub(crate) conflicts: Vec<Error>,
    /// The new text, if it is another one.
    pub(crate) text: Option<SecretBytes>,
}

/// What an export does with a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProfileChange {
    pub(crate) profile: String,
    pub(crate) kind: ChangeKind,
    /// The keys that are added, changed or removed.
    pub(crate) keys: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Added,
    Changed,
    Unchanged,
    Removed,
}

/// The edit of one section.
struct Edit {
    header: String,
    set: Vec<(&'static str, String)>,
    remove: Vec<&'static str>,
}

impl Edit {
    /// The keys that differ from what the section has.
    fn differences(&self, text: &IniText<'_>, section: &Section) -> Vec<String> {
        let is_other = |(name, value): &&(&'static str, String)| text.value_of(section, name).is_none_or(|written| *written != *value);
        let set = self.set.iter().filter(is_other).map(|(name, _)| *name);
        set.chain(self.remove.iter().copied().filter(|name| section.key(name).is_some())).map(str::to_owned).collect()
    }

    fn as_section_edit(&self) -> SectionEdit<'_> {
        let set = self.set.iter().map(|(name, value)| (*name, value.as_str())).collect();
        SectionEdit { section: &self.header, set, remove: &self.remove, ..SectionEdit::default() }
    }
}

/// Whether a name can be an argument in a `credential_process` line on every system, and is found by every SDK.
pub(crate) fn is_plain_argument(name: &str) -> bool {
    hazard(name).is_none() && !name.contains('%') && !name.starts_with('-') && !name.is_empty()
}

impl Export<'_> {
    /// What the export does with a text of the file; `path` is for messages.
    ///
    /// # Errors
    /// No AWS tool can read the text, or the environment's session cannot be written.
    pub(crate) fn apply(&self, path: &Path, bytes: &[u8]) -> Result<Exporting, Error> {
        let config = read_text(path, bytes)?;
        let text = &config.text;
        let mut exporting = Exporting::default();
        let mut edits = Vec::new();
        let (session, session_edit) = if self.way == Way::Session { self.session(path, &config)? } else { Default::default() };
        let sections = profile_sections(text);
        for profile in &self.profiles {
            let found = sections.get(profile.name.as_str()).map_or(&[][..], Vec::as_slice);
            match self.edit_of(profile, &session, path, text, found) {
                Ok((change, edit)) => {
                    exporting.changes.push(change);
                    edits.extend(edit);
                }
                Err(conflict) => exporting.conflicts.push(conflict),
            }
        }
        if !exporting.changes.is_empty() {
            edits.splice(0..0, session_edit);
        }
        let mut removed = Vec::new();
        self.prune(text, &sections, &mut exporting, &mut edits, &mut removed);
        let edits: Vec<SectionEdit<'_>> = edits.iter().map(Edit::as_section_edit).collect();
        let edited = text.edited(&edits, &removed);
        let mut touched: HashSet<&str> = edits.iter().map(|edit| edit.section).chain(removed.iter().copied()).collect();
        let unused = if self.pruned_but.is_some() { self.unused_sessions(path, &edited)? } else { Vec::new() };
        let new = if unused.is_empty() {
            edited
        } else {
            touched.extend(unused.iter().map(String::as_str));
            without_sessions(&edited, &unused).map_or(edited, |text| text)
        };
        self.check(path, bytes, &new, &touched, &exporting)?;
        exporting.text = (*new != *bytes).then_some(new);
        Ok(exporting)
    }

    /// The session that the profiles use, and its edit, if it needs one.
    fn session(&self, path: &Path, config: &ConfigText<'_>) -> Result<(String, Option<Edit>), Error> {
        let defaults = config.defaults();
        let environment = self.environment;
        let text_of = |named, key| config.values(named, &defaults).text(key);
        let is_at = |named| {
            let start_url = text_of(named, "sso_start_url");
            start_url.is_some_and(|url| same_start_url(&url, &environment.start_url)) && text_of(named, "sso_region").as_ref() == Some(&environment.region)
        };
        let is_wanted = |name: &String| environment.sso_session.as_ref().is_none_or(|wanted| wanted == name);
        if let Some(there) = config.sso_sessions.iter().find(|named| is_wanted(&named.name) && is_at(*named)) {
            return Ok((there.name.clone(), None));
        }
        let name = environment.sso_session.as_ref().unwrap_or(&environment.name);
        let there = config.sso_sessions.iter().find(|named| named.name == *name);
        let header = match there {
            Some(named) => {
                let section = named.section(&config.text);
                let mark = config.text.value_of(section, SESSION_MARK);
                if !mark.is_some_and(|mark| self.owns(&mark)) {
                    let what = format!("{}, line {}: the sso-session {name} has another start URL or region.", path.display(), section.line());
                    return Err(Error::new(Code::EnvironmentInvalid, what.clone())
                        .with_target(&environment.name)
                        .with_action(format!("Rename it, or export the profiles of {} with -As CredentialProcess.", environment.name)));
                }
                section.name_lossy().into_owned()
            }
            None if is_plain_argument(name) => format!("sso-session {name}"),
            None => {
                return Err(Error::new(Code::EnvironmentInvalid, format!("No sso-session can be named {name:?}, because not every SDK would find it."))
                    .with_target(&environment.name)
                    .with_action("Use -As CredentialProcess."));
            }
        };
        let values = [&environment.start_url, &environment.region, SCOPES, &environment.name].map(str::to_owned);
        Ok((name.clone(), Some(Edit { header, set: SESSION_KEYS.into_iter().zip(values).collect(), remove: Vec::new() })))
    }

    /// The edit of a profile's section, if it needs one.
    ///
    /// # Errors
    /// The file has something else for the profile, which stays.
    fn edit_of(
        &self,
        profile: &ProfileEntry,
        session: &str,
        path: &Path,
        text: &IniText<'_>,
        found: &[&Section],
    ) -> Result<(ProfileChange, Option<Edit>), Error> {
        let section = match found {
            [] => None,
            [section] => Some(*section),
            [_, second, ..] => return Err(conflict(path, second, profile, "the file has two sections for it", "Remove one of them")),
        };
        let known = section.map_or_else(KnownProfile::default, |section| KnownProfile::of(text, section));
        if let Some(section) = section {
            self.check_ownership(path, section, &known, profile)?;
        }
        let settings = known.setting_edits(profile);
        let mut set = self.values_of(profile, session);
        let remove = PROFILE_KEYS.into_iter().filter(|key| !set.iter().any(|(name, _)| name == key)).chain(settings.remove).collect();
        set.extend(settings.set.into_iter().map(|(name, value)| (name, value.to_owned())));
        let header = section.map_or_else(|| header_of(&profile.name), |section| section.name_lossy().into_owned());
        let edit = Edit { header, set, remove };
        let (kind, keys) = match section {
            None => (ChangeKind::Added, edit.set.iter().map(|(name, _)| (*name).to_owned()).collect()),
            Some(section) => {
                let keys = edit.differences(text, section);
                (if keys.is_empty() { ChangeKind::Unchanged } else { ChangeKind::Changed }, keys)
            }
        };
        let edit = (kind != ChangeKind::Unchanged).then_some(edit);
        Ok((ProfileChange { profile: profile.name.clone(), kind, keys }, edit))
    }

    fn values_of(&self, profile: &ProfileEntry, session: &str) -> Vec<(&'static str, String)> {
        let mark = (MARK, self.environment.name.clone());
        match &self.way {
            Way::Process { program } => vec![("credential_process", line(program, self.environment, profile)), mark],
            Way::Session => {
                vec![("sso_session", session.to_owned()), ("sso_account_id", profile.account_id.clone()), ("sso_role_name", profile.role_name.clone()), mark]
            }
        }
    }

    /// Checks that a section has no credentials of another source.
    fn check_ownership(&self, path: &Path, section: &Section, known: &KnownProfile, profile: &ProfileEntry) -> Result<(), Error> {
        if let Some(other) = known.environment.as_ref().filter(|mark| !self.owns(mark)) {
            return Err(conflict(path, section, profile, &format!("its section was exported from the environment {other}"), "Remove that section"));
        }
        let is_ours = |key: &str| known.environment.is_some() && PROFILE_KEYS.contains(&key);
        match section.keys.iter().find(|key| is_source_of_keys(&key.name) && !is_ours(&key.name)) {
            Some(key) => Err(conflict(path, section, profile, &format!("its section has {}, which this module did not write", key.name), "Remove that line")),
            None => Ok(()),
        }
    }

    /// Whether what is marked with this name belongs to the environment: its own, and what is left from one that is gone.
    fn owns(&self, mark: &str) -> bool {
        same_name(mark, &self.environment.name) || self.stored.is_without(mark)
    }

    /// Plans the removal of marked sections for profiles that the environment no longer has.
    fn prune<'t>(
        &self,
        text: &'t IniText<'_>,
        sections: &HashMap<String, Vec<&'t Section>>,
        exporting: &mut Exporting,
        edits: &mut Vec<Edit>,
        removed: &mut Vec<&'t str>,
    ) {
        let Some(kept) = &self.pruned_but else { return };
        let table: HashSet<&str> = self.environment.profiles.iter().map(|profile| profile.name.as_str()).collect();
        let mut gone: Vec<(&String, &'t Section)> = sections
            .iter()
            .filter(|(name, _)| !table.contains(name.as_str()) && !kept.contains(name.as_str()))
            .flat_map(|(name, sections)| sections.iter().map(move |section| (name, *section)))
            .collect();
        gone.sort_by_key(|(_, section)| section.line());
        for (name, section) in gone {
            let (known, Some(header)) = (KnownProfile::of(text, section), section.name()) else { continue };
            // A marked section without a source of keys is that of an endpoint, whose programs would lose it.
            let is_exported = section.keys.iter().any(|key| is_source_of_keys(&key.name));
            if !is_exported || !known.environment.as_ref().is_some_and(|mark| self.owns(mark)) {
                continue;
            }
            let own: Vec<&'static str> = PROFILE_KEYS.into_iter().chain(known.written_settings()).collect();
            let keys = own.iter().filter(|key| section.key(key).is_some()).map(|key| (*key).to_owned()).collect();
            if text.has_only(section, &own) {
                removed.push(header);
            } else {
                edits.push(Edit { header: header.to_owned(), set: Vec::new(), remove: own });
            }
            exporting.changes.push(ProfileChange { profile: name.clone(), kind: ChangeKind::Removed, keys });
        }
    }

    /// The headers of marked sessions of the environment that no profile uses.
    fn unused_sessions(&self, path: &Path, bytes: &[u8]) -> Result<Vec<String>, Error> {
        let config = read_text(path, bytes)?;
        let defaults = config.defaults();
        let used: HashSet<String> = config.profiles.iter().filter_map(|named| config.values(named, &defaults).text("sso_session")).collect();
        let is_marked = |section: &Section| config.text.value_of(section, SESSION_MARK).is_some_and(|mark| self.owns(&mark));
        let unused = config.sso_sessions.iter().filter(|named| !used.contains(&named.name)).map(|named| named.section(&config.text));
        Ok(unused.filter(|section| is_marked(section)).map(|section| section.name_lossy().into_owned()).collect())
    }

    /// Why AWS tools would not use a profile although it was written: what the user has in its session or for all profiles.
    fn overruled(&self, path: &Path, old: &[u8], new: &[u8], exporting: &Exporting) -> Option<Error> {
        let config = read_text(path, new).ok()?;
        let (before, _) = IniText::scan_with_faults(old);
        let written = exporting.changes.iter().filter(|change| change.kind != ChangeKind::Removed);
        let found = written.filter_map(|change| Some((&change.profile, Overruling::of(&config, &change.profile)?)));
        let mut with_line = found.filter_map(|(profile, found)| Some((found.line(&before)?, profile, found)));
        let (line, profile, Overruling { section, key }) = with_line.next()?;
        let name = &self.environment.name;
        let what = format!(
            "The profiles of {name} were not exported: {}, line {line}: with this {key} in [{section}], AWS tools would not use the profile {profile}.",
            path.display()
        );
        Some(Error::new(Code::EnvironmentInvalid, what).with_target(name).with_action("Remove that line, then run the command again."))
    }

    /// Reads the new text back as an AWS tool would, so that no other text is ever put in place.
    fn check(&self, path: &Path, old: &[u8], new: &[u8], touched: &HashSet<&str>, exporting: &Exporting) -> Result<(), Error> {
        let wrong = |what: String| {
            Error::new(Code::InternalError, format!("{} was not changed because its new text could not be read back: {what}.", path.display()))
                .with_target(path.display().to_string())
                .with_action("This is a bug in the module. Report it with this message.")
        };
        let config = ConfigFile::parse(path, new).map_err(|error| wrong(error.to_string()))?;
        if let Some(error) = self.overruled(path, old, new, exporting) {
            return Err(error);
        }
        let expected = if self.way == Way::Session { Provider::Session } else { Provider::Process };
        let written = exporting.changes.iter().filter(|change| change.kind != ChangeKind::Removed);
        for profile in written.filter_map(|change| self.profiles.iter().find(|profile| profile.name == change.profile)) {
            let session = config.environments.iter().filter_map(|found| found.outcome.as_ref().ok());
            let mut of_session = session.flat_map(|found| &found.profiles);
            let is_found = self.way != Way::Session || of_session.any(|found| found.has_same_keys(profile));
            if config.provider(&profile.name) != Some(expected) || !is_found {
                return Err(wrong(format!("the profile {} has other values", profile.name)));
            }
        }
        if others(old, touched) == others(new, touched) { Ok(()) } else { Err(wrong("another section has other values".to_owned())) }
    }
}

impl ConfigFile {
    /// What this process last read of the file; `None` if it has not read it.
    pub(crate) fn last_read(world: &World) -> Option<Arc<Self>> {
        CACHE.last(&path_of(world).ok()?)
    }

    /// How AWS tools get the keys of this profile from this module without the credentials file; `None` if they do not.
    pub(crate) fn provider(&self, profile: &str) -> Option<Provider> {
        self.providers.get(profile).copied()
    }

    /// Whether AWS tools log in to the environment's portal for profiles without a session.
    pub(crate) fn has_portal_without_session(&self, environment: &Environment) -> bool {
        let usable = self.environments.iter().filter_map(|found| found.outcome.as_ref().ok());
        usable.filter(|other| other.sso_session.is_none()).any(|other| environment.is_at(&other.start_url, &other.region))
    }
}

/// A section with all of its values.
type Contents = (String, Vec<(String, Zeroizing<String>)>);

/// What the sections have that are not named.
fn others(bytes: &[u8], touched: &HashSet<&str>) -> Vec<Contents> {
    let (text, _) = IniText::scan_with_faults(bytes);
    let other = text.sections.iter().filter(|section| !touched.contains(section.name_lossy().as_ref()));
    let values = |section: &Section| section.keys.iter().map(|key| (key.name.to_string(), text.value(key))).collect();
    other.map(|section| (section.name_lossy().into_owned(), values(section))).collect()
}

/// The text without the keys that this module wrote for these sessions, and without their sections if these have nothing else.
fn without_sessions(bytes: &[u8], headers: &[String]) -> Option<SecretBytes> {
    let text = IniText::scan(bytes).ok()?;
    let (bare, shared): (Vec<&str>, Vec<&str>) =
        headers.iter().map(String::as_str).partition(|header| text.section(header).is_some_and(|section| text.has_only(section, &SESSION_KEYS)));
    let edits: Vec<_> = shared.into_iter().map(|section| SectionEdit { section, remove: &SESSION_KEYS, ..SectionEdit::default() }).collect();
    Some(text.edited(&edits, &bare))
}

/// The `credential_process` line. It has no quotation marks, which tools on Windows pass on in different ways.
fn line(program: &str, environment: &Environment, profile: &ProfileEntry) -> String {
    let (environment, ProfileEntry { name, account_id, role_name, .. }) = (&environment.name, profile);
    if is_plain_argument(name) {
        format!("{program} --environment {environment} {name}")
    } else {
        format!("{program} --environment {environment} --account {account_id} --role {role_name}")
    }
}

/// The sections of each profile, by name.
fn profile_sections<'t>(text: &'t IniText<'_>) -> HashMap<String, Vec<&'t Section>> {
    let mut sections: HashMap<String, Vec<&Section>> = HashMap::new();
    for section in &text.sections {
        if let Some(name) = section.name().and_then(profile_in) {
            sections.entry(name).or_default().push(section);
        }
    }
    sections
}

/// The header of a new section, with the quotation marks that botocore needs.
fn header_of(profile: &str) -> String {
    match profile {
        DEFAULT => profile.to_owned(),
        _ if profile.contains([' ', '\u{a0}', '"', '\'', '\\', '\t']) => format!("profile \"{}\"", profile.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => format!("profile {profile}"),
    }
}

fn conflict(path: &Path, section: &Section, profile: &ProfileEntry, what: &str, action: &str) -> Error {
    let name = &profile.name;
    Error::new(Code::ProfileHasOtherKeys, format!("The profile {name} was not exported: {}, line {}: {what}.", path.display(), section.line()))
        .with_target(name)
        .with_action(format!("{action}, or rename the profile, then run the command again."))
}
