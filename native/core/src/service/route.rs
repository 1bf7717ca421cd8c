//! The way to a host: directly or through the proxy, and the TLS that the system's certificates vouch for.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::service::certificates::Certificates;
use crate::service::trust::Trust;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<Stream> = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

/// The stream to a host or to its tunnel; TLS only if the proxy itself uses it.
type FirstStream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// No connection was made in time.
#[derive(Debug, thiserror::Error)]
#[error("the connection took too long")]
pub(super) struct ConnectTimeout;

/// Connects to a host, or has a proxy connect to it.
#[derive(Clone)]
pub(super) struct Route {
    tcp: TcpConnector,
    /// The proxy, and the connector to it, which uses TLS for a proxy whose URL starts with `https:`.
    proxy: Option<(Arc<Matcher>, HttpsConnector<TcpConnector>)>,
}

impl Route {
    /// The route without a proxy.
    pub(super) fn direct() -> Self {
        Self { tcp: tcp(), proxy: None }
    }

    /// The route through a proxy, for the hosts that its rules do not exclude.
    pub(super) fn through(proxy: Matcher, tls: ClientConfig) -> Self {
        Self {
            tcp: tcp(),
            proxy: Some((Arc::new(proxy), HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp()))),
        }
    }
}

fn tcp() -> TcpConnector {
    let mut tcp = TcpConnector::new();
    // TLS is the matter of the connectors round this one.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp
}

impl Service<Uri> for Route {
    type Response = FirstStream;
    type Error = BoxError;
    type Future = Connecting<FirstStream>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, host: Uri) -> Self::Future {
        let intercepted = self.proxy.as_ref().and_then(|(matcher, connector)| Some((matcher.intercept(&host)?, connector)));
        let Some((proxy, connector)) = intercepted else {
            let connecting = self.tcp.call(host);
            return Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), connector.clone());
        if let Some(password) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(password.clone());
        }
        let connecting = tunnel.call(host);
        Box::pin(async move { connecting.await.map_err(Into::into) })
    }
}

/// The stream to a service.
type Stream = MaybeHttpsStream<FirstStream>;

/// Connects to the services, TLS included, within a time limit.
///
/// One type, because the library would contain the whole HTTP client once for each type of connector.
#[derive(Clone)]
pub(super) struct Connector {
    way: Way,
    limit: Duration,
}

#[derive(Clone)]
enum Way {
    /// For services on this computer: without certificates, which take time to read.
    Plain(Route),
    Tls(HttpsConnector<Route>),
}

impl Connector {
    /// Connects without TLS.
    pub(super) fn plain(route: Route, limit: Duration) -> Self {
        Self { way: Way::Plain(route), limit }
    }

    /// Connects with TLS, over which HTTP/2 is used if the host supports it.
    pub(super) fn with_tls(route: Route, tls: ClientConfig, limit: Duration) -> Self {
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_all_versions().wrap_connector(route);
        Self { way: Way::Tls(connector), limit }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Connecting<Stream>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &mut self.way {
            Way::Plain(route) => route.poll_ready(context),
            Way::Tls(connector) => connector.poll_ready(context),
        }
    }

    fn call(&mut self, host: Uri) -> Self::Future {
        let connecting: Self::Future = match &mut self.way {
            Way::Plain(route) => {
                let connecting = route.call(host);
                Box::pin(async move { Ok(MaybeHttpsStream::Http(connecting.await?)) })
            }
            Way::Tls(connector) => connector.call(host),
        };
        let connected = tokio::time::timeout(self.limit, connecting);
        Box::pin(async move { connected.await.unwrap_or_else(|_| Err(ConnectTimeout.into())) })
    }
}

/// The TLS settings: the system decides which certificates it trusts, as it does for a browser, and the CA bundle adds to them.
pub(super) fn tls(bundle: Option<&Certificates>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let trust = Trust::new(bundle, Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.dangerous().with_custom_certificate_verifier(Arc::new(trust)).with_no_client_auth())
}
