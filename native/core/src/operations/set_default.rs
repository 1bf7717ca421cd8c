//! `Use-SsoCredential -AsDefault` and `-Clear`: the `default` profile with the keys of another one.

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::DEFAULT;
use crate::files::lock::Lock;
use crate::operations::named::{find_profile, no_keys_in_file, readable_config};
use crate::outlet::NetworkWork;
use crate::protocol::{ClearDefault, Event, Removed, SetDefault};

/// Gives the `default` profile the keys that the credentials file has for a profile.
pub(crate) fn run(wanted: SetDefault, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (environment, profile) = find_profile(&wanted.profile, &wanted.environments, &context.world)?;
    if environment.keeps_keys_out_of_file() {
        return Err(no_keys_in_file(&environment));
    }
    let refused = |code, what: String, action: String| Err(Error::new(code, what).with_target(&profile.name).with_action(action));
    if let Some(owner) = Environments::read(&context.world)?.all.iter().find(|other| other.profiles.iter().any(|profile| profile.name == DEFAULT)) {
        let what = format!("The environment {} has a profile named default, so it cannot follow {}.", owner.name, profile.name);
        return refused(Code::ProfileNameConflict, what, "Rename that profile with Rename-SsoProfile default <new name>.".to_owned());
    }
    let config = ConfigFile::read(&context.world)?;
    if config.provider(&profile.name).is_some() {
        let what = format!("The default profile cannot follow {}: AWS tools get its credentials from {}.", profile.name, config.path.display());
        return refused(Code::ProfileNameConflict, what, format!("Use Use-SsoCredential {} instead, which sets AWS_PROFILE.", profile.name));
    }
    let file = CredentialsFile::of(&context.world)?;
    file.check_default()?;
    if wanted.check_only {
        return Ok(None);
    }
    let lock = Lock::take(&file.lock_path(), &context.patience())?;
    let written = file.set_default(&profile, &lock)?;
    context.outlet.warn_all(written.warnings(file.path()));
    context.outlet.verbose(format!("[default] in {} has the credentials of {} in {}.", file.path().display(), profile.name, environment.name));
    warn_of_config(context);
    Ok(None)
}

/// Tools differ in which of both files they read first.
fn warn_of_config(context: &Context) {
    let config = readable_config(&context.world);
    let usable = config.environments.iter().filter_map(|found| found.outcome.as_ref().ok());
    let has_keys = config.provider(DEFAULT).is_some() || usable.flat_map(|found| &found.profiles).any(|profile| profile.name == DEFAULT);
    if has_keys {
        context.outlet.warn(format!("[default] in {} leads to other credentials, and some AWS tools use those.", config.path.display()));
    }
}

/// Removes the keys of the profile that `default` follows, and reports it; without one, nothing is done.
pub(crate) fn clear(_wanted: ClearDefault, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let file = CredentialsFile::of(&context.world)?;
    let Some(source) = file.source_of_default()? else { return Ok(None) };
    let lock = Lock::take(&file.lock_path(), &context.patience())?;
    let removed = file.clear_default(&lock)?;
    context.outlet.warn_all(removed.written.warnings(file.path()));
    if !removed.removed.is_empty() {
        context.outlet.send(Event::Removed(Removed { environment: String::new(), profile_name: source }));
    }
    Ok(None)
}
