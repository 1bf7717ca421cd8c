//! The update: environments, due profiles, sessions, role credentials in parallel, one write, and the report.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use time::OffsetDateTime;

use crate::assignments::{forget_roles, was_assigned};
use crate::config_file::{ConfigFile, OtherMeaning};
use crate::credentials_file::{CredentialsFile, DueRule, Fetched, KeyVersion, KeysWritten, Obstacle, RoleCredentials, Standing, rfc3339};
use crate::environment::{Environment, Environments, ProfileEntry};
use crate::error::{Code, Error, listed};
use crate::fetch_turn::FetchTurn;
use crate::live_session::{LiveSession, Stop};
use crate::login::NoLogin;
use crate::pace::Pace;
use crate::profile_names::{Hazard, hazard, misread_names};
use crate::protocol::{
    Completed, CredentialState, CredentialView, Event, GetCredential, Plan, Planned, PlannedProfile, Profile, ProfileStatus, Progress, TokenCache, Update,
};
use crate::run::{NetworkWork, Outlet};
use crate::safe_write::{Patience, Written};
use crate::secret::Secret;
use crate::service::{Refusal, Service};
use crate::session::{SessionSource, exposed};
use crate::time_limit::TimeLimit;
use crate::world::World;

/// What bounds the network after the login where the user gave no limit.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);

/// A limit longer than this is as good as none, and not every system's clock can count so far.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(365 * 24);

/// How long a role is waited for that is refused although it was assigned when it was listed; granted's users report that it takes seconds.
const ASSIGNMENT_PAUSE: Duration = Duration::from_secs(2);

/// More names than this would hide the rest of a sentence.
const MOST_NAMES: usize = 10;

/// One environment of a run.
struct Part {
    environment: Arc<Environment>,
    rows: Vec<Row>,
    end: End,
}

/// One wanted profile: how it stood, and what became of it.
struct Row {
    profile: ProfileEntry,
    standing: Standing,
    /// The keys that it had when the run began.
    before: KeyVersion,
    /// Present once the profile was asked for.
    outcome: Option<Outcome>,
}

/// What became of one due profile.
enum Outcome {
    Fetched {
        keys: RoleCredentials,
        at: Instant,
    },
    Failed(Error),
    /// Its environment came to an end before its turn, for a reason that is reported once.
    NoService,
}

/// How the session of an environment ended.
enum End {
    /// Nothing is wrong with it, or none was needed.
    Open,
    /// The run was cancelled before there was one.
    Cancelled,
    /// There was none for any profile.
    NoSession(Error),
    /// It came to an end while it was used.
    Ended(Error),
}

impl Part {
    fn due(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.standing.is_due())
    }

    fn is_due(&self) -> bool {
        self.due().next().is_some()
    }

    fn has_fetched(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.outcome, Some(Outcome::Fetched { .. })))
    }
}

/// A time limit that the caller gave in seconds.
pub(crate) fn limit(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(LONGEST_TIMEOUT)
}

/// How many requests may be under way at once.
pub(crate) fn at_once(throttle_limit: u32) -> usize {
    usize::try_from(throttle_limit.clamp(1, 256)).unwrap_or(16)
}

pub(crate) fn rule(world: &World, minimum_remaining: u64) -> DueRule {
    // A century is as good as for ever, and no sum with it overflows.
    let seconds = i64::try_from(minimum_remaining).unwrap_or(i64::MAX).min(3_155_760_000);
    let now = world.memory.now(world.clock.as_ref());
    DueRule { now, minimum_remaining: time::Duration::seconds(seconds), force: false, replace_keys: false }
}

/// The environments of these names, or all where there are none. An unknown name is told, and ends the run only where it is the only one.
pub(crate) fn stored_or_named(names: &[String], world: &World, outlet: &Outlet) -> Result<Vec<Arc<Environment>>, Error> {
    let environments = Environments::read(world)?;
    if let [name] = names {
        return environments.find(name, world).map(|environment| vec![environment]);
    }
    if !names.is_empty() {
        let found = names.iter().map(|name| environments.find(name, world));
        return Ok(found.filter_map(|found| found.map_err(|error| outlet.fail(&error, false)).ok()).collect());
    }
    // Those that cannot be used are reported, and the others go on; where there are no others, the last error ends the run.
    let mut faults: Vec<Error> = environments.faults().collect();
    let last = if environments.all.is_empty() { faults.pop() } else { None };
    for error in &faults {
        outlet.fail(error, false);
    }
    if let Some(error) = last {
        return Err(error);
    }
    if environments.all.is_empty() {
        let config = readable_config(world);
        if let Some(found) = config.environments.first() {
            return Err(Error::new(
                Code::EnvironmentNotFound,
                format!("No environment is stored in {} yet, and those of {} are used by name only.", environments.path.display(), config.path.display()),
            )
            .with_target(environments.path.display().to_string())
            .with_action(format!("Name it, as in -Environment {}; Get-SsoEnvironment shows all of them.", found.name)));
        }
        return Err(Error::new(Code::EnvironmentNotFound, format!("No environment is stored in {} yet.", environments.path.display()))
            .with_target(environments.path.display().to_string())
            .with_action("Make one with Set-SsoEnvironment -Name … -StartUrl … -Region …, and give it your profiles with Sync-SsoProfile."));
    }
    Ok(environments.all.clone())
}

/// The config file where it can be read; a run with nothing due does not need it, and one that does says what is wrong with it.
fn readable_config(world: &World) -> Arc<ConfigFile> {
    ConfigFile::read(world).unwrap_or_default()
}

/// Says which profiles an update would fetch; it sends nothing and writes nothing.
pub(crate) fn plan(plan: &Plan, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let named = stored_or_named(&plan.environments, world, outlet)?;
    let known = CredentialsFile::of(world)?.known(&world.memory.credentials)?;
    let rule = DueRule { force: plan.force, replace_keys: plan.replace_keys, ..rule(world, plan.minimum_remaining) };
    let config = readable_config(world);
    for environment in named {
        let profiles = environment.profiles.iter().filter_map(|profile| {
            let standing = if config.calls_us(&profile.name) { None } else { Some(known.standing(profile, rule)) };
            let due = standing.as_ref().is_some_and(Standing::is_due);
            let obstacle = if let Some(Standing::Blocked(obstacle)) = standing { Some(obstacle.to_string()) } else { None };
            (due || obstacle.is_some() || !plan.due_only).then(|| PlannedProfile { profile_name: profile.name.clone(), due, obstacle })
        });
        outlet.send(Event::Planned(Planned { environment: environment.name.clone(), profiles: profiles.collect() }));
    }
    Ok(())
}

/// Shows how the keys in the file stand; it sends nothing and writes nothing.
pub(crate) fn show_credentials(wanted: &GetCredential, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let named = stored_or_named(&wanted.environments, world, outlet)?;
    let known = CredentialsFile::of(world)?.known(&world.memory.credentials)?;
    let rule = rule(world, wanted.minimum_remaining);
    let config = readable_config(world);
    for environment in named {
        config.warn_of_skipped(&environment, world, outlet);
        for profile in &environment.profiles {
            let expiration = known.expiration(&profile.name);
            let (state, reason) = match known.standing(profile, rule) {
                Standing::Missing if config.calls_us(&profile.name) => (CredentialState::CredentialProcess, None),
                Standing::Good(_) => (CredentialState::Valid, None),
                Standing::Missing => (CredentialState::Missing, None),
                Standing::Due(why) => {
                    (if expiration.is_some_and(|end| end <= rule.now) { CredentialState::Expired } else { CredentialState::Due }, Some(why.to_owned()))
                }
                Standing::Blocked(obstacle @ Obstacle::OtherKeys(_)) => (CredentialState::OtherKeys, Some(obstacle.to_string())),
                Standing::Blocked(obstacle) => (CredentialState::Blocked, Some(obstacle.to_string())),
            };
            outlet.send(Event::Credential(CredentialView {
                environment: environment.name.clone(),
                profile_name: profile.name.clone(),
                account_id: profile.account_id.clone(),
                role_name: profile.role_name.clone(),
                state,
                reason,
                expiration: expiration.map(rfc3339),
            }));
        }
    }
    Ok(())
}

/// Does all of an update that needs no network, and gives the rest, if there is any.
pub(crate) fn update(update: Update, world: World, outlet: &Outlet) -> Result<Option<NetworkWork>, Error> {
    let environments = Environments::read(&world)?;
    let file = CredentialsFile::of(&world)?;
    let known = file.known(&world.memory.credentials)?;
    let rule = DueRule { force: update.force, replace_keys: update.replace_keys, ..rule(&world, update.minimum_remaining) };
    let config_read = ConfigFile::read(&world);
    let config = config_read.clone().unwrap_or_default();
    let mut parts: Vec<Part> = Vec::new();
    for target in &update.targets {
        let environment = environments.find(&target.environment, &world)?;
        if environment.profiles.is_empty() {
            outlet.warn(format!("The environment {} has no profiles; add yours with Sync-SsoProfile -Environment {0}.", environment.name));
        }
        let names: Option<HashSet<&str>> = target.profiles.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let meant = environment.profiles.iter().filter(|profile| names.as_ref().is_none_or(|names| names.contains(profile.name.as_str())));
        // Keys in the file would be taken before those that the process gives, and would not be renewed by it.
        let (called, wanted): (Vec<_>, Vec<_>) = meant.partition(|profile| config.calls_us(&profile.name));
        for profile in called {
            outlet.verbose(format!("{} is left out: its credential_process in {} calls this module.", profile.name, config.path.display()));
            if known.standing(profile, rule) != Standing::Missing && world.memory.warned_of_config.is_first(&profile.name) {
                outlet.warn(format!(
                    "{} has keys for {}, which AWS tools take before its credential_process in {}; take that section out.",
                    file.path().display(),
                    profile.name,
                    config.path.display()
                ));
            }
        }
        let row = |profile: &ProfileEntry| Row {
            profile: profile.clone(),
            standing: known.standing(profile, rule),
            before: known.version(&profile.name),
            outcome: None,
        };
        let rows = wanted.into_iter().map(row);
        if let Some(part) = parts.iter_mut().find(|part| part.environment.name == environment.name) {
            let new: Vec<Row> = rows.filter(|row| !part.rows.iter().any(|other| other.profile.name == row.profile.name)).collect();
            part.rows.extend(new);
        } else {
            let rows = rows.collect();
            parts.push(Part { environment, rows, end: End::Open });
        }
    }
    one_row_for_each_section(&mut parts, outlet);
    keep_with_config(&mut parts, &config_read, &update, &world, outlet)?;
    report_standings(&parts, &file, outlet);
    if parts.iter().any(Part::is_due) {
        let run = UpdateRun { update, world, outlet: outlet.clone(), file, config };
        return Ok(Some(Box::pin(run.over_the_network(parts))));
    }
    if update.expose_token {
        expose(parts.iter().map(|part| &part.environment), &config, update.session.token_cache, &world, outlet);
    }
    report(parts, &file, update.report_profiles, &world, outlet);
    Ok(None)
}

/// Leaves one row for each section of the file: further ones for the same account and role go, and one for another is an obstacle to all of them.
fn one_row_for_each_section(parts: &mut [Part], outlet: &Outlet) {
    let mut places: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (index, part) in parts.iter().enumerate() {
        for (place, row) in part.rows.iter().enumerate() {
            places.entry(row.profile.name.clone()).or_default().push((index, place));
        }
    }
    let mut doubles = HashSet::new();
    for (name, places) in places {
        let [first, others @ ..] = places.as_slice() else { continue };
        let (kept, profile) = (&parts[first.0].environment, &parts[first.0].rows[first.1].profile);
        if others.iter().all(|(index, place)| parts[*index].rows[*place].profile == *profile && parts[*index].environment.is_at(&kept.start_url, &kept.region))
        {
            for (index, place) in others {
                let other = &parts[*index].environment.name;
                outlet.verbose(format!("{name} of {other} is the same account and role as in {}, and is updated with it.", kept.name));
                doubles.insert((*index, *place));
            }
            continue;
        }
        let names: Vec<String> = places.iter().map(|(index, _)| parts[*index].environment.name.clone()).collect();
        for (own, (index, place)) in places.iter().enumerate() {
            let environment = names[usize::from(own == 0)].clone();
            parts[*index].rows[*place].standing = Standing::Blocked(Obstacle::TwoRows { environment });
        }
    }
    for (index, part) in parts.iter_mut().enumerate() {
        let mut place = 0..;
        part.rows.retain(|_| place.next().is_some_and(|place| !doubles.contains(&(index, place))));
    }
}

fn report_standings(parts: &[Part], file: &CredentialsFile, outlet: &Outlet) {
    for row in parts.iter().filter(|_| outlet.is_verbose()).flat_map(|part| &part.rows) {
        let name = &row.profile.name;
        outlet.verbose(match &row.standing {
            Standing::Good(until) => format!("{name} is good until {}.", rfc3339(*until)),
            Standing::Missing => format!("{name} is due: it is not in {} yet.", file.path().display()),
            Standing::Due(why) => format!("{name} is due: {why}."),
            Standing::Blocked(obstacle) => format!("{name} is left alone: {obstacle}."),
        });
    }
}

/// Takes out the environments that need the config file where that cannot be read; the error ends the run where there is no other.
fn keep_with_config(parts: &mut Vec<Part>, config: &Result<Arc<ConfigFile>, Error>, update: &Update, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let count = parts.len();
    let mut at_fault = None;
    parts.retain(|part| {
        // A run with nothing due does without a file that cannot be read.
        let is_idle = config.is_err() && !update.expose_token && !part.is_due();
        is_idle || ConfigFile::as_needed(config.clone(), [part.environment.as_ref()], world, outlet).map_err(|error| at_fault = Some(error)).is_ok()
    });
    match at_fault {
        Some(error) if count == 1 => return Err(error),
        Some(error) => outlet.fail(&error, false),
        None => {}
    }
    Ok(())
}

struct UpdateRun {
    update: Update,
    world: World,
    outlet: Outlet,
    file: CredentialsFile,
    config: Arc<ConfigFile>,
}

impl UpdateRun {
    async fn over_the_network(self, mut parts: Vec<Part>) {
        if let Err(error) = self.fetch_and_write(&mut parts).await {
            return self.outlet.fail(&error, true);
        }
        if self.update.expose_token {
            expose(parts.iter().map(|part| &part.environment), &self.config, self.update.session.token_cache, &self.world, &self.outlet);
        }
        report(parts, &self.file, self.update.report_profiles, &self.world, &self.outlet);
    }

    async fn fetch_and_write(&self, parts: &mut [Part]) -> Result<(), Error> {
        if self.file.check_writable()?.anybody_can_replace {
            self.warn_of_open_folder();
        }
        self.warn_of_other_meanings(parts);
        self.warn_of_names(parts);
        let time = TimeLimit::of(&self.update.session);
        let environments: Vec<Arc<Environment>> = parts.iter().map(|part| Arc::clone(&part.environment)).collect();
        let mut services = Vec::new();
        for environment in &environments {
            services.push(self.world.memory.services.of(&self.world, &environment.region)?);
        }
        let sources: Vec<SessionSource<'_>> =
            environments.iter().zip(&services).map(|(environment, service)| SessionSource { time, ..self.source(environment, service) }).collect();
        let mut sessions = self.open_sessions(parts, &sources).await;
        let turn = self.wait_for_turn(parts, time).await;
        self.look_again(parts)?;
        restart(&sessions).await;
        let mut paces: Vec<&Arc<Pace>> = services.iter().map(|service| service.pace()).collect();
        paces.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let refused_before: u64 = paces.iter().map(|pace| pace.seen().0).sum();
        self.fetch_all(parts, &sources, &sessions).await;
        self.try_new_assignments_again(parts, &sources, &sessions).await;
        self.report_pace(&paces, refused_before);
        for service in &services {
            self.world.memory.hear(&self.world, service, &self.outlet);
        }
        self.write(parts, time).await?;
        drop(turn);
        for (part, session) in parts.iter_mut().zip(sessions.drain(..)) {
            part.end = match (std::mem::replace(&mut part.end, End::Open), session.and_then(LiveSession::into_ended)) {
                (End::Open, Some(error)) if part.has_fetched() => End::Ended(error),
                (End::Open, Some(error)) => End::NoSession(error),
                (end, _) => end,
            };
        }
        Ok(())
    }

    /// Warns once in this process that other users can put a file of theirs in place of this one.
    fn warn_of_open_folder(&self) {
        let folder = self.file.path().parent().unwrap_or(self.file.path()).display().to_string();
        if self.world.memory.warned_of_folders.is_first(&folder) {
            self.outlet.warn(format!("Every user of this machine can write to {folder} and replace the files in it. Run chmod go-w '{folder}'."));
        }
    }

    /// Warns once in this process of profiles whose names make some AWS tools use their keys for another profile.
    fn warn_of_names(&self, parts: &[Part]) {
        let due = parts.iter().flat_map(Part::due).map(|row| row.profile.name.as_str());
        let new: Vec<&str> = due.filter(|name| hazard(name) == Some(Hazard::Misread) && self.world.memory.warned_of_names.is_first(name)).collect();
        if !new.is_empty() {
            self.outlet.warn(misread_names(&new));
        }
    }

    /// Warns once in this process of profiles for which AWS tools would not use the keys that are written, or not what was there before.
    fn warn_of_other_meanings(&self, parts: &[Part]) {
        let file = self.file.path().display();
        let due = parts.iter().flat_map(|part| part.due().map(|row| (&part.environment, &row.profile)));
        let mut found: Vec<(OtherMeaning, Vec<&str>)> = Vec::new();
        for (environment, profile) in due {
            let Some(meaning) = self.config.other_meaning(environment, profile) else { continue };
            if self.world.memory.warned_of_config.is_first(&profile.name) {
                match found.iter_mut().find(|(other, _)| *other == meaning) {
                    Some((_, names)) => names.push(&profile.name),
                    None => found.push((meaning, vec![&profile.name])),
                }
            }
        }
        for (meaning, names) in found {
            let names = names.join(", ");
            let config = self.config.path.display();
            self.outlet.warn(match meaning {
                OtherMeaning::Sso => {
                    format!("{config} has another account or role for {names} (sso_account_id, sso_role_name), and the AWS CLI takes that before the keys in {file}; make them agree.")
                }
                OtherMeaning::RoleArn => {
                    format!("{config} has a role_arn for {names}, which the AWS CLI takes before the keys in {file}; rename the profile in one of the two.")
                }
                OtherMeaning::CredentialProcess => {
                    format!("{config} has a credential_process for {names}, which no tool calls any more now that {file} has keys; rename the profile in one of the two.")
                }
            });
        }
    }

    /// Opens the sessions that are needed, one after another: nobody can approve two logins at once.
    async fn open_sessions(&self, parts: &mut [Part], sources: &[SessionSource<'_>]) -> Vec<Option<LiveSession>> {
        let mut sessions = Vec::new();
        for (part, source) in parts.iter_mut().zip(sources) {
            let opened = if part.is_due() { LiveSession::open(source, source.time.for_requests()).await.map(Some) } else { Ok(None) };
            sessions.push(opened.unwrap_or_else(|no_login| {
                part.end = match no_login {
                    NoLogin::Cancelled => End::Cancelled,
                    NoLogin::Failed(error) => End::NoSession(error),
                };
                None
            }));
        }
        sessions
    }

    /// Waits until no other process fetches for these environments: what it has fetched by then need not be fetched twice.
    async fn wait_for_turn(&self, parts: &[Part], time: TimeLimit) -> FetchTurn {
        let due = parts.iter().filter(|part| part.is_due() && matches!(part.end, End::Open));
        let names: Vec<&str> = due.map(|part| part.environment.name.as_str()).collect();
        let patience = Patience::new(Some(time.for_turn()), self.outlet.cancel_token().clone());
        FetchTurn::wait(&names, &self.file, &patience, &self.outlet).await
    }

    /// Leaves out what another process has fetched since this run began.
    fn look_again(&self, parts: &mut [Part]) -> Result<(), Error> {
        let known = self.file.known(&self.world.memory.credentials)?;
        let without_force = rule(&self.world, self.update.minimum_remaining);
        let rule = DueRule { replace_keys: self.update.replace_keys, ..without_force };
        for row in parts.iter_mut().flat_map(|part| &mut part.rows).filter(|row| row.standing.is_due()) {
            if known.version(&row.profile.name) == row.before {
                continue;
            }
            match known.standing(&row.profile, rule) {
                now @ (Standing::Good(_) | Standing::Blocked(_)) => {
                    self.outlet.verbose(format!("{} was changed by another process meanwhile.", row.profile.name));
                    row.standing = now;
                }
                Standing::Missing | Standing::Due(_) => {}
            }
        }
        Ok(())
    }

    /// Fetches what is due of all environments side by side, until it is done or cancelled.
    async fn fetch_all(&self, parts: &mut [Part], sources: &[SessionSource<'_>], sessions: &[Option<LiveSession>]) {
        let places: Vec<(usize, usize)> = places_of(parts, |row| row.standing.is_due());
        let total = places.iter().filter(|(index, _)| sessions[*index].is_some()).count() as u64;
        if total > 0 {
            self.report_progress(0, total, None);
        }
        let mut done = 0;
        self.fetch_places(places, parts, sources, sessions, |name| {
            done += 1;
            self.report_progress(done, total, Some(name.to_owned()));
        })
        .await;
    }

    fn report_progress(&self, done: u64, total: u64, name: Option<String>) {
        self.outlet.send(Event::Progress(Progress { activity: "Registering profiles".to_owned(), done, total, name }));
    }

    /// Fetches the profiles at these places, and calls `answered` for each that was answered.
    async fn fetch_places(
        &self,
        places: Vec<(usize, usize)>,
        parts: &mut [Part],
        sources: &[SessionSource<'_>],
        sessions: &[Option<LiveSession>],
        mut answered: impl FnMut(&str),
    ) {
        let mut outcomes = Vec::new();
        {
            let jobs = places.into_iter().filter_map(|(index, place)| {
                let (session, profile) = (sessions[index].as_ref()?, &parts[index].rows[place].profile);
                Some(async move { (index, place, &profile.name, self.fetch(profile, &sources[index], session).await) })
            });
            let mut answers = futures_util::stream::iter(jobs.collect::<Vec<_>>()).buffer_unordered(at_once(self.update.throttle_limit));
            loop {
                let answer = tokio::select! {
                    biased;
                    answer = answers.next() => answer,
                    () = self.outlet.cancel_token().cancelled() => None,
                };
                let Some((index, place, name, outcome)) = answer else { break };
                answered(name);
                outcomes.push((index, place, outcome));
            }
        }
        for (index, place, outcome) in outcomes {
            parts[index].rows[place].outcome = outcome;
        }
    }

    /// Asks once more, after a pause, for roles that are refused although they were assigned when they were listed.
    async fn try_new_assignments_again(&self, parts: &mut [Part], sources: &[SessionSource<'_>], sessions: &[Option<LiveSession>]) {
        let is_refused = |row: &Row| matches!(&row.outcome, Some(Outcome::Failed(error)) if error.code() == Code::RoleNotAssigned);
        // An assignment takes moments to reach the portal, after it is listed.
        let is_listed = |(index, place): &(usize, usize)| was_assigned(&parts[*index].environment, &parts[*index].rows[*place].profile, &self.world);
        let places: Vec<(usize, usize)> = places_of(parts, is_refused).into_iter().filter(is_listed).collect();
        let has_time = |time: &TimeLimit| time.for_session().is_none_or(|left| left > ASSIGNMENT_PAUSE * 2);
        if places.is_empty() || !sources.iter().all(|source| has_time(&source.time)) {
            return;
        }
        self.outlet.verbose(format!(
            "{} roles that you were given lately are refused; they are tried again in {} s.",
            places.len(),
            ASSIGNMENT_PAUSE.as_secs()
        ));
        tokio::select! {
            () = tokio::time::sleep(ASSIGNMENT_PAUSE) => {}
            () = self.outlet.cancel_token().cancelled() => return,
        }
        self.fetch_places(places.clone(), parts, sources, sessions, |_| {}).await;
        // What is still refused is no longer assigned, and shall not slow down the next run.
        for (index, part) in parts.iter().enumerate() {
            let tried = places.iter().filter(|(other, _)| *other == index).map(|(_, place)| &part.rows[*place]);
            let gone: Vec<&ProfileEntry> = tried.filter(|row| is_refused(row)).map(|row| &row.profile).collect();
            if !gone.is_empty() {
                forget_roles(&part.environment, &gone, &self.world, &self.outlet).await;
            }
        }
    }

    /// Reports that the service held the run up, and how much.
    fn report_pace(&self, paces: &[&Arc<Pace>], refused_before: u64) {
        let refused = paces.iter().map(|pace| pace.seen().0).sum::<u64>() - refused_before;
        let slowest = paces.iter().filter_map(|pace| pace.seen().1).min_by(f64::total_cmp);
        if let Some(rate) = slowest.filter(|_| refused > 0) {
            self.outlet
                .verbose(format!("The service refused {refused} requests for the number of them, so they were sent more slowly, at about {rate:.1} a second."));
        }
    }

    fn source<'a>(&'a self, environment: &'a Environment, service: &'a Arc<Service>) -> SessionSource<'a> {
        SessionSource::of(&self.world, &self.outlet, environment, service, &self.config, &self.update.session)
    }

    /// Fetches the keys of a profile; gives nothing where the run was cancelled.
    async fn fetch(&self, profile: &ProfileEntry, source: &SessionSource<'_>, session: &LiveSession) -> Option<Outcome> {
        let request = |access_token: Secret, deadline| async move {
            source.service.role_credentials(&access_token, &profile.account_id, &profile.role_name, deadline).await
        };
        match session.send(source, request).await {
            Ok((keys, request_id)) => {
                let id = request_id.map(|id| format!(" (request id {id})")).unwrap_or_default();
                self.outlet.verbose(format!("{} was fetched{id}.", profile.name));
                Some(Outcome::Fetched { keys, at: Instant::now() })
            }
            Err(Stop::Refused(refusal)) => Some(Outcome::Failed(profile_error(&refusal, profile, source.service))),
            Err(Stop::Ended) => Some(Outcome::NoService),
            Err(Stop::Cancelled) => None,
        }
    }

    async fn write(&self, parts: &mut [Part], time: TimeLimit) -> Result<(), Error> {
        let now = self.world.memory.now(self.world.clock.as_ref());
        // In the order of the table, so that a new file reads as its owner would write it.
        let rows = parts.iter().flat_map(|part| part.rows.iter().map(|row| (part.environment.name.as_str(), row)));
        let fetched: Vec<Fetched<'_>> = rows
            .filter_map(|(environment, row)| match &row.outcome {
                Some(Outcome::Fetched { keys, at }) => {
                    Some(Fetched { environment, profile: &row.profile, keys, issued: now.saturating_sub(at.elapsed().try_into().unwrap_or_default()) })
                }
                _ => None,
            })
            .collect();
        if fetched.is_empty() {
            return Ok(());
        }
        let patience = Patience::new(Some(time.for_write()), self.outlet.cancel_token().clone());
        let KeysWritten { written, blocked, renamed } = self.file.write(&fetched, self.update.replace_keys, &patience).await?;
        self.report_write(&written, &renamed, fetched.len() - blocked.len());
        self.warn_of_short_keys(&fetched);
        for row in parts.iter_mut().flat_map(|part| &mut part.rows) {
            if let Some(obstacle) = blocked.get(&row.profile.name) {
                row.standing = Standing::Blocked(obstacle.clone());
                row.outcome = None;
            }
        }
        Ok(())
    }

    fn report_write(&self, written: &Written, renamed: &[String], count: usize) {
        let file = self.file.path().display();
        if written.made_private {
            self.outlet.warn(format!("Others could read {file}; now only you can."));
        }
        if written.had_hard_links {
            self.outlet.warn(format!("{file} has another name (a hard link), which still leads to the old keys; use a symbolic link instead."));
        }
        for name in renamed {
            self.outlet.warn(format!(
                "The section name [{name}] had blanks inside its brackets in {file}, which the AWS CLI takes for another profile; they were removed."
            ));
        }
        let profiles = if count == 1 { "1 profile was".to_owned() } else { format!("{count} profiles were") };
        self.outlet.verbose(format!("{profiles} written to {file} at once."));
    }

    /// Warns once in this process of profiles whose keys never last as long as is asked for.
    fn warn_of_short_keys(&self, fetched: &[Fetched<'_>]) {
        let rule = rule(&self.world, self.update.minimum_remaining);
        let short = fetched.iter().filter(|fetched| rule.exceeds(fetched.keys.expiration - fetched.issued));
        let new: Vec<&Fetched<'_>> = short.filter(|fetched| self.world.memory.warned_of_short_keys.is_first(&fetched.profile.name)).collect();
        if let Some(first) = new.first() {
            let names: Vec<&str> = new.iter().map(|fetched| fetched.profile.name.as_str()).collect();
            self.outlet.warn(format!(
                "The credentials of {} last {} min, less than -MinimumRemaining asks for; they are refreshed when half of that is left.",
                listed(&names, MOST_NAMES),
                // Whole minutes, since some moments have passed by now.
                (first.keys.expiration - first.issued + time::Duration::seconds(30)).whole_minutes()
            ));
        }
    }
}

/// Where the rows are that match.
fn places_of(parts: &[Part], matches: impl Fn(&Row) -> bool) -> Vec<(usize, usize)> {
    let all = parts.iter().enumerate().flat_map(|(index, part)| part.rows.iter().enumerate().map(move |(place, row)| (index, place, row)));
    all.filter(|(_, _, row)| matches(row)).map(|(index, place, _)| (index, place)).collect()
}

/// Starts the time of the sessions again: the waits for logins and for other processes do not count.
async fn restart(sessions: &[Option<LiveSession>]) {
    for session in sessions.iter().flatten() {
        session.restart().await;
    }
}

pub(crate) fn profile_error(refusal: &Refusal, profile: &ProfileEntry, service: &Service) -> Error {
    let ProfileEntry { name, account_id, role_name } = profile;
    let error = match refusal.modelled_status() {
        Some(403) => Error::new(
            Code::RoleNotAssigned,
            format!("The role {role_name} in account {account_id} is not assigned to you, so the profile {name} was left as it is."),
        )
        .with_action(format!(
            "Get-SsoRole -Account {account_id} shows the roles that are; correct the environment's table, or ask your administrator to assign the role."
        )),
        Some(404) => Error::new(
            Code::AccountNotFound,
            format!("IAM Identity Center knows no account {account_id} with the role {role_name}, so the profile {name} was left as it is."),
        )
        .with_action("Get-SsoAccount shows the accounts that you have; correct the environment's table."),
        _ => service.error(refusal, true).behind(format!("The profile {name} was left as it is")),
    };
    error.with_target(name).with_request_id(refusal.request_id())
}

/// Hands the access tokens over, since they were asked for.
fn expose<'e>(environments: impl Iterator<Item = &'e Arc<Environment>>, config: &ConfigFile, token_cache: Option<TokenCache>, world: &World, outlet: &Outlet) {
    for environment in environments {
        match exposed(world, environment, config, token_cache.unwrap_or(environment.token_cache)) {
            Ok(token) => token.into_iter().for_each(|token| outlet.send(Event::Token(token))),
            Err(error) => outlet.fail(&error, false),
        }
    }
}

/// Reports how everything stands; nothing is locked by now, and the file is whole.
fn report(parts: Vec<Part>, file: &CredentialsFile, each_profile: bool, world: &World, outlet: &Outlet) {
    // What fails an environment as a whole ends the run where there is no other.
    let alone = parts.len() == 1;
    let mut errors = Vec::new();
    let mut summaries = Vec::new();
    for part in parts {
        let environment = &part.environment.name;
        let ended = match part.end {
            End::NoSession(error) => {
                outlet.fail(&error, alone);
                continue;
            }
            End::Ended(error) => Some(error),
            End::Open | End::Cancelled => None,
        };
        let mut summary = Completed {
            environment: environment.clone(),
            profile_names: Vec::new(),
            refreshed: 0,
            still_valid: 0,
            failed: 0,
            session_expires: world.memory.session_end(environment).map(rfc3339),
            credentials_expire: None,
            cancelled: outlet.cancel_token().is_cancelled(),
        };
        let mut first_end: Option<OffsetDateTime> = None;
        for Row { profile, standing, outcome, .. } in part.rows {
            let (status, end) = match (standing, outcome) {
                (Standing::Good(until), _) => (ProfileStatus::StillValid, Some(until)),
                (Standing::Blocked(obstacle), _) => {
                    let error = obstacle.error(&profile.name, environment, file.path());
                    let status = ProfileStatus::Failed(error.code());
                    errors.push(error);
                    (status, None)
                }
                (Standing::Missing, Some(Outcome::Fetched { keys, .. })) => (ProfileStatus::Created, Some(keys.expiration)),
                (_, Some(Outcome::Fetched { keys, .. })) => (ProfileStatus::Refreshed, Some(keys.expiration)),
                (_, Some(Outcome::Failed(error))) => {
                    let status = ProfileStatus::Failed(error.code());
                    errors.push(error);
                    (status, None)
                }
                (_, Some(Outcome::NoService)) => (ProfileStatus::Failed(ended.as_ref().map_or(Code::InternalError, Error::code)), None),
                (Standing::Missing | Standing::Due(_), None) => continue,
            };
            if let Some(end) = end {
                summary.profile_names.push(profile.name.clone());
                let count = if status == ProfileStatus::StillValid { &mut summary.still_valid } else { &mut summary.refreshed };
                *count += 1;
                first_end = Some(first_end.map_or(end, |first| first.min(end)));
            } else {
                summary.failed += 1;
            }
            if each_profile {
                outlet.send(Event::Profile(Profile {
                    environment: environment.clone(),
                    profile_name: profile.name,
                    account_id: profile.account_id,
                    role_name: profile.role_name,
                    status,
                    expiration: end.map(rfc3339),
                }));
            }
        }
        errors.extend(ended);
        summary.credentials_expire = first_end.map(rfc3339);
        summaries.push(summary);
    }
    for error in errors {
        outlet.fail(&error, false);
    }
    for summary in summaries {
        outlet.send(Event::Completed(summary));
    }
}
