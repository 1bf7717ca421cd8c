//! Which encoding the text of a user's file has: Notepad, Excel and Windows PowerShell write more than UTF-8.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use bstr::ByteSlice as _;

/// The encoding of a text, by its first bytes and by what cannot be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    /// As Notepad's "UTF-8 with BOM" and Windows PowerShell's `-Encoding UTF8` write it.
    Utf8WithMark,
    /// As `>` in Windows PowerShell writes it.
    Utf16,
    Utf32,
    /// There are zero bytes, but no byte order mark.
    Unmarked,
    /// Some bytes are not UTF-8. In most cases they are of the ANSI code page of a Windows, which differs from country to country.
    Ansi {
        /// The first line with such bytes, counted from 1.
        line: usize,
    },
}

/// Why a text cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecodable {
    Encoding(Encoding),
    DamagedUtf16,
}

/// For a sentence such as "FILE is UTF-16 text".
impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 => f.write_str("UTF-8 text"),
            Self::Utf8WithMark => f.write_str("UTF-8 text with a byte order mark"),
            Self::Utf16 => f.write_str("UTF-16 text"),
            Self::Utf32 => f.write_str("UTF-32 text"),
            Self::Unmarked => f.write_str("UTF-16 text without a byte order mark, or no text"),
            Self::Ansi { line } => write!(f, "not UTF-8 text (line {line})"),
        }
    }
}

impl fmt::Display for Undecodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding(encoding) => encoding.fmt(f),
            Self::DamagedUtf16 => f.write_str("damaged UTF-16 text"),
        }
    }
}

impl Encoding {
    /// Decides the encoding of a text.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Self::Utf32,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Self::Utf16,
            _ if bytes.contains(&0) => Self::Unmarked,
            _ => match std::str::from_utf8(bytes) {
                Ok(_) if bytes.starts_with(b"\xef\xbb\xbf") => Self::Utf8WithMark,
                Ok(_) => Self::Utf8,
                Err(fault) => Self::Ansi { line: line_of(&bytes[..fault.valid_up_to()]) },
            },
        }
    }
}

/// The number of the line that follows these bytes, counted from 1.
fn line_of(before: &[u8]) -> usize {
    let ends = before.iter().enumerate().filter(|(at, byte)| **byte == b'\n' || (**byte == b'\r' && before.get(at + 1) != Some(&b'\n')));
    ends.count() + 1
}

/// The text as UTF-8 without a byte order mark. Bytes that are not UTF-8 stay as they are, so that nothing is lost.
///
/// # Errors
/// What the text is, if it cannot be read.
pub(crate) fn decoded(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Undecodable> {
    let encoding = Encoding::of(bytes);
    match (encoding, bytes) {
        (Encoding::Utf16, [first, _, rest @ ..]) => {
            let unit = if *first == 0xff { u16::from_le_bytes } else { u16::from_be_bytes };
            let (units, odd) = rest.as_chunks::<2>();
            let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes))).collect::<Result<String, _>>();
            text.ok().filter(|_| odd.is_empty()).map(|text| Cow::Owned(text.into_bytes())).ok_or(Undecodable::DamagedUtf16)
        }
        (Encoding::Utf32 | Encoding::Unmarked | Encoding::Utf16, _) => Err(Undecodable::Encoding(encoding)),
        (Encoding::Utf8 | Encoding::Utf8WithMark | Encoding::Ansi { .. }, _) => Ok(Cow::Borrowed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))),
    }
}

/// The first line that is not UTF-8, counted from 1, if an edit added letters beyond ASCII in UTF-8 to such a text. No editor could show both rightly.
pub(crate) fn mixed_by_edit(before: &[u8], after: &[u8]) -> Option<usize> {
    let Encoding::Ansi { line } = Encoding::of(before) else { return None };
    let old: HashSet<&[u8]> = before.lines().collect();
    after.lines().any(|line| !line.is_ascii() && !old.contains(line)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, mark: &[u8], unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(unit)).collect()
    }

    #[test]
    fn a_text_is_decoded_or_what_it_is_can_be_said() {
        let text = "[a]\r\nk = Z\u{fc}rich \u{1f680}\r\n";
        let (little, big) = (u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes as fn(u16) -> [u8; 2]);
        for bytes in [text.as_bytes().to_vec(), [b"\xef\xbb\xbf", text.as_bytes()].concat(), utf16(text, b"\xff\xfe", little), utf16(text, b"\xfe\xff", big)] {
            assert_eq!(decoded(&bytes).as_deref(), Ok(text.as_bytes()), "{}", Encoding::of(&bytes));
        }
        let damaged = [&utf16(text, b"\xff\xfe", little)[..], b"\x3d\xd8"].concat();
        let half = utf16(text, b"\xfe\xff", big)[..9].to_vec();
        let mixed = [text.as_bytes(), &utf16(text, b"", little)].concat();
        for (bytes, what) in [
            (utf16(text, b"", little), "UTF-16 text without a byte order mark, or no text"),
            (utf16(text, b"", big), "UTF-16 text without a byte order mark, or no text"),
            (mixed, "UTF-16 text without a byte order mark, or no text"),
            (damaged, "damaged UTF-16 text"),
            (half, "damaged UTF-16 text"),
            (b"\xff\xfe\0\0a\0\0\0".to_vec(), "UTF-32 text"),
            (b"\0\0\xfe\xff\0\0\0a".to_vec(), "UTF-32 text"),
        ] {
            assert_eq!(decoded(&bytes).map_err(|what| what.to_string()), Err(what.to_owned()));
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_and_their_line_is_known() {
        for (bytes, line) in [(&b"caf\xe9"[..], 1), (b"a\r\nb\rc\n\xfc", 4), (b"\xef\xbb\xbfa\n\xe4\n\xe4", 2), (b"\r\n\r\n\xff", 3)] {
            assert_eq!(Encoding::of(bytes), Encoding::Ansi { line }, "{bytes:?}");
            assert_eq!(decoded(bytes).as_deref(), Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)));
        }
        assert_eq!(
            [Encoding::of(b""), Encoding::of(b"\xef\xbb\xbf"), Encoding::of("\u{fc}".as_bytes())],
            [Encoding::Utf8, Encoding::Utf8WithMark, Encoding::Utf8]
        );
    }

    #[test]
    fn only_letters_that_an_edit_adds_to_a_text_of_another_encoding_mix_the_two() {
        let old = b"# caf\xe9\n[a]\n";
        for (before, after, mixed) in [
            (&old[..], [old, &b"k = v\n"[..]].concat(), None),
            (&old[..], [old, "k = \u{fc}\n".as_bytes()].concat(), Some(1)),
            (&old[..], b"[a]\n".to_vec(), None),
            ("# \u{e9}\n".as_bytes(), "# \u{e9}\n[\u{fc}]\n".into(), None),
        ] {
            assert_eq!(mixed_by_edit(before, &after), mixed);
        }
    }
}
