//! Lets the first request to a host open the connection that the others then share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::client::legacy::connect::CaptureConnection;
use tokio::time::Instant;

use crate::mutex::locked;

/// How long after a request its connection counts as open. The pool closes idle ones after 90 seconds.
const OPEN: Duration = Duration::from_mins(1);

/// The hosts that requests go to, and who opens the first connection to each.
///
/// Without this, all requests at the start of a run open a connection and perform a TLS handshake each, of which HTTP/2 needs one.
#[derive(Debug, Clone, Default)]
pub(super) struct FirstConnections(Arc<Mutex<HashMap<String, Arc<Host>>>>);

#[derive(Debug, Default)]
struct Host {
    /// Held by the request that opens the first connection.
    opening: tokio::sync::Mutex<()>,
    /// When a request last had a connection.
    open: Mutex<Option<Instant>>,
}

impl Host {
    fn is_open(&self) -> bool {
        locked(&self.open).is_some_and(|then| then.elapsed() < OPEN)
    }
}

impl FirstConnections {
    /// Sends a request to a host: at once if there is a connection, else as the one that opens it, or after that one.
    pub(super) async fn send<T>(&self, host: &str, connection: &CaptureConnection, answer: impl Future<Output = T>) -> T {
        let host = Arc::clone(locked(&self.0).entry(host.to_owned()).or_default());
        let mut answer = std::pin::pin!(answer);
        if !host.is_open() {
            let opening = host.opening.lock().await;
            if !host.is_open() {
                let mut connection = connection.clone();
                tokio::select! {
                    biased;
                    // An error; the next request then tries to open one.
                    answer = &mut answer => return answer,
                    _ = connection.wait_for_connection_metadata() => {}
                }
            }
            *locked(&host.open) = Some(Instant::now());
            drop(opening);
        }
        let answer = answer.await;
        *locked(&host.open) = Some(Instant::now());
        answer
    }
}
