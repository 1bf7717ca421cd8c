//! What in the config file lets AWS tools read an exported profile in another way than it was written: its session, and `[DEFAULT]`.

use crate::environments::configured::botocore::{ConfigText, Named};
use crate::files::ini_text::{DEFAULT_SECTION, IniText, Key};
use crate::files::known_keys::is_source_of_keys;

/// The keys of `[DEFAULT]` that do no harm to a profile without its own.
const HARMLESS: [&str; 3] = ["sso_start_url", "sso_region", "sso_registration_scopes"];

/// A key that is in the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overruling {
    pub(super) section: String,
    pub(super) key: String,
}

impl Overruling {
    /// What is in the way of a profile in this text.
    pub(super) fn of(config: &ConfigText<'_>, profile: &str) -> Option<Self> {
        let defaults = config.defaults();
        let named = config.profiles.iter().find(|named| named.name == profile)?;
        let values = config.values(named, &defaults);
        let has_own = |named: &Named, key: &str| named.section(&config.text).key(key).is_some();
        let by_default = |key: &str| Self { section: DEFAULT_SECTION.to_owned(), key: key.to_owned() };
        let session = values.text("sso_session").and_then(|name| config.sso_sessions.iter().find(|named| named.name == name));
        if let Some(session) = session.filter(|_| has_own(named, "sso_session"))
            && let Some(key) = values.contradicts(&config.values(session, &defaults))
        {
            let is_own = has_own(named, &key) && has_own(session, &key);
            return Some(if is_own { Self { section: session.section(&config.text).name_lossy().into_owned(), key } } else { by_default(&key) });
        }
        let is_harmful = |key: &str| is_source_of_keys(key) && !HARMLESS.contains(&key) && !has_own(named, key);
        // Without an account or a role, a session alone makes nobody use it.
        let mut harmful: Vec<&str> = defaults.keys().copied().filter(|key| is_harmful(key) && *key != "sso_session").collect();
        harmful.sort_unstable();
        harmful.first().map(|key| by_default(key))
    }

    /// The line of the key in a text, counted from 1; `None` if the text does not have it.
    pub(super) fn line(&self, text: &IniText<'_>) -> Option<usize> {
        let sections = text.sections.iter().filter(|section| section.name_lossy() == self.section);
        sections.filter_map(|section| section.key(&self.key)).map(Key::line).next()
    }
}
