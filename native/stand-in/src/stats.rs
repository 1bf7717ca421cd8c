//! Counts of what a stand-in has seen, for tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Enough to find a fault, and a limit on the memory of a stand-in that runs for long.
const MOST_VIOLATIONS: usize = 100;

/// What `GET /_stats` and [`StandIn::stats`](crate::StandIn::stats) return. It never holds a token or a secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Requests by operation, and as `DevicePage`, `AuthorizePage` and `Unknown`.
    pub requests: BTreeMap<String, u64>,
    /// Responses by HTTP status; a response cut on purpose counts as `cut`.
    pub answers: BTreeMap<String, u64>,
    /// The most portal requests that were in flight at once.
    pub peak_concurrency: u64,
    /// The portal requests in flight now.
    pub in_flight: u64,
    /// Accepted connections, with TLS after the handshake. A request for these counts over HTTP opens one, too.
    pub connections: u64,
    /// TLS handshakes that resumed an earlier session.
    pub resumed: u64,
    /// Requests over HTTP/2.
    pub http2: u64,
    /// Polls that came before the current interval had passed.
    pub early_polls: u64,
    /// Device authorizations started.
    pub device_authorizations: u64,
    /// Tokens issued for a device code or an authorization code.
    pub logins: u64,
    /// Tokens issued for a refresh token.
    pub refreshes: u64,
    /// Portal calls answered with 429.
    pub throttled: u64,
    /// Requests that break the protocol; only the first hundred.
    pub violations: Vec<String>,
}

impl Stats {
    pub(crate) fn count_request(&mut self, name: &str, http2: bool) {
        self.http2 += u64::from(http2);
        count(&mut self.requests, name);
    }

    pub(crate) fn count_answer(&mut self, status: &str) {
        count(&mut self.answers, status);
    }

    pub(crate) fn count_connection(&mut self, resumed: bool) {
        self.connections += 1;
        self.resumed += u64::from(resumed);
    }

    pub(crate) fn enter_portal(&mut self) {
        self.in_flight += 1;
        self.peak_concurrency = self.peak_concurrency.max(self.in_flight);
    }

    pub(crate) fn leave_portal(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(crate) fn add_violations(&mut self, violations: Vec<String>) {
        let room = MOST_VIOLATIONS.saturating_sub(self.violations.len());
        self.violations.extend(violations.into_iter().take(room));
    }
}

fn count(map: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(number) = map.get_mut(name) {
        *number += 1;
    } else {
        map.insert(name.to_owned(), 1);
    }
}
