//! The proxy that the variables name; requests go through HTTP proxies only.

use crate::world::Variables;

/// An HTTP proxy, and the variable that names it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Proxy {
    /// As it is set: in upper or lower case.
    pub(super) variable: String,
    /// With what may be a password in it.
    pub(super) url: String,
}

impl Proxy {
    /// Its host and port, and its scheme where that is not http; nothing else of the URL, which may hold a password anywhere.
    pub(super) fn place(&self) -> Option<String> {
        let url = url::Url::parse(&self.url).ok()?;
        let place = place_of(&url)?;
        Some(place.strip_prefix("http://").unwrap_or(&place).to_owned())
    }

    pub(super) fn in_words(&self) -> String {
        self.place().map_or_else(|| self.variable.clone(), |place| format!("{place} of {}", self.variable))
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.in_words())
    }
}

/// What a variable for proxies leads to.
enum ProxyChoice {
    Http(String),
    /// A SOCKS proxy, by its scheme; requests go through HTTP proxies only.
    Socks(String),
}

impl ProxyChoice {
    /// Reads a value as curl does: one without a scheme is the host and port of an HTTP proxy.
    fn of(value: &str) -> Self {
        let value = value.trim();
        match value.split_once("://") {
            None => Self::Http(format!("http://{value}")),
            Some((scheme, rest)) => {
                let scheme = scheme.to_ascii_lowercase();
                // Before `://` a user name can stand, too, where the scheme was forgotten.
                if ["socks", "socks4", "socks4a", "socks5", "socks5h"].contains(&scheme.as_str()) {
                    Self::Socks(scheme)
                } else {
                    Self::Http(format!("{scheme}://{rest}"))
                }
            }
        }
    }
}

/// Scheme, host and port of a URL, and nothing else of it; the port is left out where it is the usual one.
pub(super) fn place_of(url: &url::Url) -> Option<String> {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{}://{}{port}", url.scheme(), url.host_str().filter(|host| !host.is_empty())?))
}

/// What the variables for proxies lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct ChosenProxy {
    /// The first one that can be used.
    pub(super) proxy: Option<Proxy>,
    /// The variables before it whose proxies cannot be used, each with the scheme of its URL.
    pub(super) skipped: Vec<(String, String)>,
}

impl ChosenProxy {
    pub(super) fn of(variables: &Variables) -> Self {
        let mut skipped = Vec::new();
        let set = ["HTTPS_PROXY", "ALL_PROXY"].into_iter().filter_map(|name| variables.get_as_written(name));
        for (variable, value) in set.filter(|(_, value)| !value.trim().is_empty()) {
            match ProxyChoice::of(value) {
                ProxyChoice::Http(url) => return Self { proxy: Some(Proxy { variable, url }), skipped },
                ProxyChoice::Socks(scheme) => skipped.push((variable, scheme)),
            }
        }
        Self { proxy: None, skipped }
    }
}
