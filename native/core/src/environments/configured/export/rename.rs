//! Gives the section of an exported profile another name.

use std::path::Path;

use super::{header_of, line, profile_sections};
use crate::environments::configured::{ConfigFile, read_text};
use crate::environments::environment::Environment;
use crate::error::{Code, Error};
use crate::files::ini_text::SectionEdit;
use crate::files::known_keys::KnownProfile;
use crate::names::profile::ProfileEntry;
use crate::secret::SecretBytes;

/// The new name of an exported profile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExportRenaming<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) from: &'a str,
    /// The profile with its new name.
    pub(crate) to: &'a ProfileEntry,
    /// The program that a `credential_process` line names.
    pub(crate) program: Option<&'a str>,
}

impl ExportRenaming<'_> {
    /// The text of the file with the new name; `None` if the profile was not exported.
    ///
    /// # Errors
    /// No AWS tool can read the text, or it already has a section with the new name.
    pub(crate) fn apply(&self, path: &Path, bytes: &[u8]) -> Result<Option<SecretBytes>, Error> {
        let config = read_text(path, bytes)?;
        let sections = profile_sections(&config.text);
        let name = self.to.name.as_str();
        if let Some(taken) = sections.get(name).and_then(|sections| sections.first()) {
            let what = format!("{}, line {} already has a section for the profile {name}.", path.display(), taken.line());
            return Err(Error::new(Code::ProfileNameConflict, what)
                .with_target(name)
                .with_action("Choose another name, or remove that section. Nothing was changed."));
        }
        let Some([section]) = sections.get(self.from).map(Vec::as_slice) else { return Ok(None) };
        let Some(written) = section.name().filter(|_| KnownProfile::of(&config.text, section).is_marked_for(&self.environment.name)) else {
            return Ok(None);
        };
        let header = header_of(name);
        let program = self.program.filter(|_| section.key("credential_process").is_some());
        let line = program.map(|program| line(program, self.environment, self.to));
        let set = line.iter().map(|line| ("credential_process", line.as_str())).collect();
        let new = config.text.edited(&[SectionEdit { section: written, rename: Some(&header), set, ..SectionEdit::default() }], &[]);
        let provider = |bytes: &[u8], name: &str| ConfigFile::parse(path, bytes).map(|config| config.provider(name));
        if provider(&new, name)? != provider(bytes, self.from)? {
            return Err(Error::new(Code::InternalError, format!("{} was not changed, because its new text could not be read back.", path.display()))
                .with_target(name)
                .with_action("This is a bug in the module. Report it with this message."));
        }
        Ok(Some(new))
    }
}
