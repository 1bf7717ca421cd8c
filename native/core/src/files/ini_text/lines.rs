//! The lines of an ini file, and what Python's `str.strip` removes from them.

use std::ops::Range;

use bstr::ByteSlice as _;

/// A line of the text.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) content: Range<usize>,
    /// The end of the line, where the next one starts.
    pub(super) end: usize,
}

/// Whether Python's `str.strip` removes the character.
pub(crate) fn is_space(c: char) -> bool {
    // Python's str.isspace includes the four separators.
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

pub(super) fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let content = &bytes[range.clone()];
    // Nearly always, there is nothing to remove.
    let is_bare = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let start = if is_bare(content.first()) { 0 } else { content.len() - content.trim_start_with(is_space).len() };
    let content = &content[start..];
    let length = if is_bare(content.last()) { content.len() } else { content.trim_end_with(is_space).len() };
    range.start + start..range.start + start + length
}

pub(super) fn lines_of(bytes: &[u8]) -> Vec<Line> {
    let mut lines = Vec::with_capacity(bytes.len() / 64);
    let mut start = 0;
    while start < bytes.len() {
        let content_end = bytes[start..].find_byteset(b"\r\n").map_or(bytes.len(), |offset| start + offset);
        let end = match bytes.get(content_end..) {
            Some([b'\r', b'\n', ..]) => content_end + 2,
            Some([_, ..]) => content_end + 1,
            _ => content_end,
        };
        lines.push(Line { content: start..content_end, end });
        start = end;
    }
    lines
}
