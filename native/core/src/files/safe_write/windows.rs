#![allow(clippy::unwrap_used, clippy::print_stdout)]
//! What is special to files on Windows: who can read one before and after it is replaced, what else it has, and its path.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::windows::fs::{FileTimesExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sso_windows::{FILE_ATTRIBUTE_COMPRESSED, FILE_ATTRIBUTE_ENCRYPTED, GENERIC_READ, WRITE_DAC, access_list_of, others_can_read, set_access_list};

use super::SafeFile;
use super::swap::{Replacement, Swapped, swap};
use crate::error::Code;
use crate::files::lock::Lock;
use crate::files::written::Written;
use crate::patience::WaitLimit;
use crate::secret::SecretBytes;

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
    file.replace(&lock, |_| Ok(Some(SecretBytes::from(b"new".to_vec())))).unwrap()
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

#[test]
fn a_program_that_pauses_between_emptying_and_writing_the_file_keeps_its_text_and_ours_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    std::fs::write(&path, "old\n").unwrap();
    let file = SafeFile::at(&path, &WaitLimit::default());
    let lock = Lock::take(&file.lock_path(), &WaitLimit::default().begin()).unwrap();
    let mut writers = Vec::new();
    let mut seen = Vec::new();
    file.replace(&lock, |old| {
        let old = old.unwrap_or_default();
        seen.push(String::from_utf8_lossy(old).into_owned());
        if writers.is_empty() {
            // As programs in C and Python open a file.
            let mut theirs = OpenOptions::new().write(true).truncate(true).share_mode(3).open(&path).unwrap();
            writers.push(std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                theirs.write_all(b"theirs\n").unwrap();
            }));
        }
        Ok(Some(SecretBytes::from([old, b"ours\n"].concat())))
    })
    .unwrap();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!((seen.last().unwrap().as_str(), std::fs::read_to_string(&path).unwrap().as_str()), ("theirs\n", "theirs\nours\n"));
}

#[test]
fn a_file_that_another_program_creates_during_the_first_write_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    let (new, target) = (home.path().join("new"), path.clone());
    std::fs::write(&new, "ours").unwrap();
    std::fs::write(&target, "theirs").unwrap();
    let it = Replacement { new: &new, new_bytes: b"ours", target: &target, old_bytes: None };
    assert_eq!(swap(&it).unwrap(), Swapped::Changed);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "theirs");
}

#[test]
fn new_keys_are_never_in_a_file_that_others_can_read_even_for_a_moment() {
    let home = tempfile::tempdir().unwrap();
    let file = SafeFile::at(&home.path().join("file"), &WaitLimit::default());
    let temporary = file.temporary().path.clone();
    std::fs::write(file.path(), "old").unwrap();
    let lock = Lock::take(&file.lock_path(), &WaitLimit::default().begin()).unwrap();
    let mut scanners = Vec::new();
    file.replace(&lock, |_| {
        // The write waits for this one, because it needs the access list of the old file.
        let held = OpenOptions::new().read(true).share_mode(0).open(file.path()).unwrap();
        let temporary = temporary.clone();
        scanners.push(std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            let seen = File::open(temporary).map(|new| (new.metadata().unwrap().len(), others_can_read(&new).unwrap()));
            drop(held);
            seen.unwrap()
        }));
        Ok(Some(SecretBytes::from(b"keys".to_vec())))
    })
    .unwrap();
    for scanner in scanners {
        let (length, is_open) = scanner.join().unwrap();
        assert!(length == 0 || !is_open, "{length} bytes could be read by others");
    }
}

#[test]
fn new_keys_that_a_scanner_holds_are_removed_after_a_failed_write_when_it_lets_go() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    let file = SafeFile::at(&path, &WaitLimit::default());
    let temporary = file.temporary();
    std::fs::write(&temporary.path, "keys").unwrap();
    let held = OpenOptions::new().read(true).share_mode(1).open(&temporary.path).unwrap();
    let place = temporary.path.clone();
    let scanner = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        drop(held);
    });
    drop(temporary);
    assert!(!place.exists());
    scanner.join().unwrap();
}

#[tokio::test]
async fn a_pipe_a_device_and_a_folder_are_refused_at_once_and_kept() {
    let pipe = format!(r"\\.\pipe\sso-test-{}", std::process::id());
    // An instance for each time that somebody opens it.
    let _servers = [(); 4].map(|()| tokio::net::windows::named_pipe::ServerOptions::new().create(&pipe).unwrap());
    let home = tempfile::tempdir().unwrap();
    for path in [Path::new(&pipe).to_owned(), home.path().join("NUL")] {
        let error = SafeFile::at(&path, &WaitLimit::default()).read().err().unwrap();
        assert_eq!(error.code(), Code::ReadFailed);
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
    let folder = SafeFile::at(&home.path().join("folder"), &WaitLimit::default());
    std::fs::create_dir(folder.path()).unwrap();
    let lock = Lock::take(&folder.lock_path(), &WaitLimit::default().begin()).unwrap();
    assert_eq!(folder.read().err().unwrap().code(), Code::ReadFailed);
    assert!(folder.replace(&lock, |_| Ok(Some(SecretBytes::from(b"new".to_vec())))).is_err());
    assert!(folder.path().is_dir() && !folder.temporary().path.exists());
}

const HIDDEN: u32 = 0x2;
const SYSTEM: u32 = 0x4;
const NOT_INDEXED: u32 = 0x2000;

/// Creates a file with these attributes; `None`, with the reason, if this system does not keep them.
fn file_with(home: &tempfile::TempDir, attributes: u32) -> Option<PathBuf> {
    let path = home.path().join("file");
    let created = OpenOptions::new().write(true).create_new(true).attributes(attributes).open(&path);
    let kept = created.and_then(|file| file.metadata()).map_or(0, |metadata| metadata.file_attributes());
    if kept & attributes == attributes {
        return Some(path);
    }
    println!("SKIPPED: of the attributes {attributes:#x}, this file system keeps {:#x}.", kept & attributes);
    None
}

fn attributes_of(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().file_attributes()
}

#[test]
fn the_attributes_of_a_file_stay() {
    for attributes in [HIDDEN, HIDDEN | SYSTEM, NOT_INDEXED] {
        let home = tempfile::tempdir().unwrap();
        let Some(path) = file_with(&home, attributes) else { continue };
        for _ in 0..2 {
            assert_eq!(replaced(&path).lost, Vec::<String>::new());
            assert_eq!(attributes_of(&path) & (HIDDEN | SYSTEM | NOT_INDEXED), attributes, "{attributes:#x}");
        }
    }
}

#[test]
fn an_encrypted_file_stays_encrypted_and_a_compressed_one_compressed() {
    let home = tempfile::tempdir().unwrap();
    if let Some(path) = file_with(&home, FILE_ATTRIBUTE_ENCRYPTED) {
        replaced(&path);
        assert_ne!(attributes_of(&path) & FILE_ATTRIBUTE_ENCRYPTED, 0);
    }
    let path = home.path().join("compressed");
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    match sso_windows::compress(&file) {
        Ok(()) if attributes_of(&path) & FILE_ATTRIBUTE_COMPRESSED != 0 => {
            drop(file);
            assert_eq!(replaced(&path).lost, Vec::<String>::new());
            assert_ne!(attributes_of(&path) & FILE_ATTRIBUTE_COMPRESSED, 0);
        }
        refused => println!("SKIPPED: this file system does not compress files: {refused:?}."),
    }
}

#[test]
fn the_time_of_creation_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    let created = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    let file = File::create_new(&path).unwrap();
    file.set_times(std::fs::FileTimes::new().set_created(created)).unwrap();
    drop(file);
    if std::fs::metadata(&path).unwrap().created().unwrap() != created {
        println!("SKIPPED: this system does not keep the time at which a file was created.");
        return;
    }
    replaced(&path);
    assert_eq!(std::fs::metadata(&path).unwrap().created().unwrap(), created);
}

#[test]
fn the_other_streams_of_a_file_stay_and_one_that_is_too_large_is_said() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    std::fs::write(&path, "old").unwrap();
    let stream = |name: &str| PathBuf::from(format!("{}:{name}", path.display()));
    let zone = "[ZoneTransfer]\r\nZoneId=3\r\n";
    let written = std::fs::write(stream("Zone.Identifier"), zone).and_then(|()| std::fs::write(stream("large"), vec![0; 2 * 1024 * 1024]));
    let found = sso_windows::streams(&File::open(&path).unwrap());
    if written.is_err() || found.len() != 2 {
        println!("SKIPPED: this file system has no streams: {written:?}, {found:?}.");
        return;
    }
    assert_eq!(replaced(&path).lost, ["the data stream large"]);
    assert_eq!(std::fs::read_to_string(stream("Zone.Identifier")).unwrap(), zone);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(replaced(&path).lost, Vec::<String>::new());
}

#[test]
fn another_name_of_a_file_is_said() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("file");
    std::fs::write(&path, "old").unwrap();
    std::fs::hard_link(&path, home.path().join("other")).unwrap();
    assert!(replaced(&path).had_hard_links);
    assert_eq!(std::fs::read_to_string(home.path().join("other")).unwrap(), "old");
    assert!(!replaced(&path).had_hard_links);
}
