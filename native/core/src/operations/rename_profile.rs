//! `Rename-SsoProfile`: gives a profile another name in the table, in the credentials file, and in the config file if it was exported.

use std::sync::Arc;

use crate::context::Context;
use crate::environments::configured::export::rename::ExportRenaming;
use crate::environments::configured::path_of;
use crate::environments::edit::{TableChange, edit_table};
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::credentials_file::CredentialsFile;
use crate::files::credentials_file::rename::{Renaming, ToRename};
use crate::files::lock::Lock;
use crate::files::program::InstalledProgram;
use crate::files::safe_write::SafeFile;
use crate::names::hazards::check_new_name;
use crate::names::profile::{ProfileEntry, check_profile_name};
use crate::operations::named::find_profile;
use crate::operations::new_profiles::warn_of_new_profiles;
use crate::outlet::NetworkWork;
use crate::protocol::{Added, Event, RenameProfile};

/// Renames the profile everywhere, or nowhere if its new name is taken anywhere.
pub(crate) fn run(wanted: RenameProfile, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (environment, old) = find_profile(&wanted.profile, &wanted.environments, &context.world)?;
    let stored = Environments::read(&context.world)?;
    check_name(&wanted.new_name, &old, &environment, &stored)?;
    let new = ProfileEntry { name: wanted.new_name.clone(), ..old.clone() };
    let place = Places::of(&environment, &old, &new, context)?;
    if !wanted.check_only {
        place.rename(context)?;
        warn_of_new_profiles(&[new.name.as_str()], context);
    }
    context.outlet.send(Event::Added(Added {
        environment: environment.name.clone(),
        profile_name: new.name,
        account_id: new.account_id,
        role_name: new.role_name,
        profile_region: new.settings.region,
        profile_output: new.settings.output,
    }));
    Ok(None)
}

fn check_name(new_name: &str, old: &ProfileEntry, environment: &Environment, stored: &Environments) -> Result<(), Error> {
    let refused = |code, what: String, action: &str| Err(Error::new(code, what).with_target(new_name).with_action(action));
    if stored.stored(&environment.name).is_none() {
        let what = format!("The profile {} cannot be renamed: it comes from {}.", old.name, environment.source.display());
        return refused(Code::EnvironmentInvalid, what, "Rename it in that file.");
    }
    if new_name == old.name {
        return refused(Code::ProfileNameConflict, format!("The profile already has the name {new_name}."), "Specify another name.");
    }
    if let Err(what) = check_profile_name(new_name).and_then(|()| check_new_name(new_name)) {
        return refused(Code::EnvironmentInvalid, format!("The profile {} cannot be renamed: {what}.", old.name), "Specify another name.");
    }
    let is_taken = |other: &&Arc<Environment>| other.profiles.iter().any(|profile| profile.name == new_name);
    if let Some(other) = stored.all.iter().find(is_taken) {
        let what = format!("The environment {} already has a profile named {new_name}.", other.name);
        return refused(Code::ProfileNameConflict, what, "Specify another name, or rename that profile first. Nothing was changed.");
    }
    Ok(())
}

/// Where the profile has its old name.
struct Places<'a> {
    environment: &'a Environment,
    old: &'a ProfileEntry,
    new: &'a ProfileEntry,
    credentials: CredentialsFile,
    keys: ToRename,
    config: SafeFile,
    is_exported: bool,
    program: Option<String>,
}

impl<'a> Places<'a> {
    /// Looks for the profile in every file.
    ///
    /// # Errors
    /// A file cannot be read, or has the new name already.
    fn of(environment: &'a Environment, old: &'a ProfileEntry, new: &'a ProfileEntry, context: &Context) -> Result<Self, Error> {
        let credentials = CredentialsFile::of(&context.world)?;
        let keys = credentials.to_rename(Renaming { environment: &environment.name, from: &old.name, to: &new.name })?;
        let config = SafeFile::at(&path_of(&context.world)?, &context.world.wait_limit);
        let program = InstalledProgram::of(&context.world).and_then(|program| program.plain_path()).ok();
        let mut places = Self { environment, old, new, credentials, keys, config, is_exported: false, program };
        let bytes = places.config.read()?.map(|contents| contents.bytes);
        places.is_exported = places.export().apply(places.config.path(), bytes.as_ref().map_or(&[][..], |bytes| bytes.as_slice()))?.is_some();
        Ok(places)
    }

    fn export(&self) -> ExportRenaming<'_> {
        ExportRenaming { environment: self.environment, from: &self.old.name, to: self.new, program: self.program.as_deref() }
    }

    /// The table first: it decides which keys the other files are to have.
    fn rename(&self, context: &Context) -> Result<(), Error> {
        let Self { environment, old, new, credentials, .. } = self;
        let warnings = edit_table(&context.world, &environment.name, false, &context.patience(), |_, environment| {
            let is_there = environment.profiles.iter().any(|profile| profile.name == old.name);
            Ok(TableChange { renamed: is_there.then(|| (old.name.clone(), new.name.clone())), ..TableChange::default() })
        })?;
        context.outlet.warn_all(warnings);
        match self.keys {
            ToRename::Nothing => {}
            ToRename::Ours => {
                let lock = Lock::take(&credentials.lock_path(), &context.patience())?;
                let written = credentials.rename(Renaming { environment: &environment.name, from: &old.name, to: &new.name }, &lock)?;
                context.outlet.warn_all(written.warnings(credentials.path()));
                context.outlet.verbose(format!("[{}] is now [{}] in {}.", old.name, new.name, credentials.path().display()));
            }
            ToRename::Others => {
                context.outlet.warn(format!("[{}] in {} was not renamed, because its keys are not from this module.", old.name, credentials.path().display()));
            }
        }
        if self.is_exported {
            let lock = Lock::take(&self.config.lock_path(), &context.patience())?;
            let written = self.config.replace(&lock, |bytes| self.export().apply(self.config.path(), bytes.unwrap_or_default()))?;
            context.outlet.warn_all(written.warnings(self.config.path()));
            context.outlet.verbose(format!("The profile {} is now {} in {}.", old.name, new.name, self.config.path().display()));
        }
        Ok(())
    }
}
