//! Whole runs over networks that fail, through proxies and inspected TLS, and beside files of others in the token cache.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs)]

mod cache;
mod certificates;
mod faults;
#[cfg(unix)]
mod proxy;
mod relay;
mod tls;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use sso_core::protocol::{AccountRow, Event, Failed, Operation, Profile, SetEnvironment, Target, Update};
use sso_core::world::{Browser, Variables};
use sso_core::{Memory, World};
use sso_stand_in::{Options, StandIn};

/// A user's home folder, and the Identity Center of their company.
pub(crate) struct Company {
    pub(crate) service: StandIn,
    pub(crate) home: tempfile::TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) browser: Arc<SeenBrowser>,
}

/// A browser that only remembers where it was sent.
#[derive(Default)]
pub(crate) struct SeenBrowser(Mutex<Vec<String>>);

impl SeenBrowser {
    pub(crate) fn opened(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Browser for SeenBrowser {
    fn open(&self, url: &str, _variables: &Variables) -> bool {
        self.0.lock().unwrap().push(url.to_owned());
        true
    }
}

/// Options under which a login is approved at the first poll.
pub(crate) fn approving() -> Options {
    Options { approve_after_polls: Some(0), ..Options::default() }
}

pub(crate) fn update() -> Update {
    Update {
        targets: vec![Target { environment: "Acme".to_owned(), profiles: None }],
        force: false,
        minimum_remaining: 900,
        browser: true,
        login: true,
        timeout: None,
        throttle_limit: 16,
        token_cache: None,
    }
}

impl Company {
    /// A company called Acme with `count` profiles.
    pub(crate) fn with(options: Options, count: u64) -> Self {
        let service = StandIn::start(options).unwrap();
        let home = tempfile::tempdir().unwrap();
        let home_variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        let variables = [(home_variable.to_owned(), home.path().display().to_string())].into();
        let mut company = Self { service, home, variables, memory: Arc::default(), browser: Arc::default() };
        let url = company.service.url().to_owned();
        company.turn_to(&url);
        let row = |index: u64| AccountRow { profile: format!("Account{}", index + 1), account_id: format!("{:012}", 100_000_000_000 + index), role_name: None };
        let outcome = company.run(Operation::SetEnvironment(SetEnvironment {
            name: "Acme".to_owned(),
            start_url: Some(company.service.start_url().to_owned()),
            region: Some("us-west-2".to_owned()),
            default_role_name: Some("AWSAdministratorAccess".to_owned()),
            accounts: Some((0..count).map(row).collect()),
            ..SetEnvironment::default()
        }));
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        company
    }

    pub(crate) fn variable(&mut self, name: &str, value: impl Into<String>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    /// Both services are at this address from now on.
    pub(crate) fn turn_to(&mut self, url: &str) {
        self.variable("AWS_ENDPOINT_URL_SSO", url);
        self.variable("AWS_ENDPOINT_URL_SSO_OIDC", url);
    }

    pub(crate) fn run(&self, operation: Operation) -> Seen {
        let mut world = World::new(self.variables.clone(), self.home.path().to_path_buf());
        world.memory = Arc::clone(&self.memory);
        world.browser = Arc::clone(&self.browser) as Arc<dyn Browser>;
        Seen::all(operation, world)
    }

    pub(crate) fn update(&self) -> Seen {
        self.run(Operation::Update(update()))
    }

    pub(crate) fn update_within(&self, seconds: u64) -> Seen {
        self.run(Operation::Update(Update { timeout: Some(seconds), ..update() }))
    }

    pub(crate) fn forced(&self) -> Seen {
        self.run(Operation::Update(Update { force: true, ..update() }))
    }

    /// What a new process would be: nothing in memory.
    pub(crate) fn forget(&mut self) {
        self.memory = Arc::default();
    }

    pub(crate) fn aws(&self, name: &str) -> PathBuf {
        self.home.path().join(".aws").join(name)
    }

    pub(crate) fn requests(&self, operation: &str) -> u64 {
        self.service.stats().requests.get(operation).copied().unwrap_or_default()
    }
}

/// What a run told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) verifications: usize,
    pub(crate) notes: Vec<String>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) failed: Vec<Failed>,
    /// Everything as the text that crosses the boundary.
    pub(crate) text: String,
}

impl Seen {
    fn all(operation: Operation, world: World) -> Self {
        let run = sso_core::run(operation, world);
        let mut seen = Self::default();
        while let Some(event) = run.next() {
            seen.text.push_str(&String::from_utf8(sso_core::protocol::event_to_json(&event)).unwrap());
            match event {
                Event::Verification(_) => seen.verifications += 1,
                Event::Note(note) => seen.notes.push(note.text),
                Event::Profile(profile) => seen.profiles.push(profile),
                Event::Failed(failed) => seen.failed.push(failed),
                _ => {}
            }
        }
        seen
    }

    pub(crate) fn statuses(&self) -> BTreeMap<&str, usize> {
        self.profiles.iter().fold(BTreeMap::new(), |mut counts, profile| {
            *counts.entry(profile.status.as_str()).or_default() += 1;
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

/// The text holds all of these words.
#[track_caller]
pub(crate) fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing: {text}");
    }
}

/// An address of this machine where nobody listens.
pub(crate) fn deserted_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
