//! Changes the stored environments; a change to one environment never affects another, no matter what the file contains.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use crate::environments::environment::Environment;
use crate::environments::lookup::not_stored;
use crate::environments::stored::{Environments, SectionName, decoded, file, own_indices, own_sections, unreadable};
use crate::environments::sync_settings::{self, SYNC_KEYS};
use crate::environments::wanted::{Origin, check_wanted, missing_parameters, rows_of};
use crate::error::{Code, Error};
use crate::files::ini_text::{IniText, SectionEdit};
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::names::hazards::check_new_name;
use crate::names::profile::{ProfileEntry, ProfileSettings};
use crate::names::same_name;
use crate::patience::Patience;
use crate::protocol::{AccountRow, CredentialsFileUse, EnvironmentView, SetEnvironment, TokenCache};
use crate::secret::SecretBytes;
use crate::text_encoding::mixed_by_edit;
use crate::world::World;

/// The result of a change to an environment.
#[derive(Debug, Clone)]
pub(crate) struct Changed {
    pub(crate) environment: EnvironmentView,
    pub(crate) profiles: Vec<ProfileEntry>,
    /// The profiles that were not in its table before.
    pub(crate) added: Vec<String>,
    /// What the user should know of the new file.
    pub(crate) warnings: Vec<String>,
}

/// Creates or changes an environment, and returns it as it is now stored.
pub(crate) fn set(world: &World, wanted: &SetEnvironment, patience: &Patience) -> Result<Changed, Error> {
    let file = file(world)?;
    check_wanted(wanted, Origin::of(wanted))?;
    let (mut result, mut warnings) = (None, Vec::new());
    let mut edit = |bytes: Option<&[u8]>| {
        let text = decoded(file.path(), bytes.unwrap_or_default())?;
        let (new, changed) = with_environment(file.path(), &text, wanted)?;
        result = Some(changed);
        in_one_encoding(file.path(), &text, new)
    };
    if wanted.check_only {
        let bytes = file.read()?.map(|contents| contents.bytes);
        edit(bytes.as_ref().map(|bytes| bytes.as_slice()))?;
    } else {
        let lock = Lock::take(&file.lock_path(), patience)?;
        warnings = file.replace(&lock, edit)?.warnings(file.path());
    }
    let changed = result.map(|changed| Changed { warnings, ..changed });
    changed.ok_or_else(|| Error::new(Code::InternalError, "The environment was written but not read back."))
}

/// Returns the text with the wanted environment, and the environment as it reads from there.
fn with_environment(path: &Path, text: &[u8], wanted: &SetEnvironment) -> Result<(SecretBytes, Changed), Error> {
    let stored = Environments::parse(path, text);
    let existing = stored.stored(&wanted.name);
    let fault = stored.fault_of(&wanted.name);
    if existing.is_none() && fault.is_none() {
        check_new(wanted)?;
    }
    check_rows_against(&stored, existing, wanted)?;
    // If the block has a fault, the new values may correct it; otherwise a full set of values replaces the block.
    let edited = edited(text, existing, wanted);
    let Some(fault) = fault else {
        return checked(path, &stored, edited, wanted);
    };
    if wanted.keep_broken {
        return Err(fault.with_action("Correct that line, or import with -Force to replace the environment."));
    }
    match checked(path, &stored, edited, wanted) {
        Ok(corrected) => Ok(corrected),
        Err(_) if wanted.start_url.is_some() && wanted.region.is_some() && wanted.accounts.is_some() => {
            let (old, _) = IniText::scan_with_faults(text);
            check_rows_have_roles(wanted, None)?;
            let without = old.without(&own_indices(&old, &wanted.name));
            checked(path, &stored, self::edited(&without, None, wanted), wanted)
        }
        Err(_) => Err(fault),
    }
}

fn check_new(wanted: &SetEnvironment) -> Result<(), Error> {
    if wanted.start_url.is_some() && wanted.region.is_some() {
        return Ok(());
    }
    let missing = missing_parameters(wanted.start_url.is_none(), wanted.region.is_none());
    let what = format!("the environment {} is new, so it needs {missing}", wanted.name);
    Err(Origin::of(wanted).invalid(&wanted.name, what).with_action(format!("Run the command again with {missing}.")))
}

/// Checks the rows against what is stored: each needs a role, and none may be a profile of another environment.
fn check_rows_against(stored: &Environments, existing: Option<&Arc<Environment>>, wanted: &SetEnvironment) -> Result<(), Error> {
    let origin = Origin::of(wanted);
    let others = stored.all.iter().filter(|other| !same_name(&other.name, &wanted.name));
    let owners: HashMap<&str, &str> = others.flat_map(|other| other.profiles.iter().map(|profile| (profile.name.as_str(), other.name.as_str()))).collect();
    let known: HashSet<&str> = existing.iter().flat_map(|existing| &existing.profiles).map(|profile| profile.name.as_str()).collect();
    for (index, row) in wanted.accounts.iter().flatten().enumerate() {
        // Profiles in the table or in a shared file keep the names that they have, and continue to work.
        if matches!(origin, Origin::Parameters) && !known.contains(row.profile.as_str()) {
            check_new_name(&row.profile).map_err(|what| origin.row_invalid(&wanted.name, index, what))?;
        }
        if let Some(owner) = owners.get(row.profile.as_str()) {
            let what = format!("the profile {} already belongs to the environment {owner}; a profile can have only one account and role", row.profile);
            let action = format!("Give it another name, or remove it there with Remove-SsoProfile -Environment {owner} -ProfileName '{}'.", row.profile);
            return Err(origin.row_invalid(&wanted.name, index, what).with_action(action));
        }
    }
    if stored.fault_of(&wanted.name).is_some() {
        return Ok(());
    }
    check_rows_have_roles(wanted, existing.and_then(|environment| environment.default_role_name.as_deref()))
}

fn check_rows_have_roles(wanted: &SetEnvironment, stored_default: Option<&str>) -> Result<(), Error> {
    rows_of(wanted, wanted.default_role_name.as_deref().or(stored_default), &ProfileSettings::default(), Origin::of(wanted)).map(drop)
}

/// Returns the new text if the environment can be read from it and all other environments are unchanged.
fn checked(path: &Path, before: &Environments, new: SecretBytes, wanted: &SetEnvironment) -> Result<(SecretBytes, Changed), Error> {
    let after = Environments::parse(path, &new);
    check_others(before, &after, &wanted.name)?;
    match (after.stored(&wanted.name), after.faults.iter().find(|fault| fault.is_of(&wanted.name))) {
        // Comments and quotes of the file could cut a pattern.
        (Some(environment), _) if wanted.sync.as_ref().is_some_and(|sync| environment.sync != *sync) => {
            Err(Origin::of(wanted).invalid(&wanted.name, "the filters cannot be stored as they are"))
        }
        (Some(environment), _) => {
            let known: HashSet<&str> = before.stored(&wanted.name).iter().flat_map(|before| &before.profiles).map(|profile| profile.name.as_str()).collect();
            let names = environment.profiles.iter().map(|profile| &profile.name);
            let added = names.filter(|name| !known.contains(name.as_str())).cloned().collect();
            Ok((new, Changed { environment: environment.view(), profiles: environment.profiles.clone(), added, warnings: Vec::new() }))
        }
        (None, fault) => {
            let what = fault.map_or_else(|| "it could not be read back".to_owned(), |fault| fault.what.clone());
            Err(Origin::of(wanted).invalid(&wanted.name, what))
        }
    }
}

/// Checks that a change to one environment does not affect any other.
fn check_others(before: &Environments, after: &Environments, name: &str) -> Result<(), Error> {
    let others = |all: &'_ Environments| all.all.iter().filter(|other| !same_name(&other.name, name)).cloned().collect::<Vec<_>>();
    if others(before) == others(after) {
        return Ok(());
    }
    Err(Error::new(Code::EnvironmentInvalid, format!("{} cannot be changed: the change would affect other environments.", before.path.display()))
        .with_target(name)
        .with_action("Get-SsoEnvironment shows which lines of the file are wrong. Correct them, then run the command again."))
}

/// Sets the wanted values in the existing sections of the environment, or adds sections for it.
fn edited(text: &[u8], existing: Option<&Arc<Environment>>, wanted: &SetEnvironment) -> SecretBytes {
    let (text, _) = IniText::scan_with_faults(text);
    // Sections are found by their names as the file has them.
    let own = own_sections(&text, &wanted.name);
    let header = own.iter().find(|(_, parsed)| matches!(parsed, SectionName::Environment(_)));
    let name = match (existing, header) {
        (Some(environment), _) => environment.name.as_str(),
        (None, Some((_, parsed))) => parsed.environment(),
        (None, None) => wanted.name.as_str(),
    };
    let section_of = |profile: &str| {
        let same = |parsed: &SectionName<'_>| matches!(parsed, SectionName::Profile(_, other) if *other == profile);
        own.iter().find(|(_, parsed)| same(parsed)).map_or_else(|| format!("environment {name} profile {profile}"), |(written, _)| (*written).to_owned())
    };
    let header = header.map_or_else(|| format!("environment {name}"), |(written, _)| (*written).to_owned());
    let token_cache = wanted.token_cache.map(TokenCache::name);
    let sync = wanted.sync.as_ref().map(sync_settings::written);
    let sync = SYNC_KEYS.into_iter().zip(sync.iter().flatten().map(|value| Some(value.as_str())));
    let settings = [
        ("sso_start_url", wanted.start_url.as_deref()),
        ("sso_region", wanted.region.as_deref()),
        ("default_role_name", wanted.default_role_name.as_deref()),
        ("profile_region", wanted.profile_region.as_deref()),
        ("profile_output", wanted.profile_output.as_deref()),
        ("token_cache", token_cache),
        ("credentials_file", wanted.credentials_file.map(CredentialsFileUse::name)),
    ];
    // An empty value removes a setting.
    let (unset, set): (Vec<_>, Vec<_>) =
        settings.into_iter().chain(sync).filter_map(|(key, value)| Some((key, value?))).partition(|(_, value)| value.is_empty());
    let unset: Vec<&str> = unset.into_iter().map(|(key, _)| key).collect();
    let mut edits = vec![SectionEdit { section: &header, set, remove: &unset, ..SectionEdit::default() }];
    let rows = wanted.accounts.as_deref().unwrap_or_default();
    let sections: Vec<String> = rows.iter().map(|row| section_of(&row.profile)).collect();
    let last_own = own.last().map(|(written, _)| *written);
    let removed_of: Vec<Vec<&str>> =
        rows.iter().map(|row| of_row(row, wanted).into_iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key).collect()).collect();
    for ((row, section), remove) in rows.iter().zip(&sections).zip(&removed_of) {
        let set = of_row(row, wanted).into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        edits.push(SectionEdit { section, set, remove, behind: last_own, ..SectionEdit::default() });
    }
    let mut removed = Vec::new();
    if wanted.accounts.is_some() {
        removed.extend(
            own.iter().filter(|(written, parsed)| matches!(parsed, SectionName::Profile(..)) && !sections.iter().any(|s| s == written)).map(|(w, _)| *w),
        );
    }
    text.edited(&edits, &removed)
}

/// The keys of a row's section, with `None` for those that it does not have; a setting that is the environment's default is not repeated.
fn of_row<'w>(row: &'w AccountRow, wanted: &SetEnvironment) -> [(&'static str, Option<&'w str>); 4] {
    let own = |value: &'w Option<String>, default: &Option<String>| value.as_deref().filter(|value| default.as_deref() != Some(value));
    [
        ("sso_account_id", Some(row.account_id.as_str())),
        ("sso_role_name", row.role_name.as_deref()),
        ("region", own(&row.profile_region, &wanted.profile_region)),
        ("output", own(&row.profile_output, &wanted.profile_output)),
    ]
}

/// What to add to and remove from a table of profiles; all other rows stay.
#[derive(Debug, Default)]
pub(crate) struct TableChange {
    pub(crate) added: Vec<ProfileEntry>,
    /// The names of the profiles to remove.
    pub(crate) removed: HashSet<String>,
    /// The old and the new name of a profile.
    pub(crate) renamed: Option<(String, String)>,
}

/// The keys of the section for a new profile.
fn keys_of(row: &ProfileEntry) -> Vec<(&str, &str)> {
    let settings = [("region", row.settings.region.as_deref()), ("output", row.settings.output.as_deref())];
    let needed = [("sso_account_id", row.account_id.as_str()), ("sso_role_name", row.role_name.as_str())];
    needed.into_iter().chain(settings.into_iter().filter_map(|(key, value)| Some((key, value?)))).collect()
}

/// Changes the table of a stored environment; `change` decides under the lock, from what is stored at that time. Returns what the user should know of the
/// new file.
pub(crate) fn edit_table(
    world: &World,
    name: &str,
    check_only: bool,
    patience: &Patience,
    mut change: impl FnMut(&Environments, &Environment) -> Result<TableChange, Error>,
) -> Result<Vec<String>, Error> {
    let file = file(world)?;
    let edit = |bytes: Option<&[u8]>| {
        let decoded = decoded(file.path(), bytes.unwrap_or_default())?;
        let stored = Environments::parse(file.path(), &decoded);
        let environment = stored.stored(name).ok_or_else(|| not_stored(name, &stored, world))?;
        let TableChange { added, removed, renamed } = change(&stored, environment)?;
        if added.is_empty() && removed.is_empty() && renamed.is_none() {
            return Ok(None);
        }
        let (text, _) = IniText::scan_with_faults(&decoded);
        let goes = |parsed: &SectionName<'_>| matches!(parsed, SectionName::Profile(_, profile) if removed.contains(*profile));
        let (going, staying): (Vec<_>, Vec<_>) = own_sections(&text, name).into_iter().partition(|(_, parsed)| goes(parsed));
        let going: Vec<&str> = going.into_iter().map(|(written, _)| written).collect();
        let last = staying.last().map(|(written, _)| *written);
        let sections: Vec<String> = added.iter().map(|row| format!("environment {} profile {}", environment.name, row.name)).collect();
        let header = renamed.as_ref().map(|(_, new)| format!("environment {} profile {new}", environment.name));
        let is_renamed = |parsed: &SectionName<'_>| matches!(parsed, SectionName::Profile(_, name) if renamed.as_ref().is_some_and(|(old, _)| old == name));
        let renaming = staying.iter().filter(|(_, parsed)| is_renamed(parsed));
        let renaming = renaming.map(|(written, _)| SectionEdit { section: written, rename: header.as_deref(), ..SectionEdit::default() });
        let adding = added.iter().zip(&sections);
        let adding = adding.map(|(row, section)| SectionEdit { section, set: keys_of(row), behind: last, ..SectionEdit::default() });
        let edits: Vec<SectionEdit<'_>> = renaming.chain(adding).collect();
        let new = text.edited(&edits, &going);
        let after = Environments::parse(file.path(), &new);
        check_others(&stored, &after, name)?;
        after.fault_of(name).map_or(Ok(()), Err)?;
        in_one_encoding(file.path(), &decoded, new)
    };
    change_file(&file, check_only, patience, edit)
}

/// The new text if it differs from the old one; letters beyond ASCII cannot be added to a text that is not UTF-8.
fn in_one_encoding(path: &Path, old: &[u8], new: SecretBytes) -> Result<Option<SecretBytes>, Error> {
    match mixed_by_edit(old, &new) {
        Some(line) => Err(unreadable(path, format_args!("not UTF-8 text (line {line}), so letters beyond ASCII cannot be added to it"))),
        None => Ok((*new != *old).then_some(new)),
    }
}

/// Changes the file under its lock. Tries the edit first, so that an edit that fails or changes nothing creates no lock file.
fn change_file(
    file: &SafeFile,
    check_only: bool,
    patience: &Patience,
    mut edit: impl FnMut(Option<&[u8]>) -> Result<Option<SecretBytes>, Error>,
) -> Result<Vec<String>, Error> {
    let bytes = file.read()?.map(|contents| contents.bytes);
    let changed = edit(bytes.as_ref().map(|bytes| bytes.as_slice()))?;
    if changed.is_none() || check_only {
        return Ok(Vec::new());
    }
    let lock = Lock::take(&file.lock_path(), patience)?;
    Ok(file.replace(&lock, edit)?.warnings(file.path()))
}

/// Removes an environment from the file; the keys of its profiles stay in the credentials file. Returns what the user should know of the new file.
pub(crate) fn remove(world: &World, name: &str, check_only: bool, patience: &Patience) -> Result<Vec<String>, Error> {
    let file = file(world)?;
    let edit = |bytes: Option<&[u8]>| {
        let decoded = decoded(file.path(), bytes.unwrap_or_default())?;
        let stored = Environments::parse(file.path(), &decoded);
        if stored.stored(name).is_none() && stored.fault_of(name).is_none() {
            return Err(not_stored(name, &stored, world));
        }
        let (text, _) = IniText::scan_with_faults(&decoded);
        let new = text.without(&own_indices(&text, name));
        check_others(&stored, &Environments::parse(file.path(), &new), name)?;
        Ok(Some(new))
    };
    change_file(&file, check_only, patience, edit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::environments::stored::tests::{ACME, HIDDEN};
    use crate::patience::FILE_LOCK_LIMIT;
    use crate::protocol::AccountRow;
    use crate::world::test_world;

    fn patience() -> Patience {
        Patience::new(Some(FILE_LOCK_LIMIT), CancellationToken::new())
    }

    fn acme() -> SetEnvironment {
        SetEnvironment {
            name: "Acme".into(),
            start_url: Some("https://d-12345abcde.awsapps.com/start/".into()),
            region: Some("us-west-2".into()),
            default_role_name: Some("AWSAdministratorAccess".into()),
            accounts: Some(vec![row("Account1", "012345678901", None), row("Account 2", "123456789012", Some("AWSReadOnlyAccess"))]),
            ..SetEnvironment::default()
        }
    }

    fn row(profile: &str, account_id: &str, role_name: Option<&str>) -> AccountRow {
        AccountRow { profile: profile.into(), account_id: account_id.into(), role_name: role_name.map(str::to_owned), ..AccountRow::default() }
    }

    #[test]
    fn set_creates_the_file_and_setting_the_same_values_again_changes_nothing() {
        let (home, world) = test_world();
        let view = set(&world, &acme(), &patience()).unwrap().environment;
        assert_eq!(view.accounts[0].role_name.as_deref(), Some("AWSAdministratorAccess"));
        let path = home.path().join(".aws/sso-environments");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), ACME.strip_prefix("# ours\n").unwrap());
        let before = path.metadata().unwrap().modified().unwrap();
        set(&world, &acme(), &patience()).unwrap();
        assert_eq!(path.metadata().unwrap().modified().unwrap(), before);
    }

    #[test]
    fn set_changes_only_the_named_values_and_keeps_the_comments() {
        let (home, world) = test_world();
        let path = home.path().join(".aws/sso-environments");
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(&path, format!("{ACME}\n# theirs\n[environment Other]\nsso_start_url=https://x.awsapps.com/start\nsso_region=eu-west-1\n")).unwrap();
        let wanted = SetEnvironment {
            name: "ACME".into(),
            accounts: Some(vec![row("Account 2", "123456789012", None), row("New", "000000000001", None)]),
            ..SetEnvironment::default()
        };
        let view = set(&world, &wanted, &patience()).unwrap().environment;
        assert_eq!(view.name, "Acme");
        let expected = "# ours\n[environment Acme]\nsso_start_url = https://d-12345abcde.awsapps.com/start/\nsso_region = us-west-2\n\
            default_role_name = AWSAdministratorAccess\n\n[environment Acme profile Account 2]\nsso_account_id = 123456789012\n\n\
            [environment Acme profile New]\nsso_account_id = 000000000001\n\n# theirs\n[environment Other]\nsso_start_url=https://x.awsapps.com/start\nsso_region=eu-west-1\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        remove(&world, "acme", false, &patience()).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "# ours\n# theirs\n[environment Other]\nsso_start_url=https://x.awsapps.com/start\nsso_region=eu-west-1\n"
        );
    }

    #[test]
    fn set_refuses_bad_input_and_writes_nothing() {
        let (home, world) = test_world();
        let change = |edit: &dyn Fn(&mut SetEnvironment)| {
            let mut wanted = acme();
            edit(&mut wanted);
            wanted
        };
        let cases = [
            (change(&|w| w.name = "A b".into()), Code::EnvironmentInvalid, "\"A b\" is not a valid environment name"),
            (
                change(&|w| w.start_url = Some("http://example.com/start".into())),
                Code::EnvironmentInvalid,
                "The start URL \"http://example.com/start\" must be",
            ),
            (change(&|w| w.start_url = Some("https://example.com/\n[x]".into())), Code::EnvironmentInvalid, "The start URL \"https://example.com/\\n[x]\""),
            (change(&|w| w.start_url = None), Code::EnvironmentInvalid, "The environment Acme is new, so it needs -StartUrl"),
            (change(&|w| w.region = None), Code::EnvironmentInvalid, "The environment Acme is new, so it needs -Region"),
            (
                change(&|w| w.accounts = Some(vec![row("A", "12345678901", None)])),
                Code::EnvironmentInvalid,
                "Row 1 of -Account: the account id \"12345678901\"",
            ),
            (
                change(&|w| w.accounts = Some(vec![row("A", "012345678901 ", None)])),
                Code::EnvironmentInvalid,
                "Row 1 of -Account: the account id \"012345678901 \"",
            ),
            (
                change(&|w| w.accounts = Some(vec![row("A", "012345678901", None), row("A", "012345678902", None)])),
                Code::ProfileNameConflict,
                "The profile A is in row 1 (account 012345678901) and row 2 (account 012345678902) of -Account.",
            ),
        ];
        for (wanted, code, sentence) in cases {
            let error = set(&world, &wanted, &patience()).unwrap_err();
            assert_eq!(error.code(), code);
            assert!(error.to_string().starts_with(sentence), "{error}");
        }
        assert!(!home.path().join(".aws/sso-environments").exists());
    }

    #[test]
    fn a_name_with_a_hidden_character_is_refused_in_an_import_and_in_set() {
        let (home, world) = test_world();
        for c in HIDDEN {
            for file in [None, Some("team.json".to_owned())] {
                let hidden_name = SetEnvironment { name: format!("Ac{c}me"), imported_from: file.clone(), ..acme() };
                let hidden_profile = SetEnvironment { accounts: Some(vec![row(&format!("pr{c}od"), "012345678901", None)]), imported_from: file, ..acme() };
                for wanted in [hidden_name, hidden_profile] {
                    let error = set(&world, &wanted, &patience()).unwrap_err();
                    assert_eq!(error.code(), Code::EnvironmentInvalid);
                    let codes = [format!("U+{:04X}", u32::from(c)), c.escape_unicode().to_string()];
                    let sentence = error.to_string();
                    assert!(codes.iter().any(|code| sentence.contains(code)) && !sentence.contains(c), "{sentence}");
                }
            }
        }
        assert!(!home.path().join(".aws/sso-environments").exists());
    }

    /// A home folder whose file of environments has this text.
    fn home_with(text: &str) -> (tempfile::TempDir, World) {
        let (home, world) = test_world();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/sso-environments"), text).unwrap();
        (home, world)
    }

    fn text_of(home: &tempfile::TempDir) -> String {
        std::fs::read_to_string(home.path().join(".aws/sso-environments")).unwrap()
    }

    const OTHER: &str = "\n[environment Other]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\n";

    #[test]
    fn profiles_are_added_after_those_of_their_environment_or_removed_and_all_else_stays() {
        let (home, world) = home_with(&format!("{ACME}{OTHER}"));
        let change = |_: &Environments, _: &Environment| {
            let settings = ProfileSettings { region: Some("eu-west-1".into()), output: None };
            let added = vec![ProfileEntry { name: "New".into(), account_id: "000000000001".into(), role_name: "Audit".into(), settings }];
            Ok(TableChange { added, removed: ["Account1".to_owned()].into(), renamed: None })
        };
        edit_table(&world, "acme", true, &patience(), change).unwrap();
        assert_eq!(text_of(&home), format!("{ACME}{OTHER}"), "it was only to be checked");
        assert!(!home.path().join(".aws/sso-environments.lock").exists());
        edit_table(&world, "acme", false, &patience(), change).unwrap();
        let without = ACME.replace("[environment Acme profile Account1]\nsso_account_id = 012345678901\n\n", "");
        let new = "\n[environment Acme profile New]\nsso_account_id = 000000000001\nsso_role_name = Audit\nregion = eu-west-1\n";
        assert_eq!(text_of(&home), format!("{without}{new}{OTHER}"));
    }

    #[test]
    fn a_table_of_an_environment_that_is_not_stored_cannot_be_changed() {
        let (home, world) = home_with(ACME);
        let error = edit_table(&world, "Beta", false, &patience(), |_, _| Ok(TableChange::default())).unwrap_err();
        assert_eq!((error.code(), error.target()), (Code::EnvironmentNotFound, Some("Beta")));
        std::fs::write(
            home.path().join(".aws/config"),
            "[sso-session Beta]\nsso_start_url = https://b.awsapps.com/start\nsso_region = us-west-2\n[profile p]\nsso_session = Beta\nsso_account_id = 012345678901\nsso_role_name = R\n",
        )
        .unwrap();
        let error = remove(&world, "Beta", false, &patience()).unwrap_err();
        assert!(error.to_string().contains("where only Export-SsoProfile changes something"), "{error}");
        assert_eq!(text_of(&home), ACME);
    }

    #[test]
    fn a_block_that_cannot_be_used_is_corrected_or_replaced_by_a_full_set_of_values_and_else_stays() {
        let broken = format!("{}{OTHER}", ACME.replace("sso_region = us-west-2", "sso_region = ?\nwhat = x"));
        let (home, world) = home_with(&broken);
        let region = SetEnvironment { name: "Acme".into(), region: Some("us-west-2".into()), ..SetEnvironment::default() };
        let error = set(&world, &region, &patience()).unwrap_err();
        assert!(error.to_string().contains("line 5: the key what"), "{error}");
        for part in
            [SetEnvironment { accounts: None, ..acme() }, SetEnvironment { start_url: None, region: None, ..acme() }, SetEnvironment { region: None, ..acme() }]
        {
            let error = set(&world, &part, &patience()).unwrap_err();
            assert!(error.to_string().contains("line 5: the key what"), "what is not given would be lost: {error}");
            assert_eq!(text_of(&home), broken);
        }
        let kept = set(&world, &SetEnvironment { keep_broken: true, ..acme() }, &patience()).unwrap_err();
        assert!(kept.action().unwrap().contains("-Force") && text_of(&home) == broken, "{kept:?}");
        set(&world, &acme(), &patience()).unwrap();
        assert!(!text_of(&home).contains("what") && text_of(&home).contains(OTHER.trim()), "{}", text_of(&home));
        let (home, world) = home_with(&ACME.replace("sso_region = us-west-2", "sso_region = ?"));
        set(&world, &region, &patience()).unwrap();
        assert_eq!(text_of(&home), ACME);
        let (home, world) = home_with(&broken);
        remove(&world, "ACME", false, &patience()).unwrap();
        assert!(!text_of(&home).contains("Acme") && text_of(&home).contains(OTHER.trim()), "{}", text_of(&home));
    }

    #[test]
    fn a_profile_of_another_environment_cannot_be_set_here() {
        let (home, world) = home_with(&format!("{ACME}{OTHER}"));
        let wanted = SetEnvironment { name: "Other".into(), accounts: Some(vec![row("Account1", "012345678901", Some("R"))]), ..SetEnvironment::default() };
        let error = set(&world, &wanted, &patience()).unwrap_err();
        assert!(error.to_string().contains("already belongs to the environment Acme") && error.action().unwrap().contains("Remove-SsoProfile"), "{error:?}");
        assert_eq!(text_of(&home), format!("{ACME}{OTHER}"));
    }

    #[test]
    fn only_the_profiles_that_a_table_did_not_have_count_as_added() {
        let (_home, world) = home_with(ACME);
        let accounts = Some(vec![row("Account1", "012345678901", None), row("New", "000000000001", None)]);
        assert_eq!(set(&world, &SetEnvironment { name: "Acme".into(), accounts, ..SetEnvironment::default() }, &patience()).unwrap().added, ["New"]);
    }

    #[test]
    fn a_new_profile_cannot_have_a_name_that_tools_misread_and_a_stored_one_keeps_it() {
        let (_home, world) = home_with(&ACME.replace("profile Account1", "profile a=b"));
        let with = |names: &[&str]| {
            let accounts = names.iter().map(|name| row(name, "012345678901", None)).collect();
            set(&world, &SetEnvironment { name: "Acme".into(), accounts: Some(accounts), ..SetEnvironment::default() }, &patience())
        };
        let error = with(&["a=b", "c=d"]).unwrap_err();
        assert!(error.to_string().starts_with("Row 2 of -Account"), "{error}");
        assert_eq!(with(&["a=b", "new"]).unwrap().added, ["new"]);
    }

    #[test]
    fn where_tokens_are_kept_is_stored_as_it_was_set() {
        let (home, world) = home_with(ACME);
        for (token_cache, line) in
            [(TokenCache::Memory, "token_cache = Memory\n"), (TokenCache::System, "token_cache = System\n"), (TokenCache::AwsCli, "token_cache = AwsCli\n")]
        {
            let wanted = SetEnvironment { name: "Acme".into(), token_cache: Some(token_cache), ..SetEnvironment::default() };
            assert_eq!(set(&world, &wanted, &patience()).unwrap().environment.token_cache, token_cache);
            assert!(text_of(&home).contains(line), "{}", text_of(&home));
        }
    }
}
