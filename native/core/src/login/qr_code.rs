//! The address of a login as a QR code for a terminal, so that a phone can approve it.

use qrcode::{Color, EcLevel, QrCode};

/// The light modules on each side, without which no camera finds the code; the standard asks for four, but terminals have room for two.
const QUIET_ZONE: usize = 2;

/// The width of the narrowest common terminal, in columns.
const MOST_COLUMNS: usize = 80;

/// The code as lines of half blocks for the light modules: white text on a black background. `None` if it does not fit 80 columns.
pub(crate) fn lines(text: &str) -> Option<Vec<String>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (modules, width) = (code.to_colors(), code.width());
    let side = width + 2 * QUIET_ZONE;
    let is_light = |row: usize, column: usize| {
        let place = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < width);
        match (place(row), place(column)) {
            (Some(row), Some(column)) => modules.get(row * width + column) != Some(&Color::Dark),
            // If the height is odd, there is nothing below the last row.
            _ => row < side,
        }
    };
    let block = |row: usize, column: usize| match (is_light(row, column), is_light(row + 1, column)) {
        (true, true) => '\u{2588}',
        (true, false) => '\u{2580}',
        (false, true) => '\u{2584}',
        (false, false) => ' ',
    };
    (side <= MOST_COLUMNS).then(|| (0..side).step_by(2).map(|row| (0..side).map(|column| block(row, column)).collect()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_code_of_a_login_address_is_a_square_that_fits_a_small_terminal() {
        for url in ["https://device.sso.us-west-2.amazonaws.com/?user_code=ABCD-EFGH", "https://d-12345abcde.awsapps.com/start/#/device?user_code=ABCD-EFGH"] {
            let lines = lines(url).unwrap();
            let columns = lines[0].chars().count();
            assert!(lines.iter().all(|line| line.chars().count() == columns));
            assert!(columns <= 41 && lines.len() == columns.div_ceil(2), "{columns} x {}", lines.len());
            assert!(lines[0].chars().all(|block| block == '\u{2588}'), "the quiet zone");
        }
    }

    #[test]
    fn an_address_that_is_too_long_has_no_code() {
        assert!(lines(&format!("https://example.com/{}", "a".repeat(300))).is_some_and(|lines| lines[0].chars().count() <= 80));
        assert!(lines(&format!("https://example.com/{}", "a".repeat(600))).is_none());
        assert!(lines(&"a".repeat(100_000)).is_none());
    }
}
