//! What became of a file that was replaced.

use std::path::Path;

use crate::text::listed;

/// What a write did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Whether the file was replaced.
    pub(crate) changed: bool,
    /// Whether other users could read the old file; they cannot read the new one.
    pub(crate) made_private: bool,
    /// Whether the old file had hard links, which still lead to the old bytes.
    pub(crate) had_hard_links: bool,
    /// What the old file had and the new one could not get, each in words.
    pub(crate) lost: Vec<String>,
}

impl Written {
    /// What [`Self::warnings`] says, after who can no longer read the file.
    pub(crate) fn all_warnings(&self, file: &Path) -> Vec<String> {
        let private = format!("Other users could read {}. Now only you can.", file.display());
        Some(private).filter(|_| self.made_private).into_iter().chain(self.warnings(file)).collect()
    }

    /// What the user should know of the new file, as sentences: it is said when it happens, since the next write finds nothing of it.
    pub(crate) fn warnings(&self, file: &Path) -> Vec<String> {
        let file = file.display();
        let linked = format!("{file} has another name (a hard link) that still leads to the old text. Use a symbolic link instead.");
        let lost: Vec<&str> = self.lost.iter().map(String::as_str).collect();
        let incomplete = format!("{file} was replaced without {}, which could not be copied.", listed(&lost, 5));
        let said = [(self.had_hard_links, linked), (!lost.is_empty(), incomplete)];
        said.into_iter().filter(|(happened, _)| *happened).map(|(_, sentence)| sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_behind_is_said_in_words() {
        let path = Path::new("file");
        assert!(Written { changed: true, ..Written::default() }.warnings(path).is_empty());
        let written = Written { had_hard_links: true, lost: vec!["the data stream a".to_owned(), "its compression".to_owned()], ..Written::default() };
        assert_eq!(
            written.warnings(path),
            [
                "file has another name (a hard link) that still leads to the old text. Use a symbolic link instead.",
                "file was replaced without the data stream a, its compression, which could not be copied."
            ]
        );
    }
}
