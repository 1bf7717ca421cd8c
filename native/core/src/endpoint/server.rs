//! The listener, from the first profile that is served until it is stopped or the process ends.

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::endpoint::connection::Connection;
use crate::endpoint::routes::{Holding, Routes};
use crate::error::{Code, Error};
use crate::mutex::locked;
use crate::secret::Secret;

/// An SDK opens one for each request. Beyond this, the oldest is dropped: it is the most likely to be of somebody who never asks.
const MOST_CONNECTIONS: usize = 256;

/// The pause after a connection could not be accepted, for example because there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The endpoint of this process; it listens only while somebody is served.
#[derive(Default)]
pub(crate) struct Endpoint(Mutex<Option<Running>>);

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

struct Running {
    port: u16,
    routes: Arc<Mutex<Routes>>,
    stop: CancellationToken,
}

/// Where the keys of one profile are served.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) token: Secret,
}

impl Endpoint {
    /// Serves what this holder has under the name, which keeps its place; starts to listen if that is needed. Called inside the runtime.
    pub(crate) fn serve(&self, name: &str, holding: Holding) -> Result<Place, Error> {
        let mut running = locked(&self.0);
        let running = match &mut *running {
            Some(running) => running,
            none => none.insert(Running::start().map_err(|fault| not_started(&fault))?),
        };
        let (path, token) = locked(&running.routes).lead_to(name, holding)?;
        Ok(Place { url: format!("http://127.0.0.1:{}{}", running.port, path.reveal()), token })
    }

    /// When the keys at a URL of this endpoint expire; `None` for any other URL.
    pub(crate) fn expiration(&self, url: &str) -> Option<OffsetDateTime> {
        let running = locked(&self.0);
        let running = running.as_ref()?;
        let path = url.strip_prefix(&format!("http://127.0.0.1:{}", running.port))?;
        locked(&running.routes).expiration(path)
    }

    /// What happened in the background that the user has not been told yet, one sentence for each profile.
    pub(crate) fn untold(&self) -> Vec<String> {
        locked(&self.0).as_ref().map_or_else(Vec::new, |running| locked(&running.routes).untold())
    }

    /// Stops to listen and forgets what it served. Returns whether it listened.
    pub(crate) fn stop(&self) -> bool {
        locked(&self.0).take().is_some_and(|running| {
            locked(&running.routes).stop_all();
            running.stop.cancel();
            true
        })
    }
}

impl Running {
    fn start() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let port = listener.local_addr()?.port();
        let running = Self { port, routes: Arc::default(), stop: CancellationToken::new() };
        let (connection, stop) = (Connection { port, routes: Arc::clone(&running.routes) }, running.stop.clone());
        tokio::spawn(async move { accept(&listener, &connection, &stop).await });
        Ok(running)
    }
}

/// Accepts connections until `stop`; those that are open then are closed.
async fn accept(listener: &TcpListener, connection: &Connection, stop: &CancellationToken) {
    let mut connections = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                open.retain(|connection| !connection.is_finished());
                if open.len() >= MOST_CONNECTIONS && let Some(oldest) = open.pop_front() {
                    oldest.abort();
                }
                let connection = connection.clone();
                open.push_back(connections.spawn(async move { connection.serve(stream).await }));
            }
        }
    }
}

fn not_started(fault: &io::Error) -> Error {
    Error::new(Code::NetworkError, format!("No port on 127.0.0.1 could be opened for the endpoint: {fault}."))
        .with_action("Use -AsEnvironmentVariable, or the credentials file, instead.")
}
