//! The connections to the services, given up together with a request that was never answered.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// A client that takes new connections after a request that was given up.
/// A connection can die without a word, as in a laptop that slept, and over HTTP/2 all requests to come would wait on that same one.
pub(crate) fn renewing(make: impl Fn() -> SharedHttpClient + Send + Sync + 'static) -> SharedHttpClient {
    SharedHttpClient::new(Renewing(Arc::new(Renewal { current: Mutex::new((0, make())), make: Box::new(make) })))
}

#[derive(Clone)]
struct Renewing(Arc<Renewal>);

struct Renewal {
    make: Box<dyn Fn() -> SharedHttpClient + Send + Sync>,
    /// The client in use, counted from the first.
    current: Mutex<(u64, SharedHttpClient)>,
}

impl std::fmt::Debug for Renewing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renewing").finish_non_exhaustive()
    }
}

impl HttpClient for Renewing {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let (number, client) = self.0.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
            let answer = answer.await;
            unanswered.answered();
            answer
        })
    }
}

/// A request on its way; dropped with its client, it was given up.
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
        let mut current = renewal.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Others that were given up with it have seen to that already.
        if current.0 == self.number {
            *current = (self.number + 1, (renewal.make)());
        }
    }
}
