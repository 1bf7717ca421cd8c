//! Sends the SDK's requests with hyper, and sorts its failures by what the SDK may retry.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use hyper_util::client::legacy::connect::{CaptureConnection, HttpInfo, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::service::first_connection::FirstConnections;
use crate::service::route::{BoxError, ConnectTimeout, Connector};

/// A pool of connections that one connector makes.
#[derive(Clone)]
pub(super) struct Pool {
    client: Client<Connector, SdkBody>,
    first: FirstConnections,
}

impl Pool {
    pub(super) fn over(connector: Connector) -> Self {
        // hyper closes idle connections only if it has a timer.
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector);
        Self { client, first: FirstConnections::default() }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl HttpClient for Pool {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Pool {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(fault) => return HttpConnectorFuture::ready(Err(ConnectorError::user(fault.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            let connection = connection.clone();
            capture.set_connection_retriever(move || described(&connection));
        }
        let (first, host) = (self.first.clone(), request.uri().authority().map(ToString::to_string).unwrap_or_default());
        let is_shared = request.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
        let answer = self.client.request(request);
        HttpConnectorFuture::new(async move {
            // Without TLS there is no HTTP/2, so no connection to share.
            let answer = if is_shared { first.send(&host, &connection, answer).await } else { answer.await };
            match answer {
                Ok(answer) => HttpResponse::try_from(answer.map(SdkBody::from_body_1_x)).map_err(|fault| ConnectorError::other(fault.into(), None)),
                Err(fault) => Err(sorted(fault)),
            }
        })
    }
}

/// The connection of a request, which the SDK gives up after a failure that a retry on the same connection would repeat.
fn described(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let mut extensions = http::Extensions::new();
    connection.connection_metadata().as_ref()?.get_extras(&mut extensions);
    let addresses = extensions.get::<HttpInfo>();
    let held = connection.clone();
    let give_up = move || {
        if let Some(connected) = held.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    let mut description = ConnectionMetadata::builder().proxied(false).poison_fn(give_up);
    description.set_local_addr(addresses.map(HttpInfo::local_addr)).set_remote_addr(addresses.map(HttpInfo::remote_addr));
    Some(description.build())
}

/// Sorts a failure: the SDK retries `timeout` and `io`, and of the others only those with an `ErrorKind`.
fn sorted(fault: ClientError) -> ConnectorError {
    let is_connect = fault.is_connect();
    let fault: BoxError = fault.into();
    if found::<ConnectTimeout>(&*fault).is_some() {
        return ConnectorError::timeout(fault);
    }
    match found::<hyper::Error>(&*fault) {
        _ if is_connect => ConnectorError::io(fault),
        Some(http) if http.is_timeout() => ConnectorError::timeout(fault),
        Some(http) if http.is_user() => ConnectorError::user(fault),
        Some(http) if http.is_incomplete_message() => ConnectorError::other(fault, Some(ErrorKind::TransientError)),
        Some(http) if http.is_parse() => ConnectorError::other(fault, None),
        _ => ConnectorError::io(fault),
    }
}

/// The error of this type in a chain of causes.
fn found<'a, E: StdError + 'static>(fault: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(fault), |&fault| fault.source()).find_map(|fault| fault.downcast_ref())
}
