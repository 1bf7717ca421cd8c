//! A text in the encodings in which Notepad, Excel and Windows PowerShell save files.

/// A file as one of these programs leaves it.
pub(crate) struct Saved {
    /// What it is, in the words of an error.
    pub(crate) encoding: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// The text in every encoding; its characters must be among the first 256 of Unicode.
pub(crate) fn saved(text: &str) -> Vec<Saved> {
    let utf16 = |mark: &[u8], unit: fn(u16) -> [u8; 2]| [mark, &text.encode_utf16().flat_map(unit).collect::<Vec<u8>>()].concat();
    let ansi = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let utf32 = [b"\xff\xfe\0\0".to_vec(), text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect()].concat();
    [
        ("UTF-8 text", text.as_bytes().to_vec()),
        ("UTF-8 text with a byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("UTF-16 text", utf16(b"\xff\xfe", u16::to_le_bytes)),
        ("UTF-16 text", utf16(b"\xfe\xff", u16::to_be_bytes)),
        ("UTF-16 text without a byte order mark", utf16(b"", u16::to_le_bytes)),
        ("UTF-16 text without a byte order mark", utf16(b"", u16::to_be_bytes)),
        ("UTF-32 text", utf32),
        ("not UTF-8 text", ansi),
    ]
    .map(|(encoding, bytes)| Saved { encoding, bytes })
    .into()
}
