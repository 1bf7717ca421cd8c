//! A loopback IAM Identity Center for tests, demos and benchmarks.
//!
//! It serves SSO-OIDC, the SSO portal and the pages of the browser on one port of 127.0.0.1, refuses what the
//! real service refuses, counts what it sees and can throttle, refuse, delay, cut and break answers on request.
//!
//! ```
//! use sso_stand_in::{Options, StandIn};
//!
//! let stand_in = StandIn::start(Options { accounts: 3, ..Options::default() })?;
//! assert!(stand_in.url().starts_with("http://127.0.0.1:"));
//! assert!(stand_in.stats().violations.is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

mod call;
mod control;
mod faults;
mod ids;
mod oidc;
mod options;
mod pages;
mod portal;
mod reply;
mod server;
mod session;
mod state;
mod stats;
mod tls;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime;
use tokio::sync::oneshot;

pub use control::Control;
pub use options::{AccountRole, Calls, Count, DEFAULT_START_URL, Failure, Operation, Options};
pub use session::GrantedSession;
pub use stats::Stats;

use state::Shared;

/// A running stand-in. Dropping it closes its socket and all connections.
pub struct StandIn {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// Starts a stand-in on its own threads; it answers as soon as this returns.
    pub fn start(options: Options) -> io::Result<Self> {
        let acceptor = match (&options.tls_cert, &options.tls_key) {
            (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key, options.http1_only)?),
            (None, None) => None,
            _ => {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "a certificate and its key go together"));
            }
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        listener.set_nonblocking(true)?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::new(options, url));
        let runtime = runtime::Builder::new_multi_thread().worker_threads(2).thread_name("sso-stand-in").enable_all().build()?;
        let listener = {
            let _context = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = thread::Builder::new().name("sso-stand-in".to_owned()).spawn(move || {
            runtime.spawn(server::serve(listener, acceptor, serving));
            // If the sender was dropped, that means the same as its message.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the address of both services, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Returns the start URL that it knows, as it was given.
    #[must_use]
    pub fn start_url(&self) -> &str {
        &self.shared.options.start_url
    }

    /// Returns what it has seen so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.state().stats.clone()
    }

    /// Grants a session without a login, as if a client had logged in earlier; none of the counts includes it.
    #[must_use]
    pub fn grant_session(&self) -> GrantedSession {
        oidc::grant_session(&self.shared.options, &mut self.shared.state())
    }

    /// Changes how it behaves from now on; returns how many waiting user codes were approved or denied.
    #[expect(clippy::must_use_candidate, reason = "the change is what it is called for")]
    pub fn control(&self, control: Control) -> usize {
        self.shared.state().change(control)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for StandIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandIn").field("url", &self.url()).field("tokens", &"** redacted **").finish_non_exhaustive()
    }
}
