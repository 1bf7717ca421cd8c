#![allow(clippy::unwrap_used)]
//! What is special to files on Windows: who can read one before and after it is replaced, and its path.

use std::fs::{File, OpenOptions};
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use sso_windows::{GENERIC_READ, WRITE_DAC, access_list_of, others_can_read, set_access_list};
use zeroize::Zeroizing;

use super::{SafeFile, Written};
use crate::files::lock::Lock;
use crate::patience::WaitLimit;

/// Writes a file with this access list. Returns the list as Windows keeps it.
fn write_with_access(path: &Path, text: &str) -> String {
    std::fs::write(path, "old").unwrap();
    let file = OpenOptions::new().access_mode(GENERIC_READ | WRITE_DAC).open(path).unwrap();
    set_access_list(&file, text).unwrap();
    access_list_of(&file).unwrap()
}

fn replaced(path: &Path) -> Written {
    let file = SafeFile::at(path, &WaitLimit::default());
    let lock = Lock::take(&file.lock_path(), &WaitLimit::default().begin()).unwrap();
    file.replace(&lock, |_| Ok(Some(Zeroizing::new(b"new".to_vec())))).unwrap()
}

#[test]
fn a_hardened_access_list_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    let before = write_with_access(&path, "D:P(A;;FA;;;OW)(A;;FA;;;BA)");
    assert_eq!(replaced(&path), Written { changed: true, ..Written::default() });
    assert_eq!(access_list_of(&File::open(&path).unwrap()).unwrap(), before);
}

#[test]
fn a_file_that_others_can_read_becomes_private_and_that_is_said() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    let before = write_with_access(&path, "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;WD)");
    assert_eq!(replaced(&path), Written { changed: true, made_private: true, ..Written::default() }, "{before}");
    let file = File::open(&path).unwrap();
    assert!(!others_can_read(&file).unwrap(), "{}", access_list_of(&file).unwrap());
}

#[test]
fn a_new_file_is_private_in_a_folder_that_everybody_can_read() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    assert_eq!(replaced(&path), Written { changed: true, ..Written::default() });
    let file = File::open(&path).unwrap();
    assert!(!others_can_read(&file).unwrap(), "{}", access_list_of(&file).unwrap());
}

#[test]
fn a_file_whose_path_has_four_hundred_characters_is_made_read_and_replaced() {
    let home = tempfile::tempdir().unwrap();
    let folder = (0..8).fold(home.path().to_owned(), |folder, number| folder.join(format!("{number}{}", "x".repeat(49))));
    let path = folder.join("credentials");
    assert!(path.as_os_str().len() > 400);
    for _ in 0..2 {
        assert!(replaced(&path).changed);
    }
    let read = SafeFile::at(&path, &WaitLimit::default()).read().unwrap().unwrap();
    assert_eq!(read.bytes.as_slice(), b"new");
}

#[test]
fn a_file_is_the_same_in_other_letters() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("Credentials"), "old").unwrap();
    assert!(replaced(&home.path().join("CREDENTIALS")).changed);
    assert_eq!(std::fs::read_to_string(home.path().join("credentials")).unwrap(), "new");
    let names: Vec<_> = std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name().to_ascii_lowercase()).collect();
    assert_eq!(names.len(), 2, "the file and its lock: {names:?}");
}
