//! A network for tests, where functions answer the requests: nothing is sent, and no time passes but the virtual one.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::service::client::Service;
use crate::service::settings::Settings;

pub(crate) type Answer = Result<HttpResponse, ConnectorError>;

/// What becomes of a request.
pub(crate) enum Reply {
    Now(Answer),
    Late(Duration, Answer),
    Never,
}

/// A network where a function answers every request.
#[derive(Clone)]
pub(crate) struct Network(Arc<dyn Fn(&HttpRequest) -> Reply + Send + Sync>);

impl Network {
    pub(crate) fn of(answer: impl Fn(&HttpRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self::replying(move |request| Reply::Now(answer(request)))
    }

    pub(crate) fn replying(reply: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self(Arc::new(reply))
    }

    /// Gives every request the same body.
    pub(crate) fn with_body(body: &'static str) -> Self {
        Self::of(move |_| Ok(response(200, &[], body)))
    }

    /// The services of these settings on this network.
    pub(in crate::service) fn service(self, settings: Settings) -> Service {
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
        match (self.0)(&request) {
            Reply::Now(answer) => HttpConnectorFuture::ready(answer),
            Reply::Late(pause, answer) => HttpConnectorFuture::new(async move {
                tokio::time::sleep(pause).await;
                answer
            }),
            Reply::Never => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

impl HttpClient for Network {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

pub(crate) fn response(status: u16, headers: &[(&'static str, &'static str)], body: impl Into<SdkBody>) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
    for (name, value) in headers {
        response.headers_mut().insert(*name, *value);
    }
    response
}
