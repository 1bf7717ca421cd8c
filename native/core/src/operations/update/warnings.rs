//! The warnings of an update, each given once per process.

use time::Duration;

use crate::environments::configured::OtherMeaning;
use crate::files::credentials_file::Fetched;
use crate::files::known_keys::DueRule;
use crate::names::hazards::{Hazard, hazard, misread_names};
use crate::operations::other_settings::ToolFiles;
use crate::operations::update::fetch::UpdateRun;
use crate::operations::update::rows::Part;
use crate::outlet::Topic;
use crate::text::listed;

/// The most names in a warning; more would hide the rest of the sentence.
const MOST_NAMES: usize = 10;

impl UpdateRun {
    /// Warns, once per process, that other users can replace the credentials file with their own.
    pub(super) fn warn_of_open_folder(&self) {
        let folder = self.file.path().parent().unwrap_or(self.file.path()).display().to_string();
        if self.context.outlet.is_first_warning(Topic::OpenFolder, &folder) {
            self.context.outlet.warn(format!("Every user of this machine can write to {folder} and replace the files in it. Run chmod go-w '{folder}'."));
        }
    }

    /// Warns, once per process, about profiles whose names make some AWS tools use their keys for another profile.
    pub(super) fn warn_of_names(&self, parts: &[Part]) {
        let due = parts.iter().flat_map(Part::due).map(|row| row.profile.name.as_str());
        let new: Vec<&str> =
            due.filter(|name| hazard(name) == Some(Hazard::Misread) && self.context.outlet.is_first_warning(Topic::MisreadName, name)).collect();
        if !new.is_empty() {
            self.context.outlet.warn(misread_names(&new));
        }
    }

    /// Warns, once per process, about profiles for which AWS tools do not use the written keys, or use them instead of what the config file says.
    pub(super) fn warn_of_other_meanings(&self, parts: &[Part]) {
        let file = self.file.path().display();
        let due = parts.iter().flat_map(|part| part.due().map(|row| (&part.environment, &row.profile)));
        let mut found: Vec<(OtherMeaning, Vec<&str>)> = Vec::new();
        for (environment, profile) in due {
            let Some(meaning) = self.config.other_meaning(environment, profile) else { continue };
            if self.context.outlet.is_first_warning(Topic::ConfigFile, &profile.name) {
                match found.iter_mut().find(|(other, _)| *other == meaning) {
                    Some((_, names)) => names.push(&profile.name),
                    None => found.push((meaning, vec![&profile.name])),
                }
            }
        }
        for (meaning, names) in found {
            let names = names.join(", ");
            let config = self.config.path.display();
            self.context.outlet.warn(match meaning {
                OtherMeaning::Sso => {
                    format!("{config} has a different account or role for {names} (sso_account_id, sso_role_name), and the AWS CLI uses it instead of the keys in {file}. Make them match.")
                }
                OtherMeaning::RoleArn => {
                    format!("{config} has a role_arn for {names}, which the AWS CLI uses instead of the keys in {file}. Rename the profile in one of the files.")
                }
                OtherMeaning::CredentialProcess => {
                    format!("{config} has a credential_process for {names}, which AWS tools no longer call because {file} has keys. Rename the profile in one of the files.")
                }
            });
        }
    }

    /// Warns, once per process, about a region or output format in the files that differs from that of the profile.
    pub(super) fn warn_of_other_settings(&self, parts: &[Part]) {
        // The file was read before; if it cannot be read now, the write reports that.
        let Ok(known) = self.file.known() else { return };
        let files = ToolFiles { credentials: self.file.path(), known: &known, config: &self.config };
        let due: Vec<_> = parts.iter().flat_map(Part::due).map(|row| &row.profile).collect();
        files.warn_of_other_settings(&due, &self.context.outlet);
    }

    /// Warns, once per process, about profiles whose keys never last as long as required.
    pub(super) fn warn_of_short_keys(&self, fetched: &[Fetched<'_>]) {
        let rule = DueRule::of(self.context.now(), self.update.minimum_remaining);
        let short = fetched.iter().filter(|fetched| rule.exceeds(fetched.keys.expiration - fetched.issued));
        let new: Vec<&Fetched<'_>> = short.filter(|fetched| self.context.outlet.is_first_warning(Topic::ShortKeys, &fetched.profile.name)).collect();
        if let Some(first) = new.first() {
            let names: Vec<&str> = new.iter().map(|fetched| fetched.profile.name.as_str()).collect();
            self.context.outlet.warn(format!(
                "The credentials of {} are valid for only {} min, less than -MinimumRemaining. They are refreshed when half of that time is left.",
                listed(&names, MOST_NAMES),
                // Rounded to whole minutes, because some time has passed since the keys were issued.
                (first.keys.expiration - first.issued + Duration::seconds(30)).whole_minutes()
            ));
        }
    }
}
