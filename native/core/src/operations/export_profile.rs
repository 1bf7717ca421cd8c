//! `Export-SsoProfile`: writes profiles to the AWS config file, so that AWS tools get their keys by themselves.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::context::Context;
use crate::environments::configured::export::{ChangeKind, Export, Exporting, ProfileChange, StoredNames, Way, is_plain_argument};
use crate::environments::configured::{ConfigFile, path_of};
use crate::environments::environment::Environment;
use crate::environments::stored::{ENVIRONMENTS_FILE, Environments};
use crate::error::{Code, Error};
use crate::files::credentials_file::{CredentialsFile, Removal};
use crate::files::lock::Lock;
use crate::files::program::InstalledProgram;
use crate::files::safe_write::SafeFile;
use crate::files::written::Written;
use crate::names::profile::ProfileEntry;
use crate::names::same_name;
use crate::operations::key_removal::KeyRemoval;
use crate::outlet::{NetworkWork, Topic};
use crate::protocol::{Event, ExportKind, ExportProfile, ExportStatus, Exported, TokenCache};
use crate::session::moved::move_token;
use crate::session::place::TokenPlace;
use crate::session::system_token::SystemToken;
use crate::text::listed;

/// The most names in a warning; more would hide the rest of the sentence.
const MOST_NAMES: usize = 10;

/// Writes the profiles, removes their keys from the credentials file, and reports each.
pub(crate) fn run(wanted: ExportProfile, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let environment = exportable(&wanted.environment, context)?;
    let before = ConfigFile::read(&context.world)?;
    check_place(&environment, &before, &wanted, context)?;
    let way = way_of(&wanted, context)?;
    let (profiles, unknown) = named_profiles(&wanted, &environment);
    for error in &unknown {
        context.outlet.fail(error, false);
    }
    let names = profiles.iter().map(|profile| profile.name.as_str()).collect();
    let stored = stored_names(context)?;
    let owns = |mark: &str| same_name(mark, &environment.name) || stored.is_without(mark);
    let in_the_way = CredentialsFile::of(&context.world)?.in_the_way(owns, &names)?;
    let (blocked, profiles): (Vec<_>, Vec<_>) = profiles.into_iter().partition(|profile| in_the_way.contains_key(&profile.name));
    let export =
        Export { environment: &environment, profiles, way, pruned_but: wanted.prune.then(|| wanted.kept.iter().map(String::as_str).collect()), stored };
    let outcome = write(&export, &wanted, context)?;
    let conflicts = blocked.into_iter().map(|profile| conflict(profile, &in_the_way, context)).chain(outcome.conflicts.iter().cloned());
    for error in conflicts {
        context.outlet.fail(&error, false);
    }
    let removed = remove_keys(&export, &outcome.changes, wanted.check_only, context)?;
    for change in &outcome.changes {
        context.outlet.send(Event::Exported(exported(change, &environment, &removed)));
    }
    if wanted.check_only {
        return Ok(None);
    }
    warn_of_names(&export, &outcome.changes, context);
    let (environment, context) = (Arc::clone(&environment), context.clone());
    Ok(Some(Box::pin(async move { follow_session(&environment, &before, &context).await })))
}

/// The stored environment, if AWS tools can get its keys without this PowerShell.
fn exportable(name: &str, context: &Context) -> Result<Arc<Environment>, Error> {
    let environments = Environments::read(&context.world)?;
    let refused = |what: String, action: String| Err(Error::new(Code::EnvironmentInvalid, what).with_target(name).with_action(action));
    let Some(environment) = environments.stored(name) else {
        let found = environments.find(name, &context.world)?;
        let what = format!("The environment {} is not stored: it comes from {}.", found.name, found.source.display());
        return refused(what, "AWS tools already use its profiles there. To export others, store an environment with Set-SsoEnvironment.".to_owned());
    };
    let name = &environment.name;
    if environment.token_cache == Some(TokenCache::Memory) {
        let what = format!("The profiles of {name} cannot be exported: its session is kept in memory, where AWS tools do not find it.");
        return refused(what, format!("Run Set-SsoEnvironment {name} -TokenCache AwsCli, or do not export it."));
    }
    if !(is_plain_argument(name) && name.chars().all(|c| c.is_ascii_alphanumeric() || "._@+-".contains(c))) {
        let what = format!("The profiles of {name} cannot be exported: the name of the environment has characters that AWS tools read in different ways.");
        return refused(what, "Store the environment under a name that has only the letters A to Z, digits, and . _ @ + -.".to_owned());
    }
    Ok(Arc::clone(environment))
}

/// Checks that AWS tools that look for the session in files find it there, and that the program can read it.
fn check_place(environment: &Environment, config: &ConfigFile, wanted: &ExportProfile, context: &Context) -> Result<(), Error> {
    // Earlier exports can always be removed.
    if wanted.profiles.is_empty() {
        return Ok(());
    }
    let place = TokenPlace::of(&context.world, environment, config, None)?;
    let Some(store) = place.system().map(SystemToken::store_name) else { return Ok(()) };
    let name = &environment.name;
    let back = format!("Connect-SsoSession {name} -TokenCache AwsCli -Move");
    let (what, action) = match wanted.kind {
        ExportKind::SsoSession => (
            format!("The profiles of {name} cannot be exported with an sso_session: its session is kept in {store}, where AWS tools do not find it."),
            format!("Use Export-SsoProfile {name} -As CredentialProcess, or move the session back with {back}."),
        ),
        ExportKind::CredentialProcess if cfg!(target_os = "macos") => (
            format!("The profiles of {name} cannot be exported: its session is kept in {store}, which only PowerShell can read."),
            format!("Use Use-SsoCredential -AsEndpoint, or move the session back with {back}."),
        ),
        ExportKind::CredentialProcess => return Ok(()),
    };
    Err(Error::new(Code::EnvironmentInvalid, what).with_target(name).with_action(action))
}

/// The environments that exist, as far as their file tells: a user with a file elsewhere may have more than one.
fn stored_names(context: &Context) -> Result<StoredNames, Error> {
    if context.world.variables.get(ENVIRONMENTS_FILE).is_some() {
        return Ok(StoredNames::Unknown);
    }
    Ok(StoredNames::Only(Environments::read(&context.world)?.names().map(str::to_lowercase).collect()))
}

/// How AWS tools get the keys.
fn way_of(wanted: &ExportProfile, context: &Context) -> Result<Way, Error> {
    match wanted.kind {
        ExportKind::SsoSession => Ok(Way::Session),
        ExportKind::CredentialProcess => {
            let place = InstalledProgram::of(&context.world)?;
            let program = place.plain_path()?;
            InstalledProgram::check(&wanted.programs)?;
            Ok(Way::Process { program })
        }
    }
}

/// The named profiles, in the order of the table, and an error for each that the environment does not have.
fn named_profiles<'e>(wanted: &ExportProfile, environment: &'e Environment) -> (Vec<&'e ProfileEntry>, Vec<Error>) {
    let names: HashSet<&str> = wanted.profiles.iter().map(String::as_str).collect();
    let found: Vec<&ProfileEntry> = environment.profiles.iter().filter(|profile| names.contains(profile.name.as_str())).collect();
    let is_unknown = |name: &&String| !environment.profiles.iter().any(|profile| profile.name == **name);
    let error = |name: &String| {
        Error::new(Code::ProfileNotFound, format!("{} has no profile named '{name}'.", environment.name))
            .with_target(name)
            .with_action("Profile names are case-sensitive; Get-SsoProfile lists them.")
    };
    (found, wanted.profiles.iter().filter(is_unknown).map(error).collect())
}

/// Installs the program that the lines name, and writes the config file, unless it is only to be checked or has nothing to change.
fn write(export: &Export<'_>, wanted: &ExportProfile, context: &Context) -> Result<Exporting, Error> {
    let path = path_of(&context.world)?;
    let file = SafeFile::at(&path, &context.world.wait_limit);
    let bytes = file.read()?.map(|contents| contents.bytes);
    let planned = export.apply(&path, bytes.as_ref().map_or(&[][..], |bytes| bytes.as_slice()))?;
    if wanted.check_only {
        return Ok(planned);
    }
    // A newer module replaces the program even if no line changes.
    if export.way != Way::Session && planned.changes.iter().any(|change| change.kind != ChangeKind::Removed) {
        InstalledProgram::of(&context.world)?.install(&wanted.programs)?;
    }
    if planned.text.is_none() {
        return Ok(planned);
    }
    let mut outcome = Exporting::default();
    let lock = Lock::take(&file.lock_path(), &context.patience())?;
    let written = file.replace(&lock, |bytes| {
        outcome = export.apply(&path, bytes.unwrap_or_default())?;
        Ok(outcome.text.take())
    })?;
    report_write(&file, &written, context);
    Ok(outcome)
}

fn report_write(file: &SafeFile, written: &Written, context: &Context) {
    context.outlet.warn_all(written.all_warnings(file.path()));
    if written.changed {
        context.outlet.verbose(format!("{} was written.", file.path().display()));
    }
}

fn conflict(profile: &ProfileEntry, in_the_way: &HashMap<String, String>, context: &Context) -> Error {
    let name = &profile.name;
    let file = CredentialsFile::of(&context.world).map(|file| file.path().display().to_string()).unwrap_or_default();
    let why = in_the_way.get(name).map_or("", String::as_str);
    Error::new(Code::ProfileHasOtherKeys, format!("The profile {name} was not exported: in {file}, {why}."))
        .with_target(name)
        .with_action("AWS tools differ in which of both they use. Remove that section from the file or rename the profile, then run the command again.")
}

/// Removes the keys of the exported profiles from the credentials file, where some AWS tools would prefer them. Returns the profiles that had some.
fn remove_keys(export: &Export<'_>, changes: &[ProfileChange], check_only: bool, context: &Context) -> Result<HashSet<String>, Error> {
    let profiles: HashSet<&str> = changes.iter().filter(|change| change.kind != ChangeKind::Removed).map(|change| change.profile.as_str()).collect();
    let mut removed = HashSet::new();
    let mut marks = CredentialsFile::of(&context.world)?.marks(&profiles)?;
    marks.retain(|mark| export.stored.is_without(mark));
    marks.insert(export.environment.name.clone());
    for mark in marks {
        let removal = KeyRemoval::plan(Removal { environment: &mark, profiles: &profiles, all_but: None }, &context.world)?;
        removed.extend(if check_only { removal.planned.removed } else { removal.carry_out(context)? });
    }
    Ok(removed)
}

fn exported(change: &ProfileChange, environment: &Environment, removed: &HashSet<String>) -> Exported {
    let entry = environment.profiles.iter().find(|profile| profile.name == change.profile);
    Exported {
        environment: environment.name.clone(),
        profile_name: change.profile.clone(),
        account_id: entry.map(|entry| entry.account_id.clone()),
        role_name: entry.map(|entry| entry.role_name.clone()),
        status: match change.kind {
            ChangeKind::Added => ExportStatus::Added,
            ChangeKind::Changed => ExportStatus::Changed,
            ChangeKind::Unchanged => ExportStatus::Unchanged,
            ChangeKind::Removed => ExportStatus::Removed,
        },
        changed_keys: change.keys.clone(),
        credentials_removed: removed.contains(&change.profile),
    }
}

/// Warns, once per process, about exported profiles whose names not every AWS tool finds in the config file.
fn warn_of_names(export: &Export<'_>, changes: &[ProfileChange], context: &Context) {
    let exported = changes.iter().filter(|change| change.kind != ChangeKind::Removed).map(|change| change.profile.as_str());
    let is_new = |name: &&str| !is_plain_argument(name) && context.outlet.is_first_warning(Topic::ExportedName, name);
    let names: Vec<&str> = exported.filter(is_new).collect();
    if names.is_empty() {
        return;
    }
    let how = match export.way {
        Way::Process { .. } => " Their credential_process lines have the account and the role instead of the name.",
        Way::Session => "",
    };
    context.outlet.warn(format!(
        "Not every AWS tool finds profiles whose names have spaces, non-ASCII letters or special characters: {}.{how}",
        listed(&names, MOST_NAMES)
    ));
}

/// Moves the environment's token to where AWS tools and this module look for it now.
async fn follow_session(environment: &Environment, before: &ConfigFile, context: &Context) {
    let Ok(after) = ConfigFile::read(&context.world) else { return };
    match move_token(environment, before, &after, context).await {
        Ok(true) => context.outlet.verbose(format!("The session of {} was moved to its sso-session, so that no new login is needed.", environment.name)),
        Ok(false) => {}
        Err(error) => context.outlet.warn(format!("One more login is needed for {}, because its session could not be moved: {error}", environment.name)),
    }
}
