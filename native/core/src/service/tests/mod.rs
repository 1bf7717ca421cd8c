//! Requests and their responses, without a network.
#![allow(clippy::unwrap_used)]

mod generated;
mod requests;
mod settings;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::time::Instant;

use crate::error::Error;
use crate::protocol::LoginMethod;
use crate::secret::Secret;
use crate::service::network::Network;
use crate::service::oidc::Registration;
use crate::service::settings::Settings;
use crate::world::{Variables, World, test_world};

fn world_with(variables: &[(&str, &str)]) -> World {
    let (_home, mut world) = test_world();
    world.variables = Variables::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    world
}

fn settings_of(region: &str, variables: &[(&str, &str)]) -> Result<Settings, Error> {
    Settings::of(&world_with(variables), region)
}

fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

fn registered_client() -> Registration {
    Registration { client_id: "c".into(), client_secret: Secret::new("clientsecret"), expires_at: None, method: LoginMethod::DeviceCode }
}

/// Records the addresses of requests and answers none of them.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn network(&self) -> Network {
        let seen = Arc::clone(&self.0);
        Network::of(move |request| {
            seen.lock().unwrap().push(request.uri().to_owned());
            Err(ConnectorError::user("nothing is sent".into()))
        })
    }
}
