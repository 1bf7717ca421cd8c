//! Gives the section of a profile another name, with everything in it.

use super::CredentialsFile;
use crate::error::{Code, Error};
use crate::files::ini_text::{IniText, Section, SectionEdit};
use crate::files::known_keys::{DEFAULT, KnownProfile, OWN_KEYS, SOURCE, source_of};
use crate::files::lock::Lock;
use crate::files::written::Written;

/// The new name of a profile of an environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Renaming<'a> {
    pub(crate) environment: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
}

/// What the file has for a profile that gets another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToRename {
    Nothing,
    /// A section with keys that this module wrote.
    Ours,
    /// A section that stays, because its keys are from another source.
    Others,
}

impl CredentialsFile {
    /// What a renaming would find.
    ///
    /// # Errors
    /// The file already has a section with the new name.
    pub(crate) fn to_rename(&self, renaming: Renaming<'_>) -> Result<ToRename, Error> {
        let Some(contents) = self.file.read()? else { return Ok(ToRename::Nothing) };
        let text = self.scan(&contents.bytes)?;
        self.section_to_rename(&text, renaming).map(|(found, _)| found)
    }

    /// Renames the section if its keys are this module's; changes no other byte.
    pub(crate) fn rename(&self, renaming: Renaming<'_>, lock: &Lock) -> Result<Written, Error> {
        self.file.replace(lock, |bytes| {
            let text = self.scan(bytes.unwrap_or_default())?;
            let (ToRename::Ours, Some(section)) = self.section_to_rename(&text, renaming)? else { return Ok(None) };
            let Some(header) = section.name() else { return Ok(None) };
            let mut edits = vec![SectionEdit { section: header, rename: Some(renaming.to), ..SectionEdit::default() }];
            let default = text.section(DEFAULT).and_then(|section| source_of(&text, section));
            if default.is_some_and(|source| *source == renaming.from) {
                edits.push(SectionEdit { section: DEFAULT, set: vec![(SOURCE, renaming.to)], ..SectionEdit::default() });
            }
            let new = text.edited(&edits, &[]);
            self.check_new(&new, std::iter::empty())?;
            Ok(Some(new))
        })
    }

    fn section_to_rename<'t>(&self, text: &'t IniText<'_>, renaming: Renaming<'_>) -> Result<(ToRename, Option<&'t Section>), Error> {
        let of = |name: &str| text.sections.iter().filter(move |section| section.name().is_some_and(|written| written.trim() == name)).collect::<Vec<_>>();
        if let Some(taken) = of(renaming.to).first() {
            let what = format!("{}, line {} already has a section [{}].", self.path().display(), taken.line(), renaming.to);
            return Err(Error::new(Code::ProfileNameConflict, what)
                .with_target(renaming.to)
                .with_action("Choose another name, or remove that section. Nothing was changed."));
        }
        let found = of(renaming.from);
        let [section] = found.as_slice() else {
            return Ok((if found.is_empty() { ToRename::Nothing } else { ToRename::Others }, None));
        };
        let known = KnownProfile::of(text, section);
        let is_ours = known.other_keys.is_none() && (known.environment.is_none() || known.is_marked_for(renaming.environment));
        let has_keys = OWN_KEYS.iter().any(|key| section.key(key).is_some());
        Ok((if is_ours && has_keys { ToRename::Ours } else { ToRename::Others }, Some(section)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::world::test_world;

    const RENAMING: Renaming<'_> = Renaming { environment: "Acme", from: "Old", to: "New" };

    /// What the file has, and its text after the renaming.
    fn renamed(text: &str) -> (Result<ToRename, String>, String) {
        let (home, world) = test_world();
        let path = home.path().join(".aws/credentials");
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(&path, text).unwrap();
        let file = CredentialsFile::of(&world).unwrap();
        let found = file.to_rename(RENAMING).map_err(|error| error.to_string());
        let lock = Lock::try_take(&file.lock_path()).unwrap().unwrap();
        assert_eq!(file.rename(RENAMING, &lock).is_ok(), found.is_ok());
        (found, std::fs::read_to_string(path).unwrap())
    }

    #[test]
    fn our_section_gets_the_name_and_every_other_byte_stays() {
        let text = "# mine\r\n[Old]  # note\r\naws_access_key_id = ASIAX\r\naws_secret_access_key = s\r\naws_session_token = t\r\nx_sso_environment = acme\r\ncli_pager =\r\n[Older]\r\n";
        assert_eq!(renamed(text), (Ok(ToRename::Ours), text.replace("[Old]", "[New]")));
    }

    #[test]
    fn keys_of_others_stay_where_they_are() {
        for section in [
            "aws_access_key_id = AKIAX\naws_secret_access_key = s\n",
            "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\nx_sso_environment = Other\n",
            "region = us-east-1\n",
        ] {
            let text = format!("[Old]\n{section}");
            assert_eq!(renamed(&text), (Ok(ToRename::Others), text));
        }
        assert_eq!(renamed("[Other]\n"), (Ok(ToRename::Nothing), "[Other]\n".to_owned()));
    }

    #[test]
    fn a_name_that_the_file_has_is_an_error_with_its_line() {
        let text = "[Old]\naws_access_key_id = ASIAX\n[ New ]\nregion = x\n";
        let (found, after) = renamed(text);
        assert!(found.unwrap_err().contains("line 3 already has a section [New]"));
        assert_eq!(after, text);
    }
}
