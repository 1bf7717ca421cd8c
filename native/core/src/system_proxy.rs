//! The proxy that the user set in the system, for users who set no variable.

#[cfg(any(target_os = "macos", test))]
mod macos;

use std::net::Ipv4Addr;

/// The proxy settings of the system.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct SystemProxy {
    /// The host and port of the proxy for https, maybe with a scheme.
    pub(crate) server: Option<String>,
    /// The hosts that need no proxy: names and addresses with `*`, IPv4 networks such as `169.254/16`, and `<local>` for names without a dot.
    pub(crate) bypass: Vec<String>,
    /// Whether a script decides about the proxy, which this module does not run.
    pub(crate) has_script: bool,
}

/// The server's URL may contain a password.
impl std::fmt::Debug for SystemProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SystemProxy").field("bypass", &self.bypass).field("has_script", &self.has_script).finish_non_exhaustive()
    }
}

impl SystemProxy {
    /// Reads the settings; systems without such settings have none.
    pub(crate) fn read() -> Self {
        Self::of_this_system()
    }

    #[cfg(windows)]
    fn of_this_system() -> Self {
        let settings = sso_windows::system_proxy();
        let server = settings.server.as_deref().and_then(server_for_https).map(str::to_owned);
        let bypass = settings.bypass.as_deref().map(bypassed).unwrap_or_default();
        Self { server, bypass, has_script: settings.script.is_some() }
    }

    #[cfg(target_os = "macos")]
    fn of_this_system() -> Self {
        macos::settings().as_ref().map(macos::system_proxy).unwrap_or_default()
    }

    #[cfg(not(any(windows, target_os = "macos")))]
    fn of_this_system() -> Self {
        Self::default()
    }

    /// Whether connections to this host need no proxy.
    pub(crate) fn bypasses(&self, host: &str) -> bool {
        self.bypass.iter().any(|pattern| if pattern == "<local>" { !host.contains('.') } else { matches(pattern, host) || is_in_network(host, pattern) })
    }
}

/// Whether a host is an address in an IPv4 network whose last zeros can be left out. A host that is a name is not looked up.
fn is_in_network(host: &str, network: &str) -> bool {
    let Some((start, length)) = network.split_once('/') else { return false };
    let parts: Option<Vec<u8>> = start.split('.').map(|part| part.parse().ok()).collect();
    let (Some(parts), Ok(address), Ok(length)) = (parts.filter(|parts| parts.len() <= 4), host.parse::<Ipv4Addr>(), length.parse::<u32>()) else {
        return false;
    };
    let start = parts.iter().zip([24, 16, 8, 0]).fold(0, |start, (part, shift)| start | u32::from(*part) << shift);
    let differs = address.to_bits() ^ start;
    length <= 32 && differs.checked_shr(32 - length).unwrap_or(0) == 0
}

/// The proxy for https in Windows' setting: the only one for all, or that after `https=`.
#[cfg_attr(not(windows), allow(dead_code, reason = "Windows has the setting"))]
fn server_for_https(setting: &str) -> Option<&str> {
    if !setting.contains('=') {
        return Some(setting.trim()).filter(|server| !server.is_empty());
    }
    let entries = setting.split([';', ' ']).filter_map(|entry| entry.split_once('='));
    entries.into_iter().find(|(scheme, _)| scheme.trim().eq_ignore_ascii_case("https")).map(|(_, server)| server.trim()).filter(|server| !server.is_empty())
}

/// The entries of Windows' setting for hosts without a proxy; entries may have a scheme, which says nothing here.
#[cfg_attr(not(windows), allow(dead_code, reason = "Windows has the setting"))]
fn bypassed(setting: &str) -> Vec<String> {
    let entries = setting.split([';', ' ']).map(|entry| entry.trim().rsplit("://").next().unwrap_or_default().to_ascii_lowercase());
    entries.filter(|entry| !entry.is_empty()).collect()
}

/// Whether a host fits a pattern, in which `*` stands for any text.
fn matches(pattern: &str, host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = host.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_for_https_is_the_one_for_all_or_the_one_with_its_name() {
        for (setting, expected) in [
            ("proxy.example.com:8080", Some("proxy.example.com:8080")),
            ("http=a.example.com:1;https=b.example.com:2", Some("b.example.com:2")),
            ("HTTPS=http://b.example.com:2", Some("http://b.example.com:2")),
            ("http=a.example.com:1;socks=c.example.com:3", None),
            ("https=", None),
            ("", None),
        ] {
            assert_eq!(server_for_https(setting), expected, "{setting}");
        }
    }

    #[test]
    fn hosts_that_need_no_proxy_are_found_by_name_by_pattern_and_as_local() {
        let proxy = SystemProxy { bypass: bypassed("*.amazonaws.com; 10.*;https://Intranet.example.com;<local>"), ..SystemProxy::default() };
        for (host, expected) in [
            ("oidc.us-west-2.amazonaws.com", true),
            ("amazonaws.com", false),
            ("oidc.us-west-2.amazonaws.com.example.com", false),
            ("10.1.2.3", true),
            ("110.1.2.3", false),
            ("INTRANET.example.com", true),
            ("intranet", true),
            ("example.com", false),
        ] {
            assert_eq!(proxy.bypasses(host), expected, "{host}");
        }
        assert!(matches("a*b*c", "aXbYbc") && !matches("a*b*c", "acb") && matches("*", "x") && !matches("aa*aa", "aaa"));
    }
    #[test]
    fn addresses_in_a_network_need_no_proxy() {
        for (host, network, expected) in [
            ("169.254.1.2", "169.254/16", true),
            ("169.255.1.2", "169.254/16", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.1.2.3/32", true),
            ("10.1.2.4", "10.1.2.3/32", false),
            ("8.8.8.8", "0/0", true),
            ("10.example.com", "10/8", false),
            ("10.1.2.3", "10/33", false),
            ("10.1.2.3", "10/x", false),
            ("10.1.2.3", "1.2.3.4.5/8", false),
            ("10.1.2.3", "256/8", false),
        ] {
            assert_eq!(is_in_network(host, network), expected, "{host} {network}");
        }
    }
}
