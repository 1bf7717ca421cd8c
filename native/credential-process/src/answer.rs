//! What AWS tools read from a `credential_process` (AWS SDKs and Tools Reference Guide, "Process credential provider").

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The events that matter here; all others are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event<'t> {
    #[serde(borrow)]
    Keys(Keys<'t>),
    Failed(Failed),
    #[serde(untagged)]
    Other(serde::de::IgnoredAny),
}

/// The keys, in the text of the event.
#[derive(Deserialize)]
pub(crate) struct Keys<'t> {
    #[serde(borrow)]
    access_key_id: Cow<'t, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'t, str>,
    #[serde(borrow)]
    session_token: Cow<'t, str>,
    #[serde(borrow)]
    expiration: Cow<'t, str>,
    #[serde(borrow)]
    account_id: Cow<'t, str>,
}

/// Why there are no keys.
#[derive(Deserialize)]
pub(crate) struct Failed {
    message: String,
    #[serde(default)]
    action: Option<String>,
}

impl Failed {
    /// The message and what to do, as one line.
    pub(crate) fn line(&self) -> String {
        let all = [Some(self.message.as_str()), self.action.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        all.lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'k> {
    version: u8,
    access_key_id: &'k str,
    secret_access_key: &'k str,
    session_token: &'k str,
    expiration: &'k str,
    account_id: &'k str,
}

impl Keys<'_> {
    /// The line for the AWS tool.
    pub(crate) fn answer(&self) -> Zeroizing<Vec<u8>> {
        let Self { access_key_id, secret_access_key, session_token, expiration, account_id } = self;
        let answer = Answer { version: 1, access_key_id, secret_access_key, session_token, expiration, account_id };
        // Large enough that it never moves: no copy of the keys stays behind.
        let mut text = Zeroizing::new(Vec::with_capacity(256 + 2 * (secret_access_key.len() + session_token.len() + access_key_id.len())));
        // Text as JSON cannot fail.
        let _ = serde_json::to_writer(&mut *text, &answer);
        text.push(b'\n');
        text
    }
}
