//! The credentials file that all AWS tools read: what in it is still good, and the one write of a run.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::environment::{ProfileEntry, no_home};
use crate::error::{Code, Error};
use crate::file_memory::FileMemory;
use crate::ini_text::{Fault, IniText, SectionEdit};
use crate::safe_write::{Lock, Patience, SafeFile, Written};
use crate::secret::Secret;
use crate::world::World;

/// The keys that this module writes into a profile, in this order.
const OWN_KEYS: [&str; 6] =
    ["aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id", "x_security_token_expires", "x_sso_role_name"];

/// An old name of the session token, which readers prefer to the new one: a stale one would win over ours.
const STALE_KEYS: [&str; 1] = ["aws_security_token"];

/// The keys of one role in one account.
#[derive(Debug, Clone)]
pub(crate) struct RoleCredentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Secret,
    pub(crate) expiration: OffsetDateTime,
}

impl RoleCredentials {
    /// Whether all of it can stand in an ini file as it is; anything else would break the file or change another profile.
    pub(crate) fn is_writable(&self) -> bool {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        [self.access_key_id.as_str(), self.secret_access_key.reveal(), self.session_token.reveal()].into_iter().all(plain)
    }
}

/// What the file says of a profile, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownProfile {
    complete: bool,
    account_id: Option<String>,
    role_name: Option<String>,
    expiration: Option<OffsetDateTime>,
}

/// What stands in the file, without its secrets.
#[derive(Debug, Default)]
pub(crate) struct KnownProfiles(HashMap<String, KnownProfile>);

/// Why a profile is due, or until when it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Good until then.
    Good(OffsetDateTime),
    /// Not in the file yet.
    Missing,
    /// In the file, and to be fetched for this reason.
    Due(String),
}

impl Standing {
    pub(crate) fn is_due(&self) -> bool {
        !matches!(self, Self::Good(_))
    }
}

/// What a run counts as due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DueRule {
    pub(crate) now: OffsetDateTime,
    pub(crate) minimum_remaining: time::Duration,
    pub(crate) force: bool,
}

impl KnownProfiles {
    /// When the keys of a profile end, as far as the file says.
    pub(crate) fn expiration(&self, profile: &ProfileEntry) -> Option<OffsetDateTime> {
        self.0.get(&profile.name).and_then(|known| known.expiration)
    }

    /// How a profile of an environment stands.
    pub(crate) fn standing(&self, profile: &ProfileEntry, rule: DueRule) -> Standing {
        let Some(known) = self.0.get(&profile.name) else { return Standing::Missing };
        let due = |why: &str| Standing::Due(why.to_owned());
        let Some(expiration) = known.expiration.filter(|_| known.complete) else { return due("some of its keys are missing") };
        if known.account_id.as_deref() != Some(&profile.account_id) {
            return due("its keys are of another account");
        }
        if known.role_name.as_deref() != Some(&profile.role_name) {
            return due("its keys are of another role");
        }
        if expiration <= rule.now {
            return due("its keys have expired");
        }
        if expiration - rule.now < rule.minimum_remaining {
            return due("its keys expire soon");
        }
        if rule.force { due("all are to be fetched") } else { Standing::Good(expiration) }
    }
}

/// The file, with what this process remembers of it.
#[derive(Debug, Clone)]
pub(crate) struct CredentialsFile {
    file: SafeFile,
}

impl CredentialsFile {
    pub(crate) fn of(world: &World) -> Result<Self, Error> {
        let path = world.aws_file("AWS_SHARED_CREDENTIALS_FILE", "credentials").ok_or_else(no_home)?;
        Ok(Self { file: SafeFile::at(&path) })
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// What stands in the file; it is read only where it has changed since this process last did.
    pub(crate) fn known(&self, memory: &FileMemory<KnownProfiles>) -> Result<Arc<KnownProfiles>, Error> {
        memory.of(&self.file, |bytes| {
            let text = IniText::scan(bytes).map_err(|fault| self.invalid(&fault))?;
            let profiles = text.sections.iter().filter_map(|section| Some((section.name()?.to_owned(), known_profile(&text, section))));
            Ok(KnownProfiles(profiles.collect()))
        })
    }

    /// The keys of a profile as they stand in the file, where they are good. They are not remembered.
    pub(crate) fn keys(&self, profile: &ProfileEntry, rule: DueRule) -> Result<Option<RoleCredentials>, Error> {
        let Some(contents) = self.file.read()? else { return Ok(None) };
        let text = IniText::scan(&contents.bytes).map_err(|fault| self.invalid(&fault))?;
        let Some(section) = text.section(&profile.name) else { return Ok(None) };
        let known = KnownProfiles([(profile.name.clone(), known_profile(&text, section))].into());
        let Standing::Good(expiration) = known.standing(profile, rule) else { return Ok(None) };
        let value = |name: &str| text.value_of(section, name).unwrap_or_default();
        Ok(Some(RoleCredentials {
            access_key_id: value(OWN_KEYS[0]).to_string(),
            secret_access_key: Secret::new(value(OWN_KEYS[1]).as_str()),
            session_token: Secret::new(value(OWN_KEYS[2]).as_str()),
            expiration,
        }))
    }

    fn invalid(&self, fault: &Fault) -> Error {
        Error::new(Code::CredentialsFileInvalid, format!("{}, {fault}.", self.path().display()))
            .with_target(self.path().display().to_string())
            .with_action("No AWS tool can read the file like this. Mend that line; nothing was changed.")
    }

    /// Finds out, before anybody is asked to log in, whether the write can work.
    pub(crate) fn check_writable(&self) -> Result<(), Error> {
        self.file.check_writable()
    }

    /// Puts these keys into the file in one write; everything else in it stays to the byte.
    pub(crate) async fn write(&self, fetched: &[(&ProfileEntry, &RoleCredentials)], patience: &Patience) -> Result<Written, Error> {
        let lock = Lock::take_async(&self.file.lock_path(), patience).await?;
        let expirations: Vec<String> = fetched.iter().map(|(_, keys)| rfc3339(keys.expiration)).collect();
        let edits: Vec<SectionEdit<'_>> = fetched
            .iter()
            .zip(&expirations)
            .map(|((profile, keys), expiration)| {
                let values = [
                    keys.access_key_id.as_str(),
                    keys.secret_access_key.reveal(),
                    keys.session_token.reveal(),
                    &profile.account_id,
                    expiration,
                    &profile.role_name,
                ];
                SectionEdit { section: &profile.name, set: OWN_KEYS.into_iter().zip(values).collect(), remove: &STALE_KEYS, behind: None }
            })
            .collect();
        self.file.replace(&lock, |bytes| {
            let text = IniText::scan(bytes.unwrap_or_default()).map_err(|fault| self.invalid(&fault))?;
            Ok(Some(text.edited(&edits, &[])))
        })
    }
}

impl CredentialsFile {
    /// Takes the keys of this module out of these profiles; a section with nothing else in it goes, everything else stays to the byte.
    pub(crate) async fn remove(&self, profiles: &[&ProfileEntry], patience: &Patience) -> Result<Written, Error> {
        let lock = Lock::take_async(&self.file.lock_path(), patience).await?;
        self.file.replace(&lock, |bytes| {
            let Some(bytes) = bytes else { return Ok(None) };
            let text = IniText::scan(bytes).map_err(|fault| self.invalid(&fault))?;
            let sections = || profiles.iter().filter_map(|profile| text.section(&profile.name));
            let (bare, shared): (Vec<_>, Vec<_>) = sections().partition(|section| text.has_only(section, &OWN_KEYS));
            let edits: Vec<_> =
                shared.iter().filter_map(|section| Some(SectionEdit { section: section.name()?, remove: &OWN_KEYS, ..SectionEdit::default() })).collect();
            let removed: Vec<_> = bare.iter().filter_map(|section| section.name()).collect();
            let new = text.edited(&edits, &removed);
            Ok((*new != *bytes).then_some(new))
        })
    }
}

fn known_profile(text: &IniText<'_>, section: &crate::ini_text::Section) -> KnownProfile {
    let value = |name: &str| text.value_of(section, name).map(|value| value.to_string());
    let filled = |name: &&str| text.value_of(section, name).is_some_and(|value| !value.is_empty());
    KnownProfile {
        complete: OWN_KEYS.iter().all(filled) && !STALE_KEYS.iter().any(|name| section.key(name).is_some()),
        account_id: value("aws_account_id"),
        role_name: value("x_sso_role_name"),
        expiration: value("x_security_token_expires").and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok()),
    }
}

/// The time as all readers take it: UTC, whole seconds, `Z`.
pub(crate) fn rfc3339(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC).truncate_to_second();
    // Only years beyond 9999 cannot be written so; they are as good as unknown.
    time.format(&Rfc3339).unwrap_or_else(|_| "9999-12-31T23:59:59Z".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use time::macros::datetime;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::world::test_world;

    fn profile(name: &str) -> ProfileEntry {
        ProfileEntry { name: name.into(), account_id: "012345678901".into(), role_name: "Admin".into() }
    }

    fn keys(expiration: OffsetDateTime) -> RoleCredentials {
        RoleCredentials { access_key_id: "ASIAEXAMPLE".into(), secret_access_key: Secret::new("se/cr+et="), session_token: Secret::new("to/ken=="), expiration }
    }

    fn rule(now: OffsetDateTime) -> DueRule {
        DueRule { now, minimum_remaining: time::Duration::minutes(15), force: false }
    }

    #[tokio::test]
    async fn what_was_written_is_good_until_little_is_left() {
        let (home, world) = test_world();
        let file = CredentialsFile::of(&world).unwrap();
        let memory = FileMemory::default();
        assert_eq!(file.known(&memory).unwrap().standing(&profile("A b"), rule(datetime!(2026-01-01 0:00 UTC))), Standing::Missing);
        let patience = Patience::new(None, CancellationToken::new());
        let end = datetime!(2026-01-01 1:00:00.75 UTC);
        file.write(&[(&profile("A b"), &keys(end)), (&profile("C"), &keys(end))], &patience).await.unwrap();
        let text = std::fs::read_to_string(home.path().join(".aws/credentials")).unwrap();
        let section = |name: &str| {
            format!(
                "[{name}]\naws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = se/cr+et=\naws_session_token = to/ken==\naws_account_id = 012345678901\n\
                x_security_token_expires = 2026-01-01T01:00:00Z\nx_sso_role_name = Admin\n"
            )
        };
        assert_eq!(text, format!("{}\n{}", section("A b"), section("C")));
        let known = file.known(&memory).unwrap();
        let standing = |now, p: &ProfileEntry| known.standing(p, rule(now));
        assert_eq!(standing(datetime!(2026-01-01 0:45 UTC), &profile("C")), Standing::Good(datetime!(2026-01-01 1:00 UTC)));
        assert_eq!(standing(datetime!(2026-01-01 0:45:01 UTC), &profile("C")), Standing::Due("its keys expire soon".into()));
        assert_eq!(standing(datetime!(2026-01-01 1:00 UTC), &profile("C")), Standing::Due("its keys have expired".into()));
        let now = datetime!(2026-01-01 0:00 UTC);
        assert_eq!(standing(now, &ProfileEntry { role_name: "Other".into(), ..profile("C") }), Standing::Due("its keys are of another role".into()));
        assert_eq!(standing(now, &ProfileEntry { account_id: "0".into(), ..profile("C") }), Standing::Due("its keys are of another account".into()));
        assert!(known.standing(&profile("C"), DueRule { force: true, ..rule(now) }).is_due());
    }

    #[test]
    fn a_profile_with_a_key_missing_or_a_stale_token_is_due() {
        let (home, world) = test_world();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let all = "[C]\naws_access_key_id=a\naws_secret_access_key=b\naws_session_token=c\naws_account_id=012345678901\nx_security_token_expires=2026-01-01T01:00:00Z\nx_sso_role_name=Admin\n";
        let now = datetime!(2026-01-01 0:00 UTC);
        for key in [None, Some("aws_security_token")].into_iter().chain(OWN_KEYS.map(Some)) {
            let text = match key {
                None => all.to_owned(),
                Some("aws_security_token") => format!("{all}AWS_SECURITY_TOKEN = old\n"),
                Some(key) => all.replace(key, "other"),
            };
            std::fs::write(home.path().join(".aws/credentials"), text).unwrap();
            let known = CredentialsFile::of(&world).unwrap().known(&FileMemory::default()).unwrap();
            assert_eq!(known.standing(&profile("C"), rule(now)).is_due(), key.is_some(), "{key:?}");
        }
    }

    #[test]
    fn keys_that_would_break_the_file_are_not_writable() {
        let good = keys(datetime!(2026-01-01 0:00 UTC));
        assert!(good.is_writable());
        for text in ["", "a\n[x]", "a b", "a\r", "\u{e4}"] {
            assert!(!RoleCredentials { session_token: Secret::new(text), ..good.clone() }.is_writable(), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_no_tool_could_read_is_named_with_its_line() {
        let (home, world) = test_world();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/credentials"), "[a]\nk=v\n[a]\n").unwrap();
        let error = CredentialsFile::of(&world).unwrap().known(&FileMemory::default()).unwrap_err();
        assert_eq!(error.code(), Code::CredentialsFileInvalid);
        assert!(error.to_string().ends_with("credentials, line 3: the section [a] is defined a second time."), "{error}");
    }
}
