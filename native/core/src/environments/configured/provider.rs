//! The profiles of the config file whose keys AWS tools get from this module without the credentials file.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// How AWS tools get the keys of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    /// By a `credential_process` that calls this module or its program.
    Process,
    /// By the session of an `sso-session`, in a section that this module wrote.
    Session,
}

/// How AWS tools get the keys of a profile from this module; `None` if they do not.
pub(super) fn provider_of(credential_process: Option<&str>, has_session: bool, is_exported: bool) -> Option<Provider> {
    match credential_process {
        Some(command) if is_exported || calls_us(command) => Some(Provider::Process),
        None if is_exported && has_session => Some(Provider::Session),
        _ => None,
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
