//! All that a run may know of the world around it, so that a test can be the world.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

/// The time of day.
pub trait Clock: Send + Sync {
    /// The machine's time, which may be wrong and may jump.
    fn now(&self) -> OffsetDateTime;
}

/// Opens a page for the user.
pub trait Browser: Send + Sync {
    /// Opens `url`; gives whether that seems to have worked. It must not wait for the browser to end.
    fn open(&self, url: &str, variables: &Variables) -> bool;

    /// Why no browser of this machine is tried, in words that go on from "since"; `None` where one is.
    fn reason_against(&self, _variables: &Variables) -> Option<&'static str> {
        None
    }
}

/// The caller's environment variables. A run never reads the process's own: on Linux and macOS they are not those that a PowerShell user sees.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables as the caller named them.
    #[must_use]
    pub fn new(named: BTreeMap<String, String>) -> Self {
        Self(named)
    }

    /// The value of a variable that is set and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable, or that of its name in lower case, as proxy settings are looked up.
    #[must_use]
    pub fn get_either_case(&self, name: &str) -> Option<&str> {
        self.get_as_written(name).map(|(_, value)| value)
    }

    /// The value of a variable, or that of its name in lower case, with the name that is set.
    #[must_use]
    pub fn get_as_written(&self, name: &str) -> Option<(String, &str)> {
        [name.to_owned(), name.to_ascii_lowercase()].into_iter().find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The world of one run.
#[derive(Clone)]
pub struct World {
    /// The caller's variables.
    pub variables: Variables,
    /// The caller's current folder.
    pub directory: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The way to a browser.
    pub browser: Arc<dyn Browser>,
    /// What this process remembers between runs.
    pub memory: Arc<crate::Memory>,
    /// Whether anybody reads the notes for `-Verbose`; where not, none is made.
    pub verbose: bool,
    /// Environments that the caller has for this run.
    pub given: Vec<crate::protocol::GivenEnvironment>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl World {
    /// The real world, seen by a caller with these variables in this folder.
    #[must_use]
    pub fn new(variables: BTreeMap<String, String>, directory: PathBuf) -> Self {
        Self {
            variables: Variables::new(variables),
            directory,
            clock: Arc::new(MachineClock),
            browser: Arc::new(crate::browser::DesktopBrowser),
            memory: crate::Memory::of_this_process(),
            verbose: true,
            given: Vec::new(),
        }
    }

    /// The user's home folder.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        let names: &[&str] = if cfg!(windows) { &["USERPROFILE", "HOME"] } else { &["HOME"] };
        names.iter().find_map(|name| self.variables.get(name)).map(PathBuf::from)
    }

    /// The path as the caller means it: `~` is the home folder, a relative path starts at the caller's folder.
    #[must_use]
    pub fn path(&self, written: &str) -> PathBuf {
        let rest = written.strip_prefix("~/").or_else(|| written.strip_prefix("~\\").filter(|_| cfg!(windows)));
        match (rest, self.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.directory.join(Path::new(written)),
        }
    }

    /// A file below `~/.aws`, unless the variable names another place.
    #[must_use]
    pub fn aws_file(&self, variable: &str, name: &str) -> Option<PathBuf> {
        match self.variables.get(variable) {
            Some(written) => Some(self.path(written)),
            None => self.home().map(|home| home.join(".aws").join(name)),
        }
    }
}

struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// An empty home folder, and a world whose user lives there.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn test_world() -> (tempfile::TempDir, World) {
    let home = tempfile::tempdir().unwrap();
    let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let variables = [(name.to_owned(), home.path().display().to_string())].into();
    let mut world = World::new(variables, home.path().to_path_buf());
    world.memory = Arc::default();
    (home, world)
}
