//! The profiles of the config file whose keys AWS tools get from this module without the credentials file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::environments::configured::{ConfigFile, Profile};
use crate::environments::environment::Environment;

/// How AWS tools get the keys of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    /// By a `credential_process` that calls this module or its program.
    Process,
    /// By the session of an `sso-session`, in a section that this module wrote.
    Session,
}

impl Profile {
    /// How AWS tools get the keys from this module; `None` if they do not.
    pub(super) fn provider(&self) -> Option<Provider> {
        match &self.credential_process {
            Some(command) if self.is_exported || calls_us(command) => Some(Provider::Process),
            None if self.is_exported && self.session.is_some() => Some(Provider::Session),
            _ => None,
        }
    }
}

impl ConfigFile {
    /// How AWS tools get the keys of this profile from this module without the credentials file; `None` if they do not.
    pub(crate) fn provider(&self, profile: &str) -> Option<Provider> {
        self.providers.get(profile).copied()
    }

    /// Whether AWS tools log in to the environment's portal for profiles without a session.
    pub(crate) fn has_portal_without_session(&self, environment: &Environment) -> bool {
        let usable = self.environments.iter().filter_map(|found| found.outcome.as_ref().ok());
        usable.filter(|other| other.sso_session.is_none()).any(|other| environment.is_at(&other.start_url, &other.region))
    }
}

fn calls_us(command: &str) -> bool {
    let is_call = |command: &str| {
        let command = command.to_ascii_lowercase();
        // PowerShell accepts an unambiguous prefix as the parameter name.
        command.contains("sso-credential-process") || (command.contains("get-ssocredential") && command.contains("-as"))
    };
    is_call(command) || encoded_command(command).is_some_and(|decoded| is_call(&decoded))
}

/// What follows PowerShell's `-EncodedCommand`, which may be shortened: UTF-16 in base64.
fn encoded_command(command: &str) -> Option<String> {
    let mut words = command.split_ascii_whitespace();
    words.find(|word| word.len() > 1 && word.strip_prefix('-').is_some_and(|name| "encodedcommand".starts_with(&name.to_ascii_lowercase())))?;
    let bytes = BASE64_STANDARD.decode(words.next()?).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16(&units).ok()
}
