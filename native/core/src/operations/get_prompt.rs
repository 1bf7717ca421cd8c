//! `Get-SsoPromptText`: what a prompt shows of the profile in use. Reads memory only, since a prompt is shown after every command.

use time::OffsetDateTime;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::configured::provider::Provider;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::outlet::NetworkWork;
use crate::protocol::{Event, GetPrompt, PromptSource, PromptView};
use crate::timestamp::rfc3339;

/// Reports what this process last read of the profile; reads no file and sends nothing.
pub(crate) fn run(wanted: GetPrompt, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let (source, expiration) = match &wanted.endpoint {
        Some(url) => (PromptSource::Endpoint, context.memory.endpoint.expiration(url)),
        None => of_files(&wanted.profile, context),
    };
    context.outlet.send(Event::Prompt(PromptView { profile_name: wanted.profile, source, expiration: expiration.map(rfc3339) }));
    Ok(None)
}

fn of_files(profile: &str, context: &Context) -> (PromptSource, Option<OffsetDateTime>) {
    let keys = CredentialsFile::last_expiration(&context.world, profile);
    if keys.is_some() {
        return (PromptSource::CredentialsFile, keys);
    }
    match ConfigFile::last_read(&context.world).and_then(|config| config.provider(profile)) {
        Some(Provider::Process) => (PromptSource::CredentialProcess, None),
        Some(Provider::Session) => (PromptSource::SsoSession, end_of_session(profile, context)),
        None => (PromptSource::Unknown, None),
    }
}

/// When the session of the profile's environment ends.
fn end_of_session(profile: &str, context: &Context) -> Option<OffsetDateTime> {
    let environments = Environments::last_read(&context.world)?;
    let owner = environments.all.iter().find(|environment| environment.profiles.iter().any(|other| other.name == profile))?;
    context.memory.session_end(&owner.name)
}
