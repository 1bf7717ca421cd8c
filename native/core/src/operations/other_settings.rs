//! Warnings about a region or an output format in the files of AWS tools that differs from the one that the user set here.

use std::path::Path;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::{KnownProfiles, Setting};
use crate::names::profile::ProfileEntry;
use crate::outlet::{Outlet, Topic};
use crate::text::listed;

/// The most names in a warning; more would hide the rest of the sentence.
const MOST_NAMES: usize = 10;

/// What the files of AWS tools contain.
#[derive(Clone, Copy)]
pub(super) struct ToolFiles<'a> {
    pub(super) credentials: &'a Path,
    pub(super) known: &'a KnownProfiles,
    pub(super) config: &'a ConfigFile,
}

impl ToolFiles<'_> {
    /// Warns, once per process, about values in these files that the settings of these profiles do not replace, and about those that they override.
    pub(super) fn warn_of_other_settings(&self, profiles: &[&ProfileEntry], outlet: &Outlet) {
        let file = self.credentials.display();
        for setting in [Setting::Region, Setting::Output] {
            let (key, is_new) = (setting.key(), |name: &str| outlet.is_first_warning(Topic::OtherSetting, &format!("{} of {name}", setting.key())));
            let stays = |profile: &ProfileEntry| self.known.value_of_user(profile, setting).is_some();
            let (staying, others): (Vec<_>, Vec<_>) = profiles.iter().copied().partition(|profile| stays(profile));
            let staying: Vec<&str> = staying.iter().map(|profile| profile.name.as_str()).filter(|name| is_new(name)).collect();
            if !staying.is_empty() {
                let names = listed(&staying, MOST_NAMES);
                outlet.warn(format!("{file} has a {key} of its own for {names}, which stays. To use the {key} that is set for the profile, delete that line."));
            }
            let differs = |profile: &&&ProfileEntry| {
                let wanted = setting.wanted(profile);
                let configured = self.config.setting(&profile.name, setting);
                wanted.is_some() && configured.is_some() && wanted != configured
            };
            let overridden: Vec<&str> = others.iter().filter(differs).map(|profile| profile.name.as_str()).filter(|name| is_new(name)).collect();
            if !overridden.is_empty() {
                let (config, names) = (self.config.path.display(), listed(&overridden, MOST_NAMES));
                outlet.warn(format!("{config} has another {key} for {names}. AWS tools use the one in {file}, which is the one that is set for the profile."));
            }
        }
    }
}

/// Warns as an update would, for profiles whose settings were changed.
pub(super) fn warn_of_changed_settings(profiles: &[ProfileEntry], context: &Context) {
    // The next update reports a file that cannot be read.
    let (Ok(file), Ok(config)) = (CredentialsFile::of(&context.world), ConfigFile::read(&context.world)) else { return };
    let Ok(known) = file.known() else { return };
    let files = ToolFiles { credentials: file.path(), known: &known, config: &config };
    files.warn_of_other_settings(&profiles.iter().collect::<Vec<_>>(), &context.outlet);
}
