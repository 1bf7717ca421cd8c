//! The credentials file that all AWS tools read, and the single write of a run.

pub(crate) mod default_profile;
pub(crate) mod rename;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::files::faults::unreadable_by_aws_tools;
use crate::files::file_memory::FileMemory;
use crate::files::ini_text::{Fault, IniText, Key, Section, SectionEdit};
use crate::files::known_keys::{
    DEFAULT, DueRule, KnownProfile, KnownProfiles, OWN_KEYS, Obstacle, SOURCE, STALE_KEYS, SettingEdits, Standing, is_source_of_keys, known_profiles,
    obstacle_to_new_section, source_of,
};
use crate::files::lock::Lock;
use crate::files::safe_write::{SafeFile, Surroundings};
use crate::files::written::Written;
use crate::mutex::locked;
use crate::names::profile::ProfileEntry;
use crate::patience::Patience;
use crate::role_credentials::RoleCredentials;
use crate::secret::Secret;
use crate::text_encoding::Encoding;
use crate::timestamp::rfc3339;
use crate::world::World;

/// What this process last read from each credentials file, without secrets.
static CACHE: LazyLock<FileMemory<KnownProfiles>> = LazyLock::new(FileMemory::default);

/// When the keys expire that this process wrote since it last read a file, by path and profile.
static WRITTEN: LazyLock<Mutex<HashMap<PathBuf, HashMap<String, OffsetDateTime>>>> = LazyLock::new(Mutex::default);

/// The keys that a run fetched for one profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetched<'a> {
    pub(crate) environment: &'a str,
    pub(crate) profile: &'a ProfileEntry,
    pub(crate) keys: &'a RoleCredentials,
    /// When the keys were fetched.
    pub(crate) issued: OffsetDateTime,
}

impl Fetched<'_> {
    fn values(&self) -> [Zeroizing<String>; OWN_KEYS.len()] {
        [
            self.keys.access_key_id.as_str(),
            self.keys.secret_access_key.reveal(),
            self.keys.session_token.reveal(),
            &self.profile.account_id,
            &rfc3339(self.keys.expiration),
            &self.profile.role_name,
            self.environment,
            &rfc3339(self.issued),
        ]
        .map(|value| Zeroizing::new(value.to_owned()))
    }
}

/// What a write of keys did.
#[derive(Debug, Default)]
pub(crate) struct KeysWritten {
    pub(crate) written: Written,
    /// The profiles that were not written because another program changed their sections during the run, each with the reason.
    pub(crate) blocked: HashMap<String, Obstacle>,
    /// The profiles whose section names had spaces around them.
    pub(crate) renamed: Vec<String>,
}

/// Which profiles lose their keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Removal<'a> {
    pub(crate) environment: &'a str,
    /// Profiles by name; keys that were fetched for another environment stay.
    pub(crate) profiles: &'a HashSet<&'a str>,
    /// The profiles that stay. If given, every other section marked with the environment loses its keys too.
    pub(crate) all_but: Option<&'a HashSet<&'a str>>,
}

/// What a removal of keys did, or would do.
#[derive(Debug, Default)]
pub(crate) struct KeysRemoved {
    /// The sections that lost their keys, in the order of the file.
    pub(crate) removed: Vec<String>,
    /// The sections that were left alone because they have keys from another source.
    pub(crate) left: Vec<String>,
    pub(crate) written: Written,
}

/// The credentials file, and what this process remembers of it.
#[derive(Debug, Clone)]
pub(crate) struct CredentialsFile {
    file: SafeFile,
}

fn path_of(world: &World) -> Result<PathBuf, Error> {
    world.aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials")
}

impl CredentialsFile {
    pub(crate) fn of(world: &World) -> Result<Self, Error> {
        Ok(Self { file: SafeFile::at(&path_of(world)?, &world.wait_limit) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.file.lock_path()
    }

    /// The path of this file with `ending` appended.
    pub(crate) fn beside(&self, ending: &str) -> PathBuf {
        self.file.beside(ending)
    }

    fn scan<'b>(&self, bytes: &'b [u8]) -> Result<IniText<'b>, Error> {
        match Encoding::of(bytes) {
            // Old encodings in comments and in values of other tools are harmless, since no byte of them changes.
            Encoding::Utf8 | Encoding::Ansi { .. } => IniText::scan(bytes).map_err(|fault| self.invalid(&fault)),
            other => Err(unreadable_by_aws_tools(Code::CredentialsFileInvalid, self.path(), other)),
        }
    }

    /// Returns what the file has; reads it only if it has changed since this process last read it.
    pub(crate) fn known(&self) -> Result<Arc<KnownProfiles>, Error> {
        CACHE.of(&self.file, |bytes| {
            locked(&WRITTEN).remove(self.path());
            self.scan(bytes).map(|text| known_profiles(&text))
        })
    }

    /// When the keys of a profile expire, by what this process last read or wrote; the file may have changed since.
    pub(crate) fn last_expiration(world: &World, profile: &str) -> Option<OffsetDateTime> {
        let path = path_of(world).ok()?;
        let written = locked(&WRITTEN).get(&path).and_then(|written| written.get(profile)).copied();
        written.or_else(|| CACHE.last(&path)?.expiration(profile))
    }

    /// Reads the keys of a profile if they are good. They are not remembered.
    pub(crate) fn keys(&self, profile: &ProfileEntry, rule: DueRule) -> Result<Option<RoleCredentials>, Error> {
        let Some(contents) = self.file.read()? else { return Ok(None) };
        let text = self.scan(&contents.bytes)?;
        let Standing::Good(expiration) = known_profiles(&text).standing(profile, rule) else { return Ok(None) };
        let Some(section) = text.section(&profile.name) else { return Ok(None) };
        let value = |name: &str| text.value_of(section, name).unwrap_or_default();
        Ok(Some(RoleCredentials {
            access_key_id: value(OWN_KEYS[0]).to_string(),
            secret_access_key: Secret::new(value(OWN_KEYS[1]).as_str()),
            session_token: Secret::new(value(OWN_KEYS[2]).as_str()),
            expiration,
        }))
    }

    fn invalid(&self, fault: &Fault) -> Error {
        Error::new(Code::CredentialsFileInvalid, format!("{}, {fault}.", self.path().display()))
            .with_target(self.path().display().to_string())
            .with_action("AWS tools cannot read the file in this state. Correct that line. Nothing was changed.")
    }

    /// Checks whether the write can work, before anybody is asked to log in.
    pub(crate) fn check_writable(&self) -> Result<Surroundings, Error> {
        self.file.check_writable()
    }

    /// Writes these keys to the file in one step and changes no other byte.
    ///
    /// Checks each profile again under the lock: keys from another source that appeared during the run stay, unless `replace_keys` is set.
    pub(crate) async fn write(&self, fetched: &[Fetched<'_>], replace_keys: bool, patience: &Patience) -> Result<KeysWritten, Error> {
        let lock = Lock::take_async(&self.file.lock_path(), patience).await?;
        let mut outcome = KeysWritten::default();
        let written = self.file.replace(&lock, |bytes| {
            let text = self.scan(bytes.unwrap_or_default())?;
            outcome = KeysWritten::default();
            let mut writable = writable(fetched, &text, replace_keys, &mut outcome);
            if writable.is_empty() {
                return Ok(None);
            }
            writable.extend(follower(&text, &writable));
            let values: Vec<_> = writable.iter().map(|writable| writable.fetched.values()).collect();
            let removed: Vec<Vec<&str>> = writable.iter().map(Writable::removed).collect();
            let edits: Vec<SectionEdit<'_>> = writable
                .iter()
                .zip(values.iter().zip(&removed))
                .map(|(Writable { name, spelling, settings, .. }, (values, removed))| SectionEdit {
                    section: spelling,
                    rename: Some(*name).filter(|name| name != spelling),
                    set: OWN_KEYS.into_iter().zip(values.iter().map(|value| value.as_str())).chain(settings.set.iter().copied()).collect(),
                    remove: removed,
                    behind: None,
                })
                .collect();
            let new = text.edited(&edits, &[]);
            self.check_new(&new, writable.iter().map(|writable| writable.name).zip(&values))?;
            Ok(Some(new))
        })?;
        let fresh = fetched.iter().filter(|fetched| !outcome.blocked.contains_key(&fetched.profile.name));
        let fresh = fresh.map(|fetched| (fetched.profile.name.clone(), fetched.keys.expiration));
        locked(&WRITTEN).entry(self.path().to_owned()).or_default().extend(fresh);
        Ok(KeysWritten { written, ..outcome })
    }

    /// Reads the new text back as an AWS tool would, so that no unreadable text is ever put in place.
    fn check_new<'v>(&self, new: &[u8], written: impl Iterator<Item = (&'v str, &'v [Zeroizing<String>; OWN_KEYS.len()])>) -> Result<(), Error> {
        let unreadable = |what: String| {
            Error::new(Code::InternalError, format!("{} was not changed because its new text could not be read back: {what}.", self.path().display()))
                .with_target(self.path().display().to_string())
                .with_action("This is a bug in the module. Report it with this message.")
        };
        let text = IniText::scan(new).map_err(|fault| unreadable(fault.to_string()))?;
        let written: Vec<_> = written.collect();
        let names: HashSet<&str> = written.iter().map(|(name, _)| *name).collect();
        let sections = text.sections.iter().filter_map(|section| Some((section.name().filter(|name| names.contains(name))?, section)));
        let sections: HashMap<&str, &Section> = sections.collect();
        for (name, values) in written {
            let section = sections.get(name);
            let is_there = |(name, value): (&str, &Zeroizing<String>)| section.and_then(|section| text.value_of(section, name)).as_ref() == Some(value);
            if !OWN_KEYS.into_iter().zip(values).all(is_there) {
                return Err(unreadable(format!("the section {name} has other values")));
            }
        }
        Ok(())
    }

    /// The environments that the sections of these profiles are marked with.
    pub(crate) fn marks(&self, profiles: &HashSet<&str>) -> Result<HashSet<String>, Error> {
        let Some(contents) = self.file.read()? else { return Ok(HashSet::new()) };
        let text = self.scan(&contents.bytes)?;
        let named = text.sections.iter().filter(|section| section.name().is_some_and(|name| profiles.contains(name.trim())));
        Ok(named.filter_map(|section| KnownProfile::of(&text, section).environment).collect())
    }

    /// Why the sections of these profiles cannot give way to another source of keys, by profile: they have something that this module did not write for
    /// the environment. `owns` says whether what is marked with another name belongs to it.
    pub(crate) fn in_the_way(&self, owns: impl Fn(&str) -> bool, profiles: &HashSet<&str>) -> Result<HashMap<String, String>, Error> {
        let Some(contents) = self.file.read()? else { return Ok(HashMap::new()) };
        let text = self.scan(&contents.bytes)?;
        let named = text.sections.iter().filter_map(|section| Some((section.name()?.trim(), section))).filter(|(name, _)| profiles.contains(name));
        let reason = |section: &Section| {
            let known = KnownProfile::of(&text, section);
            if let Some(other) = known.other_keys {
                return Some(Obstacle::OtherKeys(other).to_string());
            }
            if let Some(marked) = known.environment.as_ref().filter(|mark| !owns(mark)) {
                return Some(format!("its section has keys for the environment {marked}"));
            }
            other_source(section).map(|key| format!("its section has {}", key.name))
        };
        Ok(named.filter_map(|(name, section)| Some((name.to_owned(), reason(section)?))).collect())
    }

    /// Returns what a removal would do.
    pub(crate) fn removable(&self, removal: Removal<'_>) -> Result<KeysRemoved, Error> {
        let Some(contents) = self.file.read()? else { return Ok(KeysRemoved::default()) };
        let (outcome, _) = removal.choose(&self.scan(&contents.bytes)?);
        Ok(outcome)
    }

    /// Removes this module's keys from profiles, and sections that have nothing else; changes no other byte.
    pub(crate) fn remove(&self, removal: Removal<'_>, lock: &Lock) -> Result<KeysRemoved, Error> {
        let mut outcome = KeysRemoved::default();
        let written = self.file.replace(lock, |bytes| {
            let Some(bytes) = bytes else { return Ok(None) };
            let text = self.scan(bytes)?;
            let (chosen, sections) = removal.choose(&text);
            outcome = chosen;
            let owned: Vec<_> = sections.into_iter().map(|section| (section, written_keys(&text, section))).collect();
            let (bare, shared): (Vec<_>, Vec<_>) = owned.into_iter().partition(|(section, keys)| text.has_only(section, keys));
            let edit = |(section, keys): &'_ (&Section, Vec<&'static str>)| Some((section.name()?.to_owned(), keys.clone()));
            let edited: Vec<(String, Vec<&str>)> = shared.iter().filter_map(edit).collect();
            let edits: Vec<_> = edited.iter().map(|(section, keys)| SectionEdit { section, remove: keys, ..SectionEdit::default() }).collect();
            let removed: Vec<_> = bare.iter().filter_map(|(section, _)| section.name()).collect();
            let new = text.edited(&edits, &removed);
            self.check_new(&new, std::iter::empty())?;
            Ok((*new != *bytes).then_some(new))
        })?;
        Ok(KeysRemoved { written, ..outcome })
    }
}

impl Removal<'_> {
    /// Chooses the sections that lose their keys.
    fn choose<'t>(&self, text: &'t IniText<'_>) -> (KeysRemoved, Vec<&'t Section>) {
        let mut outcome = KeysRemoved::default();
        let mut sections = Vec::new();
        for section in &text.sections {
            let Some(name) = section.name().map(str::trim) else { continue };
            let known = KnownProfile::of(text, section);
            let is_marked = known.is_marked_for(self.environment);
            // The default profile goes and stays with the profile whose keys it has.
            let source = source_of(text, section);
            let owner = source.as_ref().map_or(name, |source| source.as_str());
            let is_named = self.profiles.contains(owner) && (is_marked || known.environment.is_none());
            let is_unlisted = is_marked && self.all_but.is_some_and(|staying| !staying.contains(owner));
            if !(is_named || is_unlisted) || !OWN_KEYS.iter().any(|key| section.key(key).is_some()) {
                continue;
            }
            if known.other_keys.is_some() {
                outcome.left.push(name.to_owned());
            } else {
                outcome.removed.push(name.to_owned());
                sections.push(section);
            }
        }
        (outcome, sections)
    }
}

/// All keys that this module wrote into a section.
fn written_keys(text: &IniText<'_>, section: &Section) -> Vec<&'static str> {
    OWN_KEYS.into_iter().chain([SOURCE]).chain(KnownProfile::of(text, section).written_settings()).collect()
}

/// A section that gets keys.
struct Writable<'f> {
    fetched: &'f Fetched<'f>,
    /// Its name, which is another one than that of the profile for `default` with the keys of a profile.
    name: &'f str,
    /// Its name in the file, or the name for a new section.
    spelling: &'f str,
    settings: SettingEdits<'f>,
}

impl Writable<'_> {
    /// The keys that the section loses. A profile that gets its own keys follows no other one.
    fn removed(&self) -> Vec<&'static str> {
        let source: &[&'static str] = if self.name == self.fetched.profile.name { &[SOURCE] } else { &[] };
        [&STALE_KEYS[..], &self.settings.remove, source].concat()
    }
}

/// The profiles whose keys may be written. Records the others in `outcome`.
fn writable<'f>(fetched: &'f [Fetched<'f>], text: &'f IniText<'_>, replace_keys: bool, outcome: &mut KeysWritten) -> Vec<Writable<'f>> {
    let mut sections: HashMap<&str, Vec<&Section>> = HashMap::new();
    for section in &text.sections {
        sections.entry(section.name().unwrap_or_default().trim()).or_default().push(section);
    }
    let mut writable = Vec::new();
    for fetched in fetched {
        let name = fetched.profile.name.as_str();
        match sections.get(name).map(Vec::as_slice) {
            None | Some([]) => match obstacle_to_new_section(text, name) {
                Some(obstacle) => drop(outcome.blocked.insert(name.to_owned(), obstacle)),
                None => writable.push(Writable { fetched, name, spelling: name, settings: KnownProfile::default().setting_edits(fetched.profile) }),
            },
            Some([section]) => {
                let spelling = section.name().unwrap_or(name);
                let known = KnownProfile::of(text, section);
                if let Some(other) = known.other_keys.filter(|_| !replace_keys) {
                    outcome.blocked.insert(name.to_owned(), Obstacle::OtherKeys(other));
                    continue;
                }
                if spelling != name {
                    outcome.renamed.push(name.to_owned());
                }
                writable.push(Writable { fetched, name, spelling, settings: known.setting_edits(fetched.profile) });
            }
            Some(_) => drop(outcome.blocked.insert(name.to_owned(), Obstacle::TwoSections)),
        }
    }
    writable
}

/// The `default` profile, if one of these profiles is its source and nobody has put other keys into it.
fn follower<'f>(text: &'f IniText<'_>, writable: &[Writable<'f>]) -> Option<Writable<'f>> {
    let section = text.section(DEFAULT)?;
    let (source, known) = (source_of(text, section)?, KnownProfile::of(text, section));
    // A profile of that name in a table has keys of its own.
    if known.other_keys.is_some() || writable.iter().any(|writable| writable.name == DEFAULT) {
        return None;
    }
    let is_source = |fetched: &Fetched<'_>| fetched.profile.name == *source && known.is_marked_for(fetched.environment);
    let fetched = writable.iter().map(|writable| writable.fetched).find(|fetched| is_source(fetched))?;
    Some(Writable { fetched, name: DEFAULT, spelling: DEFAULT, settings: known.setting_edits(fetched.profile) })
}

/// A key by which AWS tools would find keys in a section, and that this module does not write.
fn other_source(section: &Section) -> Option<&Key> {
    let is_ours = |name: &str| OWN_KEYS.contains(&name) || STALE_KEYS.contains(&name);
    section.keys.iter().find(|key| is_source_of_keys(&key.name) && !is_ours(&key.name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use time::macros::datetime;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::files::known_keys::{NEEDED_KEYS, OtherKeys, Setting};
    use crate::names::profile::ProfileSettings;
    use crate::world::test_world;

    fn profile(name: &str) -> ProfileEntry {
        ProfileEntry {
            name: name.into(),
            account_id: "012345678901".into(),
            role_name: "Admin".into(),
            settings: crate::names::profile::ProfileSettings::default(),
        }
    }

    fn keys(expiration: OffsetDateTime) -> RoleCredentials {
        RoleCredentials { access_key_id: "ASIAEXAMPLE".into(), secret_access_key: Secret::new("se/cr+et="), session_token: Secret::new("to/ken=="), expiration }
    }

    fn rule(now: OffsetDateTime) -> DueRule {
        DueRule { now, minimum_remaining: time::Duration::minutes(15), force: false, replace_keys: false, is_renewal: false }
    }

    const NOW: OffsetDateTime = datetime!(2026-01-01 0:00 UTC);
    const END: OffsetDateTime = datetime!(2026-01-01 1:00 UTC);

    fn fetched<'a>(profile: &'a ProfileEntry, keys: &'a RoleCredentials) -> Fetched<'a> {
        Fetched { environment: "Acme", profile, keys, issued: NOW }
    }

    async fn write(file: &CredentialsFile, fetched: &[Fetched<'_>], replace_keys: bool) -> KeysWritten {
        file.write(fetched, replace_keys, &Patience::new(None, CancellationToken::new())).await.unwrap()
    }

    /// A home folder whose credentials file has this text.
    fn home_with(text: &str) -> (tempfile::TempDir, CredentialsFile) {
        let (home, world) = test_world();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), text).unwrap();
        (home, CredentialsFile::of(&world).unwrap())
    }

    fn text_of(home: &tempfile::TempDir) -> String {
        std::fs::read_to_string(home.path().join(".aws/credentials")).unwrap()
    }

    fn standing(text: &str, rule: DueRule) -> Standing {
        let (_home, file) = home_with(text);
        file.known().unwrap().standing(&profile("C"), rule)
    }

    const ALL: &str = "[C]\naws_access_key_id=ASIAX\naws_secret_access_key=b\naws_session_token=c\naws_account_id=012345678901\n\
        x_security_token_expires=2026-01-01T01:00:00Z\nx_sso_role_name=Admin\n";

    #[tokio::test]
    async fn written_keys_are_good_until_they_expire_soon() {
        let (home, world) = test_world();
        let file = CredentialsFile::of(&world).unwrap();
        assert_eq!(file.known().unwrap().standing(&profile("A b"), rule(NOW)), Standing::Missing);
        let keys = keys(datetime!(2026-01-01 1:00:00.75 UTC));
        write(&file, &[fetched(&profile("A b"), &keys), fetched(&profile("C"), &keys)], false).await;
        let section = |name: &str| {
            format!(
                "[{name}]\naws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = se/cr+et=\naws_session_token = to/ken==\naws_account_id = 012345678901\n\
                x_security_token_expires = 2026-01-01T01:00:00Z\nx_sso_role_name = Admin\nx_sso_environment = Acme\nx_security_token_issued = 2026-01-01T00:00:00Z\n"
            )
        };
        assert_eq!(text_of(&home), format!("{}\n{}", section("A b"), section("C")));
        let known = file.known().unwrap();
        let standing = |now, p: &ProfileEntry| known.standing(p, rule(now));
        assert_eq!(standing(datetime!(2026-01-01 0:45 UTC), &profile("C")), Standing::Good(END));
        assert_eq!(standing(datetime!(2026-01-01 0:45:01 UTC), &profile("C")), Standing::Due("its keys expire soon"));
        assert_eq!(standing(END, &profile("C")), Standing::Due("its keys have expired"));
        assert_eq!(standing(NOW, &ProfileEntry { role_name: "Other".into(), ..profile("C") }), Standing::Due("its keys are for another role"));
        assert_eq!(standing(NOW, &ProfileEntry { account_id: "0".into(), ..profile("C") }), Standing::Due("its keys are for another account"));
        assert!(known.standing(&profile("C"), DueRule { force: true, ..rule(NOW) }).is_due());
    }

    #[test]
    fn a_profile_with_a_missing_key_or_a_stale_token_is_due_but_newer_marks_are_optional() {
        assert_eq!(standing(ALL, rule(NOW)), Standing::Good(END));
        for key in OWN_KEYS[..NEEDED_KEYS].iter().filter(|key| **key != "aws_session_token") {
            assert!(standing(&ALL.replace(key, "other"), rule(NOW)).is_due(), "{key}");
        }
        assert!(standing(&format!("{ALL}AWS_SECURITY_TOKEN = old\n"), rule(NOW)).is_due());
    }

    #[test]
    fn long_term_keys_and_keys_without_a_session_token_are_never_ours_whatever_marks_the_section_has() {
        let long_term = Standing::Blocked(Obstacle::OtherKeys(OtherKeys::LongTerm));
        let no_token = Standing::Blocked(Obstacle::OtherKeys(OtherKeys::NoSessionToken));
        for (text, expected) in [
            ("[C]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n".to_owned(), &long_term),
            ("[C]\nAWS_ACCESS_KEY_ID: akiax\n".to_owned(), &long_term),
            (ALL.replace("ASIAX", "AKIAX"), &long_term),
            (format!("{ALL}x_sso_environment = Acme\n").replace("aws_session_token=c", "aws_session_token="), &no_token),
            (ALL.replace("aws_session_token", "other"), &no_token),
            ("[C]\naws_secret_access_key = s\n".to_owned(), &no_token),
            ("[ C ]\naws_access_key_id = AKIAX\n".to_owned(), &long_term),
        ] {
            for force in [false, true] {
                assert_eq!(standing(&text, DueRule { force, ..rule(NOW) }), *expected, "{text}");
            }
            assert!(standing(&text, DueRule { replace_keys: true, ..rule(NOW) }).is_due(), "{text}");
        }
        // No keys at all, or session keys from another tool: replacing them loses nothing.
        for text in ["[C]\nregion = x\n", "[C]\naws_session_token = t\n", "[C]\naws_access_key_id = ASIAX\naws_secret_access_key = s\naws_security_token = t\n"]
        {
            assert!(standing(text, rule(NOW)).is_due(), "{text}");
        }
    }

    #[test]
    fn keys_that_never_last_as_long_as_required_are_due_at_half_of_their_lifetime() {
        let text = format!("{ALL}x_security_token_issued = 2026-01-01T00:00:00Z\n");
        let at = |now| standing(&text, DueRule { minimum_remaining: time::Duration::hours(2), ..rule(now) });
        assert_eq!(at(datetime!(2026-01-01 0:30 UTC)), Standing::Good(END));
        assert_eq!(at(datetime!(2026-01-01 0:30:01 UTC)), Standing::Due("its keys expire soon"));
        assert!(standing(ALL, DueRule { minimum_remaining: time::Duration::hours(2), ..rule(NOW) }).is_due(), "their lifetime is unknown");
        let later = text.replace("issued = 2026-01-01T00", "issued = 2026-01-01T02");
        assert!(standing(&later, DueRule { minimum_remaining: time::Duration::hours(2), ..rule(NOW) }).is_due(), "an impossible issue time is ignored");
    }

    #[tokio::test]
    async fn keys_from_another_source_that_appeared_during_the_run_stay() {
        let theirs = "[C]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n";
        let (home, file) = home_with(theirs);
        let keys = keys(END);
        let outcome = write(&file, &[fetched(&profile("C"), &keys)], false).await;
        assert_eq!(text_of(&home), theirs);
        assert_eq!(outcome.blocked.get("C"), Some(&Obstacle::OtherKeys(OtherKeys::LongTerm)));
        let outcome = write(&file, &[fetched(&profile("C"), &keys)], true).await;
        assert!(outcome.blocked.is_empty() && !text_of(&home).contains("AKIAX"), "{}", text_of(&home));
    }

    #[tokio::test]
    async fn a_section_with_spaces_in_its_brackets_is_renamed_and_not_duplicated() {
        let (home, file) = home_with(&ALL.replace("[C]", "[ C ] # mine"));
        assert!(file.known().unwrap().standing(&profile("C"), rule(NOW)).is_due());
        let keys = keys(END);
        assert_eq!(write(&file, &[fetched(&profile("C"), &keys)], false).await.renamed, ["C"]);
        assert!(text_of(&home).starts_with("[C] # mine\naws_access_key_id = ASIAEXAMPLE\n"), "{}", text_of(&home));
        let both = format!("{ALL}\n[ C\t]\nregion = x\n");
        let (home, file) = home_with(&both);
        assert_eq!(file.known().unwrap().standing(&profile("C"), rule(NOW)), Standing::Blocked(Obstacle::TwoSections));
        assert_eq!(write(&file, &[fetched(&profile("C"), &keys)], true).await.blocked.get("C"), Some(&Obstacle::TwoSections));
        assert_eq!(text_of(&home), both);
    }

    #[tokio::test]
    async fn a_text_that_cannot_be_read_back_is_never_put_in_place() {
        let (home, file) = home_with(ALL);
        let keys = keys(END);
        for names in [&["new", "new"][..], &["C", "C"], &["a\n[C]"], &["x]y\nz"]] {
            let profiles: Vec<_> = names.iter().enumerate().map(|(index, name)| ProfileEntry { account_id: format!("{index:012}"), ..profile(name) }).collect();
            let all: Vec<_> = profiles.iter().map(|profile| fetched(profile, &keys)).collect();
            let error = file.write(&all, false, &Patience::new(None, CancellationToken::new())).await.unwrap_err();
            assert_eq!(error.code(), Code::InternalError, "{names:?}");
            assert_eq!(text_of(&home), ALL, "{names:?}");
        }
    }

    fn removal<'a>(profiles: &'a HashSet<&'a str>, all_but: Option<&'a HashSet<&'a str>>) -> Removal<'a> {
        Removal { environment: "Acme", profiles, all_but }
    }

    #[test]
    fn a_removal_takes_only_our_keys() {
        let section = |name: &str, mark: &str| ALL.replace("[C]", &format!("[{name}]")) + mark;
        let text = [
            section("listed", "x_sso_environment = ACME\n"),
            section("script", ""),
            section("other environment", "x_sso_environment = Beta\n"),
            section("long-term", "x_sso_environment = Acme\n").replace("ASIAX", "AKIAX"),
            section("gone from the table", "x_sso_environment = acme\nregion = x\n"),
            section("nobody knows", ""),
            "[plain]\nregion = x\n".to_owned(),
        ]
        .join("\n");
        let named: HashSet<&str> = ["listed", "script", "other environment", "long-term", "plain"].into();
        let (home, file) = home_with(&text);
        let lock = Lock::try_take(&file.lock_path()).unwrap().unwrap();
        let planned = file.removable(removal(&named, None)).unwrap();
        assert_eq!((planned.removed.as_slice(), planned.left.as_slice()), (&["listed".to_owned(), "script".to_owned()][..], &["long-term".to_owned()][..]));
        assert_eq!(text_of(&home), text);
        assert_eq!(file.remove(removal(&named, None), &lock).unwrap().removed, planned.removed);
        assert!(text_of(&home).starts_with("[other environment]\n"), "{}", text_of(&home));
        let none = HashSet::new();
        assert_eq!(file.remove(removal(&none, Some(&none)), &lock).unwrap().removed, ["gone from the table"]);
        assert!(text_of(&home).contains("\n[gone from the table]\nregion = x\n\n[nobody knows]\naws_access_key_id=ASIAX\n"), "{}", text_of(&home));
        assert_eq!(file.remove(removal(&none, Some(&["long-term"].into())), &lock).unwrap().removed, [""; 0]);
    }

    fn with_settings(region: Option<&str>, output: Option<&str>) -> ProfileEntry {
        ProfileEntry { settings: ProfileSettings { region: region.map(str::to_owned), output: output.map(str::to_owned) }, ..profile("C") }
    }

    #[tokio::test]
    async fn the_region_and_output_format_of_a_profile_are_written_follow_each_change_and_go_when_they_are_unset() {
        let (home, file) = home_with(&format!("[a]\nregion = x\n\n{ALL}mine = kept\n"));
        let (keys, mut before) = (keys(END), String::new());
        let all = [
            (with_settings(Some("us-east-1"), None), &["region = us-east-1\n", "x_sso_region = us-east-1\n"][..]),
            (
                with_settings(Some("eu-west-1"), Some("json")),
                &["region = eu-west-1\n", "output = json\n", "x_sso_region = eu-west-1\n", "x_sso_output = json\n"],
            ),
            (with_settings(None, Some("table")), &["output = table\n", "x_sso_output = table\n"]),
            (with_settings(None, None), &[]),
        ];
        for (profile, lines) in all {
            assert_eq!(file.known().unwrap().standing(&profile, rule(NOW)), Standing::Due("its region or output format was changed"));
            write(&file, &[fetched(&profile, &keys)], false).await;
            assert!(matches!(file.known().unwrap().standing(&profile, rule(NOW)), Standing::Good(_)));
            let text = text_of(&home);
            assert!(lines.iter().all(|line| text.contains(line)) && text.starts_with("[a]\nregion = x\n") && text.contains("mine = kept"), "{text}");
            assert_eq!(text.matches("x_sso_region").count() + text.matches("x_sso_output").count(), lines.len() / 2, "{text}");
            assert_ne!(text, before);
            before = text;
        }
    }

    #[tokio::test]
    async fn a_region_that_this_module_did_not_write_stays_in_the_file_whatever_is_set() {
        for theirs in ["region = eu-west-1\n", "region = eu-west-1\nx_sso_region = us-east-1\n"] {
            let (home, file) = home_with(&format!("{ALL}{theirs}"));
            for wanted in [with_settings(Some("us-west-2"), None), with_settings(None, None)] {
                let known = file.known().unwrap();
                assert!(matches!(known.standing(&wanted, rule(NOW)), Standing::Good(_)), "{theirs}");
                assert_eq!(known.value_of_user(&wanted, Setting::Region), wanted.settings.region.as_ref().map(|_| "eu-west-1"));
                write(&file, &[fetched(&wanted, &keys(END))], false).await;
                assert!(text_of(&home).contains(theirs), "{}", text_of(&home));
            }
            assert_eq!(file.known().unwrap().value_of_user(&with_settings(Some("eu-west-1"), None), Setting::Region), None);
        }
    }

    #[tokio::test]
    async fn a_removal_takes_the_settings_that_this_module_wrote_and_no_others() {
        let profile = with_settings(Some("us-east-1"), Some("json"));
        for (theirs, left) in [("", ""), ("[C]\nregion = x\n", "[C]\nregion = x\n"), ("[C]\ns3 =\n    x = y\n", "[C]\ns3 =\n    x = y\n")] {
            let (home, file) = home_with(theirs);
            write(&file, &[fetched(&profile, &keys(END))], false).await;
            let lock = Lock::try_take(&file.lock_path()).unwrap().unwrap();
            assert_eq!(file.remove(removal(&["C"].into(), None), &lock).unwrap().removed, ["C"]);
            assert_eq!(text_of(&home), left);
        }
    }

    #[test]
    fn keys_that_would_break_the_file_are_not_writable() {
        let good = keys(datetime!(2026-01-01 0:00 UTC));
        assert!(good.is_writable());
        for text in ["", "a\n[x]", "a b", "a\r", "\u{e4}"] {
            assert!(!RoleCredentials { session_token: Secret::new(text), ..good.clone() }.is_writable(), "{text:?}");
        }
    }

    #[test]
    fn the_error_for_an_unreadable_file_names_the_file_and_the_line() {
        let (home, world) = test_world();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), "[a]\nk=v\n[a]\n").unwrap();
        let error = CredentialsFile::of(&world).unwrap().known().unwrap_err();
        assert_eq!(error.code(), Code::CredentialsFileInvalid);
        assert!(error.to_string().ends_with("credentials, line 3: the section [a] is already defined."), "{error}");
    }
}
