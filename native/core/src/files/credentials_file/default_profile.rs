//! The `default` profile with the keys of another one, for tools that have no setting for a profile.

use super::{CredentialsFile, KeysRemoved, other_source, written_keys};
use crate::error::{Code, Error};
use crate::files::ini_text::{IniText, Section, SectionEdit};
use crate::files::known_keys::{DEFAULT, KnownProfile, OWN_KEYS, Obstacle, SOURCE, STALE_KEYS, source_of};
use crate::files::lock::Lock;
use crate::files::written::Written;
use crate::names::profile::ProfileEntry;

impl CredentialsFile {
    /// Checks whether the `default` profile can get the keys of a profile.
    ///
    /// # Errors
    /// Its section has something else by which AWS tools find keys.
    pub(crate) fn check_default(&self) -> Result<(), Error> {
        let Some(contents) = self.file.read()? else { return Ok(()) };
        self.default_section(&self.scan(&contents.bytes)?).map(drop)
    }

    /// The section of the `default` profile, if there is one; its keys may be replaced.
    fn default_section<'t>(&self, text: &'t IniText<'_>) -> Result<Option<&'t Section>, Error> {
        let refused = |what: &str| {
            Error::new(Code::ProfileHasOtherKeys, format!("The default profile was not changed: in {}, {what}.", self.path().display()))
                .with_target(DEFAULT)
                .with_action("Rename that section or remove it, then run the command again.")
        };
        let named = text.sections.iter().filter(|section| section.name().is_some_and(|name| name.trim() == DEFAULT)).collect::<Vec<_>>();
        let section = match named.as_slice() {
            [] => return Ok(None),
            [section] => *section,
            _ => return Err(refused(&Obstacle::TwoSections.to_string())),
        };
        if let Some(other) = KnownProfile::of(text, section).other_keys {
            return Err(refused(&Obstacle::OtherKeys(other).to_string()));
        }
        match other_source(section) {
            Some(key) => Err(refused(&format!("its section has {}, which this module did not write", key.name))),
            None => Ok(Some(section)),
        }
    }

    /// Copies the keys that the file has for a profile to the `default` profile, which follows it from then on.
    ///
    /// # Errors
    /// The file has no keys for the profile, or the `default` profile has keys from another source.
    pub(crate) fn set_default(&self, profile: &ProfileEntry, lock: &Lock) -> Result<Written, Error> {
        self.file.replace(lock, |bytes| {
            let text = self.scan(bytes.unwrap_or_default())?;
            let section = self.default_section(&text)?;
            let Some(from) = text.section(&profile.name).filter(|from| KnownProfile::of(&text, from).other_keys.is_none()) else {
                return Err(Error::new(Code::ProfileNotFound, format!("{} has no credentials for {}.", self.path().display(), profile.name))
                    .with_target(&profile.name)
                    .with_action("Fetch them first with Update-SsoCredential."));
            };
            let values: Vec<_> = OWN_KEYS.into_iter().filter_map(|key| Some((key, text.value_of(from, key)?))).collect();
            let settings = section.map_or_else(KnownProfile::default, |section| KnownProfile::of(&text, section)).setting_edits(profile);
            let own = values.iter().map(|(key, value)| (*key, value.as_str())).chain([(SOURCE, profile.name.as_str())]);
            let edit = SectionEdit {
                section: section.and_then(Section::name).unwrap_or(DEFAULT),
                rename: section.and_then(Section::name).filter(|name| *name != DEFAULT).map(|_| DEFAULT),
                set: own.chain(settings.set.iter().copied()).collect(),
                remove: &[&STALE_KEYS[..], &settings.remove].concat(),
                behind: None,
            };
            let new = text.edited(&[edit], &[]);
            self.check_new(&new, std::iter::empty())?;
            Ok((Some(new.as_slice()) != bytes).then_some(new))
        })
    }

    /// The profile that the `default` profile follows; `None` if it follows none.
    pub(crate) fn source_of_default(&self) -> Result<Option<String>, Error> {
        let Some(contents) = self.file.read()? else { return Ok(None) };
        let text = self.scan(&contents.bytes)?;
        Ok(text.section(DEFAULT).and_then(|section| source_of(&text, section)).map(|source| source.to_string()))
    }

    /// Removes the keys of the profile that the `default` profile follows, and its section if that has nothing else.
    pub(crate) fn clear_default(&self, lock: &Lock) -> Result<KeysRemoved, Error> {
        let mut removed = Vec::new();
        let written = self.file.replace(lock, |bytes| {
            let text = self.scan(bytes.unwrap_or_default())?;
            let Some(section) = text.section(DEFAULT).filter(|section| source_of(&text, section).is_some()) else { return Ok(None) };
            let keys = if KnownProfile::of(&text, section).other_keys.is_some() { vec![SOURCE] } else { written_keys(&text, section) };
            removed = vec![DEFAULT.to_owned()];
            let new = if text.has_only(section, &keys) {
                text.edited(&[], &[DEFAULT])
            } else {
                text.edited(&[SectionEdit { section: DEFAULT, remove: &keys, ..SectionEdit::default() }], &[])
            };
            self.check_new(&new, std::iter::empty())?;
            Ok(Some(new))
        })?;
        Ok(KeysRemoved { removed, left: Vec::new(), written })
    }
}
