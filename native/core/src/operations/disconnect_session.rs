//! `Disconnect-SsoSession`: logs out, one environment after another.

use std::collections::HashSet;

use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::Error;
use crate::files::credentials_file::Removal;
use crate::files::kept_keys::KeptKeys;
use crate::login::attempt::NoLogin;
use crate::operations::get_session::report_session;
use crate::operations::key_removal::KeyRemoval;
use crate::operations::named::NamedEnvironments;
use crate::outlet::NetworkWork;
use crate::protocol::{DisconnectSession, SessionTerms};
use crate::session::place::TokenPlace;
use crate::session::source::SessionSource;
use crate::session::time_limit::TimeLimit;

/// Ends each session, and removes its keys from the credentials file if the user wants that.
pub(crate) fn run(wanted: DisconnectSession, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = NamedEnvironments::of(&wanted.environments, context)?;
    let context = context.clone();
    Ok(Some(Box::pin(async move {
        let alone = named.environments.len() == 1;
        for environment in &named.environments {
            match disconnect(environment, &named.config, wanted.remove_credentials, &context).await {
                Ok(()) => report_session(environment, &named.config, None, &context).await,
                Err(NoLogin::Cancelled) => return,
                Err(NoLogin::Failed(error)) => context.outlet.fail(&error, alone),
            }
        }
    })))
}

async fn disconnect(environment: &Environment, config: &ConfigFile, remove_credentials: bool, context: &Context) -> Result<(), NoLogin> {
    let service = context.service(&environment.region)?;
    // A token can be in several places, because a run can override where the environment keeps it.
    let terms = SessionTerms { browser: false, login: false, ..SessionTerms::default() };
    let time = TimeLimit::of(&terms);
    let here = TokenPlace::of(&context.world, environment, config, None)?;
    let mut places = here.others(&context.world, environment, config);
    let kept = places.iter().chain([&here]).find_map(TokenPlace::names).and_then(|names| KeptKeys::of(&context.world, names.session()));
    places.push(here);
    let (mut is_ended, mut failure) = (false, None);
    for place in places {
        match (SessionSource { context, environment, service: &service, place, conflict: None, terms: &terms, time }).disconnect().await {
            Ok(ended) => is_ended |= ended,
            Err(NoLogin::Cancelled) => return Err(NoLogin::Cancelled),
            // One place that cannot be cleared, such as a locked store, keeps no other place from being cleared.
            Err(NoLogin::Failed(error)) => failure = failure.or(Some(error)),
        }
    }
    context.memory.refresh.note_logout(&environment.name);
    if is_ended {
        context.outlet.verbose(format!("The session of {} was ended.", environment.name));
    } else if failure.is_none() {
        context.outlet.inform(format!("{}: there was no session to end", environment.name));
    }
    // Keys that are kept for a session end with it.
    if let Some(kept) = kept {
        kept.clear()?;
    }
    if remove_credentials {
        // Removes all of the environment's keys, whether or not its table still has the profiles.
        let profiles = environment.profiles.iter().map(|profile| profile.name.as_str()).collect();
        let removal = Removal { environment: &environment.name, profiles: &profiles, all_but: Some(&HashSet::new()) };
        KeyRemoval::plan(removal, &context.world)?.carry_out_async(context).await?;
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}
