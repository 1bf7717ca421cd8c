//! What the stores of all systems have in common.

use std::time::Duration;

use zeroize::Zeroizing;

/// What every item of this module is stored under, as the program that it belongs to.
pub(super) const APPLICATION: &str = "Set-AwsCliSsoCredentials";

/// The longest value, in bytes: a token with its registration has a few thousand.
pub(super) const LONGEST_VALUE: usize = 128 * 1024;

/// Whether the user may be asked for something, such as the password of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Somebody waits for the command, and can answer.
    Allowed,
    /// Nobody may be asked, as in the background.
    Never,
}

/// Whether the store can be read without asking the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreState {
    /// It can be read and written.
    Unlocked,
    /// The user has to be asked first.
    Locked,
}

/// How long the store may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// For a step in which nobody is asked.
    pub(super) quiet: Duration,
    /// For a step in which the user is asked.
    pub(super) asked: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { quiet: Duration::from_secs(3), asked: Duration::from_mins(1) }
    }
}

/// An item that is to be written.
#[derive(Clone, Copy)]
pub(super) struct NewItem<'a> {
    pub(super) item: &'a str,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "elsewhere, items have no label that can be set"))]
    pub(super) label: &'a str,
    pub(super) value: &'a str,
}

/// Whether bytes can be the value of an item: one line of ASCII of limited length.
pub(super) fn is_value(bytes: &[u8]) -> bool {
    (1..=LONGEST_VALUE).contains(&bytes.len()) && bytes.iter().all(|byte| (b' '..=b'~').contains(byte))
}

/// The text of an item's bytes; `None` if they cannot be a value.
pub(super) fn value_of(bytes: &[u8]) -> Option<Zeroizing<String>> {
    std::str::from_utf8(bytes).ok().filter(|_| is_value(bytes)).map(|text| Zeroizing::new(text.to_owned()))
}
