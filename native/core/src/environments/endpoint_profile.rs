//! The profiles in the AWS config file that lead AWS tools to the endpoint: they have a region and no keys, so that no keys of another profile count.

use std::borrow::Cow;
use std::path::Path;

use zeroize::Zeroizing;

use crate::environments::configured::ConfigFile;
use crate::environments::environment::Environment;
use crate::error::{Code, Error};
use crate::files::ini_text::{IniText, SectionEdit};
use crate::files::known_keys::Setting;
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::files::written::Written;
use crate::names::profile::ProfileEntry;
use crate::patience::Patience;
use crate::secret::SecretBytes;
use crate::sha1_hex::sha1_hex;
use crate::world::World;

/// The start of the names of these profiles.
const NAME_START: &str = "sso-endpoint-";

/// Marks a section as this module's, as in the credentials file.
const MARK: &str = "x_sso_environment";

/// The longest part of a profile's name that is repeated, in bytes.
const LONGEST_PART: usize = 64;

/// One such profile, and what its section needs.
#[derive(Debug)]
pub(crate) struct EndpointProfile {
    file: SafeFile,
    name: String,
    environment: String,
    region: Option<String>,
    is_written: bool,
}

impl EndpointProfile {
    /// Chooses the name and region for a profile, and checks that the section can be written if that is needed. `fallback` is the region of the caller's
    /// variables.
    ///
    /// # Errors
    /// The file cannot be read or written, or nobody knows what its text means.
    pub(crate) fn prepare(
        environment: &Environment,
        profile: &ProfileEntry,
        config: &ConfigFile,
        fallback: Option<&str>,
        world: &World,
    ) -> Result<Self, Error> {
        let file = SafeFile::at(&world.aws_file("AWS_CONFIG_FILE", "config")?, &world.wait_limit);
        let in_config = |name: &str| config.setting(name, Setting::Region);
        let region = profile.settings.region.as_deref().or_else(|| in_config(&profile.name)).or(fallback).or_else(|| in_config("default"));
        let bytes = file.read()?.map(|contents| contents.bytes).unwrap_or_default();
        let text = scanned(&file, &bytes)?;
        let name = name_for(&text, &environment.name, &profile.name);
        let mut found = Self { file, name, environment: environment.name.clone(), region: region.map(str::to_owned), is_written: false };
        found.is_written = found.edited(&bytes)?.is_none();
        if !found.is_written {
            found.file.check_writable()?;
        }
        Ok(found)
    }

    /// The name for `AWS_PROFILE`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The file with the section.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Adds the section, or corrects its region; leaves a section that is right.
    pub(crate) async fn write(&self, patience: &Patience) -> Result<Written, Error> {
        if self.is_written {
            return Ok(Written::default());
        }
        let lock = Lock::take_async(&self.file.lock_path(), patience).await?;
        self.file.replace(&lock, |bytes| self.edited(bytes.unwrap_or_default()))
    }

    /// The text with the section; `None` if it is as it should be.
    fn edited(&self, bytes: &[u8]) -> Result<Option<SecretBytes>, Error> {
        let text = scanned(&self.file, bytes)?;
        let section = section_name(&self.name);
        let wanted: Vec<(&str, &str)> =
            [("region", self.region.as_deref()), (MARK, Some(&self.environment))].into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        let existing = text.section(&section);
        let has = |(key, value): &(&str, &str)| existing.and_then(|existing| text.value_of(existing, key)).is_some_and(|found| found.as_str() == *value);
        if wanted.iter().all(has) {
            return Ok(None);
        }
        let new = text.edited(&[SectionEdit { section: &section, set: wanted.clone(), ..SectionEdit::default() }], &[]);
        let after = scanned(&self.file, &new)?;
        let reads_back = |(key, value): &(&str, &str)| {
            after.section(&section).and_then(|section| after.value_of(section, key)).is_some_and(|found| found.as_str() == *value)
        };
        if !wanted.iter().all(reads_back) || values_without(&section, &text) != values_without(&section, &after) {
            return Err(Error::new(Code::WriteFailed, format!("{} was not changed: the new section would affect others.", self.file.path().display()))
                .with_target(self.file.path().display().to_string())
                .with_action(format!("Add [{section}] with a region to it yourself, then run the command again.")));
        }
        Ok(Some(new))
    }
}

fn scanned<'b>(file: &SafeFile, bytes: &'b [u8]) -> Result<IniText<'b>, Error> {
    IniText::scan(bytes).map_err(|fault| {
        let path = file.path().display().to_string();
        Error::new(Code::ConfigFileInvalid, format!("{path}, line {}: {}.", fault.line, fault.kind))
            .with_target(path)
            .with_action("Correct that line; the AWS CLI cannot read the file either.")
    })
}

/// The values of every other section, in their order: the section's name, the key, and what it is set to.
fn values_without(section: &str, text: &IniText<'_>) -> Vec<(String, String, Zeroizing<String>)> {
    let others = text.sections.iter().filter(|other| other.name() != Some(section));
    others.flat_map(|other| other.keys.iter().map(|key| (other.name_lossy().into_owned(), key.name.to_string(), text.value(key)))).collect()
}

fn section_name(profile: &str) -> String {
    format!("profile {profile}")
}

/// A name that no other profile has: plain ASCII, with a part of a hash where the profile's own name is not, or where somebody else has the name.
fn name_for(text: &IniText<'_>, environment: &str, profile: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let part: String = profile.chars().map(|c| if is_plain(c) { c } else { '-' }).take(LONGEST_PART).collect();
    let plain = format!("{NAME_START}{part}");
    let mark = |name: &str| {
        let section = text.section(&section_name(name))?;
        Some(text.value_of(section, MARK).map_or(Cow::Borrowed(""), |mark| Cow::Owned(mark.to_string())))
    };
    if part == profile && mark(&plain).is_none_or(|mark| mark == environment) {
        return plain;
    }
    let hash = sha1_hex(format!("{environment}/{profile}").as_bytes());
    format!("{plain}-{}", hash.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::environments::stored::Environments;
    use crate::patience::FILE_LOCK_LIMIT;
    use crate::world::test_world;

    const STORED: &str = "[environment Acme]\nsso_start_url = https://acme.awsapps.com/start\nsso_region = us-west-2\ndefault_role_name = Admin\n\
        [environment Acme profile Prod]\nsso_account_id = 100000000000\nregion = eu-west-1\n\
        [environment Acme profile Dev]\nsso_account_id = 100000000001\n\
        [environment Acme profile Zürich 1]\nsso_account_id = 100000000002\n";

    /// The config file after the profile was prepared and written, and the name of the new section.
    async fn after(config: &str, profile: &str, region: Option<&str>) -> (String, String) {
        let (home, world) = test_world();
        std::fs::create_dir_all(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/sso-environments"), STORED).unwrap();
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        let environment = Environments::read(&world).unwrap().find("Acme", &world).unwrap();
        let entry = environment.profiles.iter().find(|entry| entry.name == profile).unwrap();
        let patience = Patience::new(Some(FILE_LOCK_LIMIT), CancellationToken::new());
        let mut name = String::new();
        // The second time changes nothing.
        for _ in 0..2 {
            let config = ConfigFile::read(&world).unwrap();
            let found = EndpointProfile::prepare(&environment, entry, &config, region, &world).unwrap();
            found.write(&patience).await.unwrap();
            name = found.name().to_owned();
        }
        let config = ConfigFile::read(&world).unwrap();
        assert!(Arc::clone(&config).environments.is_empty(), "the section is no environment");
        (name, std::fs::read_to_string(home.path().join(".aws/config")).unwrap())
    }

    #[tokio::test]
    async fn the_section_has_the_region_that_aws_tools_would_use_and_nothing_else_changes() {
        let mine =
            "# mine\r\n[default]\r\nregion = us-east-2\r\naws_access_key_id = AKIAMINE\r\ns3 =\r\n  max_queue_size = 5\r\n[profile Dev]\r\nregion=ap-south-1";
        for (config, profile, variable, region) in [
            (mine, "Prod", Some("us-east-1"), Some("eu-west-1")),
            (mine, "Dev", Some("us-east-1"), Some("ap-south-1")),
            ("", "Dev", Some("us-east-1"), Some("us-east-1")),
            ("[default]\nregion = us-east-2\n", "Dev", None, Some("us-east-2")),
            ("", "Dev", None, None),
        ] {
            let (name, text) = after(config, profile, variable).await;
            assert_eq!(name, format!("sso-endpoint-{profile}"));
            assert!(text.starts_with(config), "{text}");
            let section: Vec<&str> = text.lines().skip_while(|line| *line != format!("[profile {name}]")).skip(1).collect();
            let region = region.map(|region| format!("region = {region}"));
            assert_eq!(section, region.iter().map(String::as_str).chain(["x_sso_environment = Acme"]).collect::<Vec<_>>(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_with_other_letters_or_one_that_is_taken_gets_a_hash() {
        let (name, text) = after("", "Zürich 1", None).await;
        assert!(name.starts_with("sso-endpoint-Z-rich-1-") && name.is_ascii() && text.contains(&format!("[profile {name}]")), "{text}");
        let theirs = "[profile sso-endpoint-Dev]\naws_access_key_id = AKIATHEIRS\naws_secret_access_key = s\n";
        let (name, text) = after(theirs, "Dev", None).await;
        assert!(name.starts_with("sso-endpoint-Dev-") && text.starts_with(theirs), "{text}");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_an_error_before_anything_is_written() {
        let (home, world) = test_world();
        std::fs::create_dir_all(home.path().join(".aws")).unwrap();
        std::fs::write(home.path().join(".aws/sso-environments"), STORED).unwrap();
        let environment = Environments::read(&world).unwrap().find("Acme", &world).unwrap();
        std::fs::create_dir(home.path().join(".aws/config")).unwrap();
        let error = EndpointProfile::prepare(&environment, &environment.profiles[0], &ConfigFile::default(), None, &world).unwrap_err();
        assert!(error.to_string().contains("config"), "{error}");
    }
}
