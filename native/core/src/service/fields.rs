//! The fields of an answer, checked: what the service sends must break neither a file nor a terminal.

use crate::secret::{LONGEST_SECRET, Secret};
use crate::service::refusal::{Refusal, unusable};
use crate::text::without_controls;

/// The rest of a sentence about a key, a token or an id that is not valid.
pub(super) const NOT_PLAIN: &str = "is empty, is longer than 16 KB, or contains blanks, control characters or non-ASCII characters";

/// A secret of an answer, by its name.
pub(super) fn plain_secret(name: &str, text: String) -> Result<Secret, Refusal> {
    Secret::plain(text).ok_or_else(|| unusable(format!("the {name} {NOT_PLAIN}")))
}

/// A text of an answer that people read, by its name; none where it is empty. `limit` is in characters.
pub(super) fn short_text(name: &str, text: Option<&str>, limit: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > limit {
        return Err(unusable(format!("it has more than {limit} characters for the {name}")));
    }
    Ok(Some(without_controls(text).trim().to_owned()).filter(|text| !text.is_empty()))
}

/// The token of a list's next page.
pub(super) fn next_page(token: Option<String>) -> Result<Option<String>, Refusal> {
    match token.filter(|token| !token.is_empty()) {
        Some(token) if token.len() > LONGEST_SECRET => Err(unusable("the token of the next page is longer than 16 KB")),
        token => Ok(token),
    }
}
