//! What can be changed while a stand-in runs, by `POST /_control` or [`StandIn::control`](crate::StandIn::control).

use serde::{Deserialize, Deserializer};

use crate::options::{AccountRole, Calls, Failure};

/// A change; each member left at its default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Control {
    /// First take away every fault: fail, hang, cut, `broken_json`, refuse, `refuse_role` and rate.
    pub clear: bool,
    /// More calls to fail, as with `--fail`: a text or a list.
    #[serde(deserialize_with = "one_or_more")]
    pub fail: Vec<Failure>,
    /// More calls never to answer.
    #[serde(deserialize_with = "one_or_more")]
    pub hang: Vec<Calls>,
    /// From now on hanging calls are answered after this many milliseconds.
    pub hang_for: Option<u64>,
    /// More answers to cut.
    #[serde(deserialize_with = "one_or_more")]
    pub cut: Vec<Calls>,
    /// More answers with half of the JSON.
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
    /// Seconds in the header Retry-After of each 429.
    pub retry_after: Option<u32>,
    /// The offset of the server's clock in seconds.
    pub clock_offset: Option<i64>,
    /// All access tokens given so far are refused from now on.
    pub expire_tokens: bool,
    /// All sessions end: their access tokens and refresh tokens are refused from now on.
    pub end_sessions: bool,
    /// The user approves this user code; `*` is every one that waits.
    pub approve: Option<String>,
    /// The user declines this user code; `*` is every one that waits.
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
