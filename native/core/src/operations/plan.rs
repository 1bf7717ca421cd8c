//! What an update would do, for `-WhatIf` and `-Confirm`.

use crate::context::Context;
use crate::error::Error;
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::{DueRule, Standing};
use crate::operations::named::{readable_config, stored_or_named};
use crate::outlet::NetworkWork;
use crate::protocol::{Event, Plan, Planned, PlannedProfile};

/// Reports which profiles an update would fetch; sends and writes nothing.
pub(crate) fn run(plan: Plan, context: &Context) -> Result<Option<NetworkWork>, Error> {
    let named = stored_or_named(&plan.environments, context)?;
    let known = CredentialsFile::of(&context.world)?.known()?;
    let rule = DueRule { force: plan.force, replace_keys: plan.replace_keys, ..DueRule::of(context.now(), plan.minimum_remaining) };
    let config = readable_config(&context.world);
    for environment in named {
        let profiles = environment.profiles.iter().filter_map(|profile| {
            let is_elsewhere = environment.keeps_keys_out_of_file() || config.provider(&profile.name).is_some();
            let standing = if is_elsewhere { None } else { Some(known.standing(profile, rule)) };
            let due = standing.as_ref().is_some_and(Standing::is_due);
            let obstacle = if let Some(Standing::Blocked(obstacle)) = standing { Some(obstacle.to_string()) } else { None };
            (due || obstacle.is_some() || !plan.due_only).then(|| PlannedProfile { profile_name: profile.name.clone(), due, obstacle })
        });
        context.outlet.send(Event::Planned(Planned { environment: environment.name.clone(), profiles: profiles.collect() }));
    }
    Ok(None)
}
