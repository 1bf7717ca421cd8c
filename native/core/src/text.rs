//! Text for people: without hidden characters, short, and as part of a sentence.

/// The text without invisible characters: those that control a terminal, change the writing direction or have no width.
/// What the service sends must not control a terminal or look like something else.
pub(crate) fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !is_unseen(*c)).collect()
}

/// The text with an uppercase first letter, to begin a sentence.
pub(crate) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Names for a sentence: at most `most` of them, and the number of the others.
pub(crate) fn listed(names: &[&str], most: usize) -> String {
    let shown = names.iter().take(most).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

/// The text without invisible characters, cut to `limit` characters, the last of which is then an ellipsis.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    let mut seen = text.chars().filter(|c| !is_unseen(*c));
    let mut short: String = seen.by_ref().take(limit).collect();
    if seen.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// Whether a character is a control, a line separator, one of Unicode's `Default_Ignorable_Code_Point`, which includes all of `Bidi_Control` except
/// the Arabic letter mark, or an annotation or musical mark that is also invisible.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Checks that all of a name is visible.
///
/// # Errors
/// What is wrong with the name, as a part of a sentence; shows each hidden character as its code.
pub(crate) fn check_visible(name: &str) -> Result<(), String> {
    match name.chars().find(|c| is_unseen(*c)) {
        Some(c) => Err(format!("the name \"{}\" has the character U+{:04X}, which is invisible or changes how the name is shown", visible(name), u32::from(c))),
        None => Ok(()),
    }
}

/// Checks that no letter of a name was lost when the file that it comes from was read.
///
/// # Errors
/// What is wrong with the name, as a part of a sentence.
pub(crate) fn check_complete(name: &str) -> Result<(), String> {
    if name.contains(char::REPLACEMENT_CHARACTER) {
        return Err(format!(
            "the name \"{}\" has the character U+FFFD in place of a letter, because the file that it comes from was read in another encoding; \
             save that file as UTF-8",
            visible(name)
        ));
    }
    Ok(())
}

/// The text with each hidden character replaced by its code.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { format!("<U+{:04X}>", u32::from(c)) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_long_text_is_cut_with_an_ellipsis_and_a_short_one_is_not() {
        assert_eq!((shortened("abc", 3), shortened("ab\u{202e}c\n", 3), shortened("abcd", 3)), ("abc".to_owned(), "abc".to_owned(), "ab…".to_owned()));
        assert_eq!(shortened("", 3), "");
    }

    #[test]
    fn the_error_for_a_name_with_an_invisible_character_shows_its_code() {
        for c in [
            '\u{0}',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{202e}',
            '\u{2028}',
            '\u{2066}',
            '\u{feff}',
            '\u{3164}',
            '\u{e0041}',
        ] {
            let error = check_visible(&format!("pr{c}od")).unwrap_err();
            let code = format!("U+{:04X}", u32::from(c));
            assert_eq!(error, format!("the name \"pr<{code}>od\" has the character {code}, which is invisible or changes how the name is shown"));
        }
        for name in ["prod", "Zürich EU", "本番", "e\u{301}te", "prod “a”", "50€", "\u{1f600}"] {
            assert_eq!(check_visible(name), Ok(()), "{name}");
        }
    }
}
