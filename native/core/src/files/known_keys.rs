//! What the credentials file has for each profile, without its secrets: whether the keys are ours and still good.

pub(crate) mod upkeep;

use std::collections::HashMap;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::error::{Code, Error};
use crate::files::ini_text::{IniText, Key, Section};
use crate::names::profile::{ProfileEntry, ProfileSettings};
use crate::names::same_name;
use crate::renewal;

/// The key that marks what this module wrote, with the name of the environment.
pub(crate) const MARK: &str = "x_sso_environment";

/// The section that AWS tools read if nobody names a profile.
pub(crate) const DEFAULT: &str = "default";

/// The mark of a section with the keys of another profile: that profile's name.
pub(super) const SOURCE: &str = "x_sso_source_profile";

/// The profile whose keys a section has, if it is not its own.
pub(super) fn source_of(text: &IniText<'_>, section: &Section) -> Option<Zeroizing<String>> {
    text.value_of(section, SOURCE).filter(|source| !source.is_empty())
}

/// The keys that this module writes to a profile, in this order.
pub(super) const OWN_KEYS: [&str; 8] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "aws_account_id",
    "x_security_token_expires",
    "x_sso_role_name",
    MARK,
    "x_security_token_issued",
];

/// A setting that AWS tools read from a profile, and the key where this module notes the value that it wrote.
/// A value without that note, or with another one, is the user's, and stays.
const SETTINGS: [(Setting, &str); 2] = [(Setting::Region, "x_sso_region"), (Setting::Output, "x_sso_output")];

/// A setting of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Setting {
    Region,
    Output,
}

impl Setting {
    /// Its key in the files of AWS tools.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Output => "output",
        }
    }

    /// Its value in these settings.
    pub(crate) fn of(self, settings: &ProfileSettings) -> Option<&str> {
        match self {
            Self::Region => settings.region.as_deref(),
            Self::Output => settings.output.as_deref(),
        }
    }

    /// What the user wants it to be.
    pub(crate) fn wanted(self, profile: &ProfileEntry) -> Option<&str> {
        self.of(&profile.settings)
    }
}

/// A setting in a section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct KnownSetting {
    value: Option<String>,
    /// The value that this module wrote.
    written: Option<String>,
}

/// What a write does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SettingChange {
    Stays,
    IsWritten,
    IsRemoved,
}

/// The settings that a write sets in a section and removes from it, with their notes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SettingEdits<'p> {
    pub(crate) set: Vec<(&'static str, &'p str)>,
    pub(crate) remove: Vec<&'static str>,
}

type KnownSettings = [KnownSetting; SETTINGS.len()];

static NO_SETTINGS: KnownSettings = [const { KnownSetting { value: None, written: None } }; SETTINGS.len()];

impl KnownSetting {
    fn is_ours(&self) -> bool {
        self.value.is_some() && self.value == self.written
    }

    fn change(&self, wanted: Option<&str>) -> SettingChange {
        match wanted {
            Some(wanted) if self.value.is_none() || (self.is_ours() && self.value.as_deref() != Some(wanted)) => SettingChange::IsWritten,
            None if self.is_ours() => SettingChange::IsRemoved,
            _ => SettingChange::Stays,
        }
    }
}

/// How many of them every profile needs. Older versions of the module did not write the rest, so a profile without those is not due.
pub(super) const NEEDED_KEYS: usize = 6;

/// An old name of the session token, which readers prefer to the new one: a stale value would override ours.
pub(super) const STALE_KEYS: [&str; 1] = ["aws_security_token"];

/// The keys besides `sso_…` by which AWS tools find credentials for a profile (AWS SDKs and Tools Reference Guide, "Settings reference").
const SOURCES: [&str; 9] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "source_profile",
    "web_identity_token_file",
];

/// Whether AWS tools get credentials by a key with this name, in lowercase, of a profile.
pub(crate) fn is_source_of_keys(key: &str) -> bool {
    key.starts_with("sso_") || SOURCES.contains(&key) || STALE_KEYS.contains(&key)
}

/// The prefix of a long-term access key ID (IAM User Guide, "IAM identifiers").
const LONG_TERM_PREFIX: &str = "AKIA";

/// Why keys in a section are not ours, whatever marks the section has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherKeys {
    /// The ID is that of an IAM user's access key.
    LongTerm,
    /// There is no session token, although keys of a role always come with one.
    NoSessionToken,
}

/// Why an update leaves a profile alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// Its section has keys from another source.
    OtherKeys(OtherKeys),
    /// The file has two sections for it, whose names differ only in spaces.
    TwoSections,
    /// Its new section would have letters beyond ASCII, in a file that is not UTF-8 from this line on.
    OtherEncoding { line: usize },
    /// Another environment in the run has a profile of the same name for another account or role.
    TwoRows { environment: String },
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OtherKeys(OtherKeys::LongTerm) => f.write_str("its section has long-term access keys (AKIA…)"),
            Self::OtherKeys(OtherKeys::NoSessionToken) => f.write_str("its section has access keys without a session token, which this module did not write"),
            Self::TwoSections => f.write_str("it has two sections, one with spaces inside the brackets and one without"),
            Self::OtherEncoding { line } => write!(f, "its name cannot be written, because the file is not UTF-8 text (line {line})"),
            Self::TwoRows { environment } => write!(f, "the environment {environment} has a profile of the same name for another account or role"),
        }
    }
}

impl Obstacle {
    /// The error for a profile that was not updated for this reason.
    pub(crate) fn error(&self, profile: &str, environment: &str, file: &Path) -> Error {
        let sentence = match self {
            Self::TwoRows { .. } => format!("Could not update profile {profile} of {environment}: {self}."),
            Self::OtherKeys(_) | Self::TwoSections | Self::OtherEncoding { .. } => {
                format!("Could not update profile {profile}: {self}, in {}.", file.display())
            }
        };
        let (code, action) = match self {
            Self::OtherKeys(_) => (
                Code::ProfileHasOtherKeys,
                format!(
                    "Rename the profile in {environment}, or move those keys to another profile. To overwrite them, run Update-SsoCredential {environment} \
                     -ProfileName '{profile}' -ReplaceKeys."
                ),
            ),
            Self::TwoSections => (Code::CredentialsFileInvalid, format!("Delete one of the two sections named {profile} from the file.")),
            Self::OtherEncoding { .. } => {
                (Code::CredentialsFileInvalid, "Save the file as UTF-8 without a byte order mark, or give the profile a name of plain letters.".to_owned())
            }
            Self::TwoRows { environment: other } => {
                (Code::ProfileNameConflict, format!("Rename the profile in {environment} or in {other}, or update one environment at a time."))
            }
        };
        Error::new(code, sentence).with_target(profile).with_action(action)
    }
}

/// What the file has for a profile, without its secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownProfile {
    pub(super) other_keys: Option<OtherKeys>,
    complete: bool,
    /// Whether the name in the header has spaces around it, which make it a different profile to the AWS CLI.
    has_blanks: bool,
    access_key_id: Option<String>,
    account_id: Option<String>,
    role_name: Option<String>,
    /// The environment that the keys were fetched for.
    pub(crate) environment: Option<String>,
    expiration: Option<OffsetDateTime>,
    issued: Option<OffsetDateTime>,
    /// In the order of [`SETTINGS`]; few sections have any.
    settings: Option<Box<KnownSettings>>,
}

/// The sections for one profile name, without spaces around it.
#[derive(Debug)]
enum Known {
    One(KnownProfile),
    Two,
}

/// What the file has, without its secrets.
#[derive(Debug, Default)]
pub(crate) struct KnownProfiles {
    sections: HashMap<String, Known>,
    /// The first line that is not UTF-8, counted from 1.
    not_utf8: Option<usize>,
}

/// What tells one set of keys in the file from another; contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyVersion(Option<(Option<String>, Option<OffsetDateTime>)>);

/// Whether to fetch a profile, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Good until this time.
    Good(OffsetDateTime),
    /// Not in the file yet.
    Missing,
    /// In the file, but due for this reason.
    Due(&'static str),
    /// Left alone for this reason.
    Blocked(Obstacle),
}

impl Standing {
    pub(crate) fn is_due(&self) -> bool {
        matches!(self, Self::Missing | Self::Due(_))
    }
}

/// What a run counts as due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DueRule {
    pub(crate) now: OffsetDateTime,
    pub(crate) minimum_remaining: time::Duration,
    pub(crate) force: bool,
    /// Whether to replace keys from another source.
    pub(crate) replace_keys: bool,
    /// Whether keys with a short lifetime need less time left than required, see [`renewal::margin`].
    pub(crate) is_renewal: bool,
}

impl DueRule {
    /// The rule of a run that requires this much time left, in seconds, without `-Force` and `-ReplaceKeys`.
    pub(crate) fn of(now: OffsetDateTime, minimum_remaining: u64) -> Self {
        // A century is as good as forever and cannot overflow.
        let seconds = i64::try_from(minimum_remaining).unwrap_or(i64::MAX).min(3_155_760_000);
        Self { now, minimum_remaining: time::Duration::seconds(seconds), force: false, replace_keys: false, is_renewal: false }
    }

    /// The rule of a program that asks for keys again and again.
    pub(crate) fn of_renewal(now: OffsetDateTime) -> Self {
        Self { minimum_remaining: renewal::margin(None), is_renewal: true, ..Self::of(now, 0) }
    }

    /// Whether keys with this lifetime can never have the required time left.
    pub(crate) fn exceeds(&self, lifetime: time::Duration) -> bool {
        lifetime < self.minimum_remaining
    }

    /// The time that keys with this lifetime need to have left: the required time, or half of the lifetime if they can never have that much.
    fn margin(&self, lifetime: Option<time::Duration>) -> time::Duration {
        if self.is_renewal {
            return renewal::margin(lifetime);
        }
        match lifetime.filter(|lifetime| lifetime.is_positive() && self.exceeds(*lifetime)) {
            Some(lifetime) => lifetime / 2,
            None => self.minimum_remaining,
        }
    }
}

impl KnownProfiles {
    fn one(&self, profile: &str) -> Option<&KnownProfile> {
        match self.sections.get(profile) {
            Some(Known::One(known)) => Some(known),
            Some(Known::Two) | None => None,
        }
    }

    /// When the keys of a profile expire, according to the file.
    pub(crate) fn expiration(&self, profile: &str) -> Option<OffsetDateTime> {
        self.one(profile).filter(|known| known.other_keys.is_none()).and_then(|known| known.expiration)
    }

    /// The current version of a profile's keys, which shows whether another process replaces them.
    pub(crate) fn version(&self, profile: &str) -> KeyVersion {
        KeyVersion(self.one(profile).map(|known| (known.access_key_id.clone(), known.expiration)))
    }

    /// Whether the section of a profile has keys from another source.
    pub(crate) fn has_other_keys(&self, profile: &str) -> bool {
        self.one(profile).is_some_and(|known| known.other_keys.is_some())
    }

    /// The value that a section has for a setting although the user wants another one, since this module did not write it.
    pub(crate) fn value_of_user(&self, profile: &ProfileEntry, setting: Setting) -> Option<&str> {
        let wanted = setting.wanted(profile)?;
        let known = self.one(&profile.name)?.setting(setting)?;
        known.value.as_deref().filter(|value| !known.is_ours() && *value != wanted)
    }

    /// Whether a profile of an environment is due, good or blocked.
    pub(crate) fn standing(&self, profile: &ProfileEntry, rule: DueRule) -> Standing {
        match self.sections.get(&profile.name) {
            None => obstacle_to_name(self.not_utf8, &profile.name).map_or(Standing::Missing, Standing::Blocked),
            Some(Known::Two) => Standing::Blocked(Obstacle::TwoSections),
            Some(Known::One(known)) => known.standing(profile, rule),
        }
    }
}

impl KnownProfile {
    pub(crate) fn of(text: &IniText<'_>, section: &Section) -> Self {
        let value = |name: &str| section.key(name).filter(|key| key.is_filled()).map(|key| text.plain_value(key));
        let time = |name: &str| value(name).and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        let is_filled = |name: &str| section.key(name).is_some_and(Key::is_filled);
        let [access_key_id, secret, token] = [OWN_KEYS[0], OWN_KEYS[1], OWN_KEYS[2]];
        let id = value(access_key_id);
        let prefix = id.as_ref().and_then(|id| id.get(..LONG_TERM_PREFIX.len()));
        let is_long_term = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(LONG_TERM_PREFIX));
        let has_token = [token, STALE_KEYS[0]].into_iter().any(is_filled);
        let other_keys = match (is_long_term, has_token) {
            (true, _) => Some(OtherKeys::LongTerm),
            (false, false) if [access_key_id, secret].into_iter().any(is_filled) => Some(OtherKeys::NoSessionToken),
            (false, _) => None,
        };
        Self {
            other_keys,
            complete: OWN_KEYS[..NEEDED_KEYS].iter().all(|name| is_filled(name)) && !STALE_KEYS.iter().any(|name| section.key(name).is_some()),
            has_blanks: section.name().is_some_and(|name| name.trim() != name),
            access_key_id: id,
            account_id: value("aws_account_id"),
            role_name: value("x_sso_role_name"),
            environment: value(MARK),
            expiration: time("x_security_token_expires"),
            issued: time("x_security_token_issued"),
            settings: Some(SETTINGS.map(|(setting, note)| KnownSetting { value: value(setting.key()), written: value(note) }))
                .filter(|settings| *settings != NO_SETTINGS)
                .map(Box::new),
        }
    }

    fn settings(&self) -> &KnownSettings {
        self.settings.as_deref().unwrap_or(&NO_SETTINGS)
    }

    fn setting(&self, setting: Setting) -> Option<&KnownSetting> {
        SETTINGS.iter().zip(self.settings()).find(|((other, _), _)| *other == setting).map(|(_, known)| known)
    }

    /// What a write of the profile does with the settings in its section.
    pub(crate) fn setting_edits<'p>(&self, profile: &'p ProfileEntry) -> SettingEdits<'p> {
        let mut edits = SettingEdits::default();
        for ((setting, note), change) in SETTINGS.into_iter().zip(self.changes(profile)) {
            match (change, setting.wanted(profile)) {
                (SettingChange::IsWritten, Some(value)) => edits.set.extend([(setting.key(), value), (note, value)]),
                (SettingChange::IsRemoved, _) => edits.remove.extend([setting.key(), note]),
                _ => {}
            }
        }
        edits
    }

    /// What a write does with each setting, in the order of [`SETTINGS`].
    fn changes(&self, profile: &ProfileEntry) -> [SettingChange; SETTINGS.len()] {
        let mut known = self.settings().iter();
        SETTINGS.map(|(setting, _)| known.next().map_or(SettingChange::Stays, |known| known.change(setting.wanted(profile))))
    }

    /// The keys in the section that this module wrote besides [`OWN_KEYS`].
    pub(crate) fn written_settings(&self) -> impl Iterator<Item = &'static str> {
        let of = |((setting, note), known): (&(Setting, &'static str), &KnownSetting)| {
            [Some(setting.key()).filter(|_| known.is_ours()), Some(*note).filter(|_| known.written.is_some())]
        };
        SETTINGS.iter().zip(self.settings()).flat_map(of).flatten()
    }

    fn standing(&self, profile: &ProfileEntry, rule: DueRule) -> Standing {
        if let Some(other) = self.other_keys {
            let obstacle = Standing::Blocked(Obstacle::OtherKeys(other));
            return if rule.replace_keys { Standing::Due("its keys from another source are replaced (-ReplaceKeys)") } else { obstacle };
        }
        let Some(expiration) = self.expiration.filter(|_| self.complete) else { return Standing::Due("some of its keys are missing") };
        if self.has_blanks {
            return Standing::Due("its section name has spaces around it, which the AWS CLI reads as part of the name");
        }
        if self.account_id.as_deref() != Some(&profile.account_id) {
            return Standing::Due("its keys are for another account");
        }
        if self.role_name.as_deref() != Some(&profile.role_name) {
            return Standing::Due("its keys are for another role");
        }
        if expiration <= rule.now {
            return Standing::Due("its keys have expired");
        }
        if expiration - rule.now < rule.margin(self.issued.map(|issued| expiration - issued)) {
            return Standing::Due("its keys expire soon");
        }
        if self.changes(profile) != [SettingChange::Stays; SETTINGS.len()] {
            return Standing::Due("its region or output format was changed");
        }
        if rule.force { Standing::Due("-Force fetches all profiles") } else { Standing::Good(expiration) }
    }

    pub(crate) fn is_marked_for(&self, environment: &str) -> bool {
        self.environment.as_deref().is_some_and(|marked| same_name(marked, environment))
    }
}

/// Reads what the sections of the file have, by section name without the spaces around it.
pub(super) fn known_profiles(text: &IniText<'_>) -> KnownProfiles {
    let mut profiles = HashMap::new();
    for section in &text.sections {
        let Some(name) = section.name().map(str::trim) else { continue };
        let known = Known::One(KnownProfile::of(text, section));
        profiles.entry(name.to_owned()).and_modify(|known| *known = Known::Two).or_insert(known);
    }
    KnownProfiles { sections: profiles, not_utf8: text.line_not_utf8() }
}

/// Why a new section of this name cannot be added.
pub(super) fn obstacle_to_new_section(text: &IniText<'_>, name: &str) -> Option<Obstacle> {
    if name.is_ascii() { None } else { obstacle_to_name(text.line_not_utf8(), name) }
}

/// In a file with another encoding, an editor and a tool could read the name or the rest rightly, but never both.
fn obstacle_to_name(line_not_utf8: Option<usize>, name: &str) -> Option<Obstacle> {
    line_not_utf8.filter(|_| !name.is_ascii()).map(|line| Obstacle::OtherEncoding { line })
}
