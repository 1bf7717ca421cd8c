//! Reads the AWS config file, `~/.aws/config`; this module never writes it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ini::{Ini, ParseOption};

use crate::environment::{
    Environment, ProfileEntry, check_account_id, check_profile_name, check_region, check_role, check_start_url, same_name, same_start_url,
};
use crate::error::{Code, Error};
use crate::protocol::TokenCache;
use crate::safe_write::SafeFile;
use crate::world::World;

/// A `[sso-session NAME]` of the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SsoSession {
    pub(crate) name: String,
    pub(crate) start_url: String,
    pub(crate) region: String,
    /// `sso_registration_scopes`, where the line is there.
    pub(crate) scopes: Option<Vec<String>>,
}

/// What the module needs of the config file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) sessions: Vec<SsoSession>,
    /// One for each session, in the order of the file, then one for each start URL of profiles that name no session.
    pub(crate) environments: Vec<Configured>,
    profiles: Vec<Profile>,
    /// The profiles whose `credential_process` calls this module.
    calling_us: HashSet<String>,
}

/// An environment that stands in the config file, or why it is none.
#[derive(Debug, Clone)]
pub(crate) struct Configured {
    pub(crate) name: String,
    pub(crate) outcome: Result<Arc<Environment>, Error>,
}

/// What a profile of the config file says of AWS tools' way to keys.
#[derive(Debug, Clone, Default)]
struct Profile {
    name: String,
    session: Option<String>,
    start_url: Option<String>,
    region: Option<String>,
    account_id: Option<String>,
    role_name: Option<String>,
    has_role_arn: bool,
    credential_process: Option<String>,
}

impl Profile {
    fn calls_us(&self) -> bool {
        let command = self.credential_process.as_deref().unwrap_or_default().to_ascii_lowercase();
        // PowerShell takes the first letters of a parameter for all of it.
        command.contains("get-ssocredential") && command.contains("-as")
    }
}

/// What a profile of the config file is besides the one that this module writes keys for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherMeaning {
    /// Another account or role by SSO.
    Sso,
    RoleArn,
    CredentialProcess,
}

impl ConfigFile {
    /// What stands in the file; one that is not there has nothing in it.
    pub(crate) fn read(world: &World) -> Result<Arc<Self>, Error> {
        const VARIABLE: &str = "AWS_CONFIG_FILE";
        if world.variables.get(VARIABLE).is_none() && world.home().is_none() {
            return Ok(Arc::default());
        }
        let path = world.aws_file(VARIABLE, "config")?;
        world.memory.config.of(&SafeFile::at(&path), |bytes| Self::parse(&path, bytes))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let options = ParseOption { enabled_quote: false, enabled_escape: false, enabled_indented_mutiline_value: true, ..ParseOption::default() };
        let config = Ini::load_from_str_opt(&String::from_utf8_lossy(bytes), options).map_err(|fault| {
            Error::new(Code::ConfigFileInvalid, format!("{}, line {}, is not one that an AWS config file can have.", path.display(), fault.line))
                .with_target(path.display().to_string())
                .with_action("Mend that line; the AWS CLI cannot read the file either.")
        })?;
        let sessions: Vec<SsoSession> = config.iter().filter_map(|(section, keys)| session_of(section?, keys)).collect();
        let profiles: Vec<Profile> = config.iter().filter_map(|(section, keys)| profile_of(section?, keys)).collect();
        let calling_us = profiles.iter().filter(|profile| profile.calls_us()).map(|profile| profile.name.clone()).collect();
        Ok(Self { path: path.to_owned(), environments: environments_of(&sessions, &profiles, path), sessions, profiles, calling_us })
    }

    /// The environment of this name, compared without case.
    pub(crate) fn environment(&self, name: &str) -> Option<&Configured> {
        self.environments.iter().find(|found| same_name(&found.name, name))
    }

    /// What the profile of the same name is, where that is something else than keys for this account and role.
    pub(crate) fn other_meaning(&self, environment: &Environment, entry: &ProfileEntry) -> Option<OtherMeaning> {
        let profile = self.profiles.iter().find(|profile| profile.name == entry.name)?;
        let start_url = match &profile.session {
            Some(name) => self.session(name).map(|session| &session.start_url),
            None => profile.start_url.as_ref(),
        };
        let differs = |written: &Option<String>, ours: &str| written.as_ref().is_some_and(|written| written != ours);
        if differs(&profile.account_id, &entry.account_id)
            || differs(&profile.role_name, &entry.role_name)
            || start_url.is_some_and(|start_url| !same_start_url(start_url, &environment.start_url))
        {
            return Some(OtherMeaning::Sso);
        }
        match profile {
            Profile { has_role_arn: true, .. } => Some(OtherMeaning::RoleArn),
            Profile { credential_process: Some(_), .. } => Some(OtherMeaning::CredentialProcess),
            _ => None,
        }
    }

    /// Whether AWS tools get the keys of this profile from this module, through a `credential_process` that calls it.
    pub(crate) fn calls_us(&self, profile: &str) -> bool {
        self.calling_us.contains(profile)
    }

    /// The session of this name.
    pub(crate) fn session(&self, name: &str) -> Option<&SsoSession> {
        self.sessions.iter().find(|session| session.name == name)
    }

    /// The first session of this start URL, a trailing `/` or `#/` aside, and region.
    pub(crate) fn session_for(&self, start_url: &str, region: &str) -> Option<&SsoSession> {
        self.sessions.iter().find(|session| session.region == region && same_start_url(&session.start_url, start_url))
    }
}

fn environments_of(sessions: &[SsoSession], profiles: &[Profile], path: &Path) -> Vec<Configured> {
    let mut found: Vec<Configured> = Vec::new();
    for session in sessions {
        let own = profiles.iter().filter(|profile| profile.session.as_ref() == Some(&session.name));
        let outcome = environment_of(&session.name, &session.start_url, &session.region, Some(&session.name), own, path);
        found.push(Configured { name: session.name.clone(), outcome });
    }
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for profile in profiles {
        let (None, Some(start_url), Some(region)) = (&profile.session, &profile.start_url, &profile.region) else { continue };
        if seen.iter().any(|(url, other)| same_start_url(url, start_url) && other == region) {
            continue;
        }
        seen.push((start_url, region));
        let same = |other: &&Profile| {
            other.session.is_none() && other.region.as_ref() == Some(region) && other.start_url.as_ref().is_some_and(|url| same_start_url(url, start_url))
        };
        // The first label of the start URL's host; where that is a name already, more of it.
        let host = url::Url::parse(start_url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| start_url.clone());
        let label = host.split('.').next().unwrap_or(&host).to_owned();
        let names = [label.clone(), host.clone(), format!("{host}-{region}")];
        let free = names.into_iter().find(|name| !found.iter().any(|other| same_name(&other.name, name)));
        let name = free.unwrap_or_else(|| format!("{host}-{region}-{}", found.len()));
        let outcome = environment_of(&name, start_url, region, None, profiles.iter().filter(same), path);
        found.push(Configured { name, outcome });
    }
    found
}

fn environment_of<'p>(
    name: &str,
    start_url: &str,
    region: &str,
    sso_session: Option<&str>,
    profiles: impl Iterator<Item = &'p Profile>,
    path: &Path,
) -> Result<Arc<Environment>, Error> {
    let invalid = |what: String| {
        Error::new(Code::EnvironmentInvalid, format!("{}, the environment {name}: {what}.", path.display()))
            .with_target(name)
            .with_action("Correct that value in the config file, or set an environment of your own with Set-SsoEnvironment.")
    };
    check_start_url(start_url).and_then(|()| check_region(region)).map_err(invalid)?;
    let mut entries = Vec::new();
    for profile in profiles {
        // A profile may be there for the session alone, as for other services than AWS accounts.
        let (Some(account_id), Some(role_name)) = (&profile.account_id, &profile.role_name) else { continue };
        check_profile_name(&profile.name).and_then(|()| check_account_id(&profile.name, account_id)).and_then(|()| check_role(role_name)).map_err(invalid)?;
        entries.push(ProfileEntry { name: profile.name.clone(), account_id: account_id.clone(), role_name: role_name.clone() });
    }
    Ok(Arc::new(Environment {
        name: name.to_owned(),
        start_url: start_url.to_owned(),
        region: region.to_owned(),
        default_role_name: None,
        token_cache: TokenCache::AwsCli,
        sso_session: sso_session.map(str::to_owned),
        profiles: entries,
        source: path.to_owned(),
    }))
}

fn profile_of(section: &str, keys: &ini::Properties) -> Option<Profile> {
    let name = match section.strip_prefix("profile") {
        Some(rest) => rest.strip_prefix(char::is_whitespace)?.trim().trim_matches(['"', '\'']),
        None => Some(section).filter(|section| *section == "default")?,
    };
    let value = |name: &str| {
        let written = keys.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned());
        written.filter(|value| !value.is_empty())
    };
    Some(Profile {
        name: name.to_owned(),
        session: value("sso_session"),
        start_url: value("sso_start_url"),
        region: value("sso_region"),
        account_id: value("sso_account_id"),
        role_name: value("sso_role_name"),
        has_role_arn: value("role_arn").is_some(),
        credential_process: value("credential_process"),
    })
}

fn session_of(section: &str, keys: &ini::Properties) -> Option<SsoSession> {
    let name = section.strip_prefix("sso-session")?.strip_prefix(char::is_whitespace)?.trim().trim_matches(['"', '\'']);
    let value = |name: &str| keys.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    Some(SsoSession {
        name: name.to_owned(),
        start_url: value("sso_start_url")?,
        region: value("sso_region")?,
        scopes: value("sso_registration_scopes").map(|list| list.split(',').map(|scope| scope.trim().to_owned()).collect()),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::world::test_world;

    #[test]
    fn sessions_are_found_by_name_and_by_start_url() {
        let (home, world) = test_world();
        assert!(ConfigFile::read(&world).unwrap().sessions.is_empty());
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let text = "[default]\nregion = x\ns3 =\n  a = 1\n# c\n[sso-session my-sso]\nsso_start_url = https://my-sso.awsapps.com/start#/\n\
            sso_region = us-east-1\nsso_registration_scopes = sso:account:access, other\n[profile \"a b\"]\nk = v\\\n[sso-session half]\nsso_region = x\n";
        std::fs::write(home.path().join(".aws/config"), text).unwrap();
        let config = ConfigFile::read(&world).unwrap();
        let session = config.session("my-sso").unwrap();
        assert_eq!(session.scopes, Some(vec!["sso:account:access".to_owned(), "other".to_owned()]));
        assert_eq!(config.session_for("https://my-sso.awsapps.com/start/", "us-east-1"), Some(session));
        assert_eq!(config.session_for("https://my-sso.awsapps.com/start/", "us-east-2"), None);
        assert_eq!(config.sessions.len(), 1);
    }

    #[test]
    fn a_broken_config_file_is_named_with_its_line() {
        let (home, mut world) = test_world();
        let path = home.path().join("config");
        std::fs::write(&path, "[a]\nk = v\n[b").unwrap();
        world.variables = crate::world::Variables::new([("AWS_CONFIG_FILE".to_owned(), path.display().to_string())].into());
        let error = ConfigFile::read(&world).unwrap_err();
        assert_eq!(error.code(), Code::ConfigFileInvalid);
        assert!(error.to_string().contains("line 3"), "{error}");
    }
}
