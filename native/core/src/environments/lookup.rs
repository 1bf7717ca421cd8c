//! Finds environments by name: those given for this run, the stored ones, and those in the AWS config file.

use std::sync::Arc;

use crate::environments::configured::{ConfigFile, Configured};
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::environments::wanted::{Origin, check_wanted, missing_parameters, rows_of};
use crate::error::{Code, Error};
use crate::names::nearest::hint;
use crate::names::profile::ProfileEntry;
use crate::names::same_name;
use crate::protocol::{CredentialsFileUse, GivenEnvironment, SetEnvironment, SyncSettings};
use crate::world::World;

impl Environments {
    /// Finds the environment with this name: the one given for this run, else the stored one, else the one in the AWS config file.
    pub(crate) fn find(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        let stored = self.stored(name);
        match world.given.iter().find(|given| given.is_environment() && same_name(&given.name, name)) {
            Some(given) => {
                let base = match self.stored_or_configured(name, world) {
                    Ok(environment) => Some(environment),
                    Err(error) if error.code() == Code::EnvironmentNotFound => None,
                    // An environment that is given in full needs neither file.
                    Err(error) if given.has_portal() && (given.accounts.is_some() || error.code() != Code::EnvironmentInvalid) => None,
                    Err(error) => return Err(error),
                };
                given_environment(given, base, stored.is_some())
            }
            None => self.stored_or_configured(name, world),
        }
    }

    fn stored_or_configured(&self, name: &str, world: &World) -> Result<Arc<Environment>, Error> {
        if let Some(environment) = self.stored(name) {
            return Ok(Arc::clone(environment));
        }
        if let Some(error) = self.fault_of(name) {
            return Err(error);
        }
        let config =
            ConfigFile::read(world).map_err(|error| error.behind(format_args!("No environment {name} is stored, and the AWS config file cannot be read")))?;
        match config.environment(name) {
            Some(found) => found.outcome.clone(),
            None => Err(self.unknown(name, &config)),
        }
    }

    /// The environments in the AWS config file whose names are not stored.
    pub(crate) fn configured<'c>(&self, config: &'c ConfigFile) -> impl Iterator<Item = &'c Configured> {
        config.environments.iter().filter(|found| self.stored(&found.name).is_none() && self.fault_of(&found.name).is_none())
    }

    fn unknown(&self, name: &str, config: &ConfigFile) -> Error {
        let stored = self.all.iter().map(|environment| environment.name.as_str());
        let names: Vec<_> = stored.chain(self.configured(config).map(|found| found.name.as_str())).collect();
        let hint = hint(name, &names, "environments").unwrap_or_else(|| "No environment is stored yet.".to_owned());
        // A faulty block without a readable name may be the one that the user meant.
        let unclear = self.faults.iter().find(|fault| fault.environment.is_none()).map(|fault| format!(" {}", fault.error(&self.path)));
        Error::new(Code::EnvironmentNotFound, format!("No environment is named {name}. {hint}{}", unclear.unwrap_or_default()))
            .with_target(name)
            .with_action(format!("Create it with Set-SsoEnvironment -Name {name} -StartUrl … -Region …"))
    }
}

/// Builds the environment for one run from the given values and the existing environment.
fn given_environment(given: &GivenEnvironment, base: Option<Arc<Environment>>, is_stored: bool) -> Result<Arc<Environment>, Error> {
    let accounts = given.accounts.as_ref().filter(|_| !(is_stored && given.accounts_where_not_stored));
    if accounts.is_none()
        && [&given.start_url, &given.region, &given.default_role_name].iter().all(|value| value.is_none())
        && let Some(base) = base
    {
        return Ok(base);
    }
    let origin = if given.accounts_where_not_stored { Origin::Variable } else { Origin::Parameters };
    let wanted = SetEnvironment {
        name: given.name.clone(),
        start_url: given.start_url.clone(),
        region: given.region.clone(),
        default_role_name: given.default_role_name.clone(),
        accounts: accounts.cloned(),
        ..SetEnvironment::default()
    };
    check_wanted(&wanted, origin)?;
    let start_url = given.start_url.clone().or_else(|| base.as_ref().map(|base| base.start_url.clone()));
    let region = given.region.clone().or_else(|| base.as_ref().map(|base| base.region.clone()));
    let (Some(start_url), Some(region)) = (start_url.clone(), region.clone()) else {
        let missing = missing_parameters(start_url.is_none(), region.is_none());
        return Err(Error::new(Code::EnvironmentInvalid, format!("The environment {} is not stored, so {missing} must be specified.", given.name))
            .with_target(&given.name)
            .with_action(format!("Specify {missing}, or store the environment with Set-SsoEnvironment or Import-SsoEnvironment.")));
    };
    let default_role_name = given.default_role_name.clone().or_else(|| base.as_ref().and_then(|base| base.default_role_name.clone()));
    let defaults = base.as_ref().map(|base| base.defaults.clone()).unwrap_or_default();
    let profiles = match accounts {
        Some(_) => rows_of(&wanted, default_role_name.as_deref(), &defaults, origin)?,
        // Profiles with a role of their own keep it; the others follow the default.
        None => base.iter().flat_map(|base| base.profiles.iter().map(|profile| followed(profile, base, default_role_name.as_deref()))).collect(),
    };
    let same_portal = base.as_ref().is_some_and(|base| base.is_at(&start_url, &region));
    Ok(Arc::new(Environment {
        name: base.as_ref().map_or_else(|| given.name.clone(), |base| base.name.clone()),
        // Another portal has another session.
        sso_session: base.as_ref().filter(|_| same_portal).and_then(|base| base.sso_session.clone()),
        sync: SyncSettings::default(),
        credentials_file: base.as_ref().map_or(CredentialsFileUse::Always, |base| base.credentials_file),
        token_cache: base.as_ref().and_then(|base| base.token_cache),
        source: base.map(|base| base.source.clone()).unwrap_or_default(),
        start_url,
        region,
        default_role_name,
        defaults,
        profiles,
    }))
}

fn followed(profile: &ProfileEntry, base: &Environment, default_role: Option<&str>) -> ProfileEntry {
    let follows = base.default_role_name.as_ref() == Some(&profile.role_name);
    let role_name = default_role.filter(|_| follows).unwrap_or(&profile.role_name);
    ProfileEntry { role_name: role_name.to_owned(), ..profile.clone() }
}

/// The error for a name that cannot be removed from the file.
pub(super) fn not_stored(name: &str, stored: &Environments, world: &World) -> Error {
    if let Some(error) = stored.fault_of(name) {
        return error;
    }
    // If the config file cannot be read, the name counts as missing there too.
    let config = ConfigFile::read(world).unwrap_or_default();
    match config.environment(name) {
        Some(found) => Error::new(
            Code::EnvironmentNotFound,
            format!("The environment {} is not stored: it comes from {}, where only Export-SsoProfile changes something.", found.name, config.path.display()),
        )
        .with_target(name)
        .with_action(format!("Change it there, or store it with Set-SsoEnvironment -Name {} -StartUrl … -Region …", found.name)),
        None => stored.unknown(name, &config),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;
    use crate::environments::stored::tests::ACME;
    use crate::world::test_world;

    #[test]
    fn the_error_for_an_unknown_environment_names_similar_ones() {
        let environments = Environments::parse(Path::new("file"), ACME.as_bytes());
        let (_home, world) = test_world();
        let error = environments.find("Amce", &world).unwrap_err();
        assert_eq!(error.code(), Code::EnvironmentNotFound);
        assert_eq!(error.to_string(), "No environment is named Amce. Did you mean Acme?");
    }

    /// An environment for one run with nothing in it yet.
    fn given(name: &str) -> GivenEnvironment {
        GivenEnvironment { name: name.into(), ..GivenEnvironment::default() }
    }

    /// What a run finds that was given this, where the file has this text.
    fn found(text: &str, given: GivenEnvironment) -> Result<Arc<Environment>, Error> {
        let (_home, mut world) = test_world();
        let name = given.name.clone();
        world.given = vec![given];
        Environments::parse(Path::new("file"), text.as_bytes()).find(&name, &world)
    }

    fn roles(environment: &Environment) -> Vec<(&str, &str)> {
        environment.profiles.iter().map(|profile| (profile.name.as_str(), profile.role_name.as_str())).collect()
    }

    fn row(profile: &str) -> crate::protocol::AccountRow {
        crate::protocol::AccountRow { profile: profile.into(), account_id: "100000000000".into(), role_name: Some("Audit".into()), ..Default::default() }
    }

    #[test]
    fn an_environment_for_one_run_that_is_not_stored_says_which_parameters_are_missing() {
        for (start_url, region, missing) in
            [(None, None, "-StartUrl and -Region"), (Some("https://x.awsapps.com/start"), None, "-Region"), (None, Some("us-west-2"), "-StartUrl")]
        {
            let given =
                GivenEnvironment { start_url: start_url.map(str::to_owned), region: region.map(str::to_owned), accounts: Some(vec![row("A")]), ..given("New") };
            let error = found(ACME, given).unwrap_err();
            assert_eq!((error.code(), error.target()), (Code::EnvironmentInvalid, Some("New")));
            assert_eq!(error.to_string(), format!("The environment New is not stored, so {missing} must be specified."));
        }
    }

    #[test]
    fn a_default_role_for_one_run_is_that_of_the_profiles_that_follow_the_stored_one() {
        let environment = found(ACME, GivenEnvironment { default_role_name: Some("Audit".into()), ..given("ACME") }).unwrap();
        assert_eq!(roles(&environment), [("Account1", "Audit"), ("Account 2", "AWSReadOnlyAccess")]);
        assert_eq!((environment.name.as_str(), environment.region.as_str()), ("Acme", "us-west-2"));
    }

    #[test]
    fn a_token_alone_leaves_the_environment_as_it_is_stored() {
        let environment = found(ACME, given("acme")).unwrap();
        assert_eq!(roles(&environment), [("Account1", "AWSAdministratorAccess"), ("Account 2", "AWSReadOnlyAccess")]);
    }

    #[test]
    fn a_table_for_one_run_takes_the_place_of_the_stored_one_unless_it_counts_only_where_none_is_stored() {
        let table = GivenEnvironment { accounts: Some(vec![row("A")]), ..given("Acme") };
        assert_eq!(roles(&found(ACME, table.clone()).unwrap()), [("A", "Audit")]);
        let where_not_stored = GivenEnvironment { accounts_where_not_stored: true, ..table };
        assert_eq!(roles(&found(ACME, where_not_stored.clone()).unwrap())[0].0, "Account1");
        let portal = GivenEnvironment { start_url: Some("https://x.awsapps.com/start".into()), region: Some("us-west-2".into()), ..where_not_stored };
        assert_eq!(roles(&found("", portal).unwrap()), [("A", "Audit")]);
    }

    #[test]
    fn another_portal_for_one_run_is_not_the_session_that_the_environment_names() {
        let text = ACME.replace("sso_region = us-west-2", "sso_region = us-west-2\nsso_session = ours\ntoken_cache = Memory");
        let same = found(&text, GivenEnvironment { start_url: Some("https://d-12345abcde.awsapps.com/start".into()), ..given("Acme") }).unwrap();
        let other = found(&text, GivenEnvironment { start_url: Some("https://x.awsapps.com/start".into()), ..given("Acme") }).unwrap();
        assert_eq!((same.sso_session.as_deref(), other.sso_session.as_deref()), (Some("ours"), None));
        assert_eq!((same.token_cache, other.token_cache), [Some(crate::protocol::TokenCache::Memory); 2].into());
    }

    #[test]
    fn what_is_given_in_full_needs_no_stored_block_that_can_be_used_and_what_is_given_in_part_does() {
        let broken = ACME.replace("sso_region = us-west-2", "sso_region = ?");
        let portal = GivenEnvironment { start_url: Some("https://x.awsapps.com/start".into()), region: Some("us-west-2".into()), ..given("Acme") };
        let error = found(&broken, portal.clone()).unwrap_err();
        assert!(error.to_string().starts_with("file, line 4"), "the profiles are in the block: {error}");
        let full = GivenEnvironment { accounts: Some(vec![row("A")]), ..portal };
        assert_eq!(roles(&found(&broken, full).unwrap()), [("A", "Audit")]);
    }

    #[test]
    fn a_block_that_cannot_be_used_fails_its_own_environment_and_no_other() {
        let broken = format!(
            "{}[environment Other]\nsso_start_url = https://other.awsapps.com/start\nsso_region = us-west-2\n[what]\n",
            ACME.replace("sso_region", "region")
        );
        let environments = Environments::parse(Path::new("file"), broken.as_bytes());
        let (_home, world) = test_world();
        assert!(environments.find("acme", &world).unwrap_err().to_string().starts_with("file, line 4: the key region"));
        assert_eq!(environments.find("OTHER", &world).unwrap().name, "Other");
        let unknown = environments.find("Acmee", &world).unwrap_err().to_string();
        assert!(unknown.contains("[what] is neither"), "a block of nobody may be the one that was meant: {unknown}");
    }
}
