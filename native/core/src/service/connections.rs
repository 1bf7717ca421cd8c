//! The connections to the services, replaced after a request that got no response, and the responses, with limited size.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;

use crate::mutex::locked;
use crate::secret::SecretBytes;

/// The largest response, in bytes. A page of a list has 100 items of a few hundred bytes each.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// The response is larger than any that the service sends.
#[derive(Debug, thiserror::Error)]
#[error("the answer is larger than 1 MB")]
pub(crate) struct TooLarge;

/// The connection was closed before the response was complete.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed in the middle of a response")]
pub(crate) struct CutOff(#[source] aws_smithy_types::byte_stream::error::Error);

/// Creates a client that opens new connections after a request was abandoned.
/// A connection can die silently, for example when a laptop sleeps, and over HTTP/2 all later requests would wait on it.
pub(crate) fn renewing(make: impl Fn() -> SharedHttpClient + Send + Sync + 'static) -> SharedHttpClient {
    SharedHttpClient::new(Renewing(Arc::new(Renewal { current: Mutex::new((0, make())), make: Box::new(make) })))
}

#[derive(Clone)]
struct Renewing(Arc<Renewal>);

struct Renewal {
    make: Box<dyn Fn() -> SharedHttpClient + Send + Sync>,
    /// The client in use, and its number, counted from 0.
    current: Mutex<(u64, SharedHttpClient)>,
}

impl std::fmt::Debug for Renewing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewing").finish_non_exhaustive()
    }
}

impl HttpClient for Renewing {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let (number, client) = locked(&self.0.current).clone();
        SharedHttpConnector::new(RenewingConnector { client: self.clone(), number, connector: client.http_connector(settings, components) })
    }
}

#[derive(Debug)]
struct RenewingConnector {
    client: Renewing,
    number: u64,
    connector: SharedHttpConnector,
}

impl HttpConnector for RenewingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let unanswered = Unanswered { client: Some(self.client.clone()), number: self.number };
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = match answer.await {
                Ok(answer) => whole(answer).await,
                Err(fault) => Err(fault),
            };
            unanswered.answered();
            answer
        })
    }
}

/// Reads the whole body of a response, and wipes it on drop, because it may contain keys.
async fn whole(mut answer: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let announced = answer.headers().get("content-length").and_then(|length| length.parse::<u64>().ok());
    let too_large = || ConnectorError::other(TooLarge.into(), None);
    if announced.is_some_and(|length| length > LARGEST_ANSWER as u64) {
        return Err(too_large());
    }
    let mut stream = ByteStream::new(answer.take_body());
    let expected = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(16 * 1024);
    let mut body = SecretBytes::with_capacity(expected);
    while let Some(part) = stream.next().await {
        let part = part.map_err(|fault| ConnectorError::io(CutOff(fault).into()))?;
        if body.len() + part.len() > LARGEST_ANSWER {
            return Err(too_large());
        }
        body.push(&part);
        wipe(part);
    }
    *answer.body_mut() = SdkBody::from(Bytes::from_owner(body));
    Ok(answer)
}

/// Wipes a part of a response if nothing else uses its memory.
fn wipe(part: Bytes) {
    if let Ok(mut part) = part.try_into_mut() {
        part.fill(0);
    }
}

/// A request in flight; if dropped with its client, it was abandoned.
struct Unanswered {
    client: Option<Renewing>,
    number: u64,
}

impl Unanswered {
    fn answered(mut self) {
        self.client = None;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let Some(Renewing(renewal)) = &self.client else { return };
        let mut current = locked(&renewal.current);
        // Another request that was abandoned with it may have replaced the client already.
        if current.0 == self.number {
            *current = (self.number + 1, (renewal.make)());
        }
    }
}
