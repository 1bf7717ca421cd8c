//! A session bus of a test's own, and programs on it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::secret_store::SecretStore;
use crate::secret_store::terms::Limits;
use crate::world::{NoBrowser, World};

/// Long enough for any machine, so that only what never answers meets it.
pub(super) const PATIENT: Limits = Limits { quiet: Duration::from_mins(1), asked: Duration::from_mins(1) };

/// Limits for what never answers.
pub(super) const SHORT: Limits = Limits { quiet: Duration::from_millis(300), asked: Duration::from_millis(300) };

/// A program that ends with the test.
pub(super) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A session bus without programs that it could start.
pub(super) struct SessionBus {
    pub(super) folder: tempfile::TempDir,
    _daemon: Running,
}

impl SessionBus {
    /// Starts a bus. Returns `None`, and says why, where it cannot be started.
    pub(super) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
             <allow send_destination=\"*\"/><allow own=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>",
            folder.path().join("bus").display()
        );
        std::fs::write(&configuration, text).unwrap();
        let started = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut daemon) = started else {
            println!("SKIPPED: dbus-daemon is not installed.");
            return None;
        };
        // The line comes once the socket is there.
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("unix:path="), "{line}");
        Some(Self { folder, _daemon: Running(daemon) })
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("bus")
    }

    /// The store of a user on this bus.
    pub(super) fn store(&self, limits: Limits) -> SecretStore {
        store_at(&self.socket(), limits)
    }

    /// Starts GNOME Keyring with an unlocked keyring. Returns `None`, and says why, where it cannot be started.
    pub(super) fn start_keyring(&self) -> Option<Running> {
        let Some(installed) =
            ["/usr/bin", "/usr/local/bin"].into_iter().map(|folder| Path::new(folder).join("gnome-keyring-daemon")).find(|path| path.exists())
        else {
            println!("SKIPPED: gnome-keyring-daemon is not installed.");
            return None;
        };
        // The copy has no file capabilities, which some containers do not allow. A copy by this process would stay open in what other tests start.
        let program = self.folder.path().join("keyring");
        assert!(program.exists() || Command::new("cp").args([installed.as_path(), &program]).status().unwrap().success());
        let mut daemon = Command::new(&program)
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.socket().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        daemon.stdin.take().unwrap().write_all(b"password").unwrap();
        Some(Running(daemon))
    }
}

/// The store of a user whose session bus has this socket.
pub(super) fn store_at(socket: &Path, limits: Limits) -> SecretStore {
    let variables = [("DBUS_SESSION_BUS_ADDRESS".to_owned(), format!("unix:path={}", socket.display()))].into();
    SecretStore::with_limits(&World::new(variables, PathBuf::from("/"), Arc::new(NoBrowser)), limits)
}
