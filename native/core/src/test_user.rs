//! A user for tests: a home folder, a service that a test scripts, a clock in virtual time, and the events that the user gets.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::context::Context;
use crate::environments::environment::Environment;
use crate::environments::stored::Environments;
use crate::outlet::{Channel, Outlet};
use crate::protocol::{Event, Level};
use crate::service::client::Service;
use crate::service::scripted::{START, ScriptedService};
use crate::session::memory::Memory;
use crate::sha1_hex::sha1_hex;
use crate::timestamp::rfc3339;
use crate::world::{Clock, World, test_world};

/// The start URL of the user's environment.
pub(crate) const START_URL: &str = "https://acme.awsapps.com/start";

const REGION: &str = "us-west-2";

/// An environment with two profiles.
const ACME: &str = "[environment Acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\ndefault_role_name = Admin\n\
    [environment Acme profile Prod]\nsso_account_id = 100000000000\n\
    [environment Acme profile Dev]\nsso_account_id = 100000000001\n";

/// A clock that runs with the virtual time of the test.
struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(START).unwrap() + self.0.elapsed()
    }
}

/// A token as its file has it; times are in seconds from now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredToken {
    pub(crate) access_token: &'static str,
    pub(crate) left: i64,
    pub(crate) refresh_token: Option<&'static str>,
    pub(crate) client_left: i64,
}

impl StoredToken {
    /// A token that can be refreshed, with so many seconds left.
    pub(crate) fn with(left: i64) -> Self {
        Self { access_token: "stored-token", left, refresh_token: Some("stored-refresh-token"), client_left: 86400 }
    }
}

/// A user with the environment Acme, whose services are a script.
pub(crate) struct TestUser {
    home: Arc<tempfile::TempDir>,
    pub(crate) service: ScriptedService,
    pub(crate) context: Context,
}

impl TestUser {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A user with this difference in their world.
    pub(crate) fn with(change: impl FnOnce(&mut World)) -> Self {
        let (home, mut world) = test_world();
        world.clock = Arc::new(VirtualClock(Instant::now()));
        change(&mut world);
        std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
        let user = Self::of(Arc::new(home), ScriptedService::default(), Arc::new(world));
        user.store(ACME);
        user
    }

    fn of(home: Arc<tempfile::TempDir>, service: ScriptedService, world: Arc<World>) -> Self {
        let memory = Arc::new(Memory::default());
        memory.services.put_on(service.network(), &world, REGION);
        let channel = Channel::new(Box::new(|_| None), true, Arc::clone(&memory.warned));
        Self { home, service, context: Context { world, memory, outlet: Outlet(Arc::new(channel)) } }
    }

    /// The same user in another process: the files, the service and the clock are the same, and nothing else is.
    pub(crate) fn in_another_process(&self) -> Self {
        Self::of(Arc::clone(&self.home), self.service.clone(), Arc::clone(&self.context.world))
    }

    /// The same process in another run, with its own events.
    pub(crate) fn in_another_run(&self) -> Self {
        let memory = Arc::clone(&self.context.memory);
        let channel = Channel::new(Box::new(|_| None), true, Arc::clone(&memory.warned));
        let context = Context { world: Arc::clone(&self.context.world), memory, outlet: Outlet(Arc::new(channel)) };
        Self { home: Arc::clone(&self.home), service: self.service.clone(), context }
    }

    /// A file below `.aws`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(".aws").join(name)
    }

    /// Stores these environments in place of those before.
    pub(crate) fn store(&self, environments: &str) {
        std::fs::write(self.path("sso-environments"), environments).unwrap();
    }

    /// Writes the credentials file, for the user alone.
    pub(crate) fn write_credentials(&self, text: &str) {
        std::fs::write(self.path("credentials"), text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(self.path("credentials"), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        #[cfg(windows)]
        {
            use std::os::windows::fs::OpenOptionsExt as _;
            let file = std::fs::OpenOptions::new().access_mode(sso_windows::WRITE_DAC).open(self.path("credentials")).unwrap();
            sso_windows::make_private(&file).unwrap();
        }
    }

    pub(crate) fn credentials(&self) -> String {
        std::fs::read_to_string(self.path("credentials")).unwrap_or_default()
    }

    /// The environment of this name as it is stored.
    pub(crate) fn environment(&self, name: &str) -> Arc<Environment> {
        Environments::read(&self.context.world).unwrap().find(name, &self.context.world).unwrap()
    }

    pub(crate) fn services(&self) -> Arc<Service> {
        self.context.service(REGION).unwrap()
    }

    /// The time so many seconds from now, as the files have it.
    pub(crate) fn time(&self, seconds: i64) -> String {
        rfc3339(self.context.world.clock.now() + time::Duration::seconds(seconds))
    }

    /// The file that the AWS CLI keeps the token of a start URL in.
    pub(crate) fn token_path(&self, start_url: &str) -> PathBuf {
        self.path("sso").join("cache").join(format!("{}.json", sha1_hex(start_url.as_bytes())))
    }

    /// Puts a token where the AWS CLI would for this start URL.
    pub(crate) fn keep(&self, start_url: &str, token: StoredToken) {
        let mut object = json!({
            "startUrl": start_url,
            "region": REGION,
            "accessToken": token.access_token,
            "expiresAt": self.time(token.left),
            "clientId": "stored-client",
            "clientSecret": "stored-client-secret",
            "registrationExpiresAt": self.time(token.client_left),
        });
        if let Some(refresh_token) = token.refresh_token {
            object["refreshToken"] = json!(refresh_token);
        }
        std::fs::write(self.token_path(start_url), object.to_string()).unwrap();
    }

    /// What is in the token's file of a start URL.
    pub(crate) fn kept(&self, start_url: &str) -> Option<Value> {
        Some(serde_json::from_slice(&std::fs::read(self.token_path(start_url)).ok()?).unwrap())
    }

    /// The events since the last call.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.context.outlet.0.queue().events.drain(..).collect()
    }

    /// The warnings since the last look at the events.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |event| if let Event::Note(note) = event { Some(note).filter(|note| note.level == Level::Warning) } else { None };
        self.events().into_iter().filter_map(warning).map(|note| note.text).collect()
    }
}
