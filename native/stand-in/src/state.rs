//! What the stand-in remembers: clients, device codes, sessions, and settings that change while it runs.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::control::Control;
use crate::faults::{Bucket, Effect, Faults};
use crate::ids::Ids;
use crate::options::{AccountRole, Options};
use crate::stats::Stats;

const HTTP_DATE: &[BorrowedFormatItem<'_>] = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// What every request shares.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) url: String,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(options: Options, url: String) -> Self {
        Self { state: Mutex::new(State::new(&options)), options, url }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A registered client.
#[derive(Clone, Default)]
pub(crate) struct Client {
    pub(crate) secret: String,
    /// Server time, in seconds.
    pub(crate) expires: i64,
    pub(crate) grant_types: Vec<String>,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) refreshable: bool,
}

/// The user's decision on a device code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Waiting,
    Approved,
    Denied,
    /// Approved, and the token was issued.
    Used,
}

/// A started device authorization.
pub(crate) struct Device {
    pub(crate) user_code: String,
    pub(crate) client_id: String,
    pub(crate) expires: i64,
    pub(crate) decision: Decision,
    pub(crate) polls: u32,
    pub(crate) pending_answers: u32,
    /// Real time, because an error of the server's clock does not change how long a client waits.
    pub(crate) last_heard: Instant,
    pub(crate) interval: Duration,
}

/// An authorization code on its way through the browser.
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) expires: i64,
}

/// A valid access token.
pub(crate) struct Access {
    pub(crate) session: u64,
    pub(crate) expires: i64,
}

/// A valid refresh token.
pub(crate) struct Refresh {
    pub(crate) session: u64,
    pub(crate) client_id: String,
}

/// Everything that changes, behind one lock that is never held across an await.
pub(crate) struct State {
    pub(crate) ids: Ids,
    pub(crate) stats: Stats,
    pub(crate) faults: Faults,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) hang_for: Option<Duration>,
    pub(crate) delay: Duration,
    pub(crate) oidc_delay: Duration,
    pub(crate) refused: HashSet<String>,
    pub(crate) refused_roles: Vec<AccountRole>,
    pub(crate) clients: HashMap<String, Client>,
    pub(crate) devices: HashMap<String, Device>,
    pub(crate) codes: HashMap<String, Code>,
    pub(crate) access: HashMap<String, Access>,
    pub(crate) refresh: HashMap<String, Refresh>,
    pub(crate) sessions: u64,
    clock_offset: i64,
    rate: Option<f64>,
    burst: Option<u32>,
}

impl State {
    fn new(options: &Options) -> Self {
        let mut state = Self {
            ids: Ids::default(),
            stats: Stats::default(),
            faults: Faults::default(),
            bucket: None,
            retry_after: None,
            hang_for: None,
            delay: Duration::ZERO,
            oidc_delay: Duration::ZERO,
            refused: HashSet::new(),
            refused_roles: Vec::new(),
            clients: HashMap::new(),
            devices: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            sessions: 0,
            clock_offset: 0,
            rate: None,
            burst: None,
        };
        // The flags are applied as the first change, so that a flag and its key in `/_control` cannot differ.
        state.change(Control {
            fail: options.fail.clone(),
            hang: options.hang.clone(),
            hang_for: options.hang_for,
            cut: options.cut.clone(),
            broken_json: options.broken_json.clone(),
            refuse: options.refuse.clone(),
            refuse_role: options.refuse_role.clone(),
            delay: Some(options.delay),
            oidc_delay: Some(options.oidc_delay),
            rate: options.rate,
            burst: options.burst,
            retry_after: options.retry_after,
            clock_offset: Some(options.clock_offset),
            ..Control::default()
        });
        state
    }

    /// Applies a change; returns how many pending user codes it decided.
    pub(crate) fn change(&mut self, control: Control) -> usize {
        if control.clear {
            self.faults.clear();
            self.refused.clear();
            self.refused_roles.clear();
            self.bucket = None;
            self.rate = None;
            self.burst = None;
        }
        for calls in control.hang {
            self.faults.add(calls, Effect::Hang);
        }
        self.hang_for = control.hang_for.map(Duration::from_millis).or(self.hang_for);
        for failure in control.fail {
            self.faults.add(failure.calls, Effect::Fail(failure));
        }
        for calls in control.cut {
            self.faults.add(calls, Effect::Cut);
        }
        for calls in control.broken_json {
            self.faults.add(calls, Effect::BrokenJson);
        }
        self.refused.extend(control.refuse);
        self.refused_roles.extend(control.refuse_role);
        if let Some(delay) = control.delay {
            self.delay = Duration::from_millis(delay);
        }
        if let Some(delay) = control.oidc_delay {
            self.oidc_delay = Duration::from_millis(delay);
        }
        if control.rate.is_some() || control.burst.is_some() {
            self.rate = control.rate.or(self.rate);
            self.burst = control.burst.or(self.burst);
            self.bucket = self.rate.map(|per_second| Bucket::new(per_second, self.burst));
        }
        self.retry_after = control.retry_after.or(self.retry_after);
        self.clock_offset = control.clock_offset.unwrap_or(self.clock_offset);
        if control.expire_tokens || control.end_sessions {
            self.access.clear();
        }
        if control.end_sessions {
            self.refresh.clear();
        }
        let approved = control.approve.map_or(0, |code| self.decide(&code, Decision::Approved));
        let denied = control.deny.map_or(0, |code| self.decide(&code, Decision::Denied));
        approved + denied
    }

    /// Records the user's decision on a user code, in any spelling; `*` stands for every pending one.
    pub(crate) fn decide(&mut self, user_code: &str, decision: Decision) -> usize {
        let wanted = plain_code(user_code);
        let now = self.now();
        let mut decided = 0;
        for device in self.devices.values_mut() {
            let meant = user_code == "*" || plain_code(&device.user_code) == wanted;
            if meant && device.decision == Decision::Waiting && now < device.expires {
                device.decision = decision;
                decided += 1;
            }
        }
        decided
    }

    /// The server's time in seconds since 1970, with its clock offset.
    pub(crate) fn now(&self) -> i64 {
        // Stays within the years that a date can have, so that adding a lifetime cannot overflow.
        OffsetDateTime::now_utc().unix_timestamp().saturating_add(self.clock_offset).clamp(0, LAST_SECOND)
    }

    /// The server's time for the `Date` header, if it is a valid time.
    pub(crate) fn date(&self) -> Option<String> {
        OffsetDateTime::from_unix_timestamp(self.now()).ok()?.format(HTTP_DATE).ok()
    }

    /// Ends the session that an access token belongs to.
    pub(crate) fn end_session(&mut self, session: u64) {
        self.access.retain(|_, access| access.session != session);
        self.refresh.retain(|_, refresh| refresh.session != session);
    }

    /// Counts a response before anybody can have read it.
    pub(crate) fn count_answer(&mut self, status: StatusCode, cut: bool, portal: bool) {
        if cut {
            self.stats.count_answer("cut");
        } else {
            self.stats.count_answer(status.as_str());
        }
        if portal && status == StatusCode::TOO_MANY_REQUESTS {
            self.stats.throttled += 1;
        }
    }
}

/// A user code in plain form: without separators, in uppercase.
fn plain_code(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}
