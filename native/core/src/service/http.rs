//! The HTTP client with the caller's proxy and CA settings.

use aws_sdk_sso::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder as HttpClientBuilder, Connector};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use crate::error::{Code, Error};
use crate::service::connections::renewing;
use crate::service::proxy::{Proxy, ProxySource};
use crate::service::settings::Settings;

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

/// Creates the client for these settings; it opens new connections after a request was abandoned.
pub(super) fn http_client(settings: &Settings) -> Result<SharedHttpClient, Error> {
    if settings.endpoints.are_loopback() {
        return Ok(renewing(|| HttpClientBuilder::new().build_http()));
    }
    let mut trust_store = TrustStore::default();
    if let Some(bundle) = &settings.certificates {
        trust_store = trust_store.with_pem_certificate(bundle.pem.clone());
    }
    let internal = |what: String| Error::new(Code::InternalError, what);
    let tls = TlsContext::builder().with_trust_store(trust_store).build().map_err(|fault| internal(format!("TLS could not be set up: {fault}.")))?;
    let proxy = match &settings.proxy.proxy {
        Some(Proxy { source, url }) => {
            let proxy = ProxyConfig::https(url.as_str()).map_err(|_| not_a_proxy(source))?;
            settings.no_proxy.as_ref().map_or(proxy.clone(), |rules| proxy.no_proxy(rules))
        }
        None => ProxyConfig::disabled(),
    };
    let connector = move |connector_settings: Option<&HttpConnectorSettings>, components: Option<&RuntimeComponents>| {
        let mut connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(tls.clone()).proxy_config(proxy.clone());
        if let Some(connector_settings) = connector_settings {
            connector = connector.connector_settings(connector_settings.clone());
        }
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    };
    Ok(renewing(move || HttpClientBuilder::new().build_with_connector_fn(connector.clone())))
}
