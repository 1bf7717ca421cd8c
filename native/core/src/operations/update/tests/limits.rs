//! Whole updates against a service that never answers, in virtual time.

use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tokio::time::Instant;

use super::super::run;
use crate::context::Context;
use crate::environments::configured::ConfigFile;
use crate::environments::stored::Environments;
use crate::files::lock::Lock;
use crate::protocol::{Event, SessionTerms, Target, Update};
use crate::run::Run;
use crate::session::memory::Memory;
use crate::session::place::token_files;
use crate::session::token_cache::TokenFiles;
use crate::timestamp::rfc3339;
use crate::world::{Variables, World, test_world};

const LIMIT: Duration = Duration::from_secs(5);

/// How long the user's session still lasts, in seconds.
#[derive(Debug, Clone, Copy)]
struct SessionLeft(i64);

const FRESH: SessionLeft = SessionLeft(7200);
const TO_BE_REFRESHED: SessionLeft = SessionLeft(300);
const ENDED: SessionLeft = SessionLeft(-60);

/// A user with a session for each of these environments, and services at an address that never responds.
struct User {
    _home: tempfile::TempDir,
    _service: TcpListener,
    world: World,
    memory: Arc<Memory>,
    environments: &'static [&'static str],
}

impl User {
    fn with(environments: &'static [&'static str], left: SessionLeft) -> Self {
        let (home, mut world) = test_world();
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", service.local_addr().unwrap());
        let known = world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let endpoints = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"].map(|name| (name.to_owned(), url.clone()));
        world.variables = Variables::new(known.chain(endpoints).collect());
        std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
        let table = |name| {
            format!(
                "[environment {name}]\nsso_start_url = https://{name}.awsapps.com/start\nsso_region = us-west-2\n\
                [environment {name} profile {name}-1]\nsso_account_id = 100000000000\nsso_role_name = Admin\n"
            )
        };
        let text = environments.iter().map(table).collect::<Vec<_>>().concat();
        std::fs::write(home.path().join(".aws/sso-environments"), text).unwrap();
        let user = Self { _home: home, _service: service, world, memory: Arc::default(), environments };
        let time = |seconds| rfc3339(user.world.clock.now() + time::Duration::seconds(seconds));
        let token = format!(
            r#"{{"startUrl":"u","region":"us-west-2","accessToken":"token","expiresAt":"{}","clientId":"id","clientSecret":"secret","registrationExpiresAt":"{}","refreshToken":"refresh"}}"#,
            time(left.0),
            time(86400)
        );
        for files in user.token_files() {
            std::fs::write(files.own_path(), &token).unwrap();
        }
        user
    }

    fn token_files(&self) -> Vec<TokenFiles> {
        let environments = Environments::read(&self.world).unwrap();
        let files = environments.all.iter().map(|environment| token_files(&self.world, environment, &ConfigFile::default()));
        files.map(|files| files.unwrap().unwrap()).collect()
    }

    /// Runs an update without a login; returns the time that it took and the codes of its errors.
    async fn update(&self) -> (Duration, Vec<String>) {
        let session = SessionTerms { login: false, timeout: Some(LIMIT.as_secs()), ..SessionTerms::default() };
        let wanted = Update {
            is_named: false,
            targets: self.environments.iter().map(|name| Target { environment: (*name).to_owned(), profiles: None }).collect(),
            force: false,
            replace_keys: false,
            minimum_remaining: 900,
            session,
            throttle_limit: 16,
            report_profiles: false,
            expose_token: false,
        };
        let (sender, receiver) = mpsc::channel();
        let (world, memory) = (Arc::new(self.world.clone()), Arc::clone(&self.memory));
        let pulled = Run::new(
            Box::new(move |outlet| {
                let context = Context { world, memory, outlet: outlet.clone() };
                sender.send(run(wanted, &context)).unwrap();
                None
            }),
            false,
            Arc::default(),
        );
        let mut events: Vec<Event> = std::iter::from_fn(|| pulled.next()).collect();
        let started = Instant::now();
        receiver.recv().unwrap().unwrap().unwrap().await;
        let took = started.elapsed();
        events.extend(std::iter::from_fn(|| pulled.next()));
        let codes = events.iter().filter_map(|event| if let Event::Failed(failed) = event { Some(format!("{:?}", failed.code)) } else { None });
        (took, codes.collect())
    }
}

async fn assert_ends_in_time(user: &User, code: &str) {
    let (took, codes) = user.update().await;
    assert!(took <= LIMIT, "{took:?} {codes:?}");
    assert!(!codes.is_empty() && codes.iter().all(|seen| seen == code), "{codes:?}");
}

#[tokio::test(start_paused = true)]
async fn keys_that_never_come_end_the_run_at_its_limit() {
    assert_ends_in_time(&User::with(&["Acme"], FRESH), "NetworkError").await;
}

#[tokio::test(start_paused = true)]
async fn any_number_of_refreshes_without_a_response_ends_the_run_at_its_limit() {
    assert_ends_in_time(&User::with(&["Acme"], ENDED), "NetworkError").await;
    assert_ends_in_time(&User::with(&["Acme", "Beta", "Gamma"], ENDED), "NetworkError").await;
}

#[tokio::test(start_paused = true)]
async fn an_optional_refresh_leaves_time_for_the_keys() {
    let user = User::with(&["Acme"], TO_BE_REFRESHED);
    assert_ends_in_time(&user, "NetworkError").await;
}

#[tokio::test(start_paused = true)]
async fn a_session_lock_held_by_another_process_ends_the_run_at_its_limit() {
    let user = User::with(&["Acme", "Beta"], ENDED);
    let locks: Vec<Lock> = user.token_files().iter().map(|files| Lock::try_take(&files.lock_path()).unwrap().unwrap()).collect();
    assert_ends_in_time(&user, "FileLocked").await;
    drop(locks);
}

#[tokio::test(start_paused = true)]
async fn two_runs_in_one_process_that_wait_for_each_other_both_end_at_their_limit() {
    let user = User::with(&["Acme"], ENDED);
    let both = tokio::join!(user.update(), user.update());
    assert!(both.0.0 <= LIMIT && both.1.0 <= LIMIT, "{both:?}");
    assert!(!both.0.1.is_empty() && !both.1.1.is_empty(), "{both:?}");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_leads_nowhere_ends_the_run_at_its_limit() {
    let mut user = User::with(&["Acme"], FRESH);
    let known = user.world.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    // An address reserved for documentation (RFC 5737), from which no response ever comes.
    let nowhere = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"].map(|name| (name.to_owned(), "https://192.0.2.1".to_owned()));
    user.world.variables = Variables::new(known.chain(nowhere).collect());
    assert_ends_in_time(&user, "NetworkError").await;
}
