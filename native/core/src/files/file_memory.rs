//! Remembers what was read from files, so that an unchanged file is not read again.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::files::safe_write::{Contents, Identity, SafeFile};
use crate::mutex::locked;
use crate::patience::WaitLimit;

/// Time stamps are no finer than the system's tick, so a file that changed within it could change again and look the same.
const TICK: Duration = Duration::from_millis(20);

/// The parsed contents of files of one kind, by path.
#[derive(Debug)]
pub(crate) struct FileMemory<T>(Mutex<HashMap<PathBuf, Remembered<T>>>);

/// What was read from a file.
#[derive(Debug)]
struct Remembered<T> {
    /// `None` if there was no file.
    identity: Option<Identity>,
    /// Whether a file with this identity has these contents: one that changed a moment ago can change again and look the same.
    is_settled: bool,
    parsed: Arc<T>,
}

impl<T> Default for FileMemory<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> FileMemory<T> {
    /// What was last read from the file at a path, which may have changed since. Reads no file; only a path that is not known is looked at, since it
    /// may be a link.
    pub(crate) fn last(&self, path: &Path) -> Option<Arc<T>> {
        let known = |path: &Path| locked(&self.0).get(path).map(|remembered| Arc::clone(&remembered.parsed));
        known(path).or_else(|| known(SafeFile::at(path, &WaitLimit::default()).path()))
    }

    /// Returns what `parse` makes of the file, or of no bytes if it does not exist. Reads the file only if it has changed since the last read.
    pub(crate) fn of(&self, file: &SafeFile, parse: impl FnOnce(&[u8]) -> Result<T, Error>) -> Result<Arc<T>, Error> {
        let identity = file.identity()?;
        let mut files = locked(&self.0);
        if let Some(remembered) = files.get(file.path()).filter(|remembered| remembered.is_settled && remembered.identity == identity) {
            return Ok(Arc::clone(&remembered.parsed));
        }
        files.remove(file.path());
        if identity.is_none() {
            let parsed = Arc::new(parse(&[])?);
            files.insert(file.path().to_owned(), Remembered { identity: None, is_settled: true, parsed: Arc::clone(&parsed) });
            return Ok(parsed);
        }
        let Some(Contents { bytes, identity }) = file.read()? else { return parse(&[]).map(Arc::new) };
        let parsed = Arc::new(parse(&bytes)?);
        let is_settled = identity.is_older_than(TICK, SystemTime::now());
        files.insert(file.path().to_owned(), Remembered { identity: Some(identity), is_settled, parsed: Arc::clone(&parsed) });
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_read_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let (file, memory) = (SafeFile::at(&path, &WaitLimit::default()), FileMemory::default());
        let mut read = 0;
        let mut text = || {
            let text = memory.of(&file, |bytes| {
                read += 1;
                Ok(String::from_utf8_lossy(bytes).into_owned())
            });
            (text.unwrap().as_str().to_owned(), read)
        };
        assert_eq!(text(), (String::new(), 1), "there is no file");
        std::fs::write(&path, "one").unwrap();
        std::thread::sleep(TICK * 2);
        assert_eq!([text(), text(), text()].map(|(text, read)| (text, read)), [2; 3].map(|read| ("one".to_owned(), read)));
        std::fs::write(&path, "two").unwrap();
        std::thread::sleep(TICK * 2);
        assert_eq!([text(), text()].map(|(text, read)| (text, read)), [3; 2].map(|read| ("two".to_owned(), read)));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(text().0, "");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(text().0, "two");
    }

    #[test]
    fn changes_in_quick_succession_are_all_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let (file, memory) = (SafeFile::at(&path, &WaitLimit::default()), FileMemory::default());
        for number in 100..300 {
            std::fs::write(&path, number.to_string()).unwrap();
            let read = memory.of(&file, |bytes| Ok(String::from_utf8_lossy(bytes).into_owned())).unwrap();
            assert_eq!(*read, number.to_string());
        }
    }

    #[test]
    fn a_file_that_failed_to_parse_is_parsed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "x").unwrap();
        std::thread::sleep(TICK * 2);
        let (file, memory) = (SafeFile::at(&path, &WaitLimit::default()), FileMemory::default());
        let wrong = || Error::new(crate::error::Code::ReadFailed, "wrong");
        assert!(memory.of(&file, |_| Err::<(), _>(wrong())).is_err());
        assert!(memory.of(&file, |_| Ok(())).is_ok());
    }

    #[test]
    fn a_file_that_changed_a_moment_ago_is_read_again_since_it_could_change_once_more_and_look_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "x").unwrap();
        let changed_at = |time| std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        let reads = || {
            let (file, memory, mut read) = (SafeFile::at(&path, &WaitLimit::default()), FileMemory::default(), 0);
            for _ in 0..3 {
                let parsed = memory.of(&file, |_| {
                    read += 1;
                    Ok(read)
                });
                assert!(parsed.is_ok());
            }
            read
        };
        changed_at(SystemTime::now() + Duration::from_hours(1));
        assert_eq!(reads(), 3, "as after the clock was set back");
        changed_at(SystemTime::now() - Duration::from_hours(1));
        assert_eq!(reads(), 1);
    }
}
