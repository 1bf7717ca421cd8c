//! The credentials file under attack by whole runs: odd places, full disks, and many processes at once.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[path = "../common/counts.rs"]
mod counts;
mod places;
mod processes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use counts::cases;
use ini::Ini;
use sso_core::protocol::{AccountRow, Event, Operation, SessionTerms, SetEnvironment, Target, Update};
use sso_core::world::{Browser, Variables};
use sso_core::{Run, World};
use sso_stand_in::{Options, StandIn};

/// A run that takes longer hangs.
const LONG: Duration = Duration::from_secs(90);

/// A browser that opens nothing; the stand-in approves by itself.
struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &str, _variables: &Variables) -> bool {
        true
    }
}

/// What a run told.
#[derive(Debug, Default)]
struct Told {
    statuses: BTreeMap<String, usize>,
    codes: Vec<String>,
    texts: String,
}

/// A home folder whose credentials file may be anywhere.
struct Home {
    folder: tempfile::TempDir,
    service: StandIn,
    credentials: PathBuf,
}

fn world(home: &Path, url: &str, credentials: &Path) -> World {
    let variables = [
        ("HOME", home.display().to_string()),
        ("AWS_ENDPOINT_URL_SSO", url.to_owned()),
        ("AWS_ENDPOINT_URL_SSO_OIDC", url.to_owned()),
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.display().to_string()),
    ];
    let mut world = World::new(variables.map(|(name, value)| (name.to_owned(), value)).into(), home.to_path_buf());
    world.browser = Arc::new(NoBrowser);
    world
}

fn rows(first: u64, count: u64) -> Vec<AccountRow> {
    let row = |index: u64| AccountRow { profile: format!("Account{index}"), account_id: format!("{:012}", 100_000_000_000 + index), role_name: None };
    (first..first + count).map(row).collect()
}

fn environment(start_url: &str, accounts: Vec<AccountRow>) -> Operation {
    Operation::SetEnvironment(SetEnvironment {
        name: "Acme".to_owned(),
        start_url: Some(start_url.to_owned()),
        region: Some("us-west-2".to_owned()),
        default_role_name: Some("AWSAdministratorAccess".to_owned()),
        accounts: Some(accounts),
        ..SetEnvironment::default()
    })
}

/// An update that fetches all, or these profiles.
fn forced(profiles: Option<Vec<String>>, timeout: u64) -> Operation {
    Operation::Update(Update {
        targets: vec![Target { environment: "Acme".to_owned(), profiles }],
        force: true,
        replace_keys: false,
        minimum_remaining: 900,
        session: SessionTerms { timeout: Some(timeout), ..SessionTerms::default() },
        throttle_limit: 16,
        report_profiles: true,
        expose_token: false,
    })
}

fn told(run: &Run, mut watch: impl FnMut(&Event)) -> Told {
    let started = Instant::now();
    let mut told = Told::default();
    while let Some(event) = run.next() {
        watch(&event);
        match event {
            Event::Profile(profile) => *told.statuses.entry(profile.status.to_string()).or_default() += 1,
            Event::Failed(failed) => {
                told.codes.push(format!("{:?}", failed.code));
                told.texts.push_str(&failed.message);
            }
            Event::Note(note) => told.texts.push_str(&note.text),
            _ => {}
        }
    }
    assert!(started.elapsed() < LONG);
    told
}

impl Home {
    /// With three profiles, and the credentials file at this place in the home folder.
    fn with_credentials_at(place: &str) -> Self {
        let service = StandIn::start(Options { approve_after_polls: Some(0), accounts: 24, ..Options::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let home = Self { credentials: folder.path().join(place), folder, service };
        let set = told(&sso_core::run(environment(home.service.start_url(), rows(0, 3)), home.world()), |_| {});
        assert_eq!(set.codes, [""; 0], "{}", set.texts);
        home
    }

    fn at(&self, place: &str) -> PathBuf {
        self.folder.path().join(place)
    }

    fn world(&self) -> World {
        let mut world = world(self.folder.path(), self.service.url(), &self.credentials);
        world.memory = Arc::default();
        world
    }

    fn update(&self) -> Told {
        self.update_watched(20, |_| {})
    }

    fn update_watched(&self, timeout: u64, watch: impl FnMut(&Event)) -> Told {
        told(&sso_core::run(forced(None, timeout), self.world()), watch)
    }

    fn device_authorizations(&self) -> u64 {
        self.service.stats().device_authorizations
    }
}

/// The access key ids in a credentials file, by profile, as another reader finds them.
fn access_keys(path: &Path) -> BTreeMap<String, String> {
    let file = Ini::load_from_file(path).unwrap();
    file.iter().filter_map(|(section, keys)| Some((section?.to_owned(), keys.get("aws_access_key_id")?.to_owned()))).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
