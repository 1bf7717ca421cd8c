//! Fills the table of an environment from roles: what each profile is called, what is new, what goes.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::environments::stored::{Environment, Environments, ProfileEntry, TableChange, check_account_id, check_profile_name, check_role, edit_table};
use crate::error::{Code, Error};
use crate::files::credentials_file::CredentialsFile;
use crate::files::safe_write::Patience;
use crate::names::hazards::{Hazard, check_new_name, hazard, transliterated, unusual_names};
use crate::protocol::{AddProfile, Added, Event, RemoveProfile, RoleView};
use crate::run::Outlet;
use crate::world::World;

const DEFAULT_TEMPLATE: &str = "{AccountName}-{RoleName}";

const FIELDS: [(&str, Field); 5] = [
    ("AccountName", Field::AccountName),
    ("AccountId", Field::AccountId),
    ("RoleName", Field::RoleName),
    ("Email", Field::Email),
    ("Environment", Field::Environment),
];

#[derive(Debug, Clone, Copy)]
enum Field {
    AccountName,
    AccountId,
    RoleName,
    Email,
    Environment,
}

#[derive(Debug, Clone, Copy)]
enum Case {
    AsIs,
    Lower,
    Upper,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Field(Field, Case),
}

/// What profiles are called.
#[derive(Debug)]
struct NameTemplate(Vec<Part>);

impl NameTemplate {
    fn parse(template: &str, prefix: &str) -> Result<Self, Error> {
        let invalid = |what: String| {
            let fields = FIELDS.map(|(name, _)| format!("{{{name}}}")).join(", ");
            Error::new(Code::EnvironmentInvalid, format!("The name template '{template}' {what}."))
                .with_target(template)
                .with_action(format!("Its fields are {fields}, each in other letters where you like, as in {{AccountName:lower}} or {{RoleName:upper}}."))
        };
        let plain = |text: &str| {
            if text.contains(['[', ']', '{', '}']) || text.chars().any(char::is_control) {
                return Err(invalid(format!("has '{text}', and no profile name can have brackets, braces or control characters")));
            }
            if hazard(text) == Some(Hazard::Misread) {
                return Err(invalid(format!("has '{text}', and some AWS tools misread # ; = \\ and quotes in a profile name")));
            }
            Ok(Part::Text(transliterated(text)))
        };
        let mut parts = vec![plain(prefix)?];
        let mut rest = template;
        while let Some((text, behind)) = rest.split_once('{') {
            parts.push(plain(text)?);
            let (written, next) = behind.split_once('}').ok_or_else(|| invalid("has a { without its }".to_owned()))?;
            let (name, case) = match written.split_once(':') {
                None => (written, Case::AsIs),
                Some((name, case)) if case.eq_ignore_ascii_case("lower") => (name, Case::Lower),
                Some((name, case)) if case.eq_ignore_ascii_case("upper") => (name, Case::Upper),
                Some((_, case)) => return Err(invalid(format!("has ':{case}', which is neither :lower nor :upper"))),
            };
            let field = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
            let (_, field) = field.ok_or_else(|| invalid(format!("has the field {{{name}}}, which there is not")))?;
            parts.push(Part::Field(*field, case));
            rest = next;
        }
        parts.push(plain(rest)?);
        if parts.iter().any(|part| matches!(part, Part::Field(..))) { Ok(Self(parts)) } else { Err(invalid("has no field".to_owned())) }
    }

    /// The name for a role: always one that every AWS tool reads.
    fn name_of(&self, role: &RoleView, environment: &str) -> NewName {
        let mut name = String::new();
        let mut is_altered = false;
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field, case) => {
                    let value = match field {
                        Field::AccountName => role.account_name.as_deref().unwrap_or_default(),
                        Field::AccountId => &role.account_id,
                        Field::RoleName => &role.role_name,
                        Field::Email => role.email_address.as_deref().unwrap_or_default(),
                        Field::Environment => environment,
                    };
                    let cleaned = clean(value);
                    is_altered |= cleaned != value;
                    // An account without a name or a mail address, or with nothing in it that a profile name can have, still has its id.
                    let value = Some(cleaned).filter(|value| !value.is_empty()).unwrap_or_else(|| role.account_id.clone());
                    name.push_str(&match case {
                        Case::AsIs => value,
                        Case::Lower => value.to_lowercase(),
                        Case::Upper => value.to_uppercase(),
                    });
                }
            }
        }
        // Nothing but DEFAULT in upper case is left that no profile can be called.
        let name = if check_profile_name(&name).is_ok() { name } else { format!("{name}-{}", role.account_id) };
        NewName { name, is_altered }
    }
}

/// What a new profile is to be called.
struct NewName {
    name: String,
    /// Whether characters were replaced in it, so that another account may get the same name.
    is_altered: bool,
}

/// A value with similar letters for those that not every AWS tool reads, and a hyphen for whatever shells could take for something else.
fn clean(value: &str) -> String {
    let mut cleaned = String::new();
    for c in transliterated(value).chars() {
        let kept = if c.is_ascii_alphanumeric() || "._-+@".contains(c) { c } else { '-' };
        if kept != '-' || !cleaned.ends_with('-') {
            cleaned.push(kept);
        }
    }
    cleaned.trim_matches('-').to_owned()
}

/// Adds what is new, all of it or nothing, and tells each profile; what is there stays as it is.
pub(crate) fn add(world: &World, wanted: &AddProfile, patience: &Patience, outlet: &Outlet) -> Result<(), Error> {
    let template = NameTemplate::parse(wanted.name_template.as_deref().unwrap_or(DEFAULT_TEMPLATE), &wanted.prefix)?;
    for role in &wanted.roles {
        check_role_view(role)?;
    }
    let mut changed = None;
    edit_table(world, &wanted.environment, wanted.check_only, patience, |stored, environment| {
        let added = new_rows(&wanted.roles, &template, stored, environment, outlet)?;
        changed = Some((environment.name.clone(), added.clone()));
        Ok(TableChange { added, removed: HashSet::new() })
    })?;
    if let Some((environment, added)) = changed {
        if !wanted.check_only {
            warn_of_new_profiles(&added.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>(), world, outlet);
        }
        for ProfileEntry { name, account_id, role_name } in added {
            outlet.send(Event::Added(Added { environment: environment.clone(), profile_name: name, account_id, role_name }));
        }
    }
    Ok(())
}

/// Warns of profiles that were just added to a table: of names that not every SDK reads, and of keys that an update will leave alone.
pub(crate) fn warn_of_new_profiles(names: &[&str], world: &World, outlet: &Outlet) {
    let unusual: Vec<&str> = names.iter().copied().filter(|name| hazard(name) == Some(Hazard::Unusual)).collect();
    if !unusual.is_empty() {
        outlet.warn(unusual_names(&unusual));
    }
    // A file that cannot be read is an error of the next update.
    let Ok(file) = CredentialsFile::of(world) else { return };
    let Ok(known) = file.known(&world.memory.credentials) else { return };
    let taken: Vec<&str> = names.iter().copied().filter(|name| known.has_other_keys(name)).collect();
    if !taken.is_empty() {
        outlet.warn(format!(
            "{} already has access keys from another source for {}. Update-SsoCredential does not replace them unless you specify -ReplaceKeys.",
            file.path().display(),
            taken.join(", ")
        ));
    }
}

fn check_role_view(role: &RoleView) -> Result<(), Error> {
    let name = role.profile_name.as_deref().or(role.account_name.as_deref()).unwrap_or(&role.role_name);
    check_account_id(name, &role.account_id)
        .and_then(|()| check_role(&role.role_name))
        .and_then(|()| role.profile_name.as_deref().map_or(Ok(()), |name| check_profile_name(name).and_then(|()| check_new_name(name))))
        .map_err(|what| {
            Error::new(Code::EnvironmentInvalid, format!("A profile cannot be added: {what}."))
                .with_target(name)
                .with_action("Give what Get-SsoRole gives, or objects with the same properties.")
        })
}

fn in_words(role: &str, account_id: &str, account_name: Option<&str>) -> String {
    let mut words = format!("{role} in account {account_id}");
    if let Some(name) = account_name {
        let _ = write!(words, " ({name})");
    }
    words
}

fn new_rows(
    roles: &[RoleView],
    template: &NameTemplate,
    stored: &Environments,
    environment: &Environment,
    outlet: &Outlet,
) -> Result<Vec<ProfileEntry>, Error> {
    let mut rows: Vec<ProfileEntry> = Vec::new();
    let names = new_names(roles, template, stored, environment);
    let own: HashMap<(&str, &str), &ProfileEntry> =
        environment.profiles.iter().map(|profile| ((profile.account_id.as_str(), profile.role_name.as_str()), profile)).collect();
    let by_name: HashMap<&str, &ProfileEntry> = stored.all.iter().flat_map(|other| &other.profiles).map(|profile| (profile.name.as_str(), profile)).collect();
    let mut seen: HashMap<String, &RoleView> = HashMap::new();
    for (role, name) in roles.iter().zip(names) {
        if let Some(profile) = own.get(&(role.account_id.as_str(), role.role_name.as_str())) {
            outlet.verbose(format!("{} is there already, for {}.", profile.name, in_words(&role.role_name, &role.account_id, role.account_name.as_deref())));
            continue;
        }
        let this = in_words(&role.role_name, &role.account_id, role.account_name.as_deref());
        let conflict = |other: String| {
            Error::new(Code::ProfileNameConflict, format!("The profile name {name} would stand for {other} and for {this}, so nothing was added."))
                .with_target(&name)
                .with_action("Give a -NameTemplate that tells them apart, such as '{AccountName}-{AccountId}-{RoleName}', or a -Prefix.")
        };
        if let Some(other) = by_name.get(name.as_str()) {
            return Err(conflict(format!("{}, as it is stored", in_words(&other.role_name, &other.account_id, None))));
        }
        if let Some(other) = seen.get(&name) {
            if other.account_id == role.account_id && other.role_name == role.role_name {
                continue;
            }
            return Err(conflict(in_words(&other.role_name, &other.account_id, other.account_name.as_deref())));
        }
        rows.push(ProfileEntry { name: name.clone(), account_id: role.account_id.clone(), role_name: role.role_name.clone() });
        seen.insert(name, role);
    }
    Ok(rows)
}

/// What the profile of each role is to be called. Where characters were replaced and two names are the same by that, the account's id goes behind them.
fn new_names(roles: &[RoleView], template: &NameTemplate, stored: &Environments, environment: &Environment) -> Vec<String> {
    let names: Vec<NewName> = roles
        .iter()
        .map(|role| match &role.profile_name {
            Some(name) => NewName { name: name.clone(), is_altered: false },
            None => template.name_of(role, &environment.name),
        })
        .collect();
    let mut users: HashMap<String, HashSet<(&str, &str)>> = HashMap::new();
    let of_roles = roles.iter().zip(&names).map(|(role, new)| (&new.name, (role.account_id.as_str(), role.role_name.as_str())));
    let of_profiles = stored.all.iter().flat_map(|other| &other.profiles);
    let of_profiles = of_profiles.map(|profile| (&profile.name, (profile.account_id.as_str(), profile.role_name.as_str())));
    for (name, user) in of_roles.chain(of_profiles) {
        users.entry(name.clone()).or_default().insert(user);
    }
    let is_taken = |name: &str| users.get(name).is_some_and(|users| users.len() > 1);
    let with_id =
        |(role, new): (&RoleView, NewName)| if new.is_altered && is_taken(&new.name) { format!("{}-{}", new.name, role.account_id) } else { new.name };
    roles.iter().zip(names).map(with_id).collect()
}

/// Takes profiles out of a table; their keys in the credentials file stay.
pub(crate) fn remove(world: &World, wanted: &RemoveProfile, patience: &Patience) -> Result<(), Error> {
    let names: HashSet<&String> = wanted.profiles.iter().collect();
    edit_table(world, &wanted.environment, false, patience, |_, environment| {
        let removed = environment.profiles.iter().map(|profile| &profile.name).filter(|name| names.contains(name));
        Ok(TableChange { added: Vec::new(), removed: removed.cloned().collect() })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn role(account_name: Option<&str>, role_name: &str) -> RoleView {
        RoleView {
            environment: "Acme".into(),
            account_id: "012345678901".into(),
            account_name: account_name.map(str::to_owned),
            email_address: Some("aws+prod@example.com".into()),
            role_name: role_name.into(),
            profile_name: None,
        }
    }

    fn name(template: &str, account_name: Option<&str>) -> String {
        NameTemplate::parse(template, "").unwrap().name_of(&role(account_name, "AWSReadOnlyAccess"), "Acme").name
    }

    #[test]
    fn a_profile_is_called_as_the_template_says() {
        assert_eq!(name(DEFAULT_TEMPLATE, Some("Production")), "Production-AWSReadOnlyAccess");
        assert_eq!(name("{accountname:lower}/{ROLENAME:Upper}", Some("Production")), "production/AWSREADONLYACCESS");
        assert_eq!(name("{Environment}.{AccountId}.{Email}", None), "Acme.012345678901.aws+prod@example.com");
        assert_eq!(NameTemplate::parse("{AccountName}", "acme-").unwrap().name_of(&role(Some("Dev"), "Role"), "Acme").name, "acme-Dev");
        assert_eq!(NameTemplate::parse("{AccountName}", "f\u{fc}r ").unwrap().name_of(&role(Some("Dev"), "Role"), "Acme").name, "fur-Dev");
    }

    #[test]
    fn names_that_no_profile_can_have_are_cleaned_and_missing_ones_are_the_id() {
        for (account, expected) in [
            (Some("Acme \"Prod\" / EU"), "Acme-Prod-EU"),
            (Some("a]b[c"), "a-b-c"),
            (Some("\u{fffd}\u{e000}"), "012345678901"),
            (Some("Z\u{fc}rich \u{2013} 2"), "Zurich-2"),
            (Some("Stra\u{df}e \u{d8}st"), "Strasse-Ost"),
            (Some("\u{5317}\u{4eac}"), "012345678901"),
            (Some("it's; # here"), "it-s-here"),
            (Some("DEFAULT"), "DEFAULT-012345678901"),
            (Some("  "), "012345678901"),
            (None, "012345678901"),
        ] {
            assert_eq!(name("{AccountName}", account), expected, "{account:?}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_used_is_one_clear_error() {
        for (template, what) in [
            ("{AccountNmae}", "has the field {AccountNmae}, which there is not"),
            ("{AccountName", "has a { without its }"),
            ("AccountName}", "braces"),
            ("{AccountName:camel}", "has ':camel', which is neither :lower nor :upper"),
            ("[{AccountName}]", "brackets"),
            ("#{AccountName}", "misread"),
            ("{AccountName}='{RoleName}'", "misread"),
            ("same", "has no field"),
            ("", "has no field"),
        ] {
            let error = NameTemplate::parse(template, "").unwrap_err();
            assert_eq!(error.code(), Code::EnvironmentInvalid);
            assert!(error.to_string().contains(what) && error.action().is_some_and(|action| action.contains("{AccountName}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_account_is_called_its_profile_has_a_good_name(account in ".*", role_name in "[A-Za-z0-9_+=,.@-]{1,32}") {
            let view = RoleView { role_name, ..role(Some(&account), "") };
            for template in [DEFAULT_TEMPLATE, "{AccountName}", "{AccountName:upper} {Email:lower}"] {
                let name = NameTemplate::parse(template, " ").unwrap().name_of(&view, "Acme").name;
                prop_assert!(check_profile_name(&name).is_ok() && hazard(&name).is_none(), "{name:?}");
            }
        }
    }
}
