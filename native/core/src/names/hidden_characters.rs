//! Characters that a name can have and nobody sees: with them one name looks like another, or like something else than it is.

use crate::error::is_unseen;

/// Whether all of a name can be seen.
///
/// # Errors
/// What is wrong with it, as a sentence's part. It shows each hidden character as its code.
pub(crate) fn check_visible(name: &str) -> Result<(), String> {
    match name.chars().find(|c| is_unseen(*c)) {
        Some(c) => Err(format!("the name \"{}\" has the character U+{:04X}, which is invisible or changes how the name is shown", visible(name), u32::from(c))),
        None => Ok(()),
    }
}

/// The text with the code of each hidden character in its place.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { format!("<U+{:04X}>", u32::from(c)) } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_with_a_character_that_nobody_sees_is_refused_with_its_code() {
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
