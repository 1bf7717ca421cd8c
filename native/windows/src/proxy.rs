//! The proxy that the user set in Windows.

use windows_sys::Win32::System::Registry::HKEY_CURRENT_USER;

use crate::registry::Place;

/// The proxy settings of Windows for this user, from the place where Python and the AWS CLI read them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SystemProxy {
    /// `ProxyServer`: one proxy for all, or `http=…;https=…`. `None` if no proxy is in use. It may contain a password.
    pub server: Option<String>,
    /// `ProxyOverride`: the hosts that need no proxy, separated by semicolons, with wildcards and `<local>`.
    pub bypass: Option<String>,
    /// `AutoConfigURL`: the script that decides about the proxy.
    pub script: Option<String>,
}

impl std::fmt::Debug for SystemProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemProxy").field("bypass", &self.bypass).finish_non_exhaustive()
    }
}

/// Reads the proxy settings of this user.
#[must_use]
pub fn system_proxy() -> SystemProxy {
    let value = |name| Place { root: HKEY_CURRENT_USER, key: "Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings", name };
    let is_on = value("ProxyEnable").number().is_some_and(|number| number != 0);
    SystemProxy { server: value("ProxyServer").text().filter(|_| is_on), bypass: value("ProxyOverride").text(), script: value("AutoConfigURL").text() }
}
