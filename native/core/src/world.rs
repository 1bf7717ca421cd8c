//! Everything that a run may know about its surroundings, so that a test can replace them.

use std::collections::BTreeMap;
#[cfg(windows)]
use std::path::{Component, Prefix};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use crate::error::{Code, Error};
use crate::patience::WaitLimit;
use crate::protocol::{Caller, GivenEnvironment};
use crate::system_proxy::SystemProxy;
use crate::written_path::{Names, Rules, expand};

/// The variable for the home folder on this system.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// The longest path that is accepted from a variable, in bytes; no system opens a longer one.
const LONGEST_PATH: usize = 32 * 1024;

/// The time of day.
pub trait Clock: Send + Sync {
    /// Returns the machine's time, which may be wrong and may jump.
    fn now(&self) -> OffsetDateTime;
}

/// What became of a page that was to be opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opening {
    /// Whether a browser seems to show it.
    pub is_shown: bool,
    /// The variable whose browser could not be started.
    pub failed: Option<&'static str>,
}

/// Opens a page for the user.
pub trait Browser: Send + Sync {
    /// Opens `url`. Must not wait for the browser to exit.
    fn open(&self, url: &str, variables: &Variables) -> Opening;

    /// Why no browser is opened on this machine, as the rest of a sentence after "because"; `None` if one can be.
    fn reason_against(&self, _variables: &Variables) -> Option<&'static str> {
        None
    }
}

/// The caller's environment variables. A run never reads those of the process: on Linux and macOS, they are not the ones that a PowerShell user sees.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Takes the variables by name.
    #[must_use]
    pub fn new(named: BTreeMap<String, String>) -> Self {
        Self(named)
    }

    /// Returns the value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable under its name or its name in lower case, as is usual for proxy settings.
    #[must_use]
    pub fn get_either_case(&self, name: &str) -> Option<&str> {
        self.get_as_written(name).map(|(_, value)| value)
    }

    /// Returns the value of a variable under its name or its name in lower case, with the name that is set.
    #[must_use]
    pub fn get_as_written(&self, name: &str) -> Option<(String, &str)> {
        [name.to_owned(), name.to_ascii_lowercase()].into_iter().find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    /// Returns all variables, including empty ones.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The surroundings of one run.
#[derive(Clone)]
pub struct World {
    /// The caller's variables.
    pub variables: Variables,
    /// The caller's current folder.
    pub directory: PathBuf,
    /// The user's home folder in the system's user database, used if no variable specifies one.
    pub registered_home: Option<PathBuf>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The browser for logins.
    pub browser: Arc<dyn Browser>,
    /// Whether anybody reads the notes for `-Verbose`; if not, none are created.
    pub verbose: bool,
    /// Whether a person reads the warnings of this run.
    pub heard: bool,
    /// Environments that the caller specified for this run.
    pub given: Vec<GivenEnvironment>,
    /// The user's command that this run is for.
    pub caller: Option<Caller>,
    /// How long the run waits for a lock or a file that another program holds.
    pub(crate) wait_limit: WaitLimit,
    /// Reads the proxy settings of the system, which count where no variable is set.
    pub(crate) system_proxy: fn() -> SystemProxy,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl World {
    /// Creates the real surroundings for a caller with these variables in this folder.
    #[must_use]
    pub fn new(variables: BTreeMap<String, String>, directory: PathBuf, browser: Arc<dyn Browser>) -> Self {
        let variables = Variables::new(variables);
        // The database may be a directory service on the network, so it is read only if needed.
        let registered_home = if variables.get(HOME).is_none() { registered_home() } else { None };
        Self {
            variables,
            directory,
            registered_home,
            clock: Arc::new(MachineClock),
            browser,
            verbose: true,
            heard: false,
            given: Vec::new(),
            caller: None,
            wait_limit: WaitLimit::default(),
            system_proxy: SystemProxy::read,
        }
    }

    /// Returns the user's home folder: from the variable, on Windows else from `HOMEDRIVE` and `HOMEPATH` as in Python, else from the user database.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        let named = self.variables.get(HOME).map(PathBuf::from).or_else(|| self.home_on_drive());
        // Like all of the caller's paths, a relative one starts at the caller's folder.
        named.map(|home| self.directory.join(home)).or_else(|| self.registered_home.clone())
    }

    /// The home folder in the variables that Windows sets for a home on the network.
    fn home_on_drive(&self) -> Option<PathBuf> {
        let path = self.variables.get("HOMEPATH").filter(|_| cfg!(windows))?;
        Some(Path::new(self.variables.get("HOMEDRIVE").unwrap_or_default()).join(path))
    }

    /// Returns the user's home folder.
    ///
    /// # Errors
    /// It is unknown.
    pub(crate) fn home_folder(&self) -> Result<PathBuf, Error> {
        self.home().ok_or_else(no_home)
    }

    /// Expands a path from a variable: replaces its references to variables and home folders, and starts a relative path at the caller's folder. A
    /// reference to something unknown is an error, because it would become part of a file name.
    pub(crate) fn path(&self, variable: &str, written: &str) -> Result<PathBuf, Error> {
        self.path_of_setting(variable, &format!("The variable {variable}"), written)
    }

    /// Expands a path from another setting, such as a key in a file, in the same way.
    pub(crate) fn path_of_setting(&self, name: &str, in_words: &str, written: &str) -> Result<PathBuf, Error> {
        let expanded = expand(written, Rules::HERE, self);
        let what = match expanded.unknown {
            _ if expanded.path.len() > LONGEST_PATH => format!("{in_words} is set to a path that is too long."),
            Some(unknown) => format!("{in_words} is set to '{written}', and {}.", self.why_unknown(&unknown)),
            None if expanded.path.is_empty() => format!("{in_words} is set to '{written}', which is an empty path."),
            None => match system_path(&self.directory, &expanded.path) {
                Place::Path(path) => return Ok(path),
                Place::Device => format!("{in_words} is set to '{written}', which is a device."),
            },
        };
        let action = format!("Set {name} to the path of a file, or remove it.");
        Err(Error::new(Code::PathInvalid, what).with_target(name).with_action(action))
    }

    /// Whether a variable is set to a device such as `NUL`, which AWS tools treat as a missing file.
    pub(crate) fn names_device(&self, variable: &str) -> bool {
        let written = self.variables.get(variable).unwrap_or_default();
        matches!(system_path(&self.directory, &expand(written, Rules::HERE, self).path), Place::Device)
    }

    fn why_unknown(&self, reference: &str) -> String {
        let name = reference.trim_matches(['$', '{', '}', '%']);
        if reference.starts_with('~') {
            format!("the home folder {reference} is unknown")
        } else if is_secret(name) {
            format!("{reference} is not expanded because a variable of that name may hold a secret")
        } else if self.variable(name).is_some() {
            format!("{reference} cannot be expanded as written")
        } else {
            format!("{reference} is not a variable that is set")
        }
    }

    /// The path of a file in `~/.aws`, unless the variable specifies another one.
    pub(crate) fn aws_file(&self, variable: &str, name: &str) -> Result<PathBuf, Error> {
        match self.variables.get(variable) {
            Some(written) => self.path(variable, written),
            None => Ok(self.home_folder()?.join(".aws").join(name)),
        }
    }
}

impl Names for World {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.0.get(name).filter(|_| !is_secret(name)).cloned()
    }

    fn home(&self) -> Option<String> {
        World::home(self)?.into_os_string().into_string().ok()
    }

    fn home_of(&self, user: &str) -> Option<String> {
        home_of_user(user)
    }
}

/// What a path leads to by its name alone.
enum Place {
    Path(PathBuf),
    /// A device of Windows, such as `NUL`.
    #[cfg_attr(not(windows), allow(dead_code, reason = "elsewhere, only the file system knows what is a device"))]
    Device,
}

/// A path from the caller's folder on, as Windows itself reads it. Dots and blanks at its end do not count: with another spelling of the same file, its
/// lock would be another file.
#[cfg(windows)]
fn system_path(directory: &Path, written: &str) -> Place {
    let is_device = |path: &Path| {
        let prefix = path.components().next();
        // `\\.\C:\file` is a file.
        matches!(prefix, Some(Component::Prefix(prefix)) if matches!(prefix.kind(), Prefix::DeviceNS(_))) && path.file_name().is_none()
    };
    // Windows 11 finds a device only by its bare name, earlier versions in every folder.
    let devices = [written.into(), directory.join(written)].map(std::path::absolute);
    match devices {
        [Ok(bare), _] if is_device(&bare) => Place::Device,
        [_, Ok(path)] if is_device(&path) => Place::Device,
        [_, Ok(path)] => Place::Path(path),
        [_, Err(_)] => Place::Path(directory.join(written)),
    }
}

#[cfg(not(windows))]
fn system_path(directory: &Path, written: &str) -> Place {
    Place::Path(directory.join(written))
}

/// Whether a variable of this name may hold a secret, which must not become part of a file name.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "ACCESS_KEY", "API_KEY", "PRIVATE_KEY"].iter().any(|part| name.contains(part))
}

/// The home folder of the user with this name, from the password database.
#[cfg(unix)]
pub(crate) fn home_of_user(user: &str) -> Option<String> {
    let found = nix::unistd::User::from_name(user).ok()??;
    found.dir.into_os_string().into_string().ok()
}

/// Windows has no database of home folders that all programs can read.
#[cfg(not(unix))]
pub(crate) fn home_of_user(_user: &str) -> Option<String> {
    None
}

/// The home folder of this process's user, from the password database.
#[cfg(unix)]
fn registered_home() -> Option<PathBuf> {
    nix::unistd::User::from_uid(nix::unistd::Uid::current()).ok()?.map(|user| user.dir)
}

/// On Windows, the caller provides it: asking the system uses the process's own variables and unsafe code.
#[cfg(not(unix))]
fn registered_home() -> Option<PathBuf> {
    None
}

fn no_home() -> Error {
    Error::new(Code::ReadFailed, format!("Your home folder is unknown: the variable {HOME} is not set, and the system has no home folder for this user."))
        .with_target(HOME)
        .with_action(format!("Set {HOME} to your home folder."))
}

struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// A machine without a browser.
#[cfg(test)]
pub(crate) struct NoBrowser;

#[cfg(test)]
impl Browser for NoBrowser {
    fn open(&self, _url: &str, _variables: &Variables) -> Opening {
        Opening::default()
    }
}

/// An empty home folder, and surroundings whose user lives there.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn test_world() -> (tempfile::TempDir, World) {
    let home = tempfile::tempdir().unwrap();
    let variables = [(HOME.to_owned(), home.path().display().to_string())].into();
    let world = World::new(variables, home.path().to_path_buf(), Arc::new(NoBrowser));
    (home, world)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn world(variables: &[(&str, &str)]) -> World {
        let mut world =
            World::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), PathBuf::from("/work"), Arc::new(NoBrowser));
        world.registered_home = Some(PathBuf::from("/home/registered"));
        world
    }

    #[test]
    fn files_are_where_the_variable_says_or_else_in_the_home_folder() {
        for (variables, path) in [
            (vec![(HOME, "/home/me")], "/home/me/.aws/credentials"),
            (vec![(HOME, "")], "/home/registered/.aws/credentials"),
            (vec![], "/home/registered/.aws/credentials"),
            (vec![("FILE", "keys")], "/work/keys"),
            (vec![("FILE", "~/keys")], "/home/registered/keys"),
            (vec![("FILE", "${TEAM}/keys"), ("TEAM", "red")], "/work/red/keys"),
        ] {
            // On Windows, these paths are on a drive.
            let [found, path] = [world(&variables).aws_file("FILE", "credentials").unwrap(), path.into()].map(|path| std::path::absolute(path).unwrap());
            assert_eq!(found, path, "{variables:?}");
        }
    }

    #[cfg(windows)]
    fn on_windows(variables: &[(&str, &str)]) -> World {
        World { directory: PathBuf::from(r"C:\work"), ..world(variables) }
    }

    #[cfg(windows)]
    #[test]
    fn windows_paths_are_read_as_windows_and_the_aws_cli_read_them() {
        const PROFILE: (&str, &str) = ("USERPROFILE", r"C:\Users\me");
        const DRIVE: (&str, &str) = ("HOMEDRIVE", "H:");
        const ON_DRIVE: (&str, &str) = ("HOMEPATH", r"\me");
        for (variables, path) in [
            (vec![PROFILE, DRIVE, ON_DRIVE], r"C:\Users\me\.aws\credentials"),
            (vec![DRIVE, ON_DRIVE], r"H:\me\.aws\credentials"),
            (vec![ON_DRIVE], r"C:\me\.aws\credentials"),
            (vec![("FILE", "~/keys"), DRIVE, ON_DRIVE], r"H:\me\keys"),
            (vec![("FILE", r"%USERPROFILE%\.aws\c"), PROFILE], r"C:\Users\me\.aws\c"),
            (vec![("FILE", r"C:\x\keys.")], r"C:\x\keys"),
            (vec![("FILE", r"C:\x\keys  ")], r"C:\x\keys"),
            (vec![("FILE", "keys. .")], r"C:\work\keys"),
            (vec![("FILE", r"..\keys")], r"C:\keys"),
            (vec![("FILE", r"\\server\home$\keys.")], r"\\server\home$\keys"),
            (vec![("FILE", r"\\.\C:\x\keys")], r"\\.\C:\x\keys"),
            (vec![("FILE", r"\\?\C:\x\keys.")], r"\\?\C:\x\keys."),
        ] {
            assert_eq!(on_windows(&variables).aws_file("FILE", "credentials").unwrap(), PathBuf::from(path), "{variables:?}");
        }
    }

    #[cfg(windows)]
    #[test]
    fn a_device_is_no_place_for_a_file() {
        for device in ["NUL", "nul", "con", "COM1", r"\\.\NUL"] {
            let world = on_windows(&[("FILE", device)]);
            let error = world.aws_file("FILE", "credentials").unwrap_err();
            assert_eq!((error.code(), error.to_string()), (Code::PathInvalid, format!("The variable FILE is set to '{device}', which is a device.")));
            assert!(world.names_device("FILE"));
        }
        for file in ["null", "nul_", r"C:\x\config", "NULL.txt"] {
            assert!(!on_windows(&[("FILE", file)]).names_device("FILE"), "{file}");
        }
    }

    #[test]
    fn the_error_for_an_unknown_home_folder_names_the_variable_of_this_system() {
        let mut world = world(&[]);
        world.registered_home = None;
        let error = world.aws_file("FILE", "credentials").unwrap_err();
        assert_eq!(error.code(), Code::ReadFailed);
        assert!(error.to_string().contains(HOME), "{error}");
        assert_eq!(error.to_string().contains("USERPROFILE"), cfg!(windows), "{error}");
    }

    #[test]
    fn the_error_for_an_unknown_reference_shows_variable_value_and_reference() {
        for (written, reason) in [
            ("$HOMEE/keys", "$HOMEE is not a variable that is set"),
            ("/x/${HOMEE}/keys", "${HOMEE} is not a variable that is set"),
            ("/x/${TEAM", "${TEAM cannot be expanded as written"),
            ("~no-such-user/keys", "the home folder ~no-such-user is unknown"),
            ("$AWS_SESSION_TOKEN/keys", "may hold a secret"),
            ("$NOTHING", "is an empty path"),
        ] {
            let world = world(&[("FILE", written), ("TEAM", "red"), ("AWS_SESSION_TOKEN", "IQoJsecret"), ("NOTHING", "")]);
            let error = world.aws_file("FILE", "credentials").unwrap_err();
            let text = error.to_string();
            assert_eq!((error.code(), error.target()), (Code::PathInvalid, Some("FILE")));
            assert!(text.contains("FILE") && text.contains(&format!("'{written}'")) && text.contains(reason), "{text}");
            assert!(!text.contains("IQoJ"), "{text}");
        }
    }

    #[test]
    fn a_path_that_would_become_too_long_is_refused() {
        let long = "x".repeat(LONGEST_PATH);
        let error = world(&[("FILE", "$LONG/keys"), ("LONG", &long)]).aws_file("FILE", "credentials").unwrap_err();
        assert_eq!((error.code(), error.to_string().len() < 100), (Code::PathInvalid, true));
    }
}
