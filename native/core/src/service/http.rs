//! The HTTP client with the caller's proxy and CA settings.

use std::time::Duration;

use aws_sdk_sso::config::SharedHttpClient;
use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::error::{Code, Error};
use crate::service::connections::renewing;
use crate::service::connector::Pool;
use crate::service::proxy::{Proxy, ProxySource};
use crate::service::route::{Connector, Route, tls};
use crate::service::settings::Settings;

/// The time limit for a connection, TLS included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const EXAMPLE: &str = "it should look like http://proxy.example.com:8080.";

fn not_a_proxy(source: &ProxySource) -> Error {
    let error = match source {
        ProxySource::Variable(name) => {
            Error::new(Code::NetworkError, format!("The variable {name} is not the URL of a proxy.")).with_action(format!("Correct $env:{name}; {EXAMPLE}"))
        }
        ProxySource::System => Error::new(Code::NetworkError, format!("The proxy in {source} cannot be used.")).with_action(format!("Correct it; {EXAMPLE}")),
    };
    error.with_target(source.to_string())
}

/// Checks a proxy's URL, because a `Matcher` ignores one that it cannot use.
fn matcher(Proxy { source, url }: &Proxy, bypassed: Option<&str>) -> Result<Matcher, Error> {
    let parsed: Option<Uri> = url.parse().ok();
    let is_proxy = parsed.is_some_and(|url| matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some_and(|host| !host.is_empty()));
    if !is_proxy {
        return Err(not_a_proxy(source));
    }
    Ok(Matcher::builder().https(url.clone()).no(bypassed.unwrap_or_default()).build())
}

/// Creates the client for these settings; it opens new connections after a request was abandoned.
pub(super) fn http_client(settings: &Settings) -> Result<SharedHttpClient, Error> {
    if settings.endpoints.are_loopback() {
        return Ok(renewing(|| SharedHttpClient::new(Pool::over(Connector::plain(Route::direct(), CONNECT_TIMEOUT)))));
    }
    let proxy = settings.proxy.proxy.as_ref().map(|proxy| matcher(proxy, settings.no_proxy.as_deref())).transpose()?;
    // The library's text tells nothing but that the system has no certificates.
    let tls = tls(settings.certificates.as_ref()).map_err(|_| no_certificates())?;
    let route = proxy.map_or_else(Route::direct, |proxy| Route::through(proxy, tls.clone()));
    let connector = Connector::with_tls(route, tls, CONNECT_TIMEOUT);
    Ok(renewing(move || SharedHttpClient::new(Pool::over(connector.clone()))))
}

fn no_certificates() -> Error {
    Error::new(Code::NetworkError, "The system has no CA certificates, so no server can be trusted.")
        .with_action("Install the system's CA certificates (the package ca-certificates on Linux), or set AWS_CA_BUNDLE to a file of PEM certificates.")
}
