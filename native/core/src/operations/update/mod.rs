//! `Update-SsoCredential`: due profiles, sessions, role credentials in parallel, one write, and the report.

mod due;
mod fetch;
pub(crate) mod fetch_turn;
mod report;
mod rows;
#[cfg(test)]
mod tests;
mod warnings;
mod write;

use std::sync::Arc;

use due::Due;
use fetch::UpdateRun;
use report::{expose, report};
use rows::{Known, Part, report_standings};

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::stored::Environments;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::DueRule;
use crate::outlet::{NetworkWork, Outlet};
use crate::protocol::Update;

/// Runs the part of an update that needs no network, and returns the rest, if there is any.
pub(crate) fn run(update: Update, context: &Context) -> Result<Option<NetworkWork>, Error> {
    begin(update, Due::AsRequired, context)
}

/// Like [`run`], for what is due by the rule of a renewal in the background.
pub(crate) fn renew(update: Update, context: &Context) -> Result<Option<NetworkWork>, Error> {
    begin(update, Due::AsRenewal, context)
}

fn begin(update: Update, due: Due, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&context.world)?;
    let file = CredentialsFile::of(&context.world)?;
    let keys = file.known()?;
    let rule = DueRule { force: update.force, ..due.rule(&update, context.now()) };
    let config_read = ConfigFile::read(&context.world);
    let config = config_read.clone().unwrap_or_default();
    let known = Known { environments: &environments, file: &file, keys: &keys, config: &config };
    let mut parts = known.parts(&update, rule, context)?;
    keep_with_config(&mut parts, &config_read, &update, &context.outlet)?;
    report_standings(&parts, &file, &context.outlet);
    if parts.iter().any(Part::is_due) {
        let run = UpdateRun { update, due, context: context.clone(), file, config };
        return Ok(Some(Box::pin(over_the_network(run, parts))));
    }
    finish(parts, &file, &config, &update, context);
    Ok(None)
}

async fn over_the_network(run: UpdateRun, mut parts: Vec<Part>) {
    if let Err(error) = run.fetch_and_write(&mut parts).await {
        return run.context.outlet.fail(&error, true);
    }
    finish(parts, &run.file, &run.config, &run.update, &run.context);
}

fn finish(parts: Vec<Part>, file: &CredentialsFile, config: &ConfigFile, update: &Update, context: &Context) {
    if update.expose_token {
        expose(parts.iter().map(|part| &part.environment), config, update.session.token_cache, context);
    }
    report(parts, file, update.report_profiles, context);
}

/// Removes the environments that need an unreadable config file and reports the error, which fails the run if there is only one environment.
fn keep_with_config(parts: &mut Vec<Part>, config: &Result<Arc<ConfigFile>, Error>, update: &Update, outlet: &Outlet) -> Result<(), Error> {
    let count = parts.len();
    let mut at_fault = None;
    parts.retain(|part| {
        // An environment with nothing due does not need the file.
        let is_idle = config.is_err() && !update.expose_token && !part.is_due();
        is_idle || ConfigFile::as_needed(config.clone(), [part.environment.as_ref()], outlet).map_err(|error| at_fault = Some(error)).is_ok()
    });
    match at_fault {
        Some(error) if count == 1 => return Err(error),
        Some(error) => outlet.fail(&error, false),
        None => {}
    }
    Ok(())
}
