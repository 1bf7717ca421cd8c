//! Reads the AWS config file, `~/.aws/config`; this module never writes it.

use std::path::Path;
use std::sync::Arc;

use ini::{Ini, ParseOption};

use crate::environment::same_start_url;
use crate::error::{Code, Error};
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
    pub(crate) sessions: Vec<SsoSession>,
}

impl ConfigFile {
    /// What stands in the file; one that is not there has nothing in it.
    pub(crate) fn read(world: &World) -> Result<Arc<Self>, Error> {
        let Some(path) = world.aws_file("AWS_CONFIG_FILE", "config") else { return Ok(Arc::default()) };
        world.memory.config.of(&SafeFile::at(&path), |bytes| Self::parse(&path, bytes))
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let options = ParseOption { enabled_quote: false, enabled_escape: false, enabled_indented_mutiline_value: true, ..ParseOption::default() };
        let config = Ini::load_from_str_opt(&String::from_utf8_lossy(bytes), options).map_err(|fault| {
            Error::new(Code::ConfigFileInvalid, format!("{}, line {}, is not one that an AWS config file can have.", path.display(), fault.line))
                .with_target(path.display().to_string())
                .with_action("Mend that line; the AWS CLI cannot read the file either.")
        })?;
        Ok(Self { sessions: config.iter().filter_map(|(section, keys)| session_of(section?, keys)).collect() })
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
