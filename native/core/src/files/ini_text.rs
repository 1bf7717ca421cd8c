//! Finds sections, keys and line numbers in an ini file, and edits it without changing any other byte.
//!
//! The rules are those of Python's configparser as botocore uses it: an AWS tool may fail to read what configparser refuses.

mod key_names;
mod lines;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use bstr::ByteSlice as _;
use zeroize::Zeroizing;

use crate::secret::SecretBytes;
use crate::text_encoding::Encoding;

use self::key_names::KeyNames;
pub(crate) use self::lines::is_space;
use self::lines::{Line, lines_of, trimmed};

/// The section whose values apply in every other section that does not set them.
pub(crate) const DEFAULT_SECTION: &str = "DEFAULT";

/// About as many keys as a section of the credentials file has.
const USUAL_KEYS: usize = 8;

/// Why configparser refuses a file; never quotes a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FaultKind {
    #[error("the section [{0}] is already defined")]
    DuplicateSection(String),
    #[error("the key {0} is already set in its section")]
    DuplicateKey(String),
    #[error("the line is before the first section")]
    BeforeFirstSection,
    #[error("the line is neither a section, nor a key with a value, nor a comment")]
    BrokenLine,
}

/// A fault and its line, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {kind}")]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) kind: FaultKind,
}

/// A scanned text.
#[derive(Debug)]
pub(crate) struct IniText<'a> {
    bytes: &'a [u8],
    lines: Vec<Line>,
    pub(crate) sections: Vec<Section>,
}

/// A section of the text.
#[derive(Debug)]
pub(crate) struct Section {
    name: Vec<u8>,
    /// The index of the header's line.
    header: usize,
    pub(crate) keys: Vec<Key>,
    /// The last line of the section that is not part of a key: its header, or a broken line.
    last_other_line: usize,
}

/// A key of a section.
#[derive(Debug)]
pub(crate) struct Key {
    /// In lowercase, as configparser compares names. Keys of the same name share it, since most sections of a file have the same keys.
    pub(crate) name: Arc<str>,
    first_line: usize,
    /// The last line of its value.
    last_line: usize,
    value: Range<usize>,
    /// The lines on which the value continues.
    continued: Vec<Range<usize>>,
}

impl Section {
    /// The name, if it is UTF-8.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.to_str().ok()
    }

    /// The header's line, counted from 1.
    pub(crate) fn line(&self) -> usize {
        self.header + 1
    }

    pub(crate) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| *key.name == *name)
    }

    fn last_line(&self) -> usize {
        self.keys.last().map_or(0, |key| key.last_line).max(self.last_other_line)
    }

    /// The name, with a replacement character for each byte sequence that is not UTF-8.
    pub(crate) fn name_lossy(&self) -> Cow<'_, str> {
        self.name.to_str_lossy()
    }
}

impl Key {
    /// The key's line, counted from 1.
    pub(crate) fn line(&self) -> usize {
        self.first_line + 1
    }

    /// Whether it has a value that is not empty.
    pub(crate) fn is_filled(&self) -> bool {
        self.parts().any(|part| !part.is_empty())
    }

    /// The parts of its value, by line.
    fn parts(&self) -> impl DoubleEndedIterator<Item = &Range<usize>> {
        std::iter::once(&self.value).chain(&self.continued)
    }
}

/// What configparser remembers from the lines before the current one.
#[derive(Debug, Default)]
struct ScanState<'a> {
    names: HashSet<&'a [u8]>,
    /// `[DEFAULT]` may appear again, but its keys may not.
    keys: KeyNames<'a>,
    in_default: bool,
    in_key: bool,
    indent_level: usize,
}

impl<'a> ScanState<'a> {
    fn enter(&mut self, section: &'a [u8]) -> Result<(), FaultKind> {
        self.in_key = false;
        self.in_default = section == DEFAULT_SECTION.as_bytes();
        if self.names.insert(section) || self.in_default { Ok(()) } else { Err(FaultKind::DuplicateSection(String::from_utf8_lossy(section).into_owned())) }
    }
}

/// What to change in one section; a missing section is added.
#[derive(Debug, Clone, Default)]
pub(crate) struct SectionEdit<'a> {
    pub(crate) section: &'a str,
    /// The new name of the section, if it gets one.
    pub(crate) rename: Option<&'a str>,
    /// Keys in lowercase with their new values; missing keys are added in this order.
    pub(crate) set: Vec<(&'a str, &'a str)>,
    pub(crate) remove: &'a [&'a str],
    /// The section after which a missing section is added; by default, or if it does not exist, the end of the text.
    pub(crate) behind: Option<&'a str>,
}

impl<'a> IniText<'a> {
    /// Scans a text.
    ///
    /// # Errors
    /// The first fault for which configparser refuses the text.
    pub(crate) fn scan(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut first = None;
        let text = Self::scan_while(bytes, |_, fault| {
            first = Some(fault);
            ControlFlow::Break(())
        });
        first.map_or(Ok(text), Err)
    }

    /// Scans the whole text and returns all faults for which configparser refuses it, each with the index of the section that contains it.
    pub(crate) fn scan_with_faults(bytes: &'a [u8]) -> (Self, Vec<(Option<usize>, Fault)>) {
        let mut faults = Vec::new();
        let text = Self::scan_while(bytes, |section, fault| {
            faults.push((section, fault));
            ControlFlow::Continue(())
        });
        (text, faults)
    }

    /// Scans until `on_fault` breaks. Adds a duplicate section or key once more, and skips a line that is neither.
    fn scan_while(bytes: &'a [u8], mut on_fault: impl FnMut(Option<usize>, Fault) -> ControlFlow<()>) -> Self {
        let mut text = Self { bytes, lines: lines_of(bytes), sections: Vec::new() };
        let mut state = ScanState::default();
        for index in 0..text.lines.len() {
            if let Err(kind) = text.take_line(index, &mut state)
                && on_fault(text.sections.len().checked_sub(1), Fault { line: index + 1, kind }).is_break()
            {
                break;
            }
        }
        text
    }

    fn take_line(&mut self, index: usize, state: &mut ScanState<'a>) -> Result<(), FaultKind> {
        let bytes = self.bytes;
        let line = self.lines[index].content.clone();
        let text = trimmed(bytes, line.clone());
        let open_key = self.sections.last_mut().and_then(|section| section.keys.last_mut()).filter(|_| state.in_key);
        match (bytes[text.clone()].first(), open_key) {
            // A blank line is part of a value that continues after it.
            (None, Some(key)) => {
                key.continued.push(text);
                return Ok(());
            }
            (None | Some(b'#' | b';'), _) => return Ok(()),
            (Some(_), Some(key)) if bytes[line.start..text.start].chars().count() > state.indent_level => {
                key.last_line = index;
                key.continued.push(text);
                return Ok(());
            }
            _ => {}
        }
        state.indent_level = bytes[line.start..text.start].chars().count();
        if let Some(name) = header_name(&bytes[text.clone()]) {
            self.sections.push(Section { name: name.to_vec(), header: index, keys: Vec::with_capacity(USUAL_KEYS), last_other_line: index });
            return state.enter(name);
        }
        let number = self.sections.len();
        let Some(section) = self.sections.last_mut() else { return Err(FaultKind::BeforeFirstSection) };
        let delimiter = bytes[text.clone()].find_byteset(b"=:").map(|offset| text.start + offset);
        let spelling = delimiter.map(|delimiter| &bytes[trimmed(bytes, text.start..delimiter)]);
        let (Some(delimiter), Some(spelling)) = (delimiter, spelling.filter(|spelling| !spelling.is_empty())) else {
            section.last_other_line = index;
            return Err(FaultKind::BrokenLine);
        };
        let value = trimmed(bytes, delimiter + 1..text.end);
        let known = state.keys.of(spelling);
        section.keys.push(Key { name: Arc::clone(&known.name), first_line: index, last_line: index, value, continued: Vec::new() });
        state.in_key = true;
        if known.enter(number, state.in_default) { Ok(()) } else { Err(FaultKind::DuplicateKey(known.name.to_string())) }
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name.as_bytes())
    }

    /// Whether a section has only these keys and no comment, neither among them nor directly after the last one.
    pub(crate) fn has_only(&self, section: &Section, keys: &[&str]) -> bool {
        let behind_header = (section.header + 1..self.lines.len()).map(|index| (index, &self.bytes[trimmed(self.bytes, self.lines[index].content.clone())]));
        let has_comment = behind_header
            .take_while(|(index, content)| *index <= section.last_line() || !(content.is_empty() || content.starts_with(b"[")))
            .any(|(_, content)| matches!(content.first(), Some(b'#' | b';')));
        section.keys.iter().all(|key| keys.contains(&&*key.name)) && !has_comment
    }

    /// The first line that is not UTF-8, counted from 1.
    pub(crate) fn line_not_utf8(&self) -> Option<usize> {
        if let Encoding::Ansi { line } = Encoding::of(self.bytes) { Some(line) } else { None }
    }

    /// The first key of a section whose value is not UTF-8; the text of such a value is not the one that was meant.
    pub(crate) fn key_not_utf8<'s>(&self, section: &'s Section) -> Option<&'s Key> {
        section.keys.iter().find(|key| !self.is_utf8(key))
    }

    /// Whether the value of a key is UTF-8.
    pub(crate) fn is_utf8(&self, key: &Key) -> bool {
        key.parts().all(|range| self.bytes[range.clone()].to_str().is_ok())
    }

    /// The value of a key, with its continuation lines joined by line feeds, and a replacement character for each byte sequence that is not UTF-8.
    pub(crate) fn value(&self, key: &Key) -> Zeroizing<String> {
        Zeroizing::new(self.plain_value(key))
    }

    /// The same, of a key that has no secret.
    pub(crate) fn plain_value(&self, key: &Key) -> String {
        let blank = key.parts().rev().take_while(|range| range.is_empty()).count();
        let mut value = String::new();
        for (index, range) in key.parts().take(1 + key.continued.len() - blank).enumerate() {
            if index > 0 {
                value.push('\n');
            }
            value.push_str(&self.bytes[range.clone()].to_str_lossy());
        }
        value
    }

    /// The value of a key in a section, if the section has the key.
    pub(crate) fn value_of(&self, section: &Section, name: &str) -> Option<Zeroizing<String>> {
        section.key(name).map(|key| self.value(key))
    }

    /// The text without the sections at these indices and the blank lines after each of them.
    pub(crate) fn without(&self, sections: &[usize]) -> SecretBytes {
        let mut change = Change::new(self);
        for index in sections {
            change.remove_section(*index);
        }
        change.finish()
    }

    /// The text with these edits, without the sections named in `removed` and the blank lines after each of them.
    pub(crate) fn edited(&self, edits: &[SectionEdit<'_>], removed: &[&str]) -> SecretBytes {
        let by_name: HashMap<&[u8], usize> = self.sections.iter().enumerate().map(|(index, section)| (section.name.as_slice(), index)).collect();
        let mut change = Change::new(self);
        for name in removed {
            if let Some(index) = by_name.get(name.as_bytes()) {
                change.remove_section(*index);
            }
        }
        for edit in edits {
            match by_name.get(edit.section.as_bytes()) {
                Some(index) => change.edit_section(&self.sections[*index], edit),
                None => change.add_section(edit, edit.behind.and_then(|name| by_name.get(name.as_bytes()).copied())),
            }
        }
        change.finish()
    }
}

fn header_name(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"[")?;
    // `\[(?P<header>.+)\]` is greedy: up to the last bracket, with at least one character.
    Some(&rest[..rest.rfind_byte(b']')?]).filter(|name| !name.is_empty())
}

/// Edits collected by line, so that each untouched line is copied unchanged.
struct Change<'t, 'a> {
    text: &'t IniText<'a>,
    replaced: HashMap<usize, SecretBytes>,
    dropped: HashSet<usize>,
    added_behind: BTreeMap<usize, Vec<SecretBytes>>,
    added_at_end: Vec<SecretBytes>,
}

impl<'t, 'a> Change<'t, 'a> {
    fn new(text: &'t IniText<'a>) -> Self {
        Self { text, replaced: HashMap::new(), dropped: HashSet::new(), added_behind: BTreeMap::new(), added_at_end: Vec::new() }
    }

    /// The white space at the start of a line: a key indented further than the one before it would continue that key's value.
    fn indent(&self, line: usize) -> &'a [u8] {
        let content = self.text.lines[line].content.clone();
        &self.text.bytes[content.start..trimmed(self.text.bytes, content).start]
    }

    fn is_blank(&self, line: usize) -> bool {
        trimmed(self.text.bytes, self.text.lines[line].content.clone()).is_empty()
    }

    fn is_comment(&self, line: usize) -> bool {
        let content = trimmed(self.text.bytes, self.text.lines[line].content.clone());
        matches!(self.text.bytes[content].first(), Some(b'#' | b';'))
    }

    fn drop_value_lines(&mut self, key: &Key) {
        for line in key.first_line + 1..=key.last_line {
            if !self.is_blank(line) && !self.is_comment(line) {
                self.dropped.insert(line);
            }
        }
    }

    fn edit_section(&mut self, section: &Section, edit: &SectionEdit<'_>) {
        if let Some(name) = edit.rename {
            self.rename_section(section, name);
        }
        let mut last_own: Option<&Key> = None;
        for key in &section.keys {
            if let Some((name, value)) = edit.set.iter().find(|(name, _)| **name == *key.name) {
                last_own = Some(key);
                if *self.text.value(key) != **value {
                    let line = key_line(self.indent(key.first_line), name, value);
                    self.replaced.insert(key.first_line, line);
                    self.drop_value_lines(key);
                }
            } else if edit.remove.contains(&&*key.name) {
                self.dropped.insert(key.first_line);
                self.drop_value_lines(key);
            }
        }
        let missing: Vec<_> = edit.set.iter().filter(|(name, _)| section.key(name).is_none()).collect();
        if missing.is_empty() {
            return;
        }
        let neighbour = last_own.or(section.keys.last());
        let place = neighbour.map_or(section.header, |key| key.last_line);
        let indent = match neighbour {
            Some(key) => self.indent(key.first_line),
            // The line after a header without keys is the next header; with the same indent, that header does not become a value.
            None => self.text.sections.iter().find(|other| other.header > section.header).map_or(&[][..], |next| self.indent(next.header)),
        };
        let lines = missing.into_iter().map(|(name, value)| key_line(indent, name, value));
        self.added_behind.entry(place).or_default().extend(lines);
    }

    /// Replaces the name between the brackets of a header; the text around them stays.
    fn rename_section(&mut self, section: &Section, name: &str) {
        let line = &self.text.bytes[self.text.lines[section.header].content.clone()];
        let (Some(start), Some(end)) = (line.find_byte(b'['), line.rfind_byte(b']')) else { return };
        let header = [&line[..=start], name.as_bytes(), &line[end..]].concat();
        self.replaced.insert(section.header, SecretBytes::from(header));
    }

    fn add_section(&mut self, edit: &SectionEdit<'_>, behind: Option<usize>) {
        let mut lines = vec![SecretBytes::default(), SecretBytes::from(format!("[{}]", edit.section).into_bytes())];
        lines.extend(edit.set.iter().map(|(name, value)| key_line(b"", name, value)));
        // Only if the next header is not indented; otherwise that header would become a value of the new section.
        let anchor = behind.filter(|index| self.text.sections.get(index + 1).is_some_and(|next| self.indent(next.header).is_empty()));
        match anchor {
            Some(index) => {
                let place = self.text.sections[index].last_line();
                self.added_behind.entry(place).or_default().extend(lines);
            }
            None => self.added_at_end.extend(lines),
        }
    }

    fn remove_section(&mut self, index: usize) {
        let section = &self.text.sections[index];
        let mut last = section.last_line();
        while last + 1 < self.text.lines.len() && self.is_blank(last + 1) {
            last += 1;
        }
        self.dropped.extend(section.header..=last);
    }

    /// The end of a line, or of the one before it if the line is the last one and has none.
    fn line_end(&self, index: usize) -> Option<&'a [u8]> {
        let ends = self.text.lines[index.saturating_sub(1)..=index].iter().rev().map(|line| &self.text.bytes[line.content.end..line.end]);
        ends.into_iter().find(|end| !end.is_empty())
    }

    fn finish(self) -> SecretBytes {
        let bytes = self.text.bytes;
        let ends_open = self.text.lines.last().is_some_and(|line| line.end == line.content.end);
        let first_end = self.text.lines.first().map(|line| &bytes[line.content.end..line.end]).filter(|end| !end.is_empty());
        let mut line_end: &[u8] = first_end.unwrap_or(b"\n");
        // Reserves all of it at once, so that a growing buffer leaves no copy of a secret in memory.
        let added: usize = self.added_behind.values().flatten().chain(&self.added_at_end).chain(self.replaced.values()).map(|line| line.len() + 2).sum();
        let mut out = SecretBytes::with_capacity(bytes.len() + added + 4);
        let mut last_content = 0..0;
        let changed: BTreeSet<usize> = self.replaced.keys().chain(&self.dropped).chain(self.added_behind.keys()).copied().collect();
        let mut next = 0;
        for index in changed.into_iter().chain([self.text.lines.len()]) {
            // All lines up to the next change at once.
            if let Some(last) = self.text.lines[next..index].last() {
                line_end = self.line_end(index - 1).unwrap_or(line_end);
                let content = out.len() + last.content.start - self.text.lines[next].content.start;
                out.extend_from_slice(&bytes[self.text.lines[next].content.start..last.content.end]);
                last_content = content..out.len();
                out.extend_from_slice(line_end);
            }
            next = index + 1;
            let Some(line) = self.text.lines.get(index) else { break };
            line_end = self.line_end(index).unwrap_or(line_end);
            let own = self.replaced.get(&index).map_or(&bytes[line.content.clone()], |new| new.as_slice());
            let own = (!self.dropped.contains(&index)).then_some(own);
            let added = self.added_behind.get(&index).into_iter().flatten().map(|new| new.as_slice());
            for content in own.into_iter().chain(added) {
                let start = out.len();
                out.extend_from_slice(content);
                last_content = start..out.len();
                out.extend_from_slice(line_end);
            }
        }
        let mut added_at_end = self.added_at_end.into_iter().peekable();
        // One blank line before a new section, but none at the start of the text or after another blank line.
        let last_is_blank = trimmed(&out, last_content.clone()).is_empty();
        if last_is_blank && added_at_end.peek().is_some_and(|line| line.is_empty()) {
            added_at_end.next();
        }
        for new in added_at_end {
            let start = out.len();
            out.extend_from_slice(&new);
            last_content = start..out.len();
            out.extend_from_slice(line_end);
        }
        if ends_open {
            out.truncate(last_content.end);
        }
        out
    }
}

fn key_line(indent: &[u8], name: &str, value: &str) -> SecretBytes {
    let mut line = SecretBytes::with_capacity(indent.len() + name.len() + value.len() + 3);
    line.extend_from_slice(indent);
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b" = ");
    line.extend_from_slice(value.as_bytes());
    line
}

#[cfg(test)]
pub(crate) mod attack;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn edit(text: &str, edits: &[SectionEdit<'_>]) -> String {
        let out = IniText::scan(text.as_bytes()).unwrap().edited(edits, &[]);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn set<'a>(section: &'a str, set: &[(&'a str, &'a str)]) -> SectionEdit<'a> {
        SectionEdit { section, set: set.to_vec(), ..SectionEdit::default() }
    }

    fn fault_of(text: &[u8]) -> (usize, FaultKind) {
        let fault = IniText::scan(text).unwrap_err();
        (fault.line, fault.kind)
    }

    #[test]
    fn text_that_configparser_refuses_is_refused_with_the_line() {
        assert_eq!(fault_of(b"[a]\nx = 1\n\n[b]\n[a]\n"), (5, FaultKind::DuplicateSection("a".into())));
        assert_eq!(fault_of(b"[a]\nx = 1\nX : 2\n"), (3, FaultKind::DuplicateKey("x".into())));
        assert_eq!(fault_of(b"# c\nx = 1\n[a]\n"), (2, FaultKind::BeforeFirstSection));
        assert_eq!(fault_of(b"[a]\r\nx = 1\r\nbroken\r\n"), (3, FaultKind::BrokenLine));
        assert_eq!(fault_of(b"[a]\n= 1\n"), (2, FaultKind::BrokenLine));
        assert_eq!(fault_of(b"[a\n"), (1, FaultKind::BeforeFirstSection));
        assert_eq!(fault_of(b"[a]\n[]\n"), (2, FaultKind::BrokenLine));
        assert_eq!(fault_of("\u{feff}[a]\n".as_bytes()), (1, FaultKind::BeforeFirstSection));
        assert_eq!(fault_of(b"[a]\rx\r"), (2, FaultKind::BrokenLine));
    }

    #[test]
    fn values_are_the_same_as_in_configparser() {
        let text = "[a]\nS3 =\n  region = x\n  # no value\n\n  more\nlast:v # kept\n[ b ] tail\n\tk\t=\t\u{e4} \n";
        let scan = IniText::scan(text.as_bytes()).unwrap();
        let all: Vec<_> = scan.sections.iter().flat_map(|s| s.keys.iter().map(|k| (s.name().unwrap(), &*k.name, scan.value(k).to_string()))).collect();
        assert_eq!(all, [("a", "s3", "\nregion = x\n\nmore".to_owned()), ("a", "last", "v # kept".to_owned()), (" b ", "k", "\u{e4}".to_owned())]);
    }

    #[test]
    fn an_edit_changes_only_the_lines_of_its_keys() {
        let text = "# top\r\n[a]\r\nregion = r\r\nAWS_Access_Key_Id=old\r\n# note\r\ns3 =\r\n  x = 1\r\n\r\n[b]\nk=v";
        let out = edit(text, &[set("a", &[("aws_access_key_id", "new"), ("aws_session_token", "t")])]);
        assert_eq!(out, "# top\r\n[a]\r\nregion = r\r\naws_access_key_id = new\r\naws_session_token = t\r\n# note\r\ns3 =\r\n  x = 1\r\n\r\n[b]\nk=v");
    }

    #[test]
    fn a_new_section_is_added_last_and_keeps_the_line_endings() {
        assert_eq!(edit("", &[set("a", &[("k", "v")])]), "[a]\nk = v\n");
        assert_eq!(edit("[b]\r\nx=1", &[set("a", &[("k", "v")])]), "[b]\r\nx=1\r\n\r\n[a]\r\nk = v");
        assert_eq!(edit("[b]\nx=1\n\n", &[set("a", &[("k", "v")]), set("c", &[("k", "v")])]), "[b]\nx=1\n\n[a]\nk = v\n\n[c]\nk = v\n");
    }

    #[test]
    fn added_keys_never_become_part_of_a_value_or_turn_a_line_into_one() {
        assert_eq!(edit("[a]\n  x = 1\n  y = 2\n", &[set("a", &[("k", "v")])]), "[a]\n  x = 1\n  y = 2\n  k = v\n");
        assert_eq!(edit("[a]\n  [b]\n  x = 1\n", &[set("a", &[("k", "v")])]), "[a]\n  k = v\n  [b]\n  x = 1\n");
    }

    #[test]
    fn a_multiline_value_is_replaced_whole_and_its_comments_stay() {
        assert_eq!(edit("[a]\nk = 1\n  2\n# c\n  3\nz = 1\n", &[set("a", &[("k", "v")])]), "[a]\nk = v\n# c\nz = 1\n");
    }

    #[test]
    fn removing_keys_and_sections_leaves_the_rest() {
        let text = "[a]\nk = 1\nold = x\n  y\nz = 1\n\n# of b\n[b]\nq = 1\n";
        let scan = IniText::scan(text.as_bytes()).unwrap();
        let remove = SectionEdit { section: "a", remove: &["old"], ..SectionEdit::default() };
        assert_eq!(scan.edited(&[remove], &[]).as_slice(), b"[a]\nk = 1\nz = 1\n\n# of b\n[b]\nq = 1\n");
        assert_eq!(scan.edited(&[], &["a"]).as_slice(), b"# of b\n[b]\nq = 1\n");
    }

    #[test]
    fn a_renamed_header_keeps_its_indent_and_the_text_after_it() {
        let rename = |section| SectionEdit { rename: Some("a"), ..set(section, &[("k", "v")]) };
        assert_eq!(edit("  [ a ] # [x] mine\n  k = 1\n[b]\n", &[rename(" a ] # [x")]), "  [a] mine\n  k = v\n[b]\n");
        assert_eq!(edit("\t[ a ] tail\r\nk=1\r\n", &[rename(" a ")]), "\t[a] tail\r\nk = v\r\n");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_kept() {
        let text = b"[a]\n# \xff\xfe\nname = caf\xe9\n[\xe9]\nk=v\n";
        let out = IniText::scan(text).unwrap().edited(&[set("a", &[("k", "v")])], &[]);
        assert_eq!(out.as_slice(), b"[a]\n# \xff\xfe\nname = caf\xe9\nk = v\n[\xe9]\nk=v\n");
    }

    /// Generates lines of every kind, and removes each line for which configparser would refuse the text.
    fn any_text() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just(String::new()),
            Just("   ".into()),
            Just("# c".into()),
            Just("  ; c".into()),
            "[ \t]{0,2}\\[[a-c ]{1,2}\\]( x)?",
            "[ \t]{0,3}[A-Ckx]{1,2} {0,2}[=:] {0,2}[a-z\u{e4}=#\\[\\]\\\\]{0,3}",
            "  [ ]?[a-z]{1,3}",
            Just("aws_access_key_id = old".into()),
            Just("  AWS_SECRET_ACCESS_KEY : old".into()),
            Just("aws_security_token=old".into()),
        ];
        let end = prop_oneof![6 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r")];
        (proptest::collection::vec((line, end), 0..24), any::<bool>()).prop_map(|(mut lines, open)| {
            loop {
                let mut text: String = lines.iter().flat_map(|(line, end)| [line, *end]).collect();
                if open {
                    text.truncate(text.trim_end_matches(['\r', '\n']).len());
                }
                match IniText::scan(text.as_bytes()) {
                    Ok(_) => return text,
                    Err(fault) => drop(lines.remove(fault.line - 1)),
                }
            }
        })
    }

    fn contents(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
        let scan = IniText::scan(text.as_bytes()).unwrap();
        scan.sections.iter().map(|s| (s.name().unwrap().to_owned(), s.keys.iter().map(|k| (k.name.to_string(), scan.value(k).to_string())).collect())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn an_edit_changes_what_it_names_and_nothing_else(text in any_text(), target in prop_oneof![Just("a"), Just("b"), Just(" c"), Just("new one")]) {
            let mut change = set(target, &[("aws_access_key_id", "AKIA"), ("aws_secret_access_key", "s/+=")]);
            change.remove = &["aws_security_token"];
            let out = edit(&text, &[change.clone()]);
            let mut expected = contents(&text);
            let section = expected.entry(target.to_owned()).or_default();
            section.remove("aws_security_token");
            section.extend(change.set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
            prop_assert_eq!(contents(&out), expected);
            // The same edit again changes nothing, and all lines that are not ours are there, in order.
            prop_assert_eq!(&edit(&out, &[change]), &out);
            let ours = |line: &&str| line.to_lowercase().contains("aws_");
            let kept: Vec<_> = out.split(['\r', '\n']).filter(|line| !ours(line)).collect();
            let mut rest = kept.iter();
            if !text.to_lowercase().contains("aws_") {
                for line in text.split(['\r', '\n']).filter(|line| !line.trim().is_empty()) {
                    prop_assert!(rest.any(|other| *other == line), "{line:?} is missing from {out:?}");
                }
            }
        }
    }
}
