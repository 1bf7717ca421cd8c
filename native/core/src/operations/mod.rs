//! The operations, one file for each.

#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "every operation has the same signature")]

mod add_profile;
mod connect_session;
mod disconnect_session;
mod export_profile;
mod get_account;
mod get_credential;
mod get_environment;
mod get_keys;
mod get_prompt;
mod get_refresh;
mod get_role;
mod get_session;
mod key_removal;
mod lister;
mod named;
mod new_profiles;
mod open_console;
mod other_settings;
mod plan;
mod refresh;
mod remove_credential;
mod remove_environment;
mod remove_profile;
mod rename_profile;
mod set_default;
mod set_environment;
mod start_endpoint;
mod start_refresh;
mod stop_endpoint;
mod stop_refresh;
#[cfg(test)]
pub(crate) mod tests;
mod throttle;
pub(crate) mod update;

use crate::context::Context;
use crate::environments::regions;
use crate::error::Error;
use crate::outlet::{NetworkWork, Topic};
use crate::protocol::Operation;

/// Runs the part of an operation that needs no network, and returns the rest, if there is any.
pub(crate) fn begin(operation: Operation, context: &Context) -> Result<Option<NetworkWork>, Error> {
    // A prompt is no sign of life of its user.
    if !matches!(operation, Operation::GetPrompt(_)) {
        note_command(context);
    }
    warn_of_given_regions(context);
    if context.world.heard {
        context.outlet.warn_all(context.memory.endpoint.untold());
    }
    match operation {
        Operation::Plan(request) => plan::run(request, context),
        Operation::Update(request) => update::run(request, context),
        Operation::GetEnvironment(request) => get_environment::run(request, context),
        Operation::SetEnvironment(request) => set_environment::run(request, context),
        Operation::RemoveEnvironment(request) => remove_environment::run(request, context),
        Operation::ConnectSession(request) => connect_session::run(request, context),
        Operation::DisconnectSession(request) => disconnect_session::run(request, context),
        Operation::GetSession(request) => get_session::run(request, context),
        Operation::GetCredential(request) => get_credential::run(request, context),
        Operation::GetAccount(request) => get_account::run(request, context),
        Operation::GetRole(request) => get_role::run(request, context),
        Operation::AddProfile(request) => add_profile::run(request, context),
        Operation::RemoveProfile(request) => remove_profile::run(request, context),
        Operation::RenameProfile(request) => rename_profile::run(request, context),
        Operation::RemoveCredential(request) => remove_credential::run(request, context),
        Operation::ExportProfile(request) => export_profile::run(request, context),
        Operation::GetKeys(request) => get_keys::run(request, context),
        Operation::SetDefault(request) => set_default::run(request, context),
        Operation::ClearDefault(request) => set_default::clear(request, context),
        Operation::OpenConsole(request) => open_console::run(request, context),
        Operation::StartEndpoint(request) => start_endpoint::run(request, context),
        Operation::GetPrompt(request) => get_prompt::run(request, context),
        Operation::StopEndpoint(request) => stop_endpoint::run(request, context),
        Operation::StartRefresh(request) => start_refresh::run(request, context),
        Operation::GetRefresh(request) => get_refresh::run(request, context),
        Operation::StopRefresh(request) => stop_refresh::run(request, context),
        #[cfg(debug_assertions)]
        Operation::Panic => panic!("this panic was asked for"),
    }
}

/// Notes a user's command, and warns of sessions that ended in the background.
fn note_command(context: &Context) {
    let Some(caller) = &context.world.caller else { return };
    for name in context.memory.refresh.note_command(caller, &context.world) {
        let action = format!("Run Connect-SsoSession -Environment {name}, and the refresh goes on.");
        context.outlet.warn(format!("The session of {name} has ended, so its credentials are no longer refreshed. {action}"));
    }
}

/// Warns, once per process, about each region given for a run that AWS is not known to have.
fn warn_of_given_regions(context: &Context) {
    for region in context.world.given.iter().filter_map(|given| given.region.as_deref()) {
        if context.outlet.is_first_warning(Topic::Region, region) {
            regions::warn_if_unknown(region, &context.outlet);
        }
    }
}
