//! The proxy that the user set in Windows.

use std::ptr::null_mut;

use windows_sys::Win32::Foundation::ERROR_SUCCESS;
use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, REG_ROUTINE_FLAGS, RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegGetValueW};
use windows_sys::core::{PCWSTR, w};

const SETTINGS: PCWSTR = w!("Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings");

/// The longest text that is read, in characters; the dialog of Windows takes 2,064.
const LONGEST: usize = 16_384;

/// The proxy settings of Windows for this user, from the place where Python and the AWS CLI read them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemProxy {
    /// `ProxyServer`: one proxy for all, or `http=…;https=…`. `None` if no proxy is in use.
    pub server: Option<String>,
    /// `ProxyOverride`: the hosts that need no proxy, separated by semicolons, with wildcards and `<local>`.
    pub bypass: Option<String>,
    /// `AutoConfigURL`: the script that decides about the proxy.
    pub script: Option<String>,
}

/// Reads the proxy settings of this user.
#[must_use]
pub fn system_proxy() -> SystemProxy {
    let is_on = number(w!("ProxyEnable")).is_some_and(|value| value != 0);
    let server = if is_on { text(w!("ProxyServer")) } else { None };
    SystemProxy { server, bypass: text(w!("ProxyOverride")), script: text(w!("AutoConfigURL")) }
}

fn number(name: PCWSTR) -> Option<u32> {
    let mut value = 0_u32;
    let read = read(name, RRF_RT_REG_DWORD, (&raw mut value).cast(), 4)?;
    (read == 4).then_some(value)
}

/// A text; `None` if there is none or it is empty.
fn text(name: PCWSTR) -> Option<String> {
    let mut value = vec![0_u16; LONGEST];
    let read = read(name, RRF_RT_REG_SZ, value.as_mut_ptr().cast(), 2 * u32::try_from(LONGEST).ok()?)?;
    // The text ends with a zero.
    value.truncate((usize::try_from(read).ok()? / 2).saturating_sub(1));
    Some(String::from_utf16_lossy(&value)).filter(|text| !text.is_empty())
}

/// Reads a value into a buffer of so many bytes. Returns how many it has.
fn read(name: PCWSTR, kind: REG_ROUTINE_FLAGS, buffer: *mut core::ffi::c_void, mut size: u32) -> Option<u32> {
    // SAFETY: the names are constant texts that end with a zero, and the buffer is as large as the call is told.
    let code = unsafe { RegGetValueW(HKEY_CURRENT_USER, SETTINGS, name, kind, null_mut(), buffer, &raw mut size) };
    (code == ERROR_SUCCESS).then_some(size)
}
