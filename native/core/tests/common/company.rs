//! A user's home folder and the Identity Center of their company, for tests of whole runs; each test binary uses its part of it.
#![allow(dead_code, reason = "no test binary needs all of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha1::{Digest as _, Sha1};
use sso_core::protocol::{AccountRow, Completed, Event, Failed, Operation, Profile, SessionTerms, SetEnvironment, Target, Update, Verification};
use sso_core::world::{Browser, Clock, Opening, Variables};
use sso_core::{Memory, Run, World};
use sso_stand_in::{Options, StandIn};
use time::OffsetDateTime;

/// A user's home folder, and the Identity Center of their company. The user has a session unless a test is about the login: each login waits for a
/// second before it polls.
pub(crate) struct Company {
    pub(crate) service: StandIn,
    pub(crate) home: tempfile::TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) clock: Arc<MovableClock>,
    pub(crate) browser: Arc<SeenBrowser>,
}

/// The machine's clock, moved by some seconds.
#[derive(Default)]
pub(crate) struct MovableClock(AtomicI64);

impl MovableClock {
    pub(crate) fn move_by(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc() + time::Duration::seconds(self.0.load(Ordering::Relaxed))
    }
}

/// A browser that only remembers where it was sent.
#[derive(Default)]
pub(crate) struct SeenBrowser {
    pub(crate) urls: Mutex<Vec<String>>,
}

impl SeenBrowser {
    pub(crate) fn opened(&self) -> usize {
        self.urls.lock().unwrap().len()
    }
}

impl Browser for SeenBrowser {
    fn open(&self, url: &str, _variables: &Variables) -> Opening {
        self.urls.lock().unwrap().push(url.to_owned());
        Opening { is_shown: true, failed: None }
    }
}

/// Options under which a login is approved at the first poll.
pub(crate) fn approving() -> Options {
    Options { approve_after_polls: Some(0), ..Options::default() }
}

/// The first `count` accounts of the stand-in, as rows of a table.
pub(crate) fn rows(count: u64) -> Vec<AccountRow> {
    let row = |index: u64| AccountRow {
        profile: format!("Account{}", index + 1),
        account_id: format!("{:012}", 100_000_000_000 + index),
        role_name: None,
        ..AccountRow::default()
    };
    (0..count).map(row).collect()
}

/// The usual terms, with a bound in seconds.
pub(crate) fn within(seconds: u64) -> SessionTerms {
    SessionTerms { timeout: Some(seconds), ..SessionTerms::default() }
}

pub(crate) fn update_of(environment: &str) -> Update {
    Update {
        is_named: false,
        targets: vec![Target { environment: environment.to_owned(), profiles: None }],
        force: false,
        replace_keys: false,
        minimum_remaining: 900,
        session: SessionTerms::default(),
        throttle_limit: 16,
        report_profiles: true,
        expose_token: false,
    }
}

/// The variables of a user with this home folder, whose services are both at this address.
pub(crate) fn variables_of(home: &Path, url: &str) -> BTreeMap<String, String> {
    let home_variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    [(home_variable, home.display().to_string()), ("AWS_ENDPOINT_URL_SSO", url.to_owned()), ("AWS_ENDPOINT_URL_SSO_OIDC", url.to_owned())]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn sha1_hex(text: &str) -> String {
    Sha1::digest(text).iter().flat_map(|byte| [byte >> 4, byte & 0xf]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

impl Company {
    /// A company called Acme with `count` profiles, whose user logged in before the test began.
    pub(crate) fn with(options: Options, count: u64) -> Self {
        let company = Self::without_session(options, count);
        company.seed_session(None);
        company
    }

    /// The same where nobody has logged in.
    pub(crate) fn without_session(options: Options, count: u64) -> Self {
        let service = StandIn::start(options).unwrap();
        let home = tempfile::tempdir().unwrap();
        let variables = variables_of(home.path(), service.url());
        let company = Self { service, home, variables, memory: Arc::default(), clock: Arc::default(), browser: Arc::default() };
        let outcome = company.set("Acme", rows(count));
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        company
    }

    /// Writes what a login of the AWS CLI leaves in its cache: the token and the client's registration, of an `[sso-session]` or of the start URL.
    pub(crate) fn seed_session(&self, sso_session: Option<&str>) {
        let start_url = self.service.start_url();
        let session = serde_json::to_value(self.service.grant_session()).unwrap();
        let mut token = json!({ "startUrl": start_url, "region": "us-west-2" });
        token.as_object_mut().unwrap().extend(session.as_object().unwrap().clone());
        let registration = json!({
            "clientId": session["clientId"],
            "clientSecret": session["clientSecret"],
            "expiresAt": session["registrationExpiresAt"],
            "scopes": ["sso:account:access"],
        });
        let session_name = sso_session.map_or("null".to_owned(), |name| format!("\"{name}\""));
        let registration_key = format!(
            r#"{{"region": "us-west-2", "scopes": ["sso:account:access"], "session_name": {session_name}, "startUrl": "{start_url}", "tool": "botocore"}}"#
        );
        let cache = self.aws("sso/cache");
        std::fs::create_dir_all(&cache).unwrap();
        for (key, object) in [(sso_session.unwrap_or(start_url), token), (&registration_key, registration)] {
            // The AWS CLI's cache has a blank after each colon and comma.
            let members: Vec<String> = object.as_object().unwrap().iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            std::fs::write(cache.join(sha1_hex(key) + ".json"), format!("{{{}}}", members.join(", "))).unwrap();
        }
    }

    /// The access token of the seeded session, as long as nothing has refreshed it.
    pub(crate) fn seeded_token(&self) -> String {
        let text = std::fs::read(self.aws("sso/cache").join(sha1_hex(self.service.start_url()) + ".json")).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["accessToken"].as_str().unwrap().to_owned()
    }

    pub(crate) fn variable(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Both services are at this address from now on.
    pub(crate) fn turn_to(&mut self, url: &str) {
        self.variable("AWS_ENDPOINT_URL_SSO", url);
        self.variable("AWS_ENDPOINT_URL_SSO_OIDC", url);
    }

    pub(crate) fn set(&self, name: &str, accounts: Vec<AccountRow>) -> Seen {
        self.run(Operation::SetEnvironment(SetEnvironment {
            name: name.to_owned(),
            start_url: Some(self.service.start_url().to_owned()),
            region: Some("us-west-2".to_owned()),
            default_role_name: Some("AWSAdministratorAccess".to_owned()),
            accounts: Some(accounts),
            ..SetEnvironment::default()
        }))
    }

    pub(crate) fn world(&self) -> World {
        let browser = Arc::clone(&self.browser) as Arc<dyn Browser>;
        let mut world = World::new(self.variables.clone(), self.home.path().to_path_buf(), browser);
        world.clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        world
    }

    pub(crate) fn start(&self, operation: Operation) -> Run {
        self.start_in(self.world(), operation)
    }

    /// Starts an operation in another world, with what this process remembers.
    pub(crate) fn start_in(&self, world: World, operation: Operation) -> Run {
        sso_core::run_with(operation, world, Arc::clone(&self.memory))
    }

    /// Runs an operation in another world, with what this process remembers.
    pub(crate) fn run_in(&self, world: World, operation: Operation) -> Seen {
        Seen::all(&self.start_in(world, operation))
    }

    pub(crate) fn run(&self, operation: Operation) -> Seen {
        Seen::all(&self.start(operation))
    }

    /// Runs an operation for at most two seconds, and again for at most a minute where that was too short for this machine.
    pub(crate) fn run_long_enough(&self, operation: impl Fn(SessionTerms) -> Operation, was_enough: impl Fn(&Seen) -> bool) -> Seen {
        let seen = self.run(operation(within(2)));
        if was_enough(&seen) { seen } else { self.run(operation(within(60))) }
    }

    /// Every event of a run.
    pub(crate) fn events(&self, operation: Operation) -> Vec<Event> {
        let run = self.start(operation);
        std::iter::from_fn(|| run.next()).collect()
    }

    pub(crate) fn update(&self) -> Seen {
        self.run(Operation::Update(update_of("Acme")))
    }

    pub(crate) fn update_within(&self, seconds: u64) -> Seen {
        self.run(Operation::Update(Update { session: within(seconds), ..update_of("Acme") }))
    }

    pub(crate) fn forced(&self) -> Seen {
        self.run(Operation::Update(Update { force: true, ..update_of("Acme") }))
    }

    pub(crate) fn requests(&self, operation: &str) -> u64 {
        self.service.stats().requests.get(operation).copied().unwrap_or_default()
    }

    /// What a new process would be: nothing in memory.
    pub(crate) fn forget(&mut self) {
        self.memory = Arc::default();
    }

    pub(crate) fn aws(&self, name: &str) -> PathBuf {
        // With the separators of the system, as in the module's messages.
        [".aws"].into_iter().chain(name.split('/')).fold(self.home.path().to_owned(), |path, part| path.join(part))
    }

    pub(crate) fn credentials(&self) -> String {
        std::fs::read_to_string(self.aws("credentials")).unwrap_or_default()
    }

    /// The service saw nothing that breaks the protocol.
    pub(crate) fn assert_polite(&self) {
        let stats = self.service.stats();
        assert_eq!((stats.violations, stats.early_polls), (Vec::new(), 0));
    }
}

/// The events of a run, by kind.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) verifications: Vec<Verification>,
    pub(crate) notes: Vec<String>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) failed: Vec<Failed>,
    pub(crate) completed: Vec<Completed>,
    pub(crate) progress: Vec<(u64, u64)>,
    pub(crate) planned: Vec<(String, bool)>,
    /// Everything as the text that crosses the boundary.
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn all(run: &Run) -> Self {
        Self::watching(run, |_| {})
    }

    /// Pulls all events, showing each to `watch` as it comes.
    pub(crate) fn watching(run: &Run, mut watch: impl FnMut(&Event)) -> Self {
        let mut seen = Self::default();
        while let Some(event) = run.next() {
            watch(&event);
            seen.text.push_str(&String::from_utf8(sso_core::protocol::event_to_json(&event)).unwrap());
            match event {
                Event::Verification(verification) => seen.verifications.push(verification),
                Event::Note(note) => seen.notes.push(note.text),
                Event::Profile(profile) => seen.profiles.push(profile),
                Event::Failed(failed) => seen.failed.push(failed),
                Event::Completed(completed) => seen.completed.push(completed),
                Event::Progress(progress) => seen.progress.push((progress.done, progress.total)),
                Event::Planned(planned) => seen.planned.extend(planned.profiles.into_iter().map(|profile| (profile.profile_name, profile.due))),
                _ => {}
            }
        }
        seen
    }

    pub(crate) fn statuses(&self) -> BTreeMap<&str, usize> {
        self.profiles.iter().fold(BTreeMap::new(), |mut counts, profile| {
            // Leaked, so that a test can compare with plain text.
            *counts.entry(&*profile.status.to_string().leak()).or_default() += 1;
            counts
        })
    }

    pub(crate) fn codes(&self) -> Vec<String> {
        self.failed.iter().map(|failed| format!("{:?}", failed.code)).collect()
    }

    /// The one error of this code, with what it advises.
    #[track_caller]
    pub(crate) fn only_error(&self, code: &str) -> String {
        assert_eq!(self.codes(), [code], "{:?}", self.failed);
        format!("{} {}", self.failed[0].message, self.failed[0].action.as_deref().unwrap_or_default())
    }

    #[track_caller]
    pub(crate) fn assert_created(&self, count: usize) {
        assert!(self.failed.is_empty(), "{:?}", self.failed);
        assert_eq!(self.statuses(), [("Created", count)].into());
    }
}
