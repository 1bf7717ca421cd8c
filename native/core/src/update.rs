//! The update: environments, due profiles, sessions, role credentials in parallel, one write, and the report.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use time::OffsetDateTime;

use crate::config_file::{ConfigFile, OtherMeaning};
use crate::credentials_file::{CredentialsFile, DueRule, RoleCredentials, Standing, rfc3339};
use crate::environment::{Environment, Environments, ProfileEntry};
use crate::error::{Code, Error};
use crate::live_session::{Bound, LiveSession, Stop};
use crate::login::NoLogin;
use crate::pace::Pace;
use crate::protocol::{Completed, CredentialView, Event, GetCredential, Plan, Planned, PlannedProfile, Profile, Progress, TokenCache, Update};
use crate::run::{NetworkWork, Outlet};
use crate::safe_write::Patience;
use crate::secret::Secret;
use crate::service::{Refusal, Service};
use crate::session::{SessionSource, exposed};
use crate::world::World;

/// What bounds the network after the login where the user gave no limit.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_mins(2);

/// A limit longer than this is as good as none, and not every system's clock can count so far.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(365 * 24);

/// One environment of a run, with how each wanted profile stands.
struct Part {
    environment: Arc<Environment>,
    profiles: Vec<(ProfileEntry, Standing)>,
}

impl Part {
    /// The profiles that are to be fetched, in the order of the table.
    fn due(&self) -> impl Iterator<Item = &ProfileEntry> {
        self.profiles.iter().filter(|(_, standing)| standing.is_due()).map(|(profile, _)| profile)
    }
}

/// What became of one due profile.
enum Outcome {
    Fetched(RoleCredentials),
    Failed(Error),
    /// Its environment came to an end before its turn, for a reason that is said once.
    NoService,
    /// The run ended before its turn.
    Untouched,
}

/// A time limit that the caller gave in seconds.
pub(crate) fn limit(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(LONGEST_TIMEOUT)
}

/// How many requests may be under way at once.
pub(crate) fn at_once(throttle_limit: u32) -> usize {
    usize::try_from(throttle_limit.clamp(1, 256)).unwrap_or(16)
}

pub(crate) fn rule(world: &World, minimum_remaining: u64, force: bool) -> DueRule {
    // A century is as good as for ever, and no sum with it overflows.
    let seconds = i64::try_from(minimum_remaining).unwrap_or(i64::MAX).min(3_155_760_000);
    DueRule { now: world.memory.now(world.clock.as_ref()), minimum_remaining: time::Duration::seconds(seconds), force }
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
    let rule = rule(world, plan.minimum_remaining, plan.force);
    let config = readable_config(world);
    for environment in named {
        let profiles = environment.profiles.iter().filter_map(|profile| {
            let due = known.standing(profile, rule).is_due() && !config.calls_us(&profile.name);
            (due || !plan.due_only).then(|| PlannedProfile { profile_name: profile.name.clone(), due })
        });
        outlet.send(Event::Planned(Planned { environment: environment.name.clone(), profiles: profiles.collect() }));
    }
    Ok(())
}

/// Shows how the keys in the file stand; it sends nothing and writes nothing.
pub(crate) fn show_credentials(wanted: &GetCredential, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let named = stored_or_named(&wanted.environments, world, outlet)?;
    let known = CredentialsFile::of(world)?.known(&world.memory.credentials)?;
    let rule = rule(world, wanted.minimum_remaining, false);
    let config = readable_config(world);
    for environment in named {
        config.warn_of_skipped(&environment, world, outlet);
        for profile in &environment.profiles {
            let expiration = known.expiration(profile);
            let (state, reason) = match known.standing(profile, rule) {
                Standing::Missing if config.calls_us(&profile.name) => ("CredentialProcess", None),
                Standing::Good(_) => ("Valid", None),
                Standing::Missing => ("Missing", None),
                Standing::Due(why) => (if expiration.is_some_and(|end| end <= rule.now) { "Expired" } else { "Due" }, Some(why)),
            };
            outlet.send(Event::Credential(CredentialView {
                environment: environment.name.clone(),
                profile_name: profile.name.clone(),
                account_id: profile.account_id.clone(),
                role_name: profile.role_name.clone(),
                state: state.to_owned(),
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
    let rule = rule(&world, update.minimum_remaining, update.force);
    let config_read = ConfigFile::read(&world);
    let config = config_read.clone().unwrap_or_default();
    let mut parts: Vec<Part> = Vec::new();
    for target in &update.targets {
        let environment = environments.find(&target.environment, &world)?;
        if parts.iter().any(|part| part.environment.name == environment.name) {
            continue;
        }
        if environment.profiles.is_empty() {
            outlet.warn(format!("The environment {} has no profiles; add yours with Sync-SsoProfile -Environment {0}.", environment.name));
        }
        let names: Option<HashSet<&str>> = target.profiles.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let meant = environment.profiles.iter().filter(|profile| names.as_ref().is_none_or(|names| names.contains(profile.name.as_str())));
        // Keys in the file would be taken before those that the process gives, and would not be renewed by it.
        let (called, wanted): (Vec<_>, Vec<_>) = meant.partition(|profile| config.calls_us(&profile.name));
        for profile in called {
            outlet.verbose(format!("{} is left out: its credential_process in {} calls this module.", profile.name, config.path.display()));
            let mut warned = world.memory.warned_of_config.lock().unwrap_or_else(PoisonError::into_inner);
            if known.standing(profile, rule) != Standing::Missing && warned.insert(profile.name.clone()) {
                outlet.warn(format!(
                    "{} has keys for {}, which AWS tools take before its credential_process in {}; take that section out.",
                    file.path().display(),
                    profile.name,
                    config.path.display()
                ));
            }
        }
        let profiles = wanted.into_iter().map(|profile| (profile.clone(), known.standing(profile, rule))).collect();
        parts.push(Part { environment, profiles });
    }
    keep_with_config(&mut parts, &config_read, &update, &world, outlet)?;
    for (profile, standing) in parts.iter().filter(|_| outlet.is_verbose()).flat_map(|part| &part.profiles) {
        match standing {
            Standing::Good(until) => outlet.verbose(format!("{} is good until {}.", profile.name, rfc3339(*until))),
            Standing::Missing => outlet.verbose(format!("{} is due: it is not in {} yet.", profile.name, file.path().display())),
            Standing::Due(why) => outlet.verbose(format!("{} is due: {why}.", profile.name)),
        }
    }
    if parts.iter().any(|part| part.due().next().is_some()) {
        let run = UpdateRun { update, world, outlet: outlet.clone(), file, config };
        return Ok(Some(Box::pin(run.over_the_network(parts))));
    }
    if update.expose_token {
        expose(parts.iter().map(|part| &part.environment), &config, update.session.token_cache, &world, outlet);
    }
    report(parts.into_iter().map(|part| (part, Vec::new(), None)).collect(), update.report_profiles, &world, outlet);
    Ok(None)
}

/// Takes out the environments that need the config file where that cannot be read; the error ends the run where there is no other.
fn keep_with_config(parts: &mut Vec<Part>, config: &Result<Arc<ConfigFile>, Error>, update: &Update, world: &World, outlet: &Outlet) -> Result<(), Error> {
    let count = parts.len();
    let mut at_fault = None;
    parts.retain(|part| {
        // A run with nothing due does without a file that cannot be read.
        let is_idle = config.is_err() && !update.expose_token && part.due().next().is_none();
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
    async fn over_the_network(self, parts: Vec<Part>) {
        let alone = parts.len() == 1;
        let outcomes = match self.fetch_and_write(&parts).await {
            Ok(outcomes) => outcomes,
            Err(error) => return self.outlet.fail(&error, true),
        };
        if self.update.expose_token {
            expose(parts.iter().map(|part| &part.environment), &self.config, self.update.session.token_cache, &self.world, &self.outlet);
        }
        let mut reported = Vec::new();
        for (part, outcome) in parts.into_iter().zip(outcomes) {
            match outcome {
                // What fails an environment as a whole ends the run where there is no other.
                PartOutcome::NoSession(error) => self.outlet.fail(&error, alone),
                PartOutcome::Cancelled => reported.push((part, Vec::new(), None)),
                PartOutcome::Profiles(outcomes, ended) => reported.push((part, outcomes, ended)),
            }
        }
        report(reported, self.update.report_profiles, &self.world, &self.outlet);
    }

    async fn fetch_and_write(&self, parts: &[Part]) -> Result<Vec<PartOutcome>, Error> {
        self.file.check_writable()?;
        self.warn_of_other_meanings(parts);
        let timeout = self.given_timeout().unwrap_or(DEFAULT_TIMEOUT);
        let mut services = Vec::new();
        for part in parts {
            services.push(self.world.memory.services.of(&self.world, &part.environment.region)?);
        }
        let sources: Vec<SessionSource<'_>> = parts.iter().zip(&services).map(|(part, service)| self.source(&part.environment, service)).collect();
        let sessions = self.open_sessions(parts, &sources, timeout).await;
        let mut paces: Vec<&Arc<Pace>> = services.iter().map(|service| service.pace()).collect();
        paces.dedup_by(|one, other| Arc::ptr_eq(one, other));
        let refused_before: u64 = paces.iter().map(|pace| pace.seen().0).sum();
        let results = self.fetch_all(parts, &sources, &sessions).await;
        self.tell_pace(&paces, refused_before);
        for service in &services {
            self.world.memory.hear(&self.world, service, &self.outlet);
        }
        self.write(parts, &results, timeout).await?;
        Ok(sessions.into_iter().zip(results).map(|(session, results)| PartOutcome::of(session, results)).collect())
    }

    /// Warns once in this process of profiles for which AWS tools would not use the keys that are written, or not what was there before.
    fn warn_of_other_meanings(&self, parts: &[Part]) {
        let file = self.file.path().display();
        let mut warned = self.world.memory.warned_of_config.lock().unwrap_or_else(PoisonError::into_inner);
        let due = parts.iter().flat_map(|part| part.due().map(|profile| (&part.environment, profile)));
        let mut found: Vec<(OtherMeaning, Vec<&str>)> = Vec::new();
        for (environment, profile) in due {
            let Some(meaning) = self.config.other_meaning(environment, profile) else { continue };
            if warned.insert(profile.name.clone()) {
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
    async fn open_sessions(&self, parts: &[Part], sources: &[SessionSource<'_>], timeout: Duration) -> Vec<Opened> {
        let mut sessions = Vec::new();
        for (part, source) in parts.iter().zip(sources) {
            sessions.push(if part.due().next().is_none() {
                Opened::NotNeeded
            } else {
                match LiveSession::open(source, Bound::Together(timeout)).await {
                    Ok(session) => Opened::Session(session),
                    Err(no_login) => Opened::No(no_login),
                }
            });
        }
        // The waits for the other logins do not count.
        for session in &sessions {
            if let Opened::Session(session) = session {
                session.restart().await;
            }
        }
        sessions
    }

    /// Fetches what is due of all environments side by side, until it is done or cancelled; gives an outcome for each due profile.
    async fn fetch_all(&self, parts: &[Part], sources: &[SessionSource<'_>], sessions: &[Opened]) -> Vec<Vec<Outcome>> {
        let mut jobs = Vec::new();
        let mut results: Vec<Vec<Outcome>> = Vec::new();
        for (index, ((part, source), session)) in parts.iter().zip(sources).zip(sessions).enumerate() {
            results.push(part.due().map(|_| Outcome::Untouched).collect());
            let Opened::Session(session) = session else { continue };
            for (place, profile) in part.due().enumerate() {
                jobs.push(async move { (index, place, &profile.name, self.fetch(profile, source, session).await) });
            }
        }
        let (mut done, total) = (0, jobs.len() as u64);
        let progress = |done, name: Option<String>| {
            self.outlet.send(Event::Progress(Progress { activity: "Registering profiles".to_owned(), done, total, name }));
        };
        if total > 0 {
            progress(done, None);
        }
        let limit = at_once(self.update.throttle_limit);
        let mut answers = futures_util::stream::iter(jobs).buffer_unordered(limit);
        loop {
            let answer = tokio::select! {
                biased;
                answer = answers.next() => answer,
                () = self.outlet.cancel_token().cancelled() => None,
            };
            let Some((index, place, name, outcome)) = answer else { break };
            results[index][place] = outcome;
            done += 1;
            progress(done, Some(name.clone()));
        }
        drop(answers);
        results
    }

    /// Says that the service held the run up, and how much.
    fn tell_pace(&self, paces: &[&Arc<Pace>], refused_before: u64) {
        let refused = paces.iter().map(|pace| pace.seen().0).sum::<u64>() - refused_before;
        let slowest = paces.iter().filter_map(|pace| pace.seen().1).min_by(f64::total_cmp);
        if let Some(rate) = slowest.filter(|_| refused > 0) {
            self.outlet
                .verbose(format!("The service refused {refused} requests for the number of them, so they were sent more slowly, at about {rate:.1} a second."));
        }
    }

    fn given_timeout(&self) -> Option<Duration> {
        self.update.session.timeout.map(limit)
    }

    fn source<'a>(&'a self, environment: &'a Environment, service: &'a Arc<Service>) -> SessionSource<'a> {
        SessionSource::of(&self.world, &self.outlet, environment, service, &self.config, &self.update.session)
    }

    async fn fetch(&self, profile: &ProfileEntry, source: &SessionSource<'_>, session: &LiveSession) -> Outcome {
        let request = |access_token: Secret, deadline| async move {
            source.service.role_credentials(&access_token, &profile.account_id, &profile.role_name, deadline).await
        };
        match session.send(source, request).await {
            Ok((credentials, request_id)) => {
                let request_id = request_id.unwrap_or_else(|| "none".to_owned());
                self.outlet.verbose(format!("{} was fetched (request id {request_id}).", profile.name));
                Outcome::Fetched(credentials)
            }
            Err(Stop::Refused(refusal)) => Outcome::Failed(profile_error(&refusal, profile, source.service)),
            Err(Stop::Ended) => Outcome::NoService,
            Err(Stop::Cancelled) => Outcome::Untouched,
        }
    }

    async fn write(&self, parts: &[Part], results: &[Vec<Outcome>], timeout: Duration) -> Result<(), Error> {
        // In the order of the table, so that a new file reads as its owner would write it.
        let fetched: Vec<(&ProfileEntry, &RoleCredentials)> = parts
            .iter()
            .zip(results)
            .flat_map(|(part, results)| part.due().zip(results))
            .filter_map(|(profile, outcome)| match outcome {
                Outcome::Fetched(credentials) => Some((profile, credentials)),
                _ => None,
            })
            .collect();
        if fetched.is_empty() {
            return Ok(());
        }
        let patience = Patience::new(Some(timeout), self.outlet.cancel_token().clone());
        let written = self.file.write(&fetched, &patience).await?;
        if written.made_private {
            self.outlet.warn(format!("Others could read {}; now only you can.", self.file.path().display()));
        }
        if written.had_hard_links {
            self.outlet.warn(format!(
                "{} has another name (a hard link), which still leads to the old keys; use a symbolic link instead.",
                self.file.path().display()
            ));
        }
        self.outlet.verbose(format!("{} profiles were written to {} at once.", fetched.len(), self.file.path().display()));
        Ok(())
    }
}

/// What came of opening an environment's session.
enum Opened {
    /// Nothing of it is due.
    NotNeeded,
    Session(LiveSession),
    No(NoLogin),
}

/// What came of one environment.
enum PartOutcome {
    NoSession(Error),
    Cancelled,
    /// One for each due profile, in the order of the table, and why some had no session or service to turn to.
    Profiles(Vec<Outcome>, Option<Error>),
}

impl PartOutcome {
    fn of(session: Opened, results: Vec<Outcome>) -> Self {
        match session {
            Opened::NotNeeded => Self::Profiles(Vec::new(), None),
            Opened::No(NoLogin::Cancelled) => Self::Cancelled,
            Opened::No(NoLogin::Failed(error)) => Self::NoSession(error),
            Opened::Session(session) => match session.into_ended() {
                Some(error) if !results.iter().any(|result| matches!(result, Outcome::Fetched(_))) => Self::NoSession(error),
                ended => Self::Profiles(results, ended),
            },
        }
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
        if let Some(token) = exposed(world, environment, config, token_cache.unwrap_or(environment.token_cache)) {
            outlet.send(Event::Token(token));
        }
    }
}

/// Tells how everything stands; nothing is locked any more, and the file is whole.
fn report(parts: Vec<(Part, Vec<Outcome>, Option<Error>)>, each_profile: bool, world: &World, outlet: &Outlet) {
    let mut errors = Vec::new();
    let mut summaries = Vec::new();
    for (part, outcomes, ended) in parts {
        let environment = &part.environment.name;
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
        let mut outcomes = outcomes.into_iter();
        for (profile, standing) in &part.profiles {
            let outcome = if standing.is_due() { outcomes.next() } else { None };
            let (status, end) = match (standing, outcome) {
                (Standing::Good(until), _) => ("StillValid".to_owned(), Some(*until)),
                (Standing::Missing, Some(Outcome::Fetched(keys))) => ("Created".to_owned(), Some(keys.expiration)),
                (_, Some(Outcome::Fetched(keys))) => ("Refreshed".to_owned(), Some(keys.expiration)),
                (_, Some(Outcome::Failed(error))) => {
                    let status = format!("{:?}", error.code());
                    errors.push(error);
                    summary.failed += 1;
                    (status, None)
                }
                (_, Some(Outcome::NoService)) => {
                    summary.failed += 1;
                    (ended.as_ref().map_or_else(String::new, |error| format!("{:?}", error.code())), None)
                }
                (_, Some(Outcome::Untouched) | None) => continue,
            };
            if let Some(end) = end {
                summary.profile_names.push(profile.name.clone());
                let count = if status == "StillValid" { &mut summary.still_valid } else { &mut summary.refreshed };
                *count += 1;
                first_end = Some(first_end.map_or(end, |first| first.min(end)));
            }
            if each_profile {
                outlet.send(Event::Profile(Profile {
                    environment: environment.clone(),
                    profile_name: profile.name.clone(),
                    account_id: profile.account_id.clone(),
                    role_name: profile.role_name.clone(),
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
