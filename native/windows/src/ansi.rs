//! The ANSI code page of this Windows, in which programs without Unicode read and write files.

use windows_sys::Win32::Globalization::{CP_ACP, MB_ERR_INVALID_CHARS, MultiByteToWideChar};

/// Reads a text in the ANSI code page. Returns `None` if it has bytes that the code page does not have, or is longer than 2 GB.
#[must_use]
pub fn ansi_text(bytes: &[u8]) -> Option<String> {
    let count = i32::try_from(bytes.len()).ok()?;
    if count == 0 {
        return Some(String::new());
    }
    // A byte becomes at most one UTF-16 unit in code pages of one and of two bytes, and at most one for each byte in UTF-8.
    let mut units = vec![0_u16; bytes.len()];
    // SAFETY: both buffers are as long as the call is told.
    let written = unsafe { MultiByteToWideChar(CP_ACP, MB_ERR_INVALID_CHARS, bytes.as_ptr(), count, units.as_mut_ptr(), count) };
    let written = usize::try_from(written).ok().filter(|written| *written > 0)?;
    String::from_utf16(&units[..written]).ok()
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Globalization::GetACP;

    use super::*;

    #[test]
    fn text_in_the_code_page_of_western_europe_is_read() {
        assert_eq!(ansi_text(b""), Some(String::new()));
        assert_eq!(ansi_text(b"plain").as_deref(), Some("plain"));
        // SAFETY: the call has no conditions.
        if unsafe { GetACP() } == 1252 {
            assert_eq!(ansi_text(b"Z\xfcrich \x80").as_deref(), Some("Z\u{fc}rich \u{20ac}"));
        } else {
            println!("SKIPPED: the code page of this Windows is not 1252.");
        }
    }
}
