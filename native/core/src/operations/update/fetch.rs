//! The part of an update that needs the network: sessions, and the keys of all due profiles in parallel.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::time::Instant;

use crate::context::Context;
use crate::environments::assigned::{forget_roles, was_assigned};
use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::{Code, Error};
use crate::files::credentials_file::CredentialsFile;
use crate::files::known_keys::Standing;
use crate::login::attempt::NoLogin;
use crate::names::profile::ProfileEntry;
use crate::operations::throttle::at_once;
use crate::operations::update::due::Due;
use crate::operations::update::fetch_turn::FetchTurn;
use crate::operations::update::rows::{End, Outcome, Part, Row, places_of};
use crate::patience::Patience;
use crate::protocol::{Event, Progress, Update};
use crate::secret::Secret;
use crate::service::client::Service;
use crate::service::pace::Pace;
use crate::service::profile_error::profile_error;
use crate::session::live::{LiveSession, Stop};
use crate::session::source::SessionSource;
use crate::session::time_limit::TimeLimit;

/// How long to wait before a listed role that is refused is requested again; users of granted report that a new assignment takes seconds.
const ASSIGNMENT_PAUSE: Duration = Duration::from_secs(2);

/// An update in progress.
pub(super) struct UpdateRun {
    pub(super) update: Update,
    pub(super) due: Due,
    pub(super) context: Context,
    pub(super) file: CredentialsFile,
    pub(super) config: Arc<ConfigFile>,
}

impl UpdateRun {
    /// Fetches the due profiles and writes their keys; the outcome for each profile is in its row.
    pub(super) async fn fetch_and_write(&self, parts: &mut [Part]) -> Result<(), Error> {
        if self.file.check_writable()?.anybody_can_replace {
            self.warn_of_open_folder();
        }
        self.warn_of_other_meanings(parts);
        self.warn_of_names(parts);
        self.warn_of_other_settings(parts);
        let time = TimeLimit::of(&self.update.session);
        let environments: Vec<Arc<Environment>> = parts.iter().map(|part| Arc::clone(&part.environment)).collect();
        let mut services = Vec::new();
        for environment in &environments {
            services.push(self.context.service(&environment.region)?);
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
            self.context.hear(service);
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

    /// Opens the sessions that are needed, one after another, because nobody can approve two logins at once.
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

    /// Waits until no other process fetches for these environments, because what it fetches need not be fetched again.
    async fn wait_for_turn(&self, parts: &[Part], time: TimeLimit) -> FetchTurn {
        let due = parts.iter().filter(|part| part.is_due() && matches!(part.end, End::Open));
        let names: Vec<&str> = due.map(|part| part.environment.name.as_str()).collect();
        let patience = Patience::new(Some(time.for_turn()), self.context.outlet.cancel_token().clone());
        FetchTurn::wait(&names, &self.file, &patience, &self.context.outlet).await
    }

    /// Skips what another process has fetched since this run began.
    fn look_again(&self, parts: &mut [Part]) -> Result<(), Error> {
        let known = self.file.known()?;
        let rule = self.due.rule(&self.update, self.context.now());
        for row in parts.iter_mut().flat_map(|part| &mut part.rows).filter(|row| row.standing.is_due()) {
            if known.version(&row.profile.name) == row.before {
                continue;
            }
            match known.standing(&row.profile, rule) {
                now @ (Standing::Good(_) | Standing::Blocked(_)) => {
                    self.context.outlet.verbose(format!("Another process changed {} in the meantime.", row.profile.name));
                    row.standing = now;
                }
                Standing::Missing | Standing::Due(_) => {}
            }
        }
        Ok(())
    }

    /// Fetches all due profiles of all environments in parallel, until done or canceled.
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
        self.context.outlet.send(Event::Progress(Progress { activity: "Fetching credentials".to_owned(), done, total, name }));
    }

    /// Fetches the profiles at these places, and calls `answered` for each that is done.
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
                    () = self.context.outlet.cancel_token().cancelled() => None,
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

    /// Requests, once more after a pause, the listed roles that were refused.
    async fn try_new_assignments_again(&self, parts: &mut [Part], sources: &[SessionSource<'_>], sessions: &[Option<LiveSession>]) {
        let is_refused = |row: &Row| matches!(&row.outcome, Some(Outcome::Failed(error)) if error.code() == Code::RoleNotAssigned);
        // A new assignment reaches the portal a few moments after it is listed.
        let is_listed = |(index, place): &(usize, usize)| was_assigned(&parts[*index].environment, &parts[*index].rows[*place].profile, &self.context.world);
        let places: Vec<(usize, usize)> = places_of(parts, is_refused).into_iter().filter(is_listed).collect();
        let has_time = |time: &TimeLimit| time.for_session().is_none_or(|left| left > ASSIGNMENT_PAUSE * 2);
        if places.is_empty() || !sources.iter().all(|source| has_time(&source.time)) {
            return;
        }
        self.context.outlet.verbose(format!("{} newly assigned roles were denied. Trying again in {} s.", places.len(), ASSIGNMENT_PAUSE.as_secs()));
        tokio::select! {
            () = tokio::time::sleep(ASSIGNMENT_PAUSE) => {}
            () = self.context.outlet.cancel_token().cancelled() => return,
        }
        self.fetch_places(places.clone(), parts, sources, sessions, |_| {}).await;
        // A role that is still refused is no longer assigned, and must not delay the next run.
        for (index, part) in parts.iter().enumerate() {
            let tried = places.iter().filter(|(other, _)| *other == index).map(|(_, place)| &part.rows[*place]);
            let gone: Vec<&ProfileEntry> = tried.filter(|row| is_refused(row)).map(|row| &row.profile).collect();
            if !gone.is_empty() {
                forget_roles(&part.environment, &gone, &self.context.world, &self.context.outlet).await;
            }
        }
    }

    /// Reports that the service throttled the run, and by how much.
    fn report_pace(&self, paces: &[&Arc<Pace>], refused_before: u64) {
        let refused = paces.iter().map(|pace| pace.seen().0).sum::<u64>() - refused_before;
        let slowest = paces.iter().filter_map(|pace| pace.seen().1).min_by(f64::total_cmp);
        if let Some(rate) = slowest.filter(|_| refused > 0) {
            let requests = if refused == 1 { "1 request".to_owned() } else { format!("{refused} requests") };
            self.context.outlet.verbose(format!("The service throttled {requests}, so the next ones were sent more slowly, at about {rate:.1} per second."));
        }
    }

    fn source<'a>(&'a self, environment: &'a Environment, service: &'a Arc<Service>) -> SessionSource<'a> {
        SessionSource::of(&self.context, environment, service, &self.config, &self.update.session)
    }

    /// Fetches the keys of a profile; returns `None` if the run was canceled.
    async fn fetch(&self, profile: &ProfileEntry, source: &SessionSource<'_>, session: &LiveSession) -> Option<Outcome> {
        let request = |access_token: Secret, deadline| async move {
            source.service.role_credentials(&access_token, &profile.account_id, &profile.role_name, deadline).await
        };
        match session.send(source, request).await {
            Ok((keys, request_id)) => {
                let id = request_id.map(|id| format!(" (request id {id})")).unwrap_or_default();
                self.context.outlet.verbose(format!("{} was fetched{id}.", profile.name));
                Some(Outcome::Fetched { keys, at: Instant::now() })
            }
            Err(Stop::Refused(refusal)) => Some(Outcome::Failed(profile_error(&refusal, profile, source.service))),
            Err(Stop::Ended) => Some(Outcome::NoService),
            Err(Stop::Cancelled) => None,
        }
    }
}

/// Restarts the time limits of the sessions, because waits for logins and for other processes do not count.
async fn restart(sessions: &[Option<LiveSession>]) {
    for session in sessions.iter().flatten() {
        session.restart().await;
    }
}
