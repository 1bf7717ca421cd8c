//! What can change while a stand-in runs, by `POST /_control` or [`StandIn::control`](crate::StandIn::control).

use serde::{Deserialize, Deserializer};

use crate::options::{AccountRole, Calls, Failure};

/// A change; members with their default value change nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// First removes every fault: fail, hang, cut, `broken_json`, refuse, `refuse_role` and rate.
    pub clear: bool,
    /// More calls to fail, as with `--fail`: a text or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub fail: Vec<Failure>,
    /// More calls to leave unanswered.
    #[serde(deserialize_with = "one_or_more")]
    pub hang: Vec<Calls>,
    /// From now on hanging calls are answered after this many milliseconds.
    pub hang_for: Option<u64>,
    /// More answers to cut.
    #[serde(deserialize_with = "one_or_more")]
    pub cut: Vec<Calls>,
    /// More responses to send with half of the JSON.
    #[serde(deserialize_with = "one_or_more")]
    pub broken_json: Vec<Calls>,
    /// More accounts to refuse.
    #[serde(deserialize_with = "one_or_more")]
    pub refuse: Vec<String>,
    /// More roles to refuse.
    #[serde(deserialize_with = "one_or_more")]
    pub refuse_role: Vec<AccountRole>,
    /// From now on each portal call takes this many milliseconds.
    pub delay: Option<u64>,
    /// From now on each SSO-OIDC call takes this many milliseconds.
    pub oidc_delay: Option<u64>,
    /// A new rate limit, with a full bucket.
    pub rate: Option<f64>,
    /// The size of the bucket of `rate`.
    pub burst: Option<u32>,
    /// The Retry-After header of each 429, in seconds.
    pub retry_after: Option<u32>,
    /// The offset of the server's clock in seconds.
    pub clock_offset: Option<i64>,
    /// Refuses all access tokens issued so far.
    pub expire_tokens: bool,
    /// All sessions end: their access tokens and refresh tokens are refused from now on.
    pub end_sessions: bool,
    /// Approves this user code, or all pending ones with `*`.
    pub approve: Option<String>,
    /// Declines this user code, or all pending ones with `*`.
    pub deny: Option<String>,
}

/// Accepts a single value or a list.
fn one_or_more<'de, D, T>(from: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore<T> {
        More(Vec<T>),
        One(T),
    }

    Ok(match OneOrMore::deserialize(from)? {
        OneOrMore::More(values) => values,
        OneOrMore::One(value) => vec![value],
    })
}
