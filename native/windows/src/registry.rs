//! Reads single values of the registry.

use std::ptr::null_mut;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Registry::{HKEY, REG_ROUTINE_FLAGS, RRF_RT_REG_DWORD, RRF_RT_REG_EXPAND_SZ, RRF_RT_REG_SZ, RegGetValueW};

/// The longest text that is read, in characters, with the zero at its end.
const LONGEST: usize = 16_384;

/// A value of the registry: its root, its key below that, and its name; the empty name is that of a key's own value.
pub(crate) struct Place<'a> {
    pub(crate) root: HKEY,
    pub(crate) key: &'a str,
    pub(crate) name: &'a str,
}

impl Place<'_> {
    pub(crate) fn number(&self) -> Option<u32> {
        let mut value = 0_u32;
        let read = self.read(RRF_RT_REG_DWORD, (&raw mut value).cast(), 4)?;
        (read == 4).then_some(value)
    }

    /// Returns the text of the value, with its variables expanded, or `None` if the value is missing or empty.
    pub(crate) fn text(&self) -> Option<String> {
        let mut value = vec![0_u16; LONGEST];
        let read = self.read(RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ, value.as_mut_ptr().cast(), 2 * u32::try_from(LONGEST).ok()?)?;
        // The text ends with a zero.
        value.truncate((usize::try_from(read).ok()? / 2).saturating_sub(1));
        Some(String::from_utf16_lossy(&value)).filter(|text| !text.is_empty())
    }

    /// Reads the value into a buffer of so many bytes. Returns how many it has.
    fn read(&self, kind: REG_ROUTINE_FLAGS, buffer: *mut core::ffi::c_void, mut size: u32) -> Option<u32> {
        let [key, name] = [self.key, self.name].map(|text| text.encode_utf16().chain([0]).collect::<Vec<u16>>());
        // SAFETY: both texts end with a zero, and the buffer is as large as the call is told.
        let code = unsafe { RegGetValueW(self.root, key.as_ptr(), name.as_ptr(), kind, null_mut(), buffer, &raw mut size) };
        (code == ERROR_SUCCESS).then_some(size)
    }
}
