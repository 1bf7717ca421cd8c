//! What `Sync-SsoProfile` does with an environment when it gets no filters: a few keys of the environment's section.

use crate::names::template::{DEFAULT_TEMPLATE, NameTemplate};
use crate::protocol::SyncSettings;
use crate::text::{check_complete, check_visible};

/// The keys of the section, in the order in which they are written.
pub(super) const SYNC_KEYS: [&str; 5] = ["sync_roles", "sync_accounts", "sync_exclude", "name_template", "name_prefix"];

/// The most patterns in a list. A longer list hardly comes from a person.
const MOST_PATTERNS: usize = 200;

/// The longest pattern, in bytes. Names of accounts have up to 50 letters.
const LONGEST_PATTERN: usize = 256;

/// Reads the settings; `value` returns the text of a key.
///
/// # Errors
/// The key with the fault, and what is wrong with its value.
pub(super) fn read(value: impl Fn(&str) -> Option<String>) -> Result<SyncSettings, (&'static str, String)> {
    let list = |key: &'static str| value(key).map_or(Ok(Vec::new()), |text| patterns(&text).map_err(|what| (key, what)));
    let [roles, accounts, exclude, template, prefix] = SYNC_KEYS;
    let settings =
        SyncSettings { roles: list(roles)?, accounts: list(accounts)?, exclude: list(exclude)?, name_template: value(template), name_prefix: value(prefix) };
    check(&settings).map(|()| settings)
}

/// Checks settings that are to be stored.
///
/// # Errors
/// The key with the fault, and what is wrong with its value.
pub(super) fn check(settings: &SyncSettings) -> Result<(), (&'static str, String)> {
    let lists = [&settings.roles, &settings.accounts, &settings.exclude];
    for (key, list) in SYNC_KEYS.into_iter().zip(lists) {
        check_list(key, list).map_err(|what| (key, what))?;
    }
    let (template, prefix) = (settings.name_template.as_deref().unwrap_or(DEFAULT_TEMPLATE), settings.name_prefix.as_deref().unwrap_or_default());
    NameTemplate::parse(template, prefix).map(drop).map_err(|error| (SYNC_KEYS[3], error.to_string().trim_end_matches('.').to_owned()))
}

fn check_list(key: &str, patterns: &[String]) -> Result<(), String> {
    if patterns.len() > MOST_PATTERNS {
        return Err(format!("{key} has {} patterns; the most are {MOST_PATTERNS}", patterns.len()));
    }
    patterns.iter().try_for_each(|pattern| {
        if pattern.trim().is_empty() || pattern.len() > LONGEST_PATTERN || pattern.chars().any(char::is_control) {
            return Err(format!("{key} has a pattern that is empty, longer than {LONGEST_PATTERN} bytes, or has control characters"));
        }
        check_visible(pattern).and_then(|()| check_complete(pattern))
    })
}

/// The values of the keys, in their order; an empty one means that the key is absent.
pub(super) fn written(settings: &SyncSettings) -> [String; 5] {
    let plain = |text: &Option<String>| text.clone().unwrap_or_default();
    let lists = [&settings.roles, &settings.accounts, &settings.exclude].map(|list| text_of(list));
    let [roles, accounts, exclude] = lists;
    [roles, accounts, exclude, plain(&settings.name_template), plain(&settings.name_prefix)]
}

/// One pattern is its own text; several are a JSON list, since names of accounts can have every separator in them.
fn text_of(patterns: &[String]) -> String {
    match patterns {
        [] => String::new(),
        [one] if is_plain(one) => one.clone(),
        // Strings always have a form in JSON.
        several => serde_json::to_string(several).unwrap_or_default(),
    }
}

/// Whether the file gives back this text as it is: ` #` and ` ;` begin a comment there.
fn is_plain(pattern: &str) -> bool {
    !pattern.starts_with(['[', '"', '\'']) && !pattern.contains(['#', ';', '\\']) && pattern.trim() == pattern
}

fn patterns(text: &str) -> Result<Vec<String>, String> {
    if !text.starts_with('[') {
        return Ok(vec![text.to_owned()]);
    }
    serde_json::from_str(text).map_err(|_| format!("{text} is not a list such as [\"Prod*\", \"Test*\"]"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn again(settings: &SyncSettings) -> SyncSettings {
        let values = written(settings);
        read(|key| SYNC_KEYS.iter().position(|known| *known == key).map(|place| values[place].clone()).filter(|value| !value.is_empty())).unwrap()
    }

    #[test]
    fn settings_are_read_as_they_were_written() {
        let list = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect::<Vec<_>>();
        let cases = [list(&[]), list(&["Prod*"]), list(&["[ab]*"]), list(&["Acme, Inc", "a;b"]), list(&["\"x\""]), list(&["Z\u{fc}rich"]), list(&["it's\\"])];
        for patterns in cases {
            let settings = SyncSettings { roles: patterns.clone(), exclude: patterns, name_prefix: Some("x-".to_owned()), ..SyncSettings::default() };
            assert_eq!(again(&settings), settings);
        }
        assert_eq!(written(&SyncSettings { roles: list(&["AWSReadOnlyAccess"]), ..SyncSettings::default() })[0], "AWSReadOnlyAccess");
    }

    #[test]
    fn a_value_that_cannot_be_used_is_named() {
        let fault = |key: &'static str, value: &str| read(|wanted| (wanted == key).then(|| value.to_owned())).unwrap_err();
        assert_eq!(fault("sync_roles", "[1]"), ("sync_roles", "[1] is not a list such as [\"Prod*\", \"Test*\"]".to_owned()));
        assert!(fault("sync_accounts", "[\"\"]").1.contains("sync_accounts has a pattern that is empty"));
        assert!(fault("sync_exclude", &format!("[{}]", vec!["\"x\""; 201].join(","))).1.contains("201 patterns"));
        assert!(fault("name_template", "{Nothing}").1.contains("{Nothing}, which is not a field"));
        assert!(fault("sync_roles", "a\u{200b}").1.contains("U+200B"));
    }
}
