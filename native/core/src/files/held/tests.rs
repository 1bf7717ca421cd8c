#![allow(clippy::unwrap_used)]
//! What users get while a scanner, an editor or another program holds their files.

use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::error::Code;
use crate::files::lock::Lock;
use crate::files::safe_write::SafeFile;
use crate::patience::WaitLimit;
use crate::secret::SecretBytes;

const NOBODY: u32 = 0;
const READERS: u32 = 1;
const READERS_AND_WRITERS: u32 = 3;

/// Opens a file as another program does that lets only these open it at the same time.
fn hold(path: &Path, sharing: u32) -> File {
    OpenOptions::new().read(true).share_mode(sharing).open(path).unwrap()
}

/// Runs `work` while another program holds the file, and lets go of the file after a moment.
fn while_held_for_a_moment<T>(path: &Path, sharing: u32, work: impl FnOnce() -> T) -> T {
    let held = hold(path, sharing);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            drop(held);
        });
        work()
    })
}

fn short() -> WaitLimit {
    WaitLimit::new(Some(Duration::from_millis(100)), CancellationToken::new())
}

fn text_file(home: &Path, limit: &WaitLimit) -> SafeFile {
    let path = home.join("file");
    std::fs::write(&path, "old").unwrap();
    SafeFile::at(&path, limit)
}

fn write(file: &SafeFile, text: &str) -> Result<(), crate::error::Error> {
    let lock = Lock::take(&file.lock_path(), &WaitLimit::default().begin()).unwrap();
    file.replace(&lock, |_| Ok(Some(SecretBytes::from(text.as_bytes().to_vec())))).map(drop)
}

#[test]
fn a_file_that_is_held_for_a_moment_is_read_replaced_and_removed_when_it_is_free() {
    for sharing in [NOBODY, READERS, READERS_AND_WRITERS] {
        let home = tempfile::tempdir().unwrap();
        let file = text_file(home.path(), &WaitLimit::default());
        let read = while_held_for_a_moment(file.path(), sharing, || file.read().unwrap().unwrap());
        assert_eq!(read.bytes.as_slice(), b"old");
        while_held_for_a_moment(file.path(), sharing, || write(&file, "new").unwrap());
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "new", "shared with {sharing}");
        let lock = Lock::take(&file.lock_path(), &WaitLimit::default().begin()).unwrap();
        while_held_for_a_moment(file.path(), sharing, || file.remove(&lock).unwrap());
        assert!(!file.path().exists());
    }
}

#[test]
fn a_file_that_stays_held_is_an_error_that_says_so_and_keeps_its_text() {
    let home = tempfile::tempdir().unwrap();
    let file = text_file(home.path(), &short());
    let held = hold(file.path(), NOBODY);
    let error = file.read().err().unwrap();
    assert_eq!((error.code(), error.target()), (Code::FileLocked, file.path().to_str()));
    assert!(error.to_string().ends_with("file is in use by another program."), "{error}");
    drop(held);
    let _held = hold(file.path(), READERS);
    let error = write(&file, "new").unwrap_err();
    assert_eq!(error.code(), Code::FileLocked, "{error}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "old");
    assert!(!file.path().with_extension("aws-sso-tmp").exists());
}

#[test]
fn a_lock_file_that_is_held_without_sharing_is_waited_for_like_a_lock() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file.lock");
    std::fs::write(&path, "").unwrap();
    let held = hold(&path, NOBODY);
    assert!(Lock::try_take(&path).unwrap().is_none());
    assert_eq!(Lock::take(&path, &short().begin()).unwrap_err().code(), Code::FileLocked);
    drop(held);
    while_held_for_a_moment(&path, NOBODY, || Lock::take(&path, &WaitLimit::default().begin()).map(drop).unwrap());
}

#[test]
fn a_folder_and_a_read_only_file_are_not_taken_for_held_files() {
    let home = tempfile::tempdir().unwrap();
    let folder = SafeFile::at(home.path(), &WaitLimit::default()).read().err().unwrap();
    assert_eq!(folder.code(), Code::ReadFailed);
    let file = text_file(home.path(), &WaitLimit::default());
    let mut permissions = std::fs::metadata(file.path()).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(file.path(), permissions.clone()).unwrap();
    let error = file.check_writable().unwrap_err();
    assert_eq!(error.code(), Code::WriteFailed);
    assert!(error.to_string().ends_with("file is read-only, so it cannot be replaced."), "{error}");
    #[allow(clippy::permissions_set_readonly_false, reason = "on Windows only")]
    permissions.set_readonly(false);
    std::fs::set_permissions(file.path(), permissions).unwrap();
}
