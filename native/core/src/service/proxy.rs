//! The proxy that the user's variables specify, or else the system's settings; only HTTP proxies are supported.

use crate::system_proxy::SystemProxy;
use crate::world::World;

/// What specifies a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ProxySource {
    /// A variable, by its name as it is set, in upper or lower case.
    Variable(String),
    System,
}

impl std::fmt::Display for ProxySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Variable(name) => name,
            Self::System if cfg!(windows) => "the proxy settings of Windows",
            Self::System if cfg!(target_os = "macos") => "the proxy settings of macOS",
            Self::System => "the proxy settings of the system",
        })
    }
}

/// An HTTP proxy, and what specifies it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Proxy {
    pub(super) source: ProxySource,
    /// The URL, which may contain a password.
    pub(super) url: String,
}

impl Proxy {
    /// The host and port, and the scheme if it is not http; nothing else of the URL, any part of which may contain a password.
    pub(super) fn place(&self) -> Option<String> {
        let url = url::Url::parse(&self.url).ok()?;
        let place = place_of(&url)?;
        Some(place.strip_prefix("http://").unwrap_or(&place).to_owned())
    }

    pub(super) fn in_words(&self) -> String {
        self.place().map_or_else(|| self.source.to_string(), |place| format!("{place} of {}", self.source))
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.in_words())
    }
}

/// What the value of a proxy variable means.
enum ProxyChoice {
    Http(String),
    /// A SOCKS proxy, by its scheme; SOCKS is not supported.
    Socks(String),
}

impl ProxyChoice {
    /// Reads a value as curl does: without a scheme, it is the host and port of an HTTP proxy.
    fn of(value: &str) -> Self {
        let value = value.trim();
        match value.split_once("://") {
            None => Self::Http(format!("http://{value}")),
            Some((scheme, rest)) => {
                let scheme = scheme.to_ascii_lowercase();
                // The text before `://` can also be a user name, if the scheme was forgotten.
                if ["socks", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.as_str()) {
                    Self::Socks(scheme)
                } else {
                    Self::Http(format!("{scheme}://{rest}"))
                }
            }
        }
    }
}

/// The scheme, host and port of a URL, and nothing else; leaves out a default port.
pub(super) fn place_of(url: &url::Url) -> Option<String> {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str().filter(|host| !host.is_empty())?))
}

/// The outcome of reading all proxy settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct ChosenProxy {
    /// The first proxy that can be used.
    pub(super) proxy: Option<Proxy>,
    /// The variables before it whose proxies cannot be used, each with the scheme of its URL.
    pub(super) skipped: Vec<(String, String)>,
    /// The system's settings, if no variable is set.
    pub(super) system: Option<SystemProxy>,
}

impl ChosenProxy {
    pub(super) fn of(world: &World) -> Self {
        let mut skipped = Vec::new();
        let set = ["HTTPS_PROXY", "ALL_PROXY"].into_iter().filter_map(|name| world.variables.get_as_written(name));
        for (variable, value) in set.filter(|(_, value)| !value.trim().is_empty()) {
            match ProxyChoice::of(value) {
                ProxyChoice::Http(url) => return Self { proxy: Some(Proxy { source: ProxySource::Variable(variable), url }), skipped, system: None },
                ProxyChoice::Socks(scheme) => skipped.push((variable, scheme)),
            }
        }
        // The user decided by variables, even if none of their proxies can be used.
        if !skipped.is_empty() {
            return Self { proxy: None, skipped, system: None };
        }
        let system = (world.system_proxy)();
        let proxy = match system.server.as_deref().map(ProxyChoice::of) {
            Some(ProxyChoice::Http(url)) => Some(Proxy { source: ProxySource::System, url }),
            Some(ProxyChoice::Socks(_)) | None => None,
        };
        Self { proxy, skipped, system: Some(system) }
    }
}
