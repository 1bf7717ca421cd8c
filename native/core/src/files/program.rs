//! The program that AWS tools start from a `credential_process` line: installed from the module's folder to a place that stays.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error};
use crate::files::faults::{read_failed, write_failed};
use crate::files::held::while_held;
use crate::files::lock::Lock;
use crate::files::owned_files::{Encryption, create_new, make_folder};
use crate::patience::WaitLimit;
use crate::world::World;

/// The program.
const PROGRAM: &str = if cfg!(windows) { "sso-credential-process.exe" } else { "sso-credential-process" };

/// The library that the program loads from its own folder.
const LIBRARY: &str = if cfg!(windows) {
    "aws_sso.dll"
} else if cfg!(target_os = "macos") {
    "aws_sso.dylib"
} else {
    "aws_sso.so"
};

/// How many replaced files can be in use at the same time on Windows.
const MOST_ASIDE: usize = 16;

/// The place of the program.
#[derive(Debug, Clone)]
pub(crate) struct InstalledProgram {
    folder: PathBuf,
    lock: PathBuf,
    wait_limit: WaitLimit,
}

impl InstalledProgram {
    /// The place below the user's home folder.
    ///
    /// # Errors
    /// There is no home folder.
    pub(crate) fn of(world: &World) -> Result<Self, Error> {
        let sso = world.home_folder()?.join(".aws").join("sso");
        Ok(Self { folder: sso.join("bin"), lock: sso.join("locks").join("sso-credential-process.lock"), wait_limit: world.wait_limit.clone() })
    }

    /// The program's path as it can be in a line without quotation marks.
    ///
    /// # Errors
    /// A shell or an AWS tool would read another path.
    pub(crate) fn plain_path(&self) -> Result<String, Error> {
        let path = self.folder.join(PROGRAM);
        let plain = path.to_str().filter(|path| is_plain(path)).map(str::to_owned);
        plain.or_else(|| short_path(&self.folder).map(|folder| folder.join(PROGRAM).display().to_string()).filter(|path| is_plain(path))).ok_or_else(|| {
            let why = "AWS tools read the line in different ways if its path has spaces, quotation marks or other special characters";
            Error::new(Code::PathInvalid, format!("No credential_process line can name {}: {why}.", path.display()))
                .with_target(path.display().to_string())
                .with_action("Use -As SsoSession.")
        })
    }

    /// Checks whether a folder of the module has the program and the library.
    ///
    /// # Errors
    /// It has not.
    pub(crate) fn check(from: &Path) -> Result<(), Error> {
        let Some(missing) = [LIBRARY, PROGRAM].map(|name| from.join(name)).into_iter().find(|path| !path.is_file()) else { return Ok(()) };
        Err(Error::new(Code::ReadFailed, format!("The module has no program for this system: {} does not exist.", missing.display()))
            .with_target(missing.display().to_string())
            .with_action("Install the module again, or use -As SsoSession."))
    }

    /// Installs the program and the library from a folder of the module. A file with the same content stays; one that runs is replaced nevertheless.
    ///
    /// # Errors
    /// The folder has no program, or a file cannot be written.
    pub(crate) fn install(&self, from: &Path) -> Result<(), Error> {
        Self::check(from)?;
        make_folder(&self.folder).and_then(|()| close_to_others(&self.folder)).map_err(|fault| write_failed(&self.folder, &fault))?;
        let _lock = Lock::take(&self.lock, &self.wait_limit.begin())?;
        // The library first, so that a new program never meets an old one.
        for name in [LIBRARY, PROGRAM] {
            let path = from.join(name);
            let new = std::fs::read(&path).map_err(|fault| read_failed(&path, &fault))?;
            let target = self.folder.join(name);
            if !is_same(&target, &new) {
                self.replace(&target, &new).map_err(|fault| write_failed(&target, &fault))?;
            }
        }
        Ok(())
    }

    fn replace(&self, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let temporary = with_ending(target, ".new");
        while_held(&[&temporary], &self.wait_limit, || match std::fs::remove_file(&temporary) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
            _ => Ok(()),
        })?;
        let mut file = create_new(&temporary, Encryption::Off)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| make_executable(&file));
        drop(file);
        let placed = written.and_then(|()| put_in_place(&temporary, target));
        if placed.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        placed
    }
}

/// Whether every shell and every AWS tool reads this path as it is.
fn is_plain(path: &str) -> bool {
    let is_usual = |c: char| c.is_alphanumeric() || "/._-+@,".contains(c) || (cfg!(windows) && "\\:~".contains(c));
    // Some tools read two backslashes as one.
    path.chars().all(is_usual) && !path.contains("\\\\")
}

fn is_same(path: &Path, bytes: &[u8]) -> bool {
    // A link leads to a file that is not ours.
    let metadata = path.symlink_metadata();
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.len() == bytes.len() as u64) && std::fs::read(path).is_ok_and(|there| there == bytes)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Renames the new file over the old one. Windows refuses that for a program that runs, which can be renamed itself.
fn put_in_place(new: &Path, target: &Path) -> io::Result<()> {
    let asides: Vec<PathBuf> = if cfg!(windows) { (0..MOST_ASIDE).map(|number| with_ending(target, &format!(".old{number}"))).collect() } else { Vec::new() };
    // Those of earlier versions, as far as they no longer run.
    for aside in &asides {
        let _ = std::fs::remove_file(aside);
    }
    let Err(fault) = std::fs::rename(new, target) else { return Ok(()) };
    match asides.iter().find(|aside| !aside.exists() && std::fs::rename(target, aside).is_ok()) {
        Some(_) => std::fs::rename(new, target),
        None => Err(fault),
    }
}

/// Nobody else may replace the program.
#[cfg(unix)]
fn close_to_others(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = folder.metadata()?.permissions().mode();
    if mode & 0o022 == 0 { Ok(()) } else { std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)) }
}

#[cfg(not(unix))]
fn close_to_others(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_executable(file: &std::fs::File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_executable(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// The short name that Windows has for a folder, of which the last parts may not exist yet.
#[cfg(windows)]
fn short_path(folder: &Path) -> Option<PathBuf> {
    let there = folder.ancestors().find(|path| path.exists())?;
    Some(sso_windows::short_path(there)?.join(folder.strip_prefix(there).ok()?))
}

#[cfg(not(windows))]
fn short_path(_folder: &Path) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::world::test_world;

    /// A folder of the module with these contents.
    fn module(program: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(PROGRAM), program).unwrap();
        std::fs::write(folder.path().join(LIBRARY), "library").unwrap();
        folder
    }

    #[test]
    fn the_program_and_its_library_are_installed_once_and_replaced_by_a_newer_version() {
        let (home, world) = test_world();
        let place = InstalledProgram::of(&world).unwrap();
        let bin = home.path().join(".aws/sso/bin");
        place.install(module("one").path()).unwrap();
        let modified = bin.join(PROGRAM).metadata().unwrap().modified().unwrap();
        place.install(module("one").path()).unwrap();
        assert_eq!(bin.join(PROGRAM).metadata().unwrap().modified().unwrap(), modified, "the same content is not written again");
        std::fs::write(bin.join("theirs"), "theirs").unwrap();
        place.install(module("two").path()).unwrap();
        assert_eq!(std::fs::read_to_string(bin.join(PROGRAM)).unwrap(), "two");
        let mut names: Vec<_> = std::fs::read_dir(&bin).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, [LIBRARY, PROGRAM, "theirs"]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_replace_the_program_or_start_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let (home, world) = test_world();
        let bin = home.path().join(".aws/sso/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::set_permissions(&bin, std::fs::Permissions::from_mode(0o777)).unwrap();
        std::fs::write(home.path().join("elsewhere"), "one").unwrap();
        std::os::unix::fs::symlink(home.path().join("elsewhere"), bin.join(PROGRAM)).unwrap();
        InstalledProgram::of(&world).unwrap().install(module("one").path()).unwrap();
        let mode = |path: &Path| path.symlink_metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&bin), mode(&bin.join(PROGRAM))), (0o700, 0o700));
        assert!(!bin.join(PROGRAM).is_symlink(), "a link to another file is replaced");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_runs_is_replaced() {
        let (home, world) = test_world();
        let place = InstalledProgram::of(&world).unwrap();
        let folder = module("");
        std::fs::copy("/bin/sleep", folder.path().join(PROGRAM)).unwrap();
        place.install(folder.path()).unwrap();
        let program = home.path().join(".aws/sso/bin").join(PROGRAM);
        let mut running = std::process::Command::new(&program).arg("60").spawn().unwrap();
        place.install(module("newer").path()).unwrap();
        running.kill().unwrap();
        running.wait().unwrap();
        assert_eq!(std::fs::read_to_string(program).unwrap(), "newer");
    }

    #[test]
    fn a_folder_without_the_program_is_an_error_that_names_the_path_and_nothing_is_installed() {
        let (home, world) = test_world();
        let folder = module("one");
        std::fs::remove_file(folder.path().join(PROGRAM)).unwrap();
        let error = InstalledProgram::of(&world).unwrap().install(folder.path()).unwrap_err();
        assert!(error.to_string().contains(&folder.path().join(PROGRAM).display().to_string()), "{error}");
        assert!(!home.path().join(".aws/sso/bin").exists());
    }

    #[test]
    fn a_path_that_a_shell_would_change_is_not_plain() {
        for path in ["/home/my user", "/home/o'neil", "/home/$x", "/home/%x%", "/home/a;b", "/home/a&b", "/home/\"q", "/home/(x)", "/home/x`"] {
            assert!(!is_plain(path), "{path}");
        }
        for path in ["/home/user/.aws/sso/bin/sso-credential-process", "/Users/m\u{fc}ller/x", "/home/a@b.c_d-e+f"] {
            assert!(is_plain(path), "{path}");
        }
        assert_eq!(is_plain("/home/~user"), cfg!(windows), "8.3 names have a tilde, which no shell of Windows replaces");
    }
}
