//! How AWS tools read a profile name: which characters they misread, and which some SDKs do not accept.

use crate::text::{check_complete, check_visible};
use icu_normalizer::DecomposingNormalizerBorrowed;

/// Characters that make a tool read another name, or another line, than the file has: with `[a # b]` or `[a ; b]` the SDK for JavaScript gives the
/// keys to the profile before it, `[#a]` ends the file for the SDKs for Go and Rust, and with `[a=b]` the SDK for .NET loses the profile before it.
const MISREAD: [char; 7] = ['#', ';', '=', '\\', '\'', '"', '`'];

/// What can be wrong with an otherwise valid profile name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hazard {
    /// Some tools use the keys for another profile.
    Misread,
    /// Some SDKs do not find the profile.
    Unusual,
}

/// What is wrong with a profile name; `None` if it has only letters, digits and `_-/.%@:+`, which the SDKs for Rust and Java accept.
pub(crate) fn hazard(name: &str) -> Option<Hazard> {
    if name.contains(MISREAD) {
        Some(Hazard::Misread)
    } else if name.chars().all(is_usual) {
        None
    } else {
        Some(Hazard::Unusual)
    }
}

fn is_usual(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-/.%@:+".contains(c)
}

/// Checks whether a new profile may get this name.
///
/// # Errors
/// What is wrong with the name, as a part of a sentence.
pub(crate) fn check_new_name(name: &str) -> Result<(), String> {
    check_visible(name)?;
    check_complete(name)?;
    match name.chars().find(|c| MISREAD.contains(c)) {
        Some(c) => {
            Err(format!("the profile name {name:?} contains {c}, which makes some AWS tools misread the credentials file and use another profile's keys"))
        }
        None => Ok(()),
    }
}

/// Latin letters that Unicode does not decompose into a base letter and an accent.
const WHOLE_LETTERS: [(char, &str); 14] = [
    ('\u{df}', "ss"),
    ('\u{1e9e}', "SS"),
    ('\u{e6}', "ae"),
    ('\u{c6}', "AE"),
    ('\u{153}', "oe"),
    ('\u{152}', "OE"),
    ('\u{f8}', "o"),
    ('\u{d8}', "O"),
    ('\u{111}', "d"),
    ('\u{110}', "D"),
    ('\u{142}', "l"),
    ('\u{141}', "L"),
    ('\u{fe}', "th"),
    ('\u{131}', "i"),
];

/// The text with only characters that every SDK accepts: letters lose their accents, and everything else becomes a hyphen.
pub(crate) fn transliterated(text: &str) -> String {
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let mut plain = String::with_capacity(decomposed.len());
    for c in decomposed.chars() {
        match WHOLE_LETTERS.iter().find(|(letter, _)| *letter == c) {
            Some((_, letters)) => plain.push_str(letters),
            None if is_usual(c) => plain.push(c),
            // The accents themselves, each of which follows its letter.
            None if ('\u{300}'..='\u{36f}').contains(&c) => {}
            None => plain.push('-'),
        }
    }
    plain
}

/// The warning about new profiles whose names some SDKs do not accept.
pub(crate) fn unusual_names(names: &[&str]) -> String {
    format!(
        "Profile names with spaces, non-ASCII letters or special characters work in the AWS CLI, but not in every SDK: {}. \
         The SDKs for Rust and Java do not find them, and the SDK for JavaScript does not find names with one space.",
        names.join(", ")
    )
}

/// The warning about profiles to be written whose names some tools misread.
pub(crate) fn misread_names(names: &[&str]) -> String {
    format!(
        "Some AWS tools misread # ; = \\ and quotes in a profile name and use the credentials for another profile: {}. Rename {}.",
        names.join(", "),
        if names.len() == 1 { "it" } else { "them" }
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_that_some_tools_misread_differs_from_one_that_some_tools_do_not_find() {
        for name in ["a # b", "semi ; colon", "#x", "a=b", "back\\slash", "it's", "\"quoted\"", "tick`"] {
            assert_eq!(hazard(name), Some(Hazard::Misread), "{name}");
            assert!(check_new_name(name).unwrap_err().contains("misread the credentials file"), "{name}");
        }
        for name in ["two words", "Z\u{fc}rich", "a,b", "a(b)", "50\u{20ac}"] {
            assert_eq!((hazard(name), check_new_name(name)), (Some(Hazard::Unusual), Ok(())), "{name}");
        }
        for name in ["Account1-AWSReadOnlyAccess", "a/b.c%d@e:f+g_h", "default"] {
            assert_eq!(hazard(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_transliterated_text_has_no_hazard(text in ".*") {
            prop_assert_eq!(hazard(&transliterated(&text)), None);
        }
    }
}
