//! `Add-SsoProfile` and `Sync-SsoProfile`: adds profiles for roles, all of them or none.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::context::Context;
use crate::environments::edit::{TableChange, edit_table};
use crate::environments::environment::Environment;
use crate::environments::regions::{self, check_region};
use crate::environments::stored::Environments;
use crate::error::{Code, Error};
use crate::names::hazards::check_new_name;
use crate::names::profile::{ProfileEntry, ProfileSettings, check_account_id, check_output, check_profile_name, check_role};
use crate::names::template::{DEFAULT_TEMPLATE, NameTemplate, NewName};
use crate::operations::new_profiles::warn_of_new_profiles;
use crate::outlet::{NetworkWork, Outlet};
use crate::protocol::{AddProfile, Added, Event, RoleView, SyncSettings};
use crate::text::capitalized;

/// Adds the new profiles, all of them or none, and reports each; existing profiles stay.
pub(crate) fn run(wanted: AddProfile, context: &Context) -> Result<Option<NetworkWork>, Error> {
    template_of(&wanted, &SyncSettings::default())?;
    for role in &wanted.roles {
        check_role_view(role)?;
    }
    let settings = settings_of(&wanted)?;
    wanted.profile_region.iter().for_each(|region| regions::warn_if_unknown(region, &context.outlet));
    let mut changed = None;
    let warnings = edit_table(&context.world, &wanted.environment, wanted.check_only, &context.patience(), |stored, environment| {
        let template = template_of(&wanted, &environment.sync)?;
        let added = new_rows(&wanted.roles, &template, &settings, stored, environment, &context.outlet)?;
        changed = Some((environment.name.clone(), environment.defaults.clone(), added.clone()));
        Ok(TableChange { added, ..TableChange::default() })
    })?;
    context.outlet.warn_all(warnings);
    if let Some((environment, defaults, added)) = changed {
        if !wanted.check_only {
            warn_of_new_profiles(&added.iter().map(|profile| profile.name.as_str()).collect::<Vec<_>>(), context);
        }
        for ProfileEntry { name, account_id, role_name, settings } in added {
            let settings = settings.or(&defaults);
            context.outlet.send(Event::Added(Added {
                environment: environment.clone(),
                profile_name: name,
                account_id,
                role_name,
                profile_region: settings.region,
                profile_output: settings.output,
            }));
        }
    }
    Ok(None)
}

/// The template that the user gave, or that of the environment.
fn template_of(wanted: &AddProfile, stored: &SyncSettings) -> Result<NameTemplate, Error> {
    let template = wanted.name_template.as_deref().or(stored.name_template.as_deref()).filter(|template| !template.is_empty());
    let prefix = wanted.prefix.as_deref().or(stored.name_prefix.as_deref()).unwrap_or_default();
    NameTemplate::parse(template.unwrap_or(DEFAULT_TEMPLATE), prefix)
}

/// The settings of all new profiles.
fn settings_of(wanted: &AddProfile) -> Result<ProfileSettings, Error> {
    let region = wanted.profile_region.as_deref().map_or(Ok(()), check_region);
    region.and_then(|()| wanted.profile_output.as_deref().map_or(Ok(()), check_output)).map_err(|what| {
        Error::new(Code::EnvironmentInvalid, capitalized(&format!("{what}.")))
            .with_target(&wanted.environment)
            .with_action("Correct the value and run the command again.")
    })?;
    Ok(ProfileSettings { region: wanted.profile_region.clone(), output: wanted.profile_output.clone() })
}

fn check_role_view(role: &RoleView) -> Result<(), Error> {
    let name = role.profile_name.as_deref().or(role.account_name.as_deref()).unwrap_or(&role.role_name);
    check_account_id(name, &role.account_id)
        .and_then(|()| check_role(&role.role_name))
        .and_then(|()| role.profile_name.as_deref().map_or(Ok(()), |name| check_profile_name(name).and_then(|()| check_new_name(name))))
        .map_err(|what| {
            Error::new(Code::EnvironmentInvalid, format!("A profile cannot be added: {what}."))
                .with_target(name)
                .with_action("Pipe in the output of Get-SsoRole, or objects with the same properties.")
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
    settings: &ProfileSettings,
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
            outlet.verbose(format!("{} already exists for {}.", profile.name, in_words(&role.role_name, &role.account_id, role.account_name.as_deref())));
            continue;
        }
        let this = in_words(&role.role_name, &role.account_id, role.account_name.as_deref());
        let conflict = |other: String| {
            Error::new(Code::ProfileNameConflict, format!("Nothing was added: the profile name {name} would be used for both {other} and {this}."))
                .with_target(&name)
                .with_action("Specify a -NameTemplate that makes the names unique, such as '{AccountName}-{AccountId}-{RoleName}', or a -Prefix.")
        };
        if let Some(other) = by_name.get(name.as_str()) {
            return Err(conflict(format!("{} (stored)", in_words(&other.role_name, &other.account_id, None))));
        }
        if let Some(other) = seen.get(&name) {
            if other.account_id == role.account_id && other.role_name == role.role_name {
                continue;
            }
            return Err(conflict(in_words(&other.role_name, &other.account_id, other.account_name.as_deref())));
        }
        rows.push(ProfileEntry { name: name.clone(), account_id: role.account_id.clone(), role_name: role.role_name.clone(), settings: settings.clone() });
        seen.insert(name, role);
    }
    Ok(rows)
}

/// The profile name for each role. If replacing characters makes two names equal, the account ID is appended.
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
