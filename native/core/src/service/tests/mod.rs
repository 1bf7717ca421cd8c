//! Requests and their responses, without a network.
#![allow(clippy::unwrap_used)]

mod generated;
mod requests;
mod settings;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use tokio::time::Instant;

use crate::error::Error;
use crate::protocol::LoginMethod;
use crate::secret::Secret;
use crate::service::client::Service;
use crate::service::oidc::Registration;
use crate::service::settings::Settings;
use crate::world::{Variables, World, test_world};

type Answer = Result<HttpResponse, ConnectorError>;

/// A network in which a function answers every request.
#[derive(Clone)]
struct Network(Arc<dyn Fn(&HttpRequest) -> Answer + Send + Sync>);

impl Network {
    fn of(answer: impl Fn(&HttpRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    /// Answers every request with the same body.
    fn with_body(body: &'static str) -> Self {
        Self::of(move |_| Ok(response(200, &[], body)))
    }

    /// The services with these settings on this network.
    fn service(self, settings: Settings) -> Service {
        Service::over(settings, SharedHttpClient::new(self), Arc::default())
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready((self.0)(&request))
    }
}

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

fn response(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<SdkBody>) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
    for (name, value) in headers {
        response.headers_mut().insert(*name, *value);
    }
    response
}

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
