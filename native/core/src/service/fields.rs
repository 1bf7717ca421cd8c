//! Checks the fields of a response, so that nothing the service sends can break a file or a terminal.

use crate::secret::{LONGEST_SECRET, Secret};
use crate::service::refusal::{Refusal, unusable};
use crate::text::without_controls;

/// What is wrong with an invalid key, token or ID, as the rest of a sentence.
pub(super) const NOT_PLAIN: &str = "is empty, is longer than 16 KB, or contains spaces, control characters or non-ASCII characters";

/// A secret field; `name` is for the error.
pub(super) fn plain_secret(name: &str, text: String) -> Result<Secret, Refusal> {
    Secret::plain(text).ok_or_else(|| unusable(format!("the {name} {NOT_PLAIN}")))
}

/// A text field that people read; `None` if it is empty. `name` is for the error, `limit` is in characters.
pub(super) fn short_text(name: &str, text: Option<&str>, limit: usize) -> Result<Option<String>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > limit {
        return Err(unusable(format!("it has more than {limit} characters for the {name}")));
    }
    Ok(Some(without_controls(text).trim().to_owned()).filter(|text| !text.is_empty()))
}

/// The token of the next page of a list.
pub(super) fn next_page(token: Option<String>) -> Result<Option<String>, Refusal> {
    match token.filter(|token| !token.is_empty()) {
        Some(token) if token.len() > LONGEST_SECRET => Err(unusable("the token of the next page is longer than 16 KB")),
        token => Ok(token),
    }
}
