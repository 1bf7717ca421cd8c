//! The names of the keys of an ini file, each of which is made once.

use std::collections::HashMap;
use std::sync::Arc;

/// The names of all keys so far, so that each is made once.
#[derive(Debug, Default)]
pub(super) struct KeyNames<'a> {
    by_spelling: HashMap<&'a [u8], usize>,
    by_name: HashMap<Arc<str>, usize>,
    all: Vec<KeyName<'a>>,
    /// Where the next key probably is, since most sections have the same keys in the same order.
    next: usize,
}

/// The name of a key, and where it last appeared.
#[derive(Debug)]
pub(super) struct KeyName<'a> {
    /// As it was first spelled.
    spelling: &'a [u8],
    /// In lowercase.
    pub(super) name: Arc<str>,
    /// The number of sections at its last appearance, `[DEFAULT]` excluded.
    last_section: usize,
    is_in_default: bool,
}

impl<'a> KeyNames<'a> {
    /// The name that is spelled so.
    pub(super) fn of(&mut self, spelling: &'a [u8]) -> &mut KeyName<'a> {
        let index = if self.all.get(self.next).is_some_and(|next| next.spelling == spelling) {
            self.next
        } else if let Some(index) = self.by_spelling.get(spelling) {
            *index
        } else {
            self.add(spelling)
        };
        self.next = index + 1;
        &mut self.all[index]
    }

    fn add(&mut self, spelling: &'a [u8]) -> usize {
        let name: Arc<str> = String::from_utf8_lossy(spelling).to_lowercase().into();
        let index = *self.by_name.entry(Arc::clone(&name)).or_insert(self.all.len());
        if index == self.all.len() {
            self.all.push(KeyName { spelling, name, last_section: 0, is_in_default: false });
        }
        self.by_spelling.insert(spelling, index);
        index
    }
}

impl KeyName<'_> {
    /// Notes that the key appears in a section, by the number of sections so far. Returns whether it is the first time.
    pub(super) fn enter(&mut self, section: usize, is_default: bool) -> bool {
        if is_default { !std::mem::replace(&mut self.is_in_default, true) } else { std::mem::replace(&mut self.last_section, section) != section }
    }
}
